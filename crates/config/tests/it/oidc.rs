//! What `oidc` becomes, and what is said about it.

use std::time::Duration;

use carnet_config::diagnostics::Severity;
use carnet_config::document::parse_yaml;
use carnet_config::routing::middleware::oidc::{Oidc, Place};
use carnet_config::routing::middleware::read;
use carnet_config::routing::service::SameSite;
use carnet_config::routing::{self, Middleware};
use secrecy::ExposeSecret as _;

const REQUIRED: &str =
    "issuer: https://op.test, clientID: gw, clientSecret: CANARY, redirectUrl: /callback";

fn options(text: &str) -> Oidc {
    let node = parse_yaml(text, "a.yaml").unwrap().remove(0);
    let object = read(&node, "middleware m");
    let Some(Middleware::Oidc(options)) = object.served() else {
        panic!("{:?}", object.diagnostics)
    };
    (**options).clone()
}

/// What is said about a spec: key and message, errors marked.
fn findings(options: &str) -> Vec<String> {
    let text = format!("plugin: {{oidc: {{{options}}}}}");
    let node = parse_yaml(&text, "a.yaml").unwrap().remove(0);
    let findings = read(&node, "middleware m").diagnostics.into_iter();
    let told = findings.map(|finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let key = finding
            .key
            .trim_start_matches("plugin.oidc")
            .trim_start_matches('.');
        format!("{severity} {key}: {}", finding.message)
    });
    told.collect()
}

fn path(text: &str) -> Option<Place> {
    Some(Place::Path(text.to_owned()))
}

#[test]
fn defaults_are_those_of_the_reference() {
    let options = options(&format!("oidc: {{{REQUIRED}}}"));
    assert_eq!(options.issuer.as_str(), "https://op.test/");
    assert_eq!(options.client_id, "gw");
    assert_eq!(options.client_secret.unwrap().expose_secret(), "CANARY");
    assert_eq!(Some(options.redirect_url), path("/callback"));
    assert_eq!(options.login_url, None);
    assert_eq!(options.logout_url, None);
    assert_eq!(options.backchannel_logout_url, None);
    assert_eq!(options.post_login_redirect_url, None);
    assert_eq!(options.post_logout_redirect_url, None);
    assert_eq!(options.scopes, ["openid"]);
    assert!(!options.disable_login);
    assert!(options.auth_params.is_empty());
    assert!(options.discovery_params.is_empty());
    assert!(options.pkce);
    assert_eq!(options.csrf, None);
    assert_eq!(options.bearer, None);
    assert_eq!(options.client_config.timeout, Duration::from_secs(5));
    let session = options.session;
    assert_eq!(session.expiry, Duration::from_secs(86_400));
    assert!(session.sliding && session.refresh);
    assert!(session.secret.is_none() && session.store.is_none());
    assert_eq!(options.state_cookie.max_age, 600);
    for cookie in [session.cookie, options.state_cookie] {
        assert_eq!(cookie.name, None);
        assert_eq!(cookie.path, "/");
        assert_eq!(cookie.domain, None);
        assert_eq!(cookie.same_site, Some(SameSite::Lax));
        assert!(cookie.http_only && !cookie.secure);
    }
}

#[test]
fn options_are_taken_as_written() {
    let options = options(
        "
plugin:
  OIDC:
    issuer: https://op.test/realms/a/
    clientId: gw
    redirectUrl: https://app.test/callback
    loginUrl: /login
    logoutUrl: /logout
    backchannelLogoutUrl: http://inside.test/out
    postLoginRedirectUrl: /home?a=b
    postLogoutRedirectUrl: https://app.test/bye
    disableLogin: true
    scopes: [profile email, offline_access]
    authParams: {prompt: login}
    discoveryParams: {appid: a}
    stateCookie: {name: st, path: /a, domain: app.test, maxAge: 30, sameSite: none, httpOnly: false, secure: true}
    session:
      name: s
      path: /b
      domain: app.test
      expiry: 60
      sliding: false
      refresh: false
      sameSite: none
      httpOnly: false
      secure: true
      secret: a secret of more than thirty-two bytes
      store: {keyPrefix: k, redis: {endpoints: 'redis.test:6379', password: p}}
    csrf: {secure: true, headerName: X-Csrf, cookieName: c}
    claims: Equals(`grp`, `admin`)
    forwardHeaders: {X-User: sub}
    usernameClaim: email
    bearer: token
    clientConfig: {timeoutSeconds: 7, maxRetries: 1}
",
    );
    assert!(options.client_secret.is_none());
    assert_eq!(options.login_url, path("/login"));
    assert_eq!(options.logout_url, path("/logout"));
    assert_eq!(options.post_login_redirect_url, path("/home?a=b"));
    assert!(options.backchannel_logout_url.is_some());
    let Some(Place::Url(bye)) = &options.post_logout_redirect_url else {
        panic!("{:?}", options.post_logout_redirect_url)
    };
    assert_eq!(bye.as_str(), "https://app.test/bye");
    assert_eq!(
        options.scopes,
        ["openid", "profile", "email", "offline_access"]
    );
    assert!(options.disable_login);
    assert_eq!(options.auth_params["prompt"], "login");
    assert_eq!(options.discovery_params["appid"], "a");
    let state = &options.state_cookie;
    assert_eq!((state.name.as_deref(), state.max_age), (Some("st"), 30));
    let session = &options.session;
    assert_eq!(session.cookie.name.as_deref(), Some("s"));
    assert_eq!(session.expiry, Duration::from_secs(60));
    assert!(!session.sliding && !session.refresh);
    for (cookie, place) in [(state, "/a"), (&session.cookie, "/b")] {
        assert_eq!(cookie.path, place);
        assert_eq!(cookie.domain.as_deref(), Some("app.test"));
        assert_eq!(cookie.same_site, Some(SameSite::None));
        assert!(!cookie.http_only && cookie.secure);
    }
    let store = session.store.as_ref().unwrap();
    assert_eq!(store.key_prefix, "k");
    assert!(store.secrets.0.is_empty());
    let csrf = options.csrf.as_ref().unwrap();
    assert_eq!(csrf.header_name, "X-Csrf");
    assert_eq!(csrf.cookie.name.as_deref(), Some("c"));
    assert!(csrf.cookie.secure && !csrf.cookie.http_only);
    assert!(options.claimed.claims.is_some());
    assert!(!options.claimed.forward_authorization);
    assert_eq!(options.client_config.max_retries, 1);
    assert_eq!(options.bearer.as_deref(), Some("token"));
}

