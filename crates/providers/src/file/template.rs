//! Go templates, as Traefik's file provider runs them over a file before it is read: with
//! `{{ env "NAME" }}` and the functions of [`super::functions`].

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::diagnostics::{Diagnostic, Position, Severity};
use gotmpl::{MissingKey, Template, TemplateError, Value};

use super::functions;

/// Greatest number of `range` rounds of one file.
const MAX_RANGE: u64 = 1_000_000;

/// The text of a file after its templates ran. A file without `{{` is returned as it is.
///
/// # Errors
/// What the template does wrong; the file cannot be read then.
pub(super) fn render(
    text: &str,
    source: &Arc<str>,
    env: &Arc<BTreeMap<String, String>>,
) -> Result<String, Diagnostic> {
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    functions::register(Template::new(source), env)
        .missing_key(MissingKey::Error)
        .max_range_iters(MAX_RANGE)
        .parse(text)
        .and_then(|template| {
            template.execute_to_string(&Value::from(BTreeMap::<String, Value>::new()))
        })
        .map_err(|error| finding(&error, text, source))
}

fn finding(error: &TemplateError, text: &str, source: &Arc<str>) -> Diagnostic {
    let (line, column, message) = match error {
        TemplateError::Parse {
            line, col, message, ..
        }
        | TemplateError::Lex {
            line, col, message, ..
        } => (number(*line), number(*col), message.clone()),
        TemplateError::UndefinedFunction(name) => {
            let (line, column) = place(text, name);
            (line, column, functions::unknown(name))
        }
        TemplateError::ArgCount { name, .. } | TemplateError::MissingKey { key: name, .. } => {
            let (line, column) = only_place(text, name);
            (line, column, error.to_string())
        }
        TemplateError::Exec(message) => {
            let function = message.split(':').next().unwrap_or_default();
            let (line, column) = only_place(text, function);
            (line, column, message.clone())
        }
        other => (0, 0, other.to_string()),
    };
    Diagnostic {
        severity: Severity::Error,
        object: String::new(),
        key: String::new(),
        message: format!("template: {message}"),
        position: Some(Position {
            source: Arc::clone(source),
            line,
            column,
        }),
    }
}

/// Line and column of the first template that has a word in it; 0 and 0 when none has.
fn place(text: &str, word: &str) -> (u32, u32) {
    places(text, word).next().unwrap_or_default()
}

/// The same where only one has: what went wrong while it ran does not say where.
fn only_place(text: &str, word: &str) -> (u32, u32) {
    let mut places = places(text, word);
    match (places.next(), places.next()) {
        (Some(only), None) => only,
        _ => (0, 0),
    }
}

fn places(text: &str, word: &str) -> impl Iterator<Item = (u32, u32)> {
    text.lines().enumerate().filter_map(move |(index, line)| {
        let template = line.find("{{")?;
        let column = template + line[template..].find(word)?;
        Some((number(index + 1), number(column + 1)))
    })
}

fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Result<String, Diagnostic> {
        let env = BTreeMap::from([
            ("CLIENT_ID".to_owned(), "gw".to_owned()),
            ("HOSTS".to_owned(), "a.test,b.test".to_owned()),
        ]);
        render(text, &"dynamic.yaml".into(), &Arc::new(env))
    }

    #[test]
    fn templates_see_the_environment_and_the_usual_functions() {
        for (text, expected) in [
            ("rule: Host(`a`)", "rule: Host(`a`)"),
            (r#"{{ env "CLIENT_ID" }}"#, "gw"),
            (r#"[{{ env "ABSENT" }}]"#, "[]"),
            (r#"{{ env "ABSENT" | default "none" }}"#, "none"),
            (r#"{{ env "CLIENT_ID" | upper | quote }}"#, "\"GW\""),
            (r#"{{ expandenv "id-${CLIENT_ID}-$ABSENT." }}"#, "id-gw-."),
            (
                r#"{{ range splitList "," (env "HOSTS") }}<{{ . }}>{{ end }}"#,
                "<a.test><b.test>",
            ),
            (r#"{{ range $i := until 3 }}{{ add $i 1 }}{{ end }}"#, "123"),
            (r#"{{ if eq (env "CLIENT_ID") "gw" }}yes{{ end }}"#, "yes"),
            (r#"{{ "a.b/c" | normalize }}"#, "a-b-c"),
            (r#"{{ "aWQ6c2Vj" | b64dec }}"#, "id:sec"),
            (
                r#"{{ ternary "x" "y" true }}{{ join "+" (list 1 2) }}"#,
                "x1+2",
            ),
            ("{{ \"a\\nb\" | nindent 2 }}", "\n  a\n  b"),
            (
                r#"{{ $l := splitList "," "c,a,b,a" | uniq | sortAlpha }}{{ first $l }}{{ last $l }}{{ join "" (rest $l) }}"#,
                "acbc",
            ),
            (
                r#"{{ has "a" (list "a" "b") }} {{ join "" (append (list "x") "y" | reverse) }}"#,
                "true yx",
            ),
        ] {
            assert_eq!(rendered(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_template_error_names_the_place_and_the_nearest_function() {
        let error = rendered("a: 1\nb: {{ if }}").unwrap_err();
        assert_eq!(error.position.unwrap().line, 2);
        let error = rendered("evn: 1\nb: {{ evn `X` }}").unwrap_err();
        assert!(error.message.contains("`env`"), "{}", error.message);
        let position = error.position.unwrap();
        assert_eq!((position.line, position.column), (2, 7));
        let error = rendered("a: 1\n\nb: {{ b64dec `%` }}").unwrap_err();
        let position = error.position.unwrap();
        assert_eq!(
            (position.line, position.column),
            (3, 7),
            "{}",
            error.message
        );
        for text in [
            "{{ .Missing.Key }}",
            "{{ upper }}",
            "{{ repeat 99999999 `ab` }}",
        ] {
            assert!(rendered(text).is_err(), "{text}");
        }
    }
}
