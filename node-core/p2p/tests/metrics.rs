//! What `/metrics` says, held against the table of its names, and the table against the page that shows it.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use common::{network, wait_for, within};
use types::metric::exported::{self, Exported};
use wavetank_p2p::{Event, Reason};

/// Samples by name and labels, as they stand in the text; types by family.
struct Page {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

fn parse(text: &str) -> anyhow::Result<Page> {
    let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            let (family, kind) = told.split_once(' ').ok_or_else(|| anyhow::anyhow!("{line:?}"))?;
            types.insert(family.to_owned(), kind.to_owned());
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').ok_or_else(|| anyhow::anyhow!("{line:?}"))?;
            let before = samples.insert(name.to_owned(), value.parse()?);
            assert_eq!(before, None, "{name} is there twice");
        }
    }
    Ok(Page { samples, types })
}

impl Page {
    /// The samples of this metric.
    fn of(&self, metric: &Exported) -> impl Iterator<Item = (&str, f64)> {
        let name = match metric.kind {
            exported::Type::Histogram => format!("{}_count", metric.name),
            _ => metric.name.to_owned(),
        };
        self.samples.iter().filter_map(move |(sample, value)| {
            (sample.split('{').next() == Some(&name)).then_some((sample.as_str(), *value))
        })
    }

    fn sum(&self, metric: &Exported) -> f64 {
        self.of(metric).map(|(_, value)| value).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_table_is_there_and_no_other() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let page = parse(&nodes[0].metrics().await?)?;
    for metric in exported::ALL {
        let family = page.types.get(metric.stem());
        assert_eq!(family.map(String::as_str), Some(metric.kind.word()), "{}", metric.name);
        let samples: Vec<_> = page.of(metric).collect();
        assert!(!samples.is_empty(), "{} has no sample", metric.name);
        for label in metric.labels {
            let labelled = |sample: &str| sample.contains(&format!("{label}=\""));
            assert!(samples.iter().all(|(sample, _)| labelled(sample)), "{label}: {samples:?}");
        }
    }
    assert_eq!(page.types.len(), exported::ALL.len(), "{:?}", page.types.keys());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted() -> anyhow::Result<()> {
    let nodes = network(3).await?;
    let node = &nodes[1];
    within("lookup", node.lookup(nodes[2].id().as_bytes())).await??;
    within("lookup", node.lookup(nodes[0].id().as_bytes())).await??;
    within("put", node.put(b"name", b"value")).await??;
    within("get", node.get(b"name")).await??;
    within("get", node.get(b"another")).await??;
    within("announce", node.announce(b"name")).await??;
    within("providers", node.providers(b"another", 1)).await??;
    let page = parse(&node.metrics().await?)?;
    let sample = |name: &str| page.samples.get(name).copied();
    assert_eq!(sample("wavetank_lookups_total{outcome=\"found\"}"), Some(2.));
    assert_eq!(sample("wavetank_lookups_total{outcome=\"isolated\"}"), Some(0.));
    assert_eq!(sample("wavetank_record_gets_total{outcome=\"value\"}"), Some(1.));
    assert_eq!(sample("wavetank_record_gets_total{outcome=\"not_found\"}"), Some(1.));
    assert_eq!(sample("wavetank_lookup_latency_seconds_bucket{le=\"+Inf\"}"), Some(2.));
    assert!(sample("wavetank_lookup_latency_seconds_sum").is_some_and(|sum| sum > 0. && sum < 60.));
    let counts = [
        (&exported::RECORD_PUTS, 1.),
        (&exported::PROVIDER_ANNOUNCES, 1.),
        (&exported::PROVIDER_FINDS, 1.),
        (&exported::LOOKUP_HOPS, 2.),
        (&exported::LOOKUP_ROUNDS_TO_KNOWN, 2.),
        (&exported::RECORD_GET_LATENCY, 2.),
        (&exported::PROVIDER_FOUND, 1.),
        (&exported::KAD_TABLE_ENTRIES, 2.),
        (&exported::PEERS_CONNECTED, 2.),
        (&exported::STORE_FAILURES, 0.),
        (&exported::MESSAGES_DROPPED, 0.),
    ];
    for (metric, count) in counts {
        assert!((page.sum(metric) - count).abs() < f64::EPSILON, "{}: {}", metric.name, page.sum(metric));
    }
    let view = node.view().await?;
    assert!(
        page.sum(&exported::MESSAGES_SENT) > 5. && page.sum(&exported::MESSAGES_SENT) <= view.sent as f64
    );
    assert!(page.sum(&exported::MESSAGES_SENT_BYTES) > page.sum(&exported::MESSAGES_SENT));
    assert!(page.sum(&exported::UPTIME) > 0.);

    // What others hold for it, and what is turned away there.
    let other = &nodes[0];
    let mut events = other.events();
    let port = other.addresses().await?.remove(0).iter().find_map(|part| match part {
        libp2p::multiaddr::Protocol::Tcp(port) => Some(port),
        _ => None,
    });
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port.expect("a TCP port")))?;
    std::io::Write::write_all(&mut socket, b"GET / HTTP/1.1\r\n\r\n")?;
    drop(socket);
    let reason = Reason::NoHandshake.word();
    let expected = Event::TurnedAway { peer: None, reason: reason.to_owned() };
    wait_for(&mut events, "turned away", |event| (*event == expected).then_some(())).await?;
    let page = parse(&other.metrics().await?)?;
    let turned_away = format!("wavetank_offences_total{{reason=\"{reason}\"}}");
    assert_eq!(page.samples.get(&turned_away), Some(&1.));
    assert_eq!(page.samples.get("wavetank_limit_hits_total{limit=\"queue_full\"}"), Some(&0.));
    assert!((page.sum(&exported::RECORDS) - 1.).abs() < f64::EPSILON);
    Ok(())
}

const BEGIN: &str =
    "<!-- metrics: made by `WAVETANK_ACCEPT=1 cargo test -p wavetank-p2p --test metrics` -->\n";
const END: &str = "<!-- /metrics -->\n";

/// The table as the page shows it.
fn table() -> String {
    let mut table =
        String::from("| metric | type | labels | in runs | what it says |\n|---|---|---|---|---|\n");
    for metric in exported::ALL {
        let Exported { name, kind, labels, in_runs, about } = metric;
        let in_runs = in_runs.map_or_else(String::new, |name| format!("`{name}`"));
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let (kind, labels) = (kind.word(), labels.join(", "));
        // Writing to a string does not fail.
        let _ = writeln!(table, "| `{name}` | {kind} | {labels} | {in_runs} | {about} |");
    }
    table
}

#[test]
fn the_page_shows_the_table_as_it_is() -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let page = std::fs::read_to_string(path)?;
    let (before, rest) = page.split_once(BEGIN).ok_or_else(|| anyhow::anyhow!("no {BEGIN:?} in {path}"))?;
    let (shown, after) = rest.split_once(END).ok_or_else(|| anyhow::anyhow!("no {END:?} in {path}"))?;
    if std::env::var_os("WAVETANK_ACCEPT").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table()))?;
        return Ok(());
    }
    assert_eq!(shown, table(), "the table of {path} is not that of `types`: run with WAVETANK_ACCEPT=1");
    Ok(())
}
