//! Answers kept rendered: the catalogue is read a thousand times for each time it changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Enough for every list a shop's buyers look at; strange queries beyond that make it start over.
const MOST: usize = 1_000;

/// What another program, an import say, wrote into the shop is seen after this long at the latest.
const FRESH: Duration = Duration::from_secs(1);

/// Rendered answers of one catalogue version, by what was asked.
#[derive(Default)]
pub struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    version: i64,
    answers: HashMap<String, Rendered>,
    read: Option<Read>,
}

impl Kept {
    fn answer(&self, version: i64, asked: &str) -> Option<Rendered> {
        if self.version == version { self.answers.get(asked).cloned() } else { None }
    }
}

/// A version as it was read from the database: when, and after how many of our own commits.
struct Read {
    version: i64,
    commits: u64,
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
}

impl Cache {
    /// What is kept under the version of this moment, if anything is; `None` when the version has to be read again,
    /// because something was committed since or it was long ago.
    pub fn look(&self, commits: u64, asked: &str) -> Option<Option<Rendered>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.read.as_ref().filter(|read| read.commits == commits && read.at.elapsed() < FRESH)?;
        Some(kept.answer(read.version, asked))
    }

    /// `commits` was looked at before the version was read: a commit in between makes it stale, never too new.
    pub fn keep_version(&self, version: i64, commits: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.read = Some(Read { version, commits, at: Instant::now() });
    }

    pub fn get(&self, version: i64, asked: &str) -> Option<Rendered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answer(version, asked)
    }

    pub fn put(&self, version: i64, asked: String, rendered: Rendered) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A slower reader may still hold an older moment; its answer is not worth keeping.
        if version < kept.version {
            return;
        }
        if version > kept.version || kept.answers.len() >= MOST {
            kept.answers.clear();
            kept.version = version;
        }
        kept.answers.insert(asked, rendered);
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
