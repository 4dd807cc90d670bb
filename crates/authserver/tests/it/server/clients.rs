//! The admin API of clients.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use carnet_authserver::Options;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::server::{Answer, Room, tutorial};

async fn create(room: &Room, body: Value) -> Answer {
    room.admin(Method::POST, "/admin/clients", body).await
}

#[tokio::test]
async fn a_new_client_has_the_members_that_hydra_gives_it() {
    let room = Room::new(tutorial()).await;
    let answer = create(&room, json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(
        answer.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert!(answer.text.ends_with("}\n"));
    let client = answer.json();
    let id = client["client_id"].as_str().unwrap();
    assert_eq!(
        answer.header("location"),
        Some(format!("/admin/clients/{id}").as_str())
    );
    assert_eq!(client["client_secret"].as_str().unwrap().len(), 26);
    assert_eq!(client["scope"], "offline_access offline openid");
    assert_eq!(client["created_at"], "2026-11-26T12:00:00Z");
    assert_eq!(client["updated_at"], "2026-11-26T12:00:00.000000Z");
    assert_eq!(
        client["registration_client_uri"],
        format!("http://hydra.docker.localhost/oauth2/register/{id}")
    );
    assert!(
        client["registration_access_token"]
            .as_str()
            .unwrap()
            .starts_with("ory_at_")
    );
}

// Holds AD-03.
#[tokio::test]
async fn a_secret_is_shown_once() {
    let room = Room::new(tutorial()).await;
    let secret = "canary-of-the-test";
    let created = create(&room, json!({"client_id": "a", "client_secret": secret})).await;
    assert_eq!(created.json()["client_secret"], secret);
    let patch = json!([{"op": "replace", "path": "/owner", "value": "o"}]);
    for (method, path, body) in [
        (Method::GET, "/admin/clients/a", Value::Null),
        (Method::GET, "/admin/clients", Value::Null),
        (Method::PATCH, "/admin/clients/a", patch),
        (
            Method::PUT,
            "/admin/clients/a",
            json!({"client_secret": ""}),
        ),
        (Method::PUT, "/admin/clients/a/lifespans", json!({})),
    ] {
        let answer = room.admin(method.clone(), path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
        assert!(!answer.text.contains(secret) && !answer.text.contains("client_secret\""));
    }
    let row = room.store.find_client("a").await.unwrap().unwrap();
    assert!(!format!("{row:?}").contains(secret));
    let public = create(&room, json!({"token_endpoint_auth_method": "none"})).await;
    assert_eq!(public.json().get("client_secret"), None);
}

#[tokio::test]
async fn a_secret_lives_until_another_is_sent() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let path = format!("/admin/clients/{id}");
    let machine = json!({"grant_types": ["client_credentials"]});
    let works = async |secret: &str| room.basic(&id, secret, "").await.status == StatusCode::OK;

    room.admin(Method::PUT, &path, machine.clone()).await;
    assert!(works("traefiklabs").await);
    let mut public = machine.clone();
    public["token_endpoint_auth_method"] = json!("none");
    room.admin(Method::PUT, &path, public).await;
    assert!(!works("traefiklabs").await);
    room.admin(Method::PUT, &path, machine.clone()).await;
    assert!(works("traefiklabs").await);

    let mut changed = machine;
    changed["client_secret"] = json!("another-secret");
    let answer = room.admin(Method::PUT, &path, changed).await;
    assert_eq!(answer.json()["client_secret"], "another-secret");
    assert!(!works("traefiklabs").await && works("another-secret").await);

    let patch = json!([{"op": "replace", "path": "/client_secret", "value": "third-secret"}]);
    let answer = room.admin(Method::PATCH, &path, patch).await;
    assert_eq!(answer.json()["client_secret"], "third-secret");
    assert!(!works("another-secret").await && works("third-secret").await);
}

#[tokio::test]
async fn a_replacement_resets_and_a_patch_changes() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({"owner": "o", "client_name": "n"})).await;
    let path = format!("/admin/clients/{id}");
    let patch = json!([
        {"op": "replace", "path": "/client_name", "value": "m"},
        {"op": "add", "path": "/audience/-", "value": "https://b.example"},
        {"op": "replace", "path": "/created_at", "value": "2001-01-01T00:00:00Z"},
        {"op": "replace", "path": "/nope", "value": 1},
    ]);
    let patched = room.admin(Method::PATCH, &path, patch).await.json();
    assert_eq!(
        (&patched["client_name"], &patched["owner"]),
        (&json!("m"), &json!("o"))
    );
    assert_eq!(
        patched["audience"],
        json!(["https://traefik.io", "https://b.example"])
    );
    assert_eq!(patched["created_at"], "2026-11-26T12:00:00Z");
    assert_eq!(patched["redirect_uris"], json!([]));

    let replaced = room
        .admin(Method::PUT, &path, json!({"client_id": "x"}))
        .await
        .json();
    assert_eq!(replaced["client_id"], json!(id));
    assert_eq!(
        (&replaced["owner"], &replaced["audience"]),
        (&json!(""), &json!([]))
    );
    assert_eq!(replaced["redirect_uris"], Value::Null);
}

