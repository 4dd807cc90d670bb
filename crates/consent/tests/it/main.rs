//! The application beside a scripted admin API, both on sockets of their own.
#![expect(clippy::unwrap_used, reason = "tests")]

mod house;
mod pages;
mod trouble;
