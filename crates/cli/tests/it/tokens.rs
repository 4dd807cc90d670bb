//! `perform client-credentials`, `introspect token` and `revoke token`.

use carnet_oauth::client_auth::Basic;
use carnet_oauth::form;
use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::process::line;

/// A public port with a client for each method; `m2m:p w+1` is the name and secret of both.
async fn public(method: &'static str) -> Server {
    Server::start(move |request| {
        if is_authenticated(request, method) {
            let token = json!({"access_token": "tok", "token_type": "bearer", "expires_in": 3599});
            match field(request, "scope").as_deref() {
                Some("admin") => Answer::json(
                    400,
                    &json!({"error": "invalid_scope", "error_description": "Not yours."}),
                ),
                _ => Answer::json(200, &token),
            }
        } else {
            let error = json!({"error": "invalid_client", "error_description": method});
            Answer::json(401, &error)
        }
    })
    .await
    .unwrap()
}

fn is_authenticated(request: &Request, method: &str) -> bool {
    let (id, secret) = match request.headers.only("authorization") {
        Some(header) if method == "client_secret_basic" => {
            let basic = Basic::parse(header.as_bytes()).unwrap();
            let first = basic.readings.into_iter().next().unwrap();
            (
                Some(first.id),
                Some(first.secret.expose_secret().to_owned()),
            )
        }
        None if method == "client_secret_post" => {
            (field(request, "client_id"), field(request, "client_secret"))
        }
        _ => return false,
    };
    (id.as_deref(), secret.as_deref()) == (Some("m2m"), Some("p w+1"))
}

fn field(request: &Request, name: &str) -> Option<String> {
    let pairs = form::parse(&request.body);
    let pair = pairs.into_iter().find(|(pair, _)| pair == name);
    pair.map(|(_, value)| value)
}

#[tokio::test]
async fn clients_of_both_methods_get_a_token() {
    for (method, asked) in [("client_secret_basic", 1), ("client_secret_post", 2)] {
        let public = public(method).await;
        let perform = line("hydra perform client-credentials --client-id m2m --format json");
        let perform = perform
            .arg("--client-secret=p w+1")
            .arg("--scope=read,write");
        let perform = perform.arg("--audience=https://a.example,https://b.example");
        let out = perform.arg("-e").arg(&public.url("/")).out().await;
        assert!(
            out.starts_with("{\"access_token\":\"tok\",\"token_type\":\"bearer\",\"expiry\":\"20"),
            "{out}"
        );
        assert_eq!(public.count(), asked, "{method}");
        let last = public.seen().pop().unwrap();
        assert_eq!(last.target, "/oauth2/token");
        assert_eq!(field(&last, "scope").as_deref(), Some("read write"));
        assert_eq!(
            field(&last, "audience").as_deref(),
            Some("https://a.example https://b.example")
        );
    }
}

#[tokio::test]
async fn the_client_may_come_from_the_environment() {
    let public = public("client_secret_basic").await;
    let perform = |flags: &str| {
        line(&format!("hydra perform client-credentials {flags}"))
            .env("OAUTH2_CLIENT_ID", "m2m")
            .env("OAUTH2_CLIENT_SECRET", "p w+1")
            .env("ORY_SDK_URL", &public.url("/"))
    };
    assert_eq!(perform("-q").out().await, "tok\n");
    assert_eq!(
        perform("--format jsonpath=access_token").out().await,
        "\"tok\"\n"
    );
    let table = perform("").out().await;
    assert!(table.starts_with("ACCESS TOKEN\ttok\t"), "{table}");
    assert!(table.contains("\nREFRESH TOKEN\t<empty>\t"), "{table}");
    assert!(table.contains(" +0000 UTC\t\n"), "{table}");
}

// Holds SE-05.
#[tokio::test]
async fn a_refused_client_is_one_sentence_without_its_secret() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let public = public(method).await;
        for line in [
            line("hydra perform client-credentials --client-id m2m --client-secret canary-12"),
            line("hydra revoke token t --client-id m2m --client-secret canary-12"),
        ] {
            let ended = line.arg("-e").arg(&public.url("/")).run().await;
            assert_eq!((ended.code, ended.out.as_str()), (1, ""));
            assert!(ended.err.contains("invalid_client"), "{}", ended.err);
            assert!(!ended.err.contains("canary"), "{}", ended.err);
        }
    }
}

