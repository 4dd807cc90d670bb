//! The authorization server on an SQLite file: what was there before a restart is there after it.

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

const ENVIRONMENT: &str = r#"
export DSN="sqlite://$PWD/hydra.sqlite" SECRETS_SYSTEM=a-secret-of-the-system
export SERVE_ADMIN_HOST=127.0.0.1 URLS_SELF_ISSUER=http://127.0.0.1:4444 STRATEGIES_ACCESS_TOKEN=jwt
serve() { hydra serve all --dev 2>> serve.log & server=$!; becomes 200 http://127.0.0.1:4445/health/ready; }
token() { hydra perform client-credentials --endpoint http://127.0.0.1:4444 --client-id "$1" --client-secret "$2" -q; }
is_active() { hydra introspect token --endpoint http://127.0.0.1:4445 -q "$1"; }
verifies() { carnet jose verify --jwks http://127.0.0.1:4444/.well-known/jwks.json --jws - <<< "$1" | cut -d' ' -f1,2; }
clients() { hydra list clients --endpoint http://127.0.0.1:4445 --format json; }
"#;

fn server() -> Terminals {
    let mut shell = shell();
    quietly(&mut shell, ENVIRONMENT);
    shell
}

#[test]
fn clients_keys_and_tokens_outlive_the_process() {
    let mut shell = server();
    quietly(&mut shell, "hydra migrate sql -e --yes > migrate.txt");
    quietly(&mut shell, "serve");
    quietly(
        &mut shell,
        "jwt=$(register jwt-secret); opaque=$(register opaque-secret --access-token-strategy opaque)
         old_jwt=$(token $jwt jwt-secret); old_opaque=$(token $opaque opaque-secret)
         clients > clients-before.json; curl -sS -o keys-before.json 127.0.0.1:4444/.well-known/jwks.json",
    );
    assert_eq!(said(&mut shell, "verifies $old_jwt"), "signature: valid");
    // In order, and then in the middle of whatever it did.
    for end in ["TERM", "KILL"] {
        quietly(
            &mut shell,
            &format!("kill -{end} $server; wait $server 2> /dev/null; serve"),
        );
        quietly(&mut shell, "clients | diff - clients-before.json");
        quietly(
            &mut shell,
            "curl -sS 127.0.0.1:4444/.well-known/jwks.json | diff - keys-before.json",
        );
        assert_eq!(said(&mut shell, "verifies $old_jwt"), "signature: valid");
        assert_eq!(said(&mut shell, "is_active $old_jwt"), "true");
        assert_eq!(said(&mut shell, "is_active $old_opaque"), "true");
        // The key that signs is the one of before, and secrets are still known.
        quietly(&mut shell, "new_jwt=$(token $jwt jwt-secret)");
        assert_eq!(said(&mut shell, "verifies $new_jwt"), "signature: valid");
        quietly(
            &mut shell,
            "kid() { carnet token decode \"$1\" 2> /dev/null | jq -r .header.kid; }; diff <(kid $old_jwt) <(kid $new_jwt)",
        );
    }
    assert_eq!(
        said(&mut shell, "kill -TERM $server; wait $server; echo $?"),
        "0"
    );
    assert_eq!(
        said(
            &mut shell,
            "grep -c -e jwt-secret -e opaque-secret serve.log hydra.sqlite"
        ),
        "serve.log:0\nhydra.sqlite:0"
    );
}

#[test]
fn a_file_that_was_not_migrated_is_refused_with_the_command_that_migrates_it() {
    let mut shell = server();
    for (command, wrong) in [
        ("unset SERVE_ADMIN_HOST", "there is no database"),
        ("touch hydra.sqlite", "lacks"),
    ] {
        quietly(&mut shell, command);
        let printed = said(
            &mut shell,
            "hydra serve all --dev > out.txt; echo $?; cat out.txt",
        );
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!((lines.len(), lines.last()), (2, Some(&"1")), "{printed}");
        assert!(
            lines[0].contains("migrate sql") && lines[0].contains(wrong),
            "{printed}"
        );
    }
}

// Holds F19.
#[test]
fn a_log_that_nobody_takes_stops_nothing() {
    let mut shell = server();
    quietly(&mut shell, "hydra migrate sql -e --yes > migrate.txt");
    quietly(
        &mut shell,
        "LOG_LEVEL=trace hydra serve all --dev 2> /dev/full & server=$!; becomes 200 127.0.0.1:4445/health/ready",
    );
    quietly(
        &mut shell,
        "client=$(register jwt-secret); token=$(token $client jwt-secret)",
    );
    assert_eq!(said(&mut shell, "is_active $token"), "true");
    assert_eq!(
        said(&mut shell, "kill -TERM $server; wait $server; echo $?"),
        "0"
    );
}
