//! The sockets of the front door. Rocket keeps them to itself, so they are looked up among the open files.

pub mod backlog;
pub mod patience;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::fs::Dir;
use rustix::net::getsockname;

/// The list of this program's open files. It is kept open itself, for it is needed most when no more can be opened.
struct OpenFiles(Dir);

impl OpenFiles {
    fn list() -> io::Result<OpenFiles> {
        Ok(OpenFiles(Dir::new(File::open("/proc/self/fd")?)?))
    }

    /// Shows every socket that is open at a port: the one that listens, and a connection for each visitor.
    fn at_port(&mut self, port: u16, mut look: impl FnMut(BorrowedFd<'_>)) -> io::Result<()> {
        self.0.rewind();
        while let Some(file) = self.0.read().transpose()? {
            let Some(number) = file.file_name().to_str().ok().and_then(|name| name.parse::<RawFd>().ok()) else {
                continue;
            };
            #[expect(unsafe_code, reason = "the standard library knows no safe way from a number to an open file")]
            // SAFETY: the number was that of an open file a moment ago, and is used for a few calls that only concern
            // sockets. Should another thread have closed it meanwhile, they say so; should it be another socket by now,
            // they concern that one, which no memory depends on. It is not duplicated: to close a second number of a
            // database's file would end SQLite's locks on it.
            let socket = unsafe { BorrowedFd::borrow_raw(number) };
            if getsockname(socket).is_ok_and(|name| SocketAddr::try_from(name).is_ok_and(|at| at.port() == port)) {
                look(socket);
            }
        }
        Ok(())
    }
}
