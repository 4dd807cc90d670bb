//! `claims`, claim paths and the text of claims.

use carnet_config::claims::{ClaimPath, Expression, text};
use proptest::prelude::*;
use serde_json::{Value, json};

fn token() -> Value {
    json!({
        "active": true, "grp": "admin", "n": 42, "when": 1.715874845e9, "nothing": null,
        "scope": "reader writer", "scp": ["read", "write"], "areas": ["office", "home"],
        "ref": "http://ex.com/foo/bar", "user": {"name": "Ann"}, "a.b": "x", "c\\d": "y"
    })
}

fn holds(expression: &str) -> bool {
    Expression::parse(expression).unwrap().holds(&token())
}

#[test]
fn functions_judge_the_claims() {
    for (expression, expected) in [
        ("Equals(`grp`, `admin`) && Equals(`active`, `true`)", true),
        ("Equals(`n`, `42`)", true),
        ("Equals(`when`, `1715874845`)", true),
        ("Prefix(`ref`, `http://ex.com`)", true),
        ("Contains(`ref`, `/foo/`)", true),
        ("Contains(`areas`, `home`)", true),
        ("Contains(`areas`, `hom`)", false),
        ("Contains(`n`, `4`)", false),
        ("SplitContains(`scope`, ` `, `writer`)", true),
        ("SplitContains(`scope`, ` `, `write`)", false),
        ("OneOf(`areas`, `lab`, `office`)", true),
        ("OneOf(`grp`, `lab`, `admin`)", true),
        ("OneOf(`n`, `42`)", false),
        ("Contains(`scp`, `read`)", true),
        ("Equals(`user.name`, `Ann`)", true),
        ("Equals(`a.b`, `x`)", false),
        (r"Equals(`a\.b`, `x`)", true),
        (r"Equals(`c\\d`, `y`)", true),
        ("Equals(`missing`, ``)", false),
        ("Equals(`nothing`, ``)", false),
        ("Equals(`areas`, `[\"office\",\"home\"]`)", false),
        ("!Equals(`missing`, `z`)", true),
        (
            "Equals(`grp`, `x`) || Equals(`active`, `true`) && Equals(`n`, `0`)",
            false,
        ),
        ("!(Equals(`grp`, `x`) || Equals(`n`, `0`))", true),
        (r#"Equals("grp", "admin")"#, true),
    ] {
        assert_eq!(holds(expression), expected, "{expression}");
    }
}

#[test]
fn messages_say_where_and_what() {
    for (expression, message) in [
        (
            "Equals('grp', 'admin')",
            "at character 8: single quotes are not allowed; use back quotes or double quotes",
        ),
        (
            "equals(`grp`, `admin`)",
            "at character 1: unknown function `equals`; did you mean `Equals`?",
        ),
        (
            "Equals(`grp`)",
            "at character 1: `Equals` takes two arguments, found 1",
        ),
        (
            "Equals(`a..b`, `x`)",
            "at character 8: a name in the path of the claim is empty; write `\\.` for a dot",
        ),
        (
            "SplitContains(`a`, ``, `x`)",
            "at character 20: the separator of `SplitContains` is empty",
        ),
        ("  ", "at character 1: the expression is empty"),
    ] {
        let error = Expression::parse(expression).unwrap_err();
        assert_eq!(error.to_string(), message, "{expression}");
    }
}

#[test]
fn paths_walk_objects_and_print_as_written() {
    let path = ClaimPath::parse(r"https://example\.com/role.x\\y").unwrap();
    assert_eq!(path.0, ["https://example.com/role", "x\\y"]);
    assert_eq!(path.to_string(), r"https://example\.com/role.x\\y");
    assert!(ClaimPath::parse("").is_err());
    assert_eq!(
        ClaimPath::parse("areas.0").unwrap().find(&token()),
        None,
        "lists have no names"
    );
}

#[test]
fn the_text_of_a_claim_is_plain() {
    for (value, expected) in [
        (json!("a b"), "a b"),
        (json!(42), "42"),
        (json!(-1), "-1"),
        (json!(1.5), "1.5"),
        (json!(1.715_874_845e9), "1715874845"),
        (json!(true), "true"),
        (json!(null), ""),
        (json!(["office", "home"]), r#"["office","home"]"#),
        (json!({"a": 1}), r#"{"a":1}"#),
    ] {
        assert_eq!(text(&value), expected);
    }
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c ]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn evaluation_is_total(
        claims in json_values(),
        name in prop_oneof![
            Just("Equals"), Just("Prefix"), Just("Contains"), Just("OneOf"),
        ],
        path in "[a-c](\\.[a-c]){0,2}",
        value in "[a-c ]{0,2}",
    ) {
        let call = format!("{name}(`{path}`, `{value}`)");
        let plain = Expression::parse(&call).unwrap().holds(&claims);
        let negated = Expression::parse(&format!("!{call}")).unwrap().holds(&claims);
        prop_assert_ne!(plain, negated);
    }

    #[test]
    fn no_text_breaks_the_parser(input in "[A-Za-z(){}`\"!&|,.\\\\ ]{0,60}") {
        let _ = Expression::parse(&input);
    }
}
