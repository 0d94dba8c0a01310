//! Which plots there are. A plot without data is left out with a word.

use std::borrow::Cow;

use crate::ReportError;
use crate::axis::Axis;
use crate::data::Data;
use crate::draw::{Band, Drawing, Layout, Line, Panel, Plot, Reading};

mod asked;
mod distributions;
mod network;
mod over_time;

/// All plots, and what is said of those that are missing.
#[derive(Debug)]
pub(crate) struct Plots {
    pub(crate) drawn: Vec<Drawn>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// A finished plot.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// The name of its file, without the ending.
    pub(crate) name: Cow<'static, str>,
    /// What it rests on, for below the plot.
    pub(crate) caption: String,
    /// What was drawn, for whoever asks for its values.
    pub(crate) plot: Plot,
    pub(crate) wide: Drawing,
    pub(crate) narrow: Drawing,
}

/// A plot that there is no data for.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) title: Cow<'static, str>,
    pub(crate) why: &'static str,
}

pub(crate) struct Recipe {
    name: &'static str,
    title: &'static str,
    /// What is said where there is no data.
    without: &'static str,
    pub(crate) make: fn(&Data, Layout) -> Option<Made>,
}

/// What a recipe makes: panels over an axis of x, and what they rest on.
pub(crate) struct Made {
    pub(crate) x: Axis,
    x_unit: String,
    read_x: Reading,
    bands: Vec<Band>,
    pub(crate) panels: Vec<Panel>,
    pub(crate) caption: String,
}

pub(crate) const RECIPES: &[Recipe] = &[
    Recipe {
        name: "lookup_success",
        title: "Lookup success over time",
        without: "no lookup ended",
        make: over_time::lookup_success,
    },
    Recipe {
        name: "lookup_latency",
        title: "Lookup latency over time",
        without: "no lookup succeeded",
        make: over_time::lookup_latency,
    },
    Recipe {
        name: "record_success",
        title: "PUT and GET success over time",
        without: "no record was put or got",
        make: over_time::record_success,
    },
    Recipe {
        name: "peers_online",
        title: "Online peers over time",
        without: "the series has no samples of peers.online",
        make: over_time::online,
    },
    Recipe {
        name: "table_staleness",
        title: "Stale contacts over time",
        without: "the series has no samples of kad.stale_ratio",
        make: over_time::staleness,
    },
    Recipe {
        name: "traffic",
        title: "Traffic over time",
        without: "the series has no samples of messages.sent",
        make: over_time::traffic,
    },
    Recipe {
        name: "latency_cdf",
        title: "Latency distribution",
        without: "no operation succeeded after warm-up",
        make: distributions::latency,
    },
    Recipe {
        name: "latency_by_group",
        title: "Latency distribution by group",
        without: "fewer than two groups asked",
        make: |data, layout| distributions::parted(data, layout, "group", |kind| &kind.by_group),
    },
    Recipe {
        name: "latency_by_region",
        title: "Latency distribution by region",
        without: "fewer than two regions asked",
        make: |data, layout| distributions::parted(data, layout, "region", |kind| &kind.by_region),
    },
    Recipe {
        name: "lookup_hops",
        title: "Lookup hops",
        without: "no lookup that succeeded after warm-up counted its hops",
        make: distributions::hops,
    },
    Recipe {
        name: "table_fill",
        title: "Routing tables by bucket",
        without: "the graph of routing tables was not written",
        make: network::fill,
    },
    Recipe {
        name: "degrees",
        title: "Contacts in a table, tables that name a peer",
        without: "the graph of routing tables was not written",
        make: network::degrees,
    },
    Recipe {
        name: "xor_map",
        title: "The key space: who is where, and how far tables reach",
        without: "the graph of routing tables was not written",
        make: network::map,
    },
];

/// Draws everything that there is data for.
pub(crate) fn draw(data: &Data) -> Result<Plots, ReportError> {
    let mut plots = Plots { drawn: Vec::new(), left_out: Vec::new() };
    for (number, asked) in data.asked.iter().enumerate() {
        let title = asked::title(asked);
        let made = |layout| asked::make(asked, data, layout);
        match (made(Layout::Wide), made(Layout::Narrow)) {
            (Some(wide), Some(narrow)) => {
                let name = Cow::Owned(format!("asked_{number}_{}", asked.figure.kind));
                plots.drawn.push(drawn(name, &title, wide, narrow)?);
            }
            _ => {
                let why = "nothing was recorded that it could show";
                plots.left_out.push(LeftOut { title: Cow::Owned(title), why });
            }
        }
    }
    for recipe in RECIPES {
        match recipe.draw(data)? {
            Some(drawn) => plots.drawn.push(drawn),
            None => plots.left_out.push(LeftOut { title: Cow::Borrowed(recipe.title), why: recipe.without }),
        }
    }
    Ok(plots)
}

impl Recipe {
    fn draw(&self, data: &Data) -> Result<Option<Drawn>, ReportError> {
        match ((self.make)(data, Layout::Wide), (self.make)(data, Layout::Narrow)) {
            (Some(wide), Some(narrow)) => self.drawn(wide, narrow).map(Some),
            _ => Ok(None),
        }
    }

    /// Draws what was made for both layouts.
    pub(crate) fn drawn(&self, wide: Made, narrow: Made) -> Result<Drawn, ReportError> {
        drawn(Cow::Borrowed(self.name), self.title, wide, narrow)
    }
}

fn drawn(name: Cow<'static, str>, title: &str, wide: Made, narrow: Made) -> Result<Drawn, ReportError> {
    let caption = wide.caption.clone();
    let (plot, wide) = drawing(title, wide, Layout::Wide)?;
    let (_, narrow) = drawing(title, narrow, Layout::Narrow)?;
    Ok(Drawn { name, caption, plot, wide, narrow })
}

fn drawing(title: &str, made: Made, layout: Layout) -> Result<(Plot, Drawing), ReportError> {
    let Made { x, x_unit, read_x, bands, panels, .. } = made;
    let plot = Plot { title: title.to_owned(), x, x_unit, read_x, bands, panels };
    let drawn = plot.draw(layout);
    let failed = |what| ReportError::Draw { plot: title.to_owned(), what };
    drawn.map(|drawing| (plot, drawing)).map_err(failed)
}

fn highest(lines: &[Line]) -> Option<f64> {
    values(lines).max_by(f64::total_cmp)
}

fn lowest(lines: &[Line]) -> Option<f64> {
    values(lines).min_by(f64::total_cmp)
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| line.pieces.iter().flatten()).map(|(_, y)| *y)
}

/// A name that a line can bear.
pub(crate) fn short(name: &str) -> String {
    const MOST: usize = 16;
    match name.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()),
        None => name.to_owned(),
    }
}
