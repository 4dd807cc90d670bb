//! Signing keys: sealed in the store, open in memory ([`ring`]), changed by the administrator
//! ([`admin`]) and by the schedule ([`rotation`]), published
//! ([`published`]). A request that signs or verifies never touches the store.

pub(crate) mod admin;
mod published;
pub(super) mod ring;
mod rotation;
mod sealed;
mod set;
mod snapshot;
mod vault;
mod verified;

pub use rotation::Rotation;
pub(crate) use vault::Vault;

/// The set of which one key signs access tokens.
pub(crate) const ACCESS_TOKENS: &str = "hydra.jwt.access-token";

/// The set of which one key signs id tokens.
pub(super) const ID_TOKENS: &str = "hydra.openid.id-token";
