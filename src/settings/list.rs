//! Which settings there are: their names, their words on the page, and what each must look like.

use super::hours::{self, For};
use super::number::{self, Number};
use super::regions;
use crate::money::Fen;
use crate::stored_enum::stored_enum;
use crate::typed::may_be_key;
use crate::wechat::subscribe::Chosen;
use crate::wechat::v3::keys::{PrivateKey, PublicKey, V3Key, certificate};
use crate::wechat::v3::pasted;

stored_enum! {
    /// What belongs on one card of the settings page, and on one step of the set-up.
    pub enum Group {
        Shop "shop" "店铺",
        Trade "trade" "交易与售后",
        Freight "freight" "运费与配送",
        Hours "hours" "营业时间与预约",
        Address "address" "对外地址",
        App "app" "微信小程序",
        /// What both versions of WeChat Pay's API need, and which of them new attempts use.
        Pay "pay" "微信支付",
        PayV2 "pay_v2" "微信支付 API v2",
        PayV3 "pay_v3" "微信支付 API v3",
        Robots "robots" "群机器人",
        Mail "mail" "邮件",
        Told "told" "通知哪些事",
        /// On a page of its own, where templates are picked.
        Templates "templates" "订阅消息",
    }
}

/// One setting: its name, its words on the page, whether it is sealed, and what it must look like.
pub struct Setting {
    /// `table.key`, as in `Rocket.toml`.
    pub name: &'static str,
    pub group: Group,
    pub label: &'static str,
    /// What its range leaves to say, where it is a number.
    hint: &'static str,
    number: Option<Number>,
    pub secret: bool,
    /// Several lines: the content of a file. The configuration names the file instead.
    pub lines: bool,
    /// The hash of a kept picture, which has a form of its own.
    pub picture: bool,
    /// The values that are possible, each with its words; none for free text. The first one is the default.
    pub choices: &'static [(&'static str, &'static str)],
    /// What was typed or pasted, in the one form that is checked and kept.
    pub tidy: fn(&str) -> String,
    pub check: fn(&str) -> Result<(), String>,
}

macro_rules! setting {
    ($group:ident $name:expr, $label:literal, $hint:literal, $check:expr) => {
        Setting {
            name: $name,
            group: Group::$group,
            label: $label,
            hint: $hint,
            number: None,
            secret: false,
            lines: false,
            picture: false,
            choices: &[],
            tidy: |value| value.trim().to_owned(),
            check: |value| {
                let check: fn(&str) -> Result<(), _> = $check;
                check(value).map_err(String::from)
            },
        }
    };
    (number $group:ident $number:expr, $label:literal, $hint:literal) => {
        Setting { number: Some($number), ..setting!($group $number.name, $label, $hint, |v| $number.check(v)) }
    };
    (choice $group:ident $name:literal, $label:literal, $hint:literal, $choices:expr) => {
        Setting {
            choices: $choices,
            ..setting!($group $name, $label, $hint, |v| {
                let words: Vec<&str> = $choices.iter().map(|(word, _)| *word).collect();
                if words.contains(&v) { Ok(()) } else { Err(format!("不是可选的值之一：请写 {}", words.join(" 或 "))) }
            })
        }
    };
    (picture $group:ident $name:literal, $label:literal, $hint:literal, $check:expr) => {
        Setting { picture: true, ..setting!($group $name, $label, $hint, $check) }
    };
    (lines $group:ident $name:literal, $label:literal, $hint:literal, $check:expr) => {
        Setting { lines: true, ..setting!($group $name, $label, $hint, $check) }
    };
    (tidy $tidy:expr, $($setting:tt)+) => {
        Setting { tidy: $tidy, ..setting!($($setting)+) }
    };
    (secret lines $group:ident $name:literal, $label:literal, $hint:literal, $check:expr) => {
        Setting { secret: true, lines: true, ..setting!($group $name, $label, $hint, $check) }
    };
    (secret $group:ident $name:literal, $label:literal, $hint:literal, $check:expr) => {
        Setting { secret: true, ..setting!($group $name, $label, $hint, $check) }
    };
}

