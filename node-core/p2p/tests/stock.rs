//! Nodes of libp2p's own Kademlia, unmodified, and nodes of ours in one network, both directions.

mod common;

use std::num::NonZeroUsize;

use common::{introduced, network, wait_for, within};
use libp2p::futures::StreamExt as _;
use libp2p::kad::store::MemoryStore;
use libp2p::kad::{self, GetProvidersOk, GetRecordOk, QueryId, QueryResult, Quorum, Record};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{PeerId, Swarm, SwarmBuilder, identify, noise, tcp, yamux};
use tokio::sync::{mpsc, oneshot};
use wavetank_p2p::{Event, Listener, Multiaddr};

#[derive(NetworkBehaviour)]
struct Behaviour {
    kad: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
}

type Job = Box<dyn FnOnce(&mut kad::Behaviour<MemoryStore>) -> QueryId + Send>;

/// A stock node in a task of its own.
struct Stock {
    id: PeerId,
    jobs: mpsc::UnboundedSender<(Job, oneshot::Sender<Vec<QueryResult>>)>,
}

impl Stock {
    async fn start(bootstrap: &Multiaddr) -> anyhow::Result<Self> {
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
            .with_behaviour(|key| {
                let id = key.public().to_peer_id();
                let mut kad = kad::Behaviour::new(id, MemoryStore::new(id));
                kad.set_mode(Some(kad::Mode::Server));
                let identify = identify::Config::new("/ipfs/0.1.0".to_owned(), key.public());
                Behaviour { kad, identify: identify::Behaviour::new(identify) }
            })?
            .build();
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
        within("stock node listens", async {
            while !matches!(swarm.select_next_some().await, SwarmEvent::NewListenAddr { .. }) {}
        })
        .await?;
        let id = *swarm.local_peer_id();
        swarm.dial(bootstrap.clone())?;
        let (jobs, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run(swarm, inbox));
        Ok(Self { id, jobs })
    }

    /// The results of a query, all its steps.
    async fn ask(
        &self,
        job: impl FnOnce(&mut kad::Behaviour<MemoryStore>) -> QueryId + Send + 'static,
    ) -> anyhow::Result<Vec<QueryResult>> {
        let (reply, replied) = oneshot::channel();
        self.jobs.send((Box::new(job), reply)).map_err(|_| anyhow::anyhow!("the stock node is gone"))?;
        Ok(within("a query of the stock node", replied).await??)
    }

    fn ours(&self) -> anyhow::Result<types::PeerId> {
        Ok(types::PeerId::from_bytes(&self.id.to_bytes())?)
    }
}

async fn run(
    mut swarm: Swarm<Behaviour>,
    mut inbox: mpsc::UnboundedReceiver<(Job, oneshot::Sender<Vec<QueryResult>>)>,
) {
    let mut waiting: Vec<(QueryId, Vec<QueryResult>, oneshot::Sender<Vec<QueryResult>>)> = Vec::new();
    loop {
        tokio::select! {
            job = inbox.recv() => {
                let Some((job, reply)) = job else { return };
                let query = job(&mut swarm.behaviour_mut().kad);
                waiting.push((query, Vec::new(), reply));
            }
            event = swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. })) => {
                    for address in info.listen_addrs {
                        swarm.behaviour_mut().kad.add_address(&peer_id, address);
                    }
                }
                SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                    id, result, step, ..
                })) => {
                    if let Some(at) = waiting.iter().position(|(query, ..)| *query == id) {
                        let (query, mut results, reply) = waiting.swap_remove(at);
                        results.push(result);
                        if step.last {
                            let _ = reply.send(results);
                        } else {
                            waiting.push((query, results, reply));
                        }
                    }
                }
                _ => {}
            },
        }
    }
}

