//! A person's browser, played by curl with its cookies: the authorization server, and the consent
//! application with the flags of the tutorial's image, as processes.

use crate::words::{quietly, said, shell};

const SERVERS: &str = r#"
export DSN=memory STRATEGIES_ACCESS_TOKEN=jwt URLS_SELF_ISSUER=http://127.0.0.1:4444 SERVE_ADMIN_HOST=127.0.0.1
export URLS_LOGIN=http://127.0.0.1:9020/login URLS_CONSENT=http://127.0.0.1:9020/consent URLS_LOGOUT=http://127.0.0.1:9020/logout
hydra serve all --dev 2> hydra.log & carnet consent -a http://127.0.0.1:4445 -b 127.0.0.1:9020 2> consent.log &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 404 http://127.0.0.1:9020/nothing
id=$(hydra create client --endpoint http://127.0.0.1:4445 --grant-type authorization_code,refresh_token --response-type code \
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

/// Where the application of the client would begin.
const BEGIN: &str = r#"end=$(browse "http://127.0.0.1:4444/oauth2/auth?response_type=code&client_id=$id&redirect_uri=http%3A%2F%2F127.0.0.1%3A5555%2Fcallback&scope=openid+offline&state=a-state-of-mine&nonce=a-nonce-of-mine&code_challenge=$challenge&code_challenge_method=S256")
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
