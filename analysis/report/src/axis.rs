//! Ticks that people would choose: round numbers, whole minutes.

/// One axis: where it begins and ends, its ticks and their labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From zero to a round number above `most`, with about `wished` ticks.
    pub(crate) fn numbers(most: f64, wished: usize) -> Self {
        let step = round_step(most.max(1e-9) / wished.max(1) as f64);
        let steps = (most / step - 1e-9).ceil().max(1.0);
        let ticks = (0..=steps as u32).map(|tick| f64::from(tick) * step);
        Self {
            from: 0.0,
            to: steps * step,
            ticks: ticks.map(|value| (value, crate::words::number(value))).collect(),
        }
    }

    /// Shares from `least` or a little below, up to the whole.
    pub(crate) fn shares(least: f64) -> Self {
        let (from, steps) = match least {
            least if least >= 0.95 => (0.95, 5),
            least if least >= 0.9 => (0.9, 5),
            least if least >= 0.5 => (0.5, 5),
            _ => (0.0, 4),
        };
        let ticks = (0..=steps).map(|tick| from + (1.0 - from) * f64::from(tick) / f64::from(steps));
        Self { from, to: 1.0, ticks: ticks.map(|share| (share, crate::words::percent(share))).collect() }
    }

    /// Simulated seconds from 0 to `end`, with at most about `wished` ticks.
    pub(crate) fn time(end: f64, wished: usize) -> Self {
        const STEPS_MS: &[u64] = &[
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
            300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000,
            86_400_000,
        ];
        let end_ms = (end * 1e3).max(1.0);
        let most = wished.max(1) as f64;
        let fits = |step: &&u64| end_ms / **step as f64 <= most;
        let step = match STEPS_MS.iter().find(fits) {
            Some(step) => *step,
            None => (end_ms / most / 86_400_000.0).ceil() as u64 * 86_400_000,
        };
        let ticks = (0..).map(|tick| tick * step).take_while(|at| *at as f64 <= end_ms);
        Self {
            from: 0.0,
            to: end_ms / 1e3,
            ticks: ticks.map(|at| (at as f64 / 1e3, instant(at, step, end_ms))).collect(),
        }
    }

    /// How instants of an axis that ends at `end` seconds are to be read.
    pub(crate) fn time_unit(end: f64) -> &'static str {
        if end < 10.0 {
            "seconds"
        } else if end < 3_600.0 {
            "min:s"
        } else {
            "h:min"
        }
    }

    /// Milliseconds on a logarithmic scale: values are powers of ten, ticks are 1, 2 and 5 times those.
    pub(crate) fn log_ms(least: f64, most: f64) -> Self {
        let least = least.max(1e-3);
        let most = most.max(least * 2.0);
        let mut ticks = Vec::new();
        for exponent in -3..9 {
            for mantissa in [1.0, 2.0, 5.0] {
                let ms = mantissa * 10_f64.powi(exponent);
                if ms >= least * 0.999 && ms <= most * 1.001 {
                    ticks.push((ms.log10(), crate::words::nanoseconds(ms * 1e6)));
                }
            }
        }
        Self { from: least.log10(), to: most.log10(), ticks }
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    // Powers of ten are exact and their products with small integers too: ticks stay round.
    let power = |exponent: i32| match exponent {
        0.. => 10_f64.powi(exponent),
        _ => 1.0 / 10_f64.powi(-exponent),
    };
    let steps = (-12..18).flat_map(|exponent| [1.0, 2.0, 5.0].map(|factor| factor * power(exponent)));
    steps.into_iter().find(|round| *round >= step * 0.999_999).unwrap_or(step)
}

fn instant(at_ms: u64, step_ms: u64, end_ms: f64) -> String {
    if end_ms < 10_000.0 {
        crate::words::number(at_ms as f64 / 1e3)
    } else if end_ms < 3_600_000.0 {
        crate::words::clock(at_ms)
    } else if step_ms.is_multiple_of(86_400_000) {
        format!("{} d", at_ms / 86_400_000)
    } else {
        format!("{}:{:02}", at_ms / 3_600_000, at_ms / 60_000 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn numbers_have_round_ticks_that_reach_the_most() {
        for most in [0.003, 1.0, 7.0, 99.0, 1_000.0, 123_456.0] {
            let axis = Axis::numbers(most, 5);
            assert!(axis.to >= most && (4..=7).contains(&axis.ticks.len()), "{axis:?}");
        }
        assert_eq!(labels(&Axis::numbers(997.0, 5)), ["0", "200", "400", "600", "800", "1\u{202f}000"]);
        assert_eq!(labels(&Axis::numbers(0.0, 5)).len(), 2, "nothing at all still has an axis");
    }

    #[test]
    fn time_ticks_are_whole_units() {
        assert_eq!(
            labels(&Axis::time(1_800.0, 6)),
            ["0:00", "5:00", "10:00", "15:00", "20:00", "25:00", "30:00"]
        );
        assert_eq!(labels(&Axis::time(6.0, 6)), ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(labels(&Axis::time(7_200.0, 4)), ["0:00", "0:30", "1:00", "1:30", "2:00"]);
        for end in [0.0, 0.01, 3.0, 59.0, 3_601.0, 1e6, 1e9] {
            assert!((1..=9).contains(&Axis::time(end, 7).ticks.len()), "{end}");
        }
    }
}
