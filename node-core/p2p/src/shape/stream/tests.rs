use std::net::Ipv4Addr;

use libp2p::futures::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use wire::admin::{Link, LinkTo, Links, Passage};

use super::super::BURST;
use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DELAY: Duration = Duration::from_millis(40);

fn delayed() -> Link {
    Link { base_ns: DELAY.as_nanos() as u64, ..Link::PLAIN }
}

/// One side of a connection that is shaped by links of which `others` is this one, and the bare other side.
async fn connection(links: &Links) -> (Shaped, TcpStream, Arc<Shape>) {
    let shape = Shape::start().unwrap();
    shape.believe(links).unwrap();
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (Shaped::new(near.unwrap(), LOOPBACK, Arc::clone(&shape)), far.unwrap().0, shape)
}

fn links(others: Link) -> Links {
    Links { others, ..Links::plain() }
}

/// Reads `len` bytes: how long it took.
async fn arrives(far: &mut TcpStream, len: usize) -> (Vec<u8>, Duration) {
    let (began, mut bytes) = (Instant::now(), vec![0; len]);
    timeout(Duration::from_secs(60), far.read_exact(&mut bytes)).await.unwrap().unwrap();
    (bytes, began.elapsed())
}

#[tokio::test]
async fn bytes_travel_for_the_delay_while_their_writer_goes_on() {
    let (mut near, mut far, shape) = connection(&links(delayed())).await;
    let began = Instant::now();
    near.write_all(b"first").await.unwrap();
    near.write_all(b"second").await.unwrap();
    near.close().await.unwrap();
    drop(near);
    assert!(began.elapsed() < DELAY, "writing waited for the bytes to arrive");
    let (bytes, _) = arrives(&mut far, 11).await;
    assert_eq!(bytes, b"firstsecond");
    assert!(began.elapsed() >= DELAY, "{:?}", began.elapsed());
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0, "the end arrives after what was written before it");
    timeout(Duration::from_secs(60), shape.drained()).await.unwrap();
}

#[tokio::test]
async fn jitter_is_drawn_for_each_burst_and_keeps_the_order() {
    let jitter = Link { jitter_ns: DELAY.as_nanos() as u64, ..delayed() };
    let (mut near, mut far, _) = connection(&links(jitter)).await;
    let mut delays = Vec::new();
    for number in 0..20_u8 {
        near.write_all(&[number]).await.unwrap();
        let (bytes, took) = arrives(&mut far, 1).await;
        assert_eq!(bytes, [number]);
        delays.push(took);
    }
    assert!(delays.iter().all(|delay| *delay + BURST > DELAY), "{delays:?}");
    let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
    // Twenty even draws are all within a quarter of their range once in 10^10 times.
    assert!(*most - *least > DELAY / 4, "{delays:?}");
    // Written at once, in bursts of which any could be drawn faster than the one before.
    for number in 0..200_u8 {
        near.write_all(&[number]).await.unwrap();
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    assert_eq!(arrives(&mut far, 200).await.0, (0..200).collect::<Vec<u8>>());
}

#[tokio::test]
async fn the_uplink_of_all_connections_is_one() {
    // A hundred kilobytes at 8 Mbit/s take 100 ms.
    let slow = Links { uplink_bits_per_second: Some(8_000_000), ..links(Link::PLAIN) };
    let (mut one, mut far, shape) = connection(&slow).await;
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let (near, accepted) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let mut other_far = accepted.unwrap().0;
    let mut other = Shaped::new(near.unwrap(), LOOPBACK, shape);
    let began = Instant::now();
    one.write_all(&[1; 100_000]).await.unwrap();
    other.write_all(&[2; 100_000]).await.unwrap();
    arrives(&mut far, 100_000).await;
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    arrives(&mut other_far, 100_000).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_writer_waits_once_the_queue_is_full() {
    let (mut near, mut far, _) = connection(&links(Link { passage: Passage::Cut, ..Link::PLAIN })).await;
    let too_much = vec![0; MAX_QUEUED + 1];
    let full = timeout(Duration::from_millis(200), near.write_all(&too_much)).await;
    assert!(full.is_err(), "more than the limit was taken");
    assert_eq!(near.queue.lock().queued, MAX_QUEUED);
    near.queue.shape.believe(&Links::plain()).unwrap();
    near.write_all(b"!").await.unwrap();
    let (bytes, _) = arrives(&mut far, MAX_QUEUED + 1).await;
    assert_eq!(bytes.last(), Some(&b'!'));
}

#[tokio::test]
async fn a_clog_holds_what_leaves_and_lets_go_what_has_left() {
    let (mut near, mut far, shape) = connection(&links(delayed())).await;
    near.write_all(b"left").await.unwrap();
    shape.believe(&links(Link { passage: Passage::Clogged, ..delayed() })).unwrap();
    near.write_all(b"held").await.unwrap();
    assert_eq!(arrives(&mut far, 4).await.0, b"left");
    let early = timeout(2 * DELAY, far.read_exact(&mut [0])).await;
    assert!(early.is_err(), "it left although the link was clogged");
    shape.believe(&links(delayed())).unwrap();
    let (bytes, took) = arrives(&mut far, 4).await;
    assert_eq!(bytes, b"held");
    assert!(took + BURST > DELAY, "{took:?}: it had travelled already");
}

#[tokio::test]
async fn a_death_is_told_or_not_as_the_links_say() {
    let (mut near, far, _) = connection(&Links::plain()).await;
    drop(far);
    assert_eq!(near.read(&mut [0]).await.unwrap(), 0);

    let lives = |life| Links {
        crashes: Crashes::Silent,
        peers: vec![LinkTo {
            peer: types::PeerId::from_ed25519(&[1; 32]),
            ip: LOOPBACK,
            life,
            link: Link::PLAIN,
        }],
        ..Links::plain()
    };
    let (mut near, far, shape) = connection(&lives(3)).await;
    drop(far);
    let silence = timeout(DELAY, near.read(&mut [0])).await;
    assert!(silence.is_err(), "a death without a word was told: {silence:?}");
    near.write_all(b"anybody there?").await.unwrap();
    let silence = timeout(DELAY, near.read(&mut [0])).await;
    assert!(silence.is_err(), "the dead answered: {silence:?}");
    shape.believe(&lives(4)).unwrap();
    let silence = timeout(DELAY, near.read(&mut [0])).await;
    assert!(silence.is_err(), "the next life spoke unasked: {silence:?}");
    near.write_all(b"and now?").await.unwrap();
    let reset = timeout(Duration::from_secs(60), near.read(&mut [0])).await.unwrap();
    assert_eq!(reset.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}
