//! The report of a made-up run: its numbers are those of the files, and no folder breaks it.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};

use record::calibration::{Deviation, Measure, Standing, Stretch};
use record::{Calibration, Run, RunStatus};
use wavetank_report::overlay::{self, Figure, Named, overlay};
use wavetank_report::{ReportError, write};

mod fixture;
use fixture::{Fixture, Records};

struct Written {
    _root: tempfile::TempDir,
    run: PathBuf,
    page: String,
    plots: Vec<String>,
}

fn written(fixture: &Fixture) -> Written {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("20261122T064500Z-s42-9f3c71");
    fixture.write(&run);
    reported(root, run)
}

fn reported(root: tempfile::TempDir, run: PathBuf) -> Written {
    let paths = write(&run).unwrap();
    let page = fs::read_to_string(&paths.page).unwrap();
    let plots = paths.plots.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    Written { _root: root, run, page, plots }
}

/// All of them: the made-up run leaves none out.
const PLOTS: usize = 13;

fn short() -> Fixture {
    Fixture { minutes: 3, peers: 50, ..Fixture::default() }
}

/// The page without its markup.
fn words(page: &str) -> String {
    let body = page.split_once("</style>").unwrap().1;
    let mut words = String::new();
    for part in body.split('<') {
        words.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        words.push(' ');
    }
    // The narrow space that parts thousands stays.
    let parts = words.split([' ', '\n']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_says_what_the_files_say() {
    let words = words(&written(&Fixture::default()).page);
    for expected in [
        "kademlia-churn",
        "✗ Failed",
        "A goal was missed (exit code 10).",
        "wavetank replay 20261122T064500Z-s42-9f3c71",
        "9f3c71aa02b4d6e8",
        "One seed: no interval.",
        "✗ missed lookup.success_ratio ≥ 0.99 97.12 %",
        "✓ reached lookup.latency p50 &lt; 1s 312 ms",
        "? never reached lookup_meets_liar sometimes",
        "✓ as asked fault churn 640 612 departures 5:00 to 25:00",
        "lookup.latency time from a lookup&#39;s start to its end 7\u{202f}886 710 ms 140 ms 312 ms 1.6 s 2.4 s 3.9 s 9.8 s",
        "signatures were not computed",
        "Peers joined through the protocol.",
        "48\u{202f}211\u{202f}733",
        "changed by --set peers.edge.count=995",
    ] {
        assert!(words.contains(expected), "{expected:?} is not in: {words}");
    }
    assert!(!words.contains("Partial."));
    assert!(words.contains("Not calibrated: "), "{words}");
}

#[test]
fn the_header_says_how_far_the_simulation_was_from_reality() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("run");
    short().write(&run);
    let deviation = |name: &str, measure, difference, tolerance, standing| Deviation {
        name: name.to_owned(),
        about: format!("about <{name}>"),
        unit: String::new(),
        measure,
        sim: Some(2.0),
        real: Some(2.1),
        difference: Some(difference),
        tolerance,
        standing,
    };
    let stretch = |name: &str, rounds, standing| Stretch {
        name: name.to_owned(),
        from_ms: 40_000,
        until_ms: 110_000,
        sim_lookups: 1_369,
        real_lookups: 1_370,
        figures: vec![
            deviation("success", Measure::Points, -0.001, 0.01, Standing::Within),
            deviation("rounds", Measure::Relative, rounds, 0.1, standing),
        ],
    };
    let calibration = Calibration {
        date: "2026-11-26T08:00:00Z".to_owned(),
        scenario: "sim-vs-real".to_owned(),
        processes: 20,
        stretches: vec![stretch("quiet", 0.02, Standing::Within), stretch("churn", -0.12, Standing::Beyond)],
        ..Calibration::default()
    };
    fs::write(run.join("calibration.json"), serde_json::to_vec(&calibration).unwrap()).unwrap();
    let written = reported(root, run);
    let words = words(&written.page);
    for expected in [
        "Calibrated 2026-11-26 on 20 real processes: success ±0.1 points, rounds ±12 %; some beyond tolerance",
        "churn, 0:40 to 1:50: 1\u{202f}369 and 1\u{202f}370 lookups",
        "✗ beyond rounds about &lt;rounds&gt; 2 2.1 −12 % 10 %",
        "✓ within success about &lt;success&gt; 2 2.1 −0.1 points 1 point",
    ] {
        assert!(words.contains(expected), "{expected:?} is not in: {words}");
    }
    assert!(!words.contains("Not calibrated"));
}

#[test]
fn every_plot_is_drawn_into_the_page_and_beside_it() {
    let written = written(&short());
    assert_eq!(written.plots.len(), PLOTS);
    for plot in &written.plots {
        let (_, body) = plot.split_once("</style>").unwrap();
        assert!(written.page.contains(body), "the page holds the very plot");
        assert!(plot.contains("font-family=\"sans-serif\""));
        assert!(!plot.contains("NaN") && !plot.contains("inf"));
    }
    assert!(written.plots[0].contains("partition"), "fault bands are named");
}

#[test]
fn the_page_needs_no_network() {
    let page = written(&short()).page;
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    for sign in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!elsewhere.contains(sign), "{sign}");
    }
}