type Refusal<'a> = (Method, &'a str, Value, u16, &'a str);

async fn all_are_refused(room: &Room, refusals: Vec<Refusal<'_>>) {
    for (method, path, body, status, error) in refusals {
        let answer = room.admin(method.clone(), path, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {body}");
        assert_eq!(answer.json()["error"], error, "{method} {path} {body}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.text.ends_with('\n'));
    }
}

#[tokio::test]
async fn a_client_that_is_not_there_is_missing_and_one_that_is_conflicts() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    let rename = json!([{"op": "replace", "path": "/client_id", "value": "b"}]);
    let missing = "Unable to locate the resource";
    let exists =
        "Unable to insert or update resource because a resource with that value exists already";
    let nobody = "/clients/nobody";
    let refusals = vec![
        (Method::GET, nobody, Value::Null, 404, missing),
        (Method::PUT, nobody, json!({}), 404, missing),
        (Method::PATCH, nobody, json!([]), 404, missing),
        (Method::DELETE, nobody, Value::Null, 404, missing),
        (
            Method::PUT,
            "/clients/nobody/lifespans",
            json!({}),
            404,
            missing,
        ),
        (Method::PATCH, "/clients/a", rename, 404, missing),
        (
            Method::POST,
            "/clients",
            json!({"client_id": "a"}),
            409,
            exists,
        ),
    ];
    all_are_refused(&room, refusals).await;
}

#[tokio::test]
async fn a_body_that_cannot_be_used_has_hydras_errors() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    let test = json!([{"op": "test", "path": "/owner", "value": ""}]);
    let lifespan = json!({"implicit_grant_access_token_lifespan": "soon"});
    let malformed = "The request was malformed or contained invalid parameters";
    let metadata = "invalid_client_metadata";
    let redirect = "invalid_redirect_uri";
    let refusals = vec![
        (Method::PATCH, "/clients/a", json!({"a": 1}), 400, malformed),
        (Method::PATCH, "/clients/a", test, 400, malformed),
        (
            Method::POST,
            "/clients",
            json!({"audience": "x"}),
            400,
            malformed,
        ),
        (Method::POST, "/clients", lifespan, 400, malformed),
        (Method::POST, "/clients", json!([]), 400, malformed),
        (Method::POST, "/clients", Value::Null, 400, malformed),
        (
            Method::POST,
            "/clients",
            json!({"client_secret": "abc"}),
            400,
            metadata,
        ),
        (
            Method::POST,
            "/clients",
            json!({"redirect_uris": ["nope"]}),
            400,
            redirect,
        ),
    ];
    all_are_refused(&room, refusals).await;
}

#[tokio::test]
async fn ids_that_need_escaping_work() {
    let room = Room::new(tutorial()).await;
    let answer = create(&room, json!({"client_id": "a/b \u{fc}"})).await;
    let location = answer.header("location").unwrap();
    assert_eq!(location, "/admin/clients/a%2Fb%20%C3%BC");
    let read = room.admin(Method::GET, location, Value::Null).await;
    assert_eq!(read.json()["client_id"], "a/b \u{fc}");
}

// Holds AD-04.
#[tokio::test]
async fn of_many_creations_of_one_id_one_succeeds() {
    let room = Room::new(tutorial()).await;
    let creations = (0..50).map(|_| create(&room, json!({"client_id": "a"})));
    let answers = join_all(creations).await;
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!(
        (count(StatusCode::CREATED), count(StatusCode::CONFLICT)),
        (1, 49)
    );
}

