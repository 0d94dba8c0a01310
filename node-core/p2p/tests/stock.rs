//! Nodes of libp2p's own Kademlia, unmodified, and nodes of ours in one network, both directions.

mod common;
#[path = "common/stock.rs"]
mod stock;

use std::num::NonZeroUsize;

use common::{introduced, network, wait_for, within};
use libp2p::PeerId;
use libp2p::kad::store::MemoryStore;
use libp2p::kad::{self, GetProvidersOk, GetRecordOk, QueryId, QueryResult, Quorum, Record};
use stock::Stock;
use wavetank_p2p::{Event, Listener};

/// Our form of a stock node's id.
fn id_of(node: &Stock) -> anyhow::Result<types::PeerId> {
    Ok(types::PeerId::from_bytes(&node.id.to_bytes())?)
}

/// The results of a query of a stock node, all its steps.
async fn ask(
    node: &Stock,
    job: impl FnOnce(&mut kad::Behaviour<MemoryStore>) -> QueryId + Send + 'static,
) -> anyhow::Result<Vec<QueryResult>> {
    Ok(within("a query of the stock node", node.ask(job)).await??.results)
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
    let stock = [Stock::start(Some(&address)).await?.0, Stock::start(Some(&address)).await?.0];
    introduced(&mut events, &[id_of(&stock[0])?, id_of(&stock[1])?]).await?;

    // Each stock node looks for itself first: so it meets ours, and ours meet it.
    for node in &stock {
        let own = node.id;
        ask(node, move |kad| kad.get_closest_peers(own)).await?;
    }

    // A stock node finds each of ours.
    for node in &ours {
        let wanted = PeerId::from_bytes(node.id().as_bytes())?;
        let results = ask(&stock[0], move |kad| kad.get_closest_peers(wanted)).await?;
        let [QueryResult::GetClosestPeers(Ok(found))] = results.as_slice() else {
            panic!("{results:?}");
        };
        let first = found.peers.first().map(|peer| peer.peer_id);
        assert_eq!(first, Some(wanted), "{found:?}");
    }

    // Ours find each stock node.
    for node in &ours {
        for other in &stock {
            let id = id_of(other)?;
            let found = within("lookup", node.lookup(id.as_bytes())).await??;
            assert_eq!(found.closest.first(), Some(&id), "{found:?}");
        }
    }

    // What a stock node puts, ours get.
    let record = Record::new(b"from stock".to_vec(), b"stock's value".to_vec());
    let everybody = NonZeroUsize::MIN.saturating_add(3);
    let results =
        ask(&stock[1], move |kad| kad.put_record(record, Quorum::N(everybody)).expect("there is room"))
            .await?;
    assert!(matches!(results.as_slice(), [QueryResult::PutRecord(Ok(_))]), "{results:?}");
    for node in &ours {
        let value = within("get", node.get(b"from stock")).await??;
        assert_eq!(value.as_deref(), Some(&b"stock's value"[..]));
    }

    // What one of ours puts, stock nodes get.
    let kept = within("put", ours[2].put(b"from ours", b"our value")).await??;
    assert_eq!((kept.acknowledged, kept.asked), (4, 4));
    for node in &stock {
        let results = ask(node, |kad| kad.get_record(kad::RecordKey::new(b"from ours"))).await?;
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
    ask(&stock[0], |kad| kad.start_providing(kad::RecordKey::new(b"by stock")).expect("there is room"))
        .await?;
    let provider = id_of(&stock[0])?;
    remembered(&mut told, b"by stock", provider).await?;
    assert_eq!(within("providers", ours[1].providers(b"by stock", 20)).await??, [provider]);

    // What one of ours provides, stock nodes find.
    assert_eq!(within("announce", ours[1].announce(b"by ours")).await??, 4);
    remembered(&mut told, b"by ours", *ours[1].id()).await?;
    let wanted = PeerId::from_bytes(ours[1].id().as_bytes())?;
    for node in &stock {
        let results = ask(node, |kad| kad.get_providers(kad::RecordKey::new(b"by ours"))).await?;
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
