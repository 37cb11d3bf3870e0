//! How this shop stands with WeChat Pay: what it said of our own keys, and of whether its answers can be believed. Only the
//! owner can mend either, and until then nobody can pay.

use std::sync::{Mutex, PoisonError};

use super::v3::sign::{APART, BadSeal};
use super::{Account, Api, GatewayError};
use crate::clock::off;

/// What was said last.
#[derive(Default)]
pub struct Standing {
    /// Why the latest reply of API v3 was not believed; `None` when it was.
    unbelieved: Mutex<Option<BadSeal>>,
    /// Why new payments are refused, by the version and the app that they were asked for in.
    refused: Mutex<Vec<Refused>>,
}

struct Refused {
    api: Api,
    app_id: String,
    why: Why,
}

/// Why a payment that was asked for was not taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// For our keys, in words: whatever WeChat answers in earnest shows that they are right now.
    Keys(String),
    /// For what was asked, in words: only another payment can show that it is right now.
    Asked(String),
    /// There was no answer, so many times in a row.
    Unanswered(u32, String),
}

/// So many payments in a row without an answer are more than bad luck.
const UNANSWERED: u32 = 3;

impl Standing {
    pub fn note_seal(&self, sealed: &Result<(), BadSeal>) {
        *self.unbelieved.lock().unwrap_or_else(PoisonError::into_inner) = sealed.as_ref().err().cloned();
    }

    pub fn unbelieved(&self) -> Option<BadSeal> {
        self.unbelieved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in what became of a payment that was asked for, while the clock of this machine was so far `ahead` of WeChat's.
    pub fn note_order<T>(&self, account: &Account, result: &Result<T, GatewayError>, ahead: Option<i64>) {
        let before = self.forget_of(account, |_| true);
        let why = match (result, before) {
            (Ok(_), _) => return,
            (Err(e), Some(Why::Unanswered(times, _))) if e.is_unknown() => {
                Why::Unanswered(times.saturating_add(1), e.said().to_owned())
            }
            // What WeChat said before stands until it says something else.
            (Err(e), Some(before)) if e.is_unknown() => before,
            (Err(e), None) if e.is_unknown() => Why::Unanswered(1, e.said().to_owned()),
            (Err(e), _) => match why(account.api(), e, ahead) {
                Some(why) => why,
                None => return,
            },
        };
        let refused = Refused { api: account.api(), app_id: account.app_id().to_owned(), why };
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(refused);
    }

    /// WeChat answered a question of this account as it answers one whose keys are right.
    pub fn note_good(&self, account: &Account) {
        self.forget_of(account, |why| !matches!(why, Why::Asked(_)));
    }

    /// Takes out what was said of this account, if it is of this kind.
    fn forget_of(&self, account: &Account, kind: impl Fn(&Why) -> bool) -> Option<Why> {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = |one: &Refused| (one.api, one.app_id.as_str()) == (account.api(), account.app_id());
        let at = all.iter().position(|one| theirs(one) && kind(&one.why))?;
        Some(all.remove(at).why)
    }

    /// Why payments are not taken on in this version, for the owner.
    pub fn refused(&self, api: Api) -> Option<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().filter(|one| one.api == api).find_map(|one| match &one.why {
            Why::Keys(words) | Why::Asked(words) => Some(words.clone()),
            Why::Unanswered(times @ UNANSWERED.., said) => Some(format!("最近 {times} 次下单都没有得到回答：{said}")),
            Why::Unanswered(..) => None,
        })
    }

