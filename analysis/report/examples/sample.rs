//! Writes the report of a run's folder; makes up a run where there is none, to look at the page:
//! `cargo run -p wavetank-report --example sample -- DIR`.

use std::path::Path;

#[path = "../tests/fixture/mod.rs"]
mod fixture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which folder?")?;
    if !Path::new(&path).exists() {
        fixture::Fixture::default().write(Path::new(&path));
    }
    wavetank_report::write(&path)?;
    Ok(())
}
