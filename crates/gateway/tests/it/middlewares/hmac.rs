//! `hmac`: what was signed passes as it was signed, and nothing else does.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac as mac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carnet_testkit::client::Response;

use super::{Guarded, seen};

/// The stand's clock.
const NOW: u64 = 1_795_694_400;

const OPTIONS: &str = "{plugin: {hmac: {keys: [{id: one, key: secret}, {id: two, key: other}]}}}";
const ALL: &str = "(request-target) (created) (expires)";

/// A request that its caller signs, and what is sent in its place.
#[derive(Clone)]
struct Signed {
    method: &'static str,
    target: &'static str,
    fields: Vec<(&'static str, String)>,
    body: &'static str,
    key: (&'static str, &'static str),
    algorithm: &'static str,
    headers: &'static str,
    created: u64,
    expires: u64,
}

impl Default for Signed {
    fn default() -> Self {
        Self {
            method: "GET",
            target: "/a?b=1",
            fields: Vec::new(),
            body: "",
            key: ("one", "secret"),
            algorithm: "hmac-sha256",
            headers: ALL,
            created: NOW - 10,
            expires: NOW + 10,
        }
    }
}

impl Signed {
    /// The parameters, made as the draft says, by other code than the gateway's.
    fn authorization(&self) -> String {
        let lines = self.headers.split(' ').map(|name| {
            let value = match name {
                "(request-target)" => {
                    format!("{} {}", self.method.to_lowercase(), self.target)
                }
                "(created)" => self.created.to_string(),
                "(expires)" => self.expires.to_string(),
                "host" => "a.test".to_owned(),
                name => {
                    let values = self
                        .fields
                        .iter()
                        .filter(|(field, _)| field.eq_ignore_ascii_case(name));
                    let values: Vec<&str> = values.map(|(_, value)| value.trim()).collect();
                    values.join(", ")
                }
            };
            format!("{name}: {value}")
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let algorithm = match self.algorithm {
            "hmac-sha1" => mac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "hmac-sha384" => mac::HMAC_SHA384,
            "hmac-sha512" => mac::HMAC_SHA512,
            _ => mac::HMAC_SHA256,
        };
        let key = mac::Key::new(algorithm, self.key.1.as_bytes());
        let signature = STANDARD.encode(mac::sign(&key, text.as_bytes()));
        format!(
            "Hmac keyId=\"{}\",algorithm=\"{}\",headers=\"{}\",created=\"{}\",expires=\"{}\",\
             signature=\"{signature}\"",
            self.key.0, self.algorithm, self.headers, self.created, self.expires
        )
    }

    /// The request as it is, with these parameters.
    async fn sent(&self, gateway: &Guarded, authorization: &str) -> Response {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        let length = self.body.len();
        let text = format!(
            "{head}Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{}",
            self.body
        );
        gateway.stand.send(&text).await
    }

    async fn status(&self, gateway: &Guarded) -> u16 {
        self.sent(gateway, &self.authorization()).await.status
    }
}

fn digest_of(body: &str) -> String {
    let hash = digest(&SHA256, body.as_bytes());
    format!("SHA-256={}", STANDARD.encode(hash))
}

#[tokio::test]
async fn what_is_signed_passes_by_every_algorithm_and_key() {
    let gateway = Guarded::by(&[OPTIONS]).await;
    for (id, key) in [("one", "secret"), ("two", "other")] {
        for algorithm in ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
            let signed = Signed {
                key: (id, key),
                algorithm,
                ..Signed::default()
            };
            assert_eq!(signed.status(&gateway).await, 200, "{id} {algorithm}");
        }
    }
    let fields = vec![
        ("X-Empty", String::new()),
        ("X-Many", " a".to_owned()),
        ("x-many", "b ".to_owned()),
    ];
    let headers = "host x-many (expires) x-empty (request-target) (created)";
    let signed = Signed {
        headers,
        fields,
        ..Signed::default()
    };
    assert_eq!(signed.status(&gateway).await, 200);
}

/// Each row changes one thing, of what is signed or of what is sent.
#[tokio::test]
async fn every_change_is_noticed() {
    let gateway = Guarded::by(&[OPTIONS]).await;
    let right = Signed::default();
    let parameters = right.authorization();
    assert_eq!(right.sent(&gateway, &parameters).await.status, 200);
    for other in [
        Signed {
            method: "DELETE",
            ..right.clone()
        },
        Signed {
            target: "/a?b=2",
            ..right.clone()
        },
        Signed {
            target: "/A?b=1",
            ..right.clone()
        },
        Signed {
            target: "/a",
            ..right.clone()
        },
    ] {
        let answer = other.sent(&gateway, &parameters).await;
        assert_eq!(answer.status, 401, "{} {}", other.method, other.target);
    }
    for (part, other) in [
        ("keyId=\"one\"", "keyId=\"two\""),
        ("keyId=\"one\"", "keyId=\"nobody\""),
        ("keyId=\"one\"", "keyId=\"\""),
        ("hmac-sha256", "hmac-sha512"),
        ("hmac-sha256", "none"),
        ("(created) ", ""),
        ("(request-target) (created)", "(created) (request-target)"),
        ("created=\"1795694390\"", "created=\"1795694391\""),
        ("expires=\"1795694410\"", "expires=\"1795694411\""),
        ("Hmac ", "Basic "),
    ] {
        let forged = parameters.replace(part, other);
        assert_ne!(forged, parameters, "{part}");
        assert_eq!(right.sent(&gateway, &forged).await.status, 401, "{other}");
    }
}

#[tokio::test]
async fn a_signature_has_its_time_its_key_and_all_that_must_be_covered() {
    let gateway = Guarded::by(&[OPTIONS]).await;
    let right = Signed::default();
    for wrong in [
        // Another's secret, and the one of nobody.
        Signed {
            key: ("one", "other"),
            ..right.clone()
        },
        Signed {
            key: ("nobody", "secret"),
            ..right.clone()
        },
        Signed {
            key: ("nobody", ""),
            ..right.clone()
        },
        // Too early, too late.
        Signed {
            created: NOW + 1,
            ..right.clone()
        },
        Signed {
            expires: NOW - 1,
            ..right.clone()
        },
        // What must be covered is not, or what is covered is not there.
        Signed {
            headers: "(created) (expires)",
            ..right.clone()
        },
        Signed {
            headers: "(request-target) (created) (expires) x-none",
            ..right.clone()
        },
    ] {
        assert_eq!(
            wrong.status(&gateway).await,
            401,
            "{:?} {}",
            wrong.key,
            wrong.headers
        );
    }
    for edge in [
        Signed {
            created: NOW,
            ..right.clone()
        },
        Signed {
            expires: NOW,
            ..right.clone()
        },
    ] {
        assert_eq!(edge.status(&gateway).await, 200);
    }
}

#[tokio::test]
async fn a_body_has_a_digest_that_is_its_own_and_signed() {
    let with = "(request-target) (created) (expires) digest";
    let without = ALL;
    let unread = OPTIONS.replace("keys:", "validateDigest: false, keys:");
    for (options, headers, digest, body, status) in [
        (OPTIONS, with, digest_of("hello"), "hello", 200),
        (OPTIONS, with, digest_of("hello"), "hallo", 401),
        (OPTIONS, with, digest_of("hello"), "", 401),
        (OPTIONS, with, digest_of(""), "", 200),
        (
            OPTIONS,
            with,
            "MD5=XUFAKrxLKna5cZ2REBfFkg==".to_owned(),
            "hello",
            401,
        ),
        // One that is not signed is anybody's.
        (OPTIONS, without, digest_of("hello"), "hello", 401),
        (OPTIONS, without, String::new(), "hello", 401),
        (OPTIONS, without, String::new(), "", 200),
        (unread.as_str(), without, String::new(), "hello", 200),
        (unread.as_str(), with, digest_of("x"), "hello", 200),
    ] {
        let gateway = Guarded::by(&[options]).await;
        let fields = match digest.as_str() {
            "" => Vec::new(),
            digest => vec![("Digest", digest.to_owned())],
        };
        let signed = Signed {
            method: "POST",
            headers,
            fields,
            body,
            ..Signed::default()
        };
        let answer = signed.sent(&gateway, &signed.authorization()).await;
        assert_eq!(answer.status, status, "{headers} {digest} {body}");
        if status == 200 {
            assert!(answer.text().ends_with(body), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_to_be_signed() {
    let enforced = OPTIONS.replace("keys:", "enforcedHeaders: ['(created)', Host], keys:");
    for (options, told) in [
        (
            OPTIONS,
            "Hmac headers=\"(request-target) (created) (expires)\"",
        ),
        (enforced.as_str(), "Hmac headers=\"(created) host\""),
    ] {
        let gateway = Guarded::by(&[options]).await;
        let answer = gateway.ask("GET / HTTP/1.1\nHost: a.test").await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers.only("www-authenticate"), Some(told));
        assert!(!answer.text().contains("Hostname"));
    }
    let gateway = Guarded::by(&[&enforced]).await;
    for (headers, status) in [("(created) host", 200), ("(created)", 401), (ALL, 401)] {
        let signed = Signed {
            headers,
            ..Signed::default()
        };
        assert_eq!(signed.status(&gateway).await, status, "{headers}");
    }
    let signed = Signed {
        headers: "(created) host",
        ..Signed::default()
    };
    let answer = signed.sent(&gateway, &signed.authorization()).await;
    assert!(seen(&answer, "Authorization").is_some());
}

// Holds HI-22.
#[tokio::test]
async fn options_that_mean_nothing_close_their_routers() {
    for options in [
        "{hmac: {}}",
        "{hmac: {keys: []}}",
        "{hmac: {keys: [{id: a}]}}",
        "{hmac: {keys: [{key: a}]}}",
        "{hmac: {keys: [{id: '', key: a}]}}",
        "{hmac: {keys: [{id: a, key: a}, {id: a, key: b}]}}",
        "{hmac: {keys: [{id: a, key: a}], enforcedHeaders: ['(target)']}}",
    ] {
        let gateway = Guarded::by(&[options]).await;
        assert_eq!(gateway.status("").await, 503, "{options}");
    }
}
