//! What may be typed: the command lines of `carnet` and of `hydra`, as clap trees.
//!
//! Knows words, not meanings: what a word does is in `commands`, in the file of the same name. The
//! flags of Traefik are passed on unread (`traefik.rs`), since they have any case and any depth.

use std::any::TypeId;
use std::convert::Infallible;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

mod api;
mod called;
mod hydra;
mod oauth2_client;
mod perform;
mod servers;
mod traefik;

pub(crate) use api::{ApiFlags, CredentialFlags};
pub(crate) use called::{Called, normalize};
pub(crate) use hydra::{
    Create, CreateClient, CreateJwk, CreateNoun, Delete, DeleteAccessTokens, DeleteNoun, Get,
    GetJwk, GetNoun, Hydra, Ids, Import, ImportClients, ImportHydra, ImportJwk, ImportNoun,
    Introspect, IntrospectNoun, IntrospectToken, Janitor, List, ListNoun, Page, Revoke, RevokeNoun,
    RevokeToken, Update, UpdateClient, UpdateNoun,
};
pub(crate) use oauth2_client::{ClientFlags, EncryptionFlags};
pub(crate) use perform::{AuthorizationCode, ClientCredentials, DeviceCode, Perform, PerformNoun};
pub(crate) use servers::{
    Consent, Demo, Install, InstallManifests, Installed, ManifestPart, Migrate, MigrateSql,
    MigrateStatus, MigrateStep, MigrateUp, Migrated, MigratedDatabase, Serve, ServeFlags, Served,
    Validate, Whoami,
};
pub(crate) use traefik::{Gateway, TraefikFlags, Up};

/// What to try first: the commands are many, and most of them are Hydra's.
const BEGIN: &str = "\
To begin with:
  carnet demo              a caller, a gateway and a server on this machine, with real tokens
  carnet gateway --help    the gateway alone, from Traefik's configuration
  carnet serve all --dev   the authorization server alone, for a trial: set DSN=memory
  carnet validate FILE     what is wrong with a configuration";

/// An API gateway and an OAuth 2.0 authorization server for machines, in one binary.
#[derive(Debug, Parser)]
#[command(name = "carnet", version, subcommand_required = false, after_help = BEGIN)]
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
    /// Runs the whole tutorial on this machine.
    Demo(Demo),
    /// Runs Kubernetes manifests on this machine, without a cluster.
    #[command(after_help = traefik::UP)]
    Up(TraefikFlags),
    /// Runs the gateway alone, from Traefik's configuration.
    #[command(after_help = traefik::GATEWAY)]
    Gateway(TraefikFlags),
    /// Runs the application that echoes requests.
    Whoami(Whoami),
    /// Runs the login and consent application that always says yes.
    Consent(Consent),
    /// Says what is wrong with configuration files, before they are served.
    Validate(Validate),
    /// Asks a running gateway whether it is well.
    #[command(after_help = traefik::HEALTHCHECK)]
    Healthcheck(TraefikFlags),
    /// Prints what a cluster needs before carnet can serve it, as manifests for `kubectl apply`.
    Install(Install),
    /// Makes the links `hydra`, `whoami` and `traefik`: called by these names the binary is that
    /// program.
    Link(Link),
    /// Looks into tokens, offline.
    Token(Token),
    /// Checks signatures, offline.
    Jose(Jose),
    /// Prints a page of docs/reference that is made from the code.
    #[command(hide = true)]
    Reference {
        /// Which one.
        #[arg(value_enum, default_value_t)]
        page: Generated,
    },
}

/// What is made from the code, in docs/reference.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Generated {
    /// cli.md.
    #[default]
    Cli,
    /// middlewares.md.
    Middlewares,
    /// routing.schema.json.
    Schema,
}

/// Arguments of `link`.
#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The directory of the links, one that is in PATH.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell that shall complete.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `token`.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) noun: Option<TokenNoun>,
}

/// What is done with a token.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenNoun {
    /// Prints the header and the claims of a JWT as JSON. The signature is not looked at.
    Decode(TokenDecode),
}

/// Arguments of `token decode`.
#[derive(Debug, Args)]
pub(crate) struct TokenDecode {
    /// The token; absent or -: it is read from standard input.
    pub(crate) token: Option<String>,
}

/// `jose`.
#[derive(Debug, Args)]
pub(crate) struct Jose {
    #[command(subcommand)]
    pub(crate) noun: Option<JoseNoun>,
}

