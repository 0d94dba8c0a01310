//! What a module's host offers it: WASI, a log, the parameters of the call, mounted binaries, and the functions of the modules
//! before it.

use std::sync::{Arc, OnceLock};

use wasmer::{
    Extern, ExternType, Function, FunctionEnv, FunctionEnvMut, FunctionType, Imports, RuntimeError, Store,
};

use crate::abi::Lower;
use crate::adapter::{Callees as _, Run};
use crate::binaries::{Binaries, BinaryResult};
use crate::cost;
use crate::fault::{CallError, Fault};
use crate::guest::{Guest, Links, View, from_engine, to_engine};
use crate::image::Rooms;
use crate::it::Instruction;
use crate::limits::NESTED_CALLS;
use crate::memory::{GuestMemory, OutOfBounds};
use crate::meter;
use crate::parameters::{BINARY_RESULT, CallParameters};
use crate::service::Call;
use crate::spec::Import;
use crate::value::{Type, Value};
use crate::wasi::{self, Disk, Exit, Fuel, Outside, Process, Report};

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// Something happened.
    Info,
    /// For who looks for a mistake.
    Debug,
    /// For who looks for it closely.
    Trace,
}

impl Level {
    fn of(level: i32) -> Self {
        match level {
            1 => Self::Error,
            2 => Self::Warn,
            3 => Self::Info,
            4 => Self::Debug,
            _ => Self::Trace,
        }
    }
}

/// A line that a module wrote to its host's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The module.
    pub module: String,
    /// How grave it is.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// What changes as a service is called, beside its memories.
pub(crate) struct State {
    pub(crate) disk: Disk,
    /// One of each module.
    pub(crate) processes: Vec<Process>,
    pub(crate) outside: Outside,
    /// What the call that is under way has printed, and the limits of the disk that it ran into.
    pub(crate) report: Report,
    pub(crate) parameters: Arc<CallParameters>,
    pub(crate) binaries: Arc<Binaries>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) log_bytes: usize,
    /// Lines that did not fit.
    pub(crate) log_cut: u64,
    pub(crate) host_calls: u64,
    /// How many calls of the host are under way, each within the one before it.
    pub(crate) nested: u32,
    /// How often memory was refused before the call that is under way.
    pub(crate) refused_before: u64,
    /// What the call that is under way was given.
    pub(crate) fuel_given: u64,
}

impl State {
    /// Readies what a call is given.
    pub(crate) fn begin(&mut self, call: &Call) {
        self.parameters = Arc::clone(&call.parameters);
        self.outside.begin(call.wall_ns, call.monotonic_ns);
        self.report = Report::default();
        (self.log_bytes, self.log_cut, self.host_calls, self.nested) = (0, 0, 0, 0);
        self.log.clear();
        self.refused_before = self.rooms.budget().refused();
        self.fuel_given = call.fuel;
    }

    /// How often memory was refused in the call that is under way.
    pub(crate) fn refused(&self) -> u64 {
        self.rooms.budget().refused() - self.refused_before
    }

    fn log(&mut self, line: LogLine, limit_bytes: usize) {
        let bytes = self.log_bytes + line.text.len();
        if bytes > limit_bytes {
            self.log_cut += 1;
        } else {
            self.log_bytes = bytes;
            self.log.push(line);
        }
    }
}

/// What the module of this index imports.
pub(crate) fn imports(
    store: &mut Store,
    env: &FunctionEnv<State>,
    links: &Arc<Links>,
    module: usize,
) -> Imports {
    let mut imports = Imports::new();
    let spec = Arc::clone(&links.spec);
    for import in spec.code(module).imports() {
        let offered = match import.ty() {
            ExternType::Global(_) if import.name() == meter::FUEL => Some(Extern::Global(links.fuel.clone())),
            ExternType::Global(_) => Some(Extern::Global(links.depth.clone())),
            ExternType::Function(ty) => spec
                .import(module, import.module(), import.name())
                .map(|found| Extern::Function(offer(store, env, links, module, ty, found))),
            _ => None,
        };
        if let Some(offered) = offered {
            imports.define(import.module(), import.name(), offered);
        }
    }
    imports
}

