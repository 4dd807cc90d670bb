//! `passTLSClientCert`: tells the service who the client is, by the certificates that it showed in
//! the handshake. `info.rs` writes what they say. What a client says of itself in these headers was
//! taken out when the request came in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carnet_config::routing::middleware::PassTlsClientCert as Options;
use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::HeaderName;
use rustls_pki_types::CertificateDer;

use super::lookalikes::remove_lookalikes;
use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};

mod info;

const CERT: HeaderName = HeaderName::from_static("x-forwarded-tls-client-cert");
const INFO: HeaderName = HeaderName::from_static("x-forwarded-tls-client-cert-info");

/// The middleware.
#[derive(Debug)]
pub(super) struct PassTlsClientCert(pub(super) Options);

impl PassTlsClientCert {
    fn stamp(&self, request: &mut Request, shown: &[CertificateDer<'_>]) -> Result<(), Fault> {
        let Self(options) = self;
        let mut set = |name: HeaderName, value: String| {
            let value = HeaderValue::try_from(value)
                .map_err(|error| Fault::new(Reason::Internal).because(error))?;
            remove_lookalikes(request.headers_mut(), &name);
            request.headers_mut().insert(name, value);
            Ok::<(), Fault>(())
        };
        if options.pem {
            let texts: Vec<String> = shown.iter().map(|der| STANDARD.encode(der)).collect();
            set(CERT, texts.join(","))?;
        }
        if let Some(parts) = &options.info {
            set(INFO, info::of(shown, parts))?;
        }
        Ok(())
    }
}

impl Middleware for PassTlsClientCert {
    fn kind(&self) -> &'static str {
        "passTLSClientCert"
    }

    fn handle<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let session = exchange.connection().tls.as_ref();
        let shown = session.map_or(&[][..], |session| session.certificates());
        let stamped = match shown {
            [] => Ok(()),
            shown => self.stamp(&mut request, shown),
        };
        match stamped {
            Ok(()) => next.pass(request),
            Err(fault) => decided(Err(fault)),
        }
    }
}
