//! The event log: what sampled peers handled and told, for people who want to know why.

use kad::trace::{SearchEnd, Step};
use kad::{Operation, Request, Response};
use kernel::LogEntry;
use node::{Command, Inbound, Input, LinkState, Message};
use types::Instant;

use crate::cell::Seen;

/// The line that tells of what was seen; none of what stands in other files.
pub(crate) fn entry(at: Instant, peer: u32, seen: &Seen) -> Option<LogEntry> {
    let (id, cause, kind, detail) = match seen {
        Seen::Handled { id, cause, input } => (*id, *cause, kind_of(input), detail_of(input)),
        Seen::Told(id, event) => (*id, *id, "told", told(event)),
        Seen::Turned(_) | Seen::Begun(_) | Seen::Abandoned(_) => return None,
    };
    Some(LogEntry { at, peer, id, cause, kind, detail })
}

fn told(event: &node::Event) -> String {
    let node::Event::Kad(event) = event else { return format!("{event:?}") };
    let kad::Event::Traced(trace) = event else { return format!("{event:?}") };
    let words = match &trace.step {
        Step::Began { operation, contacts, .. } => {
            let what = operation.map_or_else(|| "maintenance".to_owned(), |id| format!("operation {}", id.0));
            format!("begins for {what} with {} contacts", contacts.len())
        }
        Step::Asked { peer, path, round } => format!("asks {peer:?} on path {path} in round {round}"),
        Step::Answered { peer, named, .. } => {
            format!("has the answer of {peer:?}, which names {}", named.len())
        }
        Step::Unanswered { peer, reason: Some(reason), .. } => format!("gives up on {peer:?}: {reason}"),
        Step::Unanswered { peer, reason: None, .. } => {
            format!("gives up on {peer:?}: another answer than asked for")
        }
        Step::Ended(SearchEnd::Complete) => "ends: all that it wanted to ask have answered".to_owned(),
        Step::Ended(SearchEnd::OutOfTime) => "ends: its time is up".to_owned(),
        Step::Ended(SearchEnd::ValueFound) => "ends: it has the value".to_owned(),
        Step::Ended(SearchEnd::ProvidersFound) => "ends: it has enough providers".to_owned(),
    };
    format!("search {} {words}", trace.search)
}

const fn kind_of(input: &Input) -> &'static str {
    match input {
        Input::Started => "started",
        Input::Received { kind: Inbound::Request(_), .. } => "request",
        Input::Received { kind: Inbound::Answer(_), .. } => "answer",
        Input::Received { kind: Inbound::OneWay, .. } => "message",
        Input::Failed { .. } => "failed",
        Input::Malformed { .. } => "malformed",
        Input::Link { state: LinkState::Up, .. } => "link_up",
        Input::Link { state: LinkState::Down, .. } => "link_down",
        Input::Persisted { .. } => "persisted",
        Input::Command(_) => "command",
        Input::Deadline => "deadline",
    }
}

fn detail_of(input: &Input) -> String {
    match input {
        Input::Started | Input::Deadline => String::new(),
        Input::Received { from, message: Message::Kad(message), .. } => {
            format!("from {from:?}: {}", message_in_words(message))
        }
        Input::Failed { exchange, reason } => format!("exchange {} with {reason}", exchange.count),
        Input::Malformed { from, reason } => format!("from {from:?}: {reason}"),
        Input::Link { peer, direction, .. } => format!("{peer:?}, {direction:?}"),
        Input::Persisted { write, result } => format!("write {}: {result:?}", write.0),
        Input::Command(Command::Leave) => "leave".to_owned(),
        Input::Command(Command::Kad(command)) => {
            let what = match &command.operation {
                Operation::Lookup(target) => format!("look up {:?}", target.key()),
                Operation::Put { target, value } => {
                    format!("put {} bytes at {:?}", value.len(), target.key())
                }
                Operation::Get(target) => format!("get {:?}", target.key()),
                Operation::Announce(target) => format!("announce {:?}", target.key()),
                Operation::FindProviders { target, enough } => {
                    format!("find {enough} who provide {:?}", target.key())
                }
            };
            format!("operation {}: {what}", command.id.0)
        }
    }
}

fn message_in_words(message: &kad::Message) -> String {
    match message {
        kad::Message::Request(Request::FindNode(target)) => format!("who is near {:?}?", target.key()),
        kad::Message::Request(Request::GetValue(target)) => format!("the value of {:?}?", target.key()),
        kad::Message::Request(Request::PutValue(record)) => {
            format!("store {} bytes at {:?}", record.value.len(), record.target.key())
        }
        kad::Message::Request(Request::GetProviders(target)) => format!("who provides {:?}?", target.key()),
        kad::Message::Notice(announcement) => {
            format!("{:?} provide {:?}", announcement.providers, announcement.target.key())
        }
        kad::Message::Response(Response::Providers(answer)) => {
            format!("provided by {:?}, names {:?}", answer.providers, answer.closer)
        }
        kad::Message::Response(Response::Nodes(closer)) => format!("names {closer:?}"),
        kad::Message::Response(Response::Stored(record)) => format!("stored at {:?}", record.target.key()),
        kad::Message::Response(Response::Value { record: Some(record), .. }) => {
            format!("a value of {} bytes", record.value.len())
        }
        kad::Message::Response(Response::Value { record: None, closer }) => {
            format!("no value, names {closer:?}")
        }
    }
}
