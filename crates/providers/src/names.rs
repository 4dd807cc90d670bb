//! Names as Traefik's providers build them.

/// Runs of letters and digits, joined by `-`: `a.b/c` becomes `a-b-c`.
pub(crate) fn normalize(name: &str) -> String {
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_of_other_characters_becomes_one_dash() {
        for (name, expected) in [
            ("apps-whoami", "apps-whoami"),
            ("a.b/c_d", "a-b-c-d"),
            ("-a--b-", "a-b"),
            ("größe", "größe"),
        ] {
            assert_eq!(normalize(name), expected);
        }
    }
}
