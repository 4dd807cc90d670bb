//! What is wrong gets one plain sentence that says what to do, and exit code 1 or 2.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::process::{Line, line};
use crate::words::{quietly, said, shell};

const BROKEN: [(&str, &str); 3] = [
    ("broken.yaml", "a: [\n"),
    ("broken.toml", "a = [\n"),
    ("broken.json", "{\"a\":"),
];

/// Runs a line that is refused for this reason, with nothing said but that.
async fn is_refused(line: Line, code: i32, reason: &[&str]) {
    let ended = line.run().await;
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (code, ""),
        "{}",
        ended.err
    );
    is_one_sentence(&ended.err, reason);
}

fn is_one_sentence(err: &str, reason: &[&str]) {
    assert_eq!(err.lines().count(), 1, "{err}");
    for word in reason {
        assert!(err.contains(word), "`{word}` is not in: {err}");
    }
    for word in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
        assert!(!err.contains(word), "{err}");
    }
    assert_eq!(err.to_lowercase().matches("error: ").count(), 1, "{err}");
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn flags_beside_a_configuration_file_are_not_dropped_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "traefik.yml");
    fs::write(&file, "entryPoints: {web: {address: nowhere}}\n").unwrap();
    let flags = format!("--configFile={file}");
    let ended = line("carnet gateway --entryPoints.web.address=:8000")
        .arg(&flags)
        .run()
        .await;
    let warning = format!(
        "flag: warning: entryPoints.web.address: does not count, as {file} is read instead\n"
    );
    assert!(ended.err.starts_with(&warning), "{}", ended.err);
    assert_eq!(ended.code, 1);
}

#[tokio::test]
async fn a_taken_port_is_said_at_once() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port().to_string();
    let reason = [port.as_str(), "another program", "choose another port"];
    let flag = format!("--entryPoints.web.address={address}");
    is_refused(line("carnet gateway").arg(&flag), 1, &reason).await;
    is_refused(line("carnet up -f /dev/null").arg(&flag), 1, &reason).await;
    let serve = |port_of: &str| {
        let free = ["SERVE_PUBLIC_PORT", "SERVE_ADMIN_PORT"];
        let serve = line("hydra serve all --dev").env("DSN", "memory");
        let serve = free.iter().fold(serve, |serve, name| serve.env(name, "0"));
        serve
            .env("SERVE_PUBLIC_HOST", "127.0.0.1")
            .env("SERVE_ADMIN_HOST", "127.0.0.1")
            .env(port_of, &port)
    };
    is_refused(serve("SERVE_PUBLIC_PORT"), 1, &reason).await;
    is_refused(serve("SERVE_ADMIN_PORT"), 1, &reason).await;
    let whoami = line("carnet whoami --port").arg(&port);
    // Another address of the same port may be free, but the wildcard is not.
    is_refused(whoami, 1, &reason).await;
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = path(folder.path(), "missing.yaml");
    for line in [
        line("carnet gateway --configFile").arg(&missing),
        line("carnet up -f").arg(&missing),
        line("carnet serve all --dev -c").arg(&missing),
        line("hydra migrate sql -y -c").arg(&missing),
        line("hydra create client -e http://127.0.0.1:1 --file").arg(&missing),
        line("carnet token decode --").arg("-").input(""),
        line("carnet jose verify --jws - --jwks").arg(&missing),
    ] {
        let ended = line.run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
    let validate = line("carnet validate").arg(&missing).run().await;
    assert_eq!((validate.code, validate.out.as_str()), (1, ""));
    assert!(validate.err.contains(&missing), "{}", validate.err);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_with_its_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in BROKEN {
        fs::write(folder.path().join(name), text).unwrap();
    }
    for (words, name, place) in [
        ("carnet gateway --configfile", "broken.yaml", ":1:4: "),
        ("carnet gateway --configfile", "broken.toml", ":1:6: "),
        ("carnet serve all --dev -c", "broken.yaml", ":1:4: "),
        (
            "hydra create client -e http://127.0.0.1:1 --file",
            "broken.json",
            "line 1, column 5",
        ),
    ] {
        let file = path(folder.path(), name);
        is_refused(line(words).arg(&file), 1, &[name, place]).await;
    }
    for (name, place) in [("broken.yaml", ":1:4: "), ("broken.toml", ":1:6: ")] {
        let file = path(folder.path(), name);
        let ended = line("carnet validate").arg(&file).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
        let findings: Vec<&str> = ended.err.lines().collect();
        assert_eq!(findings.len(), 2, "{}", ended.err);
        assert!(
            findings[0].starts_with(&format!("{file}{place}")),
            "{}",
            ended.err
        );
    }
}

#[tokio::test]
async fn an_unknown_word_is_answered_with_the_nearest_one() {
    for (words, code, near) in [
        ("carnet gatewya", 2, "`gateway`"),
        ("hydra create cliet", 2, "`client"),
        ("hydra serve al", 2, "`all`"),
        ("hydra serve all --devv", 2, "`--dev`"),
        ("hydra create client --grant-tpye x", 2, "`--grant-type`"),
        ("carnet demo --chek", 2, "`--check`"),
        ("carnet demo --check --format jsno", 2, "`json`"),
        ("carnet whoami --prot 1", 2, "`--port`"),
        ("carnet gateway --acceslog", 1, "`accessLog`"),
        ("carnet gateway --entrypoints.web.adress=:0", 1, "`address`"),
        ("traefik --providers.fil.filename=a", 1, "`file`"),
        ("carnet up -f /dev/null --png", 1, "`ping`"),
        ("carnet healthcheck --png", 1, "`ping`"),
    ] {
        is_refused(line(words), code, &["did you mean", near]).await;
    }
}

