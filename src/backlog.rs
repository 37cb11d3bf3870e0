//! The queue of connections that wait to be taken up. Rocket opens its door with room for 128, and whoever comes to a
//! full one is not told: his system asks again after one, three and seven seconds. A crowd is what a shop hopes for.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Orbit, Rocket};
use rustix::net::{getsockname, listen, sockopt};

/// Enough for a crowd; the system may allow less (`net.core.somaxconn`).
const ROOM: i32 = 4_096;

/// Makes room as soon as the door is open.
pub struct Backlog;

#[rocket::async_trait]
impl Fairing for Backlog {
    fn info(&self) -> Info {
        Info { name: "backlog", kind: Kind::Liftoff }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let at = SocketAddr::new(rocket.config().address, rocket.config().port);
        match lengthen(at) {
            Ok(true) => {}
            Ok(false) => log::warn!("the socket of {at} was not found: its queue stays short"),
            Err(e) => log::warn!("the queue of {at} stays short: {e}"),
        }
    }
}

/// Listens once more on the socket that listens here, with a longer queue; false when there is none. Rocket keeps its
/// socket to itself, so it is found among the open files.
fn lengthen(at: SocketAddr) -> io::Result<bool> {
    for file in fs::read_dir("/proc/self/fd")? {
        let Some(number) = file?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else { continue };
        #[expect(unsafe_code, reason = "the standard library knows no safe way from a number to an open file")]
        // SAFETY: the number was that of an open file a moment ago, and is used for these three calls only. Should another
        // thread have closed it meanwhile, they say so; the one socket that listens at our address is open as long as
        // Rocket runs.
        let socket = unsafe { BorrowedFd::borrow_raw(number) };
        let ours = sockopt::socket_acceptconn(socket).is_ok_and(|listens| listens)
            && getsockname(socket).is_ok_and(|name| SocketAddr::try_from(name) == Ok(at));
        if ours {
            listen(socket, ROOM)?;
            return Ok(true);
        }
    }
    Ok(false)
}
