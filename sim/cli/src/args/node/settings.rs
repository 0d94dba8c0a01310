//! Flags that change a node's configuration, in the order of the layers: the environment below what was typed.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};
use model::Setting;

use super::NODE;
use crate::args::change;

/// What the environment and the command line say of a node's configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The data folder, as it was named.
    data: Option<PathBuf>,
    /// The settings with their sources, those that go over others after them.
    list: Vec<(Source, Setting)>,
}

/// Where something was said; the later goes over the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Environment,
    Typed,
}

/// The flags themselves.
#[derive(Debug, Args)]
struct Flags {
    /// Its data folder
    #[arg(long, value_name = "DIR", env = "WAVETANK_DATA", hide_env_values = true, help_heading = NODE)]
    data: Option<String>,

    /// Listen at this address instead of the file's; may be repeated, or hold several,
    /// parted by commas
    #[arg(
        long, value_name = "MULTIADDR", value_delimiter = ',', env = "WAVETANK_LISTEN", hide_env_values = true,
        help_heading = NODE,
    )]
    listen: Vec<String>,

    /// Ask this peer first instead of the file's: an address that ends in `/p2p/` and
    /// its id; may be repeated, or hold several, parted by commas
    #[arg(
        long, value_name = "MULTIADDR", value_delimiter = ',', env = "WAVETANK_BOOTSTRAP",
        hide_env_values = true, help_heading = NODE,
    )]
    bootstrap: Vec<String>,

    /// Tell how it is, and take commands, at this address and port
    #[arg(long, value_name = "ADDRESS", env = "WAVETANK_HTTP", hide_env_values = true, help_heading = NODE)]
    http: Option<String>,

    /// The name of the DHT's protocol, which says whose network it is
    #[arg(long, value_name = "NAME", env = "WAVETANK_PROTOCOL", hide_env_values = true, help_heading = NODE)]
    protocol: Option<String>,

    /// Another value for any key of the configuration: `kad.k=8`; may be repeated, or
    /// hold several, parted by `;`
    #[arg(
        long, value_name = "PATH=VALUE", value_parser = change, value_delimiter = ';', env = "WAVETANK_SET",
        hide_env_values = true, help_heading = NODE,
    )]
    set: Vec<(String, String)>,
}

impl Settings {
    /// The data folder that was named.
    pub(crate) fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// What goes over a file, in order.
    pub(crate) fn over_a_file(&self) -> Vec<Setting> {
        self.list.iter().map(|(_, setting)| setting.clone()).collect()
    }

    /// What goes into a file that lies in the data folder: all but that folder.
    pub(crate) fn for_its_own_folder(&self) -> Vec<Setting> {
        self.over_a_file().into_iter().filter(|setting| setting.path != DATA).collect()
    }
}

/// The path of the data folder.
const DATA: &str = "data";

impl Flags {
    fn settings(self, source_of: impl Fn(&str) -> Source) -> Settings {
        let mut list = Vec::new();
        let mut say = |flag: &str, path: &str, value: Option<String>| {
            let source = source_of(flag);
            let origin = match source {
                Source::Environment => format!("WAVETANK_{}", flag.to_uppercase()),
                Source::Typed => format!("--{flag}"),
            };
            list.extend(value.map(|value| (source, Setting { origin, path: path.to_owned(), value })));
        };
        say("data", DATA, self.data.as_deref().map(|data| quoted(&absolute(data))));
        say("listen", "network.listen", listed(&self.listen));
        say("bootstrap", "network.bootstrap", listed(&self.bootstrap));
        say("http", "network.http", self.http.as_deref().map(quoted));
        say("protocol", "network.protocol", self.protocol.as_deref().map(quoted));
        for (path, value) in self.set {
            say("set", &path, Some(value));
        }
        // The order within a source is kept.
        list.sort_by_key(|(source, _)| *source);
        Settings { data: self.data.map(PathBuf::from), list }
    }
}

/// A path that was typed is relative to where it was typed, not to the file.
fn absolute(data: &str) -> String {
    let path = std::path::absolute(data).ok();
    path.and_then(|path| Some(path.to_str()?.to_owned())).unwrap_or_else(|| data.to_owned())
}

/// A text in YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Texts in YAML; `None` if there are none.
fn listed(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| serde_json::Value::from(texts).to_string())
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        // Asked first: flags are taken out as they are read.
        let sources: Vec<_> = ["data", "listen", "bootstrap", "http", "protocol", "set"]
            .into_iter()
            .filter(|flag| matches.value_source(flag) == Some(ValueSource::CommandLine))
            .collect();
        let flags = Flags::from_arg_matches_mut(matches)?;
        Ok(flags.settings(|flag| if sources.contains(&flag) { Source::Typed } else { Source::Environment }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Flags {
        Flags {
            data: None,
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned(), "/a".to_owned()],
            bootstrap: Vec::new(),
            http: Some("127.0.0.1:1".to_owned()),
            protocol: None,
            set: vec![("network.http".to_owned(), "127.0.0.1:2".to_owned())],
        }
    }

    fn said(typed: &[&str]) -> Vec<(String, String)> {
        let settings =
            flags().settings(|flag| if typed.contains(&flag) { Source::Typed } else { Source::Environment });
        settings.over_a_file().into_iter().map(|setting| (setting.origin, setting.value)).collect()
    }

    #[test]
    fn what_was_typed_goes_over_the_environment() {
        let last = |typed: &[&str]| said(typed).pop().unwrap().0;
        assert_eq!(last(&["http"]), "--http");
        assert_eq!(last(&["set"]), "--set");
        assert_eq!(last(&["http", "set"]), "--set");
        assert_eq!(last(&[]), "WAVETANK_SET");
    }

    #[test]
    fn values_are_yaml() {
        let all = said(&[]);
        assert_eq!(all[0].1, r#"["/ip4/127.0.0.1/tcp/0","/a"]"#);
        assert_eq!(all[1].1, r#""127.0.0.1:1""#);
        assert_eq!(all.len(), 3, "what nobody said is no setting");
    }
}
