//! Every rule of the verdict, with a case.

use judge::{Circumstances, Completeness, Judgement, Panic, Reason, Status, VerdictStatus};
use node::{Command, Event};
use types::{Duration, Instant};

use crate::common::*;

const LINK_FAULT: &str = r#"{"clog": {"victims": {"mode": "one"}, "begin": "1m", "end": "2m"}}"#;
const GOAL: &str = r#"{"lookup.success_ratio": ">= 99%"}"#;

struct Case<'a> {
    checks: &'a str,
    thresholds: &'a str,
    workloads: &'a [&'a str],
    faults: &'a [&'a str],
    answers: bool,
    queue: usize,
    circumstances: Circumstances<'a>,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            checks: r#"{"always": ["queues_bounded"], "sometimes": ["contact_evicted"]}"#,
            thresholds: GOAL,
            workloads: &[LOOKUPS],
            faults: &[CHURN],
            answers: true,
            queue: 0,
            circumstances: whole(),
        }
    }
}

fn judged(case: &Case<'_>) -> Judgement {
    let play = play_of(case.workloads, case.faults);
    let plan = plan_of(case.checks, case.thresholds, &play);
    let perfect = perfect(&play);
    let answer = |peer: u32, command: &Command, at: Instant| -> Option<(Instant, Event)> {
        if case.answers {
            return perfect(peer, command, at);
        }
        let id = command.operation()?;
        Some((at + Duration::from_secs(1), ended(id, kad::Outcome::Isolated, &[], 0)))
    };
    let queue = |_: u32, _: Instant| case.queue;
    let acting = Acting { answer: &answer, queue: &queue, kad: &no_kad, order: 0 };
    plan.conclude([act(&plan, &play, &acting, |_| true)], &case.circumstances)
}

fn verdict(case: &Case<'_>) -> (VerdictStatus, u8, Vec<String>) {
    let verdict = judged(case).verdict;
    (verdict.status, verdict.exit, verdict.reasons.iter().map(|reason| reason.text().to_string()).collect())
}

fn panics() -> [Panic; 2] {
    let panic = |secs_in, peer| Panic { at: secs(secs_in), peer, message: "index out of bounds".into() };
    [panic(20, 3), panic(10, 30)]
}

#[test]
fn what_holds_passes_and_what_was_never_seen_is_only_reported() {
    let judgement = judged(&Case::default());
    let verdict = &judgement.verdict;
    assert_eq!((verdict.status, verdict.exit, &verdict.reasons), (VerdictStatus::Pass, 0, &vec![]));
    assert_eq!(verdict.checks[1].status, Status::NeverReached);
    assert_eq!(verdict.first_failure, None);
    let goal = &verdict.thresholds[0];
    assert_eq!((goal.status, goal.value), (Status::Pass, Some(1_000_000)));
    assert!(goal.samples > 900 && goal.denominator == "lookups begun after the warmup that ended");
    assert!(
        verdict.tallies.iter().all(|tally| tally.got > 0 && tally.asked >= Some(tally.got)),
        "{:?}",
        verdict.tallies
    );
}

#[test]
fn a_panicked_peer_fails_a_run_above_all() {
    let panics = panics();
    let circumstances = Circumstances { panics: &panics, difference: Some("rung 3 differs"), ..whole() };
    let case = Case { circumstances, queue: 500, answers: false, ..Case::default() };
    let judgement = judged(&case);
    assert_eq!((judgement.verdict.status, judgement.verdict.exit), (VerdictStatus::Fail, 14));
    let exits: Vec<_> = judgement.verdict.reasons.iter().map(Reason::exit).collect();
    assert_eq!(exits, [14, 14, 13, 11, 10]);
    assert_eq!(judgement.verdict.reasons[0].text(), "peer 30 panicked at 10s: index out of bounds");
    // The invariant was broken at the first sampling instant, at which peer 30 panicked too.
    let first = judgement.verdict.first_failure.unwrap();
    assert_eq!((first.at, first.peer, first.what.as_str()), (secs(10), Some(0), "queues_bounded"));
}

