//! A shop and a simulated WeChat on loopback ports of their own, with hands on their clock.

use std::net::TcpListener;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rusqlite::Connection;
use serde_json::{Value, json};
use xiaopu::catalogue::store::{self as catalogue, Draft, SkuDraft};
use xiaopu::catalogue::{Delivery, stock};
use xiaopu::clock::{Clock, Day};
use xiaopu::db::{Db, Tx};
use xiaopu::error::Error;
use xiaopu::ids::{ProductId, SkuId};
use xiaopu::money::Fen;
use xiaopu::nonce::Nonces;
use xiaopu::orders::margin::{self, Margin, Margins};
use xiaopu::payments::invariants;
use xiaopu::settings::Server;
use xiaopu::shop::{Opening, Shop};
use xiaopu::simulator::{Fault, Foreign, Paying, Simulator};
use xiaopu::staff::{Role, password, store as staff};
use xiaopu::wechat::v2::Merchant;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};

pub const KEY: &str = "192006250b4c09247ec02edce69f6a2d";
pub const APP_ID: &str = "wxd930ea5d5a258f4f";
pub const MCH_ID: &str = "1900000109";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Of every member of staff.
const PASSWORD: &str = "packing-table-7";
/// 2026-10-08 13:00:00 in Shanghai.
pub const START: i64 = 1_791_435_600_000;
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const DAY: i64 = 24 * 60 * MINUTE;

pub struct World {
    pub shop: Shop,
    pub wechat: Simulator,
    pub clock: Clock,
    pub url: String,
    http: reqwest::Client,
    keys: AtomicU64,
    /// As the first page keeps them from one look to the next.
    margins: Margins,
    shutdown: Vec<rocket::Shutdown>,
    _folder: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.drain(..).for_each(rocket::Shutdown::notify);
    }
}

/// The file of a new shop, made by the migrations once for all tests: for each of them anew it would be half of the work.
fn new_database() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        drop(Db::open(folder.path()).unwrap());
        std::fs::read(folder.path().join("xiaopu.db")).unwrap()
    })
}

/// What staff log in with, hashed once: each hash takes as long as it is meant to.
async fn hashed() -> String {
    static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    HASH.get_or_init(|| async { password::hash(PASSWORD.into()).await.unwrap() }).await.clone()
}

pub fn merchant(sign_type: SignType) -> Merchant {
    Merchant::new(APP_ID, MCH_ID, KEY.parse().unwrap(), sign_type)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn figment(port: u16) -> Figment {
    xiaopu::cli::figment().merge(("address", "127.0.0.1")).merge(("port", port)).merge(("shutdown.ctrlc", false))
}

/// A client that talks to this machine only. An unoptimised shop takes seconds to unpack the pictures of its samples, and
/// many times that beside others.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(120))
        .build()
        .unwrap()
}

/// Opens the doors; `None` when somebody took their port in the meantime.
async fn launched(rocket: rocket::Rocket<rocket::Build>) -> Option<rocket::Shutdown> {
    let (open, opened) = tokio::sync::oneshot::channel();
    let tells = AdHoc::on_liftoff("opened", |_| {
        Box::pin(async move {
            let _ = open.send(());
        })
    });
    let rocket = rocket.attach(tells).ignite().await.unwrap();
    let shutdown = rocket.shutdown();
    // Why it did not open is said by what is not there; an error that nobody has read ends the program.
    tokio::spawn(async move { rocket.launch().await.map(drop).map_err(|e| e.to_string()) });
    opened.await.ok().map(|()| shutdown)
}

impl World {
    pub async fn new() -> World {
        World::with(SignType::Md5, &[]).await
    }

