//! Who is logged in: sessions that browsers keep, sealed, or an id of theirs where Redis keeps them.
//!
//! Knows cookies and what tokens are worth keeping; refuses to know how they are come by. `sealed`
//! is what nobody can read or change, `pieces` is one value over several cookies, `stored` is Redis,
//! `marks` says who logged out at the provider, `ended` who did here, `written` is a session as bytes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use carnet_config::routing::service::Cookie;
use carnet_jose::jwt::Claims;
use carnet_oauth::{Clock, Random};
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;

mod ended;
#[cfg(any(fuzzing, test))]
pub(crate) mod hostile;
mod marks;
mod pieces;
pub(super) mod sealed;
mod stored;
#[cfg(test)]
mod tests;
mod written;

pub(super) use written::issued;

pub(super) use marks::Logout;

use ended::Ended;
use marks::Marks;
use sealed::{Opened, Sealed};
use stored::{Id, Stored};

use crate::cookies;
use crate::error::{Fault, Reason};
use crate::token_source::Store;

/// What is known of a person who is logged in.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) id_token: SecretString,
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    /// When the access token ends.
    pub(super) expires_at: SystemTime,
    /// What the ID token says.
    pub(super) claims: Claims,
    /// When the person logged in.
    pub(super) created_at: SystemTime,
    /// The same by the provider's clock, in seconds since 1970: when it made the first ID token.
    pub(super) issued_at: i64,
    /// Names the login among all others, over all renewals.
    pub(super) login: String,
}

/// How sessions are kept.
pub(super) struct Options<'a> {
    pub(super) cookie: &'a Cookie,
    /// What the cookie is called where it has no name.
    pub(super) name: &'a str,
    /// How long a session lives.
    pub(super) expiry: Duration,
    /// Whether it lives on while it is used.
    pub(super) sliding: bool,
    /// The issuer and the client, where the provider says who has logged out there.
    pub(super) logouts: Option<(&'a str, &'a str)>,
}

/// The sessions of a middleware.
pub(super) struct Sessions {
    name: String,
    cookie: Cookie,
    expiry: Duration,
    sliding: bool,
    sealed: Arc<Sealed>,
    /// `None`: the browsers have them.
    stored: Option<Stored>,
    marks: Option<Marks>,
    ended: Ended,
    clock: Arc<dyn Clock>,
}

/// The session of a request.
pub(super) struct Found {
    pub(super) session: Session,
    /// Whether it is time that a session that slides is kept anew: more than half of its life is over.
    pub(super) is_half_over: bool,
    id: Option<Id>,
}

impl Sessions {
    /// Sessions in cookies, or in a store. The error is one sentence.
    pub(super) fn new(
        options: &Options<'_>,
        sealed: Arc<Sealed>,
        store: Option<Arc<dyn Store>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, String> {
        let name = cookies::name(options.cookie, options.name)?;
        Ok(Self {
            stored: store.map(|store| Stored::new(&name, store, random)),
            marks: options
                .logouts
                .map(|(issuer, client)| Marks::new(issuer, client, options.expiry)),
            ended: Ended::default(),
            name,
            cookie: options.cookie.clone(),
            expiry: options.expiry,
            sliding: options.sliding,
            sealed,
            clock,
        })
    }

    /// The session of a request; `None` where there is none, or none that is whole, ours and not over.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub(super) async fn find(&self, headers: &HeaderMap) -> Result<Option<Found>, Fault> {
        let Some(Opened { bytes, until }) = self.opened(headers) else {
            return Ok(None);
        };
        let left = until.duration_since(self.clock.now()).unwrap_or_default();
        let found = |session, id| Found {
            session,
            is_half_over: self.sliding && left < self.expiry / 2,
            id,
        };
        let Some(stored) = &self.stored else {
            let session = written::read(&bytes).filter(|session| !self.has_ended(&session.login));
            return Ok(session.map(|session| found(session, None)));
        };
        let Some(id) = id(&bytes) else {
            return Ok(None);
        };
        let Some(session) = self.kept(stored, &id).await? else {
            return Ok(None);
        };
        if let Some(marks) = &self.marks
            && marks.is_over(stored, &session).await?
        {
            stored.remove(&id).await?;
            return Ok(None);
        }
        Ok(Some(found(session, Some(id))))
    }

