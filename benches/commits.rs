//! What group commit is worth: the same writes one after another, and many at once, side by side in one run.

use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use xiaopu::db::{Db, DbError};

const WRITES: usize = 600;
const TOGETHER: usize = 64;
const ROUNDS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir_in(".").unwrap();
    let db = Db::open(folder.path()).unwrap();
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let alone = runtime.block_on(run(&db, round * 2, 1));
        let together = runtime.block_on(run(&db, round * 2 + 1, TOGETHER));
        ratios.push(alone.as_secs_f64() / together.as_secs_f64());
        println!("round {round}: one at a time {alone:.0?}, {TOGETHER} at a time {together:.0?}");
    }
    ratios.sort_by(f64::total_cmp);
    let (commits, writes) = db.commits();
    println!(
        "{TOGETHER} at a time is {:.1} times as fast (median of {ROUNDS}); {writes} writes in {commits} commits",
        ratios[ROUNDS / 2]
    );
}

async fn run(db: &Db, round: usize, together: usize) -> Duration {
    let start = Instant::now();
    for first in (0..WRITES).step_by(together) {
        let writes = (first..(first + together).min(WRITES)).map(|i| {
            db.write(move |tx| {
                tx.prepare_cached("insert into settings (name, value) values (?1, 'x')")?
                    .execute([format!("{round}-{i}")])?;
                Ok::<_, DbError>(())
            })
        });
        assert!(join_all(writes).await.iter().all(Result::is_ok));
    }
    start.elapsed()
}
