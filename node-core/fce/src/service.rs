//! Services: modules in one store, called through their facade.
//!
//! # Invariants
//! - A call ends as a whole: when it fails, what it wrote to the disk is discarded. Its memory is kept or made anew, as
//!   [`OnTrap`] says.
//! - A service whose memory is [`Memory::Fresh`] begins every call from what it was when it had started: what a call gives and
//!   costs does not depend on the calls before it.

use std::sync::{Arc, OnceLock};

use wasmer::{AsStoreMut as _, FunctionEnv, Global, Instance, Store};

use crate::binaries::Binaries;
use crate::engine::{Engine, STACK_BYTES};
use crate::fault::{CallError, Fault};
use crate::guest::{Guest, Linked, Links};
use crate::host::{self, LogLine, State};
use crate::image::{Control, Image, Rooms};
use crate::limits::DEPTH;
use crate::module::image_of;
use crate::parameters::{CallParameters, Layouts};
use crate::spec::Spec;
use crate::value::{Mismatch, Value};
use crate::wasi::{Disk, Outside, Process, Report, SetupError};

/// What becomes of a service's memory when a call fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTrap {
    /// It stays as the failure left it, as in the published runtime.
    Keep,
    /// The service starts anew, on the disk as it was before the call.
    #[default]
    Restart,
}

/// What a service's memory is when a call begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// What the last call left.
    #[default]
    Lasting,
    /// What it was when the service had started.
    Fresh,
}

/// How a service of a [`Spec`] lives.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// What becomes of its memory when a call fails.
    pub on_trap: OnTrap,
    /// What its memory is when a call begins.
    pub memory: Memory,
    /// Where the answers of mounted binaries come from.
    pub binaries: Arc<Binaries>,
}

/// What a call is given.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it may know of its caller.
    pub parameters: Arc<CallParameters>,
    /// What it may use.
    pub fuel: u64,
    /// The time as it begins, since the Unix epoch.
    pub wall_ns: u64,
    /// The time as it begins, on a clock that never goes back.
    pub monotonic_ns: u64,
}

/// What a call gave, and what it cost.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its result, if its function has one.
    pub result: Result<Option<Value>, Failure>,
    /// What it used, at most what it was given.
    pub fuel: u64,
    /// What starting anew after a failure used.
    pub restart_fuel: u64,
    /// How long it slept, by the clocks that it was given.
    pub slept_ns: u64,
    /// What its modules wrote to the log.
    pub log: Vec<LogLine>,
    /// Lines that did not fit.
    pub log_cut: u64,
    /// What its modules printed, and the limits of the disk that they ran into.
    pub report: Report,
    /// How often memory beyond the limit was asked for.
    pub memory_refused: u64,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The facade has no such function.
    #[error("{service} has no function {function}")]
    NoFunction {
        /// The facade.
        service: String,
        /// What was asked for.
        function: String,
    },
    /// The arguments are not what the function takes.
    #[error("{function}: {mismatch}")]
    Arguments {
        /// The function.
        function: String,
        /// What does not fit.
        mismatch: Mismatch,
    },
    /// It went wrong.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It went wrong before, and could not start anew.
    #[error("the service does not start: {0}")]
    Start(StartError),
}

/// Why a service does not start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// A module cannot be instantiated.
    #[error("{module} cannot be instantiated: {why}")]
    Instance {
        /// The module.
        module: String,
        /// What the engine says.
        why: String,
    },
    /// A module's own start failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A module's environment or directories cannot be set up.
    #[error("{module} cannot be set up: {error}")]
    Setup {
        /// The module.
        module: String,
        /// What is wrong.
        error: SetupError,
    },
}

impl StartError {
    pub(crate) fn host(why: String) -> Self {
        Self::Call(Fault::Host(why).into())
    }
}

/// What a service starts from.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Its disk.
    pub disk: Disk,
    /// What it sees of the world beyond it: its clocks, and where its entropy comes from.
    pub outside: Outside,
    /// The call as which its modules start: what they know, and what they may use.
    pub call: Call,
}

/// A service.
pub struct Service {
    engine: Engine,
    spec: Arc<Spec>,
    life: Life,
    live: Option<Live>,
    /// What it starts anew from, when it is not alive.
    ground: Ground,
}

/// A service's modules in a store.
pub(crate) struct Live {
    pub(crate) store: Store,
    pub(crate) env: FunctionEnv<State>,
    links: Arc<Links>,
    controls: Vec<Option<Arc<Control>>>,
    origin: Option<Origin>,
    /// Whether anything ran since it was at its origin.
    used: bool,
}

