//! `xiaopu doctor`: looks at everything a shop needs; each line says what is wrong and what to do.

use std::time::Duration;

use super::{Outcome, figment, open_shop};
use crate::backups::room::{room, room_soon};
use crate::backups::store as backups;
use crate::clock::{self, DAY, HOUR, MINUTE};
use crate::db;
use crate::exceptions::store as exceptions;
use crate::jobs::{self, State};
use crate::miniprogram;
use crate::nonce::Nonces;
use crate::payments::invariants::{self, Pace};
use crate::payments::{left, store as payments, trial};
use crate::reconcile::{BillState, round, store as matches};
use crate::refunds::{RefundState, store as refunds};
use crate::say::tell;
use crate::settings::certificate::Standing;
use crate::settings::store as settings;
use crate::settings::{Group, SETTINGS, Server, Settings};
use crate::shop::{Opening, Shop, way_to_wechat};
use crate::staff;
use crate::wechat::reach::is_loopback;
use crate::wechat::v3::sign::BadSeal;
use crate::wechat::{Account, Api};

/// What one look found: all well, or a cause and a cure.
type Finding = (&'static str, Result<String, String>);

pub async fn run() -> Outcome {
    let configured = Server::from_figment(&figment()).and_then(|server| way_to_wechat(&server).map(|_| server));
    let findings = match configured {
        Err(words) => vec![("配置", Err(words))],
        Ok(server) if !server.data_dir.join("xiaopu.db").exists() => without_shop(server).await,
        Ok(server) => match open_shop().await {
            Ok(shop) => look(&shop).await,
            Err(words) => vec![("数据目录", Err(format!("{words}（{}）", server.data_dir.display())))],
        },
    };
    let mut wrong = 0;
    for (what, found) in &findings {
        match found {
            Ok(note) => tell!("✓ {what}  {note}"),
            Err(problem) => {
                wrong += 1;
                tell!("✗ {what}  {problem}");
            }
        }
    }
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} 项需要处理")) }
}

async fn look(shop: &Shop) -> Vec<Finding> {
    let mut findings = surroundings(shop).await;
    findings.push(("磁盘", disk_finding(shop)));
    findings.push(("密钥文件", key_finding(shop).await));
    findings.push(("访客地址", address_finding(shop).await));
    findings.extend(database_findings(shop).await);
    findings
}

/// Where there is no shop yet, what is configured can be looked at all the same; nothing is made there.
async fn without_shop(server: Server) -> Vec<Finding> {
    let folder = server.data_dir.display().to_string();
    let demo = server.data_dir.join("demo").join("xiaopu.db").exists();
    let elsewhere = std::env::temp_dir().join(format!("xiaopu-doctor-{}", Nonces::Random.token()));
    let tried = Shop::open(Server { data_dir: elsewhere.clone(), ..server }, Opening::default()).await;
    let mut findings = match &tried {
        Ok(shop) => surroundings(shop).await,
        Err(words) => vec![("设置", Err(words.clone()))],
    };
    drop(tried);
    // What is left in a folder for things that do not stay harms nobody.
    let _ = std::fs::remove_dir_all(&elsewhere);
    let only = if demo { "，只有 xiaopu demo 的演示店" } else { "" };
    let cure =
        "自检没有创建任何东西。新店请运行 xiaopu serve；已有的店请在它的目录里运行，或用 ROCKET_SHOP 指明 data_dir";
    findings.push(("数据目录", Err(format!("{folder} 里没有店铺{only}。{cure}"))));
    findings
}

