//! Plans: defaults, `--set`, the text that is a scenario again, and the schema behind all of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use proptest::prelude::*;
use wavetank_model as model;
use wavetank_model::{Plan, Rejected};

const SMALL: &str = "
version: 1
name: small
duration: 10m
network: {uniform: {latency: &near {one_way: 40ms}}}
peers:
  boot: {count: 5}
  edge: {count: 20, join: {ramp: 1m}}
workloads:
  - lookups:
      arrivals: {open: {rate: 5/s}}
      target: present_peer
faults:
  - churn:
      victims: {group: edge}
      session: {weibull: {shape: 0.6, scale: 30m}}
      downtime: {exponential: {mean: 5m}}
thresholds:
  lookup.latency: p99 < 6s
";

/// Reads `SMALL` with the sets, each written as on a command line.
fn set(sets: &[&str]) -> Result<Plan, Rejected> {
    let sets: Vec<_> = sets
        .iter()
        .map(|set| set.split_once('=').unwrap())
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .collect();
    model::parse("small.yaml", SMALL, &sets).map(|loaded| loaded.plan)
}

fn plan(text: &str) -> Plan {
    match model::parse("scenario.yaml", text, &[]) {
        Ok(loaded) => loaded.plan,
        Err(rejected) => panic!("{rejected}"),
    }
}

#[test]
fn a_plan_says_what_the_scenario_left_open() {
    insta::assert_snapshot!("plan", plan(SMALL).to_yaml());
}

#[test]
fn the_text_of_a_plan_is_a_scenario_of_that_plan() {
    let library = ["kademlia", "scale", "conformance"].into_iter().flat_map(|shelf| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(shelf);
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
    });
    let loaded =
        |path: &std::path::Path| model::load(path, &[]).unwrap_or_else(|rejected| panic!("{rejected}"));
    for path in library {
        let first = loaded(&path);
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join("plan.yaml");
        std::fs::write(&plan, first.plan.to_yaml()).unwrap();
        for model::Input { name, text } in &first.inputs {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(loaded(&plan).plan, first.plan, "{}", path.display());
    }
    let first = plan(SMALL);
    let again = plan(&first.to_yaml());
    assert_eq!((again.to_yaml(), again), (first.to_yaml(), first));
}

#[test]
fn sets_change_what_they_name_and_nothing_else() {
    let plain = set(&[]).unwrap();
    let mut expected = plain.clone();
    expected.seed = types::Seed(7);
    expected.warmup = types::Duration::from_mins(1);
    for (name, group) in &mut expected.groups {
        if name == "edge" {
            group.node.kad.k = 8;
        }
    }
    assert_eq!(set(&["seed=7", "warmup=1m", "peers.edge.node.kad.k=8"]).unwrap(), expected);
    assert_eq!(set(&["seed=1", "seed=7", "seed=1"]).unwrap(), plain, "the last one counts");
}

#[test]
fn sets_reach_items_choices_and_names_with_dots() {
    let text = |sets: &[&str]| set(sets).unwrap().to_yaml();
    assert!(text(&["faults.0.churn.session.weibull.scale=10m"]).contains("scale: 10m"));
    assert!(text(&["faults.0.churn.session={exponential: {mean: 7m}}"]).contains("mean: 7m"));
    assert!(text(&["thresholds.lookup.latency=p99 < 9s"]).contains("p99 < 9s"));
    assert!(text(&["thresholds.lookup.success_ratio='>= 90%'"]).contains(">= 90%"));
    assert!(text(&["peers.third={count: 3}"]).contains("third:"));
    assert!(text(&["fidelity.wire=encoded", "fidelity.links=dialled"]).contains("max_links: 1000"));
    assert!(text(&["faults=[]"]).contains("faults: []"));
}

#[test]
fn a_set_below_an_anchor_leaves_its_other_places_alone() {
    let shared = "
version: 1
name: shared
duration: 10m
network: {uniform: {latency: {one_way: 40ms}}}
peers:
  boot: &peers {count: 5}
  edge: *peers
";
    let sets = [("peers.edge.count".to_owned(), "9".to_owned())];
    let plan = model::parse("shared.yaml", shared, &sets).unwrap().plan;
    let counts: Vec<_> = plan.groups.iter().map(|(_, group)| group.count).collect();
    assert_eq!(counts, [5, 9]);
}

