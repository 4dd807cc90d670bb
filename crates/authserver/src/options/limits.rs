//! `limits` (ours): who gets how much.

use carnet_oauth::client::TokenLimits;

/// The limits. Each process counts for itself.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// `tokens`: for clients that have no limits of their own.
    pub tokens: TokenLimits,
    /// `guesses`: how often a secret may be guessed.
    pub guesses: Guesses,
}

/// `limits.guesses`: for each client id and each address that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guesses {
    /// `rate`: guesses a second; 0: as many as there are.
    pub rate: u32,
    /// `burst`: guesses at once; at least 1.
    pub burst: u32,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            rate: 10,
            burst: 100,
        }
    }
}
