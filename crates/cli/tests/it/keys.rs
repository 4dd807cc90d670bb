//! `create`, `get` and `delete jwk`.

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use serde_json::{Value, json};

use crate::process::line;

async fn admin() -> Server {
    Server::start(
        |request| match (request.method.as_str(), request.target.as_str()) {
            ("POST", _) => Answer::json(201, &json!({"keys": [key("new")]})),
            ("GET", "/admin/keys/one") => Answer::json(200, &json!({"keys": [key("k")]})),
            ("GET", "/admin/keys/two") => {
                let oct = json!({"kty": "oct", "k": "canary", "kid": "s", "secret": "canary"});
                Answer::json(200, &json!({"keys": [key("k"), oct]}))
            }
            ("DELETE", _) => Answer::text(204, ""),
            _ => Answer::json(
                404,
                &json!({"error": "Not Found", "error_description": "gone"}),
            ),
        },
    )
    .await
    .unwrap()
}

fn key(kid: &str) -> Value {
    json!({
        "use": "sig", "kty": "EC", "kid": kid, "crv": "P-256", "alg": "ES256",
        "x": "eA", "y": "eQ", "d": "canary",
    })
}

#[tokio::test]
async fn a_new_key_is_shown_in_its_set() {
    let admin = admin().await;
    let create = |flags: &str| line(&format!("hydra create {flags} -e {}", admin.url("/")));
    assert_eq!(
        create("jwk s k --alg ES256 --format json").out().await,
        "{\"set\":\"s\",\"keys\":[{\"alg\":\"ES256\",\"crv\":\"P-256\",\"d\":\"canary\",\
         \"kid\":\"new\",\"kty\":\"EC\",\"use\":\"sig\",\"x\":\"eA\",\"y\":\"eQ\"}]}\n"
    );
    assert_eq!(
        create("jwks s --format yaml --public").out().await,
        "set: s\nkeys:\n- alg: ES256\n  crv: P-256\n  kid: new\n  kty: EC\n  use: sig\n  x: eA\n  \
         \"y\": eQ\n"
    );
    assert_eq!(
        create("jwks s --use enc").out().await,
        "SET ID\tKEY ID\tALGORITHM\tUSE\t\ns\tnew\tES256\t\tsig\t\n"
    );
    assert_eq!(create("jwks s -q").out().await, "new\n");
    let sent: Vec<Value> = admin
        .seen()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(sent[0], json!({"alg": "ES256", "kid": "k", "use": "sig"}));
    assert_eq!(sent[1], json!({"alg": "RS256", "kid": "", "use": "sig"}));
    assert_eq!(sent[2], json!({"alg": "RS256", "kid": "", "use": "enc"}));
    assert_eq!(admin.seen()[0].target, "/admin/keys/s");
}

#[tokio::test]
async fn public_parts_have_no_member_that_is_not_known_to_be_public() {
    let admin = admin().await;
    for format in ["json", "json-pretty", "yaml", "table"] {
        let get = line("hydra get jwks two --public --format").arg(format);
        let out = get.arg("-e").arg(&admin.url("")).out().await;
        assert!(!out.contains("canary"), "{out}");
        assert!(out.contains("ES256"), "{out}");
    }
}

#[tokio::test]
async fn a_key_that_is_alone_is_itself_and_several_are_a_set() {
    let admin = admin().await;
    let get = |sets: &str| {
        line(&format!(
            "hydra get jwks {sets} --public -e {}",
            admin.url("")
        ))
    };
    assert_eq!(
        get("one --format yaml").out().await,
        "alg: ES256\ncrv: P-256\nkid: k\nkty: EC\nuse: sig\nx: eA\n\"y\": eQ\n"
    );
    let several: Value = serde_json::from_str(&get("one two --format json").out().await).unwrap();
    assert_eq!(
        (&several["set"], several["keys"].as_array().unwrap().len()),
        (&json!(""), 3)
    );
    let set: Value = serde_json::from_str(&get("two --format json").out().await).unwrap();
    assert_eq!(set["set"], "two");
    assert_eq!(get("one two -q").out().await, "k\nk\ns\n");
    assert_eq!(get("nope").run().await.code, 1);
}

#[tokio::test]
async fn sets_and_tokens_are_deleted_by_name() {
    let admin = admin().await;
    let delete = |what: &str| line(&format!("hydra delete {what} -e {}", admin.url("")));
    assert_eq!(
        delete("jwks s s2 --format json").out().await,
        "[\"s\",\"s2\"]\n"
    );
    assert_eq!(delete("access-tokens a&b").out().await, "ID\ta&b\t\n");
    let targets: Vec<String> = admin
        .seen()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(
        targets,
        [
            "/admin/keys/s",
            "/admin/keys/s2",
            "/admin/oauth2/tokens?client_id=a%26b"
        ]
    );
}
