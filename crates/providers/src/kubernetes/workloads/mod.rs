//! What manifests ask to be run, for a machine without a cluster: pods' containers with their
//! arguments and environment ([`workloads`]), and which of them stand behind a Service
//! ([`port_targets`], [`endpoint_slices`]). Pure; nothing is started here.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::digest;
use carnet_config::diagnostics::Diagnostic;
use k8s_openapi::api::core::v1::{self, PodSpec};

use super::manifests::Identity;
use super::objects::{Objects, PodOwner};

mod endpoints;
mod environment;

pub use endpoints::{ContainerAddress, PortTargets, endpoint_slice, endpoint_slices, port_targets};

/// The pods of one Deployment or its like.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The object that asks for it.
    pub identity: Identity,
    /// How many pods are wanted.
    pub replicas: i32,
    /// Labels that Services select by.
    pub labels: BTreeMap<String, String>,
    /// Containers that run first, one after the other, and must succeed.
    pub init_containers: Vec<Container>,
    /// Containers that stay.
    pub containers: Vec<Container>,
    /// SHA-256 of the pod template: a running pod stays while it is the same.
    pub template_fingerprint: [u8; 32],
    /// Why it cannot start: Secrets, ConfigMaps or keys of them that are not there.
    pub diagnostics: Vec<Diagnostic>,
}

/// One container.
#[derive(Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name in the pod.
    pub name: String,
    /// The last two components of its image's path, without tag and digest: `traefik/whoami`.
    pub image: String,
    /// `command`; empty: the image's own.
    pub command: Vec<String>,
    /// `args`; empty with an empty `command`: the image's own.
    pub args: Vec<String>,
    /// Environment, resolved. May hold secrets.
    pub env: BTreeMap<String, String>,
    /// Declared ports.
    pub ports: Vec<ContainerPort>,
}

/// A declared port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPort {
    /// `name`.
    pub name: Option<String>,
    /// `containerPort`.
    pub number: u16,
}

/// Arguments and environment may hold secrets: neither is shown.
impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("name", &self.name)
            .field("image", &self.image)
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

/// Everything that wants to run, in the order of its identities.
pub fn workloads(objects: &Objects) -> Vec<Workload> {
    let owners = objects.pod_owners.iter();
    owners
        .map(|(identity, owner)| workload(objects, identity, owner))
        .collect()
}

fn workload(objects: &Objects, identity: &Identity, owner: &PodOwner) -> Workload {
    let metadata = owner.template.metadata.clone().unwrap_or_default();
    let spec = owner.template.spec.clone().unwrap_or_default();
    let PodSpec {
        containers,
        init_containers,
        ..
    } = spec;
    let mut diagnostics = Vec::new();
    let mut read = |containers: Vec<v1::Container>| -> Vec<Container> {
        let containers = containers.iter();
        containers
            .map(|container| read_container(objects, identity, container, &mut diagnostics))
            .collect()
    };
    Workload {
        identity: identity.clone(),
        replicas: owner.replicas,
        labels: metadata.labels.unwrap_or_default(),
        init_containers: read(init_containers.unwrap_or_default()),
        containers: read(containers),
        template_fingerprint: fingerprint(owner),
        diagnostics,
    }
}

fn read_container(
    objects: &Objects,
    identity: &Identity,
    container: &v1::Container,
    diagnostics: &mut Vec<Diagnostic>,
) -> Container {
    let env = environment::resolve(objects, identity, container, diagnostics);
    let expand = |words: &Option<Vec<String>>| -> Vec<String> {
        let words = words.iter().flatten();
        words.map(|word| environment::expand(word, &env)).collect()
    };
    Container {
        name: container.name.clone(),
        image: image(container.image.as_deref().unwrap_or_default()),
        command: expand(&container.command),
        args: expand(&container.args),
        ports: ports(container),
        env,
    }
}

fn ports(container: &v1::Container) -> Vec<ContainerPort> {
    let ports = container.ports.iter().flatten();
    ports
        .filter_map(|port| {
            Some(ContainerPort {
                name: port.name.clone(),
                number: u16::try_from(port.container_port).ok()?,
            })
        })
        .collect()
}

/// `docker.io/traefik/whoami:v1.10@sha256:...` is `traefik/whoami`.
fn image(reference: &str) -> String {
    let path = reference
        .split_once('@')
        .map_or(reference, |(path, _)| path);
    let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
    let last = last.split_once(':').map_or(last, |(name, _)| name);
    match folders.rsplit('/').next() {
        None | Some("") => last.to_owned(),
        Some(folder) => format!("{folder}/{last}"),
    }
}

fn fingerprint(owner: &PodOwner) -> [u8; 32] {
    // A template that was read from JSON can be written as JSON.
    let json = serde_json::to_vec(&owner.template).unwrap_or_default();
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &json).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::image;

    #[test]
    fn images_are_known_by_their_last_two_components() {
        for (reference, expected) in [
            ("traefik/whoami", "traefik/whoami"),
            ("docker.io/oryd/hydra:v2.2.0", "oryd/hydra"),
            (
                "localhost:5000/a/traefik/whoami:1@sha256:00",
                "traefik/whoami",
            ),
            ("whoami:latest", "whoami"),
            ("", ""),
        ] {
            assert_eq!(image(reference), expected);
        }
    }
}
