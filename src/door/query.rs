//! Query strings: page sizes, and cursors that only we can read.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rocket::http::uri::Origin;
use serde::Serialize;

use crate::error::{Error, Result};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 50;

/// What stands behind the question mark. Read by hand where a kept answer needs none of it: Rocket's own reading of a
/// query costs more than the rest of such a request.
pub struct Given<'q>(Vec<(Cow<'q, str>, Cow<'q, str>)>);

impl<'q> Given<'q> {
    pub fn of(address: &'q Origin<'_>) -> Given<'q> {
        let query = address.query().map_or("", |query| query.as_str());
        Given(form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// The first value of this name; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
            .filter(|value| !value.is_empty())
    }
}

/// A page of a list, with what to ask for next.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// `?limit=`, 20 when absent.
pub fn page_size(text: Option<&str>) -> Result<i64> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(DEFAULT_LIMIT) };
    text.parse()
        .ok()
        .filter(|n| (1..=MAX_LIMIT).contains(n))
        .ok_or_else(|| Error::field("limit", format!("limit 应在 1 到 {MAX_LIMIT} 之间")))
}

/// Packs where a list stopped; `kind` keeps a cursor from being used on another order of the list.
pub fn cursor(kind: &str, numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    BASE64_URL_SAFE_NO_PAD.encode(format!("{kind}:{}", numbers.join(":")))
}

/// Unpacks `?cursor=`; `None` on the first page.
pub fn read_cursor<const N: usize>(kind: &str, text: Option<&str>) -> Result<Option<[i64; N]>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = || {
        let plain = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let numbers = plain.strip_prefix(kind)?.strip_prefix(':')?;
        let numbers: Option<Vec<i64>> = numbers.split(':').map(|n| n.parse().ok()).collect();
        <[i64; N]>::try_from(numbers?).ok()
    };
    read().map(Some).ok_or_else(|| Error::field("cursor", "翻页位置无效，请从第一页重新开始"))
}

/// `?flag=true`.
pub fn flag(name: &str, text: Option<&str>) -> Result<bool> {
    match text {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Error::field(name, format!("{name} 只能是 true 或 false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_only_on_its_own_list() {
        let packed = cursor("price_asc", &[1990, 7]);
        assert_eq!(read_cursor("price_asc", Some(&packed)).unwrap(), Some([1990, 7]));
        assert!(read_cursor::<2>("newest", Some(&packed)).is_err());
        assert!(read_cursor::<1>("price_asc", Some(&packed)).is_err());
        assert!(read_cursor::<2>("price_asc", Some("###")).is_err());
        assert_eq!(read_cursor::<2>("price_asc", None).unwrap(), None);
    }
}
