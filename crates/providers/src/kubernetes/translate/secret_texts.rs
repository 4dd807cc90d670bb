//! Options that name a Secret, and the texts of it that stand in their place.

use carnet_config::document::{Member, Node, Value};
use secrecy::ExposeSecret as _;

use super::Translation;
use super::reference::absent;
use crate::kubernetes::objects::ObjectName;
use crate::references::Tell;

/// A text of a Secret: the option that gets it, and the keys it may stand under.
type Text = (&'static str, &'static [&'static str]);

/// Where Secrets of certificates keep them.
const AUTHORITY: &[Text] = &[("ca", &["tls.ca", "ca.crt"])];
const CERTIFICATE: &[Text] = &[("cert", &["tls.crt"]), ("key", &["tls.key"])];

impl Translation<'_> {
    /// The Secrets of `rateLimit.redis`.
    pub(super) fn look_up_redis(&self, options: &mut Node, namespace: &str, tell: &mut Tell<'_>) {
        let Some(redis) = member_of(options, "redis") else {
            return;
        };
        let login: &[Text] = &[("username", &["username"]), ("password", &["password"])];
        let path = "spec.rateLimit.redis";
        self.put_texts(redis, ("secret", login), (namespace, path), tell);
        if let Some(tls) = member_of(redis, "tls") {
            let place = (namespace, "spec.rateLimit.redis.tls");
            self.put_texts(tls, ("caSecret", AUTHORITY), place, tell);
            self.put_texts(tls, ("certSecret", CERTIFICATE), place, tell);
        }
    }

    /// Puts texts of the Secret that the member `key` names in its place. A text that is not there
    /// is left out: who reads the options says what is missing.
    fn put_texts(
        &self,
        options: &mut Node,
        (key, texts): (&str, &[Text]),
        (namespace, path): (&str, &str),
        tell: &mut Tell<'_>,
    ) {
        let Value::Map(members) = &mut options.value else {
            return;
        };
        let named = members.iter().position(|member| member.key == key);
        let Some(index) = named else {
            return;
        };
        let Some(name) = members[index]
            .value
            .scalar()
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        let name = ObjectName::new(namespace, name);
        let Some(secret) = self.objects.secrets.get(&name) else {
            let message = absent("Secret", &name, self.objects.secrets.keys());
            tell(&format!("{path}.{key}"), &members[index].value, message);
            return;
        };
        let named = members.remove(index);
        for (option, keys) in texts {
            if let Some(text) = keys.iter().find_map(|key| secret.text(key)) {
                members.push(Member {
                    key: (*option).to_owned(),
                    key_position: named.key_position.clone(),
                    value: Node {
                        position: named.value.position.clone(),
                        value: Value::Text(text.expose_secret().to_owned()),
                    },
                });
            }
        }
    }
}

fn member_of<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Value::Map(members) = &mut node.value else {
        return None;
    };
    let member = members.iter_mut().find(|member| member.key == key)?;
    Some(&mut member.value)
}
