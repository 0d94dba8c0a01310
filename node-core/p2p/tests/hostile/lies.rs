//! Peers and addresses that are not what they are said to be: contacts at places where others live, providers that
//! somebody else names, introductions with absurd addresses, more contacts than were asked for.

use std::collections::BTreeMap;

use anyhow::Context as _;
use kad::Refusal;
use libp2p::multiaddr::Protocol;
use wavetank_p2p::{Event, Keypair, Multiaddr, Reason};

use crate::attacker::{Attacker, FIND_NODE, answer, honest_lookups_succeed, turned_away};
use crate::common::{network, wait_for, within};

/// Bytes as a field.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 0x4000, "a length of two bytes");
    [&[tag, bytes.len() as u8 | 0x80, (bytes.len() >> 7) as u8][..], bytes].concat()
}

/// FIND_NODE's answer, framed, that names these peers at these places.
fn names(contacts: &[(types::PeerId, Multiaddr)]) -> Vec<u8> {
    let contact = |(id, address): &(types::PeerId, Multiaddr)| {
        field(0x42, &[field(0x0a, id.as_bytes()), field(0x12, address.as_ref())].concat())
    };
    let body = [vec![8, 4], contacts.iter().flat_map(contact).collect()].concat();
    let len = match body.len() {
        len @ 0..0x80 => vec![len as u8],
        len => vec![len as u8 | 0x80, (len >> 7) as u8],
    };
    [len, body].concat()
}

fn somebody() -> types::PeerId {
    Keypair::generate().peer_id()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_said_to_be_where_another_lives_is_not_believed() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut liar = Attacker::connect(&nodes[0]).await?;
    let mut streams = liar.accept()?;
    liar.ask(&FIND_NODE).await?;
    // One at the liar's own place, one at an honest node's, one at that of the node that asks: nobody dials itself.
    let invented = [somebody(), somebody(), somebody()];
    let other = nodes[1].addresses().await?.remove(0);
    let own = nodes[0].addresses().await?.remove(0);
    let place = |mut address: Multiaddr| {
        if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
            address.pop();
        }
        address
    };
    let places = [liar.address.clone(), place(other), place(own)];
    let lie = names(&invented.into_iter().zip(places).collect::<Vec<_>>());
    let (found, answered) =
        tokio::join!(within("lookup", nodes[0].lookup(b"name")), answer(&mut streams, &lie),);
    answered?;
    let closest = found??.closest;
    assert!(invented.iter().all(|id| !closest.contains(id)), "{closest:?}");
    let mut found_there = Vec::new();
    while found_there.len() < 2 {
        let wrong = |event: &Event| match event {
            Event::TurnedAway { peer, reason } if reason == Reason::WrongPeer.word() => Some(*peer),
            _ => None,
        };
        found_there.push(wait_for(&mut events, "a wrong peer", wrong).await?);
    }
    found_there.sort();
    let mut expected = [Some(liar.id), Some(*nodes[1].id())];
    expected.sort();
    assert_eq!(found_there, expected);
    // Whom it met on the way is not to blame.
    liar.ask(&FIND_NODE).await?;
    honest_lookups_succeed(&nodes).await?;
    assert_eq!(nodes[0].turned_away(), BTreeMap::from([(Reason::WrongPeer, 2)]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_peer_that_a_liar_places_elsewhere_is_still_found() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut liar = Attacker::connect(&nodes[0]).await?;
    let mut streams = liar.accept()?;
    liar.ask(&FIND_NODE).await?;
    let lie = names(&[(*nodes[1].id(), liar.address.clone()), (*nodes[2].id(), liar.address.clone())]);
    let (found, answered) = tokio::join!(
        within("lookup", nodes[0].lookup(nodes[2].id().as_bytes())),
        answer(&mut streams, &lie),
    );
    answered?;
    assert_eq!(found??.closest.first(), Some(nodes[2].id()));
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_names_too_many_is_counted() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut liar = Attacker::connect(&nodes[0]).await?;
    let mut streams = liar.accept()?;
    liar.ask(&FIND_NODE).await?;
    // Nobody lives there: the discard port.
    let nowhere: Multiaddr = "/ip4/127.0.0.1/tcp/9".parse()?;
    let lie = names(&(0..100).map(|_| (somebody(), nowhere.clone())).collect::<Vec<_>>());
    let (found, answered) =
        tokio::join!(within("lookup", nodes[0].lookup(b"name")), answer(&mut streams, &lie),);
    answered?;
    let closest = found??.closest;
    assert!([1, 2].iter().all(|at| closest.contains(nodes[*at].id())), "{closest:?}");
    assert_eq!(turned_away(&mut events, liar.id).await?, Reason::Refused(Refusal::TooManyPeers).word());
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_speak_for_themselves_only() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut liar = Attacker::connect(&nodes[0]).await?;
    let provider = field(0x4a, &field(0x0a, nodes[2].id().as_bytes()));
    let body = [&b"\x08\x02\x12\x04name"[..], &provider].concat();
    liar.send(&[&[body.len() as u8][..], &body].concat()).await?;
    assert_eq!(turned_away(&mut events, liar.id).await?, Reason::Refused(Refusal::NotTheProvider).word());
    assert_eq!(within("providers", nodes[1].providers(b"name", 20)).await??, []);
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn absurd_addresses_of_an_introduction_are_ignored() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let target = nodes[0].addresses().await?.remove(0);
    let other = nodes[1].addresses().await?.remove(0);
    let long = format!("/dns4/{}/tcp/1", "a".repeat(300));
    for claimed in [
        "/ip4/127.0.0.1",
        "/ip4/127.0.0.1/tcp/0",
        "/memory/7",
        "/unix/etc",
        &format!("{other}/p2p-circuit"),
        &long,
    ] {
        let mut events = nodes[0].events();
        let liar = Attacker::connect_to(&target, &[claimed.parse()?]).await?;
        let reason = turned_away(&mut events, liar.id).await.context(claimed.to_owned())?;
        assert_eq!(reason, Reason::NoAddress.word(), "{claimed}");
    }
    assert_eq!(nodes[0].turned_away(), BTreeMap::from([(Reason::NoAddress, 6)]));
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}