    /// The settings have changed: what was said of those before counts no more.
    pub fn forget(&self) {
        self.note_seal(&Ok(()));
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What only the owner can mend, in words; `None` for everything else. What is not signed counts too: it moves nothing, and
/// a wrong key of ours is never answered otherwise. A request of API v3 is signed with its time, so a clock that is far `ahead` of
/// WeChat's, or behind, is refused as a wrong key is.
pub fn for_owner(api: Api, e: &GatewayError, ahead: Option<i64>) -> Option<String> {
    let (Why::Keys(words) | Why::Asked(words)) = known(api, e, ahead)? else { return None };
    Some(words)
}

/// A refusal of one order says nothing of the next one, and neither does a busy WeChat.
const OF_ONE_ORDER: [&str; 9] = [
    "ORDERPAID",
    "ORDERCLOSED",
    "OUT_TRADE_NO_USED",
    "INVALID_REQUEST",
    "NOTENOUGH",
    "SYSTEMERROR",
    "FREQUENCY_LIMITED",
    "USER_ACCOUNT_ABNORMAL",
    "TRADE_ERROR",
];

/// Of a payment that was refused: what is not known is told in WeChat's own words.
fn why(api: Api, e: &GatewayError, ahead: Option<i64>) -> Option<Why> {
    let of_one = e.code().is_some_and(|code| OF_ONE_ORDER.contains(&code));
    let told = || {
        let said = format!("{} {}", e.code().unwrap_or_default(), e.said());
        Why::Asked(format!("“{}”。请核对设置里的商户号、AppID 和密钥，各按一次“测试”", said.trim()))
    };
    known(api, e, ahead).or_else(|| (!of_one).then(told))
}

/// Source: error codes, unified order, API v2; JSAPI order, API v3.
fn known(api: Api, e: &GatewayError, ahead: Option<i64>) -> Option<Why> {
    // Spelt with and without underscores through the years.
    const CODES: [(&str, &str); 6] = [
        ("SIGNERROR", "SIGNERROR"),
        ("NOAUTH", "NOAUTH"),
        ("APPIDNOTEXIST", "APPID_NOT_EXIST"),
        ("MCHIDNOTEXIST", "MCHID_NOT_EXIST"),
        ("MCHNOTEXISTS", "MCHID_NOT_EXIST"),
        ("APPIDMCHIDNOTMATCH", "APPID_MCHID_NOT_MATCH"),
    ];
    let meant = |word: &str| {
        let bare = word.replace('_', "");
        CODES.into_iter().find(|(spelt, _)| *spelt == bare).map(|(_, code)| code)
    };
    if e.is_unknown() || matches!(e, GatewayError::Certificate(_)) {
        return None;
    }
    // Our own words about its signature name headers too, and say nothing of the settings.
    let said = e.theirs();
    let code = e.code().into_iter().chain(said.split(' ')).find_map(meant);
    let keys = |words: &str| Some(Why::Keys(words.to_owned()));
    let asked = |words: &str| Some(Why::Asked(words.to_owned()));
    // The words tell more than the code: several causes share one.
    for (mark, words) in [
        ("timestamp", "微信说请求的时间不对：服务器的时钟偏了，请校时（例如 timedatectl set-ntp true）"),
        (
            "Wechatpay-Serial",
            "微信说微信支付公钥 ID 不对：请在商户平台 → API 安全 → 微信支付公钥 重新复制 ID（PUB_KEY_ID_ 开头）和公钥",
        ),
    ] {
        if api == Api::V3 && said.contains(mark) {
            return keys(words);
        }
    }
    match (code, api) {
        (Some("SIGNERROR"), Api::V2) => return keys(SIGN_V2),
        (Some("SIGNERROR"), Api::V3) => {
            if let Some(ahead) = ahead.filter(|ahead| ahead.saturating_abs() > APART) {
                return keys(&format!(
                    "微信说签名错误，而本机的时钟比微信{}：请求的时间不对，微信就不认签名。请校时（例如 timedatectl set-ntp true），密钥不用改",
                    off(ahead)
                ));
            }
            return keys("微信说签名错误：商户私钥和证书序列号不对应，或商户号不对。请在设置页核对");
        }
        (None, Api::V2) if said.contains("签名错误") => return keys(SIGN_V2),
        (Some("NOAUTH"), _) => {
            return asked("微信说这个商户号没有支付的权限：请在商户平台 → 产品中心核对 JSAPI 支付是否开通、是否受限");
        }
        (Some("APPID_NOT_EXIST"), _) => return asked("微信说没有这个 AppID，请核对"),
        (Some("MCHID_NOT_EXIST"), _) => return asked("微信说没有这个商户号，请核对"),
        (Some(_), _) => return asked("AppID 和商户号没有绑定：在商户平台 → 产品中心 → AppID 账号管理里关联"),
        (None, _) => {}
    }
    let of_one = e.code().is_some_and(|code| OF_ONE_ORDER.contains(&code));
    let mark = |marks: &[&str]| !of_one && marks.iter().any(|mark| said.contains(mark));
    match said {
        _ if mark(&["notify_url", "通知地址"]) => {
            asked("微信不接受通知地址：对外地址要 https 开头、在公网上、不带参数。请在设置页核对对外地址")
        }
        _ if mark(&["time_expire", "time_start"]) => {
            asked("微信说支付的截止时间不对：服务器的时钟偏了，请校时（例如 timedatectl set-ntp true）")
        }
        _ if mark(&["openid"]) => asked(
            "微信说买家的 openid 不属于这个 AppID：请核对 AppID 和 AppSecret 是不是同一个小程序的，买家要重新登录",
        ),
        _ if mark(&["mchid", "mch_id", "商户号"]) => asked("微信不认识这个商户号：请在设置页核对商户号"),
        _ if mark(&["appid"]) => asked("微信不认识这个 AppID：请在设置页核对 AppID，并在商户平台关联它"),
        _ => None,
    }
}

const SIGN_V2: &str = "微信说签名错误：APIv2 密钥或签名方式不对。在商户平台 → API 安全里核对";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY, MINUTE};
    use crate::wechat::v2;
    use crate::wechat::v2::sign::SignType;

