//! `digestAuth`: who may pass, by a name and a password that is not sent (RFC 7616, with MD5 as
//! `htdigest` files need it). `shown.rs` reads what a client shows, `nonces.rs` makes and remembers
//! what it is asked with. A name that nobody has costs what every other does.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use carnet_config::routing::middleware::{BasicAuth as Options, DigestAuth as DigestOptions};
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue};
use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret as _, SecretString};

use super::credentials::unauthorized;
use super::stamp::Stamp;
use super::{Exchange, Identity, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::supplies::Supplies;

mod nonces;
mod shown;

use nonces::{Age, Nonces};
use shown::Shown;

/// The middleware.
pub(super) struct DigestAuth {
    /// MD5 of `name:realm:password`, by name.
    users: BTreeMap<String, SecretString>,
    /// Computed with for names that nobody has.
    decoy: SecretString,
    realm: String,
    opaque: String,
    stamp: Stamp,
    nonces: Nonces,
}

/// What a client has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Right,
    /// The password is right, and the nonce is used up.
    Stale,
    Wrong,
}

impl DigestAuth {
    /// The error is one sentence.
    pub(super) fn new(options: &DigestOptions, supplies: &Supplies) -> Result<Self, String> {
        let DigestOptions(options) = options;
        let random = |bytes: usize| {
            let mut random = vec![0; bytes];
            supplies.random.fill(&mut random);
            hex(&random)
        };
        let realm = options.realm.replace(['"', '\\'], "");
        HeaderValue::from_str(&realm)
            .map_err(|_| "`realm` has characters that no header may have")?;
        let users = of_realm(options);
        if users.is_empty() {
            let realm = &options.realm;
            return Err(format!(
                "no user is of the realm `{realm}`, so nobody could pass"
            ));
        }
        Ok(Self {
            users,
            decoy: random(16).into(),
            realm,
            opaque: random(8),
            stamp: Stamp::new(options)?,
            nonces: Nonces::new(supplies),
        })
    }

    fn judge(&self, shown: &Shown, request: &Request) -> Verdict {
        let target = request.uri().path_and_query();
        let target = target.map_or("/", PathAndQuery::as_str);
        let known = self.users.get(&shown.username);
        let user = known.unwrap_or(&self.decoy).expose_secret();
        let asked = md5(&[request.method().as_str(), &shown.uri]);
        let expected = md5(&[user, &shown.nonce, &shown.nc, &shown.cnonce, "auth", &asked]);
        let is_right = verify_slices_are_equal(expected.as_bytes(), shown.response.as_bytes());
        let is_here = shown.uri == target && shown.opaque == self.opaque;
        if known.is_none() || is_right.is_err() || !is_here {
            return Verdict::Wrong;
        }
        match self.nonces.used(&shown.nonce, &shown.nc) {
            Age::Fresh => Verdict::Right,
            Age::Old => Verdict::Stale,
            Age::Foreign => Verdict::Wrong,
        }
    }

    fn challenge(&self, verdict: Verdict) -> Result<Response, Fault> {
        let Self { realm, opaque, .. } = self;
        let nonce = self.nonces.made();
        let stale = match verdict {
            Verdict::Stale => ", stale=true",
            Verdict::Right | Verdict::Wrong => "",
        };
        let challenge = format!(
            "Digest realm=\"{realm}\", nonce=\"{nonce}\", opaque=\"{opaque}\", \
             algorithm=\"MD5\", qop=\"auth\"{stale}"
        );
        let challenge = HeaderValue::try_from(challenge)
            .map_err(|error| Fault::new(Reason::Internal).because(error))?;
        Ok(unauthorized(challenge))
    }
}

/// The users of the realm that clients are told.
fn of_realm(options: &Options) -> BTreeMap<String, SecretString> {
    let users = options.users.iter().filter_map(|(user, digest)| {
        let (name, realm) = user.split_once(':')?;
        (realm == options.realm).then(|| (name.to_owned(), digest.clone()))
    });
    users.collect()
}

/// Of the parts joined by colons, in hexadecimal digits.
fn md5(parts: &[&str]) -> String {
    hex(&Md5::digest(parts.join(":")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl std::fmt::Debug for DigestAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DigestAuth").finish_non_exhaustive()
    }
}

impl Middleware for DigestAuth {
    fn kind(&self) -> &'static str {
        "digestAuth"
    }

    fn handle<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move {
            let Some(shown) = Shown::by(request.headers()) else {
                return self.challenge(Verdict::Wrong);
            };
            // Traefik logs the name of failed attempts, too.
            exchange.identify(Identity {
                username: Some(shown.username.clone()),
                client_id: None,
            });
            let verdict = self.judge(&shown, &request);
            if verdict != Verdict::Right {
                return self.challenge(verdict);
            }
            self.stamp.put(&mut request, &shown.username)?;
            Ok(next.run(request).await)
        })
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.stamp.disown(headers);
    }
}
