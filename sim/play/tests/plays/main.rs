//! Plays as a whole: what follows from small plans.

extern crate wavetank_play as play;

mod common;
mod lives;
mod plans;
mod workloads;
