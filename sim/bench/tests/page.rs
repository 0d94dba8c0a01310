//! The page of figures shows the committed results and no others. After new ones:
//! `WAVETANK_ACCEPT=1 cargo test -p wavetank-bench --test page`.

use std::collections::BTreeSet;

use wavetank_bench::{Contestant, Results, committed};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../BENCH.md");
const BEGIN: &str = "<!-- From bench/results.json; a test keeps it so. -->\n";
const END: &str = "<!-- End of the results. -->\n";

#[test]
fn the_page_shows_the_committed_results() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the page has a place for the results");
    let (shown, tail) = rest.split_once(END).expect("the place ends");
    let results = committed().unwrap();
    let fresh = format!("\n```text\n{}```\n\n{}\n", results, chart(&results));
    if std::env::var_os("WAVETANK_ACCEPT").is_some() {
        std::fs::write(PAGE, format!("{head}{BEGIN}{fresh}{END}{tail}")).unwrap();
    } else {
        assert_eq!(shown, fresh, "BENCH.md is older than results.json");
    }
}

/// CPU time per message by number of peers, as powers of ten of nanoseconds.
fn chart(results: &Results) -> String {
    let sizes: BTreeSet<u32> = results.rates.iter().map(|rate| rate.peers).collect();
    let sizes: Vec<_> = sizes.iter().map(|peers| format!("\"{peers}\"")).collect();
    let mut text =
        String::from("```mermaid\nxychart-beta\n    title \"CPU time per message, log10 of ns\"\n");
    text.push_str(&format!("    x-axis \"peers\" [{}]\n", sizes.join(", ")));
    text.push_str("    y-axis \"log10 ns\" 1 --> 4\n");
    let drawn = [
        Contestant::Wheel,
        Contestant::Heap,
        Contestant::Relay,
        Contestant::BareKademlia,
        Contestant::Inline,
        Contestant::Actor,
    ];
    for contestant in drawn {
        let of_it = results.rates.iter().filter(|rate| rate.contestant == contestant);
        let points: Vec<_> =
            of_it.map(|rate| format!("{:.2}", (1e9_f64 / rate.per_cpu_s.median).log10())).collect();
        text.push_str(&format!("    line [{}]\n", points.join(", ")));
    }
    text + "```\n"
}
