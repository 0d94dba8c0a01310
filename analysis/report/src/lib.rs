//! From a run's folder to plots and a one-file report.
//!
//! | module | what |
//! |---|---|
//! | `data` | what the folder says, read once and folded: time windows, distributions, groups |
//! | `histogram` | latencies in buckets of under 1 %, integers only |
//! | `asked` | what the scenario's own figures need of it |
//! | `axis` | ticks that people would choose |
//! | `words` | numbers as people read them |
//! | `draw` | how every plot looks: frame, fault bands, direct labels |
//! | `network` | the graph of routing tables, measured |
//! | [`overlay`](mod@overlay) | several runs in the plots of one, for pages that compare |
//! | `plots` | which plots there are, and from which data |
//! | `page` | the page, from the data and the plots |
//! | [`compare`] | two runs, or two sets of them, over each other in one file |
//! | [`conformance`] | a simulated and a real run held against each other, within tolerances |
//! | `html` | escaping and the few elements that the page is made of |
//!
//! It reads the folder and nothing else: no live object, no network, no system font. The page is one file
//! that needs no script to be read.
//!
//! It is deliberately *not* a judge: verdicts, checks and thresholds stand on the page as the folder has
//! them, and nothing is called better or worse. Only of how far simulation and reality are apart does it say what is
//! tolerated.
//!
//! Invariants: equal folders give equal bytes; a plot without data is left out with a word, never drawn
//! empty; every text from the folder is escaped; the memory of a page does not grow with the number of operations.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use record::{RecordError, Run};

mod asked;
mod axis;
pub mod compare;
pub mod conformance;
mod data;
mod draw;
mod histogram;
mod hover;
mod html;
mod network;
pub mod overlay;
mod page;
mod palette;
mod plots;
mod trace;
mod words;

/// The page's name in the run's folder.
pub const PAGE: &str = "report/index.html";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The page.
    pub page: PathBuf,
    /// The plots, in the page's order.
    pub plots: Vec<PathBuf>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A plot cannot be drawn.
    #[error("cannot draw the plot `{plot}`: {what}")]
    Draw {
        /// Its title.
        plot: String,
        /// What the drawing library says.
        what: String,
    },
}

/// Draws the plots of the run in this folder and writes its page.
///
/// # Errors
/// If the folder is no run's, is malformed, or cannot be written.
pub fn write(run: impl AsRef<Path>) -> Result<Paths, ReportError> {
    let run = Run::open(run.as_ref())?;
    let data = data::Data::read(&run)?;
    let plots = plots::draw(&data)?;
    let mut paths = Vec::new();
    for plot in &plots.drawn {
        let name = format!("plots/{}.svg", plot.name);
        paths.push(run.write_derived(&name, plot.wide.document().as_bytes())?);
    }
    if let Some(network) = &data.network {
        run.write_derived_rows(network.measures.iter().cloned())?;
        run.write_derived_rows(network.degrees())?;
    }
    let page = run.write_derived(PAGE, page::write(&data, &plots).as_bytes())?;
    Ok(Paths { page, plots: paths })
}
