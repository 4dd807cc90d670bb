//! `create`, `get`, `import` and `delete jwk`.

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

/// A server that takes whatever is put.
async fn taking() -> Server {
    let echo = |request: &carnet_testkit::server::Request| {
        let key: Value = serde_json::from_slice(&request.body).unwrap();
        Answer::json(200, &key)
    };
    Server::start(echo).await.unwrap()
}

fn file(name: &str) -> String {
    format!("{}/../jose/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn keys_of_all_forms_are_put_under_their_names() {
    let admin = taking().await;
    let folder = tempfile::tempdir().unwrap();
    let import = |flags: &str| {
        line(&format!(
            "hydra import {flags} -e {} --format json",
            admin.url("")
        ))
    };
    let jwk = |name: &str, alg: &str| {
        let import = import(&format!("jwk s --alg {alg} --default-key-id k"));
        import.arg(&file(name))
    };
    for (name, alg, kty, is_private) in [
        ("rsa.pkcs1.pem", "PS256", "RSA", true),
        ("rsa.pkcs8.pem", "RS256", "RSA", true),
        ("rsa.certificate.pem", "RS256", "RSA", false),
        ("p384.sec1.pem", "ES384", "EC", true),
        ("p521.spki.pem", "ES512", "EC", false),
        ("ed25519.pkcs8.pem", "EdDSA", "OKP", true),
    ] {
        let set: Value = serde_json::from_str(&jwk(name, alg).out().await).unwrap();
        let key = &set["keys"][0];
        assert_eq!(
            (&set["set"], &key["kid"]),
            (&json!("s"), &json!("k")),
            "{name}"
        );
        assert_eq!((&key["kty"], &key["alg"]), (&json!(kty), &json!(alg)));
        assert_eq!(
            (key.get("d").is_some(), &key["use"]),
            (is_private, &json!("sig"))
        );
    }
    let whole = import("jwk s --alg ES256").arg(&file("p256.sec1.pem"));
    let mut key: Value = serde_json::from_str(&whole.out().await).unwrap();
    let mut one = key["keys"][0].take();
    one["kid"] = json!("one");
    let mut two = one.clone();
    two["kid"] = json!("two");
    let path = folder.path().join("set.json");
    std::fs::write(&path, json!({"keys": [one, two]}).to_string()).unwrap();
    import("jwks set").arg(path.to_str().unwrap()).out().await;
    let seen = admin.seen();
    let targets: Vec<&str> = seen.iter().map(|request| request.target.as_str()).collect();
    let last = &targets[targets.len() - 2..];
    assert_eq!(last, ["/admin/keys/set/two", "/admin/keys/set/one"]);
    assert_eq!(
        (targets[0], seen[0].method.as_str()),
        ("/admin/keys/s/k", "PUT")
    );
}

#[tokio::test]
async fn what_is_no_key_is_said_in_a_sentence_and_nothing_is_put() {
    let admin = taking().await;
    for (name, flags, says) in [
        ("p256.sec1.pem", "", "set --alg"),
        ("p256.sec1.pem", "--alg ES384", "is none for ES384"),
        ("p256.sec1.pem", "--alg HS256", "--alg"),
        ("p256.encrypted.pem", "--alg ES256", "openssl pkey"),
        ("nope.pem", "--alg ES256", "cannot read"),
    ] {
        let import = line(&format!("hydra import jwk s {flags} -e {}", admin.url("")));
        let run = import
            .arg(&file("p256.pkcs8.pem"))
            .arg(&file(name))
            .run()
            .await;
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{name}");
        assert!(run.err.contains(says), "{name}: {}", run.err);
    }
    assert!(admin.seen().is_empty());
}
