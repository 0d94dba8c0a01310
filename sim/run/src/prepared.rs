//! A run that can begin, and its end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant as WallInstant;

use fleet::Fleet;
use judge::{Circumstances, Completeness, Findings, Judgement};
use kernel::{Progress, ResolvedNetwork};
use model::{Crypto, Links, Plan, Wire};
use play::{Inputs, Play};
use record::{Manifest, RecordError, RunFolder, Verdict, VerdictStatus};
use types::{Instant, Seed, SharedBook};
use world::{Driver, World};

use crate::gathering::gather;
use crate::journal::{Journal, Texts, sha256};
use crate::rows::Scene;
use crate::scenario::{Out, RunError, Scenario};
use crate::stage::{Backend, Ended, Regions, Stage};
use crate::{graph, identity, machine, refusals, rows};

/// A run that can begin: its scenario is valid and its folder is there.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) plan: Plan,
    warnings: model::Findings,
    pub(crate) stage: Stage,
    network: ResolvedNetwork,
    judge: judge::Plan,
    manifest: Manifest,
    journal: Option<Journal>,
}

impl Prepared {
    pub(crate) fn new(scenario: Scenario) -> Result<Self, RunError> {
        let loaded = scenario.loaded()?;
        let Scenario { path, seed, sets, threads, driver, backend, out, cast, workloads, checkers, .. } =
            scenario;
        let model::Loaded { mut plan, text, inputs, warnings } = Arc::unwrap_or_clone(loaded);
        if let Some(seed) = seed {
            plan.seed = Seed(seed);
        }
        let network = plan.network.resolve().map_err(|_| RunError::Plan("network"))?;
        let peers = u32::try_from(plan.peers()).map_err(|_| RunError::Plan("peers"))?;
        let crypto = match backend {
            Backend::Sim => plan.fidelity.crypto,
            Backend::Local { .. } => Crypto::Real,
        };
        let book =
            Arc::new(identity::book(crypto, plan.seed, peers).with_clients(play::clients(&plan.groups)));
        let mut play = play_of(&plan, &book);
        for workload in workloads {
            play.add(Box::new(workload));
        }
        let play = Arc::new(play);
        let stage = match backend {
            Backend::Sim => {
                let machine = Machine { driver, threads, cast: cast.unwrap_or_else(world::honest) };
                Stage::World(Box::new(world(&plan, machine, network.clone(), book, Arc::clone(&play))))
            }
            Backend::Local { program } => {
                let refused = refusals::of(&plan, cast.as_ref());
                if !refused.is_empty() {
                    return Err(RunError::Unserved(refused));
                }
                Stage::Fleet(Box::new(fleet(&plan, program, network.clone(), book, Arc::clone(&play))))
            }
        };
        let mut judge = judge::Plan::new(&plan.checks, &plan.thresholds, &plan.observe, &play);
        for checker in checkers {
            judge.add(Box::new(checker));
        }
        let plan_text = plan.to_yaml();
        let manifest = first_manifest(&plan, &stage, driver, &path, (&text, &plan_text, &inputs), &sets);
        let journal = match folder(out, &plan, &manifest)? {
            Some(folder) => Some(Journal::begin(folder, (&text, &plan_text, &inputs), &manifest)?),
            None => None,
        };
        Ok(Self { plan, warnings, stage, network, judge, manifest, journal })
    }

    /// What will be done.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What in the scenario has no effect.
    #[must_use]
    pub const fn warnings(&self) -> &model::Findings {
        &self.warnings
    }

