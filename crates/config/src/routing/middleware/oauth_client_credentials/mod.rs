//! Options of `oAuthClientCredentials`: a Bearer token by the client_credentials grant
//! (RFC 6749 section 4.4), for the caller's Basic credentials or for the gateway's own.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::claims::{ClaimPath, Expression};
use crate::secret::are_equal;

mod credentials;
mod forward_headers;
mod read;
mod store;
pub(super) mod written;

pub use super::redis::{Login, Redis, Topology};
pub(super) use forward_headers::read as forward_headers;
pub(super) use read::{
    Wanted, Whose, certificate, claim_path, claims, client_config, client_tls, read, read_for,
    resources, scopes, scopes_at,
};
pub(super) use store::sealed_or_not;
pub use store::{Secrets, Store};

/// `oAuthClientCredentials`. Option names match whatever their case.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuthClientCredentials {
    /// Token endpoint. Required; http or https.
    pub url: Url,
    /// `audience` form field; empty: not sent.
    pub audience: String,
    /// The gateway's own credentials (mode B); `None`: the caller's Basic credentials (mode A).
    pub credentials: Option<Credentials>,
    /// How the gateway shows its own credentials.
    pub proof: Proof,
    /// Sent space-joined as `scope`; empty: not sent.
    pub scopes: Vec<String>,
    /// `resources` (ours): sent as `resource`, one by one (RFC 8707).
    pub resources: Vec<String>,
    /// `parameters` (ours): more form fields, for servers that want them.
    pub parameters: Parameters,
    /// Condition over the token's claims; false answers 403.
    pub claims: Option<Expression>,
    /// Request headers set from claims; a missing claim sets the header empty.
    pub forward_headers: BTreeMap<String, ClaimPath>,
    /// Claim written to the access log as `ClientUsername`.
    pub username_claim: Option<ClaimPath>,
    /// How the token endpoint is called.
    pub client_config: ClientConfig,
    /// Where tokens are kept between requests.
    pub cache: Cache,
    /// Where the gateways of a fleet share them; `None`: nowhere.
    pub store: Option<Store>,
    /// `retryUnauthorized` (ours): a service that answers 401 to a kept token makes the gateway
    /// fetch another and ask once more, where the request can be repeated. Default false.
    pub retry_unauthorized: bool,
    /// How tokens are verified before they are used; `None`: they are believed, as they came from
    /// the endpoint that was configured.
    pub verify: Option<Verify>,
    /// Where the authorization server tells which tokens it revoked; `None`: nowhere.
    pub revocations: Option<Revocations>,
}

/// `parameters`: form fields by their names. A value may be secret.
#[derive(Debug, Clone, Default)]
pub struct Parameters(pub BTreeMap<String, SecretString>);

/// As with [`Credentials`].
impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        are_equal(&self.0, &other.0)
    }
}

/// `clientID` and `clientSecret`: both or neither.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `clientID`.
    pub client_id: String,
    /// `clientSecret`; empty where [`Proof`] is something else.
    pub client_secret: SecretString,
}

/// What shows that the gateway is the client `clientID`. All but the first are ours.
#[derive(Debug, Clone)]
pub enum Proof {
    /// `clientSecret`, in the header or in the form.
    Secret,
    /// `clientConfig.tls.cert` and `.key`, without a secret: `tls_client_auth` (RFC 8705).
    Certificate,
    /// `clientAssertion.token`: an assertion that somebody else signed (RFC 7523), such as the
    /// token of a Kubernetes service account or a JWT-SVID.
    Assertion(SecretString),
    /// `clientAssertion.key`: a private key that signs assertions, `private_key_jwt`; and
    /// `clientAssertion.audience`, by default the token endpoint.
    KeyJwt(SigningKey, Option<String>),
    /// `clientAssertion` beside `clientSecret`, which signs: `client_secret_jwt`.
    SecretJwt(Option<String>),
}

/// A key that signs assertions, and what it does not say itself.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The option that it stands in, for messages.
    pub option: &'static str,
    /// A private JWK, or PEM (PKCS #8, PKCS #1 or SEC 1).
    pub key: SecretString,
    /// `algorithm` of a PEM key; `None`: the usual one of its kind.
    pub algorithm: Option<&'static str>,
    /// `keyID` of a PEM key; `None`: assertions name no key.
    pub key_id: Option<String>,
    /// `certificate` of a PEM key, as PEM; `None`: assertions name none.
    pub certificate: Option<String>,
}

