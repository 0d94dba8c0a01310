//! Memory, measured in a fresh process each: what one run leaves behind is no part of the next one's peak.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::contestant::{Contestant, Task};
use crate::machine::{peak_rss_bytes, process_cpu};
use crate::measure::BenchError;
use crate::options::Child;

/// What a child tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    pub(crate) peak_rss_bytes: u64,
    pub(crate) start_cpu_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) lookups: u64,
}

/// Peers of the run whose peak stands for the program itself.
pub(crate) const BASELINE_PEERS: u32 = 20;

/// The part of a child: one run, as the arguments after [`Child::arguments`] say, and the line that it writes.
///
/// # Errors
/// If the arguments are not those of [`crate::run`], the run fails, or the system does not tell of memory.
pub fn child(arguments: &[String]) -> Result<String, BenchError> {
    let asked = || -> Option<(Contestant, Task)> {
        let [name, peers, lookups] = arguments else { return None };
        let contestant = serde_json::from_value(serde_json::Value::String(name.clone())).ok()?;
        let (peers, lookups) = (peers.parse().ok()?, lookups.parse().ok()?);
        Some((contestant, Task { peers, lookups, relayed: 0 }))
    };
    let Some((contestant, task)) = asked() else {
        return Err(BenchError::Child("a child is told a contestant, peers and lookups".to_owned()));
    };
    let measured = contestant.run(task)?;
    let Some(peak_rss_bytes) = peak_rss_bytes() else {
        return Err(BenchError::Child(
            "the system does not tell how much memory a process has held".to_owned(),
        ));
    };
    let told = Told {
        peak_rss_bytes,
        start_cpu_s: measured.start_cpu.as_secs_f64(),
        cpu_s: process_cpu().as_secs_f64(),
        lookups: measured.lookups,
    };
    Ok(serde_json::to_string(&told)?)
}

/// Has a child do it.
pub(crate) fn ask(child: &Child, contestant: Contestant, task: Task) -> Result<Told, BenchError> {
    let failed =
        |error: &dyn std::fmt::Display| BenchError::Child(format!("{}: {error}", child.program.display()));
    let name = serde_json::to_value(contestant)?;
    let output = Command::new(&child.program)
        .args(&child.arguments)
        .arg(name.as_str().unwrap_or_default())
        .arg(task.peers.to_string())
        .arg(task.lookups.to_string())
        .output()
        .map_err(|error| failed(&error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(&format_args!("{}: {}", output.status, said.trim())));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_child_tells_what_it_held() {
        let told: Told = serde_json::from_str(&child(&arguments(&["inline", "50", "20"])).unwrap()).unwrap();
        assert!(told.peak_rss_bytes > 1 << 20 && told.lookups > 0);
    }

    #[test]
    fn a_child_that_understands_nothing_says_so() {
        for words in [&["inline", "50"][..], &["outline", "50", "20"], &["inline", "-1", "20"], &[]] {
            assert!(matches!(child(&arguments(words)), Err(BenchError::Child(_))), "{words:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_child_that_fails_is_an_error_with_its_words() {
        let shell = |script: &str| Child { program: "/bin/sh".into(), arguments: arguments(&["-c", script]) };
        let task = Task { peers: 1, lookups: 1, relayed: 0 };
        let ask = |script| ask(&shell(script), Contestant::Inline, task);
        assert!(ask("echo no room >&2; exit 3").unwrap_err().to_string().contains("no room"));
        assert!(matches!(ask("echo what"), Err(BenchError::Results(_))));
        let told = ask(r#"echo '{"peak_rss_bytes":1,"start_cpu_s":0.5,"cpu_s":2.0,"lookups":7}'"#).unwrap();
        assert_eq!(told, Told { peak_rss_bytes: 1, start_cpu_s: 0.5, cpu_s: 2.0, lookups: 7 });
    }
}
