//! Asks other servers, within bounds: a few seconds, a few kilobytes, no redirects, no proxies, and
//! never a link-local address, where clouds keep credentials.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::OnceLock,
    time::Duration,
};

use reqwest::{
    Certificate, Client, RequestBuilder, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::HeaderMap,
    redirect,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

/// Longer answers are not read to their end.
const LIMIT: usize = 64 * 1024;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The address is none of http or https.
    #[error("the address is no http or https URL")]
    Url,
    /// The address is link-local.
    #[error("the address is link-local")]
    LinkLocal,
    /// The answer is not 200.
    #[error("the answer was {0}")]
    Status(StatusCode),
    /// The answer is too long.
    #[error("the answer is longer than {LIMIT} bytes")]
    TooLong,
    /// There is no answer.
    #[error("no answer: {0}")]
    Transport(#[from] reqwest::Error),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status; a redirect is not followed.
    pub(crate) status: StatusCode,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// Asks other servers.
#[derive(Debug)]
pub(crate) struct Fetcher {
    /// Made when it is first needed: it reads the system's certificates.
    client: OnceLock<Client>,
    patience: Duration,
    kept_connections: usize,
    /// The authority whose certificates are believed, PEM; those of the system when absent.
    ca: Option<String>,
}

impl Fetcher {
    /// One that waits so long for a whole answer and keeps so many connections to a server.
    pub(crate) fn new(patience: Duration, kept_connections: usize) -> Self {
        Self {
            client: OnceLock::new(),
            patience,
            kept_connections,
            ca: None,
        }
    }

    /// The same, with certificates of one authority (PEM) in the place of those of the system.
    pub(crate) fn trusting(self, ca: Option<String>) -> Self {
        Self { ca, ..self }
    }

    /// The document at an address.
    pub(crate) async fn fetch(&self, address: &str) -> Result<Vec<u8>, FetchError> {
        self.fetch_as(address, None).await
    }

    /// The document at an address that wants to know who asks.
    pub(crate) async fn fetch_as(
        &self,
        address: &str,
        bearer: Option<&SecretString>,
    ) -> Result<Vec<u8>, FetchError> {
        let request = self.client()?.get(address_of(address)?);
        let request = match bearer {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        };
        let answer = read(request).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            other => Err(FetchError::Status(other)),
        }
    }

    /// What is answered to a body that is posted.
    pub(crate) async fn post(
        &self,
        address: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, FetchError> {
        let url = address_of(address)?;
        read(self.client()?.post(url).headers(headers).body(body)).await
    }

    fn client(&self) -> Result<Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(self.patience)
            .pool_max_idle_per_host(self.kept_connections)
            .dns_resolver(Public);
        if let Some(ca) = &self.ca {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(ca.as_bytes())?);
        }
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}

/// The address, unless it is a literal link-local one. Literal addresses are never resolved; the
/// parser knows all spellings of them.
fn address_of(address: &str) -> Result<Url, FetchError> {
    let url = Url::parse(address).map_err(|_| FetchError::Url)?;
    let literal = match url.host().ok_or(FetchError::Url)? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    match literal.is_some_and(is_link_local) {
        true => Err(FetchError::LinkLocal),
        false => Ok(url),
    }
}

async fn read(request: RequestBuilder) -> Result<Answer, FetchError> {
    // The address may hold credentials.
    let nameless = |error: reqwest::Error| FetchError::Transport(error.without_url());
    let mut response = request.send().await.map_err(nameless)?;
    let (status, mut body) = (response.status(), Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(nameless)? {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            return Err(FetchError::TooLong);
        }
    }
    Ok(Answer { status, body })
}

/// Resolves names, but not to link-local addresses. What was checked here is what is connected to,
/// so a name cannot change its address in between.
#[derive(Debug)]
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(allowed(found)?.into_iter()) as Addrs)
        })
    }
}

/// Those of a name's addresses that may be connected to.
fn allowed(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, FetchError> {
    let allowed: Vec<_> = found
        .filter(|address| !is_link_local(address.ip()))
        .collect();
    match allowed.is_empty() {
        true => Err(FetchError::LinkLocal),
        false => Ok(allowed),
    }
}

/// Whether an address is link-local, also as one of version 4 inside one of version 6.
fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || inner(address).is_some_and(|v4| v4.is_link_local())
        }
    }
}

/// The address of version 4 that is meant: mapped (RFC 4291), translated (RFC 6052) or 6to4
/// (RFC 3056).
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let words = address.segments();
    let joined = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match words {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(joined(high, low))
        }
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds AS-08, SS-02.
    #[tokio::test]
    async fn link_local_addresses_are_refused_in_all_their_spellings() {
        let fetcher = Fetcher::new(Duration::from_secs(1), 0);
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "169.254.43518",
            "[fe80::1]",
            "[febf::1]",
            "[::ffff:169.254.169.254]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
        ] {
            let outcome = fetcher.fetch(&format!("http://{host}/latest")).await;
            assert!(
                matches!(outcome, Err(FetchError::LinkLocal)),
                "{host}: {outcome:?}"
            );
        }
        for address in ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "2001:db8::1"] {
            assert!(!is_link_local(address.parse().unwrap()), "{address}");
        }
    }

    // Holds SS-02.
    #[test]
    fn a_name_leads_to_those_of_its_addresses_that_are_not_link_local() {
        let address = |text: &str| SocketAddr::new(text.parse().unwrap(), 80);
        let (good, bad) = (address("192.0.2.1"), address("169.254.169.254"));
        let mapped = address("::ffff:169.254.169.254");
        assert_eq!(allowed([bad, good, mapped].into_iter()).unwrap(), [good]);
        for found in [vec![bad, mapped], vec![]] {
            let outcome = allowed(found.into_iter());
            assert!(matches!(outcome, Err(FetchError::LinkLocal)));
        }
    }
}
