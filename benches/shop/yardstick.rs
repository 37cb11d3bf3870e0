//! What the shop is compared with: the least that could answer, and the plainest that could be right.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rocket::data::ToByteUnit;
use rocket::http::ContentType;
use rocket::{Data, Rocket, State, get, post, routes};
use tokio::sync::Mutex;
use xiaopu::db::Db;
use xiaopu::error::Error;
use xiaopu::message_log::Logged;
use xiaopu::payments::notify;
use xiaopu::settings::Settings;
use xiaopu::wechat::v2::notice;

use super::load::{self, Outcome};
use super::seed;

/// Runs in a process of its own until it is killed.
pub fn run(role: &str, port: u16, argument: &Path) {
    let rocket = match role {
        "bare" => bare(port, argument),
        "naive" => naive(port, argument),
        _ => panic!("no such role: {role}"),
    };
    if let Err(e) = rocket::execute(rocket.launch()) {
        eprintln!("{role}: {e}");
    }
}

fn figment(port: u16) -> rocket::figment::Figment {
    xiaopu::cli::figment().merge(("port", port))
}

/// The same bytes in one chunk, and nothing else: no database, no headers, no log.
fn bare(port: u16, file: &Path) -> Rocket<rocket::Build> {
    #[get("/<_..>")]
    fn bytes(body: &State<Arc<Vec<u8>>>) -> (ContentType, Shared) {
        (ContentType::JSON, Shared(body.inner().clone()))
    }
    let body = Arc::new(std::fs::read(file).expect("the bytes are there"));
    rocket::custom(figment(port)).manage(body).mount("/", routes![bytes])
}

struct Shared(Arc<Vec<u8>>);

impl<'r> rocket::response::Responder<'r, 'static> for Shared {
    fn respond_to(self, _: &'r rocket::Request<'_>) -> rocket::response::Result<'static> {
        struct Bytes(Arc<Vec<u8>>);
        impl AsRef<[u8]> for Bytes {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        let (len, body) = (self.0.len(), std::io::Cursor::new(Bytes(self.0)));
        rocket::Response::build().max_chunk_size(len.max(1)).sized_body(len, body).ok()
    }
}

/// A handler as one writes it first: read, checked, and written under a lock, with a commit for every notice.
fn naive(port: u16, data: &Path) -> Rocket<rocket::Build> {
    #[post("/wechat/pay/notify", data = "<data>")]
    async fn hear(db: &State<Mutex<Db>>, data: Data<'_>) -> (ContentType, String) {
        let bytes = data.open(64.kibibytes()).into_bytes().await.expect("a body").into_inner();
        let notice = notice::read(&bytes, &seed::merchant());
        let entry = Logged::received("notify", bytes, "127.0.0.1".into());
        let one_at_a_time = db.lock().await;
        (ContentType::XML, write(&one_at_a_time, notice, entry).await)
    }
    let db = open(data);
    rocket::custom(figment(port)).manage(Mutex::new(db)).mount("/", routes![hear])
}

async fn write(db: &Db, notice: notice::Notice, entry: Logged) -> String {
    let work = move |tx: &xiaopu::db::Tx| notify::enter(tx, notice.clone(), entry.clone(), &Settings::default());
    db.write_always::<_, Error>(work).await.expect("a notice is written")
}

/// The same transactions without any door: read and checked beforehand, put straight into the group commit.
pub async fn direct(db: &Db, together: usize, notices: Vec<String>) -> Outcome {
    let read = |text: String| {
        let bytes = text.into_bytes();
        (notice::read(&bytes, &seed::merchant()), Logged::received("notify", bytes, "127.0.0.1".into()))
    };
    let ready: Vec<_> = notices.into_iter().map(read).collect();
    let queue = Arc::new(std::sync::Mutex::new(ready));
    let start = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..together {
        let (queue, db) = (queue.clone(), db.clone());
        workers.spawn(async move {
            let mut took = Vec::new();
            loop {
                let next = queue.lock().expect("no one panics").pop();
                let Some((notice, entry)) = next else { return took };
                let begun = Instant::now();
                assert_eq!(write(&db, notice, entry).await, notice::ACKNOWLEDGED);
                took.push((200, begun.elapsed().as_micros() as u32));
            }
        });
    }
    load::gather(workers, start).await
}

/// The database of a shop, beside or without the program.
pub fn open(data: &Path) -> Db {
    Db::open(data).expect("a database opens")
}
