//! `http.routers.<name>`: which requests go where, through what.

/// A router. Sources: Traefik `http.routers`, `IngressRoute.spec.routes[]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Router {
    /// Entry points it listens on; empty means the default entry points.
    pub entry_points: Vec<String>,
    /// The rule as written, for logs and `/api`.
    pub rule_text: String,
    /// The rule; `None` when it does not parse (the error is in the diagnostics).
    pub rule: Option<crate::rule::Rule>,
    /// Rank among routers; `None` or 0 means the byte length of the rule. Higher wins.
    pub priority: Option<i64>,
    /// Middlewares, applied in this order.
    pub middlewares: Vec<String>,
    /// The service at the end of the chain.
    pub service: String,
    /// Present when the router takes TLS connections only.
    pub tls: Option<RouterTls>,
    /// Whether requests of this router are written to the access log. Default true.
    pub access_logs: bool,
}

/// `tls` of a router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouterTls {
    /// Name of the TLS options; `None` means `default`.
    pub options: Option<String>,
    /// Name of the certificate resolver.
    pub cert_resolver: Option<String>,
}
