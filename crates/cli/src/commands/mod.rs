//! A file for each command, named as the user types it. [`run`] is the whole program as a function:
//! `main` calls it with the process's surroundings, `up` with a container's.
//!
//! Knows no real environment, clock or output: all of that comes in as a [`Process`].

use futures_util::future::BoxFuture;

use crate::args::{self, Called, CarnetLine, Command, Hydra, HydraLine};
use crate::output::{self, Failure};
use crate::process::Process;

mod completion;
mod link;
mod version;

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
            Called::Carnet => match parse::<CarnetLine>(arguments, process) {
                Ok(line) => carnet(line.command, process).await,
                Err(code) => code,
            },
            Called::Hydra => match parse::<HydraLine>(arguments, process) {
                Ok(line) => hydra(line.command, Called::Hydra, process).await,
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
        Some(Command::Link(args)) => output::finish(process, link::run(&args, process)),
    }
}

/// Commands under both names.
async fn hydra(command: Option<Hydra>, called: Called, process: &Process) -> u8 {
    match command {
        None => help(None, called, process),
        Some(Hydra::Version) => version::run(called, process),
        Some(Hydra::Completion(args)) => completion::run(&args, called, process),
    }
}

/// A command that asks somebody and is done: it ends at once when it is told to.
#[expect(dead_code, reason = "the commands of the admin API come next")]
async fn brief(command: impl Future<Output = Result<(), Failure>> + Send, process: &Process) -> u8 {
    tokio::select! {
        result = command => output::finish(process, result),
        () = process.shutdown.cancelled() => INTERRUPTED,
    }
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
fn parse<L: clap::Parser>(arguments: Vec<String>, process: &Process) -> Result<L, u8> {
    L::try_parse_from(arguments).map_err(|error| {
        if error.use_stderr() {
            output::say(process, &output::sentence(&error));
            output::MISUNDERSTOOD
        } else {
            output::print(process, &error.render().to_string());
            output::DONE
        }
    })
}
