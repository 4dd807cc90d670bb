//! Go's regular expressions written so that the `regex` crate reads the same in them: `\d \s \w \b`
//! know ASCII only, `\Q..\E` quotes, `\141` is octal, a `{` that starts no repetition is a brace, and
//! inside `[]` only `-`, `^`, `]`, `\` and `[:name:]` have a meaning. What Go refuses is refused,
//! though the crate might find a meaning for it.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// Go's greatest count of a repetition.
const MOST: u32 = 1000;

/// The flags of `(?flags)` and `(?flags:...)`.
const FLAGS: &str = "imsU-";

/// What stands between `[:` and `:]`.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Rewrites a pattern. The error is one sentence.
pub(super) fn translate(text: &str) -> Result<String, String> {
    let mut translation = Translation {
        rest: text.chars().peekable(),
        out: String::with_capacity(text.len()),
    };
    while let Some(c) = translation.rest.next() {
        translation.piece(c)?;
    }
    Ok(translation.out)
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
}

impl Translation<'_> {
    fn piece(&mut self, first: char) -> Result<(), String> {
        match first {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.group(),
            '*' | '+' | '?' => {
                self.out.push(first);
                self.repeated()
            }
            '{' => match self.counts()? {
                Some(counts) => {
                    self.out.push_str(&counts);
                    self.repeated()
                }
                None => {
                    self.out.push_str("\\{");
                    Ok(())
                }
            },
            _ => {
                self.out.push(first);
                Ok(())
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some('b') => self.out.push_str(r"(?-u:\b)"),
            Some(c @ ('A' | 'B' | 'z')) => self.out.extend(['\\', *c]),
            Some('Q') => {
                self.rest.next();
                self.quoted();
                return Ok(());
            }
            _ => {
                if !self.named_class()? {
                    let character = self.escaped()?;
                    self.literal(character);
                }
                return Ok(());
            }
        }
        self.rest.next();
        Ok(())
    }

    /// `\d`, `\pL` and the like, which may also stand in brackets.
    fn named_class(&mut self) -> Result<bool, String> {
        let class = match self.rest.peek() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('s') => r"[\t\n\f\r ]",
            Some('S') => r"[^\t\n\f\r ]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some(c @ ('p' | 'P')) => {
                let is_negated = *c == 'P';
                self.rest.next();
                self.property(is_negated)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.rest.next();
        self.out.push_str(class);
        Ok(true)
    }

    /// The name of a category or script: `L`, `{Greek}`, `{^Greek}`.
    fn property(&mut self, is_negated: bool) -> Result<(), String> {
        let name = match self.rest.next() {
            Some('{') => self.until('}')?,
            Some(letter) => letter.to_string(),
            None => return Err(refused("the name behind `\\p` is missing")),
        };
        let plain = name.strip_prefix('^').unwrap_or(&name);
        let is_known = |kind: &str| Regex::new(&format!(r"\p{{{kind}={plain}}}")).is_ok();
        if !is_known("gc") && !is_known("sc") {
            let reason = format!("there is no category and no script `{plain}`");
            return Err(refused(&reason));
        }
        let letter = if is_negated == name.starts_with('^') {
            'p'
        } else {
            'P'
        };
        self.out.push_str(&format!("\\{letter}{{{plain}}}"));
        Ok(())
    }

    /// The character behind a backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let Some(c) = self.rest.next() else {
            return Err(refused("it ends with a backslash"));
        };
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hexadecimal()?,
            '0' => self.octal(c),
            '1'..='7' if self.rest.peek().is_some_and(|d| d.is_digit(8)) => self.octal(c),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return Err(refused(&format!("there is no `\\{c}`"))),
        })
    }

    fn octal(&mut self, first: char) -> char {
        let mut value = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            if let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(8)) {
                value = value * 8 + digit;
                self.rest.next();
            }
        }
        char::from_u32(value).unwrap_or_default()
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let (digits, is_whole): (String, bool) = match self.rest.next_if_eq(&'{') {
            Some(_) => (self.until('}')?, true),
            None => {
                let two: String = self.rest.by_ref().take(2).collect();
                let is_whole = two.len() == 2;
                (two, is_whole)
            }
        };
        let is_number = is_whole && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(&digits, 16).ok().filter(|_| is_number);
        let character = value.and_then(char::from_u32);
        character.ok_or_else(|| refused(&format!("`{digits}` is no hexadecimal character")))
    }

    fn quoted(&mut self) {
        let tail: String = self.rest.clone().collect();
        let literal = tail.split("\\E").next().unwrap_or_default();
        self.out.push_str(&regex::escape(literal));
        let taken = literal.chars().count() + if literal.len() < tail.len() { 2 } else { 0 };
        for _ in 0..taken {
            self.rest.next();
        }
    }

    /// What stands in brackets; the crate says when they are not closed.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        while let Some(c) = self.rest.next() {
            if c == ']' && !is_first {
                self.out.push(c);
                break;
            }
            is_first = false;
            if c == '[' && self.posix()? || c == '\\' && self.named_class()? {
                continue;
            }
            let low = self.member(c)?;
            self.literal(low);
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
            if is_range {
                self.rest.next();
                let next = self.rest.next().unwrap_or_default();
                let high = self.member(next)?;
                self.out.push('-');
                self.literal(high);
            }
        }
        Ok(())
    }

    fn member(&mut self, c: char) -> Result<char, String> {
        match c {
            '\\' => self.escaped(),
            _ => Ok(c),
        }
    }

    /// `[:name:]` behind its first bracket.
    fn posix(&mut self) -> Result<bool, String> {
        let tail: String = self.rest.clone().collect();
        let Some((name, _)) = tail
            .strip_prefix(':')
            .and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(false);
        };
        if !CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(refused(&format!("there is no class `[:{name}:]`")));
        }
        self.out.push_str(&format!("[:{name}:]"));
        for _ in 0..name.chars().count() + 3 {
            self.rest.next();
        }
        Ok(true)
    }

    /// An opening parenthesis with the question mark that may follow it.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        let mut ahead = self.rest.clone();
        let mut flags = String::new();
        while let Some(c) = ahead.next_if(|c| c.is_ascii_alphabetic() || *c == '-') {
            flags.push(c);
        }
        let end = ahead.next();
        if flags.is_empty() && end == Some(')') {
            // No flags at all are as good as a group of nothing.
            self.out.push(':');
        }
        let is_flags = matches!(end, Some(':' | ')'));
        match flags.chars().find(|flag| !FLAGS.contains(*flag)) {
            Some(flag) if is_flags => Err(refused(&format!("there is no flag `{flag}`"))),
            _ => Ok(()),
        }
    }

    /// `{2}`, `{2,}` or `{2,3}` behind its brace; `None`: the brace is a character.
    fn counts(&mut self) -> Result<Option<String>, String> {
        let tail: String = self.rest.clone().take(16).collect();
        let Some((inside, _)) = tail.split_once('}') else {
            return Ok(None);
        };
        let bounds: Vec<&str> = inside.splitn(2, ',').collect();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_repetition = match bounds[..] {
            [only] => is_number(only),
            [low, high] => is_number(low) && (high.is_empty() || is_number(high)),
            _ => false,
        };
        if !is_repetition {
            return Ok(None);
        }
        let is_too_many = |bound: &&str| bound.parse::<u32>().is_ok_and(|count| count > MOST);
        if bounds.iter().any(is_too_many) {
            return Err(refused(&format!("it repeats more than {MOST} times")));
        }
        for _ in 0..=inside.len() {
            self.rest.next();
        }
        Ok(Some(format!("{{{inside}}}")))
    }

    /// Behind a repetition: it may be lazy, and it may not be repeated.
    fn repeated(&mut self) -> Result<(), String> {
        if let Some(lazy) = self.rest.next_if_eq(&'?') {
            self.out.push(lazy);
        }
        let next = self.rest.peek().copied();
        let mut ahead = Translation {
            rest: self.rest.clone(),
            out: String::new(),
        };
        let is_repeated = match next {
            Some('*' | '+' | '?') => true,
            Some('{') => {
                ahead.rest.next();
                ahead.counts()?.is_some()
            }
            _ => false,
        };
        match is_repeated {
            true => Err(refused("it repeats a repetition")),
            false => Ok(()),
        }
    }

    fn until(&mut self, end: char) -> Result<String, String> {
        let mut inside = String::new();
        for c in self.rest.by_ref() {
            if c == end {
                return Ok(inside);
            }
            inside.push(c);
        }
        Err(refused(&format!("a `{end}` is missing")))
    }

    /// A character that stands for itself.
    fn literal(&mut self, c: char) {
        match c.is_alphanumeric() {
            true => self.out.push(c),
            false => self.out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
        }
    }
}

fn refused(reason: &str) -> String {
    format!("the regular expression does not compile: {reason}")
}
