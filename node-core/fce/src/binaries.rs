//! Mounted binaries: external programs that modules call like functions of their host.
//!
//! A program runs only if the configuration names it and says where it is. It gets the arguments that the module gives, no
//! shell, no input and an empty environment; how long it runs and how much it prints is bounded. A simulation runs none: it
//! answers with what was recorded, or says that there is none.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::limits::BinaryLimits;

/// What a program that a signal killed returns, as modules see it.
const KILLED: i32 = 100_000;
/// What a program returns that could not be started, or did not end in time.
const NOT_RUN: i32 = 100_001;

/// How often a program is looked at: soon at first, for most are short.
const FIRST_PAUSE: Duration = Duration::from_micros(200);
/// And at least this often.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// How long the pipes of a program that has ended are waited for, if its time is over.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BinaryResult {
    /// Its exit code; 100,000 if a signal killed it, 100,001 if it could not be run.
    pub ret_code: i32,
    /// Why it could not be run, or empty.
    pub error: String,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
}

impl BinaryResult {
    fn not_run(error: String) -> Self {
        Self { ret_code: NOT_RUN, error, ..Self::default() }
    }
}

/// An answer of a program that is not run: given when it is called with these arguments, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The program's name, as modules import it.
    pub binary: String,
    /// Its arguments; all of them, or any where there are none here.
    pub arguments: Option<Vec<String>>,
    /// What it answers.
    pub result: BinaryResult,
}

/// Where the answers of mounted binaries come from.
#[derive(Clone, Debug, Default)]
pub enum Binaries {
    /// Nowhere: each call says that the program is not there.
    #[default]
    Off,
    /// From a list: the first entry that fits.
    Recorded(Vec<Recorded>),
    /// From programs, by the names that modules import. Others are not run.
    Allowed {
        /// Where each program is.
        programs: BTreeMap<String, PathBuf>,
        /// What each run may take.
        limits: BinaryLimits,
    },
}

impl Binaries {
    /// The answer of the program of this name to these arguments.
    #[must_use]
    pub fn call(&self, binary: &str, arguments: &[String]) -> BinaryResult {
        match self {
            Self::Off => BinaryResult::not_run(format!("{binary} is not mounted: programs are off")),
            Self::Recorded(answers) => {
                let fits = |answer: &&Recorded| {
                    answer.binary == binary
                        && answer.arguments.as_ref().is_none_or(|wanted| wanted == arguments)
                };
                answers.iter().find(fits).map_or_else(
                    || {
                        BinaryResult::not_run(format!(
                            "no answer of {binary} is recorded for these arguments"
                        ))
                    },
                    |answer| answer.result.clone(),
                )
            }
            Self::Allowed { programs, limits } => match programs.get(binary) {
                Some(program) => run(Command::new(program), arguments, limits),
                None => BinaryResult::not_run(format!("{binary} is not among the programs that are allowed")),
            },
        }
    }
}

fn run(mut command: Command, arguments: &[String], limits: &BinaryLimits) -> BinaryResult {
    if let Some(error) = refused(arguments, limits) {
        return BinaryResult::not_run(error);
    }
    command.args(arguments).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(child) => ended(child, limits),
        Err(error) => BinaryResult::not_run(error.to_string()),
    }
}

fn refused(arguments: &[String], limits: &BinaryLimits) -> Option<String> {
    let bytes: usize = arguments.iter().map(String::len).sum();
    if arguments.len() > limits.arguments {
        Some(format!("{} arguments are more than the limit of {}", arguments.len(), limits.arguments))
    } else if bytes > limits.argument_bytes {
        Some(format!("arguments of {bytes} bytes are more than the limit of {}", limits.argument_bytes))
    } else {
        arguments
            .iter()
            .any(|argument| argument.contains('\0'))
            .then(|| "an argument holds a zero byte".to_owned())
    }
}

/// What one of its pipes gave, and which.
type Printed = (usize, Vec<u8>);

