//! What is answered where. Whatever is not answered says why, in the same form.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wire::admin::{Ask, Health, Identity, Links, MAX_LINKS, MAX_WAIT, Refused, Versions, path};

use super::guard;
use crate::handle::{Handle, OperationError, VERSION};
use crate::shape::EmulateError;

/// Bytes of an operation, at most: the longest value that a message takes, in hex, and what stands around it.
const MAX_ASK_BYTES: usize = 2 * wire::MAX_BODY_BYTES + (4 << 10);
/// Bytes of links, at most: as many as a node may be told of, each with all its numbers.
const MAX_LINKS_BYTES: usize = MAX_LINKS * 512;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Operations that may be under way for whoever asks over HTTP; the node has a limit of its own.
const MAX_ASKS: usize = 64;
/// After what silence of the node's thread the node does not live.
const LIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// How Prometheus knows the text that it reads.
const METRICS_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON_TYPE: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Clone)]
struct Api {
    handle: Handle,
    asks: Arc<Semaphore>,
}

/// All that is answered for the node behind `handle`.
pub(super) fn of(handle: Handle) -> Router {
    let admin = Router::new()
        .route(path::STATUS, get(status))
        .route(path::PEERS, get(peers))
        .route(path::ASK, post(ask))
        .route(path::EVENTS, get(events))
        .route(path::VIEW, get(view))
        .route(path::LINKS, put(links))
        .route(path::SHUTDOWN, post(shutdown))
        .layer(middleware::from_fn(guard::admit));
    Router::new()
        .route(path::HEALTH, get(health))
        .route(path::METRICS, get(metrics))
        .route(path::PEER_ID, get(peer_id))
        .route(path::VERSIONS, get(versions))
        .merge(admin)
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Api { handle, asks: Arc::new(Semaphore::new(MAX_ASKS)) })
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: String,
}

impl Problem {
    pub(super) const fn new(status: StatusCode, error: String) -> Self {
        Self { status, error }
    }

    fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.into())
    }

    #[cfg(test)]
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        json(self.status, &Refused { error: self.error })
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        let status = match error {
            OperationError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            OperationError::NameTooLong(_) | OperationError::ValueTooLong { .. } => StatusCode::BAD_REQUEST,
            OperationError::Busy => StatusCode::TOO_MANY_REQUESTS,
            OperationError::Isolated => StatusCode::BAD_GATEWAY,
        };
        Self::new(status, error.to_string())
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => (status, [(header::CONTENT_TYPE, JSON_TYPE)], body).into_response(),
        // The types of the API have no keys that are no text, and nothing else fails.
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn health(State(api): State<Api>) -> Response {
    let live = matches!(timeout(LIVE_TIMEOUT, api.handle.glance()).await, Ok(Ok(_)));
    let ready = live && api.handle.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Health { live, ready })
}

async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let text = api.handle.metrics().await?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

async fn peer_id(State(api): State<Api>) -> Response {
    json(StatusCode::OK, &Identity { peer_id: *api.handle.id() })
}

async fn versions(State(api): State<Api>) -> Response {
    let kad = api.handle.protocol().to_owned();
    json(StatusCode::OK, &Versions { wavetank: VERSION.to_owned(), admin: wire::admin::VERSION, kad })
}

async fn status(State(api): State<Api>) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &api.handle.status().await?))
}

async fn peers(State(api): State<Api>) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &api.handle.known_peers().await?))
}

async fn view(State(api): State<Api>) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &api.handle.view().await?))
}

async fn ask(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let Ok(_permit) = api.asks.try_acquire() else {
        let error = format!("{MAX_ASKS} operations are under way already");
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, error));
    };
    let body = body(request, MAX_ASK_BYTES).await?;
    let ask: Ask = serde_json::from_slice(body.as_ref())
        .map_err(|error| Problem::bad(format!("body is no operation: {error}")))?;
    let too_long = || format!("name is longer than {} bytes", kad::message::MAX_NAME_BYTES);
    let operation = ask.operation().ok_or_else(|| Problem::bad(too_long()))?;
    Ok(json(StatusCode::OK, &api.handle.perform(operation).await?))
}

/// The whole body, if it is no longer than one may be and comes in time.
async fn body(request: Request, max_bytes: usize) -> Result<impl AsRef<[u8]>, Problem> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<u64>().ok());
    if let Some(length) = announced.filter(|length| *length > max_bytes as u64) {
        let error = format!("body of {length} bytes is longer than {max_bytes}");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error));
    }
    match timeout(BODY_TIMEOUT, to_bytes(request.into_body(), max_bytes)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::bad(format!("body breaks off, or is longer than {max_bytes} bytes"))),
        Err(_) => {
            let error = format!("body did not arrive within {BODY_TIMEOUT:?}");
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, error))
        }
    }
}

async fn links(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let body = body(request, MAX_LINKS_BYTES).await?;
    let links: Links = serde_json::from_slice(body.as_ref())
        .map_err(|error| Problem::bad(format!("body tells of no links: {error}")))?;
    api.handle.emulate(&links).map_err(|error| match error {
        EmulateError::Off => Problem::new(StatusCode::CONFLICT, error.to_string()),
        EmulateError::Links(_) => Problem::bad(error.to_string()),
    })?;
    Ok(done(StatusCode::OK))
}

async fn events(State(api): State<Api>, uri: Uri) -> Result<Response, Problem> {
    let Since { after, wait } = since(uri.query().unwrap_or_default())?;
    let last = api.handle.last_event();
    if after > last {
        return Err(Problem::bad(format!("event {after} has not happened: the last is {last}")));
    }
    let events = api.handle.events_after(after, wait).await;
    if events.events.is_empty() && api.handle.is_stopped() {
        return Err(OperationError::Stopped.into());
    }
    Ok(json(StatusCode::OK, &events))
}

/// Which events are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Since {
    after: u64,
    wait: Duration,
}

fn since(query: &str) -> Result<Since, Problem> {
    let mut since = Since::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value: u64 =
            value.parse().map_err(|_| Problem::bad(format!("{name:?} is {value:?}, which is no number")))?;
        match name {
            "after" => since.after = value,
            "wait_ms" => since.wait = Duration::from_millis(value).min(MAX_WAIT),
            _ => return Err(Problem::bad(format!("{name:?} is unknown: there are `after` and `wait_ms`"))),
        }
    }
    Ok(since)
}

async fn shutdown(State(api): State<Api>) -> Response {
    // Whoever asked is told at once; its program learns of it by `Handle::stopped`.
    tokio::spawn(api.handle.shutdown());
    done(StatusCode::ACCEPTED)
}

/// There is nothing more to say.
fn done(status: StatusCode) -> Response {
    (status, [(header::CONTENT_TYPE, JSON_TYPE)], Body::from("{}")).into_response()
}

async fn nothing_here(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {:?}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let error = format!("{method} is not what {:?} is asked by", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_for_events_are_read_or_refused_by_name() {
        let of = |after, wait_ms| Since { after, wait: Duration::from_millis(wait_ms) };
        assert_eq!(since("").unwrap(), of(0, 0));
        assert_eq!(since("after=5&wait_ms=100").unwrap(), of(5, 100));
        assert_eq!(since("wait_ms=99999999").unwrap(), of(0, 30_000));
        for (query, error) in [
            ("after=-1", r#""after" is "-1", which is no number"#),
            ("after", r#""after" is "", which is no number"#),
            ("since=1", r#""since" is unknown: there are `after` and `wait_ms`"#),
        ] {
            assert_eq!(since(query).unwrap_err().error, error);
        }
    }
}
