//! What is to be measured.

use std::path::PathBuf;

/// What is to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Numbers of peers, each measured by itself.
    pub sizes: Vec<u32>,
    /// Rounds; in each, every contestant has its turn. The median is told.
    pub repetitions: u32,
    /// Lookups of a run.
    pub lookups: u32,
    /// How this program is called so that it does [`crate::child`]; `None`: memory is not measured.
    pub child: Option<Child>,
}

/// A call of a program; what a child is to do follows as further arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The program: the one that runs, by rights.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<String>,
}

impl Options {
    /// A minute: for a first impression, with a spread to match.
    #[must_use]
    pub fn quick() -> Self {
        Self { sizes: vec![1_000, 10_000], repetitions: 3, lookups: 20_000, child: None }
    }

    /// What is asked of the project, but for a million peers.
    #[must_use]
    pub fn standard() -> Self {
        Self { sizes: vec![1_000, 10_000, 100_000], repetitions: 5, lookups: 100_000, child: None }
    }

    /// All of it.
    #[must_use]
    pub fn full() -> Self {
        Self { sizes: vec![1_000, 10_000, 100_000, 1_000_000], lookups: 200_000, ..Self::standard() }
    }

    /// The same, with memory measured by children of this program that are called with these arguments first.
    ///
    /// # Errors
    /// If the system does not tell which program this is.
    pub fn with_children(mut self, arguments: &[&str]) -> std::io::Result<Self> {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.child = Some(Child { program: std::env::current_exe()?, arguments });
        Ok(self)
    }
}
