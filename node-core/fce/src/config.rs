//! A service's configuration, in the published TOML.
//!
//! All fields that published configurations of 2021 to 2024 have are read. What has no meaning any more is said, not refused:
//! configurations in the wild carry such fields, and misspelled ones.
//!
//! It reads no file but the text that it is given: paths stay as they are written, and [`ServiceConfig::files`] resolves them.
//!
//! # Invariants
//! - Every key is used or named in a [`Warning`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};

use crate::module::Module;
use crate::spec::Member;
use crate::wasi::Preopen;

/// The longest configuration that is read: a service has a handful of modules.
pub const CONFIG_BYTES_MAX: usize = 256 << 10;

/// A service's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Where modules are that do not say it themselves.
    pub modules_dir: Option<PathBuf>,
    /// Where relative directories of the host are.
    pub service_working_dir: Option<PathBuf>,
    /// What its memories and tables may hold together, in bytes; nothing if there is no limit of its own.
    pub total_memory_limit_bytes: Option<u64>,
    /// The modules, in the order in which they are loaded.
    pub modules: Vec<ModuleConfig>,
}

/// A module's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleConfig {
    /// What other modules import it by.
    pub name: String,
    /// Its file, if that is not the name with `.wasm`.
    pub file_name: Option<String>,
    /// Its file or the directory of it, before [`ServiceConfig::modules_dir`].
    pub load_from: Option<PathBuf>,
    /// Whether it may write to the log.
    pub logger: Logger,
    /// Which lines of its log are kept.
    pub logging_mask: i32,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Directories that it sees: the names that it sees them by, and where they are on the host.
    pub mapped_dirs: BTreeMap<String, PathBuf>,
    /// The programs that it may call: the names that it imports them by, and where they are.
    pub mounted_binaries: BTreeMap<String, PathBuf>,
}

/// Whether a module's lines are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logger {
    /// They are, as far as the mask lets them through.
    #[default]
    On,
    /// They are not; a module that writes them runs all the same.
    Off,
}

/// A key that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Warning {
    /// Where: `module[1].wasi.preopend_files`.
    pub path: String,
    /// Why it means nothing.
    pub why: String,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is longer than any.
    #[error("a configuration of {0} bytes, more than the limit of {CONFIG_BYTES_MAX}")]
    TooLong(usize),
    /// It is no TOML.
    #[error("{0}")]
    Toml(String),
    /// It is no JSON.
    #[error("the configuration is no JSON: {0}")]
    Json(String),
    /// A key has a value of another kind.
    #[error("{path} is {found}, not {wanted}")]
    Kind {
        /// Where.
        path: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A key is missing.
    #[error("{0} is missing")]
    Missing(String),
    /// A size that is none.
    #[error("{path} is {text:?}, no size: a number of bytes, or one like \"64 MiB\", or \"Infinity\"")]
    Size {
        /// Where.
        path: String,
        /// What is written there.
        text: String,
    },
    /// A number out of range.
    #[error("{path} is {number}, which does not fit 32 bits")]
    Range {
        /// Where.
        path: String,
        /// The number.
        number: i64,
    },
}

impl ServiceConfig {
    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn from_toml(text: &str) -> Result<(Self, Vec<Warning>), ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLong(text.len()));
        }
        let table: Table =
            text.parse().map_err(|error: toml::de::Error| ConfigError::Toml(error.to_string()))?;
        let mut reader = Reader::default();
        let config = reader.service(table)?;
        Ok((config, reader.warnings))
    }

    /// The module files, resolved against `base`, the directory of the configuration.
    #[must_use]
    pub fn files(&self, base: &Path) -> Vec<PathBuf> {
        let file = |module: &ModuleConfig| {
            let name = module.file_name.clone().unwrap_or_else(|| format!("{}.wasm", module.name));
            match &module.load_from {
                // A file of its own, or the directory of it.
                Some(place) if place.extension().is_some_and(|extension| extension == "wasm") => {
                    base.join(place)
                }
                Some(place) => base.join(place).join(name),
                None => base.join(self.modules_dir.as_deref().unwrap_or(Path::new("."))).join(name),
            }
        };
        self.modules.iter().map(file).collect()
    }
}

