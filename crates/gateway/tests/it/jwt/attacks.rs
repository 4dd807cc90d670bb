//! What gets past others: none of it gets past here. Each is signed as well as an attacker can, and
//! the backend sees nothing.

use aws_lc_rs::hmac;
use carnet_jose::{Algorithm, base64url};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{Door, bearer, claims, inline, key, set, shared, signed, signed_as};

/// Each of these tokens is refused, and the right one is not.
async fn none_passes(options: &str, right: &str, tokens: Vec<String>) {
    let door = Door::new(options).await;
    for token in &tokens {
        let response = door.with(token).await;
        assert_eq!(response.status, 401, "{token}");
    }
    assert_eq!(door.backend.count(), 0);
    assert_eq!(door.with(right).await.status, 200);
}

fn part(value: &Value) -> String {
    base64url::encode(value.to_string())
}

// Holds JW-01, CVE-2026-39999.
#[tokio::test]
async fn a_public_key_is_not_taken_for_a_shared_secret() {
    let own = key(Algorithm::Rs256, "k");
    let jwk = Value::Object(own.public_jwk().to_object());
    let number = base64url::decode(jwk["n"].as_str().unwrap()).unwrap();
    let set = set(&[&own]).to_string();
    let mut tokens = Vec::new();
    for secret in [
        jwk.to_string().into_bytes(),
        set.into_bytes(),
        number,
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        Vec::new(),
    ] {
        for (name, kind) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let signed = format!(
                "{}.{}",
                part(&json!({"alg": name, "kid": "k"})),
                part(&claims())
            );
            let tag = hmac::sign(&hmac::Key::new(kind, &secret), signed.as_bytes());
            tokens.push(format!("{signed}.{}", base64url::encode(tag)));
        }
    }
    none_passes(&inline(&[&own]), &signed(&own, &claims()), tokens).await;
}

// Holds JW-01.
#[tokio::test]
async fn a_key_for_one_algorithm_verifies_no_other_and_a_secret_no_key() {
    let (rsa, curve) = (key(Algorithm::Rs256, "k"), key(Algorithm::Es256, "k"));
    let tokens = ["RS384", "RS512", "PS256", "ES256", "EdDSA", "HS256"]
        .into_iter()
        .map(|name| signed_as(&rsa, &json!({"alg": name, "kid": "k"}), &claims()))
        .chain([signed_as(
            &curve,
            &json!({"alg": "RS256", "kid": "k"}),
            &claims(),
        )])
        .collect();
    none_passes(&inline(&[&rsa]), &signed(&rsa, &claims()), tokens).await;
    let secret = b"a secret of more than thirty-two bytes";
    let right = shared(secret, "HS256", &claims());
    let options = "signingSecret: a secret of more than thirty-two bytes";
    none_passes(
        options,
        &right,
        vec![signed(&rsa, &claims()), signed(&curve, &claims())],
    )
    .await;
}

// Holds JW-01, JW-06, JW-21, CVE-2022-21449, CVE-2024-21664.
#[tokio::test]
async fn a_token_without_a_signature_is_none() {
    let own = key(Algorithm::Es256, "k");
    let right = signed(&own, &claims());
    let (unsigned, _) = right.rsplit_once('.').unwrap();
    let mut tokens = vec![
        unsigned.to_owned(),
        format!("{unsigned}."),
        right[1..].to_owned(),
    ];
    for algorithm in ["none", "None", "NONE", "nOnE", "", "HS256"] {
        for header in [
            json!({"alg": algorithm}),
            json!({"alg": algorithm, "kid": "k"}),
        ] {
            let signed = format!("{}.{}", part(&header), part(&claims()));
            tokens.push(format!("{signed}."));
            tokens.push(format!("{signed}.c2ln"));
        }
    }
    tokens.push(format!(
        "{}.{}.",
        part(&json!({"kid": "k"})),
        part(&claims())
    ));
    // R and S are zero; too short, too long.
    for length in [64, 63, 65, 96] {
        tokens.push(format!("{unsigned}.{}", base64url::encode(vec![0; length])));
    }
    // The other serialization (RFC 7515, section 7.2), with and without what it must have.
    let (header, payload) = unsigned.split_once('.').unwrap();
    let signature = right.rsplit('.').next().unwrap();
    for members in [
        json!({"payload": payload}),
        json!({"payload": payload, "signatures": []}),
        json!({"payload": payload, "protected": header, "signature": signature}),
    ] {
        tokens.push(members.to_string());
    }
    none_passes(&inline(&[&own]), &right, tokens.clone()).await;
    let secret = "signingSecret: a secret of more than thirty-two bytes";
    let right = shared(
        b"a secret of more than thirty-two bytes",
        "HS256",
        &claims(),
    );
    none_passes(secret, &right, tokens).await;
}

