//! Tokens that are bound to whoever may show them: to the certificate of a connection (RFC 8705,
//! section 3), or to the key of a proof (RFC 9449). What a proof must be like is in
//! [`carnet_oauth::dpop`]; here it is used up.

use carnet_oauth::{
    Confirmation, ErrorCode,
    client::Client,
    dpop::{self, DpopError, Expected},
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    certificate::Certificate,
    domain::{
        Authority, TokenError,
        authority::within,
        client_auth::{Arrival, Presented, token_endpoints},
    },
};

/// A request as its proofs speak of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Its method.
    pub(crate) method: &'a str,
    /// The addresses under which it may have been sent.
    pub(crate) uris: &'a [String],
}

/// How a token is shown.
#[derive(Debug)]
pub(crate) struct Showing<'a> {
    /// Whether by the scheme `DPoP`; else as a bearer token.
    pub(crate) is_proven: bool,
    /// By what request.
    pub(crate) request: Request<'a>,
    /// What comes with it.
    pub(crate) arrival: &'a Arrival,
}

impl Authority {
    /// To what the tokens of a token request are bound.
    pub(super) async fn bound(
        &self,
        client: &Client,
        presented: &Presented,
    ) -> Result<Confirmation, TokenError> {
        let uris = token_endpoints(&self.options);
        let request = Request {
            method: "POST",
            uris: &uris,
        };
        let key = self.proven(&presented.proofs, request, None).await?;
        if client.dpop_bound_access_tokens && key.is_none() {
            return Err(TokenError::refused(
                ErrorCode::InvalidDpopProof,
                "The client's tokens are bound to a key: the request needs a DPoP proof.",
            ));
        }
        let shown = presented.certificate.as_ref().map(Certificate::thumbprint);
        let certificate = shown.filter(|_| client.tls_client_certificate_bound_access_tokens);
        if client.tls_client_certificate_bound_access_tokens && certificate.is_none() {
            return Err(TokenError::refused(
                ErrorCode::InvalidRequest,
                "The client's tokens are bound to a certificate: the connection needs one.",
            ));
        }
        Ok(Confirmation { key, certificate })
    }

    /// The thumbprint of the key that a request proves to have; `None` when it says nothing of one.
    pub(super) async fn proven(
        &self,
        proofs: &[SecretString],
        request: Request<'_>,
        access_token: Option<&str>,
    ) -> Result<Option<String>, TokenError> {
        let values = proofs.iter().map(|proof| proof.expose_secret().as_bytes());
        let proof = dpop::only(values).map_err(|error| self.unproven(error))?;
        let Some(proof) = proof else {
            return Ok(None);
        };
        let expected = Expected {
            method: request.method,
            uris: request.uris,
            access_token,
            nonces: Some(&self.nonces),
            needs_nonce: self.options.dpop.needs_nonce,
            now: self.now(),
        };
        let proven = dpop::verify(proof, &expected).map_err(|error| self.unproven(error))?;
        match within(self.store.use_jti(&proven.name, proven.until)).await? {
            true => Ok(Some(proven.thumbprint)),
            false => Err(TokenError::refused(
                ErrorCode::InvalidDpopProof,
                "The DPoP proof was used before: its 'jti' counts once.",
            )),
        }
    }

    /// Whether whoever shows a token may.
    pub(super) async fn check_showing(
        &self,
        token: &str,
        confirmation: &Confirmation,
        showing: &Showing<'_>,
    ) -> Result<(), TokenError> {
        let refused = |text: &str| Err(TokenError::refused(ErrorCode::InvalidToken, text));
        if showing.is_proven != confirmation.key.is_some() {
            return refused("A token is shown by the scheme DPoP if it is bound to a key.");
        }
        let arrival = showing.arrival;
        let key = match showing.is_proven {
            true => {
                let proof = self.proven(&arrival.proofs, showing.request, Some(token));
                proof.await?
            }
            false => None,
        };
        let certificate = arrival.certificate.as_ref().map(Certificate::thumbprint);
        match confirmation.is_met_by(&Confirmation { key, certificate }) {
            true => Ok(()),
            false => refused("The token is bound to another key or certificate."),
        }
    }

    /// The nonce that a client's next proof is to have, where it needs one.
    pub(crate) fn next_nonce(&self) -> Option<String> {
        let needs_nonce = self.options.dpop.needs_nonce;
        needs_nonce.then(|| self.nonces.at(self.now()))
    }

    fn unproven(&self, error: DpopError) -> TokenError {
        match error {
            DpopError::Nonce => TokenError::Nonce(self.nonces.at(self.now())),
            error => TokenError::refused(ErrorCode::InvalidDpopProof, error.to_string()),
        }
    }
}
