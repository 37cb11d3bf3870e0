//! WeChat Pay's two hosts: what the first cannot be given goes to the second, which is then asked first for a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};

/// How long the second host is asked first once the first has not answered.
const TURNED_FOR: Duration = Duration::from_secs(60);

pub struct Hosts {
    first: String,
    second: Option<String>,
    /// Until when the second is asked first.
    turned: Mutex<Option<Instant>>,
}

impl Hosts {
    pub fn new(first: String, second: Option<String>) -> Hosts {
        Hosts { first, second, turned: Mutex::default() }
    }

    pub fn first(&self) -> &str {
        &self.first
    }

    /// What stands behind the host in an address on one of ours; `None` for an address elsewhere.
    pub fn path_of<'u>(&self, url: &'u str) -> Option<&'u str> {
        let own = std::iter::once(&self.first).chain(&self.second);
        own.filter_map(|host| url.strip_prefix(host.as_str())).find(|rest| rest.starts_with('/'))
    }

    /// Who is asked now, and who is asked when that one cannot be reached.
    fn in_turn(&self, now: Instant) -> (&str, Option<&str>) {
        let turned = *self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.second {
            Some(second) if turned.is_some_and(|until| now < until) => (second, Some(&self.first)),
            second => (&self.first, second.as_deref()),
        }
    }

    /// This host did not answer: the other one has the next turn.
    fn turn_from(&self, host: &str, now: Instant) {
        let until = (host == self.first).then(|| now + TURNED_FOR);
        *self.turned.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Sends the request that is made for a host. Only one that could not be handed over goes to the other host, the same
    /// in every byte; one that went unanswered may have been carried out, and whoever sent it decides.
    pub async fn send(
        &self,
        allowed: Duration,
        request: impl Fn(&str) -> RequestBuilder,
    ) -> Result<Response, reqwest::Error> {
        let start = Instant::now();
        let (host, other) = self.in_turn(start);
        let sent = request(host).timeout(allowed).send().await;
        let Err(e) = &sent else { return sent };
        // Broken off on the way it may have been carried out, as one that nobody answered in time.
        let unanswered = e.is_connect() || e.is_timeout() || e.is_request();
        let Some(other) = other.filter(|_| unanswered) else { return sent };
        self.turn_from(host, start);
        if !e.is_connect() {
            return sent;
        }
        let sent = request(other).timeout(allowed.saturating_sub(start.elapsed())).send().await;
        if sent.as_ref().is_err_and(reqwest::Error::is_connect) {
            self.turn_from(other, start);
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_host_that_did_not_answer_waits_a_minute_for_its_turn() {
        let hosts = Hosts::new("a".into(), Some("b".into()));
        let now = Instant::now();
        let at = |s| now + Duration::from_secs(s);
        assert_eq!(hosts.in_turn(now), ("a", Some("b")));
        hosts.turn_from("a", now);
        assert_eq!((hosts.in_turn(at(59)), hosts.in_turn(at(60))), (("b", Some("a")), ("a", Some("b"))));
        hosts.turn_from("b", at(1));
        assert_eq!(hosts.in_turn(at(1)), ("a", Some("b")));
        let alone = Hosts::new("a".into(), None);
        assert_eq!(alone.in_turn(now), ("a", None));
    }

    /// It takes the connection and breaks it off: the request may have been carried out, and the next one goes elsewhere.
    #[tokio::test]
    async fn a_host_that_hangs_up_is_asked_no_more_for_a_while() {
        let (half_dead, well) = (listener().await, listener().await);
        let address = |one: &TcpListener| format!("http://{}", one.local_addr().unwrap());
        let hosts = Hosts::new(address(&half_dead), Some(address(&well)));
        tokio::spawn(async move {
            loop {
                drop(half_dead.accept().await.unwrap());
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut taken, _) = well.accept().await.unwrap();
                assert!(taken.read(&mut [0; 1024]).await.unwrap() > 0);
                taken.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            }
        });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let ask = || hosts.send(Duration::from_secs(5), |host| client.get(host));
        assert!(ask().await.is_err(), "it is not sent twice by itself");
        assert_eq!(ask().await.unwrap().status(), 204);
    }

    async fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }
}
