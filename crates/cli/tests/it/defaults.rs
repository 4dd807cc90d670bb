//! What nobody configured is secure.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::process::line;
use crate::words::{quietly, said, shell};

// Holds OP-15, AD-02.
#[tokio::test]
async fn the_demo_listens_on_this_machine_alone() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_carnet"))
        .env_clear()
        .arg("demo")
        .kill_on_drop(true)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("The authorization server is at") {
            break;
        }
    }
    let listening = listening(&demo);
    assert!(listening.len() >= 4, "{listening:?}");
    for (address, port) in listening {
        assert!(address.is_loopback(), "{address}:{port}");
    }
}

// Holds OP-15.
#[tokio::test]
async fn an_authorization_server_that_nobody_configured_does_not_start() {
    let ended = line("carnet serve all").env("DSN", "memory").run().await;
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("is not https"), "{}", ended.err);
}

// Holds AD-02.
#[test]
fn an_admin_port_that_others_may_reach_is_told_once() {
    let mut shell = shell();
    quietly(&mut shell, "export DSN=memory");
    for (host, lines) in [("", "1"), ("127.0.0.1", "0")] {
        let serve = format!("SERVE_ADMIN_HOST={host} hydra serve all --dev 2> log & server=$!");
        quietly(&mut shell, &serve);
        quietly(
            &mut shell,
            "becomes 200 127.0.0.1:4445/health/ready; kill $server; wait $server",
        );
        let told = said(
            &mut shell,
            "grep -c 'the admin port has no authentication' log",
        );
        assert_eq!(told, lines, "{host}");
    }
}

// Holds SE-09.
#[test]
fn a_crash_writes_no_memory_to_disk() {
    let mut shell = shell();
    quietly(&mut shell, "ulimit -c unlimited 2> /dev/null || true");
    quietly(&mut shell, "export DSN=memory");
    for serve in [
        "hydra serve all --dev 2> log & server=$!; becomes 200 127.0.0.1:4445/health/ready",
        "carnet gateway --ping=true > log & server=$!; becomes 200 127.0.0.1:8080/ping",
    ] {
        quietly(&mut shell, serve);
        // Asked of the kernel: what lies in /proc counts processes as those outside do.
        let limit = "prlimit --pid $server --core --noheadings --raw --output SOFT";
        assert_eq!(said(&mut shell, limit), "0", "{serve}");
        let end = "kill -ABRT $server; wait $server 2> ended.txt; echo $?";
        assert_eq!(said(&mut shell, end), "134");
        let left = "find . -name 'core*' | wc -l; grep -c dumped ended.txt";
        assert_eq!(said(&mut shell, left), "0\n0");
    }
}

/// The addresses at which a process listens.
fn listening(process: &Child) -> BTreeSet<(IpAddr, u16)> {
    let process = format!("/proc/{}", process.id().unwrap());
    let descriptors = fs::read_dir(format!("{process}/fd")).unwrap();
    let sockets: BTreeSet<String> = descriptors
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| {
            let link = link.to_str()?;
            Some(
                link.strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("{process}/net/{table}")).unwrap_or_default();
        for row in text.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            // The fourth column is the state, 0A is listening; the tenth is the socket.
            if columns[3] == "0A" && sockets.contains(columns[9]) {
                found.insert(address(columns[1]));
            }
        }
    }
    found
}

/// `0100007F:1F90`: words of four bytes in the machine's order, then the port.
fn address(column: &str) -> (IpAddr, u16) {
    let (words, port) = column.split_once(':').unwrap();
    let bytes: Vec<u8> = (0..words.len() / 8)
        .map(|word| u32::from_str_radix(&words[word * 8..][..8], 16).unwrap())
        .flat_map(u32::to_ne_bytes)
        .collect();
    let address = match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&bytes[..]).unwrap()),
    };
    (address, u16::from_str_radix(port, 16).unwrap())
}
