//! What stands in a panel: lines, bars, named points, crowds of peers, cells of a map.

use plotters::prelude::*;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::text::{LABEL_PX, Style, text, width_of};
use super::{Canvas, Chart, DrawError, FINE, Layout, MARGIN, said};

/// One kind of mark in a panel.
#[derive(Debug)]
pub(crate) enum Mark {
    Line(Line),
    /// Bars around whole x.
    Bars(Bars),
    /// Named points.
    Dots {
        colour: RGBColor,
        dots: Vec<(f64, f64, String)>,
    },
    /// Many points, full or hollow.
    Crowd {
        colour: RGBColor,
        full: Vec<(f64, f64)>,
        hollow: Vec<(f64, f64)>,
    },
    /// Squares of a side, by their lower left corners, each as strong as its share of the strongest.
    Cells {
        colour: RGBColor,
        side: f64,
        cells: Vec<(f64, f64, f64)>,
    },
}

/// A line in pieces: where there is no value, there is a gap.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) pieces: Vec<Vec<(f64, f64)>>,
}

/// Bars of one colour.
#[derive(Debug)]
pub(crate) struct Bars {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    /// How far it is from one bar to the next; each is four fifths as wide.
    pub(crate) step: f64,
    pub(crate) bars: Vec<Bar>,
}

/// A bar from one value to another.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) x: f64,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Above it, where all labels have room; mostly empty.
    pub(crate) label: String,
}

impl Line {
    pub(crate) fn scaled(mut self, factor: f64) -> Self {
        for (_, y) in self.pieces.iter_mut().flatten() {
            *y *= factor;
        }
        self
    }
}

impl Mark {
    pub(super) fn draw(
        &self,
        chart: &mut Chart<'_, '_>,
        canvas: &Canvas<'_>,
        layout: Layout,
    ) -> Result<(), DrawError> {
        match self {
            Self::Line(line) => draw_line(chart, line),
            Self::Bars(bars) => draw_bars(chart, canvas, bars),
            Self::Dots { colour, dots } => draw_dots(chart, canvas, layout, *colour, dots),
            Self::Crowd { colour, full, hollow } => {
                let dots = full.iter().map(|at| Circle::new(*at, 3 * FINE, colour.mix(0.75).filled()));
                chart.draw_series(dots).map_err(said)?;
                let ring = colour.stroke_width(FINE as u32);
                chart.draw_series(hollow.iter().map(|at| Circle::new(*at, 3 * FINE, ring))).map_err(said)?;
                Ok(())
            }
            Self::Cells { colour, side, cells } => {
                let cell = |(x, y, strength): &(f64, f64, f64)| {
                    let corners = [(*x, *y), (x + side, y + side)];
                    Rectangle::new(corners, colour.mix(strength.clamp(0.0, 1.0)).filled())
                };
                chart.draw_series(cells.iter().map(cell)).map_err(said)?;
                Ok(())
            }
        }
    }
}

fn draw_line(chart: &mut Chart<'_, '_>, line: &Line) -> Result<(), DrawError> {
    let style = line.colour.stroke_width(2 * FINE as u32);
    for piece in &line.pieces {
        match piece.as_slice() {
            [alone] => chart.draw_series([Circle::new(*alone, 2 * FINE, line.colour.filled())]),
            piece => chart.draw_series([PathElement::new(piece.to_vec(), style)]),
        }
        .map_err(said)?;
    }
    Ok(())
}

fn draw_bars(chart: &mut Chart<'_, '_>, canvas: &Canvas<'_>, bars: &Bars) -> Result<(), DrawError> {
    let Bars { colour, step, bars, .. } = bars;
    let bar = |bar: &Bar| {
        let corners = [(bar.x - 0.4 * step, bar.from), (bar.x + 0.4 * step, bar.to)];
        Rectangle::new(corners, colour.mix(0.9).filled())
    };
    chart.draw_series(bars.iter().map(bar)).map_err(said)?;
    let labels = bars.iter().map(|bar| width_of(&bar.label, LABEL_PX)).max();
    let (left, right) = (chart.backend_coord(&(0.0, 0.0)).0, chart.backend_coord(&(*step, 0.0)).0);
    if labels.is_some_and(|widest| widest < (right - left) / FINE) {
        for bar in bars.iter().filter(|bar| !bar.label.is_empty()) {
            let (x, y) = chart.backend_coord(&(bar.x, bar.to));
            let style = Style::label().at(HPos::Center, VPos::Bottom);
            text(canvas, &bar.label, (x / FINE, y / FINE - 3), &style)?;
        }
    }
    Ok(())
}

fn draw_dots(
    chart: &mut Chart<'_, '_>,
    canvas: &Canvas<'_>,
    layout: Layout,
    colour: RGBColor,
    dots: &[(f64, f64, String)],
) -> Result<(), DrawError> {
    let dot = |(x, y, _): &(f64, f64, String)| Circle::new((*x, *y), 4 * FINE, colour.filled());
    chart.draw_series(dots.iter().map(dot)).map_err(said)?;
    for (x, y, label) in dots {
        let (x, y) = chart.backend_coord(&(*x, *y));
        let (x, y) = (x / FINE, y / FINE);
        let fits = x + 10 + width_of(label, LABEL_PX) <= layout.width() - MARGIN;
        let (at, side) = if fits { ((x + 9, y + 8), HPos::Left) } else { ((x + 4, y - 12), HPos::Right) };
        text(canvas, label, at, &Style::label().at(side, VPos::Center))?;
    }
    Ok(())
}
