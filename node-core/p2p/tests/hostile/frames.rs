//! The table of malformed frames against a running node, as requests and as answers, and frames that are cut short.

use std::collections::BTreeMap;

use libp2p::futures::future::try_join_all;
use wavetank_p2p::{Event, Reason};
use wire::Half;

use crate::attacker::{Attacker, FIND_NODE, answer, each_turned_away, honest_lookups_succeed, turned_away};
use crate::common::{network, start_with, wait_for, within};
use crate::table::{Malformed, malformed};

/// Attackers at a time: what happens to so many fits the node's memory of events.
const AT_ONCE: usize = 32;

/// Sound requests, to be cut: FIND_NODE, GET_VALUE, PUT_VALUE and ADD_PROVIDER.
fn sound_requests() -> Vec<Vec<u8>> {
    let find = [&[8, 4, 0x50, 10, 0x12, 38, 0, 0x24, 8, 1, 0x12, 0x20][..], &[7; 32]].concat();
    let get = b"\x08\x01\x12\x04name".to_vec();
    let put = b"\x12\x04name\x1a\x0d\x0a\x04name\x12\x05value".to_vec();
    let add = [&b"\x08\x02\x12\x04name\x4a\x28\x0a\x26\x00\x24\x08\x01\x12\x20"[..], &[7; 32]].concat();
    let framed = |body: Vec<u8>| [&[body.len() as u8][..], &body].concat();
    [find, get, put, add].map(framed).to_vec()
}

/// Why a node turns these bytes away, if its stream ends after them.
fn reason_on_a_stream(case: &Malformed) -> Reason {
    let head = case.bytes.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let whole = case.bytes.len() >= head && {
        let lengths = case.bytes.iter().take(head).enumerate();
        let len: usize = lengths.map(|(place, byte)| usize::from(byte & 0x7f) << (7 * place)).sum();
        case.bytes.len() >= head + len || len > wire::MAX_BODY_BYTES
    };
    if whole { Reason::Malformed(case.reason) } else { Reason::CutShort }
}

/// How often each reason is expected.
fn tally<'a>(reasons: impl Iterator<Item = Reason> + 'a) -> BTreeMap<Reason, u64> {
    let mut tally = BTreeMap::new();
    for reason in reasons {
        *tally.entry(reason).or_default() += 1;
    }
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_request_is_turned_away_for_its_reason() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let cases: Vec<_> = malformed()?.into_iter().filter(|case| case.is_refused_as(Half::Request)).collect();
    for batch in cases.chunks(AT_ONCE) {
        let mut events = nodes[0].events();
        let attacks = batch.iter().map(|case| async {
            let mut attacker = Attacker::connect(&nodes[0]).await?;
            attacker.send(&case.bytes).await?;
            anyhow::Ok(attacker)
        });
        let attacking = try_join_all(attacks);
        let (attackers, honest) = tokio::join!(attacking, honest_lookups_succeed(&nodes));
        honest?;
        let attackers = attackers?;
        let expected = attackers.iter().zip(batch);
        let expected =
            expected.map(|(attacker, case)| (attacker.id, (reason_on_a_stream(case), case.what.clone())));
        each_turned_away(&mut events, expected.collect()).await?;
    }
    honest_lookups_succeed(&nodes).await?;
    assert_eq!(nodes[0].turned_away(), tally(cases.iter().map(reason_on_a_stream)));
    Ok(())
}

/// Answers: those whom a node asks are hostile, each with an answer of its own.
#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_answer_is_turned_away_for_its_reason() -> anyhow::Result<()> {
    let cases: Vec<_> = malformed()?.into_iter().filter(|case| case.is_refused_as(Half::Response)).collect();
    let nodes = network(3).await?;
    // All of a batch fit its table, and none is passed over for nearer ones.
    let mut config = config::Config::default();
    config.kad.k = 128;
    for batch in cases.chunks(AT_ONCE) {
        let bootstrap = nodes[0].addresses().await?;
        let victim = start_with(config.clone(), "/ip4/127.0.0.1/tcp/0", &bootstrap).await?;
        within("ready", victim.ready()).await??;
        let mut events = victim.events();
        let meets = batch.iter().map(|_| async {
            let mut attacker = Attacker::connect(&victim).await?;
            let streams = attacker.accept()?;
            attacker.ask(&FIND_NODE).await?;
            anyhow::Ok((attacker, streams))
        });
        let (mut attackers, streams): (Vec<_>, Vec<_>) = try_join_all(meets).await?.into_iter().unzip();
        let answers = streams.into_iter().zip(batch).map(|(mut streams, case)| async move {
            // Of its first request only: then it takes no more streams.
            answer(&mut streams, &case.bytes).await
        });
        let lookup = within("a lookup among liars", victim.lookup(b"name"));
        let (answered, found) = tokio::join!(try_join_all(answers), lookup);
        answered?;
        let honest = found??.closest;
        assert!(nodes.iter().all(|node| honest.contains(node.id())), "{honest:?}");
        let expected = attackers.iter().zip(batch);
        let expected =
            expected.map(|(attacker, case)| (attacker.id, (reason_on_a_stream(case), case.what.clone())));
        each_turned_away(&mut events, expected.collect()).await?;
        assert_eq!(victim.turned_away(), tally(batch.iter().map(reason_on_a_stream)));
        attackers.clear();
        within("shutdown", victim.shutdown()).await?;
    }
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

/// An honest peer that dies cuts its frame short: it is counted, and not punished.
#[tokio::test(flavor = "multi_thread")]
async fn frames_cut_at_every_place_are_counted_and_cost_no_link() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut attacker = Attacker::connect(&nodes[0]).await?;
    let mut sent = 0;
    for request in sound_requests() {
        for len in 1..request.len() {
            attacker.send(&request[..len]).await?;
            assert_eq!(
                turned_away(&mut events, attacker.id).await?,
                Reason::CutShort.word(),
                "{len} of {request:?}"
            );
            sent += 1;
        }
    }
    assert!(sent > 100, "{sent}");
    assert_eq!(nodes[0].turned_away(), BTreeMap::from([(Reason::CutShort, sent)]));
    // The first connection of all still serves.
    attacker.ask(&FIND_NODE).await?;
    honest_lookups_succeed(&nodes).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_short_is_counted_and_costs_no_link() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut attacker = Attacker::connect(&nodes[0]).await?;
    let mut streams = attacker.accept()?;
    attacker.ask(&FIND_NODE).await?;
    let name = attacker.id;
    let (found, answered) = tokio::join!(
        within("lookup", nodes[0].lookup(name.as_bytes())),
        answer(&mut streams, &[44, 8, 4, 0x42]),
    );
    answered?;
    assert!(!found??.closest.contains(&attacker.id), "it did not answer");
    assert_eq!(turned_away(&mut events, attacker.id).await?, Reason::CutShort.word());
    attacker.ask(&FIND_NODE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_frames_end_the_link() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let mut events = nodes[0].events();
    let mut attacker = Attacker::connect(&nodes[0]).await?;
    attacker.send(&[1, 0x0b]).await?;
    let down = |event: &Event| (*event == Event::LinkDown { peer: attacker.id }).then_some(());
    wait_for(&mut events, "the node hangs up", down).await?;
    Ok(())
}
