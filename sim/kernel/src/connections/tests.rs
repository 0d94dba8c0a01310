//! Dials, refusals, silence and farewells between a few peers over an orderly wire.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;

const DELAY: Duration = Duration::from_millis(50);

fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

/// A few peers on a wire with one delay, so that frames stay in order. Payloads are numbers.
struct Net {
    now: Instant,
    config: Dialling,
    peers: Vec<Option<Connections<u32>>>,
    lives: Vec<u32>,
    wire: VecDeque<(Instant, u32, u32, Frame<u32>)>,
    /// Frames that the wire swallows, by what remains of a count down.
    swallow: Vec<usize>,
    /// Effects other than transmissions, with their instant and peer.
    seen: Vec<(Instant, u32, Effect<u32>)>,
    delivered: Vec<(Instant, u32, u32)>,
    lost: Vec<u32>,
    bytes: u64,
}

impl Net {
    fn new(peers: usize, config: Dialling) -> Self {
        Self {
            now: Instant::START,
            config,
            peers: (0..peers).map(|_| Some(Connections::new(config, 0))).collect(),
            lives: alloc::vec![0; peers],
            wire: VecDeque::new(),
            swallow: Vec::new(),
            seen: Vec::new(),
            delivered: Vec::new(),
            lost: Vec::new(),
            bytes: 0,
        }
    }

    fn act(&mut self, peer: u32, act: impl FnOnce(&mut Connections<u32>, Instant, &mut Vec<Effect<u32>>)) {
        let mut out = Vec::new();
        let Some(connections) = &mut self.peers[peer as usize] else {
            return;
        };
        act(connections, self.now, &mut out);
        assert!(connections.len() <= self.config.max_links as usize);
        for effect in out {
            match effect {
                Effect::Transmit { to, frame, size_bytes } => {
                    self.bytes += size_bytes;
                    self.wire.push_back((self.now + DELAY, peer, to, frame));
                }
                other => self.seen.push((self.now, peer, other)),
            }
        }
    }

    fn send(&mut self, from: u32, to: u32, payload: u32) {
        self.act(from, |connections, now, out| {
            connections.send(now, to, payload, 100, out);
        });
    }

    fn crash(&mut self, peer: u32) {
        self.peers[peer as usize] = None;
    }

    fn restart(&mut self, peer: u32) {
        if self.peers[peer as usize].is_none() {
            self.lives[peer as usize] += 1;
            self.peers[peer as usize] = Some(Connections::new(self.config, self.lives[peer as usize]));
        }
    }

    fn run_until(&mut self, end: Instant) {
        loop {
            let frame = self.wire.front().map_or(Instant::NEVER, |(at, ..)| *at);
            let deadlines = self.peers.iter().flatten().filter_map(Connections::next_deadline);
            let next = deadlines.min().unwrap_or(Instant::NEVER).min(frame);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            if frame > next {
                for peer in 0..self.peers.len() as u32 {
                    self.act(peer, Connections::deadline);
                }
            } else if let Some((_, from, to, frame)) = self.wire.pop_front() {
                self.arrive(from, to, frame);
            }
        }
    }

    fn arrive(&mut self, from: u32, to: u32, frame: Frame<u32>) {
        let swallowed = self.swallow.iter_mut().any(|left| {
            *left = left.wrapping_sub(1);
            *left == usize::MAX
        });
        match frame {
            Frame::Payload(payload) => {
                let mut admission = Admission::Dropped;
                if !swallowed {
                    self.act(to, |connections, now, out| {
                        admission = connections.payload(now, from, out);
                    });
                }
                match admission {
                    Admission::Admitted => self.delivered.push((self.now, to, payload)),
                    Admission::Dropped => self.lost.push(payload),
                }
            }
            Frame::Control(control) if !swallowed => {
                self.act(to, |connections, now, out| {
                    connections.frame(now, from, control, out);
                });
            }
            Frame::Control(_) => {}
        }
    }

    fn up(&self, peer: u32) -> Vec<u32> {
        self.peers[peer as usize].iter().flat_map(Connections::up).collect()
    }
}

