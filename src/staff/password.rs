//! Passwords: argon2id, off the async threads, few at a time because each one takes 19 MiB.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;

use crate::error::{Code, Error, Result};

static TURNS: Semaphore = Semaphore::const_new(2);

/// Ten characters are out of reach for guessing against argon2id and the login throttle.
pub const SHORTEST: usize = 10;

/// Refuses what is easily guessed.
pub fn check(password: &str, name: &str) -> Result<()> {
    let bad = |problem: &str| Err(Error::field("password", problem.to_owned()));
    let mut kinds: Vec<char> = password.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    match password {
        p if p.chars().count() < SHORTEST => bad(&format!("密码至少 {SHORTEST} 位")),
        p if p.len() > 200 => bad("密码太长"),
        p if p.to_lowercase().contains(&name.to_lowercase()) && name.len() > 3 => bad("密码不能包含账号"),
        p if p.bytes().all(|b| b.is_ascii_digit()) => bad("密码不能全是数字，请混用字母、数字或符号"),
        _ if kinds.len() < 5 => bad("密码太简单，请混用不同的字母、数字或符号"),
        _ => Ok(()),
    }
}

pub async fn hash(password: String) -> Result<String> {
    off_thread(move || hash_now(&password)).await
}

/// For the command line, which has no one to wait for.
pub fn hash_now(password: &str) -> Result<String> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| Code::Internal.into())
}

/// Takes as long for an unknown account (`None`) as for a known one.
pub async fn matches(password: String, hash: Option<String>) -> Result<bool> {
    off_thread(move || match hash {
        Some(hash) => {
            let hash = PasswordHash::new(&hash).map_err(|_| Code::Internal)?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        }
        None => hash_now(&password).map(|_| false),
    })
    .await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _turn = TURNS.acquire().await.map_err(|_| Code::Internal)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| Code::Internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let hash = hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(matches("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!matches("Correct horse".into(), Some(hash)).await.unwrap());
        assert!(!matches("correct horse".into(), None).await.unwrap());
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        for bad in ["", "short", "aaaaaaaaaaaa", "1212121212", "1234567890", "xiaoli12345"] {
            assert!(check(bad, "xiaoli").is_err(), "{bad}");
        }
        assert!(check("packing-table-7", "xiaoli").is_ok());
    }
}
