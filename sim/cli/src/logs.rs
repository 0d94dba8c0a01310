//! Where a node's log goes: to stderr, a line an event, as much of it as `RUST_LOG` says.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::args::node::LogFormat;

/// What is logged if nobody says: what this house does, and what is wrong elsewhere.
const USUAL: &str = "wavetank=info,warn";

/// From now on, what is logged is written to stderr.
pub(crate) fn write_to_stderr(format: LogFormat) {
    let filter = match std::env::var("RUST_LOG") {
        // A directive that cannot be understood is left out, and said so.
        Ok(said) if !said.trim().is_empty() => {
            EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(said)
        }
        _ => EnvFilter::new(USUAL),
    };
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    // Another subscriber would be this program's own: there is none.
    let _ = match format {
        LogFormat::Text => {
            let colour =
                io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
            log.with_ansi(colour).try_init()
        }
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
