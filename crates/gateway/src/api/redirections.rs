//! `entryPoints.<name>.http.redirections.entryPoint`: plain requests are sent to another entry
//! point, as Traefik's `redirectScheme` does.

use carnet_config::install::EntryPoint;
use carnet_config::install::entry_points::Redirection;
use futures_util::future::BoxFuture;
use http::header::HOST;

use crate::body::{Request, Response};
use crate::error::Fault;
use crate::middleware::{Endpoint, Exchange};
use crate::{host, respond};

/// Answers with the same target elsewhere.
#[derive(Debug)]
pub(crate) struct Redirections {
    scheme: String,
    /// `None`: the scheme's own.
    port: Option<u16>,
    permanent: bool,
}

impl Redirections {
    /// `entry_points` are all there are: the port is that of the one that `to` names. The error is
    /// one sentence.
    pub(crate) fn new<'a>(
        options: &Redirection,
        mut entry_points: impl Iterator<Item = (&'a String, &'a EntryPoint)>,
    ) -> Result<Self, String> {
        let to = options.to.as_str();
        let port = match to.strip_prefix(':') {
            Some(port) => Some(port),
            None => entry_points
                .find(|(name, _)| *name == to)
                .and_then(|(_, options)| host::split(&options.address).1),
        };
        let port = port
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| format!("`{to}` is no entry point and no `:port`"))?;
        let own = match options.scheme.as_str() {
            "https" => 443,
            _ => 80,
        };
        Ok(Self {
            scheme: options.scheme.clone(),
            port: (port != own).then_some(port),
            permanent: options.permanent,
        })
    }

    fn reply(&self, request: &Request) -> Result<Response, Fault> {
        let host = request.headers().get(HOST).and_then(|h| h.to_str().ok());
        let (host, _) = host::split(host.unwrap_or_default());
        let target = request.uri().path_and_query().map_or("/", |t| t.as_str());
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let location = format!("{}://{host}{port}{target}", self.scheme);
        respond::redirect(request.method(), &location, self.permanent)
    }
}

impl Endpoint for Redirections {
    fn answer<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move { self.reply(&request) })
    }
}
