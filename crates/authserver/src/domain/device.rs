//! Devices that cannot show a page (RFC 8628): the device gets two codes and waits; a person opens
//! the page, gives the short one, logs in and consents in a browser of their own.

use std::time::Duration;

use carnet_oauth::{ErrorCode, client::Client, form, grant::Grant, token_request::TokenRequest};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        AdminError, Authority, TokenError,
        authority::within,
        authorize::{
            Begun, Sealed, Timed,
            answer::{Destination, Onward, Refusal, with_parameters},
            browser::{Browser, Csrf},
        },
        grant::invalid_grant,
        opaque, policy, uuid,
    },
    store::{DeviceRow, Insertion},
};

/// The letters of user codes: easily told apart, and no words (section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// So many of them: of 25 billion codes a few count at a time.
const LENGTH: usize = 8;

/// So often a code is drawn that is taken.
const ATTEMPTS: usize = 5;

/// What a device is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeviceAuthorization {
    /// What the device asks for tokens with.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    device_code: SecretString,
    /// What the person types.
    user_code: String,
    /// Where.
    verification_uri: String,
    /// The same with the code.
    verification_uri_complete: String,
    /// For how many seconds.
    expires_in: u64,
    /// The seconds between two questions.
    interval: u64,
}

/// What the device application says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AcceptDevice {
    user_code: Option<String>,
}

/// A browser at the page for codes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Page {
    id: String,
    csrf: String,
    begun_at: i64,
}

impl Timed for Page {
    fn begun_at(&self) -> i64 {
        self.begun_at
    }
}

/// The same, and the device whose code was given.
#[derive(Debug, Serialize, Deserialize)]
struct Chosen {
    page: Page,
    device: String,
    query: String,
}

