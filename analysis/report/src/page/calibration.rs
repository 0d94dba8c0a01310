//! How far the simulation was from reality when the two were last held against each other: a line, and the table below it.

use record::Calibration;
use record::calibration::{Deviation, Measure, Standing, Stretch};

use crate::html::{Cell, Mark, escape, table};
use crate::words::{clock, count, counted, number, percent};

pub(super) fn calibration(calibration: Option<&Calibration>) -> String {
    let Some(calibration) = calibration else {
        return "<p class=\"note\">Not calibrated: no comparison of the simulation with real processes stands in this folder.</p>\n"
            .to_owned();
    };
    let stretches: String = calibration.stretches.iter().map(stretch).collect();
    format!(
        "<details class=\"calibration\">\n<summary>{}</summary>\n<p>Scenario <code>{}</code>, seed {}, on {} of {}. \
         The difference is reality less simulation.</p>\n{stretches}</details>\n",
        escape(&line(calibration)),
        escape(&calibration.scenario),
        calibration.seed.0,
        escape(&counted(calibration.host.cores.into(), "core")),
        escape(&calibration.host.os),
    )
}

/// The gist in a line: the greatest differences over all stretches.
fn line(calibration: &Calibration) -> String {
    let gist = ["success", "rounds", "messages"].into_iter().filter_map(|name| {
        let greatest = calibration.greatest(name)?;
        let measure = calibration.stretches.iter().flat_map(|stretch| &stretch.figures);
        let measure = measure.clone().find(|figure| figure.name == name)?.measure;
        Some(format!("{name} ±{}", amount(measure, greatest)))
    });
    let gist: Vec<String> = gist.collect();
    // The moment is in RFC 3339: its date comes first.
    let date = calibration.date.split('T').next().unwrap_or_default();
    let standing = match calibration.standing() {
        Standing::Within => "all within tolerance",
        Standing::Beyond => "some beyond tolerance",
        Standing::Unproved => "some unproved",
    };
    format!(
        "Calibrated {date} on {} real processes: {}; {standing}",
        count(calibration.processes),
        gist.join(", ")
    )
}

fn stretch(stretch: &Stretch) -> String {
    let rows = stretch.figures.iter().map(|figure| {
        vec![
            Cell::Mark(Mark::of(figure.standing)),
            Cell::Explained(figure.name.clone(), figure.about.clone()),
            Cell::Number(value(figure, figure.sim)),
            Cell::Number(value(figure, figure.real)),
            Cell::Number(difference(figure)),
            Cell::Number(amount(figure.measure, figure.tolerance)),
        ]
    });
    let head = ["", "Figure", "Simulation", "Reality", "Difference", "Tolerated"];
    let caption = format!("Simulation and reality, {}", stretch.name);
    format!(
        "<h3>{}, {} to {}: {} and {} lookups</h3>\n{}",
        escape(&stretch.name),
        clock(stretch.from_ms),
        clock(stretch.until_ms),
        count(stretch.sim_lookups),
        count(stretch.real_lookups),
        table(&caption, &head, rows)
    )
}

fn value(figure: &Deviation, value: Option<f64>) -> String {
    match (value, figure.unit.as_str()) {
        (Some(value), "ratio") => percent(value),
        (Some(value), "ms") => format!("{} ms", number(value)),
        (Some(value), _) => number(value),
        (None, _) => String::new(),
    }
}

fn difference(figure: &Deviation) -> String {
    match (figure.difference, figure.measure) {
        (None, _) => "unknown".to_owned(),
        (Some(distance), Measure::Distance) => amount(figure.measure, distance),
        (Some(difference), measure) => {
            let sign = if difference < 0.0 { "−" } else { "+" };
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
