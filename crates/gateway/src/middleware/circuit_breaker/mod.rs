//! `circuitBreaker`: asks nobody who fails, and little by little again later. `breaker.rs` decides,
//! `window.rs` knows the answers of late.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use carnet_config::routing::middleware::CircuitBreaker as Options;
use futures_util::future::BoxFuture;
use http::StatusCode;
use tokio::time::Instant;

use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::respond;

mod breaker;
mod window;

use breaker::Breaker;

/// The middleware.
pub(super) struct CircuitBreaker {
    breaker: Arc<Breaker>,
    answer: StatusCode,
}

/// An answer on its way to the client: it counts when it has ended.
struct Measured {
    breaker: Arc<Breaker>,
    status: StatusCode,
    asked: Instant,
}

impl CircuitBreaker {
    pub(super) fn new(name: &str, options: &Options) -> Self {
        let answer = StatusCode::from_u16(options.response_code);
        Self {
            breaker: Arc::new(Breaker::new(name, options)),
            answer: answer.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let latency: Duration = self.asked.elapsed();
        self.breaker.answered(self.status.as_u16(), latency);
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker").finish_non_exhaustive()
    }
}

impl Middleware for CircuitBreaker {
    fn kind(&self) -> &'static str {
        "circuitBreaker"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        if !self.breaker.admits() {
            return decided(Ok(respond::with_status(self.answer)));
        }
        let asked = Instant::now();
        let answer = next.run(request);
        Box::pin(async move {
            let response = answer.await;
            let measured = Measured {
                breaker: Arc::clone(&self.breaker),
                status: response.status(),
                asked,
            };
            let held = move |frame| {
                let _measured = &measured;
                frame
            };
            Ok(response.map(|body| body.passed(held)))
        })
    }
}
