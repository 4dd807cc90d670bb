//! `list oauth2-clients`: a page of them, and the name of the next page.

use carnet_oauth::client::Client;
use reqwest::Method;
use reqwest::header::{HeaderMap, LINK};

use crate::api::{self, Api};
use crate::args::{ApiFlags, Page};
use crate::commands::shown;
use crate::output::Failure;
use crate::process::Process;

/// Prints the page.
pub(super) async fn run(
    args: Page,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let mut request = api
        .request(Method::GET, &["admin", "clients"])
        .query(&[("page_size", args.page_size)]);
    if let Some(token) = &args.page_token {
        request = request.query(&[("page_token", token)]);
    }
    let answer = api::send(request).await?;
    let clients: Vec<Client> = answer.json()?;
    let next = next_page(&answer.headers).unwrap_or_default();
    shown::page(&clients, next)?.print(api_flags, process)
}

/// The token of the next page, from the `Link` header (RFC 8288).
fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers
        .get_all(LINK)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), r#"rel="next""# | "rel=next"));
        is_next.then_some(target)
    })?;
    let (_, query) = next.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == "page_token")
        .map(|(_, token)| token.into_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_the_links() {
        let first = r#"</admin/clients?page_size=1&page_token=a>; rel="first""#;
        let next = r#"</admin/clients?page_size=1&page_token=b%2Bc>; rel="next""#;
        for (links, token) in [
            (vec![format!("{first},{next}")], Some("b+c")),
            (vec![first.to_owned(), next.to_owned()], Some("b+c")),
            (vec![first.to_owned()], None),
            (vec!["nonsense".to_owned()], None),
            (vec![], None),
        ] {
            let mut headers = HeaderMap::new();
            for link in links {
                headers.append(LINK, link.parse().unwrap());
            }
            assert_eq!(next_page(&headers).as_deref(), token);
        }
    }
}
