//! The queue of connections that wait to be taken up. Rocket opens its door with room for 128, and whoever comes to a
//! full one is not told: his system asks again after one, three and seven seconds. A crowd is what a shop hopes for.

use std::io;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Orbit, Rocket};
use rustix::net::{listen, sockopt};

use super::OpenFiles;
use crate::say::say;

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
        let port = rocket.config().port;
        match lengthen(port) {
            Ok(true) => {}
            Ok(false) => say!(Warn, "the socket of port {port} was not found: its queue stays short"),
            Err(e) => say!(Warn, "the queue of port {port} stays short: {e}"),
        }
    }
}

/// Listens once more on the socket that listens here, with a longer queue; false when there is none.
fn lengthen(port: u16) -> io::Result<bool> {
    let mut lengthened = Ok(false);
    OpenFiles::list()?.at_port(port, |socket| {
        if sockopt::socket_acceptconn(socket).is_ok_and(|listens| listens) {
            lengthened = listen(socket, ROOM).map(|()| true);
        }
    })?;
    Ok(lengthened?)
}
