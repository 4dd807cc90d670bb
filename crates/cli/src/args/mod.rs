//! What may be typed: the command lines of `carnet` and of `hydra`, as clap trees.
//!
//! Knows words, not meanings: what a word does is in `commands`, in the file of the same name. The
//! flags of Traefik are passed on unread (`traefik.rs`), since they have any case and any depth.

use clap::{Args, CommandFactory, Parser, Subcommand};

mod called;
mod traefik;

pub(crate) use called::{Called, normalize};
#[expect(unused_imports, reason = "`gateway` and `up` arrive with their rooms")]
pub(crate) use traefik::{TraefikFlags, Up};

/// An API gateway and an OAuth 2.0 authorization server for machines, in one binary.
#[derive(Debug, Parser)]
#[command(name = "carnet", version, subcommand_required = false)]
pub(crate) struct CarnetLine {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The OAuth 2.0 authorization server and the clients of its admin API.
#[derive(Debug, Parser)]
#[command(name = "hydra", subcommand_required = false)]
pub(crate) struct HydraLine {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Hydra>,
}

/// The commands of `carnet`. A new one is a variant here and an arm in `commands::carnet`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Hydra(Hydra),
    /// Makes the links `hydra`, `whoami` and `traefik`: called by these names the binary is that
    /// program.
    Link(Link),
}

/// The commands that `hydra` has too. A new one is a variant here and an arm in `commands::hydra`.
#[derive(Debug, Subcommand)]
pub(crate) enum Hydra {
    /// Says which version this is.
    Version,
    /// Writes the completion script of a shell.
    Completion(Completion),
}

/// Arguments of `link`.
#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The directory of the links, one that is in PATH.
    #[arg(value_name = "DIR")]
    pub(crate) directory: std::path::PathBuf,
}

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell that shall complete.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// The tree of a program, for help, completion and the reference.
pub(crate) fn tree(called: Called) -> clap::Command {
    match called {
        Called::Carnet => CarnetLine::command(),
        Called::Hydra => HydraLine::command(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trees_are_consistent() {
        tree(Called::Carnet).debug_assert();
        tree(Called::Hydra).debug_assert();
    }
}
