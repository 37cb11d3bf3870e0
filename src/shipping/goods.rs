//! What a row of a table calls its goods, held against the lines of the orders that it names: goods that nobody has ordered,
//! another specification, other numbers of pieces, and lines that no row names. A name of somebody else's says nothing.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::claims::{is_called, listed};
use super::signs::{Signs, how_many, without_counts};
use super::{Goods, Row, Says, UNTITLED, void};
use crate::catalogue::store as catalogue;
use crate::error::Result;
use crate::ids::{LineId, OrderId};
use crate::orders::{Line, store as orders};
use crate::typed::{bare, holds_one_of, simplified};

/// What the shop's goods are called: by the first sign of each name, by what each is coded, and what may be chosen of them.
#[derive(Default)]
pub struct Called {
    names: HashMap<char, Vec<String>>,
    /// By code and by barcode.
    codes: HashMap<String, String>,
    /// What its specifications may be, each with all that it is about.
    values: HashMap<String, HashSet<String>>,
    /// All that they are about.
    abouts: HashSet<String>,
}

/// Whether a row is all that its table has of its order, and says nothing else of how much leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    Yes,
    No,
}

/// What an order has besides all that its rows name.
pub struct Unnamed {
    /// What somebody is told of it.
    pub words: String,
    /// What the rows name, as the shop calls it.
    pub named: Goods,
}

/// Whether a title says what goods are called.
pub fn is_titled(title: &str) -> bool {
    const OF_GOODS: &str = "托寄物 商品 货品 货物 货名 物品 宝贝 品名 产品 内件 发货内容 发货明细 订单内容 订单明细 购买内容 配货内容 配货信息 \
                            装箱内容";
    const BESIDE: &str = "码 号 数 额 价 费 重 规格 属性 类 id 链接 图 标签 备注 状态 留言";
    let title = plain(title);
    holds_one_of(&title, OF_GOODS) && !holds_one_of(&title, BESIDE)
}

/// Whether goods may stand under a title that says nothing of them; what others are called there is none of the shop's.
pub fn may_be_titled(title: &str) -> bool {
    const OTHERS: &str = "店 仓 品牌 类目 分类 分组 来源 渠道 平台 网点 寄 发件 卖家 昵称 会员 旺旺 账号 地址 省 市 姓名 联系 客户 买家 \
                          电话 手机 时间 日期 状态 轨迹 物流 快递 承运 公司 单位 单号 运单 链接 网址 图 标签 模板 库位 货位 发票 抬头 重量 \
                          金额 价 费 员 人 收 url link";
    !holds_one_of(&plain(title), OTHERS)
}

impl Called {
    pub fn of(conn: &Connection, rows: &[Row]) -> Result<Called> {
        let says_nothing = |row: &Row| {
            let says = &row.says;
            says.goods == Goods::default()
                && says.named_goods.is_empty()
                && says.others.is_empty()
                && says.cells.is_empty()
        };
        if rows.iter().all(says_nothing) {
            return Ok(Called::default());
        }
        let all: HashSet<String> = catalogue::names(conn)?.iter().map(|name| plain(name)).collect();
        let mut names: HashMap<char, Vec<String>> = HashMap::new();
        // A name of digits alone, as 1 for what is paid on top, is none to find among other people's numbers.
        for name in all.into_iter().filter(|name| name.chars().any(char::is_alphabetic)) {
            if let Some(first) = name.chars().next() {
                names.entry(first).or_default().push(name);
            }
        }
        let codes = catalogue::all_codes(conn)?.into_iter().map(|(code, name)| (plain(&code), name));
        let mut values: HashMap<String, HashSet<String>> = HashMap::new();
        for (about, value) in catalogue::all_specs(conn)? {
            values.entry(plain(&value)).or_default().insert(plain(&about));
        }
        let abouts = values.values().flatten().filter(|about| !about.is_empty()).cloned().collect();
        Ok(Called { names, codes: codes.collect(), values, abouts })
    }

    /// Takes the columns of a table in which most cells name goods of the shop, or say what was chosen of them, for what its
    /// goods are called, whatever the titles above them, and answers with these; of the others nothing is kept. Where people
    /// write all kinds of words a cell must list goods and nothing else.
    pub fn find_columns(&self, rows: &mut [Row]) -> HashSet<String> {
        self.find_specs(rows);
        let mut seen: HashMap<&str, (usize, usize)> = HashMap::new();
        for (title, text) in rows.iter().flat_map(|row| &row.says.others) {
            let (filled, named) = seen.entry(title.trim()).or_default();
            *filled += 1;
            *named += usize::from(self.may_be_goods(title, text));
        }
        let of_goods = seen.into_iter().filter(|(_, (filled, named))| named * 2 >= *filled);
        let of_goods: HashSet<String> = of_goods.map(|(title, _)| title.to_owned()).collect();
        for says in rows.iter_mut().map(|row| &mut row.says) {
            let others = std::mem::take(&mut says.others);
            let is_of_goods = |(title, text): &(String, String)| {
                of_goods.contains(title.trim()) && (!holds_anything(title) || self.lists_goods(text))
            };
            says.named_goods.extend(others.into_iter().filter(is_of_goods));
        }
        of_goods
    }

    /// Takes the columns that have nothing but what can be chosen of goods for their specification, whatever the titles: 型号, 款式, or
    /// one for the colour and one for the size.
    fn find_specs(&self, rows: &mut [Row]) {
        let mut seen: HashMap<&str, (usize, usize)> = HashMap::new();
        for (title, text) in rows.iter().flat_map(|row| &row.says.others).filter(|(title, _)| !holds_anything(title)) {
            let (filled, chosen) = seen.entry(title.trim()).or_default();
            *filled += 1;
            *chosen += usize::from(self.are_choices(title, text));
        }
        let of_specs = seen.into_iter().filter(|(_, (filled, chosen))| chosen * 2 >= *filled);
        let of_specs: HashSet<String> = of_specs.map(|(title, _)| title.to_owned()).collect();
        for row in rows {
            let own = &mut row.says.goods.spec;
            let others = row
                .says
                .others
                .iter()
                .filter(|(title, text)| of_specs.contains(title.trim()) && !plain(own).contains(&plain(text)));
            let more: Vec<&str> = others.map(|(_, text)| text.trim()).collect();
            if !more.is_empty() {
                *own =
                    [own.trim()].into_iter().chain(more).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("/");
                if row.goods != Goods::default() {
                    row.goods.spec.clone_from(own);
                }
            }
        }
    }

