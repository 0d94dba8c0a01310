//! What to run, and how.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleet::FleetError;
use judge::Checker;
use model::{Loaded, Plan};
use play::OwnWorkload;
use world::{Cast, Driver, WorldError};

use crate::prepared::{Finished, Prepared};
use crate::stage::Backend;

/// Where a run leaves its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Out {
    /// Nowhere: only the verdict is wanted.
    #[default]
    Nowhere,
    /// This is the folder; it must not hold anything.
    Folder(PathBuf),
    /// In a folder of its own below this one, named by scenario, time, seed and plan.
    Under(PathBuf),
}

/// A scenario, and how it is to be run.
#[derive(Clone)]
pub struct Scenario {
    pub(crate) path: PathBuf,
    /// Where the files are that it names, if not beside it.
    inputs: Option<PathBuf>,
    /// Of a scenario that has no file.
    text: Option<&'static str>,
    pub(crate) seed: Option<u64>,
    pub(crate) sets: Vec<(String, String)>,
    loaded: Option<Arc<Loaded>>,
    pub(crate) threads: Option<usize>,
    pub(crate) driver: Driver,
    pub(crate) backend: Backend,
    pub(crate) out: Out,
    /// Others than honest nodes, if there are any.
    pub(crate) cast: Option<Arc<dyn Cast>>,
    pub(crate) workloads: Vec<Arc<dyn OwnWorkload>>,
    pub(crate) checkers: Vec<Arc<dyn Checker>>,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, seed, sets, threads, driver, out, .. } = self;
        let mut all = f.debug_struct("Scenario");
        all.field("path", path).field("seed", seed).field("sets", sets).field("threads", threads);
        all.field("driver", driver).field("out", out).finish_non_exhaustive()
    }
}

/// The scenario in this file, with its own seed, on as many threads as pay, by the actor driver, without a folder.
pub fn scenario(path: impl Into<PathBuf>) -> Scenario {
    Scenario {
        path: path.into(),
        inputs: None,
        text: None,
        seed: None,
        sets: Vec::new(),
        loaded: None,
        threads: None,
        driver: Driver::default(),
        backend: Backend::default(),
        out: Out::default(),
        cast: None,
        workloads: Vec::new(),
        checkers: Vec::new(),
    }
}

/// The scenario `text`, which people know as `name`: one that a program carries with it. All else as [`scenario`].
pub fn built_in(name: &str, text: &'static str) -> Scenario {
    Scenario { text: Some(text), ..scenario(name) }
}

/// The scenario of a run's folder, with its seed and its changes, to be run again.
///
/// # Errors
/// If it is not the folder of a run.
pub fn replay(folder: &Path) -> Result<Scenario, RunError> {
    let run = record::Run::open(folder)?;
    let manifest = run.manifest();
    if !manifest.is_simulated() {
        return Err(RunError::Real);
    }
    let sets = manifest.set.iter().filter_map(|set| set.split_once('='));
    Ok(Scenario {
        seed: Some(manifest.seed.0),
        sets: sets.map(|(path, value)| (path.to_owned(), value.to_owned())).collect(),
        inputs: Some(folder.join(record::INPUTS)),
        ..scenario(folder.join("scenario.yaml"))
    })
}

impl Scenario {
    /// Another seed than the scenario's own.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Another value at a path of the scenario: `set("peers.edge.count", "50")`.
    #[must_use]
    pub fn set(mut self, path: &str, value: &str) -> Self {
        self.sets.push((path.to_owned(), value.to_owned()));
        self.loaded = None;
        self
    }

    /// On this many threads.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// By this driver.
    #[must_use]
    pub const fn driver(mut self, driver: Driver) -> Self {
        self.driver = driver;
        self
    }

    /// Performed by this stage.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Leaves its folder there.
    #[must_use]
    pub fn out(mut self, out: Out) -> Self {
        self.out = out;
        self
    }

    /// With peers of these players' own among the honest ones.
    #[must_use]
    pub fn cast(mut self, cast: Arc<dyn Cast>) -> Self {
        self.cast = Some(cast);
        self
    }

    /// With a workload of the user's own, after those of the scenario.
    #[must_use]
    pub fn workload(mut self, workload: Arc<dyn OwnWorkload>) -> Self {
        self.workloads.push(workload);
        self
    }

    /// With a check of the user's own, after those of the scenario.
    #[must_use]
    pub fn check(mut self, checker: Arc<dyn Checker>) -> Self {
        self.checkers.push(checker);
        self
    }

    /// Reads and checks the scenario's file now. Runs of this scenario, and of its clones, read it no more, and so do
    /// not see it change.
    ///
    /// # Errors
    /// If the scenario is not valid.
    pub fn load(mut self) -> Result<Self, RunError> {
        self.loaded = Some(self.loaded()?);
        Ok(self)
    }

    pub(crate) fn loaded(&self) -> Result<Arc<Loaded>, RunError> {
        let Self { path, inputs, text, sets, loaded, .. } = self;
        if let Some(loaded) = loaded {
            return Ok(Arc::clone(loaded));
        }
        Ok(Arc::new(match (text, inputs) {
            (Some(text), _) => model::parse(&path.display().to_string(), text, sets)?,
            (None, Some(folder)) => model::load_with(path, folder, sets)?,
            (None, None) => model::load(path, sets)?,
        }))
    }

    /// What will be done, but for the seed, once it is loaded.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.loaded.as_deref().map(|loaded| &loaded.plan)
    }

    /// Reads and checks the scenario, and makes the folder.
    ///
    /// # Errors
    /// If the scenario is not valid, or the folder cannot be made.
    pub fn prepare(self) -> Result<Prepared, RunError> {
        Prepared::new(self)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// As [`Scenario::prepare`], and if the folder cannot be written.
    pub fn run(self) -> Result<Finished, RunError> {
        self.prepare()?.play()
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario is not valid.
    #[error("{0}")]
    Rejected(#[from] model::Rejected),
    /// The folder cannot be made, read or written.
    #[error(transparent)]
    Output(#[from] record::RecordError),
    /// A part of a valid plan cannot be performed: a defect of ours.
    #[error("the plan's {0} cannot be performed, though the scenario is valid; this is a defect of wavetank")]
    Plan(&'static str),
    /// More than can be kept of a run.
    #[error("the run is too long to keep {0}")]
    TooLong(&'static str),
    /// The simulated stage gave up.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The real stage gave up.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The real stage cannot perform what the scenario says.
    #[error("real processes cannot perform this scenario: {}", .0.join("; "))]
    Unserved(Vec<String>),
    /// A run on real processes is to be repeated or gone through again.
    #[error(
        "the run was performed by real processes: nothing repeats it exactly, and only a simulated run can be gone through again"
    )]
    Real,
}
