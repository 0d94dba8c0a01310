//! What rooms import directly, and that all share the workspace's versions and lints.

use toml::{Table, Value};

use crate::house::{HOMES, Kind, PURE_TREE, ROOMS, Room, room};
use crate::{Breach, listed, read};

/// The tables that become part of a crate. Dependencies of its tests are not among them.
const IMPORTING: &[&str] = &["dependencies", "build-dependencies"];
const ALL: &[&str] = &["dependencies", "build-dependencies", "dev-dependencies"];

/// The breaches in the manifest of `room`.
fn check(room: &Room, text: &str) -> Result<Vec<Breach>, toml::de::Error> {
    let manifest: Table = text.parse()?;
    let imports = entries(&manifest, IMPORTING);
    let imported = imports.iter().filter_map(|(name, value)| check_import(room, name, value));
    let everything = entries(&manifest, ALL);
    let versions = everything.iter().filter(|(_, value)| !flag(value, "workspace")).map(|(name, _)| {
        Breach::new(room.name, format!("states {name} itself"), "versions stand in the workspace's manifest")
    });
    let lints = manifest.get("lints").is_none_or(|lints| !flag(lints, "workspace"));
    let lints = lints.then(|| {
        Breach::new(
            room.name,
            "does not take the workspace's lints",
            "`[lints] workspace = true` in each room",
        )
    });
    Ok(imported.chain(versions).chain(lints).collect())
}

