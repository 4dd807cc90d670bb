//! Somebody logs out of one application, and is logged out of a route that `oidc` guards: the
//! authorization server tells the gateway, which ends the session in its store.

use std::fs;

use crate::people::{BEGIN, SERVERS};
use crate::words::{quietly, said, shell};

/// A login and consent application that says yes and remembers who is in.
const APPLICATION: &str = r#"
import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ACCEPTED = {
    "login": {"subject": "foo@bar.com", "remember": True, "remember_for": 3600},
    "consent": {"grant_scope": ["openid"], "remember": True, "remember_for": 3600},
    "logout": {},
}


class Application(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        kind = url.path.strip("/")
        if kind not in ACCEPTED:
            return self.send_error(404)
        challenge = parse_qs(url.query)[f"{kind}_challenge"][0]
        request = urllib.request.Request(
            f"http://127.0.0.1:4445/admin/oauth2/auth/requests/{kind}/accept?{kind}_challenge={challenge}",
            json.dumps(ACCEPTED[kind]).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        self.send_response(302)
        self.send_header("Location", json.load(urllib.request.urlopen(request))["redirect_to"])
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", 9020), Application).serve_forever()
"#;

/// A store as Redis is one, for a gateway alone.
const STORE: &str = r#"
import socketserver
import threading
import time

values, turn = {}, threading.Lock()


def answer(words):
    name = words[1]
    value, until = values.get(name, (None, 0))
    if until < time.time():
        value = None
    if words[0] == b"GET":
        return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)
    if words[0] == b"PTTL":
        return b":%d\r\n" % (-2 if value is None else int((until - time.time()) * 1000))
    if words[0] == b"SET":
        if b"NX" in words[3:] and value is not None:
            return b"$-1\r\n"
        values[name] = (words[2], time.time() + int(words[-1]) / 1000)
        return b"+OK\r\n"
    if words[0] == b"DEL":
        return b":%d\r\n" % (values.pop(name, None) is not None)
    return b"-ERR unknown command\r\n"


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.readline():
            words = []
            for _ in range(int(head[1:])):
                words.append(self.rfile.read(int(self.rfile.readline()[1:])))
                self.rfile.readline()
            with turn:
                self.wfile.write(answer(words))


socketserver.ThreadingTCPServer.allow_reuse_address = True
store = socketserver.ThreadingTCPServer(("127.0.0.1", 6379), Talk)
print("listening", flush=True)
store.serve_forever()
"#;

const CONFIG: &str = r#"
entryPoints: {web: {address: ":80"}}
providers: {file: {filename: routes.yaml}}
"#;

/// The route leads to what answers without a word about who asks.
const ROUTES: &str = "
http:
  services:
    app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:4445'}]}}
  routers:
    app: {rule: 'Host(`app.localhost`) || Path(`/told`)', middlewares: [login], service: app}
  middlewares:
    login:
      plugin:
        oidc:
          issuer: http://127.0.0.1:4444
          clientID: gateway
          clientSecret: a-secret-of-at-least-thirty-two-bytes
          redirectUrl: /callback
          backchannelLogoutUrl: /told
          session: {store: {redis: {endpoints: '127.0.0.1:6379'}}}
";

const START: &str = r#"
python3 store.py > store.log 2>&1 &
says store.log listening
carnet create oauth2-client --endpoint http://127.0.0.1:4445 --id gateway --secret a-secret-of-at-least-thirty-two-bytes \
  --grant-type authorization_code,refresh_token --response-type code --scope openid \
  --redirect-uri http://app.localhost/callback --backchannel-logout-callback http://127.0.0.1/told > client.txt
carnet gateway --configFile=gateway.yaml > out.log 2> err.log &
becomes 302 -H 'Accept: text/html' http://app.localhost/health/ready
"#;

const APP: &str = "http://app.localhost/health/ready";

// Holds RP-08.
#[test]
fn who_logs_out_of_one_application_is_logged_out_at_the_gateway() {
    let mut shell = shell();
    let folder = shell.folder().to_owned();
    for (name, text) in [
        ("application.py", APPLICATION),
        ("store.py", STORE),
        ("gateway.yaml", CONFIG),
        ("routes.yaml", ROUTES),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let servers = SERVERS.replace(
        "carnet consent -a http://127.0.0.1:4445 -b 127.0.0.1:9020",
        "python3 application.py",
    );
    assert_ne!(servers, SERVERS);
    quietly(&mut shell, &servers);
    quietly(&mut shell, START);
    let comes = format!(
        "curl -s -L --max-redirs 12 -H 'Accept: text/html' -c jar -b jar -o body.txt -w '%{{http_code}} %{{url_effective}}\\n' {APP}"
    );
    let came = said(&mut shell, &comes);
    let why = said(&mut shell, "cat err.log store.log");
    assert_eq!(came, format!("200 {APP}"), "{why}");
    // The same person at another application.
    quietly(&mut shell, BEGIN);
    assert_eq!(said(&mut shell, "exchange"), "200");
    assert_eq!(said(&mut shell, &format!("status -b jar {APP}")), "200");
    let leaves = r#"browse "http://127.0.0.1:4444/oauth2/sessions/logout?id_token_hint=$(jq -r .id_token token.json)" > left.txt"#;
    quietly(&mut shell, leaves);
    quietly(&mut shell, &format!("becomes 401 -b jar {APP}"));
    assert_eq!(
        said(&mut shell, "grep -c 'was not told of a logout' hydra.log"),
        "0"
    );
}
