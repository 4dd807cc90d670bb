//! Traefik's `acme.json`: an object for each resolver, with an account and certificates.
//!
//! The certificates are where Traefik has them, so either program serves what the other got. The
//! account is not: Traefik's has an RSA key, ours a P-256 one, so ours is under `carnet`, and
//! Traefik's stays. Whatever else is in the file stays, too.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use instant_acme::AccountCredentials;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::{Names, Storage};

/// A certificate with its key, both in PEM.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Those it was asked for.
    pub(super) names: Names,
    pub(super) certificate: String,
    pub(super) key: SecretString,
}

/// The part of a resolver.
#[derive(Debug, Clone)]
pub(super) struct AcmeJson {
    resolver: Arc<str>,
    storage: Arc<dyn Storage>,
    /// Held while a file is changed: resolvers may share it.
    changing: Arc<Mutex<()>>,
}

impl AcmeJson {
    /// `changing` is the same for all resolvers.
    pub(super) fn new(
        resolver: &str,
        storage: Arc<dyn Storage>,
        changing: &Arc<Mutex<()>>,
    ) -> Self {
        Self {
            resolver: resolver.into(),
            storage,
            changing: Arc::clone(changing),
        }
    }

    /// All certificates, without those that cannot be read. The error is one sentence.
    pub(super) fn certificates(&self) -> Result<Vec<Kept>, String> {
        let file = self.read()?;
        let certificates = file
            .get(&*self.resolver)
            .and_then(|part| part.get("Certificates"));
        let certificates = certificates.and_then(Value::as_array);
        Ok(certificates
            .into_iter()
            .flatten()
            .filter_map(kept)
            .collect())
    }

    /// Our account at an authority.
    pub(super) fn account(&self, ca_server: &str) -> Result<Option<AccountCredentials>, String> {
        let file = self.read()?;
        let ours = file
            .get(&*self.resolver)
            .and_then(|part| part.get("carnet"));
        let ours = ours.filter(|ours| ours.get("caServer").is_some_and(|s| s == ca_server));
        let Some(account) = ours.and_then(|ours| ours.get("account")) else {
            return Ok(None);
        };
        let credentials = serde_json::from_value(account.clone());
        credentials
            .map(Some)
            .map_err(|_| self.unreadable("its `carnet.account` is none"))
    }

    /// Keeps our account.
    pub(super) async fn keep_account(
        &self,
        ca_server: &str,
        credentials: &AccountCredentials,
    ) -> Result<(), String> {
        let account = serde_json::to_value(credentials).map_err(|error| error.to_string())?;
        let ours = json!({"caServer": ca_server, "account": account});
        self.change(move |part| {
            part.insert("carnet".to_owned(), ours);
        })
        .await
    }

    /// Keeps a certificate in place of the one for the same names.
    pub(super) async fn keep_certificate(&self, kept: &Kept) -> Result<(), String> {
        let new = written(kept);
        self.change(move |part| {
            let all = part.entry("Certificates").or_insert_with(|| json!([]));
            if !all.is_array() {
                *all = json!([]);
            }
            if let Some(all) = all.as_array_mut() {
                let same = all
                    .iter_mut()
                    .find(|old| old.get("domain") == new.get("domain"));
                match same {
                    Some(old) => *old = new,
                    None => all.push(new),
                }
            }
        })
        .await
    }

    /// Reads the file anew, since others write it too, and writes it with a change.
    async fn change(
        &self,
        change: impl FnOnce(&mut Map<String, Value>) + Send + 'static,
    ) -> Result<(), String> {
        let this = self.clone();
        let changed = tokio::task::spawn_blocking(move || {
            let _alone = this.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut file = this.read()?;
            let part = file
                .entry(&*this.resolver)
                .or_insert_with(|| json!({"Account": null}));
            if !part.is_object() {
                *part = json!({"Account": null});
            }
            if let Some(part) = part.as_object_mut() {
                change(part);
            }
            let text = serde_json::to_string_pretty(&file).map_err(|error| error.to_string())?;
            this.storage.write(&text.into())
        });
        changed.await.map_err(|error| error.to_string())?
    }

    fn read(&self) -> Result<Map<String, Value>, String> {
        let Some(text) = self.storage.read()? else {
            return Ok(Map::new());
        };
        let text = text.expose_secret();
        if text.trim().is_empty() {
            return Ok(Map::new());
        }
        // What it says could be of a key.
        serde_json::from_str(text).map_err(|_| self.unreadable("it is no JSON object"))
    }

    fn unreadable(&self, reason: &str) -> String {
        format!(
            "the storage of resolver `{}` cannot be read: {reason}; it is left as it is",
            self.resolver
        )
    }
}

fn kept(value: &Value) -> Option<Kept> {
    let domain = value.get("domain")?;
    let main = domain.get("main").and_then(Value::as_str);
    let sans = domain.get("sans").and_then(Value::as_array);
    let sans = sans.into_iter().flatten().filter_map(Value::as_str);
    let text = |key| {
        let encoded = value.get(key)?.as_str()?;
        String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
    };
    Some(Kept {
        names: main.into_iter().chain(sans).map(str::to_owned).collect(),
        certificate: text("certificate")?,
        key: text("key")?.into(),
    })
}

fn written(kept: &Kept) -> Value {
    let mut domain = Map::new();
    if let Some((main, sans)) = kept.names.split_first() {
        domain.insert("main".to_owned(), json!(main));
        if !sans.is_empty() {
            domain.insert("sans".to_owned(), json!(sans));
        }
    }
    json!({
        "domain": domain,
        "certificate": BASE64_STANDARD.encode(&kept.certificate),
        "key": BASE64_STANDARD.encode(kept.key.expose_secret()),
        "Store": "default",
    })
}
