//! `wavetank runs compare` of a simulated and a real run: how far the two are apart, stretch by stretch.

use std::collections::BTreeMap;
use std::path::Path;

use record::Run;
use record::calibration::{Deviation, Measure, Standing, Stretch};
use report::compare::ComparedRow;
use report::conformance::{self, ConformanceError, FIGURES, MIN_SAMPLES, SIMULATED};
use serde::Serialize;
use types::Share;

use crate::args::runs::Compare;
use crate::command::compare::{write_out, write_page};
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{count, millis, number, percent};
use crate::table::{Row, aligned, plain, wrapped};

/// For programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    /// Why the two were not to be alike anyhow.
    notes: &'a [&'static str],
    stretches: &'a [Stretch],
    page: Option<&'a Path>,
    calibration: Option<&'a Path>,
}

pub(crate) fn conform(args: &Compare, sides: &[Vec<Run>; 2], console: Console) -> Result<u8, Failure> {
    let [sim, real] = in_order(sides);
    let tolerances = tolerances(&args.tolerance)?;
    let stretches = match (args.phase.as_slice(), sim.first()) {
        ([], Some(run)) => {
            &conformance::spans(run).map_err(|error| Failure::new(exit_code::NOTHING, error.to_string()))?
        }
        (said, _) => said,
    };
    let stretches = conformance::compare([sim, real], stretches, &tolerances)?;
    let notes = notes(sim, real);
    let standing = gravest(&stretches);
    let code = match standing {
        Standing::Within => exit_code::PASSED,
        Standing::Beyond => exit_code::THRESHOLD,
        Standing::Unproved => exit_code::PROVES_NOTHING,
    };
    if let Some(out) = &args.out {
        write_page(args, sides, &stretches.iter().flat_map(rows_of_page).collect::<Vec<_>>(), out)?;
    }
    if let Some(file) = &args.write_calibration {
        let ([sim], [real]) = (sim, real) else {
            return Err(Failure::new(exit_code::USAGE, "a calibration compares one run with one other"));
        };
        let calibration = conformance::calibration(sim, real, stretches.clone())?;
        let mut text = serde_json::to_string_pretty(&calibration).map_err(std::io::Error::from)?;
        text.push('\n');
        write_out(file, text.as_bytes())?;
    }
    let document = Document {
        status: standing.word(),
        exit_code: code,
        notes: &notes,
        stretches: &stretches,
        page: args.out.as_deref(),
        calibration: args.write_calibration.as_deref(),
    };
    let heads = if sim.iter().chain(real).all(is_simulated) { ["first", "second"] } else { ["sim", "real"] };
    console.answer(&text(&document, standing, heads), &document)?;
    Ok(code)
}

impl From<ConformanceError> for Failure {
    fn from(error: ConformanceError) -> Self {
        let code = match &error {
            ConformanceError::Record(_) | ConformanceError::TooMany => exit_code::NOTHING,
            ConformanceError::Stages(..) | ConformanceError::Plans => exit_code::USAGE,
        };
        Self::new(code, error.to_string())
    }
}

fn is_simulated(run: &Run) -> bool {
    run.manifest().backend == SIMULATED
}

/// The simulated side first, whichever was named first.
fn in_order([first, second]: &[Vec<Run>; 2]) -> [&[Run]; 2] {
    let is_real = |side: &[Run]| !side.iter().all(is_simulated);
    if is_real(first) && !is_real(second) { [second, first] } else { [first, second] }
}

/// What was said of figures by their names, and of all others.
fn tolerances(said: &[(Option<String>, Share)]) -> Result<BTreeMap<&'static str, f64>, Failure> {
    let mut tolerances = BTreeMap::new();
    for (_, share) in said.iter().filter(|(name, _)| name.is_none()) {
        tolerances.extend(FIGURES.iter().map(|figure| (figure.name, share.as_f64())));
    }
    for (name, share) in said.iter().filter_map(|(name, share)| Some((name.as_ref()?, share))) {
        let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) else {
            let names: Vec<_> = FIGURES.iter().map(|figure| figure.name).collect();
            let what = format!("conformance has no figure `{name}`; it has {}", names.join(", "));
            return Err(Failure::new(exit_code::USAGE, what));
        };
        tolerances.insert(figure.name, share.as_f64());
    }
    Ok(tolerances)
}