fn up(peer: u32, direction: Direction) -> Effect<u32> {
    Effect::Up { peer, direction }
}

fn down(peer: u32, reason: DownReason) -> Effect<u32> {
    Effect::Down { peer, reason }
}

#[test]
fn a_dial_costs_three_round_trips_and_what_waited_follows_in_order() {
    let mut net = Net::new(2, Dialling::default());
    for payload in 0..3 {
        net.send(0, 1, payload);
    }
    net.run_until(ms(1_000));
    assert_eq!(net.seen, [(ms(250), 1, up(0, Direction::Inbound)), (ms(300), 0, up(1, Direction::Outbound))]);
    assert_eq!(net.delivered, [(ms(350), 1, 0), (ms(350), 1, 1), (ms(350), 1, 2)]);
    assert_eq!(net.bytes, 62 + 230 + 222 + 52 + 300);
    net.send(1, 0, 9);
    net.run_until(ms(1_050));
    assert_eq!(net.delivered.last(), Some(&(ms(1_050), 0, 9)), "the link serves both directions");
}

#[test]
fn an_idle_link_is_closed_and_use_keeps_it_up() {
    let config = Dialling { idle: Duration::from_secs(5), ..Dialling::default() };
    let mut net = Net::new(2, config);
    for second in 0..10 {
        net.send(0, 1, second);
        net.run_until(ms(3_000 * (u64::from(second) + 1)));
    }
    assert_eq!((net.delivered.len(), net.seen.len()), (10, 2), "one link carried all");
    net.run_until(ms(60_000));
    // The last payload left at 27 s and arrived 50 ms later: its sender closes first.
    assert_eq!(
        net.seen[2..],
        [(ms(32_000), 0, down(1, DownReason::Idle)), (ms(32_050), 1, down(0, DownReason::FarClosed)),]
    );
    assert!(net.peers.iter().flatten().all(|peer| peer.is_empty() && peer.next_deadline().is_none()));
}

#[test]
fn a_full_peer_refuses_after_the_handshake_and_does_not_dial() {
    let config = Dialling { max_links: 1, ..Dialling::default() };
    let mut net = Net::new(3, config);
    net.send(0, 1, 1);
    net.run_until(ms(1_000));
    net.send(2, 1, 2);
    net.send(0, 2, 3);
    net.run_until(ms(2_000));
    let failed = |to, payload, reason| Effect::Failed { to, payload, reason };
    let refused = DialFailure::Refused;
    assert_eq!(
        net.seen[2..],
        [
            (ms(1_000), 0, failed(2, 3, DialFailure::TooManyLinks)),
            (ms(1_300), 2, Effect::DialFailed { peer: 1, reason: refused }),
            (ms(1_300), 2, failed(1, 2, refused)),
        ]
    );
}

#[test]
fn two_that_dial_each_other_at_once_share_one_link() {
    let mut net = Net::new(2, Dialling::default());
    net.send(0, 1, 1);
    net.send(1, 0, 2);
    net.run_until(ms(1_000));
    assert_eq!(net.seen.len(), 2);
    assert!(net.seen.iter().all(|(_, peer, effect)| *effect == up(1 - peer, Direction::Inbound)));
    assert_eq!(net.delivered.len(), 2);
}

#[test]
fn a_crashed_peer_is_silent_and_its_next_life_knows_no_link() {
    let mut net = Net::new(2, Dialling::default());
    net.send(0, 1, 1);
    net.run_until(ms(1_000));
    net.crash(1);
    net.send(0, 1, 2);
    net.run_until(ms(2_000));
    assert_eq!((net.up(0), net.lost.as_slice()), (alloc::vec![1], &[2][..]), "silence");
    net.restart(1);
    net.send(0, 1, 3);
    net.run_until(ms(2_100));
    assert_eq!(net.seen.last(), Some(&(ms(2_100), 0, down(1, DownReason::Reset))));
    net.send(0, 1, 4);
    net.run_until(ms(3_000));
    assert_eq!(net.delivered.last(), Some(&(ms(2_450), 1, 4)));
}

