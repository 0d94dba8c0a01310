//! Writes a made-up run's folder and its report, to look at the page: `cargo run -p wavetank-report --example sample -- DIR`.

use std::path::Path;

#[path = "../tests/fixture/mod.rs"]
mod fixture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which folder?")?;
    fixture::Fixture::default().write(Path::new(&path));
    wavetank_report::write(&path)?;
    Ok(())
}
