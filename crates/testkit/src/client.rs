//! One request over a connection of its own, written and read as bytes: what a test sends goes out
//! as it is, and what comes back is not touched.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Fields;

/// A response as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Its fields.
    pub headers: Fields,
    /// All behind the head.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let mut lines = text.split("\r\n");
        Some(Self {
            status: lines.next()?.split(' ').nth(1)?.parse().ok()?,
            headers: Fields::parse(lines),
            body: bytes[head + 4..].to_vec(),
        })
    }
}

/// A GET of `/` for a host, with more fields, each a line without its end.
///
/// # Errors
/// As [`send`].
pub async fn get(address: SocketAddr, host: &str, fields: &[&str]) -> io::Result<Response> {
    let mut request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n");
    if !fields.iter().any(|field| field.starts_with("Connection:")) {
        request += "Connection: close\r\n";
    }
    for field in fields {
        request += field;
        request += "\r\n";
    }
    request += "\r\n";
    send(address, request.as_bytes()).await
}

/// Sends these bytes and reads until the server ends the connection: a request should ask for it.
///
/// # Errors
/// When there is no connection, or nothing that is a response came over it.
pub async fn send(address: SocketAddr, request: &[u8]) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let response = Response::parse(&bytes);
    response.ok_or_else(|| io::Error::other("what came back is no response"))
}
