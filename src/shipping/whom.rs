//! What a row says of its receiver, its other numbers and its goods, held against the order that it names: a number that
//! slipped into another line, or was typed for another order, shows there and nowhere else. Where both cannot be right the
//! row is asked about; what is masked or left out says nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::Connection;

use super::claims::called;
use super::goods::{self, Called, Unnamed, Whole, is_titled, may_be_titled};
use super::signs::{how_many, how_many_parcels};
use super::{Brought, Goods, Of, Remark, Row, Says, UNTITLED, beside, goes_to, meant, void, within};
use crate::buyers::addresses::Address;
use crate::catalogue::Delivery;
use crate::error::Result;
use crate::ids::OrderId;
use crate::orders::{Line, Order, store as orders};
use crate::parcels::carriers::Carriers;
use crate::parcels::halts::halts;
use crate::places::{self, Place};
use crate::settings::regions::{Freight, Regions};
use crate::typed::{bare, clauses, holds_one_of, simplified};

/// Picks out of a row what it says of whom its parcel goes to.
pub fn said<'r>(cells: impl Iterator<Item = (&'r str, &'r str)>) -> Says {
    let (mut says, mut customers) = (Says::default(), Says::default());
    let mut region = String::new();
    for (title, text) in cells.filter(|(title, text)| !title.is_empty() && !text.trim().is_empty()) {
        let own = (title.to_owned(), text.chars().take(MOST_LETTERS).collect::<String>());
        let goods = || (title.to_owned(), text.chars().take(MOST_OF_GOODS).collect::<String>());
        let of_whom = if is_of_customer(title) { &mut customers } else { &mut says };
        match part(title) {
            Some(Part::Phone) => of_whom.phones.push(own),
            Some(Part::EndOfPhone) => of_whom.phones.push((own.0, format!("尾号{}", text.trim()))),
            Some(Part::All) => {
                of_whom.phones.extend(beside::phones(text).into_iter().map(|phone| (title.to_owned(), phone)));
                of_whom.places.push(own);
            }
            Some(Part::Place) => of_whom.places.push(own),
            Some(Part::Region) => region.push_str(text.trim()),
            Some(Part::Name) => {
                of_whom
                    .phones
                    .extend(beside::phones(&starred(text)).into_iter().map(|phone| (title.to_owned(), phone)));
                of_whom.receivers.push(own);
            }
            Some(Part::Goods) => says.named_goods.push(goods()),
            None if void::is_remark(title) || may_be_titled(title) => says.others.push(goods()),
            None => {}
        }
    }
    // Whoever has ordered is mostly whom it goes to, and counts where nobody else is named.
    if says.phones.is_empty() && says.receivers.is_empty() {
        (says.phones, says.receivers) = (customers.phones, customers.receivers);
    }
    for said in [&mut says.phones, &mut says.receivers, &mut says.places] {
        // A column of the receiver's own counts before one that may be anybody's.
        if said.iter().any(|(title, _)| title.contains('收')) {
            said.retain(|(title, _)| title.contains('收'));
        }
    }
    if !region.is_empty() {
        says.places.push(("省市区".to_owned(), region));
    }
    says
}

/// What somebody wrote beside a number in its own cell of whom the parcel goes to: `…(李雷)`, `… 王* 138****0001`.
pub fn beside_a_number(cell: &str) -> (Option<String>, Vec<String>) {
    let is_long = |run: &str| run.len() > 11 && run.bytes().any(|b| b.is_ascii_digit());
    let runs = cell.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let long = |run: &&str| is_long(run.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()));
    let end = |run: &str| run.chars().filter(|c| !c.is_ascii_alphanumeric()).collect::<String>();
    let rest: String = runs.map(|run| if long(&run) { end(run) } else { run.to_owned() }).collect();
    // Four digits in brackets may be a day.
    let is_day = |tail: &str| {
        let (month, day) = tail.split_at(2);
        let within = |part: &str, most: u32| part.parse().is_ok_and(|n: u32| (1..=most).contains(&n));
        within(month, 12) && within(day, 31)
    };
    let is_end = |phone: &String| phone.strip_prefix("尾号").is_some_and(|tail| tail.len() == 4 && is_day(tail));
    let phones = beside::phones(&starred(&rest));
    (named_beside(&rest), phones.into_iter().filter(|phone| rest.contains("尾号") || !is_end(phone)).collect())
}

