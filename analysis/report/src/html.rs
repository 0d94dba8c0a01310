//! Escaping, and the few elements that the page is made of.

use std::fmt::{Display, Write as _};

/// Text that is safe between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // What would reorder or hide the text around it.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            character if character.is_control() && character != '\n' => safe.push('\u{fffd}'),
            character => safe.push(character),
        }
    }
    safe
}

/// What stands in a cell of a table: markup, and how it is aligned.
pub(crate) enum Cell {
    /// Escaped text.
    Text(String),
    /// A number as text, aligned to the right.
    Number(String),
    /// Names and expressions, escaped, in a fixed-width font.
    Code(String),
    /// A mark: its class, symbol and word.
    Mark(Mark),
}

/// A status: never by colour alone.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) class: &'static str,
    pub(crate) symbol: &'static str,
    pub(crate) word: &'static str,
}

impl Mark {
    pub(crate) const fn good(word: &'static str) -> Self {
        Self {
            class: "good",
            symbol: "✓",
            word,
        }
    }
    pub(crate) const fn bad(word: &'static str) -> Self {
        Self {
            class: "bad",
            symbol: "✗",
            word,
        }
    }
    pub(crate) const fn open(word: &'static str) -> Self {
        Self {
            class: "open",
            symbol: "?",
            word,
        }
    }
    pub(crate) const fn still(word: &'static str) -> Self {
        Self {
            class: "still",
            symbol: "–",
            word,
        }
    }
}

impl Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { class, symbol, word } = self;
        write!(
            f,
            "<span class=\"mark {class}\"><span aria-hidden=\"true\">{symbol}</span> {word}</span>"
        )
    }
}

/// A table that scrolls in itself where it is too wide.
pub(crate) fn table(caption: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let mut body = String::new();
    let mut right = Vec::new();
    for row in rows {
        body.push_str("<tr>");
        if right.is_empty() {
            right = row.iter().map(|cell| matches!(cell, Cell::Number(_))).collect();
        }
        for cell in row {
            body.push_str(&match cell {
                Cell::Text(text) => format!("<td>{}</td>", escape(&text)),
                Cell::Number(text) => format!("<td class=\"num\">{}</td>", escape(&text)),
                Cell::Code(text) => format!("<td><code>{}</code></td>", escape(&text)),
                Cell::Mark(mark) => format!("<td>{mark}</td>"),
            });
        }
        body.push_str("</tr>\n");
    }
    let mut table = format!(
        "<div class=\"scroll\" tabindex=\"0\"><table>\n<caption class=\"unseen\">{}</caption>\n<thead><tr>",
        escape(caption)
    );
    for (at, name) in head.iter().enumerate() {
        let class = if right.get(at) == Some(&true) {
            " class=\"num\""
        } else {
            ""
        };
        // Writing to a string does not fail.
        let _ = write!(table, "<th scope=\"col\"{class}>{}</th>", escape(name));
    }
    table + "</tr></thead>\n<tbody>\n" + &body + "</tbody></table></div>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes() {
        let hostile = "<script>alert(\"1\")</script>&'\u{202e}\0";
        assert_eq!(
            escape(hostile),
            "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\u{fffd}\u{fffd}"
        );
        let table = table("<t>", &["<h>"], [vec![Cell::Code("<c>".to_owned())]]);
        assert!(!table.contains("<t>") && !table.contains("<h>") && !table.contains("<c>"));
    }
}