/// Every setting that the console can store, in the order of its page.
pub const SETTINGS: &[Setting] = &[
    setting!(Shop "shop.name", "店铺名", "显示在小程序和微信账单上", |v| short(v, 20)),
    setting!(Shop "shop.notice", "店铺公告", "小程序首页的一句话，可以留空", |v| short(v, 100)),
    setting!(Shop "shop.phone", "客服电话", "买家可以拨打", phone),
    setting!(picture Shop "shop.logo", "店标", "印在发货单上；深色、线条清楚的最好", |v| letters(v, 64..=64, "店标请在设置页上传")),
    setting!(choice Shop "shop.open", "营业", "休息中时买家不能下单", &[("yes", "营业中"), ("no", "休息中")]),
    setting!(
        Shop "shop.backup_dir",
        "备份的第二位置",
        "服务器上的一个目录，例如 U 盘或网盘；留空则只放数据目录",
        |v| { if std::path::Path::new(v).is_dir() { Ok(()) } else { Err("服务器上没有这个目录") } }
    ),
    setting!(number Trade number::PAY_MINUTES, "付款时限（分钟）", "超时自动关闭订单。API v2 的支付单满 5 分钟才能关，最后几分钟才去付款的订单会晚几分钟关"),
    setting!(number Trade number::UNPAID_ORDERS, "每位买家未付款订单上限（笔）", "没付款的订单占着库存"),
    setting!(number Trade number::LIMIT_PER_ORDER, "每单默认限购（件）", "每种规格；商品自己写了限购的按商品的"),
    setting!(choice Trade "shop.zero_orders", "优惠后 0 元的订单", "优惠把应付减到 0 时怎么办", &[("no", "至少留 0.01 元"), ("yes", "可以 0 元下单，不经过微信支付")]),
    setting!(Freight "shop.freight", "运费（元）", "每单快递运费，不填是包邮", yuan),
    setting!(Freight "shop.free_freight_from", "满多少元包邮", "留空表示不包邮", yuan),
    setting!(
        Freight "shop.freight_regions",
        "各地运费",
        "例如 新疆 西藏:25;港澳台:不发货，写到省、市或区县；这些地方总按它收，满额也不免",
        regions::check_freight
    ),
    setting!(Freight "shop.local_freight", "同城配送费（元）", "每单，不填是免费；满额包邮同样适用", yuan),
    setting!(
        Freight "shop.local_area",
        "同城配送范围",
        "例如 浙江省杭州市西湖区、滨江区；留空表示不限",
        regions::check_area
    ),
    setting!(Freight "shop.express_least", "快递满多少元才发（元）", "商品金额不够的不能下单，不填不限", yuan),
    setting!(Freight "shop.local_least", "同城起送价（元）", "商品金额不够的不能下单，不填不限", yuan),
    setting!(Hours "shop.hours", "营业时间", "例如 周一至周五 9:00-12:00 13:30-21:00；周末 10:00-18:00；没写的那天休息", hours::check_week),
    setting!(Hours "shop.closed_days", "休息的日子", "例如 2026-10-01 至 2026-10-07、2026-12-31；这些天不能预约", hours::check_days),
    setting!(Hours "shop.pickup_address", "自提地点", "显示在买家的取货码旁边", |v| short(v, 60)),
    setting!(choice Hours "shop.slots", "买家选时间", "选了的，下单时要挑一个送达或取货的时间", For::CHOICES),
    setting!(number Hours number::PREPARE_MINUTES, "备货要多久（分钟）", "来不及的时间不能选"),
    setting!(number Hours number::SLOT_MINUTES, "每个时段多长（分钟）", ""),
    setting!(number Hours number::SLOT_DAYS, "能预约几天", "今天算第一天"),
    setting!(Hours "shop.slot_cutoff", "当天几点截单", "例如 18:00，之后不能再选今天的时间；不填不限", hours::check_time),
    setting!(number Hours number::SLOT_CAPACITY, "每个时段最多几单", "没付款的单也占着"),
    setting!(choice Trade "shop.reopen_late", "订单关闭后才到的付款", "", &[("yes", "库存还够就恢复订单"), ("no", "不恢复，等待退款")]),
    setting!(number Trade number::REFUND_DAYS, "收货后几天内可申请退款", "更久的由店员在后台退"),
    setting!(
        Trade "shop.return_address",
        "退货地址",
        "收件人、电话和地址，同意退换货时发给买家",
        |v| short(v, 200)
    ),
    setting!(
        Trade "shop.return_reasons",
        "退换货原因",
        "给买家选的，用顿号分开，最多 12 个，每个最多 20 个字；买家也可以自己写",
        |v| {
            let all: Vec<&str> = reasons(v).collect();
            if (1..=12).contains(&all.len()) && all.iter().all(|one| one.chars().count() <= 20) {
                short(v, 300)
            } else {
                Err("请写 1 到 12 个，用顿号分开，每个最多 20 个字")
            }
        }
    ),
    setting!(number Trade number::RETURN_ANSWER_DAYS, "几天内答复退换货", "到时还没有答复或换出的会标红并通知店里"),
    setting!(number Trade number::RETURN_SEND_DAYS, "同意后几天内要寄回", "到时没有填快递单号的自动关闭"),
    setting!(number Trade number::RETURN_RECEIVE_DAYS, "寄回后几天内要验收", "从买家填单号算起，包含路上的时间；到时还没有验收的会标红并通知店里"),
    setting!(Trade "shop.clerk_refund_limit", "店员单笔退款上限（元）", "超过的要经理同意；不填表示店员都要经理同意", yuan),
    setting!(number Trade number::LOW_STOCK, "低库存提醒", "可售不多于这个数就提醒"),
    setting!(Address "shop.public_url", "对外地址", "https://您的域名，微信用它通知付款结果", public_url),
    setting!(tidy pasted::word, App "wechat.app_id", "小程序 AppID", "wx 开头的 18 位", app_id),
    setting!(tidy pasted::word, secret App "wechat.app_secret", "小程序 AppSecret", "32 位", |v| letters(v, 32..=32, "AppSecret 是 32 位字母和数字")),
    setting!(tidy pasted::word, Pay "wechat.mch_id", "商户号", "微信支付商户号，数字", |v| {
        // A key of digits alone has 32 of them.
        if v.bytes().all(|b| b.is_ascii_digit()) && (6..=20).contains(&v.len()) {
            Ok(())
        } else {
            Err(instead(v, "商户号是 6 到 20 位数字"))
        }
    }),
    setting!(choice Pay "wechat.api", "新订单用的接口", "2024 年以后开通的商户一般用 API v3；只有 APIv2 密钥的老商户用 API v2。以后可以换，之前的支付单按原来的接口办完", &[("v2", "API v2"), ("v3", "API v3")]),
    setting!(tidy pasted::word, secret PayV2 "wechat.api_key", "APIv2 密钥", "商户平台 → 账户中心 → API 安全，32 位", |v| {
        const WANTED: &str = "APIv2 密钥是 32 位字母和数字：请在商户平台 → 账户中心 → API 安全 重新设置并填到这里";
        letters(v, 32..=32, WANTED).map_err(|wanted| instead(v, wanted))
    }),
    setting!(choice PayV2 "wechat.sign_type", "签名方式", "与商户平台一致，新店建议 HMAC-SHA256", &[("MD5", "MD5"), ("HMAC-SHA256", "HMAC-SHA256")]),
    setting!(tidy pasted::word, secret PayV3 "wechat.v3_key", "APIv3 密钥", "商户平台 → API 安全 → APIv3 密钥，32 个字符，和 APIv2 密钥是两个", |v| v.parse::<V3Key>().map(drop).map_err(|wanted| instead(v, wanted))),
    setting!(tidy |v| pasted::tidy(v, pasted::PRIVATE, &[]), secret lines PayV3 "wechat.mch_key", "商户私钥", "apiclient_key.pem 的全部内容", |v| PrivateKey::read(v).map(drop).map_err(|wanted| unless_pem(v, wanted))),
    setting!(tidy tidy_serial, lines PayV3 "wechat.mch_serial", "商户证书序列号", "40 位十六进制；也可以粘贴 apiclient_cert.pem 的全部内容", mch_serial),
    setting!(tidy |v| pasted::tidy(v, pasted::PUBLIC, pasted::PRIVATE), lines PayV3 "wechat.public_key", "微信支付公钥", "商户平台 → API 安全 → 微信支付公钥，pub_key.pem 的全部内容", |v| PublicKey::read(v).map(drop).map_err(|wanted| unless_pem(v, wanted))),
    setting!(tidy tidy_id, PayV3 "wechat.public_key_id", "微信支付公钥 ID", "PUB_KEY_ID_ 开头", public_key_id),
    setting!(secret App "wechat.message_token", "消息推送 Token", "小程序后台 → 开发设置 → 消息推送，3–32 位", |v| {
        letters(v, 3..=32, "Token 是 3 到 32 位字母和数字")
    }),
    setting!(
        secret App "wechat.message_key",
        "消息推送 EncodingAESKey",
        "消息推送选了安全模式或兼容模式时填，43 位",
        |v| letters(v, 43..=43, "EncodingAESKey 是 43 位字母和数字：小程序后台 → 开发设置 → 消息推送")
    ),
    setting!(choice Robots "shop.wecom", "企业微信", "填了地址的机器人会收到通知", SENDS),
    setting!(secret Robots "shop.wecom_url", "企业微信机器人地址", "群 → 消息推送（原群机器人）→ 添加，Webhook 地址", |v| {
        robot(v, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=")
    }),
    setting!(choice Robots "shop.feishu", "飞书", "", SENDS),
    setting!(secret Robots "shop.feishu_url", "飞书机器人地址", "群设置 → 群机器人 → 自定义机器人", |v| {
        robot(v, "https://open.feishu.cn/open-apis/bot/v2/hook/")
    }),
    setting!(secret Robots "shop.feishu_secret", "飞书签名校验的密钥", "机器人安全设置里选了签名校验时填", secret_text),
    setting!(choice Robots "shop.dingtalk", "钉钉", "", SENDS),
    setting!(secret Robots "shop.dingtalk_url", "钉钉机器人地址", "群设置 → 机器人 → 自定义", |v| {
        robot(v, "https://oapi.dingtalk.com/robot/send?access_token=")
    }),
    setting!(secret Robots "shop.dingtalk_secret", "钉钉加签的密钥", "SEC 开头；安全设置里选了加签时填", secret_text),
    setting!(choice Mail "shop.mail", "邮件通知", "下面都填了才会发", SENDS),
    setting!(Mail "shop.mail_server", "发信服务器", "例如 smtp.qq.com:465；465 用 TLS，其他端口用 STARTTLS", |v| mail_server(v).map(drop)),
    setting!(Mail "shop.mail_user", "发信邮箱", "登录发信服务器的账号，也是发件人", one_address),
    setting!(secret Mail "shop.mail_password", "授权码", "邮箱设置里为 SMTP 生成的授权码，不是登录密码", secret_text),
    setting!(Mail "shop.mail_to", "收件人", "最多 5 个，用逗号分开", |v| {
        let all: Vec<&str> = addresses(v).collect();
        if (1..=5).contains(&all.len()) { all.into_iter().try_for_each(one_address) } else { Err("请填 1 到 5 个邮箱，用逗号分开") }
    }),
    setting!(choice Told "shop.tell_new_order", "新订单", "", TELLS),
    setting!(choice Told "shop.tell_refund_asked", "退款申请", "", TELLS),
    setting!(choice Told "shop.tell_return_asked", "退换货", "", TELLS),
    setting!(choice Told "shop.tell_invoice_asked", "发票申请", "", TELLS),
    setting!(choice Told "shop.tell_money_exception", "资金异常", "", TELLS),
    setting!(choice Told "shop.tell_low_stock", "库存不足", "", TELLS),
    setting!(choice Told "shop.tell_backup_failed", "备份失败", "", TELLS),
    setting!(choice Told "shop.tell_wechat_down", "连不上微信", "", TELLS),
    setting!(Templates "wechat.tmpl_shipped", "发货提醒", "模板和每一栏填什么", template),
    setting!(Templates "wechat.tmpl_refunded", "退款提醒", "模板和每一栏填什么", template),
    setting!(Templates "wechat.tmpl_aftersale", "售后提醒", "模板和每一栏填什么", template),
    setting!(Templates "wechat.tmpl_pickup", "取货提醒", "模板和每一栏填什么", template),
    setting!(Templates "wechat.tmpl_unpaid", "待付款提醒", "模板和每一栏填什么", template),
];

const SENDS: &[(&str, &str)] = &[("yes", "发送"), ("no", "停用")];
const TELLS: &[(&str, &str)] = &[("yes", "通知"), ("no", "不通知")];

impl Setting {
    /// What to fill in, for its field.
    pub fn hint(&self) -> String {
        match self.number {
            Some(number) if self.hint.is_empty() => number.words(),
            Some(number) => format!("{}；{}", number.words(), self.hint),
            None => self.hint.to_owned(),
        }
    }
}

pub fn setting_named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Text that buyers or staff read.
fn short(value: &str, max: usize) -> Result<(), &'static str> {
    if may_be_key(value) {
        return Err("这像是密钥或密钥的一部分，不能写在别人看得到的地方");
    }
    let fine = value.chars().count() <= max && !value.chars().any(char::is_control);
    if fine { Ok(()) } else { Err("太长，或含有换行等控制字符") }
}