    /// Further settings, by name.
    pub async fn with(sign_type: SignType, more: &[(&'static str, &str)]) -> World {
        World::built(sign_type, more, None).await
    }

    /// With a WeChat that speaks TLS and asks for the merchant's certificate.
    pub async fn secure(tls: &Tls) -> World {
        World::built(SignType::Md5, &[], Some(tls)).await
    }

    async fn built(sign_type: SignType, more: &[(&'static str, &str)], tls: Option<&Tls>) -> World {
        // In memory where there is such a place: what is on trial here is what is written, not how fast a disk is.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        std::fs::write(folder.path().join("xiaopu.db"), new_database()).unwrap();
        let clock = Clock::manual(START);
        let wechat = Simulator::new(merchant(sign_type), SECRET, clock.clone(), Nonces::counting());
        let (wechat_url, simulator) = loop {
            let port = free_port();
            let (figment, scheme) = match tls {
                Some(tls) => (tls.server(figment(port)), "https"),
                None => (figment(port), "http"),
            };
            if let Some(shutdown) = launched(wechat.rocket(figment)).await {
                break (format!("{scheme}://127.0.0.1:{port}"), shutdown);
            }
        };
        loop {
            let port = free_port();
            let url = format!("http://127.0.0.1:{port}");
            let mut server = Server {
                data_dir: folder.path().to_owned(),
                pay_url: wechat_url.clone(),
                api_url: wechat_url.clone(),
                ca_cert: tls.map(Tls::ca_file),
                metrics_token: Some("monitor-token-of-nobody".into()),
                robots_url: Some(wechat_url.clone()),
                hooks_private: true,
                ..Server::default()
            };
            for (name, value) in [
                ("shop.public_url", url.as_str()),
                ("wechat.app_id", APP_ID),
                ("wechat.app_secret", SECRET),
                ("wechat.mch_id", MCH_ID),
                ("wechat.api_key", KEY),
                ("wechat.sign_type", sign_type.name()),
                ("shop.unpaid_orders", "1000"),
            ]
            .into_iter()
            .chain(more.iter().copied())
            {
                match value {
                    // Left to the settings page.
                    "" => drop(server.fixed.remove(name)),
                    _ => drop(server.fixed.insert(name, value.to_owned())),
                }
            }
            let opening = Opening { clock: clock.clone(), ..Opening::default() };
            let shop = Shop::open(server, opening).await.unwrap();
            if let Some(doors) = launched(xiaopu::rocket(shop.clone(), figment(port))).await {
                let (http, keys, shutdown) = (client(), AtomicU64::new(1), vec![simulator, doors]);
                return World {
                    shop,
                    wechat,
                    clock,
                    url,
                    http,
                    keys,
                    margins: Margins::default(),
                    shutdown,
                    _folder: folder,
                };
            }
        }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Looks until it is so; a test that waits too long says for what.
    pub async fn wait<F, R>(&self, what: &str, mut look: F)
    where
        F: FnMut() -> R,
        R: Future<Output = bool>,
    {
        for look_again_in in [2, 4, 8, 16].into_iter().chain([25; 1200]) {
            if look().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(look_again_in)).await;
        }
        panic!("waited in vain for {what}");
    }

    pub fn advance(&self, ms: i64) {
        self.clock.advance(ms);
        self.shop.wake_worker();
    }

    /// Sets the clock wrong, or right again: no time goes by.
    pub fn jump(&self, ms: i64) {
        self.clock.jump(ms);
        self.shop.wake_worker();
    }

    /// Runs every job that is due now, here and at once.
    pub async fn run_jobs(&self) {
        for _ in 0..20 {
            if xiaopu::worker::run_due(&self.shop).await.unwrap() == 0 {
                return;
            }
        }
    }

    pub fn key(&self) -> String {
        format!("test-key-{:06}", self.keys.fetch_add(1, Ordering::SeqCst))
    }

    /// A product without choices.
    pub async fn product(&self, name: &str, fen: i64, on_hand: i64) -> SkuId {
        self.product_with(name, fen, on_hand, |_, _| {}).await.1
    }

    pub async fn product_with(
        &self,
        name: &str,
        fen: i64,
        on_hand: i64,
        change: impl FnOnce(&mut Draft, &mut SkuDraft),
    ) -> (ProductId, SkuId) {
        let mut draft = Draft { name: name.to_owned(), on_shelf: true, ..Draft::default() };
        let mut sku = SkuDraft {
            specs: Vec::new(),
            sku_code: None,
            price: Fen::new(fen).unwrap(),
            market_price: None,
            limit_per_order: None,
            delivery: Delivery::Express,
            weight: 0,
            enabled: true,
        };
        change(&mut draft, &mut sku);
        let write = move |tx: &Tx| {
            let product = catalogue::insert_product(tx, &draft)?;
            let id = catalogue::put_sku(tx, product, &sku)?;
            stock::adjust(tx, id, on_hand, None, "test")?;
            catalogue::refresh_prices(tx, product)?;
            Ok::<_, Error>((product, id))
        };
        self.shop.db.write(write).await.unwrap()
    }

    /// On hand and reserved.
    pub async fn stock(&self, sku: SkuId) -> (i64, i64) {
        let read = move |conn: &rusqlite::Connection| {
            let found = catalogue::for_sale(conn, sku)?.unwrap();
            Ok::<_, Error>((found.sku.on_hand, found.sku.reserved))
        };
        self.shop.db.read(read).await.unwrap()
    }

    /// Everything that must always be true.
    pub async fn must_hold(&self) {
        let (margins, today) = (self.margins.clone(), Day::of(self.shop.now()));
        let read = move |conn: &Connection| {
            let days = margin::by_day(conn, today.plus(-60), today)?;
            let kept = margins.of(conn, today.plus(-60), today)?;
            Ok::<_, Error>((invariants::broken(conn)?, kept, Margin::sum(days.values())))
        };
        let (broken, kept, reckoned) = self.shop.db.read(read).await.unwrap();
        assert_eq!((broken, kept), (Vec::new(), reckoned));
        let hours = "select count(*) from money_hours h
                      where received_fen is not (select sum(amount_fen) from ledger l
                                                  where l.kind = 'payment' and l.moved_at / 3600000 = h.hour)";
        assert_eq!(self.count(hours).await, 0);
    }

    /// One number from the database, for what no door shows.
    pub async fn count(&self, sql: impl Into<String>) -> i64 {
        let sql = sql.into();
        self.shop.db.read(move |conn| Ok::<_, Error>(conn.query_row(&sql, [], |row| row.get(0))?)).await.unwrap()
    }

    pub async fn buyer(&self, name: &str) -> Buyer<'_> {
        let code = self.wechat.login_code(name);
        let answer = self.call(Method::POST, "/login", None, None, Some(json!({ "code": code }))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Buyer { world: self, token: answer.body["token"].as_str().unwrap().to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, None, None).await
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.http.request(method, self.at(&format!("/api/v1{path}")));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// WeChat's call, as a body.
    pub async fn notify(&self, body: impl Into<reqwest::Body>) -> String {
        let answer = self.http.post(self.at("/wechat/pay/notify")).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/xml"));
        answer.text().await.unwrap()
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A member of staff, logged in; the client carries the session.
    pub async fn staff(&self, name: &str, role: Role) -> Console<'_> {
        let account = name.to_owned();
        let hash = hashed().await;
        self.shop.db.write(move |tx| Ok::<_, Error>(staff::insert(tx, &account, role, &hash)?)).await.unwrap();
        let form = [("account", name), ("password", PASSWORD)];
        let answer = self.http.post(self.at("/admin/login")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = cookie(&answer, "xiaopu_session=").unwrap();
        Console { world: self, cookie, flash: Default::default() }
    }
}

/// An answer of the API.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    async fn of(response: reqwest::Response) -> Answer {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Answer { status, headers, body }
    }

    /// The status and the stable code.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.body
    }
}

/// A buyer with a token.
pub struct Buyer<'w> {
    pub world: &'w World,
    pub token: String,
}

/// What another program sells under the same merchant number.
pub fn sale(app_id: &str, trade_type: &str, out_trade_no: &str, total_fen: i64) -> Foreign {
    let text = str::to_owned;
    Foreign { app_id: text(app_id), trade_type: text(trade_type), out_trade_no: text(out_trade_no), total_fen }
}

/// All of an order's money, given back by staff.
pub const WHOLE: [(&str, &str); 3] = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];

pub fn address() -> Value {
    json!({
        "receiver": "王小样", "phone": "13800001234", "province": "浙江省", "city": "杭州市", "district": "西湖区",
        "detail": "演示路 1 号", "postcode": "310000",
    })
}

impl Buyer<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.world.call(Method::GET, path, Some(&self.token), None, None).await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> Answer {
        self.world.call(Method::POST, path, Some(&self.token), None, body).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.world.call(method, path, Some(&self.token), None, body).await
    }

