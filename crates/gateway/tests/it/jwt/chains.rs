//! Chains that users build: a caller's token is judged, and the gateway's own goes on; or the gateway's
//! own is judged before it does.

use carnet_jose::{Algorithm, PrivateKey};
use carnet_oauth::form;
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::granted;
use serde_json::{Value, json};

use super::{Door, NOW, bearer, claims, inline, key, signed};

/// What everybody shows who is vouched for by a server, or has a key.
const OPAQUE: &str = "caller-secret-of-many-characters";

/// The hash of that, by SHA-1.
const HASH: &str = "{SHA}b5ggRrvDnyNG3SmIwvYLVYCgqAk=";

/// `apiKey` at the place of tokens.
fn api_key() -> String {
    let source = "keySource: {header: Authorization, headerAuthScheme: Bearer}";
    format!("apiKey: {{{source}, secretNonBase64Encoded: true, secretValues: ['{HASH}']}}")
}

/// A server that vouches for the opaque token, and for what it is told of.
async fn vouching(more: &'static str) -> Server {
    let server = Server::start(move |request| {
        let pairs = form::parse(&request.body);
        let is_known = pairs
            .iter()
            .any(|(name, value)| name == "token" && (value == OPAQUE || value == more));
        Answer::json(
            200,
            &json!({"active": is_known, "sub": "alice", "exp": NOW + 60}),
        )
    });
    server.await.unwrap()
}

fn introspection(server: &Server, more: &str) -> String {
    let source = "tokenSource: {header: Authorization}";
    let url = server.url("/introspect");
    format!("oAuthIntrospection: {{{source}, clientConfig: {{url: '{url}'}}{more}}}")
}

fn mode_a(provider: &Server) -> String {
    let url = provider.url("/oauth2/token");
    format!("plugin: {{oAuthClientCredentials: {{url: '{url}'}}}}")
}

fn mode_b(provider: &Server) -> String {
    let url = provider.url("/oauth2/token");
    format!(
        "plugin: {{oAuthClientCredentials: {{url: '{url}', clientID: gateway, clientSecret: s}}}}"
    )
}

/// A provider that gives one token.
async fn giving(token: &str) -> Server {
    let token = token.to_owned();
    let server = Server::start(move |_| granted(&token, Some(300)));
    server.await.unwrap()
}

/// The caller's token comes in, the gateway's own goes out.
#[tokio::test]
async fn a_token_is_verified_and_the_gateways_own_takes_its_place() {
    let own = key(Algorithm::Es256, "k");
    let provider = Server::start(|_| granted("own-token", Some(300)))
        .await
        .unwrap();
    let jwt = format!(
        "jwt: {{{}, forwardHeaders: {{X-User: sub}}}}",
        inline(&[&own])
    );
    let swap = format!(
        "plugin: {{oAuthClientCredentials: {{url: '{}', clientID: gateway, clientSecret: s}}}}",
        provider.url("/oauth2/token")
    );
    let door = Door::behind(&[&jwt, &swap]).await;
    for refused in [
        "",
        "Authorization: Bearer own-token",
        "Authorization: Basic YTpi",
    ] {
        let fields: Vec<&str> = Some(refused)
            .filter(|field| !field.is_empty())
            .into_iter()
            .collect();
        assert_eq!(door.get(&fields).await.status, 401);
    }
    assert_eq!((provider.count(), door.backend.count()), (0, 0));
    for _ in 0..3 {
        assert_eq!(door.with(&signed(&own, &claims())).await.status, 200);
        assert_eq!(door.seen("authorization"), ["Bearer own-token"]);
        assert_eq!(door.seen("x-user"), ["alice"]);
    }
    assert_eq!(provider.count(), 1);
}

/// Whoever judges the caller, and whether or not the route forwards what he showed: with mode B the
/// service gets the gateway's token and nothing of his.
#[tokio::test]
async fn nothing_that_a_caller_showed_goes_past_mode_b() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    let (provider, server) = (giving("own-token").await, vouching("").await);
    let keys = inline(&[&own]);
    for (judge, shown) in [
        (format!("jwt: {{{keys}}}"), &*token),
        (
            format!("jwt: {{{keys}, forwardAuthorization: true}}"),
            &*token,
        ),
        (introspection(&server, ""), OPAQUE),
        (
            introspection(&server, ", forwardAuthorization: true"),
            OPAQUE,
        ),
        (api_key(), OPAQUE),
    ] {
        let door = Door::behind(&[&judge, &mode_b(&provider)]).await;
        for wrong in ["Accept: */*", "Authorization: Bearer own-token"] {
            assert_eq!(door.get(&[wrong]).await.status, 401, "{judge}");
        }
        assert_eq!(door.backend.count(), 0, "{judge}");
        for _ in 0..2 {
            assert_eq!(door.with(shown).await.status, 200, "{judge}");
            assert_eq!(door.seen("authorization"), ["Bearer own-token"], "{judge}");
        }
        let seen = format!("{:?}", door.backend.seen());
        assert!(!seen.contains(shown), "{judge}: {seen}");
        let log = door.gateway.access_log().join("\n");
        assert!(!log.contains(shown) && !log.contains("own-token"), "{log}");
    }
    let asked = format!("{:?}", provider.seen());
    assert!(
        !asked.contains(OPAQUE) && !asked.contains(&token),
        "{asked}"
    );
}

