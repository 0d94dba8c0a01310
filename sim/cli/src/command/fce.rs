//! `wavetank fce`: Wasm modules and services by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fce::binaries::Binaries;
use fce::config::ServiceConfig;
use fce::engine::Engine;
use fce::info::describe;
use fce::json;
use fce::limits::{BinaryLimits, ModuleLimits, ServiceLimits};
use fce::meter::Metering;
use fce::module::{Module, Modules};
use fce::parameters::CallParameters;
use fce::service::{self, Ground, Life, Outcome, Service};
use fce::spec::{Member, Spec};
use fce::wasi::{Disk, Outside, Preopen, Stream, folder};
use serde::Serialize;

use crate::args::fce::{Call, Embed, Info};
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::count;
use crate::progress::Gauge;

/// A unit of fuel takes so long by the clocks that a service sees, in picoseconds: about what it takes in reality.
const PS_PER_FUEL: u64 = 500;
/// How finely compiling is shown.
const STEPS: u64 = 1000;

pub(crate) fn info(args: &Info, console: Console) -> Result<u8, Failure> {
    let wasm = read(&args.module)?;
    let description = describe(&wasm, &ModuleLimits::default())
        .map_err(|error| Failure::new(exit_code::INVALID, format!("{}: {error}", args.module.display())))?;
    console.answer(&description.to_string(), &description)?;
    Ok(exit_code::PASSED)
}

/// A module that was completed, for programs.
#[derive(Debug, Serialize)]
struct Completed {
    module: PathBuf,
    size_bytes: usize,
    functions: usize,
}

pub(crate) fn embed(args: &Embed, console: Console) -> Result<u8, Failure> {
    let refused = |error: String| invalid(format!("{}: {error}", args.module.display()));
    let complete = fce::embed::embed(&read(&args.module)?).map_err(|error| refused(error.to_string()))?;
    // What was made is described, so that what a host would refuse is refused here.
    let description =
        describe(&complete, &ModuleLimits::default()).map_err(|error| refused(error.to_string()))?;
    let out = args.out.as_ref().unwrap_or(&args.module);
    fs::write(out, &complete)
        .map_err(|error| Failure::new(exit_code::OUTPUT, format!("{}: {error}", out.display())))?;
    let functions = description.functions.len();
    console.note(&format!("{}: {functions} functions", out.display()));
    console.answer("", &Completed { module: out.clone(), size_bytes: complete.len(), functions })?;
    Ok(exit_code::PASSED)
}

/// A call, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    exit_code: u8,
    result: &'a serde_json::Value,
    error: Option<&'a str>,
    fuel: u64,
    start_fuel: u64,
    slept_ns: u64,
    memory_bytes: u64,
    log: Vec<Said>,
}

/// Something that a module said.
#[derive(Debug, Serialize)]
struct Said {
    module: String,
    /// The level of a line of the log, or the stream of one that was printed.
    how: String,
    text: String,
}

pub(crate) fn call(args: &Call, console: Console) -> Result<u8, Failure> {
    let configured = args.config.as_deref().map(|file| Configured::read(file, console)).transpose()?;
    let wanted = Wanted::of(&args.words, configured.as_ref())?;
    let modules = modules(args)?;
    let members = wanted.members(args, &modules, configured.as_ref(), console)?;
    let limits = configured.as_ref().map_or_else(ServiceLimits::default, Configured::limits);
    let spec = Arc::new(Spec::new(members, limits).map_err(|error| invalid(error.to_string()))?);
    let interface = spec.facade().module.interface();
    let function = interface.exports().iter().find(|function| function.name == wanted.function);
    let function = function.ok_or_else(|| unknown(&spec, wanted.function))?;
    let arguments = json::arguments(&wanted.arguments, &function.arguments, interface)
        .map_err(|error| Failure::new(exit_code::USAGE, format!("{}: {error}", wanted.function)))?;

    let folders = folders(args, configured.as_ref());
    let ground = ground(args, &folders)?;
    let given = ground.call.clone();
    let before = ground.disk.clone();
    let binaries = Arc::new(configured.as_ref().map_or_else(Binaries::default, Configured::binaries));
    let life = Life { binaries, ..Life::default() };
    let (mut service, started) = Service::start(modules.engine(), &spec, life, ground)
        .map_err(|error| Failure::new(exit_code::CALL_FAILED, error.to_string()))?;
    let outcome = service.call(wanted.function, &arguments, &given);
    if outcome.result.is_ok() {
        for (name, dir) in &folders {
            folder::store(&before, service.disk(), name, dir)
                .map_err(|error| Failure::new(exit_code::OUTPUT, format!("{}: {error}", dir.display())))?;
        }
    }
    let said = said([&started, &outcome].into_iter());
    for line in &said {
        console.note(&format!(
            "{} {} {}",
            Look::Faint.on(&line.module),
            Look::Faint.on(&line.how),
            line.text
        ));
    }
    let result = outcome
        .result
        .as_ref()
        .map(|value| json::result(value.as_ref(), function.result.as_ref(), interface));
    let (result, error) = match result {
        Ok(Ok(result)) => (result, None),
        Ok(Err(error)) => (serde_json::Value::Null, Some(error.to_string())),
        Err(error) => (serde_json::Value::Null, Some(error.to_string())),
    };
    if let Some(error) = &error {
        console.warn(&format!("{} {error}", Look::Bad.on("error:")));
    }
    console.note(&Look::Faint.on(&format!("{} fuel, {} to start", count(outcome.fuel), count(started.fuel))));
    let exit_code = if error.is_some() { exit_code::CALL_FAILED } else { exit_code::PASSED };
    let document = Document {
        exit_code,
        result: &result,
        error: error.as_deref(),
        fuel: outcome.fuel,
        start_fuel: started.fuel,
        slept_ns: outcome.slept_ns,
        memory_bytes: service.memory_bytes(),
        log: said,
    };
    let text =
        if error.is_some() || function.result.is_none() { String::new() } else { format!("{result:#}\n") };
    console.answer(&text, &document)?;
    Ok(exit_code)
}

