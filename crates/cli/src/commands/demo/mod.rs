//! `demo`: the whole tutorial on this machine, from manifests that are part of the program.
//!
//! It is `up` on these manifests with two clients registered; `--check` plays both scenes itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use carnet_config::install::{EntryPoint, InstallConfig};
use carnet_gateway::ProviderFigures;
use serde::Serialize;
use serde_json::{Value, json};

use self::scene::{Caller, Played};
use super::up::{Engine, Manifest, Ports, Settings};
use crate::args;
use crate::boot::log::{self, Format};
use crate::output::{self, Failure};
use crate::process::Process;

mod scene;

const SCENE_A: &str = "Scene A: the caller's credentials become a token";
const SCENE_B: &str = "Scene B: the gateway's own credentials become a token";
/// Requests of each scene besides the first, to show that they need no more tokens.
const MORE: usize = 50;
const CALLER_HOST: &str = "whoami.docker.localhost";
const GATEWAY_HOST: &str = "whoami-nologin.docker.localhost";

/// What runs.
const SERVERS: [(&str, &str); 2] = [
    (
        "authorization-server.yaml",
        include_str!("../../../../../demo/manifests/authorization-server.yaml"),
    ),
    (
        "whoami.yaml",
        include_str!("../../../../../demo/manifests/whoami.yaml"),
    ),
];

/// The routes to it, one for each scene.
const ROUTES: [(&str, &str); 2] = [
    (
        "caller.yaml",
        include_str!("../../../../../demo/manifests/caller.yaml"),
    ),
    (
        "gateway.yaml",
        include_str!("../../../../../demo/manifests/gateway.yaml"),
    ),
];

/// Plays or shows the tutorial.
pub(super) async fn run(args: args::Demo, process: &Process) -> Result<(), Failure> {
    log::install("warn", Format::Text, Arc::clone(&process.err), None);
    let settings = Settings {
        install: InstallConfig {
            entry_points: BTreeMap::from([("web".to_owned(), EntryPoint::at("127.0.0.1:8000"))]),
            ..InstallConfig::default()
        },
        ports: if args.check {
            Ports::Free
        } else {
            Ports::OwnOrFree
        },
        endpoints: Vec::new(),
        quiet: args.check,
    };
    let mut engine = Engine::start(settings, process).await?;
    let stage = Stage::set(&mut engine, process).await?;
    if args.check {
        let result = stage.check(&args.format, &engine, process).await;
        engine.stop().await;
        return result;
    }
    stage.show(process);
    let result = engine.stay().await;
    output::print(process, &format!("\n{}\n", Numbers::of(&engine).to_text()));
    engine.stop().await;
    result
}

/// Everything that both scenes need.
struct Stage {
    gateway: SocketAddr,
    authorization_server: SocketAddr,
    caller: Caller,
}

impl Stage {
    /// Applies the manifests, and registers both clients: one that a caller knows, and one whose
    /// credentials the gateway finds in a Secret.
    async fn set(engine: &mut Engine, process: &Process) -> Result<Self, Failure> {
        let manifest = |(source, text): &(&str, &str)| Manifest {
            source: (*source).to_owned(),
            text: (*text).to_owned(),
        };
        let mut manifests: Vec<Manifest> = SERVERS.iter().map(manifest).collect();
        engine.apply(&manifests).await;
        let authorization_server = engine.service("hydra", "hydra", 4444).await?;
        let admin = engine.service("hydra", "hydra", 4445).await?;
        let caller = register(admin, "client_secret_post", process).await?;
        let gateway = register(admin, "client_secret_basic", process).await?;
        manifests.push(secret(&gateway));
        manifests.extend(ROUTES.iter().map(manifest));
        engine.apply(&manifests).await;
        engine.service("apps", "whoami", 80).await?;
        Ok(Self {
            gateway: engine.entry_point("web")?,
            authorization_server,
            caller,
        })
    }

    /// Prints how to play the scenes by hand.
    fn show(&self, process: &Process) {
        let Caller { id, secret } = &self.caller;
        let port = self.gateway.port();
        output::print(
            process,
            &format!(
                "\n{SCENE_A}:\n  curl -u {id}:{secret} http://{CALLER_HOST}:{port}/\n\
                 \n{SCENE_B}:\n  curl http://{GATEWAY_HOST}:{port}/\n\
                 \nThe authorization server is at http://{}. Press Ctrl-C to end.\n",
                self.authorization_server
            ),
        );
    }

