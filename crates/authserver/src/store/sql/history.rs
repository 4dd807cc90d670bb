//! The tables' history. To change a table: a file in both folders of `store/migrations` and a line
//! in [`STEPS`]; files that were released never change.

use std::collections::BTreeSet;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration as SqlxMigration, MigrationType, Migrator};

use super::Engine;
use crate::store::dsn::refused;
use crate::store::open::Migration;
use crate::store::{Result, StoreError};

/// One step, for each database.
pub(in crate::store) struct Step {
    version: i64,
    name: &'static str,
    pub(in crate::store) sqlite: &'static str,
    pub(in crate::store) postgres: &'static str,
}

macro_rules! step {
    ($version:literal, $name:literal, $file:literal) => {
        Step {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../migrations/postgres/", $file)),
        }
    };
}

const STEPS: &[Step] = &[
    step!(1, "clients", "0001_clients.sql"),
    step!(2, "keys", "0002_keys.sql"),
    step!(3, "tokens", "0003_tokens.sql"),
    step!(4, "revocations", "0004_revocations.sql"),
    step!(5, "jtis", "0005_jtis.sql"),
    step!(6, "rotated_secrets", "0006_rotated_secrets.sql"),
    step!(7, "key_lives", "0007_key_lives.sql"),
    step!(8, "revocation_numbers", "0008_revocation_numbers.sql"),
    step!(9, "token_claims", "0009_token_claims.sql"),
    step!(11, "imports", "0011_imports.sql"),
    step!(12, "changes", "0012_changes.sql"),
    step!(13, "people", "0013_people.sql"),
    step!(14, "devices", "0014_devices.sql"),
    step!(15, "registrations", "0015_registrations.sql"),
    step!(16, "confirmations", "0016_confirmations.sql"),
];

/// The plan of a database that has everything.
pub(in crate::store) fn all_applied() -> Vec<Migration> {
    plan(|_| true)
}

/// The plan of a database that has nothing.
pub(in crate::store) fn none_applied() -> Vec<Migration> {
    plan(|_| false)
}

fn plan(is_applied: impl Fn(i64) -> bool) -> Vec<Migration> {
    STEPS
        .iter()
        .map(|step| Migration {
            version: step.version,
            name: step.name.to_owned(),
            applied: is_applied(step.version),
        })
        .collect()
}

/// What a database has taken; refuses one that is not ours.
pub(in crate::store) async fn read_plan<E: Engine>(
    name: &str,
    connection: &mut E::Connection,
) -> Result<Vec<Migration>> {
    let failed = |error: sqlx::Error| refused(E::sentence(name, &error));
    let tables = E::rows(connection, E::TABLES.into_sql_str(), &[]).await;
    let tables = tables
        .map_err(failed)?
        .iter()
        .map(|row| E::text(row, "name").map_err(failed))
        .collect::<Result<BTreeSet<String>>>()?;
    if !tables.contains("_sqlx_migrations") {
        return if tables.is_empty() {
            Ok(none_applied())
        } else {
            Err(foreign(name, &tables))
        };
    }
    let sql = "SELECT version FROM _sqlx_migrations WHERE success";
    let applied = E::rows(connection, sql.into_sql_str(), &[]).await;
    let applied = applied
        .map_err(failed)?
        .iter()
        .map(|row| E::number(row, "version").map_err(failed))
        .collect::<Result<BTreeSet<i64>>>()?;
    if applied.last() > STEPS.last().map(|step| &step.version) {
        return Err(refused(format!(
            "database `{name}` was written by a newer version of this program: use that or a newer one"
        )));
    }
    Ok(plan(|version| applied.contains(&version)))
}

fn foreign(name: &str, tables: &BTreeSet<String>) -> StoreError {
    let whose = if tables.contains("hydra_client") {
        "Ory Hydra"
    } else {
        "another program"
    };
    refused(format!(
        "database `{name}` was written by {whose}: name one of its own for this server"
    ))
}

/// Takes what is pending; each step in a transaction of its own.
pub(in crate::store) async fn apply<E: Engine>(
    name: &str,
    connection: &mut E::Connection,
    sql: fn(&Step) -> &'static str,
) -> Result<()>
where
    E::Connection: Migrate,
{
    let steps = STEPS.iter().map(|step| {
        let sql = sql(step).into_sql_str();
        SqlxMigration::new(
            step.version,
            step.name.into(),
            MigrationType::Simple,
            sql,
            false,
        )
    });
    let migrator = Migrator::with_migrations(steps.collect());
    // What `run` does, without its bound by which the compiler takes the future to be bound to one
    // thread.
    let applied = migrator.run_direct(None, connection, false).await;
    applied.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            refused(E::sentence(name, &error))
        }
        other => refused(format!("database `{name}`: {other}")),
    })
}

/// Refuses a database that is not up to date.
pub(in crate::store) fn require_all_applied(name: &str, plan: &[Migration]) -> Result<()> {
    match plan.iter().filter(|migration| !migration.applied).count() {
        0 => Ok(()),
        pending => Err(refused(format!(
            "database `{name}` lacks {pending} of {} migrations: run `migrate sql` with the same DSN first",
            plan.len()
        ))),
    }
}
