//! The language of `claims` and the paths of `forwardHeaders` and `usernameClaim`.

/// A condition over the claims of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {}

/// Where a claim stands in a token: names from the root, dots escaped by `\.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(pub Vec<String>);
