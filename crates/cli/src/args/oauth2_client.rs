//! Flags of `create oauth2-client` and `update oauth2-client`: the members of a client.

use clap::Args;
use secrecy::SecretString;

/// The members of a client. An absent flag leaves the choice to the command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Client")]
pub(crate) struct ClientFlags {
    /// Reads the client as JSON from a file, - for standard input; the other flags of the client
    /// are ignored then.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// A name for people.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The secret; one is generated when absent.
    #[arg(long, value_parser = super::secret)]
    pub(crate) secret: Option<SecretString>,
    /// The grants the client may use [default: authorization_code].
    #[arg(long, value_delimiter = ',', value_name = "GRANTS")]
    pub(crate) grant_type: Option<Vec<String>>,
    /// The response types the client may use [default: code].
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    pub(crate) response_type: Option<Vec<String>>,
    /// The scopes the client may ask for.
    #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
    pub(crate) scope: Option<Vec<String>>,
    /// The audiences the client may ask for.
    #[arg(long, value_delimiter = ',', value_name = "AUDIENCES")]
    pub(crate) audience: Option<Vec<String>>,
    /// Where authorization answers may go.
    #[arg(long, value_delimiter = ',', value_name = "URLS")]
    pub(crate) redirect_uri: Option<Vec<String>>,
    /// client_secret_basic, client_secret_post, private_key_jwt, spiffe_jwt or none [default:
    /// client_secret_basic].
    #[arg(long, value_name = "METHOD")]
    pub(crate) token_endpoint_auth_method: Option<String>,
    /// Where the client publishes its keys.
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,
    /// jwt or opaque; absent: the server's own.
    #[arg(long, value_name = "STRATEGY")]
    pub(crate) access_token_strategy: Option<String>,
    /// What signed tokens look like: hydra or rfc9068; absent: the server's own.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) access_token_profile: Option<String>,
    /// Extra claims of the client's tokens.
    #[arg(long, value_name = "JSON")]
    pub(crate) access_token_claims: Option<String>,
    /// How many tokens the client gets: rate, burst, quota, period, enforce.
    #[arg(long, value_name = "JSON")]
    pub(crate) token_limits: Option<String>,
    /// Clients and trusted issuers whose tokens the client may exchange for its own.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) may_act_for: Option<Vec<String>>,
    /// JSON that is kept beside the client.
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    /// Who owns the client.
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Mail addresses of the people responsible.
    #[arg(long, value_delimiter = ',', value_name = "CONTACTS")]
    pub(crate) contact: Option<Vec<String>>,
    /// The client's privacy policy.
    #[arg(long, value_name = "URL")]
    pub(crate) policy_uri: Option<String>,
    /// The client's terms of service.
    #[arg(long, value_name = "URL")]
    pub(crate) tos_uri: Option<String>,
    /// The client's home page.
    #[arg(long, value_name = "URL")]
    pub(crate) client_uri: Option<String>,
    /// The client's logo.
    #[arg(long, value_name = "URL")]
    pub(crate) logo_uri: Option<String>,
    /// Browser origins that may call the public endpoints for this client.
    #[arg(long, value_delimiter = ',', value_name = "ORIGINS")]
    pub(crate) allowed_cors_origin: Option<Vec<String>>,
    /// public or pairwise [default: public].
    #[arg(long, value_name = "TYPE")]
    pub(crate) subject_type: Option<String>,
    /// Groups clients that share pairwise subjects.
    #[arg(long, value_name = "URL")]
    pub(crate) sector_identifier_uri: Option<String>,
    /// The algorithm of the client's request objects [default: RS256].
    #[arg(long, value_name = "ALGORITHM")]
    pub(crate) request_object_signing_alg: Option<String>,
    /// Where the client publishes request objects.
    #[arg(long, value_delimiter = ',', value_name = "URLS")]
    pub(crate) request_uri: Option<Vec<String>>,
    /// Where a browser may go after logout.
    #[arg(long, value_delimiter = ',', value_name = "URLS")]
    pub(crate) post_logout_callback: Option<Vec<String>>,
    /// OpenID Connect back-channel logout.
    #[arg(long, value_name = "URL")]
    pub(crate) backchannel_logout_callback: Option<String>,
    /// Whether back-channel logout carries the session.
    #[arg(long)]
    pub(crate) backchannel_logout_session_required: Option<bool>,
    /// OpenID Connect front-channel logout.
    #[arg(long, value_name = "URL")]
    pub(crate) frontchannel_logout_callback: Option<String>,
    /// Whether front-channel logout carries the session.
    #[arg(long)]
    pub(crate) frontchannel_logout_session_required: Option<bool>,
    /// Whether the consent screen is left out.
    #[arg(long)]
    pub(crate) skip_consent: Option<bool>,
    /// Whether the logout screen is left out.
    #[arg(long)]
    pub(crate) skip_logout_consent: Option<bool>,
    #[command(flatten)]
    pub(crate) encryption: EncryptionFlags,
}

/// Flags of Hydra that encrypt the printed secret: refused, since printing it plainly instead would
/// betray who relies on them.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EncryptionFlags {
    /// Not supported.
    #[arg(long, hide = true, value_name = "KEY")]
    pub(crate) pgp_key: Option<String>,
    /// Not supported.
    #[arg(long, hide = true, value_name = "URL")]
    pub(crate) pgp_key_url: Option<String>,
    /// Not supported.
    #[arg(long, hide = true, value_name = "USER")]
    pub(crate) keybase: Option<String>,
}
