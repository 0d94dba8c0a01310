//! What is wrong with the parts of a plan together: names that nobody has, windows beyond the run, numbers that mean
//! nothing or too much.
//!
//! Everything is said at once, each with the dotted path of what it complains about (`faults.2.crash.at`). A group's
//! `node:` block is [`config::Config::problems`]' to judge.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use types::{Duration, Share};

use crate::lifecycle::MAX_FAULTS;
use crate::links::MAX_SIDES;
use crate::online::MAX_CONTACTS;
use crate::plan::popularity::{LEAST_EXPONENT, MOST_EXPONENT};
use crate::plan::{
    Amount, Arrivals, Churn, Distribution, Division, Fault, Group, GroupNames, Join, Loss, Partition,
    Popularity, Providers, RecordedChurn, Records, Restart, Select, Skew, Stage, Workload,
};
use crate::play::Inputs;
use crate::roster::share_of;
use crate::script::MAX_ARRIVALS;
use crate::serial::{MAX_CLIENTS, MAX_WORKLOADS};

/// Peers of a plan: sixteen times the million that a machine can hold.
pub const MAX_PEERS: u64 = 1 << 24;
/// Lives that a churn may be expected to make: their list takes 20 bytes each, 1.3 GiB.
pub const MAX_EXPECTED_LIVES: u64 = 1 << 26;
/// Operations that open arrivals may be expected to begin: a run of them takes hours, and more are a slip.
pub const MAX_EXPECTED_ARRIVALS: u64 = 1 << 28;
/// The longest time for which a message is held back: as the longest latency.
pub const MAX_HOLD: Duration = kernel::resolve::MAX_LATENCY;
/// Bytes of a name: it stands in tables of reports.
pub const MAX_NAME_BYTES: usize = 64;

const _: () = assert!(MAX_EXPECTED_ARRIVALS < MAX_ARRIVALS, "whatever is expected can be numbered");

/// Something that a plan cannot mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about, as a dotted path from the scenario's root.
    pub path: String,
    /// A stable name of the mistake.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// Everything that is wrong with `inputs`.
#[must_use]
pub fn problems(inputs: &Inputs<'_>) -> Vec<Problem> {
    let mut check = Check { inputs, found: Vec::new() };
    check.run();
    check.groups();
    check.workloads();
    check.faults();
    check.found
}

/// Everything that is wrong with a selection of peers that stands at `path`.
#[must_use]
pub fn selection_problems(inputs: &Inputs<'_>, path: &str, select: &Select) -> Vec<Problem> {
    let mut check = Check { inputs, found: Vec::new() };
    check.select(path, select);
    check.found
}

struct Check<'a> {
    inputs: &'a Inputs<'a>,
    found: Vec<Problem>,
}

