//! Who may use a data folder: one shop serves it, any number of commands share it, and a restore or an upgrade has it alone.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{OpenError, make_folder};

/// How long one waits for another to be done.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Keeps the data folder for one running shop; the kernel lets go when the process ends, however it ends.
pub struct InstanceLock(#[expect(dead_code, reason = "held, never read")] File);

/// Whether this process is a running shop: what it finds locked is then its own.
static SERVES: AtomicBool = AtomicBool::new(false);

impl InstanceLock {
    pub fn take(data_dir: &Path) -> Result<InstanceLock, OpenError> {
        let file = open(data_dir, "xiaopu.lock")?;
        match file.try_lock() {
            Ok(()) => {
                SERVES.store(true, Ordering::Relaxed);
                Ok(InstanceLock(file))
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked(data_dir.to_owned())),
            Err(TryLockError::Error(e)) => Err(OpenError::Io(data_dir.join("xiaopu.lock"), e)),
        }
    }

    /// Whether another process serves this folder; programs of before there was `InUse` hold this lock alone.
    fn is_elsewhere(data_dir: &Path) -> bool {
        let taken = open(data_dir, "xiaopu.lock").map(|file| file.try_lock());
        !SERVES.load(Ordering::Relaxed) && matches!(taken, Ok(Err(TryLockError::WouldBlock)))
    }
}

/// Held by whoever has the database open.
pub struct InUse(File);

/// Held by whoever replaces or upgrades it: nobody else has it open, and nobody opens it meanwhile.
pub struct Alone(#[expect(dead_code, reason = "held, never read")] File);

impl InUse {
    /// Beside others; waits a moment for one who has it alone.
    pub fn shared(data_dir: &Path) -> Result<InUse, OpenError> {
        let file = open(data_dir, "xiaopu.use")?;
        let restoring = || OpenError::Restoring(data_dir.to_owned());
        patiently(data_dir, || file.try_lock_shared())?.then_some(InUse(file)).ok_or_else(restoring)
    }

    /// Lets go, and waits a moment for others to do so too.
    pub fn alone(self, data_dir: &Path) -> Result<Alone, OpenError> {
        drop(self.0);
        Alone::take(data_dir)
    }
}

impl Alone {
    pub fn take(data_dir: &Path) -> Result<Alone, OpenError> {
        let file = open(data_dir, "xiaopu.use")?;
        let used = || OpenError::InUse(data_dir.to_owned());
        if InstanceLock::is_elsewhere(data_dir) {
            return Err(used());
        }
        patiently(data_dir, || file.try_lock())?.then_some(Alone(file)).ok_or_else(used)
    }
}

/// Tries until it can be had; false when that takes too long.
fn patiently(data_dir: &Path, mut lock: impl FnMut() -> Result<(), TryLockError>) -> Result<bool, OpenError> {
    let begun = Instant::now();
    loop {
        match lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(e)) => return Err(OpenError::Io(data_dir.join("xiaopu.use"), e)),
            Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

fn open(data_dir: &Path, name: &str) -> Result<File, OpenError> {
    make_folder(data_dir)?;
    let path = data_dir.join(name);
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    opened.map_err(|e| OpenError::Io(path, e))
}
