//! What a service gets of a user who has shown who he is.

use carnet_config::routing::middleware::BasicAuth as Options;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::lookalikes::remove_lookalikes;
use crate::body::Request;
use crate::error::{Fault, Reason};

/// `headerField` and `removeHeader`.
#[derive(Debug)]
pub(super) struct Stamp {
    header_field: Option<HeaderName>,
    removes_header: bool,
}

impl Stamp {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let header_field = options.header_field.as_ref().map(|name| {
            HeaderName::try_from(name).map_err(|_| "`headerField` is no name of a header")
        });
        Ok(Self {
            header_field: header_field.transpose()?,
            removes_header: options.remove_header,
        })
    }

    /// Puts the name where the service looks for it, and nobody else's.
    pub(super) fn put(&self, request: &mut Request, name: &str) -> Result<(), Fault> {
        let headers = request.headers_mut();
        if let Some(field) = &self.header_field {
            remove_lookalikes(headers, field);
            let name = HeaderValue::from_bytes(name.as_bytes())
                .map_err(|error| Fault::new(Reason::BadRequest).because(error))?;
            headers.insert(field.clone(), name);
        }
        if self.removes_header {
            headers.remove(AUTHORIZATION);
        }
        Ok(())
    }

    /// Takes out what a caller says the name is.
    pub(super) fn disown(&self, headers: &mut HeaderMap) {
        if let Some(field) = &self.header_field {
            remove_lookalikes(headers, field);
        }
    }
}
