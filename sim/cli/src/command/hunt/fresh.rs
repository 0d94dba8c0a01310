//! A seed run again by a fresh process of this very program: other addresses, no neighbours, nothing inherited.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use run::hunt::{Again, Imprint};

use crate::args;
use crate::exit_code;

/// What of the environment is a flag by another name.
const TWINS: &str = "WAVETANK_";

/// Runs seeds of one scenario again.
#[derive(Debug)]
pub(crate) struct Fresh {
    program: PathBuf,
    /// All but the seed and the folder.
    arguments: Vec<OsString>,
    /// The runs' folders stand here while they are read.
    desk: tempfile::TempDir,
}

impl Fresh {
    pub(crate) fn new(args: &args::Hunt) -> io::Result<Self> {
        let mut arguments: Vec<OsString> = vec!["run".into(), args.scenario.clone().into()];
        for (path, value) in &args.changes.set {
            arguments.extend(["--set".into(), format!("{path}={value}").into()]);
        }
        let fixed = ["--threads", "1", "--driver", args.driver.word(), "--no-report", "--quiet"];
        arguments.extend(fixed.map(OsString::from));
        let desk = tempfile::Builder::new().prefix("wavetank-hunt-").tempdir()?;
        Ok(Self { program: this_program()?, arguments, desk })
    }

    pub(crate) fn run(&self, seed: u64) -> Again {
        let out = self.desk.path().join(seed.to_string());
        let again = match self.command(seed, &out).output() {
            Ok(output) => read(&output, &out),
            Err(error) => Again::Unable(format!("no process can be started: {error}")),
        };
        // What cannot be removed now goes with the desk.
        let _ = std::fs::remove_dir_all(&out);
        again
    }

    fn command(&self, seed: u64, out: &Path) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(TWINS) {
                command.env_remove(name);
            }
        }
        command.args(&self.arguments).arg("--seed").arg(seed.to_string()).arg("--out").arg(out);
        // It stays in the group of this process: who interrupts the one from a keyboard interrupts the other.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

/// This program, even if another has taken its place in the file system: by the kernel's link to what runs, where
/// there is one.
fn this_program() -> io::Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
}

/// What came of a process that left this folder.
fn read(output: &Output, out: &Path) -> Again {
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    match output.status.code().map(u8::try_from) {
        Some(Ok(exit_code::INTERNAL)) => Again::Broke(format!("the simulator gave up: {last}")),
        Some(Ok(exit_code::USAGE | exit_code::INVALID | exit_code::NOTHING | exit_code::OUTPUT)) | None => {
            Again::Unable(format!("the fresh process ended with {}: {last}", output.status))
        }
        Some(_) => match Imprint::read(out) {
            Ok(Some(imprint)) => Again::Ended(imprint),
            Ok(None) => Again::Unable("the fresh process was stopped".to_owned()),
            Err(error) => Again::Unable(error.to_string()),
        },
    }
}
