//! Files that a scenario names: what is kept of them, what is wrong with them and where, and the one that ships.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use play::plan::{Distribution, Exponential, Weibull};
use types::{Domain, Duration, Instant, Purpose, Seed, Streams};
use wavetank_model::{self as model, Code};

const CHURN: &str = "version: 1
name: recorded
duration: 30m
network: {uniform: {latency: {one_way: 40ms}}}
peers: {edge: {count: 3}}
faults:
  - recorded_churn: {file: sessions.csv}
";
const MATRIX: &str = "version: 1
name: matrix
duration: 30m
network: {matrix: {file: data/far.csv, loss: 1%}}
peers: {edge: {count: 3}}
";

/// A folder with these files and a scenario; what comes of loading it, with bare names in the message.
struct Case(tempfile::TempDir);

impl Case {
    fn new(scenario: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files.iter().copied().chain([("scenario.yaml", scenario)]) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("scenario.yaml")
    }

    fn loaded(&self) -> model::Loaded {
        model::load(&self.path(), &[]).unwrap_or_else(|rejected| panic!("{rejected}"))
    }

    fn message(&self) -> String {
        let here = self.0.path().display().to_string() + "/";
        match model::load(&self.path(), &[]) {
            Ok(_) => panic!("it can be run"),
            Err(rejected) => rejected.to_string().replace(&here, ""),
        }
    }
}

const SESSIONS: &str = "# by hand\npeer,up_ms,down_ms\n4,0,60000\n4,90000,\n7,1000,2000\n9,5,10\n";
const DISTANCES: &str = "from,to,rtt_ms,jitter_ms\na,a,2,0\na,b,80.5,3\nb,a,79.5,1\nb,b,3,0.25\n";

/// The files that are kept, and what stands in them.
fn kept(loaded: &model::Loaded) -> Vec<(&str, &str)> {
    loaded.inputs.iter().map(|input| (input.name.as_str(), input.text.as_str())).collect()
}

#[test]
fn recorded_sessions_are_read_and_kept() {
    let loaded = Case::new(CHURN, &[("sessions.csv", SESSIONS)]).loaded();
    let play::Fault::RecordedChurn(churn) = &loaded.plan.faults[0] else { panic!() };
    let at = |millis| Instant::START + Duration::from_millis(millis);
    assert_eq!(churn.sessions.peers(), 3);
    assert_eq!(churn.sessions.of(0), [(at(0), at(60_000)), (at(90_000), Instant::NEVER)]);
    assert_eq!(kept(&loaded), [("sessions.csv", SESSIONS)]);
    assert!(loaded.plan.to_yaml().contains("file: sessions.csv"));
}

#[test]
fn distances_are_read_and_kept() {
    let loaded = Case::new(MATRIX, &[("data/far.csv", DISTANCES)]).loaded();
    let network = loaded.plan.network.resolve().unwrap();
    assert_eq!(network.places().collect::<Vec<_>>(), ["a", "b"]);
    let (near, far) = (network.pair(1, 1), network.pair(0, 1));
    assert_eq!((near.base, near.jitter), (Duration::from_micros(1_500), Duration::from_micros(250)));
    assert_eq!(
        (far.base, far.jitter),
        (Duration::from_millis(40), Duration::from_millis(2)),
        "the mean of both ways"
    );
    assert_eq!(kept(&loaded), [("data/far.csv", DISTANCES)]);
}

#[test]
fn files_may_be_in_another_folder_than_the_scenario() {
    let case = Case::new(CHURN, &[("inputs/sessions.csv", SESSIONS)]);
    let loaded = model::load_with(&case.path(), &case.0.path().join("inputs"), &[]).unwrap();
    assert_eq!(kept(&loaded), [("sessions.csv", SESSIONS)]);
    assert!(case.message().contains("unreadable"));
}

#[test]
fn a_profile_is_what_its_file_says() {
    let scenario =
        MATRIX.replace("matrix: {file: data/far.csv, loss: 1%}", "profile: {name: aws, floor: 1ms}");
    let loaded = Case::new(&scenario, &[]).loaded();
    let network = loaded.plan.network.resolve().unwrap();
    assert_eq!(network.places().len(), 33);
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles/aws.csv")).unwrap();
    assert_eq!(kept(&loaded), [("profiles/aws.csv", text.as_str())]);
    assert!(text.contains("# Source: ") && text.contains("2026"), "it says where it is from and of when");
    let at = |name: &str| network.places().position(|place| place == name).unwrap() as u8;
    let line = text.lines().find(|line| line.starts_with("eu-central-1,us-east-1,")).unwrap();
    let one_way = format!("{}ms", line.split(',').nth(2).unwrap()).parse::<Duration>().unwrap();
    assert_eq!(network.pair(at("us-east-1"), at("eu-central-1")).base, one_way);
    let few = scenario.replace("floor: 1ms", "places: {eu-west-1: {share: 60%}, moon-1: {share: 40%}}");
    insta::assert_snapshot!("profile", Case::new(&few, &[]).message());
}

