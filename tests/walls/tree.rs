//! What a pure room reaches through its dependencies: an allow-list over `cargo tree`.
//!
//! Features for schemas are aside, tests too. A procedural macro runs in the compiler, so what hangs below one is no
//! part of the room; that it is one of those we know is checked.

use std::process::Command;

use crate::house::{PURE_MACROS, PURE_TREE, PURE_TREE_PAIRS, Room, pure_rooms, room};
use crate::{Breach, listed, root};

const WALL: &str = "a pure room reaches nothing that is not in the allow-list of the house";
const MACRO_WALL: &str = "a pure room uses only the procedural macros in the allow-list of the house";

/// One line of `cargo tree --prefix depth`: `2serde_derive v1.0.229 (proc-macro)`.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    depth: usize,
    name: &'a str,
    is_macro: bool,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let digits = line.find(|c: char| !c.is_ascii_digit())?;
        let (depth, rest) = line.split_at(digits);
        Some(Self {
            depth: depth.parse().ok()?,
            name: rest.split(' ').next()?,
            is_macro: rest.contains(" (proc-macro)"),
        })
    }
}

/// The breaches in the tree of `room`, as `cargo tree --prefix depth --no-dedupe` prints it.
fn check(room: &Room, text: &str) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = Vec::new();
    // The names from the room down to the current line.
    let mut path: Vec<&str> = Vec::new();
    let mut cut_below: Option<usize> = None;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let Some(line) = Line::parse(line) else {
            breaches.push(Breach::new(
                room.name,
                format!("has the unreadable line `{line}` in its tree"),
                WALL,
            ));
            continue;
        };
        path.truncate(line.depth);
        path.push(line.name);
        if cut_below.is_some_and(|depth| line.depth > depth) {
            continue;
        }
        let parent = path.iter().rev().nth(1).copied();
        let verdict = judge(line, parent);
        cut_below = (line.depth > 0 && verdict != Verdict::Admitted).then_some(line.depth);
        if verdict == Verdict::Breach {
            let wall = if line.is_macro { MACRO_WALL } else { WALL };
            let breach = Breach::new(room.name, format!("reaches {}", path.join(" > ")), wall);
            if !breaches.contains(&breach) {
                breaches.push(breach);
            }
        }
    }
    if path.is_empty() {
        breaches.push(Breach::new(room.name, "has no tree", WALL));
    }
    breaches
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// In the allow-list; what hangs below it is looked at.
    Admitted,
    /// What hangs below it is no part of the room (a macro) or checked by itself (another pure room).
    Closed,
    /// Not in the allow-list; what hangs below it needs no more words.
    Breach,
}

fn judge(line: Line<'_>, parent: Option<&str>) -> Verdict {
    let excepted = parent.is_some_and(|parent| PURE_TREE_PAIRS.contains(&(parent, line.name)));
    if line.is_macro {
        if PURE_MACROS.contains(&line.name) { Verdict::Closed } else { Verdict::Breach }
    } else if pure_rooms().any(|room| room.package() == line.name) {
        Verdict::Closed
    } else if PURE_TREE.contains(&line.name) || excepted {
        Verdict::Admitted
    } else {
        Verdict::Breach
    }
}

fn tree_of(room: &Room) -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-e", "normal", "--prefix", "depth", "--no-dedupe", "-p", &room.package()])
        .current_dir(root())
        .output()?;
    anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn pure_rooms_reach_nothing_outside_the_allow_list() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    for room in pure_rooms() {
        breaches.extend(check(room, &tree_of(room)?));
    }
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

fn kad() -> anyhow::Result<&'static Room> {
    room("kad").ok_or_else(|| anyhow::anyhow!("no room kad"))
}

/// A tree without a breach, as cargo prints it.
const HONEST: &str = "\
0wavetank-kad v0.1.0 (/somewhere/node-core/kad)
1hashbrown v0.17.2
1serde v1.0.229
2serde_core v1.0.229
2serde_derive v1.0.229 (proc-macro)
3syn v3.0.10
1sha2 v0.11.1
2cpufeatures v0.3.1
3libc v0.2.191
1wavetank-types v0.1.0 (/somewhere/node-core/types)
2libm v0.2.16
";

#[test]
fn what_hangs_below_a_known_macro_or_an_exception_is_admitted() -> anyhow::Result<()> {
    assert_eq!(check(kad()?, HONEST), []);
    Ok(())
}

#[test]
fn a_planted_dependency_is_named_once_with_the_way_to_it() -> anyhow::Result<()> {
    for (planted, found) in [
        ("1tokio v1.0.0\n2mio v1.0.0\n1tokio v1.0.0\n", "reaches wavetank-kad > tokio"),
        ("1libm v0.2.16\n2statrs v0.19.0\n", "reaches wavetank-kad > libm > statrs"),
        ("1libc v0.2.0\n", "reaches wavetank-kad > libc"),
        ("1wavetank-world v0.1.0 (/somewhere)\n", "reaches wavetank-kad > wavetank-world"),
        ("1clock_macro v1.0.0 (proc-macro)\n2syn v3.0.10\n", "reaches wavetank-kad > clock_macro"),
        ("1serde_derive v1.0.0 (proc-macro)\n2syn v3.0.10\n1rand v0.10.0\n", "reaches wavetank-kad > rand"),
        ("?\n", "has the unreadable line `?` in its tree"),
    ] {
        let breaches = check(kad()?, &format!("{HONEST}{planted}"));
        let found_there: Vec<_> = breaches.iter().map(|breach| breach.found.as_str()).collect();
        assert_eq!(found_there, [found]);
    }
    assert_eq!(check(kad()?, "").len(), 1, "no tree is no proof");
    Ok(())
}
