//! Text to trees.

use carnet_config::diagnostics::{Diagnostic, Position};
use carnet_config::document::{Node, Value, parse_toml, parse_yaml};
use proptest::prelude::{ProptestConfig, proptest};
use serde_json::json;

fn yaml(text: &str) -> Node {
    let mut documents = parse_yaml(text, "a.yaml").unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn refused(text: &str) -> Diagnostic {
    parse_yaml(text, "a.yaml").unwrap_err()
}

fn place(position: &Position) -> (u32, u32) {
    (position.line, position.column)
}

#[test]
fn yaml_becomes_a_tree() {
    let node =
        yaml("a: 1\nb: [x, 2.5, true, ~]\nc: {d: 'true', e: \"\\u00e9\"}\nf: |\n  two\n  lines\n");
    let expected = json!({
        "a": 1,
        "b": ["x", 2.5, true, null],
        "c": {"d": "true", "e": "\u{e9}"},
        "f": "two\nlines\n",
    });
    assert_eq!(node.to_json(), expected);
}

#[test]
fn scalars_keep_their_own_text() {
    let node = yaml("a: 0755\nb: 1e5\nc: 12345678901234567890\nd: !!str 007\ne: ! 8\n");
    let texts = ["a", "b", "c", "d", "e"].map(|key| node.member(key).unwrap().scalar().unwrap());
    assert_eq!(texts, ["0755", "1e5", "12345678901234567890", "007", "8"]);
    assert_eq!(
        node.member("a").unwrap().value,
        Value::Integer(755, "0755".into())
    );
    assert_eq!(node.to_json()["c"], json!(12_345_678_901_234_567_890_u64));
}

#[test]
fn keys_and_values_know_their_places() {
    let node = yaml("# comment\nhttp:\n  routers:\n    \u{e9}: {rule: x}\n");
    let routers = node.member("http").unwrap().member("routers").unwrap();
    let [router] = routers.members() else {
        panic!()
    };
    assert_eq!(place(&router.key_position), (4, 5));
    assert_eq!(place(&router.value.position), (4, 8));
    let [rule] = router.value.members() else {
        panic!()
    };
    assert_eq!(place(&rule.key_position), (4, 9));
    assert_eq!(place(&rule.value.position), (4, 15));
    assert_eq!(rule.value.position.to_string(), "a.yaml:4:15");
}

#[test]
fn several_documents_are_several_nodes() {
    let documents = parse_yaml("a: 1\n---\n---\nb: &x 2\n...\n", "a.yaml").unwrap();
    let trees: Vec<_> = documents.iter().map(Node::to_json).collect();
    assert_eq!(trees, [json!({"a": 1}), json!(null), json!({"b": 2})]);
    assert_eq!(parse_yaml("# nothing\n", "a.yaml").unwrap(), []);
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    let node = yaml(
        "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\none: {<<: *base, b: 9}\ntwo:\n  <<: [*base, *more]\n  d: 5\nthree: *base\n&k key: *k\n",
    );
    let tree = node.to_json();
    assert_eq!(tree["one"], json!({"b": 9, "a": 1}));
    assert_eq!(tree["two"], json!({"d": 5, "a": 1, "b": 2, "c": 4}));
    assert_eq!(tree["three"], json!({"a": 1, "b": 2}));
    assert_eq!(tree["key"], json!("key"));
}

#[test]
fn a_quoted_merge_key_is_a_name() {
    assert_eq!(yaml("'<<': 1").to_json(), json!({"<<": 1}));
}

#[test]
fn what_yaml_does_not_allow_is_refused_with_its_place() {
    let rows = [
        ("a: 1\na: 2\n", (2, 1), "`a` is given twice"),
        ("a: [1, 2\n", (1, 4), "this is no YAML"),
        ("a: 1\n b: 2\n", (2, 3), "this is no YAML"),
        ("a: *b\n", (1, 4), "this is no YAML"),
        ("? [a]\n: 1\n", (1, 3), "a key is a text"),
        ("a: &a [*a]\n", (1, 8), "this alias stands inside"),
        ("a: !secret x\n", (1, 12), "this tag is not understood"),
        ("a: !!int x\n", (1, 10), "not of the type"),
        ("<<: 1\n", (1, 5), "`<<` takes a map"),
    ];
    for (text, expected, message) in rows {
        let diagnostic = refused(text);
        let found = diagnostic.position.as_ref().map(place);
        assert_eq!(found, Some(expected), "{text}: {diagnostic}");
        assert!(diagnostic.message.contains(message), "{text}: {diagnostic}");
    }
}

// Holds DO-07.
#[test]
fn bombs_are_refused() {
    let mut laughs = "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n".to_owned();
    for (last, next) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        let items = vec![format!("*{last}"); 9].join(",");
        laughs.push_str(&format!("{next}: &{next} [{items}]\n"));
    }
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        "*a,".repeat(100)
    );
    let merges: String = (0..20_000)
        .map(|n| format!("  - {{<<: *a, k{n}: 1}}\n"))
        .collect();
    let names: String = (0..100).map(|n| format!("x{n}: 1, ")).collect();
    let rows = [
        (laughs, "aliases expand"),
        (long, "aliases expand"),
        (format!("a: &a {{{names}}}\nb:\n{merges}"), "aliases expand"),
        ("[".repeat(100), "limit"),
        ("- ".repeat(100), "limit"),
        (format!("a: {}", "x".repeat(9 << 20)), "longer than 8 MiB"),
    ];
    for (text, message) in rows {
        let diagnostic = refused(&text);
        let start: String = text.chars().take(20).collect();
        assert!(
            diagnostic.message.contains(message),
            "{start}: {diagnostic}"
        );
    }
}

