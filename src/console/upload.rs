//! Files that staff upload.

use rocket::fs::TempFile;
use tokio::io::AsyncReadExt;

use crate::error::{Error, Result};

/// A whole file.
pub async fn bytes(file: &TempFile<'_>) -> Result<Vec<u8>> {
    let problem = |_| Error::field("file", "文件没有传完整，请重试");
    let mut bytes = Vec::with_capacity(usize::try_from(file.len()).unwrap_or_default());
    file.open().await.map_err(problem)?.read_to_end(&mut bytes).await.map_err(problem)?;
    Ok(bytes)
}
