//! What the watches have told: the objects, who told of them, and whether all have spoken.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use carnet_config::diagnostics::Diagnostic;

use super::kind::ENDPOINT_SLICES;
use super::watch::{News, Object};
use crate::kubernetes::manifests::Identity;
use crate::kubernetes::objects::{ObjectName, Objects};
use crate::kubernetes::translate::service_of;

/// All that is known of a cluster.
pub(super) struct Known {
    objects: Arc<Objects>,
    told: Vec<Told>,
    findings: Vec<Diagnostic>,
}

/// What one watch has told.
#[derive(Debug, Clone, Default)]
struct Told {
    has_spoken: bool,
    objects: BTreeSet<Identity>,
}

/// What is new.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that matters.
    #[default]
    Nothing,
    /// The endpoints of these Services, and nothing else.
    Endpoints(BTreeSet<ObjectName>),
    /// Whatever it may be.
    Anything,
}

impl Change {
    /// Takes another one in.
    pub(super) fn extend(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Nothing) | (Self::Anything, _) => {}
            (Self::Endpoints(all), Self::Endpoints(more)) => all.extend(more),
            (_, other) => *self = other,
        }
    }
}

impl Known {
    /// Nothing yet, of so many watches.
    pub(super) fn new(watches: usize) -> Self {
        Self {
            objects: Arc::default(),
            told: vec![Told::default(); watches],
            findings: Vec::new(),
        }
    }

    /// Whether every watch has spoken: before, a middleware could be missing that is not.
    pub(super) fn is_complete(&self) -> bool {
        self.told.iter().all(|told| told.has_spoken)
    }

    /// Whether every watch but these has spoken.
    pub(super) fn is_complete_but(&self, numbers: &BTreeSet<usize>) -> bool {
        let others = self.told.iter().enumerate();
        others
            .filter(|(number, _)| !numbers.contains(number))
            .all(|(_, told)| told.has_spoken)
    }

    /// The objects now.
    pub(super) fn objects(&self) -> Arc<Objects> {
        Arc::clone(&self.objects)
    }

    /// What was found since the last time.
    pub(super) fn take_findings(&mut self) -> Vec<Diagnostic> {
        mem::take(&mut self.findings)
    }

    /// Takes news in, and says what is new.
    pub(super) fn take(&mut self, number: usize, news: News) -> Change {
        let slice = match &news {
            News::Applied(object) => Some(&object.identity),
            News::Deleted(identity) => Some(identity),
            News::Listed(_) | News::Refused => None,
        };
        let slice = slice.filter(|identity| identity.kind == ENDPOINT_SLICES.kind);
        let Some(identity) = slice.cloned() else {
            return match self.insert(number, news) {
                true => Change::Anything,
                false => Change::Nothing,
            };
        };
        let name = ObjectName::new(&identity.namespace, &identity.name);
        let before = self.objects.endpoint_slices.get(&name).cloned();
        self.insert(number, news);
        let after = self.objects.endpoint_slices.get(&name);
        if before.as_ref() == after {
            return Change::Nothing;
        }
        let both = before.iter().chain(after);
        let services = both.filter_map(|slice| service_of(&name.namespace, slice));
        Change::Endpoints(services.collect())
    }

    /// `false` when nothing is new.
    fn insert(&mut self, number: usize, news: News) -> bool {
        let Some(told) = self.told.get_mut(number) else {
            return false;
        };
        let objects = Arc::make_mut(&mut self.objects);
        let mut insert = |Object { identity, kept }| match kept {
            Ok(kept) => objects.put(&identity, kept),
            Err(finding) => {
                objects.remove(&identity);
                self.findings.push(finding);
            }
        };
        match news {
            News::Listed(list) => {
                let present: BTreeSet<_> = list.iter().map(|one| one.identity.clone()).collect();
                list.into_iter().for_each(&mut insert);
                for gone in told.objects.difference(&present) {
                    objects.remove(gone);
                }
                told.objects = present;
            }
            News::Applied(object) => {
                told.objects.insert(object.identity.clone());
                insert(object);
            }
            News::Deleted(identity) => {
                objects.remove(&identity);
                told.objects.remove(&identity);
            }
            // What was known before the right was lost stays.
            News::Refused if told.has_spoken => return false,
            News::Refused => {}
        }
        told.has_spoken = true;
        true
    }
}
