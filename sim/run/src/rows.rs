//! From what play, judge and world say to the rows and documents of the run's folder.

use std::sync::Arc;

use judge::metrics::shown;
use judge::{End, Kind, Operation, Status, When};
use kernel::{EventId, LogEntry};
use model::Plan;
use model::figure::By;
use play::{Part, Play, Subject, Tally};
use record::{
    Check, CheckKind, CheckStatus, EventRow, FaultRow, FirstFailure, OperationRow, PeerRow, Phase,
    RungSummary, SeriesRow, SummaryRow, TallyKind, TallyStatus, Threshold, ThresholdStatus, Verdict,
    VerdictStatus,
};
use types::metric::Unit;
use types::{Instant, SharedBook};

use crate::stage::{Ended, Regions};

/// Who is who in a run.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) play: Arc<Play>,
    pub(crate) book: Arc<SharedBook>,
    pub(crate) regions: Regions,
}

impl Scene<'_> {
    pub(crate) fn peer_name(&self, peer: u32) -> String {
        self.play.roster().peer_name(peer)
    }

    pub(crate) fn peer_id(&self, peer: u32) -> String {
        self.book.ids().get(peer as usize).map(ToString::to_string).unwrap_or_default()
    }

    pub(crate) fn group(&self, peer: u32) -> &str {
        let roster = self.play.roster();
        roster.group_of(peer).and_then(|group| roster.name(group)).unwrap_or_default()
    }
}

pub(crate) fn figure(figure: &model::Figure) -> record::Figure {
    let by = match figure {
        model::Figure::Cdf(cdf) => cdf.by,
        _ => By::All,
    };
    let by = match by {
        By::All => "all",
        By::Group => "group",
        By::Region => "region",
    };
    record::Figure {
        kind: figure.kind().to_owned(),
        metric: figure.metric().name.to_owned(),
        by: by.to_owned(),
    }
}

/// A fault or workload that is off by more than a tenth did not do what was asked.
const TOLERATED: u64 = 10;

/// The metrics' scope when nothing is left out.
const ALL: &str = "all";

pub(crate) fn verdict(verdict: &judge::Verdict, outcome: &Ended, scene: &Scene<'_>) -> Verdict {
    let first_failure = verdict.first_failure.as_ref().map(|failure| FirstFailure {
        what: failure.what.clone(),
        detail: failure.detail.clone(),
        at_ms: Some(failure.at.as_millis()),
        peer: failure.peer.map(|peer| scene.peer_name(peer)),
        event: None,
    });
    Verdict {
        status: match verdict.status {
            judge::VerdictStatus::Pass => VerdictStatus::Pass,
            judge::VerdictStatus::Fail => VerdictStatus::Fail,
            judge::VerdictStatus::Unknown => VerdictStatus::Unknown,
            judge::VerdictStatus::Interrupted => VerdictStatus::Interrupted,
        },
        exit_code: verdict.exit,
        reasons: verdict.reasons.iter().map(|reason| reason.text().to_owned()).collect(),
        seed: scene.plan.seed,
        fingerprint: outcome.imprint.as_ref().map(|(fingerprint, _)| fingerprint.to_string()),
        first_failure,
        checks: verdict.checks.iter().map(|result| check(result, scene)).collect(),
        thresholds: verdict.thresholds.iter().map(threshold).collect(),
        tallies: verdict.tallies.iter().map(tally).collect(),
    }
}

fn check(result: &judge::CheckResult, scene: &Scene<'_>) -> Check {
    Check {
        name: result.name.clone(),
        kind: match result.when {
            When::Always => CheckKind::Always,
            When::Sometimes => CheckKind::Sometimes,
            When::Eventually => CheckKind::Eventually,
        },
        status: match result.status {
            Status::Pass => CheckStatus::Pass,
            Status::Fail => CheckStatus::Fail,
            Status::NeverReached => CheckStatus::NeverReached,
            Status::Unknown => CheckStatus::Unknown,
        },
        detail: result.detail.clone(),
        at_ms: result.at.map(Instant::as_millis),
        peer: result.peer.map(|peer| scene.peer_name(peer)),
    }
}

fn threshold(result: &judge::ThresholdResult) -> Threshold {
    Threshold {
        metric: result.metric.name.to_owned(),
        expression: result.expression.to_string(),
        value: result.value.map(|value| shown(result.metric.unit, value)),
        status: match result.status {
            Status::Pass => ThresholdStatus::Pass,
            Status::Fail => ThresholdStatus::Fail,
            Status::NeverReached | Status::Unknown => ThresholdStatus::Unknown,
        },
        samples: result.samples,
        denominator: result.denominator.to_owned(),
    }
}

fn tally(tally: &Tally) -> record::Tally {
    let (kind, index) = match tally.subject {
        Subject::Fault(index) => (TallyKind::Fault, index),
        Subject::Workload(index, _) => (TallyKind::Workload, index),
    };
    let status = match tally.asked {
        _ if tally.is_inert() => TallyStatus::Inert,
        Some(asked) if asked.abs_diff(tally.got) > asked / TOLERATED => TallyStatus::Off,
        _ => TallyStatus::Met,
    };
    record::Tally {
        kind,
        index: u32::from(index),
        name: tally.name.clone(),
        asked: tally.asked,
        got: tally.got,
        unit: tally.unit.to_owned(),
        status,
    }
}

pub(crate) fn rung_summary(rung: &kernel::ladder::Rung) -> RungSummary {
    RungSummary { at_ns: rung.at.as_nanos(), value: rung.value.to_string() }
}

