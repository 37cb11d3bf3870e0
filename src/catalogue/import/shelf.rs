//! Whether goods are on sale, in the words of tables that other shops give out.

use crate::typed::{bare, holds, simplified};

/// Whole words for goods that can be found, sold out or not.
const ON: [&str; 41] = [
    "是",
    "1",
    "yes",
    "true",
    "y",
    "on",
    "√",
    "✓",
    "✔",
    "上架",
    "已上架",
    "上架中",
    "上架销售",
    "出售中",
    "正在出售",
    "在售",
    "在售中",
    "销售中",
    "正在销售",
    "售卖中",
    "正在售卖",
    "热卖中",
    "开售",
    "已开售",
    "已发布",
    "上线",
    "已上线",
    "在线",
    "启用",
    "已启用",
    "显示",
    "可售",
    "开启",
    "active",
    "published",
    "listed",
    "onsale",
    "onshelf",
    "online",
    "forsale",
    "instock",
];
/// Whole words for goods that nobody can find.
const OFF: [&str; 19] = [
    "否",
    "0",
    "no",
    "false",
    "n",
    "off",
    "×",
    "✗",
    "✘",
    "待售",
    "未售",
    "仓库",
    "隐藏",
    "不显示",
    "离线",
    "淘汰",
    "关闭",
    "已关闭",
    "inactive",
];
/// Words that stand in whatever says so.
const OFF_WITHIN: [&str; 32] = [
    "下架",
    "未上架",
    "不上架",
    "待上架",
    "定时上架",
    "仓库中",
    "在仓库",
    "入仓库",
    "停售",
    "停止销售",
    "停产",
    "禁售",
    "不可售",
    "未开售",
    "下线",
    "未上线",
    "未发布",
    "待发布",
    "草稿",
    "封禁",
    "冻结",
    "违规",
    "停用",
    "审核",
    "驳回",
    "draft",
    "archived",
    "unlisted",
    "unpublished",
    "delisted",
    "offline",
    "offshelf",
];
/// On sale, with nothing left to sell.
const SOLD_OUT: [&str; 8] = ["已售罄", "售罄", "已售完", "售完", "已售空", "卖完", "soldout", "outofstock"];

/// What a cell says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    On,
    Off,
    /// Can be found, and has nothing left.
    SoldOut,
}

/// `None` for words that mean neither, or both.
pub fn read(text: &str) -> Option<State> {
    let word = plain(text);
    let is = |words: &[&str]| words.contains(&word.as_str());
    let negated = ["未下架", "不下架", "没下架", "非下架"].iter().any(|no| word.contains(no));
    match () {
        () if is(&ON) => Some(State::On),
        () if is(&SOLD_OUT) => Some(State::SoldOut),
        () if is(&OFF) => Some(State::Off),
        () if negated || word.contains("上架/") || word.contains("/上架") => None,
        () if OFF_WITHIN.iter().any(|within| word.contains(within)) => Some(State::Off),
        () => None,
    }
}

/// Whether a remark beside goods says that they are sold no more: `已停售，勿上架`.
pub fn remarked_off(text: &str) -> bool {
    const WORDS: [&str; 39] = [
        "待上架",
        "未上架",
        "暂缓上架",
        "等上架",
        "先别上",
        "先不上",
        "暂不上",
        "不上了",
        "再上架",
        "缺货",
        "断货",
        "无货",
        "没货",
        "不能卖",
        "先别卖",
        "停售",
        "停止销售",
        "停止供应",
        "停卖",
        "不卖了",
        "不再卖",
        "不再销售",
        "不销售",
        "已下架",
        "下架了",
        "要下架",
        "勿上架",
        "别上架",
        "不上架",
        "不要上架",
        "勿售",
        "停产",
        "淘汰",
        "禁售",
        "作废",
        "已删除",
        "已废弃",
        "不做了",
        "停供",
    ];
    let word = plain(text);
    let denied = |at: usize| {
        ["未", "非", "没", "不", "不会", "不是", "没有", "防止", "补"].iter().any(|no| word[..at].ends_with(no))
    };
    WORDS.iter().any(|off| word.match_indices(off).any(|(at, _)| !denied(at)))
}

