//! What somebody is to do: the steps that still keep the shop from taking money, and the one thing that waits longest.

use serde::Serialize;

use crate::clock::{self, DAY, HOUR};
use crate::console::system::{self, certificate};
use crate::jobs;
use crate::payments::store as payments;
use crate::settings::store::Tried;
use crate::settings::{Group, Settings};
use crate::shop::Shop;
use crate::wechat::Api;
use crate::wechat::v3::sign::BadSeal;

/// What the database knows of it.
pub struct Found {
    /// What only the owner can mend, by kind.
    pub alerts: Vec<(String, String)>,
    /// Money under way that today's settings cannot follow, each with the page to begin at.
    pub left: Vec<Step>,
    /// Something of API v3 is under way.
    pub v3_waits: bool,
    /// How late the job is that should have run first.
    pub late: Option<i64>,
    pub tried: Vec<Tried>,
    pub push_refused: bool,
    /// When the clock was set back in the last days, and by how much.
    pub set_back: Option<(i64, i64)>,
    pub no_goods: bool,
    pub no_orders: bool,
}

/// What to do, and the page where it is done.
pub type Step = (String, String);

/// The owner's steps, the first first.
pub fn steps(shop: &Shop, settings: &Settings, found: &Found) -> Vec<Step> {
    let mut todo: Vec<Step> = Vec::new();
    let mut step = |words: &str, to: String| todo.push((words.to_owned(), to));
    if settings.mini_program().is_none() {
        step("填写微信小程序的 AppID 和 AppSecret", system::here(4));
    }
    if let Some(why) = settings.unready(settings.api()) {
        // Which version it will be is chosen with the merchant's number.
        let begun = settings.get("wechat.mch_id").is_some();
        step(if begun { &why } else { "填写微信支付的商户号和密钥" }, system::here(5));
    }
    if settings.notify_url(settings.api()).is_none() {
        step("填写对外地址，微信才能通知付款结果", system::here(3));
    }
    if let Some(why) = system::setup::out_of_reach(settings) {
        step(&why, system::here(3));
    }
    if let Some(words) = certificate::warning(shop) {
        step(&words, "/admin/settings#certificate".to_owned());
    }
    // A version that takes no orders keeps nobody from paying.
    let sells = settings.api() == Api::V3;
    let unbelieved = shop.wechat.unbelieved().filter(|_| sells || found.v3_waits);
    if let Some(bad) = unbelieved.filter(BadSeal::is_for_owner_of_reply) {
        let so = if sells { "买家付不了款" } else { "用 API v3 办的款跟不下去" };
        step(&format!("微信支付的回答不能信，{so}：{}", bad.of_reply()), "/admin/settings#pay_v3".to_owned());
    }
    for (kind, words) in &found.alerts {
        let card = if kind.starts_with("v2") { Group::PayV2 } else { Group::PayV3 };
        let number = kind.strip_prefix(payments::UNREAD).map(|number| format!("/admin/transactions?q={number}"));
        step(words, number.unwrap_or_else(|| format!("/admin/settings#{}", card.word())));
    }
    for (words, page) in &found.left {
        step(words, page.clone());
    }
    if let Some(why) = shop.wechat.refused(settings.api()) {
        step(&format!("微信不受理付款，买家付不了款：{why}"), "/admin/settings#pay".to_owned());
    }
    // A version that takes no orders keeps nobody from paying; its card shows what its test said.
    let resting = if settings.api() == Api::V3 { Group::PayV2 } else { Group::PayV3 };
    for failed in found.tried.iter().filter(|tried| !tried.fine && tried.part != resting.word()) {
        step(&failed.words, format!("/admin/settings#{}", failed.part));
    }
    for (setting, why) in settings.doubts() {
        if matches!(setting.group, Group::PayV2 | Group::PayV3) {
            step(&why, format!("/admin/settings#{}", setting.group.word()));
        }
    }
    if let Some((at, back)) = found.set_back {
        let words = format!("{}。请看自动校时是不是开着", jobs::set_back(at, back, shop.now()));
        step(&words, "/admin/diagnostics".to_owned());
    }
    if let Some(stands) = shop.worker_stands() {
        let words = format!("后台任务停了 {}，付款、退款都没有人跟进：请重启小铺", clock::span(stands));
        step(&words, "/admin/jobs".to_owned());
    }
    if let Some(late) = found.late.filter(|late| *late > HOUR) {
        let words = format!("最早的后台任务晚了 {}还没有办：请看后台任务页，一直不动就重启小铺", clock::span(late));
        step(&words, "/admin/jobs".to_owned());
    }
    if found.push_refused {
        let words = "微信的消息推送是加密的，打不开：请把小程序后台的 EncodingAESKey 填到设置页，微信会重发";
        step(words, "/admin/settings#app".to_owned());
    }
    if found.no_goods {
        step("上传第一个商品，或载入示例商品", system::here(6));
    }
    if todo.is_empty() && found.no_orders {
        let words = "用手机下一个 0.01 元的测试单，走一遍付款、发货和退款";
        todo.push((words.to_owned(), "/admin/products".to_owned()));
    }
    said_once(todo)
}

