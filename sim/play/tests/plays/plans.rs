//! Plans as they are written: what is read, what is refused, and what is wrong with the parts together.

use kernel::fault::{Effect, NO_SIDE};
use kernel::{Burst, Losing};
use play::plan::{Fault, Group, Select, Workload};
use play::{Problem, problems};
use types::{Duration, Instant, Share};

use crate::common::Parts;

const CHURN: &str = r#"{"churn":{"victims":{"mode":"all"},"session":{"weibull":{"shape":0.6,"scale":"30m"}},"downtime":{"exponential":{"mean":"5m"}},"graceful":"30%","data":"lost"}}"#;
const CRASH: &str = r#"{"crash":{"victims":{"group":"g1","mode":"percent","value":"10%"},"at":"6m","restart":{"after":"2m","data":"kept"}}}"#;
const WALK: &str = r#"{"lookups":{"name":"walk","from":{"group":["g0","g1"],"mode":"fixed","value":3},"arrivals":{"open":{"rate":"50/s"}},"target":"present_peer"}}"#;
const RECORDS: &str = r#"{"records":{"from":{"mode":"all"},"puts":{"open":{"rate":"2/s"}},"gets":{"closed":{"clients":20,"think":{"lognormal":{"median":"2s","sigma":1.5}}}},"popularity":{"zipf":{"exponent":0.9}},"value_size":"256 B","settle":"30s","keys":500}}"#;

#[test]
fn parts_are_read_and_written_as_people_write_them() {
    for text in [CHURN, CRASH] {
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&fault).unwrap(), text);
    }
    for text in [WALK, RECORDS] {
        let workload: Workload = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&workload).unwrap(), text);
    }
    let group: Group = serde_json::from_str(r#"{"count": 5}"#).unwrap();
    assert_eq!(group, Group::of(5));
}