    /// Ends the sessions of somebody who has logged out at the provider; false: it was said before.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub(super) async fn logged_out(&self, logout: &Logout) -> Result<bool, Fault> {
        match self.marks.as_ref().zip(self.stored.as_ref()) {
            Some((marks, stored)) => marks.note(stored, logout).await,
            None => Err(Fault::new(Reason::Internal)),
        }
    }

    /// Keeps a session, and gives the `Set-Cookie` fields that do. Without a `previous` one somebody
    /// has logged in: it begins anew, and what the request was `sent` with ends. Else the same one goes
    /// on, unless it was ended meanwhile.
    ///
    /// # Errors
    /// When it is too large for cookies, or the store cannot be told.
    pub(super) async fn keep(
        &self,
        session: &Session,
        previous: Option<&Found>,
        sent: &HeaderMap,
    ) -> Result<Vec<HeaderValue>, Fault> {
        let now = self.clock.now();
        let begins = if self.sliding {
            now
        } else {
            session.created_at
        };
        let until = begins + self.expiry;
        let life = until.duration_since(now).unwrap_or_default();
        let bytes = written::write(session).ok_or_else(|| Fault::new(Reason::Internal))?;
        let value = match &self.stored {
            None if self.has_ended(&session.login) => return Ok(self.expire(sent)),
            None => self.sealed.seal(&self.name, &bytes, until),
            Some(stored) => {
                let id = match previous.and_then(|found| found.id.as_ref()) {
                    Some(id) if stored.get(id).await?.is_none() => return Ok(self.expire(sent)),
                    Some(id) => id.clone(),
                    None => {
                        self.forget(stored, sent).await?;
                        stored.id()
                    }
                };
                let sealed = self.sealed.seal(&place(&id), &bytes, until);
                stored.put(&id, sealed.into_bytes(), life).await?;
                self.sealed.seal(&self.name, id.as_slice(), until)
            }
        };
        let pieces = pieces::split(&self.name, &value).ok_or_else(|| too_large(value.len()))?;
        let stale = pieces::sent(&self.name, sent, pieces.len());
        let seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        let seconds = if seconds == 0 { -1 } else { seconds };
        let set = pieces
            .iter()
            .filter_map(|(name, value)| cookies::set(&self.cookie, name, value, seconds));
        Ok(set.chain(self.ended(stale)).collect())
    }

    /// Ends the session of a request. A store that cannot be told has it until it is over; the
    /// browser has it no more.
    pub(super) async fn end(&self, sent: &HeaderMap) -> Vec<HeaderValue> {
        if let Some(stored) = &self.stored
            && let Err(fault) = self.forget(stored, sent).await
        {
            tracing::warn!(error = %fault, "a session that was ended stays in the store until it is over");
        }
        self.expire(sent)
    }

    /// Remembers that somebody has left: what is on its way for him brings no cookie back.
    pub(super) fn leave(&self, session: &Session) {
        self.ended.note(&session.login);
    }

    /// Whether the person of this login has left here a little while ago.
    pub(super) fn has_ended(&self, login: &str) -> bool {
        self.ended.has(login)
    }

    /// Takes its cookies out of a request, whatever they are worth.
    pub(super) fn without(&self, headers: &mut HeaderMap) {
        pieces::take_off(&self.name, headers);
    }

    /// What a browser kept, and until when.
    fn opened(&self, headers: &HeaderMap) -> Option<Opened> {
        let value = pieces::join(&self.name, headers)?;
        self.sealed.open(&self.name, &value)
    }

    async fn kept(&self, stored: &Stored, id: &Id) -> Result<Option<Session>, Fault> {
        let value = stored.get(id).await?;
        let text = value.and_then(|value| String::from_utf8(value).ok());
        let opened = text.and_then(|text| self.sealed.open(&place(id), &text));
        Ok(opened.and_then(|opened| written::read(&opened.bytes)))
    }

    async fn forget(&self, stored: &Stored, sent: &HeaderMap) -> Result<(), Fault> {
        match self.opened(sent).and_then(|opened| id(&opened.bytes)) {
            Some(id) => stored.remove(&id).await,
            None => Ok(()),
        }
    }

    /// The fields that end every cookie of a request that is ours.
    fn expire(&self, sent: &HeaderMap) -> Vec<HeaderValue> {
        self.ended(pieces::sent(&self.name, sent, 0)).collect()
    }

    fn ended(&self, names: Vec<String>) -> impl Iterator<Item = HeaderValue> {
        let names = names.into_iter();
        names.filter_map(|name| cookies::set(&self.cookie, &name, "", -1))
    }
}

/// What a store's value is sealed for: an id, so no value stands for another's.
fn place(id: &Id) -> String {
    format!("stored {}", carnet_jose::base64url::encode(id.as_slice()))
}

fn id(bytes: &[u8]) -> Option<Id> {
    bytes.try_into().ok().map(Id::new)
}

fn too_large(length: usize) -> Fault {
    let most = pieces::LONGEST;
    Fault::new(Reason::TokenEndpointAnswer).because(format!(
        "the tokens of this session need {length} bytes of cookies, more than {most}; ask for fewer scopes or claims, or set `session.store.redis`"
    ))
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("expires_at", &self.expires_at)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("name", &self.name)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}