    /// What the folder says of the run before it begins.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the run is, once it has begun; another thread may read it, and stop the run.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(self.stage.progress())
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.journal.as_ref().map(Journal::path)
    }

    /// Threads that it will run on.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.stage.shards()
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// If the folder cannot be written, or the simulator itself gives up.
    pub fn play(self) -> Result<Finished, RunError> {
        let Self { plan, mut stage, network, judge, mut manifest, mut journal, .. } = self;
        let (play, book) = (Arc::clone(stage.play()), Arc::clone(stage.book()));
        let of_peers = |_: &Journal| Regions::new(&network, plan.seed, &book);
        let regions = journal.as_ref().map_or_else(Regions::default, of_peers);
        let scene = Scene { plan: &plan, play, book: Arc::clone(&book), regions };
        if let Some(journal) = &mut journal {
            let (log, chapters) = mpsc::channel();
            stage.log_to(log);
            journal.follow(chapters, stage.progress(), stage.shards())?;
        }
        let (cpu, clock) = (machine::cpu_seconds(), WallInstant::now());
        let (folder, shards, nothing) =
            (journal.as_ref().map(Journal::folder), stage.shards(), judge.nothing());
        let (scene, judge) = (&scene, &judge);
        let (sender, receiver) = mpsc::channel();
        let (outcome, findings) = thread::scope(|scope| {
            let keep = |findings: &Findings, until| {
                if let Some(folder) = folder {
                    // Should it fail, the end of the run says so.
                    let _ = keep(folder, scene, judge, findings, until);
                }
            };
            let gathered = scope.spawn(move || gather(receiver, nothing, shards, keep));
            let outcome = stage.run(judge, &sender);
            drop(sender);
            match gathered.join() {
                Ok(findings) => outcome.map(|outcome| (outcome, findings)),
                // A panic of ours: let it go on.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        let cost = Cost { seconds: clock.elapsed().as_secs_f64(), cpu: machine::cpu_seconds().zip(cpu) };
        let judgement = conclude(judge, findings, &outcome);
        let verdict = rows::verdict(&judgement.verdict, &outcome, scene);
        finish_manifest(&mut manifest, &outcome, &verdict, &cost);
        if let Some(journal) = &mut journal {
            journal.end_log()?;
            write(journal.folder(), scene, &outcome, &judgement, &verdict, &manifest)?;
        }
        Ok(Finished { verdict, manifest, folder: journal.map(|journal| journal.path().to_path_buf()) })
    }
}

/// Of the machine, what changes no result.
struct Machine {
    driver: Driver,
    threads: Option<usize>,
    cast: Arc<dyn world::Cast>,
}

fn sampled(plan: &Plan, play: &Play) -> Vec<u32> {
    plan.observe.events.as_ref().map_or_else(Vec::new, |select| play.choose(select, "event log"))
}

fn world(
    plan: &Plan,
    machine: Machine,
    network: ResolvedNetwork,
    book: Arc<SharedBook>,
    play: Arc<Play>,
) -> World {
    World {
        seed: plan.seed,
        duration: plan.duration,
        until: None,
        sample_every: plan.observe.gap(plan.duration),
        sampled: sampled(plan, &play),
        network,
        wire: match plan.fidelity.wire {
            Wire::Typed => world::Wire::Typed,
            Wire::Encoded => world::Wire::Encoded,
        },
        dialling: match plan.fidelity.links {
            Links::Free => None,
            Links::Dialled(dialling) => Some(dialling),
        },
        start: plan.start,
        driver: machine.driver,
        max_awake: world::max_awake(book.len()),
        threads: machine.threads,
        cast: machine.cast,
        progress: Arc::default(),
        log: None,
        book,
        play,
    }
}

fn fleet(
    plan: &Plan,
    program: PathBuf,
    network: ResolvedNetwork,
    book: Arc<SharedBook>,
    play: Arc<Play>,
) -> Fleet {
    let mut sampled = sampled(plan, &play);
    sampled.sort_unstable();
    Fleet {
        program,
        network,
        seed: plan.seed,
        duration: plan.duration,
        sample_every: plan.observe.gap(plan.duration),
        secrets: (0..book.len() as u32).map(|peer| identity::secret(plan.seed, peer)).collect(),
        sampled,
        progress: Arc::default(),
        log: None,
        book,
        play,
    }
}

/// What a run took.
struct Cost {
    seconds: f64,
    /// CPU seconds after and before.
    cpu: Option<(f64, f64)>,
}

fn play_of(plan: &Plan, book: &Arc<SharedBook>) -> Play {
    let inputs = Inputs {
        groups: &plan.groups,
        workloads: &plan.workloads,
        faults: &plan.faults,
        duration: plan.duration,
        warmup: plan.warmup,
        seed: plan.seed,
    };
    Play::new(&inputs, book)
}

fn folder(out: Out, plan: &Plan, manifest: &Manifest) -> Result<Option<RunFolder>, RecordError> {
    match out {
        Out::Nowhere => Ok(None),
        Out::Folder(path) => RunFolder::create(path).map(Some),
        Out::Under(root) => {
            let hash = &manifest.scenario.plan_sha256;
            RunFolder::create_default(&root, &plan.name, machine::now(), plan.seed, hash).map(Some)
        }
    }
}

fn conclude(judge: &judge::Plan, findings: Findings, outcome: &Ended) -> Judgement {
    let panic = |panic: &kernel::Panic| judge::Panic {
        at: panic.at,
        peer: panic.peer,
        message: panic.message.clone(),
    };
    let panics: Vec<_> = outcome.panics.iter().map(panic).collect();
    judge.conclude(
        [findings],
        &Circumstances {
            ended: outcome.ended,
            completeness: if outcome.interrupted { Completeness::Interrupted } else { Completeness::Whole },
            panics: &panics,
            touched: &outcome.touched,
            difference: None,
        },
    )
}

fn first_manifest(
    plan: &Plan,
    stage: &Stage,
    driver: Driver,
    path: &Path,
    (text, plan_text, inputs): Texts<'_>,
    sets: &[(String, String)],
) -> Manifest {
    let word = |word: &str| word.to_owned();
    Manifest {
        format: record::FORMAT,
        backend: word(match stage {
            Stage::World(_) => "sim",
            Stage::Fleet(_) => "local",
        }),
        driver: word(match (stage, driver) {
            (Stage::Fleet(_), _) => "process",
            (Stage::World(_), Driver::Actor) => "actor",
            (Stage::World(_), Driver::Inline) => "inline",
        }),
        wavetank: record::Build {
            version: word(env!("CARGO_PKG_VERSION")),
            git: None,
            profile: word(if cfg!(debug_assertions) { "debug" } else { "release" }),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            features: Vec::new(),
        },
        scenario: record::Scenario {
            name: plan.name.clone(),
            path: Some(path.display().to_string()),
            sha256: sha256(text),
            plan_sha256: sha256(plan_text),
            inputs: inputs.iter().map(|input| (input.name.clone(), sha256(&input.text))).collect(),
        },
        seed: plan.seed,
        streams: kernel::FINGERPRINT_VERSION,
        set: sets.iter().map(|(path, value)| format!("{path}={value}")).collect(),
        fidelity: fidelity(stage, plan).map(|(part, how)| (word(part), word(how))).into(),
        start: match plan.start {
            play::Start::Join => record::Start::Join,
            play::Start::Oracle => record::Start::Oracle,
        },
        fingerprint: record::Fingerprint { version: kernel::FINGERPRINT_VERSION, ..Default::default() },
        sim: record::Sim {
            warmup_ms: plan.warmup.as_millis(),
            planned_ms: plan.duration.as_millis(),
            ended_ms: None,
            events: 0,
        },
        wall: record::Wall { started: record::rfc3339(machine::now()), ..Default::default() },
        threads: u32::try_from(stage.shards()).unwrap_or(u32::MAX),
        host: record::Host { cores: machine::cores(), os: word(std::env::consts::OS) },
        figures: plan.report.iter().map(rows::figure).collect(),
        ..Manifest::default()
    }
}

/// How real each part is.
fn fidelity(stage: &Stage, plan: &Plan) -> [(&'static str, &'static str); 3] {
    let Stage::World(world) = stage else {
        return [("crypto", "real"), ("links", "emulated"), ("wire", "encoded")];
    };
    let crypto = if plan.fidelity.crypto == Crypto::Modelled { "modelled" } else { "real" };
    let links = if world.dialling.is_some() { "dialled" } else { "free" };
    let wire = if world.wire == world::Wire::Typed { "typed" } else { "encoded" };
    [("crypto", crypto), ("links", links), ("wire", wire)]
}

fn finish_manifest(manifest: &mut Manifest, outcome: &Ended, verdict: &Verdict, cost: &Cost) {
    manifest.status = verdict.status.into();
    manifest.verdict = Some("verdict.json".to_owned());
    manifest.fingerprint.value.clone_from(&verdict.fingerprint);
    if let Some((_, ladder)) = &outcome.imprint {
        manifest.fingerprint.every_ms = ladder.every.as_millis();
        manifest.fingerprint.ladder = ladder.rungs.iter().map(rows::rung_summary).collect();
    }
    manifest.local = outcome.conduct.as_ref().map(rows::local);
    manifest.sim.ended_ms = Some(outcome.ended.as_millis());
    manifest.sim.events = outcome.handled;
    manifest.wall.seconds = Some(cost.seconds);
    manifest.wall.speedup = (cost.seconds > 0.0).then(|| outcome.ended.as_secs_f64() / cost.seconds);
    let cpu = cost.cpu.map(|(after, before)| after - before).filter(|cpu| *cpu > 0.0);
    manifest.wall.events_per_cpu_second = cpu.map(|cpu| outcome.handled as f64 / cpu);
    manifest.wall.peak_rss_bytes = machine::peak_rss_bytes();
}

/// Writes what the end of a run brings; the manifest last, so that a folder whose run ended is whole.
fn write(
    folder: &RunFolder,
    scene: &Scene<'_>,
    outcome: &Ended,
    judgement: &Judgement,
    verdict: &Verdict,
    manifest: &Manifest,
) -> Result<(), RecordError> {
    write_figures(folder, scene, judgement)?;
    if let Some((_, imprint)) = &outcome.imprint {
        let mut ladder = folder.ladder()?;
        for rung in &imprint.rungs {
            ladder.write(&record::Rung { at_ns: rung.at.as_nanos(), leaves: rung.leaves.clone() })?;
        }
        ladder.finish()?;
    }
    folder.write_rows(rows::peers(outcome, scene))?;
    folder.write_rows(rows::faults(&judgement.verdict.tallies, outcome.ended))?;
    graph::write(folder, &judgement.tables, scene)?;
    folder.write_verdict(verdict)?;
    folder.write_manifest(manifest)
}

/// Writes, or writes again, what is measured.
fn write_figures(folder: &RunFolder, scene: &Scene<'_>, judgement: &Judgement) -> Result<(), RecordError> {
    folder.write_rows(rows::operations(&judgement.operations, scene))?;
    folder.write_rows(rows::series(&judgement.series))?;
    folder.write_rows(rows::summary(&judgement.summary))
}

/// Keeps what was found before `until`, while the run goes on.
fn keep(
    folder: &RunFolder,
    scene: &Scene<'_>,
    judge: &judge::Plan,
    findings: &Findings,
    until: Instant,
) -> Result<(), RecordError> {
    let circumstances = Circumstances {
        ended: until,
        completeness: Completeness::Interrupted,
        panics: &[],
        touched: &[],
        difference: None,
    };
    write_figures(folder, scene, &judge.conclude([findings.clone()], &circumstances))
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    /// What it proved.
    pub verdict: Verdict,
    /// What was run, and what it cost.
    pub manifest: Manifest,
    /// Where its folder is.
    pub folder: Option<PathBuf>,
}

impl Finished {
    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict.status == VerdictStatus::Pass
    }

    /// What a program that ran it exits with.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.verdict.exit_code
    }
}

impl fmt::Display for Finished {
    /// The verdict in a few lines: what a failing test shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { status, exit_code, seed, fingerprint, first_failure, .. } = &self.verdict;
        let status = record::RunStatus::from(*status).word();
        writeln!(f, "{}: {status} (exit {exit_code})", self.manifest.scenario.name)?;
        if let Some(failure) = first_failure {
            writeln!(f, "  {}: {}", failure.what, failure.detail)?;
        }
        match fingerprint {
            Some(fingerprint) => write!(f, "  seed {}, fingerprint {fingerprint}", seed.0),
            None => write!(f, "  seed {}, on real processes", seed.0),
        }
    }
}
