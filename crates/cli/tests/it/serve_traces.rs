//! `serve` with traces, and a collector that receives them.

use std::fs;

use crate::words::{quietly, said, shell};

/// Keeps what is posted to it.
pub(crate) const COLLECTOR: &str = r#"
import http.server
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("heads.txt", "a") as heads:
            heads.write(f'{self.path} {self.headers["Content-Type"]} {self.headers["Authorization"]}\n')
        with open("spans.bin", "ab") as spans:
            spans.write(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", 4318), Collector).serve_forever()
"#;

const START: &str = r#"
touch heads.txt spans.bin
python3 collector.py & collector=$!
becomes 501 http://127.0.0.1:4318/
export DSN=memory SECRETS_SYSTEM=a-secret-of-the-system STRATEGIES_ACCESS_TOKEN=jwt
export TRACING_PROVIDER=otel TRACING_SERVICE_NAME=tokens-of-the-test TRACING_PROVIDERS_OTLP_SERVER_URL=127.0.0.1:4318
export TRACING_PROVIDERS_OTLP_INSECURE=true TRACING_PROVIDERS_OTLP_AUTHORIZATION_HEADER='Bearer for-the-collector'
serve() { hydra serve all --dev 2>> serve.log & server=$!; becomes 200 http://127.0.0.1:4445/health/ready; }
end() { kill $server; wait $server; }
token() { status -u $id:traefiklabs-canary -d grant_type=client_credentials "$@" http://127.0.0.1:4444/oauth2/token; }
serve; id=$(register traefiklabs-canary)
"#;

#[test]
fn a_collector_receives_requests_and_what_they_waited_for_under_the_trace_of_their_caller() {
    let mut shell = shell();
    fs::write(shell.folder().join("collector.py"), COLLECTOR).unwrap();
    quietly(&mut shell, START);
    let called = "token -H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'";
    assert_eq!(said(&mut shell, called), "200");
    assert_eq!(said(&mut shell, "end; echo $?"), "0");
    assert_eq!(
        said(&mut shell, "sort -u heads.txt"),
        "/v1/traces application/x-protobuf Bearer for-the-collector"
    );
    for found in [
        "tokens-of-the-test",
        "POST /oauth2/token",
        "GET /admin/health/ready",
        "http.response.status_code",
        "store",
        "sign",
        "hash",
        // The trace and the span of the caller.
        r"\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36",
        r"\x00\xf0\x67\xaa\x0b\xa9\x02\xb7",
    ] {
        let search = format!("LC_ALL=C grep -qaP '{found}' spans.bin || echo missing");
        assert_eq!(said(&mut shell, &search), "", "{found}");
    }
    let secret = "cat spans.bin serve.log | grep -c -a -e canary -e for-the-collector";
    assert_eq!(said(&mut shell, secret), "0");

    // A caller that does not sample is not traced, and neither is anybody at a ratio of 0.
    quietly(
        &mut shell,
        "truncate -s0 spans.bin; export TRACING_PROVIDERS_OTLP_SAMPLING_SAMPLING_RATIO=0; serve; id=$(register traefiklabs-canary)",
    );
    assert_eq!(said(&mut shell, "token; end; wc -c < spans.bin"), "200\n0");

    // A collector that is away costs a line, and nothing else.
    quietly(
        &mut shell,
        "unset TRACING_PROVIDERS_OTLP_SAMPLING_SAMPLING_RATIO; kill $collector; serve; id=$(register traefiklabs-canary)",
    );
    assert_eq!(said(&mut shell, "token; end; echo $?"), "200\n0");
    let told = "grep -c 'the collector does not take traces' serve.log";
    assert_eq!(said(&mut shell, told), "1");
}
