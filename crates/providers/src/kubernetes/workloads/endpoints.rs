//! Which containers stand behind a Service, and the EndpointSlices that say so.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Workload;
use crate::kubernetes::SERVICE_NAME_LABEL;
use crate::kubernetes::manifests::Identity;
use crate::kubernetes::objects::ObjectName;

/// A port of a workload's pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerAddress {
    /// The workload.
    pub workload: Identity,
    /// The port that its container listens on.
    pub port: u16,
}

/// A port of a Service and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortTargets {
    /// `port`.
    pub port: u16,
    /// `name`.
    pub name: Option<String>,
    /// The ports of the workloads that the Service selects.
    pub targets: Vec<ContainerAddress>,
}

/// The ports of a Service, with the container ports that its selector and `targetPort` lead to.
pub fn port_targets(
    name: &ObjectName,
    service: &Service,
    workloads: &[Workload],
) -> Vec<PortTargets> {
    let selected: Vec<&Workload> = workloads
        .iter()
        .filter(|workload| selects(name, service, workload))
        .collect();
    let spec = service.spec.iter();
    let ports = spec.flat_map(|spec| spec.ports.iter().flatten());
    ports
        .filter_map(|port| {
            let target = |workload: &&Workload| {
                Some(ContainerAddress {
                    workload: workload.identity.clone(),
                    port: container_port(workload, port)?,
                })
            };
            Some(PortTargets {
                port: u16::try_from(port.port).ok()?,
                name: port.name.clone(),
                targets: selected.iter().filter_map(target).collect(),
            })
        })
        .collect()
}

/// The EndpointSlices of a Service, given where the containers it leads to really listen. A
/// container that listens nowhere has none.
pub fn endpoint_slices(
    name: &ObjectName,
    service: &Service,
    workloads: &[Workload],
    addresses: &BTreeMap<ContainerAddress, SocketAddr>,
) -> BTreeMap<ObjectName, EndpointSlice> {
    let mut slices = BTreeMap::new();
    for port in port_targets(name, service, workloads) {
        for target in &port.targets {
            if let Some(address) = addresses.get(target) {
                let Identity { kind, name: of, .. } = &target.workload;
                let suffix = format!("{}-{of}", kind.to_lowercase());
                slices.extend([endpoint_slice(name, &port, &suffix, *address)]);
            }
        }
    }
    slices
}

/// One EndpointSlice: this port of the Service is served at this address. `suffix` tells it from
/// others of the same port.
pub fn endpoint_slice(
    service: &ObjectName,
    port: &PortTargets,
    suffix: &str,
    address: SocketAddr,
) -> (ObjectName, EndpointSlice) {
    let name = format!("{}-{}-{suffix}", service.name, port.port);
    let labels = BTreeMap::from([(SERVICE_NAME_LABEL.to_owned(), service.name.clone())]);
    let slice = EndpointSlice {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(service.namespace.clone()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        address_type: if address.is_ipv4() { "IPv4" } else { "IPv6" }.to_owned(),
        endpoints: vec![Endpoint {
            addresses: vec![address.ip().to_string()],
            conditions: Some(EndpointConditions {
                ready: Some(true),
                ..EndpointConditions::default()
            }),
            ..Endpoint::default()
        }],
        ports: Some(vec![EndpointPort {
            name: port.name.clone(),
            port: Some(i32::from(address.port())),
            ..EndpointPort::default()
        }]),
    };
    (ObjectName::new(&service.namespace, name), slice)
}

/// A Service without a selector selects nothing.
fn selects(name: &ObjectName, service: &Service, workload: &Workload) -> bool {
    let spec = service.spec.as_ref();
    let Some(selector) = spec.and_then(|spec| spec.selector.as_ref()) else {
        return false;
    };
    workload.identity.namespace == name.namespace
        && !selector.is_empty()
        && selector
            .iter()
            .all(|(key, value)| workload.labels.get(key) == Some(value))
}

fn container_port(workload: &Workload, port: &ServicePort) -> Option<u16> {
    match &port.target_port {
        None => u16::try_from(port.port).ok(),
        Some(IntOrString::Int(0)) => u16::try_from(port.port).ok(),
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
        Some(IntOrString::String(name)) => workload
            .containers
            .iter()
            .flat_map(|container| &container.ports)
            .find(|declared| declared.name.as_deref() == Some(name))
            .map(|declared| declared.number),
    }
}
