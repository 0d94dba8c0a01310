//! What may be typed after `wavetank fce`.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};

use super::{Output, Shown};

const SERVICE: &str = "Service";

#[derive(Debug, Subcommand)]
pub(crate) enum Fce {
    Info(Info),
    Call(Call),
    Embed(Embed),
}

/// Completes a module that was built with the Marine SDK.
///
/// The SDK leaves in a module what its functions are; this makes of it the interface types
/// that a service's module needs. It is the last step of building one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo build --release --target wasm32-wasip1
  wavetank fce embed target/wasm32-wasip1/release/greeting.wasm
  wavetank fce embed built.wasm --out greeting.wasm")]
pub(crate) struct Embed {
    /// The module
    #[arg(value_name = "MODULE")]
    pub(crate) module: PathBuf,

    /// Where the complete module goes (default: in its own place)
    #[arg(long, value_name = "FILE", env = "WAVETANK_OUT", hide_env_values = true)]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Says what a Wasm module offers, what it wants, and what it is made of.
///
/// Nothing of it is compiled or run. A module that a service could not hold is refused
/// with the reason.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank fce info registry.wasm
  wavetank fce info registry.wasm --format json | jq '.functions[].name'")]
pub(crate) struct Info {
    /// The module
    #[arg(value_name = "MODULE")]
    pub(crate) module: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Calls a function of a service of these modules.
///
/// Modules are loaded in the order in which they stand: each may import from those before
/// it, and the last is the facade, whose function is called. What it returns goes to
/// stdout as JSON; its log and what it used go to stderr.
///
/// The service starts anew with each command; what it keeps, it keeps in folders that are
/// mapped. A folder is read before the call and written after it, if the call succeeds.
/// Entropy is drawn from a seed, so that the same command gives the same answer, but for
/// what depends on the clock.
#[derive(Debug, Args)]
#[command(
    override_usage = "wavetank fce call [OPTIONS] MODULE… FUNCTION [ARGUMENTS]",
    after_help = "\
Examples:
  wavetank fce call greeting.wasm greeting '[\"world\"]'
  wavetank fce call sqlite3.wasm notes.wasm add '\"text\"' --map /storage=data
  wavetank fce call --config Config.toml get_key_id '[\"label\", \"12D3…\"]'
  wavetank fce call air_interpreter_server.wasm ast '\"(null)\"' --format json"
)]
pub(crate) struct Call {
    /// The modules, as FILE or NAME=FILE; a module goes by its file's name unless it is
    /// given another. Behind them the function, and its arguments as JSON: an array by
    /// position, an object by name, or the only one
    #[arg(value_name = "MODULE… FUNCTION [ARGUMENTS]", required = true, num_args = 1..)]
    pub(crate) words: Vec<String>,

    /// Take the modules, their directories and programs from a published configuration
    #[arg(long, value_name = "FILE", env = "WAVETANK_CONFIG", hide_env_values = true, help_heading = SERVICE)]
    pub(crate) config: Option<PathBuf>,

    /// What the call may use, in fuel
    #[arg(
        long, value_name = "N", default_value_t = 10_000_000_000, env = "WAVETANK_FUEL", hide_env_values = true,
        help_heading = SERVICE,
    )]
    pub(crate) fuel: u64,

    /// A folder that the modules see by this name; may be repeated
    #[arg(long, value_name = "NAME=DIR", value_parser = pair, env = "WAVETANK_MAP", hide_env_values = true, help_heading = SERVICE)]
    pub(crate) map: Vec<(String, String)>,

    /// A variable of the modules' environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, env = "WAVETANK_ENV", hide_env_values = true, help_heading = SERVICE)]
    pub(crate) env: Vec<(String, String)>,

    /// What entropy is drawn from
    #[arg(long, value_name = "N", default_value_t = 0, env = "WAVETANK_SEED", hide_env_values = true, help_heading = SERVICE)]
    pub(crate) seed: u64,

    /// The time as the call begins, in Unix milliseconds (default: now)
    #[arg(long, value_name = "MS", env = "WAVETANK_TIME_MS", hide_env_values = true, help_heading = SERVICE)]
    pub(crate) time_ms: Option<u64>,

    /// Where compiled modules are kept (default: `wavetank` in the user's cache folder)
    #[arg(long, value_name = "DIR", env = "WAVETANK_CACHE", hide_env_values = true, help_heading = SERVICE)]
    pub(crate) cache: Option<PathBuf>,

    /// Keep no compiled modules
    #[arg(
        long, conflicts_with = "cache", env = "WAVETANK_NO_CACHE", value_parser = FalseyValueParser::new(),
        hide_env_values = true, help_heading = SERVICE,
    )]
    pub(crate) no_cache: bool,

    #[command(flatten)]
    pub(crate) shown: Shown,

    #[command(flatten)]
    pub(crate) output: Output,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no NAME=VALUE")),
    }
}
