//! Nodes of libp2p's own Kademlia, unmodified: each on a thread of its own, as ours are.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::futures::StreamExt as _;
use libp2p::kad::store::MemoryStore;
use libp2p::kad::{self, QueryId, QueryResult};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux};
use tokio::sync::{mpsc, oneshot};

#[derive(NetworkBehaviour)]
struct Behaviour {
    kad: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

type Job = Box<dyn FnOnce(&mut kad::Behaviour<MemoryStore>) -> QueryId + Send>;

/// How a query ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The results of all its steps.
    pub(crate) results: Vec<QueryResult>,
    /// Requests that it sent.
    pub(crate) requests: u32,
}

/// A stock node. It ends with its handle.
pub(crate) struct Stock {
    pub(crate) id: PeerId,
    jobs: mpsc::UnboundedSender<(Job, oneshot::Sender<Ended>)>,
}

impl Stock {
    /// Starts one that asks `bootstrap` first: it, and where it listens.
    pub(crate) async fn start(bootstrap: Option<&Multiaddr>) -> anyhow::Result<(Self, Multiaddr)> {
        let bootstrap = bootstrap.cloned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (started, starts) = oneshot::channel();
        std::thread::Builder::new().name("stock".to_owned()).spawn(move || {
            runtime.block_on(async {
                let listening = listen(bootstrap).await;
                let (jobs, inbox) = mpsc::unbounded_channel();
                let (answer, swarm) = match listening {
                    Ok((swarm, address)) => {
                        (Ok((Self { id: *swarm.local_peer_id(), jobs }, address)), Some(swarm))
                    }
                    Err(error) => (Err(error), None),
                };
                if started.send(answer).is_ok()
                    && let Some(swarm) = swarm
                {
                    run(swarm, inbox).await;
                }
            });
        })?;
        starts.await?
    }

    /// Asks it, and waits for the query's end.
    pub(crate) async fn ask(
        &self,
        job: impl FnOnce(&mut kad::Behaviour<MemoryStore>) -> QueryId + Send + 'static,
    ) -> anyhow::Result<Ended> {
        let (reply, replied) = oneshot::channel();
        self.jobs.send((Box::new(job), reply)).map_err(|_| anyhow::anyhow!("the stock node is gone"))?;
        Ok(replied.await?)
    }
}

async fn listen(bootstrap: Option<Multiaddr>) -> anyhow::Result<(Swarm<Behaviour>, Multiaddr)> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| {
            let id = key.public().to_peer_id();
            let mut kad = kad::Behaviour::new(id, MemoryStore::new(id));
            kad.set_mode(Some(kad::Mode::Server));
            let identify = identify::Config::new("/ipfs/0.1.0".to_owned(), key.public());
            Behaviour { kad, identify: identify::Behaviour::new(identify), ping: ping::Behaviour::default() }
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    if let Some(bootstrap) = bootstrap {
        swarm.dial(bootstrap)?;
    }
    Ok((swarm, address))
}

async fn run(mut swarm: Swarm<Behaviour>, mut inbox: mpsc::UnboundedReceiver<(Job, oneshot::Sender<Ended>)>) {
    let mut waiting: HashMap<QueryId, (Ended, oneshot::Sender<Ended>)> = HashMap::new();
    loop {
        tokio::select! {
            job = inbox.recv() => {
                let Some((job, reply)) = job else { return };
                let query = job(&mut swarm.behaviour_mut().kad);
                waiting.insert(query, (Ended::default(), reply));
            }
            event = swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. })) => {
                    for address in info.listen_addrs {
                        swarm.behaviour_mut().kad.add_address(&peer_id, address);
                    }
                }
                SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                    id, result, step, stats
                })) => {
                    if let Some((mut ended, reply)) = waiting.remove(&id) {
                        ended.results.push(result);
                        ended.requests = stats.num_requests();
                        if step.last {
                            // Whoever asked may have given up.
                            let _ = reply.send(ended);
                        } else {
                            waiting.insert(id, (ended, reply));
                        }
                    }
                }
                _ => {}
            },
        }
    }
}
