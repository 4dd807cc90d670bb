//! `dashboard@internal`: Traefik's dashboard is not ours; a page says where to look instead.

use futures_util::future::BoxFuture;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};

use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::{Endpoint, Exchange};

const PAGE: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>carnet</title>
<h1>carnet</h1>
<p>There is no dashboard. What it would show:</p>
<ul>
<li><a href=\"../api/overview\">overview</a>
<li><a href=\"../api/entrypoints\">entry points</a>
<li><a href=\"../api/http/routers\">routers</a>
<li><a href=\"../api/http/services\">services</a>
<li><a href=\"../api/http/middlewares\">middlewares</a>
<li><a href=\"../api/rawdata\">everything</a>
</ul>
</html>
";

/// Answers with the page, and sends `/` to it.
#[derive(Debug)]
pub(crate) struct Dashboard;

impl Dashboard {
    fn reply(request: &Request) -> Result<Response, Fault> {
        let path = request.uri().path();
        if matches!(path, "/" | "/dashboard") {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            let page = HeaderValue::from_static("/dashboard/");
            response.headers_mut().insert(LOCATION, page);
            return Ok(response);
        }
        if path != "/dashboard/" {
            return Err(Fault::new(Reason::NoRoute));
        }
        let mut response = Response::new(Body::from(PAGE));
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'"),
            (X_FRAME_OPTIONS, "DENY"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

impl Endpoint for Dashboard {
    fn answer<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move { Self::reply(&request) })
    }
}
