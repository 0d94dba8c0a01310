//! Ids of operations: who asked is in the number, so that no two askers need to agree.
//!
//! From the most significant bit: the workload (11 bits), the part of it (1), the client or 0 for an open arrival (20),
//! a count (32).

use types::OperationId;

/// Workloads of a plan, users' own included.
pub const MAX_WORKLOADS: usize = 1 << 11;
/// Clients of a workload.
pub const MAX_CLIENTS: u32 = (1 << 20) - 1;

/// Which of the streams of a workload an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The only one, or the one that stores.
    First,
    /// The one that fetches.
    Second,
}

/// One asker's ids, in order.
#[derive(Clone, Debug)]
pub struct Serials {
    next: u64,
}

impl Serials {
    /// The ids of the open arrivals of a part of a workload.
    #[must_use]
    pub const fn open(workload: u16, part: Part) -> Self {
        Self { next: (workload as u64) << 53 | (part as u64) << 52 }
    }

    /// The ids of a client, counted from zero and below [`MAX_CLIENTS`].
    #[must_use]
    pub const fn client(workload: u16, part: Part, client: u32) -> Self {
        Self { next: Self::open(workload, part).next | ((client as u64 + 1) & MAX_CLIENTS as u64) << 32 }
    }

    /// The next id.
    pub const fn issue(&mut self) -> OperationId {
        let id = OperationId(self.next);
        self.next += 1;
        id
    }
}

/// The workload, and the part of it, that an operation belongs to.
#[must_use]
pub const fn workload_of(id: OperationId) -> (u16, Part) {
    let part = if id.0 >> 52 & 1 == 0 { Part::First } else { Part::Second };
    ((id.0 >> 53) as u16, part)
}

/// The client that asked for an operation; `None` for an open arrival.
#[must_use]
pub const fn client_of(id: OperationId) -> Option<u32> {
    match (id.0 >> 32 & MAX_CLIENTS as u64).checked_sub(1) {
        Some(client) => Some(client as u32),
        None => None,
    }
}

/// Whether it is its asker's first.
#[must_use]
pub const fn is_first(id: OperationId) -> bool {
    id.0 as u32 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_who_asked() {
        let mut serials = Serials::client(7, Part::Second, 41);
        let (first, second) = (serials.issue(), serials.issue());
        assert_eq!((is_first(first), is_first(second)), (true, false));
        assert_eq!((workload_of(second), client_of(second)), ((7, Part::Second), Some(41)));
        let open = Serials::open(2_047, Part::First).issue();
        assert_eq!((workload_of(open), client_of(open)), ((2_047, Part::First), None));
    }
}
