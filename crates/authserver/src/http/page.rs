//! Pages for people, plain and without scripts of others. What a request sent stands in them as text
//! alone.

use axum::{
    http::{StatusCode, header},
    response::Response,
};

use crate::{
    domain::{
        Authority,
        authorize::{Answer, Destination, Mode, Onward, browser::Cookie},
    },
    http::{answer, cookie},
};

const HTML: &str = "text/html; charset=utf-8";

/// Nothing is loaded; forms and frames go where they must.
const POLICY: &str = "default-src 'none'; base-uri 'none'; style-src 'unsafe-inline'";

/// A page with a heading and a text.
pub(super) fn page(status: StatusCode, heading: &str, text: &str) -> Response {
    let body = format!("<h1>{}</h1>\n<p>{}</p>", escaped(heading), escaped(text));
    answer::with(status, HTML, document(heading, POLICY, "", &body))
}

/// A page that opens others and goes on by itself.
pub(super) fn frames(pages: &[String], to: &str) -> Response {
    let to = escaped(to);
    let mut body = pages.iter().fold(String::new(), |body, page| {
        body + &format!("<iframe src=\"{}\" hidden></iframe>\n", escaped(page))
    });
    body += &format!("<p>You are being logged out. <a href=\"{to}\">Go on</a></p>");
    let policy = format!("{POLICY}; frame-src http: https:");
    let head = format!("<meta http-equiv=\"refresh\" content=\"2;url={to}\">\n");
    let text = document("Logging out", &policy, &head, &body);
    answer::with(StatusCode::OK, HTML, text)
}

/// A page whose form goes to a client (OAuth 2.0 Form Post Response Mode).
fn form_post(told: &Answer) -> Response {
    let inputs = told
        .parameters
        .iter()
        .fold(String::new(), |inputs, (name, value)| {
            inputs
                + &format!(
                    "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n",
                    escaped(value)
                )
        });
    let to = escaped(&told.redirect_uri);
    let body = format!(
        "<form method=\"post\" action=\"{to}\">\n{inputs}<noscript><button>Go on</button>\
         </noscript>\n</form>\n<script>document.forms[0].submit()</script>"
    );
    let policy = format!("{POLICY}; script-src {SUBMIT}");
    answer::with(
        StatusCode::OK,
        HTML,
        document("Going on", &policy, "", &body),
    )
}

/// The SHA-256 of the one script there is.
const SUBMIT: &str = "'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='";

/// On to a page: as Go's library says it, which browsers of people follow.
pub(super) fn found(location: &str, is_get: bool) -> Response {
    let mut response = match is_get {
        true => {
            let text = format!("<a href=\"{}\">Found</a>.\n\n", escaped(location));
            answer::with(StatusCode::FOUND, HTML, text)
        }
        false => answer::empty(StatusCode::FOUND),
    };
    answer::set_text(&mut response, header::LOCATION, location);
    response
}

/// Where a browser goes next, and what it keeps.
pub(super) fn onward(authority: &Authority, onward: Onward, is_get: bool) -> Response {
    let mut response = match onward.to {
        Destination::Page(page) => found(&page, is_get),
        Destination::Client(told) if told.mode == Mode::FormPost => {
            answer::uncached(form_post(&told))
        }
        Destination::Client(told) => {
            let mut response = answer::empty(StatusCode::SEE_OTHER);
            answer::set_text(&mut response, header::LOCATION, &told.location());
            answer::uncached(response)
        }
    };
    keep(authority, &mut response, &onward.cookies);
    response
}

/// Lets a browser keep something.
pub(super) fn keep(authority: &Authority, response: &mut Response, cookies: &[Cookie]) {
    for cookie in cookies {
        if let Ok(value) = cookie::written(authority, cookie).parse() {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

fn document(title: &str, policy: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n{head}\
         <title>{}</title></head>\n<body>\n{body}\n</body>\n</html>\n",
        escaped(title)
    )
}

/// A text as markup has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_others_is_text() {
        let text = "<script>alert(\"1\")</script> & 'x'";
        let expected = "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; &#39;x&#39;";
        assert_eq!(escaped(text), expected);
    }

    #[test]
    fn the_one_script_is_the_one_that_may_run() {
        use aws_lc_rs::digest::{SHA256, digest};
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let hash = digest(&SHA256, b"document.forms[0].submit()");
        assert_eq!(SUBMIT, format!("'sha256-{}'", STANDARD.encode(hash)));
    }
}
