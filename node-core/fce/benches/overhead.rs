//! What counting costs: the same work with and without.
//!
//! `cargo bench -p wavetank-fce --bench overhead`

use std::sync::Arc;
use std::time::Instant;

use wavetank_fce::engine::Engine;
use wavetank_fce::limits::{DiskLimits, ModuleLimits, ServiceLimits};
use wavetank_fce::meter::Metering;
use wavetank_fce::module::Modules;
use wavetank_fce::parameters::CallParameters;
use wavetank_fce::service::{Call, Ground, Life, Memory, Service};
use wavetank_fce::spec::{Member, Spec};
use wavetank_fce::value::Value;
use wavetank_fce::wasi::{Disk, Outside};

fn call() -> Call {
    Call { parameters: Arc::new(CallParameters::default()), fuel: 1 << 60, wall_ns: 0, monotonic_ns: 0 }
}

fn service(wasm: &[u8], metering: Metering, memory: Memory) -> Service {
    let modules = Modules::new(Engine::new(1).unwrap(), ModuleLimits::default(), None);
    let t = Instant::now();
    let module = modules.load_with(wasm, metering, None).unwrap();
    eprintln!(
        "{metering:?}: load {:?}, code {} bytes, facts {:?}",
        t.elapsed(),
        modules.engine().code_bytes(),
        module.facts()
    );
    let spec = Arc::new(Spec::new(vec![Member::new("air", module)], ServiceLimits::default()).unwrap());
    let ground =
        Ground { disk: Disk::new(DiskLimits::default()), outside: Outside::new([7; 32], 1000), call: call() };
    let life = Life { memory, ..Life::default() };
    let t = Instant::now();
    let started = Service::start(modules.engine(), &spec, life.clone(), ground.clone()).unwrap().0;
    eprintln!("first start {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..20 {
        let _ = Service::start(modules.engine(), &spec, life.clone(), ground.clone()).unwrap().0;
    }
    eprintln!("start {:?}", t.elapsed() / 20);
    started
}

fn main() {
    let script = {
        let mut s = String::from("(null)");
        for i in 0..60 {
            s = format!("(seq (call \"peer\" (\"service{i}\" \"function\") [\"x\" {i}] v{i}) {s})");
        }
        s
    };
    eprintln!("script {} bytes", script.len());
    for metering in [Metering::Off, Metering::On] {
        for memory in [Memory::Lasting, Memory::Fresh] {
            let mut s = service(air_interpreter_wasm::INTERPRETER_WASM, metering, memory);
            let arguments = [Value::String(script.clone())];
            let outcome = s.call("ast", &arguments, &call());
            eprintln!("fuel {} ok {}", outcome.fuel, outcome.result.is_ok());
            let mut best = u128::MAX;
            for _ in 0..30 {
                let t = Instant::now();
                for _ in 0..10 {
                    let _ = s.call("ast", &arguments, &call());
                }
                best = best.min(t.elapsed().as_nanos() / 10);
            }
            eprintln!("{metering:?} {memory:?}: ast {best} ns");
        }
    }
}