/// What a service was when it had started, beside its memories.
struct Origin {
    globals: Vec<u128>,
    disk: Disk,
    processes: Vec<Process>,
    outside: Outside,
}

impl core::fmt::Debug for Service {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Service").field("spec", &self.spec).field("life", &self.life).finish_non_exhaustive()
    }
}

impl Service {
    /// Starts the service: instantiates its modules in order, and runs what each runs as it starts.
    ///
    /// # Errors
    /// If a module cannot be instantiated, or fails as it starts.
    pub fn start(
        engine: &Engine,
        spec: &Arc<Spec>,
        life: Life,
        ground: Ground,
    ) -> Result<(Self, Outcome), StartError> {
        let (live, outcome) = Live::start(engine, spec, &life, &ground)?;
        Ok((Self::of(engine, spec, life, live, ground), outcome))
    }

    pub(crate) fn of(engine: &Engine, spec: &Arc<Spec>, life: Life, live: Live, ground: Ground) -> Self {
        Self { engine: engine.clone(), spec: Arc::clone(spec), life, live: Some(live), ground }
    }

    pub(crate) fn life(&self) -> &Life {
        &self.life
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    pub(crate) fn live_mut(&mut self) -> Option<&mut Live> {
        self.live.as_mut()
    }

    /// What it is made of.
    #[must_use]
    pub fn spec(&self) -> &Arc<Spec> {
        &self.spec
    }

    /// Its disk, as the last call left it.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        match &self.live {
            Some(live) => &live.env.as_ref(&live.store).disk,
            None => &self.ground.disk,
        }
    }

    /// What its memories and tables hold, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let used = |live: &Live| live.env.as_ref(&live.store).rooms.budget().used_bytes();
        self.live.as_ref().map_or(0, used)
    }

    /// Calls a function of its facade.
    pub fn call(&mut self, function: &str, arguments: &[Value], call: &Call) -> Outcome {
        let exports = self.spec.facade().module.interface().exports();
        let Some(index) = exports.iter().position(|export| export.name == function) else {
            let (service, function) = (self.spec.facade().name.clone(), function.to_owned());
            return Outcome::refused(Failure::NoFunction { service, function });
        };
        if let Err(mismatch) = self.check(index, arguments) {
            return Outcome::refused(Failure::Arguments { function: function.to_owned(), mismatch });
        }
        let mut restart_fuel = 0;
        let live = match &mut self.live {
            Some(live) => live,
            None => match Live::start(&self.engine, &self.spec, &self.life, &self.ground) {
                Ok((live, started)) => {
                    restart_fuel = started.fuel;
                    self.live.insert(live)
                }
                Err(error) => return Outcome::refused(Failure::Start(error)),
            },
        };
        let mut outcome = live.call(index, arguments, call);
        outcome.restart_fuel = restart_fuel;
        if outcome.result.is_err() && self.life.on_trap == OnTrap::Restart && live.origin.is_none() {
            self.restart(call, &mut outcome);
        }
        outcome
    }

    /// Ends what failed, and starts anew on its disk.
    fn restart(&mut self, call: &Call, outcome: &mut Outcome) {
        let Some(failed) = self.live.take() else { return };
        let state = failed.env.as_ref(&failed.store);
        self.ground.disk = state.disk.clone();
        // Nothing that it had open is open any more.
        self.ground.disk.settle(&mut []);
        self.ground.outside = state.outside.clone();
        self.ground.call = Call { fuel: self.spec.limits().start_fuel, ..call.clone() };
        drop(failed);
        // If it does not start now, the next call tries again, and says why it does not.
        if let Ok((live, started)) = Live::start(&self.engine, &self.spec, &self.life, &self.ground) {
            outcome.restart_fuel += started.fuel;
            self.live = Some(live);
        }
    }

    fn check(&self, function: usize, arguments: &[Value]) -> Result<(), Mismatch> {
        let interface = self.spec.facade().module.interface();
        let Some(exported) = interface.exports().get(function) else { return Ok(()) };
        crate::value::arguments_conform(arguments, &exported.arguments, interface)
    }
}

impl Outcome {
    fn refused(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            fuel: 0,
            restart_fuel: 0,
            slept_ns: 0,
            log: Vec::new(),
            log_cut: 0,
            report: Report::default(),
            memory_refused: 0,
        }
    }
}

