//! Where the bit of a token stands. Nobody keeps it: it follows from when the token was issued and
//! from its `jti`, in which the process that made it says who it is and the how many-th token of this
//! client in this second it was.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use carnet_jose::base64url;
use carnet_oauth::Random;

use crate::domain::system_keys::{Purpose, SystemKeys};

/// A list is of the tokens of so many seconds.
pub(super) const SECONDS: i64 = 6 * 3600;

/// So many tokens of a second are in one list; the next ones are in another.
pub(super) const SLOTS: i64 = 16;

/// For so many seconds a process knows how many tokens it made; older ones come under another name.
const REMEMBERED: i64 = 120;

/// So many counts at most.
const COUNTS: usize = 100_000;

/// The length of a MAC.
const MAC: usize = 32;

/// A list: tokens of one client, of one process, of a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct List {
    pub(super) client_id: String,
    /// Which span since 1970.
    span: u32,
    /// The process that made the tokens, by a name that it took at random.
    process: [u8; 6],
    /// Which sixteen of each second.
    lane: u16,
}

/// The place of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::domain) struct Place {
    pub(super) list: List,
    pub(super) index: i64,
}

/// Gives places, none of them twice.
#[derive(Debug)]
pub(super) struct Places(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    process: [u8; 6],
    /// How many tokens a client got in a second.
    of: BTreeMap<(i64, String), u32>,
    /// Of earlier seconds nothing is known.
    from: i64,
}

impl List {
    /// When its span begins, in seconds since 1970.
    pub(super) fn begins(&self) -> i64 {
        i64::from(self.span).saturating_mul(SECONDS)
    }

    /// The last part of its address. It has a MAC, so that nobody has lists signed that are none.
    pub(super) fn name(&self, keys: &SystemKeys) -> Option<String> {
        let text = self.bytes();
        let mac = keys.mac(Purpose::StatusLists, &text)?;
        Some(base64url::encode([&text, mac.as_ref()].concat()))
    }

    /// The list of a name that was given here.
    pub(super) fn of_name(keys: &SystemKeys, name: &str) -> Option<Self> {
        let bytes = base64url::decode(name)?;
        let (text, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        (0..keys.count())
            .any(|at| keys.verifies(at, Purpose::StatusLists, text, mac))
            .then_some(())?;
        let (span, rest) = text.split_first_chunk()?;
        let (process, rest) = rest.split_first_chunk()?;
        let (lane, client_id) = rest.split_first_chunk()?;
        Some(Self {
            client_id: std::str::from_utf8(client_id).ok()?.to_owned(),
            span: u32::from_be_bytes(*span),
            process: *process,
            lane: u16::from_be_bytes(*lane),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let client_id = self.client_id.as_bytes();
        let (span, lane) = (self.span.to_be_bytes(), self.lane.to_be_bytes());
        [&span[..], &self.process, &lane, client_id].concat()
    }
}

impl Place {
    /// The place of a token that was made with one. Any other `jti` has some place, too, in a list
    /// that no process has.
    pub(super) fn of(client_id: &str, issued_at: i64, jti: &str) -> Option<Self> {
        let bytes = uuid::Uuid::try_parse(jti).ok()?.into_bytes();
        let (process, rest) = bytes.split_first_chunk()?;
        // The seventh byte holds the version, the ninth the variant.
        let [_, slot, _, high, low, ..] = rest else {
            return None;
        };
        let list = List {
            client_id: client_id.to_owned(),
            span: u32::try_from(issued_at.div_euclid(SECONDS)).ok()?,
            process: *process,
            lane: u16::from_be_bytes([*high, *low]),
        };
        let second = issued_at.rem_euclid(SECONDS);
        let index = second * SLOTS + i64::from(*slot) % SLOTS;
        Some(Self { list, index })
    }
}

impl Places {
    pub(super) fn new(random: &dyn Random) -> Self {
        let counts = Counts {
            process: fresh(random),
            ..Counts::default()
        };
        Self(Mutex::new(counts))
    }

    /// A `jti` that says where the bit of a token of this client stands, issued in this second.
    pub(super) fn take(&self, client_id: &str, issued_at: i64, random: &dyn Random) -> String {
        let (process, count) = self.count(client_id, issued_at, random);
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let slots = u32::try_from(SLOTS).unwrap_or(1);
        let lane = u16::try_from(count / slots)
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        bytes[..6].copy_from_slice(&process);
        bytes[7] = u8::try_from(count % slots).unwrap_or_default();
        bytes[9..11].copy_from_slice(&lane);
        let made = uuid::Builder::from_random_bytes(bytes);
        made.into_uuid().to_string()
    }

    fn count(&self, client_id: &str, issued_at: i64, random: &dyn Random) -> ([u8; 6], u32) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (issued_at, client_id.to_owned());
        let is_new = !counts.of.contains_key(&key);
        // What cannot be told apart any more gets another name.
        let most = u32::from(u16::MAX) * u32::try_from(SLOTS).unwrap_or(1);
        let is_full = counts.of.get(&key).is_some_and(|count| *count >= most);
        if issued_at < counts.from || is_full || is_new && counts.of.len() >= COUNTS {
            counts.process = fresh(random);
            counts.of.clear();
            counts.from = i64::MIN;
        }
        let process = counts.process;
        let count = counts.of.entry(key).or_default();
        let taken = *count;
        *count += 1;
        if taken == 0 {
            counts.forget(issued_at.saturating_sub(REMEMBERED));
        }
        (process, taken)
    }
}

impl Counts {
    /// Forgets the seconds before one.
    fn forget(&mut self, before: i64) {
        let kept = self.of.split_off(&(before, String::new()));
        if !self.of.is_empty() {
            self.from = self.from.max(before);
        }
        self.of = kept;
    }
}

fn fresh(random: &dyn Random) -> [u8; 6] {
    let mut bytes = [0; 6];
    random.fill(&mut bytes);
    bytes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicU64, Ordering},
    };

