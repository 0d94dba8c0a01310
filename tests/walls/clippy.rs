//! Clocks, random-state maps and platform floats, refused by the clippy configuration of each pure room.
//!
//! `no_std` keeps them out of a room's code already; the configuration keeps them out of its tests, which decide
//! whether the code is right, and says what to use instead. Clippy reads one file, the nearest, and merges none: so each
//! pure room has the same file, and a scratch crate with that very file is seen to fail.

use std::path::Path;
use std::process::{Command, Output};

use crate::house::pure_rooms;
use crate::{Breach, listed, read};

const FILE: &str = ".clippy.toml";

/// The breaches among configurations of pure rooms: (room, text, if there is a file).
fn check(configurations: &[(&str, Option<String>)], root: &str) -> Vec<Breach> {
    let first = configurations.iter().find_map(|(_, text)| text.as_deref()).unwrap_or_default();
    let mut breaches = Vec::new();
    for (room, text) in configurations {
        match text.as_deref() {
            None => breaches.push(Breach::new(*room, format!("has no {FILE}"), "each pure room has one")),
            Some(text) if text != first => {
                let found = format!("has a {FILE} of its own");
                breaches.push(Breach::new(*room, found, "all pure rooms have the same"));
            }
            Some(_) => {}
        }
    }
    for line in root.lines().filter(|line| !first.lines().any(|other| other == *line)) {
        breaches.push(Breach::new(
            FILE,
            format!("`{line}` is missing in pure rooms"),
            "they repeat the root's keys",
        ));
    }
    breaches
}

/// Runs clippy on a scratch crate that consists of `code`, under the configuration of the pure rooms.
fn clippy_on(folder: &Path, code: &str) -> anyhow::Result<Output> {
    let manifest = "[package]\nname = \"scratch\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(folder.join(FILE), read(format!("node-core/types/{FILE}"))?)?;
    std::fs::write(folder.join("src/lib.rs"), code)?;
    let output = Command::new(env!("CARGO"))
        .args(["clippy", "--offline", "--quiet", "--", "-D", "warnings"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("CLIPPY_CONF_DIR")
        .output()?;
    Ok(output)
}

fn is_installed() -> bool {
    let version = Command::new(env!("CARGO")).args(["clippy", "--version"]).output();
    version.is_ok_and(|output| output.status.success())
}

#[test]
fn pure_rooms_share_one_configuration() -> anyhow::Result<()> {
    let read_one = |folder: &str| read(format!("{folder}/{FILE}")).ok();
    let configurations: Vec<_> = pure_rooms().map(|room| (room.name, read_one(room.folder))).collect();
    let breaches = check(&configurations, &read(FILE)?);
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

#[test]
fn a_planted_configuration_is_named() {
    let same = || Some(String::from("a = 1\nb = 2\n"));
    let configurations = [("kad", same()), ("wire", None), ("node", Some(String::from("a = 1\n")))];
    let found: Vec<_> = check(&configurations, "a = 1\nc = 3\n").iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "wire: has no .clippy.toml (wall: each pure room has one)",
            "node: has a .clippy.toml of its own (wall: all pure rooms have the same)",
            ".clippy.toml: `c = 3` is missing in pure rooms (wall: they repeat the root's keys)",
        ]
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn planted_clocks_maps_and_platform_floats_fail_clippy_by_name() -> anyhow::Result<()> {
    if !is_installed() {
        println!("skipped: clippy is not installed (rustup component add clippy)");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let clean =
        clippy_on(folder.path(), "//! Clean.\n\n/// Half.\npub fn half(x: f64) -> f64 {\n    x / 2.0\n}\n")?;
    assert!(clean.status.success(), "{}", String::from_utf8_lossy(&clean.stderr));
    for (planted, named, instead) in [
        ("x.ln()", "disallowed method `f64::ln`", "use libm::log"),
        ("x.powf(2.5)", "disallowed method `f64::powf`", "use libm::pow"),
        ("f64::sin(x)", "disallowed method `f64::sin`", "use libm::sin"),
        (
            "std::time::Instant::now().elapsed().as_secs_f64() + x",
            "disallowed type `std::time::Instant`",
            "use types::Instant",
        ),
        (
            "std::time::SystemTime::now().elapsed().map_or(x, |_| x)",
            "disallowed type `std::time::SystemTime`",
            "use types::Now",
        ),
        (
            "std::collections::HashMap::<u8, f64>::new().get(&1).copied().unwrap_or(x)",
            "disallowed type `std::collections::HashMap`",
            "use BTreeMap",
        ),
    ] {
        let code =
            format!("//! Planted.\n\n/// Planted.\npub fn planted(x: f64) -> f64 {{\n    {planted}\n}}\n");
        let output = clippy_on(folder.path(), &code)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{planted} passed");
        assert!(said.contains(named) && said.contains(instead), "{planted}: {said}");
    }
    Ok(())
}
