//! `DSN=sqlite://PATH`.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use carnet_authserver::store::{KeyLife, KeyRow, Store, StoreError, migrate, open, plan};
use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::contract::every_behaviour;

/// A store and the folder of its file.
struct InFolder {
    store: Arc<dyn Store>,
    folder: TempDir,
}

impl Deref for InFolder {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

async fn fresh() -> InFolder {
    let folder = tempfile::tempdir().unwrap();
    let dsn = dsn(&folder.path().join("db.sqlite"));
    migrate(&dsn).await.unwrap();
    InFolder {
        store: open(&dsn).await.unwrap(),
        folder,
    }
}

every_behaviour!(fresh);

fn dsn(path: &Path) -> String {
    format!("sqlite://{}?_fk=true", path.display())
}

async fn refusal(dsn: &str) -> String {
    match open(dsn).await {
        Err(StoreError::Dsn(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

async fn execute(path: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let dsn = dsn(&folder.path().join("db.sqlite"));
    migrate(&dsn).await.unwrap();
    let row = KeyRow {
        set: "s".to_owned(),
        kid: "k".to_owned(),
        sealed: "sealed".to_owned(),
        life: KeyLife::default(),
    };
    open(&dsn).await.unwrap().put_key(&row).await.unwrap();
    migrate(&dsn).await.unwrap();
    let reopened = open(&dsn).await.unwrap();
    assert_eq!(reopened.all_keys().await.unwrap(), [row]);
}

#[tokio::test]
async fn two_openings_of_a_file_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let dsn = dsn(&folder.path().join("db.sqlite"));
    migrate(&dsn).await.unwrap();
    let (one, other) = (open(&dsn).await.unwrap(), open(&dsn).await.unwrap());
    for (store, kid) in [(&one, "1"), (&other, "2"), (&one, "3")] {
        let row = KeyRow {
            set: "s".to_owned(),
            kid: kid.to_owned(),
            sealed: String::new(),
            life: KeyLife::default(),
        };
        store.insert_key(&row).await.unwrap();
    }
    assert_eq!(other.all_keys().await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_another_process_changes_of_a_client_is_known_within_a_second() {
    let store = fresh().await;
    let path = store.folder.path().join("db.sqlite");
    store
        .insert_client(&super::contract::client("a"))
        .await
        .unwrap();
    let hash = async || {
        let known = store.known_client("a").await.unwrap();
        known.map(|row| row.secret_hash.clone())
    };
    let becomes = async |expected: Option<&str>| {
        tokio::time::timeout(Duration::from_secs(1), async {
            while hash().await.as_deref() != expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    };
    assert_eq!(hash().await.as_deref(), Some("hash of a"));
    execute(&path, "UPDATE client SET secret_hash = 'new'").await;
    becomes(Some("new")).await.unwrap();
    execute(&path, "DELETE FROM client").await;
    becomes(None).await.unwrap();
}

#[tokio::test]
async fn the_plan_tells_what_is_pending_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    let before = plan(&dsn(&path)).await.unwrap();
    assert_eq!(before[0].name, "clients");
    assert!(before.iter().all(|step| !step.applied));
    assert!(!path.exists());
    assert!(
        migrate(&dsn(&path))
            .await
            .unwrap()
            .iter()
            .all(|step| step.applied)
    );
    let after = plan(&dsn(&path)).await.unwrap();
    assert!(after.iter().all(|step| step.applied));
}

#[tokio::test]
async fn a_file_that_was_not_migrated_is_refused_in_a_sentence_that_names_migrate_sql() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    let missing = refusal(&dsn(&path)).await;
    assert!(
        missing.contains("create it with `migrate sql`"),
        "{missing}"
    );
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    let empty = refusal(&dsn(&path)).await;
    let all = plan(&dsn(&path)).await.unwrap().len();
    let expected = format!("lacks {all} of {all} migrations: run `migrate sql`");
    assert!(empty.contains(&expected), "{empty}");
    migrate(&dsn(&path)).await.unwrap();
    let newest = "DELETE FROM _sqlx_migrations WHERE version IN
         (SELECT max(version) FROM _sqlx_migrations)";
    execute(&path, newest).await;
    let older = refusal(&dsn(&path)).await;
    assert!(older.contains(&format!("lacks 1 of {all}")), "{older}");
}

// Holds OP-11.
#[tokio::test]
async fn a_file_of_a_newer_version_or_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.sqlite");
    migrate(&dsn(&newer)).await.unwrap();
    execute(
        &newer,
        "INSERT INTO _sqlx_migrations VALUES (9999, 'later', '', TRUE, x'00', 0)",
    )
    .await;
    let hydra = folder.path().join("hydra.sqlite");
    execute(&hydra, "CREATE TABLE hydra_client (id TEXT)").await;
    let other = folder.path().join("other.sqlite");
    execute(&other, "CREATE TABLE addresses (id TEXT)").await;
    for (path, expected) in [
        (newer, "newer version"),
        (hydra, "Ory Hydra"),
        (other, "another program"),
    ] {
        let sentence = refusal(&dsn(&path)).await;
        assert!(sentence.contains(expected), "{sentence}");
        let sentence = migrate(&dsn(&path)).await.unwrap_err().to_string();
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    std::fs::write(
        &path,
        "certainly no database, but long enough to be looked at".repeat(99),
    )
    .unwrap();
    let sentence = refusal(&dsn(&path)).await;
    assert!(sentence.contains("is no SQLite database"), "{sentence}");
    assert!(!sentence.contains('\n'));
    let sentence = refusal(&dsn(folder.path())).await;
    assert!(sentence.contains("is a folder"), "{sentence}");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/db.sqlite");
    let sentence = migrate(&dsn(&path)).await.unwrap_err().to_string();
    assert!(sentence.contains("its folder does not exist"), "{sentence}");
}

#[tokio::test]
async fn a_file_that_another_process_locks_is_reported_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    migrate(&dsn(&path)).await.unwrap();
    let store = open(&format!("{}&_busy_timeout=20", dsn(&path)))
        .await
        .unwrap();
    let options = SqliteConnectOptions::new().filename(&path);
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = store.delete_key_set("s").await.unwrap_err();
    assert!(
        error.to_string().contains("locked by another process"),
        "{error}"
    );
    store.ping().await.unwrap();
    other.execute("ROLLBACK").await.unwrap();
    store.delete_key_set("s").await.unwrap();
}

#[tokio::test]
async fn a_row_that_was_tampered_with_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    migrate(&dsn(&path)).await.unwrap();
    execute(
        &path,
        "INSERT INTO client (id, name, owner, secret_hash, document)
         VALUES ('a', '', '', 'hash', '{\"scope\": 1}')",
    )
    .await;
    let store = open(&dsn(&path)).await.unwrap();
    let error = store.find_client("a").await.unwrap_err().to_string();
    assert!(error.starts_with("row a of client is damaged"), "{error}");
}

// Holds SE-03.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_everybody_may_read_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    migrate(&dsn(&path)).await.unwrap();
    for (found, left) in [(0o644, 0o640), (0o666, 0o660), (0o600, 0o600)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(found)).unwrap();
        let store = open(&dsn(&path)).await.unwrap();
        store.delete_key_set("s").await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, left, "{found:o}");
        }
    }
}

// Holds SE-03.
#[cfg(unix)]
#[tokio::test]
async fn only_its_user_may_read_the_file_and_its_log() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    migrate(&dsn(&path)).await.unwrap();
    let store = open(&dsn(&path)).await.unwrap();
    store.delete_key_set("s").await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert!(seen >= 2, "the file and its log");
}
