//! How every plot looks: a plain card, a quiet grid, fault bands with their names above, lines named where they end
//! instead of in a legend.
//!
//! Sizes are in pixels at 100 %. The backend's coordinates are integers, so everything is drawn [`FINE`] times
//! larger inside a view box, and curves are smooth. Each plot is drawn twice, for a wide page and for a phone,
//! because scaled text cannot be read.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::axis::Axis;
use crate::palette::{AXIS, GRID, INK, PAPER, dash, hex};

mod lanes;
mod marks;
mod text;

use lanes::{LANE_HEIGHT, Lanes, shade};
pub(crate) use marks::{Bar, Bars, Line, Mark};
use text::{LABEL_PX, Style, register_font, text, width_of};

/// Drawing units per pixel.
const FINE: i32 = 4;
const MARGIN: i32 = 14;
const TITLE_HEIGHT: i32 = 26;
const UNIT_HEIGHT: i32 = 28;
const X_LABELS_HEIGHT: i32 = 24;
const X_UNIT_HEIGHT: i32 = 18;

pub(crate) type DrawError = String;
type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<WithKeyPoints<RangedCoordf64>, WithKeyPoints<RangedCoordf64>>,
>;

/// Where a plot will be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Wide,
    Narrow,
}

impl Layout {
    const fn width(self) -> i32 {
        match self {
            Self::Wide => 960,
            Self::Narrow => 380,
        }
    }

    /// About how many ticks fit an axis of time.
    pub(crate) const fn time_ticks(self) -> usize {
        match self {
            Self::Wide => 10,
            Self::Narrow => 4,
        }
    }
}

/// A plot: panels above each other that share the axis of x.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) x_unit: String,
    pub(crate) read_x: Reading,
    pub(crate) bands: Vec<Band>,
    pub(crate) panels: Vec<Panel>,
}

/// A stretch of x that is shaded.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    pub(crate) kind: BandKind,
    pub(crate) name: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BandKind {
    Warmup,
    Fault,
}

/// One frame with its axis of y.
#[derive(Debug)]
pub(crate) struct Panel {
    /// What y says, and its unit.
    pub(crate) unit: String,
    pub(crate) y: Axis,
    pub(crate) marks: Vec<Mark>,
    /// A goal on y, with its words.
    pub(crate) goal: Option<(f64, String)>,
    /// How high it is, in hundredths of the usual.
    pub(crate) height: i32,
    /// How a value of y is read.
    pub(crate) read: Reading,
    /// Values that are told where the pointer is, and not drawn.
    pub(crate) told: Vec<Line>,
}

impl Panel {
    /// With nothing in it yet but a unit and an axis.
    pub(crate) fn new(unit: impl Into<String>, y: Axis, read: Reading) -> Self {
        Self { unit: unit.into(), y, marks: Vec::new(), goal: None, height: 100, read, told: Vec::new() }
    }

    pub(crate) fn with(mut self, marks: impl IntoIterator<Item = Mark>) -> Self {
        self.marks.extend(marks);
        self
    }
}

/// How the numbers of an axis are told to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A share of the whole.
    Share,
    /// A number and its unit.
    Number(&'static str),
    /// Simulated seconds.
    Time,
    /// The logarithm of milliseconds.
    LogMs,
    /// A part of the key space, by its place between 0 and 1.
    Key,
}

/// A finished drawing.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    /// The document, without a style of its own.
    pub(crate) svg: String,
    /// Its size in pixels.
    pub(crate) size: (i32, i32),
    /// Where the frames stand: x for all, y for each panel.
    pub(crate) x: Range<i32>,
    pub(crate) y: Vec<Range<i32>>,
}

impl Drawing {
    /// As a file of its own, with the style that follows the screen.
    pub(crate) fn document(&self) -> String {
        self.svg.replacen("</title>", &format!("</title>{}", crate::palette::style_of_file()), 1)
    }
}

impl Panel {
    fn height(&self, layout: Layout, panels: usize) -> i32 {
        let usual = match (layout, panels) {
            (Layout::Wide, 1) => 250,
            (Layout::Wide, _) => 170,
            (Layout::Narrow, 1) => 210,
            (Layout::Narrow, _) => 150,
        };
        usual * self.height / 100
    }
}

