//! A peer that speaks raw streams, and waits for what a node makes of them.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use libp2p::futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{PeerId, Stream, StreamProtocol, SwarmBuilder, identify, noise, tcp, yamux};
use libp2p_stream::IncomingStreams;
use wavetank_p2p::{Event, Handle, Listener, Multiaddr, Reason};

use crate::common::{wait_for, within};

pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new(config::PROTOCOL);

/// FIND_NODE of the name `a`.
pub(crate) const FIND_NODE: [u8; 6] = [5, 0x08, 4, 0x12, 1, b'a'];

#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: libp2p_stream::Behaviour,
    identify: identify::Behaviour,
}

/// A peer that is connected to `target`. It ends with this.
pub(crate) struct Attacker {
    pub(crate) id: types::PeerId,
    pub(crate) target: PeerId,
    pub(crate) control: libp2p_stream::Control,
    /// Where it listens.
    pub(crate) address: Multiaddr,
    swarm: tokio::task::JoinHandle<()>,
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.swarm.abort();
    }
}

impl Attacker {
    pub(crate) async fn connect(target: &Handle) -> anyhow::Result<Self> {
        Self::connect_to(target.addresses().await?.first().context("an address")?, &[]).await
    }

    /// Connects, and says that it can be dialled at `claimed`, too.
    pub(crate) async fn connect_to(target: &Multiaddr, claimed: &[Multiaddr]) -> anyhow::Result<Self> {
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
            .with_behaviour(|key| {
                let identify = identify::Config::new("/ipfs/0.1.0".to_owned(), key.public());
                Behaviour {
                    streams: libp2p_stream::Behaviour::new(),
                    identify: identify::Behaviour::new(identify),
                }
            })?
            // It stays, whatever it has open.
            .with_swarm_config(|config| config.with_idle_connection_timeout(std::time::Duration::MAX))
            .build();
        let id = types::PeerId::from_bytes(&swarm.local_peer_id().to_bytes())?;
        let control = swarm.behaviour().streams.new_control();
        claimed.iter().for_each(|address| swarm.add_external_address(address.clone()));
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
        let listening = async {
            loop {
                if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                    return address;
                }
            }
        };
        let address = within("the attacker listens", listening).await?;
        swarm.dial(target.clone())?;
        let mut again = Some(target.clone());
        let established = async {
            loop {
                match (swarm.select_next_some().await, again.take()) {
                    (SwarmEvent::ConnectionEstablished { peer_id, .. }, _) => return Ok(peer_id),
                    // The port that it listens on may still be held for the same target, by an attacker that is gone.
                    (SwarmEvent::OutgoingConnectionError { .. }, Some(target)) => {
                        let target = DialOpts::unknown_peer_id().address(target).allocate_new_port();
                        swarm.dial(target.build())?;
                    }
                    (SwarmEvent::OutgoingConnectionError { error, .. }, None) => return Err(error),
                    (_, waiting) => again = waiting,
                }
            }
        };
        let target = within("connection", established).await??;
        let swarm = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        Ok(Self { id, target, control, address, swarm })
    }

    pub(crate) async fn open(&mut self) -> anyhow::Result<Stream> {
        Ok(within("stream", self.control.open_stream(self.target, PROTOCOL)).await??)
    }

    /// Writes `bytes` on a stream of its own, and ends it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut stream = self.open().await?;
        // The node may hang up before it has taken all.
        let _ = stream.write_all(bytes).await;
        let _ = stream.close().await;
        Ok(())
    }

    /// Writes a request, and reads the answer's body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut stream = self.open().await?;
        stream.write_all(request).await?;
        stream.flush().await?;
        within("answer", read_frame(&mut stream)).await?
    }

    /// Streams that nodes will open to it.
    pub(crate) fn accept(&mut self) -> anyhow::Result<IncomingStreams> {
        Ok(self.control.accept(PROTOCOL)?)
    }
}

/// Answers the next request with these bytes, and ends the stream.
pub(crate) async fn answer(streams: &mut IncomingStreams, bytes: &[u8]) -> anyhow::Result<()> {
    let (_, mut stream) = within("a request", streams.next()).await?.context("no more streams")?;
    within("a request", read_frame(&mut stream)).await??;
    // The node may hang up before it has taken all.
    let _ = stream.write_all(bytes).await;
    let _ = stream.close().await;
    Ok(())
}

/// The body of the next frame.
pub(crate) async fn read_frame(stream: &mut Stream) -> anyhow::Result<Vec<u8>> {
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
pub(crate) async fn turned_away(events: &mut Listener, id: types::PeerId) -> anyhow::Result<String> {
    wait_for(events, "turned away", |event| match event {
        Event::TurnedAway { peer: Some(peer), reason } if *peer == id => Some(reason.clone()),
        _ => None,
    })
    .await
}

/// Waits until each of these peers was turned away, each for its reason. No event may be missed: there are few enough.
pub(crate) async fn each_turned_away(
    events: &mut Listener,
    mut expected: BTreeMap<types::PeerId, (Reason, String)>,
) -> anyhow::Result<()> {
    while !expected.is_empty() {
        let told = within("turned away", events.next()).await;
        let told = told.with_context(|| format!("{:?}", expected.values()))?.context("the node stopped")?;
        if let Event::TurnedAway { peer: Some(peer), reason } = told.event
            && let Some((wanted, what)) = expected.remove(&peer)
            && wanted.word() != reason
        {
            bail!("{what}: {reason:?} instead of {wanted:?}");
        }
    }
    Ok(())
}

/// Lookups of two honest peers beside the attacked one, which answers.
pub(crate) async fn honest_lookups_succeed(nodes: &[Handle]) -> anyhow::Result<()> {
    let [attacked, asker, wanted] = nodes else { bail!("a network of three") };
    let found = within("an honest lookup", asker.lookup(wanted.id().as_bytes())).await??;
    assert_eq!(found.closest.first(), Some(wanted.id()));
    assert!(found.closest.contains(attacked.id()), "the attacked node answers");
    Ok(())
}
