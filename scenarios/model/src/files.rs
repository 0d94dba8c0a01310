//! Files that a scenario names: found in its folder, read with care, kept for the run's folder.
//!
//! A part of a scenario that holds data names a file instead. [`fill`] reads each and puts what it says into the part; the
//! scenario's text keeps the name. Each file becomes a source beside the scenario, so that a mistake in it is shown in it.
//!
//! Invariants: only what lies in the scenario's folder or below it is named; a file is read once, however often it is
//! named; all of them together are bounded.

mod readers;
mod table;

use std::path::{Component, Path};

use kernel::{Network, ProfileName};
use play::plan::{Arrivals, Fault, Puts, Recorded, Workload};

use crate::diagnostic::{Code, Diagnostic, Problems, quoted};
use crate::scenario::Scenario;
use crate::source::{self, MAX_INPUT_BYTES, Source};
use crate::tree::{self, Tree};

/// A file that a scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its path as it is named: relative to the scenario's folder, and below it.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// The files of one scenario.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// Where names lead; `None` for a text without a folder.
    folder: Option<&'a Path>,
    /// Those that were read, and the source that each became.
    read: Vec<(String, u32)>,
    bytes: u64,
}

impl<'a> Files<'a> {
    pub(crate) const fn of(folder: Option<&'a Path>) -> Self {
        Self { folder, read: Vec::new(), bytes: 0 }
    }

    /// What was read, out of the sources.
    pub(crate) fn take(self, sources: &mut [Source]) -> Vec<Input> {
        let input = |(name, source): (String, u32)| {
            let text = std::mem::take(&mut sources.get_mut(source as usize)?.text);
            Some(Input { name, text })
        };
        self.read.into_iter().filter_map(input).collect()
    }

    /// Keeps a text that ships as if it were a file of this name; the source that it became.
    fn hold(&mut self, name: &str, text: String, sources: &mut Vec<Source>) -> u32 {
        let number = u32::try_from(sources.len()).unwrap_or(u32::MAX);
        sources.push(Source { name: name.to_owned(), text });
        self.read.push((name.to_owned(), number));
        number
    }

    /// The source that the file of this name became.
    fn read(&mut self, name: &str, sources: &mut Vec<Source>) -> Result<u32, Diagnostic> {
        if let Some((_, source)) = self.read.iter().find(|(known, _)| known == name) {
            return Ok(*source);
        }
        if !stays_below(name) {
            return Err(Diagnostic::new(Code::BadFileName, format!("{} leads out of the scenario's folder", quoted(name)))
                .help("copy the file into the scenario's folder, and name it by its relative path, such as `traces/a.csv`"));
        }
        let Some(folder) = self.folder else {
            return Err(Diagnostic::new(
                Code::Unreadable,
                "this scenario is no file, so there is no folder to find files in",
            ));
        };
        let path = folder.join(name);
        let left = MAX_INPUT_BYTES.saturating_sub(self.bytes);
        let number = u32::try_from(sources.len()).unwrap_or(u32::MAX);
        let shown = path.display().to_string();
        match source::read_input(&path, number, left) {
            Ok(text) => {
                self.bytes += text.len() as u64;
                sources.push(Source { name: shown, text });
                self.read.push((name.to_owned(), number));
                Ok(number)
            }
            Err((text, diagnostic)) => {
                if !text.is_empty() {
                    sources.push(Source { name: shown, text });
                }
                Err(diagnostic)
            }
        }
    }
}

