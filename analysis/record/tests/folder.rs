//! A run's folder as its users meet it: written, killed, tampered with, read back.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use types::{Seed, UnixMillis};
use wavetank_record::{
    Check, CheckKind, CheckStatus, CsvRow, EventId, EventRow, FORMAT, FaultRow, JsonRow, Manifest,
    OperationRow, Outcome, PeerRow, Phase, RecordError, Run, RunFolder, RunStatus, Rung, SeriesRow,
    SummaryRow, Threshold, ThresholdStatus, Verdict, VerdictStatus,
};

fn folder() -> (tempfile::TempDir, RunFolder) {
    let root = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(root.path().join("run")).unwrap();
    folder.write_manifest(&manifest()).unwrap();
    (root, folder)
}

fn manifest() -> Manifest {
    Manifest { format: FORMAT, seed: Seed(u64::MAX), ..Manifest::default() }
}

fn operation(number: u64) -> OperationRow {
    OperationRow {
        operation: number,
        kind: "lookup".to_owned(),
        workload: 0,
        peer: 7,
        peer_id: "12D3KooW".to_owned(),
        group: "edge".to_owned(),
        region: "eu".to_owned(),
        key: "00ff".to_owned(),
        start_ns: number * 1_000,
        end_ns: Some(number * 1_000 + 250_500_000),
        outcome: Outcome::TimedOut,
        latency_ms: Some(250.5),
        hops: None,
        known_in_round: Some(1),
        messages: Some(12),
        timeouts: Some(1),
        recall: Some(1.0),
        phase: Phase::Measured,
    }
}

fn peer(number: u32) -> PeerRow {
    PeerRow {
        number,
        name: format!("edge-{number}"),
        id: format!("id {number}"),
        group: "edge".to_owned(),
        region: String::new(),
        lives: 1,
        sent_messages: 5,
        sent_bytes: 500,
        received_messages: 6,
    }
}

fn event(number: u32) -> EventRow {
    let id = |count| EventId { peer: 3, count };
    EventRow {
        t_ns: u64::from(number),
        event: id(number),
        cause: number.checked_sub(1).map(id),
        peer: 3,
        kind: "request".to_owned(),
        detail: "from peer 4".to_owned(),
    }
}

fn sample(t_ms: u64, value: f64) -> SeriesRow {
    SeriesRow { t_ms, metric: "peers.online".to_owned(), scope: "all".to_owned(), value }
}

fn header(path: &Path) -> String {
    fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned()
}

#[test]
fn everything_comes_back_as_it_was_written() {
    let (_root, folder) = folder();
    let operations: Vec<_> = (0..100).map(operation).collect();
    let mut writer = folder.csv::<OperationRow>().unwrap();
    operations.iter().for_each(|row| writer.write(row).unwrap());
    writer.finish().unwrap();
    let events: Vec<_> = (0..100).map(event).collect();
    let mut writer = folder.events().unwrap();
    events.iter().for_each(|row| writer.write(row).unwrap());
    writer.finish().unwrap();
    let peers: Vec<_> = (0..10).map(peer).collect();
    folder.write_rows(peers.clone()).unwrap();
    let summary = SummaryRow {
        metric: "lookup.latency".to_owned(),
        scope: "all".to_owned(),
        unit: "ns".to_owned(),
        samples: 3,
        mean: Some(1.5),
        min: None,
        p50: Some(2.0),
        p90: None,
        p95: None,
        p99: None,
        max: Some(3.0),
    };
    folder.write_rows([summary.clone()]).unwrap();
    let fault = FaultRow {
        index: 0,
        kind: "churn".to_owned(),
        name: "evening churn".to_owned(),
        from_ms: 5,
        until_ms: None,
        unit: "departures".to_owned(),
        asked: None,
        got: 2,
        note: "a, \"quoted\"\nnote".to_owned(),
    };
    folder.write_rows([fault.clone()]).unwrap();
    folder.write_input("services/square.wasm", b"\0asm").unwrap();

    let run = Run::open(folder.path()).unwrap();
    assert_eq!(run.manifest(), &manifest());
    assert_eq!(run.table::<OperationRow>(100).unwrap(), operations);
    assert_eq!(run.table::<PeerRow>(100).unwrap(), peers);
    assert_eq!(run.table::<SummaryRow>(100).unwrap(), [summary]);
    assert_eq!(run.table::<FaultRow>(100).unwrap(), [fault]);
    assert_eq!(run.table::<SeriesRow>(100).unwrap(), [], "a file that is not there has no rows");
    let mut rows = run.json::<EventRow>().unwrap();
    assert_eq!(rows.by_ref().collect::<Result<Vec<_>, _>>().unwrap(), events);
    assert!(!rows.cut_off());
    assert_eq!(run.file("inputs/services/square.wasm").unwrap(), b"\0asm");
    assert_eq!(run.verdict().unwrap(), None);
}

