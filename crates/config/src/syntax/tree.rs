//! Tokens to a tree. `!` binds tightest, then `&&`, then `||`.

use super::SyntaxError;
use super::lexer::{Placed, Token, tokens};

/// How deep `!` and `(` may nest: no text, however hostile, exhausts the stack.
const MAX_DEPTH: usize = 64;

/// An expression whose calls are not understood yet. `And` and `Or` hold at least two members
/// and never directly one of their own kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Call(Call),
}

/// `Name(`a`, `b`)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) arguments: Vec<Argument>,
}

/// A literal and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) value: String,
    pub(crate) offset: usize,
}

/// Parses a whole text.
pub(crate) fn parse(text: &str) -> Result<Tree, SyntaxError> {
    let mut parser = Parser {
        tokens: tokens(text)?.into_iter().peekable(),
        depth: 0,
    };
    let tree = parser.or()?;
    let (token, offset) = parser.next();
    match token {
        Token::End => Ok(tree),
        Token::Close => Err(SyntaxError::new(offset, "this `)` has no `(`")),
        other => Err(SyntaxError::new(
            offset,
            format!("expected `&&`, `||` or the end, found {}", other.describe()),
        )),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    depth: usize,
}

impl Parser {
    fn next(&mut self) -> (Token, usize) {
        match self.tokens.next() {
            Some(placed) => (placed.token, placed.offset),
            None => (Token::End, 0),
        }
    }

    fn next_is(&mut self, token: &Token) -> bool {
        self.tokens
            .peek()
            .is_some_and(|placed| placed.token == *token)
    }

    /// Takes the next token when it is this one.
    fn take(&mut self, token: &Token) -> bool {
        let found = self.next_is(token);
        if found {
            self.tokens.next();
        }
        found
    }

    fn or(&mut self) -> Result<Tree, SyntaxError> {
        let mut members = Vec::new();
        loop {
            match self.and()? {
                Tree::Or(inner) => members.extend(inner),
                other => members.push(other),
            }
            if !self.take(&Token::Or) {
                return Ok(joined(members, Tree::Or));
            }
        }
    }

    fn and(&mut self) -> Result<Tree, SyntaxError> {
        let mut members = Vec::new();
        loop {
            match self.unary()? {
                Tree::And(inner) => members.extend(inner),
                other => members.push(other),
            }
            if !self.take(&Token::And) {
                return Ok(joined(members, Tree::And));
            }
        }
    }

    fn unary(&mut self) -> Result<Tree, SyntaxError> {
        let (token, offset) = self.next();
        match token {
            Token::Not => {
                self.enter(offset)?;
                let inner = self.unary()?;
                self.depth -= 1;
                Ok(Tree::Not(Box::new(inner)))
            }
            Token::Open => {
                self.enter(offset)?;
                let inner = self.or()?;
                self.depth -= 1;
                self.expect_close(offset)?;
                Ok(inner)
            }
            Token::Name(name) => self.call(name, offset),
            other => Err(SyntaxError::new(
                offset,
                format!(
                    "expected a function, `!` or `(`, found {}",
                    other.describe()
                ),
            )),
        }
    }

    fn enter(&mut self, offset: usize) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError::new(
                offset,
                format!("nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    fn expect_close(&mut self, opened: usize) -> Result<(), SyntaxError> {
        if self.next_is(&Token::End) {
            return Err(SyntaxError::new(opened, "the `)` for this `(` is missing"));
        }
        let (token, offset) = self.next();
        match token {
            Token::Close => Ok(()),
            other => Err(SyntaxError::new(
                offset,
                format!("expected `&&`, `||` or `)`, found {}", other.describe()),
            )),
        }
    }

    fn call(&mut self, name: String, offset: usize) -> Result<Tree, SyntaxError> {
        if !self.take(&Token::Open) {
            return Err(SyntaxError::new(
                offset,
                format!("`{name}` needs its arguments in parentheses"),
            ));
        }
        let mut arguments = Vec::new();
        while !self.take(&Token::Close) {
            arguments.push(self.argument()?);
            if !self.take(&Token::Comma) && !self.next_is(&Token::Close) {
                let (token, offset) = self.next();
                return Err(SyntaxError::new(
                    offset,
                    format!("expected `,` or `)`, found {}", token.describe()),
                ));
            }
        }
        Ok(Tree::Call(Call {
            name,
            offset,
            arguments,
        }))
    }

    fn argument(&mut self) -> Result<Argument, SyntaxError> {
        let (token, offset) = self.next();
        match token {
            Token::Literal(value) => Ok(Argument { value, offset }),
            other => Err(SyntaxError::new(
                offset,
                format!(
                    "expected a text in back quotes or double quotes, found {}",
                    other.describe()
                ),
            )),
        }
    }
}

fn joined(mut members: Vec<Tree>, join: fn(Vec<Tree>) -> Tree) -> Tree {
    match members.len() {
        1 => members.remove(0),
        _ => join(members),
    }
}