#[test]
fn a_dial_from_a_new_life_replaces_the_old_link() {
    let mut net = Net::new(2, Dialling::default());
    net.send(0, 1, 1);
    net.run_until(ms(1_000));
    net.crash(1);
    net.restart(1);
    net.send(1, 0, 2);
    net.run_until(ms(2_000));
    assert_eq!(
        net.seen[2..],
        [
            (ms(1_250), 0, down(1, DownReason::FarRestarted)),
            (ms(1_250), 0, up(1, Direction::Inbound)),
            (ms(1_300), 1, up(0, Direction::Outbound)),
        ]
    );
}

#[test]
fn a_dial_to_nobody_times_out_and_fails_what_waited() {
    let mut net = Net::new(2, Dialling::default());
    net.crash(1);
    let sent = MAX_WAITING as u32 + 2;
    for payload in 0..sent {
        net.send(0, 1, payload);
    }
    let failures = |net: &Net, why| {
        let failed = net
            .seen
            .iter()
            .filter(|(_, _, effect)| matches!(effect, Effect::Failed { reason, .. } if *reason == why));
        failed.count()
    };
    assert_eq!(failures(&net, DialFailure::TooManyWaiting), 2);
    net.run_until(ms(9_999));
    assert_eq!(failures(&net, DialFailure::TimedOut), 0);
    net.run_until(ms(10_000));
    assert_eq!(failures(&net, DialFailure::TimedOut), MAX_WAITING);
}

#[test]
fn every_dial_has_its_own_deadline() {
    let mut net = Net::new(4, Dialling::default());
    for far in 1..4 {
        net.crash(far);
        net.send(0, far, far);
        net.run_until(ms(1_000 * u64::from(far)));
    }
    net.run_until(ms(60_000));
    let failed = net.seen.iter().filter_map(|(at, _, effect)| match effect {
        Effect::DialFailed { peer, .. } => Some((*at, *peer)),
        _ => None,
    });
    assert_eq!(failed.collect::<Vec<_>>(), [(ms(10_000), 1), (ms(11_000), 2), (ms(12_000), 3)]);
}

#[test]
fn an_answer_to_a_dial_that_was_given_up_undoes_the_link() {
    let config = Dialling { timeout: Duration::from_millis(260), ..Dialling::default() };
    let mut net = Net::new(2, config);
    net.send(0, 1, 1);
    net.run_until(ms(1_000));
    assert_eq!(net.seen.first(), Some(&(ms(250), 1, up(0, Direction::Inbound))));
    assert_eq!(net.seen.last(), Some(&(ms(350), 1, down(0, DownReason::Reset))));
}

#[test]
fn words_about_an_earlier_dial_change_nothing() {
    let mut connections = Connections::new(Dialling::default(), 3);
    let mut out = Vec::new();
    connections.send(ms(0), 1, 7u32, 1, &mut out);
    connections.deadline(ms(10_000), &mut out);
    connections.send(ms(10_000), 1, 8, 1, &mut out);
    out.clear();
    let attempt = |count| Attempt { incarnation: 3, count };
    let answer = |count| Control::Answer { attempt: attempt(count), trip: 0, incarnation: 0 };
    for late in [answer(0), Control::Refuse { attempt: attempt(0) }, Control::Close, Control::Reset] {
        connections.frame(ms(10_001), 1, late, &mut out);
        assert_eq!(out, [], "{late:?}");
    }
    connections.frame(ms(10_002), 1, answer(1), &mut out);
    let dial = Control::Dial { attempt: attempt(1), trip: 1 };
    assert!(
        matches!(out.as_slice(), [Effect::Transmit { frame: Frame::Control(next), .. }] if *next == dial)
    );
}

#[test]
fn a_graceful_stop_says_farewell_to_all() {
    let mut net = Net::new(4, Dialling::default());
    net.send(0, 1, 1);
    net.send(2, 0, 2);
    net.run_until(ms(1_000));
    net.act(0, |connections, now, out| connections.dial(now, 3, out));
    net.act(0, |connections, _, out| connections.close_all(out));
    net.run_until(ms(1_050));
    assert_eq!(
        net.seen[4..],
        [
            (ms(1_000), 0, down(1, DownReason::Closed)),
            (ms(1_000), 0, down(2, DownReason::Closed)),
            (ms(1_000), 0, Effect::DialFailed { peer: 3, reason: DialFailure::Closed }),
            (ms(1_050), 1, down(0, DownReason::FarClosed)),
            (ms(1_050), 2, down(0, DownReason::FarClosed)),
        ]
    );
}

