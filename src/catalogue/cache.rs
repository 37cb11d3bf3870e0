//! Answers kept rendered: the catalogue is read a thousand times for each time it changes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::store::Version;

/// Enough for every list a shop's buyers look at; strange queries beyond that make it start over.
const MOST: usize = 1_000;

/// What another program, an import say, wrote into the shop is seen after this long at the latest.
const FRESH: Duration = Duration::from_secs(1);

/// How much has been sold, and how much is left where that is plenty, is seen after this long at the latest: a sale throws
/// no answer away.
pub const SOLD_SEEN_WITHIN: Duration = Duration::from_secs(5);

/// Rendered answers of one catalogue version, by what was asked.
#[derive(Default)]
pub struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Of `Version::shown`.
    shown: i64,
    answers: HashMap<String, Answer>,
    read: Option<Read>,
}

struct Answer {
    rendered: Rendered,
    /// Of `Version::moved` when it was made, and when that was.
    moved: i64,
    made: Instant,
}

impl Kept {
    fn answer(&self, version: Version, asked: &str) -> Option<Rendered> {
        let answer = self.answers.get(asked).filter(|_| self.shown == version.shown)?;
        let current = answer.moved == version.moved || answer.made.elapsed() < SOLD_SEEN_WITHIN - FRESH;
        current.then(|| answer.rendered.clone())
    }
}

/// A version as it was read from the database: when, and after how many commits of our own that outdate it.
struct Read {
    version: Version,
    outdated: u64,
    at: Instant,
}

/// A rendered answer with its ETag; answers 304 to a client that has it already.
#[derive(Clone)]
pub struct Rendered {
    etag: String,
    body: Arc<[u8]>,
}

impl Rendered {
    pub fn new(answer: &impl Serialize) -> Rendered {
        let body = serde_json::to_vec(answer).unwrap_or_default();
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
        Rendered { etag, body: body.into() }
    }

    /// The answer's JSON.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

impl Cache {
    /// What is kept under the version of this moment, if anything is; `None` when the version has to be read again,
    /// because it was outdated since or it was long ago.
    pub fn look(&self, outdated: u64, asked: &str) -> Option<Option<Rendered>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.read.as_ref().filter(|read| read.outdated == outdated && read.at.elapsed() < FRESH)?;
        Some(kept.answer(read.version, asked))
    }

    /// `outdated` was looked at before the version was read: a commit in between makes it stale, never too new.
    pub fn keep_version(&self, version: Version, outdated: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.read = Some(Read { version, outdated, at: Instant::now() });
    }

    pub fn get(&self, version: Version, asked: &str) -> Option<Rendered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answer(version, asked)
    }

    pub fn put(&self, version: Version, asked: String, rendered: Rendered) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A slower reader may still hold an older moment; its answer is not worth keeping.
        if version.shown < kept.shown {
            return;
        }
        if version.shown > kept.shown || kept.answers.len() >= MOST {
            kept.answers.clear();
            kept.shown = version.shown;
        }
        kept.answers.insert(asked, Answer { rendered, moved: version.moved, made: Instant::now() });
    }
}

impl<'r> Responder<'r, 'static> for Rendered {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let known = request
            .headers()
            .get("If-None-Match")
            .flat_map(|list| list.split(','))
            .any(|etag| etag.trim().trim_start_matches("W/") == self.etag || etag.trim() == "*");
        let mut response = Response::build();
        response.raw_header("ETag", self.etag).raw_header("Cache-Control", "no-cache");
        if known {
            return response.status(Status::NotModified).ok();
        }
        let body = self.body;
        // In one piece: by default the answer would go out four kilobytes at a time.
        response.max_chunk_size(body.len().max(1));
        response.header(ContentType::JSON).sized_body(body.len(), std::io::Cursor::new(body)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sale_throws_no_answer_away_and_what_buyers_see_at_once_throws_all() {
        let (cache, answer) = (Cache::default(), Rendered::new(&"apples"));
        let at = |shown, moved| Version { shown, moved };
        cache.put(at(1, 10), "list".into(), answer.clone());
        for (what, version, kept) in [
            ("nothing happened", at(1, 10), true),
            ("something was sold", at(1, 11), true),
            ("a price has changed", at(2, 11), false),
        ] {
            assert_eq!(cache.get(version, "list").is_some(), kept, "{what}");
        }
        // It is looked at under the version that was read last, as long as no commit outdates that.
        assert!(cache.look(0, "list").is_none(), "nothing was read yet");
        cache.keep_version(at(1, 11), 0);
        assert!(cache.look(0, "list").is_some_and(|kept| kept.is_some()));
        assert!(cache.look(1, "list").is_none());
        // Made long enough ago, it is right only while nothing happened since.
        if let Some(kept) = cache.0.lock().unwrap().answers.get_mut("list") {
            kept.made -= SOLD_SEEN_WITHIN;
        }
        assert!(cache.get(at(1, 10), "list").is_some());
        assert!(cache.get(at(1, 11), "list").is_none());
        // An older moment's answer is not put over a newer one's.
        cache.put(at(2, 12), "list".into(), answer.clone());
        cache.put(at(1, 13), "list".into(), answer);
        assert!(cache.get(at(2, 12), "list").is_some());
    }
}
