//! The client of a node's admin API: one question at a time, blocking.
//!
//! It retries nothing and follows nothing: whoever asks decides what a failure means. No proxy is taken from the
//! environment: what is said to a node stays on the machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder};
use wire::admin::{
    Ask, Ended, Events, Health, Identity, Links, MAX_WAIT, Peer, Refused, Status, Versions, View, path,
};

/// How long a question may take that a node answers at once. A machine that runs many nodes is a busy one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of an answer, at most: several times the longest that a node gives, thousands of peers with their addresses.
const MAX_ANSWER_BYTES: u64 = 16 << 20;
/// How long a connection is kept for the next question: less than a node keeps it, so that none is lost between them.
const IDLE_AGE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there, or the connection broke.
    #[error("no node answers at {address}: {error}")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The answer did not come in time.
    #[error("node at {address} did not answer {path} within {limit:?}")]
    Late {
        /// Which node.
        address: SocketAddr,
        /// What was asked.
        path: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The node does not do it.
    #[error("node at {address} refuses {path} ({status}): {message}")]
    Refused {
        /// Which node.
        address: SocketAddr,
        /// What was asked.
        path: &'static str,
        /// The status of HTTP.
        status: u16,
        /// The node's reason.
        message: String,
    },
    /// What came is not what such a question is answered with.
    #[error("answer of {address} to {path} is garbled: {problem}")]
    Garbled {
        /// Who answered.
        address: SocketAddr,
        /// What was asked.
        path: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// The way to one node's admin API. Clones share their connections; each thread has its own question under way.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    agent: Agent,
}

impl Client {
    /// The client of the node whose HTTP is at `address`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_age(IDLE_AGE)
            .build();
        Self { address, agent: config.new_agent() }
    }

    /// Where the node is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the node is ready. One that is not answers too.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn health(&self) -> Result<Health, ClientError> {
        let call = self.call(path::HEALTH, ANSWER_TIMEOUT);
        let answer = call.get(&[])?;
        match answer.status() {
            StatusCode::SERVICE_UNAVAILABLE => call.read(answer),
            _ => call.json(answer),
        }
    }

    /// Who it is.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn peer_id(&self) -> Result<Identity, ClientError> {
        self.get(path::PEER_ID)
    }

    /// What it is made of.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn versions(&self) -> Result<Versions, ClientError> {
        self.get(path::VERSIONS)
    }

    /// How it is.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn status(&self) -> Result<Status, ClientError> {
        self.get(path::STATUS)
    }

    /// Whom it knows.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn peers(&self) -> Result<Vec<Peer>, ClientError> {
        self.get(path::PEERS)
    }

    /// Has an operation done, and waits at most `timeout` for its end.
    ///
    /// # Errors
    /// If it does not end in time, the node refuses it, does not answer, or not so.
    pub fn ask(&self, ask: &Ask, timeout: Duration) -> Result<Ended, ClientError> {
        let call = self.call(path::ASK, timeout);
        let answer = call.post(ask)?;
        call.json(answer)
    }

    /// What happened after the event of number `after`. If nothing did, the node waits for something, at most for `wait`
    /// and at most for [`MAX_WAIT`], before it says so.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn events(&self, after: u64, wait: Duration) -> Result<Events, ClientError> {
        let wait = wait.min(MAX_WAIT);
        let call = self.call(path::EVENTS, ANSWER_TIMEOUT + wait);
        let query = [("after", after.to_string()), ("wait_ms", wait.as_millis().to_string())];
        let answer = call.get(&query)?;
        call.json(answer)
    }

    /// What it looks like from within.
    ///
    /// # Errors
    /// If it does not answer, or not so.
    pub fn view(&self) -> Result<View, ClientError> {
        self.get(path::VIEW)
    }

    /// Its metrics, as Prometheus reads them.
    ///
    /// # Errors
    /// If it does not answer, or not in text.
    pub fn metrics(&self) -> Result<String, ClientError> {
        let call = self.call(path::METRICS, ANSWER_TIMEOUT);
        let answer = call.accepted(call.get(&[])?)?;
        call.text(answer)
    }

    /// Has it believe in a network, from now on.
    ///
    /// # Errors
    /// If it was not started for that, cannot, or does not answer.
    pub fn believe(&self, links: &Links) -> Result<(), ClientError> {
        let call = self.call(path::LINKS, ANSWER_TIMEOUT);
        call.accepted(call.put(links)?).map(drop)
    }

    /// Has it stop; this returns once it has said that it will.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn shutdown(&self) -> Result<(), ClientError> {
        let call = self.call(path::SHUTDOWN, ANSWER_TIMEOUT);
        call.accepted(call.post(&())?).map(drop)
    }

    fn get<T: DeserializeOwned>(&self, path: &'static str) -> Result<T, ClientError> {
        let call = self.call(path, ANSWER_TIMEOUT);
        let answer = call.get(&[])?;
        call.json(answer)
    }

    const fn call(&self, path: &'static str, limit: Duration) -> Call<'_> {
        Call { client: self, path, limit }
    }
}

