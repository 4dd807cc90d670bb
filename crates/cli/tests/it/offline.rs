//! `token decode`, `jose verify` and `link`: no server is asked.

use std::fs;
use std::path::Path;

use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, jws};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use serde_json::Value;

use crate::process::line;

/// A key set and a token that one of its keys signed.
fn signed() -> (String, String) {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "key-1").unwrap();
    let header = r#"{"alg":"ES256","kid":"key-1","typ":"JWT"}"#;
    let payload = br#"{"sub":"m2m","iat":1700000000,"exp":1700003600}"#;
    let token = jws::sign_compact(&key, header, payload).unwrap();
    let set = JwkSet::new(vec![key.public_jwk().clone()]);
    (Value::Object(set.to_object()).to_string(), token)
}

fn flipped(token: &str) -> String {
    let (rest, last) = token.split_at(token.len() - 4);
    let other = if last.starts_with('A') { "B" } else { "A" };
    format!("{rest}{other}{}", &last[1..])
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_right_signature_is_exit_code_zero_and_a_wrong_one_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, token) = signed();
    let jwks = write(folder.path(), "jwks.json", &keys);
    let jws = write(folder.path(), "token", &format!("{token}\n"));
    let verify = || line("carnet jose verify --jwks").arg(&jwks).arg("--jws");
    assert_eq!(
        verify().arg(&jws).out().await,
        "signature: valid (kid key-1, ES256)\n"
    );
    assert_eq!(
        verify().arg("-").input(&token).out().await,
        "signature: valid (kid key-1, ES256)\n"
    );
    let ended = verify().arg("-").input(&flipped(&token)).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(
        ended.err.starts_with("Error: signature: not valid: "),
        "{}",
        ended.err
    );
    for (name, text) in [("empty.json", "{\"keys\":[]}"), ("none.json", "[]")] {
        let jwks = write(folder.path(), name, text);
        let verify = line("carnet jose verify --jws")
            .arg(&jws)
            .arg("--jwks")
            .arg(&jwks);
        assert_eq!(verify.run().await.code, 1, "{name}");
    }
}

#[tokio::test]
async fn keys_may_be_where_the_server_publishes_them() {
    let (keys, token) = signed();
    let server = Server::start(move |request| match request.target.as_str() {
        "/.well-known/jwks.json" => Answer::json(200, &serde_json::from_str(&keys).unwrap()),
        _ => Answer::text(404, ""),
    })
    .await
    .unwrap();
    let verify = line("carnet jose verify --jws - --jwks").input(&token);
    let out = verify
        .arg(&server.url("/.well-known/jwks.json"))
        .out()
        .await;
    assert!(out.starts_with("signature: valid"), "{out}");
}

#[tokio::test]
async fn a_decoded_token_is_one_json_object_and_its_times_are_told_to_people() {
    let (_, token) = signed();
    for decode in [
        line("carnet token decode").arg(&token),
        line("carnet token decode").input(&token),
        line("carnet token decode -").input(&format!("{token}\n")),
    ] {
        let ended = decode.run().await;
        let json: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!((ended.code, &json["header"]["kid"]), (0, &"key-1".into()));
        assert_eq!(json["claims"]["sub"], "m2m");
        for what in [
            "iat: issued 2023-11-14 22:13:20 +0000 UTC (",
            "exp: ends 2023-11-14 23:13:20 +0000 UTC (",
            "was not verified",
        ] {
            assert!(ended.err.contains(what), "{}", ended.err);
        }
    }
}

#[tokio::test]
async fn what_is_no_jwt_is_one_sentence() {
    for (token, what) in [
        ("ory_at_abc", "opaque"),
        ("a.b.c", "no JWT"),
        ("a.b", "no JWT"),
    ] {
        let ended = line("carnet token decode").arg(token).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{token}");
        assert!(ended.err.contains(what), "{token}: {}", ended.err);
    }
}

#[tokio::test]
async fn links_are_made_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let link = || line("carnet link").arg(folder.path().to_str().unwrap());
    for _ in 0..2 {
        assert_eq!(link().out().await.lines().count(), 3);
    }
    for name in ["hydra", "whoami", "traefik"] {
        let target = fs::read_link(folder.path().join(name)).unwrap();
        assert_eq!(target, Path::new(env!("CARGO_BIN_EXE_carnet")));
    }
    fs::remove_file(folder.path().join("hydra")).unwrap();
    fs::write(folder.path().join("hydra"), "somebody's own").unwrap();
    let ended = link().run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("hydra"), "{}", ended.err);
    assert_eq!(
        fs::read_to_string(folder.path().join("hydra")).unwrap(),
        "somebody's own"
    );
}

#[tokio::test]
async fn no_token_is_not_taken_for_an_opaque_one() {
    let ended = line("carnet token decode -").input("\n").run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("there is no token"), "{}", ended.err);
}
