//! Adapters at work: a small stack machine that turns interface values into core ones, calls, and turns the results back.
//!
//! An adapter is checked when its module is loaded (`it`), so that what runs here neither underflows nor mixes kinds; that it
//! was is not trusted: each instruction looks at what it takes, and what does not fit is a [`Fault::Adapter`].
//!
//! # Invariants
//! - Arguments are borrowed until they are lowered: a string is copied once, into the module's memory.

use std::borrow::Cow;

use crate::abi::{Lift, Lower, Records, Room};
use crate::fault::{CallError, Fault};
use crate::it::{Core, Instruction, Integer};
use crate::memory::GuestMemory;
use crate::value::Value;

/// What an adapter calls: the module that it belongs to, and the functions that the module imports.
pub(crate) trait Callees: Room<Error = CallError> {
    /// A view of the module's memory.
    type Memory<'a>: GuestMemory
    where
        Self: 'a;

    /// The module's memory, as it is now.
    fn memory(&self) -> Result<Self::Memory<'_>, CallError>;

    /// How many arguments the function of this index takes.
    fn arity(&self, function: u32) -> Result<usize, CallError>;

    /// Calls the function of this index of the module's function space.
    fn call(&mut self, function: u32, arguments: Vec<Value>) -> Result<Option<Value>, CallError>;

    /// Counts `bytes` that are carried between a module and the host.
    fn carry(&mut self, bytes: u64) -> Result<(), CallError>;
}

/// What a run of an adapter needs beside its instructions.
pub(crate) struct Run<'a, C> {
    pub(crate) callees: &'a mut C,
    pub(crate) records: &'a dyn Records,
    /// What a value that is lifted may take in the host.
    pub(crate) lift_limit_bytes: u64,
}

impl<C: Callees> Run<'_, C> {
    /// Runs `program` on `arguments`: what is left on the stack is its result.
    pub(crate) fn run(
        &mut self,
        program: &[Instruction],
        arguments: &[Value],
    ) -> Result<Option<Value>, CallError> {
        let mut stack = Stack(Vec::with_capacity(8));
        for instruction in program {
            self.step(instruction, arguments, &mut stack)?;
        }
        match stack.0.len() {
            0 => Ok(None),
            1 => Ok(Some(stack.pop()?.into_owned())),
            left => Err(Fault::Adapter(format!("it leaves {left} values")).into()),
        }
    }

    fn step<'v>(
        &mut self,
        instruction: &Instruction,
        arguments: &'v [Value],
        stack: &mut Stack<'v>,
    ) -> Result<(), CallError> {
        match instruction {
            Instruction::ArgumentGet(index) => {
                let argument = arguments.get(*index as usize);
                stack.0.push(Cow::Borrowed(argument.ok_or_else(|| lacks(format!("argument {index}")))?));
            }
            Instruction::CallCore(function) => {
                let first = stack.0.len().checked_sub(self.callees.arity(*function)?);
                let taken = stack.0.split_off(first.ok_or_else(|| lacks("arguments"))?);
                let result =
                    self.callees.call(*function, taken.into_iter().map(Cow::into_owned).collect())?;
                stack.0.extend(result.map(Cow::Owned));
            }
            Instruction::FromCore { from, to } => {
                let core = stack.integer(*from)?;
                stack.push(from_core(core, *to));
            }
            Instruction::ToCore { from, to } => {
                let value = stack.pop()?;
                stack.push(to_core(&value, *from, *to)?);
            }
            Instruction::BoolFromI32 => {
                let core = stack.integer(Core::I32)?;
                stack.push(Value::Bool(core != 0));
            }
            Instruction::I32FromBool => match *stack.pop()? {
                Value::Bool(value) => stack.push(Value::I32(i32::from(value))),
                _ => return Err(not("a boolean").into()),
            },
            Instruction::PushI32(value) => stack.push(Value::I32(*value)),
            Instruction::PushI64(value) => stack.push(Value::I64(*value)),
            Instruction::Dup => {
                let top = stack.0.last().cloned();
                stack.0.push(top.ok_or_else(|| lacks("a value"))?);
            }
            Instruction::Swap2 => {
                let (above, below) = (stack.pop()?, stack.pop()?);
                stack.0.extend([above, below]);
            }
            Instruction::StringSize | Instruction::BytesSize => {
                let value = stack.pop()?;
                stack.push(Value::I32(core_of(text_of(&value)?.len())?));
            }
            Instruction::StringLower | Instruction::BytesLower => self.lower_text(stack)?,
            Instruction::ArrayLower(_) | Instruction::RecordLower(_) => self.lower(instruction, stack)?,
            Instruction::StringLift
            | Instruction::BytesLift
            | Instruction::ArrayLift(_)
            | Instruction::RecordLift(_) => self.lift(instruction, stack)?,
        }
        Ok(())
    }

    /// Writes a string or bytes where the adapter has set room aside.
    fn lower_text(&mut self, stack: &mut Stack<'_>) -> Result<(), CallError> {
        let value = stack.pop()?;
        let bytes = text_of(&value)?;
        let at = stack.pointer()?;
        self.callees.carry(bytes.len() as u64)?;
        self.callees.write(at, bytes)?;
        stack.push(Value::I32(at as i32));
        stack.push(Value::I32(core_of(bytes.len())?));
        Ok(())
    }

    fn lower(&mut self, instruction: &Instruction, stack: &mut Stack<'_>) -> Result<(), CallError> {
        let value = stack.pop()?;
        let mut lower = Lower { room: self.callees, records: self.records };
        match instruction {
            Instruction::ArrayLower(element) => {
                let (at, count) = lower.array(&value, element)?;
                stack.push(Value::I32(at as i32));
                stack.push(Value::I32(count as i32));
            }
            Instruction::RecordLower(index) => {
                let at = lower.record(&value, *index)?;
                stack.push(Value::I32(at as i32));
            }
            _ => return Err(Fault::Adapter("it lowers nothing".to_owned()).into()),
        }
        Ok(())
    }

    fn lift(&mut self, instruction: &Instruction, stack: &mut Stack<'_>) -> Result<(), CallError> {
        let size = match instruction {
            Instruction::RecordLift(_) => 0,
            _ => stack.pointer()?,
        };
        let at = stack.pointer()?;
        let (value, carried) = {
            let memory = self.callees.memory()?;
            let limit_bytes = self.lift_limit_bytes;
            let mut lift =
                Lift { memory: &memory, records: self.records, budget_bytes: limit_bytes, limit_bytes };
            let value = match instruction {
                Instruction::StringLift => Value::String(lift.string(at, size)?),
                Instruction::ArrayLift(element) => lift.array(at, size, element)?,
                Instruction::RecordLift(index) => lift.record(at, *index)?,
                _ => Value::Bytes(lift.bytes(at, size)?),
            };
            (value, limit_bytes - lift.budget_bytes)
        };
        self.callees.carry(carried)?;
        stack.push(value);
        Ok(())
    }
}

