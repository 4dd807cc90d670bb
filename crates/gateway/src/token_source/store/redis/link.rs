//! The connection to a store: made and made anew in the background, left alone while it is down,
//! and told of in the log once for each trouble.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Cmd, FromRedisValue, RedisError, RedisResult};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::super::stores::{Counts, StoreFigures};
use super::connect::{Connection, Connector};

/// The longest that all of a connection may take.
const CONNECTING: Duration = Duration::from_secs(3);

/// The first wait after an attempt that failed.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// A trouble is over when nothing went wrong for so long.
const CALM: Duration = Duration::from_secs(10);

/// Commands of a cluster that fail in a row before all its connections are made anew: it mends
/// single ones itself.
const PATIENCE: u32 = 5;

/// The connection, if there is one.
pub(super) struct Link {
    name: String,
    state: watch::Sender<State>,
    is_broken: Notify,
    health: Mutex<Health>,
    pub(super) counts: Counts,
}

#[derive(Clone)]
enum State {
    /// For the first time, or after one that broke just now: worth a moment.
    Connecting,
    Up(Live),
    /// It hangs or cannot be reached: not worth waiting for.
    Down,
}

/// A connection in use.
#[derive(Clone)]
pub(super) struct Live {
    connection: Connection,
    /// Tells it from others.
    since: Instant,
}

#[derive(Default)]
struct Health {
    failed: Option<Instant>,
    in_a_row: u32,
    is_said: bool,
}

impl Live {
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        self.connection.query(command).await
    }
}

impl Link {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            state: watch::Sender::new(State::Connecting),
            is_broken: Notify::new(),
            health: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// The connection; `None` while there is none.
    pub(super) async fn live(&self) -> Option<Live> {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| !matches!(state, State::Connecting));
        match &*settled.await.ok()? {
            State::Up(live) => Some(live.clone()),
            State::Connecting | State::Down => None,
        }
    }

    /// A command was answered.
    pub(super) fn works(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.in_a_row = 0;
        let is_calm = |failed: Instant| failed.elapsed() >= CALM;
        if health.is_said && health.failed.is_none_or(is_calm) {
            health.is_said = false;
            tracing::info!(
                store = self.name,
                "the store of tokens and limits works again"
            );
        }
    }

    /// A command failed; `is_gone`: and so would others by this connection.
    pub(super) fn fails(&self, live: &Live, error: &RedisError, is_gone: bool) {
        let in_a_row = self.note(&error.to_string());
        let is_patient = matches!(live.connection, Connection::Cluster(_)) && in_a_row < PATIENCE;
        if is_gone && !is_patient {
            let since = live.since;
            self.leave(State::Connecting, |now| now.since == since);
        }
    }

    /// A command was not answered in time.
    pub(super) fn hangs(&self) {
        let in_a_row = self.note("no answer in time");
        self.leave(State::Down, |live| {
            matches!(live.connection, Connection::One(_)) || in_a_row >= PATIENCE
        });
    }

    /// No connection can be made.
    fn cannot(&self, cause: &str) {
        self.note(cause);
        self.state.send_replace(State::Down);
    }

    /// Counts a failure and tells of the first one; how many there were in a row.
    fn note(&self, cause: &str) -> u32 {
        self.counts.failures.one();
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.failed = Some(Instant::now());
        health.in_a_row = health.in_a_row.saturating_add(1);
        if !health.is_said {
            health.is_said = true;
            tracing::warn!(
                store = self.name,
                cause,
                "the store of tokens and limits cannot be used; this gateway goes on by itself",
            );
        }
        health.in_a_row
    }

    /// Gives up the connection, if it is one of these.
    fn leave(&self, next: State, is_it: impl FnOnce(&Live) -> bool) {
        let mut was_up = false;
        self.state.send_if_modified(|state| {
            let is_left = match state {
                State::Up(live) => {
                    was_up = is_it(live);
                    was_up
                }
                State::Connecting => matches!(next, State::Down),
                State::Down => false,
            };
            if is_left {
                *state = next;
            }
            is_left
        });
        if was_up {
            self.is_broken.notify_one();
        }
    }

    pub(super) fn figures(&self) -> StoreFigures {
        let is_down = !matches!(*self.state.borrow(), State::Up(_));
        self.counts.figures(&self.name, is_down)
    }
}

