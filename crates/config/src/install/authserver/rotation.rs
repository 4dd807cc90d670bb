//! `jwks.rotation` (ours): keys that change by themselves.

use std::time::Duration;

use crate::document::Fields;

/// Verifiers keep a key set for as long, many of them.
const SHORTEST: Duration = Duration::from_secs(300);

/// `jwks.rotation`: when the key that signs access tokens changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// `every`: how long a key signs. Required. `720h` is a month.
    pub every: Duration,
    /// `publish_ahead`: how long a key is published before it signs; at least five minutes, since
    /// verifiers keep the key set for as long, and shorter than `every`. Default 1 h.
    pub publish_ahead: Duration,
}

impl Rotation {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let every = fields.duration("every");
        let publish_ahead = fields.duration("publish_ahead");
        let rotation = Self {
            every: every.unwrap_or_default(),
            publish_ahead: publish_ahead.unwrap_or(Duration::from_secs(3600)),
        };
        if every.is_none() {
            fields.error("every", "must say how long a key signs, such as 720h");
            return None;
        }
        if rotation.publish_ahead < SHORTEST {
            fields.error(
                "publish_ahead",
                "at least 5m: verifiers keep the key set for as long",
            );
        }
        if rotation.publish_ahead >= rotation.every {
            fields.error("every", "must be longer than `publish_ahead`");
        }
        Some(rotation)
    }
}
