//! The tokens of both scenes in the hands of implementations that are not ours: PyJWT and OpenSSL.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::words::{quietly, shell};

/// `up` on the demo's manifests, and the token of each scene as whoami saw it.
const SCENES: &str = r#"
cat > secret.yaml <<< '{apiVersion: v1, kind: Secret, metadata: {name: gateway-client, namespace: apps}, stringData: {client_id: "$ID", client_secret: scene-b}}'
carnet up -f demo -f live > lines 2> up.log &
becomes 200 http://127.0.0.1:4445/health/ready
a=$(register scene-a --token-endpoint-auth-method client_secret_post)
b=$(register scene-b)
sed "s/\$ID/$b/" secret.yaml > live/secret.yaml
becomes 200 -u "$a:scene-a" http://whoami.docker.localhost:8000/; bearer > a.jwt
becomes 200 http://whoami-nologin.docker.localhost:8000/; bearer > b.jwt
curl -sS -o jwks.json http://127.0.0.1:4444/.well-known/jwks.json
"#;

/// Says of each line of standard input whether it is a token that verifies.
const PYJWT: &str = r#"
import json, sys
import jwt
keys = jwt.PyJWKSet.from_dict(json.load(open(sys.argv[1])))
for token in sys.stdin.read().split():
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        jwt.decode(token, key, algorithms=["RS256"], audience="https://traefik.io", issuer=sys.argv[2])
        print("valid")
    except (jwt.PyJWTError, KeyError):
        print("wrong")
"#;

/// A public RSA key as OpenSSL builds it from its numbers.
const KEY: &str = "asn1=SEQUENCE:key\n[key]\nalgorithm=SEQUENCE:algorithm\nbits=BITWRAP,SEQUENCE:rsa\n\
                   [algorithm]\nname=OID:rsaEncryption\nparameter=NULL\n[rsa]\n";

#[test]
fn the_token_of_each_scene_verifies_elsewhere_and_with_one_flipped_bit_it_does_not() {
    let mut shell = shell();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/manifests");
    quietly(&mut shell, &format!("cp -r {demo} demo; mkdir live"));
    quietly(&mut shell, SCENES);
    let folder = shell.folder();
    let python = python();
    for scene in ["a.jwt", "b.jwt"] {
        let token = fs::read_to_string(folder.join(scene)).unwrap();
        let token = token.trim();
        assert!(openssl_verifies(folder, token), "{scene}: {token}");
        let flipped = flipped(token);
        for (at, token) in &flipped {
            assert!(!openssl_verifies(folder, token), "{scene}, {at}: {token}");
        }
        if let Some(python) = &python {
            let verdicts = pyjwt(python, folder, token, &flipped);
            let mut wanted = vec!["valid"];
            wanted.resize(flipped.len() + 1, "wrong");
            assert_eq!(verdicts, wanted, "{scene}: {token}");
        }
    }
}

/// The token with a bit flipped, in the middle and at both ends of each of its parts.
fn flipped(token: &str) -> Vec<(String, String)> {
    let parts: Vec<Vec<u8>> = token.split('.').map(decode).collect();
    assert_eq!(parts.len(), 3, "{token}");
    let mut flipped = Vec::new();
    for (part, bytes) in ["header", "payload", "signature"].iter().zip(&parts) {
        for (at, bit) in [(0, 0), (bytes.len() / 2, 1), (bytes.len() - 1, 0)] {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let parts = parts
                .iter()
                .map(|one| encode(if one == bytes { &changed } else { one }));
            let token = parts.collect::<Vec<_>>().join(".");
            flipped.push((format!("byte {at} of the {part}"), token));
        }
    }
    flipped
}

/// What PyJWT says of the token, then of the flipped ones.
fn pyjwt(python: &str, folder: &Path, token: &str, flipped: &[(String, String)]) -> Vec<String> {
    let mut tokens = vec![token];
    tokens.extend(flipped.iter().map(|(_, token)| token.as_str()));
    fs::write(folder.join("tokens.txt"), tokens.join("\n")).unwrap();
    let printed = Command::new(python)
        .args(["-c", PYJWT, "jwks.json", "http://hydra.hydra.svc:4444"])
        .current_dir(folder)
        .stdin(fs::File::open(folder.join("tokens.txt")).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    printed.lines().map(str::to_owned).collect()
}

/// A Python that has PyJWT: `CARNET_PYTHON`, or `python3`. `CARNET_REQUIRE_ALL=1` insists on one.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the surroundings of the test, and its word to whoever runs it"
)]
fn python() -> Option<String> {
    let python = std::env::var("CARNET_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = ["-c", "import cryptography, jwt; jwt.PyJWKSet"];
    let found = Command::new(&python)
        .args(import)
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let sentence = format!(
        "NOT RUN: `{python}` has no PyJWT with cryptography; install it, or name another Python \
         with CARNET_PYTHON"
    );
    let is_required = std::env::var("CARNET_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!is_required, "{sentence}");
    eprintln!("{sentence}");
    None
}

/// Whether OpenSSL takes the signature, with the key of the set that has the token's `kid`.
fn openssl_verifies(folder: &Path, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // A header that is no JSON any more names no key: the first one is as good as any.
    let header: Value =
        serde_json::from_slice(&decode(signed.split('.').next().unwrap())).unwrap_or(Value::Null);
    let set: Value = serde_json::from_slice(&fs::read(folder.join("jwks.json")).unwrap()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]);
    let key = key.unwrap_or(&keys[0]);
    let number = |name: &str| hex(&decode(key[name].as_str().unwrap()));
    let (n, e) = (number("n"), number("e"));
    write(
        folder,
        "key.conf",
        format!("{KEY}n=INTEGER:0x{n}\ne=INTEGER:0x{e}\n").as_bytes(),
    );
    write(folder, "signed", signed.as_bytes());
    write(folder, "signature", &decode(signature));
    assert!(openssl(
        folder,
        "asn1parse -genconf key.conf -noout -out key.der"
    ));
    assert!(openssl(
        folder,
        "pkey -pubin -inform DER -in key.der -out key.pem"
    ));
    openssl(
        folder,
        "dgst -sha256 -verify key.pem -signature signature signed",
    )
}

fn openssl(folder: &Path, words: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(words.split(' ')).current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
