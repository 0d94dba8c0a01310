//! Every choice of the knobs that the literature uses, both ways to begin, and nobody leaves: a lookup that fails is
//! the simulator's doing.

use crate::{in_house, run, successes};

#[test]
fn no_lookup_fails_while_nobody_leaves() {
    for start in ["join", "oracle"] {
        for k in ["5", "8", "20"] {
            for alpha in ["1", "3", "10"] {
                for paths in ["1", "2"] {
                    let knob = |name: &str| format!("peers.everybody.node.kad.{name}");
                    let scenario = run::scenario(in_house("tests/truth/grid.yaml"))
                        .set("start", start)
                        .set(&knob("k"), k)
                        .set(&knob("alpha"), alpha)
                        .set(&knob("disjoint_paths"), paths);
                    let scenario = match start {
                        "oracle" => scenario.set("peers.everybody.join", "{at: 0s}"),
                        _ => scenario,
                    };
                    let (_out, finished, folder) = run(scenario);
                    let what = format!("start {start}, k {k}, alpha {alpha}, {paths} paths");
                    assert!(finished.passed(), "{what}: {finished}");
                    assert!(successes(&folder).len() >= 30, "{what}");
                }
            }
        }
    }
}
