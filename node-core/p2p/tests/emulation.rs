//! Nodes that are made to believe in another network than loopback: delays, a slow uplink, losses, cuts.

use std::future::Future;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use config::Config;
use tokio::time::timeout;
use wavetank_p2p::{EmulateError, Emulation, Event, Handle, Keypair, Multiaddr, Node, OperationError, Setup};
use wire::admin::{Link, LinkTo, Links, Passage, Report};

/// How long anything may take here, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a peer may take to answer, in the network that is emulated.
const REQUEST_TIMEOUT: types::Duration = types::Duration::from_secs(1);

/// What `future` comes to, in time.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> anyhow::Result<T> {
    timeout(PATIENCE, future).await.with_context(|| format!("{what}: not in {PATIENCE:?}"))
}

/// A node at 127.0.0.`number` that believes in `links`.
async fn start(
    number: u8,
    transport: &str,
    bootstrap: &[Multiaddr],
    links: &Links,
) -> anyhow::Result<Handle> {
    let mut config = Config::default();
    config.kad.request_timeout = REQUEST_TIMEOUT;
    // Whatever is lost, nobody is given up.
    config.kad.max_failures = 16;
    let listen = vec![format!("/ip4/127.0.0.{number}{transport}").parse()?];
    let mut setup = Setup::new(config, listen, bootstrap.to_vec());
    setup.emulation = Emulation::On;
    let node = within("start", Node::start(setup, Keypair::generate())).await??;
    node.emulate(links)?;
    Ok(node)
}

/// Two nodes that are connected, at 127.0.0.`number` and the address after it.
async fn pair(number: u8, transport: &str) -> anyhow::Result<[Handle; 2]> {
    let one = start(number, transport, &[], &Links::plain()).await?;
    let two = start(number + 1, transport, &one.addresses().await?, &Links::plain()).await?;
    within("ready", two.ready()).await??;
    Ok([one, two])
}

/// Links of which the one to the peer at 127.0.0.`number` is `link`; all others do nothing.
fn to(peer: &Handle, number: u8, link: Link) -> Links {
    let ip = IpAddr::from([127, 0, 0, number]);
    Links { seed: 1, peers: vec![LinkTo { peer: *peer.id(), ip, life: 0, link }], ..Links::plain() }
}

fn slow(base: Duration) -> Link {
    Link { base_ns: base.as_nanos() as u64, ..Link::PLAIN }
}

/// How long a lookup takes that asks the one peer there is, once.
async fn exchange(node: &Handle) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let found = within("lookup", node.lookup(b"name")).await??;
    anyhow::ensure!((found.messages, found.timeouts) == (1, 0), "{found:?}");
    Ok(began.elapsed())
}

