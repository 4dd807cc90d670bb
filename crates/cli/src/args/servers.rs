//! The commands that stay: servers and the two applications.

use clap::{Args, Subcommand};

/// Arguments of `whoami`, as `traefik/whoami` has them.
#[derive(Debug, Args)]
pub(crate) struct Whoami {
    /// The port to listen at [environment: WHOAMI_PORT_NUMBER; default: 80].
    #[arg(long)]
    pub(crate) port: Option<String>,
    /// A name to print [environment: WHOAMI_NAME].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Write a log line for each request.
    #[arg(long)]
    pub(crate) verbose: bool,
}

/// Arguments of `consent`, as `hail-hydra` has them.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// Where the admin API of the authorization server is.
    #[arg(short = 'a', value_name = "URL")]
    pub(crate) admin_url: String,
    /// The address to listen at.
    #[arg(short = 'b', value_name = "ADDRESS", default_value = ":9008")]
    pub(crate) bind: String,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) flags: ServeFlags,
    /// What to serve.
    #[command(subcommand)]
    pub(crate) what: Option<Served>,
}

/// Which ports `serve` opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Served {
    /// Serves the public and the admin endpoints.
    All,
    /// Serves the public endpoints.
    Public,
    /// Serves the admin endpoints.
    Admin,
}

/// Flags of each `serve`. Hydra takes them in front of `all` and behind it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeFlags {
    /// Allow what is only good enough for development, such as an issuer without TLS.
    #[arg(long, global = true)]
    pub(crate) dev: bool,
    /// Configuration files; of a key in several the last counts.
    #[arg(short = 'c', long = "config", value_name = "FILE", global = true)]
    pub(crate) config: Vec<String>,
    /// Accepted, and without effect: there is no telemetry.
    #[arg(long = "sqa-opt-out", global = true)]
    pub(crate) sqa_opt_out: bool,
}

/// Arguments of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// What to bring up to date.
    #[command(subcommand)]
    pub(crate) what: Option<Migrated>,
}

/// What `migrate` brings up to date.
#[derive(Debug, Subcommand)]
pub(crate) enum Migrated {
    /// Brings the tables of a database up to date.
    Sql(MigrateSql),
}

/// Arguments of `migrate sql`.
#[derive(Debug, Args)]
pub(crate) struct MigrateSql {
    /// The database, as `sqlite:///path/to/file`; or `up`, the newer spelling of this command.
    #[arg(value_name = "DSN", num_args = 0..=2)]
    pub(crate) words: Vec<String>,
    /// Take the database from the environment variable DSN.
    #[arg(short = 'e', long = "read-from-env")]
    pub(crate) read_from_env: bool,
    /// Configuration files, which may name the database.
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Vec<String>,
    /// Do not ask.
    #[arg(short = 'y', long = "yes")]
    pub(crate) yes: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Play both scenes, print what whoami saw, and exit 0 or 1.
    #[arg(long)]
    pub(crate) check: bool,
    /// How `--check` prints: `text`, or `json` for machines.
    #[arg(long, default_value = "text", value_parser = ["text", "json"], requires = "check")]
    pub(crate) format: String,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files: routing or install configuration of Traefik, or Kubernetes manifests.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
}