/// What is done with signatures.
#[derive(Debug, Subcommand)]
pub(crate) enum JoseNoun {
    /// Checks the signature of a token against a set of keys: exit code 0 when it is right, else 1.
    Verify(JoseVerify),
}

/// Arguments of `jose verify`.
#[derive(Debug, Args)]
pub(crate) struct JoseVerify {
    /// The keys (JWKS): a file, or the URL where the server publishes them.
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) jwks: String,
    /// The signed token: a file, or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) jws: String,
}

/// The tree of a program, for parsing, help, completion and the reference.
pub(crate) fn tree(called: Called) -> clap::Command {
    let tree = match called {
        Called::Carnet => CarnetLine::command(),
        Called::Hydra => HydraLine::command(),
    };
    go_switches(tree)
}

/// Switches of Go programs may have a value: `--skip-consent=false`.
fn go_switches(command: clap::Command) -> clap::Command {
    command
        .mut_args(|argument| {
            let is_plain = matches!(argument.get_action(), ArgAction::SetTrue);
            if argument.get_value_parser().type_id() != TypeId::of::<bool>() {
                return argument;
            }
            argument
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_values(is_plain.then_some("false"))
                .default_missing_value("true")
                .value_parser(BoolishValueParser::new())
                .value_name("BOOL")
                .hide_default_value(true)
                .hide_possible_values(true)
        })
        .mut_subcommands(go_switches)
}

/// Reads a secret, so that nothing of what was typed can be printed.
#[expect(clippy::unnecessary_wraps, reason = "the form clap wants")]
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn hydra(line: &str) -> Result<Hydra, clap::Error> {
        let matches = tree(Called::Hydra).try_get_matches_from(line.split(' '))?;
        HydraLine::from_arg_matches(&matches).map(|line| line.command.unwrap())
    }

    #[test]
    fn the_trees_are_consistent() {
        tree(Called::Carnet).debug_assert();
        tree(Called::Hydra).debug_assert();
    }

    #[test]
    fn flags_may_stand_behind_the_verb_and_behind_the_noun() {
        for line in [
            "hydra create -e http://h -q client --skip-consent",
            "hydra create client --endpoint=http://h --quiet=true --skip-consent=1",
            "hydra create oauth2-client --skip-consent -qe http://h",
        ] {
            let Hydra::Create(create) = hydra(line).unwrap() else {
                unreachable!()
            };
            assert_eq!(create.api.endpoint.as_deref(), Some("http://h"), "{line}");
            assert!(create.api.quiet, "{line}");
            let Some(CreateNoun::Oauth2Client(client)) = create.noun else {
                unreachable!()
            };
            assert_eq!(client.client.skip_consent, Some(true), "{line}");
            assert_eq!(client.client.skip_logout_consent, None, "{line}");
        }
    }

    #[test]
    fn flags_of_serve_may_stand_in_front_of_the_ports() {
        for line in [
            "hydra serve all --dev -c a.yaml --config b.yaml",
            "hydra serve --dev -c a.yaml -c b.yaml all --sqa-opt-out",
        ] {
            let Hydra::Serve(serve) = hydra(line).unwrap() else {
                unreachable!()
            };
            assert_eq!(serve.what, Some(Served::All), "{line}");
            assert!(serve.flags.dev, "{line}");
            assert_eq!(serve.flags.config, ["a.yaml", "b.yaml"], "{line}");
        }
    }

    #[test]
    fn lists_may_be_repeated_or_have_commas() {
        let line = "hydra create clients --scope a,b --scope c --grant-type client_credentials";
        let Hydra::Create(create) = hydra(line).unwrap() else {
            unreachable!()
        };
        let Some(CreateNoun::Oauth2Client(client)) = create.noun else {
            unreachable!()
        };
        assert_eq!(client.client.scope.unwrap(), ["a", "b", "c"]);
    }

    // Holds SE-05.
    #[test]
    fn debug_output_of_a_line_hides_its_secrets() {
        for line in [
            "hydra create client --secret canary-1234",
            "hydra perform client-credentials --client-secret canary-1234",
            "hydra revoke token t --client-secret canary-1234",
            "hydra import hydra --from postgres://u:canary@h/d --secrets-system canary-1234",
        ] {
            assert!(
                !format!("{:?}", hydra(line).unwrap()).contains("canary"),
                "{line}"
            );
        }
    }
}
