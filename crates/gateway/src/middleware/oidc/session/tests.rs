//! Sessions over cookies and over a store that does as it is told; the clock stands still.
#![expect(clippy::unwrap_used, reason = "tests")]

use carnet_config::routing::service::SameSite;
use carnet_jose::base64url;
use carnet_testkit::{FixedClock, SeededRandom};
use http::header::COOKIE;
use proptest::prelude::{prop_assert, proptest};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;
use crate::token_source::seconds;
use crate::token_source::tests::shelf::{Health, Shelf};

const HOUR: Duration = Duration::from_secs(3600);

struct World {
    sessions: Sessions,
    clock: Arc<FixedClock>,
}

/// What differs from world to world.
struct Given {
    name: &'static str,
    middleware: &'static str,
    sliding: bool,
    shelf: Option<Arc<Shelf>>,
    /// Whether the provider says who has logged out.
    logouts: bool,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            name: "s",
            middleware: "login@file",
            sliding: true,
            shelf: None,
            logouts: false,
        }
    }
}

impl World {
    fn new(given: Given) -> Self {
        let (clock, random) = (Arc::<FixedClock>::default(), Arc::<SeededRandom>::default());
        let secrets = ["a secret as long as a key of AES".into()];
        let owner = (given.middleware, "client");
        let sealed = Sealed::new(&secrets, owner, clock.clone(), random.clone()).unwrap();
        let cookie = cookie(given.name);
        let options = Options {
            cookie: &cookie,
            name: "session",
            expiry: HOUR,
            sliding: given.sliding,
            logouts: given.logouts.then_some(("https://op.test", "client")),
        };
        let store = given.shelf.map(|shelf| shelf as Arc<dyn Store>);
        let sessions = Sessions::new(&options, Arc::new(sealed), store, clock.clone(), random);
        Self {
            sessions: sessions.unwrap(),
            clock,
        }
    }

    /// A session whose access token has so many letters.
    fn session(&self, length: usize) -> Session {
        let claims = json!({"sub": "foo@bar.com", "length": length});
        let payload = base64url::encode(claims.to_string());
        Session {
            id_token: format!("e30.{payload}.AA").into(),
            access_token: "t".repeat(length).into(),
            refresh_token: Some("a refresh token".into()),
            expires_at: self.clock.now() + HOUR,
            claims: claims.as_object().unwrap().clone(),
            created_at: self.clock.now(),
            issued_at: seconds(self.clock.now()),
            login: format!("login {length}"),
        }
    }

    async fn find(&self, headers: &HeaderMap) -> Option<Found> {
        self.sessions.find(headers).await.unwrap()
    }

    /// What a browser has after it was told to keep a session.
    async fn log_in(&self, length: usize) -> HeaderMap {
        let mut browser = HeaderMap::new();
        let session = self.session(length);
        let kept = self.sessions.keep(&session, None, &browser).await.unwrap();
        told(&mut browser, &kept);
        browser
    }
}

fn cookie(name: &str) -> Cookie {
    Cookie {
        name: Some(name.to_owned()),
        secure: false,
        http_only: true,
        same_site: Some(SameSite::Lax),
        max_age: 0,
        path: "/".to_owned(),
        domain: None,
    }
}

/// A browser does what it is told.
fn told(browser: &mut HeaderMap, fields: &[HeaderValue]) {
    for field in fields {
        let (pair, attributes) = field.to_str().unwrap().split_once("; ").unwrap();
        let (name, _) = pair.split_once('=').unwrap();
        cookies::take_off(browser, |other| other == name);
        if !attributes.contains("Max-Age=0") {
            browser.append(COOKIE, pair.parse().unwrap());
        }
    }
}

/// The pairs that a browser has.
fn pairs(browser: &HeaderMap) -> Vec<String> {
    let fields = browser.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.to_str().unwrap().split("; "));
    pairs.map(str::to_owned).collect()
}

fn with(pairs: &[String]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs.map(|pair| (COOKIE, pair.parse().unwrap())).collect()
}

