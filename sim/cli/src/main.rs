//! The binary `wavetank`: arguments, progress, what people and programs read, exit codes.
//!
//! | module | what |
//! |---|---|
//! | `args` | what may be typed |
//! | `command` | what each command does |
//! | `screen` | what a run ends with, for people |
//! | `progress` | where a run is, on stderr |
//! | `signals` | what an interrupt does |
//! | `logs` | a node's log |
//! | `console` | the two streams: data to stdout, everything else to stderr |
//! | `failure` | why there is nothing to show, and what to do |
//! | `exit_code` | the stable exit codes |
//! | `curve` | a metric over time in a few characters |
//! | `stats` | means and their intervals |
//! | `table`, `figures` | columns, and numbers as people write them |
//!
//! It is deliberately *not* where a run happens: it calls `run`, reads folders through `record` and has pages
//! written by `report`.
//!
//! Invariants: stdout carries what was asked for and nothing else; a reader that goes away is no error; whatever
//! happens ends in a documented exit code.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

mod args;
mod command;
mod console;
mod curve;
mod exit_code;
mod failure;
mod figures;
mod logs;
mod progress;
mod screen;
mod signals;
mod stats;
mod table;

fn main() -> ExitCode {
    let code = match args::Cli::try_parse() {
        // The panic's message was printed where it arose; what is left is to end with the code of a defect.
        Ok(cli) => catch_unwind(AssertUnwindSafe(|| command::perform(&cli))).unwrap_or(exit_code::INTERNAL),
        Err(asked) => {
            // Help, the version or a mistake: if nobody reads it, nobody misses it.
            let _ = asked.print();
            if asked.use_stderr() { exit_code::USAGE } else { exit_code::PASSED }
        }
    };
    ExitCode::from(code)
}
