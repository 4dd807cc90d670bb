//! Bodies of requests: bounded in size and time, forms in both of their content types.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use carnet_oauth::form;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// Forms are short.
const FORM_LIMIT: usize = 64 * 1024;

/// What an administrator sends may be longer.
const ADMIN_LIMIT: usize = 1024 * 1024;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body that was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is too long.
    TooLong,
    /// It stopped coming.
    Late,
    /// The connection broke.
    Broken,
}

/// The parameters of a form. A body of another content type has none.
pub(super) async fn parameters(
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<(String, String)>, BodyError> {
    let bytes = read(body, FORM_LIMIT).await?;
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(form::parse(&bytes));
    }
    Ok(match multer::parse_boundary(content_type) {
        Ok(boundary) => multipart(bytes, boundary).await,
        Err(_) => Vec::new(),
    })
}

/// A body of the admin API.
pub(super) async fn admin(body: Body) -> Result<Bytes, BodyError> {
    read(body, ADMIN_LIMIT).await
}

async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLong),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::Late),
    }
}

/// Parts that are no text are dropped, as pairs of the other form are; a broken body has none.
async fn multipart(bytes: Bytes, boundary: String) -> Vec<(String, String)> {
    let stream = futures_util::stream::once(async { Ok::<_, Infallible>(bytes) });
    let mut parts = multer::Multipart::new(stream, boundary);
    let mut parameters = Vec::new();
    loop {
        match parts.next_field().await {
            Ok(Some(part)) => {
                let name = part.name().map(str::to_owned);
                let value = part
                    .bytes()
                    .await
                    .map(|value| String::from_utf8(value.to_vec()));
                if let (Some(name), Ok(Ok(value))) = (name, value) {
                    parameters.push((name, value));
                }
            }
            Ok(None) => return parameters,
            Err(_) => return Vec::new(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    async fn read_as(content_type: &'static str, body: &str) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        parameters(&headers, Body::from(body.to_owned()))
            .await
            .unwrap()
    }

    // Holds TE-03.
    #[tokio::test]
    async fn forms_are_read_in_both_content_types_and_nothing_else_is() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let parts = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1 2\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n3\r\n--b--\r\n";
        for (content_type, body, expected) in [
            ("application/x-www-form-urlencoded", "a=1+2&a=3", 2),
            (
                "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
                "a=1+2&a=3",
                2,
            ),
            ("multipart/form-data; boundary=b", parts, 2),
            ("multipart/form-data; boundary=c", parts, 0),
            ("multipart/form-data", parts, 0),
            ("application/json", "{\"a\":1}", 0),
            ("text/plain", "a=1", 0),
        ] {
            let read = read_as(content_type, body).await;
            assert_eq!(read.len(), expected, "{content_type}");
            if expected > 0 {
                assert_eq!(read, [pair("a", "1 2"), pair("a", "3")]);
            }
        }
    }

    // Holds TE-28.
    #[tokio::test]
    async fn a_long_body_is_not_read() {
        let body = Body::from(vec![b'a'; FORM_LIMIT + 1]);
        assert_eq!(
            parameters(&HeaderMap::new(), body).await,
            Err(BodyError::TooLong)
        );
    }
}