/// A host function of type `ty` that answers `import`.
fn offer(
    store: &mut Store,
    env: &FunctionEnv<State>,
    links: &Arc<Links>,
    module: usize,
    ty: &FunctionType,
    import: Import,
) -> Function {
    let links = Arc::clone(links);
    let answer = move |mut env: FunctionEnvMut<'_, State>, arguments: &[wasmer::Value]| {
        let answered = match &import {
            Import::Wasi(function) => wasi_call(&mut env, &links, module, function, arguments),
            other => host_call(&mut env, &links, module, other, arguments),
        };
        answered.map_err(|error| RuntimeError::user(Box::new(error)))
    };
    Function::new_with_env(store, env, ty.clone(), answer)
}

/// Counts a call of the host. A call that fails ends all calls that it is within.
fn enter(env: &mut FunctionEnvMut<'_, State>, links: &Links) -> Result<(), CallError> {
    let limit = links.spec.limits().host_calls;
    let state = env.data_mut();
    state.host_calls += 1;
    state.nested += 1;
    if state.host_calls > limit {
        Err(Fault::HostCalls { limit }.into())
    } else if state.nested > NESTED_CALLS {
        Err(Fault::NestedCalls { limit: NESTED_CALLS }.into())
    } else {
        Ok(())
    }
}

fn guest<'a>(
    env: &'a mut FunctionEnvMut<'_, State>,
    handle: &'a FunctionEnv<State>,
    links: &'a Links,
    module: usize,
) -> Guest<'a> {
    let (_, store) = env.data_and_store_mut();
    Guest { store, links, env: handle, module }
}

fn host_call(
    env: &mut FunctionEnvMut<'_, State>,
    links: &Links,
    module: usize,
    import: &Import,
    arguments: &[wasmer::Value],
) -> Result<Vec<wasmer::Value>, CallError> {
    enter(env, links)?;
    let handle = env.as_ref();
    let answered = answer_import(&mut guest(env, &handle, links, module), import, arguments)?;
    env.data_mut().nested -= 1;
    Ok(answered)
}

fn answer_import(
    guest: &mut Guest<'_>,
    import: &Import,
    arguments: &[wasmer::Value],
) -> Result<Vec<wasmer::Value>, CallError> {
    match import {
        Import::Interface(index) => return interface_call(guest, *index, arguments),
        Import::Log => log(guest, arguments)?,
        Import::CallParameters(generation) => {
            guest.charge(cost::HOST_CALL)?;
            let parameters = Arc::clone(&guest.env.as_mut(&mut guest.store).parameters);
            let (value, index) = parameters.record(*generation);
            answer(guest, &value, index)?;
        }
        Import::Binary(name) => {
            guest.charge(cost::BINARY_CALL)?;
            let result = binary_call(guest, name, arguments)?;
            answer(guest, &result, BINARY_RESULT)?;
        }
        Import::Wasi(_) => return Err(Fault::Adapter("WASI is answered elsewhere".to_owned()).into()),
    }
    Ok(Vec::new())
}

/// Writes a record as the result of a call of the host.
fn answer(guest: &mut Guest<'_>, value: &Value, index: u32) -> Result<(), CallError> {
    let records = &guest.links.layouts;
    let at = Lower { room: guest, records }.record(value, index)?;
    guest.set_result(at, None)
}

fn interface_call(
    guest: &mut Guest<'_>,
    index: usize,
    arguments: &[wasmer::Value],
) -> Result<Vec<wasmer::Value>, CallError> {
    let spec = Arc::clone(&guest.links.spec);
    let Some((member, imported)) = spec.imported(guest.module, index) else {
        return Err(Fault::Adapter(format!("it has no import {index}")).into());
    };
    let arguments = arguments.iter().map(from_engine).collect::<Result<Vec<_>, _>>()?;
    let records = member.module.interface();
    let lift_limit_bytes = spec.limits().carried_bytes;
    let result = Run { callees: guest, records, lift_limit_bytes }.run(&imported.program, &arguments)?;
    result.iter().map(to_engine).collect::<Result<Vec<_>, _>>().map_err(CallError::from)
}

/// The integers among the arguments of a host function, whose types were checked as it was linked.
fn integers(arguments: &[wasmer::Value]) -> impl Iterator<Item = i64> {
    arguments.iter().filter_map(|argument| match argument {
        wasmer::Value::I32(value) => Some(i64::from(*value)),
        wasmer::Value::I64(value) => Some(*value),
        _ => None,
    })
}

