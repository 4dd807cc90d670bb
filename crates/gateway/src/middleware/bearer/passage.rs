//! The way through a middleware that takes tokens of callers, whoever judges them: what the route
//! tells of itself, the token, the judgement, whether this request may use it, the service.

use std::sync::Arc;

use carnet_config::routing::middleware::{Claimed as Wanted, Dpop, ResourceMetadata, TokenSource};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Challenge, Claimed, Known, NextNonce, Place, Proofs, Resource, Scheme, Shown, Vouched,
};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::middleware::{Exchange, Identity, Next, decided};
use crate::supplies::Supplies;

/// Who judges tokens.
pub(in crate::middleware) trait Judges: Sync {
    /// What becomes of the claims.
    fn claimed(&self) -> &Claimed;

    /// What is known of a token that is right, where that needs no waiting; `None`: it does.
    fn at_once(&self, token: &str) -> Option<Judged>;

    /// The same of a token that has to be waited for.
    fn known(&self, token: &SecretString)
    -> impl Future<Output = Result<Arc<Known>, Fault>> + Send;
}

/// What judging a token came to, where nobody had to wait for it.
pub(in crate::middleware) enum Judged {
    /// It was known.
    Before(Result<Arc<Known>, Fault>),
    /// Its signature was verified, which is as much work as all the rest of a request.
    Now(Result<Arc<Known>, Fault>),
}

impl Judged {
    fn outcome(self) -> Result<Arc<Known>, Fault> {
        match self {
            Self::Before(outcome) | Self::Now(outcome) => outcome,
        }
    }
}

/// All but the judgement.
pub(in crate::middleware) struct Passage {
    place: Place,
    resource: Option<Resource>,
    challenge: Arc<Challenge>,
    proofs: Proofs,
}

impl Passage {
    /// `wanted` is what refusals tell of. The error is one sentence.
    pub(in crate::middleware) fn new(
        source: &TokenSource,
        (resource, wanted): (Option<&ResourceMetadata>, &Wanted),
        dpop: Option<&Dpop>,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let resource = resource.map(|told| Resource::new(told, dpop.is_some()));
        Ok(Self {
            place: Place::new(source, &supplies.room)?,
            challenge: Arc::new(Challenge::new(
                resource.as_ref(),
                &wanted.required_scopes,
                dpop.is_some(),
            )),
            resource,
            proofs: Proofs::new(dpop, supplies)?,
        })
    }

    /// Lets requests pass whose token is right.
    pub(in crate::middleware) fn pass<'a>(
        &'a self,
        judge: &'a impl Judges,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let told = self.resource.as_ref();
        if let Some(answer) = told.and_then(|told| told.answer(&request)) {
            return decided(Ok(answer));
        }
        let admitted = self.place.at_once(&request).and_then(|token| {
            let judged = judge.at_once(token)?;
            self.place.conceal(exchange);
            let was_work = matches!(judged, Judged::Now(_));
            let known = admitted(judged.outcome(), Scheme::Bearer, exchange);
            let known = known.and_then(|known| known.check_claims().map(|()| known));
            Some((known, was_work))
        });
        match admitted {
            Some((Ok(known), false)) => next.pass(self.stamped(request, judge, known, exchange)),
            Some((Ok(known), true)) => in_turn(self.stamped(request, judge, known, exchange), next),
            Some((Err(fault), _)) => {
                decided(Ok(self.challenge.refused(&fault, Scheme::Bearer, exchange)))
            }
            None => Box::pin(self.pass_waiting(judge, request, exchange, next)),
        }
    }

    async fn pass_waiting(
        &self,
        judge: &impl Judges,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let (request, found, _share) = self.place.look(request, exchange).await?;
        let shown = match Shown::only(found) {
            Ok(shown) => shown,
            Err(fault) => return Ok(self.challenge.refused(&fault, Scheme::Bearer, exchange)),
        };
        let judged = match judge.at_once(shown.token.expose_secret()) {
            Some(judged) => judged.outcome(),
            None => judge.known(&shown.token).await,
        };
        let (mut response, nonce) = match self.proven(judged, &shown, exchange).await {
            Err(fault) => (
                self.challenge.refused(&fault, shown.scheme, exchange),
                self.proofs.wanted(&fault),
            ),
            Ok((known, nonce)) => {
                let request = self.stamped(request, judge, known, exchange);
                (next.run(request).await, nonce)
            }
        };
        if let Some((nonce, sent)) = nonce.zip(shown.sent) {
            nonce.tell(&mut response, &sent);
        }
        Ok(response)
    }

    /// The token, where it is right and this request may use it here, which a proof may have to say.
    async fn proven(
        &self,
        judged: Result<Arc<Known>, Fault>,
        shown: &Shown,
        exchange: &Exchange,
    ) -> Result<(Arc<Known>, Option<NextNonce>), Fault> {
        let known = admitted(judged, shown.scheme, exchange)?;
        let nonce = match (known.binding.key(), &shown.sent) {
            (Some(thumbprint), Some(sent)) => {
                let bound = (thumbprint, shown.token.expose_secret());
                self.proofs.check(sent, bound, exchange).await?
            }
            _ => None,
        };
        known.check_claims()?;
        Ok((known, nonce))
    }

    /// The request as the service gets it.
    fn stamped(
        &self,
        mut request: Request,
        judge: &impl Judges,
        known: Arc<Known>,
        exchange: &Exchange,
    ) -> Request {
        judge.claimed().admit(&mut request, &known, &self.place);
        exchange.vouch(Vouched(known, Arc::clone(&self.challenge)));
        request
    }
}

/// The token, where it is right and was sent as one of its kind is.
fn admitted(
    judged: Result<Arc<Known>, Fault>,
    scheme: Scheme,
    exchange: &Exchange,
) -> Result<Arc<Known>, Fault> {
    let known = judged?;
    if let Some(username) = &known.stamped.username {
        exchange.identify(Identity {
            username: Some(username.clone()),
            client_id: None,
        });
    }
    known.check_binding(scheme, exchange)?;
    Ok(known)
}

/// Goes on when others have had their turn. What many requests send to servers leaves together then,
/// and one of those is woken once for many, and not by each of them out of its sleep between two
/// signatures.
fn in_turn<'a>(request: Request, next: Next<'a>) -> BoxFuture<'a, Result<Response, Fault>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        next.pass(request).await
    })
}
