//! What a Middleware names besides single values of Secrets: the members of a `chain`, the `bearer` of
//! `oidc`, the service of `errors`, the Secrets of `basicAuth`, `digestAuth`, `forwardAuth` and `rateLimit`. They are put
//! in as a file would write them.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carnet_config::document::{Member, Node, Value};
use secrecy::ExposeSecret as _;

use super::Translation;
use super::reference::absent;
use crate::kubernetes::AUTHORITY_KEYS;
use crate::kubernetes::crd::Reference;
use crate::kubernetes::objects::ObjectName;
use crate::kubernetes::secret::Secret;
use crate::references::Tell;

/// The key of `basicAuth` and `digestAuth` that names a Secret.
const SECRET: &str = "secret";

/// A kind that names another middleware.
const OIDC: &str = "oidc";

impl Translation<'_> {
    /// The options of a Middleware with the names in them looked up.
    pub(super) fn looked_up(
        &self,
        spec: Node,
        (namespace, pages): (&str, Option<String>),
        tell: &mut Tell<'_>,
    ) -> Node {
        let Value::Map(members) = spec.value else {
            return spec;
        };
        let look_up = |mut member: Member| {
            match member.key.as_str() {
                "chain" => self.look_up_members(&mut member.value, namespace, tell),
                "basicAuth" | "digestAuth" => {
                    let Member { key, value, .. } = &mut member;
                    self.look_up_users(key, value, namespace, tell);
                }
                "forwardAuth" => self.look_up_certificates(&mut member.value, namespace, tell),
                "errors" => {
                    if let (Some(service), Some(pages)) =
                        (value_of(&mut member.value, "service"), &pages)
                    {
                        *service = Value::Text(pages.clone());
                    }
                }
                "rateLimit" => self.look_up_redis(&mut member.value, namespace, tell),
                // Options of Traefik Hub stand below `plugin` or directly, in any spelling.
                key if key.eq_ignore_ascii_case("plugin") => {
                    for below in called(&mut member.value, OIDC) {
                        self.look_up_bearer(&mut below.value, namespace, tell);
                    }
                }
                key if key.eq_ignore_ascii_case(OIDC) => {
                    self.look_up_bearer(&mut member.value, namespace, tell);
                }
                _ => {}
            }
            member
        };
        Node {
            value: Value::Map(members.into_iter().map(look_up).collect()),
            ..spec
        }
    }

    fn look_up_members(&self, chain: &mut Node, namespace: &str, tell: &mut Tell<'_>) {
        let Some(Value::List(members)) = value_of(chain, "middlewares") else {
            return;
        };
        for (index, member) in members.iter_mut().enumerate() {
            let text = |key| Some(member.member(key)?.scalar()?.to_owned());
            let Some(name) = text("name") else {
                continue;
            };
            let key = format!("spec.chain.middlewares[{index}].name");
            let reference = Reference {
                name,
                namespace: text("namespace").filter(|namespace| !namespace.is_empty()),
                key: key.clone(),
                position: member.position.clone(),
            };
            match self.named("Middleware", &self.middlewares, namespace, &reference) {
                Ok(name) => member.value = Value::Text(name),
                Err(message) => tell(&key, member, message),
            }
        }
    }

    /// A reference as in a route, or the name alone.
    fn look_up_bearer(&self, options: &mut Node, namespace: &str, tell: &mut Tell<'_>) {
        for member in called(options, "bearer") {
            let node = &mut member.value;
            let text = |key| Some(node.member(key)?.scalar()?.to_owned());
            let name = match node.is_map() {
                true => text("name").unwrap_or_default(),
                false => node.scalar().unwrap_or_default().to_owned(),
            };
            if name.is_empty() && !node.is_map() {
                continue;
            }
            let key = "spec.plugin.oidc.bearer";
            let reference = Reference {
                name,
                namespace: text("namespace").filter(|namespace| !namespace.is_empty()),
                key: key.to_owned(),
                position: node.position.clone(),
            };
            match self.named("Middleware", &self.middlewares, namespace, &reference) {
                Ok(name) => node.value = Value::Text(name),
                Err(message) => tell(key, node, message),
            }
        }
    }

    fn look_up_users(&self, kind: &str, options: &mut Node, namespace: &str, tell: &mut Tell<'_>) {
        let Value::Map(members) = &mut options.value else {
            return;
        };
        let Some(member) = members.iter_mut().find(|member| member.key == SECRET) else {
            return;
        };
        let named = member.value.scalar().filter(|name| !name.is_empty());
        let Some(name) = named.map(|name| ObjectName::new(namespace, name)) else {
            return;
        };
        let secrets = &self.objects.secrets;
        let (form, read): (_, Read) = match kind {
            "digestAuth" => ("one key with lines `name:realm:digest`", lines),
            _ => (
                "either `username` and `password` or one key with lines `name:hash`",
                users,
            ),
        };
        let users = match secrets.get(&name) {
            Some(secret) => {
                read(secret).ok_or_else(|| format!("Secret {name} does not have {form}"))
            }
            None => Err(absent("Secret", &name, secrets.keys())),
        };
        match users {
            Ok(users) => {
                let position = &member.value.position;
                let user = |text| Node {
                    position: position.clone(),
                    value: Value::Text(text),
                };
                member.value.value = Value::List(users.into_iter().map(user).collect());
                "users".clone_into(&mut member.key);
            }
            Err(message) => tell(&format!("spec.{kind}.{SECRET}"), &member.value, message),
        }
    }

    fn look_up_certificates(&self, options: &mut Node, namespace: &str, tell: &mut Tell<'_>) {
        let Some(Value::Map(members)) = value_of(options, "tls") else {
            return;
        };
        let mut texts = Vec::new();
        for member in members.iter() {
            let wanted = CERTIFICATES.iter();
            let wanted = wanted.filter(|(named, ..)| *named == member.key);
            for (named, key, kept_at) in wanted {
                let name = member.value.scalar().unwrap_or_default();
                match self.text_of(&ObjectName::new(namespace, name), kept_at) {
                    Ok(text) => texts.push(Member {
                        key: (*key).to_owned(),
                        key_position: member.key_position.clone(),
                        value: Node {
                            value: Value::Text(text),
                            position: member.value.position.clone(),
                        },
                    }),
                    Err(message) => {
                        let key = format!("spec.forwardAuth.tls.{named}");
                        tell(&key, &member.value, message);
                    }
                }
            }
        }
        members.retain(|member| CERTIFICATES.iter().all(|(named, ..)| *named != member.key));
        members.extend(texts);
    }

    /// What a Secret has under the first of these keys that it has.
    fn text_of(&self, name: &ObjectName, keys: &[&str]) -> Result<String, String> {
        let secrets = &self.objects.secrets;
        let secret = secrets.get(name);
        let secret = secret.ok_or_else(|| absent("Secret", name, secrets.keys()))?;
        let text = keys.iter().find_map(|key| secret.text(key));
        let text = text.map(|text| text.expose_secret().to_owned());
        text.ok_or_else(|| format!("Secret {name} has no text under `{}`", keys.join("` or `")))
    }
}

