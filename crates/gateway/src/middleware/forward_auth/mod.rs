//! `forwardAuth`: asks another service who may pass. `question.rs` makes the request that it gets,
//! `answer.rs` what becomes of its answer. Whatever is no answer of it lets nobody pass.

use std::sync::Arc;
use std::time::Duration;

use carnet_config::routing::Pem;
use carnet_config::routing::middleware::{ForwardAuth as Options, PemTls};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{Exchange, Identity, Middleware, Next};
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::room::{Room, Share};
use crate::service::{Collected, collect, gunzip};
use crate::supplies::Supplies;
use crate::upstream::{Client, ClientCertificate, Http2, Tls, Transport};

mod answer;
mod question;

use answer::Answer;
use question::Question;

/// Limit of the whole call.
const TIMEOUT: Duration = Duration::from_secs(30);
/// So many bytes of a body are kept where nobody says how many.
const BODY: i64 = 1 << 20;

/// A request, its body once more, and the memory that they take.
type Bodies = (Request, Body, Option<Share>);

/// The middleware.
#[derive(Debug)]
pub(super) struct ForwardAuth {
    client: Client,
    question: Question,
    answer: Answer,
    /// Bytes of a request's body that the service gets; `None`: it gets no body.
    body_limit: Option<usize>,
    /// Where the memory for bodies comes from.
    room: Arc<Room>,
    /// Bytes of its answer that are waited for; `None`: the answer is passed on as it comes.
    answer_limit: Option<usize>,
}

impl ForwardAuth {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let transport = Transport {
            tls: tls(&options.tls)?,
            http2: Http2::Negotiated,
            ..Transport::default()
        };
        let (resolve, own) = (Arc::clone(&supplies.resolve), supplies.own.clone());
        let body_limit = options.max_body_size.unwrap_or(BODY);
        let answer_limit = options.max_response_body_size.unwrap_or(-1);
        Ok(Self {
            client: Client::aware(&transport, resolve, own)?,
            question: Question::new(options)?,
            answer: Answer::new(options)?,
            body_limit: options
                .forward_body
                .then(|| usize::try_from(body_limit).unwrap_or(usize::MAX)),
            room: Arc::clone(&supplies.room),
            answer_limit: usize::try_from(answer_limit).ok(),
        })
    }

    /// The request, its body for the service, and the memory that both take. `None`: there is more of
    /// it than may be kept.
    async fn bodies(&self, request: Request) -> Result<Option<Bodies>, Fault> {
        let Some(limit) = self.body_limit else {
            return Ok(Some((request, Body::empty(), None)));
        };
        match collect(request, limit, &self.room).await? {
            Collected::Whole(whole) => {
                let body = whole.request().into_body();
                let (request, share) = whole.last();
                Ok(Some((request, body, Some(share))))
            }
            Collected::Streamed(_, fault) if fault.reason() == Reason::BodyTooLarge => Ok(None),
            Collected::Streamed(_, fault) => Err(fault),
        }
    }

    /// What the service says. `None`: more than is waited for.
    async fn ask(&self, mut question: Request) -> Result<Option<Response>, Fault> {
        let unzip = gunzip::ask(&mut question);
        let called = async {
            let response = self.client.send(question).await.map_err(no_answer)?;
            if response.status().is_informational() {
                return Err(no_answer("it speaks another protocol"));
            }
            let response = match unzip {
                true => gunzip::answer(response),
                false => response,
            };
            match self.answer_limit {
                None => Ok(Some(response)),
                Some(limit) => collected(response, limit).await,
            }
        };
        let called = tokio::time::timeout(TIMEOUT, called).await;
        called.map_err(|_| no_answer("no answer in time"))?
    }

    async fn pass(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let Some((mut request, body, _share)) = self.bodies(request).await? else {
            return Ok(refusal());
        };
        let question = self.question.about(&request, body, exchange);
        let Some(answer) = self.ask(question).await? else {
            return Ok(refusal());
        };
        if let Some(name) = self.answer.user(&answer) {
            exchange.identify(Identity {
                username: Some(name),
                client_id: None,
            });
        }
        if !answer.status().is_success() {
            return self.answer.refused(answer);
        }
        self.answer.stamp(&mut request, answer.headers());
        let mut response = next.run(request).await;
        self.answer.add_cookies(&mut response, answer.headers());
        Ok(response)
    }
}

/// Nobody who could allow it was heard. The client learns nothing of why.
fn no_answer(cause: impl ToString) -> Fault {
    Fault::new(Reason::AuthService).because(cause.to_string())
}

fn refusal() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

async fn collected(response: Response, limit: usize) -> Result<Option<Response>, Fault> {
    let (head, body) = response.into_parts();
    match Limited::new(body, limit).collect().await {
        Ok(collected) => {
            let body = Body::from(collected.to_bytes());
            Ok(Some(Response::from_parts(head, body)))
        }
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(no_answer(error)),
    }
}

/// The error is one sentence.
fn tls(options: &PemTls) -> Result<Tls, String> {
    let text = |pem: &Option<Pem>| match pem {
        None => Ok(None),
        // Without what it names, another authority would be trusted.
        Some(pem) => match pem.text() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err("a file that `tls` names was not read"),
        },
    };
    let pair = text(&options.cert)?.zip(text(&options.key)?);
    let pair = pair.map(|(cert, key)| ClientCertificate {
        cert,
        key: key.into(),
    });
    Ok(Tls {
        insecure_skip_verify: options.insecure_skip_verify,
        root_cas: text(&options.ca)?.into_iter().collect(),
        client_certificates: pair.into_iter().collect(),
        ..Tls::default()
    })
}

impl Middleware for ForwardAuth {
    fn kind(&self) -> &'static str {
        "forwardAuth"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(self.pass(request, exchange, next))
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.answer.put(headers, &HeaderMap::new());
    }
}
