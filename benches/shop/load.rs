//! Load: so many calls in flight on so many kept-open connections, each one timed.
//!
//! Whoever asks shares the processors with what is measured, so asking is made cheap: one thread, and of HTTP only what
//! an answer needs to be told from the next one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is asked.
#[derive(Clone)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Call {
    pub fn get(path: impl Into<String>) -> Call {
        Call { method: "GET", path: path.into(), headers: Vec::new(), body: String::new() }
    }

    pub fn post(path: impl Into<String>, body: impl Into<String>) -> Call {
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
    stream: Option<TcpStream>,
    heard: Vec<u8>,
}

impl Connection {
    pub fn new(to: SocketAddr) -> Connection {
        Connection { to, stream: None, heard: Vec::new() }
    }

    /// One that is there before the clock starts.
    async fn opened(to: SocketAddr) -> Connection {
        Connection { stream: Some(open(to).await), ..Connection::new(to) }
    }

    /// The status and the body. A refused connection is a panic: nothing was measured then.
    pub async fn call(&mut self, call: &Call) -> (u16, Vec<u8>) {
        let mut request = format!("{} {} HTTP/1.1\r\nhost: bench\r\n", call.method, call.path);
        for (name, value) in &call.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if call.method != "GET" {
            request.push_str(&format!("content-length: {}\r\n", call.body.len()));
        }
        request.push_str("\r\n");
        request.push_str(&call.body);
        for _ in 0..3 {
            if let Ok(answer) = self.exchange(request.as_bytes()).await {
                return answer;
            }
        }
        panic!("the server does not answer {}", call.path);
    }

    /// After an error the next one opens another.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let mut kept = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.to).await,
        };
        let (stream, heard) = (&mut kept, &mut self.heard);
        heard.clear();
        stream.write_all(request).await?;
        let (at, head) = loop {
            hear(stream, heard).await?;
            if let Some(head) = Head::read(heard) {
                break head;
            }
        };
        let body = match head.length {
            Some(length) => {
                hear_until(stream, heard, at + length).await?;
                heard[at..at + length].to_vec()
            }
            None => pieces(stream, heard, at).await?,
        };
        self.stream = (!head.closes).then_some(kept);
        Ok((head.status, body))
    }
}

async fn open(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).await.expect("the server listens");
    stream.set_nodelay(true).expect("the system allows it");
    stream
}

/// What comes next; the end of it is an error.
async fn hear(stream: &mut TcpStream, heard: &mut Vec<u8>) -> io::Result<()> {
    if stream.read_buf(heard).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

async fn hear_until(stream: &mut TcpStream, heard: &mut Vec<u8>, end: usize) -> io::Result<()> {
    while heard.len() < end {
        hear(stream, heard).await?;
    }
    Ok(())
}

/// A body that comes in pieces, each with its size before it; the last one is empty.
async fn pieces(stream: &mut TcpStream, heard: &mut Vec<u8>, mut at: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(&heard[at..]).expect("a piece has a size") {
            httparse::Status::Partial => hear(stream, heard).await?,
            httparse::Status::Complete((used, size)) => {
                let (from, size) = (at + used, size as usize);
                at = from + size + "\r\n".len();
                hear_until(stream, heard, at).await?;
                if size == 0 {
                    return Ok(body);
                }
                body.extend_from_slice(&heard[from..from + size]);
            }
        }
    }
}

/// The beginning of an answer.
struct Head {
    status: u16,
    /// Of the body, unless it comes in pieces.
    length: Option<usize>,
    closes: bool,
}

impl Head {
    /// With the place where the body begins, once it is all there.
    fn read(heard: &[u8]) -> Option<(usize, Head)> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut answer = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(at) = answer.parse(heard).expect("an answer is HTTP") else { return None };
        let value = |name: &str| {
            let header = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(header.value).ok()
        };
        let status = answer.code.expect("an answer has a status");
        let length = match status {
            204 | 304 => Some(0),
            _ => value("content-length").map(|length| length.parse().expect("a length is a number")),
        };
        let closes = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Some((at, Head { status, length, closes }))
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
    from_one_thread(to, together, move |_, mut connection, _| {
        let (next, call) = (next.clone(), call.clone());
        async move {
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
        }
    })
    .await
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
    let pace = Duration::from_secs(1) / per_second;
    from_one_thread(to, CONNECTIONS, move |first, mut connection, start| {
        let call = call.clone();
        async move {
            let mut heard = Vec::new();
            for n in (first..count).step_by(CONNECTIONS) {
                let due = start + pace * n as u32;
                tokio::time::sleep_until(due.into()).await;
                let (status, _) = connection.call(&call(n)).await;
                heard.push((status, due.elapsed().as_micros() as u32));
            }
            heard
        }
    })
    .await
}

/// Every connection is opened first; then the clock starts, and each is worked by a task of its own.
async fn from_one_thread<W>(
    to: SocketAddr,
    connections: usize,
    work: impl Fn(usize, Connection, Instant) -> W + Send + 'static,
) -> Outcome
where
    W: Future<Output = Vec<(u16, u32)>> + Send + 'static,
{
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(async {
            let mut opened = Vec::new();
            for _ in 0..connections {
                opened.push(Connection::opened(to).await);
            }
            let (mut workers, start) = (JoinSet::new(), Instant::now());
            for (nth, connection) in opened.into_iter().enumerate() {
                workers.spawn(work(nth, connection, start));
            }
            gather(workers, start).await
        })
    };
    tokio::task::spawn_blocking(run).await.expect("a load ends well")
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
