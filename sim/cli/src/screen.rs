//! What a run ends with, for people: the verdict first, then what it rests on, then how to see and repeat it.
//! Words carry everything; colour only points at them.

use std::path::Path;

use record::{
    Check, CheckKind, CheckStatus, FirstFailure, Manifest, Tally, TallyKind, TallyStatus, Threshold,
    ThresholdStatus, Verdict, VerdictStatus,
};

use crate::console::{Look, Verbosity};
use crate::exit_code;
use crate::figures::{bytes, count, counted, millis, number, of_metric, short};
use crate::table::{Cell, Row, aligned, plain, wrapped};

/// What is shown of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) manifest: &'a Manifest,
    pub(crate) peers: u64,
    /// What the program ends with.
    pub(crate) code: u8,
    pub(crate) folder: Option<&'a Path>,
    pub(crate) page: Option<&'a Path>,
    pub(crate) replay: Option<&'a str>,
    /// The goals over time, in their order, as far as there are curves.
    pub(crate) curves: &'a [String],
}

impl Screen<'_> {
    /// The whole screen; of a quiet one, what a failure always says.
    pub(crate) fn text(&self, verbosity: Verbosity) -> String {
        let mut text = self.headline();
        for reason in &self.verdict.reasons {
            text.push_str(&wrapped(&format!("  - {reason}"), 4));
        }
        if let Some(failure) = &self.verdict.first_failure {
            text.push_str(&first(failure, &self.verdict.reasons));
        }
        if verbosity == Verbosity::Quiet {
            if self.verdict.status != VerdictStatus::Pass {
                text.push_str(&self.closing());
            }
            return text;
        }
        let verdict = self.verdict;
        section(
            &mut text,
            "Thresholds (one seed: no interval; run --repeat 10 gives one)",
            &thresholds(&verdict.thresholds, self.curves),
        );
        section(&mut text, "Checks", &verdict.checks.iter().map(check).collect::<Vec<_>>());
        section(&mut text, "Asked and got", &verdict.tallies.iter().map(tally).collect::<Vec<_>>());
        if verbosity == Verbosity::Verbose {
            section(&mut text, "Cost", &self.cost());
        }
        text.push('\n');
        text.push_str(&self.closing());
        text
    }

    /// `PASS  hello: 20 peers for 2m, simulated in 0.9s, 133 times as fast as real time`
    fn headline(&self) -> String {
        let (word, look) = match self.verdict.status {
            VerdictStatus::Pass => ("PASS", Look::Good),
            VerdictStatus::Fail => ("FAIL", Look::Bad),
            VerdictStatus::Unknown => ("UNKNOWN", Look::Doubtful),
            VerdictStatus::Interrupted => ("INTERRUPTED", Look::Doubtful),
        };
        let Manifest { scenario, sim, wall, .. } = self.manifest;
        let name = &scenario.name;
        let reason = if self.code == exit_code::PASSED {
            String::new()
        } else {
            format!(": {} (exit {})", exit_code::meaning(self.code), self.code)
        };
        let span = match sim.ended_ms {
            Some(ended) if ended < sim.planned_ms => {
                format!("{} of {}", millis(ended), millis(sim.planned_ms))
            }
            _ => millis(sim.planned_ms),
        };
        let mut text = format!("{}  {name}{reason}\n", look.on(word));
        text.push_str(&format!("{} for {span}", counted(self.peers, "peer")));
        if let Some(seconds) = wall.seconds {
            let how = if self.manifest.is_simulated() { "simulated" } else { "on real processes" };
            text.push_str(&format!(", {how} in {}s", number(seconds)));
        }
        if let Some(speedup) = wall.speedup.filter(|_| self.manifest.is_simulated()) {
            text.push_str(&format!(", {} times real time", short(speedup)));
        }
        text.push('\n');
        text
    }

    fn cost(&self) -> Vec<Row> {
        let Manifest { sim, wall, threads, driver, wavetank, fidelity, .. } = self.manifest;
        let fidelity: Vec<_> = fidelity.iter().map(|(part, how)| format!("{part} {how}")).collect();
        let mut rows = vec![
            ("events", count(sim.events)),
            ("driver", format!("{driver}, {}", counted(u64::from(*threads), "thread"))),
            ("fidelity", fidelity.join(", ")),
            ("program", format!("wavetank {}, {} build", wavetank.version, wavetank.profile)),
        ];
        if let Some(rate) = wall.events_per_cpu_second {
            rows.push(("speed", format!("{} events per CPU second", short(rate))));
        }
        if let Some(peak) = wall.peak_rss_bytes {
            rows.push(("memory", format!("{} at most", bytes(peak as f64))));
        }
        rows.into_iter().map(|(what, text)| Row::new([plain(what), plain(text)])).collect()
    }

    /// The seed, the fingerprint, where everything is, and the command that repeats it.
    fn closing(&self) -> String {
        let seed = self.verdict.seed.0.to_string();
        let path = |path: Option<&Path>| path.map(|path| path.display().to_string());
        let rows = [
            ("seed", Some(seed)),
            ("fingerprint", self.verdict.fingerprint.clone()),
            ("folder", path(self.folder)),
            ("report", path(self.page)),
            ("replay", self.replay.map(str::to_owned)),
        ];
        rows.iter().filter_map(|(what, text)| Some(format!("{what:<11}  {}\n", text.as_ref()?))).collect()
    }
}