/// Keeps a link connected until it is dropped.
pub(super) struct Keeper(AbortHandle);

impl Keeper {
    /// `None` outside of a runtime, where nothing is served either.
    pub(super) fn start(connector: Connector, link: &Arc<Link>) -> Option<Self> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let task = runtime.spawn(keep(connector, Arc::clone(link)));
        Some(Self(task.abort_handle()))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(connector: Connector, link: Arc<Link>) {
    let mut wait = FIRST_WAIT;
    loop {
        let cause = match timeout(CONNECTING, connector.connect()).await {
            Ok(Ok(connection)) => {
                wait = FIRST_WAIT;
                let since = Instant::now();
                let up = State::Up(Live { connection, since });
                link.state.send_replace(up);
                link.is_broken.notified().await;
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no connection in time".to_owned(),
        };
        link.cannot(&cause);
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::FutureExt as _;
    use redis::aio::MultiplexedConnection;
    use redis::{ErrorKind, RedisConnectionInfo};

    use super::*;

    /// A connection at whose other end nobody is.
    async fn connection() -> Live {
        let (near, _) = tokio::io::duplex(64);
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let (connection, _) = MultiplexedConnection::new(&info, near).await.unwrap();
        Live {
            connection: Connection::One(connection),
            since: Instant::now(),
        }
    }

    async fn connected() -> (Link, Live) {
        let (link, live) = (Link::new("store:6379".to_owned()), connection().await);
        link.state.send_replace(State::Up(live.clone()));
        (link, live)
    }

    fn error() -> RedisError {
        RedisError::from((ErrorKind::Io, "gone"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_being_made_is_waited_for_and_one_that_cannot_be_is_not() {
        let link = Link::new("store:6379".to_owned());
        assert!(link.live().now_or_never().is_none());
        link.cannot("refused");
        assert!(link.live().now_or_never().unwrap().is_none());
        let figures = link.figures();
        assert!(figures.is_down && figures.failures == 1, "{figures:?}");
        let (link, _) = connected().await;
        assert!(link.live().now_or_never().unwrap().is_some());
        assert!(!link.figures().is_down);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_broke_is_made_anew_and_the_next_one_stays() {
        let (link, old) = connected().await;
        link.fails(&old, &error(), false);
        assert!(link.is_broken.notified().now_or_never().is_none());
        link.fails(&old, &error(), true);
        assert!(link.is_broken.notified().now_or_never().is_some());
        // It breaks for many at once; the others learn of it when there is a new one.
        assert!(link.live().now_or_never().is_none());
        sleep(FIRST_WAIT).await;
        link.state.send_replace(State::Up(connection().await));
        link.fails(&old, &error(), true);
        assert!(link.live().now_or_never().unwrap().is_some());
        assert!(link.is_broken.notified().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_is_left_alone_until_there_is_a_new_connection() {
        let (link, _) = connected().await;
        link.hangs();
        assert!(link.live().now_or_never().unwrap().is_none());
        assert!(link.is_broken.notified().now_or_never().is_some());
        // One that never came about is not made anew twice.
        link.hangs();
        assert!(link.is_broken.notified().now_or_never().is_none());
        assert_eq!(link.figures().failures, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trouble_is_told_of_once_and_is_over_when_it_has_been_calm() {
        let (link, live) = connected().await;
        let is_said = || link.health.lock().unwrap().is_said;
        for _ in 0..3 {
            link.fails(&live, &error(), false);
            link.works();
            assert!(is_said());
        }
        sleep(CALM).await;
        link.works();
        assert!(!is_said());
        link.hangs();
        assert!(is_said());
    }
}
