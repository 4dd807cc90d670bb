//! What Traefik has and this gateway does not serve yet: the one list of it. The readers tell of
//! these keys by it, and `docs/reference/not-yet.md` has a row for each, which tests compare. Who
//! serves a key takes it off both.

use crate::diagnostics::Severity;

/// The page that the findings name.
pub const PAGE: &str = "docs/reference/not-yet.md";

/// Keys of one map.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// The heading on the page.
    pub anchor: &'static str,
    /// Where the map is: dotted, `*` for a name that users choose; [`INSTALL_TOP`], [`ROUTES_TOP`].
    pub path: &'static str,
    /// The keys.
    pub keys: &'static [&'static str],
    severity: Severity,
    /// Continues the sentence "`key` is not served yet".
    advice: &'static str,
}

impl Keys {
    const fn warning(
        (anchor, path): (&'static str, &'static str),
        keys: &'static [&'static str],
        advice: &'static str,
    ) -> Self {
        Self {
            anchor,
            path,
            keys,
            severity: Severity::Warning,
            advice,
        }
    }

    /// Of keys without which an object would do what it must not.
    const fn error(
        place: (&'static str, &'static str),
        keys: &'static [&'static str],
        advice: &'static str,
    ) -> Self {
        Self {
            severity: Severity::Error,
            ..Self::warning(place, keys, advice)
        }
    }

    /// Whether an object that has one of these keys is served all the same.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The sentence about one of the keys.
    pub fn sentence(&self, key: &str) -> String {
        let Self { advice, anchor, .. } = self;
        format!("`{key}` is not served yet{advice}; see {PAGE}#{anchor}")
    }

    /// The keys as the page writes them.
    pub fn dotted(&self) -> impl Iterator<Item = String> {
        let path = self.path;
        self.keys.iter().map(move |key| match path {
            INSTALL_TOP | ROUTES_TOP => (*key).to_owned(),
            _ => format!("{path}.{key}"),
        })
    }
}

const INSTALL: &str = "install-configuration";
const ENTRY_POINTS: &str = "entry-points";
const PROVIDERS: &str = "providers";
const ROUTERS: &str = "routers";
const TRANSPORTS: &str = "servers-transports";
const MIDDLEWARES: &str = "middlewares";
const KUBERNETES: &str = "kubernetes-objects";

/// The top of the install configuration.
pub const INSTALL_TOP: &str = "";
/// The top of a file with routes.
pub const ROUTES_TOP: &str = ".";
/// Where the kinds of middlewares are.
pub(crate) const MIDDLEWARE_KINDS: &str = "http.middlewares.*";

/// All of them.
pub const ALL: &[Keys] = &[
    Keys::warning(
        (INSTALL, INSTALL_TOP),
        &[
            "core",
            "experimental",
            "hostResolver",
            "ocsp",
            "spiffe",
            "tcpServersTransport",
        ],
        "; remove it",
    ),
    Keys::warning(
        (INSTALL, "certificatesResolvers.*"),
        &["tailscale"],
        "; use `acme`",
    ),
    Keys::warning(
        (INSTALL, "certificatesResolvers.*.acme"),
        &["dnsChallenge"],
        "; use `tlsChallenge` or `httpChallenge`",
    ),
    Keys::warning(
        (INSTALL, "certificatesResolvers.*.acme"),
        &["preferredChain"],
        "; remove it",
    ),
    Keys::warning(
        (INSTALL, INSTALL_TOP),
        &["global"],
        ": nothing is ever sent anywhere; remove it",
    ),
    Keys::warning(
        (INSTALL, INSTALL_TOP),
        &["hub", "pilot"],
        ": no token is needed; remove it",
    ),
    Keys::warning((INSTALL, "accessLog"), &["otlp"], "; remove it"),
    Keys::warning(
        (INSTALL, "metrics"),
        &["datadog", "influxDB2", "otlp", "statsD"],
        "; `metrics.prometheus` is; remove it",
    ),
    Keys::warning((INSTALL, "api"), &["debug"], "; remove it"),
    Keys::warning(
        (INSTALL, "tracing.otlp.http"),
        &["tls"],
        "; the system's certificates are trusted; remove it",
    ),
    Keys::warning(
        (INSTALL, "tracing.otlp"),
        &["grpc"],
        "; collectors take `http` as well",
    ),
    Keys::warning(
        (INSTALL, "log"),
        &[
            "compress",
            "maxAge",
            "maxBackups",
            "maxSize",
            "noColor",
            "otlp",
        ],
        "; remove it",
    ),
    Keys::warning(
        (ENTRY_POINTS, "entryPoints.*"),
        &["http3", "udp"],
        "; remove it",
    ),
    Keys::warning(
        (ENTRY_POINTS, "entryPoints.*.http2"),
        &["maxEncoderHeaderTableSize"],
        "; remove it",
    ),
    Keys::warning(
        (PROVIDERS, "providers"),
        &[
            "consul",
            "consulCatalog",
            "docker",
            "ecs",
            "etcd",
            "http",
            "nomad",
            "plugin",
            "redis",
            "rest",
            "swarm",
            "zooKeeper",
        ],
        "; use `providers.file`",
    ),
    Keys::warning(
        (PROVIDERS, "providers"),
        &["knative", "kubernetesGateway"],
        "; use `providers.kubernetesCRD`",
    ),
    Keys::warning(
        (PROVIDERS, "providers"),
        &["kubernetesIngressNGINX"],
        "; use `providers.kubernetesIngress`",
    ),
    Keys::warning((PROVIDERS, "providers"), &["precedence"], "; remove it"),
    Keys::warning(
        (PROVIDERS, "providers.kubernetesCRD"),
        &["crossProviderNamespaces"],
        "; remove it",
    ),
    Keys::warning(
        (PROVIDERS, "providers.kubernetesIngress"),
        &[
            "crossProviderNamespaces",
            "defaultRuleSyntax",
            "ingressEndpoint",
        ],
        "; remove it",
    ),
    Keys::warning(
        (PROVIDERS, "providers.file"),
        &["debugLogGeneratedTemplate"],
        "; remove it",
    ),
    Keys::error((ROUTERS, "http.routers.*"), &["parentRefs"], ""),
    Keys::error((TRANSPORTS, "http.serversTransports.*"), &["spiffe"], ""),
    Keys::error(
        (MIDDLEWARES, MIDDLEWARE_KINDS),
        &["distributedRateLimit", "ldap", "opa", "waf"],
        "",
    ),
    Keys::warning(
        (ROUTERS, ROUTES_TOP),
        &["tcp", "udp"],
        "; its listeners stay closed",
    ),
    Keys::error((KUBERNETES, "IngressRoute.spec"), &["parentRefs"], ""),
    // Options that decide which server answers, or who may ask: not to be ignored.
    Keys::error(
        (KUBERNETES, "IngressRoute.spec.routes.services"),
        &["middlewares", "nodePortLB"],
        "",
    ),
];

/// The keys of a map.
pub(crate) fn at(path: &str) -> impl Iterator<Item = &'static Keys> {
    ALL.iter().filter(move |keys| keys.path == path)
}