/// What the shop is set to, and what it has to do with outside.
async fn surroundings(shop: &Shop) -> Vec<Finding> {
    let settings = shop.settings();
    if settings.get("wechat.app_id").is_none() && shop.server.data_dir.join(SIMULATED).exists() {
        return vec![("演示", Ok("这是 xiaopu demo 的店：对外地址、AppID 和密钥由它启动时给出，这里不检查".into()))];
    }
    let mut findings = settings_findings(&settings);
    findings.push(("对外地址", public_finding(shop, &settings).await));
    findings.extend(settings.doubts().into_iter().map(|(setting, why)| (setting.label, Err(why))));
    findings.push(("微信接口", Ok(shop.wechat.pay_url().to_owned())));
    shop.wechat.ask_time().await;
    let v3 = v3_finding(shop).await;
    let (now, since) = (shop.now(), shop.now() - 30 * DAY);
    let step = shop.read(move |conn| Ok(jobs::store::last_step(conn, since)?)).await.unwrap_or_default();
    let stepped = step.map(|(at, back)| format!("。{}", jobs::set_back(at, back, now))).unwrap_or_default();
    findings.push(("时钟", clock_finding(shop).map(|right| format!("{right}{stepped}"))));
    findings.extend(v3.map(|found| ("API v3", found)));
    findings.extend(certificate_finding(shop).map(|found| ("退款证书", found)));
    findings.extend(miniprogram_finding(shop).map(|found| ("小程序", found)));
    findings
}

/// Where the demo keeps its simulated WeChat.
const SIMULATED: &str = "wechat.json";

fn settings_findings(settings: &Settings) -> Vec<Finding> {
    let have = |name: &str, cure: &str| match settings.get(name) {
        Some(_) => Ok("已设置".to_owned()),
        None => Err(format!("还没有设置。{cure}")),
    };
    let mut findings = vec![
        ("小程序 AppID", have("wechat.app_id", "小程序后台 → 开发管理 → 开发设置")),
        ("小程序 AppSecret", have("wechat.app_secret", "小程序后台 → 开发管理 → 开发设置，重置后填入")),
        ("商户号", have("wechat.mch_id", "商户平台 → 账户中心 → 商户信息")),
    ];
    let keys =
        |group: Group| SETTINGS.iter().filter(move |setting| setting.group == group && setting.choices.is_empty());
    let begun = |group: Group| keys(group).any(|setting| settings.get(setting.name).is_some());
    if settings.get("wechat.api").is_none() && !begun(Group::PayV2) && !begun(Group::PayV3) {
        let names: Vec<&str> = keys(Group::PayV3).map(|setting| setting.label).collect();
        let words = format!(
            "还没有设置密钥。新商户用 API v3：在后台设置页填 {}，再选 API v3；只有 APIv2 密钥的老商户填那一个",
            names.join("、")
        );
        findings.push(("微信支付", Err(words)));
    } else if begun(Group::PayV2) || settings.unready(settings.api()).is_none() || settings.api() == Api::V2 {
        findings.push(("APIv2 密钥", v2_key_finding(settings)));
    }
    findings
}

/// Asked for as WeChat would ask, which the shop must be running to answer.
async fn public_finding(shop: &Shop, settings: &Settings) -> Result<String, String> {
    let (Some(url), Some(asked)) = (settings.get("shop.public_url"), settings.notify_url(settings.api())) else {
        return Err("还没有设置。请填 shop.public_url，例如 https://shop.example.com，微信用它通知付款结果".to_owned());
    };
    if is_loopback(url) {
        return Ok(format!("{url}（本机，只能用模拟微信）"));
    }
    shop.wechat.try_address(&asked, shop.now()).await.map_err(|lost| {
        let said =
            lost.said.filter(|_| lost.strange).map_or_else(String::new, |said| format!("（系统的原话：{said}）"));
        format!("{}{said}；小铺要开着才会回答", lost.words)
    })
}

/// A shop that takes its money by API v3 can do without; what it then hears of later is said.
fn v2_key_finding(settings: &Settings) -> Result<String, String> {
    match (settings.get("wechat.api_key"), settings.api()) {
        (Some(_), _) => Ok("已设置".into()),
        (None, Api::V2) => {
            Err("还没有设置。商户平台 → 账户中心 → API 安全 → 设置 APIv2 密钥；用 API v3 的新商户在后台设置页选 API v3"
                .into())
        }
        (None, Api::V3) => Ok("没有设置：在商户平台手工退的款只用 v2 的格式通知，会在第二天对账时登记".into()),
    }
}