#[test]
fn headers_are_the_fields_that_serde_writes() {
    fn serde_header<R: CsvRow>(row: &R) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        text.lines().next().unwrap().to_owned()
    }
    let (_root, folder) = folder();
    folder.csv::<OperationRow>().unwrap();
    folder.write_rows([peer(1)]).unwrap();
    folder.csv::<SeriesRow>().unwrap();
    let path = folder.path();
    assert_eq!(header(&path.join(OperationRow::FILE)), serde_header(&operation(1)));
    assert_eq!(header(&path.join(PeerRow::FILE)), serde_header(&peer(1)));
    assert_eq!(header(&path.join(SeriesRow::FILE)), serde_header(&sample(1, 1.0)));
}

#[test]
fn numbers_stand_as_people_read_them() {
    let (_root, folder) = folder();
    let mut series = folder.csv::<SeriesRow>().unwrap();
    series.write(&sample(1, 995.0)).unwrap();
    series.write(&sample(2, 0.25)).unwrap();
    assert!(matches!(series.write(&sample(3, f64::NAN)), Err(RecordError::Row { .. })));
    series.finish().unwrap();
    let text = fs::read_to_string(folder.path().join(SeriesRow::FILE)).unwrap();
    assert_eq!(text, "t_ms,metric,scope,value\n1,peers.online,all,995\n2,peers.online,all,0.25\n");
}

#[test]
fn seeds_are_text_and_survive_whole() {
    let (_root, folder) = folder();
    let text = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
    assert!(text.contains("\"seed\": \"18446744073709551615\""), "{text}");
    assert_eq!(Run::open(folder.path()).unwrap().manifest().seed, Seed(u64::MAX));
}

#[test]
fn a_folder_that_holds_anything_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/b");
    RunFolder::create(&path).unwrap();
    RunFolder::create(&path).expect("an empty folder is fine");
    fs::write(path.join("note"), "mine").unwrap();
    let refused = RunFolder::create(&path).unwrap_err();
    assert!(matches!(&refused, RecordError::NotEmpty { path: at } if *at == path));
    assert!(refused.is_output());
}

#[test]
fn a_folder_that_cannot_be_made_says_so() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "").unwrap();
    for path in [root.path().join("file"), root.path().join("file/run")] {
        let refused = RunFolder::create(&path).unwrap_err();
        assert!(matches!(refused, RecordError::Write { .. }), "{refused}");
        assert!(refused.to_string().contains("file"), "{refused}");
    }
}

