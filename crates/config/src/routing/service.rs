//! `http.services.<name>`: the servers behind a router.

use url::Url;

use crate::document::Fields;
use crate::not_yet::{self, SERVICE_KINDS};

/// A service: one kind, checked when read.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// `loadBalancer`.
    LoadBalancer(LoadBalancer),
    /// `weighted`: other services by weight.
    Weighted(Weighted),
}

/// `loadBalancer`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancer {
    /// The servers. Empty: the service answers 503.
    pub servers: Vec<Server>,
    /// Send the client's `Host` to the server. Default true.
    pub pass_host_header: bool,
    /// Name of the servers transport; `None` means the default one.
    pub servers_transport: Option<String>,
}

/// `loadBalancer.servers[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `scheme://host:port`, scheme `http`, `https` or `h2c`; or the path of a Unix socket at which
    /// HTTP/1.1 is spoken, `unix:///run/app.sock`, of which Traefik knows nothing.
    pub url: Url,
    /// Share of requests. Default 1.
    pub weight: u32,
    /// Put the path of `url` in front of the request's path. Default false: it is ignored.
    pub preserve_path: bool,
}

/// `weighted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted {
    /// The services and their shares.
    pub services: Vec<WeightedService>,
}

/// `weighted.services[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedService {
    /// Name of a service.
    pub name: String,
    /// Share of requests. Default 1.
    pub weight: u32,
}

impl Service {
    /// Reads `http.services.<name>`. `None` when it is of no kind that is served; the findings say
    /// why.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let balancer = fields.section("loadBalancer", LoadBalancer::read);
        let weighted = fields.section("weighted", Weighted::read);
        let is_later = not_yet::at(SERVICE_KINDS)
            .flat_map(|keys| keys.keys)
            .any(|kind| fields.has(kind));
        fields.not_yet(SERVICE_KINDS);
        match (balancer, weighted) {
            (Some(balancer), None) => Some(Self::LoadBalancer(balancer)),
            (None, Some(weighted)) => Some(Self::Weighted(weighted)),
            (None, None) if is_later => None,
            (None, None) => {
                fields.error("", "names no kind of service: `loadBalancer` or `weighted`");
                None
            }
            _ => {
                fields.error("", "a service has one kind; make several services");
                None
            }
        }
    }
}

impl LoadBalancer {
    fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("http.services.*.loadBalancer");
        let strategy = fields.text("strategy").unwrap_or_default();
        if !matches!(strategy.as_str(), "" | "wrr" | "RoundRobin") {
            fields.error("strategy", "only the strategy `wrr` is served yet");
        }
        // Responses are flushed as they come, which satisfies every interval.
        fields.map("responseForwarding", |forwarding| {
            forwarding.text("flushInterval")
        });
        let servers = fields.maps("servers", Server::read);
        Self {
            servers: servers.into_iter().flatten().collect(),
            pass_host_header: fields.boolean("passHostHeader").unwrap_or(true),
            servers_transport: fields
                .text("serversTransport")
                .filter(|name| !name.is_empty()),
        }
    }
}

impl Server {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let url = server_url(fields);
        let weight = fields.number("weight").unwrap_or(1);
        let preserve_path = fields.boolean("preservePath").unwrap_or(false);
        if preserve_path && url.as_ref().is_some_and(|url| url.scheme() == "unix") {
            fields.error(
                "preservePath",
                "the path of a `unix` URL is that of its socket",
            );
        }
        Some(Self {
            url: url?,
            weight,
            preserve_path,
        })
    }
}

fn server_url(fields: &mut Fields<'_>) -> Option<Url> {
    let text = fields.required_text("url")?;
    let message = match Url::parse(text.trim()) {
        Err(error) => format!("is no URL: {error}"),
        Ok(url) if url.scheme() == "unix" => match is_socket(&url) {
            true => return Some(url),
            false => "expects the path of a socket, like `unix:///run/app.sock`".to_owned(),
        },
        Ok(url) if !matches!(url.scheme(), "http" | "https" | "h2c") => {
            "the scheme of a server is `http`, `https`, `h2c` or `unix`".to_owned()
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => "names no host".to_owned(),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "holds credentials, which are never sent".to_owned()
        }
        Ok(url) => return Some(url),
    };
    fields.error("url", message);
    None
}

/// A path and nothing else.
fn is_socket(url: &Url) -> bool {
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    let is_path = url.path().starts_with('/') && url.path().len() > 1;
    is_path && !has_host && url.query().is_none() && url.fragment().is_none()
}

impl Weighted {
    fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("http.services.*.weighted");
        let services = fields.maps("services", |service| {
            let weight = service.number("weight").unwrap_or(1);
            let name = service.required_text("name")?;
            Some(WeightedService { name, weight })
        });
        Self {
            services: services.into_iter().flatten().collect(),
        }
    }
}
