//! Files that somebody uploads.

use std::path::Path;

use rocket::fs::TempFile;
use tokio::io::AsyncReadExt;

use crate::error::{Code, Error, Result};
use crate::shop::Shop;

/// What one file may have, in MiB: a phone's photograph of 50 megapixels has up to 25.
pub const MOST_MIB: u64 = 30;

/// A whole file.
async fn bytes(file: &TempFile<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(file.len()).unwrap_or_default());
    let mut opened = file.open().await.map_err(|_| unfinished())?;
    opened.read_to_end(&mut bytes).await.map_err(|_| unfinished())?;
    Ok(bytes)
}

/// The one file that somebody chose, where one is meant; browsers send a part without a name where nobody has chosen any.
/// Errors: there are several, and none of them is silently the one.
pub fn only<'f, 'r>(files: &'f [TempFile<'r>], field: &str) -> Result<Option<&'f TempFile<'r>>> {
    let is_chosen = |file: &&TempFile<'_>| {
        let named = file.raw_name().is_some_and(|name| !name.dangerous_unsafe_unsanitized_raw().is_empty());
        named || file.len() > 0
    };
    let chosen: Vec<&TempFile<'_>> = files.iter().filter(is_chosen).collect();
    match chosen[..] {
        [] => Ok(None),
        [file] => Ok(Some(file)),
        [..] => {
            let n = chosen.len();
            Err(Error::field(field, format!("一次只能传一个文件，这次来了 {n} 个，一个也没有用：请一个一个传")))
        }
    }
}

fn unfinished() -> Error {
    Error::field("file", "文件没有传完整，请重试")
}

/// Does what takes much memory with a whole file: unpacks a picture or a workbook. Files that wait for their turn wait on
/// the disk.
pub async fn heavily<T: Send + 'static>(
    shop: &Shop,
    file: &TempFile<'_>,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T> {
    let Some(path) = file.path().map(Path::to_owned) else {
        let bytes = bytes(file).await?;
        return Ok(shop.heavily(move || work(&bytes)).await.map_err(|_| Code::Internal)?);
    };
    let done = shop.heavily(move || std::fs::read(path).map(|bytes| work(&bytes))).await;
    done.map_err(|_| Code::Internal)?.map_err(|_| unfinished())
}
