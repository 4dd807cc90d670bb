//! What the targets of `fuzz/` throw hostile bytes at. Each function panics where something does
//! not hold; none is in a build of the program.

pub use crate::entry_point::hostile::{forwarded, proxy_protocol, request, target};
pub use crate::middleware::hostile::oidc_cookie;
pub use crate::upstream::hostile::answer;
