//! `jose verify`: the signature of a token against a set of keys.

use carnet_jose::{JwkSet, jws};
use reqwest::Method;

use crate::api::{self, Api};
use crate::args::{ApiFlags, JoseVerify};
use crate::commands::read;
use crate::output::{self, Failure};
use crate::process::Process;

/// Says that the signature is right; that it is not is a failure.
pub(super) async fn run(args: JoseVerify, process: &Process) -> Result<(), Failure> {
    let keys = keys(&args.jwks, process).await?;
    let token = read(&args.jws, process).await?;
    let token = String::from_utf8_lossy(&token);
    let verified = jws::verify(token.trim(), &keys)
        .map_err(|error| Failure::new(format!("signature: not valid: {error}")))?;
    let kid = match verified.header.get("kid").and_then(|kid| kid.as_str()) {
        Some(kid) => format!("kid {kid}, "),
        None => String::new(),
    };
    let algorithm = verified.algorithm;
    output::print(process, &format!("signature: valid ({kid}{algorithm})\n"));
    Ok(())
}

/// The keys of a file or of a URL.
async fn keys(source: &str, process: &Process) -> Result<JwkSet, Failure> {
    let text = if source.starts_with("http://") || source.starts_with("https://") {
        let flags = ApiFlags {
            endpoint: Some(source.to_owned()),
            ..ApiFlags::default()
        };
        let api = Api::open(&flags, process)?;
        api::send(api.request(Method::GET, &[])).await?.body
    } else {
        read(source, process).await?
    };
    let keys = JwkSet::from_json(&text)
        .map_err(|error| Failure::new(format!("`{source}` is no set of keys (JWKS): {error}")))?;
    if keys.keys().is_empty() {
        return Err(Failure::new(format!(
            "`{source}` has no public key that can be used"
        )));
    }
    Ok(keys)
}
