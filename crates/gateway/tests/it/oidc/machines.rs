//! `bearer`: people with sessions and machines with tokens at one route, each judged by its own.

use carnet_jose::{Algorithm, PrivateKey};
use carnet_testkit::client::Response;
use serde_json::json;

use super::{HOST, Provider, USUAL, World};
use crate::jwt::{Door, NOW, bearer, challenge, claims, inline, key, signed};

/// A route for both. `oidc` tells the service `X-User` and `X-Group`, `jwt` `X-User` and `X-Robot`.
struct Both {
    world: World,
    key: PrivateKey,
}

const OWN: &str = ", csrf: {}, forwardHeaders: {X-User: sub, X-Group: grp}, usernameClaim: sub";
const FORGED: [&str; 6] = [
    "X-User: root",
    "X_User: root",
    "X-Group: root",
    "X-Robot: root",
    "x.robot: root",
    "Accept: text/html",
];

impl Both {
    async fn new() -> Self {
        let (provider, door) = (Provider::start().await, Door::closed().await);
        let both = Self {
            world: World { provider, door },
            key: key(Algorithm::Es256, "machines"),
        };
        assert_eq!(both.offer(&format!("{OWN}, bearer: token"), ""), "");
        both
    }

    /// Tells what is wrong with these options of `oidc`, beside more middlewares.
    fn offer(&self, options: &str, more: &str) -> String {
        let door = &self.world.door;
        let issuer = self.world.provider.server.url("");
        let keys = inline(&[&self.key]);
        door.gateway.offer(&format!(
            "http:\n  routers:\n    api: {{rule: 'Host(`{HOST}`)', service: api, middlewares: [m0]}}\n  \
             services:\n    api: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n  middlewares:\n    \
             m0: {{plugin: {{oidc: {{issuer: '{issuer}', {USUAL}{options}}}}}}}\n    \
             token: {{jwt: {{{keys}, audience: ['https://api.test'], usernameClaim: grp, \
             forwardHeaders: {{X-User: sub, X-Robot: grp}}}}}}\n    \
             prefix: {{addPrefix: {{prefix: /a}}}}\n{more}",
            door.backend.url("")
        ))
    }

    fn token(&self) -> String {
        let mut claims = claims();
        claims["sub"] = json!("robot");
        signed(&self.key, &claims)
    }

    async fn get(&self, fields: &[&str]) -> Response {
        self.world.door.get(fields).await
    }

    fn seen(&self, field: &str) -> Vec<String> {
        self.world.door.seen(field)
    }
}

#[tokio::test]
async fn a_request_with_a_token_is_judged_by_the_named_middleware_and_all_others_need_a_session() {
    let both = Both::new().await;
    let right = bearer(&both.token());
    let mut fields = FORGED.to_vec();
    fields.push(&right);
    assert_eq!(both.get(&fields).await.status, 200);
    assert_eq!(both.seen("x-user"), ["robot"]);
    assert_eq!(both.seen("x-robot"), ["admin"]);
    for forged in ["x_user", "x.robot", "x-group", "authorization"] {
        assert_eq!(both.seen(forged), [] as [&str; 0], "{forged}");
    }
    let log = both.world.door.gateway.access_log();
    assert!(log.iter().any(|line| line.contains("- admin [")), "{log:?}");
    // People are not asked for tokens, and machines are not sent to log in.
    assert_eq!(both.get(&[]).await.status, 401);
    let mut browser = both.world.logged_in().await;
    assert_eq!(browser.ask("GET", "/", &FORGED).await.status, 200);
    assert_eq!(both.seen("x-user"), ["alice"]);
    assert_eq!(both.seen("x-group"), ["admin"]);
    for forged in ["x_user", "x.robot", "x-robot", "cookie"] {
        assert_eq!(both.seen(forged), [] as [&str; 0], "{forged}");
    }
    assert_eq!(both.world.door.backend.count(), 2);
}

// Holds RP-07.
#[tokio::test]
async fn whatever_announces_a_token_is_never_passed_unjudged_nor_sent_to_log_in() {
    let both = Both::new().await;
    let stranger = signed(&key(Algorithm::Es256, "machines"), &claims());
    let mut ended = claims();
    ended["exp"] = json!(NOW - 3600);
    let ended = signed(&both.key, &ended);
    let twice = format!("{}\r\n{}", bearer(&both.token()), bearer(&both.token()));
    let beside = format!("Authorization: Basic YTpi\r\n{}", bearer(&both.token()));
    let mut person = both.world.logged_in().await;
    for field in [
        "Authorization: Bearer nonsense".to_owned(),
        "Authorization: Bearer".to_owned(),
        "Authorization: bearer ".to_owned(),
        "Authorization: BEARER a b".to_owned(),
        "Authorization: Bearer\ta".to_owned(),
        "Authorization: Bearer,a".to_owned(),
        format!("Authorization: DPoP {}", both.token()),
        bearer(&stranger),
        bearer(&ended),
        twice,
        beside,
    ] {
        // Neither from nobody nor with a session.
        let nobody = both.get(&[&field, "Accept: text/html"]).await;
        let known = person.ask("GET", "/", &[&field, "Accept: text/html"]).await;
        for response in [nobody, known] {
            assert_eq!(response.status, 401, "{field}");
            assert!(challenge(&response).is_some(), "{field}");
            assert_eq!(response.headers.all("set-cookie"), [] as [&str; 0]);
        }
    }
    assert_eq!(both.world.door.backend.count(), 0);
    // Other credentials are none of the gateway's here: a session is.
    let basic = ["Authorization: Basic YTpi", "Accept: text/html"];
    assert_eq!(both.get(&basic).await.status, 302);
    assert_eq!(person.ask("GET", "/", &basic).await.status, 200);
}

