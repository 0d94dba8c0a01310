//! Statistics that gates are made of.

/// Kolmogorov's and Smirnov's bound for p = 0.01, times the root of n.
pub(crate) const KS_01: f64 = 1.628;

pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values {
        sum += value;
        count += 1;
    }
    sum / f64::from(count)
}

/// The mean of a distribution over 0, 1, 2, ….
pub(crate) fn mean_of(pmf: &[f64]) -> f64 {
    (0..).zip(pmf).map(|(value, share)| f64::from(value) * share).sum()
}

/// How often each of 0, 1, 2, … occurs, as shares.
pub(crate) fn shares(values: impl IntoIterator<Item = u32>) -> Vec<f64> {
    let mut counts: Vec<u32> = Vec::new();
    for value in values {
        let place = value as usize;
        counts.resize(counts.len().max(place + 1), 0);
        counts[place] += 1;
    }
    let all = f64::from(counts.iter().sum::<u32>());
    counts.into_iter().map(|count| f64::from(count) / all).collect()
}

/// The distance of two distributions in total variation.
pub(crate) fn variation(a: &[f64], b: &[f64]) -> f64 {
    let at = |pmf: &[f64], place: usize| pmf.get(place).copied().unwrap_or(0.0);
    (0..a.len().max(b.len())).map(|place| (at(a, place) - at(b, place)).abs()).sum::<f64>() / 2.0
}

/// The greatest distance of what was drawn from its law, times the root of how many were drawn.
pub(crate) fn kolmogorov(mut drawn: Vec<f64>, cumulative: impl Fn(f64) -> f64) -> f64 {
    drawn.sort_by(f64::total_cmp);
    let n = drawn.len() as f64;
    let worst = drawn.iter().enumerate().fold(0.0f64, |worst, (below, value)| {
        let (expected, below) = (cumulative(*value), below as f64);
        worst.max(expected - below / n).max((below + 1.0) / n - expected)
    });
    worst * n.sqrt()
}

/// The binomial distribution's shares for 0 to `most` of `n` with the chance `p`.
pub(crate) fn binomial(n: u32, p: f64, most: u32) -> Vec<f64> {
    let n = f64::from(n);
    let mut share = (n * (-p).ln_1p()).exp();
    let mut shares = vec![share];
    for count in 1..=most {
        share *= (n - f64::from(count) + 1.0) / f64::from(count) * p / (1.0 - p);
        shares.push(share);
    }
    shares
}

/// The regularised lower incomplete gamma function, by its series.
pub(crate) fn lower_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let (mut term, mut sum, mut place) = (1.0, 1.0, a);
    while term > sum * 1e-15 {
        place += 1.0;
        term *= x / place;
        sum += term;
    }
    (a * x.ln() - x - libm::lgamma(a + 1.0)).exp() * sum
}

#[test]
fn the_incomplete_gamma_function_is_known_at_whole_and_half_numbers() {
    for x in [0.1f64, 1.0, 5.0, 30.0] {
        assert!((lower_gamma(1.0, x) - (1.0 - (-x).exp())).abs() < 1e-12);
        assert!((lower_gamma(2.0, x) - (1.0 - (1.0 + x) * (-x).exp())).abs() < 1e-12);
        assert!((lower_gamma(0.5, x) - libm::erf(x.sqrt())).abs() < 1e-12);
    }
}

#[test]
fn a_wrong_law_is_told_from_the_right_one() {
    let drawn: Vec<f64> = (0..10_000).map(|place| (f64::from(place) + 0.5) / 10_000.0).collect();
    assert!(kolmogorov(drawn.clone(), |x| x) < 0.01);
    assert!(kolmogorov(drawn, |x| x.powf(1.1)) > KS_01);
    assert!((variation(&[0.5, 0.5], &[0.25, 0.25, 0.5]) - 0.5).abs() < 1e-12);
    let sum: f64 = binomial(30, 0.3, 30).iter().sum();
    assert!((sum - 1.0).abs() < 1e-9);
}
