//! Judgements as a whole: what observers make of runs, however the peers are spread.

extern crate wavetank_judge as judge;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod common;
#[cfg(test)]
mod sharding;
#[cfg(test)]
mod verdicts;
