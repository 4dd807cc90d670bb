//! Rules: grammar, arguments, messages, and that printing and parsing agree.

use carnet_config::rule::{HostPattern, MAX_PRIORITY, Matcher, Rule, parse, priority};
use proptest::prelude::*;

fn printed(text: &str) -> String {
    parse(text).unwrap().to_string()
}

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    let text = "!Host(`a`) || Method(`GET`) && Path(`/x`)";
    assert_eq!(printed(text), "!Host(`a`) || (Method(`GET`) && Path(`/x`))");
    let text = "!(Host(`a`) || Host(`b`)) && Path(`/`)";
    assert_eq!(printed(text), "!(Host(`a`) || Host(`b`)) && Path(`/`)");
}

#[test]
fn comments_are_gos() {
    assert_eq!(
        printed("Host(`a`) /* why */ || // not\nPath(`//a`)"),
        "Host(`a`) || Path(`//a`)"
    );
    assert!(refused("Host(`a`) /*/").contains("unexpected character '/'"));
}

#[test]
fn ipv4_in_ipv6_is_ipv4() {
    for (written, meant) in [
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.0/90", "::ffc0:0:0/90"),
        ("10.1.1.1/8", "10.0.0.0/8"),
    ] {
        let rule = format!("ClientIP(`{written}`)");
        assert_eq!(printed(&rule), format!("ClientIP(`{meant}`)"));
    }
}

#[test]
fn chains_are_flat() {
    let rule = parse("Host(`a`) && (Host(`b`) && Host(`c`)) && Host(`d`)").unwrap();
    assert!(matches!(&rule, Rule::And(members) if members.len() == 4));
    assert_eq!(rule.matchers().len(), 4);
}

