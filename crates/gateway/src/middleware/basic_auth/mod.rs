//! `basicAuth`: who may pass, by name and password (RFC 7617). A name that nobody has costs a hash,
//! too; `hashed/` says when one is computed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use carnet_config::routing::middleware::BasicAuth as Options;
use carnet_oauth::client_auth::Credentials;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

use super::credentials::{callers, unauthorized};
use super::digests::{Digest, Digests};
use super::hashed::{Hash, Right};
use super::stamp::Stamp;
use super::{Exchange, Identity, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::supplies::Supplies;

/// The middleware.
pub(super) struct BasicAuth {
    users: BTreeMap<String, Arc<Hash>>,
    /// Computed for names that nobody has.
    decoy: Arc<Hash>,
    challenge: HeaderValue,
    stamp: Stamp,
    digests: Digests,
    right: Right,
}

impl BasicAuth {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let users = options.users.iter().map(|(name, hash)| {
            let hash = Hash::parse(hash.expose_secret())
                .ok_or_else(|| format!("the hash of user `{name}` cannot be read"))?;
            Ok((name.clone(), Arc::new(hash)))
        });
        let users: BTreeMap<_, _> = users.collect::<Result<_, String>>()?;
        let decoy = users.values().next().ok_or("there is no user")?;
        let challenge = format!("Basic realm=\"{}\"", options.realm.replace('"', "\\\""));
        let challenge = HeaderValue::try_from(challenge)
            .map_err(|_| "`realm` has characters that no header may have")?;
        Ok(Self {
            decoy: Arc::clone(decoy),
            users,
            challenge,
            stamp: Stamp::new(options)?,
            digests: Digests::new(supplies.random.as_ref())?,
            right: Right::new(),
        })
    }

    /// Whether a password that is not remembered is the user's.
    async fn is_right(
        &self,
        shown: &Credentials,
        (digest, from): (Digest, IpAddr),
    ) -> Result<bool, Fault> {
        let known = self.users.get(&shown.id);
        let is_known = known.is_some();
        let hash = Arc::clone(known.unwrap_or(&self.decoy));
        let secret = shown.secret.clone();
        let compute = move || hash.is_of(secret.expose_secret()) && is_known;
        self.right.or_computed((digest, from), compute).await
    }

    fn digest(&self, shown: &Credentials) -> Result<Digest, Fault> {
        self.digests
            .of_pair(&shown.id, shown.secret.expose_secret())
    }
}

impl std::fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BasicAuth").finish_non_exhaustive()
    }
}

impl Middleware for BasicAuth {
    fn kind(&self) -> &'static str {
        "basicAuth"
    }

    fn handle<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        // As written: form-decoding is a habit of OAuth clients alone.
        let shown = callers(request.headers()).and_then(|readings| readings.into_iter().next());
        let Some(shown) = shown else {
            return decided(Ok(unauthorized(self.challenge.clone())));
        };
        // Traefik logs the name of failed attempts, too.
        exchange.identify(Identity {
            username: Some(shown.id.clone()),
            client_id: None,
        });
        let digest = match self.digest(&shown) {
            Ok(digest) => digest,
            Err(fault) => return decided(Err(fault)),
        };
        if self.right.has(&digest) {
            return match self.stamp.put(&mut request, &shown.id) {
                Ok(()) => next.pass(request),
                Err(fault) => decided(Err(fault)),
            };
        }
        Box::pin(async move {
            let from = exchange.connection().peer.ip();
            if !self.is_right(&shown, (digest, from)).await? {
                return Ok(unauthorized(self.challenge.clone()));
            }
            self.stamp.put(&mut request, &shown.id)?;
            Ok(next.run(request).await)
        })
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.stamp.disown(headers);
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use carnet_testkit::SeededRandom;
    use futures_util::poll;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// Nobody's users, the hash of `test` for everybody, and one turn.
    fn guarded() -> BasicAuth {
        let other = Hash::parse("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=").unwrap();
        let options = Options {
            users: BTreeMap::new(),
            users_file: None,
            realm: "r".to_owned(),
            header_field: None,
            remove_header: false,
        };
        BasicAuth {
            users: BTreeMap::new(),
            decoy: Arc::new(other),
            challenge: HeaderValue::from_static("Basic"),
            stamp: Stamp::new(&options).unwrap(),
            digests: Digests::new(&SeededRandom::default()).unwrap(),
            right: Right::with_turns(1),
        }
    }

    fn shown(id: &str, secret: &str) -> Credentials {
        Credentials {
            id: id.to_owned(),
            secret: secret.into(),
        }
    }

    // The hash is another password's, so only what is remembered can say yes.
    #[tokio::test]
    async fn who_waits_while_the_same_password_turns_out_right_computes_nothing() {
        let auth = guarded();
        let shown = shown("a", "right");
        let turn = auth.right.0.turns.acquire().await.unwrap();
        let digest = auth.digest(&shown).unwrap();
        let mut waiting = pin!(auth.is_right(&shown, (digest, HERE)));
        assert!(matches!(poll!(waiting.as_mut()), Poll::Pending));
        auth.right.0.remembered.insert(digest, ());
        drop(turn);
        assert!(waiting.await.unwrap());
    }

    /// Traefik told by the time of a refusal that there was no such user.
    // Holds CVE-2026-32595, CVE-2026-41263.
    #[tokio::test]
    async fn a_name_that_nobody_has_waits_for_a_hash_and_is_refused_whatever_it_says() {
        let auth = guarded();
        let shown = shown("nobody", "test");
        for _ in 0..2 {
            let digest = auth.digest(&shown).unwrap();
            let turn = auth.right.0.turns.acquire().await.unwrap();
            let mut waiting = pin!(auth.is_right(&shown, (digest, HERE)));
            assert!(matches!(poll!(waiting.as_mut()), Poll::Pending));
            drop(turn);
            assert!(!waiting.await.unwrap());
        }
    }

    /// In Traefik those waited together whose name and password read the same without their border.
    // Holds CVE-2026-71326, CVE-2026-88010.
    #[test]
    fn what_is_remembered_is_a_name_and_a_password_and_nothing_that_is_stored() {
        let auth = guarded();
        let pairs = [
            ("a", "btest"),
            ("ab", "test"),
            ("", "abtest"),
            ("abtest", ""),
        ];
        let digests = pairs.map(|(id, secret)| auth.digest(&shown(id, secret)).unwrap());
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[at + 1..].contains(digest), "{:?}", pairs[at]);
        }
        let (mut other, shown) = (guarded(), shown("a", "x"));
        other.users = BTreeMap::from([("a".to_owned(), Arc::clone(&other.decoy))]);
        assert_eq!(auth.digest(&shown).unwrap(), other.digest(&shown).unwrap());
    }
}