// Holds JW-03, JW-14.
#[tokio::test]
async fn a_header_that_demands_what_is_not_done_here_is_refused() {
    let own = key(Algorithm::Es256, "k");
    let with = |name: &str, value: Value| {
        let mut header = json!({"alg": "ES256", "kid": "k"});
        header[name] = value;
        signed_as(&own, &header, &claims())
    };
    let tokens = vec![
        with("crit", json!(["x"])),
        with("crit", json!([])),
        with("crit", json!(["alg"])),
        with("crit", json!(["exp", "exp"])),
        with("crit", json!(null)),
        with("b64", json!(false)),
        with("zip", json!("DEF")),
        with("enc", json!("A128GCM")),
        format!("{}.a.b.c.d", part(&json!({"alg": "dir", "enc": "A128GCM"}))),
    ];
    none_passes(&inline(&[&own]), &signed(&own, &claims()), tokens).await;
}

// Holds JW-11, CVE-2018-0114, CVE-2026-41413.
#[tokio::test]
async fn a_token_brings_no_key_of_its_own_and_nobody_is_asked_for_one() {
    let (own, forger) = (key(Algorithm::Es256, "k"), key(Algorithm::Es256, "k"));
    let published = set(&[&forger]);
    let evil = Server::start(move |_| Answer::json(200, &published))
        .await
        .unwrap();
    let jwk = Value::Object(forger.public_jwk().to_object());
    let mut from_evil = claims();
    from_evil["iss"] = json!(evil.url(""));
    let mut tokens = Vec::new();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!(evil.url("/keys"))),
        ("x5u", json!(evil.url("/keys"))),
        ("x5c", json!(["MIIB"])),
        ("x5t#S256", json!("AAAA")),
        ("kid", json!(evil.url("/keys"))),
    ] {
        let mut header = json!({"alg": "ES256", "kid": "k"});
        header[name] = value;
        tokens.push(signed_as(&forger, &header, &claims()));
        tokens.push(signed_as(&forger, &header, &from_evil));
    }
    let published = set(&[&own]);
    let keys = Server::start(move |_| Answer::json(200, &published))
        .await
        .unwrap();
    let url = format!("jwksUrl: '{}'", keys.url("/keys"));
    none_passes(&url, &signed(&own, &claims()), tokens).await;
    assert_eq!(evil.count(), 0);
    // A path stands for nobody's issuer but the configured one.
    let door = Door::closed().await;
    let told = door.offer(&["jwt: {jwksUrl: /keys}"]);
    assert!(told.contains("a path needs an `issuer`"), "{told}");
}

