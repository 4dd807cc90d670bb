//! The cookies of a browser, for all of a scenario's steps.

use std::collections::BTreeMap;

use crate::compare::Received;

/// What servers set, by name; of one server, so that domain and path do not matter.
#[derive(Debug, Default)]
pub(super) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Keeps what an answer sets, and forgets what it takes back.
    pub(super) fn keep(&mut self, received: &Received) {
        let set = received.headers.iter();
        let set = set.filter(|(name, _)| name == "set-cookie");
        for (_, line) in set {
            let mut parts = line.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let is_over = parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
            match is_over {
                true => drop(self.0.remove(name)),
                false => drop(self.0.insert(name.to_owned(), value.to_owned())),
            }
        }
    }

    /// The field of a request.
    pub(super) fn field(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_kept_until_they_are_taken_back() {
        let mut jar = Jar::default();
        let answer = |lines: &[&str]| Received {
            headers: lines
                .iter()
                .map(|line| ("set-cookie".to_owned(), (*line).to_owned()))
                .collect(),
            ..Received::default()
        };
        jar.keep(&answer(&["a=1; Path=/; Max-Age=60", "b=2=3"]));
        assert_eq!(jar.field(), "a=1; b=2=3");
        jar.keep(&answer(&["a=x; Path=/; Max-Age=0", "b=4"]));
        assert_eq!(jar.field(), "b=4");
    }
}
