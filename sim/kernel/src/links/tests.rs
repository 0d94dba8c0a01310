//! The laws of links.

use alloc::collections::BTreeMap;

use proptest::prelude::*;
use types::{Bandwidth, PeerId};

use super::*;
use crate::burst::Burst;
use crate::fault::{Cut, NO_SIDE};
use crate::network::{Latency, Network, Place, Regions, Uniform};

const MS: u64 = 1_000_000;

fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * MS)
}

fn digests(peers: u32) -> Vec<Digest> {
    let id = |number: u32| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        PeerId::from_ed25519(&key).digest()
    };
    (0..peers).map(id).collect()
}

fn uniform(one_way_us: u64, spread: Share, jitter_us: u64) -> Uniform {
    Uniform {
        latency: Latency {
            one_way: Some(Duration::from_micros(one_way_us)),
            rtt: None,
            spread,
            jitter: Duration::from_micros(jitter_us),
        },
        loss: Share::ZERO,
        uplink: None,
        floor: Duration::from_micros(100),
    }
}

fn links(uniform: Uniform, peers: u32, faults: Vec<LinkFault>) -> Links {
    let network = Network::Uniform(uniform).resolve().unwrap();
    Links::new(network, Seed(1), &digests(peers), faults)
}

fn arrival(fate: Fate) -> Instant {
    match fate {
        Fate::Arrives(at) => at,
        Fate::ArrivesTwice(..) => panic!("it was copied"),
        Fate::Lost(loss) => panic!("lost: {loss:?}"),
    }
}

fn three_places(base_us: [u64; 6], spread: Share, jitter_us: u64) -> Network {
    let place = |percent| Place { share: Share::from_percent(percent), uplink: None };
    let names = ["a-a", "a-b", "c-a", "b-b", "c-b", "c-c"];
    let latency = names
        .into_iter()
        .zip(base_us)
        .map(|(name, us)| (name.into(), uniform(us, spread, jitter_us).latency))
        .collect::<BTreeMap<_, _>>();
    Network::Regions(Regions {
        places: [("a", 50), ("b", 30), ("c", 20)].map(|(name, share)| (name.into(), place(share))).into(),
        latency,
        loss: Share::ZERO,
        floor: Duration::from_micros(100),
    })
}

fn share() -> impl Strategy<Value = Share> {
    (0..=100u32).prop_map(Share::from_percent)
}

proptest! {
    #[test]
    fn no_delay_is_shorter_than_the_lookahead_and_every_base_is_symmetric(
        base_us in proptest::array::uniform6(0..50_000u64), spread in share(), jitter_us in 0..1_000u64, seed: u64,
        pairs in proptest::collection::vec((0..30u32, 0..30u32), 1..50),
    ) {
        let network = three_places(base_us, spread, jitter_us).resolve().unwrap();
        let mut links = Links::new(network.clone(), Seed(seed), &digests(30), Vec::new());
        for (sequence, (from, to)) in (0..).zip(pairs) {
            let delay = arrival(links.send(Instant::START, from, to, sequence, 100, Carried::OneWay)).since(Instant::START);
            prop_assert!(delay >= links.lookahead());
            prop_assert_eq!(links.base(from, to), links.base(to, from));
            let pair = network.pair(links.place(from), links.place(to));
            prop_assert!(links.base(from, to) >= pair.base.saturating_sub(pair.spread));
            prop_assert!(links.base(from, to) <= pair.base + pair.spread);
        }
    }

    #[test]
    fn a_link_keeps_its_order_through_jitter_clogs_and_windows(
        sends in proptest::collection::vec((0..3_000u64, 0..3u32), 2..200), jitter_us in 0..20_000u64,
        clogs in proptest::collection::vec((0..200u64, 0..50u64), 0..4), uplink in proptest::option::of(100_000..10_000_000u64),
    ) {
        let clogs: Vec<_> = (0..).zip(clogs).map(|(id, (from, length))| LinkFault {
            id, from: ms(from), until: ms(from + length), effect: Effect::Clog { victims: [true, false, false].into() },
        }).collect();
        let uplink = uplink.map(Bandwidth::from_bits_per_second);
        let mut links = links(Uniform { uplink, ..uniform(5_000, Share::from_percent(20), jitter_us) }, 3, clogs);
        let mut last = [Instant::START; 3];
        let mut at = Instant::START;
        for (sequence, (gap_us, to)) in (0..).zip(sends) {
            at += Duration::from_micros(gap_us);
            links.begin_window(at);
            let arrival = arrival(links.send(at, 0, to, sequence, 200, Carried::OneWay));
            prop_assert!(arrival >= last[to as usize]);
            last[to as usize] = arrival;
        }
    }

    #[test]
    fn draws_follow_the_message_and_not_the_order_of_execution(senders in proptest::collection::vec(0..10u32, 1..50)) {
        let start = links(Uniform { loss: Share::from_percent(20), ..uniform(5_000, Share::from_percent(20), 500) }, 10, Vec::new());
        let sends: Vec<(u64, u32)> = (0..).zip(senders).collect();
        let send = |links: &mut Links, (sequence, from): (u64, u32)| {
            (sequence, links.send(Instant::START, from, 9 - from, sequence, 1, Carried::Request))
        };
        let (mut one, mut other) = (start.for_another_shard(), start.for_another_shard());
        let forth: BTreeMap<_, _> = sends.iter().map(|message| send(&mut one, *message)).collect();
        let mut by_sender = sends;
        by_sender.sort_by_key(|(_, from)| core::cmp::Reverse(*from));
        let back: BTreeMap<_, _> = by_sender.iter().map(|message| send(&mut other, *message)).collect();
        for (sequence, fate) in forth {
            prop_assert_eq!(fate, back[&sequence]);
        }
        prop_assert_eq!(one.tally(), other.tally());
    }

    #[test]
    fn an_uplink_sends_one_message_after_another(sizes in proptest::collection::vec((0..5_000u64, 0..2_000u64, 0..4u32), 1..50)) {
        let uplink = Some(Bandwidth::from_bits_per_second(8_000_000)); // a byte a microsecond
        let mut links = links(Uniform { uplink, ..uniform(5_000, Share::ZERO, 0) }, 4, Vec::new());
        let (mut at, mut free) = (Instant::START, Instant::START);
        for (sequence, (size, gap_us, to)) in (0..).zip(sizes) {
            at += Duration::from_micros(gap_us);
            free = at.max(free) + Duration::from_micros(size);
            let arrival = arrival(links.send(at, 0, to, sequence, size, Carried::OneWay));
            prop_assert_eq!(arrival, free + Duration::from_millis(5));
        }
    }
}

