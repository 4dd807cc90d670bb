//! A process that writes is killed again and again: nothing that it acknowledged is lost, nothing
//! is half done.
//!
//! The test starts itself as the writer: it runs the test [`the_process_that_writes`] of this very
//! program and hands it the file's address on standard input. `cargo test -p carnet-authserver --test it --
//! --ignored two_hundred_kills --nocapture` is the long form.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use carnet_authserver::store::{
    ClientRow, Holder, KeyLife, KeyRow, Revocation, Revoked, Store, TokenRow, migrate, open, plan,
};
use carnet_oauth::client::Client;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

/// So many writers work at once.
const WRITERS: u32 = 4;

/// The steps in the life of one client, in order; each is acknowledged when it is done.
const STEPS: [&str; 6] = ["client", "token", "keys", "update", "revoke", "delete"];

fn client(writer: u32, n: u64, hash: &str) -> ClientRow {
    ClientRow {
        client: Client {
            client_id: format!("{writer}-{n}"),
            scope: format!("scope-of-{hash}"),
            ..Client::default()
        },
        secret_hash: hash.to_owned(),
        rotated: Vec::new(),
    }
}

fn token(writer: u32, n: u64) -> TokenRow {
    TokenRow {
        digest: format!("digest-{writer}-{n}"),
        client_id: format!("{writer}-{n}"),
        scopes: vec![format!("scope-{n}")],
        audiences: vec![],
        issued_at: 1_000,
        expires_at: 2_000,
        ext: serde_json::Map::new(),
        holder: Holder::default(),
        confirmation: carnet_oauth::Confirmation::default(),
    }
}

/// The key set of a writer after its client `n`: three keys that belong together.
fn keys(writer: u32, n: u64) -> Vec<KeyRow> {
    let key = |part| KeyRow {
        set: format!("set-{writer}"),
        kid: format!("{n}-{part}"),
        sealed: "sealed".repeat(200),
        life: KeyLife::default(),
    };
    ["a", "b", "c"].map(key).to_vec()
}

fn revoked(writer: u32, n: u64) -> Revocation {
    Revocation {
        revoked: Revoked::Client(format!("{writer}-{n}")),
        not_before: 1_500,
        expires_at: 2_000,
    }
}

/// Every second client lives on untouched after its third step.
fn steps(n: u64) -> &'static [&'static str] {
    if n.is_multiple_of(2) {
        &STEPS[..3]
    } else {
        &STEPS
    }
}

async fn perform(store: &dyn Store, step: &str, writer: u32, n: u64) {
    match step {
        "client" => drop(
            store
                .insert_client(&client(writer, n, "old"))
                .await
                .unwrap(),
        ),
        "token" => assert!(store.insert_token(&token(writer, n)).await.unwrap()),
        "keys" => {
            let (set, rows) = (format!("set-{writer}"), keys(writer, n));
            store.replace_key_set(&set, &rows).await.unwrap();
        }
        "update" => assert!(
            store
                .replace_client(&client(writer, n, "old"), &client(writer, n, "new"))
                .await
                .unwrap()
        ),
        "revoke" => store.revoke(&revoked(writer, n)).await.unwrap(),
        _ => assert!(
            store
                .delete_client(&format!("{writer}-{n}"), 1_500, 2_000)
                .await
                .unwrap()
        ),
    }
}

/// Writes until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that the tests of this file start and kill"]
async fn the_process_that_writes() {
    let mut lines = std::io::stdin().lines();
    if std::io::stdin().is_terminal() {
        return;
    }
    let (Some(Ok(dsn)), Some(Ok(first))) = (lines.next(), lines.next()) else {
        return;
    };
    let first: u64 = first.parse().unwrap();
    migrate(&dsn).await.unwrap();
    let store = open(&dsn).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in first.. {
                for step in steps(n) {
                    perform(&*store, step, writer, n).await;
                    // Begins with a line end: the test runner leaves a line unfinished.
                    let line = format!("\nack {writer} {n} {step}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            }
        })
    });
    futures_util::future::join_all(writers).await;
}

