//! `serve` while its configuration changes.

use std::fs;

use carnet_testkit::certificates::{FIRST, SECOND};

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

const START: &str = r#"
export SECRETS_SYSTEM=a-secret-of-the-system
cat > config.yaml <<END
dsn: memory
serve: {admin: {host: 127.0.0.1}, tls: {enabled: true, cert: {path: cert.pem}, key: {path: key.pem}}}
urls: {self: {issuer: 'https://as.test'}}
log: {level: warn}
ttl: {access_token: 1h}
END
cp first.pem cert.pem; cp first.key key.pem
hydra serve all -c config.yaml 2> serve.log & server=$!
becomes 200 --cacert first.pem https://localhost:4444/health/ready
admin="https://localhost:4445"
curl -sS --cacert first.pem $admin/admin/clients -d '{"client_id":"a","client_secret":"secret-of-a","grant_types":["client_credentials"]}' > client.json
# lifetime CA: how many minutes a new token lives.
lifetime() { curl -sS --cacert $1 https://localhost:4444/oauth2/token -u a:secret-of-a -d grant_type=client_credentials | jq '(.expires_in + 1) / 60 | floor'; }
# change SED: edits the file as an editor would, by replacing it.
change() { sed "$1" config.yaml > new.yaml; mv new.yaml config.yaml; }
"#;

fn server() -> Terminals {
    let mut shell = shell();
    for (name, pair) in [("first", FIRST), ("second", SECOND)] {
        let file = |ending| shell.folder().join(format!("{name}.{ending}"));
        fs::write(file("pem"), pair.certificate).unwrap();
        fs::write(file("key"), pair.key).unwrap();
    }
    quietly(&mut shell, START);
    shell
}

#[test]
fn what_can_change_does_and_what_is_wrong_changes_nothing() {
    let mut shell = server();
    assert_eq!(said(&mut shell, "lifetime first.pem"), "60");
    quietly(&mut shell, "change 's/1h/5m/; s/warn/info/'");
    quietly(
        &mut shell,
        "says serve.log 'the configuration was read again'",
    );
    assert_eq!(said(&mut shell, "lifetime first.pem"), "5");
    quietly(&mut shell, "says serve.log 'completed handling request'");
    for (edit, sentence) in [
        (
            "s/ttl:/tlt:/",
            "the configuration was not changed: config.yaml:5:1: error: tlt: unknown option `tlt`; did you mean `ttl`?",
        ),
        (
            "s/tlt:/ttl:/; s/5m/soon/",
            "error: ttl.access_token: expects a duration",
        ),
        (
            "s/soon/9m/; s!https://as!http://as!",
            "the configuration was not changed: urls.self.issuer: .* is not https",
        ),
        (
            "s!http://as!https://as!; s/admin: {/admin: {{/",
            "config.yaml",
        ),
    ] {
        quietly(&mut shell, &format!("change '{edit}'"));
        quietly(&mut shell, &format!("says serve.log '{sentence}'"));
        assert_eq!(said(&mut shell, "lifetime first.pem"), "5", "{edit}");
    }
    quietly(&mut shell, "change 's/admin: {{/admin: {port: 5445, /'");
    let restart = "says serve.log 'changes of these keys take effect after a restart keys=\"serve.admin.host, port or socket\"'";
    quietly(&mut shell, restart);
    assert_eq!(said(&mut shell, "lifetime first.pem"), "9");
    let admin = "status --cacert first.pem $admin/admin/clients";
    assert_eq!(said(&mut shell, admin), "200");
    let end = "kill $server; wait $server; echo $?; grep -c panicked serve.log";
    assert_eq!(said(&mut shell, end), "0\n0");
}

#[test]
fn a_renewed_certificate_is_served_without_a_restart() {
    let mut shell = server();
    quietly(&mut shell, "cp second.key key.pem");
    quietly(
        &mut shell,
        "says serve.log 'serve.public.tls.cert and key cannot be used together'",
    );
    assert_eq!(said(&mut shell, "lifetime first.pem"), "60");
    quietly(&mut shell, "cp second.pem next.pem; mv next.pem cert.pem");
    let renewed = "becomes 200 --cacert second.pem https://localhost:4444/health/alive";
    quietly(&mut shell, renewed);
    assert_eq!(said(&mut shell, "lifetime second.pem"), "60");
    let admin = "status --cacert second.pem $admin/health/alive";
    assert_eq!(said(&mut shell, admin), "200");
}

// Holds OP-10.
#[test]
fn a_hangup_reads_the_configuration_again() {
    let mut shell = server();
    quietly(&mut shell, "change 's/warn/info/'");
    quietly(
        &mut shell,
        "says serve.log 'the configuration was read again'",
    );
    quietly(&mut shell, "kill -HUP $server");
    let again = "until [ $(grep -c 'read again' serve.log) = 2 ]; do :; done";
    quietly(&mut shell, again);
}

// Holds SE-06, OP-14.
#[test]
fn a_log_of_json_is_json_to_its_last_line_and_holds_no_secret() {
    let mut shell = server();
    quietly(
        &mut shell,
        "kill $server; wait $server; export LOG_FORMAT=json LOG_LEVEL=info LOG_LEAK_SENSITIVE_VALUES=true
         hydra serve all -c config.yaml 2> json.log & server=$!
         becomes 200 --cacert first.pem https://localhost:4444/health/ready
         status --cacert first.pem \"https://localhost:4444/oauth2/token?client_secret=canary\" -u a:canary -H 'Cookie: canary' -H 'X-Api-Key: canary' -d client_assertion=canary > /dev/null
         kill $server; wait $server",
    );
    let lines = "jq -r 'select(.http_request.path == \"/oauth2/token\") | [.level, .msg, .http_request.method, .http_request.scheme, .http_request.query, .http_response.status, .http_request.headers.cookie] | @tsv' json.log";
    assert_eq!(
        said(&mut shell, lines),
        "info\tcompleted handling request\tPOST\thttps\tclient_secret=REDACTED\t400\tREDACTED"
    );
    assert_eq!(said(&mut shell, "grep -c canary json.log"), "0");
}