fn exposed<S: serde::Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Authority {
    /// The codes of a device.
    pub(crate) async fn device_authorization(
        &self,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<DeviceAuthorization, TokenError> {
        if !client.allows_grant(Grant::DeviceCode.name()) {
            return Err(invalid_grant(
                "The client is not registered for device codes.",
            ));
        }
        let scopes = policy::scopes(&self.options, client, request)?;
        let audiences = policy::audiences(client, request)?;
        let issued = opaque::issue(opaque::Kind::Device, &self.system, &*self.random);
        let (device_code, digest) = issued.ok_or_else(TokenError::internal)?;
        let lifetime = self.options.people.ttl_device_code;
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let scopes = scopes.join(" ");
        let mut pairs = vec![("client_id", client.client_id.as_str().into())];
        pairs.push(("scope", scopes.as_str().into()));
        let audiences = audiences
            .iter()
            .map(|name| ("audience", name.as_str().into()));
        pairs.extend(audiences);
        let query = form::encode_pairs(pairs);
        for _ in 0..ATTEMPTS {
            let user_code = self.user_code();
            let row = DeviceRow {
                digest: digest.clone(),
                user_code: self
                    .user_code_digest(&user_code)
                    .ok_or_else(TokenError::internal)?,
                client_id: client.client_id.clone(),
                query: query.clone(),
                is_denied: false,
                expires_at: self.now().saturating_add(seconds),
            };
            if within(self.store.insert_device(&row)).await? == Insertion::Done {
                return Ok(self.told(device_code, user_code, lifetime));
            }
        }
        Err(TokenError::Unavailable)
    }

    fn told(
        &self,
        device_code: SecretString,
        user_code: String,
        lifetime: Duration,
    ) -> DeviceAuthorization {
        let page = format!("{}/oauth2/device/verify", self.options.public_base());
        DeviceAuthorization {
            verification_uri_complete: format!("{page}?user_code={user_code}"),
            verification_uri: page,
            device_code,
            user_code,
            expires_in: lifetime.as_secs(),
            interval: self.options.people.device_interval.as_secs(),
        }
    }

    /// Letters by chance; a byte that would favour some is drawn again.
    fn user_code(&self) -> String {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let mut bytes = [0; 16];
            self.random.fill(&mut bytes);
            for byte in bytes {
                if byte < 240 && code.len() < LENGTH {
                    let letter = LETTERS.get(usize::from(byte) % LETTERS.len());
                    code.extend(letter.map(|letter| char::from(*letter)));
                }
            }
        }
        code
    }

    /// The store sees no code: there are few enough to try all of them against a plain digest.
    fn user_code_digest(&self, user_code: &str) -> Option<String> {
        use crate::domain::system_keys::Purpose;
        let letters = user_code.chars().filter(char::is_ascii_alphanumeric);
        let text: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
        let mac = self.system.mac(Purpose::UserCodes, text.as_bytes())?;
        Some(carnet_jose::base64url::encode(mac.as_ref()))
    }

    /// Where a browser goes at `/oauth2/device/verify`.
    pub(crate) async fn verify_device(
        &self,
        query: &str,
        browser: &Browser,
    ) -> Result<Onward, TokenError> {
        let parameters = form::parse(query.as_bytes());
        let value = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            let value = found.map(|(_, value)| value.as_str());
            value.filter(|value| !value.is_empty())
        };
        if value("login_verifier").is_some() || value("consent_verifier").is_some() {
            return self.authorize(query, browser).await;
        }
        let outcome = match value("device_verifier") {
            Some(verifier) => self.after_code(verifier, browser).await,
            None => self.to_code(value("user_code")),
        };
        outcome.or_else(|refusal| self.refused(refusal))
    }

    /// On to the application that asks for the code.
    fn to_code(&self, user_code: Option<&str>) -> Result<Onward, Refusal> {
        let page = Page {
            id: uuid::fresh(&*self.random),
            csrf: uuid::fresh(&*self.random),
            begun_at: self.now(),
        };
        let challenge = self.sealed(Sealed::DeviceChallenge, &page);
        let challenge = challenge.ok_or_else(TokenError::internal)?;
        let mut parameters = vec![("device_challenge", challenge.as_str())];
        parameters.extend(user_code.map(|code| ("user_code", code)));
        let named = self.options.people.device_verification_url.as_deref();
        Ok(Onward {
            to: Destination::Page(self.page(named, "device", &parameters)),
            cookies: self.csrf_cookies(Csrf::Device, "", &page.csrf),
        })
    }

    /// Where the browser goes whose person gave a code.
    pub(crate) async fn accept_device(
        &self,
        challenge: &str,
        accepted: AcceptDevice,
    ) -> Result<String, AdminError> {
        let page: Page = self.challenge(Sealed::DeviceChallenge, challenge)?;
        let code = accepted.user_code.filter(|code| !code.is_empty());
        let parameter = |text: &str| AdminError::Parameter(text.to_owned());
        let code = code.ok_or_else(|| parameter("Member 'user_code' must not be empty."))?;
        let digest = self.user_code_digest(&code).ok_or(AdminError::Internal)?;
        let row = within(self.store.find_device_by_user_code(&digest)).await?;
        let is_open = |row: &DeviceRow| !row.is_denied && self.now() < row.expires_at;
        let row = row.filter(is_open);
        let gone = || parameter("There is no such code, or not any more.");
        let row = row.ok_or_else(gone)?;
        // Where a consent was given, the device's code has become one to be redeemed.
        if within(self.store.find_code(&row.digest)).await?.is_some() {
            return Err(gone());
        }
        let chosen = Chosen {
            page,
            device: row.digest,
            query: row.query,
        };
        let verifier = self.sealed(Sealed::DeviceVerifier, &chosen);
        let verifier = verifier.ok_or(AdminError::Internal)?;
        let page = format!("{}/oauth2/device/verify", self.options.public_base());
        let parameters = [
            ("client_id", row.client_id.as_str()),
            ("device_verifier", &verifier),
        ];
        Ok(with_parameters(&page, '?', &parameters))
    }

    /// The browser is back with a code: on to the login application.
    async fn after_code(&self, verifier: &str, browser: &Browser) -> Result<Onward, Refusal> {
        let chosen: Option<Chosen> = self.opened(Sealed::DeviceVerifier, verifier);
        let Some(chosen) = chosen else {
            let text = "The 'device_verifier' is none that was made here.";
            return Err(Refusal::page(ErrorCode::InvalidRequest, text));
        };
        let asked = self.asked(&chosen.query, Some(&chosen.device)).await?;
        let page = &chosen.page;
        let brought = self.csrf_of(Csrf::Device, "", browser);
        self.check_back(&asked.return_to, (&page.csrf, brought), page.begun_at)?;
        if !self.is_first("device", &page.id).await? {
            let text = "The device verifier was used before.";
            return Err(Refusal::page(ErrorCode::AccessDenied, text));
        }
        let begun = Begun::Device {
            query: chosen.query,
            code: chosen.device,
        };
        self.begin_for(&asked, begun, browser).await
    }

    /// Why a device that asks has no tokens yet.
    pub(in crate::domain) async fn waiting_device(
        &self,
        client: &Client,
        digest: &str,
    ) -> Result<TokenError, TokenError> {
        let unknown = invalid_grant("The device code is missing, or none that counts.");
        let Some(row) = within(self.store.find_device(digest)).await? else {
            return Ok(unknown);
        };
        Ok(match row {
            row if row.client_id != client.client_id => unknown,
            row if row.is_denied => {
                TokenError::refused(ErrorCode::AccessDenied, "The person did not consent.")
            }
            row if self.now() >= row.expires_at => TokenError::refused(
                ErrorCode::ExpiredToken,
                "The device code is over: begin again.",
            ),
            _ => TokenError::refused(
                ErrorCode::AuthorizationPending,
                "Nobody has given the code and consented yet.",
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_a_code_are_equally_likely() {
        assert_eq!(240 % LETTERS.len(), 0);
        assert!(LETTERS.iter().all(u8::is_ascii_uppercase));
    }
}
