//! Moving from Traefik: the page about it, with the configuration it speaks of.

use std::fs;
use std::path::Path;

use crate::terminals::Terminals;

#[test]
fn every_command_of_the_page_about_moving_does_what_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut terminals = Terminals::open();
    let folder = terminals.folder().to_owned();
    fs::create_dir(folder.join("dynamic")).unwrap();
    for file in ["traefik.yml", "dynamic/shop.yml"] {
        fs::copy(root.join("examples/traefik").join(file), folder.join(file)).unwrap();
    }
    let page = fs::read_to_string(root.join("docs/moving-from-traefik.md")).unwrap();
    terminals.play(&page);
}
