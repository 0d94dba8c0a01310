//! A node's HTTP as the client of `fleet` and as strangers meet it.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use common::{network, start, within};
use fleet::{Client, ClientError};
use wavetank_p2p::http::{self, ServeError, Server};
use wavetank_p2p::{Event, Handle};
use wire::admin::{Ask, Dialler, Outcome};

/// How long an operation may take here, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

fn serve(node: &Handle) -> anyhow::Result<(Server, Client)> {
    let server = http::serve(node, "127.0.0.1:0".parse()?)?;
    let client = Client::new(server.local_addr());
    Ok((server, client))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_who_and_how_it_is_and_whom_it_knows() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let (server, client) = serve(&nodes[0])?;
    let health = client.health()?;
    assert!(health.live && health.ready);
    assert_eq!(client.peer_id()?.peer_id, *nodes[0].id());
    let versions = client.versions()?;
    assert_eq!((versions.admin, versions.kad.as_str()), (wire::admin::VERSION, config::PROTOCOL));
    let status = client.status()?;
    let addresses: Vec<_> = nodes[0].addresses().await?.iter().map(ToString::to_string).collect();
    assert_eq!((status.peer_id, status.addresses), (*nodes[0].id(), addresses));
    assert_eq!((status.version, status.protocol), (versions.wavetank, versions.kad));
    assert_eq!((status.contacts, status.connections, status.records), (2, 2, 0));
    assert!(status.ready && status.incarnation == 0 && status.turned_away.is_empty());

    let peers = client.peers()?;
    assert_eq!(peers.len(), 2, "{peers:?}");
    for node in &nodes[1..] {
        let peer = peers.iter().find(|peer| peer.peer_id == *node.id());
        let peer = peer.ok_or_else(|| anyhow::anyhow!("{node:?} is not known: {peers:?}"))?;
        assert!(
            peer.contact && peer.connected == Some(Dialler::Peer) && !peer.addresses.is_empty(),
            "{peer:?}"
        );
    }
    server.stop();
    assert!(matches!(client.health(), Err(ClientError::Unreachable { .. })));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_end_with_their_whole_report() -> anyhow::Result<()> {
    let nodes = network(4).await?;
    let (_server, client) = serve(&nodes[1])?;
    let ask = |ask| client.ask(&ask, PATIENCE);

    let found = ask(Ask::Lookup { name: nodes[3].id().as_bytes().to_vec() })?;
    assert_eq!((found.outcome, found.report.closest.first()), (Outcome::Found, Some(nodes[3].id())));
    assert!(found.report.messages > 0 && found.took_ns > 0 && found.report.known_in_round.is_some());
    let (name, value) = (b"name".to_vec(), vec![0, 255]);
    let put = ask(Ask::Put { name: name.clone(), value: value.clone() })?;
    assert_eq!(put.outcome, Outcome::Stored { acknowledged: 3, asked: 3 });
    let Outcome::Value(record) = ask(Ask::Get { name: name.clone() })?.outcome else { panic!("no value") };
    assert_eq!((record.name, record.value), (name.clone(), value));
    assert_eq!(ask(Ask::Get { name: b"another".to_vec() })?.outcome, Outcome::NotFound);
    assert_eq!(ask(Ask::Announce { name: name.clone() })?.outcome, Outcome::Announced { told: 3 });
    let (_other, other) = serve(&nodes[2])?;
    let providers = other.ask(&Ask::FindProviders { name, enough: 1 }, PATIENCE)?;
    assert_eq!((providers.outcome, providers.report.providers), (Outcome::Providers, vec![*nodes[1].id()]));

    let alone = start(&[]).await?;
    let (_server, alone) = serve(&alone)?;
    assert_eq!(alone.ask(&Ask::Get { name: vec![1] }, PATIENCE)?.outcome, Outcome::Isolated);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_once_in_order_and_awaited() -> anyhow::Result<()> {
    let nodes = network(2).await?;
    let (_server, client) = serve(&nodes[1])?;
    let mut told = Vec::new();
    let mut after = 0;
    // All that happened so far, asked for bit by bit.
    loop {
        let events = client.events(after, Duration::ZERO)?;
        assert_eq!(events.lost, 0);
        if events.events.is_empty() {
            assert_eq!(events.last, after);
            break;
        }
        after = events.last;
        told.extend(events.events);
    }
    let numbers: Vec<_> = told.iter().map(|told| told.number).collect();
    assert_eq!(numbers, (1..=told.len() as u64).collect::<Vec<_>>());
    assert!(told.windows(2).all(|pair| pair[0].unix_ns <= pair[1].unix_ns));
    let up = Event::LinkUp { peer: *nodes[0].id(), by: Dialler::Node };
    assert!(told.iter().any(|told| told.event == up), "{told:?}");
    assert!(told.iter().any(|told| matches!(told.event, Event::Bootstrapped { contacts: 1 })), "{told:?}");

    // What happens while somebody waits ends the wait.
    let waiting = client.clone();
    let wait = std::thread::spawn(move || {
        let mut after = after;
        loop {
            let events = waiting.events(after, Duration::from_secs(30))?;
            after = events.last;
            let stored = events.events.into_iter().find_map(|told| match told.event {
                Event::RecordStored { record } => Some(record),
                _ => None,
            });
            if let Some(record) = stored {
                return Ok::<_, ClientError>(record);
            }
        }
    });
    within("put", nodes[0].put(b"name", b"value")).await??;
    let record = wait.join().expect("the waiting thread lives")?;
    assert_eq!((record.name, record.value), (b"name".to_vec(), b"value".to_vec()));

    let future = client.events(1_000_000, Duration::ZERO);
    assert!(matches!(&future, Err(ClientError::Refused { status: 400, .. })), "{future:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_from_within_agrees_with_what_happened() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let (_server, client) = serve(&nodes[0])?;
    let before = client.view()?;
    within("put", nodes[1].put(b"name", &[7; 1_000])).await??;
    let after = client.view()?;
    let mut contacts = after.contacts.clone();
    contacts.sort_unstable();
    let mut others: Vec<_> = nodes[1..].iter().map(|node| *node.id()).collect();
    others.sort_unstable();
    assert_eq!(contacts, others);
    let mut links = after.links.clone();
    links.sort_unstable();
    assert_eq!(links, others);
    assert_eq!((before.records, after.records, after.queue, after.dropped), (0, 1, 0, 0));
    assert!(after.received > before.received && after.sent > before.sent);
    // The answer to a PUT repeats the record.
    assert!(after.sent_bytes - before.sent_bytes > 1_000, "{before:?} {after:?}");
    assert!(after.unix_ns > before.unix_ns);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_told_to_stop_stops_and_says_so() -> anyhow::Result<()> {
    let node = start(&[]).await?;
    let (server, client) = serve(&node)?;
    client.shutdown()?;
    within("stopped", node.stopped()).await?;
    let health = client.health()?;
    assert!(!health.live && !health.ready);
    for refused in [client.status().map(drop), client.events(node.last_event(), PATIENCE).map(drop)] {
        let Err(ClientError::Refused { status, message, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!((status, message.as_str()), (503, "node has stopped"));
    }
    server.stop();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named() -> anyhow::Result<()> {
    let node = start(&[]).await?;
    let (server, _) = serve(&node)?;
    let taken = http::serve(&node, server.local_addr());
    assert!(
        matches!(taken, Err(ServeError::Bind { address, .. }) if address == server.local_addr()),
        "{taken:?}"
    );
    Ok(())
}

/// What is said to `request`, until the node hangs up.
fn raw(address: SocketAddr, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // The node may have heard enough before the end.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The status and the reason of a refusal.
fn refusal(answer: &str) -> anyhow::Result<(u16, String)> {
    let status = answer.split(' ').nth(1).unwrap_or_default().parse()?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let refused: wire::admin::Refused = serde_json::from_str(body)?;
    Ok((status, refused.error))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_is_refused_by_name() -> anyhow::Result<()> {
    let node = start(&[]).await?;
    let (server, client) = serve(&node)?;
    let address = server.local_addr();
    let request = |line: &str, headers: &str, body: &str| {
        let text = format!("{line} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n{body}");
        raw(address, text.as_bytes()).and_then(|answer| refusal(&answer))
    };
    let here = format!("host: {address}\r\n");
    let post = |body: &str| {
        let headers = format!("{here}content-length: {}\r\n", body.len());
        request("POST /admin/ask", &headers, body)
    };
    assert_eq!(request("GET /nowhere", &here, "")?, (404, r#"there is nothing at "/nowhere""#.to_owned()));
    let wrong = request("GET /admin/ask", &here, "")?;
    assert_eq!(wrong, (405, r#"GET is not what "/admin/ask" is asked by"#.to_owned()));
    assert_eq!(request("POST /health", &here, "")?.0, 405);
    let (status, error) = post("{")?;
    assert!(status == 400 && error.starts_with("body is no operation: EOF"), "{error}");
    let (status, error) = post(r#"{"eat":{}}"#)?;
    assert!(status == 400 && error.contains("unknown variant `eat`"), "{error}");
    let (status, error) = post(r#"{"get":{"name":"xyz"}}"#)?;
    assert!(status == 400 && error.starts_with("body is no operation: "), "{error}");
    let long = post(&format!(r#"{{"get":{{"name":"{}"}}}}"#, "00".repeat(129)))?;
    assert_eq!(long, (400, "name is longer than 128 bytes".to_owned()));
    let large = post(&format!(r#"{{"put":{{"name":"00","value":"{}"}}}}"#, "00".repeat(65_537)))?;
    assert_eq!(large, (400, "value of 65537 bytes is longer than 65536".to_owned()));
    // A length alone is enough.
    let huge = request("POST /admin/ask", &format!("{here}content-length: 1000000000\r\n"), "")?;
    assert_eq!(huge, (413, "body of 1000000000 bytes is longer than 266240".to_owned()));
    let chunk = format!("40000\r\n{}\r\n", " ".repeat(0x40000)).repeat(2);
    let endless = request("POST /admin/ask", &format!("{here}transfer-encoding: chunked\r\n"), &chunk)?;
    assert_eq!(endless, (400, "body breaks off, or is longer than 266240 bytes".to_owned()));

    let foreign = request("GET /admin/status", "host: evil.example\r\n", "")?;
    assert_eq!(foreign.0, 403);
    assert!(foreign.1.starts_with(r#"host "evil.example" is not this node"#), "{}", foreign.1);
    let page = request("POST /admin/shutdown", &format!("{here}origin: http://evil.example\r\n"), "")?;
    assert_eq!(page.0, 403);
    assert!(page.1.starts_with(r#"origin "http://evil.example" is not this node"#), "{}", page.1);
    // What anybody may know is no secret.
    let open = raw(address, b"GET /peer_id HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")?;
    assert!(open.starts_with("HTTP/1.1 200 OK\r\n"), "{open}");
    assert!(client.health()?.live);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_and_slow_connections_keep_nobody_out() -> anyhow::Result<()> {
    let nodes = network(2).await?;
    let (server, client) = serve(&nodes[0])?;
    let address = server.local_addr();
    let begun = Instant::now();
    let mut held = Vec::new();
    for number in 0..1_000 {
        let mut stream = TcpStream::connect(address)?;
        if number % 2 == 0 {
            // A head that never ends: the connection is slow, not silent.
            let _ = stream.write_all(b"GET /health HTTP/1.1\r\nx: ");
        }
        held.push(stream);
        if number % 100 == 50 {
            assert!(client.health()?.ready);
            let ended = client.ask(&Ask::Lookup { name: nodes[1].id().as_bytes().to_vec() }, PATIENCE)?;
            assert_eq!(ended.report.closest.first(), Some(nodes[1].id()));
        }
    }
    // The first were let go long before their time.
    held[0].set_read_timeout(Some(PATIENCE))?;
    assert!(matches!(held[0].read(&mut [0]), Ok(0) | Err(_)));
    // The last is, in its time.
    let last = held.last_mut().expect("there are some");
    last.set_read_timeout(Some(PATIENCE))?;
    assert!(matches!(last.read(&mut [0]), Ok(0)), "the node hangs up");
    assert!(begun.elapsed() < PATIENCE);
    assert!(client.health()?.ready);
    Ok(())
}
