//! `demo`: the whole tutorial with one command, also where its ports are taken.

use serde_json::Value;

use crate::process::line;
use crate::words::{quietly, said, shell};

#[tokio::test]
async fn a_check_prints_both_scenes_and_the_time_of_the_first_token() {
    let ended = line("carnet demo --check").run().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let whole_line = |wanted: &str| ended.out.lines().filter(|line| *line == wanted).count();
    assert_eq!(whole_line("GET / HTTP/1.1"), 2, "{}", ended.out);
    let count = |start: &str| {
        let lines = ended.out.lines().filter(|line| line.starts_with(start));
        lines.count()
    };
    assert_eq!(count("Authorization: Bearer ey"), 2);
    assert_eq!(count("Sub: "), 1);
    assert_eq!(count("signature: valid (kid "), 2);
    assert_eq!(count("  \"alg\": \"RS256\""), 2);
    let mut last = ended.out.lines().rev();
    let numbers =
        "102 requests served with tokens, 2 calls to the authorization server, 100 calls saved";
    assert_eq!(last.next(), Some(numbers));
    let last = last.next().unwrap();
    let time = last.strip_prefix("first token at the backend after ");
    let time = time.and_then(|rest| rest.strip_suffix(" ms"));
    assert!(
        time.is_some_and(|time| time.parse::<u64>().is_ok()),
        "{last}"
    );
}

#[tokio::test]
async fn a_check_for_machines_is_one_object() {
    let ended = line("carnet demo --check --format json").run().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(ended.out.lines().count(), 1);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(report["first_token_ms"].is_u64());
    assert_eq!(report["numbers"]["saved"], 100);
    let scenes = report["scenes"].as_array().unwrap();
    assert_eq!(scenes.len(), 2);
    for scene in scenes {
        assert_eq!(scene["header"]["kid"], scene["kid"]);
        assert_eq!(scene["claims"]["aud"][0], "https://traefik.io");
        let answer = scene["answer"].as_str().unwrap();
        assert!(answer.starts_with("Hostname: "), "{answer}");
    }
    assert_ne!(scenes[0]["claims"]["sub"], scenes[1]["claims"]["sub"]);
}

#[test]
fn two_demos_and_a_check_run_beside_each_other() {
    let mut shell = shell();
    for demo in ["first", "second"] {
        quietly(
            &mut shell,
            &format!("carnet demo > {demo}.txt 2> {demo}.log & says {demo}.txt 'Press Ctrl-C'"),
        );
    }
    assert_eq!(
        said(
            &mut shell,
            "carnet demo --check > check.txt 2> check.log; echo $?"
        ),
        "0"
    );
    assert_eq!(said(&mut shell, "grep -c ':8000/' first.txt"), "2");
    assert_eq!(said(&mut shell, "grep -c ':8000/' second.txt"), "0");
    // The lines that a demo prints are there to be typed.
    for demo in ["first", "second"] {
        let scenes = format!(
            "grep '^  curl ' {demo}.txt | sed 's/curl/curl -sS/' > {demo}.sh; bash {demo}.sh > {demo}.out"
        );
        quietly(&mut shell, &scenes);
        let bearers = format!("grep -c '^Authorization: Bearer ey' {demo}.out");
        assert_eq!(said(&mut shell, &bearers), "2", "{demo}");
    }
}
