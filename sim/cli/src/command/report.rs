//! `wavetank report`: the plots and the page of a run, written again.

use std::path::Path;

use report::ReportError;
use serde::Serialize;

use crate::args;
use crate::console::Console;
use crate::exit_code;
use crate::failure::Failure;

/// What was written, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    page: &'a Path,
    plots: &'a [std::path::PathBuf],
}

pub(crate) fn report(args: &args::Report, console: Console) -> Result<u8, Failure> {
    let paths = report::write(&args.run).map_err(|error| match error {
        ReportError::Record(error) => error.into(),
        ReportError::Draw { .. } => Failure::new(exit_code::INTERNAL, error.to_string()),
    })?;
    let text = format!("{}\n", paths.page.display());
    console.answer(&text, &Document { page: &paths.page, plots: &paths.plots })?;
    Ok(exit_code::PASSED)
}
