//! What changes while the server runs: its configuration files, and those that they name. A file
//! that cannot be served changes nothing.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use carnet_authserver::Authserver;
use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::install::authserver::{AuthserverConfig, Listener, Pem};
use carnet_providers::watch::Changes;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::{assertion_issuers, configuration};
use crate::args::ServeFlags;
use crate::boot;
use crate::boot::log::LogLevel;
use crate::output::Failure;
use crate::process::Process;

/// A server and what it was started with.
pub(super) struct Running {
    pub(super) server: Authserver,
    pub(super) flags: ServeFlags,
    pub(super) started: AuthserverConfig,
    pub(super) level: LogLevel,
}

impl Running {
    /// Reads again after each change and at each SIGHUP, for ever.
    pub(super) async fn follow(self, process: &Process) -> Infallible {
        let hangup = Arc::new(Notify::new());
        let _listening = AbortOnDropHandle::new(boot::notify_on_hangup(Arc::clone(&hangup)));
        let mut files = self.files(&self.started);
        let mut known: Vec<Diagnostic> = Vec::new();
        let mut is_first = true;
        loop {
            // Watched before it is read: whatever changes later is told.
            let mut changes = Changes::of(&files);
            if !is_first || !files.is_empty() {
                match self.reload(process, &mut known, is_first) {
                    Ok(config) => files = self.files(&config),
                    Err(failure) => {
                        tracing::error!("the configuration was not changed: {}", failure.sentence())
                    }
                }
            }
            is_first = false;
            tokio::select! {
                () = changes.settled() => {}
                () = hangup.notified() => {}
            }
        }
    }

    /// The files that a configuration consists of.
    fn files(&self, config: &AuthserverConfig) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.flags.config.iter().map(PathBuf::from).collect();
        for tls in [&config.public.tls, &config.admin.tls]
            .into_iter()
            .flatten()
        {
            for pem in [&tls.certificate, &tls.key] {
                if let Pem::Path(path) = pem {
                    files.push(path.into());
                }
            }
        }
        files.extend(assertion_issuers::files(config));
        files
    }

    /// Reads and applies what is there now.
    fn reload(
        &self,
        process: &Process,
        known: &mut Vec<Diagnostic>,
        is_first: bool,
    ) -> Result<AuthserverConfig, Failure> {
        let (config, findings) = configuration::found(&self.flags.config, self.flags.dev, process)?;
        let is_error = |finding: &&Diagnostic| finding.severity == Severity::Error;
        if let Some(error) = findings.iter().find(is_error) {
            return Err(Failure::verbatim(error.to_string()));
        }
        let mut options = configuration::options(&config)?;
        options
            .check(config.dev)
            .map_err(|error| Failure::new(error.to_string()))?;
        options
            .system_secrets
            .clone_from(&self.started.secrets.system);
        let is_traced = self.started.tracing.is_some();
        options.ports.trace_parent = is_traced.then(boot::Traces::parent);
        self.server
            .reload(options)
            .map_err(|error| Failure::new(error.to_string()))?;
        self.level.set(&config.log.level);
        if !is_first {
            for finding in findings.iter().filter(|finding| !known.contains(finding)) {
                tracing::warn!("{finding}");
            }
            tracing::info!("the configuration was read again");
        }
        let kept = need_restart(&self.started, &config);
        if !kept.is_empty() {
            tracing::warn!(
                keys = kept.join(", "),
                "changes of these keys take effect after a restart"
            );
        }
        *known = findings;
        Ok(config)
    }
}

/// The keys that differ and are read at the start alone.
fn need_restart(started: &AuthserverConfig, now: &AuthserverConfig) -> Vec<&'static str> {
    let dsn = |config: &AuthserverConfig| config.dsn.as_ref().map(exposed);
    let keys = |config: &AuthserverConfig| {
        let rotation = format!("{:?}", config.rotation);
        (config.algorithm.clone(), config.rsa_bits, rotation)
    };
    let traces = |config: &AuthserverConfig| {
        config.tracing.as_ref().map(|told| {
            let header = told.authorization_header.as_ref().map(exposed);
            let names = (
                told.service_name.clone(),
                told.deployment_environment.clone(),
            );
            (
                names,
                told.url.clone(),
                told.sampling_ratio.to_bits(),
                header,
            )
        })
    };
    [
        ("audit.file", started.audit_file != now.audit_file),
        ("dsn", dsn(started) != dsn(now)),
        ("jwks", keys(started) != keys(now)),
        ("log.format", started.log.format != now.log.format),
        (
            "revocations.limit",
            started.revocation_limit != now.revocation_limit,
        ),
        ("secrets.system", started.secrets != now.secrets),
        (
            "serve.admin.host, port or socket",
            place(&started.admin) != place(&now.admin),
        ),
        (
            "serve.public.host, port or socket",
            place(&started.public) != place(&now.public),
        ),
        ("tracing", traces(started) != traces(now)),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}

fn exposed(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

fn place(
    listener: &Listener,
) -> (
    Option<&str>,
    u16,
    &carnet_config::install::authserver::Socket,
) {
    (listener.host.as_deref(), listener.port, &listener.socket)
}
