//! Text to tokens. Knows nothing of names.

use super::{SyntaxError, literal};

/// One word of the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    Literal(String),
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    /// How an error message calls it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Literal(_) => "a literal".into(),
            Self::And => "`&&`".into(),
            Self::Or => "`||`".into(),
            Self::Not => "`!`".into(),
            Self::Open => "`(`".into(),
            Self::Close => "`)`".into(),
            Self::Comma => "`,`".into(),
            Self::End => "the end".into(),
        }
    }
}

/// A token and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) offset: usize,
}

/// All tokens of a text, with [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, SyntaxError> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some(length) = skipped(&text[at..]) {
            at += length;
            continue;
        }
        let (token, next) = token(text, at, c)?;
        out.push(Placed { token, offset: at });
        at = next;
    }
    out.push(Placed {
        token: Token::End,
        offset: text.len(),
    });
    Ok(out)
}

/// The length of what means nothing here: a space, or a comment as Go writes them.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with([' ', '\t', '\r', '\n']) {
        Some(1)
    } else if text.starts_with("//") {
        Some(text.find('\n').unwrap_or(text.len()))
    } else if let Some(comment) = text.strip_prefix("/*") {
        comment.find("*/").map(|end| end + 4)
    } else {
        None
    }
}

fn token(text: &str, at: usize, first: char) -> Result<(Token, usize), SyntaxError> {
    let two = text.get(at..at + 2);
    match first {
        '(' => Ok((Token::Open, at + 1)),
        ')' => Ok((Token::Close, at + 1)),
        ',' => Ok((Token::Comma, at + 1)),
        '!' => Ok((Token::Not, at + 1)),
        '&' if two == Some("&&") => Ok((Token::And, at + 2)),
        '|' if two == Some("||") => Ok((Token::Or, at + 2)),
        '`' | '"' => literal::read(text, at).map(|(value, next)| (Token::Literal(value), next)),
        _ if first.is_alphabetic() || first == '_' => {
            let length = text[at..]
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len() - at);
            Ok((Token::Name(text[at..at + length].into()), at + length))
        }
        _ => Err(SyntaxError::new(at, unexpected(first))),
    }
}

fn unexpected(c: char) -> String {
    match c {
        '\'' => "single quotes are not allowed; use back quotes or double quotes".into(),
        '&' => "a single `&`; write `&&`".into(),
        '|' => "a single `|`; write `||`".into(),
        _ => format!("unexpected character {c:?}; a text stands in back quotes"),
    }
}
