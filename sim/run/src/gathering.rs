//! What the shards find, gathered while the run goes. Now and then what there is so far is kept, so that a run that is killed leaves
//! more than its log.

use std::time::{Duration, Instant as WallInstant};

use judge::Findings;
use types::Instant;

use crate::watcher::Told;

/// Wall time between two keepings, at least: what a killed run may lose.
const KEPT_EVERY: Duration = Duration::from_secs(5);
/// Of the wall time, keeping may take one part in so many.
const SHARE: u32 = 20;

/// Gathers what `shards` shards tell until the last of them is through; `keep` is given what all have told by some moment.
pub(crate) fn gather(
    told: impl IntoIterator<Item = Told>,
    mut whole: Findings,
    shards: usize,
    mut keep: impl FnMut(&Findings, Instant),
) -> Findings {
    let mut until = vec![Instant::START; shards];
    let (mut kept, mut pause) = (WallInstant::now(), KEPT_EVERY);
    for Told { shard, until: at, findings } in told {
        whole.merge(findings);
        if let Some(until) = until.get_mut(shard) {
            *until = at;
        }
        let moment = until.iter().min().copied().unwrap_or_default();
        if kept.elapsed() >= pause && moment < Instant::NEVER {
            let begun = WallInstant::now();
            keep(&whole, moment);
            kept = WallInstant::now();
            pause = KEPT_EVERY.max(begun.elapsed() * SHARE);
        }
    }
    whole
}
