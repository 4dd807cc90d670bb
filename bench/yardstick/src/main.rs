//! What a measurement needs beside the servers: how fast the signing library is by itself
//! ([`sign`]), what an HTTP server costs that does nothing ([`empty`]), and a load of forms
//! ([`post`]). Knows nothing of the servers that are measured.

mod empty;
mod post;
mod sign;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::post::Extent;

#[derive(Debug, Parser)]
#[command(name = "yardstick", about = "What servers are measured against.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Signs in a loop for some seconds and tells how often.
    Sign {
        /// The algorithm, as ES256.
        algorithm: String,
        /// The size of an RSA key.
        #[arg(long, default_value_t = 2048)]
        bits: u32,
        /// How long, in seconds.
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
    },
    /// Answers every request with nothing.
    Empty {
        /// The port on the loopback.
        port: u16,
    },
    /// Posts forms and tells how long the answers took: each form once, unless a time is given.
    Post {
        /// The port on the loopback.
        port: u16,
        /// The path.
        path: String,
        /// A file with a form a line: the Authorization header's value or nothing, a tab, the body.
        forms: PathBuf,
        /// How long, in seconds: all forms over and over.
        #[arg(long)]
        seconds: Option<f64>,
        /// Requests a second; as many as are answered when not given.
        #[arg(long, requires = "seconds")]
        rate: Option<f64>,
        /// More requests are never under way.
        #[arg(long, default_value_t = 32)]
        connections: usize,
    },
}

/// The time that passes for everybody.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Sign {
            algorithm,
            bits,
            seconds,
        } => sign::run(&algorithm, bits, seconds),
        Command::Empty { port } => empty::run(port),
        Command::Post {
            port,
            path,
            forms,
            seconds,
            rate,
            connections,
        } => {
            let extent = match (seconds.map(Duration::from_secs_f64), rate) {
                (None, _) => Extent::Once,
                (Some(time), None) => Extent::Time(time),
                (Some(time), Some(rate)) => Extent::Pace(time, rate),
            };
            post::run(port, &path, &forms, connections, extent)
        }
    }
}
