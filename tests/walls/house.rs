//! The table of the house: rooms, what each may import, where each outside crate is at home.
//!
//! A new crate, and a new dependency of an old one, is entered here: that is the moment to ask whether it belongs.

/// Whether a room can reach a clock, a file, a thread or the platform's floats at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It cannot: `no_std`, and only dependencies that cannot either.
    Pure,
    /// It can.
    Worldly,
}

/// A crate of the workspace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Its name inside the workspace.
    pub(crate) name: &'static str,
    /// Its folder.
    pub(crate) folder: &'static str,
    /// Whether it is pure.
    pub(crate) kind: Kind,
    /// The rooms that it may import; `*` stands for all.
    pub(crate) imports: &'static [&'static str],
    /// The wall between it and the others.
    pub(crate) wall: &'static str,
}

impl Room {
    /// Its name as a package.
    pub(crate) fn package(&self) -> String {
        format!("wavetank-{}", self.name)
    }

    /// Whether it may import the room of this name.
    pub(crate) fn may_import(&self, name: &str) -> bool {
        self.imports.iter().any(|import| *import == "*" || *import == name)
    }
}

const fn pure(
    name: &'static str,
    folder: &'static str,
    imports: &'static [&'static str],
    wall: &'static str,
) -> Room {
    Room { name, folder, kind: Kind::Pure, imports, wall }
}

const fn worldly(
    name: &'static str,
    folder: &'static str,
    imports: &'static [&'static str],
    wall: &'static str,
) -> Room {
    Room { name, folder, kind: Kind::Worldly, imports, wall }
}

/// The rooms.
pub(crate) const ROOMS: &[Room] = &[
    pure("types", "node-core/types", &[], "types is what everybody speaks, so it knows nobody"),
    pure("kad", "node-core/kad", &["types"], "layers of a node do not know each other: node introduces them"),
    pure(
        "config",
        "node-core/config",
        &["types", "kad"],
        "config is plain types, for scenarios and nodes alike",
    ),
    pure(
        "node",
        "node-core/node",
        &["types", "kad", "config"],
        "node composes the layers and knows neither bytes nor stages",
    ),
    pure("wire", "node-core/wire", &["types", "kad", "node"], "wire is codecs of messages and nothing else"),
    worldly("fce", "node-core/fce", &[], "fce runs Wasm services and knows nobody who calls them"),
    worldly(
        "actor",
        "node-core/actor",
        &["types", "kad", "config", "node", "wire"],
        "actor serves both worlds, so it knows neither simulation nor transports",
    ),
    worldly(
        "p2p",
        "node-core/p2p",
        &["types", "kad", "config", "node", "wire", "actor"],
        "p2p is the node on a real network: it knows neither simulation nor scenarios",
    ),
    pure("kernel", "sim/kernel", &["types"], "kernel knows no node"),
    pure(
        "play",
        "sim/play",
        &["types", "kad", "config", "node", "kernel"],
        "play knows no stage, so that real processes get the same workloads and faults",
    ),
    pure(
        "judge",
        "sim/judge",
        &["types", "kad", "config", "node", "kernel", "play"],
        "judge knows no stage, so that real processes are judged by the same questions",
    ),
    worldly(
        "world",
        "sim/world",
        &["types", "kad", "config", "node", "wire", "actor", "kernel", "play", "judge"],
        "world is one stage of two: it reads no scenario and writes no folder",
    ),
    worldly(
        "fleet",
        "sim/fleet",
        &["types", "kad", "config", "node", "wire", "kernel", "play", "judge"],
        "fleet reaches nodes as processes: it knows neither simulation nor transports",
    ),
    worldly(
        "run",
        "sim/run",
        &[
            "types", "kad", "config", "node", "wire", "kernel", "play", "judge", "world", "fleet", "model",
            "record",
        ],
        "run goes from plan to folder; reports are read from folders by cli",
    ),
    worldly(
        "bench",
        "sim/bench",
        &["types", "kad", "node", "kernel", "play", "world"],
        "bench measures the kernel and the stage as they are: it reads no scenario and writes no folder",
    ),
    worldly(
        "cli",
        "sim/cli",
        &[
            "types", "fce", "wire", "config", "p2p", "kernel", "play", "judge", "fleet", "run", "bench",
            "model", "record", "report",
        ],
        "cli is arguments, progress and exit codes: stages are reached through run, a node through its daemon or its \
         client",
    ),
    worldly(
        "model",
        "scenarios/model",
        &["types", "kad", "config", "kernel", "play", "judge"],
        "model turns YAML into a plan and knows no stage",
    ),
    worldly("record", "analysis/record", &["types"], "record is file formats: it sees no live object"),
    worldly("report", "analysis/report", &["types", "record"], "report reads files, never live objects"),
    worldly("tests", "tests", &["*"], "the workshop sees all"),
];

