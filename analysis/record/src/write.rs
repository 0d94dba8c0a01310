//! Streaming writers. Rows reach the disk at every [`flush`](CsvWriter::flush) and when the buffer is full:
//! a run that is killed in between loses the rows since, never the ones before.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::rows::{CsvRow, EventRow, JsonRow};
use crate::{RecordError, Rung};

/// Bytes that a CSV writer gathers before it writes.
const CSV_BUFFER_BYTES: usize = 1 << 16;
/// Most rows fit; longer ones take several turns.
const LINE_BUFFER_BYTES: usize = 512;
/// Bytes of rows that are compressed together before a block is ended: what a killed run can lose at most.
const BLOCK_BYTES: usize = 1 << 20;
/// zstd's own default: past it, the time grows faster than the file shrinks.
const COMPRESSION_LEVEL: i32 = 3;

/// Writes `events.jsonl.zst`.
pub type EventsWriter = JsonWriter<EventRow>;
/// Writes `ladder.jsonl.zst`.
pub type LadderWriter = JsonWriter<Rung>;

/// Writes one of the CSV files, the header first. A row that is refused leaves no trace.
#[derive(Debug)]
pub struct CsvWriter<R> {
    path: PathBuf,
    file: BufWriter<File>,
    line: Vec<u8>,
    rows: PhantomData<fn(&R)>,
}

impl<R: CsvRow> CsvWriter<R> {
    pub(crate) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(R::FILE);
        let file = File::create_new(&path).map_err(RecordError::write(&path))?;
        Self::begin(path, file)
    }

    /// A writer whose rows stand beside the file until [`CsvWriter::replace`] moves them to its place.
    pub(crate) fn beside(folder: &Path) -> Result<Self, RecordError> {
        let path = beside(&folder.join(R::FILE));
        let file = File::create(&path).map_err(RecordError::write(&path))?;
        Self::begin(path, file)
    }

    /// Ends the file and puts it, in one step, in the place of what was there.
    pub(crate) fn replace(mut self, folder: &Path) -> Result<(), RecordError> {
        self.flush()?;
        let place = folder.join(R::FILE);
        std::fs::rename(&self.path, &place).map_err(RecordError::write(&place))
    }

    fn begin(path: PathBuf, file: File) -> Result<Self, RecordError> {
        let mut writer = Self {
            path,
            file: BufWriter::with_capacity(CSV_BUFFER_BYTES, file),
            line: Vec::new(),
            rows: PhantomData,
        };
        writer.line(|line| line.write_record(R::COLUMNS.iter().map(|column| column.name)))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds one row.
    ///
    /// # Errors
    /// If the disk refuses it, or a number in it is none.
    pub fn write(&mut self, row: &R) -> Result<(), RecordError> {
        self.line(|line| line.serialize(row))
    }

    /// Brings every row so far to the file.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(RecordError::write(&self.path))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn finish(mut self) -> Result<(), RecordError> {
        self.flush()
    }

    /// One line of the file, formed before any of it is written.
    fn line(
        &mut self,
        form: impl FnOnce(&mut csv::Writer<&mut Vec<u8>>) -> Result<(), csv::Error>,
    ) -> Result<(), RecordError> {
        self.line.clear();
        add_line(&self.path, &mut self.line, form)?;
        self.file.write_all(&self.line).map_err(RecordError::write(&self.path))
    }
}

/// A whole CSV file, the header first.
pub(crate) fn table<R: CsvRow>(
    path: &Path,
    rows: impl IntoIterator<Item = R>,
) -> Result<Vec<u8>, RecordError> {
    let mut bytes = Vec::new();
    let names = R::COLUMNS.iter().map(|column| column.name);
    add_line(path, &mut bytes, |line| line.write_record(names))?;
    for row in rows {
        add_line(path, &mut bytes, |line| line.serialize(row))?;
    }
    Ok(bytes)
}

/// Forms one line at the end of `bytes`.
fn add_line(
    path: &Path,
    bytes: &mut Vec<u8>,
    form: impl FnOnce(&mut csv::Writer<&mut Vec<u8>>) -> Result<(), csv::Error>,
) -> Result<(), RecordError> {
    let mut line =
        csv::WriterBuilder::new().has_headers(false).buffer_capacity(LINE_BUFFER_BYTES).from_writer(bytes);
    let formed = form(&mut line).and_then(|()| Ok(line.flush()?));
    drop(line);
    formed.map_err(|error| RecordError::Row {
        path: path.to_owned(),
        what: match error.into_kind() {
            csv::ErrorKind::Serialize(what) => what,
            other => format!("{other:?}"),
        },
    })
}

/// Writes one of the compressed JSON Lines files.
pub struct JsonWriter<R> {
    path: PathBuf,
    inner: zstd::stream::write::Encoder<'static, BufWriter<File>>,
    line: Vec<u8>,
    unflushed: usize,
    rows: PhantomData<fn(&R)>,
}

impl<R: JsonRow> JsonWriter<R> {
    pub(crate) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(R::FILE);
        let failed = RecordError::write(&path);
        let opened = File::create_new(&path)
            .and_then(|file| zstd::stream::write::Encoder::new(BufWriter::new(file), COMPRESSION_LEVEL));
        let inner = opened.map_err(failed)?;
        Ok(Self { path, inner, line: Vec::new(), unflushed: 0, rows: PhantomData })
    }

    /// Adds one row.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn write(&mut self, row: &R) -> Result<(), RecordError> {
        self.line.clear();
        let encoded = row.serialize(&mut serde_json::Serializer::new(&mut self.line));
        encoded.map_err(|error| RecordError::Row { path: self.path.clone(), what: error.to_string() })?;
        self.line.push(b'\n');
        let written = self.inner.write_all(&self.line);
        written.map_err(RecordError::write(&self.path))?;
        self.unflushed += self.line.len();
        if self.unflushed >= BLOCK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Brings every row so far to the file, at the price of some compression.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.unflushed = 0;
        self.inner.flush().map_err(RecordError::write(&self.path))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn finish(self) -> Result<(), RecordError> {
        let Self { path, inner, .. } = self;
        inner.finish().and_then(|mut file| file.flush()).map_err(RecordError::write(&path))
    }
}

impl<R> std::fmt::Debug for JsonWriter<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Where a file is written before it takes its place.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    PathBuf::from(beside)
}