#[test]
fn each_kind_of_failure_has_its_code() {
    let fails = |case: Case<'_>, code: u8, text: &str| {
        let (status, exit, reasons) = verdict(&case);
        assert_eq!((status, exit, reasons.as_slice()), (VerdictStatus::Fail, code, &[text.to_string()][..]));
    };
    fails(
        Case {
            circumstances: Circumstances { difference: Some("rung 3 differs"), ..whole() },
            ..Case::default()
        },
        13,
        "rung 3 differs",
    );
    let broken = "queues_bounded did not always hold: 129 inputs wait, more than 128, and ";
    let (status, exit, reasons) = verdict(&Case { queue: 129, ..Case::default() });
    assert_eq!((status, exit, reasons.len()), (VerdictStatus::Fail, 11, 1));
    assert!(reasons[0].starts_with(broken), "{reasons:?}");
    let missed = Case { answers: false, ..Case::default() };
    let (status, exit, reasons) = verdict(&missed);
    assert_eq!((status, exit, reasons.len()), (VerdictStatus::Fail, 10, 1));
    assert!(reasons[0].starts_with("lookup.success_ratio >= 99% was missed: it is 0% ("), "{reasons:?}");
    let eventually = r#"{"eventually": {"within": "1m", "hold": ["stored_records_found"]}}"#;
    let unfound = Case {
        checks: eventually,
        workloads: &[LOOKUPS, RECORDS],
        thresholds: "{}",
        answers: true,
        ..Case::default()
    };
    assert_eq!(verdict(&unfound).0, VerdictStatus::Pass);
}

