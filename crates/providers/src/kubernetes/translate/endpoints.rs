//! The servers of a Service: its endpoints, its cluster address, or its external name.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use carnet_config::routing::service::Server;
use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use url::Url;

use super::Translation;
use super::service::{Fault, service_port};
use crate::kubernetes::crd::{self, ServiceEntry};
use crate::kubernetes::objects::ObjectName;

impl Translation<'_> {
    pub(super) fn servers(
        &self,
        entry: &ServiceEntry,
        name: &ObjectName,
        spec: &ServiceSpec,
        warnings: &mut Vec<Fault>,
    ) -> Result<Vec<Server>, Fault> {
        if spec.type_.as_deref() == Some("ExternalName") {
            return self.external(entry, name, spec, warnings);
        }
        let port = service_port(entry, name, spec)?;
        let scheme = scheme(entry, port.name.as_deref(), port.port)?;
        let is_native = entry.native_lb.unwrap_or(self.options.native_lb_by_default);
        let addresses = if is_native {
            let address = spec
                .cluster_ip
                .as_deref()
                .and_then(|ip| ip.parse::<IpAddr>().ok());
            let number = u16::try_from(port.port).ok();
            let Some(address) = address.zip(number).map(SocketAddr::from) else {
                let message = format!("Service {name} has no cluster address");
                return Err(Fault("nativeLB", message));
            };
            BTreeMap::from([(address, false)])
        } else {
            self.endpoints(name, port)
        };
        if addresses.is_empty() {
            let message = format!("Service {name} has no ready endpoint; it answers 503");
            warnings.push(Fault("name", message));
        }
        let mut servers = Vec::new();
        for (address, fenced) in addresses {
            if self.is_refused(address.ip()) {
                let message = format!(
                    "{address} of Service {name} is this machine's own or its neighbours' \
                     (loopback or link-local) and is not used"
                );
                warnings.push(Fault("name", message));
            } else {
                let server = server(scheme, &address.to_string())?;
                servers.push(Server { fenced, ..server });
            }
        }
        Ok(servers)
    }

    /// Addresses that serve, in order, and whether they are fenced: about to end.
    fn endpoints(&self, name: &ObjectName, port: &ServicePort) -> BTreeMap<SocketAddr, bool> {
        let mut addresses = BTreeMap::new();
        let of = (name.namespace.as_str(), name.name.as_str());
        for slice in self.slices.get(&of).into_iter().flatten() {
            let Some(number) = slice_port(slice, port) else {
                continue;
            };
            for endpoint in slice
                .endpoints
                .iter()
                .filter(|endpoint| is_serving(endpoint))
            {
                // Names (the deprecated type FQDN) could lead anywhere.
                let ips = endpoint.addresses.iter();
                let ips = ips.filter_map(|ip| ip.parse::<IpAddr>().ok());
                let fenced = is_terminating(endpoint);
                let found = ips.map(|ip| (SocketAddr::new(ip, number), fenced));
                addresses.extend(found);
            }
        }
        addresses
    }

    fn external(
        &self,
        entry: &ServiceEntry,
        name: &ObjectName,
        spec: &ServiceSpec,
        warnings: &mut Vec<Fault>,
    ) -> Result<Vec<Server>, Fault> {
        let refuse = |message: String| Err(Fault("name", message));
        if !self.options.allow_external_name_services {
            return refuse(format!(
                "Service {name} is an ExternalName, and allowExternalNameServices is off"
            ));
        }
        let host = spec.external_name.as_deref().unwrap_or_default();
        if host.is_empty() {
            return refuse(format!("Service {name} has an empty externalName"));
        }
        let is_refused = match host.parse() {
            Ok(address) => self.is_refused(address),
            Err(_) => is_local_name(host) && !self.options.allow_loopback_endpoints,
        };
        if is_refused {
            return refuse(format!(
                "Service {name} leads to this machine itself ({host})"
            ));
        }
        let (number, scheme) = match (service_port(entry, name, spec), &entry.port) {
            (Ok(port), _) => (port.port, scheme(entry, port.name.as_deref(), port.port)?),
            (Err(_), Some(crd::ServicePort::Number(number))) => {
                let message = format!("Service {name} does not list port {number}");
                warnings.push(Fault("port", message));
                (*number, scheme(entry, None, *number)?)
            }
            (Err(fault), _) => return Err(fault),
        };
        Ok(vec![server(scheme, &format!("{host}:{number}"))?])
    }

    /// Whether an address is out of bounds for what Kubernetes objects may name.
    fn is_refused(&self, address: IpAddr) -> bool {
        !self.options.allow_loopback_endpoints && is_own(address)
    }
}

/// Loopback, link-local (cloud metadata among them) and unspecified addresses, also as IPv4 written
/// in IPv6.
fn is_own(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_own(v4),
            None => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
        },
    }
}

/// The IPv4 address in an IPv6 one of NAT64 (RFC 6052 section 2.1) or of the deprecated
/// IPv4-compatible form.
fn embedded(address: Ipv6Addr) -> Option<IpAddr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let is_nat64 = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    let is_compatible = [a, b, c, d, e, f] == [0; 6] && high != 0;
    (is_nat64 || is_compatible).then(|| {
        let [one, two] = high.to_be_bytes();
        let [three, four] = low.to_be_bytes();
        IpAddr::from([one, two, three, four])
    })
}

fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

fn is_serving(endpoint: &Endpoint) -> bool {
    let Some(conditions) = &endpoint.conditions else {
        return true;
    };
    // Nothing said means ready.
    conditions.serving.or(conditions.ready).unwrap_or(true)
}

fn is_terminating(endpoint: &Endpoint) -> bool {
    let conditions = endpoint.conditions.as_ref();
    conditions.and_then(|conditions| conditions.terminating) == Some(true)
}

fn slice_port(slice: &EndpointSlice, port: &ServicePort) -> Option<u16> {
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let mut ports = slice.ports.iter().flatten();
    let found = ports.find(|candidate| name(&candidate.name) == name(&port.name))?;
    u16::try_from(found.port?).ok()
}

/// `https` for port 443 and for ports whose name begins so, unless the entry says otherwise.
fn scheme<'a>(entry: &'a ServiceEntry, name: Option<&str>, number: i32) -> Result<&'a str, Fault> {
    match entry.scheme.as_deref() {
        Some(scheme @ ("http" | "https" | "h2c")) => Ok(scheme),
        Some(_) => Err(Fault(
            "scheme",
            "expects `http`, `https` or `h2c`".to_owned(),
        )),
        None if number == 443 || name.is_some_and(|name| name.starts_with("https")) => Ok("https"),
        None => Ok("http"),
    }
}

fn server(scheme: &str, authority: &str) -> Result<Server, Fault> {
    let name = format!("{scheme}://{authority}");
    match Url::parse(&name) {
        Ok(url) => Ok(Server::at(url, name)),
        Err(error) => Err(Fault(
            "name",
            format!("`{authority}` is no address: {error}"),
        )),
    }
}
