//! The parcel services that WeChat knows: the list that came with the program, and asking for today's.
//! Source: get_delivery_list, as it answered in 2026; each service of a house (快运, 国际, 标快 …) is an entry of its own.

use serde_json::json;

use super::mini_program::MiniProgram;
use super::{Exchange, GatewayError, Wechat};

/// A code and a name in each line, by code.
const LIST: &str = include_str!("carriers.tsv");

/// Every code with its name.
pub fn list() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter_map(|line| line.split_once('\t'))
}

impl Wechat {
    /// Today's list. Refused with 48001 means that this mini-program has not been given the interface.
    pub async fn delivery_list(&self, app: &MiniProgram) -> Exchange<Vec<(String, String)>> {
        let call = ("delivery_list", "/cgi-bin/express/delivery/open_msg/get_delivery_list");
        self.ask_api(app, call, &json!({})).await.and_then(|answer| {
            let entry = |entry: &serde_json::Value| {
                let text = |name: &str| entry[name].as_str().map(str::trim).filter(|text| !text.is_empty());
                Some((text("delivery_id")?.to_owned(), text("delivery_name")?.to_owned()))
            };
            let entries: Vec<_> = answer["delivery_list"].as_array().into_iter().flatten().filter_map(entry).collect();
            match entries.is_empty() {
                true => Err(GatewayError::Unreachable("回答里没有快递公司".into())),
                false => Ok(entries),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_list_that_came_along_is_whole() {
        let codes: HashSet<&str> = list().map(|(code, _)| code).collect();
        assert_eq!((codes.len(), LIST.lines().count()), (1506, 1506));
        for (code, name) in [
            ("SF", "顺丰速运"),
            ("YD", "韵达速递"),
            ("DBL", "德邦快递"),
            ("DNWL", "丹鸟物流"),
            ("KYSY", "跨越速运"),
            ("ANEKY", "安能物流"),
            ("BTWL", "百世快运"),
            ("SX", "顺心捷达"),
            ("YMDD", "壹米滴答"),
            ("SNWL", "苏宁物流"),
            ("ZJS", "宅急送"),
            ("FWX", "丰网速运"),
            ("ZYE", "众邮快递"),
            ("RRS", "日日顺物流"),
            ("SS", "闪送"),
            ("CND", "承诺达"),
            ("JGSD", "京广速递"),
            ("JYM", "加运美"),
            ("HOAU", "天地华宇"),
            ("OTHER", "其他快递"),
        ] {
            assert!(list().any(|entry| entry == (code, name)), "{code}");
        }
        // Those of WeChat's other lists.
        for code in ["YUNDA", "DBKD", "CNSD", "SXJD", "JDL", "ANE"] {
            assert!(!codes.contains(code), "{code}");
        }
    }
}
