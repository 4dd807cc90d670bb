# The words that a developer needs. What the continuous integration does, `just` does with the same words.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Everything that takes no test run: format, lints, walls, security table, documents, dependencies.
check:
    scripts/test.sh fmt clippy walls security paths deny

# The tests of one room, or of all.
test room="":
    cargo test --locked {{ if room == "" { "--workspace" } else { "--manifest-path crates/" + room + "/Cargo.toml" } }}

# Accept what the golden tests produce, after reading it: `git diff` shows it.
golden:
    GOLDEN=accept INSTA_UPDATE=always cargo test --locked --workspace

# Run the binary: `just run up -f demo/manifests`.
run *arguments:
    cargo run --locked -- {{ arguments }}

# The tutorial on this machine.
demo *arguments:
    cargo run --locked --release -- demo {{ arguments }}

# Write what is generated: the references of the command line and of middlewares.
gen:
    cargo run --locked --quiet -- reference > docs/reference/cli.md
    cargo run --locked --quiet -- reference middlewares > docs/reference/middlewares.md
    cargo run --locked --quiet -- reference schema > docs/reference/routing.schema.json

# What was recorded from Hydra against our server; others' client libraries; the same requests to
# Traefik and to us.
compat:
    scripts/test.sh hydra clients traefik

# The documentation of the code.
doc:
    cargo doc --locked --workspace --no-deps --document-private-items --open

# carnet beside its peers, long form.
bench *arguments:
    python3 bench/run.py {{ arguments }}

# Hostile bytes for the parsers, some seconds for each.
fuzz:
    scripts/test.sh fuzz

# Everything, as the continuous integration runs it.
all:
    scripts/test.sh
