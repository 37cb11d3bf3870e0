//! A simulated WeChat: real HTTP, real signatures, as strict as the real one. For the demo and for tests, on loopback.

mod api;
mod bills;
mod cash_desk;
mod codes;
mod control;
mod delivery;
mod faults;
mod funds;
mod push;
mod receipts;
mod refunds;
mod register;
mod robots;
mod state;
mod subscribe;
mod trades;
pub mod v3;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::http::Header;
use rocket::shield::{Frame, Shield};
use rocket::{Build, Rocket};
use sha2::{Digest, Sha256};

use crate::assets;
use crate::clock::{Clock, Day, MINUTE};
use crate::nonce::Nonces;
use crate::sockets::backlog::Backlog;
use crate::wechat::mini_program::MiniProgram;
use crate::wechat::v2::Merchant;
use crate::wechat::v2::sign::{ApiKey, SignType};
use state::{Code, State};

pub use faults::Fault;
pub use push::Push;
pub use robots::SECRET as ROBOT_SECRET;
pub use state::{Refund, RefundEnd, Trade, TradeState, Ways};
pub use trades::{Foreign, Paying};

/// Why WeChat refuses: its code, and its words.
type Refused = (&'static str, &'static str);
/// The fields of an answer beside the common ones.
type Fields = Vec<(String, String)>;

/// Seconds between deliveries. Source: payment result notice, API v2.
const SCHEDULE: [u64; 15] = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];
/// A code of `wx.login` is good for this long.
const CODE_LIFE: i64 = 5 * MINUTE;

/// The simulated WeChat; cheap to clone, so that a test can watch and steer what a shop talks to.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

pub struct Inner {
    /// Who the merchant is; how it signs can change.
    merchant: Merchant,
    signing: Mutex<(ApiKey, SignType)>,
    app: MiniProgram,
    clock: Clock,
    nonces: Nonces,
    http: reqwest::Client,
    state: Mutex<State>,
    /// The keys of API v3, once it speaks that too.
    v3: RwLock<Option<Arc<v3::Opened>>>,
    /// Where what outlives a restart is kept, if anywhere.
    file: Option<PathBuf>,
}

impl std::ops::Deref for Simulator {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Simulator {
    pub fn new(merchant: Merchant, app_secret: &str, clock: Clock, nonces: Nonces) -> Simulator {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let app = MiniProgram { app_id: merchant.app_id.clone(), app_secret: app_secret.to_owned() };
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(5))
            .build()
            .expect("a client without TLS needs nothing of the system");
        let signing = Mutex::new((merchant.key.clone(), merchant.sign_type));
        let state = Mutex::default();
        Simulator(Arc::new(Inner {
            merchant,
            signing,
            app,
            clock,
            nonces,
            http,
            state,
            v3: RwLock::default(),
            file: None,
        }))
    }