    pub async fn prepay(&self, key: &str, body: Value) -> Answer {
        self.world.call(Method::POST, "/prepay", Some(&self.token), Some(key), Some(body)).await
    }

    pub async fn ask_refund(&self, order_no: &str, key: &str, body: Value) -> Answer {
        let path = format!("/orders/{order_no}/refunds");
        self.world.call(Method::POST, &path, Some(&self.token), Some(key), Some(body)).await
    }

    /// Orders some of one SKU with a fresh key.
    pub async fn buy(&self, sku: SkuId, quantity: i64) -> Answer {
        self.prepay(&self.world.key(), self::order(sku, quantity)).await
    }

    pub async fn order(&self, order_no: &str) -> Value {
        self.get(&format!("/orders/{order_no}")).await.ok()
    }

    pub async fn status(&self, order_no: &str) -> String {
        self.order(order_no).await["status"].as_str().unwrap().to_owned()
    }
}

pub fn order(sku: SkuId, quantity: i64) -> Value {
    json!({ "items": [{ "skuId": sku, "quantity": quantity }], "address": address() })
}

/// A placed order: its number, its attempt's number, and the prepay_id.
pub struct Placed {
    pub no: String,
    pub out_trade_no: String,
    pub prepay_id: String,
    pub total: i64,
}

