//! The rows above the panels in which bands have their names, and their shade in the panels.

use std::ops::Range;

use plotters::prelude::*;

use super::text::{Style, text, width_of};
use super::{Band, BandKind, Canvas, Chart, DrawError, FINE, Frame, Layout, MARGIN, Panel, Plot, said};
use crate::palette::{ORANGE, WARMUP};

pub(super) const LANE_HEIGHT: i32 = 18;
/// Rows of names above a plot; the bands that find no room are shaded without a name.
const MAX_LANES: usize = 4;

pub(super) struct Lanes {
    /// The lane of each band, in the plot's order; none where there is no room.
    of_band: Vec<Option<usize>>,
}

impl Lanes {
    pub(super) fn assign(plot: &Plot, layout: Layout) -> Self {
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

    pub(super) fn rows(&self) -> usize {
        self.of_band.iter().flatten().max().map_or(0, |last| last + 1)
    }

    pub(super) fn draw(
        &self,
        plot: &Plot,
        frame: &Frame,
        canvas: &Canvas<'_>,
        top: i32,
    ) -> Result<(), DrawError> {
        for (band, lane) in plot.bands.iter().zip(&self.of_band) {
            let Some(lane) = lane else { continue };
            let (name, bar) = places(plot, frame, band);
            let y = top + *lane as i32 * LANE_HEIGHT;
            let corners = [(bar.start * FINE, (y + 13) * FINE), (bar.end * FINE, (y + 16) * FINE)];
            canvas.draw(&Rectangle::new(corners, colour(band.kind).filled())).map_err(said)?;
            text(canvas, &band.name, (name.start, y), &Style::band())?;
        }
        Ok(())
    }
}

const fn colour(kind: BandKind) -> RGBColor {
    match kind {
        BandKind::Warmup => WARMUP,
        BandKind::Fault => ORANGE,
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

pub(super) fn shade(chart: &mut Chart<'_, '_>, plot: &Plot, panel: &Panel) -> Result<(), DrawError> {
    // What lasts an instant is still two pixels wide.
    let least = (plot.x.to - plot.x.from) / 400.0;
    let band = |band: &Band| {
        let to = band.to.max(band.from + least).min(plot.x.to);
        let corners = [(band.from, panel.y.from), (to, panel.y.to)];
        Rectangle::new(corners, colour(band.kind).mix(0.14).filled())
    };
    chart.draw_series(plot.bands.iter().map(band)).map_err(said)?;
    Ok(())
}
