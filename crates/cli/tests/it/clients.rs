//! `create`, `get`, `list` and `delete oauth2-client`, as Hydra's own commands answer.

use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};
use serde_json::{Value, json};

use crate::process::line;

/// An admin API that takes every client and knows one, `known`.
async fn admin() -> Server {
    Server::start(|request| {
        let path = request.target.split('?').next().unwrap_or_default();
        match (request.method.as_str(), path) {
            ("POST", "/admin/clients") => created(request),
            ("GET", "/admin/clients/known") => Answer::json(200, &stored("known")),
            ("GET", "/admin/clients/a%2Fb%20c") => Answer::json(200, &stored("a/b c")),
            ("GET", "/admin/clients") => Answer::json(200, &json!([stored("known")])).with(
                "Link",
                "</admin/clients?page_size=1&page_token=e%2B1>; rel=\"first\",\
                 </admin/clients?page_size=1&page_token=e%2B2>; rel=\"next\"",
            ),
            ("PUT" | "PATCH", "/admin/clients/known") => Answer::json(200, &stored("known")),
            ("DELETE", "/admin/clients/known" | "/admin/clients/other") => Answer::text(204, ""),
            _ => Answer::json(404, &json!({"error": "Not there", "error_description": ""})),
        }
    })
    .await
    .unwrap()
}

fn created(request: &Request) -> Answer {
    let mut client: Value = serde_json::from_slice(&request.body).unwrap();
    if client["client_secret"].as_str() == Some("short") {
        let error = json!({"error": "invalid_client_metadata", "error_description": "Too short."});
        return Answer::json(400, &error);
    }
    if client["client_id"] == "" {
        client["client_id"] = json!("11111111-2222-4333-8444-555555555555");
    }
    if client["client_secret"].is_null() {
        client["client_secret"] = json!("generated");
    }
    client["registration_access_token"] = json!("ory_at_x");
    client["registration_client_uri"] = json!("http://h/oauth2/register/");
    client["created_at"] = json!("2026-11-23T10:00:00Z");
    client["updated_at"] = json!("2026-11-23T10:00:00.123456Z");
    client["scope"] = json!("offline_access offline openid");
    client["userinfo_signed_response_alg"] = json!("none");
    Answer::json(201, &client)
}

fn stored(id: &str) -> Value {
    json!({
        "client_id": id, "client_name": "", "redirect_uris": [], "contacts": [],
        "grant_types": ["client_credentials", "refresh_token"], "response_types": ["code"],
        "scope": "read", "audience": ["https://a.example", "https://b.example"],
        "allowed_cors_origins": [], "metadata": {"b": 1, "a": []}, "jwks": {},
        "skip_logout_consent": null, "jwt_bearer_grant_access_token_lifespan": null,
    })
}

#[tokio::test]
async fn a_created_client_is_one_json_object_and_standard_error_is_empty() {
    let admin = admin().await;
    let out = line("hydra create oauth2-client --name oauth-client --secret traefiklabs")
        .arg("--grant-type=client_credentials")
        .arg("--audience=https://traefik.io")
        .arg("--token-endpoint-auth-method=client_secret_post")
        .arg("--format=json")
        .arg("--endpoint")
        .arg(&admin.url("/"))
        .out()
        .await;
    assert_eq!(out.lines().count(), 1);
    // The members in the order and with the omissions of Hydra's own command.
    assert_eq!(
        out,
        "{\"audience\":[\"https://traefik.io\"],\
         \"client_id\":\"11111111-2222-4333-8444-555555555555\",\"client_name\":\"oauth-client\",\
         \"client_secret\":\"traefiklabs\",\"client_secret_expires_at\":0,\"client_uri\":\"\",\
         \"created_at\":\"2026-11-23T10:00:00Z\",\"grant_types\":[\"client_credentials\"],\
         \"jwks\":{},\"logo_uri\":\"\",\"metadata\":{},\"owner\":\"\",\"policy_uri\":\"\",\
         \"registration_access_token\":\"ory_at_x\",\
         \"registration_client_uri\":\"http://h/oauth2/register/\",\
         \"request_object_signing_alg\":\"RS256\",\"response_types\":[\"code\"],\
         \"scope\":\"offline_access offline openid\",\"skip_consent\":false,\
         \"skip_logout_consent\":false,\"subject_type\":\"public\",\
         \"token_endpoint_auth_method\":\"client_secret_post\",\"tos_uri\":\"\",\
         \"updated_at\":\"2026-11-23T10:00:00.123456Z\",\
         \"userinfo_signed_response_alg\":\"none\"}\n"
    );
}

