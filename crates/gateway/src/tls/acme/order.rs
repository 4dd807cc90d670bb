//! One certificate from an authority: an order, a proof for each name, a key, a chain.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use carnet_config::install::Acme;
use carnet_config::install::certificates_resolvers::{Challenge, Eab, KeyType};
use futures_util::future::BoxFuture;
use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, ChallengeType, ExternalAccountKey,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, RsaKeySize, SanType};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::acme_json::{AcmeJson, Kept};
use super::challenges::Placed;
use super::client::AuthorityClient;
use super::{CertificatesResolver, Challenges};
use crate::supplies::Supplies;

/// The longest common name (RFC 5280 appendix A.1).
const LONGEST_COMMON_NAME: usize = 64;

/// Who gives certificates. Tests have one of their own.
pub(super) trait Authority: Send + Sync {
    /// A certificate for names. The error is one sentence.
    fn obtain<'a>(&'a self, names: &'a [String]) -> BoxFuture<'a, Result<Kept, String>>;
}

/// An authority that is asked by ACME.
pub(super) struct Orders {
    acme: Acme,
    client: AuthorityClient,
    kept: AcmeJson,
    challenges: Arc<Challenges>,
    account: Mutex<Option<Account>>,
}

impl Orders {
    /// The error is one sentence.
    pub(super) fn new(
        resolver: &CertificatesResolver,
        kept: AcmeJson,
        challenges: &Arc<Challenges>,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        Ok(Self {
            acme: resolver.acme.clone(),
            client: AuthorityClient::new(resolver, supplies)?,
            kept,
            challenges: Arc::clone(challenges),
            account: Mutex::default(),
        })
    }

    /// The account that was kept, or a new one, which is kept before it is used.
    async fn account(&self) -> Result<Account, String> {
        let mut account = self.account.lock().await;
        if let Some(account) = &*account {
            return Ok(account.clone());
        }
        let builder = || Account::builder_with_http(Box::new(self.client.clone()));
        let made = match self.kept.account(&self.acme.ca_server)? {
            Some(credentials) => builder()
                .from_credentials(credentials)
                .await
                .map_err(said)?,
            None => {
                let contact = self
                    .acme
                    .email
                    .as_ref()
                    .map(|email| format!("mailto:{email}"));
                let new = NewAccount {
                    contact: &contact.iter().map(String::as_str).collect::<Vec<_>>(),
                    terms_of_service_agreed: true,
                    only_return_existing: false,
                };
                let elsewhere = self.acme.eab.as_ref().map(elsewhere).transpose()?;
                let directory = self.acme.ca_server.clone();
                let created = builder().create(&new, directory, elsewhere.as_ref());
                let (made, credentials) = created.await.map_err(said)?;
                let kept = self.kept.keep_account(&self.acme.ca_server, &credentials);
                kept.await?;
                made
            }
        };
        *account = Some(made.clone());
        Ok(made)
    }

    async fn order(&self, names: &[String]) -> Result<Kept, String> {
        let account = self.account().await?;
        let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut wanted = NewOrder::new(&identifiers);
        if let Some(profile) = &self.acme.profile {
            wanted = wanted.profile(profile);
        }
        let mut order = account.new_order(&wanted).await.map_err(said)?;
        // Until the order is through.
        let _placed = self.prove(&mut order).await?;
        let policy = RetryPolicy::default().timeout(self.acme.certificate_timeout);
        if order.poll_ready(&policy).await.map_err(said)? != OrderStatus::Ready {
            return Err(refusal(&mut order).await);
        }
        let (csr, key) = self.request(names.to_vec()).await?;
        order.finalize_csr(&csr).await.map_err(said)?;
        let certificate = order.poll_certificate(&policy).await.map_err(said)?;
        Ok(Kept {
            names: names.to_vec(),
            certificate,
            key,
        })
    }

