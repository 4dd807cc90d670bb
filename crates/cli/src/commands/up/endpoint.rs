//! `--endpoint NS/NAME:PORT=HOST:PORT`: where a Service is that nothing here backs.

use std::net::{SocketAddr, ToSocketAddrs};

use super::network::ServicePort;
use carnet_providers::kubernetes::ObjectName;

/// A port of a Service, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The port of the Service.
    pub(super) service: ServicePort,
    /// Where it leads.
    pub(super) address: SocketAddr,
}

impl Endpoint {
    /// Reads what was typed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "--endpoint {text}: write it as NAMESPACE/SERVICE:PORT=HOST:PORT, such as apps/db:5432=127.0.0.1:5432"
            )
        };
        let (service, target) = text.split_once('=').ok_or_else(wrong)?;
        let (namespace, rest) = service.split_once('/').ok_or_else(wrong)?;
        let (name, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let address = target
            .to_socket_addrs()
            .ok()
            .and_then(|mut addresses| addresses.next())
            .ok_or_else(|| {
                format!("--endpoint {text}: {target} is no address that is known here")
            })?;
        Ok(Self {
            service: ServicePort {
                service: ObjectName::new(namespace, name),
                port,
            },
            address,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_port_of_a_service_and_an_address() {
        let endpoint = Endpoint::parse("apps/db:5432=127.0.0.1:15432").unwrap();
        assert_eq!(endpoint.service.service, ObjectName::new("apps", "db"));
        assert_eq!(endpoint.service.port, 5432);
        assert_eq!(endpoint.address, "127.0.0.1:15432".parse().unwrap());
    }

    #[test]
    fn what_is_none_is_one_sentence_with_an_example() {
        for text in [
            "apps/db:5432",
            "db:5432=127.0.0.1:1",
            "apps/db=127.0.0.1:1",
            "a/b:x=127.0.0.1:1",
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.contains("NAMESPACE/SERVICE:PORT"), "{error}");
        }
    }
}
