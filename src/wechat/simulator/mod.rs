//! A simulated WeChat: real HTTP, real signatures, as strict as the real one. For the demo and for tests, on loopback.

mod api;
mod cash_desk;
mod delivery;
mod trades;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::http::Header;
use rocket::shield::{Frame, Shield};
use rocket::{Build, Rocket};
use sha2::{Digest, Sha256};

use super::Merchant;
use super::mini_program::MiniProgram;
use crate::assets;
use crate::clock::{Clock, MINUTE};
use crate::nonce::Nonces;

pub use trades::{Paying, Trade, TradeState};

/// A code of `wx.login` is good for this long.
const CODE_LIFE: i64 = 5 * MINUTE;

/// The simulated WeChat; cheap to clone, so that a test can watch and steer what a shop talks to.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

pub struct Inner {
    merchant: Merchant,
    app: MiniProgram,
    clock: Clock,
    nonces: Nonces,
    http: reqwest::Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By out_trade_no.
    trades: HashMap<String, Trade>,
    codes: HashMap<String, Code>,
    faults: HashMap<String, VecDeque<Fault>>,
    /// Every call that reached us, by kind.
    calls: HashMap<String, u64>,
    next_transaction: u64,
}

struct Code {
    openid: String,
    at: i64,
    used: bool,
}

/// Something that goes wrong with the next call of a kind.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A signed refusal.
    ErrCode(&'static str, &'static str),
    /// `return_code=FAIL`.
    ReturnFail(&'static str),
    /// The call is carried out, but the answer is lost.
    LoseAnswer,
    /// The call is not carried out, and an error page comes back.
    Http500,
    /// The answer's signature is wrong.
    BadSign,
    /// The answer is signed for another merchant number.
    OtherMerchant,
    /// The answer is signed for another app id.
    OtherApp,
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
        Simulator(Arc::new(Inner { merchant, app, clock, nonces, http, state: Mutex::default() }))
    }

    /// Its own Rocket, on its own port.
    pub fn rocket(&self, figment: Figment) -> Rocket<Build> {
        rocket::custom(assets::with_template_dir(figment))
            .manage(self.clone())
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
            .mount("/", api::routes())
            .mount("/", cash_desk::routes())
            .mount("/", assets::routes())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `wx.login` gives somebody: a fresh code, good once.
    pub fn login_code(&self, user: &str) -> String {
        let code = format!("0{}", self.nonces.nonce_str());
        let now = self.clock.now();
        let mut state = self.lock();
        state.codes.retain(|_, kept| now - kept.at < 2 * CODE_LIFE);
        state.codes.insert(code.clone(), Code { openid: self.openid(user), at: now, used: false });
        code
    }

    /// The openid of a made-up person under our app id.
    pub fn openid(&self, user: &str) -> String {
        let hash = hex::encode(Sha256::digest(format!("{}/{user}", self.app.app_id)));
        format!("o{}", &hash[..27])
    }

    /// The next call of this kind goes wrong.
    pub fn fault(&self, kind: &str, fault: Fault) {
        self.lock().faults.entry(kind.to_owned()).or_default().push_back(fault);
    }

    /// How many calls of a kind have come.
    pub fn calls(&self, kind: &str) -> u64 {
        self.lock().calls.get(kind).copied().unwrap_or(0)
    }

    /// A trade as WeChat sees it.
    pub fn trade(&self, out_trade_no: &str) -> Option<Trade> {
        self.lock().trades.get(out_trade_no).cloned()
    }

    /// The buyer pays this prepay_id, in one of the ways that happen. `Err` is what the cash desk would say.
    pub fn pay(&self, prepay_id: &str, paying: Paying) -> Result<(), String> {
        let notices = trades::pay(self, prepay_id, paying)?;
        for _ in 0..notices {
            delivery::start(self.clone(), prepay_id.to_owned());
        }
        Ok(())
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