impl Check<'_> {
    fn add(&mut self, path: &str, code: &'static str, message: String) {
        self.found.push(Problem { path: path.to_string(), code, message, help: None });
    }

    fn advise(&mut self, path: &str, code: &'static str, message: String, help: String) {
        self.found.push(Problem { path: path.to_string(), code, message, help: Some(help) });
    }

    fn run(&mut self) {
        let Inputs { duration, warmup, .. } = *self.inputs;
        if duration == Duration::ZERO {
            self.add("duration", "empty_run", "must be longer than 0s".to_string());
        } else if warmup >= duration {
            self.add(
                "warmup",
                "window_beyond_run",
                alloc::format!("is {warmup}, the run ends at {duration}"),
            );
        }
    }

    fn groups(&mut self) {
        let groups = self.inputs.groups;
        let peers: u64 = groups.iter().map(|(_, group)| u64::from(group.count)).sum();
        let callable = |group: &Group| group.count.saturating_sub(share_of(group.undialable, group.count));
        if peers > 0 && groups.iter().all(|(_, group)| callable(group) == 0) {
            let message = "nobody can be called: every peer is undialable".to_string();
            let help = "leave `undialable` out of one group".to_string();
            self.advise("peers", "nobody_to_call", message, help);
        }
        if peers == 0 {
            self.add("peers", "no_peers", "nobody takes part".to_string());
        } else if peers > MAX_PEERS {
            self.add("peers", "too_many_peers", alloc::format!("{peers} peers are more than {MAX_PEERS}"));
        }
        if peers > 0 && !groups.iter().any(|(_, group)| group.serves()) {
            self.add("peers", "no_peers", "nobody serves: every group is one of clients".to_string());
        }
        for (name, group) in groups {
            let path = alloc::format!("peers.{name}");
            self.name(&path, name);
            self.group(&path, group);
        }
    }

    fn group(&mut self, path: &str, group: &Group) {
        if group.count == 0 {
            self.add(
                &alloc::format!("{path}.count"),
                "empty_group",
                "a group has at least one peer".to_string(),
            );
        }
        if group.cores == 0 {
            self.add(&alloc::format!("{path}.cores"), "no_core", "a peer has at least one core".to_string());
        }
        if group.speed == Share::ZERO {
            self.add(
                &alloc::format!("{path}.speed"),
                "no_speed",
                "a core that stands still does nothing".to_string(),
            );
        }
        let duration = self.inputs.duration;
        let (kind, last, late) = match group.join {
            Join::At(at) => ("at", at, at >= duration),
            Join::Ramp(over) => ("ramp", over, over > duration),
            Join::Poisson(over) => ("poisson", over, over > duration),
        };
        if late {
            let message = alloc::format!("is {last}, the run ends at {duration}");
            self.add(&alloc::format!("{path}.join.{kind}"), "window_beyond_run", message);
        }
        let bootstrap = alloc::format!("{path}.bootstrap");
        let of_clients = |name: &String| {
            self.inputs.groups.iter().any(|(group, settings)| group == name && !settings.serves())
        };
        if group.bootstrap.group.as_ref().is_some_and(|names| names.0.iter().all(of_clients)) {
            let message = "names only groups of clients, whom nobody can ask".to_string();
            self.add(&alloc::format!("{bootstrap}.group"), "empty_selection", message);
        }
        if let Some((amount, whole)) = self.amount(&bootstrap, &group.bootstrap) {
            let known = match amount {
                Amount::All => whole,
                Amount::Number(number) => number,
                Amount::Share(share) => share_of(share, whole),
            };
            if known > MAX_CONTACTS {
                let message = alloc::format!("a newcomer would know {known} peers, more than {MAX_CONTACTS}");
                self.advise(
                    &bootstrap,
                    "too_many_contacts",
                    message,
                    "write `mode: fixed` and a `value`".to_string(),
                );
            }
        }
    }

    fn name(&mut self, path: &str, name: &str) {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let message = alloc::format!("a name has 1 to {MAX_NAME_BYTES} bytes, this has {}", name.len());
            self.add(path, "bad_name", message);
        }
    }

    fn names(&mut self, list: &str, names: &[(String, &'static str)]) {
        let mut seen = BTreeSet::new();
        for (index, (name, kind)) in names.iter().enumerate() {
            let path = alloc::format!("{list}.{index}.{kind}.name");
            self.name(&path, name);
            if !seen.insert(name) {
                self.add(&path, "duplicate_name", alloc::format!("`{name}` is the name of another already"));
            }
        }
    }

    /// Mode and value of a selection, and how many peers its groups have, if both can be told.
    fn amount(&mut self, path: &str, select: &Select) -> Option<(Amount, u32)> {
        let known =
            select.group.as_ref().is_none_or(|names| self.known(&alloc::format!("{path}.group"), names));
        let named =
            |name: &str| select.group.as_ref().is_none_or(|names| names.0.iter().any(|known| known == name));
        let groups = self.inputs.groups.iter().filter(|(name, _)| named(name));
        let whole = groups.fold(0u32, |sum, (_, group)| sum.saturating_add(group.count));
        match select.amount() {
            Ok(amount) => known.then_some((amount, whole)),
            Err(error) => {
                self.add(path, "bad_selection", error.to_string());
                None
            }
        }
    }

    fn known(&mut self, path: &str, names: &GroupNames) -> bool {
        let known = |name: &String| self.inputs.groups.iter().any(|(group, _)| group == name);
        let unknown: Vec<_> = names.0.iter().filter(|name| !known(name)).cloned().collect();
        if names.0.is_empty() {
            self.add(path, "empty_selection", "names no group".to_string());
        }
        for name in &unknown {
            let groups: Vec<_> = self.inputs.groups.iter().map(|(group, _)| group.as_str()).collect();
            let help = alloc::format!("groups here: {}", groups.join(", "));
            self.advise(path, "unknown_group", alloc::format!("unknown group `{name}`"), help);
        }
        unknown.is_empty() && !names.0.is_empty()
    }

    /// A selection of somebody; returns how many are selected.
    fn select(&mut self, path: &str, select: &Select) -> Option<u32> {
        let (amount, whole) = self.amount(path, select)?;
        let selected = match amount {
            Amount::All => whole,
            Amount::Number(number) if number > whole => {
                let message = alloc::format!("selects {number} of {whole} peers");
                self.add(&alloc::format!("{path}.value"), "too_many_selected", message);
                return None;
            }
            Amount::Number(number) => number,
            Amount::Share(share) => share_of(share, whole),
        };
        if selected == 0 {
            self.add(path, "empty_selection", "selects nobody".to_string());
            return None;
        }
        Some(selected)
    }

    /// A window of the run, its ends at these paths.
    fn window(&mut self, path: &str, begin: Duration, end: Duration) {
        let duration = self.inputs.duration;
        if end > duration {
            let message = alloc::format!("ends at {end}, the run at {duration}");
            self.add(&alloc::format!("{path}.end"), "window_beyond_run", message);
        } else if begin >= duration {
            let message = alloc::format!("begins at {begin}, the run ends at {duration}");
            self.add(&alloc::format!("{path}.begin"), "window_beyond_run", message);
        } else if begin >= end {
            let message = alloc::format!("ends at {end}, before or as it begins at {begin}");
            self.add(&alloc::format!("{path}.end"), "empty_window", message);
        }
    }

    fn distribution(&mut self, path: &str, distribution: &Distribution) -> bool {
        let mistakes = distribution.mistakes();
        let sound = mistakes.is_empty();
        for (field, message) in mistakes {
            self.add(&alloc::format!("{path}.{field}"), "bad_distribution", message);
        }
        sound
    }

    fn workloads(&mut self) {
        let workloads = self.inputs.workloads;
        if workloads.len() > MAX_WORKLOADS {
            let message = alloc::format!("{} workloads are more than {MAX_WORKLOADS}", workloads.len());
            self.add("workloads", "too_many_workloads", message);
        }
        let names: Vec<_> = workloads
            .iter()
            .enumerate()
            .map(|(index, workload)| (workload.name(index), workload.kind()))
            .collect();
        self.names("workloads", &names);
        for (index, workload) in workloads.iter().enumerate() {
            let path = alloc::format!("workloads.{index}.{}", workload.kind());
            self.select(&alloc::format!("{path}.from"), workload.from());
            let duration = self.inputs.duration;
            let (begin, end) = match workload {
                Workload::Lookups(lookups) => (lookups.begin, lookups.end),
                Workload::Records(records) => (records.begin, records.end),
                Workload::Providers(providers) => (providers.begin, providers.end),
            };
            let (begin, end) = (begin.unwrap_or_default(), end.unwrap_or(duration));
            self.window(&path, begin, end);
            match workload {
                Workload::Lookups(lookups) => {
                    self.arrivals(&alloc::format!("{path}.arrivals"), &lookups.arrivals, begin, end);
                }
                Workload::Records(records) => self.records(&path, records, begin, end),
                Workload::Providers(providers) => self.providers(&path, providers, begin, end),
            }
        }
    }

    fn records(&mut self, path: &str, records: &Records, begin: Duration, end: Duration) {
        self.arrivals(&alloc::format!("{path}.puts"), &records.puts.clone().into(), begin, end);
        self.arrivals(&alloc::format!("{path}.gets"), &records.gets, begin, end);
        self.popularity(path, &records.popularity);
        if records.keys == 0 {
            self.add(&alloc::format!("{path}.keys"), "no_keys", "there is at least one name".to_string());
        }
        if begin + records.settle >= end {
            let message =
                alloc::format!("is {}: nothing is fetched before the workload ends at {end}", records.settle);
            self.add(&alloc::format!("{path}.settle"), "empty_window", message);
        }
        let refusing = |group: &&(String, Group)| group.1.node.kad.max_record_size < records.value_size;
        if let Some((name, group)) = self.inputs.groups.iter().find(refusing) {
            let limit = group.node.kad.max_record_size;
            let message =
                alloc::format!("is {}, more than peers of `{name}` take: {limit}", records.value_size);
            self.add(&alloc::format!("{path}.value_size"), "value_too_large", message);
        }
    }

    fn providers(&mut self, path: &str, providers: &Providers, begin: Duration, end: Duration) {
        self.select(&alloc::format!("{path}.by"), &providers.by);
        self.arrivals(&alloc::format!("{path}.announces"), &providers.announces.clone().into(), begin, end);
        self.arrivals(&alloc::format!("{path}.finds"), &providers.finds, begin, end);
        self.popularity(path, &providers.popularity);
        if providers.names == 0 {
            self.add(&alloc::format!("{path}.names"), "no_keys", "there is at least one name".to_string());
        }
        if !(1..=kad::MAX_SOUGHT).contains(&providers.enough) {
            let message = alloc::format!("is {}, outside 1 to {}", providers.enough, kad::MAX_SOUGHT);
            self.add(&alloc::format!("{path}.enough"), "out_of_range", message);
        }
        if begin + providers.settle >= end {
            let message = alloc::format!(
                "is {}: nothing is looked for before the workload ends at {end}",
                providers.settle
            );
            self.add(&alloc::format!("{path}.settle"), "empty_window", message);
        }
    }

    fn arrivals(&mut self, path: &str, arrivals: &Arrivals, begin: Duration, end: Duration) {
        match arrivals {
            Arrivals::Open(open) => {
                let gap = open.rate.mean_gap();
                let expected = end.saturating_sub(begin).as_nanos().checked_div(gap.as_nanos());
                let path = alloc::format!("{path}.open.rate");
                match expected {
                    _ if gap == Duration::MAX => {
                        self.add(&path, "no_arrivals", "is zero: nobody asks".to_string());
                    }
                    Some(0) => {
                        let message = alloc::format!("is {}: less than one is expected by {end}", open.rate);
                        self.add(&path, "no_arrivals", message);
                    }
                    Some(expected) if expected <= MAX_EXPECTED_ARRIVALS => {}
                    Some(_) | None => {
                        let message = alloc::format!(
                            "is {}: more than {MAX_EXPECTED_ARRIVALS} operations by {end}",
                            open.rate
                        );
                        self.add(&path, "too_many_arrivals", message);
                    }
                }
            }
            Arrivals::Closed(closed) => {
                self.distribution(&alloc::format!("{path}.closed.think"), &closed.think);
                if closed.clients == 0 || closed.clients >= MAX_CLIENTS {
                    let message = alloc::format!("is {}, outside 1 to {}", closed.clients, MAX_CLIENTS - 1);
                    self.add(&alloc::format!("{path}.closed.clients"), "bad_clients", message);
                }
            }
            Arrivals::Staged(stages) => {
                self.stages(&alloc::format!("{path}.staged"), arrivals, &stages.0, begin, end);
            }
            Arrivals::Recorded(recorded) => {
                let path = alloc::format!("{path}.recorded.file");
                if arrivals.expected(Duration::ZERO, end.saturating_sub(begin)) == Some(0) {
                    let message = match recorded.moments.first() {
                        Some(first) => {
                            alloc::format!(
                                "names a file without moments before {end}: its first is {first} after {begin}"
                            )
                        }
                        None => "names a file without moments: nobody asks".to_string(),
                    };
                    self.add(&path, "no_arrivals", message);
                }
            }
        }
    }

    fn stages(&mut self, path: &str, arrivals: &Arrivals, stages: &[Stage], begin: Duration, end: Duration) {
        let mut over = begin;
        for (index, stage) in stages.iter().enumerate() {
            let path = alloc::format!("{path}.{index}.for");
            if stage.lasts == Duration::ZERO {
                self.add(&path, "empty_window", "must be longer than 0s".to_string());
            }
            if over >= end {
                let message = alloc::format!("begins at {over}, the workload ends at {end}");
                self.add(&path, "window_beyond_run", message);
            }
            over = over + stage.lasts;
        }
        let expected = arrivals.expected(Duration::ZERO, end.saturating_sub(begin));
        if expected == Some(0) {
            let message = alloc::format!("less than one operation is expected by {end}");
            self.add(path, "no_arrivals", message);
        } else if expected.is_some_and(|expected| expected > MAX_EXPECTED_ARRIVALS) {
            let message =
                alloc::format!("more than {MAX_EXPECTED_ARRIVALS} operations are expected by {end}");
            self.add(path, "too_many_arrivals", message);
        }
    }

    fn popularity(&mut self, path: &str, popularity: &Popularity) {
        if let Popularity::Zipf(law) = popularity
            && !(LEAST_EXPONENT..=MOST_EXPONENT).contains(&law.exponent)
        {
            let message = alloc::format!("is {}, outside {LEAST_EXPONENT} to {MOST_EXPONENT}", law.exponent);
            self.add(&alloc::format!("{path}.popularity.zipf.exponent"), "bad_distribution", message);
        }
    }

    fn faults(&mut self) {
        let faults = self.inputs.faults;
        if faults.len() > MAX_FAULTS {
            let message = alloc::format!("{} faults are more than {MAX_FAULTS}", faults.len());
            self.add("faults", "too_many_faults", message);
        }
        let names: Vec<_> =
            faults.iter().enumerate().map(|(index, fault)| (fault.name(index), fault.kind())).collect();
        self.names("faults", &names);
        for (index, fault) in faults.iter().enumerate() {
            let path = alloc::format!("faults.{index}.{}", fault.kind());
            if let (Some(victims), false) =
                (fault.victims(), matches!(fault, Fault::Churn(_) | Fault::RecordedChurn(_)))
            {
                self.select(&alloc::format!("{path}.victims"), victims);
            }
            match fault {
                Fault::Churn(churn) => self.churn(&path, churn),
                Fault::RecordedChurn(churn) => self.recorded_churn(&path, churn),
                Fault::Crash(crash) => self.stop(&path, crash.at, crash.restart),
                Fault::Leave(leave) => self.stop(&path, leave.at, leave.restart),
                Fault::Partition(partition) => self.partition(&path, partition),
                Fault::Clog(clog) => self.window(&path, clog.begin, clog.end),
                Fault::Loss(loss) => self.loss(&path, loss),
                Fault::Duplicate(duplicate) => {
                    self.window(&path, duplicate.begin, duplicate.end);
                    self.share(&path, duplicate.share, "doubles nothing");
                }
                Fault::Freeze(freeze) => self.window(&path, freeze.begin, freeze.end),
                Fault::Skew(skew) => self.skew(&path, skew),
                Fault::Reorder(reorder) => {
                    self.window(&path, reorder.begin, reorder.end);
                    self.share(&path, reorder.share, "holds nothing back");
                    let by = alloc::format!("{path}.by");
                    if reorder.by == Duration::ZERO {
                        self.add(&by, "no_effect", "is 0s: nothing is overtaken".to_string());
                    } else if reorder.by > MAX_HOLD {
                        let message = alloc::format!("is {}, more than {MAX_HOLD}", reorder.by);
                        self.advise(&by, "network_too_long", message, "is the unit right?".to_string());
                    }
                }
            }
        }
    }

    /// A share of messages, at the key `share`, that a fault is to touch.
    fn share(&mut self, path: &str, share: Share, nothing: &str) {
        if share == Share::ZERO {
            self.add(&alloc::format!("{path}.share"), "no_effect", nothing.to_string());
        }
    }

    fn skew(&mut self, path: &str, skew: &Skew) {
        self.window(path, skew.begin, skew.end);
        let Some((_, offset)) = skew.offset() else {
            let help = "write `ahead: 5m` or `behind: 5m`".to_string();
            return self.advise(
                path,
                "bad_skew",
                "needs exactly one of `ahead` and `behind`".to_string(),
                help,
            );
        };
        if offset == Duration::ZERO && skew.drift == Share::ZERO {
            let help = "give an offset longer than 0s, or a `drift`".to_string();
            self.advise(path, "no_effect", "moves no clock".to_string(), help);
        }
    }

    fn loss(&mut self, path: &str, loss: &Loss) {
        self.window(path, loss.begin, loss.end);
        self.share(path, loss.share, "loses nothing");
        let burst = alloc::format!("{path}.burst");
        if loss.burst == Some(Duration::ZERO) {
            let help = "write `1s`, or leave it out for losses without bursts".to_string();
            self.advise(&burst, "no_effect", "is 0s: a burst takes time".to_string(), help);
        } else if loss.burst.is_some() && loss.share == Share::WHOLE {
            let message = "makes no difference: with a `share` of 100% everything is lost anyway".to_string();
            self.add(&burst, "no_effect", message);
        }
    }

    fn stop(&mut self, path: &str, at: Duration, restart: Option<Restart>) {
        let duration = self.inputs.duration;
        if at >= duration {
            let message = alloc::format!("is {at}, the run ends at {duration}");
            self.add(&alloc::format!("{path}.at"), "window_beyond_run", message);
            return;
        }
        let Some(restart) = restart else { return };
        let key = if restart.at_most.is_some() { "at_most" } else { "after" };
        let place = alloc::format!("{path}.restart.{key}");
        if let Some(at_most) = restart.at_most.filter(|at_most| *at_most < restart.after) {
            let message = alloc::format!("is {at_most}, less than `after`: {}", restart.after);
            self.add(&place, "empty_window", message);
        }
        let back = at + restart.longest();
        if back >= duration {
            let message = alloc::format!("they would be back at {back}, the run ends at {duration}");
            self.add(&place, "window_beyond_run", message);
        }
    }

    fn churn(&mut self, path: &str, churn: &Churn) {
        let victims = self.select(&alloc::format!("{path}.victims"), &churn.victims);
        let (begin, end) = (churn.begin.unwrap_or_default(), churn.end.unwrap_or(self.inputs.duration));
        self.window(path, begin, end);
        let sound = self.distribution(&alloc::format!("{path}.session"), &churn.session)
            & self.distribution(&alloc::format!("{path}.downtime"), &churn.downtime);
        let span = end.saturating_sub(begin);
        let life = churn.session.mean_within(span) + churn.downtime.mean_within(span);
        let lives = u64::from(victims.unwrap_or(0)).saturating_mul(span.as_nanos() / life.as_nanos().max(1));
        if sound && lives > MAX_EXPECTED_LIVES {
            let message = alloc::format!("makes some {lives} lives, more than {MAX_EXPECTED_LIVES}");
            self.add(&alloc::format!("{path}.session"), "too_many_lives", message);
        }
    }

    fn recorded_churn(&mut self, path: &str, churn: &RecordedChurn) {
        let victims = alloc::format!("{path}.victims");
        let selected = self.select(&victims, &churn.victims);
        let recorded = churn.sessions.peers();
        // Whoever read the file has said what is wrong with one that records nobody.
        if let Some(selected) = selected.filter(|selected| recorded > 0 && *selected > recorded) {
            let message = alloc::format!("selects {selected} peers, the file records {recorded}");
            let help = alloc::format!("write `{{mode: fixed, value: {recorded}}}` or fewer");
            self.advise(&victims, "too_few_recorded", message, help);
        }
    }

    fn partition(&mut self, path: &str, partition: &Partition) {
        self.window(path, partition.begin, partition.end);
        match partition.division() {
            None => {
                let help = "write `sides: [[boot], [edge]]` or `split: 30%`".to_string();
                self.advise(
                    path,
                    "bad_partition",
                    "needs exactly one of `sides` and `split`".to_string(),
                    help,
                );
            }
            Some(Division::Split(share)) => {
                if share == Share::ZERO || share == Share::WHOLE {
                    let message = alloc::format!("is {share}: nobody is left on one side");
                    self.add(&alloc::format!("{path}.split"), "no_effect", message);
                }
            }
            Some(Division::Sides(sides)) => {
                if sides.len() < 2 || sides.len() > MAX_SIDES {
                    let message = alloc::format!("{} sides are outside 2 to {MAX_SIDES}", sides.len());
                    self.add(&alloc::format!("{path}.sides"), "bad_partition", message);
                }
                let mut seen = BTreeSet::new();
                for (side, names) in sides.iter().enumerate() {
                    let path = alloc::format!("{path}.sides.{side}");
                    self.known(&path, &GroupNames(names.clone()));
                    for name in names.iter().filter(|name| !seen.insert(*name)) {
                        self.add(&path, "bad_partition", alloc::format!("`{name}` is on a side already"));
                    }
                }
            }
        }
    }
}
