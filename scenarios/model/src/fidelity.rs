//! How real each part of a run is: said in the scenario, recorded with the run.
//!
//! Only what something serves can be chosen; what the house plans is refused with that word
//! (`x-later` in the schema).

/// How real each part of a run is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-later" = ["wasm", "air"]))]
pub struct Fidelity {
    /// Whether peers hold keys.
    pub crypto: Crypto,
    /// Whether messages between simulated peers go through their bytes. Both ways give the same run.
    pub wire: Wire,
    /// Whether a message needs a link that was dialled first.
    pub links: Links,
}

/// Whether peers hold keys.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Crypto {
    /// They do not: their ids are drawn, and have the right form and size.
    #[default]
    Modelled,
    /// Each peer has an Ed25519 key that follows from the seed and its number, and its id is that key's: the
    /// same ids as on real processes.
    Real,
}

/// How messages travel between simulated peers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// As values; their exact size is counted.
    #[default]
    Typed,
    /// As bytes, through the codec of the real node.
    Encoded,
}

/// Whether a message needs a link.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = allow_bare_dialled)]
pub enum Links {
    /// Any peer reaches any other at once.
    #[default]
    Free,
    /// A link is dialled first, and closed when it is not used. `dialled` alone takes the defaults.
    Dialled(kernel::Dialling),
}

/// `links: dialled` without settings: `shape` reads a bare word as a choice whose settings are all at
/// their defaults, and an editor is told that it may be written.
fn allow_bare_dialled(schema: &mut schemars::Schema) {
    let word = serde_json::json!({
        "type": "string",
        "const": "dialled",
        "description": "A link is dialled first, with the default settings.",
    });
    if let Some(choices) = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut) {
        choices.push(word);
    }
}
