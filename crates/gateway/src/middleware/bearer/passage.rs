//! The way through a middleware that takes tokens of callers, whoever judges them: what the route
//! tells of itself, the token, the judgement, whether this request may use it, the service.

use std::sync::Arc;

use carnet_config::routing::middleware::{ResourceMetadata, TokenSource};
use secrecy::SecretString;

use super::{Challenge, Claimed, Guard, Known, Place, Resource, Scheme, Shown, Vouched};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::middleware::{Exchange, Identity, Next};
use crate::supplies::Supplies;

/// Who judges tokens.
pub(in crate::middleware) trait Judges: Sync {
    /// What becomes of the claims.
    fn claimed(&self) -> &Claimed;

    /// What is known of a token that is right.
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
    /// The error is one sentence.
    pub(in crate::middleware) fn new(
        source: &TokenSource,
        resource: Option<&ResourceMetadata>,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let resource = resource.map(Resource::new);
        Ok(Self {
            place: Place::new(source, &supplies.room)?,
            challenge: Arc::new(Challenge::new(resource.as_ref())),
            resource,
            guard: Guard::new(&supplies.clock),
        })
    }

    /// Lets requests pass whose token is right.
    pub(in crate::middleware) async fn pass(
        &self,
        judge: &impl Judges,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let told = self.resource.as_ref();
        if let Some(answer) = told.and_then(|told| told.answer(&request)) {
            return Ok(answer);
        }
        let (mut request, found, _share) = self.place.look(request, exchange).await?;
        let shown = match Shown::only(found) {
            Ok(shown) => shown,
            Err(fault) => return Ok(self.challenge.refused(&fault, Scheme::Bearer, exchange)),
        };
        match self.admitted(judge, &shown, exchange).await {
            Err(fault) => Ok(self.challenge.refused(&fault, shown.scheme, exchange)),
            Ok(known) => {
                judge.claimed().admit(&mut request, &known, &self.place);
                let vouched = Vouched(known, Arc::clone(&self.challenge));
                request.extensions_mut().insert(vouched);
                Ok(next.run(request).await)
            }
        }
    }

    /// The token, where it is right and this request may use it here.
    async fn admitted(
        &self,
        judge: &impl Judges,
        shown: &Shown,
        exchange: &Exchange,
    ) -> Result<Arc<Known>, Fault> {
        let known = judge.known(&shown.token).await?;
        exchange.identify(Identity {
            username: known.stamped.username.clone(),
            client_id: None,
        });
        self.guard.check(&known, shown, exchange)?;
        Ok(known)
    }
}
