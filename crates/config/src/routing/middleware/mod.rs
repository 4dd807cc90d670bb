//! `http.middlewares.<name>`: exactly one kind an object, checked when read.
//!
//! To add a kind: a file of its name here with its options and their `read`, a variant of
//! [`Middleware`], an arm of `kind`, and its name taken off the list of [`crate::not_yet`].

use crate::diagnostics::Object;
use crate::document::{Fields, Member, Node, Spelling};
use crate::nearest::suggestion;
use crate::not_yet::{self, MIDDLEWARE_KINDS};

pub mod oauth_client_credentials;

pub use oauth_client_credentials::OAuthClientCredentials;

/// A middleware and its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Middleware {
    /// `oAuthClientCredentials`.
    OAuthClientCredentials(Box<OAuthClientCredentials>),
}

const OAUTH_CLIENT_CREDENTIALS: &str = "oAuthClientCredentials";

/// Reads the value of `http.middlewares.<name>`, which is also `Middleware.spec` of Kubernetes with
/// its secret references already replaced. `object` is the name in messages. Kinds of Traefik Hub
/// stand below `plugin`, as it wants them, or directly; names match whatever their case.
pub fn read(spec: &Node, object: &str) -> Object<Middleware> {
    let mut fields = Fields::new(spec, object, Spelling::AnyCase);
    let value = kind(&mut fields, true);
    Object {
        value,
        diagnostics: fields.finish(),
    }
}

fn kind(fields: &mut Fields<'_>, plugin_may_follow: bool) -> Option<Middleware> {
    match fields.members() {
        [only] if is_called(only, OAUTH_CLIENT_CREDENTIALS) => fields
            .section(OAUTH_CLIENT_CREDENTIALS, oauth_client_credentials::read)
            .flatten()
            .map(|options| Middleware::OAuthClientCredentials(Box::new(options))),
        [only] if plugin_may_follow && is_called(only, "plugin") => fields
            .section("plugin", |plugin| kind(plugin, false))
            .flatten(),
        members => {
            fields.rest();
            refuse(fields, members, plugin_may_follow);
            None
        }
    }
}

fn refuse(fields: &mut Fields<'_>, members: &[Member], plugin_may_follow: bool) {
    match members {
        // What is no map has been told already.
        [] if !fields.is_map() => {}
        [] => fields.error(
            "",
            format!("names no kind of middleware, like `{OAUTH_CLIENT_CREDENTIALS}`"),
        ),
        [only] => {
            let key = &only.key;
            let later = || not_yet::at(MIDDLEWARE_KINDS);
            let sentence = later().find_map(|keys| {
                let kind = keys.keys.iter().find(|name| is_called(only, name))?;
                Some(keys.sentence(kind))
            });
            let message = match sentence {
                Some(sentence) => format!("the middleware {sentence}"),
                None => {
                    let plugin = plugin_may_follow.then_some("plugin");
                    let served = [OAUTH_CLIENT_CREDENTIALS].into_iter().chain(plugin);
                    let names = later().flat_map(|keys| keys.keys.iter().copied());
                    let names = names.chain(served);
                    format!("unknown middleware `{key}`{}", suggestion(key, names))
                }
            };
            fields.error_at(key, &only.key_position, message);
        }
        [_, second, ..] => {
            let names: Vec<_> = members.iter().map(|m| format!("`{}`", m.key)).collect();
            let message = format!(
                "a middleware has one kind, found {}; make several middlewares",
                names.join(", ")
            );
            fields.error_at("", &second.key_position, message);
        }
    }
}

fn is_called(member: &Member, name: &str) -> bool {
    member.key.eq_ignore_ascii_case(name)
}
