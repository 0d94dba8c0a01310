//! How [`Findings`] look to a person: like the messages of the Rust compiler, readable without
//! colour, and no longer than a few screens.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Findings, Rejected, Severity};
use crate::source::{Source, Span};

/// Diagnostics that are shown; the rest is counted. Beyond a few screens nobody reads.
pub const MAX_SHOWN: usize = 20;

/// Whether messages may use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// Text alone.
    #[default]
    Plain,
    /// With a terminal's colours.
    Coloured,
}

impl Findings {
    /// All messages, in the order of the text, and a last line that counts them.
    #[must_use]
    pub fn render(&self, paint: Paint) -> String {
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Coloured => Renderer::styled(),
        };
        let mut text = String::new();
        for diagnostic in self.list.iter().take(MAX_SHOWN) {
            text.push_str(&renderer.render(&[self.group(diagnostic)]));
            text.push_str("\n\n");
        }
        if self.count() > MAX_SHOWN {
            text.push_str(&format!("… and {} more\n", self.count() - MAX_SHOWN));
        }
        let plural = if self.count() == 1 { "" } else { "s" };
        text.push_str(&format!("{} {}{plural} in {}\n", self.count(), self.severity.word(), self.file()));
        text
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.to_string());
        let mut group = Group::with_title(title).elements(self.places(diagnostic));
        for note in &diagnostic.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// One snippet for each source that the diagnostic points into.
    fn places<'a>(&'a self, diagnostic: &'a Diagnostic) -> Vec<Element<'a>> {
        let primary = diagnostic.span.map(|span| (AnnotationKind::Primary, span, diagnostic.label.as_str()));
        let related =
            diagnostic.related.iter().map(|(span, label)| (AnnotationKind::Context, *span, label.as_str()));
        let marks: Vec<_> = primary.into_iter().chain(related).collect();
        let mut numbers: Vec<u32> = Vec::new();
        for (_, span, _) in &marks {
            if !numbers.contains(&span.source) {
                numbers.push(span.source);
            }
        }
        let snippets: Vec<_> = numbers
            .into_iter()
            .filter_map(|number| {
                let source = self.sources.get(number as usize)?;
                let here: Vec<_> =
                    marks.iter().filter(|(_, span, _)| span.source == number).copied().collect();
                Some(Element::from(snippet(source, &here)))
            })
            .collect();
        if snippets.is_empty() {
            return vec![Element::from(Origin::path(self.file()))];
        }
        snippets
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Paint::Plain))
    }
}

/// The lines that `marks` point to, and no others: a renderer that sees the whole of a large file
/// counts its lines anew for each message.
fn snippet<'a>(source: &'a Source, marks: &[(AnnotationKind, Span, &'a str)]) -> Snippet<'a, Annotation<'a>> {
    let spans: Vec<Range<usize>> = marks.iter().map(|(_, span, _)| first_line(source, *span)).collect();
    let start = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let end = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let before = source.text.get(..start).unwrap_or_default();
    let after = source.text.get(end..).unwrap_or_default();
    let first = before.rfind('\n').map_or(0, |newline| newline + 1);
    let last = after.find('\n').map_or(source.text.len(), |newline| end + newline);
    let annotations = marks.iter().zip(spans).map(|((kind, _, label), span)| {
        let label = (!label.is_empty()).then_some(*label);
        kind.span(span.start - first..span.end - first).label(label)
    });
    Snippet::source(source.text.get(first..last).unwrap_or_default())
        .path(source.name.as_str())
        .line_start(before.bytes().filter(|byte| *byte == b'\n').count() + 1)
        .annotations(annotations)
}

/// The part of `span` that stands on its first line, at least one character where there is one.
fn first_line(source: &Source, span: Span) -> Range<usize> {
    let (start, end) = (source.floor(span.start), source.floor(span.end));
    let line_end = source
        .text
        .get(start..)
        .and_then(|rest| rest.find(['\n', '\r']))
        .map_or(source.text.len(), |at| start + at);
    let least =
        source.text.get(start..line_end).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    start..end.min(line_end).max(start + least)
}
