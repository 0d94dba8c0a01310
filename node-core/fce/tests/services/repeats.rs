//! The same calls from the same state give the same results, fuel and state.

use std::sync::Arc;
use std::thread;

use serde_json::json;
use wavetank_fce::engine::Engine;
use wavetank_fce::limits::{ModuleLimits, ServiceLimits};
use wavetank_fce::meter::Metering;
use wavetank_fce::module::Modules;
use wavetank_fce::service::{Life, Outcome, Service};
use wavetank_fce::spec::{Member, Spec};
use wavetank_fce::wasi::Preopen;

use crate::{PEER, answer_of, ask, ground, modules, registry, start};

/// A few calls that write to the database, and what each gave and cost.
fn history(service: &mut Service) -> Vec<(serde_json::Value, u64)> {
    let mut given = Vec::new();
    for round in 0..3 {
        for (function, arguments) in [
            ("get_key_id", json!([format!("label-{round}"), PEER])),
            ("get_key_metadata", json!([format!("label-{round}{PEER}")])),
            ("clear_expired", json!([1_700_000_000 + round])),
            ("get_records", json!(["key", 1_700_000_000 + round])),
        ] {
            let outcome: Outcome = ask(service, function, arguments);
            given.push((answer_of(service, function, &outcome), outcome.fuel));
        }
    }
    given
}

#[test]
fn a_second_service_repeats_the_first() {
    let (mut first, mut second) = (start(&registry(), Life::default()), start(&registry(), Life::default()));
    assert_eq!(history(&mut first), history(&mut second));
    assert_eq!(first.disk().digest(), second.disk().digest());
    assert!(first.snapshot().unwrap() == second.snapshot().unwrap());
}

#[test]
fn a_service_on_another_thread_repeats_the_first() {
    let expected = history(&mut start(&registry(), Life::default()));
    let others: Vec<_> =
        (0..4).map(|_| thread::spawn(|| history(&mut start(&registry(), Life::default())))).collect();
    for other in others {
        assert_eq!(other.join().unwrap(), expected);
    }
}

/// The registry of modules of its own.
fn registry_of(modules: &Modules, metering: Metering) -> Arc<Spec> {
    let member = |name: &str, wasm: &[u8]| Member {
        preopens: vec![Preopen { guest: "tmp".to_owned(), folder: "tmp".to_owned() }],
        environment: vec![("service_id".to_owned(), "service".to_owned())],
        ..Member::new(name, modules.load_with(wasm, metering, None).unwrap())
    };
    let members = vec![
        member("sqlite3", registry_distro::SQLITE_WASM),
        member("registry", registry_distro::REGISTRY_WASM),
    ];
    Arc::new(Spec::new(members, ServiceLimits::default()).unwrap())
}

#[test]
fn a_module_from_a_file_repeats_one_that_was_just_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let modules = || {
        let folder = Some(folder.path().to_path_buf());
        Modules::new(Engine::new(2).unwrap(), ModuleLimits::default(), folder)
    };
    let (one, other) = (modules(), modules());
    let run = |modules: &Modules| {
        let spec = registry_of(modules, Metering::On);
        let mut service = Service::start(modules.engine(), &spec, Life::default(), ground()).unwrap().0;
        let history = history(&mut service);
        (history, service.disk().digest())
    };
    assert_eq!(run(&one), run(&other));
    assert_eq!((one.counts().compiled, one.counts().from_files), (2, 0));
    assert_eq!((other.counts().compiled, other.counts().from_files), (0, 2));
}

#[test]
fn metering_changes_no_answer() {
    let spec = registry_of(modules(), Metering::Off);
    let mut unmetered = Service::start(modules().engine(), &spec, Life::default(), ground()).unwrap().0;
    let answers =
        |service: &mut Service| history(service).into_iter().map(|(answer, _)| answer).collect::<Vec<_>>();
    assert_eq!(answers(&mut unmetered), answers(&mut start(&registry(), Life::default())));
}
