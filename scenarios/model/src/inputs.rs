//! Files that a scenario names: found beside it, read with care, checked, and kept for the run's folder.
//!
//! A file is named by a path below the scenario's folder, so that a scenario and its files can be moved together and a
//! run's folder holds them all, under `inputs/`. A scenario that stands in a run's folder finds them there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Component, Path as FilePath, PathBuf};

use kernel::Network;
use kernel::matrix::{Distance, Table as Distances};
use kernel::resolve::MAX_LATENCY;
use kernel::{Matrix, ProfileName};
use play::Fault;
use play::plan::{Session, Sessions, recorded::MAX_SESSIONS};
use types::{Duration, Instant};

use crate::diagnostic::{Code, Diagnostic, Problems, grouped, quoted};
use crate::scenario::Scenario;
use crate::source::{self, Source, Span};
use crate::table::{Cell, Table};
use crate::tree::{Path, Tree};

/// The largest file that a scenario names: a million sessions, a line each.
pub const MAX_INPUT_BYTES: u64 = 32 << 20;
/// Characters of its path.
const MAX_PATH: usize = 200;

/// What marks the folder of a run, whose scenario finds its files under `inputs/`.
const RUN_MARK: &str = "manifest.json";
const RUN_INPUTS: &str = "inputs";

/// Reads everything that `scenario` names, found in `folder`, into it; returns the texts by their names.
pub(crate) fn read(
    scenario: &mut Scenario,
    folder: Option<&FilePath>,
    tree: &Tree,
    sources: &mut Vec<Source>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let mut inputs = Inputs { folder, tree, sources, problems, kept: BTreeMap::new() };
    let network = Path::default().key("network");
    match &mut scenario.network {
        Network::Matrix(Matrix { file, table, .. }) => {
            let path = network.key("matrix").key("file");
            if let Some(distances) = inputs.of_file(file, &path, distances) {
                *table = distances;
            }
        }
        Network::Profile(profile) => {
            let (name, text) = profile_text(profile.name);
            if let Some(distances) = inputs.of_text(name.to_owned(), text.to_owned(), distances) {
                profile.table = distances;
            }
        }
        Network::Uniform(_) | Network::Regions(_) => {}
    }
    for (index, fault) in scenario.faults.iter_mut().enumerate() {
        let Fault::RecordedChurn(churn) = fault else { continue };
        let path = Path::default().key("faults").index(index).key("recorded_churn").key("file");
        if let Some(recorded) = inputs.of_file(&churn.file, &path, sessions) {
            churn.sessions = recorded;
        }
    }
    inputs.kept
}

/// The file of a profile, as it is kept, and what stands in it.
const fn profile_text(name: ProfileName) -> (&'static str, &'static str) {
    match name {
        ProfileName::Aws => ("profiles/aws.csv", include_str!("../../profiles/aws.csv")),
    }
}

struct Inputs<'a> {
    folder: Option<&'a FilePath>,
    tree: &'a Tree,
    sources: &'a mut Vec<Source>,
    problems: &'a mut Problems,
    kept: BTreeMap<String, String>,
}

/// Makes something of source `.0`, the text `.1`.
type Reader<T> = fn(u32, &str, &mut Problems) -> Option<T>;

impl Inputs<'_> {
    /// What `read` makes of the file that `name` names at `path`.
    fn of_file<T>(&mut self, name: &str, path: &Path, read: Reader<T>) -> Option<T> {
        let text = match self.kept.get(name) {
            Some(text) => text.clone(),
            None => match self.text(name) {
                Ok(text) => text,
                Err(diagnostic) => {
                    self.problems.add(diagnostic.at(self.tree.locate(path)).path(path.to_string()));
                    return None;
                }
            },
        };
        self.of_text(name.to_owned(), text, read)
    }

    fn of_text<T>(&mut self, name: String, text: String, read: Reader<T>) -> Option<T> {
        let source = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let found = read(source, &text, self.problems);
        if found.is_some() {
            self.kept.insert(name, text);
        } else {
            self.sources.push(Source { name: self.shown(&name), text });
        }
        found
    }

    /// The path that people know the file by.
    fn shown(&self, name: &str) -> String {
        self.folder.map_or_else(|| name.to_owned(), |folder| self.place(folder, name).display().to_string())
    }

    fn place(&self, folder: &FilePath, name: &str) -> PathBuf {
        if folder.join(RUN_MARK).is_file() { folder.join(RUN_INPUTS).join(name) } else { folder.join(name) }
    }

    fn text(&self, name: &str) -> Result<String, Diagnostic> {
        let wrong = |message: String| Diagnostic::new(Code::InputFile, message);
        let inside = FilePath::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || name.contains('\\') || name.chars().count() > MAX_PATH || !inside {
            let help = "write a path below the scenario's folder, such as `sessions.csv`";
            return Err(wrong(format!("{} is no path below the scenario's folder", quoted(name))).help(help));
        }
        let Some(folder) = self.folder else {
            return Err(wrong(format!(
                "{} cannot be found: this scenario stands in no folder",
                quoted(name)
            )));
        };
        let place = self.place(folder, name);
        let bytes = source::read_bytes(&place, MAX_INPUT_BYTES).map_err(|inner| {
            let mut message = inner.message.clone();
            if let Some(rest) = message.strip_prefix("the file") {
                message = format!("{}{rest}", quoted(name));
            } else if let Some(rest) = message.strip_prefix("this") {
                message = format!("{}{rest}", quoted(name));
            }
            wrong(message).help(format!("it is looked for at {}", quoted(&place.display().to_string())))
        })?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            wrong(format!("{} is not UTF-8 text from byte {at} on", quoted(name)))
        })
    }
}