impl Plot {
    /// Draws it.
    pub(crate) fn draw(&self, layout: Layout) -> Result<Drawing, DrawError> {
        register_font()?;
        let lanes = Lanes::assign(self, layout);
        let head = MARGIN + TITLE_HEIGHT + lanes.rows() as i32 * LANE_HEIGHT;
        let mut bottom = head;
        let place = |panel: &Panel| {
            let top = bottom + UNIT_HEIGHT;
            let end = top + panel.height(layout, self.panels.len());
            bottom = end + X_LABELS_HEIGHT;
            top..end
        };
        let y: Vec<Range<i32>> = self.panels.iter().map(place).collect();
        let height = bottom + X_UNIT_HEIGHT + MARGIN / 2;
        let mut svg = String::new();
        let size = ((layout.width() * FINE) as u32, (height * FINE) as u32);
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        canvas.fill(&PAPER).map_err(said)?;
        text(&canvas, &self.title, (MARGIN, MARGIN), &Style::title())?;
        let frame = Frame::of(self, layout);
        lanes.draw(self, &frame, &canvas, MARGIN + TITLE_HEIGHT)?;
        for (y, panel) in y.iter().zip(&self.panels) {
            text(&canvas, &panel.unit, (MARGIN, y.start - UNIT_HEIGHT + 3), &Style::label())?;
            frame.draw(self, panel, &canvas, y)?;
        }
        let below = (frame.x.end, height - MARGIN / 2 - X_UNIT_HEIGHT);
        text(&canvas, &self.x_unit, below, &Style::label().at(HPos::Right, VPos::Top))?;
        canvas.present().map_err(said)?;
        drop(canvas);
        let svg = self.finished(&svg, layout.width(), height);
        Ok(Drawing { svg, size: (layout.width(), height), x: frame.x, y })
    }

    /// With its size at 100 %, round joints, dashes, and its title for those who cannot see it.
    fn finished(&self, svg: &str, width: i32, height: i32) -> String {
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let title = crate::html::escape(&self.title);
        let view = format!("0 0 {} {}", width * FINE, height * FINE);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{view}\" \
             role=\"img\" aria-label=\"{title}\" stroke-linejoin=\"round\">\n<title>{title}</title>{}",
            self.dashed(body.to_owned())
        )
    }

    /// Lines beside others differ by their dashes as well as their colours.
    fn dashed(&self, mut body: String) -> String {
        let beside = |panel: &&Panel| panel.lines().count() > 1;
        for line in self.panels.iter().filter(beside).flat_map(Panel::lines) {
            let Some(dash) = dash(line.colour) else { continue };
            let lengths = dash.iter().map(|px| (i32::from(*px) * FINE).to_string());
            let stroke = format!("stroke=\"{}\" stroke-width=\"{}\"", hex(line.colour), 2 * FINE);
            let lengths = lengths.collect::<Vec<_>>().join(" ");
            body = body.replace(
                &format!("{stroke} points"),
                &format!("{stroke} stroke-dasharray=\"{lengths}\" points"),
            );
        }
        body
    }
}

impl Panel {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Line(line) => Some(line),
            _ => None,
        })
    }
}

/// Where the panels stand between left and right.
struct Frame {
    x: Range<i32>,
    layout: Layout,
}

impl Frame {
    /// Left of the frame stand the labels of y, right of it the names of lines: both as wide as their longest.
    fn of(plot: &Plot, layout: Layout) -> Self {
        let labels = plot.panels.iter().flat_map(|panel| &panel.y.ticks);
        let left = labels.map(|(_, label)| width_of(label, LABEL_PX)).max().unwrap_or(0);
        let names = plot.panels.iter().flat_map(Panel::lines).filter(|line| !line.name.is_empty());
        let right = names.map(|line| width_of(&line.name, LABEL_PX) + 8).max().unwrap_or(0);
        // However long the names: half of the plot is the plot's.
        let (left, right) = (left.min(layout.width() / 4), right.min(layout.width() / 4));
        Self { x: MARGIN + left + 8..layout.width() - MARGIN - right, layout }
    }

    fn pixel(&self, plot: &Plot, x: f64) -> i32 {
        let share = ((x - plot.x.from) / (plot.x.to - plot.x.from)).clamp(0.0, 1.0);
        self.x.start + (share * f64::from(self.x.end - self.x.start)).round() as i32
    }

