//! `calibration.json`: how far the simulation was from real processes when the two were last held against each other.
//!
//! It is made from the folders of two runs of one plan, one on each stage. The program carries the latest one with it and
//! lays it into every run's folder, so that a report needs nothing but that folder to say how much its figures are worth.
//! Where no such comparison was made, there is no file.

use serde::{Deserialize, Serialize};
use types::Seed;

use crate::manifest::{Build, Host};

/// The file's name in a run's folder.
pub const CALIBRATION: &str = "calibration.json";

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The version of its format: that of the folder's, [`FORMAT`](crate::FORMAT).
    pub format: u32,
    /// When the real run began, in UTC: `2026-11-26T08:00:00Z`.
    pub date: String,
    /// The scenario's name.
    pub scenario: String,
    /// SHA-256 of the plan that both ran, in hex.
    pub plan_sha256: String,
    /// The seed of both.
    #[serde(with = "crate::text::seed")]
    pub seed: Seed,
    /// Peers, each a process of its own on the real side.
    pub processes: u64,
    /// The program of the simulated side.
    pub sim: Build,
    /// The program of the real side.
    pub real: Build,
    /// The machine of the real side.
    pub host: Host,
    /// What was compared, stretch by stretch.
    pub stretches: Vec<Stretch>,
}

/// A part of a run whose figures are compared by themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// What people call it: `quiet`, `churn`.
    pub name: String,
    /// Operations that began from here on, in milliseconds of the run's time,
    pub from_ms: u64,
    /// and before this belong to it.
    pub until_ms: u64,
    /// Lookups that ended, on the simulated side.
    pub sim_lookups: u64,
    /// Lookups that ended, on the real side.
    pub real_lookups: u64,
    /// Its figures.
    pub figures: Vec<Deviation>,
}

/// One figure on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// Its name: `success`, `rounds`.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    /// What the two values count: `ratio`, `rounds`, `messages`, `ms`, `medians`; empty for what has no values.
    pub unit: String,
    /// How the difference is said.
    pub measure: Measure,
    /// The simulated side's value.
    pub sim: Option<f64>,
    /// The real side's.
    pub real: Option<f64>,
    /// By how much they differ, the real one less the simulated one; none where that cannot be said.
    pub difference: Option<f64>,
    /// How far that may be from nothing.
    pub tolerance: f64,
    /// Whether it is.
    pub standing: Standing,
}

/// How a difference is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// As the difference of two shares of a whole.
    Points,
    /// In parts of the simulated side's value.
    Relative,
    /// As a distance between two distributions: from 0, the same, to 1, nothing in common.
    Distance,
}

/// Whether a difference is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is.
    Within,
    /// It is not.
    Beyond,
    /// There are too few samples to say so.
    Unproved,
}

impl Standing {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Beyond => "beyond",
            Self::Unproved => "unproved",
        }
    }
}

impl Calibration {
    /// The greatest difference of this figure over all stretches, whatever its sign; none if it was never told.
    #[must_use]
    pub fn greatest(&self, figure: &str) -> Option<f64> {
        let figures = self.figures().filter(|deviation| deviation.name == figure);
        figures.filter_map(|deviation| Some(deviation.difference?.abs())).max_by(f64::total_cmp)
    }

    /// The gravest of all standings.
    #[must_use]
    pub fn standing(&self) -> Standing {
        gravest(self.figures())
    }

    fn figures(&self) -> impl Iterator<Item = &Deviation> {
        self.stretches.iter().flat_map(|stretch| &stretch.figures)
    }
}

impl Stretch {
    /// The gravest of its figures' standings.
    #[must_use]
    pub fn standing(&self) -> Standing {
        gravest(self.figures.iter())
    }
}

fn gravest<'a>(figures: impl Iterator<Item = &'a Deviation>) -> Standing {
    let mut gravest = Standing::Within;
    for deviation in figures {
        match deviation.standing {
            Standing::Beyond => return Standing::Beyond,
            Standing::Unproved => gravest = Standing::Unproved,
            Standing::Within => {}
        }
    }
    gravest
}
