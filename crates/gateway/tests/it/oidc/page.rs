//! The file of `docs/reference/oidc.md`: people and machines at one host.

use serde_json::json;

use super::{HOST, Provider, World, location};
use crate::jwt::{Door, NOW, challenge, signed};

const PAGE: &str = include_str!("../../../../../docs/reference/oidc.md");

const SECRET: &str = "0123456789abcdef0123456789abcdef";

impl World {
    /// The page's file, with a provider, a backend and a host that are there.
    async fn of_page() -> Self {
        let provider = Provider::start().await;
        let door = Door::closed().await;
        let file = PAGE.split("```yaml\n").nth(1).unwrap();
        let file = file.split("```").next().unwrap();
        let file = file
            .replace("https://auth.example", &provider.issuer())
            .replace("urn:file:/run/secrets/gateway", SECRET)
            .replace("http://127.0.0.1:3000", &door.backend.url(""))
            .replace("app.example", HOST);
        assert_eq!(door.gateway.offer(&file), "");
        Self { provider, door }
    }
}

impl Provider {
    fn issuer(&self) -> String {
        self.server.url("").trim_end_matches('/').to_owned()
    }
}

#[tokio::test]
async fn people_and_machines_share_a_host_as_the_page_says() {
    let world = World::of_page().await;
    let issuer = world.provider.issuer();
    let claims = json!({
        "iss": issuer, "aud": format!("https://{HOST}"), "sub": "robot", "exp": NOW + 60,
    });
    let token = signed(&world.provider.told.lock().unwrap().key, &claims);
    let machine = world.door.with(&token).await;
    assert_eq!(machine.status, 200, "{}", machine.text());
    assert_eq!(world.door.seen("x-user"), ["robot"]);
    let stranger = world.door.with("nonsense").await;
    assert_eq!(stranger.status, 401);
    assert!(challenge(&stranger).unwrap().contains("invalid_token"));

    let nobody = world.door.get(&["X-User: robot"]).await;
    assert_eq!(nobody.status, 401);
    let mut person = world.logged_in().await;
    assert_eq!(person.get("/").await.status, 200);
    assert_eq!(world.door.seen("x-user"), ["alice"]);
    let out = person.get("/logout").await;
    assert!(location(&out).starts_with(&format!("{issuer}/end?")));
    assert_eq!(person.get("/").await.status, 302);
    assert_eq!(world.door.backend.count(), 2);
}