/// Adds rows under their title, if there are any.
pub(crate) fn section(text: &mut String, title: &str, rows: &[Row]) {
    if !rows.is_empty() {
        text.push_str(&format!("\n{}\n{}", Look::Strong.on(title), aligned(rows)));
    }
}

/// `first failure: lookups_monotone at 1m30s on edge-17`; why is said once, and mostly by a reason.
fn first(failure: &FirstFailure, reasons: &[String]) -> String {
    let mut text = format!("first failure: {}", failure.what);
    text.push_str(&place(failure.at_ms, failure.peer.as_deref()));
    if let Some(event) = failure.event {
        text.push_str(&format!(", event {event}"));
    }
    if reasons.is_empty() && !failure.detail.is_empty() {
        text.push_str(&format!(": {}", failure.detail));
    }
    wrapped(&text, 2)
}

fn place(at_ms: Option<u64>, peer: Option<&str>) -> String {
    let at = at_ms.map(|at| format!(" at {}", millis(at))).unwrap_or_default();
    let peer = peer.map(|peer| format!(" on {peer}")).unwrap_or_default();
    at + &peer
}

fn thresholds(thresholds: &[Threshold], curves: &[String]) -> Vec<Row> {
    if thresholds.is_empty() {
        return Vec::new();
    }
    let over_time = if curves.iter().all(String::is_empty) { "" } else { "over time" };
    let mut rows = vec![Row::new(["", "metric", "goal", "value", "samples", over_time].map(plain))];
    let curves = curves.iter().map(String::as_str).chain(std::iter::repeat(""));
    rows.extend(thresholds.iter().zip(curves).map(|(threshold, curve)| {
        let status = match threshold.status {
            ThresholdStatus::Pass => ("met", Look::Good),
            ThresholdStatus::Fail => ("MISSED", Look::Bad),
            ThresholdStatus::Unknown => ("unknown", Look::Doubtful),
        };
        let value =
            threshold.value.map_or_else(|| "none".to_owned(), |value| of_metric(&threshold.metric, value));
        Row::new([
            word(status),
            plain(&threshold.metric),
            plain(&threshold.expression),
            plain(value),
            plain(count(threshold.samples)),
            plain(curve),
        ])
    }));
    rows
}

fn check(check: &Check) -> Row {
    let status = match check.status {
        CheckStatus::Pass => ("held", Look::Good),
        CheckStatus::Fail => ("FAILED", Look::Bad),
        CheckStatus::NeverReached => ("never", Look::Doubtful),
        CheckStatus::Unknown => ("unknown", Look::Doubtful),
    };
    let (kind, status) = match check.kind {
        CheckKind::Always => ("always", status),
        CheckKind::Sometimes if check.status == CheckStatus::Pass => ("sometimes", ("reached", Look::Good)),
        CheckKind::Sometimes => ("sometimes", status),
        CheckKind::Eventually => ("eventually", status),
    };
    let place = place(check.at_ms, check.peer.as_deref()).trim_start().to_owned();
    Row::new([word(status), plain(kind), plain(&check.name), plain(place)]).note(&check.detail)
}

fn tally(tally: &Tally) -> Row {
    let status = match tally.status {
        TallyStatus::Met => ("met", Look::Good),
        TallyStatus::Off => ("off", Look::Doubtful),
        TallyStatus::Inert => ("INERT", Look::Bad),
    };
    let kind = match tally.kind {
        TallyKind::Fault => "fault",
        TallyKind::Workload => "workload",
    };
    let of_asked = tally.asked.map(|asked| format!(" of {}", count(asked))).unwrap_or_default();
    let got = format!("{}{of_asked} {}", count(tally.got), tally.unit);
    Row::new([word(status), plain(kind), plain(&tally.name), plain(got)])
}

