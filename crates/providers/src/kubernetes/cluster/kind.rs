//! The kinds of objects that are watched.

use std::fmt;

use kube::api::ApiResource;

/// A kind, and how much of it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// API group; empty for the core group.
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    /// Which of them.
    pub(super) selection: Selection,
}

/// Which objects of a kind are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    /// Those that the configured label selector takes.
    Configured,
    /// All.
    All,
    /// All, and they are in no namespace.
    OfCluster,
    /// All but those whose labels say that Helm keeps its releases in them.
    NotOfHelm,
}

impl Selection {
    /// The label selector, given the configured one.
    pub(super) fn labels(self, configured: Option<&str>) -> Option<&str> {
        match self {
            Self::Configured => configured,
            Self::All | Self::OfCluster => None,
            Self::NotOfHelm => Some("owner!=helm"),
        }
    }
}

const fn networking(kind: &'static str, plural: &'static str, selection: Selection) -> Kind {
    Kind {
        group: "networking.k8s.io",
        version: "v1",
        kind,
        plural,
        selection,
    }
}

const fn traefik(kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group: "traefik.io",
        version: "v1alpha1",
        kind,
        plural,
        selection: Selection::Configured,
    }
}

const fn core(kind: &'static str, plural: &'static str, selection: Selection) -> Kind {
    Kind {
        group: "",
        version: "v1",
        kind,
        plural,
        selection,
    }
}

/// Secrets, which may be read by their names alone.
pub(super) const SECRETS: Kind = core("Secret", "secrets", Selection::NotOfHelm);

/// EndpointSlices, which change most often.
pub(super) const ENDPOINT_SLICES: Kind = Kind {
    group: "discovery.k8s.io",
    version: "v1",
    kind: "EndpointSlice",
    plural: "endpointslices",
    selection: Selection::All,
};

/// What `providers.kubernetesCRD` watches. Of Traefik's ten kinds the six that are served.
pub(super) const OF_CRD: [Kind; 10] = [
    traefik("IngressRoute", "ingressroutes"),
    traefik("Middleware", "middlewares"),
    traefik("TraefikService", "traefikservices"),
    traefik("TLSOption", "tlsoptions"),
    traefik("TLSStore", "tlsstores"),
    traefik("ServersTransport", "serverstransports"),
    core("Service", "services", Selection::All),
    SECRETS,
    core("ConfigMap", "configmaps", Selection::All),
    ENDPOINT_SLICES,
];

/// IngressClasses, which no Role of a namespace can allow.
pub(super) const INGRESS_CLASSES: Kind =
    networking("IngressClass", "ingressclasses", Selection::OfCluster);

/// What `providers.kubernetesIngress` watches besides.
pub(super) const OF_INGRESS: [Kind; 4] = [
    networking("Ingress", "ingresses", Selection::Configured),
    core("Service", "services", Selection::All),
    SECRETS,
    ENDPOINT_SLICES,
];

/// What annotations of Ingresses name, where `providers.kubernetesCRD` serves it.
pub(super) const NAMED_BY_INGRESS: [Kind; 3] = [
    traefik("Middleware", "middlewares"),
    traefik("TLSOption", "tlsoptions"),
    traefik("ServersTransport", "serverstransports"),
];

impl Kind {
    pub(super) fn api_resource(self) -> ApiResource {
        let api_version = match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        };
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version,
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    /// Whether it comes with a definition that somebody must apply.
    pub(super) fn is_custom(self) -> bool {
        self.group == "traefik.io"
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            "" => f.write_str(self.plural),
            group => write!(f, "{}.{group}", self.plural),
        }
    }
}