pub(crate) fn event(entry: &LogEntry) -> EventRow {
    let name = |id: EventId| record::EventId { peer: id.peer, count: id.count };
    EventRow {
        t_ns: entry.at.as_nanos(),
        event: name(entry.id),
        cause: (entry.cause != EventId::SCRIPT).then(|| name(entry.cause)),
        peer: entry.peer,
        kind: entry.kind.to_owned(),
        detail: entry.detail.clone(),
    }
}

pub(crate) fn operations<'a>(
    operations: &'a [Operation],
    scene: &'a Scene<'_>,
) -> impl Iterator<Item = OperationRow> + 'a {
    (0..).zip(operations).map(|(number, operation)| operation_row(number, operation, scene))
}

fn operation_row(number: u64, operation: &Operation, scene: &Scene<'_>) -> OperationRow {
    let (workload, _): (u16, Part) = operation.workload();
    let ended = operation.end.succeeded().is_some();
    let compared = matches!(operation.kind, Kind::Lookup | Kind::Find) && operation.of > 0 && ended;
    OperationRow {
        operation: number,
        kind: match operation.kind {
            Kind::Lookup => "lookup",
            Kind::Put => "put",
            Kind::Get => "get",
            Kind::Announce => "announce",
            Kind::Find => "find",
        }
        .to_owned(),
        workload: u32::from(workload),
        peer: operation.peer,
        peer_id: scene.peer_id(operation.peer),
        group: scene.group(operation.peer).to_owned(),
        region: scene.regions.of(operation.peer).to_owned(),
        key: operation.key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        start_ns: operation.begun.as_nanos(),
        end_ns: (operation.end != End::Unfinished).then(|| operation.ended.as_nanos()),
        outcome: match operation.end {
            End::Ok => record::Outcome::Ok,
            End::Failed => record::Outcome::Failed,
            End::Abandoned => record::Outcome::Abandoned,
            End::Unfinished => record::Outcome::Unfinished,
        },
        latency_ms: ended.then(|| operation.ended.since(operation.begun).as_secs_f64() * 1e3),
        hops: ended.then(|| u32::from(operation.hops)),
        known_in_round: operation.known_in_round.map(u32::from),
        messages: ended.then_some(operation.messages),
        timeouts: ended.then_some(operation.timeouts),
        recall: compared.then(|| f64::from(operation.hits) / f64::from(operation.of)),
        phase: if operation.begun < scene.play.measured_from() { Phase::Warmup } else { Phase::Measured },
    }
}

pub(crate) fn series(series: &[judge::SeriesRow]) -> impl Iterator<Item = SeriesRow> + '_ {
    series.iter().map(|row| SeriesRow {
        t_ms: row.at.as_millis(),
        metric: row.metric.clone(),
        scope: ALL.to_owned(),
        value: row.value,
    })
}

pub(crate) fn summary(summary: &[judge::SummaryRow]) -> impl Iterator<Item = SummaryRow> + '_ {
    summary.iter().map(|row| SummaryRow {
        metric: row.metric.name.to_owned(),
        scope: ALL.to_owned(),
        unit: match row.metric.unit {
            Unit::Time => "ns",
            Unit::Bytes => "bytes",
            Unit::Count => "count",
            Unit::Ratio => "ratio",
        }
        .to_owned(),
        samples: row.samples,
        mean: row.mean,
        min: row.min,
        p50: row.p50,
        p90: row.p90,
        p95: row.p95,
        p99: row.p99,
        max: row.max,
    })
}

pub(crate) fn peers<'a>(outcome: &'a Ended, scene: &'a Scene<'_>) -> impl Iterator<Item = PeerRow> + 'a {
    let mut lives = vec![0; outcome.counts.len()];
    let begun =
        scene.play.lives().take_while(|event| event.at < outcome.ended).filter(play::LifeEvent::is_up);
    for event in begun {
        if let Some(count) = lives.get_mut(event.peer as usize) {
            *count += 1;
        }
    }
    (0..).zip(&outcome.counts).zip(lives).map(|((number, count), lives)| PeerRow {
        number,
        name: scene.peer_name(number),
        id: scene.peer_id(number),
        group: scene.group(number).to_owned(),
        region: scene.regions.of(number).to_owned(),
        lives,
        sent_messages: count.sent,
        sent_bytes: count.sent_bytes,
        received_messages: count.received,
    })
}

/// How real processes and their stage did.
pub(crate) fn local(conduct: &fleet::Conduct) -> record::Local {
    let ms = |span: std::time::Duration| span.as_secs_f64() * 1e3;
    record::Local {
        processes: conduct.processes,
        gathered_ms: ms(conduct.gathered),
        start_ms_mean: ms(conduct.mean_start()),
        start_ms_max: ms(conduct.starts.1),
        ask_lag_ms_max: ms(conduct.ask_lag),
        late: conduct.late,
        late_ms_max: ms(conduct.latest),
        events_lost: conduct.lost,
        unanswered: conduct.unanswered + conduct.garbled,
        unseen: conduct.unseen,
        overdue: conduct.overdue,
    }
}

pub(crate) fn faults(tallies: &[Tally], ended: Instant) -> impl Iterator<Item = FaultRow> + '_ {
    tallies.iter().filter_map(move |tally| {
        let Subject::Fault(index) = tally.subject else { return None };
        Some(FaultRow {
            index: u32::from(index),
            kind: tally.kind.to_owned(),
            name: tally.name.clone(),
            from_ms: tally.begin.as_millis(),
            until_ms: tally.end.map(Instant::as_millis),
            unit: tally.unit.to_owned(),
            asked: tally.asked,
            got: tally.got,
            note: if tally.begin >= ended {
                "the run ended before it began".to_owned()
            } else {
                String::new()
            },
        })
    })
}