/// Options beside the required ones, and what is said about them.
fn check(rows: &[(&str, &[&str])]) {
    for (options, expected) in rows {
        let found = findings(&format!("{REQUIRED}, {options}"));
        assert_eq!(found, *expected, "{options}");
    }
}

#[test]
fn without_what_nobody_can_log_in_or_be_kept_it_is_closed() {
    let unsealed =
        "error session.secret: nothing seals the sessions; set `clientSecret` or `session.secret`";
    let public = "issuer: https://op.test, clientID: gw, redirectUrl: /cb";
    let sealed = "session: {secret: 'a secret of more than thirty-two bytes'}";
    let missing = [
        unsealed,
        "error issuer: `issuer` is missing",
        "error clientID: `clientID` is missing",
        "error redirectUrl: `redirectUrl` is missing",
    ];
    assert_eq!(findings(""), missing);
    assert_eq!(findings(public), [unsealed]);
    assert_eq!(findings(&format!("{public}, {sealed}")), [""; 0]);
    let message = "error pkce: without `clientSecret` only PKCE shows who asked for a code";
    assert_eq!(
        findings(&format!("{public}, {sealed}, pkce: false")),
        [message]
    );
    let message = "error issuer: an issuer has no query and no fragment; `discoveryParams` are for the \
                   first";
    let odd = "issuer: 'https://op.test/?a', clientID: gw, clientSecret: CANARY, redirectUrl: /cb";
    assert_eq!(findings(odd), [message]);
}

#[test]
fn cookies_that_browsers_would_not_keep_or_send_are_told_of() {
    check(&[
        (
            "session: {secret: CANARY}",
            &[
                "error session.secret: is shorter than 32 bytes, so it may be guessed from one cookie; \
               make a longer one",
            ],
        ),
        (
            "session: {sameSite: none}",
            &["warning session.sameSite: browsers drop a cookie with `none` that is not `secure`"],
        ),
        (
            "stateCookie: {sameSite: strict}",
            &[
                "warning stateCookie.sameSite: browsers do not send the cookie when they come back from \
               a provider of another site, so that nobody stays logged in; use `lax`",
            ],
        ),
        (
            "session: {expiry: 0, maxAge: 3}",
            &[
                "error session.expiry: a session lives for at least one second",
                "error session.maxAge: unknown option `maxAge`",
            ],
        ),
        (
            "stateCookie: {maxAge: 0, name: 'a b'}",
            &[
                "error stateCookie.maxAge: people need at least one second to log in",
                "error stateCookie.name: this is no name of a cookie",
            ],
        ),
        (
            "stateCookie: {maxAge: 9223372036854775807}",
            &["error stateCookie.maxAge: the number is too large"],
        ),
        (
            "csrf: {headerName: 'a b'}",
            &["error csrf.headerName: this is no name of a header"],
        ),
        (
            "session: {store: {}}",
            &["error session.store.redis: `redis` is missing: no other store is served"],
        ),
    ]);
}