    /// Whether a cell is made up of what can be chosen, each maybe behind what it is about. Figures say it under their own title alone.
    fn are_choices(&self, title: &str, text: &str) -> bool {
        const MOST: usize = 40;
        let text = plain(text);
        if text.chars().count() > MOST {
            return false;
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).chain([text.len()]).collect();
        // Where a word may begin, and whether one before it tells.
        let mut reached: HashMap<usize, bool> = HashMap::from([(0, false)]);
        for from in [0].into_iter().chain(ends.iter().copied()) {
            let Some(told) = reached.get(&from).copied() else { continue };
            for to in ends.iter().copied().filter(|to| *to > from) {
                let word = &text[from..to];
                let value = self.values.get(word);
                if value.is_some() || self.abouts.contains(word) {
                    let tells = value.is_some_and(|abouts| tells(word) || abouts.contains(&plain(title)));
                    *reached.entry(to).or_default() |= told || tells;
                }
            }
        }
        reached.get(&text.len()).copied().unwrap_or_default()
    }

    fn may_be_goods(&self, title: &str, text: &str) -> bool {
        match holds_anything(title) {
            true => self.lists_goods(text),
            false => self.names_any(text) || self.is_a_choice(title, text) || self.lists_goods(text),
        }
    }

    /// Whether a cell is something that can be chosen; figures are under their own title alone.
    fn is_a_choice(&self, title: &str, text: &str) -> bool {
        let text = plain(text);
        self.values.get(&text).is_some_and(|abouts| tells(&text) || abouts.contains(&plain(title)))
    }

    /// Whether goods of the shop stand in a text, by name or by code, with their pieces and what was chosen, and nothing else.
    fn lists_goods(&self, text: &str) -> bool {
        // Short figures count rows as well.
        let tells = |code: &str| code.len() >= LONG || code.len() >= SHORT && !code.bytes().all(|b| b.is_ascii_digit());
        let coded = |part: &str| tells(part) && self.codes.contains_key(&plain(part));
        let rest = |part: &str| {
            let signs = Signs::of(part);
            let named = self.named(&signs, &[]);
            let rest = named.iter().fold(signs.clone(), |rest, (_, name)| rest.without(name));
            let rest = rest.parts().into_iter().filter(|word| !self.values.contains_key(*word)).collect::<String>();
            (!named.is_empty(), without_counts(&rest))
        };
        let mut any = false;
        let mut fits = |part: &str| {
            let part = counted(part, &[]).0;
            let (named, rest) = rest(&part);
            any |= named || coded(&part);
            coded(&part) || rest.is_empty()
        };
        parts_of_all(text).all(|part| part.trim().is_empty() || fits(part)) && any
    }

    fn names_any(&self, text: &str) -> bool {
        let signs = Signs::of(text);
        let named = self.named(&signs, &[]);
        let known: Vec<(usize, usize)> = named.iter().map(|(at, name)| (*at, at + name.len())).collect();
        named.iter().any(|(at, name)| signs.is_a_word(*at, name, &known))
    }

