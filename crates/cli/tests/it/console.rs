//! The console blocks of a page: read, and what came out compared with what the page shows.

/// A command of a page, with the lines that the page shows below it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// The word behind `console` in the block's first line: the terminal; empty for the main one.
    pub(crate) terminal: String,
    /// What is typed; empty when the block only shows more of what an earlier command prints.
    pub(crate) command: String,
    /// What is shown.
    pub(crate) shown: Vec<String>,
}

/// The steps of a page, in order.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut terminal: Option<String> = None;
    for line in page.lines() {
        match &terminal {
            None => {
                if let Some(word) = line.strip_prefix("```console") {
                    terminal = Some(word.trim().to_owned());
                    steps.push(Step {
                        terminal: word.trim().to_owned(),
                        ..Step::default()
                    });
                }
            }
            Some(_) if line == "```" => terminal = None,
            Some(word) => match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step {
                    terminal: word.clone(),
                    command: command.to_owned(),
                    shown: Vec::new(),
                }),
                None => steps.last_mut().unwrap().shown.push(line.to_owned()),
            },
        }
    }
    steps.retain(|step| !step.command.is_empty() || !step.shown.is_empty());
    steps
}

/// Whether lines are those that a page shows. `...` alone on a line stands for any lines, inside a
/// line for any text.
pub(crate) fn agree(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=printed.len()).any(|skipped| agree(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_agrees(line, first) && agree(rest, others)),
    }
}

fn line_agrees(shown: &str, printed: &str) -> bool {
    let printed = printed.trim_end_matches('\r');
    let mut parts = shown.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_page_is_read_into_steps() {
    let page = "text\n```console\n$ a\nA\n$ b\n```\n```yaml\nx: 1\n```\n```console up\nmore\n```\n";
    let steps = steps(page);
    assert_eq!(steps.len(), 3);
    assert_eq!((steps[0].command.as_str(), steps[0].shown.len()), ("a", 1));
    assert_eq!((steps[1].command.as_str(), steps[1].shown.len()), ("b", 0));
    assert_eq!(
        (steps[2].terminal.as_str(), steps[2].shown.len()),
        ("up", 1)
    );
}

#[test]
fn dots_stand_for_text_or_lines_and_for_nothing_else() {
    let page = lines("Hostname: ...\n...\nHost: a...c:80");
    assert!(agree(
        &page,
        &lines("Hostname: x\nIP: 1\nIP: 2\nHost: abc:80")
    ));
    assert!(agree(&page, &lines("Hostname: x\nHost: ac:80")));
    assert!(!agree(&page, &lines("Hostname: x\nHost: abc:81")));
    assert!(!agree(&page, &lines("Hostname: x\nHost: abc:80\nmore")));
    assert!(!agree(&page, &lines("hostname: x\nHost: abc:80")));
}
