//! The first page that anybody sees, with the file it shows.

use std::fs;
use std::path::Path;

use crate::terminals::Terminals;

const ROUTE: &str = "examples/quickstart/route.yml";

#[test]
fn every_command_of_the_first_page_does_what_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("README.md")).unwrap();
    let route = fs::read_to_string(root.join(ROUTE)).unwrap();
    assert!(
        page.contains(&format!("```yaml\n{route}```\n")),
        "the page shows {ROUTE}"
    );
    let mut terminals = Terminals::open();
    let file = terminals.folder().join(ROUTE);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, route).unwrap();
    terminals.play(&page);
}
