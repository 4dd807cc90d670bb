//! `oidc`: only people pass who logged in at an OpenID provider and have a session here. `session/`
//! is what they have.
#![cfg_attr(not(test), expect(dead_code, reason = "who uses sessions comes next"))]

mod session;

#[cfg(any(fuzzing, test))]
pub(crate) use session::hostile;
