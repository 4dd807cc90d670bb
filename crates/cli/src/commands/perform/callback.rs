//! Where a browser comes back to: a port of this machine, for one answer.

use std::time::Duration;

use carnet_oauth::form;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::output::Failure;

/// A longer head is no browser's.
const LONGEST: usize = 16 * 1024;

/// A browser says what it wants within so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The parameters of an answer.
pub(super) type Parameters = Vec<(String, String)>;

/// Waits for the browser: at `/` it is sent to `begin`, at `/callback` it brings the answer.
pub(super) async fn answer(
    listener: std::net::TcpListener,
    begin: &str,
) -> Result<Parameters, Failure> {
    let failed = |error| Failure::new(format!("the callback port cannot be used: {error}"));
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    loop {
        let (mut stream, _) = listener.accept().await.map_err(failed)?;
        // Browsers open connections that they never use: nobody waits for those.
        let Ok(Some(target)) = tokio::time::timeout(PATIENCE, target(&mut stream)).await else {
            continue;
        };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match path {
            "/" => {
                let head = format!("302 Found\r\nLocation: {begin}");
                respond(&mut stream, &head, "").await;
            }
            "/callback" => {
                let text = "You can close this window and go back to the command line.\n";
                respond(&mut stream, "200 OK\r\nContent-Type: text/plain", text).await;
                return Ok(form::parse(query.as_bytes()));
            }
            _ => respond(&mut stream, "404 Not Found", "").await,
        }
    }
}

/// What a request names.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    (words.next() == Some("GET")).then_some(())?;
    words.next().map(str::to_owned)
}

/// Answers; a browser that has gone is no failure.
async fn respond(stream: &mut TcpStream, head: &str, text: &str) {
    let length = text.len();
    let answer =
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}");
    drop(stream.write_all(answer.as_bytes()).await);
    drop(stream.shutdown().await);
}