#[test]
fn plots_follow_the_data() {
    let written = written(&short());
    let before = written.plots.clone();
    let series = written.run.join("series.csv");
    let text = fs::read_to_string(&series).unwrap();
    let fewer = text.lines().map(|line| match line.split_once("peers.online,all,") {
        Some((head, _)) => format!("{head}peers.online,all,7\n"),
        None => format!("{line}\n"),
    });
    fs::write(&series, fewer.collect::<String>()).unwrap();
    let after = reported(written._root, written.run).plots;
    let changed: Vec<_> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
    assert_eq!(changed.iter().position(|changed| *changed), Some(3), "online peers");
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 1);
}

#[test]
fn an_unfinished_run_says_so_and_shows_what_there_is() {
    for status in [RunStatus::Running, RunStatus::Interrupted] {
        let written = written(&Fixture { status, ..short() });
        let words = words(&written.page);
        assert!(words.contains("Partial."), "{words}");
        assert_eq!(written.plots.len(), PLOTS);
    }
}

#[test]
fn a_row_that_was_cut_off_is_said() {
    let written = written(&short());
    let series = written.run.join("series.csv");
    let text = fs::read(&series).unwrap();
    fs::write(&series, &text[..text.len() - 5]).unwrap();
    let words = words(&reported(written._root, written.run).page);
    assert!(words.contains("Cut off in the middle of a row: series.csv."), "{words}");
}

#[test]
fn plots_without_data_are_left_out_with_a_word() {
    let written = written(&Fixture { status: RunStatus::Running, records: Records::ManifestOnly, ..short() });
    assert_eq!(written.plots, [""; 0]);
    assert!(!written.page.contains("<svg"));
    let words = words(&written.page);
    for expected in ["Lookup success over time: no lookup ended", "There is no verdict."] {
        assert!(words.contains(expected), "{words}");
    }
}

#[test]
fn a_hostile_name_stays_text() {
    let name = "<script>alert(1)</script>\"'&</title><img src=x onerror=alert(1)>";
    let page = written(&Fixture { name: name.to_owned(), ..short() }).page;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
}

#[test]
fn a_hostile_fault_name_stays_text_in_plots() {
    let written = written(&short());
    let faults = written.run.join("faults.csv");
    let text = fs::read_to_string(&faults).unwrap();
    fs::write(&faults, text.replace("partition", "<b>x</b>")).unwrap();
    let written = reported(written._root, written.run);
    assert!(written.plots[0].contains("&lt;b&gt;x"));
    assert!(!written.page.contains("<b>"));
}

#[test]
fn equal_folders_give_equal_bytes() {
    let (a, b) = (written(&short()), written(&short()));
    assert_eq!(a.page, b.page);
    assert_eq!(a.plots, b.plots);
    let again = reported(a._root, a.run);
    assert_eq!(again.page, b.page, "and a second report over the first");
}

