//! `perform`: flows from the side of the client.

use clap::{Args, Subcommand};

use super::api::{ApiFlags, CredentialFlags};

/// `perform`.
#[derive(Debug, Args)]
pub(crate) struct Perform {
    #[command(flatten)]
    pub(crate) api: ApiFlags,
    #[command(subcommand)]
    pub(crate) noun: Option<PerformNoun>,
}

/// What `perform` performs.
#[derive(Debug, Subcommand)]
pub(crate) enum PerformNoun {
    /// Get tokens of a person with the authorization code grant: a browser comes back to a port of
    /// this machine.
    AuthorizationCode(Box<AuthorizationCode>),
    /// Get a token with the client credentials grant, from the public port.
    ClientCredentials(ClientCredentials),
    /// Get tokens of a person who is at another screen, with the device code grant.
    DeviceCode(DeviceCode),
}

/// What a person is asked for, and where the tokens are fetched.
#[derive(Debug, Args)]
pub(crate) struct PersonFlags {
    #[command(flatten)]
    pub(crate) credentials: CredentialFlags,
    /// The scopes asked for.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "SCOPES",
        default_value = "offline,openid"
    )]
    pub(crate) scope: Vec<String>,
    /// The audiences asked for.
    #[arg(long, value_delimiter = ',', value_name = "AUDIENCES")]
    pub(crate) audience: Vec<String>,
    /// The token endpoint, when it is not that of the server.
    #[arg(long, value_name = "URL")]
    pub(crate) token_url: Option<String>,
}

/// `perform authorization-code`.
#[derive(Debug, Args)]
pub(crate) struct AuthorizationCode {
    #[command(flatten)]
    pub(crate) person: PersonFlags,
    /// The port that the browser comes back to.
    #[arg(short, long, value_name = "PORT", default_value_t = 4446)]
    pub(crate) port: u16,
    /// The address that the client registered, when it leads to that port by another name.
    #[arg(long, value_name = "URL")]
    pub(crate) redirect: Option<String>,
    /// The browser comes back over https, with a certificate of its own each time, which it does not
    /// know.
    #[arg(long)]
    pub(crate) https: bool,
    /// What the request is told by; made when absent.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<String>,
    /// What the person is to be asked: none, login, consent.
    #[arg(long, value_delimiter = ',', value_name = "PROMPTS")]
    pub(crate) prompt: Vec<String>,
    /// How old a login may be, in seconds; -1: as old as it likes.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = -1,
        allow_negative_numbers = true
    )]
    pub(crate) max_age: i64,
    /// How the answer comes back: query.
    #[arg(long, value_name = "MODE")]
    pub(crate) response_mode: Option<String>,
    /// The authorization endpoint, when it is not that of the server.
    #[arg(long, value_name = "URL")]
    pub(crate) auth_url: Option<String>,
    /// Goes on with the next browser after tokens and after errors, until it is stopped.
    #[arg(long)]
    pub(crate) no_shutdown: bool,
    /// Accepted, and without effect: no browser is opened.
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Accepted, and without effect: no page stands before that of the server.
    #[arg(long)]
    pub(crate) skip: bool,
}

/// `perform device-code`.
#[derive(Debug, Args)]
pub(crate) struct DeviceCode {
    #[command(flatten)]
    pub(crate) person: PersonFlags,
    /// The endpoint for codes of devices, when it is not that of the server.
    #[arg(long, value_name = "URL")]
    pub(crate) device_auth_url: Option<String>,
}

/// `perform client-credentials`.
#[derive(Debug, Args)]
pub(crate) struct ClientCredentials {
    #[command(flatten)]
    pub(crate) credentials: CredentialFlags,
    /// The scopes asked for.
    #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// The audiences asked for.
    #[arg(long, value_delimiter = ',', value_name = "AUDIENCES")]
    pub(crate) audience: Vec<String>,
}