#[test]
fn bases_differ_within_the_spread_and_follow_the_seed() {
    let network = || Network::Uniform(uniform(10_000, Share::from_percent(50), 0)).resolve().unwrap();
    let bases = |seed| {
        let links = Links::new(network(), Seed(seed), &digests(200), Vec::new());
        (1..200).map(|to| links.base(0, to).as_nanos()).collect::<Vec<_>>()
    };
    let mean = bases(1).iter().sum::<u64>() / 199;
    // 199 uniform draws of [5 ms, 15 ms]: 4 sigma are 0.82 ms.
    assert!(mean.abs_diff(10 * MS) < 820_000, "{mean}");
    assert!(bases(1).iter().min() < Some(&(6 * MS)) && bases(1).iter().max() > Some(&(14 * MS)));
    assert_ne!(bases(1), bases(2));
}

#[test]
fn what_is_lost_is_a_share_of_requests_and_one_way_messages() {
    let loss = Share::from_percent(10);
    let fault = |id| LinkFault {
        id,
        from: Instant::START,
        until: ms(1),
        effect: Effect::Loss { losing: Losing::Share(loss), victims: [false, false, true].into() },
    };
    let mut links = links(Uniform { loss, ..uniform(10_000, Share::ZERO, 0) }, 3, [0, 1].map(fault).into());
    let mut lost = |to, kind| {
        let fates = (0..10_000).map(|sequence| links.send(Instant::START, 0, to, sequence, 1, kind));
        fates.filter(|fate| matches!(fate, Fate::Lost(_))).count() as f64
    };
    // Binomial of 10,000 and 10 %: 4 sigma are 120. Of 27.1 % (three losses, independent): 178.
    assert!((lost(1, Carried::Request) - 1_000.0).abs() < 120.0);
    assert!((lost(1, Carried::OneWay) - 1_000.0).abs() < 120.0);
    assert!((lost(2, Carried::Request) - 2_710.0).abs() < 178.0);
    for kind in [Carried::Answer, Carried::Control] {
        assert!(lost(1, kind) == 0.0 && lost(2, kind) == 0.0);
    }
    let tally = links.tally();
    assert_eq!(tally.touched.iter().sum::<u64>(), tally.lost_fault);
    assert!(tally.touched.iter().all(|touched| *touched > 700));
    assert!(tally.lost_random > 2_000 && tally.lost_partition == 0 && tally.sent == 70_000);
}

