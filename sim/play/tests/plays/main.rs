//! Plays as a whole: what follows from small plans.

extern crate wavetank_play as play;

#[cfg(test)]
mod arrivals;
#[cfg(test)]
mod common;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod workloads;
