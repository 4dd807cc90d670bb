//! A defect on demand, so that what a panic costs can be seen from outside (`faults/f29_panic.py`).
//! In builds with debug assertions alone; releases have none.

use std::net::SocketAddr;

/// Who looks this name up meets the defect.
const HOST: &str = "fail-point.invalid";

/// Knows no name.
#[expect(clippy::panic, reason = "what it is for")]
pub(super) fn resolve(host: &str, _: u16) -> Option<SocketAddr> {
    if cfg!(debug_assertions) && host == HOST {
        panic!("the fail point was reached");
    }
    None
}
