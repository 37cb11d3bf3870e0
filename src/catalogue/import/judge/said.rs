//! What the cells of a row say of its goods, and all that is wrong with them at once.

use super::super::cells::{grams, yes};
use super::super::codes::{unspoilt, whole};
use super::super::shelf::{self, State};
use super::super::since::Since;
use super::super::specs::{self, Specs};
use super::super::{Column, EMPTY_IT, TITLES, words, written};
use super::goods::Goods;
use super::{BARCODE, CODE};
use crate::catalogue::rules;
use crate::money::Fen;

/// What a row says, where it says more than the shop: of what can be taken away, that there is none, too.
pub(super) struct Said {
    pub specs: Option<Specs>,
    pub subtitle: Option<String>,
    pub category: Option<Vec<String>>,
    pub state: Option<State>,
    pub code: Option<Option<String>>,
    pub price: Option<Fen>,
    pub market_price: Option<Option<Fen>>,
    pub barcode: Option<Option<String>>,
    pub weight: Option<i64>,
    pub cost: Option<Option<Fen>>,
    pub stock: Option<i64>,
    /// What an export has written beside it.
    pub stock_then: Option<i64>,
}

impl Said {
    pub(super) fn read(goods: &Goods) -> Result<Said, String> {
        let mut cells = Cells { goods, problems: unsaid(goods) };
        let said = Said {
            specs: cells.read(Column::Specs, specs::read),
            subtitle: cells.read(Column::Subtitle, |text| rules::subtitle(emptied(text))),
            category: cells.read(Column::Category, |text| category(emptied(text))),
            state: cells.read(Column::OnShelf, on_shelf),
            code: cells.read(Column::SkuCode, |text| unspoilt(CODE, emptied(text)).and_then(rules::code)),
            price: cells.read(Column::Price, |text| rules::price(text, "售价", "19.90")),
            market_price: cells.read(Column::MarketPrice, market_price),
            barcode: cells
                .read(Column::Barcode, |text| unspoilt(BARCODE, whole(emptied(text))).and_then(rules::barcode)),
            weight: cells.read(Column::Weight, |text| rules::weight(emptied(text))),
            cost: cells.read(Column::Cost, |text| rules::cost(emptied(text))),
            stock: cells.stock(Column::Stock),
            stock_then: cells.stock(Column::StockThen),
        };
        let mut problems = cells.problems;
        problems.extend(missing(goods));
        problems.extend(said.contradiction(goods));
        if problems.is_empty() { Ok(said) } else { Err(problems.join("；")) }
    }

    /// Leaves what only says what the shop had when the table was exported. What it leaves is told in the order of the cells.
    pub(super) fn since(self, since: &mut Since, goods: &Goods) -> Said {
        let plain = |fen: &Option<Fen>| fen.map(Fen::plain).unwrap_or_default();
        let was = |column: Column| move || goods.cell(column);
        Said {
            specs: since.said(Column::Specs, was(Column::Specs), self.specs, |is| written(is)),
            subtitle: since.said(Column::Subtitle, was(Column::Subtitle), self.subtitle, String::clone),
            category: since.said(Column::Category, was(Column::Category), self.category, |is| is.join("/")),
            code: since.said(Column::SkuCode, was(Column::SkuCode), self.code, |is| is.clone().unwrap_or_default()),
            price: since.said(Column::Price, was(Column::Price), self.price, |is| is.plain()),
            market_price: since.said(Column::MarketPrice, was(Column::MarketPrice), self.market_price, plain),
            barcode: since
                .said(Column::Barcode, was(Column::Barcode), self.barcode, |is| is.clone().unwrap_or_default()),
            weight: since.said(Column::Weight, was(Column::Weight), self.weight, |is| grams(*is)),
            cost: since.said(Column::Cost, was(Column::Cost), self.cost, plain),
            state: since
                .said(Column::OnShelf, was(Column::OnShelf), self.state, |is| yes(*is != State::Off).to_owned()),
            ..self
        }
    }

    /// Where the shelf and the stock say two things.
    fn contradiction(&self, goods: &Goods) -> Option<String> {
        let (Some(State::SoldOut), Some(n @ 1..)) = (self.state, self.stock) else { return None };
        let written = goods.said(Column::OnShelf).unwrap_or_default();
        Some(format!("上架写的是「{written}」，库存却有 {n} 件：请改成一样的"))
    }
}

/// The cells as they are read, and what is wrong with them.
struct Cells<'g> {
    goods: &'g Goods<'g>,
    problems: Vec<String>,
}

impl<'g> Cells<'g> {
    fn read<T>(&mut self, column: Column, read: impl FnOnce(&'g str) -> Result<T, String>) -> Option<T> {
        self.goods.said(column).and_then(|text| self.kept(read(text)))
    }

    /// One that says what the shop has is read, too: it may say that nothing was sold since.
    fn stock(&mut self, column: Column) -> Option<i64> {
        self.goods.row.said(column).and_then(|text| self.kept(rules::stock(text)))
    }

    fn kept<T>(&mut self, read: Result<T, String>) -> Option<T> {
        read.map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// Cells that say that something is to be written there.
fn unsaid(goods: &Goods) -> Vec<String> {
    let columns = [
        (Column::Subtitle, "副标题"),
        (Column::Category, "分类"),
        (Column::Specs, "规格"),
        (Column::SkuCode, CODE),
        (Column::Barcode, BARCODE),
    ];
    let unsaid = columns.into_iter().filter_map(|(column, what)| {
        let text = goods.said(column).filter(|text| words::stands_for_more(text))?;
        Some(format!("{what}写的是「{text}」：请写出要填的内容，或清空这一格"))
    });
    unsaid.collect()
}

/// What a new specification cannot be without.
fn missing(goods: &Goods) -> Vec<String> {
    let needed = [(Column::Price, "售价，例如 19.90"), (Column::Stock, "库存，例如 10")];
    let missing = needed.into_iter().filter(|(column, _)| goods.sku.is_none() && goods.row.said(*column).is_none());
    let told = missing.map(|(column, what)| match goods.row.has(column) {
        true => format!("新商品要填{what}"),
        false => format!("表里缺少列「{}」，新商品要填{what}", TITLES[column as usize][0]),
    });
    told.collect()
}

fn emptied(text: &str) -> &str {
    if text == EMPTY_IT { "" } else { text }
}

/// Tills write 0 where there is none.
fn market_price(text: &str) -> Result<Option<Fen>, String> {
    if text == EMPTY_IT {
        return Ok(None);
    }
    rules::price(text, "划线价", "29.90").map(|price| Some(price).filter(|it| *it > Fen::ZERO))
}

fn category(text: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = text.split(['/', '>', '／', '＞']).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() > 2 {
        return Err(format!("分类最多两级，写成 大类/小类，每级 {}", rules::CATEGORY));
    }
    parts.into_iter().map(rules::category).collect()
}

fn on_shelf(text: &str) -> Result<State, String> {
    shelf::read(text).ok_or_else(|| {
        format!("上架「{text}」不知道是上架还是下架：请写 是 或 否（出售中、已售罄、仓库中、已下架 也认得）")
    })
}