/// Something that can be dialled, whatever is said beside it.
fn phone(value: &str) -> Result<(), &'static str> {
    short(value, 20)?;
    let fine = value.chars().filter(char::is_ascii_digit).count() >= 3;
    if fine { Ok(()) } else { Err("请填能拨打的号码，例如 400-000-0000 或 13900000000") }
}

fn yuan(value: &str) -> Result<(), &'static str> {
    if Fen::from_yuan(value).is_some() { Ok(()) } else { Err("请填金额，例如 8 或 8.50") }
}

/// A robot's own address begins as its maker's do: nothing is ever sent elsewhere.
fn robot(value: &str, start: &str) -> Result<(), String> {
    let token = value.strip_prefix(start).filter(|token| {
        (1..=200).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    });
    token.map(drop).ok_or_else(|| format!("请粘贴机器人的完整地址，以 {start} 开头"))
}

fn secret_text(value: &str) -> Result<(), &'static str> {
    let fine = (1..=200).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic());
    if fine { Ok(()) } else { Err("不能有空格和中文") }
}

/// Host and port. Source: RFC 8314 for what 465 means.
pub fn mail_server(value: &str) -> Result<(&str, u16), &'static str> {
    let (host, port) = value.rsplit_once(':').ok_or("请写成 服务器:端口，例如 smtp.qq.com:465")?;
    let named = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
    match port.parse() {
        Ok(port) if named && port > 0 => Ok((host, port)),
        _ => Err("请写成 服务器:端口，例如 smtp.qq.com:465"),
    }
}

