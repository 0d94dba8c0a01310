//! The folder of a run that is being written.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use types::{Seed, UnixMillis};

use crate::rows::{CsvRow, JsonRow};
use crate::write::{CsvWriter, EventsWriter, JsonWriter, LadderWriter, beside};
use crate::{Manifest, RecordError, Verdict};

/// The manifest's name.
pub const MANIFEST: &str = "manifest.json";
/// The verdict's name.
pub const VERDICT: &str = "verdict.json";
/// The folder of the files that the scenario names.
pub const INPUTS: &str = "inputs";
/// The link beside a run's folder that leads to the latest one.
pub const LATEST: &str = "latest";
/// The longest folder name made from a scenario's name: file systems take 255 bytes.
const MAX_NAME_BYTES: usize = 100;
/// Runs of one plan and seed within one second that find a free name.
const MAX_TWINS: u32 = 99;

/// The folder of one run, for writing.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder, and those above it.
    ///
    /// # Errors
    /// If it exists and holds anything, or cannot be made or written.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, RecordError> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(RecordError::write(&path))?;
        let mut entries = fs::read_dir(&path).map_err(RecordError::write(&path))?;
        if entries.next().is_some() {
            return Err(RecordError::NotEmpty { path });
        }
        Ok(Self { path })
    }

    /// Makes the folder that [`RunFolder::default_path`] names, or the first free twin of it (`…-2`), and lets
    /// the link `latest` beside it lead there.
    ///
    /// # Errors
    /// If it cannot be made or written.
    pub fn create_default(
        root: &Path,
        name: &str,
        time: UnixMillis,
        seed: Seed,
        plan_sha256: &str,
    ) -> Result<Self, RecordError> {
        let path = Self::default_path(root, name, time, seed, plan_sha256);
        let mut made = Self::create(&path);
        for twin in 2..=MAX_TWINS {
            if !matches!(made, Err(RecordError::NotEmpty { .. })) {
                break;
            }
            let mut next = path.clone().into_os_string();
            next.push(format!("-{twin}"));
            made = Self::create(next);
        }
        let made = made?;
        made.point_latest();
        Ok(made)
    }

    /// `<root>/<name>/<YYYYMMDDTHHMMSSZ>-s<seed>-<6 hex>`, the name made fit for a folder.
    #[must_use]
    pub fn default_path(root: &Path, name: &str, time: UnixMillis, seed: Seed, plan_sha256: &str) -> PathBuf {
        let stamp: String =
            rfc3339(time).chars().filter(|character| !matches!(character, '-' | ':')).collect();
        let hash: String = folder_name(plan_sha256).chars().take(6).collect();
        root.join(folder_name(name)).join(format!("{stamp}-s{}-{hash}", seed.0))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets the link `latest` beside the folder lead to it. A courtesy: where links cannot be made, there is none.
    pub fn point_latest(&self) {
        #[cfg(unix)]
        if let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) {
            let link = parent.join(LATEST);
            if fs::symlink_metadata(&link).is_ok_and(|found| !found.is_symlink()) {
                return;
            }
            let mut fresh = name.to_owned();
            fresh.push(".latest");
            let fresh = parent.join(fresh);
            if std::os::unix::fs::symlink(name, &fresh).is_ok() && fs::rename(&fresh, &link).is_err() {
                // Nothing leads to it, and nothing is lost with it.
                let _ = fs::remove_file(&fresh);
            }
        }
    }

    /// Writes the manifest, or replaces it in one step.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), RecordError> {
        replace(&self.path.join(MANIFEST), &json(&self.path.join(MANIFEST), manifest)?)
    }

    /// Writes the verdict.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn write_verdict(&self, verdict: &Verdict) -> Result<(), RecordError> {
        replace(&self.path.join(VERDICT), &json(&self.path.join(VERDICT), verdict)?)
    }

    /// Writes a file as it is given, under a relative path: `scenario.yaml`, `plan.yaml`, `graphs/end.graphml`.
    ///
    /// # Errors
    /// If the path leads out of the folder, the file exists, or the disk refuses it.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, RecordError> {
        let path = inside(&self.path, name)?;
        make_parent(&path)?;
        File::create_new(&path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(RecordError::write(&path))?;
        Ok(path)
    }

    /// Writes a file that the scenario names, under `inputs/`.
    ///
    /// # Errors
    /// As [`RunFolder::write_file`].
    pub fn write_input(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, RecordError> {
        self.write_file(&format!("{INPUTS}/{name}"), bytes)
    }

    /// Begins `events.jsonl.zst`.
    ///
    /// # Errors
    /// If it exists or the disk refuses it.
    pub fn events(&self) -> Result<EventsWriter, RecordError> {
        self.json()
    }

    /// Begins `ladder.jsonl.zst`.
    ///
    /// # Errors
    /// If it exists or the disk refuses it.
    pub fn ladder(&self) -> Result<LadderWriter, RecordError> {
        self.json()
    }

    /// Begins the CSV file of these rows.
    ///
    /// # Errors
    /// If it exists or the disk refuses it.
    pub fn csv<R: CsvRow>(&self) -> Result<CsvWriter<R>, RecordError> {
        CsvWriter::create(&self.path)
    }

    /// Begins the compressed JSON Lines file of these rows.
    ///
    /// # Errors
    /// If it exists or the disk refuses it.
    pub fn json<R: JsonRow>(&self) -> Result<JsonWriter<R>, RecordError> {
        JsonWriter::create(&self.path)
    }

    /// Writes the CSV file of these rows as a whole, or replaces it in one step: whoever reads it meets the old rows or
    /// the new ones, never a part of them.
    ///
    /// # Errors
    /// If the disk refuses it; then the old rows are still there.
    pub fn write_rows<R: CsvRow>(&self, rows: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        let mut writer = CsvWriter::beside(&self.path)?;
        for row in rows {
            writer.write(&row)?;
        }
        writer.replace(&self.path)
    }
}