#[test]
fn bad_sets_are_told_as_they_should_be() {
    let sets = [
        "duraton=5m",
        "faults.1.churn.graceful=10%",
        "faults.0.crash.at=1m",
        "seed.low=1",
        "peers.edge.node.kad.kay=8",
        "peers.edge.count=many",
        "peers.egde.count=5",
        "duration=5",
        "network.regions.loss=1%",
        "seed=",
        "about=[",
        "workloads.0.lookups.from.group.0=edge",
        "=1",
    ];
    insta::assert_snapshot!("bad_sets", set(&sets).unwrap_err().to_string());
    let late = ["faults.0.churn.end=11m"];
    insta::assert_snapshot!("late_set", set(&late).unwrap_err().to_string());
}

#[test]
fn the_schema_is_the_grammar() {
    let schema: serde_json::Value = serde_json::from_str(&model::schema()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    for key in ["version", "network", "peers", "workloads", "faults", "checks", "thresholds", "observe"] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
    assert!(schema["$defs"]["Duration"]["pattern"].as_str().unwrap().contains("ms"));
    assert_eq!(model::schema(), model::schema());
}

/// Pieces of scenarios, to be put together wrongly.
const PIECES: [&str; 40] = [
    "version: 1",
    "name: x",
    "duration: 10m",
    "network:",
    "  uniform:",
    "    latency: {one_way: 40ms}",
    "peers:",
    "  edge:",
    "    count: 5",
    "workloads:",
    "  - lookups:",
    "      arrivals: {open: {rate: 5/s}}",
    "      target: random_key",
    "faults:",
    "  - churn: {}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ": ",
    "- ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "? ",
    "|",
    "'",
    "\"",
    "#",
    "---\n",
    "~",
    "99999999999999999999",
    "1e999",
    "\t",
    "µ",
    "\u{FEFF}",
    "<<: *a",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_plan_or_a_rejection(text in ".{0,200}") {
        if let Err(rejected) = model::parse("any.yaml", &text, &[]) {
            prop_assert!(rejected.count() > 0);
            prop_assert!(rejected.to_string().ends_with(" in any.yaml\n"));
        }
    }

    #[test]
    fn pieces_of_scenarios_are_a_plan_or_a_rejection(picks in proptest::collection::vec((0..PIECES.len(), any::<bool>()), 0..60)) {
        let text: String = picks.iter().map(|(pick, line)| format!("{}{}", PIECES[*pick], if *line { "\n" } else { "" })).collect();
        if let Err(rejected) = model::parse("pieces.yaml", &text, &[]) {
            prop_assert!(rejected.count() > 0 && !rejected.to_string().is_empty());
            let _ = serde_json::to_string(&rejected.report());
        }
    }

    #[test]
    fn a_damaged_scenario_is_a_plan_or_a_rejection(at in 0..SMALL.len(), length in 0..20usize, put in ".{0,4}") {
        let start = SMALL.floor_char_boundary(at);
        let end = SMALL.floor_char_boundary((at + length).min(SMALL.len()));
        let text = format!("{}{put}{}", &SMALL[..start], &SMALL[end.max(start)..]);
        match model::parse("damaged.yaml", &text, &[]) {
            Ok(loaded) => prop_assert_eq!(plan(&loaded.plan.to_yaml()), loaded.plan),
            Err(rejected) => prop_assert!(!rejected.to_string().is_empty()),
        }
    }

    #[test]
    fn any_bytes_in_a_file_are_a_plan_or_a_rejection(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        if let Err(rejected) = model::load(file.path(), &[]) {
            prop_assert!(!rejected.to_string().is_empty());
        }
    }

    #[test]
    fn any_set_is_applied_or_refused(path in "[a-z_.0-9]{0,40}|\\PC{0,20}", value in ".{0,20}") {
        let sets = [(path, value)];
        if let Err(rejected) = model::parse("small.yaml", SMALL, &sets) {
            prop_assert!(!rejected.to_string().is_empty());
        }
    }
}

/// After a change of the grammar: `WAVETANK_ACCEPT=1 cargo test -p wavetank-model --test plan committed`.
#[test]
fn the_committed_schema_is_the_grammar() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenario-v1.json");
    if std::env::var_os("WAVETANK_ACCEPT").is_some() {
        std::fs::write(path, model::schema()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == model::schema(), "scenarios/scenario-v1.json is older than the grammar");
}