#[tokio::test]
async fn every_flag_becomes_a_member() {
    let admin = admin().await;
    line("hydra create client --id chosen --grant-type authorization_code,refresh_token")
        .arg("--response-type=code,id_token")
        .arg("--scope=openid,offline")
        .arg("--redirect-uri=http://127.0.0.1:5555/callback")
        .arg("--post-logout-callback=http://127.0.0.1:5555/bye")
        .arg("--metadata={\"a\":1}")
        .arg("--skip-consent")
        .arg("--contact=a@example,b@example")
        .arg("--access-token-strategy=opaque")
        .arg("--jwks-uri=https://app.example/jwks")
        .env("ORY_SDK_URL", &admin.url(""))
        .out()
        .await;
    let sent: Value = serde_json::from_slice(&admin.seen()[0].body).unwrap();
    for (member, value) in [
        ("client_id", json!("chosen")),
        (
            "grant_types",
            json!(["authorization_code", "refresh_token"]),
        ),
        ("response_types", json!(["code", "id_token"])),
        ("scope", json!("openid offline")),
        ("redirect_uris", json!(["http://127.0.0.1:5555/callback"])),
        (
            "post_logout_redirect_uris",
            json!(["http://127.0.0.1:5555/bye"]),
        ),
        ("metadata", json!({"a": 1})),
        ("skip_consent", json!(true)),
        ("contacts", json!(["a@example", "b@example"])),
        ("access_token_strategy", json!("opaque")),
        ("jwks_uri", json!("https://app.example/jwks")),
    ] {
        assert_eq!(sent[member], value, "{member}");
    }
}

#[tokio::test]
async fn a_created_client_is_shown_in_every_format() {
    let admin = admin().await;
    let id = "11111111-2222-4333-8444-555555555555";
    let table = format!(
        "CLIENT ID\t{id}\t\nCLIENT SECRET\ttraefiklabs\t\t\t\t\n\
         GRANT TYPES\tclient_credentials\t\t\t\nRESPONSE TYPES\tcode\t\t\t\t\t\n\
         SCOPE\t\toffline_access offline openid\t\t\nAUDIENCE\thttps://traefik.io\t\t\t\n\
         REDIRECT URIS\t\t\t\t\t\t\n"
    );
    for (format, out) in [
        ("table", table.clone()),
        ("default", table.clone()),
        ("json-pointer=/client_id", table.clone()),
        ("nope", table),
        ("jsonpath=client_id", format!("\"{id}\"\n")),
        (
            "jsonpointer=/grant_types",
            "[\n  \"client_credentials\"\n]\n".to_owned(),
        ),
    ] {
        let create = line("hydra create client --secret traefiklabs --audience https://traefik.io");
        let create = create
            .arg("--grant-type=client_credentials")
            .arg("-e")
            .arg(&admin.url("/"));
        assert_eq!(
            create.arg("--format").arg(format).out().await,
            out,
            "{format}"
        );
    }
    let quiet = line("hydra create client -q -e")
        .arg(&admin.url("/"))
        .out()
        .await;
    assert_eq!(quiet, format!("{id}\n"));
    let yaml = line("hydra create client --format yaml -e")
        .arg(&admin.url("/"))
        .out()
        .await;
    for block in [
        "client_id: 11111111-2222-4333-8444-555555555555\n",
        "client_uri: \"\"\ncreated_at: \"2026-11-23T10:00:00Z\"\ngrant_types:\n\
         - authorization_code\njwks: {}\n",
        "registration_client_uri: http://h/oauth2/register/\n",
    ] {
        assert!(yaml.contains(block), "{yaml}");
    }
}

#[tokio::test]
async fn a_file_is_the_client_and_its_id_is_not_taken() {
    let admin = admin().await;
    let text = r#"{"client_id":"there","client_name":"f","client_secret":"file-secret"}"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.json");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    for (file, id) in [("-", None), (file, None), (file, Some("by-flag"))] {
        let mut create = line("hydra create client --name ignored --format json --file");
        create = create.arg(file).arg("-e").arg(&admin.url("")).input(text);
        if let Some(id) = id {
            create = create.arg("--id").arg(id);
        }
        let client: Value = serde_json::from_str(&create.out().await).unwrap();
        assert_eq!(client["client_name"], "f");
        let sent: Value = serde_json::from_slice(&admin.seen().last().unwrap().body).unwrap();
        assert_eq!(sent["client_id"], id.unwrap_or_default());
        // A file says all there is to say: no default of a flag is added.
        assert!(sent["grant_types"].is_null());
    }
}

