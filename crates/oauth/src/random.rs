//! Randomness, handed in.

/// A source of random bytes fit for keys and tokens. Tests use a seeded one.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Fills the buffer. An exhausted source aborts the process rather than give weak bytes.
    fn fill(&self, buffer: &mut [u8]);
}
