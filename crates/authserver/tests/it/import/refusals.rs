//! What cannot be imported is said in one sentence, and nothing was changed.

use carnet_authserver::store::{self, ClientQuery};

use super::{FIXTURES, run, write};

#[tokio::test]
async fn a_wrong_system_secret_imports_nothing() {
    let hydra = FIXTURES[0].in_sqlite().await;
    let store = store::open("memory").await.unwrap();
    let mut import = hydra.import();
    import.hydra_secrets = vec!["canary-of-another-hydra".into()];
    let sentence = run(&import, &*store).await.unwrap_err().to_string();
    assert!(sentence.contains("cannot be opened"), "{sentence}");
    assert!(sentence.contains("--secrets-system"), "{sentence}");
    assert!(!sentence.contains("canary"), "{sentence}");
    let query = ClientQuery::default();
    assert_eq!(store.count_clients(&query).await.unwrap(), 0);
    // Older secrets of Hydra's are tried too.
    import.hydra_secrets.push(hydra.secret());
    run(&import, &*store).await.unwrap();
}

#[tokio::test]
async fn without_secrets_of_our_own_nothing_can_be_sealed() {
    let hydra = FIXTURES[0].in_sqlite().await;
    let store = store::open("memory").await.unwrap();
    let mut import = hydra.import();
    import.secrets.clear();
    let sentence = run(&import, &*store).await.unwrap_err().to_string();
    assert!(sentence.contains("SECRETS_SYSTEM"), "{sentence}");
}

#[tokio::test]
async fn a_database_that_is_not_hydras_or_too_old_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let hydra = FIXTURES[0].in_sqlite().await;
    let store = store::open("memory").await.unwrap();
    for (name, sql, part) in [
        ("a", "CREATE TABLE client (id TEXT)", "none of Ory Hydra"),
        ("b", "CREATE TABLE hydra_client (id TEXT)", "Ory Hydra 1"),
    ] {
        let file = folder.path().join(name);
        write(&file, sql).await;
        let mut import = hydra.import();
        import.from = format!("sqlite://{}", file.display()).into();
        let sentence = run(&import, &*store).await.unwrap_err().to_string();
        assert!(sentence.contains(part), "{sentence}");
    }
    let file = folder.path().join("c");
    tokio::fs::write(
        &file,
        "no database at all, but long enough to be taken for one",
    )
    .await
    .unwrap();
    let mut import = hydra.import();
    import.from = format!("sqlite://{}", file.display()).into();
    let sentence = run(&import, &*store).await.unwrap_err().to_string();
    assert!(sentence.contains("cannot be read"), "{sentence}");
}

#[tokio::test]
async fn a_damaged_row_is_named_and_imports_nothing() {
    let hydra = FIXTURES[0].in_sqlite().await;
    let file = hydra.dsn.trim_start_matches("sqlite://");
    let file = file.split_once('?').unwrap().0;
    let damage = "UPDATE hydra_client SET jwks = '{' WHERE id = 'web'";
    write(std::path::Path::new(file), damage).await;
    let store = store::open("memory").await.unwrap();
    let sentence = run(&hydra.import(), &*store).await.unwrap_err().to_string();
    assert!(sentence.contains("row web of hydra_client"), "{sentence}");
    assert!(sentence.contains("jwks"), "{sentence}");
    let query = ClientQuery::default();
    assert_eq!(store.count_clients(&query).await.unwrap(), 0);
}