#[test]
fn what_does_not_come_to_hold_is_a_failure_of_its_own() {
    let play = play_of(&[RECORDS], &[]);
    let plan = plan_of(r#"{"eventually": {"within": "1m", "hold": ["stored_records_found"]}}"#, "{}", &play);
    let perfect = perfect(&play);
    let forgetful = |peer: u32, command: &Command, at: Instant| match command {
        Command::Kad(kad::Command { id, operation: kad::Operation::Get(_) }) => {
            Some((at, ended(*id, kad::Outcome::NotFound, &[], 0)))
        }
        other => perfect(peer, other, at),
    };
    let verdict =
        judge(&plan, &play, &Acting { answer: &forgetful, queue: &idle, kad: &no_kad, order: 0 }).verdict;
    assert_eq!((verdict.status, verdict.exit), (VerdictStatus::Fail, 12));
    assert!(verdict.reasons[0].text().starts_with("stored_records_found did not come to hold: "));
}

#[test]
fn the_gravest_word_wins_wherever_it_stands() {
    // A check that cannot be told comes first, a missed goal after it.
    let case = Case { checks: r#"{"always": ["buckets_well_formed"]}"#, answers: false, ..Case::default() };
    let judgement = judged(&case);
    let exits: Vec<_> = judgement.verdict.reasons.iter().map(Reason::exit).collect();
    assert_eq!((judgement.verdict.exit, exits), (10, vec![10, 17]));
    // A broken invariant of a user's outweighs an earlier check that did not come to hold.
    let play = play_of(&[], &[]);
    let mut plan =
        plan_of(r#"{"eventually": {"within": "1m", "hold": ["stored_records_found"]}}"#, "{}", &play);
    plan.add(judge::checker("queues_bounded").unwrap());
    let queue = |_: u32, _: Instant| 129;
    let answer = |_: u32, _: &Command, _: Instant| None;
    let verdict =
        judge(&plan, &play, &Acting { answer: &answer, queue: &queue, kad: &no_kad, order: 0 }).verdict;
    assert_eq!(verdict.reasons.iter().map(Reason::exit).collect::<Vec<_>>(), [11, 17]);
}

#[test]
fn a_run_that_proves_nothing_says_why() {
    let proves_nothing = |case: Case<'_>, text: &str| {
        let (status, exit, reasons) = verdict(&case);
        assert_eq!((status, exit, reasons.as_slice()), (VerdictStatus::Unknown, 17, &[text.to_string()][..]));
    };
    let touched = [(0, 0)];
    let circumstances = Circumstances { touched: &touched, ..whole() };
    let inert = Case { faults: &[LINK_FAULT], circumstances, ..Case::default() };
    proves_nothing(inert, "fault `clog0` touched nobody: 0 messages");
    let late = r#"{"lookups": {"name": "late", "from": {"mode": "fixed", "value": 0}, "arrivals": {"open": {"rate": "1/s"}}, "target": "random_key"}}"#;
    let (_, exit, reasons) = verdict(&Case { workloads: &[LOOKUPS, late], ..Case::default() });
    assert_eq!(exit, 17);
    assert!(reasons[0].starts_with("workload `late` asked nothing: 0 of "), "{reasons:?}");
    let few = r#"{"lookups": {"arrivals": {"open": {"rate": "2/m"}}, "target": "present_peer"}}"#;
    let (_, exit, reasons) = verdict(&Case { workloads: &[few], ..Case::default() });
    assert_eq!(exit, 17);
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    assert!(reason.starts_with("lookup.success_ratio >= 99% rests on "), "{reason}");
    assert!(reason.ends_with(" samples, fewer than 30"), "{reason}");
    let unserved = r#"{"always": ["buckets_well_formed"]}"#;
    proves_nothing(
        Case { checks: unserved, ..Case::default() },
        "buckets_well_formed could not be told: nobody could be asked",
    );
}

#[test]
fn a_fault_of_links_counts_what_the_links_say() {
    let touched = [(0, 12)];
    let circumstances = Circumstances { touched: &touched, ..whole() };
    let judgement = judged(&Case { faults: &[LINK_FAULT], circumstances, ..Case::default() });
    assert_eq!(judgement.verdict.status, VerdictStatus::Pass);
    let clog = &judgement.verdict.tallies[0];
    assert_eq!((clog.kind, clog.asked, clog.got), ("clog", None, 12));
}

#[test]
fn a_stopped_run_is_interrupted_unless_a_fact_stands_against_it() {
    let stopped = Circumstances {
        ended: secs(65),
        completeness: Completeness::Interrupted,
        ..Circumstances::default()
    };
    // Too few samples and a fault that had not come yet are nobody's fault then.
    let case = Case { circumstances: stopped, faults: &[LINK_FAULT], ..Case::default() };
    assert_eq!(verdict(&case), (VerdictStatus::Interrupted, 130, vec![]));
    // Nor is a goal that was missed so far, however clearly.
    let goal = r#"{"messages.sent": ">= 1000000"}"#;
    let judgement = judged(&Case { circumstances: stopped, thresholds: goal, ..Case::default() });
    assert_eq!(judgement.verdict.thresholds[0].status, Status::Fail);
    assert_eq!(
        (judgement.verdict.status, judgement.verdict.first_failure),
        (VerdictStatus::Interrupted, None)
    );
    let panics = panics();
    let case = Case { circumstances: Circumstances { panics: &panics, ..stopped }, ..Case::default() };
    assert_eq!((verdict(&case).0, verdict(&case).1), (VerdictStatus::Fail, 14));
}

#[test]
fn what_begins_in_the_warmup_counts_for_no_goal() {
    let play = play_of(&[LOOKUPS], &[]);
    let plan = plan_of("{}", GOAL, &play);
    let perfect = perfect(&play);
    // Some of what begins in the warmup ends after it.
    let cold = |peer: u32, command: &Command, at: Instant| {
        if at < secs(60) {
            let ends = at + Duration::from_secs(20);
            return Some((ends, ended(command.operation()?, kad::Outcome::Isolated, &[], 0)));
        }
        perfect(peer, command, at)
    };
    let judgement = judge(&plan, &play, &Acting { answer: &cold, queue: &idle, kad: &no_kad, order: 0 });
    assert_eq!(judgement.verdict.status, VerdictStatus::Pass);
    let early = judgement.operations.iter().filter(|lookup| lookup.begun < secs(60)).count();
    assert!(early > 80, "{early} lookups began in the warmup and failed");
    let row = judgement.summary.iter().find(|row| row.metric.name == "lookup.success_ratio").unwrap();
    let late = judgement.operations[early..].iter().filter(|lookup| lookup.end == judge::End::Ok).count();
    assert_eq!((row.mean, row.samples), (Some(1.0), late as u64));
    // Ten messages an operation, those up to the last sampling instant; of them, those since the warmup.
    let sent = |from: u64| {
        let in_time = |lookup: &&judge::Operation| lookup.begun >= secs(from) && lookup.begun < secs(600);
        10.0 * judgement.operations.iter().filter(in_time).count() as f64
    };
    let total = judgement.series.iter().rfind(|row| row.metric == "messages.sent").unwrap();
    let measured = judgement.summary.iter().find(|row| row.metric.name == "messages.sent").unwrap();
    assert_eq!((total.value, measured.mean), (sent(0), Some(sent(60))));
}

#[test]
fn a_put_succeeds_if_more_than_half_of_the_asked_acknowledge_it() {
    let play = play_of(&[RECORDS], &[]);
    let plan = plan_of("{}", "{}", &play);
    let ratio = |acknowledged: u16, asked: u16| {
        let answer = |_: u32, command: &Command, at: Instant| {
            Some((at, ended(command.operation()?, kad::Outcome::Stored { acknowledged, asked }, &[], 0)))
        };
        let judgement =
            judge(&plan, &play, &Acting { answer: &answer, queue: &idle, kad: &no_kad, order: 0 });
        judgement.summary.iter().find(|row| row.metric.name == "record.put_success_ratio").unwrap().mean
    };
    assert_eq!((ratio(11, 20), ratio(10, 20), ratio(0, 0)), (Some(1.0), Some(0.0), Some(0.0)));
}

#[test]
fn mistakes_of_what_is_to_be_judged_are_found() {
    use judge::plan::{Checks, Observe, Thresholds};
    let workloads = [serde_json::from_str(LOOKUPS).unwrap()];
    let faults = [serde_json::from_str(&CHURN.replace("5m", "9m")).unwrap()];
    let groups = [("all".to_string(), play::Group::of(PEERS))];
    let inputs = play::Inputs {
        groups: &groups,
        workloads: &workloads,
        faults: &faults,
        duration: RUN,
        warmup: Duration::ZERO,
        seed: types::Seed(1),
    };
    let checks: Checks = serde_json::from_str(
        r#"{"always": ["queues_bounded", "contact_evicted", "queues_bounded", "all_is_well"],
            "eventually": {"within": "2m", "hold": ["routing_converged"]}}"#,
    )
    .unwrap();
    let thresholds: Thresholds =
        serde_json::from_str(r#"{"record.get_latency": "p50 < 1s", "lookup.hops": "max < 9"}"#).unwrap();
    let observe: Observe =
        serde_json::from_str(r#"{"sample_every": "11m", "events": {"group": "nobody"}}"#).unwrap();
    let found: Vec<_> = judge::problems(&inputs, &checks, &thresholds, &observe)
        .into_iter()
        .map(|problem| (problem.path, problem.code))
        .collect();
    let expected = [
        ("checks.always.1", "wrong_check_kind"),
        ("checks.always.2", "duplicate_check"),
        ("checks.always.3", "unknown_check"),
        ("checks.eventually.within", "window_beyond_run"),
        ("thresholds.record.get_latency", "metric_without_source"),
        ("observe.sample_every", "window_beyond_run"),
        ("observe.events.group", "unknown_group"),
    ];
    assert_eq!(found, expected.map(|(path, code)| (path.to_string(), code)));
    assert_eq!(judge::problems(&inputs, &Checks::default(), &Thresholds::default(), &Observe::default()), []);
}
