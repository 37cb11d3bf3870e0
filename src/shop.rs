//! `Shop`: what a request may reach for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use crate::clock::{Clock, MINUTE};
use crate::db::{Asked, Db, DbError, Tx};
use crate::error::{Error, Result};
use crate::memory;
use crate::nonce::Nonces;
use crate::packing::{self, Dictionary, Samples};
use crate::secrets::SecretKey;
use crate::settings::{Server, Settings, store as sealed};
use crate::wechat::{Account, Api, Wechat, v2, v3};

/// The running shop; cheap to clone.
#[derive(Clone)]
pub struct Shop(Arc<Inner>);

pub struct Inner {
    pub db: Db,
    pub wechat: Wechat,
    pub clock: Clock,
    pub nonces: Nonces,
    pub key: SecretKey,
    pub server: Server,
    /// The built-in simulator's address when this is the demo: every page then carries a banner.
    pub demo: Option<String>,
    settings: RwLock<Arc<Settings>>,
    /// What messages are packed with at this moment.
    dictionary: RwLock<Option<Dictionary>>,
    wake: tokio::sync::Notify,
    /// When the worker last looked for jobs that follow money, by the steady clock; 0 where it never did.
    looked: AtomicI64,
    /// Held, one for each group of lanes, by whoever runs the jobs that are due, so that none runs twice side by side.
    jobs: [tokio::sync::Mutex<()>; 3],
    /// Held by work that takes much memory for a moment: a large photograph, a large table.
    heavy: Arc<tokio::sync::Mutex<()>>,
}

impl std::ops::Deref for Shop {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What a shop is opened with, besides its data folder.
#[derive(Clone, Default)]
pub struct Opening {
    pub clock: Clock,
    pub nonces: Nonces,
    pub demo: Option<String>,
}

/// The way to WeChat that the configuration names. `Err` is a sentence for whoever wrote it.
pub fn way_to_wechat(server: &Server) -> std::result::Result<Wechat, String> {
    Wechat::new(&server.pay_url, server.second_pay_url(), &server.api_url, &server.roots()?).map_err(|e| e.to_string())
}

impl Shop {
    /// Opens the database, the key and the way to WeChat. `Err` is a sentence for whoever starts the shop.
    pub async fn open(server: Server, opening: Opening) -> std::result::Result<Shop, String> {
        let Opening { clock, nonces, demo } = opening;
        let wechat = way_to_wechat(&server)?;
        let db = Db::open_by(&server.data_dir, clock.clone()).map_err(|e| e.to_string())?;
        let sealed = db.read(|conn| Ok::<_, DbError>(!sealed::sealed(conn)?.is_empty())).await;
        let sealed = sealed.map_err(|e| format!("设置读不出来: {e}"))?;
        let key =
            SecretKey::load(&server.data_dir, &nonces, sealed).map_err(|e| format!("secret.key 读不出来: {e}"))?;
        let (settings, dictionary) = Default::default();
        let (wake, looked, jobs, heavy) = Default::default();
        let inner =
            Inner { db, wechat, clock, nonces, key, server, demo, settings, dictionary, wake, looked, jobs, heavy };
        let shop = Shop(Arc::new(inner));
        shop.reload_settings().await.map_err(|e| format!("设置读不出来: {e}"))?;
        Ok(shop)
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Runs `work` in a transaction that is on disk when this returns `Ok`: see `Db::write`. It may run twice, so it
    /// changes nothing but the database, and `tx.now()` says the same both times.
    pub fn write<T: Send + 'static>(&self, work: impl Fn(&Tx) -> Result<T> + Send + 'static) -> Asked<'_, T, Error> {
        self.db.write(work)
    }

