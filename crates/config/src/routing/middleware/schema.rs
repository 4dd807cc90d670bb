//! The options of middlewares as a JSON Schema: for editors, and for the page of the reference.
//! What an option means is the comment of its field; "Required.", "Default ..." and "(ours)" in it
//! are read by that page.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::oauth_client_credentials::written::Written;
use super::{
    AddPrefix, ApiKey, BasicAuth, Buffering, Chain, CircuitBreaker, Compress, ContentType,
    EncodedCharacters, Errors, ForwardAuth, GrpcWeb, Headers, Hmac, InFlightReq, IpAllowList,
    OAUTH_CLIENT_CREDENTIALS, PassTlsClientCert, RateLimit, RedirectRegex, RedirectScheme,
    ReplacePath, ReplacePathRegex, Retry, StripPrefix, StripPrefixRegex, TokenPolicy, jwt,
    o_auth_introspection, o_auth_token_exchange, oidc,
};

type Of = fn(&mut SchemaGenerator) -> Schema;

/// The kinds and their options.
const SCHEMAS: &[(&str, Of)] = &[
    ("addPrefix", AddPrefix::json_schema),
    ("apiKey", ApiKey::json_schema),
    ("basicAuth", BasicAuth::json_schema),
    ("buffering", Buffering::json_schema),
    ("chain", Chain::json_schema),
    ("circuitBreaker", CircuitBreaker::json_schema),
    ("compress", Compress::json_schema),
    ("contentType", ContentType::json_schema),
    ("digestAuth", digest_auth),
    ("encodedCharacters", EncodedCharacters::json_schema),
    ("errors", Errors::json_schema),
    ("forwardAuth", ForwardAuth::json_schema),
    ("grpcWeb", GrpcWeb::json_schema),
    ("headers", Headers::json_schema),
    ("hmac", Hmac::json_schema),
    ("inFlightReq", InFlightReq::json_schema),
    ("ipAllowList", IpAllowList::json_schema),
    ("ipWhiteList", ip_white_list),
    ("jwt", jwt::written::Written::json_schema),
    (OAUTH_CLIENT_CREDENTIALS, Written::json_schema),
    (
        "oAuthIntrospection",
        o_auth_introspection::written::Written::json_schema,
    ),
    (
        "oAuthTokenExchange",
        o_auth_token_exchange::written::Written::json_schema,
    ),
    ("oidc", oidc::written::Written::json_schema),
    ("passTLSClientCert", pass_tls_client_cert),
    ("rateLimit", RateLimit::json_schema),
    ("redirectRegex", RedirectRegex::json_schema),
    ("redirectScheme", RedirectScheme::json_schema),
    ("replacePath", ReplacePath::json_schema),
    ("replacePathRegex", ReplacePathRegex::json_schema),
    ("retry", Retry::json_schema),
    ("stripPrefix", StripPrefix::json_schema),
    ("stripPrefixRegex", StripPrefixRegex::json_schema),
    ("tokenPolicy", TokenPolicy::json_schema),
];

/// The options of `basicAuth`, with users of another form.
fn digest_auth(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = BasicAuth::json_schema(generator);
    let about = "`digestAuth`, Traefik's: who may pass, by a name and a password that is not sent \
                 (RFC 7616).";
    schema.insert("description".to_owned(), json!(about));
    let users = "Items `name:realm:digest`, as `htdigest` writes them; users of another realm do not \
                 count.";
    if let Some(description) = schema.pointer_mut("/properties/users/description") {
        *description = json!(users);
    }
    schema
}

/// The options of `ipAllowList` that the old name had.
fn ip_white_list(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = IpAllowList::json_schema(generator);
    schema.insert(
        "description".to_owned(),
        json!("`ipWhiteList`, Traefik's: the old name of `ipAllowList`."),
    );
    without(&mut schema, "", "rejectStatusCode");
    schema
}

/// The unit of an issuer is not told.
fn pass_tls_client_cert(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = PassTlsClientCert::json_schema(generator);
    let issuer = "/properties/info/properties/issuer";
    without(&mut schema, issuer, "organizationalUnit");
    schema
}

/// Takes an option out of a schema.
fn without(schema: &mut Schema, pointer: &str, option: &str) {
    let options = schema.pointer_mut(&format!("{pointer}/properties"));
    if let Some(Value::Object(options)) = options {
        options.remove(option);
    }
}

/// The schema of the options of each kind, by its key, in the order of their names. Schemas refer to
/// nothing outside themselves.
pub fn schemas() -> Map<String, Value> {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    let mut generator = settings.into_generator();
    let schemas = SCHEMAS.iter().map(|(kind, of)| {
        let mut schema = of(&mut generator).to_value();
        tidy(&mut schema);
        ((*kind).to_owned(), schema)
    });
    schemas.collect()
}

