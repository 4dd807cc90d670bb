//! A PostgreSQL that crashes, hangs, is replaced or has no connection left: answers within two
//! seconds, recovery without a restart, nothing acknowledged lost.

use std::sync::Arc;
use std::time::Duration;

use carnet_authserver::store::{Insertion, Store, StoreError, migrate, open};
use carnet_testkit::postgres::Cluster;
use futures_util::future::join_all;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::contract::client;

async fn store(dsn: &str) -> Arc<dyn Store> {
    migrate(dsn).await.unwrap();
    open(dsn).await.unwrap()
}

/// A call that must fail, within two seconds.
async fn fails(store: &dyn Store) -> String {
    let began = Instant::now();
    let error = store.find_client("a").await.unwrap_err();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}: {error}");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    error.to_string()
}

/// Until a call succeeds again; within three seconds.
async fn recovers(store: &dyn Store) {
    let began = Instant::now();
    let recovered = timeout(Duration::from_secs(3), async {
        while store.find_client("a").await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(recovered.await.is_ok(), "{:?}", began.elapsed());
    // And none of the connections is broken. A busy machine may need more than one attempt.
    let burst = async || {
        for result in join_all((0..20).map(|_| store.find_client("a"))).await {
            if let Err(error) = result {
                let sentence = error.to_string();
                assert!(sentence.contains("in time"), "{sentence}");
                return false;
            }
        }
        true
    };
    let healed = timeout(Duration::from_secs(20), async { while !burst().await {} });
    assert!(healed.await.is_ok());
}

/// Writes clients until it is told to stop; gives those that were acknowledged.
async fn write(store: Arc<dyn Store>, writer: usize, stop: watch::Receiver<bool>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut n = 0;
    while !*stop.borrow() {
        n += 1;
        let id = format!("{writer}-{n}");
        match store.insert_client(&client(&id)).await {
            Ok(Insertion::Done) => acknowledged.push(id),
            // A retry of ours would find its own row.
            Ok(Insertion::Conflict) => panic!("{id} was written twice"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_the_server_loses_nothing_that_was_acknowledged() {
    let mut cluster = Cluster::start(&[]).unwrap();
    let store = store(&cluster.database().unwrap()).await;
    let (stop, stopped) = watch::channel(false);
    let writers = (0..4).map(|n| tokio::spawn(write(Arc::clone(&store), n, stopped.clone())));
    let writers: Vec<_> = writers.collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.crash().unwrap();
        fails(&*store).await;
        cluster.revive().unwrap();
        recovers(&*store).await;
    }
    stop.send_replace(true);
    let mut acknowledged = Vec::new();
    for ended in join_all(writers).await {
        acknowledged.extend(ended.unwrap());
    }
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    for id in acknowledged {
        assert!(
            store.find_client(&id).await.unwrap().is_some(),
            "{id} is lost"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_in_time_and_used_again_when_it_goes_on() {
    let cluster = Cluster::start(&[]).unwrap();
    let store = store(&format!("{}&max_conns=3", cluster.database().unwrap())).await;
    recovers(&*store).await;
    for _ in 0..2 {
        cluster.pause().unwrap();
        // More callers than connections: each hears in time.
        for sentence in join_all((0..8).map(|_| fails(&*store))).await {
            assert!(sentence.contains("does not answer in time"), "{sentence}");
        }
        fails(&*store).await;
        cluster.resume().unwrap();
        recovers(&*store).await;
    }
}

/// What leads to the server, as a proxy or an address that moves: today's connections break when it
/// is told to lead elsewhere.
struct Way {
    port: u16,
    to: watch::Sender<u16>,
    task: AbortHandle,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (to, target) = watch::channel(port);
        let from = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut target = target.clone();
                tokio::spawn(async move {
                    let port = *target.borrow_and_update();
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = target.changed() => {}
                    }
                });
            }
        });
        Self {
            port: from,
            to,
            task: task.abort_handle(),
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_fail_over_no_connection_and_no_prepared_statement_of_before_is_used() {
    let (old, new) = (Cluster::start(&[]).unwrap(), Cluster::start(&[]).unwrap());
    for cluster in [&old, &new] {
        let dsn = cluster.database().unwrap();
        migrate(&dsn).await.unwrap();
    }
    let way = Way::to(old.port()).await;
    let dsn = old
        .address("test_0")
        .replace(&old.port().to_string(), &way.port.to_string());
    let store = open(&dsn).await.unwrap();
    for n in 0..10 {
        store.insert_client(&client(&n.to_string())).await.unwrap();
    }
    recovers(&*store).await;
    old.pause().unwrap();
    fails(&*store).await;
    way.to.send_replace(new.port());
    recovers(&*store).await;
    // It is the other one.
    assert!(store.find_client("1").await.unwrap().is_none());
    store.insert_client(&client("a")).await.unwrap();
    assert!(store.find_client("a").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_connections_waiting_a_call_fails_in_time_and_succeeds_when_they_are_free() {
    let cluster = Arc::new(Cluster::start(&[]).unwrap());
    let dsn = format!("{}&max_conns=2", cluster.database().unwrap());
    let store = store(&dsn).await;
    let held = tokio::task::spawn_blocking({
        let cluster = Arc::clone(&cluster);
        move || {
            let sql = "BEGIN; LOCK TABLE client; SELECT pg_sleep(4); COMMIT";
            cluster.sql("test_0", sql).unwrap();
        }
    });
    while store.find_client("a").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    join_all((0..8).map(|_| fails(&*store))).await;
    held.await.unwrap();
    recovers(&*store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_place_for_us_is_used_when_it_has_one() {
    let cluster =
        Cluster::start(&["max_connections=12", "superuser_reserved_connections=1"]).unwrap();
    let dsn = cluster.database().unwrap();
    migrate(&dsn).await.unwrap();
    cluster
        .sql("test_0", "CREATE USER guest PASSWORD 'secret'; GRANT ALL ON ALL TABLES IN SCHEMA public TO guest")
        .unwrap();
    let guest = dsn.replace("//carnet:", "//guest:");
    let store = open(&format!("{guest}&max_conns=4")).await.unwrap();
    let mut others = Vec::new();
    while let Ok(other) = PgConnection::connect(&guest).await {
        others.push(other);
    }
    // What we had until now, we keep.
    store.find_client("a").await.unwrap();
    // More than that there is not: some of many calls at once fail, in time.
    let began = Instant::now();
    join_all((0..8).map(|_| store.find_client("a"))).await;
    assert!(began.elapsed() < Duration::from_secs(2));
    drop(others);
    recovers(&*store).await;
}
