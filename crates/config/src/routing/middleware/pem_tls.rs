//! `tls` towards a server whose certificates are PEM texts, or the files that hold them.

use schemars::JsonSchema;

use crate::document::Fields;
use crate::routing::pem::Pem;

/// `tls` of `forwardAuth` and of `rateLimit.redis`.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct PemTls {
    /// Trusted instead of what the system trusts: PEM, or a path.
    #[schemars(with = "Option<String>")]
    pub ca: Option<Pem>,
    /// Certificate of the gateway: PEM, or a path.
    #[schemars(with = "Option<String>")]
    pub cert: Option<Pem>,
    /// Its key: PEM, or a path.
    #[schemars(with = "Option<String>")]
    pub key: Option<Pem>,
    /// Any certificate is accepted. Default false.
    pub insecure_skip_verify: bool,
}

impl PemTls {
    /// Reads all but `insecureSkipVerify`.
    pub(super) fn read(fields: &mut Fields<'_>, insecure_skip_verify: bool) -> Self {
        let tls = Self {
            ca: Pem::optional(fields, "ca"),
            cert: Pem::optional(fields, "cert"),
            key: Pem::optional(fields, "key"),
            insecure_skip_verify,
        };
        if tls.cert.is_some() != tls.key.is_some() {
            let message = "`cert` and `key` belong together; set both or neither";
            let missing = if tls.cert.is_some() { "key" } else { "cert" };
            fields.error(missing, message);
        }
        tls
    }

    /// What its files are read into.
    pub(super) fn pems(&mut self) -> Vec<&mut Pem> {
        let Self { ca, cert, key, .. } = self;
        [ca, cert, key].into_iter().flatten().collect()
    }
}