/// The reasons of a list, however they are parted.
pub fn reasons(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| ",，;；、".contains(c)).map(str::trim).filter(|reason| !reason.is_empty())
}

/// The addresses of a list, however they are parted.
pub fn addresses(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| c.is_whitespace() || ",，;；、".contains(c)).filter(|address| !address.is_empty())
}

fn one_address(value: &str) -> Result<(), &'static str> {
    let fine = value.split_once('@').is_some_and(|(name, host)| {
        let plain = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        plain(name, b".!#$%&'*+/=?^_`{|}~-") && plain(host, b".-") && host.contains('.')
    });
    if fine && value.len() <= 120 { Ok(()) } else { Err("不像邮箱地址，例如 shop@example.com") }
}

fn template(value: &str) -> Result<(), &'static str> {
    Chosen::read(value).map(drop).ok_or("请在 通知 → 订阅消息 里选择模板")
}

fn letters(value: &str, length: std::ops::RangeInclusive<usize>, problem: &'static str) -> Result<(), &'static str> {
    let fine = length.contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
    if fine { Ok(()) } else { Err(problem) }
}

/// What is wanted, after what was given instead, where that can be told.
fn instead(value: &str, wanted: &str) -> String {
    match pasted::looks_like(value) {
        Some(what) => format!("这像是{what}；{wanted}"),
        None => wanted.to_owned(),
    }
}

/// The same for a file's content: what is wrong with one says itself what it is.
fn unless_pem(value: &str, wanted: &str) -> String {
    if value.contains("-BEGIN ") { wanted.to_owned() } else { instead(value, wanted) }
}

/// The certificate alone, whatever stood beside it: it is not kept sealed.
fn tidy_serial(value: &str) -> String {
    if value.len() > 200 { pasted::tidy(value, pasted::CERTIFICATE, &[]) } else { pasted::serial(value) }
}

/// From where the ID begins: it is often copied with its name.
fn tidy_id(value: &str) -> String {
    let word = pasted::word(value);
    let named = word.to_ascii_uppercase().find("PUB_KEY_ID_").and_then(|at| word.get(at..));
    named.map_or_else(|| word.clone(), |id| id.replacen(&id[..11], "PUB_KEY_ID_", 1))
}

fn app_id(value: &str) -> Result<(), String> {
    const WANTED: &str = "AppID 是 wx 开头的字母和数字";
    // An AppSecret consists of the same signs, and is longer.
    let own = letters(value, 6..=24, WANTED).is_ok() && value.starts_with("wx");
    if own { Ok(()) } else { Err(instead(value, WANTED)) }
}

fn mch_serial(value: &str) -> Result<(), String> {
    const WANTED: &str = "序列号是 40 位十六进制，也可以粘贴 apiclient_cert.pem 的全部内容";
    if value.starts_with("-----BEGIN CERTIFICATE-") {
        return certificate(value).map(drop).map_err(str::to_owned);
    }
    if value.starts_with("PUB_KEY_ID_") {
        return Err("这是微信支付公钥的 ID，请填到下面；这里要商户证书的序列号".into());
    }
    match value.len() == 40 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err(instead(value, WANTED)),
    }
}

fn public_key_id(value: &str) -> Result<(), String> {
    let digits = value.strip_prefix("PUB_KEY_ID_");
    match digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_alphanumeric())) {
        true if value.len() <= 64 => Ok(()),
        _ if value.len() == 40 && value.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Err("这是平台证书的序列号：本店用微信支付公钥模式，请在商户平台切换后填 PUB_KEY_ID_ 开头的 ID".into())
        }
        _ => Err(instead(value, "公钥 ID 以 PUB_KEY_ID_ 开头，在商户平台 → API 安全 → 微信支付公钥 里")),
    }
}

/// An address that WeChat can call: no query, no fragment, no user.
fn public_url(value: &str) -> Result<(), &'static str> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let fine = rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:/_[]".contains(&b))
    });
    if fine && value.len() <= 200 { Ok(()) } else { Err("请填 https:// 开头的网址，不带问号和空格") }
}
