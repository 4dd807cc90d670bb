//! `docs/tutorial.md`, `docs/postgresql.md` and `docs/mcp.md`, typed as they stand: every command does what the page
//! says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use carnet_testkit::postgres::Cluster;

use crate::terminals::Terminals;

#[test]
fn every_command_of_the_tutorial_does_what_the_page_says() {
    run(&page());
}

#[test]
fn the_tutorial_runs_on_port_80_with_no_port_in_any_address() {
    let page = page()
        .replace("X-Forwarded-Port: 8000", "X-Forwarded-Port: 80")
        .replace(":8000", "")
        .replace(
            "--accesslog.filepath",
            "--entrypoints.web.address=127.0.0.1:80 --accesslog.filepath",
        );
    run(&page);
}

#[test]
fn two_servers_share_postgresql_as_its_page_says() {
    const DSN: &str = "postgres://carnet:secret@db.example:5432/carnet?sslmode=verify-full&sslrootcert=/etc/carnet/db.pem";
    let page = fs::read_to_string(root().join("docs/postgresql.md")).unwrap();
    assert!(page.contains(DSN));
    // The shell has a network of its own, into which only a socket leads.
    let dsn = Cluster::shared().unwrap().database_at_socket().unwrap();
    run(&page.replace(DSN, &dsn));
}

#[test]
fn a_client_finds_the_way_to_an_mcp_server_as_its_page_says() {
    run(&fs::read_to_string(root().join("docs/mcp.md")).unwrap());
}

fn page() -> String {
    fs::read_to_string(root().join("docs/tutorial.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn run(page: &str) {
    let mut terminals = Terminals::open();
    let demo = root().join("demo").canonicalize().unwrap();
    symlink(demo, terminals.folder().join("demo")).unwrap();
    terminals.play(page);
}
