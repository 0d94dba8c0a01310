//! What of a plan real processes cannot perform: said before the run, never left out of it.

use std::sync::Arc;

use fleet::MAX_PROCESSES;
use model::Plan;
use play::{Fault, Start};
use types::Share;
use world::Cast;

/// Everything that is asked for and cannot be done, by its place in the scenario.
pub(crate) fn of(plan: &Plan, cast: Option<&Arc<dyn Cast>>) -> Vec<String> {
    let mut refused = Vec::new();
    if cast.is_some() {
        refused.push("cast: every process is an honest node".to_owned());
    }
    if plan.peers() > u64::from(MAX_PROCESSES) {
        let peers = plan.peers();
        refused.push(format!("peers: {peers} are more than the {MAX_PROCESSES} processes of one machine"));
    }
    if plan.start == Start::Oracle {
        refused.push("start: oracle: a node fills its table itself; `join` is what it can do".to_owned());
    }
    for (name, group) in &plan.groups {
        let mut refuse = |key: &str, why: &str| refused.push(format!("peers.{name}.{key}: {why}"));
        if group.undialable != Share::ZERO {
            refuse("undialable", "every process of one machine can be called");
        }
        if group.speed != Share::WHOLE {
            refuse("speed", "a process is as fast as the machine");
        }
        if group.cores != 1 {
            refuse("cores", "a node's process has one thread for its peer");
        }
    }
    for (index, fault) in plan.faults.iter().enumerate() {
        let why = match fault {
            Fault::Skew(_) => "all processes of one machine have one clock",
            Fault::Duplicate(_) | Fault::Reorder(_) => "a node does not tell which of its messages it befell",
            Fault::Loss(loss) if loss.burst.is_some() => "losses of emulated links do not come in bursts",
            Fault::Churn(_)
            | Fault::RecordedChurn(_)
            | Fault::Crash(_)
            | Fault::Leave(_)
            | Fault::Freeze(_)
            | Fault::Partition(_)
            | Fault::Clog(_)
            | Fault::Loss(_) => continue,
        };
        refused.push(format!("faults.{index} ({} {}): {why}", fault.kind(), fault.name(index)));
    }
    refused
}
