//! `xiaopu import FILE`: products from a table, all or nothing.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, open_shop};
use crate::catalogue::import;
use crate::sheet::Table;

#[derive(Args)]
pub struct Import {
    /// 商品表：.csv（UTF-8 或 GB18030）或 .xlsx
    file: PathBuf,
}

impl Import {
    pub async fn run(self) -> Outcome {
        let folder = self.file.parent().map(PathBuf::from).unwrap_or_default();
        let table = Table::open(&self.file)?;
        let plan = import::plan(&table, &folder).map_err(|problems| {
            let count = problems.len();
            let shown: Vec<_> = problems.into_iter().take(50).collect();
            format!("{}\n共 {count} 处有问题，没有导入任何商品。请改好后再试。", shown.join("\n✗ "))
        })?;
        let shop = open_shop().await?;
        let done = import::apply(&shop, plan).await?;
        println!(
            "✓ 已导入 {} 个商品、{} 个规格（新增 {}，更新 {}）",
            done.products,
            done.skus,
            done.added,
            done.products - done.added
        );
        Ok(())
    }
}
