//! A module at work: its functions called through their adapters, its imports answered by the modules before it.

use std::sync::{Arc, OnceLock};

use wasmer::sys::vm::TrapCode;
use wasmer::{AsStoreMut as _, Function, FunctionEnv, Global, MemoryView, RuntimeError, StoreMut};

use crate::abi::{Room, Tag};
use crate::adapter::{Callees, Run};
use crate::cost;
use crate::fault::{CallError, Fault, Trap};
use crate::host::State;
use crate::it::interface::Callee;
use crate::memory::{GuestMemory, OutOfBounds};
use crate::parameters::Layouts;
use crate::spec::Spec;
use crate::value::Value;

/// What a service's modules are tied together by: handles into its store.
pub(crate) struct Links {
    pub(crate) spec: Arc<Spec>,
    /// Each module's exports, once it is instantiated.
    pub(crate) modules: Vec<OnceLock<Linked>>,
    /// What is left to be used: shared by all modules.
    pub(crate) fuel: Global,
    /// How deep calls may still go: shared by all modules.
    pub(crate) depth: Global,
    pub(crate) layouts: Layouts,
}

/// A module's exports, as its host needs them.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    pub(crate) memory: Option<wasmer::Memory>,
    allocate: Option<Function>,
    set_result_ptr: Option<Function>,
    set_result_size: Option<Function>,
    /// What the interface calls exports, in its order, and how many arguments each takes.
    functions: Vec<Option<(Function, usize)>>,
}

impl Linked {
    /// Of `instance`, whose interface has exports of these names.
    pub(crate) fn of<'n>(
        instance: &wasmer::Instance,
        store: &wasmer::Store,
        names: impl Iterator<Item = &'n str>,
    ) -> Self {
        let function = |name: &str| instance.exports.get_function(name).ok().cloned();
        let with_arity = |name| function(name).map(|found| (found.clone(), found.param_arity(store)));
        Self {
            memory: instance.exports.get_memory("memory").ok().cloned(),
            allocate: function("allocate"),
            set_result_ptr: function("set_result_ptr"),
            set_result_size: function("set_result_size"),
            functions: names.map(with_arity).collect(),
        }
    }
}

/// A module's memory, as the engine shows it.
pub(crate) struct View<'a>(pub(crate) MemoryView<'a>);

impl GuestMemory for View<'_> {
    fn size_bytes(&self) -> u64 {
        self.0.data_size()
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), OutOfBounds> {
        self.check(at, into.len() as u64)?;
        let outside = OutOfBounds { at, size_bytes: into.len() as u64, memory_bytes: self.size_bytes() };
        self.0.read(u64::from(at), into).map_err(|_| outside)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.check(at, bytes.len() as u64)?;
        let outside = OutOfBounds { at, size_bytes: bytes.len() as u64, memory_bytes: self.size_bytes() };
        self.0.write(u64::from(at), bytes).map_err(|_| outside)
    }
}

/// A module of a service, while something is called.
pub(crate) struct Guest<'a> {
    pub(crate) store: StoreMut<'a>,
    pub(crate) links: &'a Links,
    pub(crate) env: &'a FunctionEnv<State>,
    pub(crate) module: usize,
}

