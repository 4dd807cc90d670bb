//! What an import did, in numbers and names.

use serde::Serialize;

use crate::store::Insertion;

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Clients.
    pub clients: Count,
    /// Keys.
    pub keys: Count,
    /// Trusted issuers.
    pub trusted_issuers: Count,
    /// Access tokens that still count.
    pub tokens: Count,
    /// What is here already and says something else: it stays as it is here.
    pub different: Vec<String>,
    /// What was not taken.
    pub left_behind: Vec<Left>,
}

/// Rows that were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Rows that were not here before.
    pub new: u64,
    /// Rows that were here already, just so.
    pub same: u64,
}

/// Rows that were not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Hydra's table, or a part of it.
    pub table: String,
    /// How many.
    pub rows: u64,
    /// What they are, and what follows.
    pub why: String,
}

impl Count {
    pub(super) const fn add(&mut self, insertion: Insertion) {
        match insertion {
            Insertion::Done => self.new += 1,
            Insertion::Conflict => self.same += 1,
        }
    }
}

impl ImportReport {
    pub(super) fn differs(&mut self, what: String) {
        self.different.push(what);
    }

    /// Counts rows that stay, beside others of the same table and reason.
    pub(super) fn leave(
        &mut self,
        table: impl AsRef<str> + Into<String>,
        rows: u64,
        why: impl AsRef<str> + Into<String>,
    ) {
        let known = self
            .left_behind
            .iter_mut()
            .find(|left| left.table == table.as_ref() && left.why == why.as_ref());
        match known {
            Some(left) => left.rows += rows,
            None => self.left_behind.push(Left {
                table: table.into(),
                rows,
                why: why.into(),
            }),
        }
    }
}
