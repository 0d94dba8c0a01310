//! Sessions as somebody recorded them: which peer was up when.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Duration, Instant, Share};

use super::fault::Data;
use super::select::Select;

/// Peers come and go as a file says. Each victim lives the sessions of one peer of the file, the first victim, by number,
/// those of the first peer; it is up in them and at no other time, whenever its group joins, unless another fault
/// takes it down or brings it back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordedChurn {
    /// Its name in reports. Default: `recorded_churn` and its place in the list, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who; no more than the file has peers. Default: all.
    #[serde(default)]
    pub victims: Select,
    /// A CSV file below the scenario's folder, with the columns `peer`, `up_ms` and `down_ms`: one session a line, in
    /// milliseconds since the run's beginning. `peer` is a number that tells the file's peers apart, in whose order the
    /// victims take them; an empty `down_ms` means that the session had not ended. Lines that begin with `#` are passed
    /// over. It is copied into the run's folder.
    pub file: String,
    /// The share of sessions that end with a goodbye; the others end without a word.
    #[serde(default)]
    pub graceful: Share,
    /// What their disks hold when they come back.
    #[serde(default)]
    pub data: Data,
    /// What the file says.
    #[serde(skip)]
    pub sessions: Sessions,
}

/// When a recorded peer came up and went down; [`Instant::NEVER`] for one that did not.
pub type Session = (Instant, Instant);

/// The sessions of recorded peers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// All, peer by peer, in the order of time.
    all: Arc<[Session]>,
    /// Where those of each peer end.
    ends: Arc<[u32]>,
}

/// Sessions of a file: 16 bytes each while it runs.
pub const MAX_SESSIONS: usize = 1 << 20;

/// Why sessions are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// It ends before or as it begins.
    #[error("ends before or as it begins")]
    Empty,
    /// It begins before the one before it has ended.
    #[error("begins before the peer's session before it has ended")]
    Overlapping,
}

impl Sessions {
    /// The sessions of the peers that these numbers name, in any order.
    ///
    /// # Errors
    /// The place of each that is none, and why.
    pub fn new(recorded: &[(u32, Session)]) -> Result<Self, Vec<(usize, SessionError)>> {
        let mut wrong = Vec::new();
        let mut places: Vec<usize> = (0..recorded.len()).collect();
        places.sort_by_key(|place| recorded.get(*place).map(|(peer, (up, _))| (*peer, *up)));
        let (mut all, mut ends) = (Vec::with_capacity(recorded.len()), Vec::new());
        let mut before: Option<(u32, Instant)> = None;
        for place in places {
            let Some((peer, (up, down))) = recorded.get(place).copied() else { continue };
            if down <= up {
                wrong.push((place, SessionError::Empty));
            }
            match before {
                Some((same, ended)) if same == peer && up <= ended => {
                    wrong.push((place, SessionError::Overlapping));
                }
                Some((other, _)) if other != peer => ends.push(all.len() as u32),
                _ => {}
            }
            before = Some((peer, down));
            all.push((up, down));
        }
        if before.is_some() {
            ends.push(all.len() as u32);
        }
        wrong.sort_unstable_by_key(|(place, _)| *place);
        if wrong.is_empty() { Ok(Self { all: all.into(), ends: ends.into() }) } else { Err(wrong) }
    }

    /// How many peers were recorded.
    #[must_use]
    pub fn peers(&self) -> u32 {
        self.ends.len() as u32
    }

    /// The sessions of the peer at this place among the recorded ones, in the order of time.
    #[must_use]
    pub fn of(&self, place: u32) -> &[Session] {
        let place = place as usize;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(place).copied().unwrap_or(start);
        self.all.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The last coming or going in a run of `duration`.
    pub(crate) fn last_change(&self, duration: Duration) -> Instant {
        let end = Instant::START + duration;
        let moments = self.all.iter().flat_map(|(up, down)| [*up, *down]);
        moments.filter(|at| *at < end).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn at(secs: u64) -> Instant {
        Instant::START + Duration::from_secs(secs)
    }

    #[test]
    fn sessions_are_put_in_order_peer_by_peer() {
        let recorded = [
            (9, (at(50), Instant::NEVER)),
            (3, (at(0), at(10))),
            (9, (at(1), at(40))),
            (3, (at(20), at(30))),
        ];
        let sessions = Sessions::new(&recorded).unwrap();
        assert_eq!(sessions.peers(), 2);
        assert_eq!(sessions.of(0), [(at(0), at(10)), (at(20), at(30))]);
        assert_eq!(sessions.of(1), [(at(1), at(40)), (at(50), Instant::NEVER)]);
        assert_eq!(sessions.of(2), []);
        assert_eq!(sessions.last_change(Duration::from_secs(60)), at(50));
        assert_eq!(sessions.last_change(Duration::from_secs(35)), at(30));
        assert_eq!(Sessions::new(&[]).unwrap().peers(), 0);
    }

    #[test]
    fn what_is_no_session_is_named_by_its_place() {
        let recorded =
            [(1, (at(5), at(5))), (2, (at(0), Instant::NEVER)), (2, (at(9), at(10))), (1, (at(7), at(8)))];
        let wrong = Sessions::new(&recorded).unwrap_err();
        assert_eq!(wrong, vec![(0, SessionError::Empty), (2, SessionError::Overlapping)]);
    }
}
