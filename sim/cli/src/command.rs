//! What each command does.

use crate::args::fce::Fce;
use crate::args::node::Node;
use crate::args::understand::Explain;
use crate::args::{Cli, Command, Format, Runs, Scenario};
use crate::console::{Console, Verbosity};

mod again;
mod bench;
mod check;
mod compare;
mod conform;
mod demo;
mod diff;
mod doctor;
mod explain;
mod fce;
mod hunt;
mod kinds;
mod look;
mod node;
mod play;
mod repeat;
mod replay;
mod report;
mod run;
pub(crate) use kinds::KINDS;
pub(crate) use run::RUNS;
mod runs;
mod scenario;
mod shell;
mod why;

/// Does what was asked and says what to exit with.
pub(crate) fn perform(cli: &Cli) -> u8 {
    let console = console(&cli.command);
    let outcome = match &cli.command {
        Command::Demo(args) => demo::demo(args, console),
        Command::Run(args) => run::run(args, console),
        Command::Check(args) => check::check(args, console),
        Command::Replay(args) => replay::replay(args, console),
        Command::Hunt(args) => hunt::hunt(args, console),
        Command::Explain(Explain::Lookup(args)) => explain::lookup(args, console),
        Command::Why(args) => why::why(args, console),
        Command::Report(args) => report::report(args, console),
        Command::Bench(args) => bench::bench(args, console),
        Command::BenchChild(args) => bench::child(args, console),
        Command::Doctor(args) => doctor::doctor(args, console),
        Command::Node(Node::Init(args)) => node::begin::init(args, console),
        Command::Node(Node::Key(args)) => node::begin::key(args, console),
        Command::Node(Node::Run(args)) => node::live::run(args, console),
        Command::Node(Node::Status(args)) => node::ask::status(args, console),
        Command::Node(Node::Peers(args)) => node::ask::peers(args, console),
        Command::Node(Node::Lookup(args)) => node::ask::lookup(args, console),
        Command::Node(Node::Put(args)) => node::ask::put(args, console),
        Command::Node(Node::Get(args)) => node::ask::get(args, console),
        Command::Fce(Fce::Info(args)) => fce::info(args, console),
        Command::Fce(Fce::Call(args)) => fce::call(args, console),
        Command::Fce(Fce::Embed(args)) => fce::embed(args, console),
        Command::Completions(args) => shell::completions(args, console),
        Command::Man(args) => shell::man(args, console),
        Command::Scenario(Scenario::New(args)) => scenario::new(args, console),
        Command::Scenario(Scenario::Ls(args)) => scenario::ls(args, console),
        Command::Scenario(Scenario::Explain(args)) => scenario::explain(args, console),
        Command::Scenario(Scenario::Schema(_)) => scenario::schema(console),
        Command::Runs(Runs::Ls(args)) => runs::ls(args, console),
        Command::Runs(Runs::Show(args)) => runs::show(args, console),
        Command::Runs(Runs::Diff(args)) => diff::diff(args, console),
        Command::Runs(Runs::Compare(args)) => compare::compare(args, console),
    };
    outcome.unwrap_or_else(|failure| failure.tell(console))
}

fn console(command: &Command) -> Console {
    let (output, shown) = match command {
        Command::Demo(args) => (&args.output, Some(&args.shown)),
        Command::Run(args) => (&args.output, Some(&args.shown)),
        Command::Replay(args) => (&args.output, Some(&args.shown)),
        Command::Hunt(args) => (&args.output, Some(&args.shown)),
        Command::Explain(Explain::Lookup(args)) => (&args.output, Some(&args.shown)),
        Command::Why(args) => (&args.output, Some(&args.shown)),
        Command::Bench(args) => (&args.output, Some(&args.shown)),
        Command::Fce(Fce::Call(args)) => (&args.output, Some(&args.shown)),
        Command::Fce(Fce::Info(args)) => (&args.output, None),
        Command::Fce(Fce::Embed(args)) => (&args.output, None),
        Command::Check(args) => (&args.output, None),
        Command::Report(args) => (&args.output, None),
        Command::Runs(Runs::Ls(args)) => (&args.output, None),
        Command::Runs(Runs::Show(args)) => (&args.output, None),
        Command::Runs(Runs::Diff(args)) => (&args.output, None),
        Command::Runs(Runs::Compare(args)) => (&args.output, None),
        Command::Doctor(args) => (&args.output, None),
        Command::Scenario(Scenario::New(args)) => (&args.output, None),
        Command::Scenario(Scenario::Ls(args)) => (&args.output, None),
        Command::Scenario(Scenario::Explain(args)) => (&args.output, None),
        Command::Node(Node::Init(args)) => (&args.output, None),
        Command::Node(Node::Key(args)) => (&args.output, None),
        Command::Node(Node::Run(args)) => {
            return Console { format: args.format, verbosity: Verbosity::Normal };
        }
        Command::Node(Node::Status(args)) => (&args.asked.output, None),
        Command::Node(Node::Peers(args)) => (&args.asked.output, None),
        Command::Node(Node::Lookup(args)) => (&args.asked.output, None),
        Command::Node(Node::Put(args)) => (&args.asked.output, None),
        Command::Node(Node::Get(args)) => (&args.asked.output, None),
        // What they print has one form.
        Command::Scenario(Scenario::Schema(_))
        | Command::Completions(_)
        | Command::Man(_)
        | Command::BenchChild(_) => {
            return Console { format: Format::Human, verbosity: Verbosity::Normal };
        }
    };
    Console { verbosity: shown.map_or(Verbosity::Normal, Verbosity::from), ..Console::from(output) }
}
