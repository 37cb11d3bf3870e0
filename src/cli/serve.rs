//! `xiaopu serve`: runs the shop.

use std::net::{IpAddr, SocketAddr};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Outcome, PORT, figment, free_port, keep_open, log, misread, say_whether, take_up};
use crate::backups;
use crate::db::InstanceLock;
use crate::say::say;
use crate::settings::Server;
use crate::shop::{Opening, Shop};
use crate::staff::login;

pub async fn run() -> Outcome {
    let figment = figment();
    let server = Server::from_figment(&figment)?;
    log::set_json(server.log_json);
    make_room_for_connections();
    let _lock = InstanceLock::take(&server.data_dir).map_err(|e| e.to_string())?;
    let address: IpAddr = figment.extract_inner("address").map_err(|e| misread("address", &e))?;
    let port = figment.extract_inner("port").map_err(|e| misread("port", &e))?;
    let port = free_port(address, port, PORT)?;
    let figment = figment.merge(("port", port));
    let data_dir = server.data_dir.clone();
    backups::sweep(&server.data_dir);
    let taken = take_up(&server);
    let shop = Shop::open(server, Opening::default()).await?;
    say_whether(&shop, taken).await;
    let here = format!("http://{}", SocketAddr::new(address, port));
    let mut greeting = vec![format!("小铺已启动  {here}/admin   数据目录 {}", data_dir.display())];
    if let Some(token) = login::setup_link(&shop).await.map_err(|e| e.message())? {
        let settings = shop.settings();
        let outside = settings.get("shop.public_url").unwrap_or(&here).trim_end_matches('/').to_owned();
        let minutes = login::LINK_MINUTES;
        greeting.push(format!(
            "首次使用，请在 {minutes} 分钟内打开这个一次性链接建立店主账号：\n  {outside}/admin/setup/{token}"
        ));
        if outside.contains("127.0.0.1") || outside.contains("localhost") {
            let port = outside.rsplit(':').next().unwrap_or_default();
            greeting.push(format!(
                "在别的电脑上打开：先在那台电脑上运行\n  ssh -L {port}:127.0.0.1:{port} 用户名@这台服务器\n保持它开着，再用浏览器打开上面的链接。"
            ));
        }
    }
    greeting.extend(missing(&shop).into_iter().map(|problem| format!("提示：{problem}")));
    keep_open(shop, figment, Opening::default(), greeting.join("\n")).await
}

/// A connection is an open file, and the usual limit of a thousand is soon used up by clients that connect and then say
/// nothing: whoever may have more, takes more.
fn make_room_for_connections() {
    const ENOUGH: u64 = 65_536;
    let limit = getrlimit(Resource::Nofile);
    let more = limit.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if limit.current.is_some_and(|now| now < more)
        && let Err(e) = setrlimit(Resource::Nofile, Rlimit { current: Some(more), ..limit })
    {
        say!(Warn, "no more than {:?} connections at a time: {e}", limit.current);
    }
}

/// What still keeps buyers from paying.
fn missing(shop: &Shop) -> Vec<&'static str> {
    let settings = shop.settings();
    let mut problems = Vec::new();
    if shop.account().is_none() {
        problems.push("微信支付还没有设置（AppID、商户号和密钥），买家暂时不能付款");
    }
    if settings.notify_url(settings.api()).is_none() {
        problems.push("对外地址还没有设置（shop.public_url），微信无法通知付款结果");
    }
    problems
}
