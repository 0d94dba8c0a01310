//! `wavetank demo`: a run that needs no file.

use serde::Serialize;

use crate::args;
use crate::command::run::{on, perform};
use crate::console::Console;
use crate::exit_code;
use crate::failure::Failure;

/// As it is known to people.
const NAME: &str = "demo";
const SCENARIO: &str = include_str!("../../../../scenarios/kademlia/demo.yaml");

const NEXT: &str = "
What next:
  wavetank demo --seed 7                       the same weather, other luck
  wavetank demo --yaml > demo.yaml             the scenario, to change it
  wavetank run demo.yaml --set peers.all.count=3000
  wavetank hunt demo.yaml --seeds 1..21        is it luck?";

/// The scenario, for programs.
#[derive(Debug, Serialize)]
struct Document {
    scenario: &'static str,
}

pub(crate) fn demo(args: &args::Demo, console: Console) -> Result<u8, Failure> {
    if args.yaml {
        console.answer(SCENARIO, &Document { scenario: SCENARIO })?;
        return Ok(exit_code::PASSED);
    }
    let mut scenario = on(run::built_in(NAME, SCENARIO), &args.machine);
    if let Some(seed) = args.seed {
        scenario = scenario.seed(seed);
    }
    let code = perform(scenario, &args.kept, &args.shown, console)?;
    console.note(NEXT);
    Ok(code)
}
