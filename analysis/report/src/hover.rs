//! The values of the plots, for the page's script: what is drawn can be read, by pointer and by keyboard.

use serde::Serialize;

use crate::draw::{Drawing, Line, Mark, Panel, Reading};
use crate::palette::hex;
use crate::plots::Drawn;

/// A plot's values.
#[derive(Serialize)]
struct Values<'a> {
    name: &'a str,
    x: Scale,
    panels: Vec<PanelValues<'a>>,
    wide: Place,
    narrow: Place,
}

#[derive(Serialize)]
struct Scale {
    from: f64,
    to: f64,
    read: &'static str,
    unit: &'static str,
}

#[derive(Serialize)]
struct PanelValues<'a> {
    y: Scale,
    series: Vec<Series<'a>>,
}

#[derive(Serialize)]
struct Series<'a> {
    name: &'a str,
    colour: String,
    /// Whether the value stands where it is drawn.
    drawn: bool,
    points: Vec<(f64, f64)>,
}

/// Where the frames stand, in pixels of the drawing.
#[derive(Serialize)]
struct Place {
    width: i32,
    height: i32,
    x: (i32, i32),
    y: Vec<(i32, i32)>,
}

/// As JSON that can stand in a page.
pub(crate) fn json<'a>(drawn: impl Iterator<Item = &'a Drawn>) -> String {
    let values: Vec<Values<'_>> = drawn.map(values).collect();
    // Numbers and texts have no other form that JSON could refuse.
    let json = serde_json::to_string(&values).unwrap_or_default();
    json.replace('<', "\\u003c")
}

fn values(drawn: &Drawn) -> Values<'_> {
    let plot = &drawn.plot;
    Values {
        name: &drawn.name,
        x: scale(plot.x.from, plot.x.to, plot.read_x),
        panels: plot.panels.iter().map(panel).collect(),
        wide: place(&drawn.wide),
        narrow: place(&drawn.narrow),
    }
}

fn place(drawing: &Drawing) -> Place {
    let (width, height) = drawing.size;
    let y = drawing.y.iter().map(|y| (y.start, y.end)).collect();
    Place { width, height, x: (drawing.x.start, drawing.x.end), y }
}

const fn scale(from: f64, to: f64, read: Reading) -> Scale {
    let (read, unit) = match read {
        Reading::Share => ("share", ""),
        Reading::Number(unit) => ("number", unit),
        Reading::Time => ("time", ""),
        Reading::LogMs => ("log_ms", ""),
        Reading::Key => ("key", ""),
    };
    Scale { from, to, read, unit }
}

fn panel(panel: &Panel) -> PanelValues<'_> {
    let drawn = panel.marks.iter().filter_map(|mark| match mark {
        Mark::Line(line) => Some(series(line, true)),
        Mark::Bars(bars) => Some(Series {
            name: &bars.name,
            colour: hex(bars.colour),
            // Those on top of others do not begin at zero.
            drawn: bars.bars.iter().all(|bar| bar.from == 0.0),
            points: bars.bars.iter().map(|bar| (rounded(bar.x), rounded(bar.to - bar.from))).collect(),
        }),
        Mark::Dots { .. } | Mark::Crowd { .. } | Mark::Cells { .. } => None,
    });
    let told = panel.told.iter().map(|line| series(line, false));
    PanelValues { y: scale(panel.y.from, panel.y.to, panel.read), series: drawn.chain(told).collect() }
}

fn series(line: &Line, drawn: bool) -> Series<'_> {
    let points = line.pieces.iter().flatten().map(|(x, y)| (rounded(*x), rounded(*y))).collect();
    Series { name: &line.name, colour: hex(line.colour), drawn, points }
}

/// Five digits: more than anybody reads off a plot.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(0.0)
}
