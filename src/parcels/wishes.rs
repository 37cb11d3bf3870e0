//! By whom a remark wants its parcel to go, or not to go.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::carriers::{Carrier, Carriers, OTHER};
use super::halts::{ends, list};
use crate::typed::{clauses, plain};

/// The service that a remark wants, or one that it does not: 要顺丰, 发德邦, 别发中通, 圆通到不了.
pub fn wishes(text: &str) -> Vec<(Carrier, bool)> {
    const VERBS: &str = "发 寄 走 用 要 选 换 改 转 派 请 只 必须 指定 优先 尽量 最好 麻烦 安排 务必 一定 只能";
    const ENDS: &str = "快递 到付 寄付 包邮 谢谢 吧 哦 了 的 就 发 寄 走 派送 哈";
    const REFUSED: &str = "到不了 不到 不派 送不到 没网点 无网点 不送 停发";
    let text = plain(text);
    let mut wishes = Vec::new();
    for clause in clauses(&text) {
        for (name, carrier) in usual() {
            for (at, _) in clause.match_indices(name.as_str()) {
                let (before, after) = (&clause[..at], &clause[at + name.len()..]);
                let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                if name.is_ascii() && (word(before.chars().next_back()) || word(after.chars().next())) {
                    continue;
                }
                let asked = before.is_empty() || ends(before, VERBS);
                let verb = list(VERBS).filter_map(|verb| before.strip_suffix(verb)).min_by_key(|rest| rest.len());
                let refused = list(REFUSED).any(|word| after.starts_with(word));
                let denied = ends(verb.unwrap_or(before), "不 别 勿 不要 不用 不能 不想 不想要 千万别 拒");
                let ended = after.is_empty() || list(ENDS).any(|end| after.starts_with(end));
                if refused || asked && ended {
                    wishes.push((carrier.clone(), !refused && !denied));
                }
            }
        }
    }
    wishes
}

/// Those that most shops use, under the short names that people have for them, none of which is a word of its own.
fn usual() -> &'static HashMap<String, Carrier> {
    const NAMES: &str =
        "顺丰 中通 圆通 申通 韵达 极兔 京东 邮政 ems 德邦 丹鸟 菜鸟速递 百世 优速 宅急送 跨越 安能 丰网 闪送";
    static USUAL: OnceLock<HashMap<String, Carrier>> = OnceLock::new();
    USUAL.get_or_init(|| {
        let carriers = Carriers::default();
        let known = |name: &str| Some((name.to_owned(), carriers.known(name).filter(|known| known.code != OTHER)?));
        list(NAMES).filter_map(known).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_tells_by_whom_its_parcel_is_to_go() {
        let said = |text: &str| {
            let mut said: Vec<String> = wishes(text)
                .into_iter()
                .map(|(carrier, yes)| format!("{}{}", if yes { "" } else { "-" }, carrier.code))
                .collect();
            said.sort();
            said.join(" ")
        };
        for (text, right) in [
            ("要顺丰", "SF"),
            ("发德邦", "DBL"),
            ("别发中通", "-ZTO"),
            ("不要中通", "-ZTO"),
            ("请发顺丰快递，谢谢", "SF"),
            ("指定京东", "JD"),
            ("顺丰到付", "SF"),
            ("圆通到不了，发邮政", "-YTO YZPY"),
            ("发EMS", "EMS"),
            ("顺丰", "SF"),
            ("放中通驿站", ""),
            ("邮政路12号", ""),
            ("京东买的", ""),
            ("要圆通大师的书", ""),
            ("要items", ""),
            ("放丰巢", ""),
        ] {
            assert_eq!(said(text), right, "{text}");
        }
    }
}
