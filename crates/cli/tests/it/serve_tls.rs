//! `serve` over TLS and at a unix socket.

use std::fs;

use carnet_testkit::certificates::{FIRST, SECOND};

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

const ENVIRONMENT: &str = r#"
export DSN=memory SECRETS_SYSTEM=a-secret-of-the-system SERVE_ADMIN_HOST=unix:$PWD/admin.sock SERVE_ADMIN_SOCKET_MODE=0660
export SERVE_ADMIN_TLS_ENABLED=false SERVE_TLS_ENABLED=true
export SERVE_TLS_CERT_PATH=cert.pem SERVE_TLS_KEY_BASE64=$(base64 -w0 first.key)
cp first.pem cert.pem
serve() { hydra serve all 2>> serve.log & server=$!; becomes 200 --cacert first.pem https://localhost:4444/health/ready; }
"#;

/// A shell in whose folder the certificates are.
fn shell_with_certificates() -> Terminals {
    let mut shell = shell();
    for (name, pair) in [("first", FIRST), ("second", SECOND)] {
        let file = |ending| shell.folder().join(format!("{name}.{ending}"));
        fs::write(file("pem"), pair.certificate).unwrap();
        fs::write(file("key"), pair.key).unwrap();
    }
    quietly(&mut shell, ENVIRONMENT);
    shell
}

// Holds OP-08.
#[test]
fn one_port_speaks_tls_and_the_other_is_a_file_that_goes_with_the_process() {
    let mut shell = shell_with_certificates();
    quietly(&mut shell, "serve");
    let issuer = "status --cacert first.pem https://localhost:4444/.well-known/openid-configuration; jq -r .issuer body.txt";
    assert_eq!(said(&mut shell, issuer), "200\nhttps://localhost:4444");
    let plain = "status http://localhost:4444/.well-known/jwks.json";
    assert_eq!(said(&mut shell, plain), "502");
    let admin = "status --unix-socket admin.sock http://a/admin/clients; stat -c %a admin.sock";
    assert_eq!(said(&mut shell, admin), "200\n660");
    let second = "hydra serve admin 2>&1; echo $?";
    let answer = said(&mut shell, second);
    assert!(
        answer.contains("admin.sock: another program listens there already"),
        "{answer}"
    );
    let end = "kill $server; wait $server; echo $?; ls admin.sock 2> /dev/null";
    assert_eq!(said(&mut shell, end), "0");
}

#[test]
fn a_certificate_that_cannot_be_served_is_one_sentence() {
    let mut shell = shell_with_certificates();
    for (command, sentence) in [
        (
            "export SERVE_TLS_CERT_PATH=nothing.pem",
            "serve.public.tls.cert.path: nothing.pem cannot be read",
        ),
        (
            "export SERVE_TLS_CERT_PATH=second.pem",
            "serve.public.tls.cert and key cannot be used together",
        ),
        (
            "export SERVE_TLS_KEY_BASE64=?",
            "serve.public.tls.key.base64: is no base64 of PEM",
        ),
    ] {
        quietly(&mut shell, command);
        let printed = said(&mut shell, "hydra serve public; echo $?");
        assert!(printed.contains(sentence), "{printed}");
        assert!(printed.ends_with("\n1"), "{printed}");
        assert_eq!(printed.lines().count(), 2, "{printed}");
    }
}

#[test]
fn commands_check_the_certificate_of_the_server_unless_told_not_to() {
    let mut shell = shell_with_certificates();
    quietly(
        &mut shell,
        "export ORY_SDK_URL=https://localhost:4445 SERVE_ADMIN_HOST=127.0.0.1 SERVE_ADMIN_TLS_ENABLED=true; serve",
    );
    let list = "hydra list clients --format json";
    let nothing = "{\"items\":[],\"next_page_token\":\"\",\"is_last_page\":true}";
    // Whom to trust may be said as for every other program.
    let trusting = format!("SSL_CERT_FILE=first.pem {list}");
    assert_eq!(said(&mut shell, &trusting), nothing);
    let careless = format!("{list} --skip-tls-verify");
    assert_eq!(said(&mut shell, &careless), nothing);
    for distrust in ["SSL_CERT_FILE=second.pem", ""] {
        let printed = said(
            &mut shell,
            &format!("{distrust} hydra list clients 2>&1; echo $?"),
        );
        assert!(
            printed.contains("cannot ask https://localhost:4445"),
            "{printed}"
        );
        assert!(printed.ends_with("\n1"), "{printed}");
        assert_eq!(printed.lines().count(), 2, "{printed}");
    }
}

// Holds SE-03.
#[test]
fn a_key_that_others_can_read_is_told_of_and_a_closed_one_is_not() {
    for (mode, told) in [("644", "1"), ("600", "0"), ("640", "0")] {
        let mut shell = shell_with_certificates();
        quietly(&mut shell, "unset SERVE_TLS_KEY_BASE64");
        quietly(&mut shell, "export SERVE_TLS_KEY_PATH=first.key");
        quietly(&mut shell, &format!("chmod {mode} first.key; serve"));
        let lines = "grep -c 'can read this key' serve.log | head -1";
        let found = said(&mut shell, lines);
        assert_eq!(found == "0", told == "0", "{mode}: {found}");
    }
}
