//! The exit codes: part of the interface, never reused for another meaning.
//!
//! A verdict brings its own code with it; the constants here are those and what this program ends with by itself.

macro_rules! exit_codes {
    ($($name:ident $code:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub(crate) const $name: u8 = $code;)*

        /// All of them with their meanings, in order.
        pub(crate) const ALL: &[(u8, &str)] = &[$(($name, $meaning)),*];
    };
}

exit_codes! {
    PASSED 0 "everything held; what was asked for was done";
    INTERNAL 1 "an unexpected error inside wavetank";
    USAGE 2 "the command line cannot be understood";
    INVALID 3 "a scenario, a node's file or a module is invalid";
    NOTHING 4 "no run's folder is there, or it cannot be read";
    THRESHOLD 10 "a threshold was missed";
    ALWAYS 11 "an `always` check failed";
    EVENTUALLY 12 "an `eventually` check failed";
    NONDETERMINISM 13 "equal inputs gave different runs";
    PANICKED 14 "a peer panicked";
    BUDGET 15 "reserved: the run exceeded its budget of resources";
    DIVERGED 16 "runs diverged, or a folder is newer than this program";
    PROVES_NOTHING 17 "nothing is proved";
    OUTPUT 18 "output cannot be written";
    IDENTITY 20 "a node's key is missing, or cannot be used";
    PORT_IN_USE 21 "a node cannot have a port";
    DAMAGED 22 "a node's store is damaged";
    IN_USE 23 "a node's data folder is in use";
    UNREACHABLE 24 "no node answers";
    NOT_FOUND 25 "a node is not ready, or did not find or store it";
    CALL_FAILED 26 "a call of a service failed";
    INTERRUPTED 130 "interrupted by SIGINT";
    TERMINATED 143 "interrupted by SIGTERM";
}

/// What a code means.
pub(crate) fn meaning(code: u8) -> &'static str {
    ALL.iter().find(|(known, _)| *known == code).map_or("an unknown code", |(_, meaning)| meaning)
}

/// The table as `--help` shows it.
pub(crate) fn help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in ALL {
        text.push_str(&format!("  {code:>3}  {meaning}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table_is_the_constants() {
        let documented: Vec<String> = include_str!("../../README.md")
            .lines()
            .skip_while(|line| *line != "## Exit codes")
            .filter(|line| line.starts_with("| ") && !line.starts_with("| code"))
            .map(str::to_owned)
            .collect();
        let constants: Vec<_> = ALL.iter().map(|(code, meaning)| format!("| {code} | {meaning} |")).collect();
        assert_eq!(documented, constants);
    }

    #[test]
    fn codes_are_distinct_and_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
