//! The form of a scenario file: what is sent or typed, in order, and what is answered.
//!
//! In expectations, `<words>` stand for what differs from run to run (`compare/pattern.rs` has the
//! list), and `{{name}}` for a value that an earlier step kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A scenario: requests to a server, or calls of its command line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// Its name, also that of its file without the number.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The scenario whose server and kept values this one goes on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Settings of the server besides the tutorial's, as environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Files in the folder in which the command line is called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Requests, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestStep>,
    /// Calls of the command line, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallStep>,
}

/// A request and its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestStep {
    /// Its name; unique in the scenario.
    pub name: String,
    /// A pause before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<f64>,
    /// The request.
    pub send: Send,
    /// What a web hook receives and answers meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookStep>,
    /// The answer.
    pub expect: Answer,
    /// Values of the answer that later steps use: `name: member` or `name: header:NAME~REGEX`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, String>,
}

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    /// Which port.
    pub to: Port,
    /// The method.
    pub method: String,
    /// Path and query, or the value of an earlier `Link`.
    pub path: String,
    /// Its fields. `Basic base64(TEXT)` is encoded when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Whether the cookies of earlier answers are sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cookies: bool,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// What a web hook answers, and what it must have been asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookStep {
    /// What it answers.
    pub answer: HookAnswer,
    /// How often it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<usize>,
    /// What it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HookRequest>,
    /// How long the step took; not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// What a web hook answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum HookAnswer {
    /// A response; a body that is a text is sent as it stands.
    Reply {
        /// Its status.
        status: u16,
        /// Its body.
        body: Value,
    },
    /// `connection refused`: nobody listens.
    Nothing(String),
}

/// What a web hook is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookRequest {
    /// Path and query.
    pub path: String,
    /// The fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

/// A port of the authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Port {
    /// For everybody, 4444.
    Public,
    /// For administrators, 4445.
    Admin,
}

/// A body that is sent. Forms and JSON bring their content type, a text does not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Body {
    /// Pairs; a value that is no text is `{"assertion": ...}`, an [`Assertion`].
    Form(Vec<(String, Value)>),
    /// JSON; `{"generated_key": ...}` in it says how a key is made.
    Json(Value),
    /// As it stands.
    Text(String),
}

/// A client assertion that is made when it is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assertion {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The claims; `now`, `now+60`, `now-60` are times, `fresh` is a text of chance.
    pub claims: Map<String, Value>,
    /// Whose key signs.
    pub signed_by: Signer,
}

/// Whose key signs an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Signer {
    /// The key that scenarios register: `{"generated_key": {"kty": "RSA", ...}}`.
    Registered,
    /// A key that nobody knows; for a symmetric algorithm the text of the registered public key.
    Other,
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// The status.
    pub status: u16,
    /// All fields but those of framing and time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// A body of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Another body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the JSON ends with a line end, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_newline: Option<bool>,
    /// For members that are times: how many seconds they lie ahead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seconds_from_now: BTreeMap<String, i64>,
    /// What `access_token` says, if it is a JWT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Jwt>,
    /// What `id_token` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Jwt>,
}

/// A JWT, decoded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwt {
    /// The protected header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    /// The length of the signature.
    pub signature_bytes: usize,
    /// Its lifetime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_minus_iat: Option<i64>,
}

/// A call of the command line and what it prints.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallStep {
    /// Its name; unique in the scenario.
    pub name: String,
    /// What is typed after the program's name.
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// What it does.
    pub expect: Outcome,
    /// Members of the printed JSON that later steps use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, String>,
}

/// What a call does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    /// The exit code; absent for a process that goes on running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Standard output; runs of tabs count as one.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}
