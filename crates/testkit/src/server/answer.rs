//! Answers, proper and improper ones.

use serde_json::Value;

/// What a server does with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A proper response.
    Response {
        /// The status.
        status: u16,
        /// The fields; the length is added.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection and nothing else.
    Drop,
    /// Nothing at all, for as long as the client waits.
    Hang,
}

impl Answer {
    /// A response with a body of text.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::Response {
            status,
            headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    /// A response with a body of JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Response {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// The same response with another field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Response { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// What goes over the wire; `None`: nothing, ever.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Hang => None,
            Self::Drop => Some(Vec::new()),
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Response {
                status,
                headers,
                body,
            } => {
                let mut head = format!("HTTP/1.1 {status} Told\r\n");
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                head += &format!("Content-Length: {}\r\n\r\n", body.len());
                Some([head.as_bytes(), body].concat())
            }
        }
    }

    pub(super) fn ends_connection(&self) -> bool {
        matches!(self, Self::Bytes(_) | Self::Drop)
    }
}
