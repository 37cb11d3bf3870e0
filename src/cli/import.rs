//! `xiaopu import FILE`: products from a table, all or nothing.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, open_shop};
use crate::catalogue::import::{self, WANTED};
use crate::say::tell;
use crate::tables;

/// So many problems are enough to start with.
const SHOWN: usize = 50;

#[derive(Args)]
pub struct Import {
    /// 商品表：.xlsx、.xls、.ods、.csv，最多 10 万行、20 MB
    file: PathBuf,
}

impl Import {
    pub async fn run(self) -> Outcome {
        let folder = self.file.parent().map(PathBuf::from).unwrap_or_default();
        let table = tables::open(&self.file, &WANTED).map_err(String::from)?;
        let plan = import::plan(&table, Some(&folder)).map_err(|problems| nothing(&problems))?;
        let notes = plan.notes.clone();
        let shop = open_shop().await?;
        let done = import::apply(&shop, plan).await;
        let done = done.map_err(|problems| nothing(&problems.lines().map(str::to_owned).collect::<Vec<_>>()))?;
        tell!(
            "✓ 已导入 {} 个商品、{} 个规格（新增 {}，更新 {}）",
            done.products,
            done.skus,
            done.added,
            done.products - done.added
        );
        if done.same > 0 {
            tell!("  {} 行与店里一样，没有改动", done.same);
        }
        done.changes.iter().chain(&notes).for_each(|said| tell!("  {said}"));
        Ok(())
    }
}

fn nothing(problems: &[String]) -> String {
    let shown = &problems[..problems.len().min(SHOWN)];
    format!("{}\n共 {} 处有问题，没有导入任何商品。请改好后再试。", shown.join("\n✗ "), problems.len())
}
