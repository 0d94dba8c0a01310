//! Escaping, and the few elements that the page is made of.

use std::fmt::Display;

use record::calibration::Standing;

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
    /// A name and what it means, escaped.
    Explained(String, String),
    /// Sentences, escaped.
    Words(String),
    /// A drawing of the page's own, as markup.
    Drawn(String),
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
        Self { class: "good", symbol: "✓", word }
    }
    pub(crate) const fn bad(word: &'static str) -> Self {
        Self { class: "bad", symbol: "✗", word }
    }
    pub(crate) const fn of(standing: Standing) -> Self {
        match standing {
            Standing::Within => Self::good(standing.word()),
            Standing::Beyond => Self::bad(standing.word()),
            Standing::Unproved => Self::open(standing.word()),
        }
    }
    pub(crate) const fn open(word: &'static str) -> Self {
        Self { class: "open", symbol: "?", word }
    }
}

impl Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { class, symbol, word } = self;
        write!(f, "<span class=\"mark {class}\"><span aria-hidden=\"true\">{symbol}</span> {word}</span>")
    }
}

impl Cell {
    const fn is_empty(&self) -> bool {
        match self {
            Self::Text(text)
            | Self::Number(text)
            | Self::Code(text)
            | Self::Explained(text, _)
            | Self::Words(text)
            | Self::Drawn(text) => text.is_empty(),
            Self::Mark(_) => false,
        }
    }

    fn html(&self) -> String {
        match self {
            Self::Text(text) => format!("<td>{}</td>", escape(text)),
            Self::Number(text) => format!("<td class=\"num\">{}</td>", escape(text)),
            Self::Code(text) if text.is_empty() => "<td></td>".to_owned(),
            Self::Code(text) => format!("<td><code>{}</code></td>", escape(text)),
            Self::Explained(text, about) if about.is_empty() => Self::Code(text.clone()).html(),
            Self::Explained(text, about) => {
                format!("<td><code>{}</code><small>{}</small></td>", escape(text), escape(about))
            }
            Self::Words(text) => format!("<td class=\"words\">{}</td>", escape(text)),
            Self::Drawn(markup) => format!("<td>{markup}</td>"),
            Self::Mark(mark) => format!("<td>{mark}</td>"),
        }
    }
}

/// A table that scrolls in itself where it is too wide. A column in which nothing stands is left out.
pub(crate) fn table(caption: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let rows: Vec<Vec<Cell>> = rows.into_iter().collect();
    let column = |at: usize| rows.iter().filter_map(move |row| row.get(at));
    let shown: Vec<usize> = (0..head.len()).filter(|at| column(*at).any(|cell| !cell.is_empty())).collect();
    let names = shown.iter().filter_map(|at| {
        let number = column(*at).all(|cell| matches!(cell, Cell::Number(_)));
        let class = if number { " class=\"num\"" } else { "" };
        Some(format!("<th scope=\"col\"{class}>{}</th>", escape(head.get(*at)?)))
    });
    let names: String = names.collect();
    let body = rows.iter().map(|row| {
        let cells: String = shown.iter().filter_map(|at| Some(row.get(*at)?.html())).collect();
        format!("<tr>{cells}</tr>\n")
    });
    format!(
        "<div class=\"scroll\" tabindex=\"0\"><table>\n<caption class=\"unseen\">{}</caption>\n\
         <thead><tr>{names}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
        escape(caption),
        body.collect::<String>()
    )
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
        assert!(table.contains("&lt;c&gt;"));
        assert!(!table.contains("<t>") && !table.contains("<h>") && !table.contains("<c>"));
    }

    #[test]
    fn a_column_in_which_nothing_stands_is_left_out() {
        let row = |peer: &str| vec![Cell::Text("held".to_owned()), Cell::Text(peer.to_owned())];
        assert!(!table("t", &["Status", "Peer"], [row(""), row("")]).contains("Peer"));
        assert!(table("t", &["Status", "Peer"], [row(""), row("edge-1")]).contains("Peer"));
    }
}