/// A name, maybe masked or with what people are called beside it, among other words.
fn named_beside(text: &str) -> Option<String> {
    const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴\
                            夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文施洪倪严牛葛";
    const TWICE: [&str; 6] = ["欧阳", "上官", "司马", "诸葛", "司徒", "夏侯"];
    const BEGIN: [&str; 26] = [
        "谢谢", "顾客", "程序", "周一", "周二", "周三", "周四", "周五", "周六", "周日", "周末", "马上", "夏季", "余下",
        "余款", "方便", "文件", "贺卡", "常规", "易碎", "万达", "高端", "金牌", "白天", "何时", "任意",
    ];
    const END: [char; 25] = [
        '单', '店', '号', '色', '货', '发', '款', '卡', '码', '仓', '群', '箱', '件', '版', '区', '市', '省', '县',
        '街', '路', '公', '司', '行', '团', '场',
    ];
    const NO_NAMES: [&str; 8] = ["加急", "急件", "注意", "重要", "必填", "补发", "新单", "合并"];
    let is_han = |c: char| !c.is_ascii() && c.is_alphabetic();
    let is_name = |run: &str| {
        let name = titled(run.to_owned());
        let length = name.chars().count();
        let (Some(first), Some(last)) = (name.chars().next(), name.chars().next_back()) else { return None };
        let other =
            BEGIN.iter().any(|word| name.starts_with(word)) || END.contains(&last) || NO_NAMES.contains(&&*name);
        if other || !(1..=4).contains(&length) {
            return None;
        }
        let is_surname = SURNAMES.contains(first);
        match name.contains('*') {
            true if !name.chars().any(is_han) => None,
            // *小样, as well as 王*.
            true => Some(name).filter(|name| is_surname || first == '*' && !NO_NAMES.contains(&&name[1..])),
            // 王先生
            false if length == 1 => Some(format!("{name}*")).filter(|_| is_surname && run.len() > name.len()),
            false => {
                let twice = TWICE.iter().any(|two| name.starts_with(two)) && (3..=4).contains(&length);
                let named = is_surname && (2..=3).contains(&length) || twice;
                // To look for a place takes a while, and this is asked of each row.
                let place =
                    || !matches!(places::written(&name), places::Written::Nothing) || Place::parse(&name).is_ok();
                (named && !Carriers::default().knows(&name) && !place()).then_some(name)
            }
        }
    };
    let text = starred(text);
    text.split(|c: char| !is_han(c) && c != '*').filter(|run| !run.is_empty()).find_map(is_name)
}

const MOST_LETTERS: usize = 200;
const MOST_OF_GOODS: usize = 4_000;

/// Of whom a parcel goes to, and of what lies in it, what a column has.
#[derive(Clone, Copy)]
enum Part {
    Name,
    Phone,
    /// Its last digits alone.
    EndOfPhone,
    Place,
    Region,
    /// Whoever receives it, in one cell.
    All,
    /// What they are called.
    Goods,
}

/// Whether a title says that its column is about the receiver or the goods.
pub fn is_of_receiver(title: &str) -> bool {
    part(title).is_some()
}

/// Whether a title is of whoever ordered, maybe for somebody else.
fn is_of_customer(title: &str) -> bool {
    holds_one_of(&plain(title), "买家 客户 顾客 buyer customer")
}

fn part(title: &str) -> Option<Part> {
    let plain = plain(title);
    let has = |words: &str| holds_one_of(&plain, words);
    // The sender, the shop, the courier, and whoever has ordered for somebody else.
    let others = "寄 发件 发货人 发货地 发货方 发货电 卖家 商家 店 客服 网点 快递 物流 业务 司机 派 揽 下单 会员 昵称 账号 推荐 紧急 \
                  备用 仓 代收 签收 退 操作 打印 时间 单号 编 状态 备注 留言 sender seller shop time no";
    let region = ["省", "省份", "市", "城市", "区", "区县", "县"];
    match () {
        () if is_titled(title) => Some(Part::Goods),
        () if has(others) => None,
        () if has("收件 收货") && has("信息 资料") => Some(Part::All),
        () if has("尾号 后四位 后4位 末四位") => Some(Part::EndOfPhone),
        () if has("手机 电话 联系方式 phone mobile tel") => Some(Part::Phone),
        () if has("地址 目的地 目的城市 到件城市 到达城市 收货区域 收件区域 address") || plain == "地区" => {
            Some(Part::Place)
        }
        () if region.contains(&plain.trim_start_matches(|c| "收件货人方".contains(c))) => Some(Part::Region),
        () if plain == "收"
            || has("收件人 收货人 收件方 收货方 收方 收件姓名 收货姓名 姓名 联系人 receiver recipient consignee")
                && !has("公司 单位 证 邮 签名 省 市 区") =>
        {
            Some(Part::Name)
        }
        () => None,
    }
}