/// Reads `peer,up_ms,down_ms`.
fn sessions(source: u32, text: &str, problems: &mut Problems) -> Option<Sessions> {
    let mut table = Table::open(source, text, &[&["peer", "up_ms", "down_ms"]], problems)?;
    let (mut recorded, mut spans): (Vec<(u32, Session)>, Vec<Span>) = Default::default();
    while let Some(row) = table.row(problems) {
        let [peer, up, down] = row.as_slice() else { continue };
        if recorded.len() == MAX_SESSIONS {
            let most = grouped(MAX_SESSIONS as i128);
            table.mistake(problems, peer.span, format!("the file has more than {most} sessions"));
            break;
        }
        let number = peer.text.parse::<u32>();
        if number.is_err() {
            let message =
                format!("{} is no peer's number; write a whole number such as 17", quoted(peer.text));
            table.mistake(problems, peer.span, message);
        }
        let begun = moment(&mut table, up, problems);
        let ended =
            if down.text.is_empty() { Some(Instant::NEVER) } else { moment(&mut table, down, problems) };
        if let (Ok(number), Some(begun), Some(ended)) = (number, begun, ended) {
            recorded.push((number, (begun, ended)));
            spans.push(Span { end: down.span.end.max(up.span.end), ..up.span });
        }
    }
    if table.is_sound() && recorded.is_empty() {
        table.mistake(problems, Span::new(source, 0, 0), "the file has no session");
    }
    match Sessions::new(&recorded) {
        Ok(sessions) => table.is_sound().then_some(sessions),
        Err(wrong) => {
            for (place, error) in wrong {
                if let Some(span) = spans.get(place) {
                    table.mistake(problems, *span, format!("the session {error}"));
                }
            }
            None
        }
    }
}

/// Whole milliseconds since the run's beginning.
fn moment(table: &mut Table<'_>, cell: &Cell<'_>, problems: &mut Problems) -> Option<Instant> {
    match cell.text.parse::<u64>() {
        // Beyond a run of 500 years the nanoseconds end.
        Ok(millis) if millis < u64::MAX / 2_000_000 => Some(Instant::START + Duration::from_millis(millis)),
        _ => {
            let message = format!("{} is no time; write whole milliseconds such as 90000", quoted(cell.text));
            table.mistake(problems, cell.span, message);
            None
        }
    }
}

/// Reads `from,to,one_way_ms|rtt_ms[,jitter_ms]`.
fn distances(source: u32, text: &str, problems: &mut Problems) -> Option<Distances> {
    const HEADERS: [&[&str]; 4] = [
        &["from", "to", "one_way_ms"],
        &["from", "to", "rtt_ms"],
        &["from", "to", "one_way_ms", "jitter_ms"],
        &["from", "to", "rtt_ms", "jitter_ms"],
    ];
    let mut table = Table::open(source, text, &HEADERS, problems)?;
    let ways = if table.columns().contains(&"rtt_ms") { 2 } else { 1 };
    let mut known: BTreeMap<(String, String), (Distance, u64)> = BTreeMap::new();
    let mut seen: BTreeMap<(&str, &str), ()> = BTreeMap::new();
    while let Some(row) = table.row(problems) {
        let [from, to, far, rest @ ..] = row.as_slice() else { continue };
        for place in [from, to].into_iter().filter(|place| place.text.is_empty()) {
            table.mistake(problems, place.span, "a place has a name");
        }
        let one_way = span(&mut table, far, problems).map(|span| span.divided(ways));
        let jitter = rest.first().map_or(Some(Duration::ZERO), |cell| span(&mut table, cell, problems));
        if seen.insert((from.text, to.text), ()).is_some() {
            let message = format!("{} to {} stands here twice", quoted(from.text), quoted(to.text));
            table.mistake(problems, from.span, message);
        }
        let (Some(one_way), Some(jitter)) = (one_way, jitter) else { continue };
        let ends = (from.text.min(to.text).to_owned(), from.text.max(to.text).to_owned());
        match known.entry(ends) {
            Entry::Vacant(slot) => {
                slot.insert((Distance { one_way, jitter }, 1));
            }
            Entry::Occupied(mut both) => {
                let (sum, count) = both.get_mut();
                *sum = Distance { one_way: sum.one_way + one_way, jitter: sum.jitter + jitter };
                *count += 1;
            }
        }
    }
    if table.is_sound() && known.is_empty() {
        table.mistake(problems, Span::new(source, 0, 0), "the file has no pair of places");
    }
    let mean = |(sum, count): (Distance, u64)| Distance {
        one_way: sum.one_way.divided(count),
        jitter: sum.jitter.divided(count),
    };
    let pairs = known.into_iter().map(|(ends, sums)| (ends, mean(sums))).collect();
    table.is_sound().then(|| Distances::new(pairs))
}

/// Milliseconds, with decimals.
fn span(table: &mut Table<'_>, cell: &Cell<'_>, problems: &mut Problems) -> Option<Duration> {
    let span = format!("{}ms", cell.text).parse::<Duration>().ok();
    match span.filter(|span| *span <= MAX_LATENCY) {
        Some(span) => Some(span),
        None => {
            let message = format!("{} is no latency; write milliseconds such as 12.5", quoted(cell.text));
            table.mistake(problems, cell.span, message);
            None
        }
    }
}