// Holds DO-07.
#[test]
fn aliases_do_not_make_trees_deeper_than_texts() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for n in 1..100 {
        text.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
    }
    let diagnostic = refused(&text);
    assert!(diagnostic.message.contains("64 levels"), "{diagnostic}");
}

#[test]
fn toml_becomes_the_tree_that_yaml_would_be() {
    let toml = "[http.routers.w]\nrule = \"x\"\npriority = 1_000\n[http.services.s.loadBalancer]\n[[http.services.s.loadBalancer.servers]]\nurl = 'u'\n[log]\nlevel = 'INFO'\nratio = 1.50\n";
    let node = parse_toml(toml, "a.toml").unwrap();
    let expected = json!({
        "http": {
            "routers": {"w": {"rule": "x", "priority": 1000}},
            "services": {"s": {"loadBalancer": {"servers": [{"url": "u"}]}}},
        },
        "log": {"level": "INFO", "ratio": 1.5},
    });
    assert_eq!(node.to_json(), expected);
    let ratio = node.member("log").unwrap().member("ratio").unwrap();
    assert_eq!(ratio.scalar(), Some("1.50"));
    let router = node
        .member("http")
        .unwrap()
        .member("routers")
        .unwrap()
        .member("w")
        .unwrap();
    let [rule, _] = router.members() else {
        panic!()
    };
    assert_eq!(place(&rule.key_position), (2, 1));
    assert_eq!(place(&rule.value.position), (2, 8));
}

#[test]
fn what_toml_does_not_allow_is_refused_with_its_place() {
    let rows = [
        ("a = 1\na = 2\n", (2, 1), "duplicate key"),
        ("[a]\nb = \n", (2, 5), "this is no TOML"),
        ("a = 99999999999999999999\n", (1, 5), "too large"),
        ("a = hunter2\n", (1, 5), "this is no TOML"),
    ];
    for (text, expected, message) in rows {
        let diagnostic = parse_toml(text, "a.toml").unwrap_err();
        let found = diagnostic.position.as_ref().map(place);
        assert!(diagnostic.message.contains(message), "{text}: {diagnostic}");
        assert_eq!(found, Some(expected), "{text}: {diagnostic}");
        assert!(!diagnostic.message.contains("hunter2"));
    }
}

#[test]
fn json_goes_in_and_comes_out_the_same() {
    let json = json!({"a": [1, -2.5, "x", null, true], "b": {"c": 18_446_744_073_709_551_615_u64}});
    let position = refused("[").position.unwrap();
    assert_eq!(Node::from_json(&json, position).to_json(), json);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // Holds SE-05.
    #[test]
    fn no_text_panics_and_no_finding_tells_its_values(
        text in "([a-z<&*!|>'\"{}\\[\\],:#%@?\\-~ \n\t]|: |\n  |- ){0,60}",
        at in 0_usize..60,
    ) {
        let mut text = text;
        let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(text.len());
        text.insert_str(at, "CANARY");
        for parsed in [parse_yaml(&text, "a").err(), parse_toml(&text, "a").err()] {
            let told = parsed.is_some_and(|finding| {
                let is_key = finding.message.contains("is given twice");
                finding.to_string().contains("CANARY") && !is_key
            });
            assert!(!told, "{text}");
        }
    }
}
