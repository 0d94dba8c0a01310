//! "Did you mean": the nearest of the known names, if it is near enough to be what was meant.

/// The name among `known` that `written` most probably meant.
///
/// Near enough is one slip in three characters: more would propose unrelated words.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > MAX_WRITTEN {
        return None;
    }
    let folded = fold(written);
    let distance = |name: &str| strsim::damerau_levenshtein(&folded, &fold(name));
    let allowed = folded.chars().count().div_ceil(3);
    let contained = |name: &str| folded.len() >= 3 && fold(name).split('_').any(|word| word == folded);
    known
        .into_iter()
        .map(|name| (if contained(name) { 1 } else { distance(name) }, name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Longer than this, nothing known was meant, and the distance would cost its square.
const MAX_WRITTEN: usize = 64;

/// Spelling habits that do not count as slips.
fn fold(name: &str) -> String {
    name.to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KNOWN: [&str; 5] = ["duration", "warmup", "request_timeout", "from", "at"];

    #[test]
    fn slips_find_what_was_meant() {
        for (written, meant) in [
            ("duraton", "duration"),
            ("Warmup", "warmup"),
            ("warm-up", "warmup"),
            ("request-timeout", "request_timeout"),
            ("timeout", "request_timeout"),
            ("form", "from"),
        ] {
            assert_eq!(nearest(written, KNOWN), Some(meant), "{written}");
        }
    }

    #[test]
    fn unrelated_words_find_nothing() {
        for written in ["colour", "x", "", &"duration".repeat(100)] {
            assert_eq!(nearest(written, KNOWN), None, "{written}");
        }
    }
}