#[test]
fn settings_of_zero_are_refused_by_name() {
    assert_eq!(Dialling::default().problems(), []);
    let text = r#"{"timeout": "0s", "idle": "0s", "max_links": 0}"#;
    let problems = serde_json::from_str::<Dialling>(text).unwrap().problems();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["timeout", "idle", "max_links"]);
    assert_eq!(serde_json::from_str::<Dialling>("{}").unwrap(), Dialling::default());
}

#[derive(Clone, Debug)]
enum Step {
    Send { from: u32, to: u32 },
    Close { peer: u32, to: u32 },
    Crash(u32),
    Restart(u32),
    Swallow(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3u32, 1..3u32).prop_map(|(from, gap)| Step::Send { from, to: (from + gap) % 3 }),
        1 => (0..3u32, 1..3u32).prop_map(|(peer, gap)| Step::Close { peer, to: (peer + gap) % 3 }),
        1 => (0..3u32).prop_map(Step::Crash),
        2 => (0..3u32).prop_map(Step::Restart),
        1 => (0..4usize).prop_map(Step::Swallow),
        6 => (0..400u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn every_payload_ends_once_and_links_rise_and_fall_in_turn(steps in proptest::collection::vec(step(), 1..80)) {
        let config = Dialling { timeout: Duration::from_secs(1), idle: Duration::from_secs(2), max_links: 2 };
        let mut net = Net::new(3, config);
        let mut sent = BTreeSet::new();
        // What waited in a life that crashed.
        let mut died = BTreeSet::new();
        let mut crashes = Vec::new();
        for step in steps {
            match step {
                Step::Send { from, to } => {
                    let payload = sent.len() as u32;
                    sent.insert(payload);
                    if net.peers[from as usize].is_none() {
                        died.insert(payload);
                    }
                    net.send(from, to, payload);
                }
                Step::Close { peer, to } => net.act(peer, |connections, _, out| connections.close(to, out)),
                Step::Crash(peer) => {
                    if let Some(connections) = &net.peers[peer as usize] {
                        for link in connections.links.values() {
                            if let Link::Dialling { waiting, .. } = link {
                                died.extend(waiting.iter().map(|(payload, _)| *payload));
                            }
                        }
                        crashes.push((net.seen.len(), peer));
                    }
                    net.crash(peer);
                }
                Step::Restart(peer) => net.restart(peer),
                Step::Swallow(after) => net.swallow.push(after),
                Step::Wait(millis) => net.run_until(net.now + Duration::from_millis(millis)),
            }
        }
        net.run_until(net.now + Duration::from_secs(60));
        prop_assert!(net.peers.iter().flatten().all(Connections::is_empty), "all dials and links come to an end");

        let mut ended: Vec<u32> = net.delivered.iter().map(|(_, _, payload)| *payload).chain(net.lost.iter().copied()).chain(died).collect();
        ended.extend(net.seen.iter().filter_map(|(_, _, effect)| match effect {
            Effect::Failed { payload, .. } => Some(*payload),
            _ => None,
        }));
        ended.sort_unstable();
        prop_assert_eq!(ended, sent.into_iter().collect::<Vec<_>>());

        let mut standing = BTreeMap::new();
        for (position, (_, peer, effect)) in net.seen.iter().enumerate() {
            for (_, crashed) in crashes.extract_if(.., |(before, _)| *before <= position) {
                standing.retain(|(owner, _), ()| *owner != crashed);
            }
            match effect {
                Effect::Up { peer: far, .. } => prop_assert!(standing.insert((*peer, *far), ()).is_none()),
                Effect::Down { peer: far, .. } => prop_assert!(standing.remove(&(*peer, *far)).is_some()),
                _ => {}
            }
        }
    }
}
