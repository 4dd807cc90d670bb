//! Lists of objects: searched, sorted and cut into pages by the parameters of Traefik's `/api`.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// Objects of a page, unless it says otherwise.
const PER_PAGE: usize = 100;

/// The parameters of a list.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(text: &str) -> Self {
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The first value of a parameter; an empty one counts as absent.
    fn text(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let (_, value) = pairs.find(|(given, _)| given == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, String> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let number: i64 = text.parse().unwrap_or(0);
        usize::try_from(number)
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("invalid request: {name}: {number}"))
    }
}

/// One page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// 1 when this is the last.
    pub(super) next: usize,
}

/// The page of a list that the query asks for. Err: it asks for none.
pub(super) fn page(mut items: Vec<Value>, query: &Query) -> Result<Page, String> {
    items.retain(|item| is_wanted(item, query));
    sort(&mut items, query);
    let (per_page, number) = (
        query.number("per_page", PER_PAGE)?,
        query.number("page", 1)?,
    );
    let start = (number - 1).saturating_mul(per_page);
    if start != 0 && start >= items.len() {
        return Err(format!(
            "invalid request: page: {number}, per_page: {per_page}"
        ));
    }
    let end = start.saturating_add(per_page).min(items.len());
    Ok(Page {
        next: match end < items.len() {
            true => number + 1,
            false => 1,
        },
        items: items.drain(start..end).collect(),
    })
}

/// An object with its name and its provider.
pub(super) fn item(name: &str, mut shown: Map<String, Value>) -> Value {
    shown.insert("name".to_owned(), json!(name));
    if let Some((_, provider)) = name.rsplit_once('@') {
        shown.insert("provider".to_owned(), json!(provider));
    }
    Value::Object(shown)
}

fn is_wanted(item: &Value, query: &Query) -> bool {
    let text = |key: &str| item[key].as_str().unwrap_or_default();
    let has_status = |wanted: &str| text("status").eq_ignore_ascii_case(wanted);
    let has_text = |wanted: &str| {
        let wanted = wanted.to_lowercase();
        ["name", "rule"]
            .iter()
            .any(|key| text(key).to_lowercase().contains(&wanted))
    };
    let has_middleware = |wanted: &str| {
        let all = item["middlewares"].as_array();
        all.is_some_and(|all| all.iter().any(|one| one == wanted))
    };
    query.text("status").is_none_or(has_status)
        && query.text("search").is_none_or(has_text)
        && query
            .text("serviceName")
            .is_none_or(|wanted| text("service") == wanted)
        && query.text("middlewareName").is_none_or(has_middleware)
}

/// By `sortBy`, of equals by name; `direction=desc` turns it round.
fn sort(items: &mut [Value], query: &Query) {
    let key = |item: &Value| {
        let by = query.text("sortBy").map(|by| match &item[by] {
            Value::Number(number) => format!("{:020}", number.as_i64().unwrap_or_default()),
            other => other.to_string(),
        });
        (by, item["name"].as_str().unwrap_or_default().to_owned())
    };
    items.sort_by_cached_key(key);
    if query.text("direction") == Some("desc") {
        items.reverse();
    }
}