impl Live {
    fn start(
        engine: &Engine,
        spec: &Arc<Spec>,
        life: &Life,
        ground: &Ground,
    ) -> Result<(Self, Outcome), StartError> {
        let mut live = Self::empty(engine, spec, life, ground)?;
        live.begin(&ground.call);
        for module in 0..spec.members().len() {
            let image = spec.member(module).module.image().cloned();
            let instance = live.instantiate(module, image.as_ref())?;
            live.run_start(module, &instance)?;
        }
        let outcome = live.outcome(Ok(None), &ground.call);
        live.offer_base()?;
        if life.memory == Memory::Fresh {
            live.keep_origin().map_err(StartError::host)?;
        }
        Ok((live, outcome))
    }

    pub(crate) fn empty(
        engine: &Engine,
        spec: &Arc<Spec>,
        life: &Life,
        ground: &Ground,
    ) -> Result<Self, StartError> {
        let limits = spec.limits();
        let rooms = Arc::new(Rooms::new(limits.memory_bytes, STACK_BYTES));
        let mut store = engine.store(&rooms);
        let mut disk = ground.disk.clone();
        let mut processes = Vec::new();
        for member in spec.members() {
            let process = Process::new(
                &member.name,
                member.environment.clone(),
                &member.preopens,
                &mut disk,
                ground.call.wall_ns,
            );
            processes
                .push(process.map_err(|error| StartError::Setup { module: member.name.clone(), error })?);
        }
        let state = State {
            disk,
            processes,
            outside: ground.outside.clone(),
            report: Report::default(),
            parameters: Arc::clone(&ground.call.parameters),
            binaries: Arc::clone(&life.binaries),
            rooms,
            log: Vec::new(),
            log_bytes: 0,
            log_cut: 0,
            host_calls: 0,
            nested: 0,
            refused_before: 0,
            fuel_given: 0,
        };
        let links = Links {
            spec: Arc::clone(spec),
            modules: spec.members().iter().map(|_| OnceLock::new()).collect(),
            fuel: Global::new_mut(&mut store, wasmer::Value::I64(0)),
            depth: Global::new_mut(&mut store, wasmer::Value::I32(0)),
            layouts: Layouts::new(),
        };
        let env = FunctionEnv::new(&mut store, state);
        let controls = Vec::new();
        Ok(Self { store, env, links: Arc::new(links), controls, origin: None, used: false })
    }

    /// Makes an instance of the module, whose memory begins as `image`, or as the module's data say.
    pub(crate) fn instantiate(
        &mut self,
        module: usize,
        image: Option<&Arc<Image>>,
    ) -> Result<Instance, StartError> {
        let links = Arc::clone(&self.links);
        let member = links.spec.member(module);
        let imports = host::imports(&mut self.store, &self.env, &links, module);
        let rooms = Arc::clone(&self.env.as_ref(&self.store).rooms);
        rooms.prepare(image.cloned());
        let fails = |why: String| StartError::Instance { module: member.name.clone(), why };
        let instance = Instance::new(&mut self.store, member.module.code(), &imports)
            .map_err(|error| fails(error.to_string()))?;
        let control = rooms.made();
        if let Some(control) = &control {
            control.instantiated();
        }
        let names = member.module.interface().core_exports();
        let linked = Linked::of(&instance, &self.store, names.iter().map(String::as_str));
        if let Some(memory) = &linked.memory
            && member.module.image().is_none()
        {
            let image = image_of(&memory.view(&self.store)).map_err(|error| fails(error.to_string()))?;
            member.module.keep_image(image);
        }
        self.controls.push(control);
        let place = links.modules.get(module);
        assert!(place.is_some_and(|place| place.set(linked).is_ok()), "each module is instantiated once");
        Ok(instance)
    }

    /// Runs what the module runs as it starts. That it ends its process without complaint is no failure here.
    fn run_start(&mut self, module: usize, instance: &Instance) -> Result<(), StartError> {
        let links = Arc::clone(&self.links);
        for name in [crate::meter::START, "_initialize", "_start"] {
            let Ok(function) = instance.exports.get_function(name) else { continue };
            let mut guest = Guest { store: self.store.as_store_mut(), links: &links, env: &self.env, module };
            match guest.core(function, &[]) {
                Ok(_) | Err(CallError { fault: Fault::Exited(0), .. }) => {}
                Err(error) => return Err(error.through(&links.spec.member(module).name, name).into()),
            }
        }
        Ok(())
    }

    /// Sets what a call is given.
    fn begin(&mut self, call: &Call) {
        // The native stack is as large as the default asks for: a service may have less, not more.
        let depth = self.links.spec.limits().depth.min(DEPTH);
        let fuel = i64::try_from(call.fuel).unwrap_or(i64::MAX);
        let set = [
            self.links.fuel.set(&mut self.store, wasmer::Value::I64(fuel)),
            self.links
                .depth
                .set(&mut self.store, wasmer::Value::I32(i32::try_from(depth).unwrap_or(i32::MAX))),
        ];
        assert!(set.iter().all(Result::is_ok), "what is counted is counted in globals of its kind");
        let state = self.env.as_mut(&mut self.store);
        state.begin(call);
    }