impl Guest<'_> {
    fn linked(&self) -> Result<&Linked, Fault> {
        let linked = self.links.modules.get(self.module).and_then(OnceLock::get);
        linked.ok_or_else(|| Fault::Host("a module is called before it is instantiated".to_owned()))
    }

    /// Calls the interface function of this index.
    pub(crate) fn invoke(
        &mut self,
        function: usize,
        arguments: &[Value],
    ) -> Result<Option<Value>, CallError> {
        let spec = Arc::clone(&self.links.spec);
        let Some((member, exported)) = spec.export(self.module, function) else {
            return Err(Fault::Adapter(format!("it has no function {function}")).into());
        };
        let result = self.charge(cost::INTERFACE_CALL).and_then(|()| {
            let records = member.module.interface();
            let lift_limit_bytes = spec.limits().carried_bytes;
            Run { callees: self, records, lift_limit_bytes }.run(&exported.program, arguments)
        });
        result.map_err(|error| error.through(&member.name, &exported.name))
    }

    /// Calls a core function.
    pub(crate) fn core(
        &mut self,
        function: &Function,
        arguments: &[wasmer::Value],
    ) -> Result<Box<[wasmer::Value]>, CallError> {
        function.call(&mut self.store, arguments).map_err(|error| self.trapped(error))
    }

    /// What stopped a core function.
    fn trapped(&mut self, error: RuntimeError) -> CallError {
        let error = match error.downcast::<CallError>() {
            Ok(error) => return error,
            Err(error) => error,
        };
        let Some(code) = error.clone().to_trap() else {
            return Fault::Adapter(error.message()).into();
        };
        let trap = trap_of(code);
        if trap == Trap::Unreachable && self.fuel_left() < 0 {
            return Fault::OutOfFuel.into();
        }
        if trap == Trap::Unreachable && self.depth_left() < 0 {
            return Fault::TooDeep.into();
        }
        let state = self.env.as_mut(&mut self.store);
        let (refused, limit_bytes) = (state.refused(), state.rooms.budget().limit_bytes());
        match refused {
            0 => Fault::Trap(trap).into(),
            refused => Fault::OutOfMemory { trap, refused, limit_bytes }.into(),
        }
    }

    /// The fuel that is left. Below zero, a check has failed.
    pub(crate) fn fuel_left(&mut self) -> i64 {
        self.links.fuel.get(&mut self.store).i64().unwrap_or(0)
    }

    fn depth_left(&mut self) -> i32 {
        self.links.depth.get(&mut self.store).i32().unwrap_or(0)
    }

    /// Takes `fuel` for what the host does.
    pub(crate) fn charge(&mut self, fuel: u64) -> Result<(), CallError> {
        let left = self.fuel_left().saturating_sub_unsigned(fuel);
        self.links.fuel.set(&mut self.store, wasmer::Value::I64(left)).map_err(|error| host(&error))?;
        if left < 0 { Err(Fault::OutOfFuel.into()) } else { Ok(()) }
    }

    /// Tells the module where the result of a call of its host is.
    pub(crate) fn set_result(&mut self, at: u32, size: Option<u32>) -> Result<(), CallError> {
        let linked = self.linked()?;
        let pointer = exported(&linked.set_result_ptr, "set_result_ptr")?;
        let length = match size {
            Some(size) => Some((exported(&linked.set_result_size, "set_result_size")?, size)),
            None => None,
        };
        self.core(&pointer, &[wasmer::Value::I32(at as i32)])?;
        if let Some((function, size)) = length {
            self.core(&function, &[wasmer::Value::I32(size as i32)])?;
        }
        Ok(())
    }
}

fn exported(function: &Option<Function>, name: &str) -> Result<Function, Fault> {
    function.clone().ok_or_else(|| Fault::NotExported(name.to_owned()))
}

fn host(error: &RuntimeError) -> CallError {
    Fault::Host(error.message()).into()
}

fn trap_of(code: TrapCode) -> Trap {
    match code {
        TrapCode::StackOverflow => Trap::Stack,
        TrapCode::HeapAccessOutOfBounds | TrapCode::HeapMisaligned => Trap::Memory,
        TrapCode::TableAccessOutOfBounds => Trap::Table,
        TrapCode::IndirectCallToNull => Trap::Null,
        TrapCode::BadSignature => Trap::Signature,
        TrapCode::IntegerOverflow => Trap::Overflow,
        TrapCode::IntegerDivisionByZero => Trap::DivisionByZero,
        TrapCode::BadConversionToInteger => Trap::Conversion,
        TrapCode::UnreachableCodeReached => Trap::Unreachable,
        _ => Trap::Other,
    }
}

