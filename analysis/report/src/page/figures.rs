//! The plots, what was left out of them, and the measures of the graph.

use crate::data::Data;
use crate::html::{Cell, escape, table};
use crate::network::Network;
use crate::plots::{Drawn, Plots};
use crate::words::{count, number, percent};

pub(super) fn figures(plots: &Plots) -> String {
    let mut body = String::new();
    if !plots.drawn.is_empty() {
        body.push_str("<p class=\"note\">Point at a plot, or focus it and use the arrow keys, to read its values.</p>\n");
    }
    for plot in &plots.drawn {
        body.push_str(&figure(plot));
    }
    if !plots.left_out.is_empty() {
        body.push_str("<p class=\"note\">Left out, for want of data:</p>\n<ul class=\"left-out\">\n");
        for plot in &plots.left_out {
            body.push_str(&format!("<li>{}: {}</li>\n", escape(&plot.title), escape(plot.why)));
        }
        body.push_str("</ul>\n");
    }
    body
}

/// A plot in both layouts, and what it rests on.
pub(crate) fn figure(plot: &Drawn) -> String {
    let label = escape(&plot.plot.title);
    format!(
        "<figure id=\"{}\">\n<div class=\"wide\" role=\"group\" aria-label=\"{label}\">{}</div>\n<div class=\"narrow\" role=\"group\" aria-label=\"{label}\">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
        plot.name,
        plot.wide.svg,
        plot.narrow.svg,
        escape(&plot.caption)
    )
}

/// The graph of routing tables in numbers.
pub(super) fn network(data: &Data) -> String {
    let Some(network) = &data.network else {
        return String::new();
    };
    let rows = network.measures.iter().map(|row| {
        let value = match row.unit.as_str() {
            "share" => percent(row.value),
            unit if row.value == 1.0 => format!("1 {}", unit.trim_end_matches('s')),
            unit => format!("{} {unit}", number(row.value)),
        };
        vec![
            Cell::Code(row.measure.clone()),
            Cell::Number(value),
            Cell::Number(count(row.of)),
            Cell::Text(row.meaning.clone()),
        ]
    });
    let head = ["Measure", "Value", "Of", "What it is"];
    format!("<p>{}</p>\n{}", about(network), table("The graph of routing tables", &head, rows))
}

fn about(network: &Network) -> String {
    let sample = if network.is_sample() {
        format!(
            " It holds every {}th of {} peers: out-degrees and stale contacts are of whole tables, the rest is of what the sample's peers know of each other, so that a part may fall apart that the whole holds together.",
            network.head.every,
            count(network.head.peers)
        )
    } else {
        String::new()
    };
    format!(
        "Who has whom in its routing table, at the last sampling instant, among peers that are up. The graph itself is <code>graphs/routing.graphml</code>.{sample}"
    )
}
