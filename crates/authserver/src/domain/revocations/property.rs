//! Seeded sequences of what can happen to revocations, against a list that forgets nothing.

use std::sync::Arc;

use carnet_testkit::SeededRandom;

use super::{Judged, NONE, Revocations, set::RevokedSet};
use crate::store::{self, Revocation, Revoked, Store};

const LIMIT: usize = 6;
const CLIENTS: u64 = 4;
const KEYS: u64 = 3;

/// A token that was issued.
#[derive(Debug, Clone)]
struct Token {
    jti: String,
    client: String,
    key: String,
    issued_at: i64,
    ends: i64,
}

impl Token {
    fn is_revoked_by(&self, revocation: &Revocation) -> bool {
        match &revocation.revoked {
            Revoked::Token { jti, .. } => *jti == self.jti,
            Revoked::Client(id) => *id == self.client && self.issued_at <= revocation.not_before,
            Revoked::Key(kid) => *kid == self.key && self.issued_at <= revocation.not_before,
        }
    }

    fn judged(&self) -> Judged<'_> {
        Judged {
            jti: Some(&self.jti),
            client_id: &self.client,
            kid: Some(&self.key),
            issued_at: self.issued_at,
        }
    }
}

/// What happened, and what came of it.
struct Play {
    random: SeededRandom,
    store: Arc<dyn Store>,
    revocations: Revocations,
    now: i64,
    tokens: Vec<Token>,
    /// The list.
    all: Vec<Revocation>,
    /// Who follows by numbers, and where they stand.
    follower: RevokedSet,
    seen: i64,
}

impl Play {
    async fn new(seed: u64) -> Self {
        let store = store::open("memory").await.unwrap();
        Self {
            random: SeededRandom::new(seed),
            revocations: Revocations::open(Arc::clone(&store), LIMIT, 1_000)
                .await
                .unwrap(),
            store,
            now: 1_000,
            tokens: Vec::new(),
            all: Vec::new(),
            follower: RevokedSet::default(),
            seen: NONE,
        }
    }

    fn below(&self, count: u64) -> u64 {
        self.random.next() % count
    }

    fn issue(&mut self) {
        let token = Token {
            jti: format!("j{}", self.tokens.len()),
            client: format!("c{}", self.below(CLIENTS)),
            key: format!("k{}", self.below(KEYS)),
            issued_at: self.now,
            ends: self.now + 1 + i64::try_from(self.below(40)).unwrap(),
        };
        self.tokens.push(token);
    }

    async fn revoke(&mut self, revoked: Revoked, not_before: i64, expires_at: i64) {
        let revocation = Revocation {
            revoked,
            not_before,
            expires_at,
        };
        self.all.push(revocation.clone());
        self.revocations.add(revocation, self.now).await.unwrap();
    }

    async fn step(&mut self) {
        match self.below(16) {
            0..=5 => self.issue(),
            6..=10 => {
                let alive: Vec<&Token> = self.tokens.iter().filter(|t| self.now < t.ends).collect();
                if alive.is_empty() {
                    return;
                }
                let at = usize::try_from(self.below(alive.len() as u64)).unwrap();
                let token = alive[at].clone();
                let revoked = Revoked::Token {
                    jti: token.jti,
                    client_id: token.client,
                };
                self.revoke(revoked, token.issued_at, token.ends).await;
            }
            11 => {
                let revoked = Revoked::Client(format!("c{}", self.below(CLIENTS)));
                self.revoke(revoked, self.now, self.now + 50).await;
            }
            12 => {
                let revoked = Revoked::Key(format!("k{}", self.below(KEYS)));
                self.revoke(revoked, self.now, self.now + 50).await;
            }
            13 => self.now += i64::try_from(self.below(12)).unwrap(),
            14 => {
                self.revocations.forget(self.now);
                self.follower.forget(self.now);
                store::expire(&*self.store, self.now, 100).await.unwrap();
            }
            _ => {
                // The process starts anew.
                let anew = Revocations::open(Arc::clone(&self.store), LIMIT, self.now);
                self.revocations = anew.await.unwrap();
            }
        }
        if self.below(3) == 0 {
            self.follow();
        }
    }

    fn follow(&mut self) {
        for numbered in self.revocations.after(self.seen, usize::MAX) {
            self.seen = numbered.seq;
            self.follower.apply(numbered);
        }
    }

    /// Nothing is forgotten; and what is revoked besides is of a client that had too many.
    fn check(&mut self, what: &str) {
        self.follow();
        assert!(self.revocations.read().tokens() <= LIMIT, "{what}");
        let kept = self.revocations.after(NONE, usize::MAX);
        for token in self.tokens.iter().filter(|token| self.now < token.ends) {
            let expected = self.all.iter().any(|revoked| token.is_revoked_by(revoked));
            let found = self.revocations.is_revoked(&token.judged());
            assert_eq!(
                self.follower.is_revoked(&token.judged()),
                found,
                "{what}: {token:?}"
            );
            assert!(found || !expected, "{what}: {token:?} is forgotten");
            if found && !expected {
                let of_client = kept.iter().any(|numbered| {
                    matches!(numbered.revocation.revoked, Revoked::Client(_))
                        && token.is_revoked_by(&numbered.revocation)
                });
                assert!(of_client, "{what}: {token:?} is revoked by nothing");
            }
        }
    }
}

#[tokio::test]
async fn nothing_that_counts_is_forgotten_whatever_happens() {
    let mut fallbacks = 0;
    for seed in 0..40 {
        let mut play = Play::new(seed).await;
        for n in 0..120 {
            play.step().await;
            play.check(&format!("seed {seed}, step {n}"));
        }
        let asked = |id: &str| {
            play.all
                .iter()
                .any(|r| r.revoked == Revoked::Client(id.to_owned()))
        };
        let kept = play.revocations.after(NONE, usize::MAX).into_iter();
        fallbacks += kept
            .filter(|numbered| match &numbered.revocation.revoked {
                Revoked::Client(id) => !asked(id),
                _ => false,
            })
            .count();
    }
    assert!(fallbacks > 0, "the limit was never reached");
}
