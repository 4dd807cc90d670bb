//! `loadBalancer`: servers, and how one of them is chosen.

use url::Url;

use super::{Cookie, HealthCheck, PassiveHealthCheck};
use crate::document::Fields;
use crate::outbound::no_url;

/// `loadBalancer`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancer {
    /// The servers. Empty: the service answers 503.
    pub servers: Vec<Server>,
    /// How a server is chosen. Default `wrr`.
    pub strategy: Strategy,
    /// A client comes back to the server that answered it first. Default: it does not.
    pub sticky: Option<Cookie>,
    /// Servers are asked how they are. Default: they are not.
    pub health_check: Option<HealthCheck>,
    /// Servers are judged by their answers. Default: they are not.
    pub passive_health_check: Option<PassiveHealthCheck>,
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
    /// The URL as it was written: what sticky cookies and hashes are made from.
    pub name: String,
    /// Share of requests. Default 1. With zero it gets none.
    pub weight: u32,
    /// Put the path of `url` in front of the request's path. Default false: it is ignored.
    pub preserve_path: bool,
    /// Only clients that were there before come to it: it is about to end. Kubernetes says so,
    /// files cannot.
    pub fenced: bool,
}

/// `loadBalancer.strategy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// `wrr`: by turns, as often as their weights say.
    #[default]
    Wrr,
    /// `p2c`: of two at random, the one with fewer requests in flight.
    P2c,
    /// `hrw`: by the client's address; a server that goes takes only its own clients along.
    Hrw,
    /// `leasttime`: the one that answers soonest, requests in flight counted in.
    LeastTime,
}

/// `RoundRobin` is what Traefik called the only strategy before there were others.
const STRATEGIES: &[(&str, Strategy)] = &[
    ("wrr", Strategy::Wrr),
    ("p2c", Strategy::P2c),
    ("hrw", Strategy::Hrw),
    ("leasttime", Strategy::LeastTime),
    ("RoundRobin", Strategy::Wrr),
];

impl LoadBalancer {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let servers = fields.maps("servers", Server::read);
        Self {
            servers: servers.into_iter().flatten().collect(),
            servers_transport: fields
                .text("serversTransport")
                .filter(|name| !name.is_empty()),
            ..Self::read_balance(fields)
        }
    }

    /// Reads what `loadBalancer` and an entry of `services[]` of a Kubernetes object have in
    /// common: all but the servers and the transport.
    pub fn read_balance(fields: &mut Fields<'_>) -> Self {
        let strategy = fields.word("strategy", STRATEGIES).unwrap_or_default();
        let sticky = Cookie::read(fields);
        if sticky.is_some() && strategy == Strategy::Hrw {
            let message = "has no effect with the strategy `hrw`, which is sticky by itself";
            fields.warn("sticky", message);
        }
        // Responses are flushed as they come, which satisfies every interval.
        fields.map("responseForwarding", |forwarding| {
            forwarding.text("flushInterval")
        });
        Self {
            servers: Vec::new(),
            strategy,
            sticky,
            health_check: HealthCheck::read(fields),
            passive_health_check: PassiveHealthCheck::read(fields),
            pass_host_header: fields.boolean("passHostHeader").unwrap_or(true),
            servers_transport: None,
        }
    }
}

impl Server {
    /// A server of weight 1.
    pub fn at(url: Url, name: impl Into<String>) -> Self {
        Self {
            url,
            name: name.into(),
            weight: 1,
            preserve_path: false,
            fenced: false,
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let url = server_url(fields);
        let weight = fields.number("weight").unwrap_or(1);
        let preserve_path = fields.boolean("preservePath").unwrap_or(false);
        let (url, name) = url?;
        if preserve_path && url.scheme() == "unix" {
            fields.error(
                "preservePath",
                "the path of a `unix` URL is that of its socket",
            );
        }
        Some(Self {
            weight,
            preserve_path,
            ..Self::at(url, name)
        })
    }
}

fn server_url(fields: &mut Fields<'_>) -> Option<(Url, String)> {
    let text = fields.required_text("url")?;
    let text = text.trim();
    let message = match Url::parse(text) {
        Err(error) => no_url(error),
        Ok(url) if url.scheme() == "unix" => match is_socket(&url) {
            true => return Some((url, text.to_owned())),
            false => "expects the path of a socket, like `unix:///run/app.sock`".to_owned(),
        },
        Ok(url) if !matches!(url.scheme(), "http" | "https" | "h2c") => {
            "the scheme of a server is `http`, `https`, `h2c` or `unix`".to_owned()
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => "names no host".to_owned(),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "holds credentials, which are never sent".to_owned()
        }
        Ok(url) => return Some((url, text.to_owned())),
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