impl Room for Guest<'_> {
    type Error = CallError;

    fn allocate(&mut self, size_bytes: u32, tag: Tag) -> Result<u32, CallError> {
        let allocate = exported(&self.linked()?.allocate, "allocate")?;
        self.carry(u64::from(size_bytes))?;
        let arguments = [wasmer::Value::I32(size_bytes as i32), wasmer::Value::I32(tag.0)];
        let result = self.core(&allocate, &arguments)?;
        match result.first() {
            Some(wasmer::Value::I32(at)) => Ok(*at as u32),
            _ => Err(Fault::Adapter("allocate gives no pointer".to_owned()).into()),
        }
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), CallError> {
        Ok(self.memory()?.write(at, bytes)?)
    }
}

impl Callees for Guest<'_> {
    type Memory<'a>
        = View<'a>
    where
        Self: 'a;

    fn memory(&self) -> Result<View<'_>, CallError> {
        let memory = self.linked()?.memory.as_ref();
        let memory = memory.ok_or_else(|| Fault::NotExported("memory".to_owned()))?;
        Ok(View(memory.view(&self.store)))
    }

    fn arity(&self, function: u32) -> Result<usize, CallError> {
        match self.links.spec.callee(self.module, function) {
            Some(Callee::Export(index)) => match self.linked()?.functions.get(index) {
                Some(Some((_, arity))) => Ok(*arity),
                _ => Err(Fault::NotExported(self.links.spec.core_name(self.module, index)).into()),
            },
            Some(Callee::Import(index)) => Ok(self.links.spec.import_arity(self.module, index)),
            None => Err(Fault::Adapter(format!("it calls a function {function} that there is not")).into()),
        }
    }

    fn call(&mut self, function: u32, arguments: Vec<Value>) -> Result<Option<Value>, CallError> {
        match self.links.spec.callee(self.module, function) {
            Some(Callee::Export(index)) => {
                let Some(Some((function, _))) = self.linked()?.functions.get(index).cloned() else {
                    return Err(Fault::NotExported(self.links.spec.core_name(self.module, index)).into());
                };
                let arguments = arguments.iter().map(to_engine).collect::<Result<Vec<_>, _>>()?;
                let results = self.core(&function, &arguments)?;
                match &*results {
                    [] => Ok(None),
                    [result] => from_engine(result).map(Some).map_err(CallError::from),
                    _ => Err(Fault::Adapter("a function gives several results".to_owned()).into()),
                }
            }
            Some(Callee::Import(index)) => {
                let Some(target) = self.links.spec.target(self.module, index) else {
                    return Err(Fault::Adapter("it calls an import that is not linked".to_owned()).into());
                };
                let (links, env) = (self.links, self.env);
                let store = self.store.as_store_mut();
                Guest { store, links, env, module: target.module }.invoke(target.function, &arguments)
            }
            None => Err(Fault::Adapter(format!("it calls a function {function} that there is not")).into()),
        }
    }

    fn carry(&mut self, bytes: u64) -> Result<(), CallError> {
        self.charge(cost::carried(bytes))
    }
}

/// A core value as the engine has it.
pub(crate) fn to_engine(value: &Value) -> Result<wasmer::Value, Fault> {
    match value {
        Value::I32(value) => Ok(wasmer::Value::I32(*value)),
        Value::I64(value) => Ok(wasmer::Value::I64(*value)),
        Value::F32(value) => Ok(wasmer::Value::F32(*value)),
        Value::F64(value) => Ok(wasmer::Value::F64(*value)),
        _ => Err(Fault::Adapter("what it passes to a core function is no core value".to_owned())),
    }
}

/// One of the engine's values as a core one.
pub(crate) fn from_engine(value: &wasmer::Value) -> Result<Value, Fault> {
    match value {
        wasmer::Value::I32(value) => Ok(Value::I32(*value)),
        wasmer::Value::I64(value) => Ok(Value::I64(*value)),
        wasmer::Value::F32(value) => Ok(Value::F32(*value)),
        wasmer::Value::F64(value) => Ok(Value::F64(*value)),
        _ => Err(Fault::Adapter("a core function gives a value that no interface has".to_owned())),
    }
}
