//! How fast services are, what counting costs, and what a service takes of memory.
//!
//! `cargo bench -p wavetank-fce --bench speed`: one line a measure, as text and as JSON behind it. Times are the least of several
//! rounds, of one thread. `sim/BENCH.md` says what the figures were, and beside what.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures and says so")]

use std::hint::black_box;
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
use wavetank_fce::wasi::{Disk, Outside, Preopen};

const PURE: &[u8] = include_bytes!("../../../scenarios/services/wasm/pure.wasm");
const FACADE: &[u8] = include_bytes!("../../../scenarios/services/wasm/facade.wasm");
const HASH: &[u8] = include_bytes!("../../../scenarios/services/wasm/hash.wasm");
const KV: &[u8] = include_bytes!("../../../scenarios/services/wasm/kv.wasm");

const PEER: &str = "12D3KooWE3Rw3MGTy9XivoWvDspTGyg7hNHkjpg4LMzd1Pf6msE8";

fn call() -> Call {
    let parameters = Arc::new(CallParameters::default());
    Call { parameters, fuel: 1 << 50, wall_ns: 1_700_000_000_000_000_000, monotonic_ns: 0 }
}

fn ground() -> Ground {
    Ground { disk: Disk::new(DiskLimits::default()), outside: Outside::new([7; 32], 1000), call: call() }
}

fn said(what: &str, figure: f64, unit: &str) {
    println!(
        "{what:<52} {figure:>14.1} {unit:<6} {{\"what\":\"{what}\",\"figure\":{figure:.3},\"unit\":\"{unit}\"}}"
    );
}

/// The least time that `work` takes, in nanoseconds: of `rounds` rounds of `times` each.
fn least(rounds: usize, times: usize, mut work: impl FnMut()) -> f64 {
    let mut round = || {
        let begin = Instant::now();
        (0..times).for_each(|_| work());
        begin.elapsed().as_nanos() as f64 / times as f64
    };
    (0..rounds).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn modules(folder: Option<&std::path::Path>) -> Modules {
    Modules::new(Engine::new(1).unwrap(), ModuleLimits::default(), folder.map(Into::into)).threads(1)
}

fn spec(modules: &Modules, metering: Metering, wasm: &[(&str, &[u8])]) -> Arc<Spec> {
    let member = |(name, wasm): &(&str, &[u8])| Member {
        preopens: vec![
            Preopen { guest: "/storage".to_owned(), folder: "storage".to_owned() },
            Preopen { guest: "tmp".to_owned(), folder: "tmp".to_owned() },
        ],
        ..Member::new(*name, modules.load_with(wasm, metering, None).unwrap())
    };
    Arc::new(Spec::new(wasm.iter().map(member).collect(), ServiceLimits::default()).unwrap())
}

fn start(modules: &Modules, spec: &Arc<Spec>, memory: Memory) -> Service {
    Service::start(modules.engine(), spec, Life { memory, ..Life::default() }, ground()).unwrap().0
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn main() {
    loading();
    let modules = modules(None);
    small_calls(&modules);
    counting(&modules);
    starting(&modules);
    many(&modules);
}

/// Compiling, and loading what was compiled.
fn loading() {
    let folder = tempfile::tempdir().unwrap();
    for (name, wasm) in [
        ("air", air_interpreter_wasm::INTERPRETER_WASM),
        ("sqlite3", registry_distro::SQLITE_WASM),
        ("pure", PURE),
    ] {
        for (kind, metering) in [("unmetered", Metering::Off), ("metered", Metering::On)] {
            let compile = least(3, 1, || {
                black_box(modules(None).load_with(wasm, metering, None).unwrap());
            });
            said(&format!("compile {name}, {kind}"), compile / 1e6, "ms");
        }
        let _ = modules(Some(folder.path())).load(wasm).unwrap();
        let load = least(5, 1, || {
            black_box(modules(Some(folder.path())).load(wasm).unwrap());
        });
        said(&format!("load {name} from its file, checks among it"), load / 1e6, "ms");
    }
}

/// Calls that do little.
fn small_calls(modules: &Modules) {
    let pure = spec(modules, Metering::On, &[("pure", PURE)]);
    let mut service = start(modules, &pure, Memory::Lasting);
    let long = "x".repeat(64 << 10);
    for (name, function, arguments) in [
        ("call without arguments", "nop", vec![]),
        ("call of two numbers", "add", vec![Value::S32(1), Value::S32(2)]),
        ("call of a short text", "greeting", vec![text("world")]),
        ("call of a text of 64 KiB, and one back", "greeting", vec![text(&long)]),
        ("call of a text of 64 KiB", "length", vec![text(&long)]),
    ] {
        let given = call();
        let time = least(20, 500, || {
            black_box(service.call(function, &arguments, &given)).result.unwrap();
        });
        said(name, time, "ns");
    }
    let both = spec(modules, Metering::On, &[("pure", PURE), ("facade", FACADE)]);
    let mut service = start(modules, &both, Memory::Lasting);
    for (name, function, arguments) in [
        ("call through two modules", "nop", vec![]),
        ("call of a short text through two modules", "greeting", vec![text("world")]),
    ] {
        let given = call();
        let time = least(20, 500, || {
            black_box(service.call(function, &arguments, &given)).result.unwrap();
        });
        said(name, time, "ns");
    }
}

/// The same work with and without counting.
fn counting(modules: &Modules) {
    let script = (0..60).fold("(null)".to_owned(), |script, at| {
        format!("(seq (call \"{PEER}\" (\"service{at}\" \"function\") [\"x\" {at}] v{at}) {script})")
    });
    let picture = Value::Record(vec![Value::U32(256), Value::Bytes(vec![9; 256 * 256])]);
    let message = Value::Bytes(vec![7; 1 << 16]);
    type Work<'a> = (&'a str, Vec<(&'a str, &'a [u8])>, &'a str, Vec<Value>);
    let work: Vec<Work<'_>> = vec![
        (
            "air: the tree of a script of 6 KB",
            vec![("air", air_interpreter_wasm::INTERPRETER_WASM)],
            "ast",
            vec![text(&script)],
        ),
        ("hash: SHA-256 of 64 KiB", vec![("hash", HASH)], "sha256", vec![message]),
        ("hash: a blurred picture of 256 by 256", vec![("hash", HASH)], "blur", vec![picture, Value::U32(2)]),
        (
            "sqlite: a key's id",
            vec![("sqlite3", registry_distro::SQLITE_WASM), ("registry", registry_distro::REGISTRY_WASM)],
            "get_records",
            vec![text("key"), Value::U64(1_700_000_000)],
        ),
    ];
    for (name, wasm, function, arguments) in work {
        let mut times = [0.0; 2];
        for (place, metering) in times.iter_mut().zip([Metering::Off, Metering::On]) {
            let spec = spec(modules, metering, &wasm);
            let mut service = start(modules, &spec, Memory::Lasting);
            let given = call();
            *place = least(15, 10, || {
                black_box(service.call(function, &arguments, &given)).result.unwrap();
            });
        }
        said(&format!("{name}, unmetered"), times[0] / 1e3, "us");
        said(&format!("{name}, metered: ratio"), times[1] / times[0], "x");
    }
    let air = spec(modules, Metering::On, &[("air", air_interpreter_wasm::INTERPRETER_WASM)]);
    for (name, memory) in [("lasting", Memory::Lasting), ("fresh", Memory::Fresh)] {
        let mut service = start(modules, &air, memory);
        let given = call();
        let time = least(15, 10, || {
            black_box(service.call("ast", &[text("(null)")], &given)).result.unwrap();
        });
        said(&format!("air: the tree of (null), {name} memory"), time / 1e3, "us");
    }
}

/// Starting services, and waking those that sleep.
fn starting(modules: &Modules) {
    for (name, wasm) in [
        ("air", vec![("air", air_interpreter_wasm::INTERPRETER_WASM)]),
        ("pure", vec![("pure", PURE)]),
        ("kv", vec![("kv", KV)]),
        (
            "registry",
            vec![("sqlite3", registry_distro::SQLITE_WASM), ("registry", registry_distro::REGISTRY_WASM)],
        ),
    ] {
        let spec = spec(modules, Metering::On, &wasm);
        let mut service = start(modules, &spec, Memory::Lasting);
        let time = least(10, 20, || {
            black_box(start(modules, &spec, Memory::Lasting));
        });
        said(&format!("start and end {name}"), time / 1e3, "us");
        let snapshot = service.snapshot().unwrap();
        let time = least(10, 5, || {
            black_box(service.snapshot().unwrap());
        });
        said(&format!("snapshot of {name}"), time / 1e3, "us");
        let time = least(10, 20, || {
            black_box(snapshot.wake(modules.engine()).unwrap());
        });
        said(&format!("wake {name}"), time / 1e3, "us");
    }
}

fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0) * 4096.0
}

