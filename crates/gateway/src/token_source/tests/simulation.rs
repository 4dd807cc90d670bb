//! The whole engine against a world made of a seed: callers with right and wrong secrets who come,
//! wait and leave, gateways that share a store which fails, forgets and lies, a provider that does
//! too and changes its mind, and clocks that jump.
//! Between any two steps something else may happen. What must never be is checked at each step; a
//! seed that fails is printed, and belongs into [`FAILED_ONCE`].

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use carnet_oauth::client_auth::Credentials;
use secrecy::SecretString;
use tokio::runtime;
use tokio::time::{Instant, sleep, timeout};

use super::shelf::{SECRET, Shelf, shared};
use super::world::{Dice, Mood, Pair, World};
use super::{Asked, Options, Refresh, TokenFault, options, source_sharing};

/// Worlds of one run of the tests.
const SEEDS: u64 = 10_000;

/// Seeds that found something.
const FAILED_ONCE: [u64; 2] = [408, 4062];

/// Threads that share the seeds.
const THREADS: u64 = 2;

/// What a request may take beyond the time of one exchange: nothing, but for the clock's grain.
const GRAIN: Duration = Duration::from_millis(5);

// Holds CA-02, CA-06, CA-07, CA-08, CA-16.
#[test]
fn ten_thousand_worlds_hold_what_is_promised() {
    let runs: Vec<_> = (0..THREADS)
        .map(|first| {
            thread::spawn(move || {
                let seeds = FAILED_ONCE.into_iter().chain(0..SEEDS);
                seeds
                    .filter(|seed| seed % THREADS == first)
                    .find(|seed| catch_unwind(AssertUnwindSafe(|| live(*seed))).is_err())
            })
        })
        .collect();
    for run in runs {
        let failed = run.join().expect("caught");
        assert_eq!(failed, None, "this seed breaks a promise");
    }
}

/// One world from its beginning to its end.
fn live(seed: u64) {
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(history(seed));
}

async fn history(seed: u64) {
    let dice = Dice::new(seed);
    let options = options_of(&dice);
    let gateways = [1, 1, 2, 3][dice.pick(4)];
    let shelf = (gateways > 1).then(|| Shelf::any(&dice));
    let takes_turns = shelf.as_ref().is_some_and(|shelf| shelf.is_well());
    let world = World::new(&dice, options.is_cached, gateways, takes_turns);
    let sources: Vec<_> = (0..gateways)
        .map(|gateway| {
            let clock = Arc::new(world.clock(gateway));
            let shared = shelf.as_ref().map(|shelf| shared(shelf, SECRET));
            let seed = seed + (u64::try_from(gateway).expect("small") << 32);
            source_sharing(options.clone(), world.gate(gateway), clock, (seed, shared))
        })
        .collect();
    let callers: Vec<_> = (0..dice.up_to(8) + 1)
        .map(|_| {
            let visits = visits(
                Arc::clone(&sources[dice.pick(gateways)]),
                world.clone(),
                options.clone(),
                dice.fork(),
            );
            tokio::spawn(fickle(visits, dice.fork()))
        })
        .collect();
    let fate = fate(world.clone(), shelf.clone(), dice.fork());
    let fate = tokio::spawn(fickle(fate, dice.fork()));
    for task in callers {
        task.await.expect("promises are kept");
    }
    fate.await.expect("promises are kept");
    heal(&sources, &world, shelf).await;
}

fn options_of(dice: &Dice) -> Options {
    Options {
        timeout: Duration::from_secs(1 + dice.up_to(5)),
        max_retries: u32::try_from(dice.up_to(4)).expect("small"),
        is_cached: dice.up_to(8) > 0,
        max_age: Duration::from_secs([2, 30, 300][dice.pick(3)]),
        refresh: [Refresh::Early, Refresh::OnUse][dice.pick(2)],
        ..options()
    }
}

/// A caller's life: some requests, some of them given up.
async fn visits(source: Arc<Asked>, world: Arc<World>, options: Options, dice: Dice) {
    for _ in 0..dice.up_to(8) + 1 {
        sleep(Duration::from_millis(
            dice.up_to([10, 2_000, 60_000][dice.pick(3)]),
        ))
        .await;
        let pair = Pair::any(&dice);
        let readings = [credentials(pair)];
        let began = Instant::now();
        let asking = source.token(&readings);
        let outcome = match dice.up_to(5) {
            0 => match timeout(Duration::from_millis(dice.up_to(3_000)), asking).await {
                Ok(outcome) => outcome,
                Err(_) => continue,
            },
            _ => asking.await,
        };
        assert!(
            began.elapsed() <= options.timeout + GRAIN,
            "waited too long"
        );
        match outcome {
            Ok(token) => world.check_token(pair, token.bearer.to_str().expect("text"), &options),
            Err(TokenFault::InvalidClient(_)) => world.check_refusal(pair, began),
            Err(TokenFault::Denied(fault)) => panic!("nothing is denied here: {fault}"),
            Err(_) => {}
        }
    }
}

/// What happens to the provider and the store meanwhile.
async fn fate(world: Arc<World>, shelf: Option<Arc<Shelf>>, dice: Dice) {
    for _ in 0..dice.up_to(10) {
        sleep(Duration::from_millis(
            dice.up_to([100, 5_000, 200_000][dice.pick(3)]),
        ))
        .await;
        match (dice.up_to(8), &shelf) {
            (0, _) => world.rotate(Pair::any(&dice).client),
            (1, _) => world.jump(&dice),
            (2 | 3, Some(shelf)) => shelf.suffer(&dice),
            _ => world.change(Mood::any(&dice)),
        }
    }
}

/// Once all is well, all is well: right secrets get tokens, nobody waits, and nothing is left.
async fn heal(sources: &[Arc<Asked>], world: &Arc<World>, shelf: Option<Arc<Shelf>>) {
    world.change(Mood::WELL);
    if let Some(shelf) = shelf {
        shelf.recover();
    }
    sleep(Duration::from_secs(700)).await;
    for source in sources {
        for pair in world.right_pairs() {
            let outcome = source.token(&[credentials(pair)]).await;
            assert!(outcome.is_ok(), "{:?}", outcome.err());
        }
        let figures = source.figures();
        assert_eq!(figures.waiting, 0);
        // Who is given what others fetched does not learn that the provider lives.
        assert!(!figures.is_kept_back || figures.from_store > 0);
        assert!(figures.calls >= figures.granted, "{figures:?}");
        assert!(figures.calls >= figures.retries, "{figures:?}");
        let answered = figures.hits + figures.refused_from_memory + figures.turned_away;
        assert!(figures.requests >= answered, "{figures:?}");
    }
    assert_eq!(world.broken(), [""; 0]);
}

fn credentials(pair: Pair) -> Credentials {
    Credentials {
        id: pair.client.to_string(),
        secret: SecretString::from(pair.secret.to_string()),
    }
}

/// A future that steps back now and then, so that others come first.
async fn fickle<F: Future>(future: F, dice: Dice) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        if dice.up_to(3) == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        future.as_mut().poll(context)
    })
    .await
}
