//! Where the figures come from: what was modelled, what was not, and who ran it.

use record::{Manifest, Start};

use crate::data::Data;
use crate::html::escape;
use crate::words::{bytes, counted, nanoseconds, number};

/// Characters of a hash that are shown.
const HASH_CHARS: usize = 12;

/// What a reader must know before any figure, if it was not.
pub(super) fn stage(manifest: &Manifest) -> String {
    if manifest.is_simulated() {
        return String::new();
    }
    let Some(local) = &manifest.local else {
        return "<p class=\"note\">This run was performed by real processes: nothing repeats it exactly.</p>\n".to_owned();
    };
    let ms = |ms: f64| nanoseconds(ms * 1e6);
    let mut text = format!(
        "<p class=\"note\">This run was performed by real processes on one machine, in real time: nothing repeats it exactly. \
         {} started, which took {} each and {} at most to answer; operations were asked {} late at most.",
        counted(local.processes, "node"),
        ms(local.start_ms_mean),
        ms(local.start_ms_max),
        ms(local.ask_lag_ms_max),
    );
    let doubts = [
        (local.late, "things were told too late and are dated later than they happened"),
        (local.events_lost, "events were forgotten before they were asked for"),
        (local.unanswered, "operations came to no known end"),
        (local.unseen, "looks at a node were not answered in time"),
        (local.overdue, "nodes did not stop in time and were killed"),
    ];
    for (count, what) in doubts.iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(" {count} {what}."));
    }
    text + "</p>\n"
}

pub(super) fn fidelity(manifest: &Manifest) -> String {
    let start = match manifest.start {
        Start::Join => "Peers joined through the protocol.",
        Start::Oracle => {
            "Routing tables were filled from full knowledge before the first event: nobody had to join, so the figures leave joining out."
        }
    };
    let parts: String = manifest
        .fidelity
        .iter()
        .map(|(part, how)| {
            let about = explained(part, how).map(|about| format!(" · {about}")).unwrap_or_default();
            format!("<dt>{}</dt><dd>{}{about}</dd>\n", escape(part), escape(how))
        })
        .collect();
    format!(
        "<dl class=\"list\">\n<dt>start</dt><dd>{start}</dd>\n{parts}</dl>\n<h3>Not in these figures</h3>\n<ul>\n{}</ul>\n",
        left_out(manifest)
    )
}

/// What nobody should read into the figures.
fn left_out(manifest: &Manifest) -> String {
    let how = |part: &str, how: &str| manifest.fidelity.get(part).is_some_and(|found| found == how);
    let simulated = manifest.is_simulated();
    let said = [
        (
            simulated,
            "Real machines: peers ran in one process, over modelled links and a simulated clock; no sockets, operating systems, address translation or firewalls.",
        ),
        (
            !simulated,
            "Real distances: all processes shared one machine, its cores and its loopback; what lies between them was emulated.",
        ),
        (
            manifest.start == Start::Oracle,
            "Joining: tables were ideal when the clock began, which no network is by itself.",
        ),
        (how("links", "free"), "The cost of connections: no handshakes, no limit on how many a peer keeps."),
        (
            how("crypto", "modelled"),
            "The work of cryptography: ids are drawn, not hashed from keys, and no signature is made or checked.",
        ),
        (
            simulated && how("crypto", "real"),
            "The work of cryptography: ids are those of keys, and no handshake is computed.",
        ),
        (
            how("wire", "typed"),
            "Encoding and decoding: values were handed over; sizes are those of the codec all the same.",
        ),
        (true, "How much chance there is in them: this is one seed. <code>wavetank hunt</code> runs many."),
    ];
    said.iter().filter(|(applies, _)| *applies).map(|(_, what)| format!("<li>{what}</li>\n")).collect()
}

/// What a line of the scenario's `fidelity:` block means for the figures.
fn explained(part: &str, how: &str) -> Option<&'static str> {
    Some(match (part, how) {
        ("crypto", "real") => {
            "each peer has an Ed25519 key that follows from the seed, and its id is that key's"
        }
        ("crypto", "modelled") => "signatures were not computed",
        ("wasm", "real") => "services ran as Wasm",
        ("wasm", "modelled") => "services did not run, but took the same simulated time",
        ("air", "native") => "scripts ran in this project's interpreter",
        ("air", "reference") => "scripts ran in the published interpreter",
        ("wire", "typed") => {
            "messages were handed over as values; bandwidth counted their exact encoded size"
        }
        ("wire", "encoded") => "every message went through the codec",
        ("links", "dialled") => "connections cost their round trips, and idle ones close",
        ("links", "emulated") => {
            "real connections over loopback, delayed below Noise and lossy above it as the scenario says"
        }
        ("links", "free") => "connections cost nothing: the first message to a peer is as fast as the next",
        _ => return None,
    })
}

pub(super) fn footer(data: &Data) -> String {
    let manifest = &data.manifest;
    let (build, wall) = (&manifest.wavetank, &manifest.wall);
    let features = match build.features.as_slice() {
        [] => String::new(),
        features => format!(", features {}", features.join(" ")),
    };
    let commit = build.git.as_ref().map(|git| format!(" ({git})")).unwrap_or_default();
    let scenario = &manifest.scenario;
    let inputs = scenario.inputs.iter().map(|(name, hash)| format!("{name} {}", short(hash)));
    let figures = [
        wall.seconds.map(|seconds| nanoseconds(seconds * 1e9)),
        wall.events_per_cpu_second.map(|rate| format!("{} events per CPU-second", number(rate.round()))),
        wall.peak_rss_bytes.map(|peak| format!("{} of memory at most", bytes(peak as f64))),
    ];
    let machine = format!("{}, {}", manifest.host.os, counted(manifest.host.cores.into(), "core"));
    let driven = format!(
        "{} stage, {} driver, {}",
        manifest.backend,
        manifest.driver,
        counted(manifest.threads.into(), "thread")
    );
    let entries = [
        (
            "program",
            format!("wavetank {}{commit}, {}, {}{features}", build.version, build.profile, build.target),
        ),
        (
            "scenario",
            format!(
                "{} sha256 {}",
                scenario.path.as_deref().unwrap_or(&scenario.name),
                short(&scenario.sha256)
            ),
        ),
        ("plan", format!("sha256 {}", short(&scenario.plan_sha256))),
        ("inputs", inputs.collect::<Vec<_>>().join(", ")),
        ("changed by --set", manifest.set.join(", ")),
        ("seed", format!("{}, random streams version {}", manifest.seed.0, manifest.streams)),
        (
            "fingerprint",
            manifest.fingerprint.value.as_ref().map_or_else(String::new, |value| {
                format!(
                    "{value}, version {}, {}",
                    manifest.fingerprint.version,
                    counted(manifest.fingerprint.ladder.len() as u64, "rung")
                )
            }),
        ),
        ("driven by", driven),
        ("machine", machine),
        ("started", wall.started.clone()),
        ("took", figures.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        ("format", format!("run folder version {}", manifest.format)),
    ];
    let entries: String = entries
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    format!("<footer>\n<h2>Where this comes from</h2>\n<dl class=\"list\">\n{entries}</dl>\n</footer>\n")
}

/// Enough of a hash to recognise it; the manifest has the rest.
fn short(hash: &str) -> String {
    match hash.char_indices().nth(HASH_CHARS) {
        Some((at, _)) => format!("{}…", hash.get(..at).unwrap_or_default()),
        None => hash.to_owned(),
    }
}
