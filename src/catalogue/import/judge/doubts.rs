//! What somebody is asked about a row before it is carried out: what it would do looks like a slip.

use super::super::{Row, words};
use super::goods::Goods;
use super::moment::Moment;
use super::{BARCODE, CODE, COST, Change, Deed, Fine, PRICE};
use crate::catalogue::store::SkuDraft;
use crate::catalogue::{Product, Sku, rules};
use crate::money::Fen;
use crate::tables;

/// What a row would do to its goods.
pub(super) struct Doubts<'a> {
    pub goods: &'a Goods<'a>,
    pub moment: &'a Moment<'a>,
    pub deed: &'a Deed,
    pub changes: &'a [Change],
}

impl Doubts<'_> {
    /// `stock` is what the row writes, `both` what was changed in the table and in the shop.
    pub(super) fn told(&self, stock: Option<i64>, both: &[String]) -> Vec<String> {
        let mut doubts = self.of_the_moment();
        doubts.extend(self.of_figures(stock));
        doubts.extend(self.of_words());
        if let Some(spec) = self.goods.idle_spec().filter(|_| !self.changes.is_empty() && !self.goods.are_coded()) {
            doubts.push(format!(
                "「{}」在店里没有规格，表里写的是“{spec}”：勾上改的就是现在卖的这一种；另有一种“{spec}”的，先在商品页给现在这一种写上规格，再导入",
                self.goods.name
            ));
        }
        if !both.is_empty() {
            doubts.push(format!("导出后在后台改成了 {}：真要照表里改的请打勾", both.join("，")));
        }
        if self.deed.draft.enabled && self.goods.sku.is_some_and(|sku| !sku.enabled) {
            doubts.push("这个规格在后台停售了：打勾就重新在售".to_owned());
        }
        doubts
    }

    /// What an export says of its moment does not go with the shop, or with itself.
    fn of_the_moment(&self) -> Vec<String> {
        let Doubts { moment, deed, changes, .. } = self;
        let mut doubts = Vec::new();
        if moment.is_gone {
            doubts.push(
                "导出时有这个规格，现在没有了：后台把它删了或改了名，或是在表里改了；真要再新增一个的请打勾".to_owned(),
            );
        }
        if moment.is_of_others && moment.before.is_none() && !changes.is_empty() {
            doubts.push(
                "导出时的样子写的是别的商品：排序时漏了最后两列，或这一行是复制的；库存按写的数改，请逐行核对再打勾"
                    .to_owned(),
            );
        }
        if let Some(is) = deed.on_hand.filter(|_| moment.lacks_stock) {
            doubts.push(format!(
                "这是导出的表，“导出时库存”却没有了：不知道导出后卖了多少，勾上会把库存改成 {is}；只改别的请清空库存"
            ));
        }
        if let Some((is, (sealed, then))) = deed.on_hand.zip(moment.altered) {
            doubts.push(format!(
                "“导出时库存”写的是 {then}，导出时其实是 {sealed}：库存从 {sealed} 算起，勾上会改成 {is}；只改别的请清空库存"
            ));
        }
        doubts
    }

    /// Prices and stocks that are unlike the goods.
    fn of_figures(&self, stock: Option<i64>) -> Vec<String> {
        let Doubts { deed, changes, .. } = self;
        let Goods { sku, product, .. } = *self.goods;
        let (price, mut doubts) = (deed.draft.price, Vec::new());
        if let Some((sku, stock)) = sku.zip(stock)
            && are_exchanged(price, stock, sku)
        {
            doubts.push(exchanged(sku));
        }
        let said = |what: &str| changes.iter().any(|change| change.what == what);
        let cost = deed.cost.unwrap_or_else(|| sku.and_then(|sku| sku.cost));
        if let Some(cost) = cost.filter(|cost| price > Fen::ZERO && *cost > price && (said(PRICE) || said(COST))) {
            doubts.push(format!("成本 {} 比售价 {} 高：两列是不是写反了", cost.plain(), price.plain()));
        }
        if sku.is_none() {
            doubts.extend(product.and_then(|product| beside_siblings(price, product)));
        }
        doubts
    }

    /// Words that mean something else where they stand.
    fn of_words(&self) -> Vec<String> {
        let Goods { name, sku, categories, .. } = *self.goods;
        let mut doubts = Vec::new();
        let known = |part: &String| categories.iter().any(|category| category.name == *part);
        let parts = self.deed.common.category.iter().flatten();
        let several = parts.filter(|part| part.contains([',', '，', ';', '；'])).find(|part| !known(part));
        if let Some(several) = several {
            doubts.push(format!("分类「{several}」像是几个分类：一个商品只在一个里；真是一个名字的请打勾"));
        }
        doubts.extend(spoilt_code(self.changes));
        let unnamed = || words::is_nothing(name) || words::stands_for_more(name) || !name.contains(char::is_alphabetic);
        if sku.is_none() && unnamed() {
            doubts.push(format!("名称「{name}」像是没有填：真叫这个的请打勾"));
        }
        if sku.is_none() && words::is_example(name) {
            doubts.push(format!("「{name}」像是模板里的示例：真要卖的请打勾"));
        }
        doubts
    }
}