impl Placed {
    #[track_caller]
    pub fn of(answer: Answer) -> Placed {
        let body = answer.ok();
        let no = body["order"]["orderNo"].as_str().unwrap().to_owned();
        Placed {
            out_trade_no: format!("{no}01"),
            no,
            prepay_id: body["payment"]["package"].as_str().unwrap().strip_prefix("prepay_id=").unwrap().to_owned(),
            total: body["order"]["totalFen"].as_i64().unwrap(),
        }
    }
}

impl World {
    /// An order that was bought and paid, as WeChat's notice says.
    pub async fn paid(&self, buyer: &Buyer<'_>, sku: SkuId, quantity: i64) -> Placed {
        let placed = Placed::of(buyer.buy(sku, quantity).await);
        self.pay(&placed, Paying::Well);
        self.wait("the payment", || async { buyer.status(&placed.no).await == "to_ship" }).await;
        placed
    }

    /// WeChat's number of the payment that an attempt was paid with.
    pub fn transaction(&self, placed: &Placed) -> String {
        self.wechat.trade(&placed.out_trade_no).unwrap().transaction_id.unwrap()
    }

    pub fn pay(&self, placed: &Placed, paying: Paying) {
        self.wechat.pay(&placed.prepay_id, paying).unwrap();
    }

    /// A right notice for this order, unsigned; the payer is `payer`.
    pub fn notice(&self, placed: &Placed, payer: &str) -> Message {
        let total = placed.total.to_string();
        Message::from([
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("appid", APP_ID),
            ("mch_id", MCH_ID),
            ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
            ("openid", &self.wechat.openid(payer)),
            ("is_subscribe", "N"),
            ("trade_type", "JSAPI"),
            ("bank_type", "CMB_CREDIT"),
            ("total_fee", &total),
            ("cash_fee", &total),
            ("fee_type", "CNY"),
            ("transaction_id", "4200000000202610080000000001"),
            ("out_trade_no", &placed.out_trade_no),
            ("time_end", "20261008131540"),
        ])
    }
}

/// Signed with the test key, as XML.
pub fn signed(message: &Message) -> String {
    let mut message = message.clone();
    message.set("sign", sign::sign(&message, SignType::Md5, &KEY.parse().unwrap()));
    message.to_xml()
}

/// The cookie of this name that an answer sets, with its value.
pub fn cookie(answer: &reqwest::Response, name: &str) -> Option<String> {
    answer.headers().get_all("set-cookie").iter().find_map(|cookie| {
        let cookie = cookie.to_str().ok()?.split(';').next()?;
        cookie.starts_with(name).then(|| cookie.to_owned())
    })
}

/// A member of staff at the console.
pub struct Console<'w> {
    world: &'w World,
    pub cookie: String,
    flash: std::sync::Mutex<Option<String>>,
}

