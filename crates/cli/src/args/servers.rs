//! The commands that stay: servers and the two applications.

use clap::{Args, Subcommand, ValueEnum};

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

/// Arguments of `install`.
#[derive(Debug, Args)]
pub(crate) struct Install {
    /// What to print.
    #[command(subcommand)]
    pub(crate) what: Option<Installed>,
}

/// What `install` prints.
#[derive(Debug, Subcommand)]
pub(crate) enum Installed {
    /// Prints the definitions of Traefik's kinds that carnet serves, for a cluster without them.
    Crds,
    /// Prints what runs carnet in a cluster: the gateway and its rights, or the parts that are named.
    Manifests(InstallManifests),
}

/// Arguments of `install manifests`.
#[derive(Debug, Args)]
pub(crate) struct InstallManifests {
    /// What to print; without any: rbac and gateway.
    #[arg(value_name = "PART", value_enum)]
    pub(crate) parts: Vec<ManifestPart>,
}

/// A part of what runs in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ManifestPart {
    /// The gateway's rights in the whole cluster.
    Rbac,
    /// The gateway's rights in one namespace, with Secrets by name, instead.
    RbacNamespaced,
    /// The gateway: its configuration, Deployment, Service, and what guards them.
    Gateway,
    /// Authorization servers on one PostgreSQL.
    AuthorizationServer,
}

/// What `migrate` brings up to date.
#[derive(Debug, Subcommand)]
pub(crate) enum Migrated {
    /// Brings the tables of a database up to date.
    Sql(MigrateSql),
    /// Shows which migrations a database has taken.
    Status(MigrateStatus),
}

/// Arguments of `migrate sql`; without a step it goes up.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct MigrateSql {
    #[command(subcommand)]
    pub(crate) step: Option<MigrateStep>,
    #[command(flatten)]
    pub(crate) up: MigrateUp,
}

/// Where `migrate sql` goes.
#[derive(Debug, Subcommand)]
pub(crate) enum MigrateStep {
    /// Brings the tables up to date.
    Up(MigrateUp),
    /// Says that there is no way back.
    Down(MigrateDown),
    /// Shows which migrations the database has taken.
    Status(MigrateStatus),
}

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct MigratedDatabase {
    /// The database, as `sqlite:///path/to/file` or `postgres://user:password@host:5432/database`.
    #[arg(value_name = "DSN")]
    pub(crate) dsn: Option<String>,
    /// Take the database from the environment variable DSN.
    #[arg(short = 'e', long = "read-from-env")]
    pub(crate) read_from_env: bool,
    /// Configuration files, which may name the database.
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Vec<String>,
}

/// Arguments of `migrate sql up`.
#[derive(Debug, Args)]
pub(crate) struct MigrateUp {
    #[command(flatten)]
    pub(crate) database: MigratedDatabase,
    /// Do not ask.
    #[arg(short = 'y', long = "yes")]
    pub(crate) yes: bool,
}

/// Arguments of `migrate sql down`.
#[derive(Debug, Args)]
pub(crate) struct MigrateDown {
    #[command(flatten)]
    pub(crate) database: MigratedDatabase,
    /// Do not ask.
    #[arg(short = 'y', long = "yes")]
    pub(crate) yes: bool,
    /// How many migrations to take back.
    #[arg(long)]
    pub(crate) steps: Option<u32>,
}

/// Arguments of `migrate sql status`.
#[derive(Debug, Args)]
pub(crate) struct MigrateStatus {
    #[command(flatten)]
    pub(crate) database: MigratedDatabase,
    /// Wait until nothing is pending.
    #[arg(long)]
    pub(crate) block: bool,
    /// How the result looks: table, json, json-pretty, yaml, jsonpath=PATH or jsonpointer=/PATH.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// Prints only the versions, one a line.
    #[arg(short, long)]
    pub(crate) quiet: bool,
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
    /// Files: routing or install configuration of Traefik, configuration of the authorization server,
    /// or Kubernetes manifests; or directories of routing configuration.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
}