// Holds RP-05.
#[tokio::test]
async fn a_token_counts_before_a_session_and_the_service_sees_no_cookie_of_ours() {
    let both = Both::new().await;
    let mut person = both.world.logged_in().await;
    let mut other = both.world.browser();
    other.begin("/").await;
    person.cookies.extend(other.cookies);
    assert_eq!(person.cookies.len(), 3, "{:?}", person.cookies);
    person.cookies.insert("own".to_owned(), "1".to_owned());
    let token = bearer(&both.token());
    // A token is no session: forms of other sites cannot send one, and nothing else is asked of it.
    let fields = ["Content-Length: 0", &*token];
    let response = person.ask("POST", "/", &fields).await;
    assert_eq!(
        (response.status, both.seen("x-user")),
        (200, vec!["robot".to_owned()])
    );
    assert_eq!(both.seen("cookie"), ["own=1"]);
    assert_eq!(both.seen("x-group"), [] as [&str; 0]);
    assert_eq!(response.headers.all("set-cookie"), [] as [&str; 0]);
    // It logs nobody out.
    assert_eq!(person.get("/").await.status, 200);
}

#[tokio::test]
async fn where_logins_end_and_begin_nobody_is_asked_for_a_token() {
    let both = Both::new().await;
    let token = bearer(&both.token());
    let mut person = both.world.browser();
    let asked = person.begin("/").await;
    let nonce = asked["nonce"].clone();
    both.world.provider.tell(|told| told.nonce = nonce);
    let callback = format!("/callback?code=c0de&state={}", asked["state"]);
    assert_eq!(person.ask("GET", &callback, &[&token]).await.status, 302);
    assert_eq!(person.ask("GET", "/logout", &[&token]).await.status, 302);
    assert_eq!(both.world.door.backend.count(), 0);
}

#[tokio::test]
async fn a_chain_may_judge_and_what_judges_nothing_or_itself_closes_the_route() {
    let both = Both::new().await;
    let chained = "    chained: {chain: {middlewares: [prefix, token]}}\n";
    assert_eq!(both.offer(", bearer: chained", chained), "");
    let response = both.get(&[&bearer(&both.token())]).await;
    assert_eq!(response.status, 200);
    let seen = both.world.door.backend.seen();
    assert_eq!(seen.last().unwrap().target, "/a/");
    for (options, more, said) in [
        ("bearer: prefix", "", "judges no tokens"),
        (
            "bearer: nothing",
            "    nothing: {chain: {middlewares: []}}\n",
            "judges no tokens",
        ),
        ("bearer: m0", "", "needs itself"),
        (
            "bearer: round",
            "    round: {chain: {middlewares: [token, m0]}}\n",
            "needs itself",
        ),
        (
            "bearer: one",
            "    one: {chain: {middlewares: [two]}}\n    two: {chain: {middlewares: [one]}}\n",
            "contains itself",
        ),
        (
            "bearer: tokens",
            "",
            "does not exist; did you mean `token@file`?",
        ),
        ("bearer: broken", "    broken: {jwt: {}}\n", "has an error"),
    ] {
        let found = both.offer(&format!(", {options}"), more);
        assert!(found.contains(said), "{options}: {found}");
        assert!(!found.contains("CANARY"));
        let response = both.get(&[&bearer(&both.token())]).await;
        assert_eq!(response.status, 503, "{options}");
    }
}

#[tokio::test]
async fn a_change_of_the_named_middleware_counts_at_once() {
    let mut both = Both::new().await;
    let cookies = both.world.logged_in().await.cookies;
    let token = bearer(&both.token());
    assert_eq!(both.get(&[&token]).await.status, 200);
    both.key = key(Algorithm::Es256, "machines");
    assert_eq!(both.offer(&format!("{OWN}, bearer: token"), ""), "");
    assert_eq!(both.get(&[&token]).await.status, 401);
    assert_eq!(both.get(&[&bearer(&both.token())]).await.status, 200);
    // Who was logged in still is.
    let mut person = both.world.browser();
    person.cookies = cookies;
    assert_eq!(person.get("/").await.status, 200);
}
