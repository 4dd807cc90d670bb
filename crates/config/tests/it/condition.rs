//! Conditions over figures: what they say, and what is said of what is none.

use carnet_config::condition::{Condition, Figure};
use proptest::prelude::{ProptestConfig, any, proptest};

/// Figures for tests: `Half()` is 0.5, `Number(n)` is n, `Yes()` and `No()` are statements.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Half,
    Number(f64),
    Yes,
    No,
}

impl Figure for Known {
    const NAMES: &'static [&'static str] = &["Half", "No", "Number", "Yes"];

    fn read(name: &str, arguments: &[f64]) -> Result<Self, String> {
        match (name, arguments) {
            ("Half", []) => Ok(Self::Half),
            ("Yes", []) => Ok(Self::Yes),
            ("No", []) => Ok(Self::No),
            ("Number", [number]) => Ok(Self::Number(*number)),
            _ => Err(format!("`{name}` does not take these")),
        }
    }

    fn is_statement(&self) -> bool {
        matches!(self, Self::Yes | Self::No)
    }
}

fn parse(text: &str) -> Result<Condition<Known>, String> {
    Condition::parse(text).map_err(|error| error.to_string())
}

fn holds(text: &str) -> bool {
    parse(text).unwrap().holds(&|figure| match figure {
        Known::Half => 0.5,
        Known::Number(number) => *number,
        Known::Yes => 1.0,
        Known::No => 0.0,
    })
}

#[test]
fn conditions_say_what_go_would_say() {
    for (text, expected) in [
        ("Half() > 0.4", true),
        ("Half()>.5", false),
        ("Half() >= 0.5", true),
        ("Half() < 1", true),
        ("Half() <= 0.4", false),
        ("Half() == 0.5 && Number(3) != 4", true),
        ("Yes()", true),
        ("!Yes()", false),
        ("!(Half() > 1)", true),
        ("!!Yes()", true),
        // `&&` binds tighter than `||`.
        ("Yes() || No() && No()", true),
        ("(Yes() || No()) && No()", false),
        (" Number( 500 , ) == 500.0 ", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_condition_is_told_with_its_place() {
    for (text, message) in [
        ("", "at character 1: expected one of `Half()`"),
        ("Half()", "at character 7: expected a comparison"),
        ("Half() >", "at character 9: expected a number"),
        ("Half() > -1", "at character 10: expected a number"),
        (
            "Halve() > 1",
            "at character 1: unknown function `Halve`; did you mean `Half`?",
        ),
        (
            "Half > 1",
            "at character 6: `Half` needs its arguments in parentheses",
        ),
        ("Number(1", "at character 9: expected `,` or `)`"),
        ("Number(a) > 1", "at character 8: expected a number"),
        (
            "Number(1, 2) > 1",
            "at character 1: `Number` does not take these",
        ),
        ("Yes() > 1", "at character 1: is true or false"),
        (
            "!Half() > 1",
            "at character 2: `!` stands before a comparison in parentheses",
        ),
        ("(Yes()", "at character 1: the `)` for this `(` is missing"),
        ("Yes())", "at character 6: this `)` has no `(`"),
        (
            "Yes() & No()",
            "at character 7: expected `&&`, `||` or the end",
        ),
        ("0.5 < Half()", "at character 1: expected one of"),
        ("Number(1.2.3) > 1", "at character 8: expected a number"),
    ] {
        let said = parse(text).unwrap_err();
        assert!(said.starts_with(message), "{text}: {said}");
    }
    let deep = format!("{}Yes(){}", "(".repeat(65), ")".repeat(65));
    assert!(parse(&deep).unwrap_err().contains("nested deeper than 64"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_text_is_it_is_a_condition_or_told(text in any::<String>()) {
        let _ = parse(&text);
    }
}
