//! Moving from Hydra: `import hydra`, and `janitor` afterwards.

use std::path::Path;
use std::process::Command;

use crate::process::{Line, line};
use crate::terminals::Terminals;

const HYDRA: &str = include_str!("../../../authserver/tests/it/import/hydra/hydra-26.2-bcrypt.sql");
const SECRET: &str = "youReallyNeedToChangeThis";

/// A folder with a database of Hydra's and an empty one of ours.
struct Migration(tempfile::TempDir);

impl Migration {
    async fn prepared() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("hydra.db"), HYDRA);
        let migration = Self(folder);
        migration.run("carnet migrate sql -e --yes").out().await;
        migration
    }

    fn dsn(&self, file: &str) -> String {
        format!("sqlite://{}", self.0.path().join(file).display())
    }

    fn run(&self, words: &str) -> Line {
        line(words)
            .env("DSN", &self.dsn("carnet.db"))
            .env("SECRETS_SYSTEM", &format!("our-own-system-secret,{SECRET}"))
    }

    fn import(&self) -> Line {
        let from = self.dsn("hydra.db");
        self.run(&format!(
            "carnet import hydra --secrets-system {SECRET} --from {from}"
        ))
    }
}

/// Runs statements in a SQLite file.
fn write(file: &Path, sql: &str) {
    let python = std::env::var("CARNET_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])";
    let mut python = Command::new(python);
    let status = python.args(["-c", script]).arg(file).arg(sql).status();
    assert!(status.unwrap().success());
}

/// The words of each line of a table.
fn table(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| {
            line.split('\t')
                .filter(|cell| !cell.is_empty())
                .map(str::trim)
                .collect()
        })
        .collect()
}

#[test]
fn every_command_of_the_page_about_moving_does_what_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/moving-from-hydra.md");
    let mut terminals = Terminals::open();
    write(&terminals.folder().join("hydra.sqlite"), HYDRA);
    terminals.play(&std::fs::read_to_string(page).unwrap());
}

#[tokio::test]
async fn an_import_tells_what_it_took_and_what_stays() {
    let migration = Migration::prepared().await;
    let told = migration.import().arg("--dry-run").out().await;
    assert_eq!(table(&told)[1], ["clients", "7", "would be taken"]);
    let told = migration.import().out().await;
    let told = table(&told);
    assert_eq!(
        told[..5],
        [
            vec!["WHAT", "ROWS", "OUTCOME"],
            vec!["clients", "7", "taken"],
            vec!["keys", "5", "taken"],
            vec!["trusted issuers", "1", "taken"],
            vec!["access tokens", "5", "taken"],
        ]
    );
    let refresh = told
        .iter()
        .find(|row| row[0] == "hydra_oauth2_refresh")
        .unwrap();
    assert_eq!(refresh[1], "2");
    assert!(refresh[2].starts_with("stays behind: "), "{refresh:?}");
    let again = migration.import().out().await;
    assert_eq!(
        table(&again)[1..3],
        [["clients", "0", "taken"], ["clients", "7", "here already"]]
    );
    let json = migration.import().arg("--format=json").out().await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["clients"], serde_json::json!({"new": 0, "same": 7}));
}

#[tokio::test]
async fn what_differs_is_kept_and_the_exit_code_says_so() {
    let migration = Migration::prepared().await;
    migration.import().out().await;
    write(
        &migration.0.path().join("hydra.db"),
        "UPDATE hydra_client SET owner = 'somebody' WHERE id = 'web'",
    );
    let ended = migration.import().run().await;
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .err
            .contains("client `web` is here already and differs"),
        "{}",
        ended.err
    );
    assert!(
        ended.out.contains("differs: kept as it is here"),
        "{}",
        ended.out
    );
}

#[tokio::test]
async fn the_secrets_may_come_from_the_environment_alone() {
    let migration = Migration::prepared().await;
    let from = migration.dsn("hydra.db");
    let line = format!("hydra import hydra --from {from}");
    migration.run(&line).out().await;
    // What would happen can be told before there is anything of our own.
    let told = crate::process::line(&format!("carnet {} --dry-run", &line[6..]))
        .env("SECRETS_SYSTEM", SECRET)
        .out()
        .await;
    assert_eq!(table(&told)[1], ["clients", "7", "would be taken"]);
}

// Holds SE-05.
#[tokio::test]
async fn an_import_that_cannot_be_is_one_sentence_without_secrets() {
    let migration = Migration::prepared().await;
    let from = migration.dsn("hydra.db");
    for (words, part) in [
        (
            "--from postgres://u:canary@127.0.0.1:1/d".to_owned(),
            "cannot be read",
        ),
        (
            "--from mysql://u:canary@h/d".to_owned(),
            "MySQL is not supported",
        ),
        (
            format!("--from {from} --secrets-system canary-wrong-secret"),
            "cannot be opened",
        ),
        ("--from sqlite:///nowhere".to_owned(), "there is no file"),
    ] {
        let ended = migration
            .run(&format!("carnet import hydra {words}"))
            .run()
            .await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{words}");
        assert!(ended.err.contains(part), "{words}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        assert!(!ended.err.contains("canary"), "{}", ended.err);
    }
    let ended = migration.import().env("DSN", "memory").run().await;
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("gone at once"), "{}", ended.err);
}

#[tokio::test]
async fn the_janitor_says_what_hydras_says_and_keeps_what_has_not_ended() {
    let migration = Migration::prepared().await;
    migration.import().out().await;
    let file = migration.0.path().join("carnet.db");
    write(
        &file,
        "UPDATE token SET expires_at = 1000000000 WHERE client_id = 'post-chosen';
         INSERT INTO jti VALUES ('old', 1000000000), ('new', 9000000000);",
    );
    let count = "SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM jti)";
    assert_eq!(
        migration
            .run("hydra janitor --tokens --keep-if-younger 999999h -e")
            .out()
            .await
            .lines()
            .count(),
        2
    );
    assert_eq!(read(&file, count), "(5, 2)");
    let told = migration
        .run("hydra janitor --tokens --limit 1 --batch-size 1 --access-lifespan 1h -e")
        .out()
        .await;
    assert_eq!(
        told,
        "Successfully completed Janitor run on access tokens\n\
         Successfully completed Janitor run on refresh tokens\n"
    );
    assert_eq!(read(&file, count), "(4, 2)");
    let dsn = migration.dsn("carnet.db");
    let told = line("hydra janitor --requests --grants --tokens")
        .arg(&dsn)
        .out()
        .await;
    assert_eq!(told.lines().count(), 4);
    assert!(told.ends_with("Janitor run on grants\n"), "{told}");
    assert_eq!(read(&file, count), "(3, 1)");
}

fn read(file: &Path, sql: &str) -> String {
    let python = std::env::var("CARNET_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script =
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())";
    let mut python = Command::new(python);
    let output = python
        .args(["-c", script])
        .arg(file)
        .arg(sql)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_janitor_without_a_task_or_a_database_is_exit_code_one() {
    for (words, part) in [
        ("", "--tokens, --requests or --grants"),
        ("--tokens", "needs a database"),
        ("--tokens memory --limit 0", "--limit must be"),
        (
            "--tokens memory --batch-size 20 --limit 10",
            "--batch-size must not",
        ),
        ("--tokens memory --batch-size -1", "--batch-size must be"),
    ] {
        let ended = line(&format!("hydra janitor {words}")).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{words}");
        assert!(ended.err.contains(part), "{words}: {}", ended.err);
    }
}
