//! What an import tells, and what a second one does.

use carnet_authserver::import::{Count, ImportReport, Progress};
use carnet_authserver::store::ClientQuery;
use std::sync::Mutex;

use super::{FIXTURES, everywhere, run};
use crate::server::SYSTEM_SECRET;

const fn new(new: u64) -> Count {
    Count { new, same: 0 }
}

fn left(report: &ImportReport) -> Vec<(String, u64)> {
    let rows = report.left_behind.iter();
    rows.map(|left| (left.table.clone(), left.rows)).collect()
}

#[tokio::test]
async fn what_is_taken_and_what_stays_is_counted_and_named() {
    for hydra in everywhere().await {
        let store = hydra.store().await;
        let report = run(&hydra.import(), &*store).await.unwrap();
        assert_eq!(report.clients, new(7), "{}", hydra.name);
        assert_eq!(report.keys, new(5));
        assert_eq!(report.trusted_issuers, new(1));
        assert_eq!(report.tokens, new(5));
        assert!(report.different.is_empty());
        let expected = [
            ("hydra_client, registration tokens", 7),
            // Expired, of a person, revoked.
            ("hydra_oauth2_access", 1),
            ("hydra_oauth2_access", 1),
            ("hydra_oauth2_access", 1),
            ("hydra_client", 1),
            ("hydra_oauth2_authentication_session", 1),
            ("hydra_oauth2_flow", 1),
            ("hydra_oauth2_jti_blacklist", 3),
            ("hydra_oauth2_refresh", 2),
        ];
        let expected = expected.map(|(table, rows)| (table.to_owned(), rows));
        assert_eq!(left(&report), expected, "{}", hydra.name);
    }
}

#[tokio::test]
async fn trusted_issuers_are_kept_with_all_they_say() {
    let hydra = FIXTURES[0].in_sqlite().await;
    let store = hydra.store().await;
    run(&hydra.import(), &*store).await.unwrap();
    let issuers = store.trusted_issuers().await.unwrap();
    let [issuer] = issuers.as_slice() else {
        panic!("{issuers:?}")
    };
    assert_eq!(issuer.issuer, "https://issuer.example");
    assert_eq!(issuer.subject, "somebody@issuer.example");
    assert_eq!(issuer.scopes, ["read", "write"]);
    assert_eq!(
        (issuer.any_subject, issuer.created_at),
        (false, 1_795_468_190)
    );
    let keys = store.all_keys().await.unwrap();
    let key = keys.iter().find(|key| key.set == issuer.key_set);
    assert_eq!(key.unwrap().kid, issuer.kid);
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let hydra = FIXTURES[2].in_sqlite().await;
    let store = hydra.store().await;
    let first = run(&hydra.import(), &*store).await.unwrap();
    let (keys, imported) = (store.all_keys().await.unwrap(), store.imported_keys().await);
    let second = run(&hydra.import(), &*store).await.unwrap();
    assert_eq!(second.clients, Count { new: 0, same: 7 });
    assert_eq!(second.keys, Count { new: 0, same: 5 });
    assert_eq!(second.trusted_issuers, Count { new: 0, same: 1 });
    assert_eq!(second.tokens, Count { new: 0, same: 5 });
    assert!(second.different.is_empty());
    assert_eq!(second.left_behind, first.left_behind);
    assert_eq!(store.all_keys().await.unwrap(), keys);
    assert_eq!(store.imported_keys().await.unwrap(), imported.unwrap());
}

#[tokio::test]
async fn what_is_here_already_and_differs_is_kept_and_named() {
    let hydra = FIXTURES[2].in_sqlite().await;
    let store = hydra.store().await;
    run(&hydra.import(), &*store).await.unwrap();
    let web = store.find_client("web").await.unwrap().unwrap();
    let mut changed = web.clone();
    changed.client.owner = "somebody else".to_owned();
    assert!(store.replace_client(&web, &changed).await.unwrap());
    // A hash is renewed when its secret is used; that is no difference.
    let lifespan = store.find_client("lifespan").await.unwrap().unwrap();
    let mut renewed = lifespan.clone();
    renewed.secret_hash = "$pbkdf2-sha256$i=1,l=1$YQ$YQ".to_owned();
    assert!(store.replace_client(&lifespan, &renewed).await.unwrap());
    let report = run(&hydra.import(), &*store).await.unwrap();
    assert_eq!(report.different, ["client `web`"]);
    assert_eq!(report.clients, Count { new: 0, same: 6 });
    let kept = store.find_client("web").await.unwrap().unwrap();
    assert_eq!(kept.client.owner, "somebody else");
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_leaves_nothing() {
    let hydra = FIXTURES[1].in_sqlite().await;
    let store = hydra.store().await;
    let mut import = hydra.import();
    import.dry_run = true;
    let told = run(&import, &*store).await.unwrap();
    let query = ClientQuery::default();
    assert_eq!(store.count_clients(&query).await.unwrap(), 0);
    assert!(store.all_keys().await.unwrap().is_empty());
    import.dry_run = false;
    assert_eq!(run(&import, &*store).await.unwrap(), told);
    assert_eq!(store.count_clients(&query).await.unwrap(), 7);
}

#[tokio::test]
async fn without_hydras_secret_opaque_tokens_stay_behind() {
    let hydra = FIXTURES[1].in_sqlite().await;
    let store = hydra.store().await;
    let mut import = hydra.import();
    import.secrets = vec![SYSTEM_SECRET.into()];
    let report = run(&import, &*store).await.unwrap();
    assert_eq!(report.tokens, new(4));
    let is_told = |left: &carnet_authserver::import::Left| left.why.contains("secrets.system");
    assert!(report.left_behind.iter().any(is_told), "{report:?}");
}

#[tokio::test]
async fn each_row_is_seen_to_pass() {
    let hydra = FIXTURES[1].in_sqlite().await;
    let store = hydra.store().await;
    let seen = Mutex::new(Vec::new());
    let watch = |progress: Progress| seen.lock().unwrap().push(progress);
    hydra.import().run(&*store, &watch).await.unwrap();
    let seen = seen.into_inner().unwrap();
    let clients: Vec<_> = seen
        .iter()
        .filter(|progress| progress.what == "clients")
        .map(|progress| (progress.done, progress.total))
        .collect();
    assert_eq!(clients, (1..=7).map(|done| (done, 7)).collect::<Vec<_>>());
}