/// Reads the items of `users` out of a Secret.
type Read = fn(&Secret) -> Option<Vec<String>>;

/// Keys of `forwardAuth.tls` that name Secrets; what a file would write there; the keys of the Secret
/// that may hold it.
const CERTIFICATES: [(&str, &str, &[&str]); 3] = [
    ("caSecret", "ca", &AUTHORITY_KEYS),
    ("certSecret", "cert", &["tls.crt"]),
    ("certSecret", "key", &["tls.key"]),
];

/// The members of a map that have this name in any spelling.
fn called<'n>(node: &'n mut Node, name: &'static str) -> impl Iterator<Item = &'n mut Member> {
    let members = match &mut node.value {
        Value::Map(members) => members.as_mut_slice(),
        _ => &mut [],
    };
    let members = members.iter_mut();
    members.filter(move |member| member.key.eq_ignore_ascii_case(name))
}

fn value_of<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Value> {
    let Value::Map(members) = &mut node.value else {
        return None;
    };
    let member = members.iter_mut().find(|member| member.key == key)?;
    Some(&mut member.value.value)
}

/// `name:hash` items. A Secret of type `kubernetes.io/basic-auth` holds the password itself.
fn users(secret: &Secret) -> Option<Vec<String>> {
    if let (Some(name), Some(password)) = (secret.text("username"), secret.text("password")) {
        let hash = digest(
            &SHA1_FOR_LEGACY_USE_ONLY,
            password.expose_secret().as_bytes(),
        );
        let hash = STANDARD.encode(hash);
        return Some(vec![format!("{}:{{SHA}}{hash}", name.expose_secret())]);
    }
    lines(secret)
}

/// The lines of the only key.
fn lines(secret: &Secret) -> Option<Vec<String>> {
    let mut keys = secret.keys();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return None;
    };
    let text = secret.text(key)?;
    let lines = text.expose_secret().lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(lines.map(str::to_owned).collect())
}