/// The values that an adapter works on, the topmost last.
struct Stack<'v>(Vec<Cow<'v, Value>>);

impl<'v> Stack<'v> {
    fn push(&mut self, value: Value) {
        self.0.push(Cow::Owned(value));
    }

    fn pop(&mut self) -> Result<Cow<'v, Value>, Fault> {
        self.0.pop().ok_or_else(|| lacks("a value"))
    }

    fn integer(&mut self, kind: Core) -> Result<i64, Fault> {
        match (kind, &*self.pop()?) {
            (Core::I32, Value::I32(value)) => Ok(i64::from(*value)),
            (Core::I64, Value::I64(value)) => Ok(*value),
            _ => Err(not("a core integer")),
        }
    }

    /// A pointer, or a size: what 32 bits say without a sign.
    fn pointer(&mut self) -> Result<u32, Fault> {
        self.integer(Core::I32).map(|value| value as u32)
    }
}

fn lacks(what: impl core::fmt::Display) -> Fault {
    Fault::Adapter(format!("it lacks {what}"))
}

fn not(what: &str) -> Fault {
    Fault::Adapter(format!("what it takes is not {what}"))
}

fn text_of(value: &Value) -> Result<&[u8], Fault> {
    match value {
        Value::String(text) => Ok(text.as_bytes()),
        Value::Bytes(bytes) => Ok(bytes),
        Value::Array(elements) if elements.is_empty() => Ok(&[]),
        _ => Err(not("a string or bytes")),
    }
}

fn core_of(size: usize) -> Result<i32, Fault> {
    // As 32 bits without a sign: the whole of them, since memory has as many bytes.
    u32::try_from(size).map(|size| size as i32).map_err(|_| not("as long as 32 bits can say"))
}

/// The bits of a core integer as an interface one: the low ones, where it is narrower.
fn from_core(core: i64, to: Integer) -> Value {
    match to {
        Integer::S8 => Value::S8(core as i8),
        Integer::S16 => Value::S16(core as i16),
        Integer::S32 => Value::S32(core as i32),
        Integer::S64 => Value::S64(core),
        Integer::U8 => Value::U8(core as u8),
        Integer::U16 => Value::U16(core as u16),
        Integer::U32 => Value::U32(core as u32),
        Integer::U64 => Value::U64(core as u64),
    }
}

fn to_core(value: &Value, from: Integer, to: Core) -> Result<Value, Fault> {
    let wide = match (from, value) {
        (Integer::S8, Value::S8(value)) => i64::from(*value),
        (Integer::S16, Value::S16(value)) => i64::from(*value),
        (Integer::S32, Value::S32(value)) => i64::from(*value),
        (Integer::S64, Value::S64(value)) => *value,
        (Integer::U8, Value::U8(value)) => i64::from(*value),
        (Integer::U16, Value::U16(value)) => i64::from(*value),
        (Integer::U32, Value::U32(value)) => i64::from(*value),
        (Integer::U64, Value::U64(value)) => *value as i64,
        _ => return Err(not("an integer of its kind")),
    };
    match (to, i32::try_from(wide).or_else(|_| u32::try_from(wide).map(|wide| wide as i32))) {
        (Core::I64, _) => Ok(Value::I64(wide)),
        (Core::I32, Ok(narrow)) => Ok(Value::I32(narrow)),
        (Core::I32, Err(_)) => Err(not("a number that 32 bits hold")),
    }
}
