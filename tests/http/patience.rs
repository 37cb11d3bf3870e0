//! Visitors of whom nothing comes are hung up on, and nobody else.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocket::config::{LogLevel, Shutdown};
use rocket::figment::Figment;
use rocket::form::Form;
use rocket::futures::future::join_all;
use rocket::response::stream::{ByteStream, TextStream};
use rocket::{Config, FromForm, get, post, routes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use xiaopu::sockets::patience::{IdleTimeouts, Patience};

const FIRST: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(4);

#[get("/now")]
fn now() -> &'static str {
    "here"
}

/// Takes longer than anybody may be silent before he asks.
#[get("/slow")]
async fn slow() -> &'static str {
    sleep(FIRST * 5 / 2).await;
    "at last"
}

/// Takes longer than anybody may be silent at all, but says something now and then.
#[get("/long")]
fn long() -> TextStream![&'static str] {
    TextStream! {
        for _ in 0..12 {
            yield "more ";
            sleep(LATER / 8).await;
        }
    }
}

static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// More than anybody's buffers hold.
#[get("/endless")]
fn endless() -> ByteStream![Vec<u8>] {
    struct Noted;
    impl Drop for Noted {
        fn drop(&mut self) {
            GIVEN_UP.store(true, Ordering::Relaxed);
        }
    }
    ByteStream! {
        let _noted = Noted;
        loop {
            yield vec![0; 64 * 1024];
        }
    }
}

#[derive(FromForm)]
struct Said {
    text: String,
}

#[post("/say", data = "<said>")]
fn say(said: Form<Said>) -> String {
    said.text.clone()
}

async fn opened() -> SocketAddr {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let shutdown = Shutdown { ctrlc: false, signals: Default::default(), ..Shutdown::default() };
    let config = Config { port: 0, shutdown, log_level: LogLevel::Off, ..Config::default() };
    let limits = IdleTimeouts { first: FIRST, later: LATER, look_every: FIRST / 10 };
    let rocket = rocket::custom(Figment::from(config))
        .attach(Patience::new(limits))
        .mount("/", routes![now, slow, long, endless, say])
        .attach(rocket::fairing::AdHoc::on_liftoff("port", move |rocket| {
            let at = SocketAddr::new(rocket.config().address, rocket.config().port);
            Box::pin(async move {
                let _ = tell.lock().unwrap().take().unwrap().send(at);
            })
        }));
    tokio::spawn(rocket.launch());
    told.await.unwrap()
}

async fn saying(at: SocketAddr, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(words.as_bytes()).await.unwrap();
    stream
}

/// What comes until the connection ends, which it must.
async fn until_the_end(mut stream: TcpStream) -> String {
    let mut heard = Vec::new();
    let _ = timeout(LATER * 10, stream.read_to_end(&mut heard)).await.expect("the connection ends");
    String::from_utf8(heard).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_asks_is_hung_up_on() {
    let at = opened().await;
    let form = "POST /say HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    // All at once: each is waited for as long as it is meant to be.
    let silent = [
        ("silent", String::new()),
        ("half a line", "GET /no".into()),
        ("a line and half a header", "GET /now HTTP/1.1\r\nHost: x\r\nX-Slow: ".into()),
        ("headers of a form, no body", format!("{form}Content-Length: 500\r\n\r\n")),
    ];
    let ends = silent.map(|(what, words)| async move {
        assert_eq!(until_the_end(saying(at, &words).await).await, "", "{what}");
    });
    join_all(ends).await;
    // One letter at a time, for ever.
    let mut stream = saying(at, "GET /now HTTP/1.1\r\nX-Slow: ").await;
    let dripping = async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(FIRST / 10).await
        }
    };
    timeout(LATER * 10, dripping).await.expect("the connection ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_asked_may_take_his_time_but_not_for_ever() {
    let at = opened().await;
    let ask = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    // An answer that is long in coming, and one that takes long to give.
    let slow = tokio::spawn(until_the_end(saying(at, &ask("/slow", "Connection: close\r\n")).await));
    let long = tokio::spawn(until_the_end(saying(at, &ask("/long", "Connection: close\r\n")).await));
    // A connection that is used again after a pause ends when it is not.
    let mut kept = saying(at, &ask("/now", "")).await;
    sleep(FIRST * 2).await;
    kept.write_all(ask("/now", "").as_bytes()).await.unwrap();
    let heard = until_the_end(kept).await;
    assert_eq!(heard.matches("here").count(), 2, "{heard}");
    assert!(slow.await.unwrap().contains("at last"));
    let long = long.await.unwrap();
    assert_eq!(long.matches("more ").count(), 12, "{long}");
    assert!(long.ends_with("0\r\n\r\n"), "{long}");
    // One who asks for much and does not read it.
    let idle = saying(at, &ask("/endless", "")).await;
    let given_up = async {
        while !GIVEN_UP.load(Ordering::Relaxed) {
            sleep(LATER / 20).await
        }
    };
    timeout(LATER * 10, given_up).await.expect("the answer is given up");
    drop(idle);
    // A body that stops half-way, of a form that has begun.
    let form = "POST /say HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let half = saying(at, &format!("{form}Content-Length: 500\r\n\r\ntext=something+that+never+ends")).await;
    assert_eq!(until_the_end(half).await, "");
}