/// An outside crate and the rooms in which it is at home.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home {
    /// The crate.
    pub(crate) name: &'static str,
    /// Who may import it.
    pub(crate) rooms: Rooms,
    /// Why only they.
    pub(crate) wall: &'static str,
}

/// A choice of rooms.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rooms {
    /// All.
    All,
    /// All that are not pure.
    Worldly,
    /// These.
    Only(&'static [&'static str]),
}

impl Home {
    /// Whether `room` may import it.
    pub(crate) fn admits(&self, room: &Room) -> bool {
        match self.rooms {
            Rooms::All => true,
            Rooms::Worldly => room.kind == Kind::Worldly,
            Rooms::Only(names) => names.contains(&room.name),
        }
    }
}

const fn home(name: &'static str, rooms: Rooms, wall: &'static str) -> Home {
    Home { name, rooms, wall }
}

/// The outside crates that rooms may import directly.
pub(crate) const HOMES: &[Home] = &[
    home("serde", Rooms::All, "everybody's"),
    home("thiserror", Rooms::All, "everybody's"),
    home("hashbrown", Rooms::All, "everybody's, with a fixed hasher"),
    home("libm", Rooms::All, "everybody's: floats that are the same on every platform"),
    home("schemars", Rooms::All, "model makes schemas; pure rooms derive them behind the feature `schema`"),
    home("rand_core", Rooms::Only(&["types", "fce"]), "chance comes from the streams of types"),
    home(
        "rand_chacha",
        Rooms::Only(&["fce"]),
        "a service's entropy is a stream of its own, from a seed that it is given",
    ),
    home("rand_pcg", Rooms::Only(&["types"]), "chance comes from the streams of types"),
    home(
        "sha2",
        Rooms::Only(&["types", "fce", "run"]),
        "keys and ids are hashed in types, modules in fce, the texts of a run in run",
    ),
    home("ed25519-dalek", Rooms::Only(&["run"]), "keys of simulated peers are made where their ids are"),
    home("bs58", Rooms::Only(&["types"]), "ids are printed in types"),
    home("hex", Rooms::Only(&["wire", "fce"]), "bytes are written as text where they travel as JSON"),
    home(
        "actix",
        Rooms::Only(&["actor", "world", "p2p"]),
        "peers become actors in actor, arbiters are shards in world, a node's thread in p2p",
    ),
    home(
        "actix-rt",
        Rooms::Only(&["actor", "world", "p2p"]),
        "peers become actors in actor, arbiters are shards in world, a node's thread in p2p",
    ),
    home("libp2p", Rooms::Only(&["p2p"]), "only p2p has transports"),
    home("tokio", Rooms::Only(&["p2p"]), "only p2p waits for sockets and timers"),
    home(
        "rustix",
        Rooms::Only(&["fce", "fleet", "cli"]),
        "memories of services are mapped in fce, fleet sends signals to processes, and a node of a fleet dies with it",
    ),
    home("wasmer", Rooms::Only(&["fce"]), "only fce runs Wasm"),
    home("wasmer-types", Rooms::Only(&["fce"]), "only fce runs Wasm"),
    home("data-encoding", Rooms::Only(&["fce"]), "modules and blueprints go by content ids"),
    home("crc32fast", Rooms::Only(&["fce"]), "what fce keeps on disk has a checksum"),
    home("wasmparser", Rooms::Only(&["fce"]), "only fce reads Wasm"),
    home("wasm-encoder", Rooms::Only(&["fce"]), "only fce writes Wasm"),
    home("semver", Rooms::Only(&["fce"]), "modules name the versions of what built them"),
    home(
        "toml",
        Rooms::Only(&["fce"]),
        "a published service's configuration is TOML; ours is YAML, of model",
    ),
    home("axum", Rooms::Only(&["p2p"]), "only p2p serves HTTP"),
    home("hyper", Rooms::Only(&["p2p"]), "only p2p serves HTTP"),
    home("hyper-util", Rooms::Only(&["p2p"]), "only p2p serves HTTP"),
    home("prometheus-client", Rooms::Only(&["p2p"]), "only a deployed node is scraped"),
    home("redb", Rooms::Only(&["p2p"]), "only a node on a real network keeps anything across its lives"),
    home("ureq", Rooms::Only(&["fleet"]), "only fleet asks over HTTP"),
    home(
        "tracing",
        Rooms::Only(&["p2p", "cli"]),
        "a node on a real network has a log; whoever is tested does not write",
    ),
    home("tracing-subscriber", Rooms::Only(&["cli"]), "only a program says where its log goes"),
    home("granit-parser", Rooms::Only(&["model"]), "only model reads YAML"),
    home("serde-saphyr", Rooms::Only(&["model"]), "only model reads and writes YAML"),
    home("serde_path_to_error", Rooms::Only(&["model"]), "only model says where in a scenario an error is"),
    home("strsim", Rooms::Only(&["model", "cli"]), "only who reads what people write suggests corrections"),
    home("annotate-snippets", Rooms::Only(&["model", "cli"]), "diagnostics are drawn where people read them"),
    home("csv", Rooms::Only(&["record", "model"]), "record writes CSV, model reads traces"),
    home("divan", Rooms::Only(&["bench"]), "parts are timed where speed is measured"),
    home("cpu-time", Rooms::Only(&["bench"]), "clocks of the CPU are read where speed is measured"),
    home("zstd", Rooms::Only(&["record"]), "only record compresses"),
    home("quick-xml", Rooms::Only(&["record"]), "graphs are read and written by record"),
    home("serde_json", Rooms::Worldly, "pure rooms derive serde and choose no format"),
    home("plotters", Rooms::Only(&["report"]), "only report draws"),
    home("dejavu", Rooms::Only(&["report"]), "only report draws"),
    home("petgraph", Rooms::Only(&["report"]), "graph metrics are report's"),
    home("clap", Rooms::Only(&["cli"]), "arguments are cli's"),
    home("clap_complete", Rooms::Only(&["cli"]), "arguments are cli's"),
    home("clap_mangen", Rooms::Only(&["cli"]), "arguments are cli's"),
    home("indicatif", Rooms::Only(&["cli"]), "progress is cli's"),
    home("anstream", Rooms::Only(&["cli"]), "what people read is said by cli"),
    home("signal-hook", Rooms::Only(&["cli"]), "a program is interrupted, a library is told to stop"),
    home(
        "tempfile",
        Rooms::Only(&["cli", "p2p", "fce"]),
        "a second run that is only compared is kept nowhere, and a node's key or a compiled module is in its file whole \
         or not at all",
    ),
    home(
        "anyhow",
        Rooms::Only(&["cli", "tests"]),
        "libraries name their errors; only the binary and tests do not",
    ),
];

