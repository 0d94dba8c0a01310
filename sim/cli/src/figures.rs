//! Numbers as people write them, in the units of scenarios: `412ms`, `98.7%`, `1,482`.

use types::metric::{Unit, find};

/// A whole number, its thousands parted.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 peer`, `20 peers`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number))
}

/// A number with three significant digits; large ones whole.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if (1_000.0..1e15).contains(&size) => {
            let sign = if value < 0.0 { "-" } else { "" };
            return format!("{sign}{}", count(size.round() as u64));
        }
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 || size == 0.0 => 2,
        size if size >= 0.001 => 3,
        _ => return format!("{value:.1e}"),
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A large number, shortened: `1.21M`.
pub(crate) fn short(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{}G", number(value / 1e9)),
        value if value >= 1e6 => format!("{}M", number(value / 1e6)),
        value if value >= 1e4 => format!("{}k", number(value / 1e3)),
        value => number(value.round()),
    }
}

/// A span of time: `412ms`, `1.24s`, `2m5s`, `1h5m`.
pub(crate) fn nanos(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        size if size < 1e3 => (1.0, "ns"),
        size if size < 1e6 => (1e3, "µs"),
        size if size < 1e9 => (1e6, "ms"),
        size if size < 59.95e9 => (1e9, "s"),
        size => return long((size / 1e9).round() as u64),
    };
    format!("{}{unit}", number(value / scale))
}

/// A moment of simulated time, to the microsecond: what was near in time is to be told apart.
pub(crate) fn clock(ns: u64) -> String {
    let (seconds, micros) = (ns / 1_000_000_000, ns / 1_000 % 1_000_000);
    let text = format!("{seconds}.{micros:06}");
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The same with all its digits, for columns.
pub(crate) fn stamp(ns: u64) -> String {
    format!("{}.{:06}s", ns / 1_000_000_000, ns / 1_000 % 1_000_000)
}

/// Milliseconds of simulated time.
pub(crate) fn millis(ms: u64) -> String {
    nanos(ms as f64 * 1e6)
}

/// A minute or more, from its largest unit down to the next: whoever asks for hours asks for no seconds.
fn long(seconds: u64) -> String {
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let largest = parts.iter().skip_while(|(amount, _)| *amount == 0).take(2);
    largest.filter(|(amount, _)| *amount > 0).map(|(amount, unit)| format!("{amount}{unit}")).collect()
}

/// A share; what is not whole is never rounded to the whole.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    match text.trim_end_matches('0').trim_end_matches('.') {
        "100" if share < 1.0 => ">99.99%".to_owned(),
        "0" if share > 0.0 => "<0.01%".to_owned(),
        text => format!("{text}%"),
    }
}

/// An amount of memory or traffic.
pub(crate) fn bytes(value: f64) -> String {
    let mut value = value;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value.abs() < 1_024.0 {
            return format!("{} {unit}", number(value));
        }
        value /= 1_024.0;
    }
    format!("{} TiB", number(value))
}

/// A value of the metric of this name, in the unit that files have.
pub(crate) fn of_metric(metric: &str, value: f64) -> String {
    match find(metric).map(|metric| metric.unit) {
        Some(Unit::Time) => nanos(value),
        Some(Unit::Bytes) => bytes(value),
        Some(Unit::Ratio) => percent(value),
        Some(Unit::Count) | None => number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(48_211_733), "48,211,733");
        assert_eq!(counted(1, "peer"), "1 peer");
        for (value, text) in
            [(0.0, "0"), (0.25, "0.25"), (3.0, "3"), (12.34, "12.3"), (123.4, "123"), (-1_234.6, "-1,235")]
        {
            assert_eq!(number(value), text);
        }
        for (value, text) in [(950.4, "950"), (12_345.0, "12.3k"), (1.214e6, "1.21M"), (2e9, "2G")] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        for (value, text) in [
            (0.0, "0ns"),
            (412e6, "412ms"),
            (1.24e9, "1.24s"),
            (59.96e9, "1m"),
            (125e9, "2m5s"),
            (3_900e9, "1h5m"),
            (7_230e9, "2h"),
            (604_800e9, "7d"),
        ] {
            assert_eq!(nanos(value), text);
        }
    }

    #[test]
    fn a_share_is_rounded_but_never_to_the_whole() {
        for (share, text) in [
            (0.9873, "98.73%"),
            (1.0, "100%"),
            (0.999_999, ">99.99%"),
            (0.000_001, "<0.01%"),
            (0.0, "0%"),
            (0.5, "50%"),
        ] {
            assert_eq!(percent(share), text);
        }
        assert_eq!(bytes(20.0 * 1_024.0), "20 KiB");
        assert_eq!(bytes(5e15), "4,547 TiB");
    }
}