/// One thing that is wrong shows itself in several places, and is said once, as early as it comes.
fn said_once(todo: Vec<Step>) -> Vec<Step> {
    let all: Vec<String> = todo.iter().map(|(words, _)| bare(words).to_owned()).collect();
    let is_new = |(place, (words, _)): &(usize, Step)| {
        let said = |before: &String| before.contains(bare(words)) || bare(words).contains(before.as_str());
        !all.iter().take(*place).any(said)
    };
    todo.into_iter().enumerate().filter(is_new).map(|(_, step)| step).collect()
}

/// A sentence without what follows from it.
fn bare(words: &str) -> &str {
    words.rsplit_once("买家付不了款：").map_or(words, |(_, why)| why)
}

/// What waits, as far as this person may know of it.
pub struct Waits {
    /// Money to be decided about.
    pub decide: i64,
    pub refunds: i64,
    pub to_ship: i64,
    /// How long the oldest of them has waited.
    pub waited: Option<i64>,
    pub low: i64,
}

/// The one thing to do first: a sentence, why, and where.
#[derive(Serialize)]
pub struct Next {
    icon: &'static str,
    what: String,
    why: String,
    to: &'static str,
    button: &'static str,
}

impl Next {
    /// The first is to be done now, the others after it.
    pub fn all(waits: &Waits) -> Vec<Next> {
        let Waits { decide, refunds, to_ship, waited, low } = *waits;
        let late = waited.is_some_and(|waited| waited >= DAY);
        let decide = (decide > 0).then(|| Next {
            icon: "triangle-alert",
            what: format!("{decide} 笔款项等您决定"),
            why: "钱已经收到，但对不上订单".to_owned(),
            to: "/admin/exceptions",
            button: "去看看",
        });
        let refunds = (refunds > 0).then(|| Next {
            icon: "rotate-ccw",
            what: format!("{refunds} 笔退款等您处理"),
            why: "买家在等答复".to_owned(),
            to: "/admin/refunds",
            button: "去处理",
        });
        let ship = (to_ship > 0).then(|| Next {
            icon: "truck",
            what: match late {
                true => format!("先发等得最久的，共 {to_ship} 单待发"),
                false => format!("{to_ship} 单待发货"),
            },
            why: format!("最早一单已等 {}", clock::span(waited.unwrap_or(0))),
            to: "/admin/orders?tab=to_ship",
            button: "去发货",
        });
        let low = (low > 0).then(|| Next {
            icon: "package",
            what: format!("{low} 个规格快卖完了"),
            why: "补货或调整库存".to_owned(),
            to: "/admin/products?tab=low",
            button: "看看是哪些",
        });
        let middle = if late { [ship, refunds] } else { [refunds, ship] };
        [decide].into_iter().chain(middle).chain([low]).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_longest_or_costs_most_is_done_first() {
        let nothing = || Waits { decide: 0, refunds: 0, to_ship: 0, waited: None, low: 0 };
        for (waits, icons) in [
            (nothing(), &[][..]),
            (Waits { low: 1, ..nothing() }, &["package"]),
            (Waits { low: 1, to_ship: 1, waited: Some(DAY), ..nothing() }, &["truck", "package"]),
            (Waits { to_ship: 1, waited: Some(DAY - 1), refunds: 1, ..nothing() }, &["rotate-ccw", "truck"]),
            (Waits { to_ship: 1, waited: Some(DAY), refunds: 1, ..nothing() }, &["truck", "rotate-ccw"]),
            (
                Waits { to_ship: 1, waited: Some(DAY), refunds: 1, decide: 1, ..nothing() },
                &["triangle-alert", "truck", "rotate-ccw"],
            ),
        ] {
            assert_eq!(Next::all(&waits).iter().map(|next| next.icon).collect::<Vec<_>>(), icons);
        }
    }

    #[test]
    fn one_thing_is_said_once() {
        let step = |words: &str| (words.to_owned(), String::new());
        let said = said_once(vec![
            step("微信不受理付款，买家付不了款：签名错误"),
            step("签名错误"),
            step("证书快到期了"),
            step("V2 密钥：签名错误，请重填"),
        ]);
        let words: Vec<&str> = said.iter().map(|(words, _)| words.as_str()).collect();
        assert_eq!(words, ["微信不受理付款，买家付不了款：签名错误", "证书快到期了"]);
    }
}
