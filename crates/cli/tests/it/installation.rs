//! What `install manifests` prints, and the Containerfile: what they ask for is the least that works.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::line;

/// Everything that `install manifests` can print.
async fn objects() -> Vec<Value> {
    let parts = "rbac rbac-namespaced gateway authorization-server";
    let text = line(&format!("carnet install manifests {parts}"))
        .out()
        .await;
    let documents = carnet_config::document::parse_yaml(&text, "manifests").unwrap();
    documents.iter().map(|node| node.to_json()).collect()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|one| one["kind"] == kind).collect()
}

/// `namespace/name` of each.
fn names(objects: &[&Value]) -> BTreeSet<String> {
    let name = |one: &&Value| {
        let text = |key: &str| one["metadata"][key].as_str().unwrap().to_owned();
        format!("{}/{}", text("namespace"), text("name"))
    };
    objects.iter().map(name).collect()
}

fn containers(pod: &Value) -> Vec<&Value> {
    let of = |key: &str| pod[key].as_array().into_iter().flatten();
    of("initContainers").chain(of("containers")).collect()
}

// Holds OP-05.
#[tokio::test]
async fn every_pod_asks_for_the_least() {
    let objects = objects().await;
    let deployments = of_kind(&objects, "Deployment");
    assert_eq!(deployments.len(), 2);
    for deployment in &deployments {
        let pod = &deployment["spec"]["template"]["spec"];
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true);
        assert_eq!(security["runAsUser"], 65532);
        assert_eq!(
            security["seccompProfile"],
            json!({"type": "RuntimeDefault"})
        );
        // Only who watches the cluster has a token for it.
        let watches = deployment["metadata"]["name"] == "carnet-gateway";
        assert_eq!(pod["automountServiceAccountToken"], watches);
        assert!(pod["topologySpreadConstraints"].is_array());
        for container in containers(pod) {
            let least = json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            });
            assert_eq!(container["securityContext"], least);
            assert!(container["resources"]["limits"]["memory"].is_string());
            assert!(container["resources"]["requests"]["cpu"].is_string());
        }
        for container in pod["containers"].as_array().unwrap() {
            let path = |probe: &str| container[probe]["httpGet"]["path"].clone();
            assert_eq!(path("startupProbe"), path("livenessProbe"));
            assert_ne!(path("livenessProbe"), path("readinessProbe"));
        }
    }
    let wanted = names(&deployments);
    for kind in ["PodDisruptionBudget", "NetworkPolicy"] {
        assert_eq!(names(&of_kind(&objects, kind)), wanted, "{kind}");
    }
    for account in of_kind(&objects, "ServiceAccount") {
        let is_gateways = account["metadata"]["name"] == "carnet";
        assert!(is_gateways || account["automountServiceAccountToken"] == false);
    }
}

// Holds K8-05: looking and events, and Secrets of a namespace by their names alone.
#[tokio::test]
async fn roles_allow_looking_and_no_change() {
    let objects = objects().await;
    for kind in ["ClusterRole", "Role"] {
        let roles = of_kind(&objects, kind);
        assert_eq!(roles.len(), 1, "{kind}");
        for rule in roles[0]["rules"].as_array().unwrap() {
            let is_secrets = rule["resources"] == json!(["secrets"]);
            let is_events = rule["resources"] == json!(["events"]);
            let verbs = match (is_secrets, is_events) {
                (true, _) => json!(["get"]),
                (_, true) => json!(["create", "patch"]),
                _ => json!(["get", "list", "watch"]),
            };
            assert_eq!(rule["verbs"], verbs);
            assert_eq!(rule["resourceNames"].is_array(), is_secrets);
        }
    }
}

#[tokio::test]
async fn the_configuration_in_the_manifests_is_valid() {
    let objects = objects().await;
    let map = of_kind(&objects, "ConfigMap")[0];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carnet.yaml");
    fs::write(&path, map["data"]["carnet.yaml"].as_str().unwrap()).unwrap();
    let ended = line("carnet validate")
        .arg(path.to_str().unwrap())
        .run()
        .await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[tokio::test]
async fn without_a_part_the_gateway_and_its_rights_are_printed() {
    let all = line("carnet install manifests").out().await;
    let named = line("carnet install manifests rbac gateway").out().await;
    assert_eq!(all, named);
    assert!(all.contains("kind: ClusterRole\n") && all.contains("kind: Deployment\n"));
}

// Holds OP-04.
#[test]
fn the_image_is_one_program_without_a_shell() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/Containerfile");
    let text = fs::read_to_string(path).unwrap().replace("\\\n", " ");
    let stages: Vec<&str> = text.split("\nFROM ").skip(1).collect();
    let (build, shipped) = stages.split_first().unwrap();
    assert!(build.contains("cargo build --locked --release"));
    let files = shipped[0];
    let words: Vec<&str> = files.split_whitespace().collect();
    // Distroless: no shell, no package manager.
    assert!(
        words[0].starts_with("gcr.io/distroless/cc-"),
        "{}",
        words[0]
    );
    assert!(files.contains("\nUSER 65532:65532\n"));
    let copied: Vec<&str> = files
        .lines()
        .filter(|one| one.starts_with("COPY"))
        .collect();
    assert_eq!(copied, ["COPY --from=build /image/ /"]);
    for stage in shipped {
        let forbidden = ["RUN", "ADD", "SHELL", "ONBUILD"];
        let mut starts = stage.lines().filter_map(|one| one.split(' ').next());
        assert!(!starts.any(|start| forbidden.contains(&start)), "{stage}");
    }
    for stage in &shipped[1..] {
        assert!(stage.starts_with("files AS "), "{stage}");
        assert!(stage.contains("\nENTRYPOINT [\"/usr/bin/"), "{stage}");
        assert!(stage.contains("\nHEALTHCHECK "), "{stage}");
    }
    assert!(
        shipped
            .last()
            .unwrap()
            .contains("HEALTHCHECK CMD [\"/usr/bin/carnet\", \"healthcheck\"")
    );
}
