//! `import jwk`: keys from files, into a set.

use carnet_jose::{
    Algorithm, Jwk, PrivateKey,
    encoded::{self, Binding},
};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::api::{self, Api};
use crate::args::{ApiFlags, ImportJwk};
use crate::commands::shown::{self, KeySet};
use crate::output::Failure;
use crate::process::Process;

type Json = Map<String, Value>;

/// Puts the keys into the set, each under its name, and prints them. Nothing is sent unless all files
/// can be read.
pub(super) async fn run(
    args: ImportJwk,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let standard_input = ["-".to_owned()];
    let files = match args.files.as_slice() {
        [] => &standard_input,
        files => files,
    };
    let mut read = Vec::new();
    for file in files {
        read.extend(keys(&args, file, process).await?);
    }
    let mut put = Vec::new();
    for key in read {
        let kid = key["kid"].as_str().unwrap_or_default();
        let path = ["admin", "keys", &args.set, kid];
        let request = api.request(Method::PUT, &path).json(&key);
        put.push(api::send(request).await?.json::<Json>()?);
    }
    let keys = KeySet::from(put).keys(&args.set, false);
    shown::key_set(&args.set, &keys).print(api_flags, process)
}

/// The keys of a file, complete.
async fn keys(args: &ImportJwk, file: &str, process: &Process) -> Result<Vec<Json>, Failure> {
    let text = super::super::read(file, process).await?;
    let keys = match serde_json::from_slice::<Value>(&text) {
        Ok(Value::Object(mut object)) => match object.remove("keys") {
            // A set is shown the newest first, and what is put last is the newest.
            Some(Value::Array(keys)) => keys.into_iter().rev().collect(),
            _ => vec![Value::Object(object)],
        },
        Ok(_) => return Err(no_key(file)),
        Err(_) => return Ok(vec![encoded(args, file, &text, process)?]),
    };
    keys.into_iter()
        .map(|key| match key {
            Value::Object(key) => completed(args, file, key, process),
            _ => Err(no_key(file)),
        })
        .collect()
}

/// A JWK with what the flags say besides.
fn completed(
    args: &ImportJwk,
    file: &str,
    mut key: Json,
    process: &Process,
) -> Result<Json, Failure> {
    let is_absent = |key: &Json, name: &str| {
        key.get(name)
            .is_none_or(|value| value.is_null() || value.as_str() == Some(""))
    };
    if is_absent(&key, "kty") {
        return Err(no_key(file));
    }
    if is_absent(&key, "alg") {
        let algorithm = algorithm(args, file)?;
        key.insert("alg".to_owned(), algorithm.name().into());
    }
    if is_absent(&key, "use") {
        key.insert("use".to_owned(), args.usage.as_str().into());
    }
    if is_absent(&key, "kid") {
        key.insert("kid".to_owned(), kid(args, process).into());
    }
    let checked = match PrivateKey::is_in(&key) {
        true => PrivateKey::from_object(&key).map(drop),
        false => Jwk::from_object(&key).map(drop),
    };
    match checked {
        Ok(()) => Ok(key),
        Err(error) => Err(Failure::new(format!(
            "a key in `{file}` cannot be used: {error}"
        ))),
    }
}

/// A key in PEM or DER as a JWK.
fn encoded(args: &ImportJwk, file: &str, text: &[u8], process: &Process) -> Result<Json, Failure> {
    let is_pem = text.windows(11).any(|window| window == b"-----BEGIN ");
    let pem = is_pem.then(|| encoded::from_pem(text));
    let der = match &pem {
        Some(section) => section.as_ref().ok_or_else(|| no_key(file))?.as_slice(),
        None if text.first() == Some(&0x30) => text,
        None => return Err(no_key(file)),
    };
    let (algorithm, kid) = (algorithm(args, file)?, kid(args, process));
    let binding = Binding {
        algorithm,
        kid: &kid,
        usage: &args.usage,
    };
    let cannot = |error| {
        Failure::new(format!(
            "the key in `{file}` is none for {algorithm}: {error}"
        ))
    };
    let private = PrivateKey::from_der(der, binding).and_then(|key| key.to_private_json());
    match private {
        Ok(json) => serde_json::from_str(json.expose_secret()).map_err(|_| no_key(file)),
        Err(_) => Ok(Jwk::from_der(der, binding).map_err(cannot)?.to_object()),
    }
}

fn algorithm(args: &ImportJwk, file: &str) -> Result<Algorithm, Failure> {
    let text = args.alg.as_deref().ok_or_else(|| {
        Failure::new(format!(
            "the key in `{file}` does not say its algorithm: set --alg, such as --alg ES256"
        ))
    })?;
    text.parse()
        .map_err(|error| Failure::new(format!("--alg: {error}")))
}

fn kid(args: &ImportJwk, process: &Process) -> String {
    args.default_key_id.clone().unwrap_or_else(|| {
        let mut bytes = [0; 16];
        process.random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    })
}

fn no_key(file: &str) -> Failure {
    Failure::new(format!(
        "there is no key in `{file}`: a JWK, a set of them, PEM or DER is expected; decrypt one that \
         a password protects first, with `openssl pkey`"
    ))
}
