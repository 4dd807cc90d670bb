//! Lines that are not understood, servers that are not there, and where each word goes.

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use serde_json::json;

use crate::process::line;

#[tokio::test]
async fn a_line_that_is_not_understood_is_one_sentence_and_exit_code_two() {
    for (words, what) in [
        ("hydra frobnicate", "see `hydra --help`"),
        ("hydra creat client", "did you mean `create`?"),
        (
            "hydra create client --nope",
            "see `hydra create oauth2-client --help`",
        ),
        ("hydra create client extra", "'extra'"),
        ("hydra get client", "<ID>"),
        ("hydra get jwks", "<SET>"),
        ("hydra delete access-tokens", "<CLIENT_ID>"),
        ("hydra introspect token", "<TOKEN>"),
        ("hydra completion fish --nope", "'--nope'"),
        // Called `hydra`, the binary is that program alone.
        ("hydra token decode x", "unrecognized"),
        ("carnet versoin", "did you mean `version`?"),
    ] {
        let ended = line(words).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{words}");
        assert!(ended.err.contains(what), "{words}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{words}: {}", ended.err);
    }
}

#[tokio::test]
async fn a_server_that_is_not_named_or_not_there_is_one_sentence_and_exit_code_one() {
    for (words, what) in [
        ("hydra create client", "ORY_SDK_URL"),
        ("hydra list clients -e 127.0.0.1:4445", "with its scheme"),
        ("hydra list clients -e localhost:4445", "with its scheme"),
        (
            "hydra list clients -e http://127.0.0.1:1/",
            "is the server running",
        ),
        (
            "hydra list clients -e http://u:canary@127.0.0.1:1/",
            "is the server running",
        ),
        (
            "hydra list clients -e http://127.0.0.1:1/ -H canary",
            "'Name: value'",
        ),
        (
            "hydra create client -e http://127.0.0.1:1 --metadata {",
            "--metadata",
        ),
        (
            "hydra create client -e http://127.0.0.1:1 --file /nope.json",
            "/nope.json",
        ),
        (
            "hydra create client -e http://127.0.0.1:1 --keybase me",
            "--keybase",
        ),
    ] {
        let ended = line(words).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{words}");
        assert!(ended.err.contains(what), "{words}: {}", ended.err);
        assert!(!ended.err.contains("canary"), "{words}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{words}: {}", ended.err);
    }
}

#[tokio::test]
async fn a_file_that_is_no_client_is_not_quoted() {
    let create = line("hydra create client -e http://127.0.0.1:1 --file -");
    let ended = create.input("{\"client_secret\": canary}").run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("line 1, column 19"), "{}", ended.err);
    assert!(!ended.err.contains("canary"), "{}", ended.err);
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_a_failure() {
    let admin = Server::start(|_| Answer::json(201, &json!({"client_id": "a"})))
        .await
        .unwrap();
    let create = line("hydra create client -e").arg(&admin.url(""));
    let (code, err) = create.run_on_a_full_disk().await;
    assert_eq!(code, 1);
    assert!(err.contains("cannot write to standard output"), "{err}");
}

#[tokio::test]
async fn an_interrupted_command_does_not_wait_for_the_server() {
    let admin = Server::start(|_| Answer::Hang).await.unwrap();
    let list = line("hydra list clients -e").arg(&admin.url(""));
    assert_eq!(list.interrupted(admin.asked(1)).await, 130);
}

#[tokio::test]
async fn help_is_an_answer() {
    for (words, what) in [
        ("hydra", "introspect"),
        ("hydra create", "oauth2-client"),
        ("hydra create client --help", "--token-endpoint-auth-method"),
        ("hydra help perform", "client-credentials"),
        ("carnet", "link"),
        ("carnet token", "decode"),
    ] {
        let out = line(words).out().await;
        assert!(out.contains(what), "{words}: {out}");
    }
}

#[tokio::test]
async fn the_version_has_the_lines_that_scripts_read() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        line("carnet version").out().await,
        format!("carnet {version}\n")
    );
    let hydra = line("hydra version").out().await;
    let lines: Vec<&str> = hydra.lines().collect();
    assert_eq!(lines.len(), 3);
    for (line, start) in lines
        .iter()
        .zip(["Version:    ", "Git Hash:   ", "Build Time: "])
    {
        assert!(line.starts_with(start), "{line}");
    }
}

#[tokio::test]
async fn each_shell_has_its_completion() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        for name in ["hydra", "carnet"] {
            let script = line(&format!("{name} completion {shell}")).out().await;
            assert!(script.contains("oauth2-client"), "{name} {shell}");
            assert!(script.contains(name), "{name} {shell}");
        }
    }
}

#[tokio::test]
async fn the_reference_is_current() {
    for (page, file) in [
        ("cli", "cli.md"),
        ("middlewares", "middlewares.md"),
        ("schema", "routing.schema.json"),
    ] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference");
        let written = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        let generated = line(&format!("carnet reference {page}")).out().await;
        // Not `assert_eq`: two whole pages help nobody.
        let differs = written != generated;
        assert!(
            !differs,
            "run `just gen`: docs/reference/{file} is not current"
        );
    }
}
