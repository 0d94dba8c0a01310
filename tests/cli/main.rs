//! The binary `wavetank` as people and scripts meet it: what it prints, what it leaves, what it exits with.
//!
//! A target of the package of the binary, which tells it where the binary is.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

mod beginnings;
mod benches;
mod comparisons;
mod conformance;
mod fleet;
mod folders;
mod help;
mod hunts;
mod interrupts;
mod invalid;
mod library;
mod nodes;
mod repeats;
mod services;
mod shelf;
mod understand;
mod verdicts;

/// A folder of one test's own, in which it types commands.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command with these arguments, in an environment that says nothing to it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wavetank"));
        for (name, _) in std::env::vars_os() {
            let known = name.to_string_lossy();
            if known.starts_with("WAVETANK_") || known.starts_with("CLICOLOR") || known == "COLUMNS" {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn type_in(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Runs the scenario of this name into this folder, quietly, and expects it to pass.
    pub(crate) fn passes(&self, name: &str, out: &str, more: &[&str]) {
        let scenario = scenario(name);
        let said =
            self.type_in(&[&["run", &scenario, "--out", out, "--quiet", "--no-report"], more].concat());
        assert_eq!(said.code, 0, "{said:?}");
    }
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What stdout holds, as the one JSON document that it must be.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

pub(crate) fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The scenario of this name among those of these tests.
pub(crate) fn scenario(name: &str) -> String {
    house().join(format!("tests/cli/scenarios/{name}.yaml")).display().to_string()
}

/// The manifest of a run.
pub(crate) fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}
