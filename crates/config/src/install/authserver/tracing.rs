//! `tracing`.

use secrecy::SecretString;
use url::Url;

use crate::document::Fields;
use crate::secret::secret;

/// What a collector listens to (OTLP over HTTP).
const PATH: &str = "v1/traces";

/// `tracing`, where `provider` is `otel`.
#[derive(Debug, Clone)]
pub struct Tracing {
    /// `service_name`. Default `carnet`.
    pub service_name: String,
    /// `deployment_environment`: such as `production`.
    pub deployment_environment: Option<String>,
    /// `providers.otlp.server_url`: the collector, as `localhost:4318`, asked by https unless
    /// `providers.otlp.insecure`; or a whole URL.
    pub url: Url,
    /// `providers.otlp.sampling.sampling_ratio`: the share of requests that are traced, from 0 to 1,
    /// where the caller did not decide. Default 1.
    pub sampling_ratio: f64,
    /// `providers.otlp.authorization_header`: what the collector is sent in `Authorization`.
    pub authorization_header: Option<SecretString>,
}

/// `tracing.provider`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    Otel,
    /// Those that Hydra has besides.
    Other(&'static str),
}

/// `providers.otlp`, as far as it was written.
#[derive(Debug, Default)]
struct Otlp {
    server_url: Option<String>,
    is_insecure: bool,
    sampling_ratio: Option<f64>,
    authorization_header: Option<SecretString>,
}

pub(super) fn read(fields: &mut Fields<'_>) -> Option<Tracing> {
    let providers = [
        ("otel", Provider::Otel),
        ("jaeger", Provider::Other("jaeger")),
        ("zipkin", Provider::Other("zipkin")),
    ];
    let provider = fields.word("provider", &providers);
    let service_name = fields.text("service_name").filter(|name| !name.is_empty());
    let deployment_environment = fields.text("deployment_environment");
    let otlp = fields.map("providers", |providers| {
        for other in ["jaeger", "zipkin"] {
            providers.node(other);
        }
        providers.map("otlp", otlp)
    });
    match provider? {
        Provider::Other(name) => {
            let message = format!(
                "`{name}` is not served, and takes OTLP as well: set it to `otel`, and \
                 `providers.otlp.server_url`; nothing is traced until then"
            );
            fields.warn("provider", message);
            return None;
        }
        Provider::Otel => {}
    }
    let otlp = otlp.flatten().unwrap_or_default();
    let Some(server) = otlp.server_url else {
        let message = "needs the address of a collector, such as localhost:4318";
        fields.error("providers.otlp.server_url", message);
        return None;
    };
    let Some(url) = collector(&server, otlp.is_insecure) else {
        let message = "is no address of a collector; write it as localhost:4318";
        fields.error("providers.otlp.server_url", message);
        return None;
    };
    Some(Tracing {
        service_name: service_name.unwrap_or_else(|| "carnet".to_owned()),
        deployment_environment: deployment_environment.filter(|name| !name.is_empty()),
        url,
        sampling_ratio: otlp.sampling_ratio.unwrap_or(1.0),
        authorization_header: otlp.authorization_header,
    })
}

fn otlp(fields: &mut Fields<'_>) -> Otlp {
    Otlp {
        server_url: fields.text("server_url").filter(|url| !url.is_empty()),
        is_insecure: fields.boolean("insecure").unwrap_or(false),
        sampling_ratio: fields.map("sampling", ratio).flatten(),
        authorization_header: secret(fields, "authorization_header"),
    }
}

fn ratio(fields: &mut Fields<'_>) -> Option<f64> {
    let text = fields.text("sampling_ratio")?;
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    if ratio.is_none() {
        fields.error("sampling_ratio", "expects a number from 0 to 1");
    }
    ratio
}

/// Where traces are posted.
fn collector(server: &str, is_insecure: bool) -> Option<Url> {
    let scheme = match is_insecure {
        true => "http",
        false => "https",
    };
    let whole = match server.contains("://") {
        true => server.to_owned(),
        false => format!("{scheme}://{server}"),
    };
    let mut url = Url::parse(&whole).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    if matches!(url.path(), "" | "/") {
        url.set_path(PATH);
    }
    Some(url)
}
