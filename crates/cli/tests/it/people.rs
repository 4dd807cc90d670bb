//! A person's browser, played by curl with its cookies: the authorization server, and the consent
//! application with the flags of the tutorial's image, as processes.

use crate::words::{quietly, said, shell};

pub(crate) const SERVERS: &str = r#"
export DSN=memory STRATEGIES_ACCESS_TOKEN=jwt URLS_SELF_ISSUER=http://127.0.0.1:4444 SERVE_ADMIN_HOST=127.0.0.1
export OAUTH2_DEVICE_AUTHORIZATION_TOKEN_POLLING_INTERVAL=1s URLS_LOGIN=http://127.0.0.1:9020/login URLS_CONSENT=http://127.0.0.1:9020/consent URLS_LOGOUT=http://127.0.0.1:9020/logout
hydra serve all --dev 2> hydra.log & carnet consent -a http://127.0.0.1:4445 -b 127.0.0.1:9020 2> consent.log &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 404 http://127.0.0.1:9020/nothing
id=$(hydra create client --endpoint http://127.0.0.1:4445 --response-type code \
  --grant-type authorization_code,refresh_token,urn:ietf:params:oauth:grant-type:device_code \
  --scope openid,offline --redirect-uri http://127.0.0.1:5555/callback --secret client-secret --format json | jq -r .client_id)
verifier=$(head -c 40 /dev/urandom | base64 -w 0 | tr '+/' '-_' | tr -d '=')
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64 -w 0 | tr '+/' '-_' | tr -d '=')
# browse URL: follows where a browser is sent, with its cookies, until somebody answers or nobody is there.
browse() { curl -s -L --max-redirs 12 -c jar -b jar -o body.txt -w '%{url_effective}\n' "$1"; }
# token FIELDS: asks the token endpoint; the answer is token.json.
token() { curl -s -u "$id:client-secret" "$@" -o token.json -w '%{http_code}\n' http://127.0.0.1:4444/oauth2/token; }
exchange() {
  token -d grant_type=authorization_code -d "code=$code" -d redirect_uri=http://127.0.0.1:5555/callback -d "code_verifier=$verifier"
}
"#;

/// `perform WHAT`: the command of that name, beside which somebody opens a browser; what it prints is
/// tokens.json. `performed`: its exit code, and what of the tokens does not vary.
const PERFORM: &str = r#"
perform() {
  rm -f perform.log
  hydra perform "$@" --endpoint http://127.0.0.1:4444 --client-id "$id" --client-secret client-secret \
    --scope openid,offline --format json > tokens.json 2> perform.log & performing=$!
}
performed() { wait "$performing"; echo "$?"; jq -c '[.token_type, keys]' tokens.json; }
subject() { jq -r .id_token tokens.json | cut -d. -f2 | tr '_-' '/+' | base64 -d 2> /dev/null | jq -r .sub; }
"#;

/// What both commands print in the end.
const TOKENS: &str =
    "0\n[\"bearer\",[\"access_token\",\"expiry\",\"id_token\",\"refresh_token\",\"token_type\"]]";

/// Where the application of the client would begin.
pub(crate) const BEGIN: &str = r#"end=$(browse "http://127.0.0.1:4444/oauth2/auth?response_type=code&client_id=$id&redirect_uri=http%3A%2F%2F127.0.0.1%3A5555%2Fcallback&scope=openid+offline&state=a-state-of-mine&nonce=a-nonce-of-mine&code_challenge=$challenge&code_challenge_method=S256")
code=$(sed -n 's/.*[?&]code=\([^&]*\).*/\1/p' <<< "$end")"#;

#[test]
fn a_browser_logs_in_and_consents_through_the_application_and_leaves_again() {
    let mut shell = shell();
    quietly(&mut shell, SERVERS);
    quietly(&mut shell, BEGIN);
    let end = said(&mut shell, r#"echo "${end%%code=*}"; echo "${end##*&}""#);
    assert_eq!(
        end,
        "http://127.0.0.1:5555/callback?\nstate=a-state-of-mine"
    );
    assert_eq!(said(&mut shell, "exchange"), "200");
    let claims = "jq -r .id_token token.json | cut -d. -f2 | tr '_-' '/+' | base64 -d 2> /dev/null | jq -r '.sub, .nonce'";
    assert_eq!(said(&mut shell, claims), "foo@bar.com\na-nonce-of-mine");
    let userinfo = r#"cp token.json first.json
      curl -s -H "Authorization: Bearer $(jq -r .access_token token.json)" http://127.0.0.1:4444/userinfo | jq -r .sub"#;
    assert_eq!(said(&mut shell, userinfo), "foo@bar.com");

    let refresh = r#"token -d grant_type=refresh_token -d "refresh_token=$(jq -r .refresh_token first.json)""#;
    assert_eq!(said(&mut shell, refresh), "200");
    // A code that comes back ends what it gave.
    let again = "cp token.json second.json; exchange; jq -r .error token.json";
    assert_eq!(said(&mut shell, again), "400\ninvalid_grant");
    let ended = r#"token -d grant_type=refresh_token -d "refresh_token=$(jq -r .refresh_token second.json)""#;
    assert_eq!(said(&mut shell, ended), "400");

    let leave = r#"browse "http://127.0.0.1:4444/oauth2/sessions/logout?id_token_hint=$(jq -r .id_token first.json)""#;
    let left = said(&mut shell, leave);
    assert_eq!(
        left,
        "http://127.0.0.1:4444/oauth2/fallbacks/logout/callback"
    );
}

#[test]
fn the_command_line_gets_tokens_by_a_browser_that_comes_back_to_it() {
    let mut shell = shell();
    quietly(&mut shell, SERVERS);
    quietly(&mut shell, PERFORM);
    let perform =
        "perform authorization-code --port 5555; says perform.log 'Open this in a browser'";
    quietly(&mut shell, perform);
    let end = said(
        &mut shell,
        r#"end=$(browse http://127.0.0.1:5555/); echo "${end%%code=*}""#,
    );
    assert_eq!(end, "http://127.0.0.1:5555/callback?");
    assert_eq!(said(&mut shell, "performed"), TOKENS);
    assert_eq!(said(&mut shell, "subject"), "foo@bar.com");

    // What another page sends the browser with is no answer, and a refusal is told.
    quietly(&mut shell, perform);
    quietly(
        &mut shell,
        "curl -s -o body.txt 'http://127.0.0.1:5555/callback?code=x&state=another'",
    );
    let told = r#"wait "$performing"; echo "$?"; tail -n 1 perform.log; wc -c < tokens.json"#;
    assert_eq!(
        said(&mut shell, told),
        "1\nError: the browser brought the answer to another request: 'state' differs\n0"
    );
    quietly(&mut shell, perform);
    quietly(
        &mut shell,
        "curl -s -o body.txt 'http://127.0.0.1:5555/callback?error=access_denied&error_description=no'",
    );
    assert_eq!(
        said(&mut shell, told),
        "1\nError: no code: access_denied: no\n0"
    );
}

#[test]
fn the_command_line_goes_on_with_the_next_browser_and_asks_where_it_is_told() {
    let mut shell = shell();
    quietly(&mut shell, SERVERS);
    quietly(
        &mut shell,
        r#"perform() {
          rm -f perform.log
          hydra perform authorization-code --port 5555 --no-open --skip "$@" --endpoint http://127.0.0.1:1 \
            --auth-url http://127.0.0.1:4444/oauth2/auth --token-url http://127.0.0.1:4444/oauth2/token \
            --client-id "$id" --client-secret client-secret --format json > tokens.json 2> perform.log & performing=$!
          says perform.log 'Open this in a browser'
        }
        perform --no-shutdown"#,
    );
    for line in ["1", "2"] {
        let came = format!(
            r#"browse http://127.0.0.1:5555/ > end.txt
            timeout 30 sed -n '{line}{{p;q}}' <(tail -n +1 -F tokens.json) | jq -r .token_type"#
        );
        assert_eq!(said(&mut shell, &came), "bearer");
    }
    let refused = r#"curl -s -o body.txt 'http://127.0.0.1:5555/callback?error=access_denied'
      says perform.log 'no code: access_denied'
      browse http://127.0.0.1:5555/ > end.txt
      timeout 30 sed -n '3{p;q}' <(tail -n +1 -F tokens.json) | jq -r .token_type
      kill "$performing"; wait "$performing" || true"#;
    assert_eq!(said(&mut shell, refused), "bearer");

    // By https the browser comes back to a certificate that it does not know.
    let https = r#"perform --https
      curl -s -o body.txt https://127.0.0.1:5555/ || echo stranger
      curl -sk -o body.txt -w '%{redirect_url}' https://127.0.0.1:5555/ | grep -o 'redirect_uri=https[^&]*'
      curl -sk -o body.txt 'https://127.0.0.1:5555/callback?error=access_denied&error_description=no'
      wait "$performing"; echo "$?"; tail -n 1 perform.log"#;
    assert_eq!(
        said(&mut shell, https),
        "stranger\nredirect_uri=https%3A%2F%2F127.0.0.1%3A5555%2Fcallback\n1\n\
         Error: no code: access_denied: no"
    );
}

#[test]
fn the_command_line_gets_tokens_by_a_code_that_somebody_types_elsewhere() {
    let mut shell = shell();
    quietly(&mut shell, SERVERS);
    quietly(&mut shell, PERFORM);
    quietly(
        &mut shell,
        r#"perform device-code; says perform.log 'and check that it shows the code'
        page=$(sed -n 's/^Open \([^ ]*\) and .*/\1/p' perform.log) code=$(sed -n 's/.* the code //p' perform.log)"#,
    );
    // Nobody has made an application for this page: what it would do is done here.
    let give = r#"curl -s -c jar -b jar -o body.txt -w '%{redirect_url}' "$page" > at.txt
      challenge=$(sed 's/.*[?&]device_challenge=\([^&]*\).*/\1/' at.txt)
      accept="http://127.0.0.1:4445/admin/oauth2/auth/requests/device/accept?device_challenge=$challenge"
      onward=$(curl -s -X PUT -d "{\"user_code\": \"$code\"}" "$accept" | jq -r .redirect_to)
      end=$(browse "$onward"); echo "${end%%\?*}""#;
    assert_eq!(
        said(&mut shell, give),
        "http://127.0.0.1:4444/oauth2/fallbacks/device/done"
    );
    assert_eq!(said(&mut shell, "performed"), TOKENS);
    assert_eq!(said(&mut shell, "subject"), "foo@bar.com");
}