    fn refused(code: &str, text: &str) -> GatewayError {
        GatewayError::Refused { code: code.into(), text: text.into() }
    }

    fn not_accepted(text: &str) -> GatewayError {
        GatewayError::NotAccepted(text.into())
    }

    /// Every way in which the settings make all payments fail names what to look at.
    #[test]
    fn what_the_owner_alone_can_mend_is_said_with_the_next_step() {
        let v3 = |text: &str| (Api::V3, not_accepted(text));
        for ((api, e), words) in [
            (v3("HTTP 400 PARAM_ERROR Wechatpay-Serial与商户的微信支付公钥ID不一致"), "公钥 ID 不对"),
            (v3("HTTP 400 PARAM_ERROR Http头Wechatpay-Serial有误"), "公钥 ID 不对"),
            ((Api::V3, refused("PARAM_ERROR", "Wechatpay-Serial错误")), "公钥 ID 不对"),
            (v3("HTTP 401 SIGNERROR 商户证书序列号有误"), "商户私钥和证书序列号不对应"),
            (v3("HTTP 401 SIGNERROR 错误的签名，验签失败"), "商户私钥和证书序列号不对应"),
            (v3("HTTP 401 SIGN_ERROR 错误的签名，验签失败"), "商户私钥和证书序列号不对应"),
            (v3("HTTP 401 SIGNERROR Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"), "请校时"),
            (
                v3("HTTP 401 SIGNERROR 错误的签名；另外，微信的回答里 Wechatpay-Serial 出现了两次"),
                "商户私钥和证书序列号不对应",
            ),
            ((Api::V3, refused("NOAUTH", "商户号该产品权限未开通")), "没有支付的权限"),
            ((Api::V3, refused("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")), "没有绑定"),
            ((Api::V3, refused("MCHID_NOT_EXIST", "商户号不存在")), "没有这个商户号"),
            ((Api::V3, refused("PARAM_ERROR", "notify_url必须是https")), "核对对外地址"),
            ((Api::V3, refused("PARAM_ERROR", "appid和openid不匹配")), "买家要重新登录"),
            ((Api::V3, refused("PARAM_ERROR", "time_expire时间过短")), "请校时"),
            ((Api::V3, refused("PARAM_ERROR", "输入源“/body/mchid”映射到值字段“商户号”校验失败")), "核对商户号"),
            ((Api::V2, not_accepted("签名错误")), "APIv2 密钥或签名方式不对"),
            ((Api::V2, refused("SIGNERROR", "签名错误")), "APIv2 密钥或签名方式不对"),
            ((Api::V2, refused("SIGN_ERROR", "签名错误")), "APIv2 密钥或签名方式不对"),
            ((Api::V2, refused("NO_AUTH", "商户无权限")), "没有支付的权限"),
            ((Api::V2, not_accepted("商户号mch_id不存在")), "核对商户号"),
            ((Api::V2, not_accepted("appid不存在")), "核对 AppID"),
            ((Api::V2, refused("APPID_NOT_EXIST", "APPID不存在")), "没有这个 AppID"),
        ] {
            let said = for_owner(api, &e, Some(3 * MINUTE));
            assert!(said.as_deref().is_some_and(|said| said.contains(words)), "{e}: {said:?}");
        }
        let doubled = "HTTP 404 ORDERNOTEXIST 订单不存在；另外，微信的回答里 Wechatpay-Serial 出现了两次";
        assert_eq!(for_owner(Api::V3, &not_accepted(doubled), None), None, "a proxy's doing is no fault of the keys");
    }