/// What was acknowledged: for each client of each writer its last step.
type Acknowledged = BTreeMap<(u32, u64), usize>;

fn start(dsn: &str, first: u64) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::kill9::the_process_that_writes"])
        .args(["--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{dsn}\n{first}").unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

fn acknowledgement(line: &str) -> Option<((u32, u64), usize)> {
    let mut words = line.strip_prefix("ack ")?.split(' ');
    let writer = words.next()?.parse().ok()?;
    let n = words.next()?.parse().ok()?;
    let step = words.next()?;
    let step = STEPS.iter().position(|known| *known == step)?;
    Some(((writer, n), step))
}

/// Starts a writer and kills it a random moment after a random number of acknowledgements.
fn kill_once(dsn: &str, first: u64, random: &mut Random) -> Acknowledged {
    let (mut child, output) = start(dsn, first);
    let patience = random.below(60);
    let mut acknowledged = Acknowledged::new();
    let mut killed = false;
    for line in output.lines() {
        // A line that the kill cut in half acknowledges nothing.
        if let Some((client, step)) = acknowledgement(&line.unwrap()) {
            acknowledged.insert(client, step);
        }
        let count: usize = acknowledged.values().map(|step| step + 1).sum();
        if !killed && count as u64 > patience {
            pause(random.below(4_000));
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the writer ended by itself");
    child.wait().unwrap();
    acknowledged
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of the kill, within a write of another process, is what is tested"
)]
fn pause(microseconds: u64) {
    std::thread::sleep(Duration::from_micros(microseconds));
}

/// What a look at the file after a kill found.
#[derive(Default)]
struct Found {
    steps: u64,
    /// Steps that were done though the kill came before their acknowledgement.
    unacknowledged: u64,
}

async fn check(store: &dyn Store, acknowledged: &Acknowledged, found: &mut Found) {
    let mut last: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
    for (&(writer, n), &step) in acknowledged {
        let done = check_client(store, writer, n).await;
        assert!(
            done >= step,
            "client {writer}-{n}: {step} acknowledged, {done} found"
        );
        assert!(
            done <= step + 1,
            "client {writer}-{n}: a step that was never begun"
        );
        found.steps += step as u64 + 1;
        found.unacknowledged += (done - step) as u64;
        last.insert(writer, (n, step));
    }
    for (writer, (n, step)) in last {
        check_keys(store, writer, n, step).await;
    }
}

/// The last step that a client's rows show. Panics when they show half a step.
async fn check_client(store: &dyn Store, writer: u32, n: u64) -> usize {
    let id = format!("{writer}-{n}");
    let row = store.find_client(&id).await.unwrap();
    let kept = store.find_token(&token(writer, n).digest).await.unwrap();
    let of_client = Revoked::Client(id.clone());
    let revocations = store.revocations_after(-1).await.unwrap();
    let is_revoked = revocations
        .iter()
        .any(|numbered| numbered.revocation.revoked == of_client);
    if let Some(kept) = &kept {
        assert_eq!(*kept, token(writer, n));
    }
    let Some(row) = row else {
        assert!(is_revoked && kept.is_none(), "client {id} is half deleted");
        return 5;
    };
    let expected = client(writer, n, &row.secret_hash);
    assert_eq!(
        row.client.scope, expected.client.scope,
        "client {id} is half updated"
    );
    match (row.secret_hash.as_str(), &kept, is_revoked) {
        ("new", None, true) => 4,
        ("new", Some(_), false) => 3,
        ("old", kept, false) => {
            let set = store.all_keys().await.unwrap();
            let is_current = set.iter().any(|key| keys(writer, n).contains(key));
            match (kept, is_current || is_passed(&set, writer, n)) {
                (Some(_), true) => 2,
                (Some(_), false) => 1,
                (None, _) => 0,
            }
        }
        _ => panic!("client {id} is half revoked"),
    }
}

/// Whether the writer's key set is of a later client.
fn is_passed(set: &[KeyRow], writer: u32, n: u64) -> bool {
    set.iter()
        .filter(|key| key.set == format!("set-{writer}"))
        .any(|key| key.kid.split('-').next().unwrap().parse::<u64>().unwrap() > n)
}

/// The writer's key set is whole and not older than acknowledged.
async fn check_keys(store: &dyn Store, writer: u32, n: u64, step: usize) {
    let all = store.all_keys().await.unwrap();
    let set: Vec<KeyRow> = all
        .into_iter()
        .filter(|key| key.set == format!("set-{writer}"))
        .collect();
    let Some(first) = set.first() else {
        assert!(step < 2, "key set {writer} is lost");
        return;
    };
    let generation: u64 = first.kid.split('-').next().unwrap().parse().unwrap();
    assert_eq!(
        set,
        keys(writer, generation),
        "key set {writer} is half replaced"
    );
    assert!(
        generation >= n || step < 2,
        "key set {writer} is an old one"
    );
}

async fn check_integrity(path: &Path) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
        let rows: Vec<String> = sqlx::query_scalar(pragma)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(rows.iter().all(|row| row == "ok"), "{pragma}: {rows:?}");
    }
    connection.close().await.unwrap();
}

