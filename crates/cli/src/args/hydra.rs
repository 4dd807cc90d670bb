//! Hydra's commands: verb, noun and what belongs to one noun.

use carnet_oauth::client::Lifespan;
use clap::{Args, Subcommand};
use secrecy::SecretString;

use super::Completion;
use super::api::{ApiFlags, CredentialFlags};
use super::oauth2_client::{ClientFlags, EncryptionFlags};
use super::perform::Perform;
use super::servers::{Migrate, MigratedDatabase, Serve};

/// The commands that `hydra` has too. A new one is a variant here and an arm in `commands::hydra`.
#[derive(Debug, Subcommand)]
pub(crate) enum Hydra {
    /// Create resources.
    Create(Create),
    /// Get resources.
    Get(Get),
    /// List resources.
    List(List),
    /// Update resources.
    Update(Update),
    /// Delete resources.
    Delete(Delete),
    /// Import resources.
    Import(Import),
    /// Perform OAuth 2.0 flows.
    Perform(Perform),
    /// Introspect resources.
    Introspect(Introspect),
    /// Revoke resources.
    Revoke(Revoke),
    /// Serve the authorization server.
    Serve(Serve),
    /// Bring a database up to date.
    Migrate(Migrate),
    /// Remove what has expired from a database; a running server does so by itself.
    Janitor(Janitor),
    /// Says which version this is.
    Version,
    /// Writes the completion script of a shell.
    Completion(Completion),
}

/// `create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<CreateNoun>,
}

/// What `create` creates.
#[derive(Debug, Subcommand)]
pub(crate) enum CreateNoun {
    /// Create an OAuth 2.0 client.
    #[command(name = "oauth2-client", visible_alias = "client", aliases = ["clients", "oauth2-clients"])]
    Oauth2Client(Box<CreateClient>),
    /// Create a key in a set of JSON Web Keys; the newest key of a set is the one that signs.
    #[command(visible_alias = "jwks")]
    Jwk(CreateJwk),
}

/// `create oauth2-client`.
#[derive(Debug, Args)]
pub(crate) struct CreateClient {
    /// The client's id; one is generated when absent.
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `create jwk`.
#[derive(Debug, Args)]
pub(crate) struct CreateJwk {
    /// The set.
    #[arg(value_name = "SET")]
    pub(crate) set: String,
    /// The key's id; one is generated when absent.
    #[arg(value_name = "KEY_ID")]
    pub(crate) key: Option<String>,
    /// RS256, ES256, ES512, EdDSA or another algorithm the server knows.
    #[arg(long, default_value = "RS256", value_name = "ALGORITHM")]
    pub(crate) alg: String,
    /// What the key is for: sig or enc.
    #[arg(long = "use", default_value = "sig", value_name = "USE")]
    pub(crate) usage: String,
    /// How long the key is published before it signs, such as 10m; at once when absent. Verifiers that
    /// keep the key set for less lose no token.
    #[arg(long, value_name = "TIME")]
    pub(crate) publish_ahead: Option<String>,
    /// Prints only the public part of the key.
    #[arg(long)]
    pub(crate) public: bool,
}

/// `get`.
#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<GetNoun>,
}

/// What `get` gets.
#[derive(Debug, Subcommand)]
pub(crate) enum GetNoun {
    /// Get OAuth 2.0 clients by their ids.
    #[command(name = "oauth2-client", visible_alias = "client", aliases = ["clients", "oauth2-clients"])]
    Oauth2Client(Ids),
    /// Get the keys of sets of JSON Web Keys.
    #[command(visible_alias = "jwks")]
    Jwk(GetJwk),
}

/// One or more ids.
#[derive(Debug, Args)]
pub(crate) struct Ids {
    /// The ids.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

/// `get jwk`.
#[derive(Debug, Args)]
pub(crate) struct GetJwk {
    /// The sets.
    #[arg(required = true, value_name = "SET")]
    pub(crate) sets: Vec<String>,
    /// Prints only the public parts of the keys.
    #[arg(long)]
    pub(crate) public: bool,
}

/// `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<ListNoun>,
}

/// What `list` lists.
#[derive(Debug, Subcommand)]
pub(crate) enum ListNoun {
    /// List OAuth 2.0 clients, a page at a time.
    #[command(name = "oauth2-clients", visible_alias = "clients", aliases = ["client", "oauth2-client"])]
    Oauth2Clients(Page),
}

/// A page of a list.
#[derive(Debug, Args)]
pub(crate) struct Page {
    /// How many there are on a page.
    #[arg(
        long,
        default_value_t = 100,
        value_name = "NUMBER",
        allow_negative_numbers = true
    )]
    pub(crate) page_size: i64,
    /// The page, as the page before it named it; absent: the first one.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) page_token: Option<String>,
}

/// `update`.
#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<UpdateNoun>,
}

/// What `update` changes.
#[derive(Debug, Subcommand)]
pub(crate) enum UpdateNoun {
    /// Change members of an OAuth 2.0 client; what no flag names stays as it is.
    #[command(name = "oauth2-client", visible_alias = "client", aliases = ["clients", "oauth2-clients"])]
    Oauth2Client(Box<UpdateClient>),
}

/// `update oauth2-client`.
#[derive(Debug, Args)]
pub(crate) struct UpdateClient {
    /// The client's id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<ImportNoun>,
}

/// What `import` takes in.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportNoun {
    /// Create OAuth 2.0 clients from files of JSON, with the ids and secrets they have there.
    #[command(name = "oauth2-client", visible_alias = "client", aliases = ["clients", "oauth2-clients"])]
    Oauth2Client(ImportClients),
    /// Put keys from files into a set of JSON Web Keys; the last one is the newest, which signs.
    #[command(visible_alias = "jwks")]
    Jwk(ImportJwk),
    /// Take clients, keys, trusted issuers and living tokens from a database of Ory Hydra, 2.2 or
    /// later.
    Hydra(ImportHydra),
}

