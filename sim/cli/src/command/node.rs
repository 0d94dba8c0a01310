//! `wavetank node`: a node of one's own, and questions to one that runs.

pub(crate) mod ask;
pub(crate) mod begin;
pub(crate) mod live;

use std::path::Path;

use config::Config;
use model::{Rejected, Setting};

use crate::failure::Failure;

/// The configuration of a file with what goes over it.
fn configuration(file: &Path, settings: &[Setting]) -> Result<Config, Failure> {
    model::node_file::load(file, settings).map_err(|rejected| invalid(rejected, file))
}

fn invalid(rejected: Rejected, file: &Path) -> Failure {
    Failure::rejected(rejected, format!("{} is not a valid node's file", file.display()))
}
