//! How every plot looks: a white card, a quiet grid, fault bands with their names above, lines named where
//! they end instead of in a legend.
//!
//! Sizes are in pixels at 100 %. The backend's coordinates are integers, so everything is drawn [`FINE`] times
//! larger inside a view box, and curves are smooth. Each plot is drawn twice, for a wide page and for a phone,
//! because scaled text cannot be read.

use std::ops::Range;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::Axis;

/// Drawing units per pixel.
const FINE: i32 = 4;
/// The generic family: whatever shows the plot has one; the layout is made with DejaVu Sans, which is wide.
const FAMILY: &str = "sans-serif";
/// plotters divides by this when it writes a size.
const FONT_RATIO: f64 = 1.24;

const INK: RGBColor = RGBColor(0x1c, 0x24, 0x2c);
const QUIET: RGBColor = RGBColor(0x5b, 0x66, 0x70);
const GRID: RGBColor = RGBColor(0xe4, 0xe8, 0xec);
const AXIS: RGBColor = RGBColor(0xb4, 0xbc, 0xc4);
const WARMUP: RGBColor = RGBColor(0x9a, 0xa5, 0xb0);
/// The palette of Okabe and Ito: told apart by every kind of colour vision.
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub(crate) const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
pub(crate) const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);

const MARGIN: i32 = 14;
const TITLE_HEIGHT: i32 = 26;
const LANE_HEIGHT: i32 = 18;
const UNIT_HEIGHT: i32 = 28;
const X_LABELS_HEIGHT: i32 = 24;
const X_UNIT_HEIGHT: i32 = 18;
const LABEL_PX: i32 = 12;
/// Rows of fault names above a plot; the faults that find no room are shaded without a name.
const MAX_LANES: usize = 4;

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
    pub(crate) bands: Vec<Band>,
    pub(crate) panels: Vec<Panel>,
}

/// A stretch of x that is shaded.
#[derive(Debug)]
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
}

/// What is drawn in a panel.
#[derive(Debug)]
pub(crate) enum Mark {
    Line(Line),
    /// Bars around whole x, each with its label.
    Bars {
        colour: RGBColor,
        bars: Vec<(f64, f64, String)>,
    },
    /// Named points.
    Dots {
        colour: RGBColor,
        dots: Vec<(f64, f64, String)>,
    },
}

/// A line in pieces: where there is no value, there is a gap.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) pieces: Vec<Vec<(f64, f64)>>,
}

impl Plot {
    /// The plot as an SVG document.
    pub(crate) fn svg(&self, layout: Layout) -> Result<String, DrawError> {
        register_font()?;
        let lanes = Lanes::assign(self, layout);
        let panel_height = match (layout, self.panels.len()) {
            (Layout::Wide, 1) => 250,
            (Layout::Wide, _) => 170,
            (Layout::Narrow, 1) => 210,
            (Layout::Narrow, _) => 150,
        };
        let head = MARGIN + TITLE_HEIGHT + lanes.rows() as i32 * LANE_HEIGHT;
        let panels = self.panels.len() as i32 * (UNIT_HEIGHT + panel_height + X_LABELS_HEIGHT);
        let height = head + panels + X_UNIT_HEIGHT + MARGIN / 2;
        let mut svg = String::new();
        let size = ((layout.width() * FINE) as u32, (height * FINE) as u32);
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        canvas.fill(&WHITE).map_err(said)?;
        text(&canvas, &self.title, (MARGIN, MARGIN), &Style::title())?;
        let frame = Frame::of(self, layout);
        lanes.draw(self, &frame, &canvas, MARGIN + TITLE_HEIGHT)?;
        for (number, panel) in (0..).zip(&self.panels) {
            let top = head + number * (UNIT_HEIGHT + panel_height + X_LABELS_HEIGHT);
            text(&canvas, &panel.unit, (MARGIN, top + 3), &Style::unit())?;
            frame.draw(self, panel, &canvas, top + UNIT_HEIGHT..top + UNIT_HEIGHT + panel_height)?;
        }
        let below = (frame.x.end, height - MARGIN / 2 - X_UNIT_HEIGHT);
        text(&canvas, &self.x_unit, below, &Style::unit().at(HPos::Right, VPos::Top))?;
        canvas.present().map_err(said)?;
        drop(canvas);
        Ok(self.finished(&svg, layout.width(), height))
    }

