//! The rules of routers, in Traefik's v3 syntax.

/// A parsed rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {}
