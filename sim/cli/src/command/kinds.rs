//! The scenarios that `wavetank scenario new` writes, each valid as it is and commented for whoever changes it.

/// A kind of scenario: what it is called, what it asks, and its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! kinds {
    ($($name:literal),*) => {
        /// All of them.
        pub(crate) const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            text: include_str!(concat!("../kinds/", $name, ".yaml")),
        }),*];
    };
}

kinds!("lookups", "records", "churn", "partition", "scale");
