//! A Redis for tests: what gateways ask of one, in memory. It knows the commands of a store of values
//! with ends, and nothing else of Redis.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A server on port 0. It ends when it is dropped.
#[derive(Debug)]
pub struct Redis {
    /// Where it listens.
    pub address: SocketAddr,
    values: Values,
    serving: JoinHandle<()>,
}

type Values = Arc<Mutex<BTreeMap<Vec<u8>, Kept>>>;

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    until: Instant,
}

impl Redis {
    /// An empty one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, values) = (listener.local_addr()?, Values::default());
        let held = Arc::clone(&values);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&held)));
            }
        });
        Ok(Self {
            address,
            values,
            serving,
        })
    }

    /// What it keeps: names, values, and for how many seconds yet.
    pub fn values(&self) -> Vec<(String, Vec<u8>, u64)> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let kept = values.iter().filter(|(_, kept)| now < kept.until);
        kept.map(|(name, kept)| {
            let left = kept.until.duration_since(now).as_secs();
            let name = String::from_utf8_lossy(name).into_owned();
            (name, kept.value.clone(), left)
        })
        .collect()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(stream: TcpStream, values: Values) {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    while let Ok(words) = command(&mut input).await {
        let answer = answer(&words, &values);
        if output.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// A command: an array of texts (RESP).
async fn command(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    for _ in 0..number(input, '*').await? {
        let mut word = vec![0; number(input, '$').await?];
        input.read_exact(&mut word).await?;
        input.read_exact(&mut [0; 2]).await?;
        words.push(word);
    }
    Ok(words)
}

async fn number(input: &mut (impl AsyncBufRead + Unpin), kind: char) -> io::Result<usize> {
    let mut line = String::new();
    input.read_line(&mut line).await?;
    let number = line.trim_end().strip_prefix(kind);
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn answer(words: &[Vec<u8>], values: &Values) -> Vec<u8> {
    let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    values.retain(|_, kept| now < kept.until);
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    match words[..] {
        [b"GET", name] => match values.get(name) {
            Some(kept) => text(&kept.value),
            None => b"$-1\r\n".to_vec(),
        },
        [b"PTTL", name] => {
            let left = values.get(name).map(|kept| kept.until.duration_since(now));
            let left = left.map_or(-2, |left| i64::try_from(left.as_millis()).unwrap_or(-1));
            format!(":{left}\r\n").into_bytes()
        }
        [b"SET", name, value, ref rest @ .., b"PX", millis] => {
            if rest.contains(&&b"NX"[..]) && values.contains_key(name) {
                return b"$-1\r\n".to_vec();
            }
            let life = String::from_utf8_lossy(millis).parse();
            let kept = Kept {
                value: value.to_vec(),
                until: now + Duration::from_millis(life.unwrap_or_default()),
            };
            values.insert(name.to_vec(), kept);
            b"+OK\r\n".to_vec()
        }
        [b"DEL", name] => format!(":{}\r\n", usize::from(values.remove(name).is_some())).into(),
        _ => b"-ERR unknown command\r\n".to_vec(),
    }
}

fn text(value: &[u8]) -> Vec<u8> {
    let mut answer = format!("${}\r\n", value.len()).into_bytes();
    answer.extend_from_slice(value);
    answer.extend_from_slice(b"\r\n");
    answer
}
