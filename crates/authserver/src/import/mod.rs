//! `import hydra`: takes clients, keys, trusted issuers and living tokens out of a database of Ory
//! Hydra, and tells what stays behind. Reads whatever columns a version of Hydra has ([`source`]);
//! the store takes all of it in one transaction or nothing. Knows nothing of HTTP.

mod client;
mod error;
mod issuer;
mod key;
mod left;
mod report;
mod row;
mod source;
mod token;

use std::sync::Arc;

use carnet_oauth::{Clock, Random};
use futures_util::TryStreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};

pub use error::ImportError;
pub use report::{Count, ImportReport, Left};

use crate::{
    domain::keys::Vault,
    store::{Intake, Store},
};
use row::seconds;
use source::{Source, Table};

/// An import: from where, and what it needs.
#[derive(Debug)]
pub struct HydraImport {
    /// The DSN of Hydra's database, PostgreSQL or SQLite.
    pub from: SecretString,
    /// Hydra's system secrets.
    pub hydra_secrets: Vec<SecretString>,
    /// The system secrets of the server that will use our store.
    pub secrets: Vec<SecretString>,
    /// Whether to find out only what would be done.
    pub dry_run: bool,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being taken.
    pub what: &'static str,
    /// So many rows are done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// Hears of each row.
pub type Watch<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// One run, with what all of its steps need.
struct Run<'a> {
    source: Source,
    intake: Box<dyn Intake + 'a>,
    openers: Vec<key::Opener>,
    vault: Vault,
    /// Opaque tokens count only while the secret is at hand that made them.
    knows_hydras_secrets: bool,
    now: i64,
    report: ImportReport,
    watch: Watch<'a>,
}

impl HydraImport {
    /// Runs the import into a store. Of a dry run nothing stays.
    ///
    /// # Errors
    /// A sentence for people; then nothing was imported.
    pub async fn run(
        &self,
        store: &dyn Store,
        watch: Watch<'_>,
    ) -> Result<ImportReport, ImportError> {
        if self.secrets.is_empty() {
            return Err(ImportError::NoSecret);
        }
        let source = Source::open(&self.from).await?;
        let mut run = Run {
            source,
            intake: store.begin_import().await?,
            openers: self.hydra_secrets.iter().map(key::Opener::new).collect(),
            vault: Vault::new(&self.secrets, Arc::clone(&self.random)),
            knows_hydras_secrets: self.knows_hydras_secrets(),
            now: seconds(self.clock.now()),
            report: ImportReport::default(),
            watch,
        };
        run.clients().await?;
        run.keys().await?;
        run.issuers().await?;
        run.tokens().await?;
        run.left().await?;
        if !self.dry_run {
            run.intake.commit().await?;
        }
        Ok(run.report)
    }

    fn knows_hydras_secrets(&self) -> bool {
        let ours = |theirs: &SecretString| {
            let same = |ours: &SecretString| ours.expose_secret() == theirs.expose_secret();
            self.secrets.iter().any(same)
        };
        self.hydra_secrets.iter().all(ours)
    }
}

impl Run<'_> {
    async fn clients(&mut self) -> Result<(), ImportError> {
        let mut progress = self.progress("clients", &client::TABLE).await?;
        let mut rows = self.source.rows(&client::TABLE);
        while let Some(row) = rows.try_next().await? {
            let theirs = client::read(&row)?;
            client::notes(&row, &theirs, &mut self.report);
            let ours = self.intake.client(&theirs).await?;
            let id = &theirs.client.client_id;
            match ours {
                None => self.report.clients.new += 1,
                Some(ours) if client::same(&ours, &theirs) => self.report.clients.same += 1,
                Some(_) => self.report.differs(format!("client `{id}`")),
            }
            progress.step(self.watch);
        }
        Ok(())
    }

    async fn keys(&mut self) -> Result<(), ImportError> {
        let mut progress = self.progress("keys", &key::TABLE).await?;
        let mut rows = self.source.rows(&key::TABLE);
        while let Some(row) = rows.try_next().await? {
            let (set, kid) = (row.text("sid"), row.text("kid"));
            let jwk = key::open(&self.openers, row.text("keydata"));
            let jwk = jwk.ok_or_else(|| ImportError::sealed(set, kid))?;
            match self.vault.seal(set, &jwk) {
                Ok(theirs) => match self.intake.key(&theirs).await? {
                    None => {
                        self.report.keys.new += 1;
                        if let Some(key) = key::imported(&theirs, self.now) {
                            self.intake.imported_key(&key).await?;
                        }
                    }
                    Some(ours) if self.vault.same(&ours, &theirs)? => self.report.keys.same += 1,
                    Some(_) => self.report.differs(format!("key `{kid}` of set `{set}`")),
                },
                Err(problem) => {
                    let table = format!("{}, key `{kid}` of set `{set}`", key::TABLE.name);
                    self.report.leave(table, 1, problem.to_string());
                }
            }
            progress.step(self.watch);
        }
        Ok(())
    }

    async fn issuers(&mut self) -> Result<(), ImportError> {
        let mut rows = self.source.rows(&issuer::TABLE);
        while let Some(row) = rows.try_next().await? {
            let theirs = issuer::read(&row)?;
            let (issuer, id) = (&theirs.issuer, &theirs.id);
            match self.intake.trusted_issuer(&theirs).await? {
                None => self.report.trusted_issuers.new += 1,
                Some(ours) if ours == theirs => self.report.trusted_issuers.same += 1,
                Some(_) => {
                    let what = format!("trusted issuer `{issuer}` (`{id}`)");
                    self.report.differs(what);
                }
            }
        }
        Ok(())
    }

    async fn tokens(&mut self) -> Result<(), ImportError> {
        let mut progress = self.progress("access tokens", &token::TABLE).await?;
        let mut rows = self.source.rows(&token::TABLE);
        while let Some(row) = rows.try_next().await? {
            match token::read(&row, &self.openers, self.now)? {
                token::Found::Opaque(_) if !self.knows_hydras_secrets => {
                    self.report.leave(token::TABLE.name, 1, token::NO_SECRET);
                }
                token::Found::Opaque(token) | token::Found::Signed(token) => {
                    self.report.tokens.add(self.intake.token(&token).await?);
                }
                token::Found::Not(why) => self.report.leave(token::TABLE.name, 1, why),
            }
            progress.step(self.watch);
        }
        Ok(())
    }

    /// Counts what nobody asked for.
    async fn left(&mut self) -> Result<(), ImportError> {
        for table in self.source.tables() {
            if left::is_bookkeeping(&table) {
                continue;
            }
            let is_taken = TAKEN.iter().any(|taken| taken.name == table);
            let rows = self.source.count_left(&table, is_taken).await?;
            let why = if is_taken {
                left::OTHER_NETWORK
            } else {
                left::meaning(&table)
            };
            if rows > 0 {
                self.report.leave(table, rows, why);
            }
        }
        Ok(())
    }

    async fn progress(&mut self, what: &'static str, table: &Table) -> Result<Steps, ImportError> {
        let total = self.source.count(table).await?;
        Ok(Steps(Progress {
            what,
            done: 0,
            total,
        }))
    }
}

/// What is read, in this order.
const TAKEN: [&Table; 4] = [&client::TABLE, &key::TABLE, &issuer::TABLE, &token::TABLE];

struct Steps(Progress);

impl Steps {
    fn step(&mut self, watch: Watch<'_>) {
        self.0.done += 1;
        watch(self.0);
    }
}