/// A service's configuration, and the directory that it stands in.
struct Configured {
    config: ServiceConfig,
    base: PathBuf,
}

impl Configured {
    fn read(file: &Path, console: Console) -> Result<Self, Failure> {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::new(exit_code::INVALID, format!("{}: {error}", file.display())))?;
        let (config, warnings) = ServiceConfig::from_toml(&text)
            .map_err(|error| invalid(format!("{}: {error}", file.display())))?;
        for warning in warnings {
            console.note(&format!("{} {warning}", Look::Doubtful.on("warning:")));
        }
        Ok(Self { config, base: file.parent().map_or_else(PathBuf::new, Path::to_path_buf) })
    }

    fn limits(&self) -> ServiceLimits {
        let default = ServiceLimits::default();
        // The configuration may ask for less than this program gives.
        let memory_bytes = self.config.total_memory_limit_bytes.unwrap_or(u64::MAX).min(default.memory_bytes);
        ServiceLimits { memory_bytes, ..default }
    }

    fn binaries(&self) -> Binaries {
        let programs = self.config.modules.iter().flat_map(|module| &module.mounted_binaries);
        let place = |(name, path): (&String, &PathBuf)| (name.clone(), self.base.join(path));
        Binaries::Allowed { programs: programs.map(place).collect(), limits: BinaryLimits::default() }
    }

    /// Where the directories of the service are on this machine.
    fn folders(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let base = self.base.join(self.config.service_working_dir.as_deref().unwrap_or(Path::new(".")));
        let mapped = self.config.modules.iter().flat_map(|module| &module.mapped_dirs);
        mapped.map(move |(alias, path)| (alias.clone(), base.join(path)))
    }
}

/// The directories that modules see, each once: those of the command line go before those of the configuration.
fn folders(args: &Call, configured: Option<&Configured>) -> BTreeMap<String, PathBuf> {
    let configured = configured.into_iter().flat_map(Configured::folders);
    let given = args.map.iter().map(|(name, dir)| (name.clone(), PathBuf::from(dir)));
    configured.chain(given).collect()
}

/// What is to be called.
struct Wanted<'a> {
    /// Names and files.
    modules: Vec<(String, PathBuf)>,
    function: &'a str,
    arguments: serde_json::Value,
}

impl<'a> Wanted<'a> {
    fn of(words: &'a [String], configured: Option<&Configured>) -> Result<Self, Failure> {
        let is_module = |word: &&String| word.to_lowercase().ends_with(".wasm");
        let modules: Vec<_> = words.iter().take_while(is_module).map(|word| named(word)).collect();
        if modules.is_empty() && configured.is_none() {
            let first = words.first().map_or("", String::as_str);
            return Err(Failure::new(
                exit_code::USAGE,
                format!("{first} is no module: a module's file ends in .wasm"),
            ));
        }
        let (function, arguments) = match words.get(modules.len()..) {
            Some([function]) => (function, serde_json::Value::Null),
            Some([function, arguments]) => (
                function,
                serde_json::from_str(arguments).map_err(|error| {
                    Failure::new(exit_code::USAGE, format!("the arguments are no JSON: {error}"))
                        .help("a string is written with its quotes: '\"text\"'")
                })?,
            ),
            _ => {
                return Err(Failure::new(
                    exit_code::USAGE,
                    "modules, a function and its arguments are needed",
                ));
            }
        };
        Ok(Self { modules, function, arguments })
    }