/// What a pure room may reach through its dependencies, beside other pure rooms: each is `no_std`, reads no clock, no
/// entropy and no environment.
pub(crate) const PURE_TREE: &[&str] = &[
    "block-buffer",
    "bs58",
    "cfg-if",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hashbrown",
    "hex",
    "hybrid-array",
    "libm",
    "rand_core",
    "rand_pcg",
    "serde",
    "serde_core",
    "sha2",
    "thiserror",
    "typenum",
];

/// Exceptions in that tree: (who, whom).
pub(crate) const PURE_TREE_PAIRS: &[(&str, &str)] = &[
    // On ARM, cpufeatures asks the system which instructions there are; SHA-256 is the same with or without.
    ("cpufeatures", "libc"),
];

/// Procedural macros that pure rooms may use. They run in the compiler: what they depend on is no part of the room.
pub(crate) const PURE_MACROS: &[&str] = &["serde_derive", "thiserror-impl"];

/// The files with unsafe code, and why each needs it. No other has any.
pub(crate) const UNSAFE: &[(&str, &str)] = &[
    (
        "node-core/fce/src/artefact.rs",
        "compiled code is loaded from a file: only who wrote it can say that it is sound",
    ),
    ("node-core/fce/src/image.rs", "a linear memory is an address range that compiled code writes to"),
];

/// Words of kernel's queue, which belong to stages: the rooms that say what happens may know how faults and
/// networks are written, not how events are ordered.
pub(crate) const QUEUE_WORDS: &[&str] = &["wheel", "Wheel", "Timed"];

/// The rooms in which they do not occur.
pub(crate) const QUEUELESS: &[&str] = &["play", "judge"];

/// What stands at the top level, beside dotfiles for plumbing.
pub(crate) const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "analysis",
    "node-core",
    "scenarios",
    "sim",
    "tests",
];

/// Output at the top level that git ignores.
pub(crate) const IGNORED_OUTPUT: &[&str] = &["runs", "target"];

/// Workspaces of their own that stand on a floor: what is in them is built for another machine.
pub(crate) const GUESTS: &[&str] = &["scenarios/services"];

/// The folders that hold rooms.
pub(crate) const FLOORS: &[&str] = &["analysis", "node-core", "scenarios", "sim"];

/// The room of this name, if there is one.
pub(crate) fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The pure rooms.
pub(crate) fn pure_rooms() -> impl Iterator<Item = &'static Room> {
    ROOMS.iter().filter(|room| room.kind == Kind::Pure)
}
