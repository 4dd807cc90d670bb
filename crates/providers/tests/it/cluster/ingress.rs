use carnet_config::install::{KubernetesCrd, KubernetesIngress};
use carnet_providers::kubernetes::cluster::ClusterProvider;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Running, WHOAMI, with_whoami};

const INGRESS: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: whoami
  namespace: apps
  annotations: {traefik.ingress.kubernetes.io/router.middlewares: apps-guard@kubernetescrd}
spec:
  ingressClassName: edge
  rules:
  - host: whoami.docker.localhost
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: whoami, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: edge}
spec: {controller: traefik.io/ingress-controller}";

const ROUTER: &str = "apps-whoami-whoami-docker-localhost";

#[tokio::test(start_paused = true)]
async fn an_ingress_is_served_while_its_class_and_its_middleware_are_there() {
    let server = with_whoami();
    server.apply(INGRESS);
    let (sender, updates) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let (options, crd) = (KubernetesIngress::default(), KubernetesCrd::default());
    let provider = ClusterProvider::ingress(options, Some(&crd), server.client());
    assert_eq!(provider.name(), "kubernetes");
    tokio::spawn(provider.run(sender, stop.clone()));
    let mut running = Running::new(updates, stop);

    let config = running.next().await;
    let router = config.routers[ROUTER].served().unwrap();
    assert_eq!(router.middlewares, ["apps-guard@kubernetescrd"]);
    assert!(config.middlewares.is_empty(), "they are another provider's");

    server.delete("Middleware", "apps", "guard");
    let closed = running.until(|config| config.routers[ROUTER].is_closed());
    assert_eq!(closed.await.routers.len(), 1);

    server.apply(WHOAMI);
    running
        .until(|config| !config.routers[ROUTER].is_closed())
        .await;
    server.delete("IngressClass", "", "edge");
    assert!(
        running
            .until(|config| config.routers.is_empty())
            .await
            .services
            .is_empty()
    );
}