/// A yes or no under `是否下架` means the opposite of the same under `是否上架`; one under `缺货` is nothing more than that.
pub fn turned(title: &str, text: &str) -> Option<&'static str> {
    const YES: [&str; 7] = ["是", "1", "yes", "true", "y", "√", "✓"];
    const NO: [&str; 6] = ["否", "0", "no", "false", "n", "×"];
    let [off, sold_out] = [&["下架", "停售", "停用", "删除"][..], &["缺货", "售罄"]].map(|words| holds(title, words));
    if !(off || sold_out) || title.contains('上') {
        return None;
    }
    let word = plain(text);
    let is = |words: &[&str]| words.contains(&word.as_str());
    match () {
        () if sold_out => Some(if is(&YES) || word.contains(['缺', '罄']) { SOLD_OUT[0] } else { "" }),
        () if is(&YES) => Some("否"),
        () => is(&NO).then_some("是"),
    }
}

fn plain(text: &str) -> String {
    let kept = |c: &char| !c.is_whitespace() && !"()[]【】_-".contains(*c);
    simplified(&bare(text)).to_lowercase().chars().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shops_call_it_is_on_sale_or_not() {
        for (state, words) in [
            (
                State::On,
                "是 1 Yes TRUE √ 上架 已上架 出售中 在售中 售卖中 销售中 已发布 已上线 启用 显示 可售 Active on_sale On-Shelf １",
            ),
            (
                State::Off,
                "否 0 no × 下架 已下架 下架中 平台下架 违规下架 已下架(人工) 仓库 仓库中 在仓库中 放入仓库 未上架 待上架 定时上架 \
                 停售 已停产 草稿 草稿箱 审核中 待审核 审核驳回 已封禁 已冻结 已停用 未发布 隐藏 离线 淘汰 已关闭 Draft archived 已下線",
            ),
            (State::SoldOut, "已售罄 售罄 已售完 Sold_out"),
        ] {
            for word in words.split(' ').filter(|word| !word.is_empty()) {
                assert_eq!(read(word), Some(state), "{word}");
            }
        }
        for word in ["也许", "正常", "已删除", "新品", "上架/下架", "下架/上架", "未下架", "2", "", "预售"]
        {
            assert_eq!(read(word), None, "{word}");
        }
    }

    #[test]
    fn a_remark_says_that_goods_are_sold_no_more() {
        for text in [
            "已停售，勿上架",
            "停产",
            "不卖了",
            "老款已下架",
            "先不上架",
            "要淘汰的",
            "此款作废",
            "待上架",
            "先别上",
            "缺货",
            "暂时缺货",
            "年后再上架",
        ] {
            assert!(remarked_off(text), "{text}");
        }
        for text in [
            "热销",
            "未停产",
            "没有停售",
            "新款上架",
            "不易变质",
            "产地杭州",
            "不缺货",
            "从不断货",
            "新品预售",
            "上新",
            "",
        ] {
            assert!(!remarked_off(text), "{text}");
        }
    }

    #[test]
    fn a_yes_to_the_opposite_question_is_a_no() {
        for (title, text, says) in [
            ("是否下架", "是", Some("否")),
            ("下架", "否", Some("是")),
            ("下架(必填)", "１", Some("否")),
            ("停售", "是", Some("否")),
            ("是否停用", "否", Some("是")),
            ("是否删除", "1", Some("否")),
            ("缺货", "是", Some("已售罄")),
            ("是否缺货", "否", Some("")),
            ("缺货", "有货", Some("")),
            ("售罄", "缺", Some("已售罄")),
            ("是否下架", "已下架", None),
            ("上下架", "是", None),
            ("上架/下架", "否", None),
            ("上架", "是", None),
        ] {
            assert_eq!(turned(title, text), says, "{title} {text}");
        }
    }
}