#[test]
fn twins_of_one_second_get_folders_of_their_own_and_latest_leads_to_the_last() {
    let root = tempfile::tempdir().unwrap();
    let create = || RunFolder::create_default(root.path(), "hello", UnixMillis(0), Seed(1), "abcdef012345");
    let mut folders = Vec::new();
    for _ in 0..3 {
        let folder = create().unwrap();
        folder.write_manifest(&manifest()).unwrap();
        folders.push(folder.path().to_owned());
    }
    let names: Vec<_> = folders.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    let first = "19700101T000000Z-s1-abcdef";
    assert_eq!(names, [first, &format!("{first}-2"), &format!("{first}-3")]);
    #[cfg(unix)]
    assert_eq!(fs::read_link(root.path().join("hello/latest")).unwrap(), PathBuf::from(names[2]));
}

#[test]
fn the_link_never_replaces_what_is_no_link() {
    let root = tempfile::tempdir().unwrap();
    let latest = root.path().join("latest");
    fs::create_dir(&latest).unwrap();
    fs::write(latest.join("precious"), "").unwrap();
    RunFolder::create(root.path().join("run")).unwrap().point_latest();
    assert!(latest.join("precious").is_file());
}

#[test]
fn the_manifest_is_replaced_and_leaves_nothing_beside_it() {
    let (_root, folder) = folder();
    let running = Run::open(folder.path()).unwrap();
    assert_eq!(running.manifest().status, RunStatus::Running);
    let finished = Manifest { status: RunStatus::Pass, ..manifest() };
    folder.write_manifest(&finished).unwrap();
    assert_eq!(Run::open(folder.path()).unwrap().manifest(), &finished);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn files_of_a_killed_run_yield_their_whole_rows() {
    let (_root, folder) = folder();
    let mut events = folder.events().unwrap();
    let mut operations = folder.csv::<OperationRow>().unwrap();
    for number in 0..50 {
        events.write(&event(number)).unwrap();
        operations.write(&operation(number.into())).unwrap();
    }
    events.flush().unwrap();
    operations.flush().unwrap();
    for number in 50..60 {
        events.write(&event(number)).unwrap();
        operations.write(&operation(number.into())).unwrap();
    }
    // What a kill leaves: no end of the frame, and half a row.
    std::mem::forget(events);
    std::mem::forget(operations);
    let path = folder.path().join(OperationRow::FILE);
    let mut text = fs::read(&path).unwrap();
    text.extend_from_slice(b"50,lookup,0,7,12D3Ko");
    fs::write(&path, text).unwrap();

    let run = Run::open(folder.path()).unwrap();
    let mut rows = run.json::<EventRow>().unwrap();
    let read: Vec<_> = rows.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, (0..50).map(event).collect::<Vec<_>>());
    assert!(rows.cut_off());
    let mut rows = run.csv::<OperationRow>().unwrap();
    assert_eq!(rows.by_ref().map(Result::unwrap).count(), 50);
    assert!(rows.cut_off());
}

#[test]
fn a_malformed_row_is_named_by_file_and_line() {
    let (_root, folder) = folder();
    let path = folder.path().join(SeriesRow::FILE);
    fs::write(&path, "t_ms,metric,scope,value\n1,a,all,2\n2,a,all,many\n").unwrap();
    let run = Run::open(folder.path()).unwrap();
    let error = run.table::<SeriesRow>(10).unwrap_err();
    assert!(matches!(&error, RecordError::Malformed { line: 3, path: at, .. } if *at == path), "{error}");
    assert!(matches!(run.table::<SeriesRow>(0), Err(RecordError::TooLarge { .. })));
    let lines = "{\"at_ns\":1,\"leaves\":\"0000000000000001\"}\n{\"at_ns\":2,\"leaves\":\"xyz\"}\n";
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    fs::write(folder.path().join(Rung::FILE), packed).unwrap();
    let rows: Vec<_> = run.json::<Rung>().unwrap().collect();
    assert!(matches!(rows.as_slice(), [Ok(_), Err(RecordError::Malformed { line: 2, .. })]));
}

#[test]
fn events_have_names_that_people_can_type() {
    let id = EventId { peer: 417, count: 12 };
    assert_eq!(id.to_string(), "417.12");
    assert_eq!("417.12".parse(), Ok(id));
    for text in ["", "417", "417.", ".12", "417.12.1", "-1.2", "4294967296.0"] {
        assert!(text.parse::<EventId>().is_err(), "{text:?}");
    }
}

