//! The routes, and serving them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::admin::Admin;
use crate::{consent, login, logout};

/// Answers for names and ports that the system's resolver does not know; `None`: ask the system.
pub type Resolve = Arc<dyn Fn(&str, u16) -> Option<SocketAddr> + Send + Sync>;

/// What the application is told.
#[derive(Clone)]
pub struct Options {
    /// Where Hydra's admin API is, without TLS: `http://hydra:4445`.
    pub admin_url: Url,
    /// How the host of `admin_url` is found.
    pub resolve: Resolve,
}

/// How long requests in flight may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Serves `/login`, `/consent`, `/logout` and `/health` until `shutdown` is cancelled; then
/// finishes the requests in flight, for ten seconds at most.
///
/// # Errors
/// When `admin_url` is not `http` (`InvalidInput`), or the listener cannot be used by the runtime.
pub async fn serve(
    options: Options,
    listener: std::net::TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let admin = Admin::new(options)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let stop = shutdown.clone().cancelled_owned();
    let server = axum::serve(listener, routes(admin)).with_graceful_shutdown(stop);
    let grace_is_over = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended,
        () = grace_is_over => Ok(()),
    }
}

/// The original does not look at the method, so neither does this.
fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/login", any(login::answer))
        .route("/consent", any(consent::answer))
        .route("/logout", any(logout::answer))
        .route(
            "/health",
            get(|| async { axum::Json(serde_json::json!({ "status": "ok" })) }),
        )
        .with_state(Arc::new(admin))
}