/// Whether the keys of API v3 are all there and belong together, and whether WeChat signs with the public key that was
/// entered; nothing for a shop that has none of them and does not use them.
async fn v3_finding(shop: &Shop) -> Option<Result<String, String>> {
    let settings = shop.settings();
    let mut keys = SETTINGS.iter().filter(|setting| setting.group == Group::PayV3);
    if settings.api() == Api::V2 && keys.all(|setting| settings.get(setting.name).is_none()) {
        return None;
    }
    if let Some(why) = settings.lacks(Api::V3).or_else(|| settings.unready(Api::V3)) {
        return Some(Err(format!("{why}。{}，或改用 API v2", where_to_mend(&settings))));
    }
    let account = shop.account_of(Api::V3)?;
    let id = settings.get("wechat.public_key_id").unwrap_or_default();
    let exchange = trial::ask(shop, &account).await;
    let said = trial::judge(Api::V3, &exchange, shop.wechat.clock_ahead_ms());
    Some(said.map(|()| format!("微信用 {id} 签名回答了，新订单用 {}", settings.api().text())))
}

/// What the configuration says cannot be changed on the page.
fn where_to_mend(settings: &Settings) -> String {
    let names = settings.hindered(Api::V3).map(|(names, _)| names).unwrap_or_default();
    let fixed = SETTINGS.iter().filter(|setting| names.contains(&setting.name) && settings.is_fixed(setting.name));
    let fixed: Vec<String> = fixed.map(|setting| format!("{}（{}）", setting.label, setting.name)).collect();
    match fixed.is_empty() {
        true => "请在后台设置页填好".to_owned(),
        false => format!("{} 写在配置里，请在 Rocket.toml 或 ROCKET_WECHAT 里改好，再重启小铺", fixed.join("、")),
    }
}

/// A host whose clock stands in the past or the far future signs orders that expire at once.
fn clock_finding(shop: &Shop) -> Result<String, String> {
    const RELEASED: i64 = 1_790_000_000_000;
    let now = shop.now();
    // What WeChat signed tells its time as well, and one judgement is given of both.
    if let Some(bad @ BadSeal::Clock(_)) = shop.wechat.unbelieved() {
        return Err(format!("{}（例如 timedatectl set-ntp true）", bad.words()));
    }
    match now {
        now if now < RELEASED => {
            Err(format!("系统时间 {} 比程序还旧，请校时（例如 timedatectl set-ntp true）", clock::shown(now)))
        }
        now if now > RELEASED + 20 * 365 * DAY => Err(format!("系统时间 {} 太远，请校时", clock::shown(now))),
        now => match shop.wechat.clock_ahead_ms() {
            None => Ok(format!("北京时间 {}（没有连上微信，没有比对）", clock::shown(now))),
            Some(ahead) if ahead.abs() < MINUTE => Ok(format!("北京时间 {}，与微信一致", clock::shown(now))),
            Some(ahead) => Err(format!("系统时间比微信{}，请校时（例如 timedatectl set-ntp true）", clock::off(ahead))),
        },
    }
}

/// The key file is tried on what was sealed with it: another shop's has the right size too.
async fn key_finding(shop: &Shop) -> Result<String, String> {
    let read = |conn: &rusqlite::Connection| Ok(settings::sealed(conn)?);
    let sealed = shop.read(read).await.map_err(|e| e.message())?.into_iter();
    let (opened, shut): (Vec<_>, Vec<_>) = sealed.partition(|(name, sealed)| shop.key.open(name, sealed).is_some());
    match shut.first() {
        Some((name, _)) => Err(format!(
            "secret.key 打不开 {} 项封存的设置（例如 {name}）：不是原来那把。请放回原来的文件，或在设置页重新填写",
            shut.len()
        )),
        None => Ok(format!("secret.key 可用，权限 600，打开了 {} 项封存的设置", opened.len())),
    }
}

/// Behind a proxy that does not say whose a request is, everybody is the proxy, and twenty wrong passwords lock out all.
async fn address_finding(shop: &Shop) -> Result<String, String> {
    let header = figment().extract_inner::<String>("ip_header").ok().filter(|name| name != "false");
    let read = |conn: &rusqlite::Connection| Ok(staff::store::latest_addresses(conn, 20)?);
    let seen = shop.read(read).await.map_err(|e| e.message())?;
    let local = |ip: &String| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let public = shop.settings().get("shop.public_url").is_some_and(|url| !is_loopback(url));
    let all_here = public && seen.len() >= 3 && seen.iter().all(local);
    match header {
        Some(name) if all_here => {
            Err(format!("最近 {} 次登录都来自本机：代理没有设置 {name}。请按 README 的写法让代理覆盖它", seen.len()))
        }
        Some(name) => Ok(format!("按代理写的 {name}（代理必须覆盖访客自己带的，写法见 README）")),
        None if all_here => Err("最近的登录都来自本机：前面有代理，请按 README 设置 ROCKET_IP_HEADER".into()),
        None => Ok("按连接本身".into()),
    }
}