fn notes(sim: &[Run], real: &[Run]) -> Vec<&'static str> {
    let alike = |of: fn(&Run) -> String| {
        let all: std::collections::BTreeSet<_> = sim.iter().chain(real).map(of).collect();
        all.len() <= 1
    };
    let mut notes = Vec::new();
    if !alike(|run| run.manifest().scenario.plan_sha256.clone()) {
        notes.push("the plans differ, so more than the stages is compared");
    }
    if !alike(|run| run.manifest().fidelity.get("crypto").cloned().unwrap_or_default()) {
        notes.push("the peers are others: write `fidelity: {crypto: real}` for the same ids on both sides");
    }
    notes
}

fn gravest(stretches: &[Stretch]) -> Standing {
    let has = |standing| stretches.iter().any(|stretch| stretch.standing() == standing);
    if has(Standing::Beyond) {
        Standing::Beyond
    } else if has(Standing::Unproved) || stretches.is_empty() {
        Standing::Unproved
    } else {
        Standing::Within
    }
}

fn text(document: &Document<'_>, standing: Standing, [first, second]: [&str; 2]) -> String {
    let figures = document.stretches.iter().flat_map(|stretch| &stretch.figures);
    let beyond = figures.clone().filter(|figure| figure.standing == Standing::Beyond).count();
    let (all, code) = (figures.count(), document.exit_code);
    let mut text = match standing {
        Standing::Within => {
            format!("{}  all of {all} figures differ by no more than is tolerated\n", Look::Good.on("WITHIN"))
        }
        Standing::Beyond => format!(
            "{}  {beyond} of {all} figures differ by more than is tolerated (exit {code})\n",
            Look::Bad.on("BEYOND")
        ),
        Standing::Unproved => format!(
            "{}  fewer than {MIN_SAMPLES} lookups of a side prove nothing (exit {code})\n",
            Look::Doubtful.on("UNPROVED")
        ),
    };
    for note in document.notes {
        text.push_str(&wrapped(note, 0));
    }
    for stretch in document.stretches {
        text.push_str(&format!(
            "\n{}  {} to {}: {} and {} lookups\n",
            Look::Strong.on(&stretch.name),
            millis(stretch.from_ms),
            millis(stretch.until_ms),
            count(stretch.sim_lookups),
            count(stretch.real_lookups),
        ));
        let mut rows = vec![Row::new(["", "figure", first, second, "difference", "tolerated"].map(plain))];
        rows.extend(stretch.figures.iter().map(row));
        text.push_str(&aligned(&rows));
    }
    for (name, path) in [("page", document.page), ("calibration", document.calibration)] {
        if let Some(path) = path {
            text.push_str(&format!("{name:<12} {}\n", path.display()));
        }
    }
    text
}

fn row(figure: &Deviation) -> Row {
    let (word, look) = match figure.standing {
        Standing::Within => ("within", Look::Good),
        Standing::Beyond => ("BEYOND", Look::Bad),
        Standing::Unproved => ("unproved", Look::Doubtful),
    };
    Row::new([
        (word.to_owned(), look),
        plain(&figure.name),
        plain(value(figure, figure.sim)),
        plain(value(figure, figure.real)),
        plain(difference(figure)),
        plain(amount(figure.measure, figure.tolerance)),
    ])
}

fn rows_of_page(stretch: &Stretch) -> impl Iterator<Item = ComparedRow> + '_ {
    stretch.figures.iter().map(|figure| ComparedRow {
        what: format!("{}: {}", stretch.name, figure.name),
        first: value(figure, figure.sim),
        second: value(figure, figure.real),
        difference: difference(figure),
        tolerance: amount(figure.measure, figure.tolerance),
        standing: figure.standing,
    })
}

fn value(figure: &Deviation, value: Option<f64>) -> String {
    match (value, figure.unit.as_str()) {
        (Some(value), "ratio") => percent(value),
        (Some(value), "ms") => format!("{}ms", number(value)),
        (Some(value), "medians") => format!("{}x", number(value)),
        (Some(value), _) => number(value),
        (None, _) => String::new(),
    }
}

fn difference(figure: &Deviation) -> String {
    match (figure.difference, figure.measure) {
        (None, _) => "unknown".to_owned(),
        (Some(distance), Measure::Distance) => amount(figure.measure, distance),
        (Some(difference), measure) => {
            let sign = if difference < 0.0 { "-" } else { "+" };
            format!("{sign}{}", amount(measure, difference.abs()))
        }
    }
}

/// A difference without its sign.
fn amount(measure: Measure, size: f64) -> String {
    match measure {
        Measure::Points if size == 0.01 => "1 point".to_owned(),
        Measure::Points => format!("{} points", number(size * 100.0)),
        Measure::Relative => percent(size),
        Measure::Distance => number(size),
    }
}
