//! `providers.kubernetesCRD` and `providers.kubernetesIngress`: which cluster, and what of it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::document::Fields;
use crate::secret::secret;

/// Which cluster, and how its objects are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KubernetesCluster {
    /// `endpoint`: the API server. Without it: the cluster that the process runs in, else what
    /// `KUBECONFIG` names.
    pub endpoint: Option<String>,
    /// `token`: who we are to the API server.
    pub token: Option<BearerToken>,
    /// `certAuthFilePath`: who may vouch for the API server.
    pub cert_auth_file_path: Option<String>,
    /// `namespaces`; empty: all of them.
    pub namespaces: Vec<String>,
    /// `labelSelector`: of the kind's own objects; Services, EndpointSlices and Secrets are taken
    /// whatever their labels.
    pub label_selector: Option<String>,
    /// `ingressClass`.
    pub ingress_class: Option<String>,
    /// `allowExternalNameServices`. Default false.
    pub allow_external_name_services: bool,
    /// `nativeLBByDefault`: the cluster address of a Service instead of its endpoints. Default
    /// false.
    pub native_lb_by_default: bool,
    /// `throttleDuration`: at least this time between two rebuilds. Ours wait half a second while
    /// changes go on, and not at all after quiet.
    pub throttle: Duration,
}

/// `providers.kubernetesCRD`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KubernetesCrd {
    /// The cluster.
    pub cluster: KubernetesCluster,
    /// `allowCrossNamespace`. Default false.
    pub allow_cross_namespace: bool,
}

/// `providers.kubernetesIngress`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KubernetesIngress {
    /// The cluster.
    pub cluster: KubernetesCluster,
    /// `strictPrefixMatching`: a path of type Prefix matches whole segments alone, as Kubernetes has
    /// it. Default false, as in Traefik.
    pub strict_prefix_matching: bool,
    /// IngressClasses are not read (`disableIngressClassLookup`, `disableClusterScopeResources`):
    /// the annotation alone says whose an Ingress is. Default false.
    pub ignores_classes: bool,
}

/// A bearer token. Cannot be printed.
#[derive(Debug, Clone)]
pub struct BearerToken(pub SecretString);

/// Of two configurations of one process, which nobody from outside can time.
impl PartialEq for BearerToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for BearerToken {}

impl KubernetesCluster {
    fn read(fields: &mut Fields<'_>) -> Self {
        let text = |fields: &mut Fields<'_>, key| fields.text(key).filter(|text| !text.is_empty());
        // Without endpoints our services answer 503 either way, and none falls through to a wider
        // route.
        fields.boolean("allowEmptyServices");
        Self {
            endpoint: text(fields, "endpoint"),
            token: secret(fields, "token").map(BearerToken),
            cert_auth_file_path: text(fields, "certAuthFilePath"),
            namespaces: fields.texts("namespaces"),
            label_selector: text(fields, "labelSelector"),
            ingress_class: text(fields, "ingressClass"),
            allow_external_name_services: fields
                .boolean("allowExternalNameServices")
                .unwrap_or(false),
            native_lb_by_default: fields.boolean("nativeLBByDefault").unwrap_or(false),
            throttle: fields.duration("throttleDuration").unwrap_or_default(),
        }
    }
}

impl KubernetesCrd {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("providers.kubernetesCRD");
        // Nothing of a cluster's scope is needed.
        fields.boolean("disableClusterScopeResources");
        Self {
            cluster: KubernetesCluster::read(fields),
            allow_cross_namespace: fields.boolean("allowCrossNamespace").unwrap_or(false),
        }
    }
}

impl KubernetesIngress {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("providers.kubernetesIngress");
        let has_no_lookup = fields.boolean("disableIngressClassLookup");
        let is_narrow = fields.boolean("disableClusterScopeResources");
        Self {
            cluster: KubernetesCluster::read(fields),
            strict_prefix_matching: fields.boolean("strictPrefixMatching").unwrap_or(false),
            ignores_classes: has_no_lookup == Some(true) || is_narrow == Some(true),
        }
    }
}
