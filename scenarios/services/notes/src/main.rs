//! Notes in SQLite: the published `sqlite3` module is loaded before this one.

use marine_rs_sdk::marine;

const FILE: &str = "/storage/notes.db";
/// Reads, writes, and makes the file.
const OPEN_FLAGS: i32 = 0x02 | 0x04;
const OK: i32 = 0;
const ROW: i32 = 100;
const DONE: i32 = 101;
/// SQLite copies what is bound.
const TRANSIENT: i32 = -1;

fn main() {
    // A service whose disk cannot be written answers each call with why.
    let _ = Database::open()
        .and_then(|database| database.run("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, author TEXT NOT NULL, text TEXT NOT NULL)", &[]));
}

/// A handle of the database, which is closed when it goes.
struct Database(u32);

impl Drop for Database {
    fn drop(&mut self) {
        sqlite3_close(self.0);
    }
}

/// A statement, which is forgotten when it goes.
struct Statement<'d> {
    handle: u32,
    database: &'d Database,
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        sqlite3_finalize(self.handle);
    }
}

impl Database {
    fn open() -> Result<Self, String> {
        let opened = sqlite3_open_v2(FILE.to_owned(), OPEN_FLAGS, String::new());
        if opened.ret_code == OK { Ok(Self(opened.db_handle)) } else { Err(format!("cannot open {FILE}: {}", opened.ret_code)) }
    }

    fn error(&self) -> String {
        sqlite3_errmsg(self.0)
    }

    fn prepare(&self, sql: &str, texts: &[&str]) -> Result<Statement<'_>, String> {
        let prepared = sqlite3_prepare_v2(self.0, sql.to_owned());
        if prepared.ret_code != OK {
            return Err(self.error());
        }
        let statement = Statement { handle: prepared.stmt_handle, database: self };
        for (place, text) in (1..).zip(texts) {
            if sqlite3_bind_text(statement.handle, place, (*text).to_owned(), TRANSIENT) != OK {
                return Err(self.error());
            }
        }
        Ok(statement)
    }

    fn run(&self, sql: &str, texts: &[&str]) -> Result<i32, String> {
        let statement = self.prepare(sql, texts)?;
        match sqlite3_step(statement.handle) {
            DONE => Ok(sqlite3_changes(self.0)),
            _ => Err(self.error()),
        }
    }
}

impl Statement<'_> {
    /// The next row's columns, as texts; nothing behind the last.
    fn next(&self) -> Result<Option<Vec<String>>, String> {
        match sqlite3_step(self.handle) {
            ROW => {
                let columns = sqlite3_column_count(self.handle).max(0) as u32;
                Ok(Some((0..columns).map(|column| sqlite3_column_text(self.handle, column)).collect()))
            }
            DONE => Ok(None),
            _ => Err(self.database.error()),
        }
    }
}

/// A note.
#[marine]
#[derive(Clone, Debug)]
pub struct Note {
    pub id: i64,
    pub author: String,
    pub text: String,
}

/// Notes, or why there are none.
#[marine]
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pub notes: Vec<Note>,
    pub error: String,
}

fn notes(sql: &str, texts: &[&str]) -> Notes {
    let read = || {
        let database = Database::open()?;
        let statement = database.prepare(sql, texts)?;
        let mut notes = Vec::new();
        while let Some(columns) = statement.next()? {
            let [id, author, text] = columns.try_into().map_err(|_| "a row of other columns".to_owned())?;
            notes.push(Note { id: id.parse().unwrap_or(0), author, text });
        }
        Ok(notes)
    };
    read().map_or_else(|error| Notes { error, ..Notes::default() }, |notes| Notes { notes, error: String::new() })
}

/// Adds a note by the caller; nothing in its text is taken for SQL. The note with its number.
#[marine]
pub fn add(text: String) -> Notes {
    let author = marine_rs_sdk::get_call_parameters().particle.init_peer_id;
    notes("INSERT INTO notes (author, text) VALUES (?, ?) RETURNING id, author, text", &[&author, &text])
}

/// The notes that contain a word, the newest first.
#[marine]
pub fn find(word: String) -> Notes {
    notes("SELECT id, author, text FROM notes WHERE instr(text, ?) > 0 ORDER BY id DESC", &[&word])
}

/// Removes the caller's own notes; how many there were, or -1.
#[marine]
pub fn clear() -> i32 {
    let author = marine_rs_sdk::get_call_parameters().particle.init_peer_id;
    Database::open().and_then(|database| database.run("DELETE FROM notes WHERE author = ?", &[&author])).unwrap_or(-1)
}

#[marine]
#[derive(Clone, Debug)]
pub struct DBOpenDescriptor {
    pub ret_code: i32,
    pub db_handle: u32,
}

#[marine]
#[derive(Clone, Debug)]
pub struct DBPrepareDescriptor {
    pub ret_code: i32,
    pub stmt_handle: u32,
    pub tail: u32,
}

#[marine]
#[module_import("sqlite3")]
extern "C" {
    fn sqlite3_open_v2(filename: String, flags: i32, vfs: String) -> DBOpenDescriptor;
    fn sqlite3_close(db_handle: u32) -> i32;
    fn sqlite3_prepare_v2(db_handle: u32, sql: String) -> DBPrepareDescriptor;
    fn sqlite3_bind_text(stmt_handle: u32, pos: i32, text: String, xDel: i32) -> i32;
    fn sqlite3_step(stmt_handle: u32) -> i32;
    fn sqlite3_finalize(stmt_handle: u32) -> i32;
    fn sqlite3_changes(db_handle: u32) -> i32;
    fn sqlite3_column_count(stmt_handle: u32) -> i32;
    fn sqlite3_column_text(stmt_handle: u32, icol: u32) -> String;
    fn sqlite3_errmsg(db_handle: u32) -> String;
}
