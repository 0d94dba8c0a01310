//! `wavetank node`: a folder is made, nodes run out of it, are asked, and are stopped.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::type_complexity,
    reason = "what is missing fails the test, by name; a table of cases is read as one"
)]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::shelf::fails;
use crate::{Desk, Said, house, scenario};

/// Ports that the system chooses, on this machine only.
const HERE: [&str; 4] = ["--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0"];

/// A folder of this name, with a file and a key.
fn made(desk: &Desk, name: &str) {
    let said = desk.type_in(&[&["node", "init", "--data", name], &HERE[..]].concat());
    assert_eq!(said.code, 0, "{said:?}");
}

/// A node that runs, and is ended with the test.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    listening: Value,
}

impl Running {
    /// The node of this folder, once it listens.
    fn start(desk: &Desk, folder: &str, more: &[&str]) -> Self {
        let arguments = [&["node", "run", "--data", folder, "--format", "json"], more].concat();
        let mut command = desk.command(&arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, stdout, listening: Value::Null };
        running.listening = running.line();
        assert_eq!(running.listening["event"], "listening");
        running
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// Waits until it says that it is ready.
    fn ready(mut self) -> Self {
        assert_eq!(self.line()["event"], "ready");
        self
    }

    fn http(&self) -> &str {
        self.listening["http"].as_str().unwrap()
    }

    fn id(&self) -> &str {
        self.listening["peer_id"].as_str().unwrap()
    }

    fn address(&self) -> &str {
        self.listening["addresses"][0].as_str().unwrap()
    }

    /// What the node answers to a command.
    fn asked(&self, desk: &Desk, command: &[&str]) -> Said {
        desk.type_in(&[&["node"], command, &["--http", self.http()]].concat())
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// How it ends, and what it says until then.
    fn ended(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_new_folder_has_a_commented_file_and_a_key_of_ones_own() {
    let desk = Desk::new();
    let said = desk.type_in(&["node", "init", "--data", "new"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("next: wavetank node run --data new"), "{}", said.stderr);
    let key = desk.path().join("new/node.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    insta::assert_snapshot!("node_yaml", fs::read_to_string(desk.path().join("new/node.yaml")).unwrap());

    let id = desk.type_in(&["node", "key", "new"]).stdout;
    assert!(id.starts_with("12D3KooW") && said.stdout.contains(id.trim()), "{}", said.stdout);
    let shown = desk.type_in(&["node", "key", "new/node.key", "--format", "json"]).json();
    assert_eq!(shown["peer_id"], id.trim());

    let bytes = fs::read(&key).unwrap();
    fails(&desk.type_in(&["node", "init", "--data", "new"]), 18, "new/node.yaml exists already");
    fs::remove_file(desk.path().join("new/node.yaml")).unwrap();
    fails(&desk.type_in(&["node", "init", "--data", "new"]), 18, "new/node.key exists already");
    assert_eq!(fs::read(&key).unwrap(), bytes, "the key is the same");
    assert!(!desk.path().join("new/node.yaml").exists());
}

#[test]
fn two_nodes_find_each_other_and_what_one_keeps_the_other_finds() {
    let desk = Desk::new();
    made(&desk, "first");
    made(&desk, "second");
    let first = Running::start(&desk, "first", &[]).ready();
    assert_eq!(desk.type_in(&["node", "key", "first"]).stdout.trim(), first.id());
    let address = first.address().to_owned();
    assert!(address.ends_with(&format!("/p2p/{}", first.id())), "{address}");
    let second = Running::start(&desk, "second", &["--bootstrap", &address]).ready();

    for (node, other) in [(&first, &second), (&second, &first)] {
        let status = node.asked(&desk, &["status", "--format", "json"]).json();
        assert_eq!((&status["ready"], &status["peer_id"]), (&true.into(), &node.id().into()));
        let peers = node.asked(&desk, &["peers"]);
        assert!(peers.code == 0 && peers.stdout.contains(other.id()), "{peers:?}");
        let found = node.asked(&desk, &["lookup", other.id()]);
        assert!(found.code == 0 && found.stdout.contains(other.id()), "{found:?}");
    }
    let ready = second.asked(&desk, &["status", "--ready"]);
    assert_eq!((ready.code, ready.stdout.as_str()), (0, "ready\n"));
    let put = first.asked(&desk, &["put", "greeting", "hello"]);
    assert_eq!((put.code, put.stdout.as_str()), (0, "stored by 1 of 1 peers\n"), "{put:?}");
    let got = second.asked(&desk, &["get", "greeting"]);
    assert_eq!((got.code, got.stdout.as_str()), (0, "hello"), "{got:?}");
    let missed = second.asked(&desk, &["get", "farewell"]);
    assert_eq!((missed.code, missed.stdout.as_str()), (25, ""), "{missed:?}");

    for (node, signal) in [(first, "TERM"), (second, "INT")] {
        node.signal(signal);
        assert_eq!(node.ended(), (0, String::new()), "{signal}");
    }
}

#[test]
fn a_folder_has_one_process() {
    let desk = Desk::new();
    made(&desk, "data");
    let node = Running::start(&desk, "data", &[]).ready();
    let second = desk.type_in(&["node", "run", "--data", "data"]);
    fails(&second, 23, &format!("process {}", node.child.id()));
    node.signal("TERM");
    assert_eq!(node.ended().0, 0);
    Running::start(&desk, "data", &[]).ready();
}

#[test]
fn a_node_whose_starter_is_gone_stops() {
    let desk = Desk::new();
    made(&desk, "data");
    let mut node = Running::start(&desk, "data", &["--stop-with-stdin"]).ready();
    drop(node.child.stdin.take());
    assert_eq!(node.ended(), (0, String::new()));
}

#[test]
fn told_twice_a_node_stops_at_once() {
    let desk = Desk::new();
    made(&desk, "data");
    // Nobody takes what it says: it waits for ever to say where it listens, unless the second signal ends it.
    let (_reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'.'; 65_536]).unwrap();
    let mut command = desk.command(&["node", "run", "--data", "data"]);
    let mut child = command.env_remove("RUST_LOG").stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("listening"), "{line}");
    for name in ["INT", "TERM"] {
        Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    }
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
}

#[test]
fn flags_go_over_the_environment_that_over_the_file_and_that_over_the_defaults() {
    let desk = Desk::new();
    let file = "network: {protocol: /file, http: 127.0.0.1:1}\nkad: {alpha: 5}\n";
    fs::write(desk.path().join("node.yaml"), file).unwrap();
    let environment: [(&str, &str); 2] =
        [("WAVETANK_PROTOCOL", "/env"), ("WAVETANK_SET", "kad.k=9;network.http=127.0.0.1:2")];
    let all = &environment[..];
    let cases: [(&[(&str, &str)], &[&str], [&str; 4]); 5] = [
        (&[], &[], ["/file", "127.0.0.1:1", "5", "20"]),
        (all, &[], ["/env", "127.0.0.1:2", "5", "9"]),
        (all, &["--protocol", "/flag"], ["/flag", "127.0.0.1:2", "5", "9"]),
        (all, &["--set", "kad.alpha=3"], ["/env", "127.0.0.1:1", "3", "20"]),
        (
            &[("WAVETANK_HTTP", "127.0.0.1:2")],
            &["--set", "network.http=127.0.0.1:3"],
            ["/file", "127.0.0.1:3", "5", "20"],
        ),
    ];
    for (environment, flags, expected) in cases {
        let arguments =
            [&["node", "run", "--config", "node.yaml", "--check", "--format", "json"], flags].concat();
        let said = Said::of(desk.command(&arguments).envs(environment.iter().copied()).output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        let config = said.json();
        let (network, kad) = (&config["network"], &config["kad"]);
        let found = [&network["protocol"], &network["http"], &kad["alpha"], &kad["k"]]
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        assert_eq!(found, expected, "{environment:?} {flags:?}");
    }
}

#[test]
fn every_mistake_of_a_nodes_file_is_shown_at_once() {
    let desk = Desk::new();
    let file = "\
data: ''
network:
  lsiten: [/ip4/127.0.0.1/tcp/0]
  bootstrap: [7777]
  http: localhost
kad: {k: 300, record_ttl: 3, mode: sever}
limits: 5
";
    fs::write(desk.path().join("node.yaml"), file).unwrap();
    let said = desk.type_in(&["node", "run", "--config", "node.yaml", "--set", "kad.beta=3"]);
    assert_eq!((said.code, said.stdout.as_str()), (3, ""));
    insta::assert_snapshot!("broken_node_yaml", said.stderr);

    let strange =
        ["node", "run", "--data", "data", "--listen", "/ip4/127.0.0.1/tcp/99999", "--http", "127.0.0.1:0"];
    made(&desk, "data");
    fails(&desk.type_in(&strange), 3, "/ip4/127.0.0.1/tcp/99999");
    let nowhere = desk.type_in(&["node", "run", "--data", "nowhere"]);
    assert!(nowhere.code == 3 && nowhere.stderr.contains("nowhere/node.yaml"), "{nowhere:?}");
}

#[test]
fn a_groups_node_is_a_nodes_file() {
    let desk = Desk::new();
    let knobs = house().join("tests/cli/scenarios/deployed.yaml").display().to_string();
    let arguments = ["node", "init", "--data", "edge", "--from", &knobs, "--group", "edge"];
    assert_eq!(desk.type_in(&arguments).code, 0);
    let plan = model::load(knobs.as_ref(), &[]).unwrap().plan;
    let group = plan.groups.into_iter().find(|(name, _)| name == "edge").unwrap().1;
    let file = desk.path().join("edge/node.yaml");
    assert_eq!(model::node_file::load(&file, &[]).unwrap(), group.node);
    assert_ne!(group.node, Default::default(), "the group says something");

    let nobody = ["node", "init", "--data", "other", "--from", &knobs, "--group", "core"];
    fails(&desk.type_in(&nobody), 2, "its groups: edge");
    assert!(!desk.path().join("other").exists());
}

#[test]
fn what_a_node_lacks_is_named_with_a_code_of_its_own() {
    let desk = Desk::new();
    made(&desk, "data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    let listen = format!("/ip4/127.0.0.1/tcp/{}", port.port());
    fails(&desk.type_in(&["node", "run", "--data", "data", "--listen", &listen]), 21, &listen);
    fails(
        &desk.type_in(&["node", "run", "--data", "data", "--http", &port.to_string()]),
        21,
        &port.to_string(),
    );
    drop(taken);
    fails(&desk.type_in(&["node", "status", "--http", &port.to_string()]), 24, "node run");

    fs::set_permissions(desk.path().join("data/node.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fails(&desk.type_in(&["node", "run", "--data", "data"]), 20, "644");
    fs::remove_file(desk.path().join("data/node.key")).unwrap();
    fails(&desk.type_in(&["node", "run", "--data", "data"]), 20, "node init");
    let other = desk.type_in(&["node", "run", "--config", &scenario("short")]);
    assert!(other.code == 3 && other.stderr.contains("unknown key `duration`"), "{other:?}");
}

#[test]
fn a_log_is_as_much_as_is_asked_for() {
    let desk = Desk::new();
    made(&desk, "data");
    let log = |level: &str, format: &str| {
        let arguments = ["node", "run", "--data", "data", "--stop-with-stdin", "--log-format", format];
        // Its stdin is at its end at once.
        Said::of(desk.command(&arguments).env("RUST_LOG", level).output().unwrap())
    };
    let quiet = log("off", "text");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
    let usual = log("", "json");
    let words: Vec<Value> = usual.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(words.iter().any(|line| line["message"] == "listening" && line["level"] == "INFO"), "{words:?}");
    assert!(words.iter().any(|line| line["message"] == "stopped"), "{words:?}");
}
