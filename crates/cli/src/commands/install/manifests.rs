//! `install manifests`: what runs carnet in a cluster, as it stands in `deploy/kubernetes`.

use crate::args::{InstallManifests, ManifestPart};
use crate::output::{self, Failure};
use crate::process::Process;

const RBAC: &str = include_str!("../../../../../deploy/kubernetes/rbac.yaml");
const RBAC_NAMESPACED: &str = include_str!("../../../../../deploy/kubernetes/rbac-namespaced.yaml");
const GATEWAY: &str = include_str!("../../../../../deploy/kubernetes/gateway.yaml");
const AUTHORIZATION_SERVER: &str =
    include_str!("../../../../../deploy/kubernetes/authorization-server.yaml");

/// Prints them as YAML documents, in the order in which they are named.
pub(super) fn run(args: &InstallManifests, process: &Process) -> Result<(), Failure> {
    let parts = match args.parts.as_slice() {
        [] => &[ManifestPart::Rbac, ManifestPart::Gateway],
        parts => parts,
    };
    let texts: Vec<&str> = parts.iter().copied().map(text).collect();
    output::print(process, &texts.join("---\n"));
    Ok(())
}

fn text(part: ManifestPart) -> &'static str {
    match part {
        ManifestPart::Rbac => RBAC,
        ManifestPart::RbacNamespaced => RBAC_NAMESPACED,
        ManifestPart::Gateway => GATEWAY,
        ManifestPart::AuthorizationServer => AUTHORIZATION_SERVER,
    }
}
