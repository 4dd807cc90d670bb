//! Workloads: clients without a secret, for whom a platform vouches that the administrator named. Its
//! tokens are shown again and again until they end, so what bounds them is their lifetime and whom
//! they are for; where the platform names each token, they can be made to count once.

use std::sync::Arc;

use carnet_jose::{Jwk, JwkSet, jws};
use carnet_oauth::client_assertion::{ClientAssertion, Vouched};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        client_auth::{
            Kind, Seen,
            assertion::{names, use_of},
            client_keys::PATIENCE,
            published::{self, KeysError, PublishedKeys},
        },
    },
    fetch::Fetcher,
    options::{AssertionIssuer, Endpoint, IssuerKeys},
};

/// What the keys of a SPIFFE bundle are for that sign tokens.
const JWT_SVID: &str = "jwt-svid";

/// The platforms that are believed.
#[derive(Debug, Default)]
pub(in crate::domain) struct Platforms(Vec<Platform>);

#[derive(Debug)]
pub(super) struct Platform {
    told: AssertionIssuer,
    keys: Keys,
}

/// Where the keys of a platform are, and what is known of them.
#[derive(Debug)]
enum Keys {
    Given(JwkSet),
    Published {
        known: Arc<PublishedKeys>,
        fetcher: Fetcher,
    },
}

/// What is read of a discovery document.
#[derive(Debug, Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl Platforms {
    /// Those that the options name. What is known of the keys of one stays, unless they are
    /// elsewhere now.
    pub(in crate::domain) fn new(issuers: &[AssertionIssuer], before: &Self) -> Self {
        let platform = |told: &AssertionIssuer| Platform {
            keys: Keys::of(told, before),
            told: told.clone(),
        };
        Self(issuers.iter().map(platform).collect())
    }

    /// The platform that an assertion says to come from.
    pub(super) fn of(&self, kind: Kind, assertion: &ClientAssertion) -> Option<&Platform> {
        let is_it = |told: &AssertionIssuer| match (kind, told.is_trust_domain()) {
            (Kind::JwtBearer, false) => told.issuer == assertion.issuer(),
            (Kind::JwtSpiffe, true) => {
                let path = assertion.subject().strip_prefix(told.issuer.as_str());
                path.is_some_and(|path| path.starts_with('/'))
            }
            _ => false,
        };
        self.0.iter().find(|platform| is_it(&platform.told))
    }
}

impl Keys {
    fn of(told: &AssertionIssuer, before: &Platforms) -> Self {
        let endpoint = match &told.keys {
            IssuerKeys::Given(text) => {
                let keys = published::read(text.as_bytes()).unwrap_or_default();
                return Self::Given(for_signatures(keys));
            }
            IssuerKeys::Discovery(endpoint) | IssuerKeys::Jwks(endpoint) => endpoint,
        };
        let known = before.0.iter().find_map(|platform| match &platform.keys {
            Self::Published { known, .. }
                if platform.told.issuer == told.issuer
                    && platform.told.keys.url() == told.keys.url() =>
            {
                Some(Arc::clone(known))
            }
            _ => None,
        });
        Self::Published {
            known: known.unwrap_or_default(),
            fetcher: Fetcher::new(PATIENCE, 0).trusting(endpoint.ca.clone()),
        }
    }
}

impl Platform {
    /// Whether a key of the platform signed the text.
    async fn signed(&self, text: &str) -> bool {
        match &self.keys {
            Keys::Given(keys) => jws::verify(text, keys).is_ok(),
            Keys::Published { known, fetcher } => known.verify(text, self.fetch(fetcher)).await,
        }
    }

    async fn fetch(&self, fetcher: &Fetcher) -> Result<JwkSet, KeysError> {
        let document = match &self.told.keys {
            IssuerKeys::Given(_) => return Err(KeysError::Empty),
            IssuerKeys::Jwks(endpoint) => ask(fetcher, &endpoint.url, endpoint).await?,
            IssuerKeys::Discovery(endpoint) => {
                let discovered = ask(fetcher, &endpoint.url, endpoint).await?;
                let url = self.key_set_of(&endpoint.url, &discovered)?;
                ask(fetcher, &url, endpoint).await?
            }
        };
        published::read(&document).map(for_signatures)
    }

