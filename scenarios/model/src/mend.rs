//! A scenario of which parts are wrong, mended so that the sense of the others can be checked all the same: people are told of
//! all their mistakes at once.
//!
//! Nothing that is mended is ever run. What could be a consequence of the mending is not said: better one mistake told
//! later than one that nobody made.

use serde_json::{Map, Value, json};

use crate::diagnostic::Code;
use crate::scenario::Scenario;
use crate::tree::{Path, Step};

/// Parts that are mended: a file with more mistakes is told of those first.
const MAX_MENDED: usize = 64;

/// A scenario that can be checked, though parts of it were not to be understood.
pub(crate) struct Mended {
    pub(crate) scenario: Scenario,
    /// The top-level keys below which something was replaced.
    sections: Vec<String>,
}

/// `value`, in which something is wrong, as a scenario; `None` if too much is.
pub(crate) fn mend(mut value: Value) -> Option<Mended> {
    let mut sections = Vec::new();
    for _ in 0..MAX_MENDED {
        match serde_path_to_error::deserialize::<_, Scenario>(&value) {
            Ok(scenario) => return Some(Mended { scenario, sections }),
            Err(error) => {
                let path = Path::of(error.path());
                sections.extend(replace(value.as_object_mut()?, &path)?);
            }
        }
    }
    None
}

impl Mended {
    /// Whether something below this top-level key was replaced.
    pub(crate) fn touched(&self, key: &str) -> bool {
        self.sections.iter().any(|section| section == key)
    }
}

/// Whether a mistake of this kind could be a consequence of what is wrong, or was mended, below a top-level key that is `touched`.
pub(crate) fn could_follow(code: Code, touched: impl Fn(&str) -> bool) -> bool {
    let sections: &[&str] = match code {
        Code::MetricWithoutSource | Code::NoEffect => &["workloads", "faults"],
        Code::UnknownGroup
        | Code::NoPeers
        | Code::TooManySelected
        | Code::EmptySelection
        | Code::TooManyContacts
        | Code::ValueTooLarge => &["peers"],
        Code::WindowBeyondRun
        | Code::EmptyWindow
        | Code::EmptyRun
        | Code::NoArrivals
        | Code::TooManyArrivals
        | Code::TooManyLives => &["duration", "warmup"],
        _ => &[],
    };
    sections.iter().any(|section| touched(section))
}

/// Replaces what stands at `path`, or the part around it that can be done without, by something that is right; returns the
/// top-level keys that this concerns.
fn replace(root: &mut Map<String, Value>, path: &Path) -> Option<Vec<String>> {
    let Some(Step::Key(section)) = path.0.first() else {
        let missing: Vec<_> =
            REQUIRED.into_iter().filter(|key| root.get(*key).is_none_or(Value::is_null)).collect();
        for key in &missing {
            root.insert((*key).to_owned(), plain(key));
        }
        return (!missing.is_empty()).then(|| missing.into_iter().map(str::to_owned).collect());
    };
    match (root.get_mut(section)?, path.0.get(1)) {
        (Value::Array(items), Some(Step::Index(index))) => *items.get_mut(*index)? = plain(section),
        (Value::Object(groups), Some(Step::Key(name))) if section == "peers" => {
            groups.insert(name.clone(), json!({"count": 1}));
        }
        (value, _) if REQUIRED.contains(&section.as_str()) => *value = plain(section),
        _ => {
            root.remove(section);
        }
    }
    Some(vec![section.clone()])
}

const REQUIRED: [&str; 5] = ["version", "name", "duration", "network", "peers"];

/// What stands for a part that is wrong.
fn plain(section: &str) -> Value {
    match section {
        "version" => json!(1),
        "name" => json!("mended"),
        "duration" => json!("1d"),
        "network" => json!({"uniform": {"latency": {"one_way": "40ms"}}}),
        "peers" => json!({"mended": {"count": 1}}),
        "workloads" => json!({"lookups": {"arrivals": {"open": {"rate": "1/s"}}, "target": "random_key"}}),
        _ => json!({"clog": {"victims": {}, "begin": "0s", "end": "1s"}}),
    }
}