fn all_the_time(id: u32, effect: Effect) -> LinkFault {
    LinkFault { id, from: Instant::START, until: ms(1_000_000), effect }
}

#[test]
fn a_burst_takes_all_requests_of_a_pair_and_no_other_pairs() {
    let burst = Burst::new(Share::from_percent(30), Duration::from_millis(500));
    let effect = Effect::Loss { losing: Losing::Bursts(burst), victims: [true, false, false, false].into() };
    let mut links = links(uniform(10_000, Share::ZERO, 0), 4, [all_the_time(0, effect)].into());
    let mut is_lost = |at: u64, from, to, kind| {
        matches!(links.send(ms(at), from, to, at, 1, kind), Fate::Lost(Loss::Fault))
    };
    let mut lost = [0; 2];
    for at in 0..100_000 {
        let (forth, other) = (is_lost(at, 0, 1, Carried::Request), is_lost(at, 0, 2, Carried::OneWay));
        assert_eq!(forth, is_lost(at, 1, 0, Carried::OneWay), "both directions are lost together");
        assert!(!is_lost(at, 2, 3, Carried::Request) && !is_lost(at, 0, 1, Carried::Answer));
        lost = [lost[0] + u64::from(forth), lost[1] + u64::from(other)];
    }
    // 286 slots of 350 ms: four standard errors are 11 %.
    assert!(lost.iter().all(|lost| lost.abs_diff(30_000) < 11_000), "{lost:?}");
    assert_ne!(lost[0], lost[1]);
}

#[test]
fn a_share_of_requests_and_one_way_messages_arrives_twice() {
    let share = Share::from_percent(20);
    let effect = Effect::Duplicate { share, victims: [false, false, true].into() };
    let mut links = links(uniform(10_000, Share::ZERO, 5_000), 3, [all_the_time(0, effect)].into());
    let mut apart = 0;
    let mut twice = |to, kind| {
        let fates =
            (0..10_000).map(|sequence| (sequence, links.send(ms(sequence), 0, to, sequence, 1, kind)));
        let copies = fates.filter(|(sent, fate)| match fate {
            Fate::ArrivesTwice(one, other) => {
                apart += u32::from(one != other);
                assert!(*one >= ms(sent + 10) && *other >= ms(sent + 10));
                true
            }
            Fate::Arrives(_) | Fate::Lost(_) => false,
        });
        copies.count()
    };
    // Binomial of 10,000 and 20 %: 4 sigma are 160.
    assert!(twice(2, Carried::Request).abs_diff(2_000) < 160);
    assert!(twice(2, Carried::OneWay).abs_diff(2_000) < 160);
    assert_eq!(
        [(1, Carried::OneWay), (2, Carried::Answer), (2, Carried::Control)].map(|(to, kind)| twice(to, kind)),
        [0; 3]
    );
    assert!(apart > 500, "copies have a jitter of their own: {apart}");
    let tally = links.tally();
    assert_eq!(tally.touched, [tally.duplicated]);
    assert_eq!(tally.sent, 50_000, "a copy is not sent");
}

proptest! {
    /// Those that are held back aside, a link keeps its order; and nobody is early.
    #[test]
    fn what_is_held_back_is_overtaken_and_the_others_stay_in_order(
        gaps_us in proptest::collection::vec(0..3_000u64, 50..200), jitter_us in 0..20_000u64, percent in 1..100u32, by_ms in 1..500u64,
    ) {
        let (share, by) = (Share::from_percent(percent), Duration::from_millis(by_ms));
        let reorder = |victims: [bool; 2]| [all_the_time(3, Effect::Reorder { share, by, victims: victims.into() })].into();
        let network = uniform(5_000, Share::ZERO, jitter_us);
        let (mut with, mut without) = (links(network.clone(), 2, reorder([true, false])), links(network, 2, reorder([false, false])));
        let (mut at, mut last, mut held) = (Instant::START, Instant::START, 0);
        for (sequence, gap_us) in (0..).zip(gaps_us) {
            at += Duration::from_micros(gap_us);
            with.begin_window(at);
            without.begin_window(at);
            let before = with.tally().held_back;
            let arrives = arrival(with.send(at, 0, 1, sequence, 1, Carried::Answer));
            let plain = arrival(without.send(at, 0, 1, sequence, 1, Carried::Answer));
            prop_assert!(arrives.since(at) >= with.lookahead());
            if with.tally().held_back == before {
                prop_assert!(arrives >= last && arrives <= plain, "who is not held back is not later than without the fault");
                last = arrives;
            } else {
                held += 1;
                prop_assert!(arrives <= at + Duration::from_micros(5_000 + jitter_us) + by);
            }
        }
        prop_assert_eq!((with.tally().touched.clone(), without.tally().touched.clone()), (alloc::vec![held], alloc::vec![0]));
        let control = arrival(with.send(at, 0, 1, 1 << 40, 1, Carried::Control));
        prop_assert!(control >= last, "a link's own frames stay in order");
    }
}

