//! Signing keys: sealed in the store, open in memory ([`ring`]), changed by the administrator
//! ([`admin`]), published ([`published`]). A request that signs or verifies never touches the store.

pub(crate) mod admin;
mod published;
pub(super) mod ring;
mod sealed;
mod set;
mod vault;

pub(crate) use vault::Vault;

/// The set whose newest key signs access tokens.
pub(crate) const ACCESS_TOKENS: &str = "hydra.jwt.access-token";

/// The set whose newest key signs id tokens.
pub(super) const ID_TOKENS: &str = "hydra.openid.id-token";
