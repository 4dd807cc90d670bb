//! `docs/tutorial.md`, typed as it stands: every command does what the page says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::console::steps;
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
    for step in steps(page) {
        if step.terminal.is_empty() {
            terminals.expect(&step);
        } else {
            terminals.follow(&step);
        }
    }
}
