//! Diagnostics: what is wrong, where, and what to write instead.
//!
//! Every diagnostic has a stable [`Code`], shown as `wavetank::scenario::CODE`. Messages are sentences
//! without a full stop; text that a stranger wrote reaches them only through [`quoted`].

use std::fmt;

use crate::source::{Source, Span};

macro_rules! codes {
    ($($variant:ident $text:literal $about:literal;)*) => {
        /// What kind of mistake it is. The text of a code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $about] $variant,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its stable text, without the prefix.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The code that another crate of the house calls `name`, with hyphens; [`Code::Invalid`] if it has none here.
            pub(crate) fn of(name: &str) -> Self {
                let text = name.replace('-', "_");
                Self::ALL.iter().copied().find(|code| code.text() == text).unwrap_or(Self::Invalid)
            }

            /// What it says, in a sentence.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

codes! {
    Unreadable "unreadable" "The file cannot be read.";
    NotAFile "not_a_file" "The path names a directory, pipe or device.";
    TooLarge "too_large" "The file is larger than any scenario.";
    NotUtf8 "not_utf8" "The file is not UTF-8 text.";
    Empty "empty" "The file holds no scenario.";
    Syntax "syntax" "The text is not YAML.";
    TooDeep "too_deep" "Lists and maps are nested deeper than any scenario needs.";
    TooManyNodes "too_many_nodes" "The file, with its aliases written out, has more values than any scenario needs.";
    UnknownAnchor "unknown_anchor" "An alias names no anchor before it.";
    DuplicateKey "duplicate_key" "A map has the same key twice.";
    ComplexKey "complex_key" "A key is not plain text.";
    Tag "tag" "A YAML tag, which the grammar does not use.";
    SeveralDocuments "several_documents" "The file holds more than one YAML document.";
    UnknownKey "unknown_key" "A map has a key that the grammar does not know.";
    MissingKey "missing_key" "A map lacks a key that it must have.";
    MissingValue "missing_value" "A key has no value.";
    WrongType "wrong_type" "A value is of another kind than it must be.";
    UnknownChoice "unknown_choice" "A value is none of those that the grammar offers here.";
    SeveralChoices "several_choices" "A choice of one among several has more than one key.";
    NotAQuantity "not_a_quantity" "A quantity does not begin with a number.";
    MissingUnit "missing_unit" "A quantity lacks its unit.";
    WrongUnit "wrong_unit" "A quantity has a unit of another kind.";
    InexactQuantity "inexact_quantity" "A quantity is too large or too finely divided to be held exactly.";
    OutOfRange "out_of_range" "A number lies outside the range that its key allows.";
    NotYet "not_yet" "Something that the house plans and nothing serves yet.";
    UnknownPath "unknown_path" "A `--set` names a path that the grammar does not have.";
    BadSet "bad_set" "A `--set` is not `PATH=VALUE`, or its path meets what it cannot change.";
    BadName "bad_name" "A name has other characters, or more, than it may have.";
    DuplicateName "duplicate_name" "Two workloads, or two faults, have the same name.";
    UnknownGroup "unknown_group" "No group of peers has this name.";
    NoPeers "no_peers" "There are no peers.";
    TooManyPeers "too_many_peers" "The groups have more peers than a run can hold.";
    EmptyGroup "empty_group" "A group has no peers.";
    NoCore "no_core" "A peer has no core to work with.";
    NoSpeed "no_speed" "A peer's cores stand still.";
    TooManyContacts "too_many_contacts" "A newcomer would know more peers than it can hold.";
    NobodyToCall "nobody_to_call" "No peer of the network can be called.";
    BadSelection "bad_selection" "The mode and the value of a selection do not go together.";
    EmptySelection "empty_selection" "A selection means nobody.";
    TooManySelected "too_many_selected" "A selection means more peers than there are.";
    EmptyRun "empty_run" "The run ends as it begins.";
    WindowBeyondRun "window_beyond_run" "A moment lies beyond the end of the run.";
    EmptyWindow "empty_window" "A window of time ends before or as it begins.";
    BadDistribution "bad_distribution" "A distribution has a parameter with which nothing can be drawn.";
    TooManyGroups "too_many_groups" "There are more groups than a scenario can have.";
    TooManyWorkloads "too_many_workloads" "There are more workloads than a run can tell apart.";
    NoKeys "no_keys" "A workload stores values under no name.";
    ValueTooLarge "value_too_large" "A workload stores larger values than the nodes take.";
    NoArrivals "no_arrivals" "A workload asks nothing.";
    TooManyArrivals "too_many_arrivals" "A workload asks more than a run can answer.";
    BadClients "bad_clients" "A workload has no clients, or more than a run can tell apart.";
    TooManyFaults "too_many_faults" "There are more faults than a run can tell apart.";
    TooManyLives "too_many_lives" "Peers come and go more often than a run can hold.";
    BadPartition "bad_partition" "The sides of a partition do not divide the peers.";
    BadTable "bad_table" "A file that the scenario names is no table of what it should hold.";
    TooFewRecorded "too_few_recorded" "A fault has more victims than its file has peers.";
    BadSkew "bad_skew" "A skew does not say which way the clocks are wrong.";
    NoEffect "no_effect" "Something is asked for that has no effect.";
    BadConfig "bad_config" "A node's configuration has a value that its limits or its other values forbid.";
    BadThreshold "bad_threshold" "A threshold is not a statistic, a comparison and a quantity.";
    MetricWithoutSource "metric_without_source" "A threshold on a metric for which no workload yields numbers.";
    UnknownCheck "unknown_check" "No checker has this name.";
    WrongCheckKind "wrong_check_kind" "A checker stands under another word than it can serve.";
    DuplicateCheck "duplicate_check" "A checker is listed twice.";
    NoSamples "no_samples" "Samples would be taken without pause.";
    NetworkLatencyMissing "network_latency_missing" "A latency says neither `one_way` nor `rtt`.";
    NetworkLatencyTwice "network_latency_twice" "A latency says both `one_way` and `rtt`.";
    NetworkTooLong "network_too_long" "A latency is longer than any network's.";
    NetworkFloorZero "network_floor_zero" "The least delay of a network is zero.";
    NetworkUplinkZero "network_uplink_zero" "An uplink sends nothing.";
    NetworkShares "network_shares" "The shares of the places do not add up to 100%.";
    NetworkTooManyPlaces "network_too_many_places" "There are more places than a network can have.";
    NetworkPlaceUnknown "network_place_unknown" "A place that the table of distances does not know.";
    NetworkPairUnknown "network_pair_unknown" "A key of the latency table is no pair of places.";
    NetworkPairAmbiguous "network_pair_ambiguous" "A key of the latency table can be read as several pairs.";
    NetworkPairTwice "network_pair_twice" "A pair of places stands twice in the latency table.";
    NetworkPairMissing "network_pair_missing" "A pair of places is missing in the latency table.";
    LinksZero "links_zero" "A setting of dialled links is zero.";
    BadFileName "bad_file_name" "The path of a file leads out of the scenario's folder.";
    Invalid "invalid" "A value is refused for a reason that the message gives.";
    Inert "inert" "A value is given that nothing in this run reads. A warning.";
    FewSamples "few_samples" "A threshold is likely to have fewer samples than a run needs to prove something. A warning.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wavetank::scenario::{}", self.text())
    }
}

