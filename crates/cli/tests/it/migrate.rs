//! `migrate sql` in its spellings, over both databases.

use carnet_testkit::postgres::Cluster;
use futures_util::future::join_all;
use tempfile::TempDir;

use crate::process::{Ended, line};

/// An address of each kind, of a database with nothing in it.
fn addresses(folder: &TempDir) -> [String; 2] {
    let file = folder.path().join("db.sqlite");
    let file = format!("sqlite://{}?_fk=true", file.display());
    [file, Cluster::shared().unwrap().database().unwrap()]
}

async fn migrate(words: &str, dsn: &str) -> Ended {
    line(&format!("hydra migrate {words}"))
        .env("DSN", dsn)
        .run()
        .await
}

/// How many migrations are pending.
async fn pending(dsn: &str) -> usize {
    let status = migrate("sql status -e", dsn).await;
    assert_eq!((status.code, status.err.as_str()), (0, ""));
    assert!(status.out.starts_with("Version"), "{}", status.out);
    status.out.matches("Pending").count()
}

#[tokio::test]
async fn the_status_is_shown_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for dsn in addresses(&folder) {
        let all = pending(&dsn).await;
        assert!(all > 0);
        assert_eq!(pending(&dsn).await, all);
        let up = migrate("sql up -e --yes", &dsn).await;
        assert_eq!((up.code, up.err.as_str()), (0, ""));
        assert_eq!(up.out.matches("Pending").count(), all);
        assert!(up.out.ends_with("Successfully applied migrations!\n"));
        assert_eq!(pending(&dsn).await, 0);
        let first = migrate("status -e --format jsonpath=$[0]", &dsn).await;
        let json: serde_json::Value = serde_json::from_str(&first.out).unwrap();
        let expected = serde_json::json!({"name": "clients", "state": "Applied", "version": "1"});
        assert_eq!(json, expected);
        let named = line("hydra migrate sql status -q").arg(&dsn).run().await;
        assert_eq!(named.out.lines().count(), all);
    }
}

#[tokio::test]
async fn who_waits_for_the_migration_sees_its_end() {
    let folder = tempfile::tempdir().unwrap();
    for dsn in addresses(&folder) {
        let (status, up) = tokio::join!(
            migrate("sql status -e --block", &dsn),
            migrate("sql -ey", &dsn)
        );
        assert_eq!((status.code, up.code), (0, 0), "{} {}", status.err, up.err);
        assert!(!status.out.contains("Pending"), "{}", status.out);
    }
}

// Holds OP-11.
#[tokio::test]
async fn several_migrations_at_once_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    for dsn in addresses(&folder) {
        for ended in join_all((0..8).map(|_| migrate("sql -e --yes", &dsn))).await {
            assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{dsn}");
        }
        assert_eq!(pending(&dsn).await, 0);
    }
}

#[tokio::test]
async fn there_is_no_way_back() {
    let folder = tempfile::tempdir().unwrap();
    for dsn in addresses(&folder) {
        migrate("sql -e --yes", &dsn).await;
        let down = migrate("sql down -e --steps 1 --yes", &dsn).await;
        assert_eq!((down.code, down.out.as_str()), (1, ""));
        assert!(down.err.contains("only go forward"), "{}", down.err);
        assert_eq!(pending(&dsn).await, 0);
    }
}

#[tokio::test]
async fn nothing_happens_unless_somebody_says_yes() {
    let folder = tempfile::tempdir().unwrap();
    for dsn in addresses(&folder) {
        let all = pending(&dsn).await;
        let asked = migrate("sql up -e", &dsn).await;
        assert_eq!(asked.code, 1);
        assert!(asked.err.contains("add --yes"), "{}", asked.err);
        assert_eq!(pending(&dsn).await, all);
        let line = line("hydra migrate sql up").arg(&dsn).input("yes\n");
        assert_eq!(line.run().await.code, 0);
        assert_eq!(pending(&dsn).await, 0);
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_without_its_password() {
    let cluster = Cluster::shared().unwrap();
    let dsn = cluster.database().unwrap();
    for (dsn, expected) in [
        (
            dsn.replace(":secret@", ":canary@"),
            "the user or the password",
        ),
        (dsn.replace(":secret@", "@"), "the user or the password"),
        (cluster.address("nowhere"), "`nowhere at 127.0.0.1:"),
        (
            "postgres://u:canary@127.0.0.1:1/d".to_owned(),
            "cannot be reached",
        ),
        (
            "mysql://u:canary@tcp(h)/d".to_owned(),
            "MySQL is not supported",
        ),
        (format!("{dsn}&sslmod=canary"), "did you mean `sslmode`?"),
    ] {
        for words in ["sql -e --yes", "sql status -e"] {
            let ended = migrate(words, &dsn).await;
            assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
            assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
            assert!(ended.err.contains(expected), "{}", ended.err);
            assert!(!ended.err.contains("canary") && !ended.err.contains("secret"));
        }
    }
}
