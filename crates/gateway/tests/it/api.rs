//! What `/api` tells of the configuration.

use carnet_config::install::Api;
use carnet_testkit::Server;
use carnet_testkit::client::Response;
use carnet_testkit::token_endpoint::granted;
use serde_json::{Value, json};

use crate::stand::{Plan, Stand, routes};

fn plan() -> Plan {
    Plan {
        api: Some(Api::default()),
        ..Plan::default()
    }
}

/// A router to the API, and `more` below `http`.
fn with_api(more: &str) -> String {
    "http:\n  routers:\n    api: {rule: 'Host(`api`)', service: api@internal, priority: 9}\n"
        .to_owned()
        + more
}

async fn ask(stand: &Stand, path: &str) -> Response {
    stand.ask(&format!("GET {path} HTTP/1.1\nHost: api")).await
}

async fn json(stand: &Stand, path: &str) -> Value {
    let response = ask(stand, path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    let content = response.headers.only("content-type");
    assert_eq!(content, Some("application/json"), "{path}");
    serde_json::from_str(&response.text()).unwrap()
}

const OBJECTS: &str = "
    good: {rule: 'Host(`a`)', service: s, entryPoints: [web], middlewares: [], tls: {}}
    broken: {rule: 'Host(`b`)', service: s, middlewares: [creds, nobody]}
  services:
    s: {loadBalancer: {servers: [{url: 'http://10.0.0.1:80'}]}}
    leaky: {loadBalancer: {servers: [{url: 'http://user:CANARY@10.0.0.1:80'}]}}
    both: {weighted: {services: [{name: s, weight: 3}]}}
  middlewares:
    creds:
      plugin:
        oAuthClientCredentials:
          url: 'http://127.0.0.1:1/token'
          clientID: me
          clientSecret: CANARY
    swap:
      plugin:
        oAuthTokenExchange:
          url: 'http://127.0.0.1:1/token'
          clientID: me
          clientSecret: CANARY
          rfc8693: {audience: 'https://orders', actorToken: CANARY}
";

#[tokio::test]
async fn objects_are_shown_with_their_state_and_their_users() {
    let stand = Stand::planned(plan(), &with_api(OBJECTS)).await;
    let good = json(&stand, "/api/http/routers/good@file").await;
    assert_eq!(
        good,
        json!({
            "entryPoints": ["web"], "service": "s@file", "rule": "Host(`a`)", "priority": 9,
            "tls": {"options": "default"},
            "observability": {
                "accessLogs": true, "tracing": true, "metrics": true, "traceVerbosity": "minimal"
            },
            "using": ["web"], "status": "enabled", "name": "good@file", "provider": "file",
        })
    );
    let broken = json(&stand, "/api/http/routers/broken@file").await;
    assert_eq!(broken["status"], "disabled");
    let error = broken["error"][0].as_str().unwrap();
    assert!(error.contains("`nobody@file` does not exist"), "{error}");
    let service = json(&stand, "/api/http/services/s%40file").await;
    assert_eq!(
        service,
        json!({
            "loadBalancer": {
                "servers": [{"url": "http://10.0.0.1"}], "passHostHeader": true, "strategy": "wrr",
            },
            "type": "loadbalancer", "status": "enabled", "name": "s@file", "provider": "file",
            "serverStatus": {"http://10.0.0.1": "UP"}, "usedBy": ["broken@file", "good@file"],
        })
    );
    let middleware = json(&stand, "/api/http/middlewares/creds@file").await;
    assert_eq!(middleware["type"], "oauthclientcredentials");
    let options = &middleware["oAuthClientCredentials"];
    assert_eq!(options["clientID"], "me");
    assert_eq!(options["clientSecret"], "REDACTED");
    let middleware = json(&stand, "/api/http/middlewares/swap@file").await;
    let options = &middleware["oAuthTokenExchange"];
    assert_eq!(
        (&options["method"], &options["clientSecret"]),
        (&json!("rfc8693"), &json!("REDACTED"))
    );
    assert_eq!(options["rfc8693"]["audience"], "https://orders");
    assert_eq!(options["tokenSource"]["header"], "Authorization");
    let overview = json(&stand, "/api/overview").await;
    let routers = json!({"total": 3, "warnings": 0, "errors": 1});
    assert_eq!(overview["http"]["routers"], routers);
    assert_eq!(overview["features"]["hub"], false);
    let web = json(&stand, "/api/entrypoints/web").await;
    assert_eq!(
        (&web["name"], &web["address"]),
        (&json!("web"), &json!(":80"))
    );
    assert_eq!(
        web["transport"]["respondingTimeouts"]["idleTimeout"],
        "3m0s"
    );
    let version = json(&stand, "/api/version").await;
    assert_eq!(version["startDate"], "2026-11-26T12:00:00Z");
}

// Holds SE-08.
#[tokio::test]
async fn no_page_of_the_api_shows_a_secret() {
    let stand = Stand::planned(plan(), &with_api(OBJECTS)).await;
    for path in [
        "/api/rawdata",
        "/api/overview",
        "/api/version",
        "/api/entrypoints",
        "/api/http/routers",
        "/api/http/services",
        "/api/http/middlewares",
        "/api/http/middlewares/creds@file",
        "/api/tcp/routers",
        "/api/udp/services",
    ] {
        let text = json(&stand, path).await.to_string();
        assert!(!text.contains("CANARY"), "{path}: {text}");
    }
}

#[tokio::test]
async fn lists_are_searched_sorted_and_paged() {
    let rules: Vec<String> = (0..5).map(|at| format!("Host(`h{at}`)")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let yaml = routes(&rules, "http://10.0.0.1").replace(
        "  routers:\n",
        "  routers:\n    api: {rule: 'Host(`api`)', service: api@internal, priority: 9}\n",
    );
    let stand = Stand::planned(plan(), &yaml).await;
    let names = |list: Value| -> Vec<String> {
        let all = list.as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, wanted, next) in [
        ("per_page=2", &["api@file", "r0@file"][..], "2"),
        ("per_page=2&page=3", &["r3@file", "r4@file"], "1"),
        ("search=H3", &["r3@file"], "1"),
        ("serviceName=api@internal", &["api@file"], "1"),
        ("status=disabled", &[], "1"),
        ("sortBy=priority&per_page=2", &["r4@file", "r3@file"], "2"),
        ("direction=desc&per_page=1", &["r4@file"], "2"),
    ] {
        let response = ask(&stand, &format!("/api/http/routers?{query}")).await;
        assert_eq!(response.headers.only("x-next-page"), Some(next), "{query}");
        let list = serde_json::from_str(&response.text()).unwrap();
        assert_eq!(names(list), wanted, "{query}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_as_traefik_tells_it() {
    let stand = Stand::planned(plan(), &with_api("")).await;
    for (path, status, body) in [
        (
            "/api/http/routers/x@file",
            404,
            "{\"message\":\"router not found: x@file\"}\n",
        ),
        (
            "/api/entrypoints/x",
            404,
            "{\"message\":\"entry point not found: x\"}\n",
        ),
        (
            "/api/http/routers?page=0",
            400,
            "{\"message\":\"invalid request: page: 0\"}\n",
        ),
        (
            "/api/http/routers?page=7",
            400,
            "{\"message\":\"invalid request: page: 7, per_page: 100\"}\n",
        ),
        ("/api/support-dump", 404, "404 page not found\n"),
        ("/api/http/nothing", 404, "404 page not found\n"),
    ] {
        let response = ask(&stand, path).await;
        assert_eq!(
            (response.status, response.text().as_str()),
            (status, body),
            "{path}"
        );
    }
    let response = stand
        .ask("POST /api/rawdata HTTP/1.1\nHost: api\nContent-Length: 0")
        .await;
    assert_eq!(response.status, 405);
}

#[tokio::test]
async fn without_a_router_the_api_is_closed_and_insecure_opens_it_at_its_entry_point_alone() {
    let stand = Stand::planned(plan(), "http: {}").await;
    assert_eq!(ask(&stand, "/api/rawdata").await.status, 404);

    let mut plan = plan();
    plan.name = "traefik";
    plan.api = Some(Api {
        insecure: true,
        ..Api::default()
    });
    let stand = Stand::planned(plan, "http: {}").await;
    let routers = json(&stand, "/api/http/routers").await;
    assert_eq!(routers[0]["name"], "api@internal");
    assert_eq!(routers[1]["name"], "dashboard@internal");
    let response = ask(&stand, "/").await;
    assert_eq!(response.headers.only("location"), Some("/dashboard/"));
    let page = ask(&stand, "/dashboard/").await;
    assert!(page.text().contains("There is no dashboard"));
    assert_eq!(ask(&stand, "/other").await.status, 404);
}

// Holds SE-05, SE-08.
#[tokio::test]
async fn tokens_that_are_kept_are_listed_by_their_clients_without_the_tokens() {
    let provider = Server::start(|_| granted("CANARY", Some(200))).await;
    let provider = provider.unwrap();
    let stand = Stand::planned(
        plan(),
        &with_api(&format!(
            "    r: {{rule: 'Host(`a`)', service: noop@internal, middlewares: [creds]}}\n  \
             middlewares:\n    creds: {{plugin: {{oAuthClientCredentials: {{url: '{}', audience: \
             'https://api', scopes: [read]}}}}}}\n",
            provider.url("/token")
        )),
    )
    .await;
    assert_eq!(json(&stand, "/api/carnet/tokens").await, json!([]));
    // Two clients, one of which calls itself by a hostile name.
    for pair in ["PG1lPkBmaWxlOkNBTkFSWQ==", "Ym9iOkNBTkFSWQ=="] {
        let authorization = format!("Authorization: Basic {pair}");
        assert_eq!(stand.get("a", &[&authorization]).await.status, 418);
    }
    let shown = json(&stand, "/api/carnet/tokens").await;
    assert!(!shown.to_string().contains("CANARY"), "{shown}");
    let token = json!({
        "name": "<me>@file", "provider": provider.url(""), "audience": "https://api",
        "scopes": ["read"], "ageSeconds": 0, "secondsLeft": 189, "idleSeconds": 0,
    });
    assert_eq!(shown[0], token);
    let found = ask(&stand, "/api/carnet/tokens?search=BOB&per_page=1").await;
    assert!(found.text().contains("\"bob\""), "{}", found.text());
    assert_eq!(ask(&stand, "/api/carnet/token").await.status, 404);
}