    /// Plays both scenes and prints what whoami saw.
    async fn check(&self, format: &str, engine: &Engine, process: &Process) -> Result<(), Failure> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .user_agent("carnet-demo")
            .build()
            .map_err(|error| Failure::new(format!("the scenes cannot be played: {error}")))?;
        let ask = |host: &str| {
            client
                .get(format!("http://{}/", self.gateway))
                .header("Host", format!("{host}:{}", self.gateway.port()))
        };
        let keys = scene::keys(&client, self.authorization_server).await?;
        let Caller { id, secret } = &self.caller;
        let as_caller = ask(CALLER_HOST).basic_auth(id, Some(secret));
        let a = scene::play(SCENE_A, as_caller, &keys).await?;
        let first_token = process.started.elapsed().as_millis();
        let b = scene::play(SCENE_B, ask(GATEWAY_HOST), &keys).await?;
        for _ in 0..MORE {
            let again = ask(CALLER_HOST).basic_auth(id, Some(secret));
            scene::fetch(SCENE_A, again).await?;
            scene::fetch(SCENE_B, ask(GATEWAY_HOST)).await?;
        }
        let numbers = Numbers::of(engine);
        output::print(process, &report(&[a, b], first_token, &numbers, format));
        Ok(())
    }
}

/// What the exchange of credentials came to.
#[derive(Debug, Serialize)]
struct Numbers {
    requests: u64,
    calls: u64,
    saved: u64,
}

impl Numbers {
    fn of(engine: &Engine) -> Self {
        let figures = engine.token_figures();
        Self {
            requests: figures.iter().map(|one| one.requests).sum(),
            calls: figures.iter().map(|one| one.calls).sum(),
            saved: figures.iter().map(ProviderFigures::saved).sum(),
        }
    }

    fn to_text(&self) -> String {
        let Self {
            requests,
            calls,
            saved,
        } = self;
        format!(
            "{requests} requests served with tokens, {calls} calls to the authorization server, \
             {saved} calls saved"
        )
    }
}

fn report(played: &[Played], first_token: u128, numbers: &Numbers, format: &str) -> String {
    if format == "json" {
        let report = json!({"scenes": played, "first_token_ms": first_token, "numbers": numbers});
        return format!("{report}\n");
    }
    let scenes: Vec<String> = played.iter().map(Played::to_text).collect();
    format!(
        "{}\nfirst token at the backend after {first_token} ms\n{}\n",
        scenes.join("\n"),
        numbers.to_text()
    )
}

/// Registers a client, with Hydra's command line.
async fn register(admin: SocketAddr, method: &str, process: &Process) -> Result<Caller, Failure> {
    let endpoint = format!("http://{admin}");
    let line = [
        "hydra",
        "create",
        "oauth2-client",
        "--endpoint",
        &endpoint,
        "--grant-type",
        "client_credentials",
        "--audience",
        "https://traefik.io",
        "--token-endpoint-auth-method",
        method,
        "--format",
        "json",
    ];
    let printed = Arc::new(Mutex::new(Vec::new()));
    let surroundings = Process {
        out: Arc::clone(&printed) as _,
        ..process.clone()
    };
    let line = line.map(str::to_owned).to_vec();
    let failed = || Failure::new("the client of the demo could not be registered");
    if super::run(line, &surroundings).await != output::DONE {
        return Err(failed());
    }
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    let client: Value = serde_json::from_slice(&printed).map_err(|_| failed())?;
    let text = |member: &str| {
        client
            .get(member)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Ok(Caller {
        id: text("client_id").ok_or_else(failed)?,
        secret: text("client_secret").ok_or_else(failed)?,
    })
}

/// The Secret in which the gateway finds its credentials.
fn secret(client: &Caller) -> Manifest {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "gateway-client", "namespace": "apps"},
        "stringData": {"client_id": client.id, "client_secret": client.secret},
    });
    Manifest {
        source: "gateway-client.json".to_owned(),
        text: secret.to_string(),
    }
}