fn disk_finding(shop: &Shop) -> Result<String, String> {
    let free = room_soon(shop)?;
    Ok(free.map_or_else(|| "读不出剩余空间".into(), |free| format!("还有 {}", room(free))))
}

/// A certificate that is about to end is said so while there is time to get another.
/// Nothing is said of one to a shop that has no use for it.
fn certificate_finding(shop: &Shop) -> Option<Result<String, String>> {
    let (settings, now, account) = (shop.settings(), shop.now(), shop.account());
    if settings.get("wechat.api_key").is_none() && settings.identity().is_none() {
        return None;
    }
    if shop.wechat.is_simulated() {
        return Some(Ok("连接的是模拟微信，不需要".into()));
    }
    let standing = settings.certificate(account.as_ref().map(Account::mch_id), now);
    Some(match (&standing, standing.problem(now)) {
        (Standing::Missing, _) if settings.api() == Api::V3 => {
            Ok("没有：API v3 退款不用证书；以前用 API v2 收的款要退时才要上传".into())
        }
        (Standing::Missing, Some(problem)) => {
            Err(format!("{problem}：后台设置页，apiclient_cert.pem 和 apiclient_key.pem"))
        }
        (_, Some(problem)) => Err(problem),
        (Standing::Good(facts), None) => {
            Ok(format!("商户号 {}，有效期至 {}，私钥匹配", facts.mch_id, clock::shown(facts.not_after)))
        }
        (_, None) => Ok(String::new()),
    })
}

/// Whether the mini-program can be downloaded ready to upload; what is not filled in yet has a line of its own.
fn miniprogram_finding(shop: &Shop) -> Option<Result<String, String>> {
    let settings = shop.settings();
    if shop.wechat.is_simulated() {
        return Some(Ok("连接的是模拟微信，不用上传；要看手机里的店面，请运行 xiaopu demo".into()));
    }
    let (app_id, server) = (settings.get(miniprogram::APP_ID)?, settings.get(miniprogram::PUBLIC_URL)?);
    let told =
        |server| format!("可以在后台“设置 → 小程序”下载，request、uploadFile、downloadFile 合法域名都填 {server}");
    Some(miniprogram::app_id(Some(app_id)).and_then(|_| miniprogram::server(Some(server))).map(told))
}

