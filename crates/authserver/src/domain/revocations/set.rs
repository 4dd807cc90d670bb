//! The revocations in memory: by what they are of, and by their numbers.

use std::collections::BTreeMap;

use crate::store::{NumberedRevocation, Revocation, Revoked};

/// What a token is judged by.
#[derive(Debug)]
pub(in crate::domain) struct Judged<'a> {
    /// Its `jti`; an opaque token has none.
    pub(in crate::domain) jti: Option<&'a str>,
    pub(in crate::domain) client_id: &'a str,
    /// The key that signed it.
    pub(in crate::domain) kid: Option<&'a str>,
    /// When it was issued, in seconds since 1970.
    pub(in crate::domain) issued_at: i64,
}

/// What was revoked of a client.
#[derive(Debug)]
pub(in crate::domain) struct OfClient {
    /// All tokens that were issued until then, in seconds since 1970.
    pub(in crate::domain) until: Option<i64>,
    /// Single tokens: their `jti`, and when they were issued.
    pub(in crate::domain) tokens: Vec<(String, i64)>,
}

/// One revocation, without what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    not_before: i64,
    expires_at: i64,
    seq: i64,
    /// The client of a single token.
    client_id: String,
}

type Entries = BTreeMap<String, Entry>;

/// The set.
#[derive(Debug, Default)]
pub(super) struct RevokedSet {
    tokens: Entries,
    clients: Entries,
    keys: Entries,
    by_seq: BTreeMap<i64, Vec<Revoked>>,
    /// How many single tokens a client has here.
    counts: BTreeMap<String, usize>,
}

impl RevokedSet {
    /// Takes a revocation in, in the place of what was there of the same.
    pub(super) fn apply(&mut self, numbered: NumberedRevocation) {
        let NumberedRevocation { seq, revocation } = numbered;
        let Revocation {
            revoked,
            not_before,
            expires_at,
        } = revocation;
        self.remove(&revoked);
        let (entries, name, client_id) = match &revoked {
            Revoked::Token { jti, client_id } => {
                *self.counts.entry(client_id.clone()).or_default() += 1;
                (&mut self.tokens, jti, client_id.clone())
            }
            Revoked::Client(id) => (&mut self.clients, id, String::new()),
            Revoked::Key(kid) => (&mut self.keys, kid, String::new()),
        };
        let entry = Entry {
            not_before,
            expires_at,
            seq,
            client_id,
        };
        entries.insert(name.clone(), entry);
        if let Revoked::Client(id) = &revoked {
            self.remove_covered(id, not_before, expires_at);
        }
        self.by_seq.entry(seq).or_default().push(revoked);
    }

    /// Removes single tokens that a revocation of their client covers.
    fn remove_covered(&mut self, client_id: &str, not_before: i64, expires_at: i64) {
        if !self.counts.contains_key(client_id) {
            return;
        }
        let is_covered = |entry: &Entry| {
            entry.client_id == client_id
                && entry.not_before <= not_before
                && entry.expires_at <= expires_at
        };
        let covered = self.tokens.iter().filter(|(_, entry)| is_covered(entry));
        let covered: Vec<String> = covered.map(|(jti, _)| jti.clone()).collect();
        for jti in covered {
            let client_id = client_id.to_owned();
            self.remove(&Revoked::Token { jti, client_id });
        }
    }

    fn remove(&mut self, revoked: &Revoked) {
        let removed = match revoked {
            Revoked::Token { jti, .. } => self.tokens.remove(jti),
            Revoked::Client(id) => self.clients.remove(id),
            Revoked::Key(kid) => self.keys.remove(kid),
        };
        let Some(entry) = removed else {
            return;
        };
        if let Some(same) = self.by_seq.get_mut(&entry.seq) {
            same.retain(|other| other != revoked);
            if same.is_empty() {
                self.by_seq.remove(&entry.seq);
            }
        }
        let is_token = matches!(revoked, Revoked::Token { .. });
        let count = self.counts.get_mut(&entry.client_id);
        if let Some(count) = count.filter(|_| is_token) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&entry.client_id);
            }
        }
    }

    /// Whether one of them is of this token.
    pub(super) fn is_revoked(&self, token: &Judged<'_>) -> bool {
        let until = |entries: &Entries, name: &str| {
            let entry = entries.get(name);
            entry.is_some_and(|entry| token.issued_at <= entry.not_before)
        };
        token.jti.is_some_and(|jti| self.tokens.contains_key(jti))
            || until(&self.clients, token.client_id)
            || token.kid.is_some_and(|kid| until(&self.keys, kid))
    }

    /// What was revoked of a client.
    pub(super) fn of_client(&self, client_id: &str) -> OfClient {
        let count = self.counts.get(client_id).copied().unwrap_or_default();
        let own = self
            .tokens
            .iter()
            .filter(|(_, entry)| entry.client_id == client_id);
        let own = own.take(count);
        OfClient {
            until: self.clients.get(client_id).map(|entry| entry.not_before),
            tokens: own
                .map(|(jti, entry)| (jti.clone(), entry.not_before))
                .collect(),
        }
    }

    /// Forgets those that ended before a time.
    pub(super) fn forget(&mut self, now: i64) {
        let ended: Vec<Revoked> = self
            .by_seq
            .values()
            .flatten()
            .filter(|revoked| self.entry(revoked).is_some_and(|e| e.expires_at < now))
            .cloned()
            .collect();
        for revoked in ended {
            self.remove(&revoked);
        }
    }

    fn entry(&self, revoked: &Revoked) -> Option<&Entry> {
        match revoked {
            Revoked::Token { jti, .. } => self.tokens.get(jti),
            Revoked::Client(id) => self.clients.get(id),
            Revoked::Key(kid) => self.keys.get(kid),
        }
    }

    /// How many single tokens there are.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// The revocation of all tokens of the client that has most single ones, with the next one; it
    /// covers these.
    pub(super) fn of_busiest_client(&self, of: &str, next: &Revocation) -> Option<Revocation> {
        let count = |id: &str| self.counts.get(id).copied().unwrap_or_default();
        let known = self
            .counts
            .keys()
            .map(String::as_str)
            .filter(|id| !id.is_empty());
        let busiest = known.max_by_key(|id| count(id)).unwrap_or(of);
        let is_own = count(of) + 1 >= count(busiest);
        let busiest = if is_own { of } else { busiest };
        let own = self.tokens.values().filter(|e| e.client_id == busiest);
        let times = own.map(|entry| (entry.not_before, entry.expires_at));
        let next = (busiest == of).then_some((next.not_before, next.expires_at));
        let (not_before, expires_at) = times
            .chain(next)
            .reduce(|one, other| (one.0.max(other.0), one.1.max(other.1)))?;
        Some(Revocation {
            revoked: Revoked::Client(busiest.to_owned()),
            not_before,
            expires_at,
        })
    }

    /// At most so many whose number is greater, in the order of their numbers; of one number all.
    pub(super) fn after(&self, seq: i64, count: usize) -> Vec<NumberedRevocation> {
        let mut found = Vec::new();
        for (&seq, same) in self.by_seq.range(seq.saturating_add(1)..) {
            if found.len() >= count {
                break;
            }
            found.extend(same.iter().filter_map(|revoked| {
                let entry = self.entry(revoked)?;
                let revocation = Revocation {
                    revoked: revoked.clone(),
                    not_before: entry.not_before,
                    expires_at: entry.expires_at,
                };
                Some(NumberedRevocation { seq, revocation })
            }));
        }
        found
    }
}
