//! The same relay over our kernel: wheel, links, fingerprint, and nothing besides.
//!
//! A pair's base delay is 10-90 ms and a message's jitter up to 10 ms, so links are kept in order and a window is 10 ms.
//! What `world` adds (peers, batches, actors) is not in it: this is what the kernel itself costs.

use kernel::{
    Carried, Event, EventId, Fate, Fingerprint, Latency, Links, Network, PeerDigest, Uniform, Wheel,
};
use types::{Digest, Duration, Instant, Seed, Share};

use crate::draw::{Draws, scale, step};
use crate::machine::thread_cpu;
use crate::measure::{BenchError, Measured};

/// Slots of the wheel's turn, and of a window: as `world` has them.
const WHEEL_SLOTS: usize = 1_024;
const SLOTS_PER_WINDOW: u64 = 16;
/// Bytes that each message is said to have.
const SIZE_BYTES: u64 = 40;

/// The network of all that is compared here: one way takes 10-100 ms.
pub(crate) fn network() -> Network {
    Network::Uniform(Uniform {
        latency: Latency {
            one_way: Some(Duration::from_millis(50)),
            rtt: None,
            spread: Share::from_percent(80),
            jitter: Duration::from_millis(10),
        },
        loss: Share::ZERO,
        uplink: None,
        floor: Duration::from_micros(100),
    })
}

/// A peer.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    digest: PeerDigest,
    sequence: u64,
}

type Message = Event<u64>;

const _: () = assert!(size_of::<Message>() == 40);

/// The relay, until at least `events` messages were handled.
pub(crate) fn run(peers: u32, events: u64) -> Result<Measured, BenchError> {
    let network = network().resolve().map_err(|_| BenchError::Network)?;
    let mut draws = Draws::new(1);
    let ids: Vec<Digest> = (0..peers).map(|_| Digest(draws.bits())).collect();
    let mut links = Links::new(network, Seed(1), &ids, Vec::new());
    let lookahead = links.lookahead();
    let mut wheel = Wheel::new(lookahead.divided(SLOTS_PER_WINDOW), WHEEL_SLOTS);
    let mut rows = vec![Row::default(); peers as usize];
    for (from, row) in (0..peers).zip(&mut rows) {
        let to_send = Sending { at: Instant::START, from, token: draws.bits(), cause: EventId::SCRIPT };
        send(&mut links, &mut wheel, row, &to_send, peers);
    }
    let mut taken = Vec::new();
    let mut handled = 0;
    let begin = thread_cpu();
    while handled < events {
        let Some(start) = wheel.next_at() else { break };
        links.begin_window(start);
        wheel.take_until(start + lookahead, &mut taken);
        handled += taken.len() as u64;
        for event in taken.drain(..) {
            let Event { at, to, from, payload: token, .. } = event;
            let Some(row) = rows.get_mut(to as usize) else { continue };
            row.digest.fold(at.as_nanos());
            row.digest.fold(u64::from(from));
            row.digest.fold(token);
            let cause = EventId { peer: to, count: row.sequence as u32 };
            let to_send = Sending { at, from: to, token: step(token), cause };
            send(&mut links, &mut wheel, row, &to_send, peers);
        }
    }
    let cpu = thread_cpu() - begin;
    let digests = rows.iter().map(|row| row.digest);
    let fingerprint = Fingerprint::of(ids.iter().copied().zip(digests));
    Ok(Measured { events: handled, cpu, digest: fingerprint.0, ..Measured::default() })
}

/// A message that is about to be sent.
#[derive(Clone, Copy, Debug)]
struct Sending {
    at: Instant,
    from: u32,
    token: u64,
    cause: EventId,
}

#[inline]
fn send(links: &mut Links, wheel: &mut Wheel<Message>, row: &mut Row, sending: &Sending, peers: u32) {
    let Sending { at, from, token, cause } = *sending;
    let to = scale((token >> 32) as u32, peers);
    let sequence = row.sequence;
    row.sequence += 1;
    if let Fate::Arrives(at) = links.send(at, from, to, sequence, SIZE_BYTES, Carried::OneWay) {
        wheel.push(Event { at, sequence, to, from, cause, payload: token });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_passed_on() {
        let [one, other] = [0; 2].map(|_| run(500, 50_000).unwrap());
        assert!(one.events >= 50_000 && one.events < 60_000, "{}", one.events);
        assert_eq!((one.events, one.digest), (other.events, other.digest));
        assert_ne!(one.digest, run(501, 50_000).unwrap().digest);
    }
}
