#!/usr/bin/env bash
# Passes every test. Installs what is missing from the distribution's and the language registries'
# packages and says what it installed. `scripts/test.sh STEP...` takes some steps only; `--list`
# names them. Everything it makes is below target/. A step that cannot be taken fails.
set -euo pipefail
cd "$(dirname "$0")/.."
SELF=$PWD/scripts/test.sh

STEPS=(fmt clippy walls security paths deny audit test kills faults doc demo hydra schemathesis clients people mcp providers failures traefik gateway acme kube chart bench fuzz)

# What of carnet the steps play with: what `step_test` has built, or, as `PROFILE=release`, what users
# get. That is one more build of everything, a quarter of an hour on two cores.
PROFILE=${PROFILE:-dev}

# Versions of the tools that are crates, and of those that are Go modules.
CARGO_TOOLS=(cargo-deny@0.20.2 cargo-audit@0.22.2 cargo-fuzz@0.13.2)
PEBBLE=v2.10.3
H2SPEC=v2.2.1+incompatible
BUILT=target/${PROFILE/#dev/debug}
TOOLS=$PWD/target/tools
VENV=$PWD/target/venv
# Seconds for each fuzz target: two minutes for all of them.
FUZZ_SECONDS=${FUZZ_SECONDS:-8}

export PATH=$TOOLS/bin:$PATH CARGO_TARGET_DIR=$PWD/target CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export RUST_BACKTRACE=${RUST_BACKTRACE:-0}

say() { printf '%s\n' "$*"; }

# What is left out is said where it happens, and once more at the end.
not_run() { say "NOT RUN: $*" | tee -a "$CARGO_TARGET_DIR/not-run"; }

# Programs that are missing, by the distribution's package that has them: program=package.
need() {
    local pair missing=()
    for pair in "$@"; do
        PATH=$PATH:/usr/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair##*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        say "error: install ${missing[*]} and start again (as root on Debian, this script does it)"
        return 1
    fi
    say "installing from the distribution: ${missing[*]}"
    apt-get update -qq
    # Packages such as nginx would start services.
    [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; local ours=1; }
    local code=0
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null || code=$?
    [ -z "${ours:-}" ] || rm -f /usr/sbin/policy-rc.d
    return "$code"
}

# A tool of CARGO_TOOLS, once: from the Python registry, where Astral publishes builds of their tags,
# and where there is none for this platform built here.
tool() {
    local pinned version
    for pinned in "${CARGO_TOOLS[@]}"; do
        [ "${pinned%@*}" = "$1" ] || continue
        version=${pinned#*@}
        grep -qs "^$version$" "$TOOLS/$1" && return 0
        mkdir -p "$TOOLS/bin"
        if python_package "astral-dev-toolchain-$1==$version" --only-binary=:all:; then
            ln -sf "$VENV/bin/$1" "$TOOLS/bin/$1"
        else
            say "installing from the Rust registry: $pinned"
            # Unoptimised: built in half the time, and quick enough.
            CARGO_TARGET_DIR=$TOOLS/build cargo install --locked --quiet --debug --root "$TOOLS" "$pinned"
        fi
        echo "$version" >"$TOOLS/$1"
    done
}

# The ACME server for tests, built once.
need_pebble() {
    local pebble=github.com/letsencrypt/pebble/v2
    grep -qs "^$PEBBLE$" "$TOOLS/pebble" && return 0
    say "installing as a Go module: $pebble@$PEBBLE"
    GOBIN=$TOOLS/bin go install "$pebble/cmd/pebble@$PEBBLE" "$pebble/cmd/pebble-challtestsrv@$PEBBLE"
    echo "$PEBBLE" >"$TOOLS/pebble"
}

# The conformance suite for HTTP/2, built once.
need_h2spec() {
    grep -qs "^$H2SPEC$" "$TOOLS/h2spec" && return 0
    say "installing as a Go module: github.com/summerwind/h2spec@$H2SPEC"
    GOBIN=$TOOLS/bin go install "github.com/summerwind/h2spec/cmd/h2spec@$H2SPEC"
    echo "$H2SPEC" >"$TOOLS/h2spec"
}

# Python, able to make environments.
need_python() {
    need python3=python3
    python3 -c 'import ensurepip' 2>/dev/null || need ensurepip=python3-venv
}

# PostgreSQL's programs, which the distribution keeps out of PATH; tests start servers of their own.
need_postgres() {
    need pgrep=procps runuser=util-linux
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need initdb=postgresql
}

# A Python package in the project's own environment; more arguments go to pip.
python_package() {
    need_python
    [ -x "$VENV/bin/pip" ] || python3 -m venv "$VENV"
    local version=${1#*==}
    [ "$version" != "$1" ] || version='.*'
    "$VENV/bin/pip" show "${1%%[[=]*}" 2>/dev/null | grep -x "Version: $version" >/dev/null && return 0
    say "installing from the Python registry: $1"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check "$@"
}

# The programs in $BUILT: with all that tests are built of, or what is not there yet would have
# dependencies of its own.
programs() {
    if [ "$PROFILE" = dev ]; then
        cargo build --locked --quiet --workspace --all-targets
    else
        cargo build --locked --quiet --profile "$PROFILE" -p carnet -p carnet-yardstick
    fi
}

step_fmt() {
    cargo fmt --all -- --check --files-with-diff
    cargo fmt --manifest-path fuzz/Cargo.toml -- --check --files-with-diff
    cargo fmt --manifest-path compat/clients/rust/Cargo.toml -- --check --files-with-diff
}

step_clippy() {
    cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
    # The binary alone: with the features that it asks for, and none that tests bring.
    cargo check --locked --quiet -p carnet
}

step_walls() { cargo run --locked --quiet -p xtask -- walls; }

step_security() { cargo run --locked --quiet -p xtask -- security; }

step_paths() { cargo run --locked --quiet -p xtask -- paths; }

step_deny() {
    tool cargo-deny
    # A clone has fetched nothing yet; other platforms' packages are looked at too.
    cargo fetch --locked --quiet
    cargo deny --locked --offline check --hide-inclusion-graph bans licenses sources
}

# The database of weaknesses: ADVISORY_DB, else a copy that lies beside the project, else its own
# repository, which `cargo audit` fetches.
step_audit() {
    tool cargo-audit
    local database=${ADVISORY_DB:-../shared/advisory-db}
    if [ -d "$database/crates" ]; then
        cargo audit --db "$database" --no-fetch --deny warnings
    elif timeout 60 cargo audit --deny warnings; then
        return 0
    elif [ -d "${CARGO_HOME:-$HOME/.cargo}/advisory-db/crates" ]; then
        # Fetched once before: what it knows counts, also when it cannot be fetched now.
        cargo audit --no-fetch --stale --deny warnings
    else
        not_run "audit: the RustSec database cannot be fetched; name a copy with ADVISORY_DB"
    fi
}

step_test() {
    # What the tests of the binary call, in a network of their own.
    need jq=jq curl=curl envsubst=gettext-base openssl=openssl git=git unshare=util-linux prlimit=util-linux ip=iproute2
    need_postgres
    python_package 'PyJWT[crypto]'
    # A part that is not there is a failure, not a line that nobody reads.
    CARNET_PYTHON=$VENV/bin/python CARNET_REQUIRE_ALL=1 cargo test --locked --workspace
}

# The process that writes to the database is killed two hundred times. The whole workspace is named
# for the sake of the build: it is the one that the step before has made.
step_kills() {
    cargo test --locked --quiet --workspace -- --ignored two_hundred_kills --nocapture | grep -v '^running 0\|^$\| 0 passed'
}

# What breaks around the authorization server: short form, behaviour only.
step_faults() {
    need_python
    need unshare=util-linux mount=mount ip=iproute2 nft=nftables strace=strace faketime=faketime openssl=openssl
    need redis-server=redis-server redis-cli=redis-tools redis-sentinel=redis-sentinel
    need_postgres
    python3 -m unittest discover faults
    programs
    python3 faults/run.py --short --carnet "$BUILT/carnet"
}

# Recipes point at what is private, which is what they are for.
step_doc() {
    RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" \
        cargo doc --locked --quiet --workspace --no-deps --document-private-items
}

step_demo() {
    programs
    "$BUILT/carnet" demo --check
}

# What was recorded from a real Hydra, replayed against our server.
step_hydra() {
    programs
    mkdir -p target/links
    ln -sf "$PWD/$BUILT/carnet" target/links/hydra
    cargo run --locked --quiet -p carnet-compat -- run \
        --serve "$BUILT/carnet serve all --dev" --hydra target/links/hydra
    # Whole databases that it wrote, where somebody has some: a folder of SQLite files.
    [ -z "${HYDRA_DATABASES:-}" ] ||
        cargo test --locked --quiet --workspace --test it -- --ignored whole_databases
}

# Libraries that others wrote get tokens, and others verify them.
step_clients() {
    need_python
    need go=golang-go node=nodejs npm=npm javac=openjdk-17-jdk-headless mvn=maven curl=curl openssl=openssl redis-server=redis-server
    python3 -m unittest discover compat/clients
    programs
    python3 compat/clients/run.py --carnet "$BUILT/carnet"
}

# People log in and out with the distribution's Chromium and with curl: our manifests, and those that
# MANIFESTS names, or that lie beside the project, with routes of `oidc` where there are any.
step_people() {
    need_python
    need chromium=chromium curl=curl unshare=util-linux ip=iproute2 node=nodejs npm=npm
    need redis-server=redis-server redis-cli=redis-tools
    compgen -G '/usr/share/fonts/truetype/*/*.ttf' >/dev/null || need a-font=fonts-dejavu-core
    programs
    python3 compat/people/run.py --carnet "$BUILT/carnet"
    local given=${MANIFESTS:-../shared/seed/manifests/hydra.yaml} folder routes=()
    [ -e "$given" ] || return 0
    for folder in "$(dirname "$given")"{,-2024-11}; do
        ! compgen -G "$folder/whoami-app-oidc*.yaml" >/dev/null || routes+=(--oidc "$folder")
    done
    python3 compat/people/run.py --carnet "$BUILT/carnet" --manifests "$given" "${routes[@]}"
}

# Clients of the Model Context Protocol, by two SDKs, find the authorization server of a route by themselves.
step_mcp() {
    need_python
    need node=nodejs npm=npm
    python3 -m unittest discover compat/mcp
    programs
    python3 compat/mcp/run.py --carnet "$BUILT/carnet"
}

# Authorization servers that others wrote give tokens to the gateway. Keycloak is a download of 170 MB
# and takes a minute and a half to start: WITH_KEYCLOAK brings it in.
step_providers() {
    need_python
    need node=nodejs npm=npm openssl=openssl
    python3 -m unittest discover compat/providers
    programs
    if [ -n "${WITH_KEYCLOAK:-}" ]; then
        need java=openjdk-17-jre-headless mvn=maven
        python3 compat/providers/run.py --carnet "$BUILT/carnet" --keycloak
    else
        not_run "providers: Keycloak, as WITH_KEYCLOAK is not set"
        python3 compat/providers/run.py --carnet "$BUILT/carnet"
    fi
}

# Failed authentications: the same bytes, and none before its time. That their times cannot be told
# apart is for the long form, `compat/failures/run.py --judge`.
step_failures() {
    need_python
    python3 -m unittest discover compat/failures
    programs
    python3 compat/failures/run.py --carnet "$BUILT/carnet"
}

# What fits the OpenAPI descriptions of the authorization server, and what does not.
step_schemathesis() {
    python_package schemathesis==4.32.5
    programs
    python3 compat/openapi.py --carnet "$BUILT/carnet" --schemathesis "$VENV/bin/schemathesis"
}

# The same configuration and requests to a real Traefik and to our gateway.
step_traefik() {
    need_python
    need redis-server=redis-server
    python3 -m unittest discover compat/traefik
    programs
    python3 compat/traefik/run.py --carnet "$BUILT/carnet"
    python3 compat/traefik/shared_limit.py --carnet "$BUILT/carnet"
}

# Clients that others wrote, through the gateway: curl, openssl, h2load, h2spec, a browser, and
# libraries of Python; and nginx behind it.
step_gateway() {
    need curl=curl openssl=openssl h2load=nghttp2-client go=golang-go nginx=nginx chromium=chromium
    need_h2spec
    python_package websockets==17.4
    python_package grpcio==1.85.3
    programs
    "$VENV/bin/python" compat/gateway/run.py --carnet "$BUILT/carnet"
}

# A real API server of Kubernetes before the gateway: the tutorial with kubectl, what is deleted,
# outages. The server is built with Go, some minutes in a fresh clone: WITHOUT_KUBE leaves it out,
# and then the provider's tests before a double in `step_test` are all there is.
step_kube() {
    if [ -n "${WITHOUT_KUBE:-}" ]; then
        not_run "kube: WITHOUT_KUBE says so"
        return 0
    fi
    need_python
    need go=golang-go curl=curl unshare=util-linux mount=mount ip=iproute2 cc=gcc openssl=openssl redis-server=redis-server
    need_postgres
    python3 -m unittest discover kube
    programs
    python3 kube/run.py --carnet "$BUILT/carnet" --without chart
}

# The chart, with Helm in the same cluster. Helm is built with Go, some minutes in a fresh clone:
# WITHOUT_HELM leaves it out.
step_chart() {
    if [ -n "${WITHOUT_KUBE:-}${WITHOUT_HELM:-}" ]; then
        not_run "chart: WITHOUT_KUBE or WITHOUT_HELM says so"
        return 0
    fi
    need_python
    need go=golang-go unshare=util-linux mount=mount ip=iproute2
    programs
    python3 kube/run.py --carnet "$BUILT/carnet" chart
}

# A real ACME server gives certificates, and a real Traefik reads the file that they are kept in.
step_acme() {
    need_python
    need go=golang-go openssl=openssl
    need_pebble
    programs
    python3 compat/acme/run.py --carnet "$BUILT/carnet" \
        --pebble "$TOOLS/bin/pebble" --challtestsrv "$TOOLS/bin/pebble-challtestsrv"
}

step_bench() {
    need_python
    need nginx=nginx haproxy=haproxy wrk=wrk h2load=nghttp2-client openssl=openssl taskset=util-linux
    python3 -m unittest discover bench
    programs
    python3 bench/run.py --short --carnet "$BUILT/carnet" --yardstick "$BUILT/yardstick"
}

# One fuzz target. What it finds goes below target/; the committed corpus is read only.
fuzz_target() {
    local name=$1 log=target/fuzz/$1.log
    mkdir -p "target/fuzz/corpus/$name"
    cargo fuzz run --dev --sanitizer none --target-dir target/fuzz "$name" \
        "target/fuzz/corpus/$name" "fuzz/corpus/$name" -- \
        -max_total_time="$FUZZ_SECONDS" -rss_limit_mb=1024 -timeout=10 >"$log" 2>&1 ||
        { tail -n 60 "$log"; return 1; }
    say "$name: $(tail -n 1 "$log"), nothing found"
}

step_fuzz() {
    tool cargo-fuzz
    need c++=g++
    cargo fetch --locked --quiet --manifest-path fuzz/Cargo.toml
    cargo fuzz build --dev --sanitizer none --target-dir target/fuzz
    # Two beside each other, each on a core.
    local folder
    for folder in fuzz/corpus/*/; do basename "$folder"; done |
        xargs -P 2 -I{} bash "$SELF" --fuzz {}
}

main() {
    if [ "${1:-}" = --list ]; then
        printf '%s\n' "${STEPS[@]}"
        return 0
    fi
    local steps=("$@") step began failed=()
    [ $# -gt 0 ] || steps=("${STEPS[@]}")
    for step in "${steps[@]}"; do
        declare -F "step_$step" >/dev/null || { say "error: no step $step; there are ${STEPS[*]}"; return 2; }
    done
    mkdir -p "$CARGO_TARGET_DIR/steps"
    : >"$CARGO_TARGET_DIR/not-run"
    need cc=gcc c++=g++ cmake=cmake
    for step in "${steps[@]}"; do
        say "=== $step"
        began=$SECONDS
        # A process of its own: `set -e` holds in it, also here.
        if bash "$SELF" --step "$step" > >(tee "$CARGO_TARGET_DIR/steps/$step.log") 2>&1; then
            say "--- $step: $((SECONDS - began)) s"
        else
            say "--- $step: FAILED after $((SECONDS - began)) s"
            failed+=("$step")
        fi
    done
    say "=== ${#steps[@]} steps, $SECONDS s"
    cat "$CARGO_TARGET_DIR/not-run"
    [ ${#failed[@]} -gt 0 ] || return 0
    # Where only the end of all this is kept, it still tells what failed.
    for step in "${failed[@]}"; do
        say "--- $step said:"
        grep -E ' FAILED$|panicked at|^(error|failed|left|right)|^ +(left|right): |Error: ' \
            "$CARGO_TARGET_DIR/steps/$step.log" | tail -n 20 || true
        tail -n 5 "$CARGO_TARGET_DIR/steps/$step.log"
    done
    say "FAILED: ${failed[*]}"
    return 1
}

if [ "${1:-}" = --step ]; then
    "step_$2"
elif [ "${1:-}" = --fuzz ]; then
    fuzz_target "$2"
else
    main "$@"
fi
