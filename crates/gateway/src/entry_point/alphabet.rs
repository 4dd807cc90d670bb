//! Sets of characters that stand for themselves: one look at each byte.

/// Letters, digits and a few others.
pub(super) struct Alphabet([bool; 256]);

impl Alphabet {
    /// ASCII letters and digits, and these.
    pub(super) const fn with(others: &[u8]) -> Self {
        let mut has = [false; 256];
        let mut byte = 0;
        while byte < has.len() {
            has[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            has[others[at] as usize] = true;
            at += 1;
        }
        Self(has)
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// Whether nothing else is in a text.
    pub(super) fn spells(&self, text: &[u8]) -> bool {
        text.iter().all(|byte| self.has(*byte))
    }
}
