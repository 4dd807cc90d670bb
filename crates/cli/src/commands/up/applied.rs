//! What has been applied, and kubectl's words for what became of each object.

use std::collections::{BTreeMap, BTreeSet};

use carnet_config::diagnostics::Diagnostic;
use carnet_providers::kubernetes::manifests::{self, Identity, ManifestObject};

use super::sources::Manifest;

/// Everything that was applied so far.
#[derive(Debug, Default)]
pub(super) struct Applied {
    sources: BTreeMap<String, Source>,
    objects: BTreeMap<Identity, ManifestObject>,
}

/// What was last read of a source.
#[derive(Debug, Clone, Default)]
struct Source {
    text: String,
    objects: Vec<ManifestObject>,
}

/// What an application changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What became of each object of the sources that changed, in their order.
    pub(super) objects: Vec<(Identity, Verb)>,
    /// Every object that counts now.
    pub(super) all: Vec<ManifestObject>,
    /// What is wrong with the sources that were read anew.
    pub(super) news: Vec<Diagnostic>,
    /// What is wrong as long as nobody mends it.
    pub(super) standing: Vec<Diagnostic>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// It is new.
    Created,
    /// It changed.
    Configured,
    /// It says what it said before.
    Unchanged,
    /// It is gone.
    Deleted,
}

impl Verb {
    /// kubectl's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        }
    }
}

impl Applied {
    /// Applies all sources as they are now. One that is no YAML keeps what was last read of it.
    pub(super) fn apply(&mut self, manifests: &[Manifest]) -> Changes {
        let mut changes = Changes::default();
        let changed = self.read(manifests, &mut changes.news);
        let in_order = manifests
            .iter()
            .filter_map(|manifest| self.sources.get(&manifest.source));
        let written: Vec<ManifestObject> = in_order
            .flat_map(|source| source.objects.iter().cloned())
            .collect();
        let (all, twice) = manifests::latest(written);
        changes.standing = twice;
        let now: BTreeMap<Identity, ManifestObject> = all
            .iter()
            .map(|object| (object.identity.clone(), object.clone()))
            .collect();
        for object in &all {
            if changed.contains(&*object.node.position.source) {
                let verb = match self.objects.get(&object.identity) {
                    None => Verb::Created,
                    Some(before) if before.says_the_same(object) => Verb::Unchanged,
                    Some(_) => Verb::Configured,
                };
                changes.objects.push((object.identity.clone(), verb));
            }
        }
        let gone = self
            .objects
            .keys()
            .filter(|identity| !now.contains_key(*identity));
        changes
            .objects
            .extend(gone.map(|identity| (identity.clone(), Verb::Deleted)));
        self.objects = now;
        changes.all = all;
        changes
    }

    /// Reads the sources whose text changed, and says which these are.
    fn read(
        &mut self,
        manifests: &[Manifest],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> BTreeSet<String> {
        let names: BTreeSet<&str> = manifests.iter().map(|one| one.source.as_str()).collect();
        self.sources.retain(|name, _| names.contains(name.as_str()));
        let mut changed = BTreeSet::new();
        for Manifest { source, text } in manifests {
            let known = self.sources.entry(source.clone()).or_default();
            if known.text == *text {
                continue;
            }
            known.text.clone_from(text);
            match manifests::parse(text, source) {
                Ok(read) => {
                    known.objects = read.objects;
                    diagnostics.extend(read.diagnostics);
                    changed.insert(source.clone());
                }
                Err(problem) => diagnostics.push(problem),
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(source: &str, objects: &[(&str, &str)]) -> Manifest {
        let documents = objects.iter().map(|(name, value)| {
            format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{a: {value}}}}}")
        });
        Manifest {
            source: source.to_owned(),
            text: documents.collect::<Vec<_>>().join("\n---\n"),
        }
    }

    fn lines(changes: &Changes) -> Vec<String> {
        let lines = changes.objects.iter();
        lines
            .map(|(identity, verb)| format!("{} {}", identity.name, verb.word()))
            .collect()
    }

    #[test]
    fn objects_of_changed_sources_get_kubectls_words() {
        let mut applied = Applied::default();
        let first = [
            manifest("1", &[("a", "1"), ("b", "1")]),
            manifest("2", &[("c", "1")]),
        ];
        assert_eq!(
            lines(&applied.apply(&first)),
            ["a created", "b created", "c created"]
        );
        assert!(lines(&applied.apply(&first)).is_empty());
        let second = [manifest("1", &[("a", "2"), ("b", "1")])];
        assert_eq!(
            lines(&applied.apply(&second)),
            ["a configured", "b unchanged", "c deleted"]
        );
    }

    #[test]
    fn a_source_that_cannot_be_read_keeps_what_was() {
        let mut applied = Applied::default();
        applied.apply(&[manifest("1", &[("a", "1")])]);
        let broken = Manifest {
            source: "1".to_owned(),
            text: "{".to_owned(),
        };
        let changes = applied.apply(std::slice::from_ref(&broken));
        assert!(changes.objects.is_empty());
        assert_eq!((changes.all.len(), changes.news.len()), (1, 1));
        assert!(applied.apply(&[broken]).news.is_empty(), "said once");
    }
}
