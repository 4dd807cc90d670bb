//! What a measurement needs beside the servers: how fast the signing library is by itself
//! ([`sign`]), what an HTTP server costs that does nothing ([`empty`]), and requests at an even pace
//! ([`pace`]). Knows nothing of the servers that are measured.

mod empty;
mod pace;
mod sign;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};

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
    /// Sends one request over and over at an even pace and tells how long the answers took.
    Pace {
        /// The port on the loopback.
        port: u16,
        /// A file with the request, head and body.
        request: PathBuf,
        /// Requests a second.
        #[arg(long)]
        rate: f64,
        /// How long, in seconds.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
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
        Command::Pace {
            port,
            request,
            rate,
            seconds,
        } => pace::run(port, &std::fs::read(request)?, rate, seconds),
    }
}
