//! Streams: thousands of them, slow ones, several requests on one, unknown protocols.

use libp2p::StreamProtocol;
use libp2p::futures::AsyncWriteExt as _;
use libp2p_stream::OpenStreamError;
use wavetank_p2p::{Event, Reason};

use crate::attacker::{Attacker, FIND_NODE, PROTOCOL, honest_lookups_succeed, read_frame, turned_away};
use crate::common::{network, start_with, wait_for, within};

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_streams_are_bounded_and_honest_peers_served() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut attacker = Attacker::connect(&nodes[0]).await?;
    let mut held = Vec::new();
    for number in 0..2_000 {
        let opened = attacker.control.open_stream(attacker.target, PROTOCOL);
        match within("stream", opened).await? {
            Ok(mut stream) if held.len() < 64 => {
                // A byte of a length that never ends: the stream is slow, not wrong.
                let _ = stream.write_all(&[0x80]).await;
                let _ = stream.flush().await;
                held.push(stream);
            }
            Ok(_) | Err(OpenStreamError::Io(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if number % 500 == 250 {
            honest_lookups_succeed(&nodes).await?;
        }
    }
    assert_eq!(turned_away(&mut events, attacker.id).await?, Reason::TooManyStreamsOfPeer.word());
    honest_lookups_succeed(&nodes).await?;
    // Those that were let in are given up in time.
    let mut events = nodes[0].events();
    if !nodes[0].turned_away().contains_key(&Reason::TooSlow) {
        let slow = Event::TurnedAway { peer: Some(attacker.id), reason: Reason::TooSlow.word().to_owned() };
        wait_for(&mut events, "slow streams are given up", |event| (*event == slow).then_some(())).await?;
    }
    let counts = nodes[0].turned_away();
    assert!(counts.get(&Reason::TooManyStreamsOfPeer).is_some_and(|count| *count > 100), "{counts:?}");
    drop(held);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_may_ask_again_and_unknown_protocols_are_refused() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut attacker = Attacker::connect(&nodes[0]).await?;
    let unknown = StreamProtocol::new("/unknown/1.0.0");
    let refused = within("stream", attacker.control.open_stream(attacker.target, unknown)).await?;
    assert!(matches!(refused, Err(OpenStreamError::UnsupportedProtocol(_))), "{refused:?}");
    let mut stream = attacker.open().await?;
    for _ in 0..3 {
        stream.write_all(&FIND_NODE).await?;
        stream.flush().await?;
        let answer = within("answer", read_frame(&mut stream)).await??;
        assert_eq!(answer.get(..2), Some(&[0x08, 4][..]), "an answer of the same kind");
        assert!(answer.len() > 2 * 38, "with two contacts");
    }
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_asks_and_is_not_asked() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut config = config::Config::default();
    config.kad.mode = kad::config::Mode::Client;
    let client = start_with(config, "/ip4/127.0.0.1/tcp/0", &nodes[0].addresses().await?).await?;
    let found = within("lookup", client.lookup(nodes[2].id().as_bytes())).await??;
    assert_eq!(found.closest.first(), Some(nodes[2].id()));
    let mut curious = Attacker::connect(&client).await?;
    let refused = within("stream", curious.control.open_stream(curious.target, PROTOCOL)).await?;
    assert!(matches!(refused, Err(OpenStreamError::UnsupportedProtocol(_))), "{refused:?}");
    Ok(())
}
