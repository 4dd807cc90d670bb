use std::collections::BTreeMap;
use std::net::SocketAddr;

use carnet_providers::kubernetes::ObjectName;
use carnet_providers::kubernetes::workloads::{
    ContainerAddress, Workload, endpoint_slices, port_targets, workloads,
};

use crate::objects;

const SERVER: &str = "
apiVersion: v1
kind: Secret
metadata: {name: settings, namespace: idp}
stringData: {DSN: memory, KEY: from-secret}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: idp, namespace: idp}
spec:
  replicas: 2
  selector: {matchLabels: {app: idp}}
  template:
    metadata: {labels: {app: idp, tier: back}}
    spec:
      initContainers:
      - name: migrate
        image: docker.io/oryd/hydra:v2.2.0
        args: [migrate, sql, -e, --yes]
        envFrom: [{secretRef: {name: settings}}]
      containers:
      - name: idp
        image: docker.io/oryd/hydra:v2.2.0
        args: [serve, all, --issuer, $(ISSUER)]
        envFrom: [{secretRef: {name: settings}, prefix: S_}]
        env:
        - {name: HOST, value: idp.idp.svc}
        - {name: ISSUER, value: 'http://$(HOST):4444'}
        - name: KEY
          valueFrom: {secretKeyRef: {name: settings, key: KEY}}
        - name: GOMAXPROCS
          valueFrom: {resourceFieldRef: {resource: limits.cpu}}
        ports:
        - {name: public, containerPort: 4444}
        - {name: admin, containerPort: 4445}
---
apiVersion: v1
kind: Service
metadata: {name: idp, namespace: idp}
spec:
  selector: {app: idp}
  ports:
  - {name: public, port: 80, targetPort: public}
  - {name: admin, port: 4445}
  - {name: gone, port: 5555, targetPort: gone}
";

fn only(text: &str) -> Workload {
    workloads(&objects(text)).remove(0)
}

#[test]
fn a_container_gets_its_arguments_and_environment_resolved() {
    let workload = only(SERVER);
    assert_eq!(workload.identity.to_string(), "Deployment idp/idp");
    assert_eq!((workload.replicas, workload.diagnostics.len()), (2, 0));
    assert_eq!(workload.init_containers[0].env["DSN"], "memory");
    let container = &workload.containers[0];
    assert_eq!(container.image, "oryd/hydra");
    assert_eq!(
        container.args,
        ["serve", "all", "--issuer", "http://idp.idp.svc:4444"]
    );
    let env: Vec<(&str, &str)> = container
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        env,
        [
            ("HOST", "idp.idp.svc"),
            ("ISSUER", "http://idp.idp.svc:4444"),
            ("KEY", "from-secret"),
            ("S_DSN", "memory"),
            ("S_KEY", "from-secret"),
        ]
    );
}

#[test]
fn a_missing_secret_keeps_the_container_from_starting_and_says_which() {
    let (_, deployment) = SERVER.split_once("---").unwrap();
    let said: Vec<String> = only(deployment)
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "error: Deployment idp/idp: container migrate: Secret idp/settings is not there; \
             it starts once it is",
            "error: Deployment idp/idp: container idp: Secret idp/settings is not there; \
             it starts once it is",
            "error: Deployment idp/idp: container idp: key `KEY` of Secret idp/settings is not \
             there; it starts once it is",
        ]
    );
}

#[test]
fn only_the_pod_template_decides_whether_a_pod_is_restarted() {
    let before = only(SERVER).template_fingerprint;
    let same = SERVER
        .replace("replicas: 2", "replicas: 1 # A comment.")
        .replace("from-secret", "rotated");
    assert_eq!(only(&same).template_fingerprint, before);
    let other = SERVER.replace("tier: back", "tier: front");
    assert_ne!(only(&other).template_fingerprint, before);
}

// Holds SE-05.
#[test]
fn debug_shows_no_environment() {
    assert!(!format!("{:?}", only(SERVER)).contains("from-secret"));
}

#[test]
fn a_service_leads_to_container_ports_by_number_and_by_name() {
    let objects = objects(SERVER);
    let name = ObjectName::new("idp", "idp");
    let service = &objects.services[&name];
    let workloads = workloads(&objects);
    let ports = port_targets(&name, service, &workloads);
    let targets: Vec<(u16, Vec<u16>)> = ports
        .iter()
        .map(|port| (port.port, port.targets.iter().map(|t| t.port).collect()))
        .collect();
    assert_eq!(
        targets,
        [(80, vec![4444]), (4445, vec![4445]), (5555, vec![])]
    );

    let listening = ContainerAddress {
        workload: workloads[0].identity.clone(),
        port: 4444,
    };
    let address: SocketAddr = "127.0.0.1:40001".parse().unwrap();
    let slices = endpoint_slices(
        &name,
        service,
        &workloads,
        &BTreeMap::from([(listening, address)]),
    );
    let (slice_name, slice) = slices.first_key_value().unwrap();
    assert_eq!(slices.len(), 1);
    assert_eq!(slice_name.to_string(), "idp/idp-80-deployment-idp");
    let port = &slice.ports.as_ref().unwrap()[0];
    assert_eq!(
        (port.name.as_deref(), port.port),
        (Some("public"), Some(40001))
    );
    assert_eq!(slice.endpoints[0].addresses, ["127.0.0.1"]);
}

#[test]
fn a_service_without_a_selector_or_in_another_namespace_selects_nothing() {
    for text in [
        SERVER.replace("selector: {app: idp}", "selector: {}"),
        SERVER.replace(
            "kind: Service\nmetadata: {name: idp, namespace: idp}",
            "kind: Service\nmetadata: {name: idp, namespace: other}",
        ),
    ] {
        let objects = objects(&text);
        let workloads = workloads(&objects);
        let (name, service) = objects.services.first_key_value().unwrap();
        let ports = port_targets(name, service, &workloads);
        assert!(ports.iter().all(|port| port.targets.is_empty()));
    }
}