    /// With its size at 100 %, round joints, and its title for those who cannot see it.
    fn finished(&self, svg: &str, width: i32, height: i32) -> String {
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let title = crate::html::escape(&self.title);
        let view = format!("0 0 {} {}", width * FINE, height * FINE);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{view}\" \
             role=\"img\" aria-label=\"{title}\" stroke-linejoin=\"round\" stroke-linecap=\"round\">\n\
             <title>{title}</title>{body}"
        )
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        let marks = self.panels.iter().flat_map(|panel| &panel.marks);
        marks.filter_map(|mark| match mark {
            Mark::Line(line) => Some(line),
            Mark::Bars { .. } | Mark::Dots { .. } => None,
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
        let names = plot.lines().filter(|line| !line.name.is_empty());
        let right = names.map(|line| width_of(&line.name, LABEL_PX) + 8).max().unwrap_or(0);
        Self { x: MARGIN + left + 8..layout.width() - MARGIN - right, layout }
    }

    fn pixel(&self, plot: &Plot, x: f64) -> i32 {
        let share = ((x - plot.x.from) / (plot.x.to - plot.x.from)).clamp(0.0, 1.0);
        self.x.start + (share * f64::from(self.x.end - self.x.start)).round() as i32
    }

    fn draw(&self, plot: &Plot, panel: &Panel, canvas: &Canvas<'_>, y: Range<i32>) -> Result<(), DrawError> {
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
        self.grid(plot, panel, canvas, &y)?;
        if let Some((goal, words)) = &panel.goal {
            let at = chart.backend_coord(&(plot.x.from, *goal)).1 / FINE;
            rule(canvas, (self.x.start, at), (self.x.end, at), INK.mix(0.75), Stroke::Dashed)?;
            text(canvas, words, (self.x.start + 6, at + 4), &Style::label())?;
        }
        let mut names = Vec::new();
        for mark in &panel.marks {
            match mark {
                Mark::Line(line) => {
                    draw_line(&mut chart, line)?;
                    let last = line.pieces.iter().flatten().last();
                    if let Some(last) = last.filter(|_| !line.name.is_empty()) {
                        names.push((chart.backend_coord(last).1 / FINE, &line.name, line.colour));
                    }
                }
                Mark::Bars { colour, bars } => self.bars(&mut chart, canvas, *colour, bars)?,
                Mark::Dots { colour, dots } => self.dots(&mut chart, canvas, *colour, dots)?,
            }
        }
        self.names(canvas, names, &y)
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

    fn bars(
        &self,
        chart: &mut Chart<'_, '_>,
        canvas: &Canvas<'_>,
        colour: RGBColor,
        bars: &[(f64, f64, String)],
    ) -> Result<(), DrawError> {
        let bar = |(x, y, _): &(f64, f64, String)| {
            Rectangle::new([(x - 0.4, 0.0), (x + 0.4, *y)], colour.mix(0.9).filled())
        };
        chart.draw_series(bars.iter().map(bar)).map_err(said)?;
        let labels = bars.iter().map(|(.., label)| width_of(label, LABEL_PX)).max();
        let (left, right) = (chart.backend_coord(&(0.0, 0.0)).0, chart.backend_coord(&(1.0, 0.0)).0);
        if labels.is_some_and(|widest| widest < (right - left) / FINE) {
            for (x, y, label) in bars {
                let (x, y) = chart.backend_coord(&(*x, *y));
                let style = Style::label().at(HPos::Center, VPos::Bottom);
                text(canvas, label, (x / FINE, y / FINE - 3), &style)?;
            }
        }
        Ok(())
    }

    fn dots(
        &self,
        chart: &mut Chart<'_, '_>,
        canvas: &Canvas<'_>,
        colour: RGBColor,
        dots: &[(f64, f64, String)],
    ) -> Result<(), DrawError> {
        let dot = |(x, y, _): &(f64, f64, String)| Circle::new((*x, *y), 4 * FINE, colour.filled());
        chart.draw_series(dots.iter().map(dot)).map_err(said)?;
        for (x, y, label) in dots {
            let (x, y) = chart.backend_coord(&(*x, *y));
            let (x, y) = (x / FINE, y / FINE);
            let fits = x + 10 + width_of(label, LABEL_PX) <= self.layout.width() - MARGIN;
            let (at, side) = if fits { ((x + 9, y + 8), HPos::Left) } else { ((x - 9, y + 14), HPos::Right) };
            text(canvas, label, at, &Style::label().at(side, VPos::Center))?;
        }
        Ok(())
    }
}

fn shade(chart: &mut Chart<'_, '_>, plot: &Plot, panel: &Panel) -> Result<(), DrawError> {
    // What lasts an instant is still two pixels wide.
    let least = (plot.x.to - plot.x.from) / 400.0;
    let band = |band: &Band| {
        let colour = match band.kind {
            BandKind::Warmup => WARMUP.mix(0.16),
            BandKind::Fault => ORANGE.mix(0.14),
        };
        let to = band.to.max(band.from + least).min(plot.x.to);
        Rectangle::new([(band.from, panel.y.from), (to, panel.y.to)], colour.filled())
    };
    chart.draw_series(plot.bands.iter().map(band)).map_err(said)?;
    Ok(())
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

/// Rows above the panels in which the bands have their names.
struct Lanes {
    /// The lane of each band, in the plot's order; none where there is no room.
    of_band: Vec<Option<usize>>,
}

impl Lanes {
    fn assign(plot: &Plot, layout: Layout) -> Self {
        let frame = Frame::of(plot, layout);
        let mut ends = [i32::MIN; MAX_LANES];
        let of_band = plot.bands.iter().map(|band| {
            let (name, bar) = places(plot, &frame, band);
            let (from, to) = (name.start.min(bar.start), (name.end + 10).max(bar.end));
            let lane = ends.iter().position(|end| *end <= from)?;
            *ends.get_mut(lane)? = to;
            Some(lane)
        });
        Self { of_band: of_band.collect() }
    }

    fn rows(&self) -> usize {
        self.of_band.iter().flatten().max().map_or(0, |last| last + 1)
    }

    fn draw(&self, plot: &Plot, frame: &Frame, canvas: &Canvas<'_>, top: i32) -> Result<(), DrawError> {
        for (band, lane) in plot.bands.iter().zip(&self.of_band) {
            let Some(lane) = lane else { continue };
            let (name, bar) = places(plot, frame, band);
            let y = top + *lane as i32 * LANE_HEIGHT;
            let colour = match band.kind {
                BandKind::Warmup => WARMUP,
                BandKind::Fault => ORANGE,
            };
            let corners = [(bar.start * FINE, (y + 13) * FINE), (bar.end * FINE, (y + 16) * FINE)];
            canvas.draw(&Rectangle::new(corners, colour.filled())).map_err(said)?;
            text(canvas, &band.name, (name.start, y), &Style::band())?;
        }
        Ok(())
    }
}

/// Where a band's name and bar stand. A name that would leave the frame is moved to the left.
fn places(plot: &Plot, frame: &Frame, band: &Band) -> (Range<i32>, Range<i32>) {
    let from = frame.pixel(plot, band.from);
    let to = frame.pixel(plot, band.to).max(from + 2);
    let width = width_of(&band.name, Style::BAND_PX);
    let start = from.min(frame.layout.width() - MARGIN - width).max(MARGIN);
    (start..start + width, from..to)
}

/// How a text is set.
struct Style {
    px: i32,
    bold: bool,
    colour: RGBColor,
    pos: Pos,
}

impl Style {
    const BAND_PX: i32 = 11;

    const fn new(px: i32, colour: RGBColor) -> Self {
        Self { px, bold: false, colour, pos: Pos { h_pos: HPos::Left, v_pos: VPos::Top } }
    }
    const fn title() -> Self {
        Self::new(15, INK).bold()
    }
    const fn unit() -> Self {
        Self::new(LABEL_PX, QUIET)
    }
    const fn label() -> Self {
        Self::new(LABEL_PX, QUIET)
    }
    const fn band() -> Self {
        Self::new(Self::BAND_PX, INK)
    }
    const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }
    const fn coloured(mut self, colour: RGBColor) -> Self {
        self.colour = colour;
        self
    }
    const fn at(mut self, h_pos: HPos, v_pos: VPos) -> Self {
        self.pos = Pos { h_pos, v_pos };
        self
    }
}

fn text(canvas: &Canvas<'_>, words: &str, at: (i32, i32), style: &Style) -> Result<(), DrawError> {
    let weight = if style.bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(style.px * FINE) * FONT_RATIO, weight);
    let set = TextStyle::from(font).color(&style.colour).pos(style.pos);
    canvas.draw_text(words, &set, (at.0 * FINE, at.1 * FINE)).map_err(said)
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

/// How wide a text is in the layout's font, in pixels.
fn width_of(words: &str, px: i32) -> i32 {
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(px), FontStyle::Normal);
    let measured = font.box_size(words).map(|(width, _)| width as i32);
    measured.unwrap_or(words.chars().count() as i32 * px)
}

/// The font of the layout, once for the process: without it every measurement would ask the system for one.
fn register_font() -> Result<(), DrawError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| {
        let fonts = [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())];
        fonts.into_iter().all(|(style, bytes)| plotters::style::register_font(FAMILY, style, bytes).is_ok())
    });
    if *registered { Ok(()) } else { Err("the font that ships with the program is damaged".to_owned()) }
}

fn said(error: impl std::fmt::Display) -> DrawError {
    error.to_string()
}
