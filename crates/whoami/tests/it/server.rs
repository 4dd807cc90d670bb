//! A running application and a client that adds nothing to what it is given.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use carnet_whoami::Options;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The application, stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) ended: JoinHandle<std::io::Result<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines between the status and the empty line.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    /// The port of the client that asked.
    pub(crate) port: u16,
}

impl Answer {
    /// Whether this header line was among the answer's.
    pub(crate) fn has(&self, line: &str) -> bool {
        self.headers.iter().any(|header| header == line)
    }

    /// The body without the lines about this machine's addresses, which vary.
    pub(crate) fn text(&self) -> String {
        let lines = self.body.split_inclusive('\n');
        lines.filter(|line| !line.starts_with("IP: ")).collect()
    }
}

/// The options of the tests.
pub(crate) fn options() -> Options {
    Options {
        name: String::new(),
        hostname: "box".to_owned(),
        env: BTreeMap::from([
            ("A".to_owned(), "1=2".to_owned()),
            ("B".to_owned(), "<b>".to_owned()),
        ]),
        verbose: false,
    }
}

/// Starts the application.
pub(crate) fn start(options: Options) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(carnet_whoami::serve(options, listener, shutdown.clone()));
    Server {
        address,
        shutdown,
        ended,
    }
}

/// Sends these bytes to a new application and reads one answer.
pub(crate) async fn ask(request: &str) -> Answer {
    let server = start(options());
    ask_of(&server, request).await
}

/// Sends these bytes over a new connection and reads one answer.
pub(crate) async fn ask_of(server: &Server, request: &str) -> Answer {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let port = stream.local_addr().unwrap().port();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let status = lines.remove(0).split(' ').nth(1).unwrap().parse().unwrap();
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let body = match length {
        Some(length) => {
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            body
        }
        None => chunks(&mut stream).await,
    };
    Answer {
        status,
        headers: lines,
        body: String::from_utf8(body).unwrap(),
        port,
    }
}

/// A chunked body.
async fn chunks(stream: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk).await.unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..length]);
    }
}
