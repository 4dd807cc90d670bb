//! `validate`: everything that is wrong with configuration files, found by the code that would
//! serve them, before it does.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::document::{self, Node};
use carnet_config::install::certificates_resolvers::Challenge;
use carnet_config::install::{
    self, Acme, EntryPoint, FileProvider, InstallConfig, Metrics, providers::FileSource,
};
use carnet_config::merge::merge;
use carnet_config::routing::{RoutingConfig, ServersTransport};
use carnet_gateway::{CertificatesResolver, Gateway, Options, Storage};
use carnet_providers::file;
use carnet_providers::kubernetes::manifests::{self, ManifestObject};
use carnet_providers::kubernetes::{self, Objects, workloads};
use secrecy::SecretString;

use super::data_plane;
use crate::args::Validate;
use crate::output::{self, Failure};
use crate::process::Process;

/// Where every Service leads while manifests are validated: nobody goes there.
const SOMEWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Keys by which a file is known as install configuration.
const INSTALL: [&str; 6] = [
    "accesslog",
    "api",
    "entrypoints",
    "log",
    "ping",
    "providers",
];

/// Keys by which a file is known as configuration of the authorization server, which has `log` and
/// `tracing` as well.
const AUTHSERVER: [&str; 8] = [
    "dsn",
    "oauth2",
    "secrets",
    "serve",
    "strategies",
    "ttl",
    "urls",
    "webfinger",
];

/// A storage in which nothing is.
#[derive(Debug)]
struct Nothing;

impl Storage for Nothing {
    fn read(&self) -> Result<Option<SecretString>, String> {
        Ok(None)
    }

    fn write(&self, _: &SecretString) -> Result<(), String> {
        Ok(())
    }
}

/// Prints the findings; fails when there is an error among them.
pub(super) fn run(args: &Validate, process: &Process) -> Result<(), Failure> {
    let mut found = Findings::default();
    for name in &args.files {
        found.read(name, process);
    }
    found.compile(process);
    let errors = found
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .count();
    for finding in &found.diagnostics {
        output::say(process, &finding.to_string());
    }
    match errors {
        0 => Ok(()),
        1 => Err(Failure::new("1 error; what has it would not be served")),
        errors => Err(Failure::new(format!(
            "{errors} errors; what has them would not be served"
        ))),
    }
}

/// What the files say, and what is wrong with it.
#[derive(Default)]
struct Findings {
    install: Option<InstallConfig>,
    /// Of the authorization server, in the order in which they stand over each other.
    authserver: Vec<Node>,
    routing: Vec<(String, RoutingConfig)>,
    manifests: Vec<ManifestObject>,
    diagnostics: Vec<Diagnostic>,
}

