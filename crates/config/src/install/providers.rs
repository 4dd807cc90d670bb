//! `providers`: where routes come from.

use std::time::Duration;

use super::{KubernetesCrd, KubernetesIngress};
use crate::document::Fields;

/// `providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Providers {
    /// `file`.
    pub file: Option<FileProvider>,
    /// `kubernetesCRD`.
    pub kubernetes_crd: Option<KubernetesCrd>,
    /// `kubernetesIngress`.
    pub kubernetes_ingress: Option<KubernetesIngress>,
    /// `providersThrottleDuration`. Traefik's default is 2 s; ours publishes once things are quiet
    /// and takes this as the longest wait.
    pub throttle: Duration,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            file: None,
            kubernetes_crd: None,
            kubernetes_ingress: None,
            throttle: Duration::from_secs(2),
        }
    }
}

/// `providers.file`: exactly one of `filename` and `directory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProvider {
    /// What is read.
    pub source: FileSource,
    /// `watch`: edits are live. Default true.
    pub watch: bool,
}

/// What the file provider reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// `filename`.
    File(String),
    /// `directory`, with those below it; files that end in `.yaml`, `.yml` or `.toml`.
    Directory(String),
}

impl Providers {
    /// Whether there is one.
    pub fn is_any(&self) -> bool {
        self.file.is_some() || self.kubernetes_crd.is_some() || self.kubernetes_ingress.is_some()
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("providers");
        let throttle = fields.duration("providersThrottleDuration");
        Self {
            file: fields.map("file", FileProvider::read).flatten(),
            kubernetes_crd: fields.section("kubernetesCRD", KubernetesCrd::read),
            kubernetes_ingress: fields.section("kubernetesIngress", KubernetesIngress::read),
            throttle: throttle.unwrap_or(Self::default().throttle),
        }
    }
}

impl FileProvider {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.not_yet("providers.file");
        let watch = fields.boolean("watch").unwrap_or(true);
        let is_named = |name: &String| !name.is_empty();
        let filename = fields.text("filename").filter(is_named);
        let directory = fields.text("directory").filter(is_named);
        let source = match (filename, directory) {
            (Some(name), None) => FileSource::File(name),
            (None, Some(name)) => FileSource::Directory(name),
            (None, None) => {
                fields.error("", "needs a `directory` or a `filename`");
                return None;
            }
            (Some(_), Some(_)) => {
                fields.error("", "takes a `directory` or a `filename`, not both");
                return None;
            }
        };
        Some(Self { source, watch })
    }
}
