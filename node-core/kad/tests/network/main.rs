//! Networks of this state machine alone: in memory, in virtual time.
#![cfg(test)]

extern crate wavetank_kad as kad;

mod churn;
mod hostile;
mod lookups;
mod providers;
mod records;
mod ring;
