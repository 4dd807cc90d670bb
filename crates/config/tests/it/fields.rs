//! Trees to typed values.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use carnet_config::document::{Fields, Node, Spelling, parse_yaml};

fn yaml(text: &str) -> Node {
    parse_yaml(text, "a.yaml").unwrap().remove(0)
}

fn findings(fields: Fields<'_>) -> Vec<String> {
    fields.finish().iter().map(ToString::to_string).collect()
}

#[test]
fn options_are_read_weakly() {
    let node = yaml(
        "id: 0755\nflag: 'True'\ncount: '12'\nlist: a, b\none: x\nmany: [1, true, c]\nfor: 90\nlong: 1m30s\nlabels: {a: 1, b: }\nnone: ~\n",
    );
    let mut fields = Fields::new(&node, "thing", Spelling::Exact);
    assert_eq!(fields.text("id").as_deref(), Some("0755"));
    assert_eq!(fields.boolean("flag"), Some(true));
    assert_eq!(fields.number::<u8>("count"), Some(12));
    assert_eq!(fields.texts("list"), ["a", "b"]);
    assert_eq!(fields.texts("one"), ["x"]);
    assert_eq!(fields.texts("many"), ["1", "true", "c"]);
    assert_eq!(fields.duration("for"), Some(Duration::from_secs(90)));
    assert_eq!(fields.duration("long"), Some(Duration::from_secs(90)));
    let labels = BTreeMap::from([("a".into(), "1".into()), ("b".into(), String::new())]);
    assert_eq!(fields.text_map("labels"), labels);
    assert_eq!(fields.text("none"), None);
    assert_eq!(fields.text("absent"), None);
    assert_eq!(findings(fields), [""; 0]);
}

#[test]
fn what_does_not_fit_is_told_with_key_and_place_but_never_the_value() {
    let node = yaml(
        "a: [hunter2]\nb: hunter2\nc: hunter2\nd: hunter2\ne: {f: hunter2}\ng: 300\nh: -1\ni: [{x: [1]}, hunter2]\n",
    );
    let mut fields = Fields::new(&node, "thing", Spelling::Exact);
    assert_eq!(fields.text("a"), None);
    assert_eq!(fields.boolean("b"), None);
    assert_eq!(fields.integer("c"), None);
    assert_eq!(fields.duration("d"), None);
    assert_eq!(fields.map("e", |e| e.integer("f")), Some(None));
    assert_eq!(fields.number::<u8>("g"), None);
    assert_eq!(fields.number::<u8>("h"), None);
    assert_eq!(fields.maps("i", |i| i.text("x")), [None, None]);
    assert_eq!(fields.required_text("j"), None);
    assert_eq!(
        findings(fields),
        [
            "a.yaml:1:1: error: thing: j: `j` is missing",
            "a.yaml:1:4: error: thing: a: expects a text, found a list",
            "a.yaml:2:4: error: thing: b: expects `true` or `false`, found a text",
            "a.yaml:3:4: error: thing: c: expects a whole number, found a text",
            "a.yaml:4:4: error: thing: d: expects a duration like `90s` or `1m30s`, or a number of seconds",
            "a.yaml:5:8: error: thing: e.f: expects a whole number, found a text",
            "a.yaml:6:4: error: thing: g: the number is too large",
            "a.yaml:7:4: error: thing: h: the number is below zero",
            "a.yaml:8:9: error: thing: i[0].x: expects a text, found a list",
            "a.yaml:8:15: error: thing: i[1]: expects a map of options, found a text",
        ]
    );
}

#[test]
fn a_duration_that_no_clock_can_add_to_now_is_refused() {
    let node = yaml(
        "a: 18446744073709551615\nb: 9223372036854775807\nc: 5124095h\nd: 2562048h\ne: 2562047h\nf: 9223372036\n",
    );
    let mut fields = Fields::new(&node, "thing", Spelling::Exact);
    for key in ["a", "b", "c", "d"] {
        assert_eq!(fields.duration(key), None, "{key}");
    }
    let hours = fields.duration("e").unwrap();
    assert_eq!(hours.as_secs(), 2_562_047 * 3600);
    let seconds = fields.duration("f").unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 31);
    assert!(now.checked_add(seconds).is_some());
    let told = findings(fields);
    assert_eq!(told.len(), 4);
    assert_eq!(
        told[0],
        "a.yaml:1:4: error: thing: a: the duration is too long; at most `2562047h`"
    );
}

#[test]
fn keys_nobody_asked_for_are_errors_with_the_nearest_word() {
    let node = yaml("clientConfig:\n  timeoutSecond: 5\nurl: x\nzzz: 1\n");
    let mut fields = Fields::new(&node, "thing", Spelling::Exact);
    fields.text("url");
    fields.map("clientConfig", |config| config.integer("timeoutSeconds"));
    assert_eq!(
        findings(fields),
        [
            "a.yaml:2:3: error: thing: clientConfig.timeoutSecond: unknown option `timeoutSecond`; did you mean `timeoutSeconds`?",
            "a.yaml:4:1: error: thing: zzz: unknown option `zzz`",
        ]
    );
}

#[test]
fn case_counts_or_not() {
    let node = yaml("clientId: a\n");
    let mut any = Fields::new(&node, "thing", Spelling::AnyCase);
    assert_eq!(any.text("clientID").as_deref(), Some("a"));
    assert_eq!(findings(any), [""; 0]);
    let mut exact = Fields::new(&node, "thing", Spelling::Exact);
    assert_eq!(exact.text("clientID"), None);
    assert_eq!(
        findings(exact),
        ["a.yaml:1:1: error: thing: clientId: unknown option `clientId`; did you mean `clientID`?"]
    );
}

#[test]
fn one_option_in_two_spellings_is_an_error() {
    let node = yaml("clientId: a\nclientID: b\n");
    let mut fields = Fields::new(&node, "thing", Spelling::AnyCase);
    fields.text("clientID");
    assert_eq!(
        findings(fields),
        ["a.yaml:2:1: error: thing: clientID: is already given as `clientId`"]
    );
}

#[test]
fn names_of_users_are_handed_to_the_reader() {
    let node = yaml("routers:\n  b: {rule: x}\n  a: {rulee: y}\n");
    let mut fields = Fields::new(&node, "", Spelling::AnyCase);
    let routers = fields.entries("routers", |name, router| (name, router.text("rule")));
    assert_eq!(routers, [("b", Some("x".to_owned())), ("a", None)]);
    assert_eq!(
        findings(fields),
        ["a.yaml:3:7: error: routers.a.rulee: unknown option `rulee`; did you mean `rule`?"]
    );
}
