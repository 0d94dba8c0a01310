//! A store of keys and values.
//!
//! Values live in memory and in a log file below `/storage`: every change is a line at its end, and reading the file at the
//! start gives what there was. When the log has grown to many times what it says, it is written anew.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::sync::Mutex;

use marine_rs_sdk::marine;

const LOG: &str = "/storage/kv.log";
const NEW_LOG: &str = "/storage/kv.log.new";
/// A log of so many changes more than there are keys is written anew.
const STALE: usize = 64;

/// What the service keeps in memory.
struct Store {
    values: BTreeMap<String, String>,
    /// Changes in the log.
    changes: usize,
}

static STORE: Mutex<Store> = Mutex::new(Store { values: BTreeMap::new(), changes: 0 });

fn main() {
    let Ok(mut store) = STORE.lock() else { return };
    let mut log = Vec::new();
    if File::open(LOG).and_then(|mut file| file.read_to_end(&mut log)).is_err() {
        return;
    }
    let mut rest = log.as_slice();
    while let Some((key, value)) = change(&mut rest) {
        match value {
            Some(value) => store.values.insert(key, value),
            None => store.values.remove(&key),
        };
        store.changes += 1;
    }
}

/// The next change of a log: a key, and its value unless it was removed. A torn one ends it.
fn change(log: &mut &[u8]) -> Option<(String, Option<String>)> {
    let (kind, rest) = log.split_first()?;
    let (key, rest) = text(rest)?;
    let (value, rest) = match kind {
        b'+' => text(rest).map(|(value, rest)| (Some(value), rest))?,
        _ => (None, rest),
    };
    *log = rest;
    Some((key, value))
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

fn write_change(file: &mut impl io::Write, key: &str, value: Option<&str>) -> io::Result<()> {
    let mut line = vec![if value.is_some() { b'+' } else { b'-' }];
    for text in [Some(key), value].into_iter().flatten() {
        line.extend((text.len() as u32).to_le_bytes());
        line.extend(text.as_bytes());
    }
    file.write_all(&line)
}

impl Store {
    fn log(&mut self, key: &str, value: Option<&str>) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(LOG)?;
        write_change(&mut file, key, value)?;
        self.changes += 1;
        if self.changes > 2 * self.values.len() + STALE { self.compact() } else { Ok(()) }
    }

    fn compact(&mut self) -> io::Result<()> {
        let mut file = File::create(NEW_LOG)?;
        for (key, value) in &self.values {
            write_change(&mut file, key, Some(value))?;
        }
        drop(file);
        fs::rename(NEW_LOG, LOG)?;
        self.changes = self.values.len();
        Ok(())
    }
}

/// How a call of the store ended.
#[marine]
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub success: bool,
    /// The value: before the change, if there was one.
    pub value: Vec<String>,
    /// What went wrong, or empty.
    pub error: String,
}

impl Answer {
    fn of(value: Option<String>) -> Self {
        Self { success: true, value: value.into_iter().collect(), error: String::new() }
    }
}

fn with_store(work: impl FnOnce(&mut Store) -> io::Result<Option<String>>) -> Answer {
    let answered = STORE.lock().map_err(|_| io::Error::other("the store is damaged")).and_then(|mut store| work(&mut store));
    match answered {
        Ok(value) => Answer::of(value),
        Err(error) => Answer { error: error.to_string(), ..Answer::default() },
    }
}

/// Sets a key's value.
#[marine]
pub fn put(key: String, value: String) -> Answer {
    with_store(|store| {
        let before = store.values.insert(key.clone(), value.clone());
        store.log(&key, Some(&value)).map(|()| before)
    })
}

/// A key's value.
#[marine]
pub fn get(key: String) -> Answer {
    with_store(|store| Ok(store.values.get(&key).cloned()))
}

/// Removes a key. (A function called `remove` would be the C library's.)
#[marine]
pub fn delete(key: String) -> Answer {
    with_store(|store| match store.values.remove(&key) {
        Some(value) => store.log(&key, None).map(|()| Some(value)),
        None => Ok(None),
    })
}

/// The keys that begin so, in order.
#[marine]
pub fn list(prefix: String) -> Vec<String> {
    let Ok(store) = STORE.lock() else { return Vec::new() };
    store.values.range(prefix.clone()..).map(|(key, _)| key).take_while(|key| key.starts_with(&prefix)).cloned().collect()
}

/// How many bytes the log has.
#[marine]
pub fn log_bytes() -> u64 {
    fs::metadata(LOG).map_or(0, |file| file.len())
}
