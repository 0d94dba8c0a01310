//! A node that comes back: what it knew, what it held, and how often it lived.

mod common;

use common::{introduced, network, wait_for, within};
use config::Config;
use wavetank_p2p::folder::{KEY_FILE, STORE_FILE};
use wavetank_p2p::{
    Event, Folder, FolderError, Handle, Keypair, Multiaddr, Node, Setup, StartError, StoreError,
};

/// A node of this data folder, which it makes its own.
async fn live(data: &std::path::Path, bootstrap: &[Multiaddr]) -> anyhow::Result<Handle> {
    let folder = Folder::open(data)?;
    let mut setup = Setup::new(Config::default(), vec!["/ip4/127.0.0.1/tcp/0".parse()?], bootstrap.to_vec());
    setup.store = Box::new(folder.store()?);
    Ok(within("start", Node::start(setup, folder.key()?)).await??)
}

fn data() -> anyhow::Result<tempfile::TempDir> {
    let data = tempfile::tempdir()?;
    Keypair::generate().write_new(&data.path().join(KEY_FILE))?;
    Ok(data)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_comes_back_with_its_records_and_finds_its_peers_without_being_told() -> anyhow::Result<()> {
    let (data, first) = (data()?, network(1).await?.remove(0));
    let mut events = first.events();
    let node = live(data.path(), &first.addresses().await?).await?;
    within("ready", node.ready()).await??;
    assert_eq!(node.incarnation(), 0);
    introduced(&mut events, &[*node.id()]).await?;
    let kept = within("put", first.put(b"name", b"value")).await??;
    assert_eq!(kept.acknowledged, 1);
    let id = *node.id();
    within("shutdown", node.shutdown()).await?;
    let down = |event: &Event| (*event == Event::LinkDown { peer: id }).then_some(());
    wait_for(&mut events, "it is gone", down).await?;

    let node = live(data.path(), &[]).await?;
    within("ready", node.ready()).await??;
    assert_eq!((*node.id(), node.incarnation()), (id, 1));
    assert_eq!(node.peers().await?, [*first.id()]);
    let found = within("lookup", node.lookup(first.id().as_bytes())).await??;
    assert_eq!(found.closest, [*first.id()]);
    introduced(&mut events, &[id]).await?;
    assert_eq!(within("get", first.get(b"name")).await??.as_deref(), Some(&b"value"[..]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_refused_and_left_as_it_is() -> anyhow::Result<()> {
    let data = data()?;
    let node = live(data.path(), &[]).await?;
    let second = Folder::open(data.path());
    assert!(matches!(second, Err(FolderError::InUse { .. })), "{second:?}");
    within("shutdown", node.shutdown()).await?;
    let file = data.path().join(STORE_FILE);
    let mut bytes = std::fs::read(&file)?;
    bytes.truncate(5_000);
    std::fs::write(&file, &bytes)?;
    let folder = Folder::open(data.path())?;
    let error = folder.store().err();
    assert!(matches!(error, Some(StoreError::Damaged { .. })), "{error:?}");
    assert_eq!(std::fs::read(&file)?, bytes);
    Ok(())
}

/// A store that cannot begin a life.
struct Broken;

impl wavetank_p2p::Store for Broken {
    fn begin(&mut self, _: types::UnixMillis) -> Result<wavetank_p2p::Past, StoreError> {
        Err(StoreError::InUse("here".into()))
    }

    fn apply(&mut self, _: &[wavetank_p2p::Change]) -> types::StoreResult {
        Ok(())
    }

    fn remember(&mut self, _: &[wavetank_p2p::Known]) -> types::StoreResult {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_that_cannot_be_counted_does_not_begin() -> anyhow::Result<()> {
    // An address of documentation, which no machine has: a node that listened before it looked at its store would say that.
    let mut setup = Setup::new(Config::default(), vec!["/ip4/192.0.2.1/tcp/0".parse()?], Vec::new());
    setup.store = Box::new(Broken);
    let error = within("start", Node::start(setup, Keypair::generate())).await?.err();
    assert!(matches!(error, Some(StartError::Store(StoreError::InUse(_)))), "{error:?}");
    Ok(())
}
