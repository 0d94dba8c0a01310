//! Colours, each with its twin for dark screens, and the dashes that tell series apart without them.
//!
//! Plots are drawn in the light colours. A style sheet turns them into their twins: in a file of its own by what the
//! screen prefers, on the page by its switch. Where style is not understood, the light plot remains.

use plotters::style::RGBColor;

pub(crate) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub(crate) const INK: RGBColor = RGBColor(0x1c, 0x24, 0x2c);
pub(crate) const QUIET: RGBColor = RGBColor(0x5b, 0x66, 0x70);
pub(crate) const GRID: RGBColor = RGBColor(0xe4, 0xe8, 0xec);
pub(crate) const AXIS: RGBColor = RGBColor(0xb4, 0xbc, 0xc4);
pub(crate) const WARMUP: RGBColor = RGBColor(0x9a, 0xa5, 0xb0);
/// The palette of Okabe and Ito: told apart by every kind of colour vision. This one is for faults alone.
pub(crate) const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub(crate) const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
pub(crate) const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
const SKY: RGBColor = RGBColor(0x3f, 0x9b, 0xd0);
const SLATE: RGBColor = RGBColor(0x3d, 0x48, 0x52);

/// The colours of series, in the order in which they are given out.
pub(crate) const SERIES: [RGBColor; 6] = [BLUE, VERMILION, GREEN, PURPLE, SKY, SLATE];

/// The dash of a series beside others, in pixels: no two colours share one.
pub(crate) const fn dash(colour: RGBColor) -> Option<&'static [u8]> {
    match colour {
        VERMILION => Some(&[9, 4]),
        GREEN => Some(&[2, 4]),
        PURPLE => Some(&[10, 4, 2, 4]),
        SKY => Some(&[16, 3]),
        SLATE => Some(&[4, 2]),
        _ => None,
    }
}

const TWINS: [(RGBColor, RGBColor); 12] = [
    (PAPER, RGBColor(0x1a, 0x20, 0x26)),
    (INK, RGBColor(0xe6, 0xea, 0xee)),
    (QUIET, RGBColor(0xa3, 0xae, 0xb8)),
    (GRID, RGBColor(0x2b, 0x33, 0x3b)),
    (AXIS, RGBColor(0x53, 0x5e, 0x68)),
    (WARMUP, RGBColor(0x8a, 0x95, 0xa0)),
    (BLUE, RGBColor(0x4f, 0xa9, 0xe6)),
    (VERMILION, RGBColor(0xff, 0x8b, 0x3d)),
    (GREEN, RGBColor(0x2f, 0xc7, 0x9a)),
    (PURPLE, RGBColor(0xe6, 0xa0, 0xca)),
    (SKY, RGBColor(0x8f, 0xd0, 0xf5)),
    (SLATE, RGBColor(0xc4, 0xcd, 0xd6)),
];

/// As SVG writes it.
pub(crate) fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// The style of a plot in a file of its own.
pub(crate) fn style_of_file() -> String {
    let rules = TWINS.map(|(light, dark)| rule("", light, &hex(dark)));
    format!("<style>@media(prefers-color-scheme:dark){{{}}}</style>", rules.concat())
}

/// The style of the plots on a page, which follows the page's colour scheme.
pub(crate) fn style_of_page() -> String {
    let twin = |(light, dark)| rule("figure ", light, &format!("light-dark({},{})", hex(light), hex(dark)));
    TWINS.map(twin).join("\n") + "\n"
}

fn rule(within: &str, light: RGBColor, becomes: &str) -> String {
    let light = hex(light);
    format!("{within}[fill=\"{light}\"]{{fill:{becomes}}}{within}[stroke=\"{light}\"]{{stroke:{becomes}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How bright a colour is, by WCAG.
    fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
        let linear = |channel: u8| match f64::from(channel) / 255.0 {
            value if value <= 0.040_45 => value / 12.92,
            value => ((value + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_lines_stand_out_on_both_papers() {
        let dark = |colour| TWINS.iter().find(|(light, _)| *light == colour).unwrap().1;
        for (colour, least) in [(INK, 7.0), (QUIET, 4.5), (BLUE, 3.0), (VERMILION, 3.0), (GREEN, 3.0)] {
            assert!(contrast(colour, PAPER) >= least, "{}", hex(colour));
            assert!(contrast(dark(colour), dark(PAPER)) >= least, "{} in the dark", hex(colour));
        }
    }

    #[test]
    fn series_differ_by_dash_too() {
        let mut dashes = SERIES.map(dash).to_vec();
        dashes.sort_unstable();
        dashes.dedup();
        assert_eq!(dashes.len(), SERIES.len());
    }
}