#[tokio::test]
async fn a_refusal_is_the_servers_json_on_standard_error() {
    let admin = admin().await;
    let ended = line("hydra create client --secret short -e")
        .arg(&admin.url("/"))
        .run()
        .await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert_eq!(
        ended.err,
        "{\n  \"error\": \"invalid_client_metadata\",\n  \"error_description\": \"Too short.\"\n}\n\
         Failed to execute API request, see error above.\n"
    );
}

#[tokio::test]
async fn one_client_leaves_out_empty_lists_and_several_do_not() {
    let admin = admin().await;
    let get = line("hydra get oauth2-client known --format json -e").arg(&admin.url(""));
    let one: Value = serde_json::from_str(&get.out().await).unwrap();
    assert_eq!(one.get("redirect_uris"), None);
    assert_eq!(one["metadata"], json!({"a": [], "b": 1}));
    assert_eq!(one.get("skip_logout_consent"), None);
    let get = line("hydra get clients known --format json -e").arg(&admin.url(""));
    let two: Value = serde_json::from_str(&get.arg("a/b c").out().await).unwrap();
    assert_eq!(two[0]["redirect_uris"], json!([]));
    assert_eq!(two[1]["client_id"], "a/b c");
}

#[tokio::test]
async fn several_clients_are_a_table_with_a_header() {
    let admin = admin().await;
    let get = line("hydra get clients known known -e").arg(&admin.url(""));
    let row = "known\t\t\t\tclient_credentials, refresh_token\tcode\t\tread\t\
               https://a.example,https://b.example\t\t\t\n";
    assert_eq!(
        get.out().await,
        format!(
            "CLIENT ID\tCLIENT SECRET\tGRANT TYPES\t\t\t\tRESPONSE TYPES\tSCOPE\tAUDIENCE\t\t\t\t\
             REDIRECT URIS\t\n{row}{row}"
        )
    );
    let get = line("hydra get clients known known -q -e").arg(&admin.url(""));
    assert_eq!(get.out().await, "known\nknown\n");
}

#[tokio::test]
async fn of_several_clients_all_are_shown_or_none() {
    let admin = admin().await;
    let ended = line("hydra get clients known nobody -e")
        .arg(&admin.url(""))
        .run()
        .await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("Not there"), "{}", ended.err);
}

#[tokio::test]
async fn a_list_names_its_next_page() {
    let admin = admin().await;
    let list = line("hydra list oauth2-clients --page-size 1 --page-token x+1 --format json -e");
    let out = list.arg(&admin.url("")).out().await;
    assert!(
        out.ends_with("],\"next_page_token\":\"e+2\",\"is_last_page\":false}\n"),
        "{out}"
    );
    assert_eq!(
        admin.seen()[0].target,
        "/admin/clients?page_size=1&page_token=x%2B1"
    );
    let table = line("hydra list clients -e")
        .arg(&admin.url(""))
        .out()
        .await;
    assert!(
        table.contains("\n\t\t\nNEXT PAGE TOKEN\te+2\t\nIS LAST PAGE\tfalse\t\n"),
        "{table}"
    );
    assert_eq!(admin.seen()[1].target, "/admin/clients?page_size=100");
    let quiet = line("hydra list clients -q -e")
        .arg(&admin.url(""))
        .out()
        .await;
    assert_eq!(quiet, "known\n");
}

#[tokio::test]
async fn of_several_deletions_each_is_tried() {
    let admin = admin().await;
    let delete = |ids: &str| {
        line(&format!(
            "hydra delete oauth2-client {ids} -e {}",
            admin.url("")
        ))
    };
    assert_eq!(delete("known").out().await, "ID\tknown\t\n");
    assert_eq!(
        delete("known other").out().await,
        "ID\t\nknown\t\nother\t\n"
    );
    assert_eq!(delete("known --format json").out().await, "\"known\"\n");
    assert_eq!(
        delete("known other --format json").out().await,
        "[\"known\",\"other\"]\n"
    );
    let ended = delete("nobody known --format json").run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, "\"known\"\n"));
    assert!(
        ended.err.ends_with("`nobody` was not deleted.\n"),
        "{}",
        ended.err
    );
    let ended = delete("nobody").run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
}

