//! A run's folder, read back.
//!
//! Nothing in a folder is trusted: it may come from elsewhere. Every read is bounded, an older reader
//! refuses a newer format, and whatever is wrong is said with the file and the line.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::folder::{MANIFEST, VERDICT, inside, replace};
use crate::lines::WholeLines;
use crate::rows::{CsvRow, JsonRow};
use crate::{CALIBRATION, Calibration, Manifest, RecordError, Verdict};

/// The largest JSON or YAML file that is read as a whole: a manifest with a rung each second of a day has 6 MiB.
pub const MAX_TEXT_BYTES: u64 = 64 << 20;
/// What a decoder may keep of the past, as a power of two: the writers' level asks for 21.
const MAX_WINDOW_LOG: u32 = 27;

/// The folder of a run, for reading.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    manifest: Manifest,
}

impl Run {
    /// Opens the folder and reads its manifest.
    ///
    /// # Errors
    /// If nothing is there, it is no run's folder, or the manifest is malformed or of a newer format.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let path = path.into();
        fs::metadata(&path).map_err(RecordError::read(&path))?;
        let file = path.join(MANIFEST);
        if !file.is_file() {
            return Err(RecordError::NotARun { path });
        }
        let bytes = read_bounded(&file)?;
        let Version { format } = parse(&file, &bytes)?;
        if format > crate::FORMAT {
            return Err(RecordError::Newer { path: file, format });
        }
        let manifest = parse(&file, &bytes)?;
        Ok(Self { path, manifest })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The verdict; none if the run did not come that far.
    ///
    /// # Errors
    /// If it is malformed or cannot be read.
    pub fn verdict(&self) -> Result<Option<Verdict>, RecordError> {
        self.parsed(VERDICT)
    }

    /// How far the simulation was from real processes; none if that was never compared before the run.
    ///
    /// # Errors
    /// If it is malformed or cannot be read.
    pub fn calibration(&self) -> Result<Option<Calibration>, RecordError> {
        self.parsed(CALIBRATION)
    }

