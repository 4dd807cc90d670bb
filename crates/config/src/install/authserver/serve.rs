//! `serve`: where the two ports listen and what they let in.

use super::tls::{self, PartialTls, Tls};
use crate::diagnostics::Severity;
use crate::document::Fields;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const REQUEST_HEADERS: [&str; 6] = [
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Language",
    "Content-Length",
    "Content-Type",
];

const RESPONSE_HEADERS: [&str; 7] = [
    "Cache-Control",
    "Expires",
    "Last-Modified",
    "Pragma",
    "Content-Length",
    "Content-Language",
    "Content-Type",
];

/// What a host that is a file begins with.
const UNIX: &str = "unix:";

/// The greatest mode of a file, 0777.
const MAX_MODE: u32 = 0o777;

/// `serve.public` and `serve.admin`.
#[derive(Debug, Clone)]
pub struct Listener {
    /// `host`: an address, or `unix:` and the path of a socket; absent: all interfaces.
    pub host: Option<String>,
    /// `port`. Default 4444 in public, 4445 for administrators.
    pub port: u16,
    /// `socket`: whose file the socket is, where `host` is one.
    pub socket: Socket,
    /// `tls`, and where it says nothing `serve.tls`; absent: plain HTTP. Default off.
    pub tls: Option<Tls>,
    /// `request_log.disable_for_health`: requests for `/health/alive` and `/health/ready` are not
    /// logged. Default false.
    pub silent_health: bool,
    /// `cors`: which web pages may call the port; absent where it is not `enabled`. Default off.
    pub cors: Option<Cors>,
}

/// `serve.public.socket` and `serve.admin.socket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// `owner`: the name of the user whose file it becomes; absent: who runs the server.
    pub owner: Option<String>,
    /// `group`: the name of its group; absent: that of who runs the server.
    pub group: Option<String>,
    /// `mode`: a number, octal when it begins with 0, as in 0660. Who shall connect must be allowed
    /// to write. Default 0755.
    pub mode: u32,
}

/// `serve.public.cors` and `serve.admin.cors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// `allowed_origins`; `*` in one stands for a part of its host, alone for all. Default `*`.
    pub allowed_origins: Vec<String>,
    /// `allowed_methods`. Default `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub allowed_methods: Vec<String>,
    /// `allowed_headers`; `*` for all. Default `Accept`, `Accept-Language`, `Authorization`,
    /// `Content-Language`, `Content-Length`, `Content-Type`.
    pub allowed_headers: Vec<String>,
    /// `exposed_headers`: what pages may read besides. Default `Cache-Control`, `Expires`,
    /// `Last-Modified`, `Pragma`, `Content-Length`, `Content-Language`, `Content-Type`.
    pub exposed_headers: Vec<String>,
    /// `allow_credentials`; never where all origins are allowed. Default true.
    pub allow_credentials: bool,
    /// `max_age`: seconds for which browsers may remember a preflight; 0: as they like. Default 0.
    pub max_age: u32,
}

impl Listener {
    /// All interfaces, in plain HTTP.
    pub(super) fn at(port: u16) -> Self {
        Self {
            host: None,
            port,
            socket: Socket::default(),
            tls: None,
            silent_health: false,
            cors: None,
        }
    }

    /// The file of a socket, where the host is one.
    pub fn unix_path(&self) -> Option<&str> {
        self.host.as_deref()?.strip_prefix(UNIX)
    }
}

impl Default for Socket {
    fn default() -> Self {
        Self {
            owner: None,
            group: None,
            mode: 0o755,
        }
    }
}

/// Reads `serve` into its two ports.
pub(super) fn read(fields: &mut Fields<'_>, public: &mut Listener, admin: &mut Listener) {
    let of_both = fields.map("tls", tls::read).unwrap_or_default();
    fields.map("public", |fields| read_listener(fields, &of_both, public));
    fields.map("admin", |fields| read_listener(fields, &of_both, admin));
    // A port without a section of its own has what both have.
    let (is_public, is_admin) = (fields.has("public"), fields.has("admin"));
    if is_public && is_admin {
        return;
    }
    let tls = of_both.served(fields, "tls");
    if !is_public {
        public.tls.clone_from(&tls);
    }
    if !is_admin {
        admin.tls = tls;
    }
}

fn read_listener(fields: &mut Fields<'_>, of_both: &PartialTls, listener: &mut Listener) {
    listener.host = fields.text("host").filter(|host| !host.is_empty());
    listener.port = fields.number("port").unwrap_or(listener.port);
    listener.socket = fields.map("socket", socket).unwrap_or_default();
    listener.cors = fields.map("cors", cors).flatten();
    // Hydra called it `access_log` before.
    for key in ["access_log", "request_log"] {
        let is_silent = fields.map(key, |log| log.boolean("disable_for_health"));
        listener.silent_health |= is_silent.flatten().unwrap_or(false);
    }
    let own = fields.map("tls", tls::read).unwrap_or_default();
    listener.tls = own.over(of_both).served(fields, "tls");
    if listener.unix_path() == Some("") {
        fields.error("host", "names no file; write it as unix:/path/to/file");
    }
    if listener.unix_path().is_some() && listener.tls.is_some() {
        let message = "TLS is not spoken at a unix socket; set `tls.enabled` to false here";
        fields.error("tls.enabled", message);
    }
}

fn socket(fields: &mut Fields<'_>) -> Socket {
    let mode = fields.text("mode").map(|text| {
        let parsed = match text.strip_prefix("0o").or_else(|| text.strip_prefix('0')) {
            Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8),
            _ => text.parse(),
        };
        let mode = parsed.ok().filter(|mode| *mode <= MAX_MODE);
        if mode.is_none() {
            let message = "expects a mode from 0 to 0777, octal with a 0 at its begin, as 0660";
            fields.error("mode", message);
        }
        mode
    });
    Socket {
        owner: fields.text("owner").filter(|name| !name.is_empty()),
        group: fields.text("group").filter(|name| !name.is_empty()),
        mode: mode.flatten().unwrap_or(Socket::default().mode),
    }
}

fn cors(fields: &mut Fields<'_>) -> Option<Cors> {
    let is_enabled = fields.boolean("enabled").unwrap_or(false);
    let later = ["debug", "options_passthrough"];
    fields.unserved(Severity::Warning, &later, super::read::ADVICE);
    let mut list = |key: &'static str, default: &[&str]| {
        let listed = fields.texts(key);
        match listed.is_empty() {
            true => default.iter().map(|&word| word.to_owned()).collect(),
            false => listed,
        }
    };
    let cors = Cors {
        allowed_origins: list("allowed_origins", &["*"]),
        allowed_methods: list("allowed_methods", &METHODS),
        allowed_headers: list("allowed_headers", &REQUEST_HEADERS),
        exposed_headers: list("exposed_headers", &RESPONSE_HEADERS),
        allow_credentials: fields.boolean("allow_credentials").unwrap_or(true),
        max_age: fields.number("max_age").unwrap_or(0),
    };
    is_enabled.then_some(cors)
}