// Holds JW-04, JW-05.
#[tokio::test]
async fn a_token_that_can_be_read_in_two_ways_is_refused() {
    let own = key(Algorithm::Es256, "k");
    let right = signed(&own, &claims());
    let sign = |header: &str, payload: &str| {
        carnet_jose::jws::sign_compact(&own, header, payload.as_bytes()).unwrap()
    };
    let header = r#"{"alg":"ES256","kid":"k"}"#;
    let tokens = vec![
        sign(header, r#"{"sub":"alice","sub":"root"}"#),
        sign(header, r#"{"sub":"alice","s\u0075b":"root"}"#),
        sign(header, r#"{"ext":{"a":1,"a":2}}"#),
        sign(r#"{"alg":"ES256","alg":"none","kid":"k"}"#, "{}"),
        sign(r#"{"alg":"none","alg":"ES256","kid":"k"}"#, "{}"),
        sign(header, r#"{"exp":1e400}"#),
        sign(header, "[]"),
        sign(header, ""),
        sign(header, r#"{"a":1}{"a":2}"#),
        format!("{right}="),
        right.replace('.', ".."),
        format!("{right}."),
        format!(".{right}"),
    ];
    none_passes(&inline(&[&own]), &right, tokens).await;
}

// Holds JW-13, CVE-2025-30204, CVE-2025-27144, CVE-2024-28180.
#[tokio::test]
async fn a_token_that_is_too_long_or_too_deep_is_refused() {
    let own = key(Algorithm::Es256, "k");
    let nested = |depth: usize| {
        let payload = format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let header = r#"{"alg":"ES256","kid":"k"}"#;
        carnet_jose::jws::sign_compact(&own, header, payload.as_bytes()).unwrap()
    };
    let long = json!({"alg": "ES256", "kid": "k", "x": "y".repeat(9 << 10)});
    let tokens = vec![
        nested(200),
        nested(10_000),
        ".".repeat(30_000),
        format!("{}.{}", "a".repeat(20_000), ".".repeat(2000)),
        signed_as(&own, &long, &claims()),
        signed_as(
            &own,
            &json!({"alg": "ES256", "kid": "k".repeat(7000)}),
            &claims(),
        ),
    ];
    none_passes(&inline(&[&own]), &nested(20), tokens).await;
    // In a form there is room for more.
    let door = Door::new(&format!("{}, tokenKey: t", inline(&[&own]))).await;
    let body = format!("t={}", ".".repeat(100_000));
    let request = format!(
        "POST / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(door.send(&request).await.status, 401);
    for header in [
        json!({"alg": "ES256", "kid": "k".repeat(64 << 10)}),
        json!({"alg": "ES256", "kid": "k", "x": "y".repeat(40 << 10)}),
    ] {
        let body = format!("t={}", signed_as(&own, &header, &claims()));
        let head = request.split("Content-Length").next().unwrap();
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(door.send(&request).await.status, 401);
    }
    assert_eq!(door.backend.count(), 0);
}

// Holds JW-12.
#[tokio::test]
async fn a_name_of_a_key_is_compared_and_nothing_else() {
    let own = key(Algorithm::Es256, "k");
    let names = [
        json!("../../dev/null"),
        json!("/dev/null"),
        json!("file:///etc/passwd"),
        json!("' OR 1=1 --"),
        json!("k\u{0}"),
        json!("K"),
        json!(""),
        json!(["k"]),
        json!({"k": 1}),
        json!(null),
        json!(7),
    ];
    let tokens = names
        .into_iter()
        .map(|kid| signed_as(&own, &json!({"alg": "ES256", "kid": kid}), &claims()))
        .collect();
    none_passes(&inline(&[&own]), &signed(&own, &claims()), tokens).await;
}

// Holds JW-10.
#[tokio::test]
async fn a_token_that_says_it_is_something_else_is_no_access_token() {
    let own = key(Algorithm::Es256, "k");
    let of_kind = |kind: &str| {
        signed_as(
            &own,
            &json!({"alg": "ES256", "kid": "k", "typ": kind}),
            &claims(),
        )
    };
    let tokens = [
        "dpop+jwt",
        "client-authentication+jwt",
        "logout+jwt",
        "application/oauth-authz-req+jwt",
        "Statuslist+JWT",
    ];
    let tokens = tokens.map(of_kind).to_vec();
    none_passes(&inline(&[&own]), &of_kind("at+jwt"), tokens).await;
    let door = Door::new(&inline(&[&own])).await;
    for kind in ["JWT", "jwt", "application/at+jwt", "AT+JWT"] {
        assert_eq!(door.with(&of_kind(kind)).await.status, 200, "{kind}");
    }
}

// Holds JW-21, CVE-2022-29226, CVE-2021-27306.
#[tokio::test]
async fn no_spelling_of_a_path_or_a_host_leads_past_the_one_who_verifies() {
    let own = key(Algorithm::Es256, "k");
    let door = Door::new(&inline(&[&own])).await;
    for target in [
        "/",
        "//",
        "/.",
        "/%2e",
        "/a/../",
        "/;a",
        "/%2F",
        "/?a",
        "/index.html",
    ] {
        for host in ["api.test", "API.TEST", "api.test.", "api.test:80"] {
            for fields in [
                "",
                "Authorization: Bearer x\r\n",
                "Authorization: Bearer a.b.c\r\n",
            ] {
                let request = format!(
                    "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n"
                );
                let status = door.send(&request).await.status;
                assert!(matches!(status, 400 | 401 | 404), "{status} {request}");
            }
        }
    }
    for method in ["POST", "OPTIONS", "HEAD", "DELETE"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
        assert_eq!(door.send(&request).await.status, 401, "{method}");
    }
    let upgrade = ["Connection: Upgrade, close", "Upgrade: websocket"];
    assert_eq!(door.get(&upgrade).await.status, 401);
    assert_eq!(door.backend.count(), 0);
}

// Holds HI-22, CVE-2026-54762.
#[tokio::test]
async fn a_route_whose_keys_are_missing_or_broken_is_closed() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    for options in [
        "",
        "signingSecret: ''",
        "jwksFile: '{}'",
        "jwksFile: '{\"keys\":[]}'",
        "jwksFile: /nowhere/keys.json",
        "publicKey: nothing",
        "publicKey: '-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----'",
        "signingSecret: a, publicKey: b",
        "jwksUrl: 'ftp://keys.test'",
    ] {
        let door = Door::closed().await;
        assert_ne!(
            door.offer(&[&format!("jwt: {{{options}}}")]),
            "",
            "{options}"
        );
        for fields in [vec![], vec![bearer(&token)]] {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            assert_eq!(door.get(&fields).await.status, 503, "{options}");
        }
        assert_eq!(door.backend.count(), 0);
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,8}".prop_map(Value::from),
        Just(json!("admin")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("grp|.{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    // Holds JW-22.
    #[test]
    fn a_condition_is_true_or_false_whatever_a_token_holds(claims in anything()) {
        use carnet_config::claims::Expression;
        let equals = Expression::parse("Equals(`grp`, `admin`)").unwrap();
        let is_admin = claims.get("grp").and_then(Value::as_str) == Some("admin");
        prop_assert!(equals.holds(&claims) == is_admin);
        for text in [
            "Prefix(`grp`, `adm`)", "Contains(`grp`, `admin`)", "OneOf(`grp`, `admin`)",
            "SplitContains(`grp`, ` `, `admin`)",
        ] {
            let holds = Expression::parse(text).unwrap().holds(&claims);
            prop_assert!(!holds || claims.get("grp").is_some());
        }
    }
}