fn log(guest: &mut Guest<'_>, arguments: &[wasmer::Value]) -> Result<(), CallError> {
    guest.charge(cost::HOST_CALL)?;
    let spec = Arc::clone(&guest.links.spec);
    let member = spec.member(guest.module);
    let mut arguments = integers(arguments);
    let mut next = || arguments.next().unwrap_or(0);
    let (level, target, at, size) = (next() as i32, next() as i32, next() as u32, next() as u32);
    let wanted = member.logs && (target == 0 || target & member.logging_mask != 0);
    if !wanted {
        return Ok(());
    }
    guest.carry(u64::from(size))?;
    let mut bytes = Vec::new();
    {
        let memory = guest.memory()?;
        memory.check(at, u64::from(size))?;
        let kept = (size as usize).min(spec.limits().log_bytes + 1);
        bytes.resize(kept, 0);
        memory.read(at, &mut bytes)?;
    }
    let (level, text) = match String::from_utf8(bytes) {
        Ok(text) => (Level::of(level), text),
        Err(error) => (Level::Warn, format!("a line that is not UTF-8: {}", error.utf8_error())),
    };
    let line = LogLine { module: member.name.clone(), level, text };
    guest.env.as_mut(&mut guest.store).log(line, spec.limits().log_bytes);
    Ok(())
}

fn binary_call(guest: &mut Guest<'_>, name: &str, arguments: &[wasmer::Value]) -> Result<Value, CallError> {
    let spec = Arc::clone(&guest.links.spec);
    let arguments = arguments.iter().map(from_engine).collect::<Result<Vec<_>, _>>()?;
    let lift =
        [Instruction::ArgumentGet(0), Instruction::ArgumentGet(1), Instruction::ArrayLift(Type::String)];
    let records = spec.member(guest.module).module.interface();
    let lift_limit_bytes = spec.limits().carried_bytes;
    let lifted = Run { callees: guest, records, lift_limit_bytes }.run(&lift, &arguments)?;
    let texts = match lifted {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    };
    let texts = texts.into_iter().filter_map(|element| match element {
        Value::String(text) => Some(text),
        _ => None,
    });
    let texts: Vec<String> = texts.collect();
    let binaries = Arc::clone(&guest.env.as_mut(&mut guest.store).binaries);
    let BinaryResult { ret_code, error, stdout, stderr } = binaries.call(name, &texts);
    let fields = [Value::S32(ret_code), Value::String(error), Value::Bytes(stdout), Value::Bytes(stderr)];
    Ok(Value::Record(fields.into()))
}

fn wasi_call(
    env: &mut FunctionEnvMut<'_, State>,
    links: &Links,
    module: usize,
    function: &wasi::Function,
    arguments: &[wasmer::Value],
) -> Result<Vec<wasmer::Value>, CallError> {
    enter(env, links)?;
    let handle = env.as_ref();
    let left = guest(env, &handle, links, module).fuel_left();
    let arguments: Vec<i64> = integers(arguments).collect();
    let memory = links.modules.get(module).and_then(OnceLock::get).and_then(|linked| linked.memory.as_ref());
    let (state, store) = env.data_and_store_mut();
    let mut view = memory.map(|memory| View(memory.view(&store)));
    let budget = state.fuel_given;
    let used = budget.saturating_sub(u64::try_from(left).unwrap_or(0));
    let Some(process) = state.processes.get_mut(module) else {
        return Err(Fault::Host("a module has no process".to_owned()).into());
    };
    let mut none = NoMemory;
    let memory: &mut dyn GuestMemory = match &mut view {
        Some(view) => view,
        None => &mut none,
    };
    let mut call = wasi::Call {
        memory,
        process,
        disk: &mut state.disk,
        outside: &mut state.outside,
        report: &mut state.report,
        fuel: Fuel { used, budget },
    };
    let answered = function.call(&mut call, &arguments);
    let used = call.fuel.used - used;
    guest(env, &handle, links, module).charge(used)?;
    env.data_mut().nested -= 1;
    match answered {
        Ok(_) if function.results.is_empty() => Ok(Vec::new()),
        Ok(errno) => Ok(vec![wasmer::Value::I32(errno as i32)]),
        Err(Exit::Exited(code)) => Err(Fault::Exited(code).into()),
        Err(Exit::Raised(signal)) => Err(Fault::Raised(signal).into()),
        Err(Exit::OutOfFuel { .. }) => Err(Fault::OutOfFuel.into()),
        Err(Exit::Arguments { .. }) => {
            Err(Fault::Adapter("WASI is called with other arguments".to_owned()).into())
        }
    }
}

/// What a module that exports no memory has of one.
struct NoMemory;

impl GuestMemory for NoMemory {
    fn size_bytes(&self) -> u64 {
        0
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), OutOfBounds> {
        self.check(at, into.len() as u64)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.check(at, bytes.len() as u64)
    }
}
