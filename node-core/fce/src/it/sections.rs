//! The custom sections that a service's module carries.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;
use wasmparser::{ExternalKind, Parser, Payload};

use super::Section;
use super::interface::Interface;
use super::read::{ReadError, read as read_interface};

/// The section of interface types.
pub const INTERFACE_TYPES: &str = "interface-types";
/// The section that names the SDK's version.
pub const SDK_VERSION: &str = "__fluence_sdk_version";
/// The oldest SDK whose modules run.
pub const SDK_VERSION_MIN: Version = Version::new(0, 6, 0);
/// The oldest interface types that are understood.
pub const INTERFACE_VERSION_MIN: Version = Version::new(0, 20, 0);

/// The section that says who made it.
pub const MANIFEST: &str = "__fluence_wasm_module_manifest";

/// Who made a module, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Who.
    pub authors: String,
    /// Its release.
    pub version: String,
    /// What it is.
    pub description: String,
    /// Where its sources are.
    pub repository: String,
    /// When it was built, as RFC 3339 says it.
    pub build_time: String,
}

/// What a module carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    /// What it says of its functions.
    pub interface_types: Section,
    /// The SDK that it was built with.
    pub sdk_version: Option<Version>,
    /// Who made it, if it says so.
    pub manifest: Option<Manifest>,
}

/// What is wrong with a module's sections.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// It is no Wasm.
    #[error("the module cannot be read: {0}")]
    Wasm(String),
    /// A section is missing.
    #[error(
        "the module has no section {0}: it was not built with the Marine toolchain, or its last step was left out"
    )]
    Missing(&'static str),
    /// A section is there twice.
    #[error("the module has two sections {0}")]
    Twice(&'static str),
    /// The interface types are malformed.
    #[error(transparent)]
    Interface(#[from] ReadError),
    /// A version that is none.
    #[error("the module's SDK version is not one: {0:?}")]
    Version(String),
    /// An adapter calls a function that the module does not export.
    #[error("the module's interface calls {0}, which its code does not export")]
    NotExported(String),
    /// The manifest is not five texts, each behind its length.
    #[error("the module's manifest is malformed")]
    Manifest,
    /// A version that is too old.
    #[error("{what} {version} is older than {least}, the oldest that runs")]
    TooOld {
        /// Of what.
        what: &'static str,
        /// It.
        version: Version,
        /// The oldest.
        least: Version,
    },
}

/// Reads what a module carries.
///
/// # Errors
/// If it lacks what a service needs, or it is malformed or too old.
pub fn read(wasm: &[u8]) -> Result<Sections, SectionError> {
    let (mut interface, mut sdk, mut manifest) = (None, None, None);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| SectionError::Wasm(error.to_string()))?;
        let Payload::CustomSection(section) = payload else { continue };
        let (place, name) = match section.name() {
            INTERFACE_TYPES => (&mut interface, INTERFACE_TYPES),
            SDK_VERSION => (&mut sdk, SDK_VERSION),
            MANIFEST => (&mut manifest, MANIFEST),
            _ => continue,
        };
        if place.replace(section.data()).is_some() {
            return Err(SectionError::Twice(name));
        }
    }
    let interface_types = read_interface(interface.ok_or(SectionError::Missing(INTERFACE_TYPES))?)?;
    young_enough("interface types", &interface_types.version, INTERFACE_VERSION_MIN)?;
    let sdk = sdk.ok_or(SectionError::Missing(SDK_VERSION))?;
    let text = String::from_utf8_lossy(sdk);
    let sdk = Version::parse(&text).map_err(|_| SectionError::Version(text.chars().take(40).collect()))?;
    young_enough("SDK", &sdk, SDK_VERSION_MIN)?;
    let manifest = manifest.map(|bytes| read_manifest(bytes).ok_or(SectionError::Manifest)).transpose()?;
    Ok(Sections { interface_types, sdk_version: Some(sdk), manifest })
}

fn young_enough(what: &'static str, version: &Version, least: Version) -> Result<(), SectionError> {
    if *version < least {
        Err(SectionError::TooOld { what, version: version.clone(), least })
    } else {
        Ok(())
    }
}

/// Checks that the functions that adapters call are there.
///
/// # Errors
/// If the module's code does not export one of them.
pub fn check_exports(wasm: &[u8], interface: &Interface) -> Result<(), SectionError> {
    let mut exported = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ExportSection(reader) =
            payload.map_err(|error| SectionError::Wasm(error.to_string()))?
        else {
            continue;
        };
        let functions = reader.into_iter().flatten().filter(|export| export.kind == ExternalKind::Func);
        exported.extend(functions.map(|export| export.name));
    }
    let missing = interface.called().find(|name| !exported.contains(name));
    missing.map_or(Ok(()), |name| Err(SectionError::NotExported(name.to_owned())))
}

/// Five texts, each behind its length as 64 bits, and nothing else.
fn read_manifest(mut bytes: &[u8]) -> Option<Manifest> {
    let mut text = || {
        let (length, rest) = bytes.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        bytes = rest;
        core::str::from_utf8(text).ok().map(str::to_owned)
    };
    let manifest = Manifest {
        authors: text()?,
        version: text()?,
        description: text()?,
        repository: text()?,
        build_time: text()?,
    };
    bytes.is_empty().then_some(manifest)
}
