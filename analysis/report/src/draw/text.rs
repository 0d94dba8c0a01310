//! Words on a plot. The layout is made with a font that ships with the program, which is wide; the file names a generic
//! family, so it is the same from every machine and shows on every machine.

use std::sync::OnceLock;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Canvas, DrawError, FINE, said};
use crate::palette::{INK, QUIET};

const FAMILY: &str = "sans-serif";
/// plotters divides by this when it writes a size.
const FONT_RATIO: f64 = 1.24;
pub(super) const LABEL_PX: i32 = 12;

/// How a text is set.
pub(super) struct Style {
    px: i32,
    bold: bool,
    colour: RGBColor,
    pos: Pos,
}

impl Style {
    pub(super) const BAND_PX: i32 = 11;

    const fn new(px: i32, colour: RGBColor) -> Self {
        Self { px, bold: false, colour, pos: Pos { h_pos: HPos::Left, v_pos: VPos::Top } }
    }
    pub(super) const fn title() -> Self {
        Self::new(15, INK).bold()
    }
    pub(super) const fn label() -> Self {
        Self::new(LABEL_PX, QUIET)
    }
    pub(super) const fn band() -> Self {
        Self::new(Self::BAND_PX, INK)
    }
    pub(super) const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }
    pub(super) const fn coloured(mut self, colour: RGBColor) -> Self {
        self.colour = colour;
        self
    }
    pub(super) const fn at(mut self, h_pos: HPos, v_pos: VPos) -> Self {
        self.pos = Pos { h_pos, v_pos };
        self
    }
}

pub(super) fn text(canvas: &Canvas<'_>, words: &str, at: (i32, i32), style: &Style) -> Result<(), DrawError> {
    let weight = if style.bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(style.px * FINE) * FONT_RATIO, weight);
    let set = TextStyle::from(font).color(&style.colour).pos(style.pos);
    canvas.draw_text(words, &set, (at.0 * FINE, at.1 * FINE)).map_err(said)
}

/// How wide a text is in the layout's font, in pixels.
pub(super) fn width_of(words: &str, px: i32) -> i32 {
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(px), FontStyle::Normal);
    let measured = font.box_size(words).map(|(width, _)| width as i32);
    measured.unwrap_or(words.chars().count() as i32 * px)
}

/// The font of the layout, once for the process: without it every measurement would ask the system for one.
pub(super) fn register_font() -> Result<(), DrawError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| {
        let fonts = [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())];
        fonts.into_iter().all(|(style, bytes)| plotters::style::register_font(FAMILY, style, bytes).is_ok())
    });
    if *registered { Ok(()) } else { Err("the font that ships with the program is damaged".to_owned()) }
}
