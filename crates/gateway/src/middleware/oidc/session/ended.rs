//! Sessions in cookies that ended here a little while ago. No gateway can take a cookie back; this one
//! gives none anew for them, whatever was on its way when their people left.

use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

/// Longer than any answer is on its way that could bring a cookie back.
const KEPT: Duration = Duration::from_secs(600);

/// Sessions that are remembered; the coldest are forgotten beyond it.
const MOST: usize = 10_000;

/// What is remembered of them.
pub(super) struct Ended(Cache<String, Instant>);

impl Default for Ended {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Ended {
    /// Remembers the session of this login.
    pub(super) fn note(&self, login: &str) {
        // Those from before logins had names are all called so.
        if !login.is_empty() {
            self.0.insert(login.to_owned(), Instant::now());
        }
    }

    /// Whether it ended.
    pub(super) fn has(&self, login: &str) -> bool {
        let since = self.0.get(login);
        since.is_some_and(|since| since.elapsed() < KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_left_is_remembered_for_a_while_and_nobody_else_is() {
        let ended = Ended::default();
        ended.note("one");
        ended.note("");
        assert!(ended.has("one") && !ended.has("other") && !ended.has(""));
        tokio::time::advance(KEPT).await;
        assert!(!ended.has("one"));
    }
}