#[test]
fn what_is_wrong_in_a_file_is_shown_where_it_stands() {
    let sessions = "peer,up_ms,down_ms\n1,0,60000\n1,30000,90000\nx,5,10\n2,7,7\n3,1.5,9\n4,1\n";
    insta::assert_snapshot!("sessions", Case::new(CHURN, &[("sessions.csv", sessions)]).message());
    insta::assert_snapshot!(
        "header",
        Case::new(CHURN, &[("sessions.csv", "peer,up,down\n1,0,1\n")]).message()
    );
    let distances = "from,to,rtt_ms\na,a,1\na,b,80ms\n,b,3\na,a,2\nb,b,9999999\n";
    insta::assert_snapshot!("distances", Case::new(MATRIX, &[("data/far.csv", distances)]).message());
    let message = Case::new(MATRIX, &[("data/far.csv", "from,to,rtt_ms\na,a,1\na,b,80\n")]).message();
    assert!(message.contains("network_pair_missing") && message.contains("how far `b` and `b`"), "{message}");
    let few = Case::new(&CHURN.replace("count: 3", "count: 5"), &[("sessions.csv", SESSIONS)]).message();
    assert!(few.contains("selects 5 peers, the file records 3"), "{few}");
    for empty in ["", "peer,up_ms,down_ms\n# nothing\n"] {
        assert!(Case::new(CHURN, &[("sessions.csv", empty)]).message().contains("bad_table"));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_at_its_name() {
    insta::assert_snapshot!("missing_file", Case::new(CHURN, &[]).message());
    for name in ["../sessions.csv", "/etc/passwd", "a/../../b.csv", "''", ".\\b.csv"] {
        let message = Case::new(&CHURN.replace("sessions.csv", name), &[]).message();
        assert!(message.contains("bad_file_name"), "{message}");
    }
    let directory = Case::new(CHURN, &[("sessions.csv/file", "")]).message();
    assert!(directory.contains("this is a directory"), "{directory}");
    let case = Case::new(CHURN, &[]);
    fs::write(case.0.path().join("sessions.csv"), b"peer,up_ms\xff").unwrap();
    insta::assert_snapshot!("not_utf8_file", case.message());
    fs::write(case.0.path().join("sessions.csv"), vec![b'#'; model::MAX_INPUT_BYTES as usize + 1]).unwrap();
    assert!(case.message().contains("all files that a scenario names have 64 MiB together, at most"));
    let bare = model::parse("text", CHURN, &[]).map(|_| ()).unwrap_err();
    assert_eq!(bare.codes().collect::<Vec<_>>(), [Code::Unreadable]);
}

const SHIPPED: &str = "../kademlia/sessions.csv";
const SHIPPED_PEERS: u32 = 190;

/// The sessions that ship: drawn, not measured.
fn generated() -> String {
    let session = Distribution::Weibull(Weibull { shape: 0.6, scale: Duration::from_mins(20) });
    let downtime = Distribution::Exponential(Exponential { mean: Duration::from_mins(4) });
    let end = Duration::from_mins(30).as_millis();
    let mut text = String::from(
        "# Sessions that Wavetank's own generator made (model/tests/inputs.rs): nobody measured them.\n\
         # 190 peers for 30 minutes; sessions Weibull (shape 0.6, scale 20m), absences exponential (mean 4m), first starts\n\
         # spread over 2 minutes.\n\
         peer,up_ms,down_ms\n",
    );
    for peer in 0..SHIPPED_PEERS {
        let streams = Streams::global(Seed(1), Domain::new("recorded sessions"));
        let mut stream = streams.stream(Purpose::new("peer"), u64::from(peer));
        let mut up = stream.below(120_000);
        while up < end {
            let down = up + session.draw(&mut stream).as_millis().max(1_000);
            let written = if down < end { down.to_string() } else { String::new() };
            writeln!(text, "{peer},{up},{written}").unwrap();
            up = down + downtime.draw(&mut stream).as_millis().max(1_000);
        }
    }
    text
}

#[test]
fn the_committed_sessions_are_the_generator_s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED);
    if std::env::var_os("WAVETANK_ACCEPT").is_some() {
        fs::write(&path, generated()).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), generated(), "WAVETANK_ACCEPT=1 accepts them");
}
