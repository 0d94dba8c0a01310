//! A counter that anybody may count up, and only its owner may set back: the peer that created the service.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use marine_rs_sdk::marine;

const FILE: &str = "/storage/counter";

static COUNTER: AtomicU64 = AtomicU64::new(0);

fn main() {
    let kept = fs::read_to_string(FILE).ok().and_then(|text| text.parse().ok());
    COUNTER.store(kept.unwrap_or(0), Ordering::Relaxed);
}

/// Counts up, and says how far it is.
#[marine]
pub fn increment(by: u64) -> u64 {
    let value = COUNTER.load(Ordering::Relaxed).saturating_add(by);
    COUNTER.store(value, Ordering::Relaxed);
    // A counter without a disk counts in memory.
    let _ = fs::write(FILE, value.to_string());
    value
}

/// How far it is.
#[marine]
pub fn value() -> u64 {
    COUNTER.load(Ordering::Relaxed)
}

/// Sets it back, if the caller is the owner; whether it was.
#[marine]
pub fn reset() -> bool {
    let call = marine_rs_sdk::get_call_parameters();
    if call.particle.init_peer_id != call.service_creator_peer_id {
        return false;
    }
    COUNTER.store(0, Ordering::Relaxed);
    let _ = fs::write(FILE, "0");
    true
}

/// Who calls, as the service sees it: the first peer of the particle, the host, and where the only argument comes from.
#[marine]
pub fn caller(_of: String) -> Vec<String> {
    let call = marine_rs_sdk::get_call_parameters();
    let origin = call.tetraplets.first().and_then(|argument| argument.first());
    let origin = origin.map(|tetraplet| format!("{}/{}.{}", tetraplet.peer_pk, tetraplet.service_id, tetraplet.function_name));
    vec![call.particle.init_peer_id, call.host_id, call.particle.id, origin.unwrap_or_default()]
}
