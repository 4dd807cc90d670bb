//! String literals as Go writes them: raw in back quotes, or in double quotes with escapes.

use super::SyntaxError;

/// Reads the literal that starts at `start`; gives its value and the offset behind it.
pub(super) fn read(text: &str, start: usize) -> Result<(String, usize), SyntaxError> {
    if text.as_bytes().get(start) == Some(&b'`') {
        return raw(text, start);
    }
    interpreted(text, start)
}

/// Writes a literal that reads back as `value`: raw where that is possible.
pub(crate) fn quote(value: &str) -> String {
    let raw = !value.contains('`') && !value.contains('\r');
    if raw {
        return format!("`{value}`");
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn raw(text: &str, start: usize) -> Result<(String, usize), SyntaxError> {
    let body = &text[start + 1..];
    let Some(length) = body.find('`') else {
        return Err(SyntaxError::new(start, "the closing back quote is missing"));
    };
    // Go drops carriage returns in raw literals, so files with CRLF mean the same.
    let value = body[..length].replace('\r', "");
    Ok((value, start + length + 2))
}

fn interpreted(text: &str, start: usize) -> Result<(String, usize), SyntaxError> {
    let mut bytes = Vec::new();
    let mut rest = text[start + 1..].char_indices();
    while let Some((at, c)) = rest.next() {
        let here = start + 1 + at;
        match c {
            '"' => {
                let value = String::from_utf8(bytes)
                    .map_err(|_| SyntaxError::new(start, "the literal is not valid UTF-8"))?;
                return Ok((value, here + 1));
            }
            '\n' => break,
            '\\' => {
                let consumed = escape(&text[here + 1..], here, &mut bytes)?;
                for _ in 0..consumed {
                    rest.next();
                }
            }
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(SyntaxError::new(
        start,
        "the closing double quote is missing",
    ))
}

/// Reads what follows a backslash at `at`; gives the number of (ASCII) characters it took.
fn escape(rest: &str, at: usize, out: &mut Vec<u8>) -> Result<usize, SyntaxError> {
    let simple = match rest.as_bytes().first() {
        Some(b'a') => 0x07,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'v') => 0x0b,
        Some(b'\\') => b'\\',
        Some(b'"') => b'"',
        Some(b'x') => return numeric(rest, at, 1, 2, out).map(|n| n + 1),
        Some(b'u') => return numeric(rest, at, 1, 4, out).map(|n| n + 1),
        Some(b'U') => return numeric(rest, at, 1, 8, out).map(|n| n + 1),
        Some(b'0'..=b'7') => return numeric(rest, at, 0, 3, out),
        _ => return Err(unknown_escape(at)),
    };
    out.push(simple);
    Ok(1)
}

/// `\ooo`, `\xHH`: one byte; `\uXXXX`, `\UXXXXXXXX`: one character.
fn numeric(
    rest: &str,
    at: usize,
    skip: usize,
    digits: usize,
    out: &mut Vec<u8>,
) -> Result<usize, SyntaxError> {
    let radix = if skip == 0 { 8 } else { 16 };
    let number = rest
        .get(skip..skip + digits)
        .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|text| u32::from_str_radix(text, radix).ok())
        .ok_or_else(|| unknown_escape(at))?;
    if digits <= 3 {
        out.push(u8::try_from(number).map_err(|_| unknown_escape(at))?);
    } else {
        let c = char::from_u32(number).ok_or_else(|| unknown_escape(at))?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(digits)
}

fn unknown_escape(at: usize) -> SyntaxError {
    SyntaxError::new(
        at,
        "this is no valid escape in double quotes; write the text in back quotes to take it as it is",
    )
}
