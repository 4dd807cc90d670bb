//! Options that are one of a few words.

use super::Fields;

impl Fields<'_> {
    /// What a word means, whatever its case. An empty one counts as absent.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key).filter(|text| !text.is_empty())?;
        self.meaning(key, &text, words)
    }

    /// What `text`, which stands at `key`, means.
    pub fn meaning<T: Copy>(&mut self, key: &str, text: &str, words: &[(&str, T)]) -> Option<T> {
        let is_it = |(word, _): &&(&str, T)| word.eq_ignore_ascii_case(text);
        let known = words.iter().find(is_it).map(|(_, meaning)| *meaning);
        if known.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.error(key, format!("expects one of {}", names.join(", ")));
        }
        known
    }
}
