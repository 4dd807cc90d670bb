//! The two scenes of the tutorial, and what a reload does to them.

use carnet_oauth::client_auth::Method;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{Client, credentials, registered};
use carnet_testkit::{Server, client};

use super::Room;

fn clients() -> Vec<Client> {
    let client = |id, method| Client {
        id,
        secret: "traefiklabs",
        method,
    };
    vec![
        client("application", Method::Post),
        client("gateway", Method::Basic),
    ]
}

const SCENE_A: &str =
    "audience: 'https://traefik.io', usernameClaim: sub, forwardHeaders: {Sub: sub}";
const SCENE_B: &str =
    "audience: 'https://traefik.io', clientId: gateway, clientSecret: traefiklabs";

// Holds HI-12.
#[tokio::test]
async fn scene_a_a_callers_basic_credentials_become_a_bearer_token() {
    let room = Room::new(SCENE_A, registered(clients())).await;
    let response = room.get_as("application", "traefiklabs").await;
    assert_eq!((response.status, response.text().as_str()), (200, "served"));
    let [seen] = &room.backend.seen()[..] else {
        panic!("one request");
    };
    let authorization = seen.headers.only("authorization").unwrap();
    assert!(authorization.starts_with("Bearer ey"), "{authorization}");
    assert_eq!(seen.headers.only("sub"), Some("application"));

    let [call] = &room.provider.seen()[..] else {
        panic!("one call");
    };
    let (method, _) = credentials(call).unwrap();
    assert_eq!(
        (call.method.as_str(), call.target.as_str()),
        ("POST", "/oauth2/token")
    );
    assert_eq!(method, Method::Post);
    let body = String::from_utf8_lossy(&call.body);
    assert!(body.contains("grant_type=client_credentials"), "{body}");
    assert!(body.contains("audience=https%3A%2F%2Ftraefik.io"), "{body}");
    assert_eq!(call.headers.only("accept"), Some("application/json"));
    let log = room.gateway.access_log();
    assert!(log[0].contains(" - application ["), "{log:?}");

    assert_eq!(room.get_as("application", "wrong").await.status, 401);
    assert_eq!(room.get(&[]).await.status, 401);
    assert_eq!(room.backend.count(), 1);
}

#[tokio::test]
async fn scene_b_the_gateways_credentials_serve_a_caller_who_sent_none() {
    let room = Room::new(SCENE_B, registered(clients())).await;
    let response = room.get(&[]).await;
    assert_eq!(response.status, 200);
    let seen = &room.backend.seen()[0];
    assert!(
        seen.headers
            .only("authorization")
            .unwrap()
            .starts_with("Bearer ey")
    );
    assert_eq!(seen.headers.all("sub"), [""; 0]);
    let (method, shown) = credentials(&room.provider.seen()[0]).unwrap();
    assert_eq!((method, shown.id.as_str()), (Method::Basic, "gateway"));
}

#[tokio::test]
async fn both_methods_work_at_once_in_either_mode() {
    let room = Room::new("", registered(clients())).await;
    for id in ["application", "gateway", "application", "gateway"] {
        assert_eq!(room.get_as(id, "traefiklabs").await.status, 200, "{id}");
    }
    // One call for the one, two for the other until its method was known; then the cache.
    assert_eq!(room.provider.count(), 3);
    let own = "clientID: application, clientSecret: traefiklabs";
    let room = Room::new(own, registered(clients())).await;
    assert_eq!(room.get(&[]).await.status, 200);
    assert_eq!(room.provider.count(), 2);
}

// Holds CA-12.
#[tokio::test]
async fn a_reload_keeps_the_tokens_unless_an_option_changed() {
    let room = Room::new(SCENE_A, registered(clients())).await;
    let url = room.provider.url("/oauth2/token");
    for (options, calls) in [
        (SCENE_A, 1),
        (SCENE_A, 1),
        ("audience: 'https://other.example'", 2),
        ("audience: 'https://other.example'", 2),
        (SCENE_A, 3),
    ] {
        room.apply(&url, options);
        assert_eq!(room.get_as("application", "traefiklabs").await.status, 200);
        assert_eq!(room.provider.count(), calls, "{options}");
    }
    room.apply(&url, SCENE_B);
    assert_eq!(room.get(&[]).await.status, 200);
    assert_eq!(room.backend.seen()[5].headers.all("sub"), [""; 0]);
}

#[tokio::test]
async fn resources_and_parameters_are_fields_of_the_form() {
    let options = "resources: ['https://a.example', 'https://b.example'], \
                   parameters: {tenant: t 1}, scopes: [r, w]";
    let room = Room::new(options, registered(clients())).await;
    assert_eq!(room.get_as("application", "traefiklabs").await.status, 200);
    let body = String::from_utf8(room.provider.seen()[0].body.clone()).unwrap();
    for field in [
        "resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example",
        "tenant=t+1",
        "scope=r+w",
    ] {
        assert!(body.contains(field), "{body}");
    }
}

// Holds HI-16.
#[tokio::test]
async fn a_token_stays_with_its_service_and_goes_to_no_fallback() {
    let room = Room::with_backend(SCENE_B, registered(clients()), |_| Answer::text(503, "")).await;
    let fallback = Server::start(|_| Answer::text(200, "fallback"))
        .await
        .unwrap();
    let (url, main, other) = (
        room.provider.url("/oauth2/token"),
        room.backend.url(""),
        fallback.url(""),
    );
    let errors = "errors: {status: [503]}";
    let offered = room.gateway.offer(&format!(
        "
http:
  routers:
    other: {{rule: PathPrefix(`/`), service: other, middlewares: [creds]}}
    same: {{rule: PathPrefix(`/same`), service: same, middlewares: [creds]}}
  services:
    main: {{loadBalancer: {{servers: [{{url: '{main}'}}]}}}}
    fallback: {{loadBalancer: {{servers: [{{url: '{other}'}}]}}}}
    other: {{failover: {{service: main, fallback: fallback, {errors}}}}}
    same: {{failover: {{service: main, fallback: main, {errors}}}}}
  middlewares:
    creds: {{plugin: {{oAuthClientCredentials: {{url: '{url}', {SCENE_B}}}}}}}
"
    ));
    assert_eq!(offered, "");
    let authorized = |server: &Server| -> Vec<bool> {
        let seen = server.seen();
        let fields = seen.iter().map(|seen| seen.headers.only("authorization"));
        fields.map(|field| field.is_some()).collect()
    };
    assert_eq!(room.get(&[]).await.text(), "fallback");
    assert_eq!(authorized(&room.backend), [true]);
    assert_eq!(authorized(&fallback), [false]);
    let same = b"GET /same HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let same = client::send(room.gateway.address, same).await.unwrap();
    assert_eq!(same.status, 503);
    assert_eq!(authorized(&room.backend), [true; 3]);
}
