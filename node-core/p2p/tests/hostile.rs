//! Hostile bytes and streams against a running node: each is turned away for a counted reason, and honest peers are
//! served meanwhile.

mod common;

use common::{network, start_with, wait_for, within};
use libp2p::futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Stream, StreamProtocol, SwarmBuilder, noise, tcp, yamux};
use libp2p_stream::OpenStreamError;
use node::DecodeFailure;
use wavetank_p2p::{Event, Handle, Listener, Multiaddr, Reason};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/kad/1.0.0");

/// A peer that is connected to `target` and speaks raw streams.
struct Attacker {
    id: types::PeerId,
    target: PeerId,
    control: libp2p_stream::Control,
}

impl Attacker {
    async fn connect(target: &Handle) -> anyhow::Result<Self> {
        let address: Multiaddr = target.addresses().await?.remove(0);
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
            .with_behaviour(|_| libp2p_stream::Behaviour::new())?
            // It stays, whatever it has open.
            .with_swarm_config(|config| config.with_idle_connection_timeout(std::time::Duration::MAX))
            .build();
        let id = types::PeerId::from_bytes(&swarm.local_peer_id().to_bytes())?;
        let control = swarm.behaviour().new_control();
        swarm.dial(address)?;
        let established = async {
            loop {
                if let SwarmEvent::ConnectionEstablished { peer_id, .. } = swarm.select_next_some().await {
                    return peer_id;
                }
            }
        };
        let target = within("connection", established).await?;
        tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        Ok(Self { id, target, control })
    }

    async fn open(&mut self) -> anyhow::Result<Stream> {
        Ok(within("stream", self.control.open_stream(self.target, PROTOCOL)).await??)
    }
}

/// The body of the next frame.
async fn read_frame(stream: &mut Stream) -> anyhow::Result<Vec<u8>> {
    let mut len = 0;
    for place in 0..3 {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        len |= usize::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

/// Why something of this peer's is turned away next.
async fn turned_away(events: &mut Listener, id: types::PeerId) -> anyhow::Result<String> {
    wait_for(events, "turned away", |event| match event {
        Event::TurnedAway { peer: Some(peer), reason } if *peer == id => Some(reason.clone()),
        _ => None,
    })
    .await
}

async fn honest_lookups_succeed(nodes: &[Handle]) -> anyhow::Result<()> {
    let [attacked, asker, wanted] = nodes else { anyhow::bail!("a network of three") };
    let found = within("an honest lookup", asker.lookup(wanted.id().as_bytes())).await??;
    assert_eq!(found.closest.first(), Some(wanted.id()));
    assert!(found.closest.contains(attacked.id()), "the attacked node answers");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_none_are_turned_away_by_name() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let long_key = [&[5 + 130, 1, 0x08, 4, 0x12, 130, 1][..], &[0; 130]].concat();
    let cases: [(&str, Vec<u8>, DecodeFailure); 9] = [
        ("ends within its length", vec![0x80], DecodeFailure::Truncated),
        ("ends within its body", vec![44, 0x08, 4], DecodeFailure::Truncated),
        ("promises more than a message has", vec![0x81, 0x80, 0x08], DecodeFailure::TooLong),
        ("a length without end", vec![0xff; 1 << 16], DecodeFailure::TooLong),
        ("a length in too many bytes", vec![0x82, 0x00, 0x08, 0x04], DecodeFailure::Invalid),
        ("a field that ends within", vec![3, 0x12, 5, 1], DecodeFailure::Truncated),
        ("a group", vec![1, 0x0b], DecodeFailure::Invalid),
        ("an unknown kind", vec![2, 0x08, 99], DecodeFailure::UnknownKind),
        ("a name that is too long", long_key, DecodeFailure::TooLong),
    ];
    for (what, bytes, reason) in cases {
        let mut events = nodes[0].events();
        let mut attacker = Attacker::connect(&nodes[0]).await?;
        let mut stream = attacker.open().await?;
        // The node may hang up before it has taken all.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.close().await;
        assert_eq!(turned_away(&mut events, attacker.id).await?, reason.word(), "{what}");
        let down = |event: &Event| (*event == Event::LinkDown { peer: attacker.id }).then_some(());
        wait_for(&mut events, "the node hangs up", down).await?;
        honest_lookups_succeed(&nodes).await?;
    }
    let counted: u64 = nodes[0].turned_away().values().sum();
    assert_eq!(counted, 9, "{:?}", nodes[0].turned_away());
    Ok(())
}

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
        // FIND_NODE of the name `a`.
        stream.write_all(&[5, 0x08, 4, 0x12, 1, b'a']).await?;
        stream.flush().await?;
        let answer = within("answer", read_frame(&mut stream)).await??;
        assert_eq!(answer.get(..2), Some(&[0x08, 4][..]), "an answer of the same kind");
        assert!(answer.len() > 2 * 38, "with two contacts");
    }
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_take_three_of_four_links_and_no_more() -> anyhow::Result<()> {
    let mut config = config::Config::default();
    config.limits.connections = 4;
    let node = start_with(config, "/ip4/127.0.0.1/tcp/0", &[]).await?;
    let mut events = node.events();
    let mut attackers = Vec::new();
    for _ in 0..3 {
        attackers.push(Attacker::connect(&node).await?);
    }
    let fourth = Attacker::connect(&node).await?;
    assert_eq!(turned_away(&mut events, fourth.id).await?, Reason::TooManyLinks.word());
    assert_eq!(within("peers", node.peers()).await??.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_another_protocol_is_turned_away() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let address = nodes[0].addresses().await?.remove(0);
    let port = address.iter().find_map(|part| match part {
        libp2p::multiaddr::Protocol::Tcp(port) => Some(port),
        _ => None,
    });
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port.expect("a TCP port")))?;
    std::io::Write::write_all(&mut socket, b"GET / HTTP/1.1\r\n\r\n")?;
    drop(socket);
    let expected = Event::TurnedAway { peer: None, reason: Reason::NoHandshake.word().to_owned() };
    wait_for(&mut events, "turned away", |event| (*event == expected).then_some(())).await?;
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