    /// A JSON file; none if it is missing.
    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, RecordError> {
        let path = self.path.join(name);
        match read_bounded(&path) {
            Ok(bytes) => parse(&path, &bytes).map(Some),
            Err(RecordError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file as it stands: `scenario.yaml`, `plan.yaml`, `inputs/…`.
    ///
    /// # Errors
    /// If the name leads out of the folder, or the file is missing, too large or cannot be read.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, RecordError> {
        read_bounded(&inside(&self.path, name)?)
    }

    /// The rows of one of the CSV files, one by one.
    ///
    /// # Errors
    /// If the file is missing or cannot be read.
    pub fn csv<R: CsvRow>(&self) -> Result<CsvRows<R>, RecordError> {
        let path = self.path.join(R::FILE);
        let file = File::open(&path).map_err(RecordError::read(&path))?;
        Ok(CsvRows {
            path,
            inner: csv::Reader::from_reader(WholeLines::new(file)).into_deserialize(),
            ended: false,
        })
    }

    /// All rows of one of the CSV files; none if it is missing.
    ///
    /// # Errors
    /// If it holds more than `limit` rows, a malformed one, or cannot be read.
    pub fn table<R: CsvRow>(&self, limit: usize) -> Result<Vec<R>, RecordError> {
        let rows = match self.csv::<R>() {
            Err(RecordError::Missing { .. }) => return Ok(Vec::new()),
            rows => rows?,
        };
        let mut table = Vec::new();
        for row in rows {
            if table.len() == limit {
                return Err(RecordError::TooLarge {
                    path: self.path.join(R::FILE),
                    limit: format!("{limit} rows"),
                });
            }
            table.push(row?);
        }
        Ok(table)
    }

    /// The rows of one of the compressed JSON Lines files, one by one.
    ///
    /// # Errors
    /// If the file is missing or cannot be read.
    pub fn json<R: JsonRow>(&self) -> Result<JsonRows<R>, RecordError> {
        let path = self.path.join(R::FILE);
        let open = || {
            let mut decoder = zstd::stream::read::Decoder::new(File::open(&path)?)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Ok(decoder)
        };
        let decoder = open().map_err(RecordError::read(&path))?;
        Ok(JsonRows {
            inner: BufReader::new(WholeLines::new(decoder)),
            path,
            line: Vec::new(),
            number: 0,
            ended: false,
            rows: PhantomData,
        })
    }

    /// Writes something made from the run into its folder, in one step, over what was there: plots, reports.
    ///
    /// # Errors
    /// If the name leads out of the folder or the disk refuses it.
    pub fn write_derived(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, RecordError> {
        let path = inside(&self.path, name)?;
        replace(&path, bytes)?;
        Ok(path)
    }

    /// Writes a CSV file made from the run, as [`Run::write_derived`].
    ///
    /// # Errors
    /// If the disk refuses it, or a number in it is none.
    pub fn write_derived_rows<R: CsvRow>(
        &self,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<PathBuf, RecordError> {
        let path = self.path.join(R::FILE);
        let bytes = crate::write::table(&path, rows)?;
        self.write_derived(R::FILE, &bytes)
    }
}

/// The rows of a CSV file. Ends at the first error.
pub struct CsvRows<R> {
    path: PathBuf,
    inner: csv::DeserializeRecordsIntoIter<WholeLines<File>, R>,
    ended: bool,
}

impl<R: CsvRow> CsvRows<R> {
    /// Whether the file ended in the middle of a row, as that of a killed run may; known after the last row.
    #[must_use]
    pub fn cut_off(&self) -> bool {
        self.inner.reader().get_ref().cut_off()
    }
}

impl<R: CsvRow> Iterator for CsvRows<R> {
    type Item = Result<R, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.inner.next()?;
        self.inner.reader_mut().get_mut().settle();
        Some(row.map_err(|error| {
            self.ended = true;
            csv_error(&self.path, error)
        }))
    }
}

impl<R> std::fmt::Debug for CsvRows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvRows").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The rows of a compressed JSON Lines file. Ends at the first error.
pub struct JsonRows<R> {
    path: PathBuf,
    inner: BufReader<WholeLines<zstd::stream::read::Decoder<'static, BufReader<File>>>>,
    line: Vec<u8>,
    number: u64,
    ended: bool,
    rows: PhantomData<fn() -> R>,
}

impl<R> JsonRows<R> {
    /// Whether the file ended in the middle of a row, as that of a killed run may; known after the last row.
    #[must_use]
    pub fn cut_off(&self) -> bool {
        self.inner.get_ref().cut_off()
    }
}

impl<R: JsonRow> JsonRows<R> {
    fn read(&mut self) -> Result<Option<R>, RecordError> {
        self.line.clear();
        self.number += 1;
        let read = self.inner.read_until(b'\n', &mut self.line);
        self.inner.get_mut().settle();
        if read.map_err(|error| io_error(&self.path, self.number, error))? == 0 {
            return Ok(None);
        }
        let row = serde_json::from_slice(&self.line);
        row.map(Some).map_err(|error| RecordError::Malformed {
            path: self.path.clone(),
            line: self.number,
            what: error.to_string(),
        })
    }
}

impl<R: JsonRow> Iterator for JsonRows<R> {
    type Item = Result<R, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.read().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl<R> std::fmt::Debug for JsonRows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonRows").field("path", &self.path).finish_non_exhaustive()
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, RecordError> {
    let file = File::open(path).map_err(RecordError::read(path))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes);
    if read.map_err(RecordError::read(path))? as u64 > MAX_TEXT_BYTES {
        return Err(RecordError::TooLarge {
            path: path.to_owned(),
            limit: format!("{MAX_TEXT_BYTES} bytes"),
        });
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, RecordError> {
    serde_json::from_slice(bytes).map_err(|error| RecordError::Malformed {
        path: path.to_owned(),
        line: error.line() as u64,
        what: error.to_string(),
    })
}

fn csv_error(path: &Path, error: csv::Error) -> RecordError {
    let line = error.position().map_or(1, csv::Position::line);
    let what = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => io_error(path, line, source),
        csv::ErrorKind::Deserialize { err, .. } => {
            RecordError::Malformed { path: path.to_owned(), line, what: err.to_string() }
        }
        _ => RecordError::Malformed { path: path.to_owned(), line, what },
    }
}

/// A line over the limit is the file's fault, not the system's.
fn io_error(path: &Path, line: u64, error: io::Error) -> RecordError {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            RecordError::Malformed { path: path.to_owned(), line, what: error.to_string() }
        }
        _ => RecordError::read(path)(error),
    }
}