    /// The first of a row's cells that is goods of the shop, whole, of which its orders have none.
    pub fn strange_cell<'c>(&self, conn: &Connection, lines: &[Line], cells: &'c [String]) -> Result<Option<&'c str>> {
        const LEAST: usize = 2;
        let whole = |cell: &&String| plain(cell).chars().count() >= LEAST && self.lists_goods(cell);
        let goods: Vec<&String> = cells.iter().filter(whole).collect();
        if goods.is_empty() {
            return Ok(None);
        }
        let known = lines.iter().map(|line| Known::of(conn, line)).collect::<Result<Vec<_>>>()?;
        let strange = |cell: &&String| self.names_another(cell, &known, Under::Goods);
        Ok(goods.into_iter().find(strange).map(String::as_str))
    }

    /// Why a row is of other goods than the orders that it names have.
    pub fn other_goods(&self, conn: &Connection, lines: &[Line], says: &Says, whole: Whole) -> Result<Option<String>> {
        let goods = &says.goods;
        let known = lines.iter().map(|line| Known::of(conn, line)).collect::<Result<Vec<_>>>()?;
        let ordered = || lines.iter().map(|line| line.text_of(line.quantity)).collect::<Vec<_>>().join("；");
        if let Some((code, name)) = self.other_code(conn, &known, says)? {
            return Ok(Some(format!("表里的商品编码 {code} 是「{name}」，订单里没有：订单是 {}", ordered())));
        }
        for (title, text, under) in texts(says) {
            if self.differs(text, &known, whole, under) {
                let written: String = text.trim().chars().take(40).collect();
                return Ok(Some(format!("表里{}是“{written}”，订单是 {}", called(title), ordered())));
            }
        }
        if known.iter().any(|known| known.has_code(&goods.code)) {
            return Ok(None);
        }
        if codes_differ(&goods.code, &known, whole) {
            return Ok(Some(format!("表里的商品编码是“{}”，订单是 {}", goods.code.trim(), ordered())));
        }
        let name = plain(&goods.name);
        let of_name: Vec<&Known<'_>> = known.iter().filter(|known| known.names.contains(&name)).collect();
        let other_spec =
            !of_name.is_empty() && of_name.iter().all(|known| contradicts(&goods.spec, &known.line.spec_text));
        let written = goods.name.trim();
        if other_spec {
            return Ok(Some(format!("表里「{written}」的规格是“{}”，订单是 {}", goods.spec, ordered())));
        }
        let meant = self.meant(says, &known);
        let other = choices(says).find(|(title, text)| is_another_value(title, text, &meant));
        let spec = Some(("规格", goods.spec.as_str())).filter(|(_, spec)| is_another_choice(spec, &meant));
        Ok(other
            .or(spec)
            .map(|(title, text)| format!("表里{}是“{}”，订单是 {}", called(title), text.trim(), ordered())))
    }

    /// A code that a row has of goods which the order does not have, and their name.
    fn other_code(&self, conn: &Connection, lines: &[Known<'_>], says: &Says) -> Result<Option<(String, String)>> {
        for code in codes(says) {
            if lines.iter().any(|known| known.has_code(&code)) {
                continue;
            }
            let coded = catalogue::sku_with_code(conn, &code)?.map(|coded| coded.product_name);
            if let Some(name) = coded.or_else(|| self.codes.get(&plain(&code)).cloned()) {
                return Ok(Some((code, name)));
            }
        }
        Ok(None)
    }

    /// The lines that a row is about: those that it names, else all of them.
    fn meant<'k, 'l>(&self, says: &Says, lines: &'k [Known<'l>]) -> Vec<&'k Known<'l>> {
        let coded = lines.iter().filter(|known| codes(says).iter().any(|code| known.has_code(code)));
        let named = texts(says).flat_map(|(_, text, _)| self.told(text, lines));
        let meant: Vec<&Known<'_>> = coded.chain(named).collect();
        if meant.is_empty() { lines.iter().collect() } else { meant }
    }

    /// Whether the rows that name goods of the order, by whatever these are known by, count all that it has of them, or all that is left. Each
    /// row comes with its number.
    pub fn count_all_they_name(&self, conn: &Connection, order: OrderId, rows: &[(&Row, i64)]) -> Result<bool> {
        let lines = orders::lines(conn, order)?;
        let known = lines.iter().map(|line| Known::of(conn, line)).collect::<Result<Vec<_>>>()?;
        let mut named: HashSet<LineId> = HashSet::new();
        let mut sum = 0;
        for (row, number) in rows.iter().filter(|(_, number)| *number > 0) {
            let spec = Signs::of(&row.says.goods.spec);
            let chosen = known.iter().filter(|known| known.values.iter().any(|value| spec.has(value)));
            let chosen = chosen.map(|known| known.line.id);
            let told = self.lines_of(&row.says, &known).into_iter().flat_map(|told| told.lines);
            let of: HashSet<LineId> = chosen.chain(told).collect();
            sum += if of.is_empty() { 0 } else { *number };
            named.extend(of);
        }
        let of = || lines.iter().filter(|line| named.contains(&line.id));
        let (left, ordered): (i64, i64) = (of().map(Line::left).sum(), of().map(|line| line.quantity).sum());
        Ok(!named.is_empty() && (sum == left || sum == ordered))
    }

    /// That rows name or count goods which were given back before they were sent: the list is of before, and so may be what was packed by it.
    pub fn from_before(&self, conn: &Connection, order: OrderId, rows: &[&Row]) -> Result<Option<String>> {
        let lines = orders::lines(conn, order)?;
        let back: Vec<&Line> = lines.iter().filter(|line| line.released > 0).collect();
        if back.is_empty() || lines.iter().all(|line| line.left() < 1) {
            return Ok(None);
        }
        let known = lines.iter().map(|line| Known::of(conn, line)).collect::<Result<Vec<_>>>()?;
        let counted = |row: &Row| how_many(row.pieces.trim()).or_else(|| how_many(row.says.goods.quantity.trim()));
        let of_before = |line: &Line, row: &Row| {
            // It says itself that none of it leaves.
            if how_many(row.pieces.trim()) == Some(0) {
                return false;
            }
            let named = self.lines_of(&row.says, &known).map(|told| told.lines).unwrap_or_default();
            let alone = matches!(named[..], [only] if only == line.id);
            let whole = plain(&line.text_of(line.quantity));
            named.contains(&line.id) && line.released == line.quantity
                || alone && counted(row) == Some(line.quantity)
                || texts(&row.says).any(|(_, text, _)| plain(text).contains(&whole))
        };
        let ordered: i64 = lines.iter().map(|line| line.quantity).sum();
        let sum = rows.iter().map(|row| counted(row)).sum::<Option<i64>>();
        let told = back.iter().any(|line| rows.iter().any(|row| of_before(line, row)))
            || sum == Some(ordered)
            || rows.iter().any(|row| counted(row) == Some(ordered));
        let gone = back.iter().map(|line| line.text_of(line.released)).collect::<Vec<_>>().join("；");
        Ok(told.then(|| format!("{gone} 后来退款了，表里还是退款前的：请核对包裹，把退了的拿出来再发")))
    }

    /// What the rows of an order leave out of it, where they say which of its goods they mean, or how many pieces, and
    /// nothing tells that the rest is to stay; and what of their numbers cannot be the order's.
    pub fn unnamed(&self, conn: &Connection, order: OrderId, rows: &[&Row]) -> Result<Option<Unnamed>> {
        let lines = orders::lines(conn, order)?;
        let left: i64 = lines.iter().map(Line::left).sum();
        let says_nothing = |row: &&Row| {
            let goods = &row.says.goods;
            goods.name.is_empty() && goods.code.is_empty() && row.says.named_goods.is_empty()
        };
        let sent = || rows.iter().filter(|row| !row.tracking_no.trim().is_empty());
        let tells = |row: &&Row| !says_nothing(row) || !row.goods.quantity.is_empty();
        if left < 2 || sent().next().is_none() || !rows.iter().any(tells) {
            return Ok(None);
        }
        let sum = |of: &dyn Fn(&Line) -> i64| lines.iter().map(of).sum::<i64>();
        let whole = [left, sum(&|line| line.quantity), sum(&|line| line.quantity - line.released)];
        let counts = rows.iter().map(|row| how_many(row.goods.quantity.trim())).collect::<Option<Vec<i64>>>();
        let count = counts.as_ref().map(|counts| counts.iter().sum::<i64>());
        let known = lines.iter().map(|line| Known::of(conn, line)).collect::<Result<Vec<_>>>()?;
        if let Some(words) = self.miscounted(rows, counts.as_deref(), &whole, &known) {
            return Ok(Some(Unnamed { words, named: Goods::default() }));
        }
        // Where each row says how many, its parcel takes those alone; and a row that has no number yet waits with its own.
        let counted = count.is_some_and(|n| n < 1 || n > left || whole.contains(&n) || !in_one_parcel(rows));
        if counted || sent().any(says_nothing) {
            return Ok(None);
        }
        let (named, strange) = self.told_by(&sent().map(|row| &row.says).collect::<Vec<_>>(), &known);
        let text = |named_too: bool| {
            let of = lines.iter().filter(|line| line.left() > 0 && named.contains(&line.id) == named_too);
            of.map(|line| line.text_of(line.left())).collect::<Vec<_>>().join("；")
        };
        let (here, rest) = (text(true), text(false));
        let only = "只发写的这些，请在这里写件数";
        let words = match count {
            _ if !here.is_empty() && !rest.is_empty() && !strange.is_empty() => {
                let strange: String = strange.join("、").chars().take(40).collect();
                format!(
                    "表里写了 {here} 和“{strange}”，“{strange}”认不出是哪一样，这笔订单还有 {rest} 没写，现在会整单一起发；{only}"
                )
            }
            _ if !here.is_empty() && !rest.is_empty() => {
                format!("表里只写了 {here}，这笔订单还有 {rest} 没写，现在会整单一起发；{only}")
            }
            Some(n) => format!("表里这笔订单只有 {n} 件，没发的有 {left} 件，现在会整单一起发；{only}"),
            None => return Ok(None),
        };
        let mut of = lines.iter().filter(|line| line.left() > 0 && named.contains(&line.id));
        let named = match (of.next(), of.next()) {
            (Some(only), None) => Goods { name: only.name.clone(), spec: only.spec_text.clone(), ..Goods::default() },
            _ => Goods { name: here, ..Goods::default() },
        };
        Ok(Some(Unnamed { words, named }))
    }

    /// Why the numbers that rows have cannot be those of their order. What repeats the whole order's in each says nothing.
    fn miscounted(&self, rows: &[&Row], counts: Option<&[i64]>, whole: &[i64], lines: &[Known<'_>]) -> Option<String> {
        let only = "只发写的这些，请在这里写件数";
        let Some(counts) = counts else {
            let written = || rows.iter().map(|row| row.goods.quantity.trim()).filter(|text| !text.is_empty());
            if let Some(unread) = written().find(|text| how_many(text).is_none()) {
                let unread: String = unread.chars().take(20).collect();
                return Some(format!("数量“{unread}”认不出是几件，现在会整单一起发；{only}"));
            }
            let sum = written().filter_map(how_many).sum::<i64>();
            let some = written().next().is_some() && in_one_parcel(rows) && !whole.contains(&sum);
            return some.then(|| format!("有一行没写数量，现在会整单一起发；{only}"));
        };
        let one_parcel = in_one_parcel(rows);
        if let Some(n) = counts.iter().find(|n| **n < 1) {
            let beside = rows.len() > 1 && one_parcel;
            return beside.then(|| format!("有一行的数量是 {n}，像是不发，现在会整单一起发；{only}"));
        }
        if counts.len() > 1 && counts.iter().all(|n| whole.contains(n)) {
            return None;
        }
        // What is laid in may be called as what was bought.
        let is_gift = |row: &Row| texts(&row.says).any(|(_, text, _)| text.contains('赠'));
        let line = |row: &&Row| match &self.lines_of(&row.says, lines)?.lines[..] {
            [only] if !is_gift(row) => Some(*only),
            _ => None,
        };
        let named: Vec<(LineId, i64)> = rows.iter().zip(counts).filter_map(|(row, n)| Some((line(row)?, *n))).collect();
        let of = |id: LineId| named.iter().filter(|(line, _)| *line == id).map(|(_, n)| n).sum::<i64>();
        let too_many = lines.iter().map(|known| known.line).find(|line| of(line.id) > line.quantity);
        if let Some(line) = too_many.filter(|_| lines.len() > 1) {
            let ordered = lines.iter().map(|known| known.line.text_of(known.line.quantity)).collect::<Vec<_>>();
            return Some(format!(
                "表里写了 {}，订单是 {}，是不是错行了",
                line.text_of(of(line.id)),
                ordered.join("；")
            ));
        }
        let (sum, left) = (counts.iter().sum::<i64>(), whole[0]);
        let names_none = rows.iter().all(|row| texts(&row.says).next().is_none() && codes(&row.says).is_empty());
        if one_parcel && counts.len() > 1 && names_none && sum < left && !whole.contains(&sum) {
            return Some(format!("表里这几行一共只写了 {sum} 件，没发的有 {left} 件，现在会整单一起发；{only}"));
        }
        if one_parcel || whole.contains(&sum) || (!named.is_empty() && too_many.is_none()) {
            return None;
        }
        let apart = "分不出哪件在哪个包裹，商品会都记在前一个包裹里；要分开请在这里写件数";
        Some(match sum > left {
            true => format!("表里这几行一共写了 {sum} 件，没发的只有 {left} 件，{apart}"),
            false => format!("表里这几行一共只写了 {sum} 件，没发的有 {left} 件，{apart}"),
        })
    }

    /// The lines that rows name, and what stands beside them that is none of these; nothing where they may mean all of them.
    fn told_by(&self, rows: &[&Says], lines: &[Known<'_>]) -> (HashSet<LineId>, Vec<String>) {
        let Some(told) = rows.iter().map(|says| self.lines_of(says, lines)).collect::<Option<Vec<_>>>() else {
            return Default::default();
        };
        // A row of goods that others call otherwise is one of those that no row names.
        let otherwise = told.iter().filter(|told| told.lines.is_empty() && !told.strange.is_empty()).count();
        let named: HashSet<LineId> = told.iter().flat_map(|told| told.lines.iter().copied()).collect();
        let missing = lines.iter().filter(|known| known.line.left() > 0 && !named.contains(&known.line.id)).count();
        match otherwise > 0 && otherwise >= missing {
            true => Default::default(),
            false => (named, told.into_iter().flat_map(|told| told.strange).collect()),
        }
    }

    /// The lines that a row names; `None` where it says that there are more.
    fn lines_of(&self, says: &Says, lines: &[Known<'_>]) -> Option<Told> {
        const MORE: [&str; 9] = ["等", "…", "...", "套餐", "组合", "其他", "其它", "其余", "详见"];
        let mut named: Vec<LineId> = Vec::new();
        let coded = codes(says).into_iter().flat_map(|code| lines.iter().filter(move |known| known.has_code(&code)));
        named.extend(coded.map(|known| known.line.id));
        let by_code = !named.is_empty();
        let mut unknown: Vec<(String, String)> = Vec::new();
        for (_, text, _) in texts(says) {
            let is_own = |word: &str| lines.iter().any(|known| known.line.name.contains(word));
            if MORE.iter().any(|word| text.contains(word) && !is_own(word)) {
                return None;
            }
            let listed = without_brackets(text);
            let parts: Vec<&str> = parts_of_all(&listed).collect();
            let spec = if parts.len() == 1 { format!("{text} {}", says.goods.spec) } else { String::new() };
            for part in &parts {
                let (goods, _) = counted(part, lines);
                let signs = Signs::of(&goods);
                let of = self.told(&goods, lines);
                let all: Vec<&str> = self.named(&signs, lines).into_iter().map(|(_, name)| name).collect();
                let own = || lines.iter().filter(|known| all.iter().any(|name| known.has_name(name)));
                match () {
                    () if !of.is_empty() => {
                        let chosen = chosen(&format!("{goods} {spec}"), &of);
                        named.extend(chosen.iter().map(|known| known.line.id));
                    }
                    () if own().next().is_some() => named.extend(own().map(|known| known.line.id)),
                    () if says_no_goods(&signs.text, lines) || self.values.contains_key(&signs.text) => {}
                    () if by_code && parts.len() == 1 => {}
                    () if lines.iter().any(|known| known.has_code(&goods)) => {}
                    () => unknown.push((without_counts(&signs.text), part.trim().to_owned())),
                }
            }
        }
        let mut strange = Vec::new();
        for (text, part) in unknown {
            let is_it = |known: &&Known<'_>| known.may_be_short(&text) || known.is_alone_like(&text, lines);
            let (known, others): (Vec<&Known<'_>>, Vec<_>) =
                lines.iter().filter(is_it).partition(|known| named.contains(&known.line.id));
            match others[..] {
                // A word for what is named already says nothing new.
                [] if !known.is_empty() => {}
                [only] => named.push(only.line.id),
                _ => strange.push(part),
            }
        }
        strange.dedup();
        Some(Told { lines: named, strange })
    }

    fn differs(&self, text: &str, lines: &[Known<'_>], whole: Whole, under: Under) -> bool {
        if listed(text).is_none() {
            if self.names_another(text, lines, under) {
                return true;
            }
            let mut counts: Vec<(Vec<&Known<'_>>, i64)> = Vec::new();
            for part in self.apart(text, lines) {
                let (goods, n) = counted(part, lines);
                let of = self.told(&goods, lines);
                if !of.is_empty() && is_another_choice(&goods, &of) {
                    return true;
                }
                let of = chosen(&goods, &of);
                let ids = |of: &[&Known<'_>]| of.iter().map(|known| known.line.id).collect::<Vec<_>>();
                match (n.filter(|_| !of.is_empty()), counts.iter_mut().find(|(known, _)| ids(known) == ids(&of))) {
                    (None, _) => {}
                    (Some(n), Some((_, sum))) => *sum += n,
                    (Some(n), None) => counts.push((of, n)),
                }
            }
            return counts.iter().any(|(of, n)| !may_be(*n, of, whole));
        }
        // As the list that was given out for filling in has it.
        let known = |(goods, n): (String, i64), part: &str| match lines.iter().any(|known| known.is_called(&goods)) {
            true => vec![(goods, n)],
            false => each_counted(part).unwrap_or_else(|| vec![(goods, n)]),
        };
        let parts: Vec<(String, i64)> =
            parts(text).filter_map(|part| Some(known(piece(part)?, part))).flatten().collect();
        parts.iter().any(|(goods, _)| {
            let of: Vec<&Known<'_>> = lines.iter().filter(|known| known.is_called(goods)).collect();
            let n = parts.iter().filter(|(other, _)| other == goods).map(|(_, n)| n).sum();
            match of.is_empty() {
                true => !self.named(&Signs::of(goods), lines).is_empty(),
                false => !may_be(n, &of, whole),
            }
        })
    }

    /// The parts of a list of goods, one for each where that is how they are parted.
    fn apart<'t>(&self, text: &'t str, lines: &[Known<'_>]) -> Vec<&'t str> {
        let several = |part: &&str| self.named(&Signs::of(part), lines).len() > 1;
        let apart = |part: &'t str| match several(&part) {
            true => part.split(BETWEEN).collect(),
            false => vec![part],
        };
        parts(text).flat_map(apart).filter(|part| !part.trim().is_empty()).collect()
    }

    /// The lines of the only goods that a text names.
    fn told<'k, 'l>(&self, text: &str, lines: &'k [Known<'l>]) -> Vec<&'k Known<'l>> {
        let signs = Signs::of(text);
        let mut of: Vec<&'k Known<'l>> = Vec::new();
        for (_, name) in self.named(&signs, lines) {
            let fit: Vec<_> = lines.iter().filter(|known| known.has_name(name)).collect();
            if fit.is_empty() || !of.is_empty() && of[0].line.product_id != fit[0].line.product_id {
                return Vec::new();
            }
            of = fit;
        }
        of
    }

    /// Whether a text names goods of the shop that the order does not have: any where it names none of the order's, else one
    /// that stands there as a word of its own, be it as a gift.
    fn names_another(&self, text: &str, lines: &[Known<'_>], under: Under) -> bool {
        let own = |name: &str| lines.iter().any(|known| known.has_name(name));
        let chosen = |name: &str| lines.iter().any(|known| known.values.iter().any(|value| value.contains(name)));
        let others = |signs: &Signs, any: bool| {
            let named = self.named(signs, lines);
            let values = lines.iter().flat_map(|known| &known.values).map(String::as_str);
            let known: Vec<(usize, usize)> =
                named.iter().map(|(at, name)| (*at, at + name.len())).chain(signs.places(values)).collect();
            let mut others = named.iter().filter(|(_, name)| !own(name) && !chosen(name));
            others.any(|(at, name)| !signs.is_denied(*at) && (any || signs.is_a_word(*at, name, &known)))
        };
        let signs = Signs::of(text);
        match self.named(&signs, lines).iter().any(|(_, name)| own(name)) {
            true => others(&Signs::of(&without_brackets(text)), false),
            false => others(&signs, under == Under::Other),
        }
    }

    /// The names that stand in a text, with their places; of two that overlap the longer one.
    fn named<'n>(&'n self, signs: &'n Signs, lines: &'n [Known<'_>]) -> Vec<(usize, &'n str)> {
        let own = lines.iter().flat_map(|known| known.names.iter().map(String::as_str));
        let own = own.flat_map(|name| signs.text.match_indices(name));
        let begun = |(at, first): (usize, char)| {
            let names = self.names.get(&first).into_iter().flatten().map(String::as_str);
            names.filter(move |name| signs.text[at..].starts_with(name)).map(move |name| (at, name))
        };
        let mut found: Vec<(usize, &str)> = own.chain(signs.text.char_indices().flat_map(begun)).collect();
        found.sort_by_key(|(at, name)| (std::cmp::Reverse(name.len()), *at));
        let mut kept: Vec<(usize, &str)> = Vec::new();
        for (at, name) in found {
            if kept.iter().all(|(other, longer)| at + name.len() <= *other || other + longer.len() <= at) {
                kept.push((at, name));
            }
        }
        kept.sort_unstable();
        kept
    }
}

fn in_one_parcel(rows: &[&Row]) -> bool {
    rows.iter().all(|row| row.tracking_no.trim() == rows[0].tracking_no.trim())
}

/// What a row says of the lines of its order.
struct Told {
    lines: Vec<LineId>,
    /// What stands there that is none of them for all that anybody knows.
    strange: Vec<String>,
}

/// A column as it is named to people.
fn called(title: &str) -> String {
    if title.trim().is_empty() { UNTITLED.to_owned() } else { format!("「{title}」") }
}

/// Whether all kinds of words are written under a title, or there is none.
fn holds_anything(title: &str) -> bool {
    title.trim().is_empty() || void::is_remark(title)
}

/// Every cell that may say what was chosen, with its title.
fn choices(says: &Says) -> impl Iterator<Item = (&str, &str)> {
    let spec = Some(("规格", says.goods.spec.as_str()));
    texts(says).map(|(title, text, _)| (title, text)).chain(spec).filter(|(_, text)| !text.trim().is_empty())
}

/// Whether a cell is nothing but another choice than any of these lines has. A figure says it under its own title alone.
fn is_another_value(title: &str, text: &str, lines: &[&Known<'_>]) -> bool {
    let (title, text) = (plain(title), plain(text));
    let is_another = |known: &&Known<'_>| {
        let fits = |(about, value): &(String, String)| *value == text && (tells(value) || *about == title);
        known.choices.iter().any(fits) && !known.values.contains(&text)
    };
    !lines.is_empty() && lines.iter().all(is_another)
}

/// Every cell of a row that says what its goods are called, with its title.
fn texts(says: &Says) -> impl Iterator<Item = (&str, &str, Under)> {
    let named = says.named_goods.iter().filter(|(title, _)| title.is_empty() || *title != says.goods_title);
    let named = named.map(|(title, text)| {
        let under = if is_titled(title) { Under::Other } else { Under::Goods };
        (title.as_str(), text.as_str(), under)
    });
    let own = [(says.goods_title.as_str(), says.goods.name.as_str(), Under::Goods)];
    own.into_iter().chain(named).filter(|(_, text, _)| !text.trim().is_empty())
}

/// What is shorter is no code for sure.
const SHORT: usize = 3;
/// So long are figures that are nothing but a code.
const LONG: usize = 6;

/// What may be codes in a row: the code's cell, each of several in it, and a whole cell where columns are exchanged.
fn codes(says: &Says) -> Vec<String> {
    let (code, goods) = (bare(&says.goods.code), &says.goods);
    let listed = code.split(['；', ';', '，', ',', '、', '+', '|', '\n', ' ']).map(|part| counted(part, &[]).0);
    let listed: Vec<String> = listed.filter(|part| *part != code && part.len() >= SHORT).collect();
    let cells = says.named_goods.iter().map(|(_, text)| text).chain([&goods.name, &goods.spec]);
    let each = |text: &String| {
        let apart = parts_of_all(text).map(|part| counted(part, &[]).0);
        [bare(text)].into_iter().chain(apart).filter(|text| text.len() >= SHORT).collect::<Vec<_>>()
    };
    let cells = cells.flat_map(each);
    let mut all: Vec<String> = [code.clone()].into_iter().chain(listed).chain(cells).collect();
    all.retain(|code| !code.is_empty());
    all.dedup();
    all
}

/// Whether a cell of codes counts one of the order's goods otherwise: `T0*2+T1*1`.
fn codes_differ(text: &str, lines: &[Known<'_>], whole: Whole) -> bool {
    let apart = parts_of_all(text).map(|part| counted(part, &[]));
    let apart: Vec<(String, i64)> = apart.filter_map(|(code, n)| Some((bare(&code), n?))).collect();
    apart.iter().any(|(code, _)| {
        let of: Vec<&Known<'_>> = lines.iter().filter(|known| known.has_code(code)).collect();
        let n = apart.iter().filter(|(other, _)| other == code).map(|(_, n)| n).sum();
        !of.is_empty() && !may_be(n, &of, whole)
    })
}

/// Of the lines of one product those whose choice a text names, where it names one: all of it, or by what not all of them have.
fn chosen<'k, 'l>(text: &str, lines: &[&'k Known<'l>]) -> Vec<&'k Known<'l>> {
    let signs = Signs::of(text);
    let of_all = |value: &String| lines.iter().all(|known| known.values.contains(value));
    let named = |known: &&&'k Known<'l>| {
        let mut own = known.values.iter().filter(|value| !of_all(value)).peekable();
        own.peek().is_some() && own.all(|value| signs.has(value))
    };
    let some: Vec<&'k Known<'l>> = lines.iter().filter(named).copied().collect();
    if some.is_empty() { lines.to_vec() } else { some }
}

/// Whether a part of a list is none of the goods: a choice, a number, what is laid in for nothing or said of the parcel.
fn says_no_goods(text: &str, lines: &[Known<'_>]) -> bool {
    const BESIDE: &str = "贺卡 卡片 蜡烛 餐具 刀叉 小票 礼袋 手提袋 袋子 冰袋 冰块 干冰 保温袋 保温箱 泡沫箱 发票 赠 礼品 小样 纸巾 吸管 \
                          包装 礼盒装 包邮 运费 邮费 优惠 满减 加急 易碎 轻放 冷链 保鲜 默认 均码 规格 共计 合计 总计";
    let values = lines.iter().flat_map(|known| known.values.iter().chain(known.abouts.iter().map(|(about, _)| about)));
    let rest = values.fold(text.to_owned(), |rest, value| rest.replace(value.as_str(), ""));
    !without_counts(&rest).chars().any(char::is_alphabetic) || holds_one_of(&rest, BESIDE)
}

/// Under what title goods are called something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    Goods,
    /// One of a courier's or another program's, in whose words more stands beside them.
    Other,
}

/// A line of an order, with what its goods are called and may be chosen by.
struct Known<'l> {
    line: &'l Line,
    names: Vec<String>,
    /// What was chosen.
    values: Vec<String>,
    /// What else could have been, by what it is about.
    others: Vec<(String, String)>,
    /// All of that, figures too.
    choices: Vec<(String, String)>,
    /// Of what was chosen, what it is about.
    abouts: Vec<(String, String)>,
    codes: Vec<String>,
}

impl<'l> Known<'l> {
    fn of(conn: &Connection, line: &'l Line) -> Result<Known<'l>> {
        let product = catalogue::product(conn, line.product_id)?;
        let now = product.as_ref().map(|product| plain(&product.name));
        let mut names: Vec<String> =
            [plain(&line.name)].into_iter().chain(now).filter(|name| !name.is_empty()).collect();
        names.dedup();
        let values: Vec<String> = line.spec_text.split(" / ").map(plain).filter(|value| !value.is_empty()).collect();
        let skus = product.map(|product| product.skus).unwrap_or_default();
        let specs = |own: bool| {
            let of = skus.iter().filter(move |sku| (sku.id == line.sku_id) == own).flat_map(|sku| &sku.specs);
            of.map(|(about, value)| (plain(about), plain(value))).collect::<Vec<_>>()
        };
        let choices: Vec<_> = specs(false).into_iter().filter(|(_, value)| !values.contains(value)).collect();
        let others = choices.iter().filter(|(_, value)| tells(value)).cloned().collect();
        let codes = catalogue::codes(conn, line.sku_id)?.iter().map(|code| plain(code)).collect();
        Ok(Known { line, names, others, choices, abouts: specs(true), values, codes })
    }

    fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// Whether a text may stand for its name, maybe with what was chosen: all its signs are there.
    fn may_be_short(&self, text: &str) -> bool {
        let is_short = |name: &String| {
            let chosen = |c: char| self.values.iter().any(|value| value.contains(c));
            text.chars().all(|c| name.contains(c) || chosen(c)) && text.chars().any(|c| name.contains(c))
        };
        let han = |c: char| !c.is_ascii() && c.is_alphabetic();
        (text.contains(han) || text.len() >= SHORT) && self.names.iter().any(is_short)
    }

    /// Whether it is the only one of these that shares two signs in a row with a text, or what that calls it by in one sign.
    fn is_alone_like(&self, text: &str, lines: &[Known<'_>]) -> bool {
        let signs: Vec<char> = text.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).collect();
        let of = |known: &Known<'_>, word: &str| known.names.iter().any(|name| name.contains(word));
        let others = || lines.iter().filter(|known| known.line.product_id != self.line.product_id);
        let alone = |word: &str| of(self, word) && !others().any(|other| of(other, word));
        match signs[..] {
            // 帽子, 茶
            [one] | [one, '子'] => self.names.iter().any(|name| name.ends_with(one)) && alone(&one.to_string()),
            _ => signs.windows(2).any(|two| alone(&two.iter().collect::<String>())),
        }
    }

    fn has_code(&self, code: &str) -> bool {
        let code = plain(code);
        !code.is_empty() && self.codes.contains(&code)
    }

    /// Whether a part of a list is this, with what its specification is about, or without.
    fn is_called(&self, goods: &str) -> bool {
        let about = |goods: String, about: &(String, String)| goods.replace(&about.0, "");
        let goods = plain(goods);
        let without = self.abouts.iter().filter(|(about, _)| !about.is_empty()).fold(goods.replace("规格", ""), about);
        is_called(&goods, self.line) || is_called(&without, self.line)
    }
}

/// Whether a choice says something where it stands: figures and numbers of packs are of other things as well.
fn tells(value: &str) -> bool {
    let rest = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let counts = rest.len() < value.len() && "件个份盒箱包袋瓶只条支套罐".contains(rest);
    !(rest.is_empty() || counts)
}

/// Whether a text names another choice of these goods than any of their lines has.
fn is_another_choice(text: &str, lines: &[&Known<'_>]) -> bool {
    let signs = Signs::of(text);
    let is_another = |known: &&Known<'_>| {
        let own = known.names.iter().find(|name| signs.text.contains(name.as_str()));
        let rest = own.map_or_else(|| signs.clone(), |name| signs.without(name));
        known.others.iter().any(|(about, value)| {
            let left = rest.without(value);
            let own = known.abouts.iter().filter(|(own, _)| own == about).map(|(_, value)| value);
            let own: Vec<&String> = own.collect();
            let own = if own.is_empty() { known.values.iter().collect() } else { own };
            rest.has(value) && !own.iter().any(|own| left.has(own))
        })
    };
    lines.iter().all(is_another)
}

/// Whether so many pieces can be these lines': no more than were bought, and what is left where nothing else is said.
fn may_be(n: i64, lines: &[&Known<'_>], whole: Whole) -> bool {
    let sum = |of: &dyn Fn(&Line) -> i64| lines.iter().map(|known| of(known.line)).sum::<i64>();
    let each = lines.iter().flat_map(|known| [known.line.quantity, known.line.left()]);
    let kept = |line: &Line| line.quantity - line.released;
    let mut all = each.chain([sum(&|line| line.quantity), sum(&Line::left), sum(&kept)]);
    n <= sum(&|line| line.quantity) && (whole == Whole::No || all.any(|fits| fits == n))
}

/// That a row's list of goods has fewer pieces than its number: one of them was changed, and the other is of before.
pub fn fewer_listed(row: &Row) -> Option<String> {
    let pieces = how_many(row.pieces.trim())?;
    let each = |part: &str| match each_counted(part) {
        Some(found) if !found.is_empty() => Some(found.iter().map(|(_, n)| n).sum()),
        _ => {
            let one = |part: &str| piece(part).map(|(_, n)| n).or_else(|| counted(part, &[]).1);
            let parts = part.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty());
            parts.map(one).collect::<Option<Vec<i64>>>().map(|each| each.iter().sum())
        }
    };
    let (title, text, _) = texts(&row.says).next()?;
    let listed = parts(text).map(each).collect::<Option<Vec<i64>>>()?.iter().sum::<i64>();
    (0 < listed && listed < pieces)
        .then(|| format!("{}里写的一共是 {listed} 件，件数写的是 {pieces}：请在这里把件数改成要发的", called(title)))
}

/// What stands between the goods of a list beside breaks and semicolons.
const BETWEEN: [char; 7] = ['，', ',', '、', '+', '＋', '|', '&'];

/// The parts of a list of goods.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(['；', ';', '\n']).map(str::trim).filter(|part| !part.is_empty())
}

/// The same at every sign that may stand between them.
fn parts_of_all(text: &str) -> impl Iterator<Item = &str> {
    parts(text).flat_map(|part| part.split(BETWEEN))
}

/// `苹果 5 斤 ×2`
fn piece(part: &str) -> Option<(String, i64)> {
    let (goods, n) = part.rsplit_once('×')?;
    Some((goods.to_owned(), n.trim().parse().ok()?))
}

/// Several in one part, or numbered: `苹果 ×2 / 梨 ×1`, `1.苹果 ×2 2.梨 ×1`.
fn each_counted(part: &str) -> Option<Vec<(String, i64)>> {
    let is_digit = |c: char| c.is_ascii_digit();
    let unnumbered = |goods: &str| {
        let goods = goods.trim_start_matches([' ', '/', '、', ',', '，', '+', '|']);
        let behind = goods.trim_start_matches(is_digit);
        let mark = Some(behind).filter(|_| behind.len() < goods.len());
        mark.and_then(|behind| behind.strip_prefix(['.', '、', ')', '）'])).unwrap_or(goods).to_owned()
    };
    let (mut rest, mut found) = (part, Vec::new());
    while let Some((goods, behind)) = rest.split_once('×') {
        let behind = behind.trim_start();
        rest = behind.trim_start_matches(is_digit);
        found.push((unnumbered(goods), behind[..behind.len() - rest.len()].parse().ok()?));
    }
    rest.trim().is_empty().then_some(found)
}

/// The same in the words of others: `苹果 5 斤 x2`, `苹果*2`, `苹果 2件`, `2×苹果`. What a specification ends with counts
/// nothing.
fn counted(part: &str, lines: &[Known<'_>]) -> (String, Option<i64>) {
    const UNITS: [&str; 4] = ["件", "个", "份", "套"];
    const TIMES: [char; 5] = ['x', 'X', '*', '×', '✕'];
    let part = bare(part);
    let own = plain(&part);
    if lines.iter().flat_map(|known| &known.values).any(|value| own.ends_with(value.as_str())) {
        return (part, None);
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let number = |text: &str| text.parse().ok().filter(|n| (1..10_000).contains(n));
    // So many may be in one piece.
    let of_one = |counted: &str| {
        let mut known = lines.iter().flat_map(|known| known.names.iter().chain(&known.values));
        known.any(|own| own.contains(counted))
    };
    let closed = part.trim_end_matches([' ', ')', '）', ']', '】']);
    let unit = UNITS.into_iter().find(|unit| closed.ends_with(unit));
    let body = closed.trim_end_matches(['件', '个', '份', '套', ' ']);
    let goods = body.trim_end_matches(is_digit);
    if let Some(n) = number(&body[goods.len()..]) {
        let goods = goods.trim_end();
        let labelled = || ["数量:", "数量", "共"].iter().find_map(|word| goods.strip_suffix(word));
        let bare = || unit.filter(|unit| !of_one(&format!("{n}{unit}"))).map(|_| goods);
        if let Some(goods) = goods.strip_suffix(TIMES).or_else(labelled).or_else(bare) {
            return (goods.to_owned(), Some(n));
        }
    }
    let behind = part.trim_start_matches(is_digit);
    if let Some(n) = number(&part[..part.len() - behind.len()]) {
        let times = behind.trim_start().strip_prefix(TIMES).filter(|goods| !goods.starts_with(|c: char| c.is_ascii()));
        let unit = || UNITS.into_iter().find(|unit| behind.starts_with(unit) && !of_one(&format!("{n}{unit}")));
        if let Some(goods) = times.or_else(|| behind.strip_prefix(unit()?)) {
            return (goods.to_owned(), Some(n));
        }
    }
    (part, None)
}

/// Without what stands in round brackets: of what a set is made. What is laid in besides stays.
fn without_brackets(text: &str) -> String {
    const GIFTS: &str = "送 赠 另 加";
    let mut kept = String::new();
    let mut within: Vec<String> = Vec::new();
    for c in text.chars() {
        match c {
            '(' | '（' => within.push(String::new()),
            ')' | '）' => {
                let said = within.pop().unwrap_or_default();
                let said = if holds_one_of(&said, GIFTS) { format!(" {said} ") } else { " ".to_owned() };
                within.last_mut().unwrap_or(&mut kept).push_str(&said);
            }
            c => within.last_mut().unwrap_or(&mut kept).push(c),
        }
    }
    kept
}

/// Whether two specifications of the same goods cannot be one.
fn contradicts(said: &str, ordered: &str) -> bool {
    const NONE: [&str; 9] = ["默认", "标准", "均码", "统一", "统一规格", "无规格", "默认规格", "单规格", "默认款"];
    let parts = |text: &str| -> Vec<String> {
        let text = simplified(&bare(text)).to_lowercase();
        let value = |part: &str| plain(part.rsplit([':', '：']).next().unwrap_or(part));
        let parts = text.split([';', ',', '，', '；', '/', '、', '|', '\n']).map(value);
        parts.filter(|part| !part.is_empty()).collect()
    };
    let (said, ordered) = (parts(said), parts(ordered));
    let all: String = ordered.concat();
    if said.is_empty() || ordered.is_empty() || said.iter().any(|part| NONE.contains(&part.as_str())) {
        return false;
    }
    let whole: String = said.concat();
    let holds = |text: &str, part: &str| text.contains(part);
    !(said.iter().all(|part| holds(&all, part)) || ordered.iter().all(|part| holds(&whole, part)))
}

fn plain(text: &str) -> String {
    simplified(&bare(text)).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}
