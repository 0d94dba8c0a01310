//! Laws of the disk against a simple model, and what no sequence of calls may do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What is done to a disk and to its model.
#[derive(Clone, Debug)]
enum Step {
    Write(&'static str, u64, Vec<u8>),
    Resize(&'static str, u64),
    Unlink(&'static str),
    MakeDirectory(&'static str),
    RemoveDirectory(&'static str),
    Rename(&'static str, &'static str),
    Keep,
    PutBack,
}

const PATHS: [&str; 8] = ["a", "b", "c", "a/x", "a/y", "b/x", "a/x/z", "b/x/z"];

fn step() -> impl Strategy<Value = Step> {
    let path = || proptest::sample::select(PATHS.to_vec());
    let at = || prop_oneof![0u64..10, 4090u64..4100, 262_140u64..262_150];
    let bytes = proptest::collection::vec(0u8..3, 0..20);
    prop_oneof![
        4 => (path(), at(), bytes).prop_map(|(path, at, bytes)| Step::Write(path, at, bytes)),
        2 => (path(), at()).prop_map(|(path, at)| Step::Resize(path, at)),
        2 => path().prop_map(Step::Unlink),
        3 => path().prop_map(Step::MakeDirectory),
        1 => path().prop_map(Step::RemoveDirectory),
        3 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => Just(Step::Keep),
        1 => Just(Step::PutBack),
    ]
}

/// Files by path, directories as nothing.
type Model = BTreeMap<String, Option<Vec<u8>>>;

fn parent_is_there(model: &Model, path: &str) -> bool {
    path.rsplit_once('/').is_none_or(|(parent, _)| matches!(model.get(parent), Some(None)))
}

fn has_below(model: &Model, path: &str) -> bool {
    model.keys().any(|key| key.starts_with(&format!("{path}/")))
}

/// The model's own idea of what a step does: whether it is done.
fn step_model(model: &mut Model, step: &Step) -> bool {
    match step {
        Step::Write(path, at, bytes) => {
            if !parent_is_there(model, path) || matches!(model.get(*path), Some(None)) {
                return false;
            }
            let file = model.entry((*path).into()).or_insert_with(|| Some(Vec::new())).as_mut().unwrap();
            if !bytes.is_empty() {
                let end = *at as usize + bytes.len();
                file.resize(file.len().max(end), 0);
                file[*at as usize..end].copy_from_slice(bytes);
            }
            true
        }
        Step::Resize(path, size) => match model.get_mut(*path) {
            Some(Some(file)) => {
                file.resize(*size as usize, 0);
                true
            }
            _ => false,
        },
        Step::Unlink(path) => matches!(model.get(*path), Some(Some(_))) && model.remove(*path).is_some(),
        Step::MakeDirectory(path) => {
            let may = parent_is_there(model, path) && !model.contains_key(*path);
            if may {
                model.insert((*path).into(), None);
            }
            may
        }
        Step::RemoveDirectory(path) => {
            let may = matches!(model.get(*path), Some(None)) && !has_below(model, path);
            if may {
                model.remove(*path);
            }
            may
        }
        Step::Rename(from, to) => rename_model(model, from, to),
        Step::Keep | Step::PutBack => true,
    }
}

fn rename_model(model: &mut Model, from: &str, to: &str) -> bool {
    if !model.contains_key(from) || !parent_is_there(model, to) || to.starts_with(&format!("{from}/")) {
        return false;
    }
    if from == to {
        return true;
    }
    let fits = match (&model[from], model.get(to)) {
        (_, None) | (Some(_), Some(Some(_))) => true,
        (None, Some(None)) => !has_below(model, to),
        _ => false,
    };
    if fits {
        let below = format!("{from}/");
        let moved: Vec<String> =
            model.keys().filter(|key| *key == from || key.starts_with(&below)).cloned().collect();
        for key in moved {
            let content = model.remove(&key).unwrap();
            model.insert(format!("{to}{}", &key[from.len()..]), content);
        }
    }
    fits
}

fn step_disk(guest: &mut Guest, step: &Step) -> bool {
    let with_file = |guest: &mut Guest, path: &str, how, act: &dyn Fn(&mut Guest, i64) -> Errno| {
        let Ok(file) = guest.try_open(DATA_DIRECTORY, path, how, BOTH, 0) else { return false };
        let errno = act(guest, file);
        guest.ok("fd_close", &[file]);
        errno == Errno::Success
    };
    match step {
        Step::Write(path, at, bytes) => with_file(guest, path, CREATE, &|guest, file| {
            guest.ok("fd_seek", &[file, *at as i64, 0, TOLD.into()]);
            guest.write(file, bytes)
        }),
        Step::Resize(path, size) => with_file(guest, path, 0, &|guest, file| {
            guest.call("fd_filestat_set_size", &[file, *size as i64])
        }),
        Step::Unlink(path) => guest.on_path("path_unlink_file", path) == Errno::Success,
        Step::MakeDirectory(path) => guest.on_path("path_create_directory", path) == Errno::Success,
        Step::RemoveDirectory(path) => guest.on_path("path_remove_directory", path) == Errno::Success,
        Step::Rename(from, to) => guest.rename(from, to) == Errno::Success,
        Step::Keep | Step::PutBack => true,
    }
}

fn content(disk: &Disk) -> Model {
    let file =
        |met: &Met| (!met.is_directory()).then(|| disk.read_file(&format!("data/{}", met.path)).unwrap());
    disk.walk("data").iter().map(|met| (met.path.clone(), file(met))).collect()
}

/// That sums and links are what they should be.
fn check(disk: &Disk) {
    let met = disk.walk("");
    assert_eq!(met.len() as u32, disk.used_entries());
    let mut links: BTreeMap<u64, u32> = BTreeMap::new();
    met.iter().for_each(|met| *links.entry(met.node).or_default() += 1);
    for (node, links) in &links {
        assert_eq!(disk.node(*node).unwrap().links, *links);
    }
    let bytes: u64 = links.keys().map(|node| disk.node(*node).unwrap().size_bytes()).sum();
    assert!(bytes <= disk.used_bytes());
    let DiskLimits { bytes, entries, file_bytes, depth, .. } = *disk.limits();
    assert!(disk.used_bytes() <= bytes && disk.used_entries() <= entries);
    for met in met {
        assert!(disk.node(met.node).unwrap().size_bytes() <= file_bytes);
        assert!(met.path.matches('/').count() as u32 <= depth);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_disk_is_a_map_of_paths_whatever_is_done_and_put_back(steps in proptest::collection::vec(step(), 1..40)) {
        let (mut guest, mut model) = (Guest::new(), Model::new());
        let mut kept = (guest.disk.clone(), guest.disk.digest(), model.clone());
        for step in steps {
            match step {
                Step::Keep => kept = (guest.disk.clone(), guest.disk.digest(), model.clone()),
                Step::PutBack => (guest.disk, model) = (kept.0.clone(), kept.2.clone()),
                _ => {}
            }
            prop_assert_eq!(step_disk(&mut guest, &step), step_model(&mut model, &step), "{:?}", step);
            prop_assert_eq!(content(&guest.disk), model.clone());
            check(&guest.disk);
            // What was kept does not see what is done after.
            prop_assert_eq!(kept.0.digest(), kept.1);
            prop_assert_eq!(guest.disk == kept.0, guest.disk.digest() == kept.1);
        }
    }

    #[test]
    fn digests_are_equal_if_and_only_if_disks_are(
        (one, two) in (proptest::collection::vec(step(), 0..6), proptest::collection::vec(step(), 0..6)),
    ) {
        // Without time passing, so that different ways may lead to the same disk.
        let run = |steps: &[Step]| {
            let mut guest = Guest::new();
            guest.outside = Outside::new([7; 32], 0);
            for step in steps {
                step_disk(&mut guest, step);
            }
            guest.disk
        };
        let (one, two) = (run(&one), run(&two));
        prop_assert_eq!(one == two, one.digest() == two.digest());
        if content(&one) != content(&two) {
            prop_assert_ne!(one.digest(), two.digest());
        }
    }

    /// Functions with arguments of all kinds on a memory that is a small part of what they may point at.
    #[test]
    fn no_call_panics_or_passes_a_limit(
        memory in proptest::collection::vec(prop_oneof![Just(0u8), Just(b'/'), Just(b'.'), b'a'..b'e', any::<u8>()], 256..600),
        calls in proptest::collection::vec((0..FUNCTIONS.len(), proptest::collection::vec(argument(), 9)), 1..60),
    ) {
        let limits = DiskLimits {
            bytes: 5000, entries: 12, file_bytes: 4500, descriptors: 9, path_bytes: 20, depth: 3, iovecs: 4,
            output_bytes: 300, subscriptions: 3,
        };
        let mut guest = Guest::limited(limits);
        guest.memory = memory;
        guest.fuel.budget = 1_000_000;
        for (at, args) in calls {
            let function = &FUNCTIONS[at];
            let before = guest.fuel.used;
            let done = guest.run(function.name, &args[..function.params.len()]);
            if !matches!(done, Err(Exit::OutOfFuel { .. })) {
                prop_assert!(guest.fuel.used >= before + function.base_fuel);
            }
            prop_assert!(guest.fuel.used <= guest.fuel.budget);
            prop_assert!(guest.process.open_descriptors() <= 9);
            let is_mistake = matches!(done, Err(Exit::Arguments { .. }));
            prop_assert!(!is_mistake);
            check(&guest.disk);
        }
        let lines = guest.report.take_lines();
        prop_assert!(lines.iter().map(|line| line.text.len() / 3 + 60).sum::<usize>() <= 300);
        guest.disk.settle(&mut [&mut guest.process]);
        guest.process.close_all(&mut guest.disk);
        let nodes: std::collections::BTreeSet<u64> = guest.disk.walk("").iter().map(|met| met.node).collect();
        let bytes: u64 = nodes.iter().map(|node| guest.disk.node(*node).unwrap().size_bytes()).sum();
        prop_assert_eq!(guest.disk.used_bytes(), bytes);
    }
}

/// Often a small number, so that it is a descriptor, a flag or a place in the memory; seldom anything.
fn argument() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0i64..10, 6 => 0i64..300, 1 => 250i64..700, 1 => Just(-1), 1 => any::<i64>()]
}