#[test]
fn every_matcher_is_known_in_four_spellings() {
    for (text, canonical) in [
        ("HOST(`A.test.`)", "Host(`a.test`)"),
        ("hostregexp(`^a`)", "HostRegexp(`^a`)"),
        ("Pathprefix(`/a`)", "PathPrefix(`/a`)"),
        ("PATHREGEXP(`^/a`)", "PathRegexp(`^/a`)"),
        ("Method(`get`)", "Method(`GET`)"),
        ("Header(`X-A`, `1`)", "Header(`x-a`, `1`)"),
        ("headerregexp(`X-A`, `1`)", "HeaderRegexp(`x-a`, `1`)"),
        ("Query(`q`)", "Query(`q`)"),
        ("QueryRegexp(`q`)", "Query(`q`)"),
        ("QueryRegexp(`q`, `^1`)", "QueryRegexp(`q`, `^1`)"),
        ("ClientIP(`10.1.2.3/8`)", "ClientIP(`10.0.0.0/8`)"),
        ("Clientip(`::1`)", "ClientIP(`::1/128`)"),
        (r#"Path("/a\u00e9\x41\101\n")"#, "Path(`/aéAA\n`)"),
    ] {
        assert_eq!(printed(text), canonical, "{text}");
    }
    assert!(refused("hOST(`a`)").contains("did you mean `Host`?"));
}

#[test]
fn hosts_know_wildcards() {
    let host = |text: &str| match parse(text).unwrap() {
        Rule::Match(Matcher::Host(host)) => host,
        other => panic!("{other}"),
    };
    assert_eq!(host("Host(`*`)"), HostPattern::Any);
    let label = host("Host(`*.A.test`)");
    assert!(label.matches("x.a.test"));
    assert!(!label.matches("x.y.a.test"));
    assert!(!label.matches(".a.test"));
    assert!(!label.matches("a.test"));
    assert!(host("Host(`a.test`)").matches("a.test"));
}

const MESSAGES: [(&str, &str); 21] = [
    ("", "at character 1: the rule is empty"),
    (
        "Host(`a`) && Hots(`b`)",
        "at character 14: unknown matcher `Hots`; did you mean `Host`?",
    ),
    (
        "Host(`a`, `b`)",
        "at character 1: `Host` takes one argument, found 2; join several `Host` with `||`",
    ),
    (
        "Host()",
        "at character 1: `Host` takes one argument, found 0",
    ),
    ("Host(``)", "at character 6: an argument of `Host` is empty"),
    (
        "Header(`a`)",
        "at character 1: `Header` takes two arguments, found 1",
    ),
    (
        "Headers(`a`, `b`)",
        "at character 1: `Headers` is no matcher of the version 3 syntax; write `Header`",
    ),
    (
        "Host('a')",
        "at character 6: single quotes are not allowed; use back quotes or double quotes",
    ),
    (
        "Host(`a`) & Path(`/`)",
        "at character 11: a single `&`; write `&&`",
    ),
    (
        "(Host(`a`)",
        "at character 1: the `)` for this `(` is missing",
    ),
    ("Host(`a`))", "at character 10: this `)` has no `(`"),
    (
        "Host(`a",
        "at character 6: the closing back quote is missing",
    ),
    ("Path(`a`)", "at character 6: a path starts with `/`"),
    (
        "PathRegexp(`(`)",
        "at character 12: the regular expression does not compile: unclosed group",
    ),
    (
        "ClientIP(`10.0.0.0/33`)",
        "at character 10: this is no IP address and no CIDR range",
    ),
    (
        "Host(`a.*.b`)",
        "at character 6: `*` stands for one whole label in front, as in `*.a.test`; else use `HostRegexp`",
    ),
    (
        "Path(`/{id:[0-9]+}`)",
        "at character 6: named patterns are no part of the version 3 syntax; use `PathRegexp`",
    ),
    (
        "Host(`a`) Path(`/`)",
        "at character 11: expected `&&`, `||` or the end, found `Path`",
    ),
    (
        "Host(`a`) &&",
        "at character 13: expected a function, `!` or `(`, found the end",
    ),
    (
        "Host",
        "at character 1: `Host` needs its arguments in parentheses",
    ),
    (
        "Host(a)",
        "at character 6: expected a text in back quotes or double quotes, found `a`",
    ),
];

#[test]
fn messages_say_where_and_what() {
    for (text, message) in MESSAGES {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn a_hostile_depth_is_refused() {
    let deep = format!("{}Host(`a`){}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(refused(&deep).contains("nested deeper than 64 levels"));
    let bangs = format!("{}Host(`a`)", "!".repeat(100_000));
    assert!(refused(&bangs).contains("nested deeper"));
    let wide = vec!["Path(`/`)"; 2000].join(" && ");
    assert!(parse(&wide).is_ok());
}

#[test]
fn the_priority_is_the_length_in_bytes() {
    assert_eq!(priority("Host(`whoami.docker.localhost`)"), 31);
    assert_eq!(MAX_PRIORITY, 9_223_372_036_854_774_807);
}

#[test]
fn evaluation_stops_as_soon_as_it_knows() {
    let rule = parse("Host(`a`) && (Path(`/x`) || !Method(`GET`))").unwrap();
    let mut asked = 0;
    let held = rule.holds(&mut |matcher| {
        asked += 1;
        !matches!(matcher, Matcher::Host(_))
    });
    assert!(!held);
    assert_eq!(asked, 1);
}

fn literal() -> impl Strategy<Value = String> {
    "[a-z`\"\\\\ \n\r.é]{1,8}"
}

fn matcher() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,5}(\\.[a-z]{1,3})?".prop_map(|host| format!("Host(`{host}`)")),
        literal().prop_map(|path| format!("PathPrefix({})", double_quoted(&format!("/{path}")))),
        (literal(), literal()).prop_map(|(key, value)| format!(
            "Query({}, {})",
            double_quoted(&key),
            double_quoted(&value)
        )),
        "[A-Z]{3}".prop_map(|method| format!("method(`{method}`)")),
    ]
}

fn double_quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    format!("\"{escaped}\"")
}

fn rules() -> impl Strategy<Value = String> {
    matcher().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join(" && ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join("||")),
            inner.clone().prop_map(|rule| format!("!({rule})")),
            inner.prop_map(|rule| format!("( {rule} )")),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_rule_parses_to_itself(text in rules()) {
        let rule = parse(&text).unwrap();
        prop_assert_eq!(parse(&rule.to_string()).unwrap(), rule);
    }

    #[test]
    fn no_text_breaks_the_parser(text in "[A-Za-z(){}`\"!&|,.\\\\ é\\[\\]]{0,60}") {
        let _ = parse(&text);
    }
}
