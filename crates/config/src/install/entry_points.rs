//! `entryPoints.<name>`: an address the gateway listens at, and how it treats what arrives.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::document::Fields;
use crate::routing::middleware::EncodedCharacters;
use crate::routing::router::{Observability, RouterTls};

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// `address`: `[host]:port`. Without `/tcp`, which may follow where it is written.
    pub address: String,
    /// `asDefault`: takes the routers that name no entry point. When none says so, all do but the
    /// one called `traefik`. Default false.
    pub as_default: bool,
    /// `http.middlewares`: run before those of the router.
    pub middlewares: Vec<String>,
    /// `http.maxHeaderBytes`. Default 1 MiB.
    pub max_header_bytes: usize,
    /// `http.sanitizePath`: dot segments and double slashes are removed. Default true.
    pub sanitize_path: bool,
    /// `http.encodedCharacters`. Default: all are allowed.
    pub encoded_characters: EncodedCharacters,
    /// `http.encodeQuerySemicolons`: `;` in a query becomes `%3B` instead of `&`. Default false.
    pub encode_query_semicolons: bool,
    /// `http.aliasHeadersStrategy`: of headers whose names hold anything but letters, digits and
    /// dashes. Default `keep`.
    pub alias_headers: HeadersStrategy,
    /// `http.underscoreHeadersStrategy`: of those with `_` in their names alone. Default `keep`.
    pub underscore_headers: HeadersStrategy,
    /// `http.via`: the name by which `Via` tells servers of the gateway (RFC 9110 section 7.6.3).
    /// Traefik knows nothing of it. Default: there is no `Via`.
    pub via: Option<String>,
    /// `http.tls`: of routers that say nothing about TLS. `None`: those take plain connections.
    pub tls: Option<RouterTls>,
    /// `http.redirections.entryPoint`: plain requests are sent elsewhere.
    pub redirection: Option<Redirection>,
    /// `forwardedHeaders`.
    pub forwarded_headers: ForwardedHeaders,
    /// `observability`: what is seen of the requests of routers that do not say it themselves.
    pub observability: Observability,
    /// `proxyProtocol`: who may say for whom it speaks. `None`: nobody.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// `http2.maxConcurrentStreams`: requests of a connection at once. Default 250.
    pub max_concurrent_streams: u32,
    /// `http2.maxDecoderHeaderTableSize`: bytes that a client's compression of headers may take.
    /// Default 4096.
    pub max_decoder_header_table_size: u32,
    /// `reusePort`: other processes may listen at the address, too, and the system deals connections
    /// out among them. Default false.
    pub reuse_port: bool,
    /// `allowACMEByPass`: questions of authorities for certificates (`/.well-known/acme-challenge/`)
    /// may be answered by routers with a longer rule, or a priority. Default false: they are
    /// answered here.
    pub allow_acme_by_pass: bool,
    /// `transport`.
    pub transport: Transport,
}

/// What happens to headers that CGI programs and their kin take for others: `X_User` and `X.User` for
/// `X-User`. Those that look like one of `X-Forwarded-*` never pass from strangers, and those that look
/// like one that a middleware sets pass from nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeadersStrategy {
    /// They pass.
    #[default]
    Keep,
    /// They are removed before the request is routed.
    Delete,
    /// The request answers 400.
    Reject,
}

/// `http.redirections.entryPoint`: every plain request of an entry point is sent to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirection {
    /// `to`: an entry point's name, or `:port`.
    pub to: String,
    /// `scheme`. Default `https`.
    pub scheme: String,
    /// `permanent`: 301 (308 for methods with a body) instead of 302 (307). Default true.
    pub permanent: bool,
    /// `priority` among the routers of the entry point. Default: before all that users write.
    pub priority: Option<i64>,
}

/// `forwardedHeaders`: whose `X-Forwarded-*` are believed. Nobody's by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardedHeaders {
    /// `insecure`: everybody's. Default false.
    pub insecure: bool,
    /// `trustedIPs`: those of these peers.
    pub trusted_ips: Vec<IpNet>,
    /// `connection`: headers that a client's `Connection` header must not remove.
    pub connection: Vec<String>,
    /// `notAppendXForwardedFor`: the peer is not added to `X-Forwarded-For`. Default false.
    pub not_append_x_forwarded_for: bool,
    /// `addXForwardedSchemeHeaders`: `X-Forwarded-Scheme` and `X-Scheme` say what
    /// `X-Forwarded-Proto` says. Default false.
    pub add_x_forwarded_scheme_headers: bool,
}

/// `proxyProtocol`: balancers in front may write the address of their client before its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// `insecure`: everybody may. Default false.
    pub insecure: bool,
    /// `trustedIPs`: these peers may.
    pub trusted_ips: Vec<IpNet>,
}

