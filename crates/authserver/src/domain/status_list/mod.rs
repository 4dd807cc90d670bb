//! Token status lists (draft-ietf-oauth-status-list): whoever verifies tokens by himself fetches which
//! of them were revoked. A list is computed from the revocations in memory when it is asked for; no
//! token costs a row, and none has a bit of its own before it is revoked. Places: [`place`].

mod place;

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use carnet_jose::base64url;
use carnet_oauth::Random;
use flate2::{Compression, write::ZlibEncoder};
use quick_cache::sync::Cache;
use serde_json::{Value, json};

use crate::domain::{
    Authority, TokenError,
    keys::{
        ACCESS_TOKENS,
        ring::{Kind, Unsigned},
    },
    status_list::place::{List, Place, Places, SECONDS, SLOTS},
};

/// So many signed lists are kept.
const KEPT: usize = 1000;

/// What is known of status lists.
#[derive(Debug)]
pub(super) struct StatusLists {
    places: Places,
    signed: Cache<List, Arc<Signed>>,
}

/// A list as it was signed last.
#[derive(Debug)]
struct Signed {
    text: String,
    at: i64,
    /// The number of the last revocation that it knows.
    last: i64,
}

/// A list to be handed out.
#[derive(Debug)]
pub(crate) struct StatusList {
    /// The signed list, a JWT.
    pub(crate) token: String,
    /// For how long it may be kept.
    pub(crate) kept_for: Duration,
}

impl StatusLists {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self {
            places: Places::new(random),
            signed: Cache::new(KEPT),
        }
    }
}

impl Authority {
    /// The `jti` and the `status` of a token that is being made; no `status` where there are no lists.
    pub(super) fn named(&self, client_id: &str, issued_at: i64) -> (String, Option<Value>) {
        if self.options.status_list.is_none() {
            return (super::uuid::fresh(&*self.random), None);
        }
        let places = &self.status_lists.places;
        let jti = places.take(client_id, issued_at, &*self.random);
        let status = Place::of(client_id, issued_at, &jti).and_then(|place| {
            let uri = self.address(&place.list)?;
            Some(json!({"status_list": {"idx": place.index, "uri": uri}}))
        });
        (jti, status)
    }

    /// The list of a name; `None` where there is none.
    pub(crate) async fn status_list(&self, name: &str) -> Result<Option<StatusList>, TokenError> {
        let Some(ttl) = self.options.status_list else {
            return Ok(None);
        };
        let Some(list) = List::of_name(&self.system, name) else {
            return Ok(None);
        };
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        let (now, last) = (self.now(), self.revocations.last());
        let is_good = |signed: &Arc<Signed>| {
            signed.last == last && (signed.at..signed.at.saturating_add(seconds)).contains(&now)
        };
        let signed = match self.status_lists.signed.get(&list).filter(is_good) {
            Some(signed) => signed,
            None => {
                let text = self.sign_list(&list, now, seconds).await?;
                let signed = Arc::new(Signed {
                    text,
                    at: now,
                    last,
                });
                self.status_lists.signed.insert(list, Arc::clone(&signed));
                signed
            }
        };
        Ok(Some(StatusList {
            token: signed.text.clone(),
            kept_for: ttl,
        }))
    }

    async fn sign_list(&self, list: &List, now: i64, ttl: i64) -> Result<String, TokenError> {
        use secrecy::ExposeSecret as _;
        let packed = packed(&self.bits(list)).map_err(|_| TokenError::internal())?;
        let claims = json!({
            "exp": now.saturating_add(ttl.saturating_mul(2)),
            "iat": now,
            "iss": self.options.issuer,
            "status_list": {"bits": 1, "lst": base64url::encode(packed)},
            "sub": self.address(list).ok_or_else(TokenError::internal)?,
            "ttl": ttl,
        });
        let unsigned = Unsigned {
            claims: claims.to_string().into_bytes(),
            kind: Kind::StatusList,
            lifetime: ttl.saturating_mul(2),
        };
        let token = self.ring.sign(ACCESS_TOKENS, unsigned).await?;
        Ok(token.expose_secret().to_owned())
    }

    /// A bit for each token that the list could have, 1 where it was revoked.
    fn bits(&self, list: &List) -> Vec<u8> {
        let length = usize::try_from(SECONDS * SLOTS / 8).unwrap_or_default();
        let mut bits = vec![0; length];
        let revoked = self.revocations.of_client(&list.client_id);
        if let Some(until) = revoked.until {
            let seconds = until.saturating_sub(list.begins()).saturating_add(1);
            let bytes = seconds.clamp(0, SECONDS) * SLOTS / 8;
            bits[..usize::try_from(bytes).unwrap_or_default()].fill(u8::MAX);
        }
        let places = revoked.tokens.iter();
        let places = places
            .filter_map(|(jti, issued_at)| Place::of(&list.client_id, *issued_at, jti))
            .filter(|place| place.list == *list);
        for place in places {
            let at = usize::try_from(place.index / 8).unwrap_or(usize::MAX);
            if let Some(byte) = bits.get_mut(at) {
                *byte |= 1 << (place.index % 8);
            }
        }
        bits
    }

    fn address(&self, list: &List) -> Option<String> {
        let name = list.name(&self.system)?;
        Some(format!(
            "{}/oauth2/status/{name}",
            self.options.issuer_base()
        ))
    }
}

/// Bits as a status list has them (section 4.1): DEFLATE in the ZLIB format.
fn packed(bits: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bits)?;
    encoder.finish()
}
