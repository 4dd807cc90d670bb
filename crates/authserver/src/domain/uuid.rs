//! Names that nobody has had before.

use carnet_oauth::Random;

/// Whether a text is a UUID.
pub(super) fn is_one(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

/// A random UUID (RFC 9562, version 4).
pub(super) fn fresh(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
