//! `DSN=postgres://...`.

use std::sync::Arc;

use carnet_authserver::store::{Store, migrate, open};
use carnet_testkit::postgres::Cluster;

use super::contract::every_behaviour;

async fn fresh() -> Arc<dyn Store> {
    let address = Cluster::shared().unwrap().database().unwrap();
    // Each connection costs a slow hash on both sides.
    let dsn = format!("{address}&max_conns=4");
    migrate(&dsn).await.unwrap();
    open(&dsn).await.unwrap()
}

every_behaviour!(fresh);
