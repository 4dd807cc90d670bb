//! What routes tell of themselves (RFC 9728), and the scopes that they ask for (RFC 6750, section 3).

use carnet_jose::Algorithm;
use carnet_testkit::client::Response;
use serde_json::{Value, json};

use crate::jwt::{Door, bearer, challenge, claims, inline, key, signed};

fn get(path: &str) -> String {
    request("GET", path, "")
}

fn request(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: api.test\r\n{fields}Connection: close\r\n\r\n")
}

/// A `jwt` whose route is this resource.
fn told(resource: &str, keys: &str, more: &str) -> String {
    format!(
        "jwt: {{{keys}, resourceMetadata: {{resource: '{resource}', authorizationServers: \
         ['https://as.test']}}{more}}}"
    )
}

fn only<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.only(name)
}

#[tokio::test]
async fn a_client_finds_the_authorization_server_of_a_route_by_itself() {
    let own = key(Algorithm::Es256, "k");
    let told = "resourceMetadata: {resource: 'https://api.test/mcp', authorizationServers: \
                ['https://as.test'], scopesSupported: [read, write], resourceName: API}";
    let jwt = format!(
        "jwt: {{{}, claims: 'Equals(`grp`, `x`)', {told}}}",
        inline(&[&own])
    );
    let door = Door::behind(&[&jwt]).await;
    let place = "https://api.test/.well-known/oauth-protected-resource/mcp";
    for (fields, status, error) in [
        (vec![], 401, ""),
        (vec![bearer("x")], 401, ", error=\"invalid_token\""),
        (
            vec![bearer(&signed(&own, &claims()))],
            403,
            ", error=\"insufficient_scope\"",
        ),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let response = door.get(&fields).await;
        assert_eq!(response.status, status);
        let expected = format!("Bearer realm=\"carnet\"{error}, resource_metadata=\"{place}\"");
        assert_eq!(challenge(&response), Some(&*expected));
    }
    let path = "/.well-known/oauth-protected-resource/mcp";
    let response = door.send(&get(path)).await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.headers.only("content-type"),
        Some("application/json")
    );
    let document: Value = serde_json::from_slice(&response.body).unwrap();
    let expected = json!({
        "resource": "https://api.test/mcp",
        "authorization_servers": ["https://as.test"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["read", "write"],
        "resource_name": "API",
    });
    assert_eq!(document, expected);
    for path in [
        "/.well-known/oauth-protected-resource",
        &format!("{path}/"),
        "/mcp",
    ] {
        assert_eq!(door.send(&get(path)).await.status, 401, "{path}");
    }
    let post = get(path).replacen("GET", "POST", 1);
    assert_eq!(door.send(&post).await.status, 401);
    assert_eq!(door.backend.count(), 0);
}

#[tokio::test]
async fn a_document_is_where_its_resource_says_to_the_letter() {
    let keys = inline(&[&key(Algorithm::Es256, "k")]);
    let well_known = "/.well-known/oauth-protected-resource";
    // Section 3.1: a slash behind the host goes away, another stays; some clients leave that out.
    for (resource, told_as, url, there, elsewhere) in [
        ("https://api.test", "https://api.test", "", vec![""], "/"),
        ("https://api.test/", "https://api.test", "", vec![""], "/"),
        (
            "https://api.test/a/b",
            "https://api.test/a/b",
            "/a/b",
            vec!["/a/b"],
            "/a/b/",
        ),
        (
            "https://api.test/a/",
            "https://api.test/a/",
            "/a/",
            vec!["/a/", "/a"],
            "",
        ),
    ] {
        let door = Door::behind(&[&told(resource, &keys, "")]).await;
        let expected = format!(
            "Bearer realm=\"carnet\", resource_metadata=\"https://api.test{well_known}{url}\""
        );
        assert_eq!(challenge(&door.get(&[]).await), Some(&*expected));
        for path in there {
            let response = door.send(&get(&format!("{well_known}{path}"))).await;
            assert_eq!(response.status, 200, "{resource} {path}");
            let document: Value = serde_json::from_slice(&response.body).unwrap();
            assert_eq!(document["resource"], told_as);
            assert_eq!(
                only(&response, "cache-control"),
                Some("public, max-age=300")
            );
        }
        let response = door.send(&get(&format!("{well_known}{elsewhere}"))).await;
        assert_eq!(response.status, 401, "{resource} {elsewhere}");
    }
}