/// With mode A the caller's credentials stand where tokens do, so his key has a place of its own.
#[tokio::test]
async fn before_mode_a_both_the_key_and_the_credentials_must_be_right() {
    let provider = giving("minted").await;
    let judge = format!(
        "apiKey: {{keySource: {{header: X-Api-Key}}, secretNonBase64Encoded: true, secretValues: \
         ['{HASH}']}}"
    );
    let door = Door::behind(&[&judge, &mode_a(&provider)]).await;
    let (key, basic) = (
        format!("X-Api-Key: {OPAQUE}"),
        "Authorization: Basic YWxpY2U6c2VjcmV0",
    );
    for fields in [vec![], vec![&*key], vec![basic]] {
        assert_eq!(door.get(&fields).await.status, 401, "{fields:?}");
    }
    assert_eq!((provider.count(), door.backend.count()), (0, 0));
    assert_eq!(door.get(&[&key, basic]).await.status, 200);
    assert_eq!(door.seen("authorization"), ["Bearer minted"]);
}

/// The answers of a chain in which a token of either mode is judged behind it.
async fn behind_modes(token: &str, judges: &[&str]) -> Vec<(u16, Vec<String>)> {
    let provider = giving(token).await;
    let basic = "Authorization: Basic YWxpY2U6c2VjcmV0";
    let mut answers = Vec::new();
    for (mode, fields) in [
        (mode_a(&provider), vec![basic]),
        (mode_b(&provider), vec![]),
    ] {
        let chain: Vec<&str> = [&*mode].into_iter().chain(judges.iter().copied()).collect();
        let door = Door::behind(&chain).await;
        let status = door.get(&fields).await.status;
        let seen = match door.backend.count() {
            0 => Vec::new(),
            _ => door.seen("authorization"),
        };
        answers.push((status, seen));
    }
    answers
}

// Holds CVE-2023-35941.
#[tokio::test]
async fn a_token_of_either_mode_is_judged_behind_it_like_any_other() {
    let (own, stranger) = (key(Algorithm::Es256, "k"), key(Algorithm::Es256, "k"));
    let jwt = format!("jwt: {{{}, forwardAuthorization: true}}", inline(&[&own]));
    let sign = |key: &PrivateKey, claims: &Value| signed(key, claims);
    let right = sign(&own, &claims());
    let passed = |token: &str| vec![(200, vec![format!("Bearer {token}")]); 2];
    let refused = vec![(401, Vec::new()); 2];
    assert_eq!(behind_modes(&right, &[&jwt]).await, passed(&right));
    assert_eq!(
        behind_modes(&sign(&stranger, &claims()), &[&jwt]).await,
        refused
    );
    let policy = "tokenPolicy: {maxLifetime: 59s}";
    assert_eq!(behind_modes(&right, &[&jwt, policy]).await, refused);
    let server = vouching("minted").await;
    let asked = introspection(&server, ", forwardAuthorization: true");
    assert_eq!(behind_modes("minted", &[&asked]).await, passed("minted"));
    assert_eq!(behind_modes("other", &[&asked]).await, refused);
    // Without `forwardAuthorization` the service gets none.
    let kept = introspection(&server, "");
    let without = vec![(200, Vec::new()); 2];
    assert_eq!(behind_modes("minted", &[&kept]).await, without);
}

/// Two who judge, one behind the other: both must be content.
#[tokio::test]
async fn a_token_passes_two_who_judge_it_only_if_both_believe_it() {
    let own = key(Algorithm::Es256, "k");
    let server = vouching("").await;
    let jwt = format!("jwt: {{{}, forwardAuthorization: true}}", inline(&[&own]));
    let door = Door::behind(&[&jwt, &introspection(&server, "")]).await;
    // One is no JWT, the other is unknown to the server.
    for token in [OPAQUE, &signed(&own, &claims())] {
        assert_eq!(door.get(&[&bearer(token)]).await.status, 401);
    }
    assert_eq!((server.count(), door.backend.count()), (1, 0));
}
