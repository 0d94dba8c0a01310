//! Connections: too many, and of another protocol.

use wavetank_p2p::{Event, Reason};

use crate::attacker::{Attacker, honest_lookups_succeed, turned_away};
use crate::common::{network, start_with, wait_for, within};

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