#[test]
fn shapes_that_do_not_exist_are_refused() {
    let fault = |text: &str| serde_json::from_str::<Fault>(text).map(|_| ()).unwrap_err().to_string();
    assert!(fault(&CHURN.replace("graceful", "gracefull")).starts_with("unknown field `gracefull`"));
    assert!(fault(r#"{"meteor": {}}"#).starts_with("unknown variant `meteor`"));
    assert!(fault(&CRASH.replace("10%", "110%")).contains("it is more than 100%"));
    let select = |text: &str| serde_json::from_str::<Select>(text).map(|_| ()).unwrap_err().to_string();
    assert!(select(r#"{"value": -1}"#).starts_with("-1 peers are fewer than none"));
    let workload = |text: &str| serde_json::from_str::<Workload>(text).map(|_| ()).unwrap_err().to_string();
    let closed_puts = RECORDS.replace(r#""open""#, r#""closed""#);
    assert!(workload(&closed_puts).starts_with("unknown variant `closed`, expected one of `open`, `staged`"));
}

fn found(parts: &Parts) -> Vec<(String, &'static str)> {
    problems(&parts.inputs()).into_iter().map(|Problem { path, code, .. }| (path, code)).collect()
}

fn sound() -> Parts {
    Parts::of(&[5, 40]).fault(CHURN).fault(CRASH).workload(WALK).workload(RECORDS)
}

#[test]
fn a_sound_plan_has_no_problems() {
    assert_eq!(found(&sound()), []);
}

#[test]
fn every_mistake_is_found_and_named() {
    let faults = [
        (
            CHURN.replace("all", "one").replace(r#""one""#, r#""one","value":3"#),
            "churn.victims",
            "bad_selection",
        ),
        (CHURN.replace("0.6", "0"), "churn.session.weibull.shape", "bad_distribution"),
        (CHURN.replace("0.6", "-1e300"), "churn.session.weibull.shape", "bad_distribution"),
        (CHURN.replace("5m", "0s"), "churn.downtime.exponential.mean", "bad_distribution"),
        (
            CHURN
                .replace(
                    r#""weibull":{"shape":0.6,"scale":"30m"}"#,
                    r#""pareto":{"minimum":"1ns","shape":0.9}"#,
                )
                .replace("5m", "1ns"),
            "churn.session",
            "too_many_lives",
        ),
        (
            CHURN.replace(
                r#""weibull":{"shape":0.6,"scale":"30m"}"#,
                r#""pareto":{"minimum":"0s","shape":1.5}"#,
            ),
            "churn.session.pareto.minimum",
            "bad_distribution",
        ),
        (CHURN.replace("30m", "1ns").replace("5m", "1ns"), "churn.session", "too_many_lives"),
        (CHURN.replace(r#""data""#, r#""begin":"9m","end":"8m","data""#), "churn.end", "empty_window"),
        (CHURN.replace(r#""data""#, r#""end":"21m","data""#), "churn.end", "window_beyond_run"),
        (CRASH.replace("g1", "g7"), "crash.victims.group", "unknown_group"),
        (CRASH.replace("10%", "1%"), "crash.victims", "empty_selection"),
        (CRASH.replace("6m", "20m"), "crash.at", "window_beyond_run"),
        (CRASH.replace("2m", "14m"), "crash.restart.after", "window_beyond_run"),
        (CRASH.replace(r#""2m""#, r#""2m","at_most":"14m""#), "crash.restart.at_most", "window_beyond_run"),
        (CRASH.replace(r#""2m""#, r#""2m","at_most":"1m""#), "crash.restart.at_most", "empty_window"),
        (
            CRASH.replace("percent", "fixed").replace(r#""10%""#, "41"),
            "crash.victims.value",
            "too_many_selected",
        ),
        (r#"{"partition":{"begin":"1m","end":"2m"}}"#.into(), "partition", "bad_partition"),
        (r#"{"partition":{"split":"100%","begin":"1m","end":"2m"}}"#.into(), "partition.split", "no_effect"),
        (
            r#"{"partition":{"sides":[["g0"]],"begin":"1m","end":"2m"}}"#.into(),
            "partition.sides",
            "bad_partition",
        ),
        (
            r#"{"partition":{"sides":[["g0"],["g0"]],"begin":"1m","end":"2m"}}"#.into(),
            "partition.sides.1",
            "bad_partition",
        ),
        (r#"{"loss":{"share":"0%","begin":"1m","end":"2m"}}"#.into(), "loss.share", "no_effect"),
        (r#"{"loss":{"share":"1%","burst":"0s","begin":"1m","end":"2m"}}"#.into(), "loss.burst", "no_effect"),
        (
            r#"{"loss":{"share":"100%","burst":"1s","begin":"1m","end":"2m"}}"#.into(),
            "loss.burst",
            "no_effect",
        ),
        (r#"{"skew":{"victims":{},"begin":"1m","end":"2m"}}"#.into(), "skew", "bad_skew"),
        (
            r#"{"skew":{"victims":{},"ahead":"1s","behind":"1s","begin":"1m","end":"2m"}}"#.into(),
            "skew",
            "bad_skew",
        ),
        (r#"{"skew":{"victims":{},"ahead":"0s","begin":"1m","end":"2m"}}"#.into(), "skew", "no_effect"),
        (r#"{"freeze":{"victims":{},"begin":"2m","end":"2m"}}"#.into(), "freeze.end", "empty_window"),
        (r#"{"duplicate":{"share":"0%","begin":"1m","end":"2m"}}"#.into(), "duplicate.share", "no_effect"),
        (
            r#"{"duplicate":{"share":"1%","begin":"1m","end":"1d"}}"#.into(),
            "duplicate.end",
            "window_beyond_run",
        ),
        (
            r#"{"reorder":{"share":"0%","by":"1s","begin":"1m","end":"2m"}}"#.into(),
            "reorder.share",
            "no_effect",
        ),
        (r#"{"reorder":{"share":"1%","by":"0s","begin":"1m","end":"2m"}}"#.into(), "reorder.by", "no_effect"),
        (
            r#"{"reorder":{"share":"1%","by":"2h","begin":"1m","end":"2m"}}"#.into(),
            "reorder.by",
            "network_too_long",
        ),
    ];
    for (fault, path, code) in faults {
        let parts = Parts::of(&[5, 40]).fault(&fault);
        assert_eq!(found(&parts), [(format!("faults.0.{path}"), code)], "{fault}");
    }
    let workloads = [
        (WALK.replace("50/s", "0/s"), "lookups.arrivals.open.rate", "no_arrivals"),
        (WALK.replace("50/s", "1/d"), "lookups.arrivals.open.rate", "no_arrivals"),
        (WALK.replace("50/s", "1000000/s"), "lookups.arrivals.open.rate", "too_many_arrivals"),
        (WALK.replace("walk", ""), "lookups.name", "bad_name"),
        (RECORDS.replace(":20,", ":0,"), "records.gets.closed.clients", "bad_clients"),
        (RECORDS.replace("500", "0"), "records.keys", "no_keys"),
        (RECORDS.replace("30s", "20m"), "records.settle", "empty_window"),
        (RECORDS.replace("256 B", "65 KiB"), "records.value_size", "value_too_large"),
    ];
    for (workload, path, code) in workloads {
        let parts = Parts::of(&[5, 40]).workload(&workload);
        assert_eq!(found(&parts), [(format!("workloads.0.{path}"), code)], "{workload}");
    }
}

#[test]
fn all_mistakes_are_found_at_once() {
    let mut parts = sound()
        .fault(CHURN)
        .workload(WALK)
        .fault(&CRASH.replace(r#""victims""#, r#""name":"churn0","victims""#));
    parts.groups[0].1.count = 0;
    parts.groups[1].1.join = play::plan::Join::Ramp(Duration::from_mins(21));
    parts.groups[1].1.cores = 0;
    let codes: Vec<_> = found(&parts);
    let expected = [
        ("peers.g0.count", "empty_group"),
        ("peers.g1.cores", "no_core"),
        ("peers.g1.join.ramp", "window_beyond_run"),
        ("workloads.2.lookups.name", "duplicate_name"),
        ("faults.3.crash.name", "duplicate_name"),
    ];
    assert_eq!(codes, expected.map(|(path, code)| (path.to_string(), code)));
}

#[test]
fn faults_of_links_reach_the_kernel_under_their_own_number() {
    let parts = Parts::of(&[2, 2, 2])
        .fault(CHURN)
        .fault(r#"{"partition":{"sides":[["g0"],["g2"]],"begin":"1m","end":"2m"}}"#)
        .fault(r#"{"clog":{"victims":{"group":"g1"},"begin":"3m","end":"4m"}}"#)
        .fault(r#"{"loss":{"victims":{"group":["g0","g1"]},"share":"20%","begin":"5m","end":"6m"}}"#);
    let faults = parts.play().link_faults();
    assert_eq!(faults.iter().map(|fault| fault.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        (faults[0].from, faults[0].until),
        (Instant::START + Duration::from_mins(1), Instant::START + Duration::from_mins(2))
    );
    let Effect::Partition { side, .. } = &faults[0].effect else { panic!("{faults:?}") };
    assert_eq!(side[..], [0, 0, NO_SIDE, NO_SIDE, 1, 1]);
    let Effect::Clog { victims } = &faults[1].effect else { panic!("{faults:?}") };
    assert_eq!(victims[..], [false, false, true, true, false, false]);
    let Effect::Loss { victims, losing } = &faults[2].effect else { panic!("{faults:?}") };
    assert_eq!(victims.iter().filter(|victim| **victim).count(), 4);
    assert_eq!(*losing, Losing::Share(Share::from_percent(20)));
}

#[test]
fn each_fault_of_links_is_said_as_it_is_written() {
    let effect = |json: &str| Parts::of(&[2, 3]).fault(json).play().link_faults()[0].effect.clone();
    let loss = r#"{"loss":{"share":"20%","burst":"2s","begin":"5m","end":"6m"}}"#;
    let Effect::Loss { losing, .. } = effect(loss) else { panic!() };
    assert_eq!(losing, Losing::Bursts(Burst::new(Share::from_percent(20), Duration::from_secs(2))));
    let duplicate =
        r#"{"duplicate":{"victims":{"group":"g0","mode":"all"},"share":"3%","begin":"5m","end":"6m"}}"#;
    let Effect::Duplicate { share, victims } = effect(duplicate) else { panic!() };
    assert_eq!((share, &victims[..]), (Share::from_percent(3), &[true, true, false, false, false][..]));
    let reorder =
        r#"{"reorder":{"victims":{"mode":"all"},"share":"4%","by":"300ms","begin":"5m","end":"6m"}}"#;
    let Effect::Reorder { share, by, victims } = effect(reorder) else { panic!() };
    assert_eq!((share, by, victims.len()), (Share::from_percent(4), Duration::from_millis(300), 5));
    for json in [duplicate, reorder] {
        let fault: Fault = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&fault).unwrap(), json);
    }
}

#[test]
fn a_one_way_partition_cuts_what_leaves_its_first_side() {
    let one_way = |division: &str| {
        let json = format!(r#"{{"partition":{{{division},"direction":"one_way","begin":"1m","end":"2m"}}}}"#);
        Parts::of(&[2, 2, 2]).fault(&json).play().link_faults()[0].clone()
    };
    let sides = one_way(r#""sides":[["g2"],["g0"]]"#);
    assert!(sides.concerns(4, 0) && !sides.concerns(0, 4) && !sides.concerns(4, 2) && !sides.concerns(4, 5));
    let split = one_way(r#""split":"50%""#);
    let Effect::Partition { side, .. } = &split.effect else { panic!("{split:?}") };
    for (from, a) in (0..).zip(side.iter()) {
        for (to, b) in (0..).zip(side.iter()) {
            assert_eq!(split.concerns(from, to), (*a, *b) == (0, 1), "the share is not heard");
        }
    }
}

#[test]
fn a_split_sets_a_random_share_against_the_rest() {
    let split = |seed| {
        let mut parts =
            Parts::of(&[60, 40]).fault(r#"{"partition":{"split":"30%","begin":"1m","end":"2m"}}"#);
        parts.seed = seed;
        match &parts.play().link_faults()[0].effect {
            Effect::Partition { side, .. } => side.to_vec(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(split(1).iter().filter(|side| **side == 0).count(), 30);
    assert!(split(1).iter().all(|side| *side < 2), "everybody is on a side");
    assert_eq!((split(1) == split(1), split(1) == split(2)), (true, false));
}

#[test]
fn a_plan_s_last_change_is_that_of_its_last_fault() {
    assert_eq!(Parts::of(&[5, 40]).play().last_change(), None);
    // The crashed are back at 8 min; the churn lasts to the run's end.
    assert_eq!(
        Parts::of(&[5, 40]).fault(CRASH).play().last_change(),
        Some(Instant::START + Duration::from_mins(8))
    );
    assert_eq!(sound().play().last_change(), Some(Instant::START + Duration::from_mins(20)));
}

#[test]
fn a_share_of_a_group_cannot_be_called_and_no_newcomer_knows_one_of_them() {
    let mut parts = Parts::of(&[10, 90]);
    parts.groups[1].1.undialable = Share::from_percent(40);
    let play = parts.play();
    let hidden: Vec<u32> = (0..100).filter(|peer| play.scene().is_undialable(*peer)).collect();
    assert!(hidden.len() == 36 && hidden.iter().all(|peer| *peer >= 10), "{hidden:?}");
    let mut lives = play.lives();
    let (mut contacts, mut met) = (Vec::new(), std::collections::BTreeSet::new());
    while let Some(event) = lives.next() {
        play.contacts(&lives, &event, &mut contacts);
        assert_eq!(contacts.len(), 3, "as many as without");
        assert!(contacts.iter().all(|peer| !hidden.contains(peer) && *peer != event.peer));
        met.extend(contacts.iter().copied());
    }
    assert!(met.len() > 60, "each is as likely: {} of 64 are known to somebody", met.len());
    parts.seed = 2;
    let other = parts.play();
    assert!(hidden.iter().any(|peer| !other.scene().is_undialable(*peer)), "who they are is drawn");
    assert!(Parts::of(&[10, 90]).play().scene().undialable().is_empty());
    for (_, group) in &mut parts.groups {
        group.undialable = Share::WHOLE;
    }
    assert_eq!(found(&parts), [("peers".to_string(), "nobody_to_call")]);
}