async fn database_findings(shop: &Shop) -> Vec<Finding> {
    let now = shop.now();
    let settings = shop.settings();
    let read = move |conn: &rusqlite::Connection| {
        let integrity: String = conn.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        let integrity = match db::foreign_part(conn)? {
            Some(name) => format!("表结构和小铺做的不一样（{name}）"),
            None => integrity,
        };
        Ok((
            integrity,
            jobs::store::open(conn, 1_000)?,
            exceptions::count_to_decide(conn)?,
            refunds::counts(conn)?,
            (matches::latest(conn)?, round::undone(conn, now)?),
            staff::store::count(conn)?,
            staff::store::audit_break(conn)?,
            backups::latest(conn, 1)?.pop(),
            payments::alerts(conn)?,
            left::all(conn, &settings)?,
        ))
    };
    let (integrity, open, exceptions, refunds, (bill, undone), people, (cut, entries), backup, alerts, left) =
        match shop.read_slowly(read).await {
            Ok(found) => found,
            Err(e) => return vec![("数据库", Err(format!("读不出来：{}", e.message())))],
        };
    let broken = match invariants::broken_now(shop, Pace::AtMost(Duration::MAX)).await {
        Ok(broken) => broken.unwrap_or_default(),
        Err(e) => return vec![("数据库", Err(format!("读不出来：{}", e.message())))],
    };
    let sound = match integrity.as_str() {
        "ok" => Ok(format!("完整，{}", shop.db.path().display())),
        problem => Err(format!("文件损坏：{problem}。请停店并恢复最近的备份")),
    };
    let true_ = match broken.as_slice() {
        [] => Ok(format!("{} 条规则全部成立", invariants::count())),
        broken => {
            Err(broken.iter().map(|b| format!("「{}」有 {} 处不成立", b.rule, b.rows)).collect::<Vec<_>>().join("；"))
        }
    };
    let stuck: Vec<_> = open.iter().filter(|job| job.state == State::NeedsPerson).collect();
    let late = open.iter().filter(|job| job.state == State::Waiting && now - job.run_at > HOUR).count();
    let stuck = stuck
        .first()
        .map(|job| format!("{} 个任务需人工处理，例如「{}」：{}", stuck.len(), job.kind.text(), job.last_error));
    let late = (late > 0).then(|| format!("{late} 个任务晚了一小时以上，店铺是否在运行？在运行就重启它"));
    let wrong: Vec<String> = stuck.into_iter().chain(late).collect();
    let jobs = if wrong.is_empty() { Ok(format!("{} 个等待中", open.len())) } else { Err(wrong.join("；")) };
    let money = match exceptions {
        0 => Ok("没有待处理".to_owned()),
        n => Err(format!("{n} 笔资金异常待处理，请在后台 资金异常 页处理")),
    };
    let trouble: i64 = refunds
        .iter()
        .filter(|(state, _)| matches!(state, RefundState::Failed | RefundState::Abnormal))
        .map(|(_, n)| n)
        .sum();
    let refunds = match trouble {
        0 => Ok("没有失败或异常的".to_owned()),
        n => Err(format!("{n} 笔退款失败或异常，请在后台 售后 页处理")),
    };
    let bill = match bill {
        _ if let Some((day, text, why)) = &undone => {
            let why = if why.is_empty() { String::new() } else { format!("：{why}") };
            Err(format!("{} 有交易，还没有对上账（{text}）{why}。请在后台 对账 页看", day.shown()))
        }
        None => Ok("还没有对过账".to_owned()),
        Some(m) if m.state == BillState::Differs => Err(format!("{} 有差异，请在后台 对账 页处理", m.day.shown())),
        Some(m) => Ok(format!("{} {}", m.day.shown(), m.state.text())),
    };
    let accounts = match people {
        0 => Err("还没有后台账号。运行 xiaopu serve 并打开它显示的一次性链接，或 xiaopu staff add 名字 --role owner"
            .to_owned()),
        n => Ok(format!("{n} 个")),
    };
    let log = match cut {
        None => Ok(format!("{entries} 条首尾相接")),
        Some(id) => Err(format!("第 {id} 条与前一条接不上，日志被人改过或删过")),
    };
    let backup = match backup {
        None => Ok("还没有备份；店铺运行时每天 04:20 自动备份".to_owned()),
        Some(b) if !b.problem.is_empty() => Err(format!("{} 的备份不能用：{}", clock::shown(b.at), b.problem)),
        Some(b) if now - b.at > 2 * DAY => Err(format!("上次备份是 {}，店铺是否在运行？", clock::shown(b.at))),
        Some(b) => {
            let broken =
                if b.broken.is_empty() { String::new() } else { format!("；当时「{}」不成立", b.broken) };
            Ok(format!("{}，{} 笔订单，已演练恢复{broken}", clock::shown(b.at), b.orders))
        }
    };
    let words = |told: Vec<(String, String)>| told.into_iter().map(|(words, _)| words).collect::<Vec<_>>();
    let left = words(left);
    let alerts: Vec<String> = alerts.into_iter().map(|(_, words)| words).collect();
    vec![
        ("数据库", sound),
        ("资金与库存", true_),
        ("后台任务", jobs),
        ("退款", refunds),
        ("资金异常", money),
        ("微信的通知", if alerts.is_empty() { Ok("没有打不开或验不过的".into()) } else { Err(alerts.join("；")) }),
        ("没办完的钱", if left.is_empty() { Ok("现在的设置都跟得上".into()) } else { Err(left.join("；")) }),
        ("对账", bill),
        ("备份", backup),
        ("操作日志", log),
        ("后台账号", accounts),
    ]
}