/// A thousand services awake, and a hundred thousand asleep.
fn many(modules: &Modules) {
    for (name, wasm) in [
        ("pure", vec![("pure", PURE)]),
        ("kv", vec![("kv", KV)]),
        ("air", vec![("air", air_interpreter_wasm::INTERPRETER_WASM)]),
    ] {
        let spec = spec(modules, Metering::On, &wasm);
        let first = start(modules, &spec, Memory::Lasting);
        let before = resident_bytes();
        let begin = Instant::now();
        let awake: Vec<Service> = (0..1000).map(|_| start(modules, &spec, Memory::Lasting)).collect();
        said(
            &format!("1,000 services of {name}, awake: time to start"),
            begin.elapsed().as_secs_f64() * 1e3,
            "ms",
        );
        said(
            &format!("1,000 services of {name}, awake: memory of each"),
            (resident_bytes() - before) / 1000.0 / 1024.0,
            "KiB",
        );
        let facts = spec.facade().module.facts();
        let slots = f64::from(facts.functions) + facts.table_slots as f64;
        said(
            &format!("{name}: 16 KiB and 48 bytes a function and slot"),
            16.0 + slots * 48.0 / 1024.0,
            "KiB",
        );
        drop((awake, first));
    }
    let spec = spec(modules, Metering::On, &[("kv", KV)]);
    let before = resident_bytes();
    let begin = Instant::now();
    let asleep: Vec<_> = (0..100_000)
        .map(|number| {
            let mut service = start(modules, &spec, Memory::Lasting);
            let put = service.call("put", &[text("key"), text(&format!("value {number}"))], &call());
            put.result.unwrap();
            service.sleep().unwrap()
        })
        .collect();
    said(
        "100,000 services of kv: start, call, sleep; each",
        begin.elapsed().as_secs_f64() * 1e6 / 100_000.0,
        "us",
    );
    said(
        "100,000 services of kv, asleep: memory of each",
        (resident_bytes() - before) / 100_000.0 / 1024.0,
        "KiB",
    );
    let begin = Instant::now();
    for (number, snapshot) in asleep.iter().enumerate().step_by(100) {
        let mut service = snapshot.wake(modules.engine()).unwrap();
        let got = service.call("get", &[text("key")], &call()).result.unwrap().unwrap();
        let Value::Record(fields) = got else { unreachable!("an answer is a record") };
        assert_eq!(fields.get(1), Some(&Value::Array(vec![text(&format!("value {number}"))])));
    }
    said("of those, 1,000: wake and call; each", begin.elapsed().as_secs_f64() * 1e6 / 1000.0, "us");
}
