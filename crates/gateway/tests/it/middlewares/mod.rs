//! Middlewares, alone and together.

use carnet_testkit::client::Response;

use crate::stand::{Stand, Whoami};

mod advisories;
mod api_key;
mod compress;
mod digest_auth;
mod everyday;
mod failing;
mod forward_auth;
mod guards;
mod headers;
mod hmac;
mod limits;
mod paths;

/// A gateway with one router over middlewares, `m0` first, and the echo application behind it.
struct Guarded {
    stand: Stand,
    _backend: Whoami,
}

impl Guarded {
    async fn by(middlewares: &[&str]) -> Self {
        let backend = Whoami::start();
        let stand = Stand::new(&document(middlewares, &backend.url)).await;
        Self {
            stand,
            _backend: backend,
        }
    }

    async fn ask(&self, head: &str) -> Response {
        self.stand.ask(head).await
    }

    async fn status(&self, fields: &str) -> u16 {
        let head = format!("GET / HTTP/1.1\nHost: a.test{fields}");
        self.ask(&head).await.status
    }
}

/// Each middleware on one line, as YAML's flow style.
pub(crate) fn document(middlewares: &[&str], url: &str) -> String {
    let names: Vec<String> = (0..middlewares.len()).map(|n| format!("m{n}")).collect();
    let options = names.iter().zip(middlewares);
    let options: String = options
        .map(|(name, options)| format!("    {name}: {options}\n"))
        .collect();
    format!(
        "http:\n  routers:\n    r:\n      rule: PathPrefix(`/`)\n      service: s\n      \
         middlewares: [{}]\n  middlewares:\n{options}  services:\n    s:\n      loadBalancer:\n        \
         servers: [{{url: '{url}'}}]\n",
        names.join(", ")
    )
}

/// What the echo application saw of a field.
fn seen(response: &Response, field: &str) -> Option<String> {
    let field = format!("{field}: ");
    let text = response.text();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field.as_str()))?;
    Some(value.to_owned())
}

/// The request line that the echo application saw; empty: it saw none.
fn line(response: &Response) -> String {
    let text = response.text();
    let line = text.lines().find(|line| line.ends_with(" HTTP/1.1"));
    line.unwrap_or_default().to_owned()
}

/// Takes the whole chunks out of what was received of a body.
fn chunks(received: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some(line) = received.windows(2).position(|part| part == b"\r\n") {
        let size = String::from_utf8(received[..line].to_vec()).unwrap();
        let Ok(size) = usize::from_str_radix(&size, 16) else {
            break;
        };
        let Some(chunk) = received.get(line + 2..line + 2 + size) else {
            break;
        };
        found.push(chunk.to_vec());
        let end = (line + 4 + size).min(received.len());
        received.drain(..end);
    }
    found
}