/// The schema of a file of the file provider: its middlewares in full, the rest by name.
pub fn of_files() -> Value {
    let kinds = schemas();
    let one = kinds.into_iter().map(|(kind, options)| {
        json!({"properties": {&kind: options}, "required": [kind], "additionalProperties": false})
    });
    let plugin = json!({"properties": {"plugin": {"type": "object"}}, "required": ["plugin"]});
    let one: Vec<Value> = one.chain([plugin]).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Routing configuration of carnet",
        "type": "object",
        "properties": {
            "http": {
                "type": "object",
                "properties": {
                    "middlewares": {
                        "type": "object",
                        "additionalProperties": {"type": "object", "oneOf": one},
                    },
                },
            },
        },
    })
}

/// Says which options are required, as their comments do, and that there are no others; takes out
/// what says nothing to editors.
fn tidy(schema: &mut Value) {
    let Value::Object(map) = schema else {
        return;
    };
    map.remove("format");
    map.remove("title");
    map.remove("$schema");
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if let Some(Value::Object(options)) = map.get("properties") {
        let required = options.iter().filter(|(_, option)| is_required(option));
        let required: Vec<Value> = required.map(|(name, _)| json!(name)).collect();
        map.insert("required".to_owned(), Value::Array(required));
        map.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for (key, part) in map.iter_mut() {
        match part {
            Value::Object(options) if key == "properties" => {
                options.values_mut().for_each(tidy);
            }
            Value::Array(parts) => parts.iter_mut().for_each(tidy),
            part => tidy(part),
        }
    }
}

fn is_required(option: &Value) -> bool {
    let description = option.get("description").and_then(Value::as_str);
    description.is_some_and(|text| text.contains("Required"))
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use crate::document::parse_yaml;
    use crate::routing::middleware::{KINDS, read};

    #[test]
    fn every_kind_that_is_served_has_a_schema() {
        let served: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        let described: Vec<&str> = SCHEMAS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn every_option_of_a_schema_is_one_that_is_read() {
        for (kind, schema) in schemas() {
            for sample in samples(&schema) {
                let spec = json!({&kind: sample});
                let node = parse_yaml(&spec.to_string(), "x").unwrap().remove(0);
                for finding in read(&node, "x").diagnostics {
                    let is_unknown = finding.message.starts_with("unknown");
                    assert!(!is_unknown, "{kind} {}: {}", finding.key, finding.message);
                }
            }
        }
    }

    /// The golden file has each option of each kind, some with mistakes.
    #[test]
    fn every_option_that_is_read_is_in_its_schema() {
        let schemas = schemas();
        let golden = include_str!("../../../tests/golden/routing/middleware_options.yaml");
        let golden = parse_yaml(golden, "golden").unwrap().remove(0).to_json();
        let middlewares = golden["http"]["middlewares"].as_object().unwrap();
        for (name, spec) in middlewares {
            let node = parse_yaml(&spec.to_string(), "x").unwrap().remove(0);
            let findings = read(&node, name).diagnostics;
            let (kind, options) = spec.as_object().unwrap().iter().next().unwrap();
            for (option, _) in options.as_object().into_iter().flatten() {
                let is_known = has_option(&schemas[kind], option);
                let has_finding = findings.iter().any(|finding| finding.key.ends_with(option));
                assert!(is_known || has_finding, "{name}: {option}");
            }
        }
    }

    fn has_option(schema: &Value, option: &str) -> bool {
        schema["properties"].get(option).is_some()
    }

    #[test]
    fn every_option_says_what_it_is() {
        fn look(path: &str, schema: &Value) {
            for (name, option) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{path}.{name}");
                assert!(option["description"].is_string(), "{path}");
                look(&path, option);
            }
            schema["oneOf"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|part| look(path, part));
        }
        schemas()
            .iter()
            .for_each(|(kind, schema)| look(kind, schema));
    }

    /// Values of which each option has a part in one.
    fn samples(schema: &Value) -> Vec<Value> {
        if let Some(ways) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            return ways.iter().flat_map(samples).collect();
        }
        let Some(options) = schema["properties"].as_object() else {
            return vec![sample(schema)];
        };
        let each = options.iter().flat_map(|(name, option)| {
            let samples = samples(option).into_iter();
            samples.map(move |sample| json!({name: sample}))
        });
        each.collect()
    }

    fn sample(schema: &Value) -> Value {
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().unwrap(),
            kind => kind,
        };
        match kind.as_str() {
            Some("boolean") => json!(true),
            Some("integer") => json!(1),
            Some("array") => json!([sample(&schema["items"])]),
            Some("object") => json!({}),
            _ => json!("a"),
        }
    }
}