/// One question.
struct Call<'a> {
    client: &'a Client,
    path: &'static str,
    limit: Duration,
}

impl Call<'_> {
    fn url(&self) -> String {
        format!("http://{}{}", self.client.address, self.path)
    }

    fn get(&self, query: &[(&str, String)]) -> Result<Response<Body>, ClientError> {
        let request = self.client.agent.get(self.url());
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        let request = request.config().timeout_global(Some(self.limit)).build();
        request.call().map_err(|error| self.failed(error))
    }

    fn post(&self, body: &impl Serialize) -> Result<Response<Body>, ClientError> {
        self.send(self.client.agent.post(self.url()), body)
    }

    fn put(&self, body: &impl Serialize) -> Result<Response<Body>, ClientError> {
        self.send(self.client.agent.put(self.url()), body)
    }

    fn send(
        &self,
        request: RequestBuilder<WithBody>,
        body: &impl Serialize,
    ) -> Result<Response<Body>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.garbled(&error))?;
        let request = request.content_type("application/json");
        let request = request.config().timeout_global(Some(self.limit)).build();
        request.send(&body[..]).map_err(|error| self.failed(error))
    }

    /// The answer, if its status is one of success.
    fn accepted(&self, answer: Response<Body>) -> Result<Response<Body>, ClientError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        // Whatever answers may not be a node: then its status is all that is known.
        let reason = self.text(answer).ok().and_then(|text| serde_json::from_str(&text).ok());
        let message = match reason {
            Some(Refused { error }) => error,
            None => status.canonical_reason().unwrap_or("no reason given").to_lowercase(),
        };
        let (address, path) = (self.client.address, self.path);
        Err(ClientError::Refused { address, path, status: status.as_u16(), message })
    }

    fn json<T: DeserializeOwned>(&self, answer: Response<Body>) -> Result<T, ClientError> {
        self.read(self.accepted(answer)?)
    }

    fn read<T: DeserializeOwned>(&self, answer: Response<Body>) -> Result<T, ClientError> {
        serde_json::from_str(&self.text(answer)?).map_err(|error| self.garbled(&error))
    }

    fn text(&self, mut answer: Response<Body>) -> Result<String, ClientError> {
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        body.read_to_string().map_err(|error| self.failed(error))
    }

    fn garbled(&self, problem: &impl ToString) -> ClientError {
        let (address, path) = (self.client.address, self.path);
        ClientError::Garbled { address, path, problem: problem.to_string() }
    }

    fn failed(&self, error: ureq::Error) -> ClientError {
        let (address, path) = (self.client.address, self.path);
        match error {
            ureq::Error::Timeout(_) => ClientError::Late { address, path, limit: self.limit },
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => self.garbled(&error),
            ureq::Error::Io(error) => ClientError::Unreachable { address, error },
            ureq::Error::ConnectionFailed => {
                ClientError::Unreachable { address, error: io::ErrorKind::NotConnected.into() }
            }
            ureq::Error::BodyExceedsLimit(limit) => self.garbled(&format!("it is longer than {limit} bytes")),
            error => self.garbled(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    /// A server that reads one request and says `answer`; it comes to what it read.
    fn once(answer: impl Into<Vec<u8>>) -> (Client, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        let answer = answer.into();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = Vec::new();
            // Every request here is shorter than a segment, and its body ends it.
            while !whole(&read) {
                let mut more = [0; 1024];
                let count = stream.read(&mut more).unwrap();
                assert!(count > 0, "{read:?}");
                read.extend_from_slice(&more[..count]);
            }
            // Whoever asked may have heard enough.
            let _ = stream.write_all(&answer);
            String::from_utf8(read).unwrap()
        });
        (client, server)
    }

    fn whole(request: &[u8]) -> bool {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        body.len() >= length.map_or(0, |length| length.parse().unwrap())
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn what_is_asked_travels_as_the_api_says() {
        let (client, server) = once(answer("200 OK", r#"{"last":7,"lost":0,"events":[]}"#));
        let events = client.events(5, Duration::from_secs(3_600)).unwrap();
        assert_eq!((events.last, events.lost, events.events.len()), (7, 0, 0));
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /admin/events?after=5&wait_ms=30000 HTTP/1.1\r\n"), "{request}");

        let (client, server) = once(answer(
            "200 OK",
            r#"{"took_ns":5,"report":{"closest":[],"messages":1,"timeouts":0,"hops":2,"known_in_round":null,"providers":[]},"outcome":"not_found"}"#,
        ));
        let ended = client.ask(&Ask::Get { name: vec![0xab] }, Duration::from_secs(60)).unwrap();
        assert_eq!((ended.took_ns, ended.report.hops, ended.outcome), (5, 2, wire::admin::Outcome::NotFound));
        let request = server.join().unwrap();
        assert!(request.starts_with("POST /admin/ask HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with(r#"{"get":{"name":"ab"}}"#), "{request}");
    }

    #[test]
    fn a_node_that_is_not_ready_says_so_and_that_is_an_answer() {
        let (client, server) = once(answer("503 Service Unavailable", r#"{"live":true,"ready":false}"#));
        assert_eq!(client.health().unwrap(), Health { live: true, ready: false });
        server.join().unwrap();
    }

    #[test]
    fn failures_are_told_apart() {
        let told = |answer: Vec<u8>| {
            let (client, server) = once(answer);
            let error = client.status().unwrap_err();
            server.join().unwrap();
            let text = error.to_string().replace(&client.address().to_string(), "ADDRESS");
            (error, text)
        };
        let (refused, text) = told(answer("429 Too Many Requests", r#"{"error":"too many"}"#).into());
        assert!(matches!(refused, ClientError::Refused { status: 429, .. }), "{refused:?}");
        assert_eq!(text, "node at ADDRESS refuses /admin/status (429): too many");
        let (refused, text) = told(answer("404 Not Found", "<html>").into());
        assert!(matches!(refused, ClientError::Refused { status: 404, .. }), "{refused:?}");
        assert_eq!(text, "node at ADDRESS refuses /admin/status (404): not found");
        let (moved, _) = told(answer("302 Found", "").into());
        assert!(matches!(moved, ClientError::Refused { status: 302, .. }), "{moved:?}");
        for garbled in [answer("200 OK", "[]").into_bytes(), b"SSH-2.0-OpenSSH_9\r\n\r\n".to_vec()] {
            let (error, _) = told(garbled);
            assert!(matches!(error, ClientError::Garbled { .. }), "{error:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_ANSWER_BYTES + 1);
        let mut endless = endless.into_bytes();
        endless.resize(endless.len() + MAX_ANSWER_BYTES as usize + 1, b' ');
        let (error, text) = told(endless);
        assert!(matches!(error, ClientError::Garbled { .. }), "{error:?}");
        assert_eq!(text, "answer of ADDRESS to /admin/status is garbled: it is longer than 16777216 bytes");

        // Nobody listens where somebody just did.
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Client::new(closed).status().unwrap_err();
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
        // Somebody does, and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(silent.local_addr().unwrap());
        let error = client.ask(&Ask::Get { name: vec![1] }, Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, ClientError::Late { .. }), "{error:?}");
        drop(silent);
    }
}
