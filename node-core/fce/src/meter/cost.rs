//! What operators cost, in fuel.
//!
//! A unit is about what a plain operator takes on a processor of today. The table is part of what every peer agrees on: a
//! change of it is a new [`COST_VERSION`], and compiled modules of the old one are made anew.
//!
//! | operators | fuel |
//! |---|---|
//! | `nop`, `block`, `loop`, `else`, `end`, `drop` | 0 |
//! | constants, locals, arithmetic, comparisons, conversions, `select`, `if`, `br`, `br_if`, `return`, `unreachable` | 1 |
//! | globals, `br_table`, `ref.*`, `memory.size`, `table.size` | 2 |
//! | loads and stores | 2 |
//! | SIMD: as its scalar twin, and | +1 |
//! | float division and square root | 8 |
//! | integer division and remainder | 10 |
//! | `table.get`, `table.set` | 4 |
//! | `call` | 6 |
//! | `call_indirect` | 12 |
//! | `memory.grow`, per page of 64 KiB; `table.grow`, per slot | 100 + 4,096; 100 + 2 |
//! | `memory.fill`, `memory.copy`, `memory.init`, per 8 bytes | 30 + 1 |
//! | `table.fill`, `table.copy`, `table.init`, per slot | 30 + 2 |
//! | `data.drop`, `elem.drop` | 20 |

use wasmparser::Operator;

/// The version of the table.
pub const COST_VERSION: u32 = 1;

/// What an operator costs that works on as many things as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PerUnit {
    /// How many units of the operand make one that is paid: as a power of two.
    pub(super) shift: u32,
    /// What such a one costs.
    pub(super) each: i64,
}

/// What the operator costs beside [`of`], per unit of its topmost operand, which is a count of 32 bits.
pub(super) fn per_unit(operator: &Operator<'_>) -> Option<PerUnit> {
    match operator {
        Operator::MemoryGrow { .. } => Some(PerUnit { shift: 0, each: 4096 }),
        Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } | Operator::MemoryInit { .. } => {
            Some(PerUnit { shift: 3, each: 1 })
        }
        Operator::TableGrow { .. }
        | Operator::TableFill { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. } => Some(PerUnit { shift: 0, each: 2 }),
        _ => None,
    }
}

/// What the operator costs, which is encoded in `bytes`.
pub(super) fn of(operator: &Operator<'_>, bytes: &[u8]) -> u64 {
    use Operator as O;
    match operator {
        O::Nop | O::Block { .. } | O::Loop { .. } | O::Else | O::End | O::Drop => 0,
        O::GlobalGet { .. }
        | O::GlobalSet { .. }
        | O::BrTable { .. }
        | O::RefNull { .. }
        | O::RefFunc { .. }
        | O::RefIsNull
        | O::MemorySize { .. }
        | O::TableSize { .. } => 2,
        O::F32Div | O::F64Div | O::F32Sqrt | O::F64Sqrt => 8,
        O::F32x4Div | O::F64x2Div | O::F32x4Sqrt | O::F64x2Sqrt => 9,
        O::I32DivS
        | O::I32DivU
        | O::I32RemS
        | O::I32RemU
        | O::I64DivS
        | O::I64DivU
        | O::I64RemS
        | O::I64RemU => 10,
        O::TableGet { .. } | O::TableSet { .. } => 4,
        O::Call { .. } => 6,
        O::CallIndirect { .. } => 12,
        O::MemoryGrow { .. } | O::TableGrow { .. } => 100,
        O::DataDrop { .. } | O::ElemDrop { .. } => 20,
        O::MemoryFill { .. }
        | O::MemoryCopy { .. }
        | O::MemoryInit { .. }
        | O::TableFill { .. }
        | O::TableCopy { .. }
        | O::TableInit { .. } => 30,
        _ => plain(bytes),
    }
}

/// What an operator costs whose code says it: loads and stores, SIMD, and all the others.
fn plain(bytes: &[u8]) -> u64 {
    match bytes {
        [0x28..=0x3e, ..] => 2,
        // SIMD is a prefix; of what follows, these are loads and stores.
        [0xfd, 0..=11 | 84..=93, ..] => 3,
        [0xfd, ..] => 2,
        _ => 1,
    }
}
