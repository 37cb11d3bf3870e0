//! Load: so many calls in flight on so many kept-open connections, each one timed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is asked; the same answer means the same request.
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Call {
    pub fn get(path: impl Into<String>) -> Call {
        Call { method: "GET", path: path.into(), headers: Vec::new(), body: Bytes::new() }
    }

    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Call {
        Call { method: "POST", path: path.into(), headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Call {
        self.headers.push((name, value.into()));
        self
    }
}

/// One connection, taken up again when the server has closed it.
pub struct Connection {
    to: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub fn new(to: SocketAddr) -> Connection {
        Connection { to, sender: None }
    }

    /// The status and the body. A refused connection is a panic: nothing was measured then.
    pub async fn call(&mut self, call: &Call) -> (u16, Bytes) {
        let mut request = Request::builder().method(call.method).uri(&call.path).header("Host", "bench");
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(call.body.clone())).expect("a request is well formed");
        for _ in 0..3 {
            if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
                let stream = TcpStream::connect(self.to).await.expect("the server listens");
                stream.set_nodelay(true).expect("the system allows it");
                let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection opens");
                tokio::spawn(connection);
                self.sender = Some(sender);
            }
            let sender = self.sender.as_mut().expect("just opened");
            if sender.ready().await.is_ok()
                && let Ok(answer) = sender.send_request(request.clone()).await
            {
                let status = answer.status().as_u16();
                let body = answer.into_body().collect().await.expect("an answer is whole").to_bytes();
                return (status, body);
            }
            self.sender = None;
        }
        panic!("the server does not answer {}", call.path);
    }
}

/// What came of a load.
#[derive(Default)]
pub struct Outcome {
    /// Microseconds, sorted.
    pub took: Vec<u32>,
    pub statuses: std::collections::BTreeMap<u16, usize>,
    pub wall: Duration,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.took.len() as f64 / self.wall.as_secs_f64()
    }

    /// Milliseconds that this share of the calls stayed under.
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.took.len().saturating_sub(1);
        self.took.get((last as f64 * share).round() as usize).map_or(f64::NAN, |us| f64::from(*us) / 1000.0)
    }

    #[track_caller]
    pub fn all(self, status: u16) -> Outcome {
        assert!(self.statuses.keys().all(|s| *s == status), "{:?}", self.statuses);
        self
    }

    pub fn add(&mut self, other: Outcome) {
        self.took.extend(other.took);
        self.took.sort_unstable();
        for (status, n) in other.statuses {
            *self.statuses.entry(status).or_default() += n;
        }
        self.wall += other.wall;
    }
}

/// `count` calls, `together` at a time; each connection takes the next one as soon as it has its answer.
pub async fn closed(
    to: SocketAddr,
    together: usize,
    count: usize,
    call: impl Fn(usize) -> Call + Send + Sync + 'static,
) -> Outcome {
    let (next, call) = (Arc::new(AtomicUsize::new(0)), Arc::new(call));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..together {
        let (next, call) = (next.clone(), call.clone());
        workers.spawn(async move {
            let mut connection = Connection::new(to);
            let mut heard = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return heard;
                }
                let call = call(n);
                let begun = Instant::now();
                let (status, _) = connection.call(&call).await;
                heard.push((status, begun.elapsed().as_micros() as u32));
            }
        });
    }
    gather(workers, start).await
}

/// Calls at a fixed pace, whether or not the ones before were answered: waiting counts as latency.
pub async fn paced(
    to: SocketAddr,
    per_second: u32,
    count: usize,
    call: impl Fn(usize) -> Call + Send + Sync + 'static,
) -> Outcome {
    const CONNECTIONS: usize = 64;
    let call = Arc::new(call);
    let (start, pace) = (Instant::now(), Duration::from_secs(1) / per_second);
    let mut workers = JoinSet::new();
    for first in 0..CONNECTIONS {
        let call = call.clone();
        workers.spawn(async move {
            let mut connection = Connection::new(to);
            let mut heard = Vec::new();
            for n in (first..count).step_by(CONNECTIONS) {
                let due = start + pace * n as u32;
                tokio::time::sleep_until(due.into()).await;
                let (status, _) = connection.call(&call(n)).await;
                heard.push((status, due.elapsed().as_micros() as u32));
            }
            heard
        });
    }
    gather(workers, start).await
}

/// Adds up what each worker has heard: status and microseconds.
pub async fn gather(mut workers: JoinSet<Vec<(u16, u32)>>, start: Instant) -> Outcome {
    let mut outcome = Outcome::default();
    while let Some(heard) = workers.join_next().await {
        for (status, took) in heard.expect("a worker ends well") {
            *outcome.statuses.entry(status).or_default() += 1;
            outcome.took.push(took);
        }
    }
    outcome.wall = start.elapsed();
    outcome.took.sort_unstable();
    outcome
}