#[test]
fn extreme_values_are_drawn_or_refused_but_never_break_it() {
    let written = written(&short());
    let header = "t_ms,metric,scope,value\n";
    for rows in [
        "",
        "0,peers.online,all,0\n",
        "0,peers.online,all,1e308\n1,peers.online,all,-1e308\n",
        "0,messages.sent,all,5\n0,messages.sent,all,5\n9,messages.sent,all,1\n",
        "18446744073709551615,peers.online,all,1\n",
    ] {
        fs::write(written.run.join("series.csv"), format!("{header}{rows}")).unwrap();
        write(&written.run).unwrap();
    }
    fs::write(written.run.join("series.csv"), format!("{header}0,peers.online,all,many\n")).unwrap();
    let error = write(&written.run).unwrap_err();
    assert!(matches!(&error, ReportError::Record(_)) && error.to_string().contains("series.csv:2"));
}

#[test]
fn what_is_no_run_is_refused() {
    let root = tempfile::tempdir().unwrap();
    assert!(write(root.path()).is_err());
    assert!(write(Path::new("/nowhere/at/all")).is_err());
    assert!(!root.path().join("report").exists(), "nothing is written");
}

#[test]
fn a_run_below_a_folder_of_runs_is_replayed_by_its_path_from_there() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("runs/hello/it's");
    short().write(&run);
    let page = reported(root, run).page;
    assert!(page.contains("wavetank replay &#39;runs/hello/it&#39;\\&#39;&#39;s&#39;"), "quoted for a shell");
}

#[test]
fn several_runs_share_the_plots_of_one() {
    let root = tempfile::tempdir().unwrap();
    let named = |name: &str, minutes, peers| {
        let path = root.path().join(name);
        Fixture { minutes, peers, ..short() }.write(&path);
        Named { name: name.to_owned(), run: Run::open(path).unwrap() }
    };
    let runs = [named("calm", 3, 50), named("storm", 4, 80)];
    let figures = overlay(&runs).unwrap();
    let names: Vec<_> = figures.iter().map(Figure::name).collect();
    assert!(names.contains(&"lookup_latency") && names.contains(&"latency_cdf"), "{names:?}");
    assert!(!names.contains(&"xor_map"), "a map has no overlay");
    let latency = figures.iter().find(|figure| figure.name() == "lookup_latency").unwrap().svg();
    for line in ["calm p50", "calm p95", "storm p50", "storm p95"] {
        assert!(latency.contains(line), "{line}");
    }
    let main: String = figures.iter().map(Figure::html).collect();
    let page = overlay::page("calm & storm", &main, "", &figures);
    assert!(page.contains("<title>calm &amp; storm</title>") && page.contains("id=\"values\""));
    assert!(overlay(&runs[..1]).unwrap().is_empty(), "one alone is no comparison");
}

#[test]
fn the_figures_that_the_scenario_asks_for_come_first() {
    let written = written(&short());
    let path = written.run.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let asked =
        |kind: &str, metric: &str, by: &str| serde_json::json!({"kind": kind, "metric": metric, "by": by});
    manifest["figures"] = serde_json::json!([
        asked("line", "messages.sent", "all"),
        asked("cdf", "lookup.latency", "region"),
        asked("histogram", "lookup.hops", "all"),
        asked("cdf", "provider.found", "all"),
    ]);
    fs::write(&path, manifest.to_string()).unwrap();
    let before = written.plots.len();
    let after = reported(written._root, written.run);
    assert_eq!(after.plots.len(), before + 3);
    for (plot, title) in after.plots.iter().zip([
        "messages.sent: over time",
        "lookup.latency: distribution by region",
        "lookup.hops: histogram",
    ]) {
        assert!(plot.contains(title), "{title}");
    }
    assert!(after.plots[1].contains("asia") && after.plots[1].contains("lookup.latency, ms"));
    assert!(
        words(&after.page).contains("provider.found: distribution: nothing was recorded that it could show")
    );
}
