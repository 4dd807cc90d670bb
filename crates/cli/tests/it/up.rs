//! `up` while its files are edited: what it says on either stream.

use crate::words::{quietly, said, shell};

const REPLICAS: &str = "sed -i 's/^spec:/spec:\\n  replicas: 2/' live/whoami.yaml";

#[test]
fn a_sound_start_warns_of_nothing_and_edits_are_told_as_kubectl_tells_them() {
    let mut shell = shell();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo");
    quietly(
        &mut shell,
        &format!("mkdir live; cp {demo}/manifests/whoami.yaml live"),
    );
    quietly(
        &mut shell,
        &format!("cp {demo}/tutorial/1-open.yaml live/a-route.yaml"),
    );
    // The route comes before what it leads to.
    quietly(
        &mut shell,
        "mkfifo lines; carnet up -f live > lines 2> up.log & up=$!; exec 9< lines
         next() { read -r line <&9; echo $line; }",
    );
    for line in [
        "ingressroute.traefik.io/whoami created",
        "namespace/apps created",
        "deployment.apps/whoami created",
        "service/whoami created",
    ] {
        assert_eq!(said(&mut shell, "next"), line);
    }
    let ask = "status http://whoami.docker.localhost:8000";
    assert_eq!(said(&mut shell, ask), "200");
    assert_eq!(
        said(&mut shell, "cat up.log"),
        "apps/whoami 80 -> 127.0.0.1:80"
    );

    quietly(&mut shell, "mv live/a-route.yaml route.yaml");
    assert_eq!(
        said(&mut shell, "next"),
        "ingressroute.traefik.io/whoami deleted"
    );
    assert_eq!(said(&mut shell, ask), "404");
    quietly(
        &mut shell,
        "sed '1i # A comment.' route.yaml > next; mv next live/route.yaml",
    );
    assert_eq!(
        said(&mut shell, "next"),
        "ingressroute.traefik.io/whoami created"
    );
    assert_eq!(said(&mut shell, ask), "200");

    quietly(
        &mut shell,
        "echo 'a: [' > next; mv next live/broken.yaml; says up.log 'live/broken.yaml:1:4: error'",
    );
    assert_eq!(said(&mut shell, ask), "200");
    quietly(
        &mut shell,
        &format!("rm live/broken.yaml; {REPLICAS}; says up.log 'runs once, not 2 times'"),
    );
    assert_eq!(said(&mut shell, "kill $up; wait $up; echo $?"), "0");
}
