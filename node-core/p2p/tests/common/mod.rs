//! What the tests share: nodes on loopback, at ports that the system chooses, and waits that end.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use config::Config;
use types::PeerId;
use wavetank_p2p::{Event, Handle, Keypair, Listener, Multiaddr, Node, Setup};

/// How long anything may take here, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `future` comes to, in time.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(PATIENCE, future).await.with_context(|| format!("{what}: not in {PATIENCE:?}"))
}

/// A node on loopback that asks `bootstrap` first.
pub(crate) async fn start(bootstrap: &[Multiaddr]) -> anyhow::Result<Handle> {
    start_with(Config::default(), "/ip4/127.0.0.1/tcp/0", bootstrap).await
}

/// A node of this configuration that listens at `address`.
pub(crate) async fn start_with(
    config: Config,
    address: &str,
    bootstrap: &[Multiaddr],
) -> anyhow::Result<Handle> {
    let setup = Setup::new(config, vec![address.parse()?], bootstrap.to_vec());
    Ok(within("start", Node::start(setup, Keypair::generate())).await??)
}

/// Waits until `node`, which tells by `events`, knows where each of `peers` can be dialled.
pub(crate) async fn introduced(events: &mut Listener, peers: &[PeerId]) -> anyhow::Result<()> {
    let mut missing: BTreeSet<_> = peers.iter().copied().collect();
    while !missing.is_empty() {
        let introduced =
            |event: &Event| if let Event::Introduced { peer } = event { Some(*peer) } else { None };
        let peer = wait_for(events, "introductions", introduced).await?;
        missing.remove(&peer);
    }
    Ok(())
}

/// Waits for an event that `pick` picks.
pub(crate) async fn wait_for<T>(
    events: &mut Listener,
    what: &str,
    pick: impl Fn(&Event) -> Option<T>,
) -> anyhow::Result<T> {
    within(what, async {
        while let Some(told) = events.next().await {
            if let Some(picked) = pick(&told.event) {
                return Ok(picked);
            }
        }
        Err(anyhow!("the node stopped before: {what}"))
    })
    .await?
}

/// `count` nodes, all of which know the first, which knows where they are.
pub(crate) async fn network(count: usize) -> anyhow::Result<Vec<Handle>> {
    let first = start(&[]).await?;
    let mut events = first.events();
    within("the first is ready", first.ready()).await??;
    let bootstrap = first.addresses().await?;
    let mut nodes = vec![first];
    for _ in 1..count {
        let node = start(&bootstrap).await?;
        within("ready", node.ready()).await??;
        nodes.push(node);
    }
    let others: Vec<_> = nodes.iter().skip(1).map(|node| *node.id()).collect();
    introduced(&mut events, &others).await?;
    Ok(nodes)
}