    /// Like `write`, for facts that must be kept even when whoever brought them has hung up.
    pub fn write_always<T: Send + 'static>(
        &self,
        work: impl Fn(&Tx) -> Result<T> + Send + 'static,
    ) -> Asked<'_, T, Error> {
        self.db.write_always(work)
    }

    /// Like `write`, for work over thousands of rows at once, which has a commit of its own.
    pub fn write_large<T: Send + 'static>(
        &self,
        work: impl Fn(&Tx) -> Result<T> + Send + 'static,
    ) -> Asked<'_, T, Error> {
        self.db.write_large(work)
    }

    /// Runs `work` on one moment of the database, without write access.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Asked<'_, T, Error> {
        self.db.read(work)
    }

    /// Like `read`, for the few questions that look at every row: checks, reports, rehearsals.
    pub fn read_slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Asked<'_, T, Error> {
        self.db.read_slowly(work)
    }

    /// The settings of this moment.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After the console stored some.
    pub async fn reload_settings(&self) -> std::result::Result<(), DbError> {
        let mut loaded = self.load_settings().await?;
        let noted = loaded.changes.to_note(&loaded, &self.key, &self.nonces);
        if !noted.is_empty() {
            let write = move |tx: &Tx| noted.iter().try_for_each(|change| Ok(change.write(tx)?));
            self.db.write::<_, DbError>(write).await?;
            loaded = self.load_settings().await?;
        }
        self.note_number(&loaded).await?;
        self.load_dictionary(&loaded).await?;
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        Ok(())
    }

    /// Whatever set it, the page or the configuration.
    async fn note_number(&self, settings: &Settings) -> std::result::Result<(), DbError> {
        let Some(number) = settings.get("wechat.mch_id").map(str::to_owned) else { return Ok(()) };
        let known = number.clone();
        if !self.db.read::<_, DbError>(move |conn| Ok(sealed::is_set_to(conn, &known)?)).await? {
            self.db.write::<_, DbError>(move |tx| Ok(sealed::note_number(tx, &number)?)).await?;
        }
        Ok(())
    }

    async fn load_settings(&self) -> std::result::Result<Settings, DbError> {
        let shop = self.clone();
        self.db.read(move |conn| Ok(Settings::load(conn, &shop.server, &shop.key)?)).await
    }

    /// One of its own for each way that the shop was ever set up in.
    async fn load_dictionary(&self, settings: &Settings) -> std::result::Result<(), DbError> {
        let samples = Samples::of(&settings.constants());
        let sought = samples.clone();
        let found = self.db.read::<_, DbError>(move |conn| Ok(packing::store::of(conn, &sought)?)).await?;
        let dictionary = match found {
            Some(found) => found,
            None => self.db.write::<_, DbError>(move |tx| Ok(packing::store::put(tx, &samples)?)).await?,
        };
        *self.dictionary.write().unwrap_or_else(PoisonError::into_inner) = Some(dictionary);
        Ok(())
    }

    /// What messages are packed with; none before the settings were first read.
    pub fn dictionary(&self) -> Option<Dictionary> {
        self.dictionary.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who we are at WeChat Pay at this moment, for new attempts; `None` until everything that this needs is there.
    pub fn account(&self) -> Option<Account> {
        self.account_of(None)
    }

    /// The same in the version in which something was begun; where that is not known, in that of new attempts.
    pub fn account_of(&self, api: impl Into<Option<Api>>) -> Option<Account> {
        let settings = self.settings();
        settings.account(api.into().unwrap_or_else(|| settings.api()), self.now())
    }

    pub fn merchant_v2(&self) -> Option<v2::Merchant> {
        self.settings().merchant_v2(self.now())
    }

    pub fn merchant_v3(&self) -> Option<v3::Merchant> {
        self.settings().merchant_v3(self.now())
    }

    /// Tells the worker that a job may be due sooner than it thought.
    pub fn wake_worker(&self) {
        self.wake.notify_one();
    }

    /// The worker has looked for jobs that follow money, as it does twice a second.
    pub fn note_look(&self) {
        self.looked.store(self.clock.steady(), Ordering::Relaxed);
    }

    /// For how many milliseconds it has not, where that is too long: it stands still, and nothing is followed up. `None` also
    /// where there is no worker.
    pub fn worker_stands(&self) -> Option<i64> {
        let looked = Some(self.looked.load(Ordering::Relaxed)).filter(|at| *at != 0);
        looked.map(|at| self.clock.steady() - at).filter(|since| *since > 2 * MINUTE)
    }

    /// The turn to run the jobs of one of three groups of lanes; given back when it goes out of scope.
    pub async fn jobs_turn(&self, group: usize) -> tokio::sync::MutexGuard<'_, ()> {
        self.jobs[group].lock().await
    }

    /// Does what takes much memory, off the async threads and one after the other; what is free then goes back to the
    /// system, for the next one may run on another thread, out of memory of its own. Errors: the work panicked.
    pub async fn heavily<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> std::result::Result<T, tokio::task::JoinError> {
        // The work has the turn, and not whoever waits for it and may go away.
        let turn = self.heavy.clone().lock_owned().await;
        let doing = move || {
            let done = work();
            memory::give_back();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(doing).await
    }

    pub async fn worker_woken(&self) {
        self.wake.notified().await;
    }
}
