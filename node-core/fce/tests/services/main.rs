//! Services at work: published modules, unmodified, and our own; they answer, sleep, fail and repeat themselves.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};
use wavetank_fce::engine::Engine;
use wavetank_fce::json;
use wavetank_fce::limits::{DiskLimits, ModuleLimits, ServiceLimits};
use wavetank_fce::module::Modules;
use wavetank_fce::parameters::{CallParameters, ParticleParameters, Tetraplet};
use wavetank_fce::service::{Call, Ground, Life, Outcome, Service};
use wavetank_fce::spec::{Member, Spec};
use wavetank_fce::wasi::{Disk, Outside, Preopen};

mod air;
mod hostile;
mod ours;
mod published;
mod repeats;
mod rest;

/// All modules of this program, compiled once; what an earlier run of it compiled is used again.
pub(crate) fn modules() -> &'static Modules {
    static MODULES: OnceLock<Modules> = OnceLock::new();
    MODULES.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fce-modules");
        Modules::new(Engine::new(2).unwrap(), ModuleLimits::default(), Some(folder))
    })
}

/// A member of these bytes that sees the directories `seen`, each as one of the service's disk.
pub(crate) fn member(name: &str, wasm: &[u8], seen: &[&str]) -> Member {
    let preopen =
        |seen: &&str| Preopen { guest: (*seen).to_owned(), folder: seen.trim_matches('/').to_owned() };
    Member {
        preopens: seen.iter().map(preopen).collect(),
        environment: vec![("service_id".to_owned(), "service".to_owned())],
        ..Member::new(name, modules().load(wasm).unwrap())
    }
}

pub(crate) fn spec(members: Vec<Member>) -> Arc<Spec> {
    Arc::new(Spec::new(members, ServiceLimits::default()).unwrap())
}

pub(crate) const PEER: &str = "12D3KooWE3Rw3MGTy9XivoWvDspTGyg7hNHkjpg4LMzd1Pf6msE8";
/// A day in November 2023, in Unix seconds.
pub(crate) const NOW_S: u64 = 1_700_000_000;

/// A call by a peer that owns the service and hosts it.
pub(crate) fn call() -> Call {
    let timestamp = |index| Tetraplet {
        peer_pk: PEER.to_owned(),
        service_id: "peer".to_owned(),
        function_name: "timestamp_sec".to_owned(),
        lens: if index == 0 { String::new() } else { ".$".to_owned() },
    };
    let parameters = CallParameters {
        particle: ParticleParameters {
            id: "particle".to_owned(),
            init_peer_id: PEER.to_owned(),
            timestamp: NOW_S * 1000,
            ttl: 60_000,
            ..ParticleParameters::default()
        },
        service_id: "service".to_owned(),
        service_creator_peer_id: PEER.to_owned(),
        host_id: PEER.to_owned(),
        worker_id: PEER.to_owned(),
        tetraplets: (0..8).map(|_| vec![timestamp(0)]).collect(),
    };
    Call {
        parameters: Arc::new(parameters),
        fuel: 10_000_000_000,
        wall_ns: NOW_S * 1_000_000_000,
        monotonic_ns: 5_000_000,
    }
}

pub(crate) fn ground() -> Ground {
    Ground { disk: Disk::new(DiskLimits::default()), outside: Outside::new([7; 32], 1000), call: call() }
}

pub(crate) fn start(spec: &Arc<Spec>, life: Life) -> Service {
    Service::start(modules().engine(), spec, life, ground()).unwrap().0
}

/// Calls a function with arguments as JSON.
#[expect(clippy::needless_pass_by_value, reason = "arguments are written where they are passed")]
pub(crate) fn ask(service: &mut Service, function: &str, arguments: Json) -> Outcome {
    ask_as(service, function, &arguments, &call())
}

pub(crate) fn ask_as(service: &mut Service, function: &str, arguments: &Json, call: &Call) -> Outcome {
    let spec = Arc::clone(service.spec());
    let interface = spec.facade().module.interface();
    let exported = interface.exports().iter().find(|exported| exported.name == function).unwrap();
    service.call(function, &json::arguments(arguments, &exported.arguments, interface).unwrap(), call)
}

/// What a call gave, as JSON.
pub(crate) fn answer(service: &mut Service, function: &str, arguments: Json) -> Json {
    let outcome = ask(service, function, arguments);
    answer_of(service, function, &outcome)
}

pub(crate) fn answer_of(service: &Service, function: &str, outcome: &Outcome) -> Json {
    let interface = service.spec().facade().module.interface();
    let exported = interface.exports().iter().find(|exported| exported.name == function).unwrap();
    match &outcome.result {
        Ok(value) => json::result(value.as_ref(), exported.result.as_ref(), interface).unwrap(),
        Err(failure) => json!({ "failure": failure.to_string() }),
    }
}

/// The registry and its database.
pub(crate) fn registry() -> Arc<Spec> {
    static SPEC: OnceLock<Arc<Spec>> = OnceLock::new();
    let made = || {
        let sqlite = member("sqlite3", registry_distro::SQLITE_WASM, &["tmp"]);
        spec(vec![sqlite, member("registry", registry_distro::REGISTRY_WASM, &["tmp"])])
    };
    Arc::clone(SPEC.get_or_init(made))
}
