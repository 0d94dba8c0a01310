//! Who may ask what only an administrator may: programs on the same machine.
//!
//! A web page is no such program, whatever machine its browser runs on: it says its `Origin`, and one that had its own
//! name point here says that name as `Host`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::connections::Ends;
use super::routes::Problem;

/// Lets those through who may.
pub(super) async fn admit(request: Request, next: Next) -> Response {
    let ends = request.extensions().get::<Ends>().copied();
    match check(ends, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(ends: Option<Ends>, headers: &HeaderMap) -> Result<(), Problem> {
    let forbidden = |error| Err(Problem::new(StatusCode::FORBIDDEN, error));
    let local = |ends: &Ends| is_loopback(ends.here.ip()) && is_loopback(ends.there.ip());
    if !ends.as_ref().is_some_and(local) {
        let here = ends.map_or_else(|| "somewhere".to_owned(), |ends| ends.here.ip().to_string());
        return forbidden(format!(
            "admin paths are answered over loopback addresses only, and this came to {here}"
        ));
    }
    let Some(host) = text(headers, &header::HOST)? else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "request names no host".to_owned()));
    };
    if !is_here(host) {
        return forbidden(format!(
            "host {host:?} is not this node: admin paths are answered to loopback addresses and localhost"
        ));
    }
    match text(headers, &header::ORIGIN)? {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            forbidden(format!("origin {origin:?} is not this node: admin paths are not for web pages"))
        }
        _ => Ok(()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let refused = |what| Problem::new(StatusCode::BAD_REQUEST, format!("header {name:?} {what}"));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| refused("is no text")),
        (Some(_), Some(_)) => Err(refused("is there twice")),
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Whether a `Host` header names this machine: a loopback address or `localhost`, with or without a port.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        // What follows the last colon of a bare IPv6 address is no port.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() => name,
        _ => host,
    };
    let ip = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || ip.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(here: &str, there: &str, headers: &[(HeaderName, &str)]) -> u16 {
        let ends = Ends { here: here.parse().unwrap(), there: there.parse().unwrap() };
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        check(Some(ends), &headers).map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn hosts_that_are_here_and_others() {
        for host in ["127.0.0.1:18080", "127.3.2.1", "localhost", "LocalHost:1", "[::1]:18080", "[::1]"] {
            assert!(is_here(host), "{host}");
        }
        for host in
            ["", ":80", "evil.example", "evil.example:18080", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:1"]
        {
            assert!(!is_here(host), "{host}");
        }
    }

    #[test]
    fn only_programs_of_this_machine_are_let_in() {
        let host = (header::HOST, "127.0.0.1:18080");
        let (here, there) = ("127.0.0.1:18080", "127.0.0.1:4");
        assert_eq!(status(here, there, std::slice::from_ref(&host)), 200);
        assert_eq!(status("[::ffff:127.0.0.1]:1", "[::1]:4", std::slice::from_ref(&host)), 200);
        assert_eq!(status("10.0.0.1:18080", "10.0.0.2:4", std::slice::from_ref(&host)), 403);
        assert_eq!(status(here, "10.0.0.2:4", std::slice::from_ref(&host)), 403);
        assert_eq!(status(here, there, &[]), 400);
        assert_eq!(status(here, there, &[(header::HOST, "evil.example:18080")]), 403);
        for (origin, expected) in [
            ("http://127.0.0.1:18080", 200),
            ("http://evil.example", 403),
            ("http://localhost:3000", 403),
            ("null", 403),
        ] {
            assert_eq!(status(here, there, &[host.clone(), (header::ORIGIN, origin)]), expected, "{origin}");
        }
    }

    #[test]
    fn a_header_that_is_there_twice_is_refused() {
        let ends = Ends { here: "127.0.0.1:1".parse().unwrap(), there: "127.0.0.1:2".parse().unwrap() };
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, "127.0.0.1".parse().unwrap());
        headers.append(header::HOST, "evil.example".parse().unwrap());
        assert_eq!(check(Some(ends), &headers).unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
