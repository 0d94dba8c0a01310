//! What may be typed after `wavetank node`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{Format, OUTPUT, Output, moment};

mod settings;
pub(crate) use settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Node {
    Init(Init),
    Run(Run),
    Status(Status),
    Peers(Peers),
    Lookup(Lookup),
    Put(Put),
    Get(Get),
    Key(Key),
}

/// Makes a data folder: a commented `node.yaml`, and a key.
///
/// Flags that change the configuration are written into the file. A file or key that is
/// there already is left as it is: a node's identity is never overwritten.
#[derive(Debug, Args)]
#[command(mut_arg("data", |data| data.required(true)), after_help = "\
Examples:
  wavetank node init --data ~/node
  wavetank node init --data ~/node --bootstrap /dns4/example.org/tcp/7777/p2p/12D3…
  wavetank node init --data ~/node --from churn.yaml --group edge")]
pub(crate) struct Init {
    /// Take the configuration of a group of this scenario
    #[arg(long, value_name = "SCENARIO", requires = "group", env = "WAVETANK_FROM", hide_env_values = true, help_heading = NODE)]
    pub(crate) from: Option<PathBuf>,

    /// The group
    #[arg(long, value_name = "GROUP", requires = "from", env = "WAVETANK_GROUP", hide_env_values = true, help_heading = NODE)]
    pub(crate) group: Option<String>,

    #[command(flatten)]
    pub(crate) settings: Settings,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Runs a node until it is told to stop.
///
/// One line says where it listens, a second one that it is ready; its log goes to stderr.
/// SIGTERM and SIGINT let it finish what is under way, for 10 seconds at most, and end
/// it with 0; a second signal ends it at once.
///
/// Flags go over the environment, that over the file, and that over the defaults.
/// `RUST_LOG` says what is logged: `wavetank=debug` for more.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node run --data ~/node
  wavetank node run --config node.yaml --http 127.0.0.1:0
  wavetank node run --data ~/node --set kad.k=8 --log-format json")]
pub(crate) struct Run {
    /// Its configuration (default: `node.yaml` in the data folder)
    #[arg(
        long, value_name = "FILE", env = "WAVETANK_CONFIG", hide_env_values = true,
        required_unless_present = "data", help_heading = NODE,
    )]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) settings: Settings,

    /// Say what the configuration is, with everything that goes over the file, and run
    /// nothing
    #[arg(long, env = "WAVETANK_CHECK", value_parser = FalseyValueParser::new(), hide_env_values = true, help_heading = NODE)]
    pub(crate) check: bool,

    /// Believe in the links that it is told of: the real stage says how bad its network is
    #[arg(long, hide = true, env = "WAVETANK_EMULATE_LINKS", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(crate) emulate_links: bool,

    /// Stop once stdin is closed: whoever starts nodes and dies leaves none behind
    #[arg(long, hide = true, env = "WAVETANK_STOP_WITH_STDIN", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(crate) stop_with_stdin: bool,

    /// What the log's lines are
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_LOG_FORMAT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) log_format: LogFormat,

    /// What stdout's lines are
    #[arg(long, value_enum, default_value_t, env = "WAVETANK_FORMAT", hide_env_values = true, help_heading = OUTPUT)]
    pub(crate) format: Format,
}

/// What a line of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// A JSON document a line
    Json,
}

/// Says how a running node is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node status
  wavetank node status --ready --http 127.0.0.1:18081")]
pub(crate) struct Status {
    /// Say only whether it is ready, and end with 25 if it is not
    #[arg(long, env = "WAVETANK_READY", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(crate) ready: bool,

    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Lists the peers that a running node knows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node peers
  wavetank node peers --format json")]
pub(crate) struct Peers {
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Has a running node find the peers that are closest to a name, or to a peer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node lookup greeting
  wavetank node lookup 12D3KooWSMBHQdJeLVRkcKtnBnSQJBtTYSwvUZKyjHTT5hbSGKVD")]
pub(crate) struct Lookup {
    /// A name, or a peer's id
    #[arg(value_name = "NAME|PEER")]
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) waits: Waits,

    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Has a running node store a value under a name, with the peers that are closest to it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node put greeting hello
  wavetank node put portrait - < portrait.jpg")]
pub(crate) struct Put {
    /// The name
    pub(crate) name: String,

    /// The value; `-` stands for what stdin holds
    pub(crate) value: String,

    #[command(flatten)]
    pub(crate) waits: Waits,

    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Has a running node find the value of a name, and prints it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node get greeting
  wavetank node get portrait > portrait.jpg")]
pub(crate) struct Get {
    /// The name
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) waits: Waits,

    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Says whose a key is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wavetank node key ~/node
  wavetank node key ~/node/node.key --format json")]
pub(crate) struct Key {
    /// The key's file, or the data folder that holds it
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which node is asked, and how its answer is shown.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Where the node tells how it is
    #[arg(
        long, value_name = "ADDRESS", default_value = "127.0.0.1:18080", env = "WAVETANK_HTTP",
        hide_env_values = true, help_heading = NODE,
    )]
    pub(crate) http: SocketAddr,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// How long is waited.
#[derive(Debug, Args)]
pub(crate) struct Waits {
    /// Wait so long for the end of it
    #[arg(
        long, value_name = "TIME", value_parser = moment, default_value = "2m", env = "WAVETANK_TIMEOUT",
        hide_env_values = true, help_heading = NODE,
    )]
    pub(crate) timeout: types::Duration,
}

/// The heading of flags about the node itself.
const NODE: &str = "Node";
