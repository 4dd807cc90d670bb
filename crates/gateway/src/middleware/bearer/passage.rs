//! The way through a middleware that takes tokens of callers, whoever judges them: what the route
//! tells of itself, the token, the judgement, whether this request may use it, the service.

use std::sync::Arc;

use carnet_config::routing::middleware::{Claimed as Wanted, ResourceMetadata, TokenSource};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Challenge, Claimed, Guard, Known, Lent, Place, Resource, Scheme, Shown, Vouched};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::middleware::{Exchange, Identity, Next, decided};
use crate::supplies::Supplies;

/// Who judges tokens.
pub(in crate::middleware) trait Judges: Sync {
    /// What becomes of the claims.
    fn claimed(&self) -> &Claimed;

    /// What is known of a token that is right, where that needs no waiting; `None`: it does.
    fn at_once(&self, token: &str) -> Option<Result<Arc<Known>, Fault>>;

    /// The same of a token that has to be waited for.
    fn known(&self, token: &SecretString)
    -> impl Future<Output = Result<Arc<Known>, Fault>> + Send;
}

/// All but the judgement.
pub(in crate::middleware) struct Passage {
    place: Place,
    resource: Option<Resource>,
    challenge: Arc<Challenge>,
    guard: Guard,
}

impl Passage {
    /// `wanted` is what refusals tell of. The error is one sentence.
    pub(in crate::middleware) fn new(
        source: &TokenSource,
        (resource, wanted): (Option<&ResourceMetadata>, &Wanted),
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let resource = resource.map(Resource::new);
        Ok(Self {
            place: Place::new(source, &supplies.room)?,
            challenge: Arc::new(Challenge::new(resource.as_ref(), &wanted.required_scopes)),
            resource,
            guard: Guard::new(&supplies.clock),
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
            Some(self.admitted(judged, Lent::bearer(token), exchange))
        });
        match admitted {
            Some(Ok(known)) => next.pass(self.stamped(request, judge, known)),
            Some(Err(fault)) => {
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
            Some(judged) => judged,
            None => judge.known(&shown.token).await,
        };
        match self.admitted(judged, shown.lent(), exchange) {
            Err(fault) => Ok(self.challenge.refused(&fault, shown.scheme, exchange)),
            Ok(known) => Ok(next.run(self.stamped(request, judge, known)).await),
        }
    }

    /// The token, where it is right and this request may use it here.
    fn admitted(
        &self,
        judged: Result<Arc<Known>, Fault>,
        lent: Lent<'_>,
        exchange: &Exchange,
    ) -> Result<Arc<Known>, Fault> {
        let known = judged?;
        if let Some(username) = &known.stamped.username {
            exchange.identify(Identity {
                username: Some(username.clone()),
                client_id: None,
            });
        }
        self.guard.check(&known, lent, exchange)?;
        Ok(known)
    }

    /// The request as the service gets it.
    fn stamped(&self, mut request: Request, judge: &impl Judges, known: Arc<Known>) -> Request {
        judge.claimed().admit(&mut request, &known, &self.place);
        let vouched = Vouched(known, Arc::clone(&self.challenge));
        request.extensions_mut().insert(vouched);
        request
    }
}
