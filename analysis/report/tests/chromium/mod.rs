//! Chromium over its debugging pipe: JSON messages that end in a zero byte, through two named pipes. No port is
//! opened and no driver is needed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// A browser that says nothing for so long has died.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running browser; it ends with its owner.
pub(crate) struct Browser {
    child: Child,
    /// None once nothing more is to be sent.
    commands: File,
    answers: Receiver<Value>,
    count: u64,
    _profile: tempfile::TempDir,
}

/// One page in it.
pub(crate) struct Tab<'a> {
    browser: &'a mut Browser,
    session: String,
    /// Errors of scripts, of the console and of the loader, and requests for anything but the file.
    pub(crate) complaints: Vec<String>,
    loaded: bool,
}

impl Browser {
    /// Starts one; none if there is none.
    pub(crate) fn start() -> Option<Self> {
        let named = std::env::var("CHROMIUM").ok();
        let names = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
        let is_there = |name: &String| {
            let asked =
                Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            asked.is_ok_and(|status| status.success())
        };
        let program = named.into_iter().chain(names).find(is_there)?;
        let profile = tempfile::tempdir().unwrap();
        let (input, output) = (profile.path().join("in"), profile.path().join("out"));
        assert!(Command::new("mkfifo").args([&input, &output]).status().unwrap().success());
        // The shell opens the pipes in the order in which this side does, then becomes the browser.
        let child = Command::new("sh")
            .args(["-c", "exec 3<\"$1\" 4>\"$2\"; shift 2; exec \"$@\"", "sh"])
            .args([&input, &output])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"])
            .args(["--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = OpenOptions::new().write(true).open(&input).unwrap();
        let answers = listen(File::open(&output).unwrap());
        Some(Self { child, commands, answers, count: 0, _profile: profile })
    }

    /// Opens a page in a window of this size, on a screen that prefers these colours.
    pub(crate) fn open(&mut self, url: &str, (width, height): (u32, u32), scheme: &str) -> Tab<'_> {
        let mut tab = Tab { browser: self, session: String::new(), complaints: Vec::new(), loaded: false };
        let target = tab.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached =
            tab.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        tab.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        tab.call("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        tab.call("Emulation.setEmulatedMedia", &features);
        tab.loaded = false;
        tab.call("Page.navigate", &json!({"url": url}));
        while !tab.loaded {
            tab.next();
        }
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Messages as they come, on a thread of their own.
fn listen(pipe: File) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for message in BufReader::new(pipe).split(0) {
            let Ok(message) = message else { break };
            if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                break;
            }
        }
    });
    receiver
}

impl Tab<'_> {
    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.browser.count += 1;
        let count = self.browser.count;
        let mut command = json!({"id": count, "method": method, "params": params});
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        let mut bytes = serde_json::to_vec(&command).unwrap();
        bytes.push(0);
        self.browser.commands.write_all(&bytes).unwrap();
        loop {
            let message = self.next();
            if message["id"] == count {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// The next message, noted if it is a complaint.
    fn next(&mut self) -> Value {
        let message = self.browser.answers.recv_timeout(PATIENCE).unwrap();
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Runtime.exceptionThrown") => self.complaints.push(params.to_string()),
            Some("Runtime.consoleAPICalled") if params["type"] == "error" => {
                self.complaints.push(params.to_string());
            }
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                self.complaints.push(params.to_string());
            }
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                if params["type"] != "Document" || !url.starts_with("file://") {
                    self.complaints.push(format!("a request for {url}"));
                }
            }
            _ => {}
        }
        message
    }

    /// What a script yields.
    pub(crate) fn evaluate(&mut self, script: &str) -> Value {
        let params =
            json!({"expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let result = self.call("Runtime.evaluate", &params);
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// Moves the pointer.
    pub(crate) fn point(&mut self, x: f64, y: f64) {
        self.call("Input.dispatchMouseEvent", &json!({"type": "mouseMoved", "x": x, "y": y}));
    }

    /// Presses a key by its name.
    pub(crate) fn press(&mut self, key: &str) {
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyDown", "key": key}));
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key}));
    }
}
