//! The contract over each kind of store, and what only files promise.

mod changes;
#[path = "../../../src/store/contract/mod.rs"]
mod contract;
mod history;
mod kill9;
mod memory;
mod postgres;
mod proofs;
mod sqlite_file;
mod trouble;
