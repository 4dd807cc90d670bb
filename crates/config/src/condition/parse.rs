//! Text to a condition. `!` binds tightest, then comparisons, `&&` and `||`.

use super::{Comparison, Condition, Figure, SyntaxError};
use crate::nearest::suggestion;

/// How deep `!` and `(` may nest: no text, however hostile, exhausts the stack.
const MAX_DEPTH: usize = 64;

/// The longer one first where one begins another.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// Parses a whole text.
pub(super) fn parse<F: Figure>(text: &str) -> Result<Condition<F>, SyntaxError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let condition = parser.or()?;
    match parser.rest() {
        "" => Ok(condition),
        rest if rest.starts_with(')') => Err(parser.error("this `)` has no `(`")),
        _ => Err(parser.error("expected `&&`, `||` or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// What is left, without spaces at its beginning.
    fn rest(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.at, message)
    }

    fn or<F: Figure>(&mut self) -> Result<Condition<F>, SyntaxError> {
        let mut members = vec![self.and()?];
        while self.take("||") {
            members.push(self.and()?);
        }
        Ok(joined(members, Condition::Or))
    }

    fn and<F: Figure>(&mut self) -> Result<Condition<F>, SyntaxError> {
        let mut members = vec![self.unary(true)?];
        while self.take("&&") {
            members.push(self.unary(true)?);
        }
        Ok(joined(members, Condition::And))
    }

    /// `may_compare`: what a `!` stands before is no number.
    fn unary<F: Figure>(&mut self, may_compare: bool) -> Result<Condition<F>, SyntaxError> {
        self.rest();
        let opened = self.at;
        if self.take("!") {
            self.enter(opened)?;
            let inner = self.unary(false)?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.take("(") {
            self.enter(opened)?;
            let inner = self.or()?;
            self.depth -= 1;
            return match self.take(")") {
                true => Ok(inner),
                false => Err(SyntaxError::new(opened, "the `)` for this `(` is missing")),
            };
        }
        self.comparison(may_compare)
    }

    fn enter(&mut self, at: usize) -> Result<(), SyntaxError> {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => {
                let message = format!("nested deeper than {MAX_DEPTH} levels");
                Err(SyntaxError::new(at, message))
            }
            false => Ok(()),
        }
    }

    fn comparison<F: Figure>(&mut self, may_compare: bool) -> Result<Condition<F>, SyntaxError> {
        self.rest();
        let begun = self.at;
        let figure: F = self.figure()?;
        let found = COMPARISONS.iter().find(|(sign, _)| self.take(sign));
        match (figure.is_statement(), found) {
            (true, None) => Ok(Condition::Is(figure)),
            (true, Some(_)) => {
                let message = "is true or false; there is nothing to compare";
                Err(SyntaxError::new(begun, message))
            }
            (false, None) => {
                Err(self.error("expected a comparison: `<`, `<=`, `>`, `>=`, `==` or `!=`"))
            }
            (false, Some(_)) if !may_compare => {
                let message = "`!` stands before a comparison in parentheses: `!(... > 1)`";
                Err(SyntaxError::new(begun, message))
            }
            (false, Some((_, comparison))) => {
                let number = self.number()?;
                Ok(Condition::Compare(figure, *comparison, number))
            }
        }
    }

    fn figure<F: Figure>(&mut self) -> Result<F, SyntaxError> {
        let rest = self.rest();
        let begun = self.at;
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, _) = rest.split_at(length.unwrap_or(rest.len()));
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            let known = F::NAMES.iter().map(|name| format!("`{name}()`"));
            let known: Vec<String> = known.collect();
            let message = format!("expected one of {}, `!` or `(`", known.join(", "));
            return Err(self.error(message));
        }
        if !F::NAMES.contains(&name) {
            let near = suggestion(name, F::NAMES.iter().copied());
            return Err(self.error(format!("unknown function `{name}`{near}")));
        }
        self.at += name.len();
        let arguments = self.arguments(name)?;
        F::read(name, &arguments).map_err(|message| SyntaxError::new(begun, message))
    }

    fn arguments(&mut self, name: &str) -> Result<Vec<f64>, SyntaxError> {
        if !self.take("(") {
            return Err(self.error(format!("`{name}` needs its arguments in parentheses")));
        }
        let mut arguments = Vec::new();
        while !self.take(")") {
            arguments.push(self.number()?);
            if !self.take(",") && !self.rest().starts_with(')') {
                return Err(self.error("expected `,` or `)`"));
            }
        }
        Ok(arguments)
    }

    fn number(&mut self) -> Result<f64, SyntaxError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (text, _) = rest.split_at(length.unwrap_or(rest.len()));
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| self.error("expected a number, like `0.3` or `500`"))?;
        self.at += text.len();
        Ok(number)
    }
}

fn joined<F>(
    mut members: Vec<Condition<F>>,
    join: fn(Vec<Condition<F>>) -> Condition<F>,
) -> Condition<F> {
    match members.len() {
        1 => members.remove(0),
        _ => join(members),
    }
}