    use super::*;

    /// Counts, so that no two names are alike.
    #[derive(Debug, Default)]
    struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let length = buffer.len().min(6);
            buffer[..length].copy_from_slice(&next[8 - length..]);
        }
    }

    fn place(jti: &str, at: i64) -> (List, i64) {
        let Place { list, index } = Place::of("c", at, jti).unwrap();
        (list, index)
    }

    #[test]
    fn no_place_is_given_twice_whatever_the_clock_does() {
        let random = Counting::default();
        let places = Places::new(&random);
        let mut seen = BTreeSet::new();
        let times = [
            100, 100, 101, 99, 100, 300, 250, 100, 301, 0, 301, 1_000_000, 5,
        ];
        for at in times {
            for _ in 0..40 {
                let jti = places.take("c", at, &random);
                let (list, index) = place(&jti, at);
                let name = (list.span, list.process, list.lane, index);
                assert!(seen.insert(name), "{name:?} twice, at {at}");
            }
        }
        let one = places.take("a", 500, &random);
        let process = place(&one, 500).0.process;
        let next = places.take("a", 501, &random);
        assert_eq!(place(&next, 501).0.process, process);
    }

    #[test]
    fn a_name_with_a_place_is_a_uuid_of_version_4() {
        let random = Counting::default();
        let places = Places::new(&random);
        for _ in 0..100 {
            let jti = places.take("c", 100, &random);
            let read = uuid::Uuid::try_parse(&jti).unwrap();
            assert_eq!(read.get_version_num(), 4, "{jti}");
            assert_eq!(read.get_variant(), uuid::Variant::RFC4122, "{jti}");
        }
        assert_eq!(Place::of("c", 100, "no-uuid"), None);
    }

    #[test]
    fn the_last_second_of_a_span_is_in_its_list() {
        let random = Counting::default();
        let places = Places::new(&random);
        let (mut last, mut first) = (Vec::new(), Vec::new());
        for _ in 0..SLOTS {
            let (end, begin) = (2 * SECONDS - 1, 2 * SECONDS);
            last.push(place(&places.take("c", end, &random), end));
            first.push(place(&places.take("c", begin, &random), begin));
        }
        let indexes: Vec<_> = last.iter().map(|(_, index)| *index).collect();
        let begin = SECONDS * SLOTS - SLOTS;
        assert_eq!(indexes, (begin..SECONDS * SLOTS).collect::<Vec<_>>());
        assert_eq!(last[0].0.begins(), SECONDS);
        assert_eq!((first[0].0.begins(), first[0].1), (2 * SECONDS, 0));
    }
}
