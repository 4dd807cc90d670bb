//! The name a program was called by says which command line it has: links named `hydra`, `whoami`,
//! `traefik` and `hail-hydra` stand in for those programs.

use std::path::Path;

/// A command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// All commands.
    Carnet,
    /// Those of Ory Hydra alone.
    Hydra,
}

/// Turns the line of a program we stand in for into one of `carnet` or `hydra`. The first argument
/// is the name the program was called by.
pub(crate) fn normalize(arguments: Vec<String>) -> (Called, Vec<String>) {
    let mut arguments = arguments.into_iter();
    let path = arguments.next().unwrap_or_default();
    let program = Path::new(&path).file_name().and_then(|name| name.to_str());
    let mut rest: Vec<String> = arguments.collect();
    let (called, command) = match program {
        Some("hydra") => (Called::Hydra, None),
        Some("whoami") => (Called::Carnet, Some("whoami")),
        Some("hail-hydra") => (Called::Carnet, Some("consent")),
        Some("traefik") => (Called::Carnet, traefik_command(&rest)),
        _ => (Called::Carnet, None),
    };
    rest.splice(0..0, command.map(str::to_owned));
    if matches!(rest.first().map(String::as_str), Some("whoami" | "consent")) {
        rest = rest.into_iter().map(go_flag).collect();
    }
    let name = match called {
        Called::Carnet => "carnet",
        Called::Hydra => "hydra",
    };
    rest.insert(0, name.to_owned());
    (called, rest)
}

/// `traefik` alone is the gateway; it has two commands that `carnet` has too.
fn traefik_command(rest: &[String]) -> Option<&'static str> {
    match rest.first().map(String::as_str) {
        Some("healthcheck" | "version") => None,
        _ => Some("gateway"),
    }
}

/// Go's flags have one dash or two, whatever the length of their name.
fn go_flag(argument: String) -> String {
    let name = argument.split('=').next().unwrap_or_default();
    let is_long = name.len() > 2 && name.starts_with('-') && !name.starts_with("--");
    if is_long {
        format!("-{argument}")
    } else {
        argument
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> (Called, String) {
        let (called, arguments) = normalize(line.split(' ').map(str::to_owned).collect());
        (called, arguments.join(" "))
    }

    #[test]
    fn a_link_is_the_program_whose_name_it_has() {
        for (typed, called, meant) in [
            (
                "/usr/bin/hydra list clients",
                Called::Hydra,
                "hydra list clients",
            ),
            (
                "whoami -port 8080 -name=a",
                Called::Carnet,
                "carnet whoami --port 8080 --name=a",
            ),
            (
                "./hail-hydra -a http://h:4445 -b=:3000",
                Called::Carnet,
                "carnet consent -a http://h:4445 -b=:3000",
            ),
            (
                "traefik --entrypoints.web.address=:80",
                Called::Carnet,
                "carnet gateway --entrypoints.web.address=:80",
            ),
            (
                "traefik healthcheck --ping",
                Called::Carnet,
                "carnet healthcheck --ping",
            ),
            (
                "carnet whoami -verbose --port 1",
                Called::Carnet,
                "carnet whoami --verbose --port 1",
            ),
            ("carnet-1.2 version", Called::Carnet, "carnet version"),
        ] {
            assert_eq!(normal(typed), (called, meant.to_owned()), "{typed}");
        }
    }

    #[test]
    fn a_line_without_even_a_name_is_carnets() {
        assert_eq!(
            normalize(Vec::new()),
            (Called::Carnet, vec!["carnet".to_owned()])
        );
    }
}