/// `transport`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// `respondingTimeouts.readTimeout`: limit of reading a request. Default 60 s; zero means none.
    pub read_timeout: Duration,
    /// `respondingTimeouts.writeTimeout`: limit of writing a response. Default zero: none.
    pub write_timeout: Duration,
    /// `respondingTimeouts.idleTimeout`: limit of a connection between requests. Default 180 s.
    pub idle_timeout: Duration,
    /// `keepAliveMaxRequests`: a connection ends after so many. Default zero: no limit.
    pub keep_alive_max_requests: u64,
    /// `keepAliveMaxTime`: a connection of this age ends with its next answer. Default zero: no
    /// limit.
    pub keep_alive_max_time: Duration,
    /// `lifeCycle.requestAcceptGraceTimeout`: goes on accepting so long after SIGTERM. Default zero.
    pub request_accept_grace_timeout: Duration,
    /// `lifeCycle.graceTimeOut`: requests in flight may take so long after that. Default 10 s.
    pub grace_timeout: Duration,
}

impl EntryPoint {
    /// An entry point at an address, everything else at its default.
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            as_default: false,
            middlewares: Vec::new(),
            max_header_bytes: 1 << 20,
            sanitize_path: true,
            encoded_characters: EncodedCharacters::all(true),
            encode_query_semicolons: false,
            alias_headers: HeadersStrategy::default(),
            underscore_headers: HeadersStrategy::default(),
            via: None,
            tls: None,
            redirection: None,
            forwarded_headers: ForwardedHeaders::default(),
            observability: Observability::default(),
            proxy_protocol: None,
            max_concurrent_streams: 250,
            max_decoder_header_table_size: 4096,
            reuse_port: false,
            allow_acme_by_pass: false,
            transport: Transport::default(),
        }
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            read_timeout: Duration::from_secs(60),
            write_timeout: Duration::ZERO,
            idle_timeout: Duration::from_secs(180),
            keep_alive_max_requests: 0,
            keep_alive_max_time: Duration::ZERO,
            request_accept_grace_timeout: Duration::ZERO,
            grace_timeout: Duration::from_secs(10),
        }
    }
}

impl EntryPoint {
    /// Reads `entryPoints.<name>`. `None`: its listener stays closed; the findings say so.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let address = fields.required_text("address").unwrap_or_default();
        let (address, is_udp) = match address.strip_suffix("/udp") {
            Some(address) => (address, true),
            None => (address.strip_suffix("/tcp").unwrap_or(&address), false),
        };
        if !address.is_empty() && !is_address(address) {
            fields.error("address", "expects `[host]:port`, like `:80`");
        }
        if is_udp {
            fields.warn("address", "udp is not served; the listener stays closed");
        }
        fields.not_yet("entryPoints.*");
        let mut entry_point = Self::at(address);
        entry_point.as_default = fields.boolean("asDefault").unwrap_or(false);
        entry_point.reuse_port = fields.boolean("reusePort").unwrap_or(false);
        entry_point.allow_acme_by_pass = fields.boolean("allowACMEByPass").unwrap_or(false);
        if let Some(observability) = fields.map("observability", Observability::read) {
            entry_point.observability = observability;
        }
        if let Some(transport) = fields.map("transport", Transport::read) {
            entry_point.transport = transport;
        }
        if let Some(headers) = fields.map("forwardedHeaders", ForwardedHeaders::read) {
            entry_point.forwarded_headers = headers;
        }
        entry_point.proxy_protocol = fields.map("proxyProtocol", ProxyProtocol::read);
        fields.map("http2", |http2| entry_point.read_http2(http2));
        fields.map("http", |http| entry_point.read_http(http));
        (!is_udp).then_some(entry_point)
    }

    fn read_http2(&mut self, fields: &mut Fields<'_>) {
        fields.not_yet("entryPoints.*.http2");
        match fields.number("maxConcurrentStreams") {
            Some(0) => fields.error("maxConcurrentStreams", "must be greater than zero"),
            Some(streams) => self.max_concurrent_streams = streams,
            None => {}
        }
        if let Some(bytes) = fields.number("maxDecoderHeaderTableSize") {
            self.max_decoder_header_table_size = bytes;
        }
    }

    fn read_http(&mut self, fields: &mut Fields<'_>) {
        self.tls = fields.map("tls", RouterTls::read);
        let redirection = fields.map("redirections", |redirections| {
            redirections.map("entryPoint", Redirection::read).flatten()
        });
        self.redirection = redirection.flatten();
        let encode = fields.boolean("encodeQuerySemicolons");
        self.encode_query_semicolons = encode.unwrap_or(false);
        self.read_strategies(fields);
        self.via = fields.text("via").filter(|name| !name.is_empty());
        if self.via.as_deref().is_some_and(|name| !is_pseudonym(name)) {
            let message = "expects a name of letters, digits, `-` and `_` that is no machine's";
            fields.error("via", message);
        }
        self.middlewares = fields.texts("middlewares");
        if let Some(bytes) = fields.number("maxHeaderBytes") {
            self.max_header_bytes = bytes;
        }
        if let Some(sanitize) = fields.boolean("sanitizePath") {
            self.sanitize_path = sanitize;
        }
        if let Some(allowed) = fields.map("encodedCharacters", |fields| {
            EncodedCharacters::read(fields, true)
        }) {
            self.encoded_characters = allowed;
        }
    }
}