fn are_equal(one: &Session, other: &Session) -> bool {
    let tokens = |session: &Session| {
        let refresh = session.refresh_token.as_ref();
        let refresh = refresh.map(|token| token.expose_secret().to_owned());
        let (id, access) = (&session.id_token, &session.access_token);
        (
            id.expose_secret().to_owned(),
            access.expose_secret().to_owned(),
            refresh,
        )
    };
    let times = |session: &Session| {
        (
            session.expires_at,
            session.created_at,
            session.issued_at,
            session.login.clone(),
        )
    };
    tokens(one) == tokens(other) && times(one) == times(other) && one.claims == other.claims
}

// Holds SE-05.
#[tokio::test]
async fn who_logged_in_is_known_by_cookies_that_say_nothing_and_no_script_reads() {
    let world = World::new(Given::default());
    let (session, none) = (world.session(900), HeaderMap::new());
    let kept = world.sessions.keep(&session, None, &none).await.unwrap();
    assert_eq!(kept.len(), 1);
    let field = &kept[0];
    let text = field.to_str().unwrap();
    assert!(field.is_sensitive() && text.starts_with("s=1."), "{text}");
    let attributes = "; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax";
    assert!(text.ends_with(attributes), "{text}");
    assert!(!text.contains("tttt") && !text.contains("e30"), "{text}");
    let mut browser = HeaderMap::new();
    told(&mut browser, &kept);
    let found = world.find(&browser).await.unwrap();
    assert!(are_equal(&found.session, &session) && !found.is_half_over);
    assert!(world.find(&none).await.is_none());
    let printed = format!("{:?} {:?} {field:?}", found.session, world.sessions);
    assert!(
        !printed.contains("tttt") && !printed.contains("foo@bar"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_session_of_another_middleware_or_cookie_opens_nothing() {
    let world = World::new(Given::default());
    let browser = world.log_in(5_000).await;
    for other in [
        Given {
            middleware: "other@file",
            ..Given::default()
        },
        Given {
            name: "t",
            ..Given::default()
        },
    ] {
        let name = other.name;
        let renamed: Vec<String> = pairs(&browser)
            .iter()
            .map(|pair| format!("{name}{}", &pair[1..]))
            .collect();
        assert!(World::new(other).find(&with(&renamed)).await.is_none());
    }
}

// Holds RP-03.
#[tokio::test]
async fn pieces_that_are_changed_swapped_missing_or_of_two_sessions_are_nobody() {
    let world = World::new(Given::default());
    let whole = pairs(&world.log_in(9_000).await);
    let other = pairs(&world.log_in(9_001).await);
    assert_eq!(whole.len(), 4);
    let nobody = async |pairs: &[String], what: &str| {
        assert!(world.find(&with(pairs)).await.is_none(), "{what}");
    };
    let random = SeededRandom::default();
    for _ in 0..200 {
        let number = usize::try_from(random.next() % 1_000_000).unwrap();
        let mut changed = whole.clone();
        let piece = &mut changed[number % 4];
        let at = piece.find('=').unwrap() + 1 + number % (piece.len() - 6);
        let letter = if &piece[at..=at] == "A" { "B" } else { "A" };
        piece.replace_range(at..=at, letter);
        nobody(&changed, &format!("changed at {at} of {}", number % 4)).await;
    }
    for index in 0..4 {
        let mut mixed = whole.clone();
        mixed[index].clone_from(&other[index]);
        nobody(&mixed, "of two sessions").await;
        mixed.remove(index);
        nobody(&mixed, "missing").await;
    }
    let (one, two) = (
        whole[1].replace("s-1=", "s-2="),
        whole[2].replace("s-2=", "s-1="),
    );
    nobody(&[whole[0].clone(), one, two, whole[3].clone()], "swapped").await;
    assert!(world.find(&with(&whole)).await.is_some());
}

#[tokio::test]
async fn a_session_slides_when_half_of_it_is_over_or_ends_when_it_began_to() {
    for sliding in [true, false] {
        let world = World::new(Given {
            sliding,
            ..Given::default()
        });
        let mut browser = world.log_in(900).await;
        world.clock.advance(HOUR / 2);
        assert!(!world.find(&browser).await.unwrap().is_half_over);
        world.clock.advance(Duration::from_secs(1));
        let found = world.find(&browser).await.unwrap();
        assert_eq!(found.is_half_over, sliding);
        let kept = world
            .sessions
            .keep(&found.session, Some(&found), &browser)
            .await;
        told(&mut browser, &kept.unwrap());
        assert!(!world.find(&browser).await.unwrap().is_half_over);
        world.clock.advance(HOUR / 2);
        assert_eq!(world.find(&browser).await.is_some(), sliding);
        world.clock.advance(HOUR / 2);
        assert!(world.find(&browser).await.is_none());
        // What is over is not kept anew.
        if !sliding {
            let kept = world
                .sessions
                .keep(&found.session, Some(&found), &browser)
                .await;
            told(&mut browser, &kept.unwrap());
            assert_eq!(pairs(&browser), [] as [String; 0]);
        }
    }
}

// Holds RP-05.
#[tokio::test]
async fn a_smaller_session_leaves_no_piece_behind_and_services_see_none() {
    let world = World::new(Given::default());
    let mut browser = world.log_in(9_000).await;
    browser.append(COOKIE, "own=1; s-9=mine".parse().unwrap());
    let small = world.session(10);
    let kept = world.sessions.keep(&small, None, &browser).await.unwrap();
    told(&mut browser, &kept);
    assert_eq!(pairs(&browser).len(), 3);
    assert!(world.find(&browser).await.is_some());
    let mut request = browser.clone();
    world.sessions.without(&mut request);
    assert_eq!(pairs(&request), ["own=1", "s-9=mine"]);
    told(&mut browser, &world.sessions.end(&request).await);
    assert!(world.find(&browser).await.is_some());
    let ended = world.sessions.end(&browser).await;
    told(&mut browser, &ended);
    assert_eq!(pairs(&browser), ["own=1", "s-9=mine"]);
}

#[tokio::test]
async fn a_session_that_no_browser_would_keep_is_refused_with_what_to_do() {
    let world = World::new(Given::default());
    let (session, none) = (world.session(13_000), HeaderMap::new());
    let fault = world
        .sessions
        .keep(&session, None, &none)
        .await
        .unwrap_err();
    let said = fault.to_string();
    assert!(
        said.contains("session.store.redis") && !said.contains("tttt"),
        "{said}"
    );
    let stored = World::new(Given {
        shelf: Some(Shelf::new()),
        ..Given::default()
    });
    let browser = stored.log_in(60_000).await;
    assert_eq!(pairs(&browser).len(), 1);
    assert!(stored.find(&browser).await.is_some());
}

// Holds CA-03, CA-04.
#[tokio::test]
async fn a_store_has_sealed_values_under_names_that_are_no_ids() {
    let shelf = Shelf::new();
    let world = World::new(Given {
        shelf: Some(shelf.clone()),
        ..Given::default()
    });
    let one = world.log_in(900).await;
    let other = world.log_in(901).await;
    let found = world.find(&one).await.unwrap();
    assert_eq!(found.session.access_token.expose_secret().len(), 900);
    let values = shelf.values();
    assert_eq!(values.len(), 2);
    let id = base64url::encode(found.id.unwrap().as_slice());
    for (name, value) in &values {
        assert!(
            name.starts_with("carnet:session:") && !name.contains(&id),
            "{name}"
        );
        assert!(!value.windows(4).any(|part| part == b"tttt"));
    }
    // Whoever can write to the store makes nobody somebody else.
    let names: Vec<&String> = values.keys().collect();
    shelf.set(names[0], values[names[1]].clone());
    shelf.set(names[1], values[names[0]].clone());
    assert!(world.find(&one).await.is_none() && world.find(&other).await.is_none());
}

#[tokio::test]
async fn a_login_begins_a_new_session_and_an_ended_one_does_not_come_back() {
    let shelf = Shelf::new();
    let world = World::new(Given {
        shelf: Some(shelf.clone()),
        ..Given::default()
    });
    let mut browser = world.log_in(900).await;
    let before = browser.clone();
    let session = world.session(901);
    let kept = world.sessions.keep(&session, None, &browser).await.unwrap();
    told(&mut browser, &kept);
    assert!(world.find(&before).await.is_none());
    // A refresh goes on with the same one, while there is one.
    let found = world.find(&browser).await.unwrap();
    let kept = world
        .sessions
        .keep(&session, Some(&found), &browser)
        .await
        .unwrap();
    told(&mut browser, &kept);
    assert!(world.find(&browser).await.is_some() && shelf.values().len() == 1);
    drop(world.sessions.end(&browser).await);
    let kept = world
        .sessions
        .keep(&session, Some(&found), &browser)
        .await
        .unwrap();
    assert!(world.find(&browser).await.is_none() && shelf.values().is_empty());
    told(&mut browser, &kept);
    assert_eq!(pairs(&browser), [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_its_store_nobody_is_known_and_nobody_gets_in() {
    let shelf = Shelf::new();
    let world = World::new(Given {
        shelf: Some(shelf.clone()),
        ..Given::default()
    });
    let browser = world.log_in(900).await;
    shelf.turn(Health::Hanging);
    let fault = world.sessions.find(&browser).await.unwrap_err();
    assert_eq!(fault.reason(), Reason::TokenUnverifiable);
    let session = world.session(900);
    assert!(world.sessions.keep(&session, None, &browser).await.is_err());
    // Who comes with nothing of ours is nobody without a question.
    assert!(world.find(&HeaderMap::new()).await.is_none());
    assert!(!world.sessions.end(&browser).await.is_empty());
    shelf.turn(Health::Well);
    assert!(world.find(&browser).await.is_some());
}

// Holds RP-08.
#[tokio::test(start_paused = true)]
async fn a_logout_that_cannot_be_kept_is_said_again_and_then_once() {
    let shelf = Shelf::new();
    let world = World::new(Given {
        shelf: Some(shelf.clone()),
        logouts: true,
        ..Given::default()
    });
    let browser = world.log_in(900).await;
    let logout = Logout {
        sid: None,
        sub: Some("foo@bar.com".to_owned()),
        jti: "j".to_owned(),
        at: seconds(world.clock.now()),
        counts_for: Duration::from_secs(60),
    };
    shelf.turn(Health::Hanging);
    assert!(world.sessions.logged_out(&logout).await.is_err());
    // Who cannot be looked for among those who left is nobody.
    assert!(world.sessions.find(&browser).await.is_err());
    shelf.turn(Health::Well);
    assert!(world.find(&browser).await.is_some());
    assert!(world.sessions.logged_out(&logout).await.unwrap());
    // A mark that somebody made unreadable is one.
    let marks = shelf.values().into_iter();
    for (name, _) in marks.filter(|(_, value)| value.len() == 10) {
        shelf.set(&name, b"later".to_vec());
    }
    assert!(world.find(&browser).await.is_none());
    assert!(!world.sessions.logged_out(&logout).await.unwrap());
}

#[test]
fn a_cookie_that_no_browser_would_take_is_told() {
    for (name, secure) in [
        ("__Host-s", false),
        ("__Secure-s", false),
        ("__Host-s", true),
    ] {
        let (clock, random) = (Arc::<FixedClock>::default(), Arc::<SeededRandom>::default());
        let secrets = ["a secret as long as a key of AES".into()];
        let sealed = Sealed::new(&secrets, ("a", "b"), clock.clone(), random.clone()).unwrap();
        let cookie = Cookie {
            secure,
            ..cookie(name)
        };
        let options = Options {
            cookie: &cookie,
            name: "session",
            expiry: HOUR,
            sliding: true,
            logouts: None,
        };
        let made = Sessions::new(&options, Arc::new(sealed), None, clock, random);
        assert_eq!(made.is_ok(), secure, "{name}");
    }
}

proptest! {
    #[test]
    fn whatever_is_kept_is_found_again(length in 0..11_000_usize, has_refresh: bool) {
        let world = World::new(Given::default());
        let mut session = world.session(length);
        session.refresh_token = session.refresh_token.filter(|_| has_refresh);
        let none = HeaderMap::new();
        let keep = world.sessions.keep(&session, None, &none);
        let kept = futures_util::FutureExt::now_or_never(keep).unwrap().unwrap();
        let mut browser = HeaderMap::new();
        told(&mut browser, &kept);
        let found = futures_util::FutureExt::now_or_never(world.find(&browser)).unwrap();
        prop_assert!(found.is_some_and(|found| are_equal(&found.session, &session)));
        prop_assert!(kept.iter().all(|field| field.len() < 4_000));
    }
}
