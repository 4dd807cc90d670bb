//! A file for each command, named as the user types it. [`run`] is the whole program as a function:
//! `main` calls it with the process's surroundings, `up` with a container's.
//!
//! Knows no real environment, clock or output: all of that comes in as a [`Process`].

use std::net::TcpListener;
use std::sync::PoisonError;

use clap::FromArgMatches;
use futures_util::future::BoxFuture;

use crate::args::{self, Called, CarnetLine, Command, Hydra, HydraLine};
use crate::boot;
use crate::output::{self, Failure};
use crate::process::{Output, Process};

mod acme_json;
mod client_flags;
mod completion;
mod consent;
mod create;
mod data_plane;
mod delete;
mod demo;
mod gateway;
mod get;
mod healthcheck;
mod import;
mod install;
mod introspect;
mod janitor;
mod jose;
mod link;
mod list;
mod migrate;
mod perform;
mod reference;
mod revoke;
mod serve;
mod shown;
mod token;
mod up;
mod update;
mod validate;
mod version;
mod whoami;

/// The exit code of a command that was told to end before it was done.
const INTERRUPTED: u8 = 130;

/// Runs a command line whose first argument is the name of the program, and says how it ended:
/// 0 done, 1 failed, 2 not understood.
///
/// The future is boxed because `up` runs command lines of its own.
pub(crate) fn run(arguments: Vec<String>, process: &Process) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let (called, arguments) = args::normalize(arguments);
        match called {
            Called::Carnet => match parse::<CarnetLine>(arguments, called, process) {
                Ok(line) => carnet(line.command, process).await,
                Err(code) => code,
            },
            Called::Hydra => match parse::<HydraLine>(arguments, called, process) {
                Ok(line) => hydra(line.command, called, process).await,
                Err(code) => code,
            },
        }
    })
}

/// Commands that `hydra` does not have.
async fn carnet(command: Option<Command>, process: &Process) -> u8 {
    match command {
        None => help(None, Called::Carnet, process),
        Some(Command::Hydra(command)) => hydra(Some(command), Called::Carnet, process).await,
        Some(Command::Demo(args)) => stay(demo::run(args, process), process).await,
        Some(Command::Up(flags)) => stay(up::run(flags, process), process).await,
        Some(Command::Gateway(flags)) => stay(gateway::run(flags, process), process).await,
        Some(Command::Whoami(args)) => stay(whoami::run(args, process), process).await,
        Some(Command::Consent(args)) => stay(consent::run(args, process), process).await,
        Some(Command::Validate(args)) => output::finish(process, validate::run(&args, process)),
        Some(Command::Healthcheck(flags)) => brief(healthcheck::run(flags, process), process).await,
        Some(Command::Install(args)) => install::run(&args, process),
        Some(Command::Link(args)) => output::finish(process, link::run(&args, process)),
        Some(Command::Token(args)) => token::run(args, process).await,
        Some(Command::Jose(args)) => jose::run(args, process).await,
        Some(Command::Reference { page }) => reference::run(page, process),
    }
}

/// Commands under both names.
async fn hydra(command: Option<Hydra>, called: Called, process: &Process) -> u8 {
    match command {
        None => help(None, called, process),
        Some(Hydra::Create(args)) => create::run(args, called, process).await,
        Some(Hydra::Get(args)) => get::run(args, called, process).await,
        Some(Hydra::List(args)) => list::run(args, called, process).await,
        Some(Hydra::Update(args)) => update::run(args, called, process).await,
        Some(Hydra::Import(args)) => import::run(args, called, process).await,
        Some(Hydra::Delete(args)) => delete::run(args, called, process).await,
        Some(Hydra::Perform(args)) => perform::run(args, called, process).await,
        Some(Hydra::Introspect(args)) => introspect::run(args, called, process).await,
        Some(Hydra::Revoke(args)) => revoke::run(args, called, process).await,
        Some(Hydra::Serve(args)) => serve::run(args, called, process).await,
        Some(Hydra::Migrate(args)) => migrate::run(args, called, process).await,
        Some(Hydra::Janitor(args)) => brief(janitor::run(args, process), process).await,
        Some(Hydra::Version) => version::run(called, process),
        Some(Hydra::Completion(args)) => completion::run(&args, called, process),
    }
}

/// A command that asks somebody and is done: it ends at once when it is told to.
async fn brief(command: impl Future<Output = Result<(), Failure>> + Send, process: &Process) -> u8 {
    tokio::select! {
        result = command => output::finish(process, result),
        () = process.shutdown.cancelled() => INTERRUPTED,
    }
}

/// A command that serves until it is told to end, which it does in order.
async fn stay(command: impl Future<Output = Result<(), Failure>> + Send, process: &Process) -> u8 {
    output::finish(process, command.await)
}

/// Opens a listener at an address as users write it.
fn listen(address: &str, process: &Process) -> Result<TcpListener, Failure> {
    (process.listen)(address).map_err(|error| Failure::new(boot::explain(address, &error)))
}

/// The file that a key of the configuration names for a log.
fn log_file(key: &str, path: &str, process: &Process) -> Result<Output, Failure> {
    process.logs.open(path).map_err(|error| {
        Failure::new(format!(
            "{key}: {path} cannot be written: {error}; choose another file"
        ))
    })
}

/// A verb without a noun is a question, as it is for Hydra; so is no verb at all.
fn help(verb: Option<&str>, called: Called, process: &Process) -> u8 {
    let mut tree = args::tree(called);
    tree.build();
    let command = verb.and_then(|verb| tree.find_subcommand(verb).cloned());
    let help = command.unwrap_or(tree).render_help();
    output::print(process, &help.to_string());
    output::DONE
}

/// Reads a line. Help goes where scripts read, complaints where people do.
fn parse<L: FromArgMatches>(
    arguments: Vec<String>,
    called: Called,
    process: &Process,
) -> Result<L, u8> {
    let matches = args::tree(called).try_get_matches_from(arguments);
    matches
        .and_then(|matches| L::from_arg_matches(&matches))
        .map_err(|error| {
            if error.use_stderr() {
                output::say(process, &output::sentence(&error));
                output::MISUNDERSTOOD
            } else {
                output::print(process, &error.render().to_string());
                output::DONE
            }
        })
}

/// Reads a file to its end, or standard input when it is called `-`.
async fn read(file: &str, process: &Process) -> Result<Vec<u8>, Failure> {
    let (name, input) = (file.to_owned(), process.input.clone());
    let reading = tokio::task::spawn_blocking(move || {
        if name != "-" {
            return std::fs::read(&name);
        }
        let mut bytes = Vec::new();
        let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
        input.read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match reading.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Failure::new(format!("cannot read `{file}`: {error}"))),
        Err(error) => Err(Failure::new(format!("cannot read `{file}`: {error}"))),
    }
}
