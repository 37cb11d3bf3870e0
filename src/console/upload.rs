//! Files that staff upload.

use rocket::fs::TempFile;
use tokio::io::AsyncReadExt;

use crate::error::{Code, Error, Result};
use crate::sheet::Table;

/// A whole file.
pub async fn bytes(file: &TempFile<'_>) -> Result<Vec<u8>> {
    let problem = |_| Error::field("file", "文件没有传完整，请重试");
    let mut bytes = Vec::with_capacity(usize::try_from(file.len()).unwrap_or_default());
    file.open().await.map_err(problem)?.read_to_end(&mut bytes).await.map_err(problem)?;
    Ok(bytes)
}

/// A table, read off the async threads: unpacking a workbook takes its time. The inner `Err` is a sentence.
pub async fn table(file: &TempFile<'_>) -> Result<std::result::Result<Table, String>> {
    let bytes = bytes(file).await?;
    let name = file.raw_name().map(|name| name.dangerous_unsafe_unsanitized_raw().to_string()).unwrap_or_default();
    let read = move || Table::read(&name, &bytes);
    Ok(tokio::task::spawn_blocking(read).await.map_err(|_| Code::Internal)?)
}