#[test]
fn a_message_that_is_held_back_is_overtaken() {
    let effect = Effect::Reorder {
        share: Share::from_percent(50),
        by: Duration::from_millis(100),
        victims: [true, false].into(),
    };
    let mut links = links(uniform(10_000, Share::ZERO, 0), 2, [all_the_time(0, effect)].into());
    let arrivals: alloc::vec::Vec<_> = (0..1_000)
        .map(|sequence| arrival(links.send(ms(sequence), 0, 1, sequence, 1, Carried::OneWay)))
        .collect();
    let overtaken = arrivals.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(overtaken > 300, "{overtaken} of 1,000 are overtaken by the next one");
}

#[test]
fn a_partition_cuts_crossing_messages_while_it_lasts_and_nothing_else() {
    let side = [0, 0, 1, 1, NO_SIDE];
    let partition = LinkFault {
        id: 7,
        from: ms(10),
        until: ms(20),
        effect: Effect::Partition { side: side.into(), cut: Cut::BothWays },
    };
    let mut links = links(uniform(10_000, Share::ZERO, 0), 5, [partition].into());
    let mut sequence = 0;
    for (at, on) in [(9, false), (10, true), (19, true), (20, false)] {
        for (from, a) in (0..).zip(side) {
            for (to, b) in (0..).zip(side) {
                sequence += 1;
                let fate = links.send(ms(at), from, to, sequence, 1, Carried::Control);
                let cut = on && a != b && a != NO_SIDE && b != NO_SIDE;
                let expected = if cut { Fate::Lost(Loss::Partition) } else { Fate::Arrives(ms(at + 10)) };
                assert_eq!(fate, expected, "{from} -> {to} at {at} ms");
            }
        }
    }
    assert_eq!((links.tally().lost_partition, &links.tally().touched[..]), (16, &[16][..]));
}

#[test]
fn a_clog_holds_messages_until_it_ends_and_then_the_next_one_does() {
    let clog = |from, until| LinkFault {
        id: 0,
        from: ms(from),
        until: ms(until),
        effect: Effect::Clog { victims: [true, false, false].into() },
    };
    let mut links =
        links(uniform(10_000, Share::ZERO, 0), 3, [clog(5, 50), clog(50, 60), clog(70, 80)].into());
    let mut send = |at, from, to| arrival(links.send(ms(at), from, to, 0, 1, Carried::OneWay));
    assert_eq!(send(4, 0, 1), ms(14), "it left before");
    assert_eq!(send(5, 0, 1), ms(70));
    assert_eq!(send(30, 1, 0), ms(70));
    assert_eq!(send(30, 1, 2), ms(40), "it concerns no victim");
    assert_eq!(send(60, 0, 1), ms(70));
    assert_eq!(links.tally().touched, [2, 2, 0]);
}

#[test]
fn a_delay_below_the_floor_is_raised_and_counted() {
    let mut links = links(uniform(10, Share::ZERO, 0), 2, Vec::new());
    assert_eq!(links.lookahead(), Duration::from_micros(100));
    let fate = links.send(Instant::START, 0, 1, 0, 1, Carried::OneWay);
    assert_eq!(fate, Fate::Arrives(Instant::from_nanos(100_000)));
    assert_eq!(links.tally().raised_to_floor, 1);
}

#[test]
fn what_arrived_is_forgotten() {
    let mut links = links(uniform(1_000, Share::ZERO, 10_000), 2_000, Vec::new());
    for window in 0..50u64 {
        let at = ms(window);
        links.begin_window(at);
        for from in 0..2_000 {
            links.send(at, from, (from + window as u32 + 1) % 2_000, window, 1, Carried::OneWay);
        }
    }
    // Ten windows' messages can be overtaken, besides those of this one.
    assert_eq!(links.overtaking.len(), 22_000 - 2_000);
}

#[test]
#[should_panic(expected = "peer 2 is not of the plan")]
fn a_stranger_has_no_link() {
    links(uniform(1_000, Share::ZERO, 0), 2, Vec::new()).send(Instant::START, 0, 2, 0, 1, Carried::OneWay);
}
