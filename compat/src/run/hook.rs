//! The web hook that a server under test may call: it answers as the step says, and keeps what it
//! was asked.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::compare::Asked;
use crate::scenario::{HookAnswer, HookStep};

/// A hook that ends when it is dropped.
#[derive(Debug)]
pub(super) struct Hook {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    /// Absent while connections are refused.
    serving: Option<JoinHandle<()>>,
}

/// What is answered, and what was asked.
#[derive(Debug, Default)]
struct Script {
    status: u16,
    body: String,
    asked: Vec<Asked>,
}

impl Hook {
    /// Starts on a free port of the loopback interface.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, script) = (listener.local_addr()?, Arc::default());
        let serving = Some(tokio::spawn(serve(listener, Arc::clone(&script))));
        Ok(Self {
            address,
            script,
            serving,
        })
    }

    /// `HOST:PORT`.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Takes over what the next step says.
    pub(super) async fn set(&mut self, step: &HookStep) -> Result<()> {
        let HookAnswer::Reply { status, body } = &step.answer else {
            if let Some(serving) = self.serving.take() {
                serving.abort();
                // Aborted or not, its sockets are closed.
                let _ = serving.await;
            }
            return Ok(());
        };
        *self.script() = Script {
            status: *status,
            body: match body {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
            asked: Vec::new(),
        };
        if self.serving.is_none() {
            let listener = TcpListener::bind(self.address).await;
            let listener = listener.context("the port of the hook is taken")?;
            self.serving = Some(tokio::spawn(serve(listener, Arc::clone(&self.script))));
        }
        Ok(())
    }

    /// What it was asked since.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.script().asked.clone()
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// Connections end with the task.
async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let script = Arc::clone(&script);
        let service = service_fn(move |request| answer(request, Arc::clone(&script)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<Script>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let asked = Asked {
        path: head.uri.to_string(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body.unwrap_or_default()).into_owned(),
    };
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.asked.push(asked);
    let mut response = Response::new(Full::new(Bytes::from(script.body.clone())));
    *response.status_mut() = script.status.try_into().unwrap_or_default();
    Ok(response)
}
