//! Forms in a file, one a line: the value of the Authorization header or nothing, a tab, the body.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// The requests that the lines make, head and body.
pub(super) fn read(file: &Path, path: &str) -> Result<Vec<Vec<u8>>> {
    let text = std::fs::read_to_string(file)?;
    let requests = text
        .lines()
        .map(|line| request(line, path))
        .collect::<Result<Vec<_>>>()?;
    ensure!(!requests.is_empty(), "{} has no form", file.display());
    Ok(requests)
}

fn request(line: &str, path: &str) -> Result<Vec<u8>> {
    let (authorization, body) = line.split_once('\t').context("a line has no tab")?;
    let authorization = match authorization {
        "" => String::new(),
        value => format!("Authorization: {value}\r\n"),
    };
    let length = body.len();
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: bench.localhost\r\nUser-Agent: bench\r\n{authorization}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    Ok(text.into_bytes())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_request() {
        let text = |line| String::from_utf8(request(line, "/p").unwrap()).unwrap();
        let plain = text("\ta=1");
        assert!(
            plain.starts_with("POST /p HTTP/1.1\r\n") && plain.ends_with("Length: 3\r\n\r\na=1")
        );
        assert!(!plain.contains("Authorization"));
        assert!(text("Basic x\t").contains("\r\nAuthorization: Basic x\r\n"));
        assert!(request("no tab", "/p").is_err());
    }
}
