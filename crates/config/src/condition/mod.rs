//! Conditions over figures, as `circuitBreaker` and `retryExpression` have them:
//! `ResponseCodeRatio(500, 600, 0, 600) > 0.3 && !(LatencyAtQuantileMS(50.0) < 100)`.
//!
//! The figures and what they mean are for who uses them to say ([`Figure`]); `parse` knows the
//! grammar, which is Go's.

pub use crate::syntax::SyntaxError;

mod parse;

/// A figure that conditions may name, with its arguments.
pub trait Figure: Sized {
    /// The names of all figures.
    const NAMES: &'static [&'static str];

    /// The figure of this name. The error is one sentence about its arguments; an unknown name is
    /// none of [`Figure::NAMES`].
    ///
    /// # Errors
    /// When the arguments do not fit.
    fn read(name: &str, arguments: &[f64]) -> Result<Self, String>;

    /// Whether it is true or false, and no number.
    fn is_statement(&self) -> bool;
}

/// A condition over figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition<F> {
    /// All of them.
    And(Vec<Condition<F>>),
    /// One of them.
    Or(Vec<Condition<F>>),
    /// Not this.
    Not(Box<Condition<F>>),
    /// A figure that is true or false.
    Is(F),
    /// A figure against a number.
    Compare(F, Comparison, f64),
}

/// How a figure is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
    /// `>`.
    Greater,
    /// `>=`.
    AtLeast,
    /// `==`.
    Equal,
    /// `!=`.
    Unequal,
}

impl<F: Figure> Condition<F> {
    /// Parses a condition.
    ///
    /// # Errors
    /// When it is none; says where and why.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::parse(text)
    }

    /// Whether it holds; `value` gives the value of a figure, one that is true is 1.
    pub fn holds(&self, value: &impl Fn(&F) -> f64) -> bool {
        match self {
            Self::And(members) => members.iter().all(|member| member.holds(value)),
            Self::Or(members) => members.iter().any(|member| member.holds(value)),
            Self::Not(inner) => !inner.holds(value),
            Self::Is(figure) => value(figure) > 0.0,
            Self::Compare(figure, comparison, number) => comparison.holds(value(figure), *number),
        }
    }
}

impl Comparison {
    #[expect(
        clippy::float_cmp,
        reason = "who writes == means it, and the figures are counts mostly"
    )]
    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Self::Less => value < number,
            Self::AtMost => value <= number,
            Self::Greater => value > number,
            Self::AtLeast => value >= number,
            Self::Equal => value == number,
            Self::Unequal => value != number,
        }
    }
}