/// As with [`Credentials`].
impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            option: _,
            key,
            algorithm,
            key_id,
            certificate,
        } = self;
        key.expose_secret() == other.key.expose_secret()
            && *algorithm == other.algorithm
            && *key_id == other.key_id
            && *certificate == other.certificate
    }
}

/// As with [`Credentials`].
impl PartialEq for Proof {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret, Self::Secret) | (Self::Certificate, Self::Certificate) => true,
            (Self::Assertion(one), Self::Assertion(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            (Self::KeyJwt(one, audience), Self::KeyJwt(other, others)) => {
                one == other && audience == others
            }
            (Self::SecretJwt(audience), Self::SecretJwt(others)) => audience == others,
            _ => false,
        }
    }
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            client_id,
            client_secret,
        } = self;
        *client_id == other.client_id
            && client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

/// `verify` (ours): tokens must be JWTs with a right signature, issuer and audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// `jwks` or `discovery`: exactly one.
    pub keys: KeysAt,
    /// `issuer`; `None`: what the metadata of `discovery` say, else any.
    pub issuer: Option<String>,
    /// `audience`; by default the option `audience`. Empty: any.
    pub audience: String,
}

/// Where the keys of an authorization server are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysAt {
    /// `jwks`: URL of the set.
    Jwks(Url),
    /// `discovery`: URL of metadata that name it (RFC 8414).
    Discovery(Url),
}

/// `revocations` (ours): the stream of our own authorization server, `GET /admin/revocations`.
#[derive(Debug, Clone)]
pub struct Revocations {
    /// `url`. Required; http or https.
    pub url: Url,
    /// `bearer`: token that is sent with the request, if any.
    pub bearer: Option<SecretString>,
}

/// As with [`Credentials`].
impl PartialEq for Revocations {
    fn eq(&self, other: &Self) -> bool {
        let Self { url, bearer } = self;
        *url == other.url
            && bearer.as_ref().map(ExposeSecret::expose_secret)
                == other.bearer.as_ref().map(ExposeSecret::expose_secret)
    }
}

/// `clientConfig`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    /// `timeoutSeconds`: bounds the whole exchange with its retries. Default 5 s.
    pub timeout: Duration,
    /// `maxRetries` after the first attempt. Default 3.
    pub max_retries: u32,
    /// `tls` towards the token endpoint.
    pub tls: ClientTls,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            max_retries: 3,
            tls: ClientTls::default(),
        }
    }
}

/// `clientConfig.tls`.
#[derive(Debug, Clone, Default)]
pub struct ClientTls {
    /// `ca` (or `caBundle`): PEM trusted instead of the system's.
    pub ca: Option<String>,
    /// `cert`: PEM of the client certificate.
    pub cert: Option<String>,
    /// `key`: PEM of its key.
    pub key: Option<SecretString>,
    /// `insecureSkipVerify`. Default false.
    pub insecure_skip_verify: bool,
}

/// As with [`Credentials`].
impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            ca,
            cert,
            key,
            insecure_skip_verify,
        } = self;
        *ca == other.ca
            && *cert == other.cert
            && key.as_ref().map(ExposeSecret::expose_secret)
                == other.key.as_ref().map(ExposeSecret::expose_secret)
            && *insecure_skip_verify == other.insecure_skip_verify
    }
}

/// `cache` (ours): tokens in the gateway's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Default true.
    pub enabled: bool,
    /// Greatest age of a token in the cache. Default 300 s, which is also the most.
    pub max_age: Duration,
    /// When a token is fetched anew before its end. Default early.
    pub refresh: Refresh,
    /// `header`: a header of the response that says where the token came from: `hit`, `miss`,
    /// `refreshed` or `refused`. Default none.
    pub header: Option<String>,
}

/// `cache.refresh`: when a token that is in use is fetched anew before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// `early`: by a timer, off the way of requests. The secret of a caller is kept for that alone.
    Early,
    /// `onUse`: by a request that comes shortly before the end, with the credentials it brought. No
    /// secret is kept.
    OnUse,
    /// Not before its end: so it is with tokens in the place of callers' tokens, which end too.
    Never,
}

/// Greatest age a token may have in the cache.
const MAX_AGE: Duration = Duration::from_secs(300);

impl Cache {
    /// The usual one, with tokens that are fetched anew at this time.
    fn of(refresh: Refresh) -> Self {
        Self {
            enabled: true,
            max_age: MAX_AGE,
            refresh,
            header: None,
        }
    }
}
