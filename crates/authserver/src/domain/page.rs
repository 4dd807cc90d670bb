//! Pages of a list: after which id the next one begins, sealed together with the filters, so that
//! nobody can forge a page or carry it over to another list.

use crate::domain::{AdminError, Authority, system_keys::Purpose};

/// The usual number of elements.
const DEFAULT_SIZE: u32 = 100;

/// At most so many.
const MAX_SIZE: u32 = 500;

/// The same where pages are numbered, as in Hydra 2.2.
const DEFAULT_LIMIT: u32 = 250;
const MAX_LIMIT: u32 = 1000;

/// The size of a page, of the text that a request gives.
///
/// # Errors
/// When the text is no number.
pub(crate) fn size(text: Option<&str>) -> Result<u32, AdminError> {
    between("page_size", text, DEFAULT_SIZE, MAX_SIZE)
}

/// The same where pages are numbered.
///
/// # Errors
/// When the text is no number.
pub(crate) fn limit(text: Option<&str>) -> Result<u32, AdminError> {
    between("limit", text, DEFAULT_LIMIT, MAX_LIMIT)
}

/// How many elements come before the page; none when the number is negative.
///
/// # Errors
/// When the text is no number.
pub(crate) fn offset(text: Option<&str>) -> Result<u32, AdminError> {
    between("offset", text, 0, u32::MAX)
}

fn between(name: &str, text: Option<&str>, usual: u32, most: u32) -> Result<u32, AdminError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(usual);
    };
    let number: i64 = text
        .parse()
        .map_err(|_| AdminError::Malformed(format!("Parameter '{name}' must be a number.")))?;
    Ok(match u32::try_from(number) {
        _ if number <= 0 => usual,
        Ok(number) => number.min(most),
        Err(_) => most,
    })
}

impl Authority {
    /// A token for the page that begins after this id; the first one begins after nothing.
    pub(crate) fn page_token(&self, after: &str, filters: &str) -> Result<String, AdminError> {
        self.system
            .seal(Purpose::Pages, &*self.random, after.as_bytes(), filters)
            .ok_or(AdminError::Internal)
    }

    /// After which id a page begins.
    pub(crate) fn page_after(
        &self,
        token: Option<&str>,
        filters: &str,
    ) -> Result<Option<String>, AdminError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let malformed = || {
            let text = "Parameter 'page_token' is not one that this list gave out.";
            AdminError::Malformed(text.to_owned())
        };
        let after = self
            .system
            .open(Purpose::Pages, token, filters)
            .ok_or_else(malformed)?;
        let after = String::from_utf8(after.to_vec()).map_err(|_| malformed())?;
        Ok(Some(after).filter(|after| !after.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_most_500_elements_and_at_least_one() {
        for (text, expected) in [
            (None, Some(100)),
            (Some(""), Some(100)),
            (Some("0"), Some(100)),
            (Some("-1"), Some(100)),
            (Some("2"), Some(2)),
            (Some("500"), Some(500)),
            (Some("100000"), Some(500)),
            (Some("99999999999"), Some(500)),
            (Some("abc"), None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn numbered_pages_have_hydras_older_bounds() {
        for (text, expected) in [
            (None, Some((250, 0))),
            (Some("-1"), Some((250, 0))),
            (Some("0"), Some((250, 0))),
            (Some("7"), Some((7, 7))),
            (Some("99999999999"), Some((1000, u32::MAX))),
            (Some("abc"), None),
        ] {
            let read = limit(text).ok().zip(offset(text).ok());
            assert_eq!(read, expected, "{text:?}");
        }
    }
}