// Holds AD-04.
#[tokio::test]
async fn of_many_changes_of_one_client_none_undoes_another() {
    let room = Room::new(tutorial()).await;
    // Another server of the same database.
    let other = Room::over(tutorial(), Arc::clone(&room.store)).await;
    let either = [&room, &other];
    room.create(json!({"client_id": "a", "audience": []})).await;
    let patches = (0..20).map(|at| {
        let patch = json!([{"op": "add", "path": "/audience/-", "value": format!("urn:a:{at}")}]);
        either[at % 2].admin(Method::PATCH, "/clients/a", patch)
    });
    let rotations = (0..3)
        .map(|at| either[at % 2].admin(Method::POST, "/clients/a/secrets/rotate", Value::Null));
    let (patched, rotated) = tokio::join!(join_all(patches), join_all(rotations));
    for answer in patched.iter().chain(&rotated) {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let client = room.get_admin("/clients/a").await.json();
    assert_eq!(client["audience"].as_array().unwrap().len(), 20);
    assert_eq!(client["rotated_secrets"].as_array().unwrap().len(), 3);
    for answer in &rotated {
        let secret = answer.json()["client_secret"].as_str().unwrap().to_owned();
        assert_eq!(room.basic("a", &secret, "").await.status, StatusCode::OK);
    }

    let (changed, deleted) = tokio::join!(
        room.admin(Method::PUT, "/clients/a", json!({})),
        room.admin(Method::DELETE, "/clients/a", Value::Null)
    );
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert!(matches!(
        changed.status,
        StatusCode::OK | StatusCode::NOT_FOUND
    ));
    assert_eq!(
        room.get_admin("/clients/a").await.status,
        StatusCode::NOT_FOUND
    );
}

// Holds BC-02, SS-02.
#[tokio::test]
async fn only_administrators_make_clients_and_choose_their_ids() {
    let room = Room::new(tutorial()).await;
    for path in ["/oauth2/register", "/clients", "/admin/clients"] {
        for method in [Method::POST, Method::GET] {
            let answer = room.public(method, path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let discovery = room.get("/.well-known/openid-configuration").await;
    assert_eq!(discovery.json().get("registration_endpoint"), None);
}

/// The address of a relation in the `Link` header.
fn link<'a>(answer: &'a Answer, relation: &str) -> Option<&'a str> {
    let end = format!(">; rel=\"{relation}\"");
    let links = answer
        .header("link")?
        .split(",<")
        .map(|link| link.trim_start_matches('<'));
    links.into_iter().find_map(|link| link.strip_suffix(&end))
}

// Holds AD-01.
#[tokio::test]
async fn a_list_is_walked_page_by_page_and_pages_cannot_be_forged() {
    let room = Room::new(tutorial()).await;
    for at in 0..5 {
        let name = if at % 2 == 0 { "even" } else { "odd" };
        create(
            &room,
            json!({"client_id": format!("c{at}"), "client_name": name}),
        )
        .await;
    }
    let get = async |path: &str| room.admin(Method::GET, path, Value::Null).await;
    let mut path = Some("/clients?page_size=2&client_name=even".to_owned());
    let mut seen = Vec::new();
    while let Some(next) = path {
        let page = get(&next).await;
        assert!(link(&page, "first").is_some());
        seen.extend(
            page.json()
                .as_array()
                .unwrap()
                .iter()
                .map(|client| client["client_id"].clone()),
        );
        path = link(&page, "next").map(str::to_owned);
    }
    assert_eq!(seen, ["c0", "c2", "c4"]);

    let page = get("/clients?page_size=1").await;
    let next = link(&page, "next").unwrap();
    let flipped = if next.ends_with('A') { 'B' } else { 'A' };
    let forged = format!("{}{flipped}", &next[..next.len() - 1]);
    let elsewhere = format!("{next}&owner=o");
    for path in [
        &*forged,
        &*elsewhere,
        "/clients?page_token=garbage",
        "/clients?page_size=abc",
    ] {
        assert_eq!(get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let elsewhere = Room::new(Options {
        system_secrets: vec!["the-secret-of-another-system".into()],
        ..tutorial()
    })
    .await;
    assert_eq!(
        elsewhere.get_admin(next).await.status,
        StatusCode::BAD_REQUEST
    );
    for filter in [
        "client_name='%20OR%20'1'='1",
        "client_name=even'%3B%20DROP%20TABLE%20client%3B--",
        "owner=%25",
        "client_name=EVEN",
    ] {
        assert_eq!(get(&format!("/clients?{filter}")).await.json(), json!([]));
    }
}

#[tokio::test]
async fn a_list_can_be_numbered_as_for_clients_of_hydra_2_2() {
    let room = Room::new(tutorial()).await;
    for (id, owner) in [("a", "o"), ("b", "p"), ("c", "o"), ("d", "o")] {
        create(&room, json!({"client_id": id, "owner": owner})).await;
    }
    for (query, ids, total, links) in [
        ("limit=2&offset=0", "ab", "4", "first next last"),
        ("limit=3&offset=2", "cd", "4", "first prev last"),
        ("offset=9", "", "4", "first prev last"),
        ("limit=1&offset=1&owner=o", "c", "3", "first next prev last"),
        ("limit=9&client_name=nobody", "", "0", "first last"),
    ] {
        let page = room
            .admin(Method::GET, &format!("/clients?{query}"), Value::Null)
            .await;
        let list = page.json();
        let seen = list.as_array().unwrap().iter();
        let seen: String = seen
            .filter_map(|client| client["client_id"].as_str())
            .collect();
        assert_eq!(seen, ids, "{query}");
        assert_eq!(page.header("x-total-count"), Some(total), "{query}");
        let relations = ["first", "next", "prev", "last"].into_iter();
        let relations: Vec<_> = relations
            .filter(|relation| link(&page, relation).is_some())
            .collect();
        assert_eq!(relations.join(" "), links, "{query}");
    }
    let page = room
        .admin(Method::GET, "/clients?limit=2&owner=o", Value::Null)
        .await;
    assert_eq!(
        link(&page, "next"),
        Some("/admin/clients?limit=2&offset=2&owner=o")
    );
    let wrong = room
        .admin(Method::GET, "/clients?offset=x", Value::Null)
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let by_token = room
        .admin(Method::GET, "/clients?page_size=2&offset=1", Value::Null)
        .await;
    assert_eq!(by_token.header("x-total-count"), None);
}
