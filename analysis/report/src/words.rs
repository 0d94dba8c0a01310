//! Numbers as people read them. Thousands are parted by a narrow space, units follow a space.

use types::metric::{Unit, find};

/// Parts thousands and does not break a line.
const NARROW_SPACE: char = '\u{202f}';

/// `48 211 733`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(NARROW_SPACE);
        }
        text.push(digit);
    }
    text
}

/// A number with three significant digits; large ones whole.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if (1_000.0..1e15).contains(&size) {
        let sign = if value < 0.0 { "−" } else { "" };
        format!("{sign}{}", count(size.round() as u64))
    } else if size >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        trimmed(&format!("{value:.1}"))
    } else if size >= 1.0 {
        trimmed(&format!("{value:.2}"))
    } else if size >= 0.001 {
        trimmed(&format!("{value:.3}"))
    } else {
        format!("{value:.1e}")
    }
}

/// Nanoseconds: `240 ms`, `1.24 s`, `12 min 30 s`.
pub(crate) fn nanoseconds(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        size if size < 1e3 => (1.0, "ns"),
        size if size < 1e6 => (1e3, "µs"),
        size if size < 1e9 => (1e6, "ms"),
        size if size < 60e9 => (1e9, "s"),
        _ => return span((value.max(0.0) / 1e6).round() as u64),
    };
    format!("{} {unit}", number(value / scale))
}

/// Milliseconds of simulated time: `30 min`, `1 h 5 min`, `2.5 s`.
pub(crate) fn span(ms: u64) -> String {
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "min")];
    let mut words: Vec<String> = parts
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{} {unit}", count(*amount)))
        .collect();
    let rest = ms % 60_000;
    if rest > 0 || words.is_empty() {
        words.push(format!("{} s", number(rest as f64 / 1e3)));
    }
    words.join(" ")
}

/// An instant of simulated time: `5:00`, `1:05:00`, `0:02.5`.
pub(crate) fn clock(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    let rest = match ms % 1_000 {
        0 => String::new(),
        rest => format!(".{rest:03}").trim_end_matches('0').to_owned(),
    };
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}{rest}")
    } else {
        format!("{minutes}:{seconds:02}{rest}")
    }
}

/// Bytes: `20 KiB`.
pub(crate) fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = value;
    let mut chosen = "B";
    for unit in units {
        chosen = unit;
        if value.abs() < 1024.0 {
            break;
        }
        if unit != "TiB" {
            value /= 1024.0;
        }
    }
    format!("{} {chosen}", number(value))
}

/// A share: `98.73 %`. What is not whole is never rounded to the whole.
pub(crate) fn percent(share: f64) -> String {
    let rounded = format!("{:.2}", share * 100.0);
    match trimmed(&rounded).as_str() {
        "100" if share < 1.0 => "> 99.99 %".to_owned(),
        "0" if share > 0.0 => "< 0.01 %".to_owned(),
        text => format!("{text} %"),
    }
}

/// A value of the metric of this name, in the unit that the files have.
pub(crate) fn of_metric(metric: &str, value: f64) -> String {
    match find(metric).map(|metric| metric.unit) {
        Some(Unit::Time) => nanoseconds(value),
        Some(Unit::Bytes) => bytes(value),
        Some(Unit::Ratio) => percent(value),
        Some(Unit::Count) | None => number(value),
    }
}

/// `1 sample`, `2 samples`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number))
}

/// A goal with the signs of print: `p95 ≤ 6`.
pub(crate) fn symbols(expression: &str) -> String {
    expression.replace(">=", "≥").replace("<=", "≤")
}

fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(48_211_733), "48\u{202f}211\u{202f}733");
        assert_eq!(number(1_234.6), "1\u{202f}235");
        assert_eq!(number(0.25), "0.25");
        assert_eq!(nanoseconds(240e6), "240 ms");
        assert_eq!(nanoseconds(1.24e9), "1.24 s");
        assert_eq!(span(1_800_000), "30 min");
        assert_eq!(span(3_900_000), "1 h 5 min");
        assert_eq!(span(0), "0 s");
        assert_eq!(clock(300_000), "5:00");
        assert_eq!(clock(3_902_500), "1:05:02.5");
        assert_eq!(bytes(20.0 * 1024.0), "20 KiB");
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(counted(1, "sample"), "1 sample");
    }

    #[test]
    fn a_share_is_rounded_but_never_to_the_whole() {
        assert_eq!(percent(0.9873), "98.73 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_999), "> 99.99 %");
        assert_eq!(percent(0.000_001), "< 0.01 %");
        assert_eq!(percent(0.0), "0 %");
    }
}
