//! Simulation and reality held against each other: the small scenario in earnest; for the rest, a simulated run stands in
//! for the real one, whose manifest says that it was real.
#![expect(clippy::indexing_slicing, reason = "what is missing fails the test, by name")]

use std::fs;
use std::path::Path;

use crate::shelf::fails;
use crate::{Desk, Said, house, manifest};

fn library(name: &str) -> String {
    house().join(format!("scenarios/conformance/{name}.yaml")).display().to_string()
}

/// Runs `sim-vs-real` into this folder.
fn perform(desk: &Desk, out: &str, more: &[&str]) {
    let scenario = library("sim-vs-real");
    let said = desk.type_in(&[&["run", &scenario, "--out", out, "--quiet", "--no-report"], more].concat());
    assert_eq!(said.code, 0, "{said:?}");
}

/// Lets the folder say that real processes performed it.
#[expect(clippy::indexing_slicing, reason = "a helper of tests")]
fn call_real(folder: &Path) {
    let mut document = manifest(folder);
    document["backend"] = "local".into();
    document["wall"]["started"] = "2026-11-26T08:00:00Z".into();
    fs::write(folder.join("manifest.json"), document.to_string()).unwrap();
}

/// The figures of a stretch that are beyond.
fn beyond(said: &Said, stretch: usize) -> Vec<String> {
    let document = said.json();
    let figures = document["stretches"][stretch]["figures"].as_array().unwrap().clone();
    let beyond = figures.iter().filter(|figure| figure["standing"] == "beyond");
    beyond.map(|figure| figure["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_is_within_of_itself_at_rest_and_under_churn() {
    let desk = Desk::new();
    perform(&desk, "sim", &[]);
    perform(&desk, "real", &["--driver", "inline"]);
    call_real(&desk.path().join("real"));
    assert_eq!(manifest(&desk.path().join("sim"))["fidelity"]["crypto"], "real");
    let said = desk.type_in(&["runs", "compare", "sim", "real", "--tolerance", "0%"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    assert!(said.stdout.starts_with("WITHIN  all of 18 figures"), "{}", said.stdout);
    assert!(
        said.stdout.contains("\nquiet  40s to 1m50s: ") && said.stdout.contains("\nchurn  1m50s to 3m20s: ")
    );
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    let document = desk.type_in(&["runs", "compare", "sim", "real", "--format", "json"]).json();
    let lookups = |side: &str| -> u64 {
        let stretches = document["stretches"].as_array().unwrap();
        stretches.iter().map(|stretch| stretch[side].as_u64().unwrap()).sum()
    };
    assert!(lookups("sim_lookups") >= 2_000 && lookups("sim_lookups") == lookups("real_lookups"));
    assert_eq!(document["notes"], serde_json::json!([]));
    // Whichever is named first: the simulated side is known by its manifest.
    assert_eq!(desk.type_in(&["runs", "compare", "real", "sim", "--format", "json"]).json(), document);
}

#[test]
fn another_alpha_on_one_side_is_beyond() {
    let desk = Desk::new();
    perform(&desk, "sim", &[]);
    perform(&desk, "real", &["--set", "peers.edge.node.kad.alpha=1", "--set", "peers.boot.node.kad.alpha=1"]);
    call_real(&desk.path().join("real"));
    let compare = ["runs", "compare", "sim", "real"];
    let said = desk.type_in(&compare);
    assert_eq!(said.code, 10, "{said:?}");
    assert!(
        said.stdout.starts_with("BEYOND  ") && said.stdout.contains("the plans differ"),
        "{}",
        said.stdout
    );
    let said = desk.type_in(&[&compare[..], &["--format", "json"]].concat());
    for stretch in 0..2 {
        let beyond = beyond(&said, stretch);
        assert!(beyond.contains(&"messages".to_owned()), "{beyond:?}");
        assert!(beyond.contains(&"latency.p50".to_owned()), "{beyond:?}");
    }
    let tolerant = ["--tolerance", "100%", "--tolerance", "messages=1%", "--format", "json"];
    let said = desk.type_in(&[&compare[..], &tolerant].concat());
    let beyond = beyond(&said, 0);
    assert!(said.code == 10 && beyond.contains(&"messages".to_owned()), "{said:?}");
    assert!(!beyond.contains(&"latency.shape".to_owned()), "{beyond:?}");
    let paged = [&compare[..], &["--out", "page.html"]].concat();
    assert_eq!(desk.type_in(&paged).code, 10);
    assert!(fs::read_to_string(desk.path().join("page.html")).unwrap().contains("churn: latency.p50"));
}

#[test]
fn a_stretch_with_few_lookups_proves_nothing() {
    let desk = Desk::new();
    perform(&desk, "run", &[]);
    let compare = ["runs", "compare", "run", "run", "--as", "conformance"];
    let said = desk.type_in(&[&compare[..], &["--phase", "rest=40s..41s"]].concat());
    assert_eq!(said.code, 17, "{said:?}");
    assert!(
        said.stdout.starts_with("UNPROVED  ") && said.stdout.contains("\nrest  40s to 41s: "),
        "{}",
        said.stdout
    );
    let said = desk.type_in(&[&compare[..], &["--phase", "rest=40s..60s; late=3m..200s"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    for wrong in ["rest", "rest=40s", "rest=60s..40s", "=1s..2s", "rest=1..2"] {
        assert_eq!(desk.type_in(&[&compare[..], &["--phase", wrong]].concat()).code, 2, "{wrong}");
    }
}

#[test]
fn a_calibration_is_of_one_plan_on_both_stages() {
    let desk = Desk::new();
    perform(&desk, "sim", &[]);
    perform(&desk, "real", &[]);
    perform(&desk, "other", &["--seed", "7"]);
    let write = ["--write-calibration", "calibration.json"];
    let calibrate =
        |real: &str, more: &[&str]| desk.type_in(&[&["runs", "compare", "sim", real], more, &write].concat());
    fails(&calibrate("real", &[]), 2, "--as conformance");
    fails(&calibrate("real", &["--as", "conformance"]), 2, "not `sim` with `sim`");
    call_real(&desk.path().join("real"));
    call_real(&desk.path().join("other"));
    fails(&calibrate("other", &[]), 2, "one plan and seed");
    assert!(!desk.path().join("calibration.json").exists());
    assert_eq!(calibrate("real", &[]).code, 0);
    let text = fs::read(desk.path().join("calibration.json")).unwrap();
    let calibration: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        (&calibration["date"], &calibration["processes"]),
        (&"2026-11-26T08:00:00Z".into(), &20.into())
    );
    assert_eq!(calibration["stretches"][1]["name"], "churn");
    fails(&calibrate("real", &["--tolerance", "lookup.latency=1%"]), 2, "latency.shape");

    // A folder that holds it says so on its page.
    fs::write(desk.path().join("sim/calibration.json"), text).unwrap();
    assert_eq!(desk.type_in(&["report", "sim"]).code, 0);
    let page = fs::read_to_string(desk.path().join("sim/report/index.html")).unwrap();
    assert!(page.contains("Calibrated 2026-11-26 on 20 real processes: success ±0 points"));
    assert!(page.contains("<h3>churn, 1:50 to 3:20: "));
}

#[cfg(target_os = "linux")]
#[test]
fn six_processes_fare_as_six_simulated_peers_do() {
    let desk = Desk::new();
    let scenario = library("sim-vs-real-small");
    for (out, more) in [
        ("sim", &[][..]),
        ("greedy", &["--set", "peers.everybody.node.kad.alpha=1"]),
        ("real", &["--backend", "local"]),
    ] {
        let run = ["run", &scenario, "--out", out, "--quiet", "--no-report"];
        let said =
            Said::of(desk.command(&[&run[..], more].concat()).env("TMPDIR", desk.path()).output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
    }
    let figures = |sim: &str| {
        let document = desk.type_in(&["runs", "compare", sim, "real", "--format", "json"]).json();
        document["stretches"][0]["figures"].as_array().unwrap().clone()
    };
    let standing = |figures: &[serde_json::Value], name: &str| {
        let figure = figures.iter().find(|figure| figure["name"] == name).unwrap();
        figure["standing"].as_str().unwrap().to_owned()
    };
    // How long things take is the machine's affair, and it may be busy.
    let close = figures("sim");
    for name in ["success", "rounds", "messages"] {
        assert_eq!(standing(&close, name), "within", "{close:?}");
    }
    let far = figures("greedy");
    assert_eq!(standing(&far, "messages"), "beyond", "{far:?}");
}