/// Whether a name is a relative path without a way up, written with slashes.
fn stays_below(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty()
        && !name.ends_with('/')
        && !name.contains('\\')
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Reads every file that `scenario` names, and puts what it says where it is named.
pub(crate) fn fill(
    scenario: &mut Scenario,
    tree: &Tree,
    files: &mut Files<'_>,
    sources: &mut Vec<Source>,
    problems: &mut Problems,
) {
    let mut filling = Filling { tree, files, sources, problems };
    let network = tree::Path::default().key("network");
    match &mut scenario.network {
        Network::Matrix(matrix) => {
            let path = network.key("matrix").key("file");
            matrix.table = filling.of(&matrix.file, &path, readers::distances).unwrap_or_default();
        }
        Network::Profile(profile) => {
            let (name, text) = profile_text(profile.name);
            let number = filling.files.hold(name, text.to_owned(), filling.sources);
            profile.table = filling.read(number, &network, readers::distances).unwrap_or_default();
        }
        Network::Uniform(_) | Network::Regions(_) => {}
    }
    for (index, workload) in scenario.workloads.iter_mut().enumerate() {
        let path = tree::Path::default().key("workloads").index(index).key(workload.kind());
        for (key, recorded) in recorded(workload) {
            let path = path.key(key).key("recorded").key("file");
            recorded.moments = filling.of(&recorded.file, &path, readers::moments).unwrap_or_default().into();
        }
    }
    for (index, fault) in scenario.faults.iter_mut().enumerate() {
        let Fault::RecordedChurn(churn) = fault else { continue };
        let path = tree::Path::default().key("faults").index(index).key("recorded_churn").key("file");
        churn.sessions = filling.of(&churn.file, &path, readers::sessions).unwrap_or_default();
    }
}

/// The file of a profile, as it is kept, and what stands in it.
const fn profile_text(name: ProfileName) -> (&'static str, &'static str) {
    match name {
        ProfileName::Aws => ("profiles/aws.csv", include_str!("../../profiles/aws.csv")),
    }
}

/// Makes something of a source's number and text.
type Reader<T> = fn(u32, &str, &mut Problems) -> Option<T>;

struct Filling<'a, 'f> {
    tree: &'a Tree,
    files: &'a mut Files<'f>,
    sources: &'a mut Vec<Source>,
    problems: &'a mut Problems,
}

impl Filling<'_, '_> {
    /// What `reader` makes of the file that `name` names at `path`.
    fn of<T>(&mut self, name: &str, path: &tree::Path, reader: Reader<T>) -> Option<T> {
        match self.files.read(name, self.sources) {
            Ok(number) => self.read(number, path, reader),
            Err(diagnostic) => {
                // A mistake within the file has its place there.
                let placed = diagnostic.span.is_some();
                let diagnostic = if placed { diagnostic } else { diagnostic.at(self.tree.locate(path)) };
                self.problems.add(diagnostic.path(path.to_string()));
                None
            }
        }
    }

    fn read<T>(&mut self, number: u32, path: &tree::Path, reader: Reader<T>) -> Option<T> {
        let text = self.sources.get(number as usize).map_or("", |source| source.text.as_str());
        let mut found = Problems::default();
        let made = reader(number, text, &mut found);
        self.problems.extend(found.below(path));
        made
    }
}

/// The recorded arrivals of a workload, each under the key where it stands.
fn recorded(workload: &mut Workload) -> Vec<(&'static str, &mut Recorded)> {
    fn of(arrivals: &mut Arrivals) -> Option<&mut Recorded> {
        match arrivals {
            Arrivals::Recorded(recorded) => Some(recorded),
            _ => None,
        }
    }
    fn of_puts(puts: &mut Puts) -> Option<&mut Recorded> {
        match puts {
            Puts::Recorded(recorded) => Some(recorded),
            _ => None,
        }
    }
    let places = match workload {
        Workload::Lookups(lookups) => vec![("arrivals", of(&mut lookups.arrivals))],
        Workload::Records(records) => {
            vec![("puts", of_puts(&mut records.puts)), ("gets", of(&mut records.gets))]
        }
        Workload::Providers(providers) => {
            vec![("announces", of_puts(&mut providers.announces)), ("finds", of(&mut providers.finds))]
        }
    };
    places.into_iter().filter_map(|(key, recorded)| Some((key, recorded?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_below_the_folder() {
        for name in ["a.csv", "traces/a.csv", "ä b.csv"] {
            assert!(stays_below(name), "{name}");
        }
        for name in ["", "/etc/passwd", "../a.csv", "a/../../b", ".", "./a.csv", "a/", "a\\b"] {
            assert!(!stays_below(name), "{name}");
        }
    }
}
