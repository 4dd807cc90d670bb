//! The files for a machine without a cluster, as their users have them, when they lie beside the
//! checkout: install configuration and routes as given, save the paths of the machine.

use crate::seed::seed;
use crate::words::{quietly, said, shell};

/// `given FILE`: the file with its folders here. `route FILE`: makes it the only file of routes.
const GIVEN: &str = r#"
given() { sed -e "s|/etc/[a-z-]*/dynamic/*|$PWD/dynamic|" -e "s|/var/log/|$PWD/logs/|" "$1"; }
route() { rm -f dynamic/*; given "$1" > next; mv next "dynamic/$(basename "$1")"; }
export DSN=memory STRATEGIES_ACCESS_TOKEN=jwt URLS_SELF_ISSUER=http://127.0.0.1:4444 SERVE_ADMIN_HOST=127.0.0.1
hydra serve all --dev 2> hydra.log & whoami --port 3000 2> whoami.log &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 200 http://127.0.0.1:3000/health
caller=$(register caller-secret --token-endpoint-auth-method client_secret_post)
export CLIENT_SECRET=gateway-secret CLIENT_ID=$(register gateway-secret)
mkdir dynamic
"#;

#[test]
fn the_files_as_given_are_served() {
    let Some(seed) = seed() else { return };
    let seed = seed.display();
    let mut shell = shell();
    quietly(
        &mut shell,
        &format!("linux={seed}/linux derived={seed}/derived/linux; {GIVEN}"),
    );

    quietly(
        &mut shell,
        "route $linux/whoami.yaml; given $linux/traefik-hub.toml > hub.toml
         carnet gateway --configfile=hub.toml 2> err.log & gateway=$!; becomes 200 http://whoami.localhost",
    );
    for (file, header) in [
        ("whoami-apikey.yaml", "X-Api-Key: a"),
        ("whoami-jwt.yaml", "Authorization: Bearer a.b.c"),
    ] {
        quietly(
            &mut shell,
            "route $linux/whoami.yaml; becomes 200 http://whoami.localhost",
        );
        let guard = format!(
            "route $linux/{file}; until [ $(status http://whoami.localhost) != 200 ]; do :; done"
        );
        quietly(&mut shell, &guard);
        let wrong =
            format!("[ $(status -H '{header}' http://whoami.localhost) != 200 ] && echo closed");
        assert_eq!(said(&mut shell, &wrong), "closed", "{file}");
    }
    quietly(
        &mut shell,
        "route $linux/whoami-apikey.yaml; becomes 401 http://whoami.localhost",
    );
    // Nobody here has the key that the file means.
    quietly(
        &mut shell,
        r#"sed -i 's|{SHA}[^"]*|{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=|' dynamic/whoami-apikey.yaml
         becomes 200 -H "Authorization: Bearer $(printf bar | base64)" http://whoami.localhost"#,
    );
    quietly(&mut shell, "kill $gateway; wait $gateway");
    assert_eq!(said(&mut shell, "ls logs"), "traefik-hub.log");

    for install in ["gateway.toml", "gateway.yaml"] {
        let app = "http://whoami.docker.localhost";
        quietly(
            &mut shell,
            &format!(
                "route $derived/dynamic/step1-whoami.yaml; given $derived/{install} > {install}
                 carnet gateway --configfile={install} > access.log 2> err.log & gateway=$!; becomes 200 {app}"
            ),
        );
        assert_eq!(said(&mut shell, "status http://127.0.0.1:8080/ping"), "200");
        quietly(
            &mut shell,
            &format!("route $derived/dynamic/step2-mode-a.yaml; becomes 401 {app}"),
        );
        assert_eq!(
            said(
                &mut shell,
                &format!("status -u $caller:caller-secret {app}")
            ),
            "200"
        );
        quietly(
            &mut shell,
            &format!("route $derived/dynamic/step3-mode-b.yaml; becomes 200 {app}"),
        );
        assert_eq!(
            said(&mut shell, "grep -c '^Authorization: Bearer ey' body.txt"),
            "1"
        );
        let hardened = format!(
            "route $derived/dynamic/step4-mode-b-hardened.toml; until [ $(status {app}) != 200 ]; do :; done"
        );
        quietly(&mut shell, &hardened);
        quietly(&mut shell, "kill $gateway; wait $gateway");
        let names = "jq -r 'select(.ClientUsername == env.caller).DownstreamStatus' <(grep '^{' access.log)";
        assert_eq!(said(&mut shell, &format!("export caller; {names}")), "200");
    }
}
