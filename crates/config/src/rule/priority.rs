//! How routers rank among each other: change it here, `router/table.rs` of the gateway sorts by it.

/// The greatest priority a user may give; what is above belongs to the gateway's own routers.
pub const MAX_PRIORITY: i64 = i64::MAX - 1000;

/// The rank of a rule to which its user gave none (or 0): its length in bytes.
pub fn priority(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(MAX_PRIORITY)
}