/// Waits until the node that tells by `events` knows that `wanted` provides `of`.
async fn remembered(events: &mut Listener, of: &[u8], wanted: types::PeerId) -> anyhow::Result<()> {
    let expected = Event::ProviderAdded { name: of.to_vec(), provider: wanted };
    wait_for(events, "a provider", |event| (*event == expected).then_some(())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_nodes_and_ours_share_a_network() -> anyhow::Result<()> {
    let ours = network(3).await?;
    let address = ours[0].addresses().await?.remove(0);
    let mut events = ours[0].events();
    let stock = [Stock::start(&address).await?, Stock::start(&address).await?];
    introduced(&mut events, &[stock[0].ours()?, stock[1].ours()?]).await?;

    // Each stock node looks for itself first: so it meets ours, and ours meet it.
    for node in &stock {
        let own = node.id;
        node.ask(move |kad| kad.get_closest_peers(own)).await?;
    }

    // A stock node finds each of ours.
    for node in &ours {
        let wanted = PeerId::from_bytes(node.id().as_bytes())?;
        let results = stock[0].ask(move |kad| kad.get_closest_peers(wanted)).await?;
        let [QueryResult::GetClosestPeers(Ok(found))] = results.as_slice() else {
            panic!("{results:?}");
        };
        let first = found.peers.first().map(|peer| peer.peer_id);
        assert_eq!(first, Some(wanted), "{found:?}");
    }

    // Ours find each stock node.
    for node in &ours {
        for other in &stock {
            let id = other.ours()?;
            let found = within("lookup", node.lookup(id.as_bytes())).await??;
            assert_eq!(found.closest.first(), Some(&id), "{found:?}");
        }
    }

    // What a stock node puts, ours get.
    let record = Record::new(b"from stock".to_vec(), b"stock's value".to_vec());
    let everybody = NonZeroUsize::MIN.saturating_add(3);
    let results =
        stock[1].ask(move |kad| kad.put_record(record, Quorum::N(everybody)).expect("there is room")).await?;
    assert!(matches!(results.as_slice(), [QueryResult::PutRecord(Ok(_))]), "{results:?}");
    for node in &ours {
        let value = within("get", node.get(b"from stock")).await??;
        assert_eq!(value.as_deref(), Some(&b"stock's value"[..]));
    }

    // What one of ours puts, stock nodes get.
    let kept = within("put", ours[2].put(b"from ours", b"our value")).await??;
    assert_eq!((kept.acknowledged, kept.asked), (4, 4));
    for node in &stock {
        let results = node.ask(|kad| kad.get_record(kad::RecordKey::new(b"from ours"))).await?;
        let values: Vec<_> = results
            .iter()
            .filter_map(|result| match result {
                QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) => Some(&found.record.value[..]),
                _ => None,
            })
            .collect();
        assert!(!values.is_empty(), "{results:?}");
        assert!(values.iter().all(|value| *value == b"our value"), "{results:?}");
    }

    // What a stock node provides, ours find.
    let mut told = ours[0].events();
    stock[0].ask(|kad| kad.start_providing(kad::RecordKey::new(b"by stock")).expect("there is room")).await?;
    let provider = stock[0].ours()?;
    remembered(&mut told, b"by stock", provider).await?;
    assert_eq!(within("providers", ours[1].providers(b"by stock", 20)).await??, [provider]);

    // What one of ours provides, stock nodes find.
    assert_eq!(within("announce", ours[1].announce(b"by ours")).await??, 4);
    remembered(&mut told, b"by ours", *ours[1].id()).await?;
    let wanted = PeerId::from_bytes(ours[1].id().as_bytes())?;
    for node in &stock {
        let results = node.ask(|kad| kad.get_providers(kad::RecordKey::new(b"by ours"))).await?;
        let found = results.iter().any(|result| match result {
            QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
                providers.iter().eq([&wanted])
            }
            _ => false,
        });
        assert!(found, "{results:?}");
    }
    for node in &ours {
        assert_eq!(node.turned_away().len(), 0, "{:?}", node.turned_away());
    }
    Ok(())
}
