//! The tutorial that carnet was made for, as its users have it, when it lies beside the checkout:
//! every command as written, and what it prints line for line, save the values that vary.

use std::fs;
use std::path::{Path, PathBuf};

use crate::console::Step;
use crate::terminals::Terminals;

/// `kubectl` on `up`: a file is applied by putting it under `up`'s eyes, a command is run in a pod
/// by running it here. An `apply` prints the lines that `up` prints for the objects of the file.
const KUBECTL: &str = r#"
live="$PWD/live"; mkdir -p "$live" bin; carnet link bin > links.txt; export PATH="$PWD/bin:$PATH"
mkfifo lines
for folder in api-gateway/2-secure-applications src; do mkdir -p $folder; ln -s "$manifests" $folder/manifests; done
apply() {
  case "$1" in *-oauth2*|-) file="$live/whoami-app-ingressroute.yaml" ;; *) file="$live/$(basename "$1")" ;; esac
  if [ "$1" = - ]; then cat > new.yaml; else cp "$1" new.yaml; fi
  mv new.yaml "$file"
  for _ in $(seq "$(grep -c '^kind:' "$file")"); do read -r line <&9; echo "$line"; done
}
# A terminal shows no progress of a download that it prints itself.
curl() { command curl -sS "$@"; }
kubectl() {
  case "$1" in
    apply) apply "$3" ;;
    wait) curl -sS --retry 30 --retry-connrefused --retry-delay 1 --fail -o ready.json http://127.0.0.1:4445/health/ready 2> waiting.log ;;
    exec) while [ "$1" != -- ]; do shift; done; shift; "$@" ;;
  esac
}
"#;

#[test]
fn the_tutorial_as_given_runs_on_port_8000() {
    run("127.0.0.1:8000", ":8000", "8000");
}

#[test]
fn the_tutorial_as_given_runs_on_port_80() {
    run("127.0.0.1:80", "", "80");
}

/// Where the tutorial and its manifests lie, if they do.
pub(crate) fn seed() -> Option<PathBuf> {
    let seed = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/seed"));
    let found = seed.canonicalize().ok();
    if found.is_none() {
        eprintln!("NOT RUN: the tutorial as given does not lie beside this checkout");
    }
    found
}

fn run(address: &str, suffix: &str, port: &str) {
    let Some(seed) = seed() else { return };
    let page = fs::read_to_string(seed.join("tutorial.md")).unwrap();
    let mut terminals = Terminals::open();
    let start = format!(
        "manifests={}\n{KUBECTL}\ncarnet up -f live --entrypoints.web.address={address} \
         --accesslog.filepath=access.log > lines 2> up.log & exec 9< lines",
        seed.join("manifests").display()
    );
    let printed = terminals.enter(&start);
    assert!(printed.is_empty(), "{}", printed.join("\n"));
    let host = "whoami.docker.localhost";
    let mut client_line = String::new();
    for mut step in blocks(&page) {
        step.command = step
            .command
            .replace(
                &format!("http://{host}/"),
                &format!("http://{host}{suffix}/"),
            )
            .replace(&format!(" {host}"), &format!(" {host}{suffix}"));
        step.shown = step
            .shown
            .iter()
            .flat_map(|line| varying(line, &format!("{host}{suffix}"), port))
            .collect();
        if step.shown.is_empty() {
            terminals.enter(&step.command);
        } else {
            terminals.expect(&step);
        }
        if step.command.contains("client_secret_post") {
            client_line = terminals.enter("echo $client_id").join("");
        }
    }
    let log = fs::read_to_string(terminals.folder().join("access.log")).unwrap();
    assert!(
        !client_line.is_empty() && log.contains(&client_line),
        "the access log names the client:\n{log}"
    );
}

/// The `shell` blocks: one that begins like a command is typed, one that does not is what the one
/// before it prints.
fn blocks(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in page.split("```shell\n").skip(1) {
        let block = block.split("\n```").next().unwrap();
        let is_typed = ["kubectl ", "curl ", "client="]
            .iter()
            .any(|word| block.starts_with(word));
        if is_typed {
            steps.push(Step {
                command: block.to_owned(),
                ..Step::default()
            });
        } else {
            steps.last_mut().unwrap().shown = block.lines().map(str::to_owned).collect();
        }
    }
    steps
}

/// A line of the tutorial with `...` for what varies: machines, addresses, ids, tokens.
fn varying(line: &str, host: &str, port: &str) -> Vec<String> {
    let name = line.split(": ").next().unwrap_or_default();
    let line = match name {
        "IP" if line == "IP: 127.0.0.1" => "IP: 127.0.0.1".to_owned(),
        // As many addresses as the machine has.
        "IP" => "...".to_owned(),
        "Host" | "X-Forwarded-Host" => format!("{name}: {host}"),
        "X-Forwarded-Port" => format!("{name}: {port}"),
        "Hostname" | "RemoteAddr" | "User-Agent" | "Sub" | "X-Forwarded-For"
        | "X-Forwarded-Server" | "X-Real-Ip" => format!("{name}: ..."),
        "Authorization" => "Authorization: Bearer ey...".to_owned(),
        _ if line.contains("\"client_id\"") => "  \"client_id\": \"...\",".to_owned(),
        // The page leaves out kubectl's verb here.
        _ if line == "ingressroute.traefik.io/whoami" => format!("{line} created"),
        _ => line.to_owned(),
    };
    vec![line]
}