    fn draw(&self, plot: &Plot, panel: &Panel, canvas: &Canvas<'_>, y: &Range<i32>) -> Result<(), DrawError> {
        let area = canvas.clone().shrink(
            (self.x.start * FINE, y.start * FINE),
            ((self.x.end - self.x.start) * FINE, (y.end - y.start) * FINE),
        );
        let range = |axis: &Axis| {
            let ticks: Vec<f64> = axis.ticks.iter().map(|(value, _)| *value).collect();
            (axis.from..axis.to).with_key_points(ticks)
        };
        let mut chart =
            ChartBuilder::on(&area).build_cartesian_2d(range(&plot.x), range(&panel.y)).map_err(said)?;
        shade(&mut chart, plot, panel)?;
        self.grid(plot, panel, canvas, y)?;
        if let Some((goal, words)) = &panel.goal {
            let at = chart.backend_coord(&(plot.x.from, *goal)).1 / FINE;
            rule(canvas, (self.x.start, at), (self.x.end, at), INK.mix(0.75), Stroke::Dashed)?;
            text(canvas, words, (self.x.start + 6, at + 4), &Style::label())?;
        }
        let mut names = Vec::new();
        for mark in &panel.marks {
            mark.draw(&mut chart, canvas, self.layout)?;
            if let Mark::Line(line) = mark
                && let Some(last) = line.pieces.iter().flatten().last().filter(|_| !line.name.is_empty())
            {
                names.push((chart.backend_coord(last).1 / FINE, &line.name, line.colour));
            }
        }
        self.names(canvas, names, y)
    }

    /// Lines across at the ticks of y, ticks and labels of x below.
    fn grid(&self, plot: &Plot, panel: &Panel, canvas: &Canvas<'_>, y: &Range<i32>) -> Result<(), DrawError> {
        let height = f64::from(y.end - y.start);
        for (value, label) in &panel.y.ticks {
            let share = (value - panel.y.from) / (panel.y.to - panel.y.from);
            let at = y.end - (share * height).round() as i32;
            rule(canvas, (self.x.start, at), (self.x.end, at), GRID.mix(1.0), Stroke::Thin)?;
            let style = Style::label().at(HPos::Right, VPos::Center);
            text(canvas, label, (self.x.start - 8, at), &style)?;
        }
        rule(canvas, (self.x.start, y.end), (self.x.end, y.end), AXIS.mix(1.0), Stroke::Thin)?;
        for (value, label) in &plot.x.ticks {
            let at = self.pixel(plot, *value);
            rule(canvas, (at, y.end), (at, y.end + 4), AXIS.mix(1.0), Stroke::Thin)?;
            let half = width_of(label, LABEL_PX) / 2;
            let inside = at.min(self.layout.width() - MARGIN / 2 - half);
            let style = Style::label().at(HPos::Center, VPos::Top);
            text(canvas, label, (inside, y.end + 7), &style)?;
        }
        Ok(())
    }

    /// The names of lines, right of where they end, pushed apart where they would touch.
    fn names(
        &self,
        canvas: &Canvas<'_>,
        mut names: Vec<(i32, &String, RGBColor)>,
        y: &Range<i32>,
    ) -> Result<(), DrawError> {
        names.sort_by_key(|(at, ..)| *at);
        let mut free_from = y.start;
        for (at, ..) in &mut names {
            *at = (*at).max(free_from);
            free_from = *at + LABEL_PX + 3;
        }
        let mut free_to = y.end;
        for (at, ..) in names.iter_mut().rev() {
            *at = (*at).min(free_to);
            free_to = *at - LABEL_PX - 3;
        }
        for (at, name, colour) in names {
            let style = Style::label().bold().coloured(colour).at(HPos::Left, VPos::Center);
            text(canvas, name, (self.x.end + 8, at), &style)?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Stroke {
    Thin,
    Dashed,
}

fn rule(
    canvas: &Canvas<'_>,
    from: (i32, i32),
    to: (i32, i32),
    colour: RGBAColor,
    stroke: Stroke,
) -> Result<(), DrawError> {
    let fine = |(x, y): (i32, i32)| (x * FINE, y * FINE);
    let style = colour.stroke_width(FINE as u32);
    match stroke {
        Stroke::Thin => canvas.draw(&PathElement::new([fine(from), fine(to)], style)),
        Stroke::Dashed => {
            canvas.draw(&DashedPathElement::new([fine(from), fine(to)], 5 * FINE, 5 * FINE, style))
        }
    }
    .map_err(said)
}

fn said(error: impl std::fmt::Display) -> DrawError {
    error.to_string()
}