#[tokio::test]
async fn what_a_route_is_called_does_not_follow_from_who_asks() {
    let keys = inline(&[&key(Algorithm::Es256, "k")]);
    // As behind a proxy that ends TLS; section 3.3: the resource is the URL that clients use.
    let door = Door::behind(&[&told("https://mcp.example/mcp", &keys, "")]).await;
    let path = "/.well-known/oauth-protected-resource/mcp";
    let fields = "X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: http\r\n";
    let response = door.send(&request("GET", path, fields)).await;
    let document: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(document["resource"], "https://mcp.example/mcp");
    let response = door.send(&request("GET", "/mcp", fields)).await;
    let expected =
        format!("Bearer realm=\"carnet\", resource_metadata=\"https://mcp.example{path}\"");
    assert_eq!(challenge(&response), Some(&*expected));
}

#[tokio::test]
async fn scripts_of_other_origins_read_what_a_route_tells() {
    let own = key(Algorithm::Es256, "k");
    let jwt = told("https://api.test/mcp", &inline(&[&own]), "");
    let path = "/.well-known/oauth-protected-resource/mcp";
    let asked = "Origin: https://app.test\r\nAccess-Control-Request-Method: GET\r\n\
                 Access-Control-Request-Headers: mcp-protocol-version\r\n";
    let door = Door::behind(&[&jwt]).await;
    let response = door.send(&request("OPTIONS", path, asked)).await;
    assert_eq!(response.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD"),
        ("access-control-allow-headers", "*"),
    ] {
        assert_eq!(only(&response, name), Some(value));
    }
    let origin = "Origin: https://app.test\r\n";
    let response = door.send(&request("GET", path, origin)).await;
    assert_eq!(only(&response, "access-control-allow-origin"), Some("*"));
    // A preflight has no credentials, so without `headers` in front of it the route refuses it.
    let response = door.send(&request("OPTIONS", "/mcp", asked)).await;
    assert_eq!(response.status, 401);

    let cors = "headers: {accessControlAllowOriginList: ['https://app.test'], \
                accessControlAllowMethods: [GET, POST], accessControlAllowHeaders: [Authorization], \
                accessControlExposeHeaders: [WWW-Authenticate]}";
    let door = Door::behind(&[cors, &jwt]).await;
    let response = door.send(&request("OPTIONS", "/mcp", asked)).await;
    assert_eq!(response.status, 200);
    let response = door.send(&request("GET", "/mcp", origin)).await;
    assert_eq!(response.status, 401);
    let exposed = only(&response, "access-control-expose-headers");
    assert_eq!(exposed, Some("WWW-Authenticate"));
    for path in ["/mcp", path] {
        let response = door.send(&request("GET", path, origin)).await;
        let allowed = only(&response, "access-control-allow-origin");
        assert_eq!(allowed, Some("https://app.test"), "{path}");
    }
    assert_eq!(door.backend.count(), 0);
}

#[tokio::test]
async fn a_refusal_names_the_scopes_that_a_token_must_have() {
    let own = key(Algorithm::Es256, "k");
    let more = ", requiredScopes: [tools, 'tools:write']";
    let door = Door::behind(&[&told("https://api.test", &inline(&[&own]), more)]).await;
    let learn_more = "scope=\"tools tools:write\", \
                      resource_metadata=\"https://api.test/.well-known/oauth-protected-resource\"";
    let said = |error: &str| format!("Bearer realm=\"carnet\"{error}, {learn_more}");
    assert_eq!(challenge(&door.get(&[]).await), Some(&*said("")));
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        bearer(&signed(&own, &claims))
    };
    for (token, status) in [
        (bearer("x"), 401),
        (bearer(&signed(&own, &claims())), 403),
        (with("scope", json!("tools")), 403),
        (with("scope", json!("tools tools:write2")), 403),
        (with("scp", json!(["tools tools:write"])), 403),
        (with("scope", json!("tools:write other tools")), 200),
        (with("scp", json!(["tools", "tools:write"])), 200),
        (with("scope", json!(["tools:write", "tools"])), 200),
    ] {
        let response = door.get(&[&token]).await;
        assert_eq!(response.status, status, "{token}");
        let error = match status {
            401 => said(", error=\"invalid_token\""),
            _ => said(", error=\"insufficient_scope\""),
        };
        let expected = (status != 200).then_some(&*error);
        assert_eq!(challenge(&response), expected, "{token}");
    }
    assert_eq!(door.backend.count(), 3);
    let door = Door::closed().await;
    let wrong = format!("jwt: {{{}, requiredScopes: ['a\"b']}}", inline(&[&own]));
    assert!(door.offer(&[&wrong]).contains("cannot have"));
}