#[tokio::test]
async fn a_line_that_lacks_something_says_what() {
    for (words, code, missing) in [
        ("carnet up", 1, "-f"),
        ("carnet up -f", 1, "`-f` needs a value"),
        ("carnet validate", 2, "<FILE>"),
        ("carnet consent", 2, "-a"),
        ("hydra migrate sql", 1, "DSN"),
        ("hydra create client", 1, "--endpoint"),
        (
            "hydra create client -e http://127.0.0.1:1",
            1,
            "is the server running",
        ),
    ] {
        is_refused(line(words), code, &[missing]).await;
    }
    let serve = line("hydra serve admin --dev")
        .env("SERVE_ADMIN_HOST", "127.0.0.1")
        .env("SERVE_ADMIN_PORT", "0");
    is_refused(serve, 1, &["dsn must be set"]).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = path(folder.path(), "file/a.log");
    for (key, name) in [("accesslog", "accessLog.filePath"), ("log", "log.filePath")] {
        let line = line("carnet gateway --entrypoints.web.address=127.0.0.1:0");
        let line = line.arg(&format!("--{key}.filepath={path}"));
        is_refused(line, 1, &[name, &path, "choose another file"]).await;
    }
}

#[tokio::test]
async fn what_is_only_good_for_trials_needs_dev() {
    let serve = line("hydra serve admin")
        .env("DSN", "memory")
        .env("SERVE_ADMIN_HOST", "127.0.0.1")
        .env("SERVE_ADMIN_PORT", "0");
    is_refused(
        serve.env("URLS_SELF_ISSUER", "http://a.example"),
        1,
        &["--dev"],
    )
    .await;
}

/// `seen COMMAND`: its exit code and what it said to people, on one line each; what it printed is
/// counted.
const SEEN: &str = r#"
seen() { "$@" > out.txt 2> err.txt; echo "$? $(wc -c < out.txt)"; cat err.txt; }
readonly() { unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$@"; }
"#;

#[test]
fn a_database_that_cannot_be_written_is_refused() {
    let mut shell = shell();
    quietly(&mut shell, SEEN);
    quietly(
        &mut shell,
        "export SERVE_ADMIN_HOST=127.0.0.1 SECRETS_SYSTEM=a-secret-of-the-system; mkdir data
         export DSN=sqlite://$PWD/data/db; hydra migrate sql -ey > migrate.txt",
    );
    let folder = shell.folder().join("data").display().to_string();
    for (what, command) in [
        ("file", "seen readonly $PWD/data/db hydra serve all --dev"),
        ("directory", "seen readonly $PWD/data hydra serve all --dev"),
        (
            "no directory",
            "DSN=sqlite:///nowhere/db seen hydra serve all --dev",
        ),
    ] {
        let printed = said(&mut shell, command);
        let (code, err) = printed.split_once('\n').unwrap();
        assert_eq!(code, "1 0", "{what}: {err}");
        is_one_sentence(err, &["database `/"]);
        assert!(
            err.contains(&folder) || what == "no directory",
            "{what}: {err}"
        );
    }
    // `migrate` shows its plan before it tries.
    for command in [
        "rm data/db*; seen readonly $PWD/data hydra migrate sql -ey",
        "DSN=sqlite:///nowhere/db seen hydra migrate sql -ey",
    ] {
        let printed = said(&mut shell, command);
        let (code, err) = printed.split_once('\n').unwrap();
        assert!(code.starts_with("1 "), "{code}: {err}");
        is_one_sentence(err, &["database `/"]);
    }
}

#[test]
fn a_taken_port_of_the_authorization_server_ends_up_unless_free_ports_will_do() {
    let mut shell = shell();
    quietly(&mut shell, SEEN);
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/manifests");
    quietly(
        &mut shell,
        &format!("cp {demo}/authorization-server.yaml hydra.yaml"),
    );
    quietly(
        &mut shell,
        "carnet whoami --port 4444 & becomes 200 http://127.0.0.1:4444/health",
    );
    let printed = said(&mut shell, "seen timeout 30 carnet up -f hydra.yaml");
    let (code, err) = printed.split_once('\n').unwrap();
    assert!(code.starts_with("1 "), "{code}: {err}");
    // The container says that it cannot listen, `up` what to do about it.
    let last = err.lines().last().unwrap();
    is_one_sentence(last, &["4444", "--free-ports"]);
    quietly(
        &mut shell,
        "carnet up -f hydra.yaml --free-ports > lines 2> up.log & says up.log 'hydra/hydra 4445 -> 127.0.0.1:4445'",
    );
    quietly(&mut shell, "says up.log 'hydra/hydra 4444 -> 127.0.0.1:'");
    assert_eq!(said(&mut shell, "grep -c ':4444$' up.log"), "0");
    quietly(&mut shell, "becomes 200 http://127.0.0.1:4445/health/ready");
}