impl EntryPoint {
    fn read_strategies(&mut self, fields: &mut Fields<'_>) {
        let strategies = [
            ("keep", HeadersStrategy::Keep),
            ("delete", HeadersStrategy::Delete),
            ("reject", HeadersStrategy::Reject),
        ];
        let underscores = fields.word("underscoreHeadersStrategy", &strategies);
        let aliases = fields.word("aliasHeadersStrategy", &strategies);
        if let (Some(underscores), Some(aliases)) = (underscores, aliases)
            && underscores != aliases
        {
            let message = "must be the same as `underscoreHeadersStrategy`; remove that one, which \
                           says less";
            fields.error("aliasHeadersStrategy", message);
        }
        self.underscore_headers = underscores.unwrap_or_default();
        self.alias_headers = aliases.unwrap_or_default();
    }
}

impl Redirection {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let schemes = [("http", "http"), ("https", "https")];
        let scheme = fields.word("scheme", &schemes).unwrap_or("https");
        Some(Self {
            scheme: scheme.to_owned(),
            permanent: fields.boolean("permanent").unwrap_or(true),
            priority: fields.integer("priority"),
            to: fields.required_text("to")?,
        })
    }
}

/// What tells nothing about a machine: no host has such a name that anybody else could use.
fn is_pseudonym(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    name.bytes().all(allowed) && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[host]:port`; a host in brackets is an IPv6 address.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let host_fits = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(inside) => inside.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.contains([':', '/', '[', ']', ' ']),
    };
    host_fits && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

impl ForwardedHeaders {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            insecure: fields.boolean("insecure").unwrap_or(false),
            trusted_ips: trusted_ips(fields),
            connection: fields.texts("connection"),
            not_append_x_forwarded_for: fields.boolean("notAppendXForwardedFor").unwrap_or(false),
            add_x_forwarded_scheme_headers: fields
                .boolean("addXForwardedSchemeHeaders")
                .unwrap_or(false),
        }
    }
}

impl ProxyProtocol {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            insecure: fields.boolean("insecure").unwrap_or(false),
            trusted_ips: trusted_ips(fields),
        }
    }

    /// Whether this peer may say for whom it speaks.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.insecure || self.trusted_ips.iter().any(|range| range.contains(&peer))
    }
}

fn trusted_ips(fields: &mut Fields<'_>) -> Vec<IpNet> {
    let mut ranges = Vec::new();
    for (index, text) in fields.texts("trustedIPs").iter().enumerate() {
        let single = text.parse::<IpAddr>().map(IpNet::from);
        match single.or_else(|_| text.parse::<IpNet>()) {
            Ok(range) => ranges.push(range.trunc()),
            Err(_) => {
                let message = format!("item {} is no IP address and no CIDR range", index + 1);
                fields.error("trustedIPs", message);
            }
        }
    }
    ranges
}

impl Transport {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut transport = Self::default();
        if let Some(requests) = fields.number("keepAliveMaxRequests") {
            transport.keep_alive_max_requests = requests;
        }
        set(
            fields,
            "keepAliveMaxTime",
            &mut transport.keep_alive_max_time,
        );
        fields.map("respondingTimeouts", |timeouts| {
            set(timeouts, "readTimeout", &mut transport.read_timeout);
            set(timeouts, "writeTimeout", &mut transport.write_timeout);
            set(timeouts, "idleTimeout", &mut transport.idle_timeout);
        });
        fields.map("lifeCycle", |cycle| {
            let accepting = &mut transport.request_accept_grace_timeout;
            set(cycle, "requestAcceptGraceTimeout", accepting);
            set(cycle, "graceTimeOut", &mut transport.grace_timeout);
        });
        transport
    }
}

fn set(fields: &mut Fields<'_>, key: &'static str, duration: &mut Duration) {
    if let Some(given) = fields.duration(key) {
        *duration = given;
    }
}