    /// By a clock that is off every signature is wrong, and no key is to be touched.
    #[test]
    fn a_signature_that_is_refused_by_a_clock_that_is_off_is_put_down_to_that() {
        let refused_by = |api, ahead| for_owner(api, &not_accepted("HTTP 401 SIGN_ERROR 签名错误"), ahead);
        for (api, ahead, words) in [
            (Api::V3, None, "商户私钥和证书序列号不对应"),
            (Api::V3, Some(5 * MINUTE), "商户私钥和证书序列号不对应"),
            (Api::V3, Some(7 * MINUTE), "本机的时钟比微信快 7 分钟"),
            (Api::V3, Some(-3 * DAY), "本机的时钟比微信慢 3 天"),
            (Api::V3, Some(i64::MIN), "本机的时钟比微信慢"),
            (Api::V2, Some(7 * MINUTE), "APIv2 密钥"),
        ] {
            let said = refused_by(api, ahead).unwrap_or_default();
            assert!(said.contains(words), "{api:?} {ahead:?}: {said}");
        }
    }

    #[test]
    fn a_refusal_is_told_until_a_payment_shows_that_it_is_over() {
        let account = Account::V2(v2::Merchant::new(
            "wxd930ea5d5a258f4f",
            "1900000109",
            "192006250b4c09247ec02edce69f6a2d".parse().unwrap(),
            SignType::Md5,
        ));
        let told = |standing: &Standing| standing.refused(Api::V2).unwrap_or_default();
        let unreachable = || Err::<(), _>(GatewayError::Unreachable("没有连上".into()));
        let standing = Standing::default();
        // Whatever WeChat says is told; what concerns one order alone is not.
        for (e, words) in [
            (not_accepted("签名错误"), "APIv2 密钥"),
            (refused("RULE_LIMIT", "业务规则限制"), "RULE_LIMIT 业务规则限制"),
            (not_accepted("HTTP 404 这个地址上没有微信支付"), "这个地址上没有微信支付"),
            (refused("NOTENOUGH", "余额不足"), ""),
            (refused("OUT_TRADE_NO_USED", "商户订单号重复"), ""),
        ] {
            standing.note_order(&account, &Err::<(), _>(e.clone()), None);
            let said = told(&standing);
            assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{e}: {said}");
        }
        // A question that is answered shows that the keys are right, and not that payments are taken on.
        for (e, over) in [(not_accepted("签名错误"), true), (refused("NOAUTH", "未开通"), false)] {
            standing.note_order(&account, &Err::<(), _>(e.clone()), None);
            standing.note_order(&account, &unreachable(), None);
            assert!(!told(&standing).is_empty(), "{e}: silence is no better word");
            standing.note_good(&account);
            assert_eq!(told(&standing).is_empty(), over, "{e}");
            standing.note_order(&account, &Ok(()), None);
            assert_eq!(told(&standing), "", "{e}");
        }
        for times in 1..=4 {
            standing.note_order(&account, &unreachable(), None);
            assert_eq!(told(&standing).contains("没有得到回答"), times >= 3, "{times}");
        }
        standing.note_good(&account);
        assert_eq!(told(&standing), "");
    }
}
