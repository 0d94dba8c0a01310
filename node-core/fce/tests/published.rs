//! Published modules, unmodified.

use std::sync::Arc;

use wavetank_fce::engine::Engine;
use wavetank_fce::limits::{DiskLimits, ModuleLimits, ServiceLimits};
use wavetank_fce::meter::Metering;
use wavetank_fce::module::Modules;
use wavetank_fce::parameters::CallParameters;
use wavetank_fce::service::{Call, Ground, Life, Service};
use wavetank_fce::spec::{Member, Spec};
use wavetank_fce::value::Value;
use wavetank_fce::wasi::{Disk, Outside, Preopen};

fn call() -> Call {
    Call {
        parameters: Arc::new(CallParameters::default()),
        fuel: 10_000_000_000,
        wall_ns: 1_700_000_000_000_000_000,
        monotonic_ns: 0,
    }
}

fn ground() -> Ground {
    Ground { disk: Disk::new(DiskLimits::default()), outside: Outside::new([7; 32], 1000), call: call() }
}

#[test]
fn sqlite_and_registry() {
    let modules = Modules::new(Engine::new(2).unwrap(), ModuleLimits::default(), Some("/tmp/fce-cache".into()));
    let t = std::time::Instant::now();
    let sqlite = modules.load_with(registry_distro::SQLITE_WASM, Metering::On, None).unwrap();
    eprintln!("sqlite {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let registry = modules.load_with(registry_distro::REGISTRY_WASM, Metering::On, None).unwrap();
    eprintln!("registry {:?}", t.elapsed());
    let tmp = || vec![Preopen { guest: "tmp".to_owned(), folder: "tmp".to_owned() }];
    let members = vec![
        Member { preopens: tmp(), ..Member::new("sqlite3", sqlite) },
        Member { preopens: tmp(), ..Member::new("registry", registry) },
    ];
    let spec = Arc::new(Spec::new(members, ServiceLimits::default()).unwrap());
    let t = std::time::Instant::now();
    let (mut service, outcome) = Service::start(modules.engine(), &spec, Life::default(), ground()).unwrap();
    eprintln!("start {:?}", t.elapsed());
    eprintln!("{outcome:?}");
    let arguments = ["label", "12D3KooWE3Rw3MGTy9XivoWvDspTGyg7hNHkjpg4LMzd1Pf6msE8"].map(|text| Value::String(text.into()));
    let outcome = service.call("get_key_id", &arguments, &call());
    eprintln!("{outcome:?}");
    let t = std::time::Instant::now();
    for _ in 0..10000 { let _ = service.call("get_key_id", &arguments, &call()); }
    eprintln!("get_key_id {:?}", t.elapsed()/10000);
    let t = std::time::Instant::now();
    let snapshot = service.snapshot().unwrap();
    eprintln!("snapshot {:?} {}", t.elapsed(), snapshot.size_bytes());
    let t = std::time::Instant::now();
    let mut woken = snapshot.wake(modules.engine()).unwrap();
    eprintln!("wake {:?}", t.elapsed());
    eprintln!("{:?}", woken.call("get_key_id", &arguments, &call()).result);
    assert!(woken.snapshot().unwrap() == service.snapshot().unwrap());
}