impl Console<'_> {
    /// Gives back so much of the order's only line, and waits until WeChat has paid: pieces, yuan, and whether the pieces
    /// are for sale again.
    pub async fn give_back(&self, buyer: &Buyer<'_>, placed: &Placed, (pieces, yuan, restock): (&str, &str, bool)) {
        let line = buyer.order(&placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
        let mut form = vec![
            ("lines[0].id", line.as_str()),
            ("lines[0].quantity", pieces),
            ("lines[0].amount", yuan),
            ("reason", "协商一致退款"),
            ("confirmed", "true"),
        ];
        if restock {
            form.push(("lines[0].restock", "true"));
        }
        let w = self.world;
        let paid_back = "select count(*) from ledger where kind = 'refund'";
        let before = w.count(paid_back).await;
        self.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
        for wait in [0, 11 * SECOND, 61 * SECOND] {
            w.advance(wait);
            w.run_jobs().await;
        }
        w.wait("the refund", || async { w.count(paid_back).await == before + 1 }).await;
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let request = self.world.http.get(self.world.at(path)).header("Cookie", &self.cookie);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[track_caller]
    pub fn page(&self, path: &str) -> impl Future<Output = String> {
        let page = self.get(path);
        async move {
            let (status, text) = page.await;
            assert_eq!(status, 200, "{text}");
            text
        }
    }

    /// The page that a form leads to without a redirect: a second screen.
    pub async fn page_of(&self, path: &str, form: &[(&str, &str)]) -> String {
        let request = self.world.http.post(self.world.at(path)).header("Cookie", &self.cookie).form(form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// The page after a form, with what it said: the flash travels in a cookie.
    pub async fn said(&self, path: &str) -> String {
        let flash = self.flash.lock().unwrap().take().unwrap_or_default();
        let cookie = format!("{}; {flash}", self.cookie);
        let request = self.world.http.get(self.world.at(path)).header("Cookie", cookie);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Sends the order of a page, under a number that its carrier could have given.
    pub async fn ship(&self, page: &str) -> (u16, String) {
        self.post(&format!("{page}/ship"), &[("tracking_no", "SF1234567890123")]).await
    }

    /// Posts a form and answers with the status and where it leads.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let request = self.world.http.post(self.world.at(path)).header("Cookie", &self.cookie).form(form);
        let answer = request.send().await.unwrap();
        *self.flash.lock().unwrap() = cookie(&answer, "_flash=");
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_default())
    }
}

/// Certificates of a made-up authority: for WeChat's server, for our merchant, and for somebody else.
pub struct Tls {
    folder: tempfile::TempDir,
    pub merchant: (String, String),
    pub other_merchant: (String, String),
    /// From an authority that WeChat does not know.
    pub stranger: (String, String),
}

impl Tls {
    pub fn new() -> Tls {
        let folder = tempfile::tempdir().unwrap();
        let (ca, stranger_ca) = (authority(), authority());
        let server = certificate(&ca, "127.0.0.1");
        for (name, text) in [("ca.pem", &ca.0.pem()), ("server.pem", &server.0), ("server.key", &server.1)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Tls {
            merchant: certificate(&ca, MCH_ID),
            other_merchant: certificate(&ca, "1900000000"),
            stranger: certificate(&stranger_ca, MCH_ID),
            folder,
        }
    }

    pub fn ca_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server that asks everybody for a certificate and lets those in who have none: WeChat wants it for refunds alone.
    fn server(&self, figment: Figment) -> Figment {
        let file = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        figment
            .merge(("tls.certs", file("server.pem")))
            .merge(("tls.key", file("server.key")))
            .merge(("tls.mutual.ca_certs", file("ca.pem")))
            .merge(("tls.mutual.mandatory", false))
    }
}

type Authority = (rcgen::Certificate, rcgen::Issuer<'static, rcgen::KeyPair>);

fn authority() -> Authority {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "made-up authority");
    (params.self_signed(&key).unwrap(), rcgen::Issuer::new(params, key))
}

/// A certificate and its key, as PEM.
fn certificate(authority: &Authority, name: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.distinguished_name.push(rcgen::DnType::OrganizationalUnitName, "演示商户");
    let signed = params.signed_by(&key, &authority.1).unwrap();
    (signed.pem(), key.serialize_pem())
}

/// The mark that a page takes along with its click: what it has shown.
pub fn seen_on(page: &str) -> String {
    page.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// WeChat's query knows no such refund, in the words of either version.
pub fn no_such_refund(api: &str) -> Fault {
    Fault::refused(if api == "v2" { "REFUNDNOTEXIST" } else { "RESOURCE_NOT_EXISTS" }, "not exist")
}