impl Findings {
    fn read(&mut self, name: &str, process: &Process) {
        if Path::new(name).is_dir() {
            return self.read_routing(FileSource::Directory(name.to_owned()), process);
        }
        let text = match fs::read_to_string(name) {
            Ok(text) => text,
            Err(error) => return self.error(format!("{name} cannot be read: {error}")),
        };
        let is_toml = Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "toml");
        let documents = match is_toml {
            true => document::parse_toml(&text, name).map(|node| vec![node]),
            false => document::parse_yaml(&text, name),
        };
        // A file with templates need not be YAML or TOML before they are run.
        let documents = documents.unwrap_or_default();
        if documents
            .iter()
            .any(|node| node.member("apiVersion").is_some())
        {
            self.read_manifests(&text, name);
        } else if let Some(node) = documents.iter().find(|node| is_authserver(node)) {
            self.authserver.push(node.clone());
        } else if let Some(node) = documents.iter().find(|node| is_install(node)) {
            let (config, findings) = install::read_document(node);
            self.diagnostics.extend(findings);
            self.install = Some(config);
        } else {
            self.read_routing(FileSource::File(name.to_owned()), process);
        }
    }

    fn read_manifests(&mut self, text: &str, name: &str) {
        match manifests::parse(text, name) {
            Ok(read) => {
                self.manifests.extend(read.objects);
                self.diagnostics.extend(read.diagnostics);
            }
            Err(problem) => self.diagnostics.push(problem),
        }
    }

    fn read_routing(&mut self, source: FileSource, process: &Process) {
        let options = FileProvider {
            source,
            watch: false,
        };
        let update = file::FileProvider::new(options, Arc::clone(&process.env)).load();
        self.diagnostics.extend(update.diagnostics);
        self.routing.push((update.provider, update.config));
    }

    /// Compiles everything as the gateway would.
    fn compile(&mut self, process: &Process) {
        if !self.authserver.is_empty() {
            let (_, findings) = install::authserver::read(&self.authserver, &BTreeMap::new(), &[]);
            self.diagnostics.extend(findings);
        }
        let manifests = std::mem::take(&mut self.manifests);
        if !manifests.is_empty() {
            let translated = self.translate(manifests);
            self.routing.extend(translated);
        }
        let config = merge(std::mem::take(&mut self.routing));
        let gateway = Gateway::new(Options {
            entry_points: self.entry_points(&config),
            access_log: None,
            access_log_output: Arc::clone(&process.out),
            ping: None,
            certificates_resolvers: self.certificates_resolvers(&config),
            servers_transport: self.servers_transport(),
            metrics: Metrics::default(),
            api: None,
            tracing: None,
            providers: Vec::new(),
            clock: Arc::clone(&process.clock),
            random: Arc::clone(&process.random),
            resolve: Arc::clone(&process.resolve),
            memory: None,
            hostname: process.hostname.to_string(),
        });
        self.diagnostics.extend(gateway.apply(&config));
    }

    /// That of the install configuration.
    fn servers_transport(&mut self) -> ServersTransport {
        match self.install.as_ref().map(data_plane::servers_transport) {
            None => ServersTransport::default(),
            Some(Ok(transport)) => transport,
            Some(Err(failure)) => {
                self.error(failure.sentence().to_owned());
                ServersTransport::default()
            }
        }
    }

    /// The same of certificate resolvers, which give nothing here.
    fn certificates_resolvers(
        &self,
        config: &RoutingConfig,
    ) -> BTreeMap<String, CertificatesResolver> {
        let nothing = |(name, acme)| {
            let resolver = CertificatesResolver {
                acme,
                authorities: Vec::new(),
                storage: Arc::new(Nothing),
            };
            (name, resolver)
        };
        if let Some(install) = &self.install {
            let resolvers = install.certificates_resolvers.clone();
            return resolvers.into_iter().map(nothing).collect();
        }
        let routers = config
            .routers
            .values()
            .filter_map(|router| router.value.as_ref());
        let named = routers.filter_map(|router| router.tls.as_ref()?.cert_resolver.clone());
        named
            .map(|name| nothing((name, Acme::new(Challenge::Tls))))
            .collect()
    }

    /// Those of the install configuration; without one, whatever names the routers use.
    fn entry_points(&self, config: &RoutingConfig) -> BTreeMap<String, EntryPoint> {
        if let Some(install) = &self.install {
            return install.entry_points.clone();
        }
        let routers = config
            .routers
            .values()
            .filter_map(|router| router.value.as_ref());
        routers
            .flat_map(|router| router.entry_points.iter())
            // For routers that name none.
            .chain([&"web".to_owned()])
            .map(|name| (name.clone(), EntryPoint::at(":0")))
            .collect()
    }

    fn translate(&mut self, manifests: Vec<ManifestObject>) -> Vec<(String, RoutingConfig)> {
        let (manifests, twice) = manifests::latest(manifests);
        self.diagnostics.extend(twice);
        let mut objects = Objects::default();
        for object in &manifests {
            match objects.insert(object) {
                Ok(true) => {}
                Ok(false) => self.diagnostics.extend(kubernetes::unserved(object)),
                Err(problem) => self.diagnostics.push(problem),
            }
        }
        let wanted = workloads::workloads(&objects);
        for (name, service) in objects.services.clone() {
            for port in workloads::port_targets(&name, &service, &wanted) {
                let slice = workloads::endpoint_slice(&name, &port, "somewhere", SOMEWHERE);
                objects.endpoint_slices.extend([slice]);
            }
        }
        let options = kubernetes::Options {
            allow_loopback_endpoints: true,
            ..kubernetes::Options::default()
        };
        kubernetes::translate_all(&objects, &options)
    }

    fn error(&mut self, message: String) {
        self.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            object: String::new(),
            key: String::new(),
            message,
            position: None,
        });
    }
}

fn is_install(node: &Node) -> bool {
    node.members()
        .iter()
        .any(|member| INSTALL.contains(&member.key.to_ascii_lowercase().as_str()))
}

fn is_authserver(node: &Node) -> bool {
    let mut members = node.members().iter();
    members.any(|member| AUTHSERVER.contains(&member.key.as_str()))
}