    fn members(
        &self,
        args: &Call,
        modules: &Modules,
        configured: Option<&Configured>,
        console: Console,
    ) -> Result<Vec<Member>, Failure> {
        let preopen = |(guest, _): &(String, String)| Preopen { guest: guest.clone(), folder: guest.clone() };
        let mut members = Vec::new();
        if let Some(Configured { config, base }) = configured {
            for (module, file) in config.modules.iter().zip(config.files(base)) {
                let mut member = module.member(load(modules, &file, args, console)?);
                member.environment.extend(args.env.iter().cloned());
                member.preopens.extend(args.map.iter().map(preopen));
                members.push(member);
            }
        }
        for (name, path) in &self.modules {
            members.push(Member {
                environment: args.env.clone(),
                preopens: args.map.iter().map(preopen).collect(),
                ..Member::new(name.clone(), load(modules, path, args, console)?)
            });
        }
        Ok(members)
    }
}

/// A module's name and file: the name is the file's, unless another stands before it.
fn named(word: &str) -> (String, PathBuf) {
    match word.split_once('=') {
        Some((name, path)) if !name.is_empty() && !name.contains(['/', '.']) => {
            (name.to_owned(), path.into())
        }
        _ => {
            let path = PathBuf::from(word);
            let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            (name, path)
        }
    }
}

fn load(modules: &Modules, path: &Path, args: &Call, console: Console) -> Result<Arc<Module>, Failure> {
    let wasm = read(path)?;
    let gauge = Arc::new(Mutex::new(Gauge::new(console, args.shown.progress, STEPS)));
    let shown = Arc::clone(&gauge);
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let progress = move |phase: &str, share: f32| {
        let reached = (f64::from(share) * STEPS as f64) as u64;
        shown.lock().unwrap_or_else(PoisonError::into_inner).show(reached, format!("{file}: {phase}"));
    };
    let module = modules.load_with(&wasm, Metering::On, Some(Arc::new(progress)));
    if let Some(gauge) = Arc::into_inner(gauge) {
        gauge.into_inner().unwrap_or_else(PoisonError::into_inner).end();
    }
    module.map_err(|error| invalid(format!("{}: {error}", path.display())))
}

fn modules(args: &Call) -> Result<Modules, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let engine =
        Engine::new(threads).map_err(|error| Failure::new(exit_code::INTERNAL, error.to_string()))?;
    let folder = if args.no_cache { None } else { args.cache.clone().or_else(cache) };
    Ok(Modules::new(engine, ModuleLimits::default(), folder))
}

/// The user's cache folder, as the XDG base directories have it.
fn cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("wavetank").join("modules"))
}

fn ground(args: &Call, folders: &BTreeMap<String, PathBuf>) -> Result<Ground, Failure> {
    let wall_ns = match args.time_ms {
        Some(ms) => ms.saturating_mul(1_000_000),
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64),
    };
    let mut disk = Disk::new(ServiceLimits::default().disk);
    for (name, dir) in folders {
        fs::create_dir_all(dir)
            .map_err(|error| Failure::new(exit_code::OUTPUT, format!("{}: {error}", dir.display())))?;
        folder::load(&mut disk, name, dir, wall_ns)
            .map_err(|error| Failure::new(exit_code::USAGE, format!("{}: {error}", dir.display())))?;
    }
    let mut seed = [0; 32];
    for (byte, from) in seed.iter_mut().zip(args.seed.to_le_bytes()) {
        *byte = from;
    }
    let parameters = Arc::new(CallParameters::default());
    let call = service::Call { parameters, fuel: args.fuel, wall_ns, monotonic_ns: 0 };
    Ok(Ground { disk, outside: Outside::new(seed, PS_PER_FUEL), call })
}

fn said<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<Said> {
    let mut said = Vec::new();
    for outcome in outcomes {
        said.extend(outcome.log.iter().map(|line| Said {
            module: line.module.clone(),
            how: format!("{:?}", line.level).to_lowercase(),
            text: line.text.clone(),
        }));
        let mut report = outcome.report.clone();
        said.extend(report.take_lines().into_iter().map(|line| Said {
            module: line.module.to_string(),
            how: if line.stream == Stream::Output { "stdout" } else { "stderr" }.to_owned(),
            text: line.text,
        }));
    }
    said
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::new(exit_code::INVALID, format!("{}: {error}", path.display())))
}

fn invalid(what: String) -> Failure {
    Failure::new(exit_code::INVALID, what)
}

fn unknown(spec: &Spec, function: &str) -> Failure {
    let functions = spec.facade().module.interface().exports().iter().map(|function| function.name.as_str());
    let known = functions.collect::<Vec<_>>().join(", ");
    Failure::new(
        exit_code::USAGE,
        format!("{} has no function {function}; it has {known}", spec.facade().name),
    )
}