    /// Remembers its trades and refunds in this file, so that they outlive a restart.
    pub fn kept_in(self, file: PathBuf) -> Result<Simulator, String> {
        let kept = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| format!("{} 读不出来：{e}", file.display()))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Default::default(),
            Err(e) => return Err(format!("{} 读不出来：{e}", file.display())),
        };
        self.lock().kept = kept;
        let inner = Arc::into_inner(self.0).ok_or("模拟微信已经在运行")?;
        Ok(Simulator(Arc::new(Inner { file: Some(file), ..inner })))
    }

    /// Writes down what has changed.
    fn save(&self) {
        let Some(file) = &self.file else { return };
        let json = {
            let mut state = self.lock();
            if !std::mem::take(&mut state.changed) {
                return;
            }
            serde_json::to_vec(&state.kept)
        };
        let part = file.with_extension("part");
        let written = json
            .map_err(std::io::Error::from)
            .and_then(|json| std::fs::write(&part, json))
            .and_then(|()| std::fs::rename(&part, file));
        if let Err(e) = written {
            log::error!("the simulated WeChat cannot remember its trades: {e}");
        }
    }

    /// The merchant as it signs now.
    pub fn merchant(&self) -> Merchant {
        let (key, sign_type) = self.signing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Merchant::new(&self.merchant.app_id, &self.merchant.mch_id, key, sign_type)
    }

    /// The merchant has changed its key or digest at WeChat: in force at once.
    pub fn change_signing(&self, key: ApiKey, sign_type: SignType) {
        *self.signing.lock().unwrap_or_else(PoisonError::into_inner) = (key, sign_type);
    }

    /// Its own Rocket, on its own port.
    pub fn rocket(&self, figment: Figment) -> Rocket<Build> {
        rocket::custom(assets::with_template_dir(figment))
            .manage(self.clone())
            .attach(Backlog)
            .attach(assets::templates())
            // The cash desk is shown inside the demo's storefront, which is another origin.
            .attach(Shield::default().disable::<Frame>())
            .attach(AdHoc::on_response("frames", |_, response| {
                Box::pin(async move {
                    response.set_header(Header::new("Access-Control-Allow-Origin", "*"));
                    response.set_header(Header::new(
                        "Content-Security-Policy",
                        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'",
                    ));
                })
            }))
            .attach(AdHoc::on_liftoff("memory", |rocket| {
                let (sim, mut shutdown) = (rocket.state::<Simulator>().cloned(), rocket.shutdown());
                Box::pin(async move {
                    let Some(sim) = sim.filter(|sim| sim.file.is_some()) else { return };
                    tokio::spawn(async move {
                        loop {
                            tokio::select! {
                                () = &mut shutdown => return sim.save(),
                                () = tokio::time::sleep(Duration::from_secs(1)) => sim.save(),
                            }
                        }
                    });
                })
            }))
            .mount("/", api::routes())
            .mount("/", v3::api::routes())
            .mount("/", register::routes())
            .mount("/", receipts::routes())
            .mount("/", robots::routes())
            .mount("/", subscribe::routes())
            .mount("/", codes::routes())
            .mount("/", cash_desk::routes())
            .mount("/", control::routes())
            .register("/simulator", control::catchers())
            .mount("/", assets::routes())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `wx.login` gives somebody: a fresh code, good once.
    pub fn login_code(&self, user: &str) -> String {
        self.login_code_at(&self.app.app_id, user)
    }

    /// The same in another app that is bound to the merchant number.
    pub fn login_code_at(&self, app_id: &str, user: &str) -> String {
        let code = format!("0{}", self.nonces.nonce_str());
        let now = self.clock.now();
        let mut state = self.lock();
        state.codes.retain(|_, kept| now - kept.at < 2 * CODE_LIFE);
        let openid = self.openid_at(app_id, user);
        state.kept.openids.insert(openid.clone(), app_id.to_owned());
        state.codes.insert(code.clone(), Code { app_id: app_id.to_owned(), openid, at: now, used: false });
        code
    }

    /// The openid of a made-up person under our app id.
    pub fn openid(&self, user: &str) -> String {
        self.openid_at(&self.app.app_id, user)
    }

    pub fn openid_at(&self, app_id: &str, user: &str) -> String {
        let hash = hex::encode(Sha256::digest(format!("{app_id}/{user}")));
        format!("o{}", &hash[..27])
    }

    /// Binds a further app to the merchant number.
    pub fn bind_app(&self, app_id: &str, app_secret: &str) {
        let mut state = self.lock();
        state.kept.apps.insert(app_id.to_owned(), app_secret.to_owned());
        state.changed = true;
    }

    /// The secret of an app that is bound to the merchant number.
    fn secret_of(&self, app_id: &str) -> Option<String> {
        if app_id == self.app.app_id {
            return Some(self.app.app_secret.clone());
        }
        self.lock().kept.apps.get(app_id).cloned()
    }

    /// The next call of this kind goes wrong.
    pub fn fault(&self, kind: &str, fault: Fault) {
        self.lock().faults.push(kind, fault);
    }

    /// Every call of this kind goes wrong, until the faults are cleared.
    pub fn fault_always(&self, kind: &str, fault: Fault) {
        self.lock().faults.set(kind, fault);
    }

    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Changes how refunds go from now on.
    pub fn ways(&self, change: impl FnOnce(&mut Ways)) {
        let mut state = self.lock();
        change(&mut state.kept.ways);
        state.changed = true;
    }

    /// The token that opens the interfaces is not good any more.
    pub fn end_token(&self) {
        self.lock().token = None;
    }

    /// Where an order of the order centre opens, if the shop has said.
    pub fn order_path(&self) -> Option<String> {
        self.lock().order_path.clone()
    }

    /// The refunds of a payment as WeChat sees them.
    pub fn refunds(&self, transaction_id: &str) -> Vec<Refund> {
        self.lock().kept.refunds_of(transaction_id).cloned().collect()
    }

    /// Every refund that WeChat has taken on.
    pub fn all_refunds(&self) -> Vec<Refund> {
        self.lock().kept.refunds.clone()
    }

    /// The transactions that the shop has to hear of in the end, and whether a late payer still waits for his turn.
    pub fn all_paid(&self) -> (Vec<String>, bool) {
        let state = self.lock();
        let trades = state.kept.trades.values().filter(|trade| !trade.is_foreign());
        let waits = trades.clone().any(|trade| trade.pays_late && trade.state == TradeState::Closed);
        (trades.filter_map(|trade| trade.transaction_id.clone()).collect(), waits)
    }

    /// What the shop's own trade has moved in all, in fen: settled payments, what left for refunds, and the fees.
    pub fn own_moved(&self) -> (i64, i64, i64) {
        let (now, state) = (self.clock.now(), self.lock());
        let trades = state.kept.trades.values().filter(|trade| !trade.is_foreign() && trade.state == TradeState::Paid);
        let arrived: Vec<i64> = trades.map(Trade::settled_fen).collect();
        let refunds = state.kept.refunds.iter().filter(|refund| refund.status(now) == "SUCCESS");
        let left: Vec<i64> = refunds.map(Refund::settled_fen).collect();
        let fees = |sums: &[i64]| sums.iter().map(|fen| bills::fee(*fen)).sum::<i64>();
        (arrived.iter().sum(), left.iter().sum(), fees(&arrived) - fees(&left))
    }

    /// Another app, or a till, takes money under the same merchant number; answers with the transaction.
    pub fn sell_elsewhere(&self, sale: &Foreign) -> Result<String, String> {
        trades::foreign(self, sale)
    }

    /// Pushes an event of the mini-program's once; answers with the shop's status and words.
    pub async fn push(&self, push: &Push) -> Result<(u16, String), String> {
        push::send(self, push).await
    }

    /// Somebody refunds in WeChat's own console; answers with WeChat's number.
    pub fn refund_by_console(&self, transaction_id: &str, fen: i64) -> Result<String, String> {
        refunds::by_console(self, transaction_id, fen)
    }

    /// How one refund ends, from now on; by the shop's number or WeChat's.
    pub fn end_refund(&self, number: &str, end: RefundEnd) -> Result<(), String> {
        refunds::set_end(self, number, end)
    }

    /// How many calls of a kind have come.
    pub fn calls(&self, kind: &str) -> u64 {
        self.lock().calls.get(kind).copied().unwrap_or(0)
    }

    /// A trade as WeChat sees it.
    pub fn trade(&self, out_trade_no: &str) -> Option<Trade> {
        self.lock().kept.trades.get(out_trade_no).cloned()
    }

    /// The notice of a paid trade, signed, as it is delivered again and again.
    pub fn notice(&self, out_trade_no: &str) -> Option<String> {
        let prepay_id = self.trade(out_trade_no)?.prepay_ids.last()?.0.clone();
        delivery::message(self, &prepay_id).map(|(_, xml)| xml)
    }

    /// The notice of a paid trade as API v3 sends it, spoilt as this fault asks for.
    pub fn notice_v3(&self, out_trade_no: &str, fault: Option<&Fault>) -> Option<v3::notices::Notice> {
        v3::notices::of_trade(self, out_trade_no, fault)
    }

    /// A day's bill, unpacked; `None` for a day without trade.
    pub fn bill(&self, day: Day) -> Option<String> {
        bills::text(self, day)
    }

    /// A day's fund flow, unpacked; `None` for a day on which the balance did not change.
    pub fn funds(&self, day: Day) -> Option<String> {
        let now = self.clock.now();
        funds::text(&self.lock().kept, day, now)
    }

    /// A day's fund flow is answered with these bytes from now on.
    pub fn set_funds(&self, day: Day, bytes: impl Into<Vec<u8>>) {
        self.lock().funds.insert(day.to_string(), bytes.into());
    }

    /// The merchant takes money to his bank.
    pub fn withdraw(&self, fen: i64) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.kept.withdrawals.push((now, fen));
        state.changed = true;
    }

    /// A day's bill is answered with these bytes from now on, whatever was traded.
    pub fn set_bill(&self, day: Day, bytes: impl Into<Vec<u8>>) {
        self.lock().bills.insert(day.to_string(), bytes.into());
    }

    /// Every bill is answered as it is again.
    pub fn reset_bills(&self) {
        let mut state = self.lock();
        state.bills.clear();
        state.funds.clear();
    }

    /// WeChat closes a trade of its own accord, as it does with old ones.
    pub fn close_now(&self, out_trade_no: &str) {
        let mut state = self.lock();
        if let Some(trade) = state.kept.trades.get_mut(out_trade_no).filter(|trade| trade.state == TradeState::NotPaid)
        {
            trade.state = TradeState::Closed;
            state.changed = true;
        }
    }

    /// While this trade is unpaid, a query tells this `trade_state` of it, such as `PAYERROR`.
    pub fn say(&self, out_trade_no: &str, trade_state: &str) {
        let mut state = self.lock();
        if let Some(trade) = state.kept.trades.get_mut(out_trade_no) {
            trade.said = Some(trade_state.to_owned());
            state.changed = true;
        }
    }

    /// The buyer pays this prepay_id, in one of the ways that happen. `Err` is what the cash desk would say.
    pub fn pay(&self, prepay_id: &str, paying: Paying) -> Result<(), String> {
        let notices = self.pay_unheard(prepay_id, paying)?;
        for _ in 0..notices {
            delivery::start(self.clone(), prepay_id.to_owned());
        }
        Ok(())
    }

    /// The same, but nothing is delivered; answers with how many notices there would be.
    pub fn pay_unheard(&self, prepay_id: &str, paying: Paying) -> Result<usize, String> {
        trades::pay(self, prepay_id, paying)
    }
}

/// Refuses what must never come near the simulator: settings of a real merchant, or a real host.
pub fn refuse_real(fixed: &std::collections::BTreeMap<&'static str, String>) -> Result<(), String> {
    match fixed.keys().find(|name| name.starts_with("wechat.")) {
        Some(name) => Err(format!(
            "演示用的是内置的模拟微信，不接受真实的微信设置（发现 {name}）。请去掉 ROCKET_WECHAT 和 Rocket.toml 里的 wechat 表，或改用 xiaopu serve。"
        )),
        None => Ok(()),
    }
}
