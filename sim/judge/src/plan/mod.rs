//! What a scenario asks of a run: plain values, as written and as read back.
//!
//! | module | what |
//! |---|---|
//! | [`checks`] | properties by name, and what to observe |
//! | [`threshold`] | numeric goals: a map of metrics |
//! | [`expression`] | one goal: statistic, comparison, quantity |

pub mod checks;
pub mod expression;
pub mod threshold;

pub use checks::{After, Checks, Eventually, Observe};
pub(crate) use expression::About;
pub use expression::{Comparison, Expression, ExpressionError, Goal, Percentile, Statistic};
pub use threshold::{Expressions, Thresholds};