#[test]
fn places_that_lead_elsewhere_than_they_say_are_refused() {
    let path = "expects a path that begins with one slash and has no backslash or space";
    let (login, logout) = (
        format!("error loginUrl: {path}"),
        format!("error logoutUrl: {path}"),
    );
    check(&[
        (
            "loginUrl: //evil.test, logoutUrl: '/\\evil'",
            &[&login, &logout],
        ),
        (
            "loginUrl: app.test/login, logoutUrl: 'ftp://app.test/logout'",
            &[
                "warning loginUrl: names no scheme and is read as `https://app.test/login`",
                "error logoutUrl: expects a path like `/callback`, or a URL of `http` or `https`",
            ],
        ),
        (
            "loginUrl: /callback, logoutUrl: /bye, postLogoutRedirectUrl: /bye",
            &[
                "error loginUrl: is the same as `redirectUrl`, which answers first",
                "error postLogoutRedirectUrl: is the same as `logoutUrl`, so that people would be \
                 logged out for ever",
            ],
        ),
    ]);
}

#[test]
fn who_logged_out_is_heard_where_sessions_can_be_ended_and_at_a_place_of_its_own() {
    let store = "session: {store: {redis: {endpoints: 'redis.test:6379'}}}";
    let taken = "error backchannelLogoutUrl: is the place of another option, and only the provider may \
                 ask for it";
    check(&[
        (&format!("backchannelLogoutUrl: /out, {store}"), &[]),
        (
            "backchannelLogoutUrl: /out",
            &[
                "error backchannelLogoutUrl: needs `session.store.redis`: no gateway can end a session \
               that a browser keeps",
            ],
        ),
        (
            &format!("backchannelLogoutUrl: /callback, {store}"),
            &[taken],
        ),
        (
            &format!("backchannelLogoutUrl: /out, logoutUrl: /out, {store}"),
            &[taken],
        ),
        (
            &format!("backchannelLogoutUrl: //out, {store}"),
            &[
                "error backchannelLogoutUrl: expects a path that begins with one slash and has no \
               backslash or space",
            ],
        ),
    ]);
}

#[test]
fn what_is_not_an_option_is_told_of_with_the_nearest_word() {
    check(&[
        (
            "redirectURI: /cb",
            &["error redirectURI: unknown option `redirectURI`; did you mean `redirectUrl`?"],
        ),
        (
            "authParams: {state: a, prompt: login}",
            &["error authParams.state: the gateway says itself what this parameter is"],
        ),
    ]);
}

#[test]
fn the_options_of_the_cluster_that_carnet_replaces_are_served_as_they_are() {
    let found = findings(
        "issuer: 'http://hydra.hydra.svc:4444', clientID: a, clientSecret: CANARY, loginUrl: /login, \
         logoutUrl: /logout, redirectUrl: /callback, csrf: {}, session: {name: oidc-session}",
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn no_secret_is_shown_and_another_secret_is_another_middleware() {
    let text = |secret: &str, sealing: &str| {
        format!(
            "oidc: {{issuer: https://op.test, clientID: gw, clientSecret: {secret}, redirectUrl: \
             https://app.test/cb, session: {{secret: '{sealing} of more than thirty-two bytes'}}}}"
        )
    };
    let one = options(&text("CANARY", "CANARY"));
    assert!(!format!("{one:?}").contains("CANARY"));
    let shown = serde_json::to_string(&one).unwrap();
    assert!(!shown.contains("CANARY"), "{shown}");
    assert!(
        shown.contains(r#""redirectUrl":"https://app.test/cb""#),
        "{shown}"
    );
    assert_eq!(one, options(&text("CANARY", "CANARY")));
    assert_ne!(one, options(&text("other", "CANARY")));
    assert_ne!(one, options(&text("CANARY", "other")));
}

#[test]
fn the_examples_of_the_page_are_read_without_a_finding() {
    let page = include_str!("../../../../docs/reference/oidc.md");
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).collect();
    let blocks: Vec<&str> = blocks
        .iter()
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let [file, object] = blocks[..] else {
        panic!("{} blocks", blocks.len())
    };
    // The file provider puts what a file holds in the place of its name.
    let file = file.replace("urn:file:/run/secrets/gateway", "CANARY");
    let config = routing::read(&parse_yaml(&file, "page").unwrap().remove(0)).unwrap();
    assert!(config.diagnostics.is_empty(), "{:?}", config.diagnostics);
    assert_eq!((config.routers.len(), config.middlewares.len()), (1, 2));
    for (name, router) in &config.routers {
        assert!(
            router.diagnostics.is_empty(),
            "{name}: {:?}",
            router.diagnostics
        );
    }
    for (name, middleware) in &config.middlewares {
        assert!(
            middleware.diagnostics.is_empty(),
            "{name}: {:?}",
            middleware.diagnostics
        );
    }
    let object = object.replace("urn:k8s:secret:", "");
    let object = parse_yaml(&object, "page").unwrap().remove(0);
    let object = read(object.member("spec").unwrap(), "login");
    assert!(object.diagnostics.is_empty(), "{:?}", object.diagnostics);
}
