//! Nodes of ours among themselves, over real sockets.

mod common;

use common::{introduced, network, start, start_with, wait_for, within};
use wavetank_p2p::{Event, Kept, Keypair, Node, OperationError, Setup, StartError};

#[tokio::test(flavor = "multi_thread")]
async fn eight_nodes_find_each_other_and_each_others_values() -> anyhow::Result<()> {
    let nodes = network(8).await?;
    for a in &nodes {
        for b in nodes.iter().filter(|b| b.id() != a.id()) {
            let found = within("lookup", a.lookup(b.id().as_bytes())).await??;
            assert_eq!(found.closest.first(), Some(b.id()), "{a:?} looks for {b:?}: {found:?}");
        }
    }
    let value = vec![7; 20_000];
    let kept = within("put", nodes[1].put(b"name", &value)).await??;
    assert_eq!(kept, Kept { acknowledged: 7, asked: 7 });
    for node in &nodes {
        assert_eq!(within("get", node.get(b"name")).await??, Some(value.clone()));
        assert_eq!(within("get", node.get(b"another")).await??, None);
        assert_eq!(node.turned_away().len(), 0);
        assert!(!node.peers().await?.is_empty());
    }
    for node in nodes {
        let other = node.clone();
        within("shutdown", node.shutdown()).await?;
        assert_eq!(other.peers().await, Err(OperationError::Stopped));
        assert_eq!(other.lookup(b"name").await, Err(OperationError::Stopped));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_meet_over_websocket() -> anyhow::Result<()> {
    meet_at("/ip4/127.0.0.1/tcp/0/ws").await
}

#[cfg(feature = "quic")]
#[tokio::test(flavor = "multi_thread")]
async fn nodes_meet_over_quic() -> anyhow::Result<()> {
    meet_at("/ip4/127.0.0.1/udp/0/quic-v1").await
}

/// Two nodes that listen at such an address only share a value.
async fn meet_at(address: &str) -> anyhow::Result<()> {
    let first = start_with(config::Config::default(), address, &[]).await?;
    let mut events = first.events();
    let second = start_with(config::Config::default(), address, &first.addresses().await?).await?;
    within("ready", second.ready()).await??;
    introduced(&mut events, &[*second.id()]).await?;
    within("put", first.put(b"name", b"value")).await??;
    assert_eq!(within("get", second.get(b"name")).await??.as_deref(), Some(&b"value"[..]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_left_is_told_and_one_alone_says_so() -> anyhow::Result<()> {
    let first = start(&[]).await?;
    let mut events = first.events();
    let second = start(&first.addresses().await?).await?;
    within("ready", second.ready()).await??;
    let id = *second.id();
    within("shutdown", second.shutdown()).await?;
    let down = |event: &Event| (*event == Event::LinkDown { peer: id }).then_some(());
    wait_for(&mut events, "the link goes down", down).await?;
    assert_eq!(within("peers", first.peers()).await??, []);
    let alone = start(&[]).await?;
    within("ready", alone.ready()).await??;
    assert_eq!(within("put", alone.put(b"name", b"value")).await?, Err(OperationError::Isolated));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_to_stop_ends_what_is_under_way_and_takes_nothing_new() -> anyhow::Result<()> {
    let mut nodes = network(4).await?;
    let (node, sought) = (nodes.remove(1), *nodes[2].id());
    let (asking, late) = (node.clone(), node.clone());
    // Each is begun before the next.
    let (found, (), refused) = within("both", async {
        tokio::join!(biased; asking.lookup(sought.as_bytes()), node.shutdown(), late.lookup(b"name"))
    })
    .await?;
    assert_eq!(found?.closest.first(), Some(&sought));
    assert_eq!(refused, Err(OperationError::Stopped));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_by_name() -> anyhow::Result<()> {
    let node = start(&[]).await?;
    let long = node.lookup(&[0; 129]).await;
    assert_eq!(long, Err(OperationError::NameTooLong(129)));
    let large = node.put(b"name", &[0; 65_537]).await;
    assert_eq!(large, Err(OperationError::ValueTooLong { len: 65_537, limit: 65_536 }));

    let setup = |listen: &str, bootstrap: &[&str]| {
        let bootstrap = bootstrap.iter().map(|address| address.parse()).collect::<Result<_, _>>()?;
        anyhow::Ok(Setup::new(config::Config::default(), vec![listen.parse()?], bootstrap))
    };
    // An address of documentation: no machine has it.
    let elsewhere = Node::start(setup("/ip4/192.0.2.1/tcp/0", &[])?, Keypair::generate()).await;
    assert!(matches!(elsewhere, Err(StartError::Listen { .. })), "{elsewhere:?}");
    let nobody =
        Node::start(setup("/ip4/127.0.0.1/tcp/0", &["/ip4/127.0.0.1/tcp/7777"])?, Keypair::generate()).await;
    assert!(matches!(nobody, Err(StartError::Bootstrap(_))), "{nobody:?}");
    let mut unsound = setup("/ip4/127.0.0.1/tcp/0", &[])?;
    unsound.config.kad.alpha = 0;
    let unsound = Node::start(unsound, Keypair::generate()).await;
    assert!(matches!(unsound, Err(StartError::Configuration(_))), "{unsound:?}");
    let mut unnamed = setup("/ip4/127.0.0.1/tcp/0", &[])?;
    unnamed.config.network.protocol = "kad".to_owned();
    let unnamed = Node::start(unnamed, Keypair::generate()).await;
    assert!(matches!(unnamed, Err(StartError::Configuration(_))), "{unnamed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_two_protocols_are_two_networks() -> anyhow::Result<()> {
    let first = start(&[]).await?;
    let mut setup = Setup::new(
        config::Config::default(),
        vec!["/ip4/127.0.0.1/tcp/0".parse()?],
        first.addresses().await?,
    );
    setup.config.network.protocol = "/another/kad/1.0.0".to_owned();
    let other = Node::start(setup, Keypair::generate()).await?;
    let isolated = within("lookup", other.lookup(first.id().as_bytes())).await?;
    assert_eq!(isolated, Err(OperationError::Isolated));
    Ok(())
}
