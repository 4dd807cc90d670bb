//! `perform authorization-code`: tokens of a person, by a browser that comes back to a port of this
//! machine (RFC 6749, section 4.1; RFC 8252). With a proof of RFC 7636, which Hydra's does without.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use carnet_oauth::client_auth::Credentials;
use carnet_oauth::token_response::TokenResponse;
use carnet_oauth::{ErrorBody, form};

use super::callback::Callback;
use super::{Endpoint, token};
use crate::api::{self, Api};
use crate::args::{ApiFlags, AuthorizationCode};
use crate::output::{self, Failure};
use crate::process::Process;

/// Sends a browser on its way, waits for it, and prints what it brings; with `--no-shutdown` again
/// and again.
pub(super) async fn run(
    args: AuthorizationCode,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let client = api::credentials(&args.person.credentials, process)?;
    let api = Api::open(api_flags, process)?;
    let host = format!("127.0.0.1:{}", args.port);
    let listener = (process.listen)(&host)
        .map_err(|error| Failure::new(format!("port {} cannot be used: {error}", args.port)))?;
    let scheme = match args.https {
        true => "https",
        false => "http",
    };
    let home = format!("{scheme}://{host}");
    let redirect = args.redirect.clone().unwrap_or(format!("{home}/callback"));
    let way = Way {
        page: match &args.auth_url {
            Some(page) => page.clone(),
            None => api.address(&["oauth2", "auth"]),
        },
        endpoint: Endpoint::new(&api, Endpoint::TOKEN, args.person.token_url.as_deref())?,
        callback: Callback::open(listener, args.https)?,
        home,
        redirect,
        client,
        args,
    };
    loop {
        let outcome = match way.once(process).await {
            Ok(got) => token::report(&got, process.clock.now()).print(api_flags, process),
            Err(failure) => Err(failure),
        };
        match outcome {
            Err(failure) if way.args.no_shutdown => output::say(process, &failure.to_string()),
            Ok(()) if way.args.no_shutdown => {}
            outcome => return outcome,
        }
    }
}

/// The way of a browser.
struct Way {
    args: AuthorizationCode,
    client: Credentials,
    /// The authorization endpoint.
    page: String,
    endpoint: Endpoint,
    callback: Callback,
    /// Where the browser begins.
    home: String,
    /// Where it comes back to.
    redirect: String,
}

impl Way {
    /// The tokens of one browser.
    async fn once(&self, process: &Process) -> Result<TokenResponse, Failure> {
        let (state, verifier) = (drawn(process), drawn(process));
        let state = self.args.state.clone().unwrap_or(state);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let (home, begin) = (&self.home, self.begin(&state, &challenge));
        let text = format!(
            "Open this in a browser, and log in:\n\n\t{home}/\n\nor directly\n\n\t{begin}\n"
        );
        output::say(process, &text);
        let came = self.callback.answer(&begin).await?;
        let value = |wanted: &str| {
            let found = came.iter().find(|(name, _)| name == wanted);
            found.map_or("", |(_, value)| value.as_str())
        };
        if !value("error").is_empty() {
            let body = ErrorBody {
                error: value("error").to_owned(),
                error_description: value("error_description").to_owned(),
            };
            return Err(Failure::new(format!("no code: {}", token::sentence(&body))));
        }
        if value("state") != state {
            let text = "the browser brought the answer to another request: 'state' differs";
            return Err(Failure::new(text));
        }
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", value("code")),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let answer = self.endpoint.post(&pairs, &self.client).await;
        answer.map_err(token::failure)?.json()
    }

    /// Where the browser is sent.
    fn begin(&self, state: &str, challenge: &str) -> String {
        let Self { args, page, .. } = self;
        let person = &args.person;
        let (scope, audience) = (person.scope.join(" "), person.audience.join(" "));
        let prompt = args.prompt.join(" ");
        let max_age = match args.max_age {
            0.. => args.max_age.to_string(),
            _ => String::new(),
        };
        let mode = args.response_mode.clone().unwrap_or_default();
        let asked = [
            ("client_id", self.client.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect),
            ("scope", &scope),
            ("state", state),
            ("audience", &audience),
            ("prompt", &prompt),
            ("max_age", &max_age),
            ("response_mode", &mode),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let pairs = asked.into_iter().filter(|(_, value)| !value.is_empty());
        let query = form::encode_pairs(pairs.map(|(name, value)| (name, value.into())));
        format!("{page}?{query}")
    }
}

/// A text that nobody guesses.
fn drawn(process: &Process) -> String {
    let mut bytes = [0; 32];
    process.random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
