#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use carnet_oauth::Clock;
use carnet_testkit::SeededRandom;
use futures_util::future::BoxFuture;
use rcgen::{CertificateParams, KeyPair};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::acme_json::Kept;
use super::order::Authority;
use super::*;
use crate::token_source::Providers;

const DAY: Duration = Duration::from_secs(86_400);

/// A file in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<Option<String>>);

impl Memory {
    fn of(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(text.to_owned()))))
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.0.lock().unwrap().as_ref().unwrap()).unwrap()
    }
}

impl Storage for Memory {
    fn read(&self) -> Result<Option<SecretString>, String> {
        Ok(self.0.lock().unwrap().clone().map(SecretString::from))
    }

    fn write(&self, text: &SecretString) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(text.expose_secret().to_owned());
        Ok(())
    }
}

/// A clock that goes with tokio's paused one.
#[derive(Debug)]
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> SystemTime {
        // 2027.
        SystemTime::UNIX_EPOCH + DAY * 20_820 + self.0.elapsed()
    }
}

/// What an authority does next: gives a certificate for so many days, or does not.
type Answers = Arc<Mutex<VecDeque<Result<u32, &'static str>>>>;

/// An authority that does as it is told, then fails.
#[derive(Clone)]
struct Double {
    answers: Answers,
    asked: Arc<Mutex<Vec<(Duration, String)>>>,
    clock: Arc<Running>,
}

impl Double {
    fn new(answers: &[Result<u32, &'static str>]) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
            asked: Arc::default(),
            clock: Arc::new(Running(Instant::now())),
        }
    }

    fn supplies(&self) -> Supplies {
        Supplies {
            room: crate::room::Room::of(None),
            own: crate::upstream::Own::default(),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::default()),
            resolve: Arc::new(|_, _| None),
            providers: Arc::new(Providers::new()),
            proofs: Arc::default(),
            tracer: None,
        }
    }

    /// When it was asked for what, in hours.
    fn asked(&self) -> Vec<(u64, String)> {
        let asked = self.asked.lock().unwrap();
        let hours = |at: &Duration| at.as_secs() / 3600;
        asked
            .iter()
            .map(|(at, names)| (hours(at), names.clone()))
            .collect()
    }
}

impl Authority for Double {
    fn obtain<'a>(&'a self, names: &'a [String]) -> BoxFuture<'a, Result<Kept, String>> {
        let at = self.clock.0.elapsed();
        self.asked.lock().unwrap().push((at, names.join(",")));
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Err("no more"));
        let kept = answer.map(|days| certificate(names, self.clock.now(), days));
        Box::pin(async move { kept.map_err(str::to_owned) })
    }
}

/// Signed by itself, from `now` on.
fn certificate(names: &[String], now: SystemTime, days: u32) -> Kept {
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    params.not_before = now.into();
    params.not_after = (now + DAY * days).into();
    let pair = KeyPair::generate().unwrap();
    Kept {
        names: names.to_vec(),
        certificate: params.self_signed(&pair).unwrap().pem(),
        key: pair.serialize_pem().into(),
    }
}

fn wanted(all: &[&str]) -> Wanted {
    let sets = all
        .iter()
        .map(|names| names.split(',').map(str::to_owned).collect());
    Wanted::from([("le".to_owned(), sets.collect::<BTreeSet<Names>>())])
}

fn resolver(double: &Double, storage: &Arc<Memory>) -> Result<Resolver, String> {
    let kept = AcmeJson::new("le", storage.clone(), &Arc::default());
    let acme = Acme::new(Challenge::Tls);
    Resolver::open(
        "le",
        &acme,
        kept,
        Box::new(double.clone()),
        &double.supplies(),
    )
}

/// Runs a resolver for a while.
async fn days(days: u32, double: &Double, storage: &Arc<Memory>, all: &[&str]) -> Issued {
    let issued = Issued::default();
    let resolver = resolver(double, storage).unwrap();
    issued.put("le", resolver.certificates());
    let (_sender, receiver) = watch::channel(wanted(all));
    let run = resolver.run("le", receiver, &issued);
    drop(tokio::time::timeout(DAY * days, run).await);
    issued
}

