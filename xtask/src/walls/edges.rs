//! Who may use whom (the table of docs/ARCHITECTURE.md), and which crates stay in their room.

use cargo_metadata::{DependencyKind, Metadata};

/// The rooms, each with those that it may use.
const ROOMS: [(&str, &[&str]); 13] = [
    ("jose", &[]),
    ("oauth", &["jose"]),
    ("config", &[]),
    ("providers", &["config"]),
    ("gateway", &["config", "oauth", "jose"]),
    ("authserver", &["oauth", "jose"]),
    ("whoami", &[]),
    ("consent", &[]),
    (
        "cli",
        &[
            "authserver",
            "config",
            "consent",
            "gateway",
            "jose",
            "oauth",
            "providers",
            "whoami",
        ],
    ),
    ("testkit", &["jose", "oauth", "whoami"]),
    ("compat", &["jose"]),
    ("xtask", &[]),
    ("yardstick", &[]),
];

/// What tests of every room may use beside.
const FOR_TESTS: [&str; 2] = ["testkit", "whoami"];

/// Crates that would bring a whole world along, each with the rooms that may name it.
const HEAVY: [(&str, &[&str]); 16] = [
    ("anyhow", &["cli", "compat", "xtask", "yardstick"]),
    ("axum", &["authserver", "consent"]),
    ("clap", &["cli", "compat", "xtask", "yardstick"]),
    ("gotmpl", &["providers"]),
    ("k8s-openapi", &["providers", "cli"]),
    ("kube", &["providers"]),
    ("notify", &["providers", "cli"]),
    ("opentelemetry", &["cli"]),
    ("opentelemetry-otlp", &["cli"]),
    ("opentelemetry_sdk", &["cli"]),
    ("reqwest", &["authserver", "cli"]),
    ("serde-saphyr", &["config", "cli", "compat"]),
    ("sqlx", &["authserver"]),
    ("toml", &["config", "cli"]),
    ("tracing-opentelemetry", &["cli"]),
    ("tracing-subscriber", &["cli"]),
];

/// One dependency as a room's `Cargo.toml` names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edge {
    from: String,
    to: String,
    for_tests: bool,
}

/// The dependencies of every room.
pub(super) fn of(metadata: &Metadata) -> Vec<Edge> {
    let members = metadata.workspace_packages().into_iter();
    let edges = members.flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: room(&package.name),
            to: room(&dependency.name),
            for_tests: dependency.kind == DependencyKind::Development,
        })
    });
    edges.collect()
}

/// Rooms that nobody has planned.
pub(super) fn unplanned(metadata: &Metadata) -> Vec<String> {
    let members = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| room(&package.name));
    let unknown = members.filter(|member| !ROOMS.iter().any(|(room, _)| room == member));
    unknown
        .map(|room| format!("{room} is a room that the plan does not know: write the ADR"))
        .collect()
}

/// The walls that are broken.
pub(super) fn faults(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(fault).collect()
}

/// Why an edge may not be; `None`: it may.
fn fault(edge: &Edge) -> Option<String> {
    let Edge {
        from,
        to,
        for_tests,
    } = edge;
    if let Some((_, owners)) = HEAVY.iter().find(|(name, _)| name == to) {
        let allowed = owners.contains(&from.as_str()) || *for_tests;
        return (!allowed)
            .then(|| format!("{from} names {to}, which belongs to {}", owners.join(", ")));
    }
    ROOMS.iter().find(|(room, _)| room == to)?;
    let (_, allowed) = ROOMS.iter().find(|(room, _)| room == from)?;
    let allowed =
        allowed.contains(&to.as_str()) || (*for_tests && FOR_TESTS.contains(&to.as_str()));
    (!allowed).then(|| format!("{from} uses {to}, and a wall is between them"))
}

/// The room of a package: its folder.
fn room(package: &str) -> String {
    match package {
        "carnet" => "cli".to_owned(),
        name => name.strip_prefix("carnet-").unwrap_or(name).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, for_tests: bool) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            for_tests,
        }
    }

    #[test]
    fn a_broken_wall_is_found() {
        for (from, to, for_tests, broken) in [
            ("gateway", "config", false, false),
            ("gateway", "authserver", false, true),
            ("authserver", "gateway", true, true),
            ("authserver", "config", false, true),
            ("gateway", "whoami", true, false),
            ("gateway", "whoami", false, true),
            ("cli", "testkit", false, true),
            ("cli", "testkit", true, false),
            ("gateway", "sqlx", false, true),
            ("authserver", "sqlx", false, false),
            ("gateway", "k8s-openapi", false, true),
            ("gateway", "axum", false, true),
            ("consent", "axum", false, false),
            ("gateway", "bytes", false, false),
        ] {
            assert_eq!(
                faults(&[edge(from, to, for_tests)]).len(),
                usize::from(broken),
                "{from}>{to}"
            );
        }
    }

    #[test]
    fn the_binary_is_the_room_cli() {
        assert_eq!(room("carnet"), "cli");
        assert_eq!(room("carnet-jose"), "jose");
        assert_eq!(room("xtask"), "xtask");
    }
}