/// Holds every row against its order as it stands now, and asks about those that contradict it. Of people no more is kept
/// than is shown of them.
pub fn held(conn: &Connection, mut brought: Brought, regions: &Regions) -> Result<Brought> {
    let orders = brought.rows.iter().map(|row| meant(conn, &row.order_no)).collect::<Result<Vec<Option<Order>>>>()?;
    let constant = constant(&brought.rows, &orders);
    let shop = Called::of(conn, &brought.rows)?;
    let of_goods = shop.find_columns(&mut brought.rows);
    for remark in brought.rows.iter_mut().flat_map(|row| &mut row.remarks) {
        remark.asks &= !of_goods.contains(&remark.title);
    }
    let mut of_row: HashMap<(String, usize), Vec<OrderId>> = HashMap::new();
    let mut rows_of: HashMap<OrderId, usize> = HashMap::new();
    let streets: Vec<String> = orders.iter().flatten().filter_map(|order| order.address.as_ref()).map(street).collect();
    for (row, order) in brought.rows.iter().zip(&orders) {
        if let Some(order) = order {
            of_row.entry((row.sheet.clone(), row.line)).or_default().push(order.id);
            *rows_of.entry(order.id).or_default() += 1;
        }
    }
    for (row, order) in brought.rows.iter_mut().zip(&orders) {
        let says = &mut row.says;
        let cells = std::mem::take(&mut says.cells);
        for said in [&mut says.receivers, &mut says.phones] {
            said.retain(|(title, _)| !constant.contains(title));
        }
        if let Some(order) = order {
            let of = &of_row[&(row.sheet.clone(), row.line)];
            let counts = !row.pieces.trim().is_empty() || !row.says.goods.quantity.is_empty();
            let whole = if counts || of.len() > 1 || rows_of[&order.id] > 1 { Whole::No } else { Whole::Yes };
            let lines = of.iter().map(|id| Ok(orders::lines(conn, *id)?)).collect::<Result<Vec<_>>>()?.concat();
            hold(conn, regions, row, order, &streets, &|says| shop.other_goods(conn, &lines, says, whole))?;
            row.ask(Of::Row, within::asked(&row.says, order, &lines).unwrap_or_default());
            if rows_of[&order.id] == 1 && of.len() == 1 {
                row.ask(Of::Pieces, goods::fewer_listed(row).unwrap_or_default());
            }
            if let Some(cell) = shop.strange_cell(conn, &lines, &cells)?
                && !texts_of(conn, order)?.all().any(|own| *own == beside::plain(cell))
            {
                row.ask(Of::Receiver, format!("这一行写的商品是“{cell}”，订单里没有，是不是错行了"));
            }
        }
        ask_what_stands_out(conn, row, order.as_ref())?;
        row.says.mask();
    }
    ask_about_lines(&mut brought.rows, &orders);
    ask_about_denied(&mut brought.rows, &orders);
    ask_about_the_rest(conn, &shop, &mut brought.rows, &orders)?;
    ask_about_parcels(conn, &shop, &mut brought.rows, &orders)?;
    ask_about_uncounted(conn, &mut brought.rows, &orders)?;
    ask_about_given_back(conn, &shop, &mut brought.rows, &orders)?;
    Ok(brought)
}

/// What one row of an order says against it is asked of all that would leave: where it has no number, or theirs, it is no parcel of its own.
fn ask_about_denied(rows: &mut [Row], orders: &[Option<Order>]) {
    for of in by_order(orders).into_values().filter(|of| of.len() > 1) {
        let words = |at: &usize| {
            let row = &rows[*at];
            let said = row.questions.iter().find(|question| question.of == Of::Row)?;
            Some((row.line, bare(&row.tracking_no), said.words.clone()))
        };
        let denied: Vec<(usize, String, String)> = of.iter().filter_map(words).collect();
        for at in of {
            let row = &mut rows[at];
            let number = bare(&row.tracking_no);
            let its = |(line, other, words): &&(usize, String, String)| {
                let known = row.questions.iter().any(|question| question.words == *words);
                *line != row.line && (other.is_empty() || *other == number) && !known
            };
            if let Some((line, _, words)) = denied.iter().find(its).filter(|_| !number.is_empty()) {
                row.ask(Of::Row, format!("第 {line} 行也是这笔订单：{words}"));
            }
        }
    }
}

/// A list of yesterday has what was given back since, and so may the parcel that was packed by it.
fn ask_about_given_back(conn: &Connection, shop: &Called, rows: &mut [Row], orders: &[Option<Order>]) -> Result<()> {
    for (order, of) in by_order(orders) {
        let of: Vec<usize> = of.into_iter().filter(|at| !rows[*at].tracking_no.trim().is_empty()).collect();
        let own: Vec<&Row> = of.iter().map(|at| &rows[*at]).collect();
        if let Some(words) = shop.from_before(conn, order, &own)? {
            of.into_iter().for_each(|at| rows[at].ask(Of::Rest, words.clone()));
        }
    }
    Ok(())
}