/// Waits for it to end, taking what it prints; a program that goes on for too long is killed.
fn ended(mut child: Child, limits: &BinaryLimits) -> BinaryResult {
    let deadline = Instant::now() + Duration::from_millis(limits.time_ms);
    let printed = listen(&mut child, limits.output_bytes);
    let status = wait(&mut child, deadline);
    if !matches!(status, Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
    // Whoever holds its pipes still, a child of its own, is not waited for beyond the time.
    let mut texts = [Vec::new(), Vec::new()];
    for _ in 0..texts.len() {
        let left = deadline.saturating_duration_since(Instant::now()).max(LAST_WORDS);
        let Ok((which, text)) = printed.recv_timeout(left) else { break };
        if let Some(place) = texts.get_mut(which) {
            *place = text;
        }
    }
    let [stdout, stderr] = texts;
    if stdout.len() > limits.output_bytes || stderr.len() > limits.output_bytes {
        return BinaryResult::not_run(format!(
            "it printed more than the limit of {} bytes",
            limits.output_bytes
        ));
    }
    match status {
        Ok(Some(status)) => BinaryResult { ret_code: code_of(status), error: String::new(), stdout, stderr },
        Ok(None) => BinaryResult::not_run(format!("it took longer than the limit of {} ms", limits.time_ms)),
        Err(error) => BinaryResult::not_run(error.to_string()),
    }
}

/// Takes what it prints, at most one byte more than `most` of each pipe: then the pipe is closed to it.
fn listen(child: &mut Child, most: usize) -> mpsc::Receiver<Printed> {
    let (tell, told) = mpsc::channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for (which, pipe) in pipes.into_iter().enumerate() {
        let Some(pipe) = pipe else { continue };
        let tell = tell.clone();
        // A thread that cannot be had is a pipe that nobody reads: its end of the channel is gone, and the output empty.
        let _ = thread::Builder::new().name("binary".to_owned()).spawn(move || {
            let mut text = Vec::new();
            let _ = pipe.take(most as u64 + 1).read_to_end(&mut text);
            let _ = tell.send((which, text));
        });
    }
    told
}

/// Waits until it has ended or the time is over.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or(KILLED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> BinaryLimits {
        BinaryLimits { time_ms: 10_000, output_bytes: 1000, arguments: 4, argument_bytes: 100 }
    }

    fn shell(script: &str, limits: BinaryLimits) -> BinaryResult {
        let programs = BTreeMap::from([("sh".to_owned(), PathBuf::from("/bin/sh"))]);
        Binaries::Allowed { programs, limits }.call("sh", &["-c".to_owned(), script.to_owned()])
    }

    #[test]
    fn a_program_that_is_allowed_answers() {
        let result = shell("echo out; echo err >&2; exit 3", limits());
        let (stdout, stderr) = (b"out\n".to_vec(), b"err\n".to_vec());
        assert_eq!(result, BinaryResult { ret_code: 3, error: String::new(), stdout, stderr });
    }

    #[test]
    fn a_program_sees_nothing_of_its_host() {
        let result = shell(
            "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=; read line || echo no input",
            limits(),
        );
        assert_eq!(String::from_utf8(result.stdout).unwrap(), "no input\n");
    }

    #[test]
    fn others_are_not_run() {
        let allowed = Binaries::Allowed { programs: BTreeMap::new(), limits: limits() };
        assert_eq!(allowed.call("sh", &[]).error, "sh is not among the programs that are allowed");
        assert_eq!(Binaries::Off.call("sh", &[]).error, "sh is not mounted: programs are off");
        assert_eq!(Binaries::Off.call("sh", &[]).ret_code, 100_001);
    }

    #[test]
    fn a_program_that_goes_on_is_killed() {
        let result = shell("exec sleep 60", BinaryLimits { time_ms: 50, ..limits() });
        assert_eq!(result.error, "it took longer than the limit of 50 ms");
    }

    #[test]
    fn a_program_that_prints_too_much_is_refused() {
        let result = shell("while :; do echo 0123456789; done", limits());
        assert_eq!(result.error, "it printed more than the limit of 1000 bytes");
    }

    #[test]
    fn a_program_that_a_signal_ends_says_so() {
        assert_eq!(shell("kill -9 $$", limits()).ret_code, 100_000);
    }

    #[test]
    fn too_many_arguments_are_refused() {
        let allowed = Binaries::Allowed {
            programs: BTreeMap::from([("sh".to_owned(), PathBuf::from("/bin/sh"))]),
            limits: limits(),
        };
        let many = vec!["a".to_owned(); 5];
        assert_eq!(allowed.call("sh", &many).error, "5 arguments are more than the limit of 4");
        let long = vec!["a".repeat(101)];
        assert_eq!(allowed.call("sh", &long).error, "arguments of 101 bytes are more than the limit of 100");
        assert_eq!(allowed.call("sh", &["a\0b".to_owned()]).error, "an argument holds a zero byte");
        let absent = Binaries::Allowed {
            programs: BTreeMap::from([("sh".to_owned(), PathBuf::from("/nowhere/sh"))]),
            limits: limits(),
        };
        assert_eq!(absent.call("sh", &[]).ret_code, 100_001);
    }

    #[test]
    fn a_recorded_answer_is_given_to_its_arguments() {
        let answer = |text: &str| BinaryResult { stdout: text.into(), ..BinaryResult::default() };
        let recorded = |arguments: Option<&str>, text| Recorded {
            binary: "ipfs".to_owned(),
            arguments: arguments.map(|argument| vec![argument.to_owned()]),
            result: answer(text),
        };
        let binaries = Binaries::Recorded(vec![recorded(Some("id"), "me"), recorded(None, "any")]);
        assert_eq!(binaries.call("ipfs", &["id".to_owned()]), answer("me"));
        assert_eq!(binaries.call("ipfs", &["cat".to_owned()]), answer("any"));
        assert_eq!(binaries.call("curl", &[]).ret_code, 100_001);
    }
}
