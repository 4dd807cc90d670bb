//! Why an import did not happen.

use crate::{domain::Error, store::StoreError};

/// A sentence for people. None of them repeats a DSN or a secret.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The address of Hydra's database is wrong, or it cannot be read.
    #[error("{0}")]
    Source(String),
    /// A row of Hydra's is not what Hydra writes.
    #[error("row {row} of {table} in Hydra's database is damaged: {problem}; nothing was imported")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The row's name.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No secret opens a key.
    #[error(
        "key {kid} of set {set} cannot be opened: none of the given system secrets is the one \
         Hydra sealed it with; name all of Hydra's secrets.system, each with --secrets-system; \
         nothing was imported"
    )]
    Sealed {
        /// The set.
        set: String,
        /// The key.
        kid: String,
    },
    /// Our own secrets are not set.
    #[error(
        "secrets.system (SECRETS_SYSTEM) must be set: the imported keys are sealed with it, and \
         serve needs the same to open them"
    )]
    NoSecret,
    /// Our store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key in our store cannot be opened.
    #[error(transparent)]
    Ours(#[from] Error),
}

impl ImportError {
    pub(super) fn sealed(set: &str, kid: &str) -> Self {
        Self::Sealed {
            set: set.to_owned(),
            kid: kid.to_owned(),
        }
    }
}