async fn kill_and_look(kills: u32, seed: u64) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    let dsn = format!("sqlite://{}", path.display());
    let mut random = Random(seed);
    let mut all = Acknowledged::new();
    let mut found = Found::default();
    for _ in 0..kills {
        let first = all.keys().map(|(_, n)| n + 1).max().unwrap_or(0);
        // A client that was never acknowledged may be there: its number is not used again.
        let acknowledged = kill_once(&dsn, first + 1, &mut random);
        let store = open(&dsn).await.unwrap();
        check(&*store, &acknowledged, &mut found).await;
        check_integrity(&path).await;
        all.extend(acknowledged);
    }
    // What survived one kill survives the later ones.
    let store = open(&dsn).await.unwrap();
    for (&(writer, n), &step) in &all {
        assert!(check_client(&*store, writer, n).await >= step);
    }
    found
}

#[tokio::test]
async fn a_few_kills_lose_nothing_and_leave_nothing_half_done() {
    let found = kill_and_look(5, 42).await;
    assert!(found.steps > 0);
}

#[tokio::test]
#[ignore = "takes minutes; the long form of the test above"]
async fn two_hundred_kills_lose_nothing_and_leave_nothing_half_done() {
    let found = kill_and_look(200, 42).await;
    let (steps, more) = (found.steps, found.unacknowledged);
    let report = format!(
        "200 kills: {steps} acknowledged writes, none lost, none half done; \
         {more} more were done when the kill came before their acknowledgement\n"
    );
    std::io::stdout().write_all(report.as_bytes()).unwrap();
}

// Holds OP-11.
#[tokio::test]
async fn a_migration_that_was_killed_can_be_run_again() {
    kill_migrations(10, 42).await;
}

#[tokio::test]
#[ignore = "takes a minute; the long form of the test above"]
async fn two_hundred_migrations_that_were_killed_can_be_run_again() {
    let pending = kill_migrations(200, 43).await;
    let report = format!(
        "200 kills of a migration: {pending} files were left unfinished, all could be migrated\n"
    );
    std::io::stdout().write_all(report.as_bytes()).unwrap();
}

/// Kills a writer while it starts, again and again, and says how many files it left unfinished.
async fn kill_migrations(kills: u32, seed: u64) -> u32 {
    let mut random = Random(seed);
    let mut unfinished = 0;
    for _ in 0..kills {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db.sqlite");
        let dsn = format!("sqlite://{}", path.display());
        let (mut child, _output) = start(&dsn, 1);
        pause(random.below(40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let was_begun = path.exists();
        let left = plan(&dsn).await.unwrap();
        unfinished += u32::from(was_begun && left.iter().any(|step| !step.applied));
        let plan = migrate(&dsn).await.unwrap();
        assert!(plan.iter().all(|step| step.applied));
        open(&dsn).await.unwrap().ping().await.unwrap();
        check_integrity(&path).await;
    }
    unfinished
}

/// SplitMix64: enough to choose moments, and the same ones for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