/// One thing that is wrong; boxed, since it is the rare end of every reading function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) path: String,
    pub(crate) span: Option<Span>,
    pub(crate) label: String,
    pub(crate) related: Vec<(Span, String)>,
    pub(crate) notes: Vec<String>,
    pub(crate) help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            code,
            message: message.into(),
            path: String::new(),
            span: None,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
        }))
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.0.span = Some(span);
        self
    }

    pub(crate) fn path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = label.into();
        self
    }

    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.0.related.push((span, label.into()));
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Helps with `help` if there is one, and keeps what it has otherwise.
    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        self.0.help = help.or(self.0.help);
        self
    }

    /// Helps with `help`, and with nothing else.
    pub(crate) fn help_instead(mut self, help: Option<String>) -> Self {
        self.0.help = help;
        self
    }

    /// Notes each of `notes`.
    pub(crate) fn note_all(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.0.notes.extend(notes);
        self
    }
}

impl std::ops::Deref for Diagnostic {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

/// Diagnostics of one file that are kept: enough for every mistake of a person, and a bound for a
/// machine's.
pub(crate) const MAX_KEPT: usize = 1_000;

/// The diagnostics found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Diagnostic>,
    dropped: usize,
}

impl Problems {
    /// Adds one, unless the same was said of the same place: an alias repeats its anchor's mistakes.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            self.count();
        } else if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Them as mistakes of what stands at `path`.
    pub(crate) fn below(mut self, path: &crate::tree::Path) -> Self {
        self.list = self.list.into_iter().map(|diagnostic| diagnostic.path(path.to_string())).collect();
        self
    }

    /// Whether more are only counted: then nobody needs to find out what they would say.
    pub(crate) const fn is_full(&self) -> bool {
        self.list.len() >= MAX_KEPT
    }

    /// Counts one that is not kept.
    pub(crate) const fn count(&mut self) {
        self.dropped += 1;
    }

    pub(crate) fn extend(&mut self, more: Self) {
        self.dropped += more.dropped;
        more.list.into_iter().for_each(|diagnostic| self.add(diagnostic));
    }

    /// Them, without those whose place lies below a place that `known` complains about: their cause was said.
    pub(crate) fn without_consequences_of(mut self, known: &Self) -> Self {
        let below = |path: &str, parent: &str| {
            path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let parents: Vec<&str> = known
            .list
            .iter()
            .map(|known| known.path.rsplit_once('.').map_or(known.path.as_str(), |(parent, _)| parent))
            .collect();
        self.list.retain(|diagnostic| !parents.iter().any(|parent| below(&diagnostic.path, parent)));
        self
    }

    /// Them, without those that `unwanted` says.
    pub(crate) fn without(mut self, unwanted: impl Fn(&Diagnostic) -> bool) -> Self {
        self.list.retain(|diagnostic| !unwanted(diagnostic));
        self
    }

    /// Whether one of them concerns a top-level key as a whole: that it is missing, or may be meant by another.
    pub(crate) fn concern(&self, key: &str) -> bool {
        self.list.iter().any(|known| match known.path.split_once('.') {
            None => known.path.is_empty() || known.path == key || known.code == Code::UnknownKey,
            Some((section, _)) => section == key,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether there are some, all of this kind.
    pub(crate) fn are_only(&self, code: Code) -> bool {
        !self.is_empty() && self.list.iter().all(|diagnostic| diagnostic.code == code)
    }

    /// Them as the reasons why a scenario cannot be run.
    pub(crate) fn rejected(self, sources: Vec<Source>) -> Rejected {
        Rejected(self.findings(Severity::Error, sources))
    }

    /// Them in the order of the text.
    pub(crate) fn findings(mut self, severity: Severity, sources: Vec<Source>) -> Findings {
        self.list.sort_by_key(|diagnostic| diagnostic.span);
        Findings { severity, sources, list: self.list, dropped: self.dropped }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// The scenario can be run, and something in it does not do what its writer may expect.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A scenario that cannot be run, and everything that is wrong with it.
///
/// Its `Display` is [`Findings::render`] without colour.
#[derive(Clone, Debug)]
pub struct Rejected(pub(crate) Findings);

impl std::error::Error for Rejected {}

impl std::ops::Deref for Rejected {
    type Target = Findings;
    fn deref(&self) -> &Findings {
        &self.0
    }
}

/// What was found in a scenario, all of one severity.
#[derive(Clone, Debug)]
pub struct Findings {
    pub(crate) severity: Severity,
    pub(crate) sources: Vec<Source>,
    pub(crate) list: Vec<Diagnostic>,
    pub(crate) dropped: usize,
}

impl Findings {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len() + self.dropped
    }

    /// How bad they are.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// What kinds they are, in the order of the text.
    pub fn codes(&self) -> impl Iterator<Item = Code> {
        self.list.iter().map(|diagnostic| diagnostic.code)
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        self.sources.first().map_or("", |source| &source.name)
    }

    /// Everything in a form for machines.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report { file: self.file(), count: self.count(), errors: self.entries().collect() }
    }

    /// Each in a form for machines.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.list.iter().map(|diagnostic| self.entry(diagnostic))
    }

    fn entry<'a>(&'a self, diagnostic: &'a Diagnostic) -> Entry<'a> {
        let source = diagnostic.span.and_then(|span| self.sources.get(span.source as usize));
        let start = source.zip(diagnostic.span).map(|(source, span)| source.position(span.start));
        let end = source.zip(diagnostic.span).map(|(source, span)| source.position(span.end));
        Entry {
            code: diagnostic.code.to_string(),
            message: &diagnostic.message,
            file: source.map_or(self.file(), |source| &source.name),
            line: start.map(|start| start.line),
            column: start.map(|start| start.column),
            end_line: end.map(|end| end.line),
            end_column: end.map(|end| end.column),
            path: &diagnostic.path,
            label: &diagnostic.label,
            notes: &diagnostic.notes,
            help: diagnostic.help.as_deref(),
        }
    }
}

/// The machine form of a [`Rejected`].
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report<'a> {
    /// The scenario file.
    pub file: &'a str,
    /// How many things are wrong; more than are listed, if they are very many.
    pub count: usize,
    /// Them, in the order of the text.
    pub errors: Vec<Entry<'a>>,
}

/// The machine form of one diagnostic. Lines and columns (in characters) count from 1; the end is
/// the first place after the mistake.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Entry<'a> {
    /// The stable code, with its prefix.
    pub code: String,
    /// What is wrong.
    pub message: &'a str,
    /// In which file; `--set …` for a value given on the command line.
    pub file: &'a str,
    /// On which line.
    pub line: Option<usize>,
    /// In which column.
    pub column: Option<usize>,
    /// Where it ends.
    pub end_line: Option<usize>,
    /// Where it ends.
    pub end_column: Option<usize>,
    /// Under which key, as a dotted path: `faults.0.churn.session`.
    pub path: &'a str,
    /// What the place itself says.
    pub label: &'a str,
    /// What else is worth knowing.
    pub notes: &'a [String],
    /// What to do.
    pub help: Option<&'a str>,
}

/// How much of a stranger's text a message repeats.
const MAX_QUOTED: usize = 60;

/// A stranger's text for use in a message: in backticks, cut, without control characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, char) in text.chars().enumerate() {
        if count == MAX_QUOTED {
            quoted.push('…');
            break;
        }
        if is_plain(char) {
            quoted.push(char);
        } else {
            quoted.extend(char.escape_default());
        }
    }
    quoted.push('`');
    quoted
}

/// Whether a terminal shows it as one sign: no control characters, nor those that turn the
/// direction of writing.
fn is_plain(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// `a, b and c`, each in backticks.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let mut names: Vec<_> = names.into_iter().map(quoted).collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    names.truncate(MAX_LISTED);
    if more > 0 {
        return format!("{} and {more} more", names.join(", "));
    }
    match names.pop() {
        Some(only) if names.is_empty() => only,
        Some(end) => format!("{} {last} {end}", names.join(", ")),
        None => String::new(),
    }
}

/// Names that a message lists: a screen's worth.
const MAX_LISTED: usize = 40;

/// `1,048,576`.
pub(crate) fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