async fn an_exchange_takes_what_both_directions_take(number: u8, transport: &str) -> anyhow::Result<()> {
    let [one, two] = pair(number, transport).await?;
    for (there, back) in [(40, 40), (100, 20), (0, 60)]
        .map(|(there, back)| (Duration::from_millis(there), Duration::from_millis(back)))
    {
        two.emulate(&to(&one, number, slow(there)))?;
        one.emulate(&to(&two, number + 1, slow(back)))?;
        let mut least = Duration::MAX;
        for _ in 0..5 {
            least = least.min(exchange(&two).await?);
        }
        assert!(least >= there + back, "{there:?} there and {back:?} back took {least:?}");
        // A second round trip would double it.
        assert!(least < (there + back) * 3 / 2, "{there:?} there and {back:?} back took {least:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_takes_what_both_directions_take_over_tcp() -> anyhow::Result<()> {
    an_exchange_takes_what_both_directions_take(2, "/tcp/0").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_takes_what_both_directions_take_over_websocket() -> anyhow::Result<()> {
    an_exchange_takes_what_both_directions_take(4, "/tcp/0/ws").await
}

/// One for TCP's handshake and one for Noise's first two messages: whatever follows leaves with the third.
#[tokio::test(flavor = "multi_thread")]
async fn a_dial_takes_two_round_trips() -> anyhow::Result<()> {
    let one_way = Duration::from_millis(50);
    let links = Links { others: slow(one_way), ..Links::plain() };
    let one = start(6, "/tcp/0", &[], &links).await?;
    let bootstrap = one.addresses().await?;
    let began = Instant::now();
    let two = start(7, "/tcp/0", &bootstrap, &links).await?;
    let mut events = two.events();
    within("the link", async {
        while let Some(told) = events.next().await {
            if matches!(told.event, Event::LinkUp { .. }) {
                return Ok(());
            }
        }
        anyhow::bail!("the node stopped")
    })
    .await??;
    let dialled = began.elapsed();
    assert!(dialled >= 4 * one_way, "{dialled:?}");
    assert!(dialled < 6 * one_way, "{dialled:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_record_takes_its_time_on_a_slow_uplink() -> anyhow::Result<()> {
    let [_one, two] = pair(8, "/tcp/0").await?;
    two.emulate(&Links { uplink_bits_per_second: Some(1_000_000), ..Links::plain() })?;
    let value = vec![7; 60_000];
    let began = Instant::now();
    within("put", two.put(b"name", &value)).await??;
    let (took, least) = (began.elapsed(), Duration::from_micros(8 * 60_000));
    assert!(took >= least, "60,000 bytes at 1 Mbit/s took {took:?}");
    assert!(took < 2 * least, "60,000 bytes at 1 Mbit/s took {took:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_lost_at_the_rate_that_was_asked_for_and_answers_are_not() -> anyhow::Result<()> {
    let [one, two] = pair(10, "/tcp/0").await?;
    let lossy = |lost_ppm| Link { lost_ppm, ..Link::PLAIN };
    one.emulate(&to(&two, 11, lossy(1_000_000)))?;
    for _ in 0..20 {
        exchange(&two).await?;
    }
    assert_eq!(one.dropped(), 0, "answers are lost with their requests only");
    two.emulate(&to(&one, 10, lossy(300_000)))?;
    let (mut answered, mut lost) = (0, 0);
    for batch in 0..20 {
        let mut lookups = Vec::new();
        // No more at once than a peer serves.
        for number in 0..15 {
            let (two, name) = (two.clone(), format!("name {batch} {number}"));
            lookups.push(tokio::spawn(async move { two.lookup(name.as_bytes()).await }));
        }
        for lookup in lookups {
            match within("lookup", lookup).await?? {
                Ok(Report { messages: 1, timeouts: 0, .. }) => answered += 1,
                Ok(Report { messages: 1, timeouts: 1, .. }) | Err(OperationError::Isolated) => {
                    lost += 1;
                }
                other => anyhow::bail!("{other:?}"),
            }
        }
    }
    assert_eq!(answered + lost, 300);
    assert!(two.dropped() >= lost, "a request was not answered that was not dropped");
    // Four standard deviations of 300 draws at 0.3: one seed in 16,000 is beyond, and this one is not.
    let expected = 90.0_f64;
    assert!((lost as f64 - expected).abs() < 4.0 * (expected * 0.7).sqrt(), "{lost} of 300 were lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_isolates_and_heals_without_a_new_connection() -> anyhow::Result<()> {
    let [one, two] = pair(12, "/tcp/0").await?;
    let before = two.last_event();
    let cut = Link { passage: Passage::Cut, ..Link::PLAIN };
    // What it says does not arrive.
    two.emulate(&to(&one, 12, cut))?;
    assert_eq!(within("lookup", two.lookup(b"name")).await?, Err(OperationError::Isolated));
    let dropped = two.dropped();
    assert!(one.dropped() == 0 && dropped > 0);
    // What it hears is nothing.
    two.emulate(&Links::plain())?;
    one.emulate(&to(&two, 13, cut))?;
    assert_eq!(within("lookup", two.lookup(b"name")).await?, Err(OperationError::Isolated));
    assert!(one.dropped() > 0 && two.dropped() == dropped);
    one.emulate(&Links::plain())?;
    exchange(&two).await?;
    assert_eq!(two.peers().await?, [*one.id()]);
    for told in two.events_after(before, Duration::ZERO).await.events {
        assert!(!matches!(told.event, Event::LinkUp { .. } | Event::LinkDown { .. }), "{told:?}");
    }
    assert_eq!(one.turned_away().len() + two.turned_away().len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_dialled_across_a_cut() -> anyhow::Result<()> {
    let one = start(14, "/tcp/0", &[], &Links::plain()).await?;
    let two = start(
        15,
        "/tcp/0",
        &one.addresses().await?,
        &to(&one, 14, Link { passage: Passage::Cut, ..Link::PLAIN }),
    )
    .await?;
    assert_eq!(within("lookup", two.lookup(b"name")).await?, Err(OperationError::Isolated));
    assert_eq!(one.peers().await?, []);
    two.emulate(&Links::plain())?;
    exchange(&two).await?;
    assert_eq!(one.peers().await?, [*two.id()]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clog_delays_an_exchange_and_loses_nothing() -> anyhow::Result<()> {
    let [one, two] = pair(16, "/tcp/0").await?;
    two.emulate(&to(&one, 16, Link { passage: Passage::Clogged, ..Link::PLAIN }))?;
    let mut waits = std::pin::pin!(exchange(&two));
    assert!(timeout(Duration::from_millis(300), &mut waits).await.is_err(), "the clog let it pass");
    two.emulate(&Links::plain())?;
    within("the clog is over", waits).await??;
    assert_eq!((one.dropped(), two.dropped()), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_arrive_and_messages_held_back_are_late_and_change_no_outcome() -> anyhow::Result<()> {
    let [one, two] = pair(18, "/tcp/0").await?;
    let all = 1_000_000;
    let held_ns = Duration::from_millis(200).as_nanos() as u64;
    two.emulate(&to(&one, 18, Link { held_ppm: all, held_ns, ..Link::PLAIN }))?;
    let mut took = Vec::new();
    for _ in 0..10 {
        took.push(exchange(&two).await?);
    }
    // Ten even draws from 200 ms: below 40 ms every time once in 10^7 times.
    assert!(took.iter().max() > Some(&Duration::from_millis(40)), "{took:?}");

    two.emulate(&to(&one, 18, Link { copied_ppm: all, ..Link::PLAIN }))?;
    let (received, answered) = (one.view().await?.received, one.view().await?.sent);
    for _ in 0..10 {
        exchange(&two).await?;
    }
    // The last copy may still be under way.
    let view = one.view().await?;
    assert!(view.received - received > 18, "{} requests for 10", view.received - received);
    assert!(view.sent - answered > 18, "a request that comes twice is answered twice");
    within("put", two.put(b"name", b"value")).await??;
    assert_eq!(within("get", one.get(b"name")).await??.as_deref(), Some(&b"value"[..]));
    assert_eq!(one.turned_away().len() + two.turned_away().len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_not_started_for_it_believes_nothing_and_nobody_believes_nonsense() -> anyhow::Result<()> {
    let setup = Setup::new(Config::default(), vec!["/ip4/127.0.0.1/tcp/0".parse()?], vec![]);
    let plain = Node::start(setup, Keypair::generate()).await?;
    assert_eq!(plain.emulate(&Links::plain()), Err(EmulateError::Off));
    let node = start(20, "/tcp/0", &[], &Links::plain()).await?;
    let nonsense = Links { uplink_bits_per_second: Some(0), ..Links::plain() };
    let error = node.emulate(&nonsense).unwrap_err().to_string();
    assert_eq!(error, "uplink of 0 bits per second sends nothing");
    Ok(())
}
