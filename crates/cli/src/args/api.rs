//! Flags of every command that asks a server: where it is and how the answer shall look.

use clap::Args;

/// Where the server is and how its answer is shown. Hydra takes them behind the verb and behind the
/// noun.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ApiFlags {
    /// The server, such as http://127.0.0.1:4445 (or environment variable ORY_SDK_URL).
    #[arg(short = 'e', long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// How the result looks: table, json, json-pretty, yaml, jsonpath=PATH or jsonpointer=/PATH.
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// Prints only what identifies the result, one a line.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// A header sent with each request, as "Name: value". May be repeated.
    #[arg(
        short = 'H',
        long = "http-header",
        global = true,
        value_name = "HEADER"
    )]
    pub(crate) headers: Vec<String>,
    /// Takes any certificate of the server. For tests alone: the environment variable SSL_CERT_FILE
    /// names authorities to trust.
    #[arg(long, global = true)]
    pub(crate) skip_tls_verify: bool,
}

/// A client that asks the public port.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CredentialFlags {
    /// The client's id (or environment variable OAUTH2_CLIENT_ID).
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The client's secret (or environment variable OAUTH2_CLIENT_SECRET, which other users of this
    /// machine cannot see).
    #[arg(long, value_name = "SECRET", value_parser = super::secret)]
    pub(crate) client_secret: Option<secrecy::SecretString>,
}