/// A moment in UTC to the second: `2026-11-22T06:45:00Z`.
#[must_use]
pub fn rfc3339(time: UnixMillis) -> String {
    let seconds = time.0 / 1_000;
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    // The civil calendar from a count of days, in eras of 400 years that begin on 1 March (Howard Hinnant).
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `name` as one component of a path, whatever it holds.
fn folder_name(name: &str) -> String {
    let fit = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' => character,
        _ => '-',
    };
    let name: String = name.chars().map(fit).take(MAX_NAME_BYTES).collect();
    match name.trim_start_matches('.') {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// The path of `name` inside `folder`.
pub(crate) fn inside(folder: &Path, name: &str) -> Result<PathBuf, RecordError> {
    let mut components = Path::new(name).components();
    let plain = components.all(|component| matches!(component, Component::Normal(_)));
    if name.is_empty() || !plain {
        return Err(RecordError::BadName { name: name.to_owned() });
    }
    Ok(folder.join(name))
}

/// Writes a file beside its place and moves it there in one step.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    make_parent(path)?;
    let beside = beside(path);
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(RecordError::write(path))
}

pub(crate) fn make_parent(path: &Path) -> Result<(), RecordError> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(RecordError::write(parent)),
        None => Ok(()),
    }
}

/// Indented, with a line break at the end, so that people can read and diff it.
fn json(path: &Path, value: &impl serde::Serialize) -> Result<Vec<u8>, RecordError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| RecordError::Row { path: path.to_owned(), what: error.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_as_the_calendar_says() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59Z"),
            (1_795_329_900_000, "2026-11-22T06:45:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UnixMillis(millis)), text);
        }
    }

    #[test]
    fn a_hostile_name_stays_one_component() {
        for name in ["../../etc", "/", "", "..", "a/b\0c", "é", &"x".repeat(1_000)] {
            let path = RunFolder::default_path(Path::new("runs"), name, UnixMillis(0), Seed(1), "../../zz");
            assert_eq!(path.components().count(), 3, "{name:?}: {path:?}");
            assert!(path.starts_with("runs"));
        }
        assert_eq!(
            RunFolder::default_path(
                Path::new("runs"),
                "kademlia-churn",
                UnixMillis(1_795_329_900_000),
                Seed(42),
                "9f3c71aa"
            ),
            Path::new("runs/kademlia-churn/20261122T064500Z-s42-9f3c71"),
        );
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for name in ["", "..", "../x", "/x", "a/../../x", "."] {
            assert!(matches!(inside(Path::new("run"), name), Err(RecordError::BadName { .. })), "{name:?}");
        }
    }
}