fn word((text, look): (&str, Look)) -> Cell {
    (text.to_owned(), look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::RunStatus;
    use types::Seed;

    fn check(name: &str, kind: CheckKind, status: CheckStatus) -> Check {
        Check { name: name.to_owned(), kind, status, detail: String::new(), at_ms: None, peer: None }
    }

    fn threshold(metric: &str, expression: &str, value: Option<f64>, status: ThresholdStatus) -> Threshold {
        Threshold {
            metric: metric.to_owned(),
            expression: expression.to_owned(),
            value,
            status,
            samples: 1_482,
            denominator: "lookups".to_owned(),
        }
    }

    fn tally(kind: TallyKind, name: &str, asked: Option<u64>, got: u64, status: TallyStatus) -> Tally {
        let unit = if kind == TallyKind::Fault { "departures" } else { "operations" };
        Tally { kind, index: 0, name: name.to_owned(), asked, got, unit: unit.to_owned(), status }
    }

    /// A run in which about everything that can be seen happened.
    fn run() -> (Verdict, Manifest) {
        let verdict = Verdict {
            status: VerdictStatus::Fail,
            exit_code: 11,
            reasons: vec![
                "`lookups_monotone` did not hold at 1m30s".to_owned(),
                "`lookup.latency` was to be `p99 < 2s`, and was 2.31s over all the lookups that ended"
                    .to_owned(),
            ],
            seed: Seed(42),
            fingerprint: Some("013f3103f9557d43".to_owned()),
            first_failure: Some(FirstFailure {
                what: "lookups_monotone".to_owned(),
                detail: "a lookup asked a peer that is farther away than all those that had answered before"
                    .to_owned(),
                at_ms: Some(90_000),
                peer: Some("edge-17".to_owned()),
                event: Some(record::EventId { peer: 22, count: 417 }),
            }),
            checks: vec![
                check("buckets_well_formed", CheckKind::Always, CheckStatus::Pass),
                Check {
                    at_ms: Some(90_000),
                    peer: Some("edge-17".to_owned()),
                    detail:
                        "a lookup asked a peer that is farther away than all those that had answered before"
                            .to_owned(),
                    ..check("lookups_monotone", CheckKind::Always, CheckStatus::Fail)
                },
                Check { at_ms: Some(2_500), ..check("bucket_full", CheckKind::Sometimes, CheckStatus::Pass) },
                check("contact_evicted", CheckKind::Sometimes, CheckStatus::NeverReached),
                check("routing_converged", CheckKind::Eventually, CheckStatus::Unknown),
            ],
            thresholds: vec![
                threshold("lookup.success_ratio", ">= 99%", Some(0.99996), ThresholdStatus::Pass),
                threshold("lookup.latency", "p99 < 2s", Some(2.31e9), ThresholdStatus::Fail),
                threshold("record.get_latency", "p50 < 1s", None, ThresholdStatus::Unknown),
            ],
            tallies: vec![
                tally(TallyKind::Workload, "walk", Some(1_500), 1_482, TallyStatus::Met),
                tally(TallyKind::Fault, "churn0", Some(796), 502, TallyStatus::Off),
                tally(TallyKind::Fault, "crash1", None, 0, TallyStatus::Inert),
            ],
        };
        let manifest = Manifest {
            status: RunStatus::Fail,
            backend: "sim".to_owned(),
            driver: "actor".to_owned(),
            threads: 2,
            scenario: record::Scenario { name: "hello".to_owned(), ..record::Scenario::default() },
            wavetank: record::Build {
                version: "0.1.0".to_owned(),
                profile: "release".to_owned(),
                ..record::Build::default()
            },
            fidelity: [("crypto", "modelled"), ("wire", "typed")]
                .map(|(part, how)| (part.to_owned(), how.to_owned()))
                .into(),
            sim: record::Sim {
                warmup_ms: 0,
                planned_ms: 1_800_000,
                ended_ms: Some(1_800_000),
                events: 3_471_896,
            },
            wall: record::Wall {
                seconds: Some(12.34),
                speedup: Some(145.9),
                events_per_cpu_second: Some(340_123.0),
                peak_rss_bytes: Some(36_000_000),
                ..record::Wall::default()
            },
            ..Manifest::default()
        };
        (verdict, manifest)
    }

    fn text(verbosity: Verbosity) -> String {
        let (verdict, manifest) = run();
        let screen = Screen {
            verdict: &verdict,
            manifest: &manifest,
            peers: 1_000,
            code: 11,
            folder: Some(Path::new("runs/hello/latest")),
            page: Some(Path::new("runs/hello/latest/report/index.html")),
            replay: Some("wavetank replay runs/hello/latest"),
            curves: &["___.-=##".to_owned(), String::new(), String::new()],
        };
        anstream::adapter::strip_str(&screen.text(verbosity)).to_string()
    }

    #[test]
    fn a_failed_run_says_everything() {
        insta::assert_snapshot!(text(Verbosity::Verbose));
    }

    #[test]
    fn a_failed_run_says_even_quietly_how_to_repeat_it() {
        insta::assert_snapshot!(text(Verbosity::Quiet));
    }

    #[test]
    fn every_line_fits_a_terminal_of_80_columns() {
        for line in text(Verbosity::Verbose).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
