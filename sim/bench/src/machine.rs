//! The machine: its clocks, its memory, who else is using it.

use std::fs;
use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};
use serde::{Deserialize, Serialize};

/// CPU time of this thread, by the system's clock for it.
pub(crate) fn thread_cpu() -> Duration {
    ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

/// CPU time of this process, all its threads together.
pub(crate) fn process_cpu() -> Duration {
    ProcessTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

/// The most memory that this process has held; none where the system does not tell.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    Some(kib("/proc/self/status", "VmHWM:")? * 1_024)
}

/// The first load average; none where the system does not tell.
#[must_use]
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Where something was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The processor's name, or its architecture where the system does not tell.
    pub processor: String,
    /// Cores that the process may use.
    pub cores: usize,
    /// Memory in bytes; 0 where the system does not tell.
    pub memory_bytes: u64,
    /// The operating system.
    pub system: String,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let processor = line("/proc/cpuinfo", "model name");
        Self {
            processor: processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kib("/proc/meminfo", "MemTotal:").unwrap_or(0) * 1_024,
            system: std::env::consts::OS.to_owned(),
        }
    }
}

/// What stands after `name` in a file of the system's.
fn line(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(rest.trim_start_matches([' ', '\t', ':']).trim().to_owned())
}

fn kib(file: &str, name: &str) -> Option<u64> {
    line(file, name)?.strip_suffix("kB")?.trim().parse().ok()
}
