//! Several runs in the plots of one: for pages that compare.
//!
//! Each plot of a run becomes one with the lines of all, named after their runs. Bars become lines, so that none hides
//! another; maps of the key space have no overlay. What the runs differ in is for the caller to say.

use record::Run;

use crate::ReportError;
use crate::axis::Axis;
use crate::data::Data;
use crate::draw::{Layout, Line, Mark, Panel};
use crate::page;
use crate::palette::SERIES;
use crate::plots::{Drawn, Made, RECIPES, Recipe};

/// A run and the word that names it in plots.
#[derive(Debug)]
pub struct Named {
    /// The word: short, or it is cut.
    pub name: String,
    /// The run.
    pub run: Run,
}

/// A drawn plot, for a page.
#[derive(Debug)]
pub struct Figure(Drawn);

impl Figure {
    /// Its name, which is its id on the page.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.0.plot.title
    }

    /// As a file of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        self.0.wide.document()
    }

    /// As markup for [`page`](fn@page).
    #[must_use]
    pub fn html(&self) -> String {
        page::figure(&self.0)
    }
}

/// The plots that at least two of these runs have data for; of all lines the first six, which can be told apart.
///
/// # Errors
/// If a folder cannot be read or a plot cannot be drawn.
pub fn overlay(runs: &[Named]) -> Result<Vec<Figure>, ReportError> {
    let mut data = Vec::new();
    for named in runs {
        data.push((named.name.as_str(), Data::read(&named.run)?));
    }
    let mut figures = Vec::new();
    for recipe in RECIPES {
        if let (Some(wide), Some(narrow)) =
            (over(recipe, &data, Layout::Wide), over(recipe, &data, Layout::Narrow))
        {
            figures.push(Figure(recipe.drawn(wide, narrow)?));
        }
    }
    Ok(figures)
}

/// A whole page with these figures in it: title, main part and footer, as markup that is already escaped but for the
/// title.
#[must_use]
pub fn page(title: &str, main: &str, footer: &str, figures: &[Figure]) -> String {
    page::shell(title, main, footer, figures.iter().map(|figure| &figure.0))
}

fn over(recipe: &Recipe, data: &[(&str, Data)], layout: Layout) -> Option<Made> {
    let made = data.iter().filter_map(|(name, data)| Some((*name, (recipe.make)(data, layout)?)));
    let mut made = made.filter(|(_, made)| made.panels.iter().all(|panel| lines(panel).next().is_some()));
    let (first, mut whole) = made.next()?;
    let mut count = 1;
    for panel in &mut whole.panels {
        panel.marks = named(first, panel);
    }
    whole.caption = format!("{first}: {}", whole.caption);
    for (name, mut other) in made {
        if other.panels.len() != whole.panels.len() {
            continue;
        }
        for (panel, more) in whole.panels.iter_mut().zip(&mut other.panels) {
            in_one_unit(panel, more);
            panel.marks.extend(named(name, more));
            panel.y = union(&panel.y, &more.y);
        }
        whole.x = union(&whole.x, &other.x);
        whole.caption.push_str(&format!(" {name}: {}", other.caption));
        count += 1;
    }
    for panel in &mut whole.panels {
        panel.marks.truncate(SERIES.len());
        for (mark, colour) in panel.marks.iter_mut().zip(SERIES) {
            if let Mark::Line(line) = mark {
                line.colour = colour;
            }
        }
    }
    (count > 1).then_some(whole)
}

/// The lines of a panel, and its bars as such.
fn lines(panel: &Panel) -> impl Iterator<Item = Line> {
    panel.marks.iter().filter_map(|mark| match mark {
        Mark::Line(line) => Some(line.clone()),
        Mark::Bars(bars) => Some(Line {
            name: bars.name.clone(),
            colour: bars.colour,
            pieces: vec![bars.bars.iter().map(|bar| (bar.x, bar.to - bar.from)).collect()],
        }),
        Mark::Dots { .. } | Mark::Crowd { .. } | Mark::Cells { .. } => None,
    })
}

fn named(run: &str, panel: &Panel) -> Vec<Mark> {
    let name = |line: Line| {
        let name = if line.name.is_empty() { run.to_owned() } else { format!("{run} {}", line.name) };
        Mark::Line(Line { name: crate::plots::short(&name), ..line })
    };
    lines(panel).map(name).collect()
}

/// Latencies are in milliseconds where all are short, and in seconds otherwise.
fn in_one_unit(a: &mut Panel, b: &mut Panel) {
    let in_ms = |panel: &Panel| panel.unit == "latency, ms";
    let longer = match (in_ms(a), in_ms(b)) {
        (true, false) if b.unit == "latency, s" => (a, b.unit.clone(), b.read),
        (false, true) if a.unit == "latency, s" => (b, a.unit.clone(), a.read),
        _ => return,
    };
    let (shorter, unit, read) = longer;
    (shorter.unit, shorter.read) = (unit, read);
    for mark in &mut shorter.marks {
        if let Mark::Line(line) = mark {
            *line = line.clone().scaled(1e-3);
        }
    }
    shorter.y = Axis::numbers(shorter.y.to / 1e3, 5);
}

/// An axis that holds both.
fn union(a: &Axis, b: &Axis) -> Axis {
    let covers = |a: &Axis, b: &Axis| a.from <= b.from && a.to >= b.to;
    if covers(a, b) {
        return a.clone();
    }
    if covers(b, a) {
        return b.clone();
    }
    let mut ticks = a.ticks.clone();
    ticks
        .extend(b.ticks.iter().filter(|(value, _)| a.ticks.iter().all(|(known, _)| known != value)).cloned());
    Axis { from: a.from.min(b.from), to: a.to.max(b.to), ticks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_grows_to_hold_both() {
        let (small, large) = (Axis::numbers(7.0, 5), Axis::numbers(90.0, 5));
        assert_eq!(union(&small, &large), large);
        assert_eq!(union(&large, &small), large);
        let apart = union(&Axis::log_ms(1.0, 10.0), &Axis::log_ms(5.0, 100.0));
        assert_eq!((apart.from, apart.to), (0.0, 2.0));
        assert_eq!(apart.ticks.iter().filter(|(value, _)| *value == 1.0).count(), 1);
    }
}