/// What the rows of an order do not name of it, where nobody says how many pieces are in a parcel.
fn ask_about_the_rest(conn: &Connection, shop: &Called, rows: &mut [Row], orders: &[Option<Order>]) -> Result<()> {
    let mut of_order: HashMap<OrderId, Vec<usize>> = HashMap::new();
    let mut lines: HashMap<(String, usize), usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        *lines.entry((row.sheet.clone(), row.line)).or_default() += 1;
        if let Some(order) = &orders[at] {
            of_order.entry(order.id).or_default().push(at);
        }
    }
    for (order, of) in of_order {
        // A row of several orders names the goods of all of them.
        let shared = |at: &usize| lines[&(rows[*at].sheet.clone(), rows[*at].line)] > 1;
        if of.iter().any(|at| shared(at) || !rows[*at].pieces.trim().is_empty()) {
            continue;
        }
        let own: Vec<&Row> = of.iter().map(|at| &rows[*at]).collect();
        let Some(Unnamed { words, named }) = shop.unnamed(conn, order, &own)? else { continue };
        let alone = of.len() == 1;
        for at in of.into_iter().filter(|at| !rows[*at].tracking_no.trim().is_empty()).collect::<Vec<_>>() {
            let row = &mut rows[at];
            row.ask(Of::Rest, words.clone());
            if alone && !named.name.is_empty() {
                let quantity = std::mem::take(&mut row.goods.quantity);
                row.goods = Goods { quantity, ..named.clone() };
            }
        }
    }
    Ok(())
}

/// The rows of each order that is known.
fn by_order(orders: &[Option<Order>]) -> HashMap<OrderId, Vec<usize>> {
    let mut of_order: HashMap<OrderId, Vec<usize>> = HashMap::new();
    let known = orders.iter().enumerate().filter_map(|(at, order)| Some((at, order.as_ref()?.id)));
    known.for_each(|(at, id)| of_order.entry(id).or_default().push(at));
    of_order
}

/// What is asked of pieces that may be parcels: in the same words of every row, so that one answer does for the column.
pub const MAYBE_PARCELS: &str = "「件数」比没发的少，像是包裹数；整单发请清空件数，不清空只发这几件";

