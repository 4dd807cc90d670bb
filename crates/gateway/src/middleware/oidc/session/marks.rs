//! Who has logged out at the provider: marks in the store beside the sessions, which all gateways see.
//! Nobody looks for sessions then: each is compared with the marks when it is used, so that a login or
//! a renewal that is on its way escapes no logout. What is compared are times of the provider alone.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::base64url;
use futures_util::future::try_join;

use super::Session;
use super::stored::Stored;
use crate::error::Fault;

/// A renewal that was on its way when somebody logged out keeps a session so much later at the latest.
const MARGIN: Duration = Duration::from_secs(600);

/// Whose logouts are marked: a provider and a client of it.
pub(super) struct Marks {
    issuer: String,
    client: String,
    life: Duration,
}

/// Somebody has logged out (OpenID Connect Back-Channel Logout 1.0, section 2.4).
#[derive(Debug, PartialEq, Eq)]
pub(in crate::middleware::oidc) struct Logout {
    /// Of which session at the provider; `None`: of all.
    pub(in crate::middleware::oidc) sid: Option<String>,
    /// Who; `None`: whoever had the session.
    pub(in crate::middleware::oidc) sub: Option<String>,
    /// Tells one token from another.
    pub(in crate::middleware::oidc) jti: String,
    /// When, by the provider's clock, in seconds since 1970.
    pub(in crate::middleware::oidc) at: i64,
    /// For how long the token that says so counts.
    pub(in crate::middleware::oidc) counts_for: Duration,
}

/// What a mark is of.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// A session at the provider.
    Sid(&'a str),
    /// A person, whatever the session.
    Sub(&'a str),
    /// A person, in sessions here of which the provider did not say which ones of its own they are.
    SubAlone(&'a str),
    /// A token that was used.
    Token(&'a str),
}

impl Marks {
    /// Of a client's sessions, which live for so long unless they are used.
    pub(super) fn new(issuer: &str, client: &str, expiry: Duration) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client: client.to_owned(),
            life: expiry.saturating_add(MARGIN),
        }
    }

    /// Notes a logout; false: its token was used before.
    ///
    /// # Errors
    /// When the store cannot be told.
    pub(super) async fn note(&self, stored: &Stored, logout: &Logout) -> Result<bool, Fault> {
        let token = self.name(Of::Token(&logout.jti));
        if stored.read(&token).await?.is_some() {
            return Ok(false);
        }
        self.note_all(stored, logout).await?;
        // The last of all: what failed before may be said again.
        stored
            .write(&token, b"1".to_vec(), logout.counts_for)
            .await?;
        Ok(true)
    }

    async fn note_all(&self, stored: &Stored, logout: &Logout) -> Result<(), Fault> {
        let (sid, sub) = (logout.sid.as_deref(), logout.sub.as_deref());
        let of_sub = match sid {
            Some(_) => sub.map(Of::SubAlone),
            None => sub.map(Of::Sub),
        };
        for of in sid.map(Of::Sid).into_iter().chain(of_sub) {
            let name = self.name(of);
            // A later one stands: what began between them is over, too.
            let before = read(stored.read(&name).await?);
            let at = before.map_or(logout.at, |before| before.max(logout.at));
            stored
                .write(&name, at.to_string().into_bytes(), self.life)
                .await?;
        }
        Ok(())
    }

    /// Whether a session began before its person logged out.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub(super) async fn is_over(&self, stored: &Stored, session: &Session) -> Result<bool, Fault> {
        let text = |name: &str| session.claims.get(name).and_then(|value| value.as_str());
        let sub = text("sub").unwrap_or_default();
        let own = text("sid").map_or(Of::SubAlone(sub), Of::Sid);
        let (own, all) = (self.name(own), self.name(Of::Sub(sub)));
        let (own, all) = try_join(stored.read(&own), stored.read(&all)).await?;
        let is_before = |mark: Option<Vec<u8>>| match mark {
            None => false,
            // What cannot be read is a mark all the same.
            mark => read(mark).is_none_or(|at| session.issued_at <= at),
        };
        Ok(is_before(own) || is_before(all))
    }

    /// A digest: whoever lists what the store has learns no name. Each part stands behind its length.
    fn name(&self, of: Of<'_>) -> String {
        let (kind, value) = match of {
            Of::Sid(sid) => ("sid", sid),
            Of::Sub(sub) => ("sub", sub),
            Of::SubAlone(sub) => ("sub alone", sub),
            Of::Token(jti) => ("jti", jti),
        };
        let parts = [&*self.issuer, &self.client, kind, value];
        let text = parts.map(|part| format!("{}:{part}", part.len())).concat();
        let digest = digest(&SHA256, text.as_bytes());
        format!("carnet:logout:{}", base64url::encode(digest))
    }
}

fn read(mark: Option<Vec<u8>>) -> Option<i64> {
    String::from_utf8(mark?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_provider_client_kind_and_name() {
        let marks = |issuer, client| Marks::new(issuer, client, Duration::ZERO);
        let own = marks("https://op.test", "client");
        let mut names = vec![
            own.name(Of::Sid("a")),
            own.name(Of::Sub("a")),
            own.name(Of::SubAlone("a")),
            own.name(Of::Token("a")),
            own.name(Of::Sid("b")),
            marks("https://op.test", "clien").name(Of::Sid("ta")),
            marks("https://other.test", "client").name(Of::Sid("a")),
        ];
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 7);
        assert_eq!(
            own.name(Of::Sid("a")),
            marks("https://op.test", "client").name(Of::Sid("a"))
        );
    }
}