    /// Where a discovery document says that the keys are. It is believed for its own issuer, and for
    /// addresses of its own origin: what the administrator named is all that is ever asked.
    fn key_set_of(&self, asked: &str, document: &[u8]) -> Result<String, KeysError> {
        let Discovered { issuer, jwks_uri } = serde_json::from_slice(document)
            .map_err(|_| KeysError::Discovery("names no `issuer` or no `jwks_uri`"))?;
        if issuer != self.told.issuer {
            return Err(KeysError::Discovery("is one of another issuer"));
        }
        let origin = |url: &str| Url::parse(url).map(|url| url.origin()).ok();
        match origin(asked) == origin(&jwks_uri) {
            true => Ok(jwks_uri),
            false => Err(KeysError::Discovery(
                "names keys at another origin; name that address as `jwks_url`",
            )),
        }
    }

    /// The client that a workload is; of several the one that it says to be.
    fn client_of(&self, subject: &str, said: Option<&str>) -> Option<&str> {
        let mut clients = self.told.clients.iter();
        let found = clients.find(|workload| {
            workload.is(subject) && said.is_none_or(|said| said == workload.client_id)
        });
        found.map(|workload| workload.client_id.as_str())
    }
}

impl Authority {
    /// The client that a platform vouches for; `id` is the one that the request names beside it.
    pub(super) async fn by_platform(
        &self,
        platform: &Platform,
        (kind, text, assertion): (Kind, &str, &ClientAssertion),
        id: Option<&str>,
    ) -> Result<Seen, TokenError> {
        let wrong = || Ok(Seen::Wrong("assertion", None));
        let told = &platform.told;
        let own = names(&self.options);
        let fit = assertion.check_vouched(&Vouched {
            audiences: match told.audiences.is_empty() {
                true => &own,
                false => &told.audiences,
            },
            audience: self.options.assertion_audience,
            longest: i64::try_from(told.max_lifetime.as_secs()).unwrap_or(i64::MAX),
            now: self.now(),
        });
        let Some(until) = fit else {
            return wrong();
        };
        if !platform.signed(text).await {
            return wrong();
        }
        let subject = assertion.subject();
        let Some(client_id) = platform.client_of(subject, id) else {
            tracing::warn!(
                issuer = told.issuer,
                subject,
                "this workload is no client here"
            );
            return wrong();
        };
        let row = within(self.store.known_client(client_id)).await?;
        let method = kind.method().name();
        let Some(row) = row.filter(|row| row.client.token_endpoint_auth_method == method) else {
            tracing::warn!(
                client.id = client_id,
                method,
                "the client of this workload is not there, or registered with another method"
            );
            return wrong();
        };
        if told.single_use {
            let Some(jti) = assertion.jti() else {
                return wrong();
            };
            let used = use_of(&format!("platform {}", told.issuer), jti);
            if !within(self.store.use_jti(&used, until)).await? {
                return Ok(Seen::Used);
            }
        }
        Ok(Seen::Client(row))
    }
}

async fn ask(fetcher: &Fetcher, url: &str, endpoint: &Endpoint) -> Result<Vec<u8>, KeysError> {
    let bearer: Option<&SecretString> = endpoint.bearer.as_ref();
    Ok(fetcher.fetch_as(url, bearer).await?)
}

/// Keys of a SPIFFE bundle say `jwt-svid` where others say `sig`.
fn for_signatures(keys: JwkSet) -> JwkSet {
    let sign = |key: &Jwk| match key.usage() {
        JWT_SVID => key.clone().for_signatures(),
        _ => key.clone(),
    };
    JwkSet::new(keys.keys().iter().map(sign).collect())
}