    /// Makes ready for the authority's questions, and says so.
    async fn prove(&self, order: &mut Order) -> Result<Vec<Placed>, String> {
        let mut placed = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(said)?;
            match authorization.status {
                AuthorizationStatus::Valid => {}
                AuthorizationStatus::Pending => placed.push(self.answer(&mut authorization).await?),
                other => return Err(format!("an authorization is {other:?}")),
            }
        }
        Ok(placed)
    }

    async fn answer<'a>(
        &self,
        authorization: &'a mut AuthorizationHandle<'a>,
    ) -> Result<Placed, String> {
        let (kind, word) = match self.acme.challenge {
            Challenge::Http(_) => (ChallengeType::Http01, "httpChallenge"),
            Challenge::Tls => (ChallengeType::TlsAlpn01, "tlsChallenge"),
        };
        let challenge = authorization.challenge(kind);
        let mut challenge =
            challenge.ok_or_else(|| format!("the authority does not offer `{word}`"))?;
        let answer = challenge.key_authorization();
        let placed = match self.acme.challenge {
            Challenge::Http(_) => self
                .challenges
                .place_text(&challenge.token, answer.as_str()),
            Challenge::Tls => {
                let Identifier::Dns(host) = challenge.identifier().identifier else {
                    return Err("the authority asks about what is no host".to_owned());
                };
                self.challenges
                    .place_digest(host, answer.digest().as_ref())?
            }
        };
        sleep(self.acme.delay).await;
        challenge.set_ready().await.map_err(said)?;
        Ok(placed)
    }

    /// A request for a certificate, in DER, and the new key, in PEM. An RSA key takes a while.
    async fn request(&self, names: Vec<String>) -> Result<(Vec<u8>, SecretString), String> {
        let acme = self.acme.clone();
        let made = tokio::task::spawn_blocking(move || request(names, &acme));
        made.await.map_err(|error| error.to_string())?
    }
}

impl Authority for Orders {
    fn obtain<'a>(&'a self, names: &'a [String]) -> BoxFuture<'a, Result<Kept, String>> {
        Box::pin(self.order(names))
    }
}

fn request(names: Vec<String>, acme: &Acme) -> Result<(Vec<u8>, SecretString), String> {
    let failed = |error: rcgen::Error| format!("a certificate cannot be asked for: {error}");
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    let pair = match acme.key_type {
        KeyType::Ec256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyType::Ec384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        KeyType::Rsa2048 => rsa(RsaKeySize::_2048),
        KeyType::Rsa4096 => rsa(RsaKeySize::_4096),
    };
    let pair = pair.map_err(failed)?;
    let main = names
        .first()
        .filter(|name| !acme.disable_common_name && name.len() <= LONGEST_COMMON_NAME)
        .cloned();
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    if let Some(main) = main {
        params.distinguished_name.push(DnType::CommonName, main);
    }
    for address in &acme.email_addresses {
        let address = address.as_str().try_into().map_err(failed)?;
        params.subject_alt_names.push(SanType::Rfc822Name(address));
    }
    let csr = params.serialize_request(&pair).map_err(failed)?;
    Ok((csr.der().to_vec(), pair.serialize_pem().into()))
}

/// The account elsewhere.
fn elsewhere(eab: &Eab) -> Result<ExternalAccountKey, String> {
    let text = eab.hmac_encoded.expose_secret().trim_end_matches('=');
    let key = BASE64_URL_SAFE_NO_PAD.decode(text);
    let key = key.map_err(|_| "`eab.hmacEncoded` is no base64url".to_owned())?;
    Ok(ExternalAccountKey::new(eab.kid.clone(), &key))
}

/// Why an authority refused an order, in its words.
async fn refusal(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        let host = state.identifier().to_string();
        let told = state
            .challenges
            .iter()
            .find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = told {
            return format!("the authority could not verify `{host}`: {problem}");
        }
    }
    "the authority refused the order".to_owned()
}

fn said(error: instant_acme::Error) -> String {
    error.to_string()
}