/// The same of a row as a whole, and what its table is asked about where it is carried out. Goods that cost nothing are mostly goods of which nobody wrote the price yet.
pub(super) fn of_row(row: &Row, fine: &Fine) -> Vec<String> {
    let said = |what: &str| fine.deed.sku.is_none() || fine.changes.iter().any(|change| change.what == what);
    let mut doubts = Vec::new();
    if said(PRICE) && fine.deed.draft.price == Fen::ZERO {
        doubts.push("售价是 0 元：买家不用付钱就能下单；真要送的请打勾".to_owned());
    }
    let SkuDraft { price, market_price, .. } = &fine.deed.draft;
    let slip = fine.changes.iter().find(|change| change.what == PRICE && is_slip(change));
    doubts.extend(
        slip.map(|change| format!("售价 {} 改成 {}，差十倍以上：是不是少了或多了小数点", change.was, change.is)),
    );
    if let Some(market) = market_price.filter(|market| market < price && (said(PRICE) || said("划线价"))) {
        doubts.push(format!("划线价 {} 比售价 {} 低：两列是不是写反了", market.plain(), price.plain()));
    }
    if fine.deed.sku.is_none() {
        doubts.extend(row.price_doubts.iter().cloned());
    }
    if fine.deed.on_hand.is_some() {
        doubts.extend(row.doubts.iter().cloned());
    }
    if fine.deed.product.is_none() && row.stateless {
        doubts.push("别的行写了是否上架，这一行空着：勾上会直接上架；不上架的请填 否".to_owned());
    }
    if fine.deed.product.is_none() && fine.deed.common.on_shelf != Some(false) {
        doubts.extend(row.shelf_doubts.iter().cloned());
    }
    if fine.deed.product.is_none() && row.shared && fine.deed.draft.specs.is_empty() {
        doubts.push("表里这个名称有几行，没有规格把它们分开：哪一列是规格，请把列名改成“规格”".to_owned());
    }
    if fine.deed.sku.is_none() || !fine.changes.is_empty() {
        doubts.extend(row.asks.iter().cloned());
    }
    doubts
}

/// Whether a price is ten times what it was, or a tenth of it.
fn is_slip(change: &Change) -> bool {
    let some = |text: &str| Fen::from_yuan(text).filter(|fen| *fen > Fen::ZERO);
    some(&change.was).zip(some(&change.is)).is_some_and(|(was, is)| rules::is_slip(was, is))
}

/// Whether a price and a stock are each like the other of the shop's, and unlike their own: their columns may be exchanged.
fn are_exchanged(price: Fen, stock: i64, sku: &Sku) -> bool {
    let ([price, was], [stock, on_hand]) = ([price, sku.price].map(Fen::get), [stock, sku.on_hand].map(|n| 100 * n));
    let near = |one: i64, other: i64| one.max(other) <= 2 * one.min(other);
    let unlike = stock == was || !near(price, was) && !near(stock, on_hand);
    price != was && stock != on_hand && near(stock, was) && near(price, on_hand) && unlike
}

fn exchanged(sku: &Sku) -> String {
    format!("店里的售价是 {}、库存是 {}：售价和库存两列是不是写反了", sku.price.plain(), sku.on_hand)
}

/// A price of a new specification that is far from those of all others of its goods.
fn beside_siblings(price: Fen, product: &Product) -> Option<String> {
    let of_others = || product.skus.iter().filter(|sku| sku.enabled && sku.price > Fen::ZERO).map(|sku| sku.price);
    let far = of_others().all(|other| rules::is_slip(other, price));
    let other = of_others().next().filter(|_| far && price > Fen::ZERO)?;
    Some(words::far_from(price, other))
}

/// A code that differs from the shop's only by what a spreadsheet does to numbers.
fn spoilt_code(changes: &[Change]) -> Option<String> {
    let Change { what, was, is } = changes.iter().find(|change| [CODE, BARCODE].contains(&change.what))?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let shorter = digits(was)
        && digits(is)
        && was.starts_with('0')
        && was.len() > is.len()
        && was.ends_with(is)
        && was.trim_start_matches('0') == is.trim_start_matches('0');
    // Some programs write noughts in the place of what they lost, others what their own number comes to.
    let rounded = digits(was)
        && digits(is)
        && was.len() == is.len()
        && is.len() > tables::DIGITS
        && was.starts_with(&is[..tables::DIGITS - 1]);
    let power = || {
        let (digits_before, zeros) = was.split_once(['E', 'e'])?;
        let zeros = zeros.trim_start_matches('+').parse::<usize>().ok().filter(|n| *n < 40)?;
        Some(digits(digits_before) && *is == format!("{digits_before}{}", "0".repeat(zeros)))
    };
    let spoilt = is == "0" && !was.is_empty() || shorter || rounded || power().unwrap_or(false);
    spoilt.then(|| format!("{what} {was} 变成 {is}，像是表格软件改掉的：请把这一列设成“文本”格式再填；真要改的请打勾"))
}