/// Couriers count the parcels of a consignment under a word that others have for goods. What is less than is to be sent may
/// be either, unless it is just what the order has of the goods that stand beside it: taken for goods, it would send a part.
fn ask_about_parcels(conn: &Connection, shop: &Called, rows: &mut [Row], orders: &[Option<Order>]) -> Result<()> {
    for (order, of) in by_order(orders) {
        // A row without a number of either waits for another day.
        let says = |row: &&Row| !row.tracking_no.trim().is_empty() || !row.pieces.trim().is_empty();
        let own: Vec<&Row> = of.iter().map(|at| &rows[*at]).filter(says).collect();
        if !own.iter().any(|row| row.may_count_parcels && !row.pieces.trim().is_empty()) {
            continue;
        }
        // What has no number of pieces takes all that is left; and none is no parcel.
        let counted = own.iter().map(|row| Some((*row, pieces_of(row)?))).collect::<Option<Vec<(&Row, i64)>>>();
        let Some(counted) = counted else { continue };
        let sum: i64 = counted.iter().map(|(_, n)| n).sum();
        if sum == 0 {
            continue;
        }
        let in_parcels = own.iter().any(|row| how_many_parcels(&row.pieces).is_some());
        // Goods with their own number beside them leave it nothing to count but parcels.
        let quantities = own.iter().map(|row| how_many(&row.says.goods.quantity)).collect::<Option<Vec<i64>>>();
        if !in_parcels && quantities.is_none() && shop.count_all_they_name(conn, order, &counted)? {
            continue;
        }
        let lines = orders::lines(conn, order)?;
        let left: i64 = lines.iter().map(Line::left).sum();
        let whole = sum >= left || sum == lines.iter().map(|line| line.quantity).sum::<i64>();
        for at in of {
            let row = &mut rows[at];
            match whole {
                // Each of its parcels has one of them.
                true if how_many_parcels(&row.pieces).is_some() => {
                    row.pieces =
                        pieces_of(row).filter(|n| left > 1 && *n < left).map(|n| n.to_string()).unwrap_or_default();
                }
                false if !row.pieces.trim().is_empty() && !row.tracking_no.trim().is_empty() => {
                    row.ask(Of::Rest, MAYBE_PARCELS);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn pieces_of(row: &Row) -> Option<i64> {
    how_many_parcels(&row.pieces).or_else(|| how_many(&row.pieces))
}

/// The rows of one parcel of which some say how many pieces they are and others do not.
fn ask_about_uncounted(conn: &Connection, rows: &mut [Row], orders: &[Option<Order>]) -> Result<()> {
    for (order, of) in by_order(orders) {
        let mut parcels: HashMap<String, Vec<usize>> = HashMap::new();
        for at in of.iter().filter(|at| !rows[**at].tracking_no.trim().is_empty()) {
            parcels.entry(bare(&rows[*at].tracking_no)).or_default().push(*at);
        }
        let is_counted = |at: &usize| !rows[*at].pieces.trim().is_empty();
        let mixed = |of: &&Vec<usize>| of.iter().any(is_counted) && !of.iter().all(is_counted);
        let mixed: Vec<usize> = parcels.values().filter(mixed).flatten().copied().collect();
        if mixed.is_empty() {
            continue;
        }
        let sum: i64 = of.iter().filter_map(|at| pieces_of(&rows[*at])).sum();
        let left: i64 = orders::lines(conn, order)?.iter().map(Line::left).sum();
        for at in mixed.into_iter().filter(|_| sum < left) {
            let words = "同一个包裹有的行没写件数，现在会整单一起发；没写的不发，请在表里写 0 再导入";
            rows[at].ask(Of::Rest, words);
        }
    }
    Ok(())
}

/// The same of a row that somebody gave another order, and left its pieces.
pub fn pieces_asked_anew(conn: &Connection, row: &mut Row) -> Result<()> {
    let (shop, order) = (Called::of(conn, std::slice::from_ref(row))?, meant(conn, &row.order_no)?);
    row.may_count_parcels = true;
    ask_about_parcels(conn, &shop, std::slice::from_mut(row), &[order])
}

/// Asks about what stands out in a row, but for what the shop itself has of the order.
fn ask_what_stands_out(conn: &Connection, row: &mut Row, order: Option<&Order>) -> Result<()> {
    let mut remarks = std::mem::take(&mut row.remarks);
    let own = match order.filter(|_| remarks.iter().any(|remark| remark.asks)) {
        Some(order) => texts_of(conn, order)?,
        None => Own::default(),
    };
    // What its goods are called says nothing of how it stands: 取消键贴纸.
    remarks.retain(|remark| remark.title != beside::LINE || !own.is_named(&beside::plain(&remark.text)));
    for remark in &mut remarks {
        let text = beside::plain(&remark.text);
        if remark.title == beside::LINE {
            // 李雷收
            let text = text.strip_suffix('收').filter(|name| !name.is_empty()).unwrap_or(&text);
            remark.asks = !own.all().any(|own| own.contains(text));
            continue;
        }
        remark.text = beside::shown(&remark.text);
        // Known words say better what is wrong.
        let is_asked = || row.beside().any(|words| words.starts_with(&remark.text()));
        let is_its_number =
            || order.is_some_and(|order| beside::order_no(&remark.text).as_ref() == Some(&order.order_no));
        if remark.asks && !own.all().any(|own| *own == text) && !is_its_number() && !is_asked() {
            row.ask(Of::Row, remark.text());
        }
    }
    row.remarks = remarks;
    Ok(())
}

/// Words that a typed line says of its order and nobody knows; where most lines have such, as names of theirs, only those
/// that stop a parcel, and whoever else receives one of the table.
fn ask_about_lines(rows: &mut [Row], orders: &[Option<Order>]) {
    let addresses = orders.iter().flatten().filter_map(|order| order.address.as_ref());
    let receivers: HashSet<String> = addresses.map(|to| beside::plain(&to.receiver)).collect();
    let of_lines = |row: &Row| row.remarks.iter().any(|remark| remark.title == beside::LINE && remark.asks);
    let (n, lines) = (rows.iter().filter(|row| of_lines(row)).count(), rows.len());
    let few = beside::are_few(n, lines);
    for row in rows {
        let asks = |remark: &&Remark| {
            let plain = beside::plain(&remark.text);
            let stops = halts(&remark.text) || void::is_a_void_word(&plain);
            remark.title == beside::LINE && (stops || remark.asks && (few || receivers.contains(&plain)))
        };
        for remark in row.remarks.clone().iter().filter(asks) {
            let is_asked = row.beside().any(|words| words.starts_with("这一行写着"));
            if !is_asked {
                row.ask(Of::Row, remark.text());
            }
        }
    }
}

/// All texts that the shop has of an order, as its own tables give them out.
#[derive(Default)]
struct Own {
    /// What was said of it, and how it stands.
    said: Vec<String>,
    /// What its goods are called, and whom and where it goes to.
    named: Vec<String>,
    /// Every word of what its goods are called.
    words: HashSet<String>,
}

impl Own {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.said.iter().chain(&self.named)
    }

    /// Whether it is a word of theirs, and no part of one: 退 in 退热贴 is none.
    fn is_named(&self, text: &str) -> bool {
        self.words.contains(text) || self.named.iter().any(|own| own == text)
    }
}

fn texts_of(conn: &Connection, order: &Order) -> Result<Own> {
    let full = orders::full(conn, order.clone())?;
    let said = [order.remark.clone(), order.memo.clone(), full.status_text().to_owned()];
    let mut named: Vec<String> = Vec::new();
    named.extend(order.address.iter().flat_map(|to| {
        let place = [&to.province, &to.city, &to.district, &to.receiver, &to.phone].map(Clone::clone);
        place.into_iter().chain([to.masked_receiver(), to.masked_phone(), to.region(), to.one_line()])
    }));
    for line in &full.lines {
        named.extend([line.name.clone(), line.spec_text.clone(), line.text_of(line.quantity), called(line)]);
    }
    named.push(full.lines.iter().map(|line| line.text_of(line.quantity)).collect::<Vec<_>>().join("；"));
    let goods = full.lines.iter().flat_map(|line| [&line.name, &line.spec_text]);
    let words = goods.flat_map(|text| clauses(text).map(beside::plain).collect::<Vec<_>>()).collect();
    let plain = |texts: &[String]| texts.iter().map(|text| beside::plain(text)).collect();
    Ok(Own { said: plain(&said), named: plain(&named), words })
}

/// The same of a row that somebody gave another order.
pub fn held_anew(conn: &Connection, row: &mut Row, regions: &Regions) -> Result<()> {
    row.questions.retain(|question| question.of != Of::Receiver);
    let Some(order) = meant(conn, &row.order_no)? else { return Ok(()) };
    let shop = Called::of(conn, std::slice::from_ref(row))?;
    let lines = orders::lines(conn, order.id)?;
    hold(conn, regions, row, &order, &[], &|says| shop.other_goods(conn, &lines, says, Whole::No))
}

fn hold(
    conn: &Connection,
    regions: &Regions,
    row: &mut Row,
    order: &Order,
    streets: &[String],
    other_goods: &dyn Fn(&Says) -> Result<Option<String>>,
) -> Result<()> {
    let other = order.address.as_ref().and_then(|to| other_receiver(to, &row.says, streets));
    let beside = order.address.as_ref().and_then(|to| another_beside(to, &row.says));
    let against = [other_number(conn, order, &row.says)?, other.or(beside), other_goods(&row.says)?];
    for words in against.into_iter().flatten() {
        row.ask(Of::Receiver, format!("{words}，是不是错行了"));
    }
    row.ask(Of::Receiver, not_sent_to(order, regions).unwrap_or_default());
    Ok(())
}

/// Where the shop does not send, though it was paid for: the rule is newer than the order, or the address is.
fn not_sent_to(order: &Order, regions: &Regions) -> Option<String> {
    let to = order.address.as_ref().filter(|_| order.options().ship && order.delivery == Delivery::Express)?.place();
    match to {
        Some(to) if regions.freight_to(&to) == Some(Freight::NotSent) => {
            Some(format!("寄到{}，店里写着那里不发货", to.text()))
        }
        None if regions.may_not_send_to(None) => Some("认不出收货地址在哪个地区，而店里有不发货的地区".to_owned()),
        _ => None,
    }
}

impl Says {
    /// Leaves of people what a masked table has of them, by which another one can still be told.
    fn mask(&mut self) {
        self.phones.retain_mut(|(_, text)| {
            *text = masked_phone(text).unwrap_or_default();
            !text.is_empty()
        });
        self.receivers.iter_mut().for_each(|(_, text)| *text = masked_name(text));
        self.places.retain_mut(|(_, text)| {
            *text = match places::written(text) {
                places::Written::Found(places::Named { place, .. }) => place.text(),
                _ => String::new(),
            };
            !text.is_empty()
        });
    }
}

/// `139****0014`, of a mobile phone or of what is masked already.
fn masked_phone(text: &str) -> Option<String> {
    let text = starred(&bare(text));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let national = ["0086", "86"].iter().find_map(|area| digits.strip_prefix(area)).filter(|rest| rest.len() == 11);
    let national = national.unwrap_or(&digits);
    match national.len() {
        11 if national.starts_with('1') => Some(format!("{}****{}", &national[..3], &national[7..])),
        0..8 if text.contains('*') || text.contains("尾号") => Some(text),
        _ => None,
    }
}

/// `张*红`
fn masked_name(text: &str) -> String {
    let name = titled(letters(text).chars().filter(|c| !c.is_ascii_digit()).collect());
    let mut all = name.chars();
    match (all.next(), all.next_back()) {
        _ if name.contains('*') => name,
        (Some(first), last) => {
            first.to_string().chars().chain(['*']).chain(last.filter(|_| name.chars().count() > 2)).collect()
        }
        (None, _) => String::new(),
    }
}

/// Columns that say the same in every row, although the orders go to different people: the shop's own phone and name, where
/// they are none of theirs.
fn constant(rows: &[Row], orders: &[Option<Order>]) -> HashSet<String> {
    #[derive(Default)]
    struct Seen<'r> {
        texts: HashSet<&'r str>,
        places: HashSet<Option<(&'r str, &'r str, String)>>,
        is_theirs: bool,
    }
    let mut seen: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for (row, order) in rows.iter().zip(orders) {
        let to = order.as_ref().and_then(|order| order.address.as_ref());
        let names = row.says.receivers.iter().map(|said| (said, to.map(|to| name(&said.1, &to.receiver))));
        let phones = row.says.phones.iter().map(|said| (said, to.map(|to| phone(&said.1, &to.phone))));
        for ((title, text), agrees) in names.chain(phones) {
            let column = seen.entry(title).or_default();
            column.texts.insert(text);
            column.places.extend(order.as_ref().map(goes_to));
            column.is_theirs |= agrees == Some(Agrees::Yes);
        }
    }
    let same = seen.into_iter().filter(|(_, it)| it.texts.len() == 1 && it.places.len() > 1 && !it.is_theirs);
    same.map(|(title, _)| title.to_owned()).collect()
}

/// Another column that names another order of this shop.
fn other_number(conn: &Connection, order: &Order, says: &Says) -> Result<Option<String>> {
    for (title, text) in &says.orders {
        let other = meant(conn, text)?.filter(|other| other.id != order.id);
        if let Some(other) = other {
            return Ok(Some(format!(
                "「{title}」是另一笔订单 {} 的，这一行的订单号是 {}",
                other.order_no, order.order_no
            )));
        }
    }
    Ok(None)
}

/// The house of an address, to be compared.
fn street(to: &Address) -> String {
    plain(&to.detail)
}

/// Whoever else a row goes to, of a table whose orders go to `streets`.
fn other_receiver(to: &Address, says: &Says, streets: &[String]) -> Option<String> {
    let phones: Vec<Agrees> = says.phones.iter().map(|(_, text)| phone(text, &to.phone)).collect();
    if phones.contains(&Agrees::Yes) {
        // One buyer may have ordered to two places.
        let whole = says.places.iter().filter(|(title, _)| is_whole(title));
        return whole.into_iter().find_map(|(title, text)| elsewhere(title, text, to, true, &[]));
    }
    let names: Vec<Agrees> = says.receivers.iter().map(|(_, text)| name(text, &to.receiver)).collect();
    if let Some(at) = phones.iter().position(|agrees| *agrees == Agrees::No) {
        let (title, text) = &says.phones[at];
        let (said, own) = (tail(text), tail(&to.phone));
        let what = if said == own {
            "手机号不一样".to_owned()
        } else {
            format!("尾号 {said}，订单是尾号 {own}")
        };
        return Some(format!("表里「{}」{what}", called_title(title)));
    }
    if !names.contains(&Agrees::Yes)
        && let Some(at) = names.iter().position(|agrees| *agrees == Agrees::No)
    {
        let (title, text) = &says.receivers[at];
        return Some(format!(
            "表里「{}」是 {}，订单是 {}",
            called_title(title),
            hinted(text, &to.receiver),
            hinted(&to.receiver, text)
        ));
    }
    let known = names.contains(&Agrees::Yes);
    says.places.iter().find_map(|(title, text)| elsewhere(title, text, to, known, streets))
}

/// Somebody else beside the receiver in one cell: `李雷/韩梅梅`.
fn another_beside(to: &Address, says: &Says) -> Option<String> {
    const NOBODY: &str = "先生 女士 小姐 老师 公司 单位 学校 医院 前台 门卫 保安 物业 家 店 部 处 楼 栋 室 号 省 市 区 县 收 转 代 急 电 话 男 女 送 请 放";
    let is_name = |part: &str| {
        let is_han = part.chars().all(|c| !c.is_ascii() && c.is_alphabetic());
        is_han && (2..=4).contains(&part.chars().count()) && !holds_one_of(part, NOBODY)
    };
    let two = |text: &str| {
        let parts: Vec<&str> = text.split(['/', '／', '、', '&', '＆', '+', '|']).map(str::trim).collect();
        let own = |part: &&str| name(part, &to.receiver) == Agrees::Yes;
        parts.iter().any(own) && parts.iter().any(|part| is_name(part) && name(part, &to.receiver) == Agrees::No)
    };
    let (title, _) = says.receivers.iter().find(|(_, text)| two(text))?;
    Some(format!("表里「{}」写着两个人", called_title(title)))
}

fn called_title(title: &str) -> &str {
    if title.is_empty() { UNTITLED } else { title }
}

/// A place of another province, city or district; or the street of another order of the table, where nothing tells who
/// lives there. A street that is nobody's here tells nothing: they are written in many ways, and parcels are sent on.
fn elsewhere(title: &str, text: &str, to: &Address, known: bool, streets: &[String]) -> Option<String> {
    let place = to.place()?;
    let places::Written::Found(places::Named { place: other, after, .. }) = places::written(text) else { return None };
    let (text, after, words) = (plain(text), plain(&after), place.words());
    let far = other.province != place.province || other.city.is_some() && other.city != place.city;
    let far = far && !words.iter().any(|word| text.contains(word));
    // Couriers name a district for all of its city.
    let beside = other.city == place.city && place.district.zip(other.district).is_some_and(|(own, said)| own != said);
    let beside = is_whole(title) && beside;
    if far || beside && !words.last().is_some_and(|district| text.contains(district)) {
        return Some(format!("表里「{title}」是{}，订单寄到{}", other.text(), place.text()));
    }
    let (own, long) = (street(to), |street: &str| street.chars().count() > LEAST_OF_STREET);
    let agrees = |street: &str| text.contains(street) || street.contains(&after);
    let anothers = || streets.iter().any(|street| *street != own && long(street) && agrees(street));
    let another = !known && long(&own) && long(&after) && !agrees(&own) && anothers();
    another.then(|| format!("表里「{title}」是另一笔订单的地址"))
}

/// Whether a column has where somebody lives, and not what couriers call the way there.
fn is_whole(title: &str) -> bool {
    ["地址", "信息", "资料", "省市区"].iter().any(|word| title.contains(word))
}

/// A street of fewer letters stands in many an address.
const LEAST_OF_STREET: usize = 3;

/// Whether two texts can be of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agrees {
    Yes,
    No,
    /// Masked, or not of the kind that could be told apart.
    Unsaid,
}

/// A phone as tables write it, maybe masked, against the order's. One with an extension is a number that rings through to
/// another, and one of a house is another of theirs.
fn phone(text: &str, own: &str) -> Agrees {
    let own: String = own.chars().filter(char::is_ascii_digit).collect();
    let text = starred(&bare(text));
    let whole: String = text.chars().filter(char::is_ascii_digit).collect();
    if own.len() >= 7 && whole.contains(&own) {
        return Agrees::Yes;
    }
    let signs: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '*').collect();
    let national = ["0086", "86"].iter().find_map(|area| signs.strip_prefix(area)).filter(|rest| rest.len() == 11);
    let signs = national.unwrap_or(&signs);
    let is_mobile = |signs: &str| signs.len() == 11 && signs.starts_with(['1', '*']);
    let seen = signs.bytes().filter(u8::is_ascii_digit).count();
    if !is_mobile(signs) || !is_mobile(&own) {
        // 139*0014, 尾号0014: the end of it alone can be told.
        let tail: String = signs.chars().rev().take_while(char::is_ascii_digit).take(4).collect();
        let masked = signs.contains('*') || text.contains("尾号");
        let fits = tail.len() == 4 && own.chars().rev().take(4).eq(tail.chars());
        return match (masked && tail.len() == 4 && signs.len() <= 11, fits) {
            (true, true) => Agrees::Yes,
            (true, false) if is_mobile(&own) => Agrees::No,
            _ => Agrees::Unsaid,
        };
    }
    let fits = signs.bytes().zip(own.bytes()).all(|(said, own)| said == b'*' || said == own);
    match (fits, seen) {
        (true, 4..) => Agrees::Yes,
        (true, _) => Agrees::Unsaid,
        (false, _) => Agrees::No,
    }
}

fn letters(text: &str) -> String {
    let text = starred(&plain(text));
    text.chars().filter(|c| *c == '*' || c.is_alphabetic() || c.is_ascii_digit()).collect()
}

/// Without what people are called beside their name.
fn titled(text: String) -> String {
    let ends = ["先生", "女士", "小姐", "老师", "同学", "收"];
    let without = ends.iter().find_map(|end| text.strip_suffix(end).filter(|rest| !rest.is_empty()));
    without.map(str::to_owned).unwrap_or(text)
}

/// A name as tables write it, maybe masked, against the order's.
fn name(text: &str, own: &str) -> Agrees {
    // Without a phone that stands in the same cell.
    let (said, own) = (titled(letters(text)), titled(letters(own)));
    let said: String = if said.bytes().filter(u8::is_ascii_digit).count() >= 7 {
        said.chars().filter(|c| !c.is_ascii_digit()).collect()
    } else {
        said
    };
    let seen = said.chars().filter(|c| *c != '*').count();
    if seen == 0 || own.is_empty() {
        return Agrees::Unsaid;
    }
    let fits = match said.contains('*') {
        true => masks(&said, &own),
        false => own.contains(&said) || said.contains(&own),
    };
    match (fits, said.contains('*')) {
        (true, false) => Agrees::Yes,
        (true, true) => Agrees::Unsaid,
        (false, _) => Agrees::No,
    }
}

/// Whether what is seen of a masked name stands in the other, in order and at its ends.
fn masks(masked: &str, own: &str) -> bool {
    let parts: Vec<&str> = masked.split('*').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return true };
    let Some(mut rest) = own.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    parts[1..parts.len() - 1].iter().all(|part| {
        let found = rest.find(part).map(|at| &rest[at + part.len()..]);
        rest = found.unwrap_or(rest);
        found.is_some()
    })
}

/// `张*`, or how it ends where the other begins so too.
fn hinted(name: &str, other: &str) -> String {
    let (first, last) = (name.trim().chars().next(), name.trim().chars().next_back());
    let alike = first == other.trim().chars().next();
    match (alike, last == other.trim().chars().next_back()) {
        (false, _) => first.into_iter().chain(['*']).collect(),
        (true, false) => ['*'].into_iter().chain(last).collect(),
        (true, true) => "另一个名字".to_owned(),
    }
}

fn tail(phone: &str) -> String {
    let digits: Vec<char> = starred(&bare(phone)).chars().filter(|c| c.is_ascii_digit() || *c == '*').collect();
    digits[digits.len().saturating_sub(4)..].iter().collect()
}

fn starred(text: &str) -> String {
    text.chars().map(|c| if "＊●•×✱".contains(c) { '*' } else { c }).collect()
}

fn plain(text: &str) -> String {
    simplified(&bare(text)).to_lowercase().chars().filter(|c| c.is_alphanumeric() || "*●•×＊".contains(*c)).collect()
}
