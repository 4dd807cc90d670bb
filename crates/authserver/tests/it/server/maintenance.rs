//! What happens beside the requests.

use std::{sync::Arc, time::Duration};

use crate::server::{Room, still::StillStore, tutorial};

#[tokio::test(start_paused = true)]
async fn expired_rows_are_deleted_every_minute() {
    let store = Arc::new(StillStore::default());
    let room = Room::over(tutorial(), store.clone()).await;
    room.get("/.well-known/jwks.json").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    room.clock.advance(Duration::from_secs(60));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(*store.swept.lock().unwrap(), [1_795_694_400, 1_795_694_460]);
    drop(room);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(
        store.swept.lock().unwrap().len(),
        2,
        "the sweep ends with the server"
    );
}
