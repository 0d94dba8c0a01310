//! One run, from a scenario's file to a verdict and a folder.
//!
//! ```no_run
//! # use wavetank_run as run;
//! let run = run::scenario("scenarios/kademlia/hello.yaml").seed(7).run()?;
//! assert!(run.passed(), "{run}");
//! # Ok::<(), run::RunError>(())
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`scenario`](mod@scenario) | [`Scenario`]: what to run and how, step by step |
//! | [`prepared`] | [`Prepared`]: a run that can begin, and its [`Finished`] end |
//! | [`hunt`] | [`Hunt`](hunt::Hunt): many seeds side by side, in search of those that fail |
//! | [`inquiry`] | a run gone through again up to a moment, with an eye on a few peers |
//! | [`state`] | what such a peer looks like |
//! | [`story`] | an operation's search from its beginning to its end, beside the truth |
//! | [`who`] | who is who, and what is true at a moment |
//! | [`stage`] | [`Backend`]: simulated, or real processes |
//! | `watcher` | the judge's observer, as the world's watcher |
//! | `gathering` | what all watchers find, kept now and then while the run goes |
//! | `journal` | the folder, written as the run goes |
//! | `refusals` | what real processes cannot perform |
//! | `rows` | from what play, judge and world say to the folder's rows |
//! | `graph` | the graph of routing tables |
//! | `identity` | who the peers are: ids, and the keys behind them |
//! | `machine` | what a run costs the machine |
//!
//! It is the one place that joins `model` (what is written), `play` (what happens), a stage (who performs it),
//! `judge` (what it means) and `record` (what is left). The command line and users' own tests call it.
//!
//! Invariant: everything in the folder but `manifest.json` follows from the scenario's text, its changes and the
//! seed.
#![forbid(unsafe_code)]

mod gathering;
mod graph;
pub mod hunt;
mod identity;
pub mod inquiry;
mod journal;
mod machine;
pub mod prepared;
mod refusals;
mod rows;
pub mod scenario;
pub mod stage;
pub mod state;
pub mod story;
mod watcher;
pub mod who;

pub use inquiry::{Agreement, Answer, Inquiry, Keep};
pub use kernel::Progress;
pub use prepared::{Finished, Prepared};
pub use scenario::{Out, RunError, Scenario, built_in, replay, scenario};
pub use stage::Backend;
pub use state::PeerState;
pub use story::Story;
pub use who::{NoPeer, Who};
pub use world::{Cast, Driver};