impl ModuleConfig {
    /// Reads the configuration of one module as peers exchange it: JSON, whose tables may be lists of pairs.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn from_json(json: &serde_json::Value) -> Result<(Self, Vec<Warning>), ConfigError> {
        let value =
            Value::try_from(without_nulls(json)).map_err(|error| ConfigError::Json(error.to_string()))?;
        let Value::Table(table) = value else {
            return Err(ConfigError::Kind {
                path: "the module".to_owned(),
                found: kind(&value),
                wanted: "an object",
            });
        };
        let mut reader = Reader::default();
        let config = reader.module(table, "the module")?;
        Ok((config, reader.warnings))
    }

    /// The member of a service that this is, of `module`. Each directory that it sees is one of the service's disk, which goes by
    /// the name that the module sees it by; the module finds that name in its environment too.
    #[must_use]
    pub fn member(&self, module: Arc<Module>) -> Member {
        let preopen = |alias: &String| Preopen {
            guest: alias.clone(),
            folder: alias.trim_start_matches('/').to_owned(),
        };
        let mapped = self.mapped_dirs.keys().map(|alias| (alias.clone(), alias.clone()));
        let environment = self.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
        Member {
            environment: environment.chain(mapped).collect(),
            preopens: self.mapped_dirs.keys().map(preopen).collect(),
            logging_mask: self.logging_mask,
            logs: self.logger == Logger::On,
            binaries: self.mounted_binaries.keys().cloned().collect(),
            ..Member::new(self.name.clone(), module)
        }
    }
}

