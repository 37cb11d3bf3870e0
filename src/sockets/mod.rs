//! The sockets of the front door. Rocket keeps them to itself, so they are looked up among the open files.

pub mod backlog;
pub mod patience;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::net::getsockname;

/// Shows every socket of this program that is open at a port: the one that listens, and a connection for each visitor.
fn each_at(port: u16, mut look: impl FnMut(BorrowedFd<'_>)) -> io::Result<()> {
    for file in fs::read_dir("/proc/self/fd")? {
        let Some(number) = file?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else { continue };
        #[expect(unsafe_code, reason = "the standard library knows no safe way from a number to an open file")]
        // SAFETY: the number was that of an open file a moment ago, and is used for a few calls that only concern sockets.
        // Should another thread have closed it meanwhile, they say so; should it be another socket by now, they concern
        // that one, which no memory depends on. It is not duplicated: to close a second number of a database's file would
        // end SQLite's locks on it.
        let socket = unsafe { BorrowedFd::borrow_raw(number) };
        if getsockname(socket).is_ok_and(|name| SocketAddr::try_from(name).is_ok_and(|at| at.port() == port)) {
            look(socket);
        }
    }
    Ok(())
}