    /// What a call that gave `result` used and said.
    fn outcome(&mut self, result: Result<Option<Value>, CallError>, call: &Call) -> Outcome {
        let left = self.links.fuel.get(&mut self.store).i64().unwrap_or(0);
        let state = self.env.as_mut(&mut self.store);
        Outcome {
            result: result.map_err(Failure::from),
            fuel: call.fuel.saturating_sub(u64::try_from(left).unwrap_or(0)),
            restart_fuel: 0,
            slept_ns: state.outside.slept_ns(),
            log: core::mem::take(&mut state.log),
            log_cut: state.log_cut,
            report: core::mem::take(&mut state.report),
            memory_refused: state.refused(),
        }
    }

    fn call(&mut self, function: usize, arguments: &[Value], call: &Call) -> Outcome {
        if self.used
            && self.origin.is_some()
            && let Err(error) = self.go_back()
        {
            return Outcome::refused(Failure::Call(Fault::Host(error).into()));
        }
        self.used = true;
        let state = self.env.as_ref(&self.store);
        let before = (state.disk.clone(), state.processes.clone());
        self.begin(call);
        let links = Arc::clone(&self.links);
        let module = links.spec.members().len() - 1;
        let mut guest = Guest { store: self.store.as_store_mut(), links: &links, env: &self.env, module };
        // Code is checked for fuel where it goes on for long; what its last stretch overdrew is seen here.
        let result = guest.invoke(function, arguments).and_then(|result| match guest.fuel_left() {
            ..0 => Err(Fault::OutOfFuel.into()),
            _ => Ok(result),
        });
        if result.is_err() {
            let state = self.env.as_mut(&mut self.store);
            (state.disk, state.processes) = before;
        }
        self.outcome(result, call)
    }

    /// Each module's memory.
    pub(crate) fn memories(&self) -> Vec<Option<wasmer::Memory>> {
        let memory = |linked: &OnceLock<Linked>| linked.get().and_then(|linked| linked.memory.clone());
        self.links.modules.iter().map(memory).collect()
    }

    /// Sets all globals of the store, in the order in which they were made.
    pub(crate) fn set_globals(&mut self, globals: &[u128]) {
        let mut store = self.store.as_store_mut();
        for (index, value) in globals.iter().enumerate() {
            store.objects_mut().set_global_unchecked(index, *value);
        }
    }

    /// Offers what the memories hold as what snapshots of services of this kind are compared with, if it is the first of them.
    fn offer_base(&self) -> Result<(), StartError> {
        let spec = &self.links.spec;
        if spec.has_base() {
            return Ok(());
        }
        let image = |memory: &wasmer::Memory| image_of(&memory.view(&self.store)).map(Arc::new);
        let memories = self.memories();
        let images = memories.iter().map(|memory| memory.as_ref().map(image).transpose());
        spec.keep_base(
            images.collect::<Result<_, _>>().map_err(|error| StartError::host(error.to_string()))?,
        );
        Ok(())
    }

    /// Keeps what the service is now as what it goes back to.
    pub(crate) fn keep_origin(&mut self) -> Result<(), String> {
        for (memory, control) in self.memories().iter().zip(&self.controls) {
            let (Some(memory), Some(control)) = (memory, control) else { continue };
            let image = image_of(&memory.view(&self.store)).map_err(|error| error.to_string())?;
            control.set_image(Arc::new(image));
        }
        let globals = self.store.as_store_mut().objects_mut().as_u128_globals();
        let state = self.env.as_ref(&self.store);
        let (disk, processes, outside) = (state.disk.clone(), state.processes.clone(), state.outside.clone());
        self.origin = Some(Origin { globals, disk, processes, outside });
        self.go_back()
    }

    /// Makes the service what it was when it had started.
    fn go_back(&mut self) -> Result<(), String> {
        let Some(origin) = self.origin.take() else { return Ok(()) };
        for memory in self.memories().into_iter().flatten() {
            memory.reset(&mut self.store).map_err(|error| error.to_string())?;
        }
        self.set_globals(&origin.globals);
        let state = self.env.as_mut(&mut self.store);
        state.disk.clone_from(&origin.disk);
        state.processes.clone_from(&origin.processes);
        state.outside.clone_from(&origin.outside);
        self.origin = Some(origin);
        self.used = false;
        Ok(())
    }
}
