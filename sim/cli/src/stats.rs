//! Means and their intervals, from a few values that were drawn independently.

/// Student's t for a two-sided interval of 95 %, by degrees of freedom from 1 on; Abramowitz and Stegun, table 26.10.
const T_95: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/// The same for more degrees of freedom: from so many on, this much. Between two rows the wider holds.
const T_95_BEYOND: [(usize, f64); 4] = [(120, 1.980), (60, 2.000), (40, 2.021), (30, 2.042)];

/// A mean, and the interval in which 95 of 100 such intervals hold the true one.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Mean {
    pub(crate) mean: f64,
    /// None of fewer than two values.
    pub(crate) interval: Option<[f64; 2]>,
}

/// Of these values; none of no values.
pub(crate) fn mean(values: &[f64]) -> Option<Mean> {
    if values.is_empty() {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let interval = (values.len() > 1).then(|| {
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = (squares / (count - 1.0) / count).sqrt();
        let half = t_95(values.len() - 1) * error;
        [mean - half, mean + half]
    });
    Some(Mean { mean, interval })
}

fn t_95(freedom: usize) -> f64 {
    let beyond = || T_95_BEYOND.iter().find(|(from, _)| freedom >= *from).map(|(_, t)| *t);
    freedom.checked_sub(1).and_then(|place| T_95.get(place).copied()).or_else(beyond).unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_as_a_textbook_has_it() {
        // Gosset's sleep data, the differences of the two drugs: mean 1.58, interval 0.70 to 2.46.
        let sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let Mean { mean, interval } = mean(&sleep).unwrap();
        let [low, high] = interval.unwrap();
        assert!((mean - 1.58).abs() < 1e-9, "{mean}");
        assert!((low - 0.7001).abs() < 1e-3 && (high - 2.4599).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn few_values_have_no_interval_and_equal_ones_a_narrow_one() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[3.0]), Some(Mean { mean: 3.0, interval: None }));
        assert_eq!(mean(&[3.0; 5]), Some(Mean { mean: 3.0, interval: Some([3.0, 3.0]) }));
    }

    #[test]
    fn t_falls_with_the_degrees_of_freedom_and_never_below_the_normal() {
        let all: Vec<_> = (1..1_000).map(t_95).collect();
        assert!(all.windows(2).all(|pair| pair[0] >= pair[1]));
        assert!(all.iter().all(|t| *t > 1.959 && t.is_finite()));
    }
}