#[tokio::test(start_paused = true)]
async fn what_is_wanted_is_got_once_served_and_kept_as_traefik_keeps_it() {
    let double = Double::new(&[Ok(90), Ok(90)]);
    let storage = Arc::new(Memory::default());
    let issued = days(1, &double, &storage, &["a.test,b.test", "c.test"]).await;
    let asked = [(0, "a.test,b.test".to_owned()), (0, "c.test".to_owned())];
    assert_eq!(double.asked(), asked);
    for name in ["a.test", "B.test", "c.test"] {
        assert!(issued.find(name, |_| true).is_some(), "{name}");
    }
    assert!(issued.find("d.test", |_| true).is_none());
    let json = storage.json();
    let kept = json["le"]["Certificates"].as_array().unwrap();
    assert_eq!(
        kept[0]["domain"],
        json!({"main": "a.test", "sans": ["b.test"]})
    );
    assert_eq!(kept[1]["domain"], json!({"main": "c.test"}));
    assert_eq!(kept[0]["Store"], "default");
    // The next process has them from there.
    let next = Double::new(&[]);
    let issued = days(1, &next, &storage, &["a.test,b.test", "c.test"]).await;
    assert!(issued.find("b.test", |_| true).is_some());
    assert!(next.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_renewed_before_its_last_third_has_passed() {
    let double = Double::new(&[Ok(90), Ok(90), Ok(6), Ok(6)]);
    let storage = Arc::new(Memory::default());
    days(127, &double, &storage, &["a.test"]).await;
    let at: Vec<u64> = double
        .asked()
        .into_iter()
        .map(|(hours, _)| hours / 24)
        .collect();
    // Thirty days before the end, or up to three later; of short-lived ones two.
    assert_eq!(at.len(), 4, "{at:?}");
    assert!((60..=63).contains(&at[1]), "{at:?}");
    assert!((120..=126).contains(&at[2]), "{at:?}");
    assert_eq!(at[3] - at[2], 4, "{at:?}");
    let json = storage.json();
    assert_eq!(json["le"]["Certificates"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_are_repeated_ever_later_and_hold_up_nobody_else() {
    let failures = [Err("no"); 8];
    let double = Double::new(&failures);
    days(1, &double, &Arc::new(Memory::default()), &["a.test"]).await;
    let at: Vec<u64> = double.asked().into_iter().map(|(hours, _)| hours).collect();
    assert_eq!(at.iter().filter(|hours| **hours == 0).count(), 5, "{at:?}");
    assert!(at.len() < 11, "{at:?}");

    let double = Double::new(&[Err("no"), Ok(90), Ok(90)]);
    let issued = days(
        1,
        &double,
        &Arc::new(Memory::default()),
        &["a.test", "b.test"],
    )
    .await;
    let order: Vec<String> = double.asked().into_iter().map(|(_, names)| names).collect();
    assert_eq!(order, ["a.test", "b.test", "a.test"]);
    assert!(issued.find("a.test", |_| true).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_others_wrote_stays_and_what_cannot_be_read_is_left_alone() {
    let traefiks = json!({
        "le": {
            "Account": {
                "Email": "a@a.test",
                "Registration": {"body": {"status": "valid"}, "uri": "https://ca.test/acct/1"},
                "PrivateKey": "MIIE",
                "KeyType": "4096"
            },
            "Certificates": null,
            "Foreign": [1]
        },
        "other": {"Account": null, "Certificates": []}
    });
    let storage = Memory::of(&traefiks.to_string());
    days(1, &Double::new(&[Ok(90)]), &storage, &["a.test"]).await;
    let mut json = storage.json();
    assert_eq!(json["le"]["Certificates"].as_array().unwrap().len(), 1);
    json["le"]["Certificates"] = Value::Null;
    assert_eq!(json, traefiks);

    let storage = Memory::of("{\"le\": CANARY");
    let reason = resolver(&Double::new(&[]), &storage).unwrap_err();
    assert!(
        reason.contains("`le` cannot be read") && !reason.contains("CANARY"),
        "{reason}"
    );
    assert_eq!(
        storage.0.lock().unwrap().as_deref(),
        Some("{\"le\": CANARY")
    );
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_traefiks_file_is_served_without_an_order() {
    let double = Double::new(&[]);
    let theirs = certificate(&["a.test".to_owned()], double.clock.now(), 90);
    let encode = |text: &str| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text);
    let traefiks = json!({"le": {"Account": null, "Certificates": [
        {
            "domain": {"main": "a.test"},
            "certificate": encode(&theirs.certificate),
            "key": encode(theirs.key.expose_secret()),
            "Store": "default"
        },
        {"domain": {"main": "broken.test"}, "certificate": encode("none"), "key": encode("none")},
        {"domain": {"main": "empty.test"}}
    ]}});
    let storage = Memory::of(&traefiks.to_string());
    let issued = days(1, &double, &storage, &["a.test"]).await;
    assert!(issued.find("a.test", |_| true).is_some());
    assert!(issued.find("broken.test", |_| true).is_none());
    assert!(double.asked().is_empty());
}

#[test]
fn a_handshake_of_an_authority_is_one_that_speaks_its_protocol_alone_about_a_host_in_question() {
    let challenges = Arc::new(Challenges::default());
    let ask = |host, protocols: &[&'static [u8]]| {
        let protocols = protocols.iter().copied();
        challenges.handshake(host, protocols).is_some()
    };
    let theirs: &[u8] = b"acme-tls/1";
    let placed = challenges.place_digest("a.test", &[7; 32]).unwrap();
    assert!(ask(Some("a.test"), &[theirs]));
    assert!(!ask(Some("b.test"), &[theirs]));
    assert!(!ask(None, &[theirs]));
    assert!(!ask(Some("a.test"), &[theirs, b"h2"]));
    assert!(!ask(Some("a.test"), &[b"h2", theirs]));
    assert!(!ask(Some("a.test"), &[]));
    drop(placed);
    assert!(!ask(Some("a.test"), &[theirs]));
}

/// Two resolvers that write at the same time.
#[tokio::test]
async fn resolvers_that_share_a_file_lose_nothing_of_each_other() {
    let (storage, changing) = (Arc::new(Memory::default()), Arc::default());
    let now = SystemTime::UNIX_EPOCH + DAY * 20_000;
    let writes = (0..20).map(|number| {
        let resolver = ["one", "two"][number % 2];
        let kept = AcmeJson::new(resolver, storage.clone(), &changing);
        let certificate = certificate(&[format!("{number}.test")], now, 90);
        tokio::spawn(async move { kept.keep_certificate(&certificate).await })
    });
    for written in writes.collect::<Vec<_>>() {
        written.await.unwrap().unwrap();
    }
    let json = storage.json();
    for resolver in ["one", "two"] {
        let kept = json[resolver]["Certificates"].as_array().unwrap();
        assert_eq!(kept.len(), 10, "{resolver}");
    }
}
