//! Asked against got: what each fault and workload was to touch, and what it touched.
//!
//! What was asked is declared before the run. What was got is counted by whoever did it: lives as they begin and end,
//! messages as links fail them, operations as clients begin them. Nobody counts what was merely planned.

use alloc::string::String;

use types::{Instant, OperationId};

use crate::serial::{self, Part};

/// The unit of a tally that counts the clients that asked at least once.
pub(crate) const CLIENTS: &str = "clients";

/// What one fault, or one part of a workload, was asked to do and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Whose it is.
    pub subject: Subject,
    /// What kind of thing that is: `churn`, `lookups`.
    pub kind: &'static str,
    /// Its name in reports.
    pub name: String,
    /// When it begins to act.
    pub begin: Instant,
    /// When it has acted; `None` if what it did lasts to the run's end.
    pub end: Option<Instant>,
    /// What is counted.
    pub unit: &'static str,
    /// How many it was asked for; `None` if only the run can tell, and then at least one.
    pub asked: Option<u64>,
    /// How many came of it.
    pub got: u64,
}

/// A fault or a part of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A fault, by its place in the scenario's list.
    Fault(u16),
    /// A part of a workload, by its workload's place in the list.
    Workload(u16, Part),
}

impl Tally {
    /// Counts `id` if it is an operation of this workload that counts here.
    pub fn begin(&mut self, id: OperationId) {
        let (workload, part) = serial::workload_of(id);
        let counts = self.unit != CLIENTS || serial::is_first(id);
        if self.subject == Subject::Workload(workload, part) && counts {
            self.got += 1;
        }
    }

    /// Whether it touched nothing at all: then the run proves nothing about it.
    #[must_use]
    pub const fn is_inert(&self) -> bool {
        self.got == 0
    }
}