/// The dependencies under these tables, for whatever target.
fn entries<'a>(manifest: &'a Table, tables: &[&str]) -> Vec<(&'a String, &'a Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let per_target = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(per_target)
        .flat_map(|table| tables.iter().filter_map(|name| table.get(*name)?.as_table()))
        .flatten()
        .collect()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn check_import(importer: &Room, name: &str, value: &Value) -> Option<Breach> {
    let breach = |wall: &str| Some(Breach::new(importer.name, format!("imports {name}"), wall));
    if room(name).is_some() {
        return if importer.may_import(name) { None } else { breach(importer.wall) };
    }
    let Some(home) = HOMES.iter().find(|home| home.name == name) else {
        return breach("each outside crate has a home, entered in the table of the house");
    };
    let derives_always = name == "schemars" && importer.kind == Kind::Pure && !flag(value, "optional");
    if home.admits(importer) && !derives_always { None } else { breach(home.wall) }
}

/// The breaches in the workspace's manifest: who is a member, and what would let a wall be evaded.
fn check_workspace(text: &str) -> Result<Vec<Breach>, toml::de::Error> {
    const ROOT: &str = "Cargo.toml";
    let manifest: Table = text.parse()?;
    let workspace = manifest.get("workspace");
    let members = workspace.and_then(|workspace| workspace.get("members")?.as_array());
    let members: Vec<_> = members.into_iter().flatten().filter_map(Value::as_str).collect();
    let mut breaches = Vec::new();
    for member in &members {
        if !ROOMS.iter().any(|room| room.folder == *member) {
            let found = format!("has the member {member}");
            breaches.push(Breach::new(ROOT, found, "each crate is a room of the table of the house"));
        }
    }
    for room in ROOMS.iter().filter(|room| !members.contains(&room.folder)) {
        let found = format!("lacks the member {}", room.folder);
        breaches.push(Breach::new(ROOT, found, "each room of the table of the house exists"));
    }
    let dependencies = workspace.and_then(|workspace| workspace.get("dependencies")?.as_table());
    for (name, value) in dependencies.into_iter().flatten() {
        let package = value.get("package").and_then(Value::as_str).unwrap_or(name);
        let expected = room(name).map_or_else(|| name.clone(), Room::package);
        if package != expected {
            let found = format!("calls {package} by the name of {name}");
            breaches.push(Breach::new(ROOT, found, "a dependency goes by its own name"));
        }
    }
    let with_defaults = |value: &Value| value.get("default-features").and_then(Value::as_bool) != Some(false);
    for (name, value) in dependencies.into_iter().flatten() {
        if PURE_TREE.contains(&name.as_str()) && with_defaults(value) {
            let found = format!("takes the default features of {name}");
            let wall = "what pure rooms use has neither std nor random hashers";
            breaches.push(Breach::new(ROOT, found, wall));
        }
    }
    let lint =
        workspace.and_then(|workspace| workspace.get("lints")?.get("rust")?.get("unsafe_code")?.as_str());
    if lint != Some("deny") {
        let wall = "unsafe code stands in files that are named with a reason";
        breaches.push(Breach::new(ROOT, "does not deny unsafe code", wall));
    }
    Ok(breaches)
}

#[test]
fn rooms_import_only_what_their_walls_let_through() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    for room in ROOMS {
        breaches.extend(check(room, &read(format!("{}/Cargo.toml", room.folder))?)?);
    }
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

#[test]
fn the_workspace_holds_the_rooms_of_the_table_and_no_disguise() -> anyhow::Result<()> {
    let breaches = check_workspace(&read("Cargo.toml")?)?;
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

/// Plants `dependencies` into a manifest of `name` and returns what is found, `found (wall)` each.
fn planted(name: &str, dependencies: &str) -> anyhow::Result<Vec<String>> {
    let room = room(name).ok_or_else(|| anyhow::anyhow!("no room {name}"))?;
    let breaches = check(room, &format!("{dependencies}\n[lints]\nworkspace = true\n"))?;
    Ok(breaches.into_iter().map(|breach| format!("{} ({})", breach.found, breach.wall)).collect())
}

#[test]
fn a_planted_import_is_named_with_its_wall() -> anyhow::Result<()> {
    let unknown = "each outside crate has a home, entered in the table of the house";
    for (name, dependency, wall) in [
        ("kad", "tokio", "only p2p waits for sockets and timers"),
        ("kad", "getrandom", unknown),
        (
            "kad",
            "actix",
            "peers become actors in actor, arbiters are shards in world, a node's thread in p2p",
        ),
        ("actor", "libp2p", "only p2p has transports"),
        ("p2p", "world", "p2p is the node on a real network: it knows neither simulation nor scenarios"),
        ("kad", "config", "layers of a node do not know each other: node introduces them"),
        ("node", "rand_core", "chance comes from the streams of types"),
        ("wire", "serde_json", "pure rooms derive serde and choose no format"),
        ("play", "schemars", "model makes schemas; pure rooms derive them behind the feature `schema`"),
        ("play", "world", "play knows no stage, so that real processes get the same workloads and faults"),
        ("kernel", "node", "kernel knows no node"),
        ("actor", "kernel", "actor serves both worlds, so it knows neither simulation nor transports"),
        ("world", "clap", "arguments are cli's"),
        ("fleet", "world", "fleet reaches nodes as processes: it knows neither simulation nor transports"),
        ("fleet", "libp2p", "only p2p has transports"),
        ("run", "plotters", "only report draws"),
        ("run", "serde-saphyr", "only model reads and writes YAML"),
        ("report", "judge", "report reads files, never live objects"),
        ("record", "config", "record is file formats: it sees no live object"),
        ("cli", "plotters", "only report draws"),
        ("model", "anyhow", "libraries name their errors; only the binary and tests do not"),
    ] {
        for table in ["dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            let found = planted(name, &format!("[{table}]\n{dependency}.workspace = true"))?;
            assert_eq!(found, [format!("imports {dependency} ({wall})")], "{name}");
        }
    }
    Ok(())
}

#[test]
fn what_only_tests_import_is_no_breach() -> anyhow::Result<()> {
    assert_eq!(planted("kad", "[dev-dependencies]\nserde_json.workspace = true")?, [""; 0]);
    assert_eq!(planted("play", "[dependencies]\nschemars = { workspace = true, optional = true }")?, [""; 0]);
    Ok(())
}

#[test]
fn a_version_or_lints_of_its_own_are_named() -> anyhow::Result<()> {
    let found = planted("kad", "[dev-dependencies]\nproptest = \"1\"")?;
    assert_eq!(found, ["states proptest itself (versions stand in the workspace's manifest)"]);
    for lints in ["", "[lints.rust]\nunsafe_code = \"allow\"", "[lints]\nworkspace = false"] {
        let room = room("kad").ok_or_else(|| anyhow::anyhow!("no room kad"))?;
        let breaches = check(room, lints)?;
        assert_eq!(
            breaches.iter().map(|breach| breach.found.as_str()).collect::<Vec<_>>(),
            ["does not take the workspace's lints"]
        );
    }
    Ok(())
}

#[test]
fn a_disguise_in_the_workspace_is_named() -> anyhow::Result<()> {
    let honest = read("Cargo.toml")?;
    for (from, to, found) in [
        ("\"sim/world\",", "\"sim/world\", \"sim/attic\",", "has the member sim/attic"),
        ("\"sim/world\",", "", "lacks the member sim/world"),
        ("libm = {", "libm = { package = \"rand_distr\",", "calls rand_distr by the name of libm"),
        (
            "hashbrown = { version = \"0.17\", default-features = false",
            "hashbrown = { version = \"0.17\"",
            "takes the default features of hashbrown",
        ),
        ("unsafe_code = \"deny\"", "unsafe_code = \"warn\"", "does not deny unsafe code"),
    ] {
        let planted = honest.replacen(from, to, 1);
        assert_ne!(planted, honest, "{from} is there to be replaced");
        let breaches = check_workspace(&planted)?;
        assert_eq!(breaches.iter().map(|breach| breach.found.as_str()).collect::<Vec<_>>(), [found]);
    }
    Ok(())
}