#[tokio::test]
async fn a_refusal_that_is_not_about_the_client_is_told() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let public = public(method).await;
        let perform = line("hydra perform client-credentials --client-id m2m --scope admin -e");
        let ended = perform
            .arg(&public.url(""))
            .arg("--client-secret=p w+1")
            .run()
            .await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""));
        assert_eq!(
            ended.err,
            "Could not retrieve access token because: invalid_scope: Not yours.\n"
        );
    }
}

#[tokio::test]
async fn without_a_client_nobody_is_asked() {
    let public = public("client_secret_basic").await;
    for line in [
        line("hydra perform client-credentials"),
        line("hydra perform client-credentials --client-id m2m"),
        line("hydra revoke token t"),
    ] {
        let ended = line.arg("-e").arg(&public.url("/")).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""));
        assert!(ended.err.contains("OAUTH2_CLIENT_SECRET"), "{}", ended.err);
    }
    assert_eq!(public.count(), 0);
}

#[tokio::test]
async fn a_revoked_token_is_printed() {
    let public = public("client_secret_post").await;
    let revoke = |flags: &str| {
        let line = line(&format!(
            "hydra revoke token tok {flags} -e {}",
            public.url("/")
        ));
        line.arg("--client-id=m2m").arg("--client-secret=p w+1")
    };
    assert_eq!(revoke("").out().await, "ID\ttok\t\n");
    assert_eq!(revoke("--format json").out().await, "\"tok\"\n");
    let last = public.seen().pop().unwrap();
    assert_eq!(last.target, "/oauth2/revoke");
    assert_eq!(field(&last, "token").as_deref(), Some("tok"));
}

async fn admin() -> Server {
    Server::start(|request| {
        assert_eq!(request.target, "/admin/oauth2/introspect");
        match (
            field(request, "token").as_deref(),
            field(request, "scope").as_deref(),
        ) {
            (Some("tok"), None | Some("read write")) => Answer::json(
                200,
                &json!({
                    "active": true, "sub": "m2m", "client_id": "m2m", "exp": 1_700_000_000,
                    "iat": 1, "nbf": 1, "aud": [], "iss": "http://h", "token_type": "Bearer",
                    "token_use": "access_token", "ext": {}, "scope": "read write",
                }),
            ),
            _ => Answer::json(200, &json!({"active": false})),
        }
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn what_the_server_knows_of_a_token_is_shown() {
    let admin = admin().await;
    let introspect = |flags: &str| {
        line(&format!(
            "hydra introspect token {flags} -e {}",
            admin.url("/")
        ))
    };
    assert_eq!(
        introspect("tok --scope read,write --format json")
            .out()
            .await,
        "{\"active\":true,\"client_id\":\"m2m\",\"exp\":1700000000,\"iat\":1,\"iss\":\"http://h\",\
         \"nbf\":1,\"scope\":\"read write\",\"sub\":\"m2m\",\"token_type\":\"Bearer\",\
         \"token_use\":\"access_token\"}\n"
    );
    assert_eq!(introspect("tok -q").out().await, "true\n");
    assert_eq!(
        introspect("tok").out().await,
        "ACTIVE\t\ttrue\t\t\t\t\nSUBJECT\t\tm2m\t\t\t\t\nCLIENT ID\tm2m\t\t\t\t\n\
         SCOPE\t\tread write\t\t\t\nEXPIRY\t\t2023-11-14 22:13:20 +0000 UTC\t\n\
         TOKEN USE\taccess_token\t\t\t\n"
    );
    // A token that does not count is an answer, no failure.
    assert_eq!(
        introspect("other --format json").out().await,
        "{\"active\":false}\n"
    );
    assert_eq!(
        introspect("tok --scope admin --format json").out().await,
        "{\"active\":false}\n"
    );
}