/// `import jwk`.
#[derive(Debug, Args)]
pub(crate) struct ImportJwk {
    /// The set.
    #[arg(value_name = "SET")]
    pub(crate) set: String,
    /// Files with a key: a JWK, a set of them, PEM (PKCS #8, PKCS #1, SEC 1, public keys, certificates)
    /// or DER; none or -: standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// The algorithm of keys that do not say theirs, such as RS256 or ES256.
    #[arg(long, value_name = "ALGORITHM")]
    pub(crate) alg: Option<String>,
    /// The id of a key that has none; one is generated when absent.
    #[arg(long, value_name = "KEY_ID")]
    pub(crate) default_key_id: Option<String>,
    /// What keys are for that do not say it: sig or enc.
    #[arg(long = "use", default_value = "sig", value_name = "USE")]
    pub(crate) usage: String,
}

/// `import hydra`.
#[derive(Debug, Args)]
pub(crate) struct ImportHydra {
    /// Hydra's database: postgres://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///PATH. It is only
    /// read.
    #[arg(long, required = true, value_name = "DSN", value_parser = super::secret)]
    pub(crate) from: SecretString,
    /// Hydra's system secret; repeated for each of several. Absent: those of our own
    /// configuration (SECRETS_SYSTEM), which other users of this machine cannot see.
    #[arg(long, value_name = "SECRET", value_parser = super::secret)]
    pub(crate) secrets_system: Vec<SecretString>,
    /// Say what would be taken and what would stay behind, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Configuration files of our own server, which name its database and its secrets, if the
    /// variables DSN and SECRETS_SYSTEM do not.
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Vec<String>,
}

/// `import oauth2-client`.
#[derive(Debug, Args)]
pub(crate) struct ImportClients {
    /// Files with a client or a list of clients; none or -: standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) encryption: EncryptionFlags,
}

/// `delete`.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<DeleteNoun>,
}

/// What `delete` deletes.
#[derive(Debug, Subcommand)]
pub(crate) enum DeleteNoun {
    /// Delete OAuth 2.0 clients by their ids, and their tokens.
    #[command(name = "oauth2-client", visible_alias = "client", aliases = ["clients", "oauth2-clients"])]
    Oauth2Client(Ids),
    /// Delete sets of JSON Web Keys.
    #[command(visible_alias = "jwks")]
    Jwk(Ids),
    /// Delete all access tokens of an OAuth 2.0 client.
    #[command(name = "access-tokens")]
    AccessTokens(DeleteAccessTokens),
}

/// `delete access-tokens`.
#[derive(Debug, Args)]
pub(crate) struct DeleteAccessTokens {
    /// The client's id.
    #[arg(value_name = "CLIENT_ID")]
    pub(crate) client: String,
}

/// `introspect`.
#[derive(Debug, Args)]
pub(crate) struct Introspect {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<IntrospectNoun>,
}

/// What `introspect` looks at.
#[derive(Debug, Subcommand)]
pub(crate) enum IntrospectNoun {
    /// Ask the server whether a token counts and what it says.
    Token(IntrospectToken),
}

/// `introspect token`.
#[derive(Debug, Args)]
pub(crate) struct IntrospectToken {
    /// The token.
    pub(crate) token: String,
    /// Scopes the token must have to count.
    #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
}

/// `revoke`.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<RevokeNoun>,
}

/// What `revoke` revokes.
#[derive(Debug, Subcommand)]
pub(crate) enum RevokeNoun {
    /// Revoke a token of a client, at the public port.
    Token(RevokeToken),
}

/// `revoke token`.
#[derive(Debug, Args)]
pub(crate) struct RevokeToken {
    /// The token.
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) credentials: CredentialFlags,
}

/// `janitor`.
#[derive(Debug, Args)]
pub(crate) struct Janitor {
    #[command(flatten)]
    pub(crate) database: MigratedDatabase,
    /// Remove tokens and revocations that have ended.
    #[arg(long)]
    pub(crate) tokens: bool,
    /// Remove uses of assertions that have ended.
    #[arg(long)]
    pub(crate) grants: bool,
    /// Remove logins, consents and codes of devices that have ended.
    #[arg(long)]
    pub(crate) requests: bool,
    /// Keep what ended less than so long ago, such as 24h.
    #[arg(long, value_name = "DURATION", value_parser = Lifespan::parse)]
    pub(crate) keep_if_younger: Option<Lifespan>,
    /// How many rows of a table are removed at most.
    #[arg(
        long,
        default_value_t = 10_000,
        value_name = "NUMBER",
        allow_negative_numbers = true
    )]
    pub(crate) limit: i64,
    /// How many of them at a time.
    #[arg(
        long,
        default_value_t = 100,
        value_name = "NUMBER",
        allow_negative_numbers = true
    )]
    pub(crate) batch_size: i64,
    /// Accepted, and without effect: each token says when it ends.
    #[arg(long, value_name = "DURATION", value_parser = Lifespan::parse)]
    pub(crate) access_lifespan: Option<Lifespan>,
    /// Accepted, and without effect, as --access-lifespan.
    #[arg(long, value_name = "DURATION", value_parser = Lifespan::parse)]
    pub(crate) refresh_lifespan: Option<Lifespan>,
    /// Accepted, and without effect, as --access-lifespan.
    #[arg(long, value_name = "DURATION", value_parser = Lifespan::parse)]
    pub(crate) consent_request_lifespan: Option<Lifespan>,
}
