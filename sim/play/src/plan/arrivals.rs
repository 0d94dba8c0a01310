//! When operations begin.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Duration, Rate};

use super::distribution::Distribution;

/// When operations begin.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// At random moments, whether or not earlier ones have ended.
    Open(Open),
    /// By clients that wait for their answer and think before they ask again.
    Closed(Closed),
    /// At random moments, at a rate that changes from stage to stage: the first begins with the workload, and nobody
    /// asks once the last is over.
    Staged(Stages),
    /// At the moments that a file lists.
    Recorded(Recorded),
}

/// When something is stored or announced. Never by clients: whoever asks for it at another peer must know when that was,
/// and a client that waits for its answers tells nobody.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Puts {
    /// At random moments, whether or not earlier ones have ended.
    Open(Open),
    /// At random moments, at a rate that changes from stage to stage: the first begins with the workload, and nothing
    /// comes once the last is over.
    Staged(Stages),
    /// At the moments that a file lists.
    Recorded(Recorded),
}

/// A Poisson stream over all selected peers that are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Operations per time, by all of them together.
    pub rate: Rate,
}

/// Clients, each pinned to one of the selected peers.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// How many.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub clients: u32,
    /// How long each waits after an answer, and before its first question.
    pub think: Distribution,
}

/// Stages, one after the other. The first begins with the workload; nobody asks once the last is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Stages(pub Vec<Stage>);

/// A while in which operations begin at one rate, or at one that rises or falls evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: Duration,
    /// Operations per time, by all selected peers together; `0/s` is a pause. With `from`, the rate at the stage's end.
    pub rate: Rate,
    /// The rate at its beginning, from which it rises or falls evenly to `rate`. Default: `rate` all along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Rate>,
}

/// Moments from a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// A CSV file in the scenario's folder or below it, by its relative path. Its only column is `at_ms`: when an operation
    /// begins, in milliseconds after the workload's `begin`, in order. Moments beyond the workload's `end` are left out.
    pub file: String,
    /// What stands there: moments after the workload's begin, in order.
    #[serde(skip)]
    pub moments: Arc<[Duration]>,
}

impl Arrivals {
    /// What kind of arrivals it is, as a scenario writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Closed(_) => "closed",
            Self::Staged(_) => "staged",
            Self::Recorded(_) => "recorded",
        }
    }

    /// How many operations are expected to begin between `from` and `until`, both counted from the workload's begin;
    /// `None` if only the run can tell.
    #[must_use]
    pub fn expected(&self, from: Duration, until: Duration) -> Option<u64> {
        match self {
            Self::Open(open) => {
                let span = until.saturating_sub(from).as_nanos();
                Some(span.checked_div(open.rate.mean_gap().as_nanos()).unwrap_or(u64::MAX))
            }
            Self::Closed(_) => None,
            Self::Staged(stages) => {
                let (mut begin, mut sum) = (Duration::ZERO, 0.0);
                for stage in &stages.0 {
                    let within = |moment: Duration| moment.saturating_sub(begin).min(stage.lasts);
                    sum += stage.expected(within(until)) - stage.expected(within(from));
                    begin = begin + stage.lasts;
                }
                Some(sum as u64)
            }
            Self::Recorded(recorded) => {
                let before = |end| recorded.moments.partition_point(|moment| *moment < end);
                Some(before(until).saturating_sub(before(from)) as u64)
            }
        }
    }
}

impl From<Puts> for Arrivals {
    fn from(puts: Puts) -> Self {
        match puts {
            Puts::Open(open) => Self::Open(open),
            Puts::Staged(stages) => Self::Staged(stages),
            Puts::Recorded(recorded) => Self::Recorded(recorded),
        }
    }
}

/// Occurrences a second.
fn per_second(rate: Rate) -> f64 {
    match rate.mean_gap() {
        Duration::MAX => 0.0,
        gap => 1.0 / gap.as_secs_f64(),
    }
}

impl Stage {
    /// The rates at its beginning and at its end, in occurrences a second.
    fn rates(&self) -> (f64, f64) {
        (per_second(self.from.unwrap_or(self.rate)), per_second(self.rate))
    }

    /// How many operations are expected by `moment` of it.
    #[must_use]
    pub fn expected(&self, moment: Duration) -> f64 {
        let (first, last) = self.rates();
        let (at, whole) = (moment.as_secs_f64(), self.lasts.as_secs_f64());
        if whole == 0.0 {
            return 0.0;
        }
        at * (first + (last - first) * at / whole / 2.0)
    }

    /// The moment of it by which so many operations are expected; `None` if it is over before.
    #[must_use]
    pub fn moment(&self, expected: f64) -> Option<Duration> {
        let (first, last) = self.rates();
        if expected >= self.expected(self.lasts) {
            return None;
        }
        // The root of slope / 2 · t² + first · t = expected, in the form that is exact where the slope is nothing.
        let slope = (last - first) / self.lasts.as_secs_f64();
        let root = libm::sqrt(first * first + 2.0 * slope * expected);
        Some(Duration::from_secs_f64_rounded(2.0 * expected / (first + root)).min(self.lasts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn stage(lasts: u64, from: Option<u64>, rate: u64) -> Stage {
        let from = from.map(Rate::per_second);
        Stage { lasts: Duration::from_secs(lasts), rate: Rate::per_second(rate), from }
    }

    #[test]
    fn a_moment_is_where_its_operations_are_expected() {
        for stage in
            [stage(60, None, 5), stage(60, Some(0), 10), stage(60, Some(9), 1), stage(60, Some(9), 0)]
        {
            let whole = stage.expected(stage.lasts);
            assert!((1.0..301.0).contains(&whole) && stage.moment(whole).is_none());
            for part in [0.0, 0.25, 0.5, 0.999] {
                let moment = stage.moment(whole * part).unwrap();
                assert!((stage.expected(moment) - whole * part).abs() < 1e-6, "{stage:?} at {part}");
            }
        }
        assert_eq!(stage(60, None, 0).moment(0.0), None, "a pause");
    }

    #[test]
    fn what_is_expected_counts_from_the_beginning_of_the_workload() {
        let minutes = Duration::from_mins;
        let staged =
            Arrivals::Staged(Stages(vec![stage(60, None, 1), stage(60, Some(1), 3), stage(60, None, 3)]));
        let expected = |from, until| staged.expected(minutes(from), minutes(until));
        assert_eq!(
            [expected(0, 1), expected(1, 2), expected(2, 9), expected(0, 9), expected(5, 9)],
            [60, 120, 180, 360, 0].map(Some)
        );
        let moments = [1, 2, 3].map(minutes).into();
        let recorded = Arrivals::Recorded(Recorded { file: String::new(), moments });
        assert_eq!(recorded.expected(minutes(2), minutes(3)), Some(1));
    }
}
