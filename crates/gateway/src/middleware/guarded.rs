//! A service behind middlewares of its own: whatever leads to it passes them.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Endpoint, Exchange, Middleware, Next, ServerStatus};
use crate::body::{Request, Response};
use crate::error::Fault;

/// Such a service.
#[derive(Debug)]
pub(crate) struct Guarded {
    middlewares: Vec<Arc<dyn Middleware>>,
    service: Arc<dyn Endpoint>,
}

impl Guarded {
    pub(crate) fn new(middlewares: Vec<Arc<dyn Middleware>>, service: Arc<dyn Endpoint>) -> Self {
        Self {
            middlewares,
            service,
        }
    }
}

impl Endpoint for Guarded {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let next = Next::new(&self.middlewares, self.service.as_ref(), exchange);
        Box::pin(next.run(request).map(Ok))
    }

    fn is_up(&self) -> bool {
        self.service.is_up()
    }

    fn reports_health(&self) -> bool {
        self.service.reports_health()
    }

    fn servers(&self) -> Vec<ServerStatus> {
        self.service.servers()
    }
}
