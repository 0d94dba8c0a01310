//! YAML text becomes a validated [`Plan`], or everything that is wrong with it.
//!
//! | module | what |
//! |---|---|
//! | `source` | texts, places in them, and reading a file with care |
//! | `tree` | YAML as a tree with a span for every key and value |
//! | `explain` | what a code or a key means: [`explain()`] |
//! | `grammar` | what the JSON schema of the types expects at a place |
//! | `set` | `--set PATH=VALUE`: changes to the tree before it is checked |
//! | `shape` | keys and kinds of values: the tree against the grammar |
//! | `files` | files of data that a scenario names: distances, sessions, arrivals |
//! | `meaning` | do the parts go together: groups, windows, units, time |
//! | [`scenario`](GRAMMAR_VERSION) | the root of the grammar; its parts are types of `play`, `judge`, `kernel` and `config` |
//! | [`node_file`] | a node's own file: read, and written with comments |
//! | [`fidelity`](Fidelity) | how real each part of a run is |
//! | [`plan`](Plan) | a scenario with everything said that it left open |
//! | [`diagnostic`](Rejected) | what is wrong, where, and what to write instead |
//! | `render` | how that looks to a person |
//! | `suggest` | "did you mean" |
//!
//! The way of a text: `source` reads it, `tree` gives it spans, `set` changes it, `shape` collects what
//! does not fit the grammar, `files` reads the data it names, `meaning` collects what does not go together, and what is left becomes a `Plan`.
//!
//! It is deliberately *not* a place for defaults and ranges of the parts: those stand with the types
//! that they belong to, from which the schema is generated that both this crate and an editor check by.
//!
//! Invariants: any bytes yield a plan or a rejection, in bounded time and memory; every mistake has a
//! place, a stable code and, where one is known, what to write instead; a plan's text is a scenario of
//! that plan.
#![forbid(unsafe_code)]

mod diagnostic;
mod explain;
mod fidelity;
pub mod figure;
mod files;
mod grammar;
mod load;
mod meaning;
mod mend;
pub mod node_file;
mod plan;
mod render;
mod scenario;
mod set;
mod shape;
mod source;
mod suggest;
mod tree;
mod warmup;

pub use diagnostic::{Code, Entry, Findings, Rejected, Report, Severity};
pub use explain::{Explanation, Key, Lesson, explain};
pub use fidelity::{Crypto, Fidelity, Links, Wire};
pub use figure::Figure;
pub use files::Input;
pub use load::{Loaded, load, load_with, parse, schema};
pub use meaning::MAX_GROUPS;
pub use plan::Plan;
pub use render::{MAX_SHOWN, Paint};
pub use scenario::GRAMMAR_VERSION;
pub use set::Setting;
pub use source::{MAX_FILE_BYTES, MAX_INPUT_BYTES};
pub use tree::{MAX_DEPTH, MAX_NODES};
