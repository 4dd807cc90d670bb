//! The providers from outside: files and manifests in, routing configuration out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod aggregate;
mod cluster;
mod definitions;
mod file;
mod golden;
mod translation;
mod watch;
mod workloads;

use carnet_providers::kubernetes::{Objects, manifests};

/// Everything that a text of manifests holds.
fn objects(text: &str) -> Objects {
    let mut objects = Objects::default();
    for object in &manifests::parse(text, "case.yaml").unwrap().objects {
        objects.insert(object).unwrap();
    }
    objects
}
