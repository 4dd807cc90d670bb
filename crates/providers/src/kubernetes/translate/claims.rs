//! Names of the routing configuration. Traefik joins namespace and name by `-`, so that `a/b-c` and
//! `a-b/c` are one to it; here nobody's object can stand in for another's: the later claim on a
//! name gets a suffix.

use std::collections::BTreeMap;
use std::fmt::Write;

use aws_lc_rs::digest;

use crate::kubernetes::objects::ObjectName;
use crate::names::normalize;

/// Names and who owns them.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<String, String>);

impl Claims {
    /// The name for an owner: the wanted one, unless somebody else has it.
    pub(super) fn claim(&mut self, wanted: &str, owner: &str) -> String {
        let name = normalize(wanted);
        let holder = self
            .0
            .entry(name.clone())
            .or_insert_with(|| owner.to_owned());
        if holder == owner {
            return name;
        }
        format!("{name}-{}", hash(owner, 4))
    }
}

/// The names of all objects of a kind.
pub(super) fn names<'a>(
    objects: impl Iterator<Item = &'a ObjectName>,
) -> BTreeMap<ObjectName, String> {
    let mut claims = Claims::default();
    objects
        .map(|object| {
            let wanted = format!("{}-{}", object.namespace, object.name);
            (object.clone(), claims.claim(&wanted, &object.to_string()))
        })
        .collect()
}

/// The first bytes of the SHA-256 of a text, in hex.
pub(super) fn hash(text: &str, bytes: usize) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut hex = String::new();
    for byte in digest.as_ref().iter().take(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_objects_never_share_a_name() {
        let (one, two) = (ObjectName::new("a", "b-c"), ObjectName::new("a-b", "c"));
        let names = names([&one, &two].into_iter());
        assert_eq!(names[&one], "a-b-c");
        assert!(names[&two].starts_with("a-b-c-"), "{}", names[&two]);
    }
}
