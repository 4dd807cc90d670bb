//! Where a browser goes next, with what.

use carnet_oauth::{Error as OauthError, ErrorBody, ErrorCode, error::printable};

use crate::domain::{Authority, TokenError, authorize::browser::Cookie};

/// Where a browser goes next, and what it keeps.
#[derive(Debug)]
pub(crate) struct Onward {
    pub(crate) to: Destination,
    pub(crate) cookies: Vec<Cookie>,
}

/// Where a browser goes.
#[derive(Debug)]
pub(crate) enum Destination {
    /// To a page of the operator's, or one of our own.
    Page(String),
    /// Back to the client.
    Client(Answer),
}

/// What a client is told through the browser.
#[derive(Debug)]
pub(crate) struct Answer {
    /// A registered address.
    pub(crate) redirect_uri: String,
    pub(crate) mode: Mode,
    /// In the order of their names.
    pub(crate) parameters: Vec<(&'static str, String)>,
}

/// How a client is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In the query of its address.
    #[default]
    Query,
    /// In the fragment, which only scripts see.
    Fragment,
    /// By a form that the browser posts.
    FormPost,
}

/// Where a client is told something.
#[derive(Debug, Clone)]
pub(in crate::domain) struct ReturnTo {
    pub(super) redirect_uri: String,
    pub(super) mode: Mode,
    /// Who answers, so that a client of several servers can tell (RFC 9207).
    pub(super) issuer: String,
    pub(super) state: String,
}

/// Why a browser does not get a code.
#[derive(Debug)]
pub(in crate::domain) enum Refusal {
    /// The client is told.
    Client(Box<ReturnTo>, ErrorBody),
    /// Nobody knows where the client is, or whether it is one: the person is told.
    Page(OauthError),
    /// The server is broken.
    Broken(TokenError),
}

impl ReturnTo {
    /// There is no client behind this browser.
    pub(super) fn nowhere() -> Self {
        Self {
            redirect_uri: String::new(),
            mode: Mode::default(),
            issuer: String::new(),
            state: String::new(),
        }
    }

    /// Tells the client.
    pub(super) fn answer(self, mut parameters: Vec<(&'static str, String)>) -> Destination {
        parameters.extend([("iss", self.issuer), ("state", self.state)]);
        parameters.sort_by_key(|(name, _)| *name);
        Destination::Client(Answer {
            redirect_uri: self.redirect_uri,
            mode: self.mode,
            parameters,
        })
    }

    /// Tells it that there is no code.
    pub(super) fn refusal(&self, code: ErrorCode, text: &str) -> Refusal {
        self.because(&OauthError::new(code, text))
    }

    /// The same, of an error.
    pub(super) fn because(&self, error: &OauthError) -> Refusal {
        Refusal::Client(Box::new(self.clone()), error.into())
    }

    /// The same, in the words of an application.
    pub(super) fn said(&self, error: &str, text: &str) -> Refusal {
        let body = ErrorBody {
            error: printable(error),
            error_description: printable(text),
        };
        Refusal::Client(Box::new(self.clone()), body)
    }
}

impl<E: Into<TokenError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

impl Refusal {
    pub(in crate::domain) fn page(code: ErrorCode, text: &str) -> Self {
        Self::Page(OauthError::new(code, text))
    }
}

impl Authority {
    /// What a browser that gets no code sees.
    pub(in crate::domain) fn refused(&self, refusal: Refusal) -> Result<Onward, TokenError> {
        let to = match refusal {
            Refusal::Broken(error) => return Err(error),
            Refusal::Page(error) => Destination::Page(self.error_page(&(&error).into())),
            Refusal::Client(to, body) if to.redirect_uri.is_empty() => {
                Destination::Page(self.error_page(&body))
            }
            Refusal::Client(to, body) => to.answer(vec![
                ("error", body.error),
                ("error_description", body.error_description),
            ]),
        };
        let cookies = Vec::new();
        Ok(Onward { to, cookies })
    }

    /// Where a person reads of an error.
    pub(in crate::domain) fn error_page(&self, body: &ErrorBody) -> String {
        let parameters = [
            ("error", body.error.as_str()),
            ("error_description", &body.error_description),
        ];
        let named = self.options.people.error_url.as_deref();
        self.page(named, "error", &parameters)
    }

    /// A page that an operator named, or the one of our own in its place, with parameters.
    pub(in crate::domain) fn page(
        &self,
        named: Option<&str>,
        own: &str,
        parameters: &[(&str, &str)],
    ) -> String {
        let base = match named {
            Some(named) => named.to_owned(),
            None => format!("{}/oauth2/fallbacks/{own}", self.options.public_base()),
        };
        with_parameters(&base, '?', parameters)
    }
}

/// An address with parameters behind it.
pub(crate) fn with_parameters(base: &str, mark: char, parameters: &[(&str, &str)]) -> String {
    if parameters.is_empty() {
        return base.to_owned();
    }
    let pairs = parameters.iter().map(|&(name, value)| (name, value.into()));
    let query = carnet_oauth::form::encode_pairs(pairs);
    let mark = match base.contains(mark) {
        true => '&',
        false => mark,
    };
    format!("{base}{mark}{query}")
}

impl Answer {
    /// Where the browser is sent, unless it posts.
    pub(crate) fn location(&self) -> String {
        let mark = match self.mode {
            Mode::Fragment => '#',
            Mode::Query | Mode::FormPost => '?',
        };
        let parameters = self.parameters.iter();
        let parameters: Vec<_> = parameters
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        with_parameters(&self.redirect_uri, mark, &parameters)
    }
}