/// JSON without members that are null, which TOML has not.
fn without_nulls(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            serde_json::Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        other => other.clone(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// Fields that once meant something, and what became of them.
const RETIRED: [(&str, &str); 4] = [
    ("mem_pages_count", "memory is limited for the service as a whole, by `total_memory_limit`"),
    ("max_heap_size", "memory is limited for the service as a whole, by `total_memory_limit`"),
    ("preopened_files", "directories are those of `mapped_dirs`"),
    ("default", "each module says what it needs"),
];

/// Reads tables, and remembers what was left over.
#[derive(Default)]
struct Reader {
    warnings: Vec<Warning>,
}

impl Reader {
    fn service(&mut self, mut table: Table) -> Result<ServiceConfig, ConfigError> {
        let modules = match table.remove("module") {
            Some(Value::Array(modules)) => modules,
            Some(other) => return Err(wrong("module", &other, "a list of tables")),
            None => return Err(ConfigError::Missing("[[module]]".to_owned())),
        };
        let mut config = ServiceConfig {
            modules_dir: text(&mut table, "", "modules_dir")?.map(PathBuf::from),
            service_working_dir: text(&mut table, "", "service_working_dir")?.map(PathBuf::from),
            total_memory_limit_bytes: size(&mut table, "total_memory_limit")?,
            modules: Vec::new(),
        };
        for (index, module) in modules.into_iter().enumerate() {
            let path = format!("module[{index}]");
            match module {
                Value::Table(module) => config.modules.push(self.module(module, &path)?),
                other => return Err(wrong(&path, &other, "a table")),
            }
        }
        self.rest(&table, "", &["modules_dir", "service_working_dir", "total_memory_limit", "module"]);
        Ok(config)
    }

    fn module(&mut self, mut table: Table, path: &str) -> Result<ModuleConfig, ConfigError> {
        let name =
            text(&mut table, path, "name")?.ok_or_else(|| ConfigError::Missing(format!("{path}.name")))?;
        let logger = match table.remove("logger_enabled") {
            None | Some(Value::Boolean(true)) => Logger::On,
            Some(Value::Boolean(false)) => Logger::Off,
            Some(other) => return Err(wrong(&format!("{path}.logger_enabled"), &other, "a boolean")),
        };
        let logging_mask = match table.remove("logging_mask") {
            None => i32::MAX,
            Some(Value::Integer(number)) => i32::try_from(number)
                .map_err(|_| ConfigError::Range { path: format!("{path}.logging_mask"), number })?,
            Some(other) => return Err(wrong(&format!("{path}.logging_mask"), &other, "a whole number")),
        };
        let mut wasi = match table.remove("wasi") {
            None => Table::new(),
            Some(Value::Table(wasi)) => wasi,
            Some(other) => return Err(wrong(&format!("{path}.wasi"), &other, "a table")),
        };
        let config = ModuleConfig {
            name,
            file_name: text(&mut table, path, "file_name")?,
            load_from: text(&mut table, path, "load_from")?.map(PathBuf::from),
            logger,
            logging_mask,
            environment: pairs(&mut wasi, &format!("{path}.wasi"), "envs")?,
            mapped_dirs: paths(pairs(&mut wasi, &format!("{path}.wasi"), "mapped_dirs")?),
            mounted_binaries: paths(pairs(&mut table, path, "mounted_binaries")?),
        };
        self.rest(&wasi, &format!("{path}.wasi"), &["envs", "mapped_dirs"]);
        let known =
            ["name", "file_name", "load_from", "logger_enabled", "logging_mask", "wasi", "mounted_binaries"];
        self.rest(&table, path, &known);
        Ok(config)
    }

    /// Names what is left of a table.
    fn rest(&mut self, table: &Table, path: &str, known: &[&str]) {
        for key in table.keys() {
            let retired = RETIRED.iter().find(|(name, _)| name == key).map(|(_, why)| (*why).to_owned());
            let why =
                retired.unwrap_or_else(|| format!("nothing of that name; there is {}", known.join(", ")));
            self.warnings.push(Warning { path: join(path, key), why: format!("it has no effect: {why}") });
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn wrong(path: &str, found: &Value, wanted: &'static str) -> ConfigError {
    ConfigError::Kind { path: path.to_owned(), found: kind(found), wanted }
}

fn text(table: &mut Table, path: &str, key: &str) -> Result<Option<String>, ConfigError> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(&join(path, key), &other, "a text")),
    }
}

/// A table of texts, or a list of pairs of texts.
fn pairs(table: &mut Table, path: &str, key: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let path = join(path, key);
    let as_text = |name: &str, value: Value| match value {
        Value::String(text) => Ok((name.to_owned(), text)),
        other => Err(wrong(&join(&path, name), &other, "a text")),
    };
    match table.remove(key) {
        None => Ok(BTreeMap::new()),
        Some(Value::Table(entries)) => {
            entries.into_iter().map(|(name, value)| as_text(&name, value)).collect()
        }
        Some(Value::Array(entries)) => {
            let pair = |entry: Value| match entry {
                Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                    Ok([Value::String(name), value]) => as_text(&name, value),
                    _ => Err(ConfigError::Kind {
                        path: path.clone(),
                        found: "a list",
                        wanted: "a pair of texts",
                    }),
                },
                other => Err(wrong(&path, &other, "a pair of texts")),
            };
            entries.into_iter().map(pair).collect()
        }
        Some(other) => Err(wrong(&path, &other, "a table")),
    }
}

fn paths(texts: BTreeMap<String, String>) -> BTreeMap<String, PathBuf> {
    texts.into_iter().map(|(name, path)| (name, PathBuf::from(path))).collect()
}

/// A size: a number of bytes, a text with a unit, or no limit.
fn size(table: &mut Table, key: &str) -> Result<Option<u64>, ConfigError> {
    let refused = |text: String| ConfigError::Size { path: key.to_owned(), text };
    match table.remove(key) {
        None => Ok(None),
        Some(Value::Integer(bytes)) => u64::try_from(bytes).map(Some).map_err(|_| refused(bytes.to_string())),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("infinity") => Ok(None),
        Some(Value::String(text)) => bytes_of(&text).map(Some).ok_or_else(|| refused(text)),
        Some(other) => Err(wrong(key, &other, "a size")),
    }
}

/// Sizes as the published parser takes them: units of 1,000 and of 1,024, with or without a space and the letter B.
fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale: u64 = match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => 1,
        "k" => 1000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn warned(text: &str) -> Vec<String> {
        ServiceConfig::from_toml(text).unwrap().1.iter().map(ToString::to_string).collect()
    }

    fn refused(text: &str) -> String {
        ServiceConfig::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn published_configurations_are_read() {
        for (config, names) in [
            (registry_distro::CONFIG, ["sqlite3", "registry"]),
            (fluence_spell_distro::CONFIG, ["sqlite3", "spell"]),
            (aqua_ipfs_distro::CONFIG, ["ipfs_effector", "ipfs_pure"]),
        ] {
            let (config, _) = ServiceConfig::from_toml(core::str::from_utf8(config).unwrap()).unwrap();
            assert_eq!(config.modules.iter().map(|module| module.name.as_str()).collect::<Vec<_>>(), names);
            assert_eq!(config.total_memory_limit_bytes, None);
        }
        let text = core::str::from_utf8(aqua_ipfs_distro::CONFIG).unwrap();
        let (config, warnings) = ServiceConfig::from_toml(text).unwrap();
        assert_eq!(config.modules[0].mounted_binaries["ipfs"], Path::new("/usr/bin/ipfs"));
        assert_eq!(config.modules[0].mapped_dirs["tmp"], Path::new("."));
        let paths: Vec<_> = warnings.iter().map(|warning| warning.path.as_str()).collect();
        assert_eq!(paths, ["module[0].wasi.preopend_files", "module[0].mem_pages_count"]);
    }

    #[test]
    fn what_has_no_effect_is_said() {
        let said =
            warned("[[module]]\nname = \"m\"\nmax_heap_size = \"1 MiB\"\nloger_enabled = true\n[default]\n");
        assert_eq!(
            said,
            [
                "module[0].loger_enabled: it has no effect: nothing of that name; there is name, file_name, load_from, \
                 logger_enabled, logging_mask, wasi, mounted_binaries",
                "module[0].max_heap_size: it has no effect: memory is limited for the service as a whole, by \
                 `total_memory_limit`",
                "default: it has no effect: each module says what it needs",
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(refused("modules_dir = \".\""), "[[module]] is missing");
        assert_eq!(refused("[[module]]\nfile_name = \"a\""), "module[0].name is missing");
        assert_eq!(refused("[[module]]\nname = 1"), "module[0].name is a whole number, not a text");
        assert_eq!(refused("[module]\nname = \"m\""), "module is a table, not a list of tables");
        let mapped = "[[module]]\nname = \"m\"\n[module.wasi]\nmapped_dirs = { tmp = 1 }";
        assert_eq!(refused(mapped), "module[0].wasi.mapped_dirs.tmp is a whole number, not a text");
        let mask = "[[module]]\nname = \"m\"\nlogging_mask = 4294967296";
        assert_eq!(refused(mask), "module[0].logging_mask is 4294967296, which does not fit 32 bits");
        let size = "total_memory_limit = \"lots\"\n[[module]]\nname = \"m\"";
        assert!(refused(size).starts_with("total_memory_limit is \"lots\", no size"));
        assert!(refused("[[module]\n").contains("line 1"), "{}", refused("[[module]\n"));
        assert!(refused(&"#".repeat(CONFIG_BYTES_MAX + 1)).contains("more than the limit"));
    }

    #[test]
    fn sizes_are_numbers_or_texts() {
        let limit = |text: &str| {
            let text = format!("total_memory_limit = {text}\n[[module]]\nname = \"m\"");
            ServiceConfig::from_toml(&text).unwrap().0.total_memory_limit_bytes
        };
        assert_eq!(limit("4096"), Some(4096));
        assert_eq!(limit("\"64 MiB\""), Some(64 << 20));
        assert_eq!(limit("\"2kb\""), Some(2000));
        assert_eq!(limit("\"1 GiB\""), Some(1 << 30));
        assert_eq!(limit("\"infinity\""), None);
    }

    #[test]
    fn a_module_is_read_as_peers_exchange_it() {
        let json = json!({
            "name": "m", "logger_enabled": null, "mem_pages_count": 7,
            "wasi": { "envs": [["A", "b"]], "mapped_dirs": [["tmp", "./tmp"]] }, "mounted_binaries": { "curl": "/usr/bin/curl" },
        });
        let (config, warnings) = ModuleConfig::from_json(&json).unwrap();
        assert_eq!(
            (config.environment["A"].as_str(), config.mapped_dirs["tmp"].as_path()),
            ("b", Path::new("./tmp"))
        );
        assert_eq!((config.logger, warnings.len()), (Logger::On, 1));
        let refused = |json| ModuleConfig::from_json(&json).unwrap_err().to_string();
        assert_eq!(refused(json!(7)), "the module is a whole number, not an object");
        assert_eq!(
            refused(json!({ "name": "m", "mounted_binaries": [["a"]] })),
            "the module.mounted_binaries is a list, not a pair of texts"
        );
    }

    #[test]
    fn files_are_found_where_modules_say() {
        let text = "modules_dir = \"mods\"\n[[module]]\nname = \"a\"\n[[module]]\nname = \"b\"\nfile_name = \"c.wasm\"\n\
                    [[module]]\nname = \"d\"\nload_from = \"other\"\n[[module]]\nname = \"e\"\nload_from = \"f.wasm\"";
        let files = ServiceConfig::from_toml(text).unwrap().0.files(Path::new("/base"));
        assert_eq!(
            files,
            ["/base/mods/a.wasm", "/base/mods/c.wasm", "/base/other/d.wasm", "/base/f.wasm"]
                .map(PathBuf::from)
        );
    }
}
