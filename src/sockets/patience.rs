//! Visitors of whom nothing comes. Rocket waits without limit: for the first request, for the next one on the same
//! connection, for a body that trickles in and for somebody who does not read his answer. Each of them holds an open file,
//! of which there are only so many.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Orbit, Request, Rocket};
use rustix::net::{Shutdown, getpeername, shutdown};

use super::OpenFiles;
use crate::say::say;

/// How long is waited for what.
#[derive(Clone, Copy)]
pub struct IdleTimeouts {
    /// For the first request of a connection: all its headers, and the beginning of a form.
    pub first: Duration,
    /// Once it has asked, after the last byte of ours that went out. Proxies keep an idle connection for a minute or two,
    /// and no request that takes longer than this to come in or to be answered gets through any of them.
    pub later: Duration,
    pub look_every: Duration,
}

impl Default for IdleTimeouts {
    fn default() -> IdleTimeouts {
        let secs = Duration::from_secs;
        IdleTimeouts { first: secs(30), later: secs(300), look_every: secs(10) }
    }
}

/// Hangs up on whoever keeps a connection for nothing.
#[derive(Clone, Default)]
pub struct Patience {
    limits: IdleTimeouts,
    visitors: Arc<Mutex<HashMap<SocketAddr, Visitor>>>,
}

struct Visitor {
    /// Since when he has been here without a question; none once he has asked.
    unasked_since: Option<Instant>,
    /// When he was last seen, or asked.
    seen: Instant,
}

#[rocket::async_trait]
impl Fairing for Patience {
    fn info(&self) -> Info {
        Info { name: "patience", kind: Kind::Liftoff | Kind::Request }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let mut files = match OpenFiles::list() {
            Ok(files) => files,
            // Another system, most likely: it stays as Rocket has it.
            Err(e) => return say!(Warn, "silent connections are not ended here: {e}"),
        };
        let (patience, port, shutdown) = (self.clone(), rocket.config().port, rocket.shutdown());
        tokio::spawn(async move {
            let looking = async {
                loop {
                    tokio::time::sleep(patience.limits.look_every).await;
                    // A few microseconds for each; a thread for it would cost an idle shop a megabyte.
                    match patience.look(&mut files, port) {
                        Ok(0) => {}
                        Ok(n) => say!(Info, "hung up on {n} connections that asked nothing"),
                        Err(e) => say!(Warn, "cannot look at the open connections: {e}"),
                    }
                }
            };
            tokio::select! {
                () = looking => {}
                () = shutdown => {}
            }
        });
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if let Some(peer) = request.remote() {
            self.visitors().insert(peer, Visitor { unasked_since: None, seen: Instant::now() });
        }
    }
}

impl Patience {
    pub fn new(limits: IdleTimeouts) -> Patience {
        Patience { limits, visitors: Arc::default() }
    }

    fn visitors(&self) -> MutexGuard<'_, HashMap<SocketAddr, Visitor>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hangs up where it is time; answers with how many of them never asked anything.
    fn look(&self, files: &mut OpenFiles, port: u16) -> io::Result<usize> {
        let (begun, mut never_asked) = (Instant::now(), 0);
        files.at_port(port, |socket| {
            let Some(peer) = getpeername(socket).ok().and_then(|peer| SocketAddr::try_from(peer?).ok()) else { return };
            let unasked_since = {
                let mut visitors = self.visitors();
                let visitor = visitors.entry(peer).or_insert(Visitor { unasked_since: Some(begun), seen: begun });
                visitor.seen = begun;
                visitor.unasked_since
            };
            let over = match unasked_since {
                Some(since) => begun - since >= self.limits.first,
                None => silent_for(socket).is_ok_and(|silent| silent >= self.limits.later),
            };
            if over && shutdown(socket, Shutdown::Both).is_ok() {
                never_asked += usize::from(unasked_since.is_some());
            }
        })?;
        self.visitors().retain(|_, visitor| visitor.seen >= begun);
        Ok(never_asked)
    }
}

/// How long nothing of ours has gone out on a connection.
#[cfg(target_os = "linux")]
fn silent_for(socket: BorrowedFd<'_>) -> io::Result<Duration> {
    let mut info = mem::MaybeUninit::<libc::tcp_info>::zeroed();
    let mut size = size_of::<libc::tcp_info>() as libc::socklen_t;
    #[expect(unsafe_code, reason = "neither the standard library nor rustix asks the system this")]
    // SAFETY: the system writes at most `size` bytes to `info`, which is as large and lives on; of any other file than a
    // TCP socket it writes nothing and says so. Every pattern of bits, zeroes too, is a `tcp_info`.
    let info = unsafe {
        let to = info.as_mut_ptr().cast();
        if libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &mut size) != 0 {
            return Err(io::Error::last_os_error());
        }
        info.assume_init()
    };
    Ok(Duration::from_millis(info.tcpi_last_data_sent.into()))
}

#[cfg(not(target_os = "linux"))]
fn silent_for(_: BorrowedFd<'_>) -> io::Result<Duration> {
    Err(io::ErrorKind::Unsupported.into())
}