#[test]
fn what_is_no_run_or_too_new_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let open = |path: &Path| Run::open(path).unwrap_err();
    assert!(matches!(open(&root.path().join("none")), RecordError::Missing { .. }));
    assert!(matches!(open(root.path()), RecordError::NotARun { .. }));
    let manifest = root.path().join("manifest.json");
    fs::write(&manifest, "{\n\"format\": 1,\n\"status\": \"dancing\"}").unwrap();
    assert!(matches!(open(root.path()), RecordError::Malformed { line: 3, .. }));
    fs::write(&manifest, "{\"format\": 99, \"everything\": \"else differs\"}").unwrap();
    assert!(matches!(open(root.path()), RecordError::Newer { format: 99, .. }));
}

#[test]
fn equal_verdicts_are_equal_bytes_and_come_back() {
    let verdict = Verdict {
        status: VerdictStatus::Fail,
        exit_code: 10,
        seed: Seed(42),
        fingerprint: Some("9f3c71".to_owned()),
        checks: vec![Check {
            name: "lookup_monotone".to_owned(),
            kind: CheckKind::Always,
            status: CheckStatus::Pass,
            detail: String::new(),
            at_ms: None,
            peer: None,
        }],
        thresholds: vec![Threshold {
            metric: "lookup.success_ratio".to_owned(),
            expression: ">= 0.99".to_owned(),
            value: Some(0.1 + 0.2),
            status: ThresholdStatus::Fail,
            samples: 1_000,
            denominator: "1000 lookups".to_owned(),
        }],
        ..Verdict::default()
    };
    let bytes = [folder(), folder()].map(|(_root, folder)| {
        folder.write_verdict(&verdict).unwrap();
        assert_eq!(Run::open(folder.path()).unwrap().verdict().unwrap().as_ref(), Some(&verdict));
        fs::read(folder.path().join("verdict.json")).unwrap()
    });
    assert_eq!(bytes[0], bytes[1]);
}

#[test]
fn derived_files_replace_older_ones_and_stay_inside() {
    let (_root, folder) = folder();
    let run = Run::open(folder.path()).unwrap();
    run.write_derived("plots/a.svg", b"old").unwrap();
    let path = run.write_derived("plots/a.svg", b"new").unwrap();
    assert_eq!(fs::read(path).unwrap(), b"new");
    assert!(matches!(run.write_derived("../a.svg", b""), Err(RecordError::BadName { .. })));
}

proptest! {
    #[test]
    fn a_log_cut_at_any_byte_yields_a_prefix(cut in 0.0..1.0f64) {
        let (_root, folder) = folder();
        let mut events = folder.events().unwrap();
        for number in 0..200 {
            events.write(&event(number)).unwrap();
            if number % 50 == 49 {
                events.flush().unwrap();
            }
        }
        events.finish().unwrap();
        let path = folder.path().join(EventRow::FILE);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..(bytes.len() as f64 * cut) as usize]).unwrap();
        let run = Run::open(folder.path()).unwrap();
        let rows: Vec<_> = run.json::<EventRow>().unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&rows, &(0..rows.len() as u32).map(event).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_rows_or_a_typed_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (_root, folder) = folder();
        for name in [SeriesRow::FILE, OperationRow::FILE, EventRow::FILE, "verdict.json"] {
            fs::write(folder.path().join(name), &bytes).unwrap();
        }
        let run = Run::open(folder.path()).unwrap();
        let _ = run.table::<SeriesRow>(100);
        let _ = run.table::<OperationRow>(100);
        let _ = run.verdict();
        if let Ok(rows) = run.json::<EventRow>() {
            prop_assert!(rows.count() <= bytes.len());
        }
    }
}
