//! What outlives a configuration: connection pools, token caches, the turn of a balancer. An object
//! is carried over while its qualified name and all it is made from stay equal: a reload never
//! empties a cache by accident and never keeps one whose options changed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Named objects and what they were made from.
#[derive(Debug)]
pub(super) struct Shelf<I, T>(BTreeMap<Arc<str>, Arc<Kept<I, T>>>);

#[derive(Debug)]
struct Kept<I, T> {
    input: I,
    made: Result<T, String>,
}

impl<I: PartialEq, T> Shelf<I, T> {
    /// Puts the object of this name on the shelf: the previous shelf's where its input is equal,
    /// else a new one. What could not be made is tried again each time: its material may have come.
    pub(super) fn place(
        &mut self,
        name: &str,
        input: I,
        previous: &Self,
        make: impl FnOnce(&I) -> Result<T, String>,
    ) -> &Result<T, String> {
        let (name, kept) = match previous.0.get_key_value(name) {
            Some((name, kept)) if kept.input == input && kept.made.is_ok() => {
                (Arc::clone(name), Arc::clone(kept))
            }
            _ => {
                let made = make(&input);
                (Arc::from(name), Arc::new(Kept { input, made }))
            }
        };
        &self.0.entry(name).insert_entry(kept).into_mut().made
    }
}

impl<I, T> Shelf<I, T> {
    /// Takes an object off.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Takes off all whose names begin with this.
    pub(super) fn remove_all(&mut self, beginning: &str) {
        let from = (Bound::Included(beginning), Bound::Unbounded);
        let names = self.0.range::<str, _>(from).map(|(name, _)| name);
        let names = names.take_while(|name| name.starts_with(beginning));
        for name in names.cloned().collect::<Vec<_>>() {
            self.0.remove(&name);
        }
    }

    /// All objects that could be made.
    pub(super) fn made(&self) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(|kept| kept.made.as_ref().ok())
    }

    /// The object, or why there is none; `None` when nobody placed it.
    pub(super) fn find(&self, name: &str) -> Option<&Result<T, String>> {
        self.0.get(name).map(|kept| &kept.made)
    }
}

impl<I, T> Clone for Shelf<I, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I, T> Default for Shelf<I, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(input: u8, made: &str, previous: &Shelf<u8, String>) -> Shelf<u8, String> {
        let mut shelf = Shelf::default();
        let _ = shelf.place("a@file", input, previous, |_| Ok(made.to_owned()));
        shelf
    }

    #[test]
    fn an_equal_input_keeps_the_object_and_another_does_not() {
        let first = shelf(1, "first", &Shelf::default());
        let second = shelf(1, "second", &first);
        assert_eq!(second.find("a@file"), Some(&Ok("first".to_owned())));
        let third = shelf(2, "third", &second);
        assert_eq!(third.find("a@file"), Some(&Ok("third".to_owned())));
        assert_eq!(third.find("b@file"), None);
    }

    #[test]
    fn what_could_not_be_made_is_tried_again() {
        let mut first = Shelf::default();
        let _ = first.place("a@file", 1, &Shelf::default(), |_| Err("no".to_owned()));
        let second = shelf(1, "second", &first);
        assert_eq!(second.find("a@file"), Some(&Ok("second".to_owned())));
    }
}
