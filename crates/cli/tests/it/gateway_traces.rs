//! `gateway` with traces, and a collector that receives them.

use std::fs;

use crate::gateway_files::behind;
use crate::serve_traces::COLLECTOR;
use crate::words::{quietly, said};

const CONFIG: &str = r#"
entryPoints: {web: {address: ":80"}}
accessLog: {format: json, filePath: access.log}
providers: {file: {filename: routes.yaml}}
tracing:
  serviceName: edge-of-the-test
  capturedRequestHeaders: [X-Tenant, Authorization]
  capturedResponseHeaders: [Content-Type]
  safeQueryParams: [page]
  otlp: {http: {endpoint: "http://127.0.0.1:4318", headers: {Authorization: Bearer for-the-collector}}}
"#;

const ROUTES: &str = "
http:
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
  routers:
    detailed: {rule: Host(`whoami.docker.localhost`), service: whoami, observability: {traceVerbosity: detailed}}
    plain: {rule: Host(`plain.localhost`), service: whoami}
    quiet: {rule: Host(`quiet.localhost`), service: whoami, observability: {tracing: false}}
";

const START: &str = r#"
touch heads.txt spans.bin
python3 collector.py & collector=$!
becomes 501 http://127.0.0.1:4318/
serve() { carnet gateway --configFile=traced.yaml > out.log 2> err.log & gateway=$!; becomes 200 http://quiet.localhost; }
end() { kill $gateway; wait $gateway; }
caller='traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
ask() { status -H "$caller" -H 'X-Tenant: blue' -u me:traefiklabs-canary "$@"; }
serve
"#;

/// Whether the collector has it.
fn collected(text: &str) -> String {
    format!("LC_ALL=C grep -qaP '{text}' spans.bin && echo yes || echo no")
}

#[test]
fn a_request_is_a_trace_of_its_caller_and_tells_the_server_without_secrets() {
    let mut shell = behind();
    fs::write(shell.folder().join("collector.py"), COLLECTOR).unwrap();
    fs::write(shell.folder().join("traced.yaml"), CONFIG).unwrap();
    fs::write(shell.folder().join("routes.yaml"), ROUTES).unwrap();
    quietly(&mut shell, START);
    let url = "'http://whoami.docker.localhost/a?page=2&token=traefiklabs-canary'";
    assert_eq!(said(&mut shell, &format!("ask {url}")), "200");
    let told = "grep -c '^Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-' body.txt; grep -c 00f067aa0ba902b7 body.txt";
    assert_eq!(said(&mut shell, told), "1\n0");
    let quiet = "ask http://quiet.localhost/; grep -c 00f067aa0ba902b7 body.txt";
    assert_eq!(said(&mut shell, quiet), "200\n1");
    assert_eq!(said(&mut shell, "end; echo $?"), "0");
    assert_eq!(
        said(&mut shell, "sort -u heads.txt"),
        "/v1/traces application/x-protobuf Bearer for-the-collector"
    );
    for text in [
        "edge-of-the-test",
        "EntryPoint",
        "Router",
        "detailed@file",
        "Service",
        "whoami@file",
        "ReverseProxy",
        "http.request.header.x-tenant",
        "blue",
        "http.request.header.authorization",
        "http.response.header.content-type",
        "page=2&token=REDACTED",
        r"\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36",
        r"\x00\xf0\x67\xaa\x0b\xa9\x02\xb7",
    ] {
        assert_eq!(said(&mut shell, &collected(text)), "yes", "{text}");
    }
    let ids = r#"grep -c '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"' access.log"#;
    assert_eq!(said(&mut shell, ids), "1");
    let secret = "cat spans.bin err.log out.log | grep -c -a -e canary -e for-the-collector";
    assert_eq!(said(&mut shell, secret), "0");
}

#[test]
fn a_router_without_details_has_two_spans_and_a_collector_that_is_away_costs_a_line() {
    let mut shell = behind();
    fs::write(shell.folder().join("collector.py"), COLLECTOR).unwrap();
    fs::write(shell.folder().join("traced.yaml"), CONFIG).unwrap();
    fs::write(shell.folder().join("routes.yaml"), ROUTES).unwrap();
    quietly(&mut shell, START);
    assert_eq!(said(&mut shell, "ask http://plain.localhost/; end"), "200");
    for (text, is_there) in [
        ("EntryPoint", "yes"),
        ("ReverseProxy", "yes"),
        ("Router", "no"),
    ] {
        assert_eq!(said(&mut shell, &collected(text)), is_there, "{text}");
    }
    quietly(&mut shell, "kill $collector; serve");
    assert_eq!(
        said(&mut shell, "ask http://plain.localhost/; end; echo $?"),
        "200\n0"
    );
    let told = "grep -c 'the collector does not take traces' out.log";
    assert_eq!(said(&mut shell, told), "1");
}

/// Gives the same token to everybody.
const PROVIDER: &str = r#"
import http.server
class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"access_token":"token-canary","token_type":"bearer","expires_in":300}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", 4400), Provider).serve_forever()
"#;

/// Reads the spans: how many of a name link to which. Batches that stand behind each other are one
/// message of Protocol Buffers, whose fields have these numbers in OTLP.
const LINKS: &str = r#"
def number(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at
def fields(data, wanted):
    at = 0
    while at < len(data):
        tag, at = number(data, at)
        if tag & 7 == 0:
            _, at = number(data, at)
        elif tag & 7 == 2:
            length, at = number(data, at)
            if tag >> 3 == wanted:
                yield data[at:at + length]
            at += length
        else:
            at += {1: 8, 5: 4}[tag & 7]
batches = open("spans.bin", "rb").read()
spans = [span for batch in fields(batches, 1) for scope in fields(batch, 2) for span in fields(scope, 2)]
one = lambda data, wanted: next(fields(data, wanted))
names = {(one(span, 1), one(span, 2)): one(span, 5).decode() for span in spans}
print("\n".join(sorted(
    f"{one(span, 5).decode()} links to {names[one(link, 1), one(link, 2)]}"
    for span in spans for link in fields(span, 13)
)))
print([name for name in names.values()].count("Token"), "calls")
"#;

const EXCHANGE: &str = "
http:
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
  middlewares:
    creds: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4400/token?key=url-canary'}}}
  routers:
    exchanged: {rule: Host(`whoami.docker.localhost`), service: whoami, middlewares: [creds]}
    quiet: {rule: Host(`quiet.localhost`), service: whoami, observability: {tracing: false}}
";

#[test]
fn every_request_leads_to_the_call_that_got_its_token() {
    let mut shell = behind();
    for (name, text) in [
        ("collector.py", COLLECTOR),
        ("provider.py", PROVIDER),
        ("links.py", LINKS),
        ("traced.yaml", CONFIG),
        ("routes.yaml", EXCHANGE),
    ] {
        fs::write(shell.folder().join(name), text).unwrap();
    }
    quietly(
        &mut shell,
        "python3 provider.py & becomes 501 http://127.0.0.1:4400/",
    );
    quietly(&mut shell, START);
    for _ in 0..3 {
        let url = "http://whoami.docker.localhost/";
        assert_eq!(said(&mut shell, &format!("ask {url}")), "200");
    }
    assert_eq!(said(&mut shell, "end; echo $?"), "0");
    let links = "EntryPoint links to Token";
    assert_eq!(
        said(&mut shell, "python3 links.py"),
        [links, links, links, "1 calls"].join("\n")
    );
    let secret = "cat spans.bin err.log out.log | grep -c -a -e canary";
    assert_eq!(said(&mut shell, secret), "0");
}
