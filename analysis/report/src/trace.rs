//! Where the time of a slow operation went, as far as the folder knows.
//!
//! The row of an operation counts its rounds and what went unanswered. If the events of the asking peer were kept, they
//! tell its longest silence, too. What was not recorded is not guessed.

use record::{EventRow, FaultRow, OperationRow, RecordError, Run};

use crate::data::Data;
use crate::words::{clock, count, counted, nanoseconds, number};

/// What the event log says of the time of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Events of the asking peer between the start and the end.
    pub(crate) events: u64,
    /// The longest time without one, in nanoseconds, and what ended it.
    pub(crate) silence: Option<(u64, String)>,
    last_ns: u64,
}

impl Trace {
    /// Of each of these operations; all empty where no events were kept.
    pub(crate) fn read(run: &Run, operations: &[OperationRow]) -> Result<Vec<Self>, RecordError> {
        let begun = |operation: &OperationRow| Self { last_ns: operation.start_ns, ..Self::default() };
        let mut traces: Vec<Self> = operations.iter().map(begun).collect();
        let events = match run.json::<EventRow>() {
            Err(RecordError::Missing { .. }) => return Ok(traces),
            events => events?,
        };
        for event in events {
            let Ok(event) = event else {
                // A log that was cut off has told what it can.
                break;
            };
            for (operation, trace) in operations.iter().zip(&mut traces) {
                let during = operation.start_ns..=operation.end_ns.unwrap_or(u64::MAX);
                if event.peer == operation.peer && during.contains(&event.t_ns) {
                    trace.add(&event);
                }
            }
        }
        Ok(traces)
    }

    fn add(&mut self, event: &EventRow) {
        let silence = event.t_ns.saturating_sub(self.last_ns);
        if self.silence.as_ref().is_none_or(|(longest, _)| silence > *longest) {
            self.silence = Some((silence, event.kind.clone()));
        }
        self.last_ns = event.t_ns;
        self.events += 1;
    }
}

/// Where the time of a slow operation went, in words.
pub(crate) fn explained(data: &Data, operation: &OperationRow, trace: &Trace) -> String {
    let mut words: Vec<String> =
        [compared(data, operation), waited(operation), sought(operation), weather(&data.faults, operation)]
            .into_iter()
            .flatten()
            .collect();
    if let Some((silence, until)) = &trace.silence {
        words.push(format!(
            "Of {} of the asking peer meanwhile, the longest silence was {}, until `{until}`.",
            counted(trace.events, "event"),
            nanoseconds(*silence as f64)
        ));
    }
    words.join(" ")
}

/// Against the median of its kind.
fn compared(data: &Data, operation: &OperationRow) -> Option<String> {
    let median_us = data.kinds.get(&operation.kind)?.latency.quantile(500)?;
    let times = operation.latency_ms? * 1e3 / median_us.max(1) as f64;
    (times >= 1.5).then(|| format!("{} times the median {}.", number(times), operation.kind))
}

fn waited(operation: &OperationRow) -> Option<String> {
    let (messages, timeouts) = (operation.messages?, operation.timeouts?);
    let requests = counted(messages.into(), "request");
    let rounds = operation.hops.map(|hops| counted(hops.into(), "round"));
    match (timeouts, rounds) {
        (0, Some(rounds)) => {
            let each = operation.latency_ms? / f64::from(operation.hops?.max(1));
            let about = nanoseconds(each * 1e6);
            Some(format!(
                "All of its {requests} were answered: the time went into {rounds}, about {about} each."
            ))
        }
        (0, None) => Some(format!("All of its {requests} were answered.")),
        (timeouts, rounds) => {
            let within = rounds.map(|rounds| format!(" in {rounds}")).unwrap_or_default();
            Some(format!(
                "{} of its {requests}{within} went unanswered; each is waited for until its time is up.",
                count(timeouts.into())
            ))
        }
    }
}

fn sought(operation: &OperationRow) -> Option<String> {
    let (known, hops) = (operation.known_in_round?, operation.hops?);
    (known < hops).then(|| {
        let first = match known {
            0 => "The asking peer's own table held the peer sought".to_owned(),
            round => format!("Round {round} named the peer sought"),
        };
        format!("{first}; the rounds after that only made sure that nobody is closer.")
    })
}

fn weather(faults: &[FaultRow], operation: &OperationRow) -> Option<String> {
    let (start, end) = (operation.start_ns / 1_000_000, operation.end_ns? / 1_000_000);
    let meets = |fault: &&FaultRow| fault.from_ms <= end && fault.until_ms.is_none_or(|until| until >= start);
    let names: Vec<String> = faults
        .iter()
        .filter(meets)
        .take(3)
        .map(|fault| format!("{} (from {})", fault.name, clock(fault.from_ms)))
        .collect();
    (!names.is_empty()).then(|| format!("Faults meanwhile: {}.", names.join(", ")))
}
