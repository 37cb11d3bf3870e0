//! `xiaopu import FILE`: products from a table, all or nothing.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, open_shop};
use crate::catalogue::import::{self, Agreed, Stopped, WANTED};
use crate::clock::Day;
use crate::say::tell;
use crate::tables;

/// So many problems are enough to start with.
const SHOWN: usize = 50;

#[derive(Args)]
pub struct Import {
    /// 商品表：.xlsx、.xls、.ods、.csv，最多 10 万行、20 MB
    file: PathBuf,
    /// 这张表的库存差额导入过了，仍要再加减一次
    #[arg(long)]
    again: bool,
    /// 要人看一眼的行（0 元的、合并格里的库存、导出后在后台改过的……）都照表里的改
    #[arg(long)]
    yes: bool,
}

impl Import {
    pub async fn run(self) -> Outcome {
        let folder = self.file.parent().map(PathBuf::from).unwrap_or_default();
        let table = tables::open(&self.file, &WANTED).map_err(String::from)?;
        let mut plan = import::plan(&table, Some(&folder)).map_err(|problems| nothing(&problems))?;
        let notes = plan.notes.clone();
        let shop = open_shop().await?;
        import::ask_about_days(&table, &mut plan.rows, Day::of(shop.now()));
        let agreed = Agreed { again: self.again, doubts: self.yes };
        let done = import::apply(&shop, plan, "命令行", agreed).await.map_err(stopped)?;
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

fn stopped(why: Stopped) -> String {
    match why {
        Stopped::Wrong(problems) => {
            nothing(&problems.iter().flat_map(|problem| problem.lines()).map(str::to_owned).collect::<Vec<_>>())
        }
        Stopped::Again(again) => format!(
            "{again}\n没有导入任何商品：再导入会再加减一次，请重新导出一张表再改；真要再加减一次，请加 --again 再运行"
        ),
        Stopped::Doubts(doubts) => {
            let shown = doubts.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n? ");
            let n = doubts.len();
            format!(
                "{shown}\n有 {n} 行要您看一眼，没有导入任何商品：都对的话，请加 --yes 再运行；或在后台导入，一行一行地勾"
            )
        }
    }
}

fn nothing(problems: &[String]) -> String {
    let shown = &problems[..problems.len().min(SHOWN)];
    format!("{}\n共 {} 处有问题，没有导入任何商品。请改好后再试。", shown.join("\n✗ "), problems.len())
}
