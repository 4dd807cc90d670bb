//! A newer gateway takes the place of the running one.

use std::fs;

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

/// `start NAME ADDRESSES`: a gateway that answers its name, over the same upgrade socket, with a
/// log and a process id of its name.
const START: &str = r#"
start() {
  local name=$1 flags=() address; shift
  for address; do flags+=("--entrypoints.e${address#*:}.address=$address"); done
  carnet gateway --upgrade-socket up.sock --providers.file.filename=$name.yaml --log.level=info \
    --entrypoints.web.address=127.0.0.1:8000 "${flags[@]}" > $name.log 2>&1 &
  eval "$name=$!"
}
# ended PID: waits, and says how it ended.
ended() { wait $1; echo $?; }
# refused PORT: whether nobody listens.
refused() { curl -so /dev/null http://127.0.0.1:$1/; echo $?; }
# served: who answers. Each has a backend of its name.
served() { curl -s http://127.0.0.1:${1:-8000}/ | sed -n 's/^Name: //p'; }
whoami --port 3001 --name old 2> old.whoami & whoami --port 3002 --name new 2> new.whoami &
becomes 200 http://127.0.0.1:3001/health; becomes 200 http://127.0.0.1:3002/health
"#;

fn gateways() -> Terminals {
    let mut shell = shell();
    for (name, port) in [("old", 3001), ("new", 3002)] {
        let routes = format!(
            "http:\n  routers: {{all: {{rule: 'PathPrefix(`/`)', service: s}}}}\n  services: {{s: \
             {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{port}'}}]}}}}}}\n"
        );
        fs::write(shell.folder().join(format!("{name}.yaml")), routes).unwrap();
    }
    fs::write(shell.folder().join("broken.yaml"), "http: [").unwrap();
    quietly(&mut shell, START);
    shell
}

#[test]
fn the_newer_one_serves_with_its_configuration_at_its_addresses_and_the_older_one_ends() {
    let mut shell = gateways();
    quietly(&mut shell, "start old 127.0.0.1:8001 127.0.0.1:8002");
    quietly(&mut shell, "becomes 200 http://127.0.0.1:8000/");
    assert_eq!(said(&mut shell, "served; stat -c %a up.sock"), "old\n600");
    quietly(&mut shell, "start new 127.0.0.1:8002 127.0.0.1:8003");
    assert_eq!(said(&mut shell, "ended $old"), "0");
    quietly(&mut shell, "says old.log 'a newer process takes over'");
    for (port, who) in [(8000, "new"), (8001, ""), (8002, "new"), (8003, "new")] {
        assert_eq!(said(&mut shell, &format!("served {port}")), who, "{port}");
    }
    // And once more, and to the end, which leaves nothing behind.
    quietly(&mut shell, "start old");
    assert_eq!(said(&mut shell, "ended $new"), "0");
    assert_eq!(said(&mut shell, "served; refused 8002"), "old\n7");
    assert_eq!(said(&mut shell, "kill $old; ended $old"), "0");
    assert_eq!(
        said(&mut shell, "refused 8000; ls up.sock* 2> /dev/null"),
        "7"
    );
}

#[test]
fn where_the_newer_one_cannot_serve_the_older_one_goes_on() {
    let mut shell = gateways();
    quietly(&mut shell, "start old; becomes 200 http://127.0.0.1:8000/");
    quietly(&mut shell, "start broken");
    assert_eq!(said(&mut shell, "ended $broken"), "1");
    quietly(&mut shell, "says broken.log 'so the older process goes on'");
    quietly(&mut shell, "says old.log 'it ended before it was ready'");
    // An address that somebody else has.
    quietly(&mut shell, "start new 127.0.0.1:3001");
    assert_eq!(said(&mut shell, "ended $new"), "1");
    quietly(&mut shell, "says new.log 'another program does already'");
    // Somebody who asks and says nothing, and dies.
    quietly(
        &mut shell,
        "start new; kill -9 $new; wait $new 2> /dev/null",
    );
    assert_eq!(said(&mut shell, "served"), "old");
    // After all that, it can still be replaced, also when it dies by itself.
    quietly(
        &mut shell,
        "kill -9 $old; wait $old 2> /dev/null; start new",
    );
    quietly(&mut shell, "becomes 200 http://127.0.0.1:8000/");
    assert_eq!(said(&mut shell, "served"), "new");
}

#[test]
fn a_path_at_which_no_gateway_can_listen_is_a_sentence() {
    let mut shell = gateways();
    quietly(&mut shell, "echo precious > up.sock; start old");
    assert_eq!(said(&mut shell, "ended $old"), "1");
    assert_eq!(said(&mut shell, "cat up.sock"), "precious");
    quietly(&mut shell, "says old.log 'Error: .*up.sock'");
}
