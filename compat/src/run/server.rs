//! The server that is played against.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};

use super::request;

/// The tutorial's settings, with which the recordings were made.
const SETTINGS: &[(&str, &str)] = &[
    ("DSN", "memory"),
    ("STRATEGIES_ACCESS_TOKEN", "jwt"),
    ("URLS_SELF_ISSUER", "http://hydra.hydra.svc:4444"),
    ("URLS_SELF_ADMIN", "http://hydra.hydra.svc:4445"),
    ("URLS_SELF_PUBLIC", "http://hydra.docker.localhost"),
    ("URLS_LOGIN", "http://consent.docker.localhost/login"),
    ("URLS_CONSENT", "http://consent.docker.localhost/consent"),
    ("URLS_LOGOUT", "http://consent.docker.localhost/logout"),
    (
        "WEBFINGER_OIDC_DISCOVERY_TOKEN_URL",
        "http://hydra.hydra.svc:4444/oauth2/token",
    ),
];

/// Long enough for a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server; one that was started ends when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    /// The public port's URL, without a slash at its end.
    pub public: String,
    /// The admin port's.
    pub admin: String,
    _child: Option<Child>,
}

impl Server {
    /// One that runs already.
    pub(super) fn running(public: &str, admin: &str) -> Result<Self> {
        for address in [public, admin] {
            let url = url::Url::parse(address);
            if !url.is_ok_and(|url| url.scheme() == "http" && url.has_host()) {
                bail!("{address:?} is no http URL: write http://HOST:PORT");
            }
        }
        let trimmed = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self {
            public: trimmed(public),
            admin: trimmed(admin),
            _child: None,
        })
    }

    /// Starts one on free ports of the loopback interface and waits until it is ready.
    pub(super) async fn start(command: &str, env: &BTreeMap<String, String>) -> Result<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().context("the command to serve is empty")?;
        let (public, admin) = (free_port()?, free_port()?);
        let mut child = Command::new(program)
            .args(words)
            .env_clear()
            .envs(SETTINGS.iter().copied())
            .env("SERVE_PUBLIC_HOST", "127.0.0.1")
            .env("SERVE_ADMIN_HOST", "127.0.0.1")
            .env("SERVE_PUBLIC_PORT", public.to_string())
            .env("SERVE_ADMIN_PORT", admin.to_string())
            .envs(env)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let mut server = Self {
            public: format!("http://127.0.0.1:{public}"),
            admin: format!("http://127.0.0.1:{admin}"),
            _child: None,
        };
        let ready = tokio::time::timeout(PATIENCE, async {
            while !request::is_ready(&server).await {
                if let Ok(Some(status)) = child.try_wait() {
                    bail!("{command:?} ended with {status}");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        });
        ready
            .await
            .with_context(|| format!("{command:?} is not ready after {PATIENCE:?}"))??;
        server._child = Some(child);
        Ok(server)
    }
}

/// A port that nobody listened on a moment ago.
fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