#[tokio::test]
async fn headers_of_the_user_are_sent() {
    let admin = admin().await;
    let list = line("hydra list clients -e").arg(&admin.url(""));
    list.arg("-H")
        .arg("X-A: b")
        .arg("--http-header")
        .arg("X-B: c: d")
        .out()
        .await;
    let seen = &admin.seen()[0];
    assert_eq!(
        (seen.headers.only("x-a"), seen.headers.only("x-b")),
        (Some("b"), Some("c: d"))
    );
    assert_eq!(seen.headers.only("accept"), Some("application/json"));
}

#[tokio::test]
async fn an_update_changes_what_flags_name_and_nothing_else() {
    let admin = admin().await;
    let update = line("hydra update client known --owner you --scope a,b --skip-consent=false");
    let out = update
        .arg("--format=json")
        .arg("-e")
        .arg(&admin.url(""))
        .out()
        .await;
    assert!(out.contains("\"client_id\":\"known\""), "{out}");
    let request = &admin.seen()[0];
    assert_eq!(request.method, "PATCH");
    let changes: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        changes,
        json!([
            {"op": "replace", "path": "/scope", "value": "a b"},
            {"op": "replace", "path": "/owner", "value": "you"},
            {"op": "replace", "path": "/skip_consent", "value": false},
        ])
    );
    let update = line("hydra update client known --file - -q -e").arg(&admin.url(""));
    assert_eq!(
        update.input("{\"client_name\":\"x\"}").out().await,
        "known\n"
    );
    assert_eq!(admin.seen()[1].method, "PUT");
    let ended = line("hydra update client known -e")
        .arg(&admin.url(""))
        .run()
        .await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("nothing to change"), "{}", ended.err);
}

#[tokio::test]
async fn clients_are_imported_with_their_ids_whatever_becomes_of_the_others() {
    let admin = admin().await;
    let import = |flags: &str, text: &str| {
        let line = line(&format!(
            "hydra import client {flags} --format json -e {}",
            admin.url("")
        ));
        line.input(text)
    };
    let one: Value =
        serde_json::from_str(&import("", r#"{"client_id":"i1"}"#).out().await).unwrap();
    assert_eq!(one["client_id"], "i1");
    let two = import("-", r#"[{"client_id":"i1"},{"client_id":"i2"}]"#)
        .out()
        .await;
    let two: Value = serde_json::from_str(&two).unwrap();
    assert_eq!(
        (&two[0]["client_id"], &two[1]["client_id"]),
        (&json!("i1"), &json!("i2"))
    );
    let text = r#"[{"client_id":"i1","client_secret":"short"},{"client_id":"i2"}]"#;
    let ended = import("", text).run().await;
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.starts_with("{") && ended.out.contains("i2"),
        "{}",
        ended.out
    );
    assert!(
        ended
            .err
            .contains("The client `i1` of `-` was not imported."),
        "{}",
        ended.err
    );
    let ended = import("", r#"[{"client_id":"i1","client_secret":"short"}]"#)
        .run()
        .await;
    assert_eq!((ended.code, ended.out.as_str()), (1, "[]\n"));
    // What cannot be read is not imported by half.
    let count = admin.count();
    for text in [
        "[{\"client_id\":\"i1\"},{\"client_id\":5}]",
        "[\"i1\"]",
        "5",
        "{",
        "",
    ] {
        let ended = import("", text).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{text}");
    }
    assert_eq!(admin.count(), count);
}

#[tokio::test]
async fn words_that_no_server_acts_on_are_doubted_and_the_client_is_printed_all_the_same() {
    let admin = admin().await;
    let ended = line("carnet create oauth2-client --grant-type client_credential --quiet")
        .arg("--token-endpoint-auth-method=client_secret_basik")
        .arg("--endpoint")
        .arg(&admin.url("/"))
        .run()
        .await;
    let id = "11111111-2222-4333-8444-555555555555\n";
    assert_eq!((ended.code, ended.out.as_str()), (0, id), "{}", ended.err);
    assert_eq!(
        ended.err,
        "warning: nobody gets tokens by the grant type `client_credential`; did you mean \
         `client_credentials`?\nwarning: nobody can authenticate by the method \
         `client_secret_basik`; did you mean `client_secret_basic`?\n"
    );
}
