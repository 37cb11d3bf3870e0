//! A pasted address, read: `陈建国 13900000002 江苏省苏州市姑苏区平江路66号`. What is not found stays empty; nothing is guessed.

use super::addresses::Address;
use super::phones::{self, Phone};
use crate::places::{Named, Place, Unread, Written, written};
use crate::typed::{bare, holds_one_of};

/// What stands behind a label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Receiver,
    Phone,
    Where,
    Postcode,
    /// Whoever sends it: not where it goes.
    Sender,
    /// A word about it that names no place.
    Other,
}

/// What people and other programs write in front of the parts.
const LABELS: [(&str, Part); 55] = [
    ("收货人姓名", Part::Receiver),
    ("收件人姓名", Part::Receiver),
    ("收货姓名", Part::Receiver),
    ("收货人", Part::Receiver),
    ("收件人", Part::Receiver),
    ("收件方", Part::Receiver),
    ("联系人", Part::Receiver),
    ("姓名", Part::Receiver),
    ("收货人手机", Part::Phone),
    ("收件人手机", Part::Phone),
    ("收货人电话", Part::Phone),
    ("收件人电话", Part::Phone),
    ("收货电话", Part::Phone),
    ("收件电话", Part::Phone),
    ("手机号码", Part::Phone),
    ("电话号码", Part::Phone),
    ("联系电话", Part::Phone),
    ("联系手机", Part::Phone),
    ("联系方式", Part::Phone),
    ("手机号", Part::Phone),
    ("手机", Part::Phone),
    ("电话", Part::Phone),
    ("收货人地址", Part::Where),
    ("收件人地址", Part::Where),
    ("所在地区", Part::Where),
    ("所在区域", Part::Where),
    ("收货地区", Part::Where),
    ("省市区", Part::Where),
    ("地区", Part::Where),
    ("详细地址", Part::Where),
    ("收货地址", Part::Where),
    ("收件地址", Part::Where),
    ("街道地址", Part::Where),
    ("地址", Part::Where),
    // These are words of addresses too, so they are labels only with a colon.
    ("省份", Part::Where),
    ("城市", Part::Where),
    ("区县", Part::Where),
    ("街道", Part::Where),
    ("省", Part::Where),
    ("市", Part::Where),
    ("区", Part::Where),
    ("邮政编码", Part::Postcode),
    ("邮编", Part::Postcode),
    ("寄件人地址", Part::Sender),
    ("寄件人电话", Part::Sender),
    ("寄件地址", Part::Sender),
    ("寄件电话", Part::Sender),
    ("寄件人", Part::Sender),
    ("寄件方", Part::Sender),
    ("发货地址", Part::Sender),
    ("发货人", Part::Sender),
    ("发件人", Part::Sender),
    ("公司", Part::Other),
    ("单位", Part::Other),
    ("备注", Part::Other),
];

/// Where the phone number stood: the receiver is often beside it, and no place's name goes on behind it.
const PHONE: &str = "\u{1}";

/// Reads what was pasted. Parts that were not found are empty. `Err` is a sentence: there are two people in it.
pub fn read(text: &str) -> Result<Address, &'static str> {
    if is_of_several(text) {
        return Err("像是两个人的地址：请一次粘贴一个");
    }
    Ok(read_one(text))
}

/// Whether several lines, or parts of a numbered list, have a phone and a place each, the sender's aside.
fn is_of_several(text: &str) -> bool {
    let mut phones: Vec<String> = Vec::new();
    for part in entries(text) {
        let sender = LABELS.iter().any(|(label, part_of)| *part_of == Part::Sender && part.contains(label));
        let phone = phones::first(&part).filter(|_| !sender && written(&part) != Written::Nothing);
        phones.extend(phone.map(|phone| phone.number));
    }
    phones.sort();
    phones.dedup();
    phones.len() > 1
}

/// A text cut at its lines, and before what numbers the parts of one: `1、`.
fn entries(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split(['\n', ';', '；']).map(bare) {
        let marks = line
            .match_indices(['、', '.', ')'])
            .map(|(at, _)| line[..at].trim_end_matches(|c: char| c.is_ascii_digit()).len());
        let starts = marks.filter(|at| line[..*at].chars().next_back().is_none_or(|c| !c.is_alphanumeric()));
        let mut cuts: Vec<usize> = [0, line.len()].into_iter().chain(starts).collect();
        cuts.sort_unstable();
        parts.extend(cuts.windows(2).map(|cut| line[cut[0]..cut[1]].to_owned()));
    }
    parts
}

fn read_one(text: &str) -> Address {
    let parts = Parts::of(text);
    let read = match (written(&parts.labelled), written(&parts.free)) {
        (labelled, free) if parts.name_others(&labelled, &free) => (Written::Doubtful, &parts.free),
        (Written::Nothing, free) => (free, &parts.labelled),
        (labelled, _) => (labelled, &parts.free),
    };
    // Labels decide; where they name no place, what stands beside them does.
    let (mut before, mut after, place) = match read.0 {
        Written::Found(named) => (words(&named.before), words(&named.after), Some(named)),
        Written::Nothing | Written::Doubtful => (words(&parts.free), words(&parts.labelled), None),
    };
    let mut beside = if place.is_some() { words(read.1) } else { Vec::new() };
    let mut receiver = parts.receiver;
    if receiver.is_empty() {
        let found = match place {
            Some(_) => receiver_of(&mut before, &mut beside, &mut after),
            None if parts.phone.is_empty() => None,
            None => lone_receiver(&mut before).or_else(|| lone_receiver(&mut after)),
        };
        receiver = found.unwrap_or_default();
    }
    let mut detail: Vec<String> = match place {
        Some(_) => [after, before, beside].concat(),
        None => [before, after].concat(),
    };
    detail.extend(parts.other);
    detail.retain(|word| word != PHONE && word != "中国");
    // One short name and nobody who is called anything: 长春 may be either.
    let place = match place {
        Some(Named { place, alone: true, .. }) if receiver.is_empty() => {
            detail.insert(0, said(&place, text));
            None
        }
        place => place.map(|named| named.place),
    };
    let [province, city, district] = match place {
        Some(place) => [Some(place.province), place.city, place.district],
        None => [None; 3],
    }
    .map(|name| name.unwrap_or_default().to_owned());
    let postcode = parts.postcode;
    Address { receiver, phone: parts.phone, province, city, district, detail: detail.join(" "), postcode }
}

/// The short name of a place as it stands in a text.
fn said(place: &Place, text: &str) -> String {
    place.words().into_iter().rev().find(|word| text.contains(word)).unwrap_or_default().to_owned()
}

/// A text by what its labels say.
#[derive(Default)]
struct Parts {
    receiver: String,
    phone: String,
    postcode: String,
    /// Behind labels of an address.
    labelled: String,
    /// One of these says more than 地址, which may be anybody's: 旧地址, 公司地址.
    sure: bool,
    /// Behind no label.
    free: String,
    other: Vec<String>,
}

impl Parts {
    /// Whether what is labelled and what is not are whole addresses of different places: one is old, or of somewhere else, and no
    /// label tells for sure.
    fn name_others(&self, labelled: &Written, free: &Written) -> bool {
        let of = |read: &Written| match read {
            Written::Found(named) => Some(named.place).filter(|place| place.district.is_some()),
            Written::Nothing | Written::Doubtful => None,
        };
        let besides = self.other.iter().filter_map(|text| of(&written(text)));
        let mut places = of(labelled).into_iter().chain(of(free)).chain(besides);
        let first = places.next();
        !self.sure && places.any(|place| Some(place) != first)
    }

    fn of(text: &str) -> Parts {
        let lines: Vec<String> = text.lines().map(bare).collect();
        let text = lines.join("\n").replace('\t', " ");
        let (mut parts, mut sender, mut named) = (Parts::default(), false, false);
        let mut pieces: Vec<Piece> = Vec::new();
        for Cut { label, at, value } in split(&text) {
            match label {
                Some((_, Part::Sender)) => sender = true,
                Some((label, part)) if part == Part::Receiver || label.starts_with('收') => sender = false,
                _ => {}
            }
            if sender {
                continue;
            }
            let mut add = |of, text: &str| pieces.push(Piece { of, text: text.to_owned() });
            match label {
                None | Some((_, Part::Sender)) => add(Of::Nothing, value),
                Some((label, Part::Phone)) => {
                    let his = named || label.starts_with('收');
                    let whose = match Whose::labelled(&text, at) {
                        Whose::Free if his => Whose::Receivers,
                        Whose::Free => Whose::Said,
                        anothers => anothers,
                    };
                    add(Of::Phone(whose), value);
                }
                Some((label, Part::Where)) => {
                    parts.sure |= label != "地址";
                    let (line, rest) = value.trim_start().split_once('\n').unwrap_or((value.trim_start(), ""));
                    add(Of::Where, line);
                    add(Of::Nothing, rest);
                }
                Some((_, Part::Receiver)) => {
                    named = true;
                    let (name, rest) = name_in(value);
                    if parts.receiver.is_empty() {
                        parts.receiver = name.to_owned();
                        add(Of::Receiver, rest);
                    } else {
                        add(Of::Nothing, value);
                    }
                }
                Some((_, Part::Postcode)) => {
                    let value = value.trim_start();
                    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
                    parts.postcode = value[..end].chars().take(10).collect();
                    add(Of::Nothing, &value[end..]);
                }
                Some((_, Part::Other)) => {
                    let value = value.trim_start();
                    let end = value.find([' ', '\n', ',', '，', ';', '；']).unwrap_or(value.len());
                    parts.other.extend(Some(value[..end].to_owned()).filter(|word| !word.is_empty()));
                    let (line, rest) = value[end..].split_once('\n').unwrap_or((&value[end..], ""));
                    add(Of::Other, line);
                    add(Of::Nothing, rest);
                }
            }
        }
        if let Some((piece, phone)) = receivers_phone(&pieces) {
            let text = &pieces[piece].text;
            pieces[piece].text = format!("{} {PHONE} {}", &text[..phone.at.start], &text[phone.at.end..]);
            parts.phone = phone.number;
        }
        let of = |is: fn(Of) -> bool, end: char| -> String {
            pieces.iter().filter(|piece| is(piece.of)).flat_map(|piece| piece.text.chars().chain([end])).collect()
        };
        let labelled = of(|of| of == Of::Where, ' ');
        let free = of(|of| !matches!(of, Of::Where | Of::Phone(_)), '\n') + &of(|of| matches!(of, Of::Phone(_)), '\n');
        let parted = |text: &str| text.replace([',', '，', ';', '；', '|', '。', '、', '/'], " ");
        (parts.labelled, parts.free) = (parted(&labelled), parted(&free));
        parts
    }
}

/// A piece of the text, by the label that it stands behind.
struct Piece {
    of: Of,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Nothing,
    Where,
    /// What goes on behind the receiver's name.
    Receiver,
    Phone(Whose),
    /// What goes on behind a word about it that names no place.
    Other,
}

/// Whose a number is, the receiver's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Receivers,
    /// Behind a label that says a phone's.
    Said,
    /// Behind nothing.
    Free,
    /// Beside other words, in brackets or not: the receiver's if there is no other.
    Aside,
    /// Of whom or what is named with it, and never taken for the receiver's.
    Others,
}

/// Who has a phone of his own, though something goes to the receiver.
const OTHERS: &str = "驿站 丰巢 快递 自提 代收 超市 商店 店铺 门店 公司 单位 物业 门卫 保安 前台 传达室 客服 卖家 商家 厂家 老板 \
    掌柜 店主 店长 团长 司机 骑手 配送 送货 寄件 发件 发货 下单 订购 订货 购买人 付款 代付 推荐 介绍 备用 备选 紧急 其他 \
    家人 家属 妈妈 爸爸 父亲 母亲 老公 老婆 爱人 儿子 女儿 朋友 同事 邻居 房东 以前 作废 停用";

/// What a phone is called.
const CALLED: [&str; 8] = ["号码", "电话", "手机", "联系方式", "座机", "固话", "热线", "号"];

const OPENING: [char; 4] = ['(', '（', '[', '【'];
const CLOSING: [char; 4] = [')', '）', ']', '】'];
/// Signs that stand between the words about one thing and those about another.
const PARTING: [char; 11] = ['\n', ',', '，', ';', '；', '。', '|', ')', '）', ']', '】'];

/// So many signs beside a number tell whose it is; in more there is an address.
const A_FEW: usize = 8;

impl Whose {
    /// Whose the numbers are that stand behind a label of phones.
    fn labelled(text: &str, label: usize) -> Whose {
        let bracket = bracket(text, label);
        let around = bracket.unwrap_or_else(|| clause(&text[..label]));
        let (words, joined) = (about(around), bracket.is_some() || text[..label].ends_with(char::is_alphanumeric));
        match is_of_another(&words) {
            // What stands behind a label of its own is no word about the phone: 公司：某某公司 电话：.
            true if joined || !around.contains([':', '：']) => Whose::Others,
            _ if joined && !words.is_empty() => Whose::Aside,
            _ => Whose::Free,
        }
    }

    /// Whose a number is, by what stands around it.
    fn beside(text: &str, phone: &Phone) -> Whose {
        if let Some(bracket) = bracket(text, phone.at.start) {
            let words = about(bracket);
            return match is_of_another(&words) {
                true => Whose::Others,
                false if words.is_empty() => Whose::Free,
                false => Whose::Aside,
            };
        }
        let clause = clause(&text[..phone.at.start]);
        let called = CALLED.iter().any(|word| clause.trim_end_matches([':', '：', ' ']).ends_with(word));
        let behind = text[phone.at.end..].trim_start().strip_prefix(OPENING);
        let behind = behind.and_then(|inner| inner.split(CLOSING).next()).map(about);
        match (behind.is_some_and(|words| is_of_another(&words)), is_of_another(&about(clause))) {
            (true, _) => Whose::Others,
            (_, true) if called => Whose::Others,
            (_, true) => Whose::Aside,
            (false, false) => Whose::Free,
        }
    }
}

/// What stands in the bracket around a place in a text.
fn bracket(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let open =
        text[line..at].rfind(OPENING).map(|open| line + open).filter(|open| !text[*open..at].contains(CLOSING))?;
    let end = text[at..].find(|c: char| c == '\n' || CLOSING.contains(&c)).map_or(text.len(), |end| at + end);
    Some(text[open..end].trim_start_matches(OPENING))
}

/// The words in front of a number that are about it, and about none before it.
fn clause(before: &str) -> &str {
    let words = before.rsplit(PARTING).next().unwrap_or_default();
    phones::all(words).last().map_or(words, |last| &words[last.at.end..])
}

/// The words of a piece of text, without numbers and what only says that they are phones.
fn about(text: &str) -> String {
    let words: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    CALLED.iter().fold(words, |words, called| words.replace(called, ""))
}

/// Whether these few words name somebody else than the receiver, or a number of before. What he receives with is his, and
/// where it may be left is no one.
fn is_of_another(words: &str) -> bool {
    let few = words.chars().count() <= A_FEW;
    let his = words.contains(['收', '放', '存']) && !words.contains("代收");
    let before = words.starts_with(['旧', '另', '错']) || ["原", "老"].contains(&words);
    few && !his && (before || words.ends_with(['店', '厂', '柜']) || holds_one_of(words, OTHERS))
}

impl Piece {
    /// Whose a number in it is.
    fn whose(&self, phone: &Phone) -> Whose {
        let whose = Whose::beside(&self.text, phone);
        let right_behind = whose == Whose::Free && about(&self.text[..phone.at.start]).is_empty();
        match self.of {
            Of::Phone(said) if right_behind => said,
            Of::Receiver if right_behind => Whose::Receivers,
            Of::Other => whose.max(Whose::Aside),
            _ => whose,
        }
    }
}

/// The phone of whoever receives it, and the piece that it stands in: none where it might be this one or that.
fn receivers_phone(pieces: &[Piece]) -> Option<(usize, Phone)> {
    let mut found: Vec<(Whose, usize, Phone)> = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        found.extend(phones::all(&piece.text).map(|phone| (piece.whose(&phone), i, phone)));
    }
    found.sort_by_key(|(whose, ..)| *whose);
    let Some((best, at, phone)) = found.iter().find(|(whose, ..)| *whose < Whose::Others) else {
        return nearly(pieces);
    };
    let rival = |(whose, _, other): &(Whose, usize, Phone)| {
        let as_good = match best {
            Whose::Receivers | Whose::Others => false,
            // Of several behind one label, or behind none, the first is meant.
            Whose::Said | Whose::Free => whose != best && *whose < Whose::Aside,
            Whose::Aside => *whose == Whose::Aside,
        };
        as_good && other.number != phone.number
    };
    (!found.iter().any(rival)).then(|| (*at, phone.clone()))
}

/// One of not quite eleven digits, so that somebody sees what is missing.
fn nearly(pieces: &[Piece]) -> Option<(usize, Phone)> {
    let said = |piece: &Piece| matches!(piece.of, Of::Phone(_));
    let all = || pieces.iter().enumerate();
    let mut found = all().filter(|(_, piece)| said(piece)).chain(all().filter(|(_, piece)| !said(piece)));
    found.find_map(|(at, piece)| {
        let mut text = piece.text.clone();
        phones::all(&piece.text).for_each(|whole| text.replace_range(whole.at.clone(), &" ".repeat(whole.at.len())));
        phones::nearly(&text).filter(|phone| piece.whose(phone) != Whose::Others).map(|phone| (at, phone))
    })
}

/// A label, where it stands, and what stands behind it.
struct Cut<'t> {
    label: Option<(&'static str, Part)>,
    at: usize,
    value: &'t str,
}

/// A text cut at its labels.
fn split(text: &str) -> Vec<Cut<'_>> {
    let (mut cuts, mut label, mut begun, mut from, mut at) = (Vec::new(), None, 0, 0, 0);
    while let Some(c) = text[at..].chars().next() {
        match label_at(text, at) {
            Some((found, end)) => {
                cuts.push(Cut { label, at: begun, value: &text[from..at] });
                (label, begun, from, at) = (Some(found), at, end, end);
            }
            None => at += c.len_utf8(),
        }
    }
    cuts.push(Cut { label, at: begun, value: &text[from..] });
    cuts
}

/// The label that begins there, and where it ends: with a colon, in 【】, or as a word by itself.
fn label_at(text: &str, at: usize) -> Option<((&'static str, Part), usize)> {
    let here = &text[at..];
    let begins = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    let (open, inner) = here.strip_prefix(['【', '[']).map_or((false, here), |inner| (true, inner));
    let mut found: Vec<((&'static str, Part), usize)> = Vec::new();
    for (i, label) in LABELS.iter().enumerate() {
        let Some(rest) = inner.strip_prefix(label.0) else { continue };
        let short = label.0.chars().count() == 1;
        let behind = rest.trim_start_matches(' ');
        let end = match behind.strip_prefix([':', '：']) {
            Some(value) if !open && (begins || !short) => Some(value),
            _ if open => behind.strip_prefix(['】', ']']).map(|value| value.trim_start_matches([':', '：'])),
            _ if begins && i < ALONE && rest.starts_with([' ', '\n']) => Some(rest),
            _ if begins && label.1 == Part::Phone && rest.starts_with(|c: char| c.is_ascii_digit()) => Some(rest),
            _ if begins && label.1 == Part::Receiver && begins_with_name(rest) => Some(rest),
            _ => None,
        };
        found.extend(end.map(|value| (*label, text.len() - value.len())));
    }
    // Of somebody else's phone nothing is cut.
    found.retain(|((_, part), _)| *part != Part::Phone || Whose::labelled(text, at) != Whose::Others);
    found.into_iter().max_by_key(|((label, _), _)| label.len())
}

/// Whether a name stands right behind a label, and not what goes on as another word: 收货人信息.
fn begins_with_name(rest: &str) -> bool {
    let word = rest.split(|c: char| c.is_whitespace() || ",，;；".contains(c)).next().unwrap_or_default();
    is_name(word, 4) && !["信息", "资料", "手机", "电话", "地址", "姓名", "名称"].iter().any(|end| word.ends_with(end))
}

/// So many labels are ones without a colon too.
const ALONE: usize = 34;

/// Who is named at the start of a text, and what stands behind the name.
fn name_in(value: &str) -> (&str, &str) {
    let value = value.trim_start();
    let end = value.find(['\n', ',', '，', ';', '；', '|', '。']).unwrap_or(value.len());
    let line = &value[..end];
    let latin = |word: &str| word.chars().all(|c| c.is_ascii_alphabetic() || "'.-".contains(c));
    let end = match line.split_once(' ') {
        Some((first, _)) if !latin(first) => first.len(),
        Some(_) => line.split(' ').take_while(|word| latin(word)).map(|word| word.len() + 1).sum::<usize>() - 1,
        None => line.len(),
    };
    let end = end.min(line.len());
    // A number glued to a name is none of it.
    let end = line[..end].find(|c: char| c.is_ascii_digit()).filter(|at| *at > 0).unwrap_or(end);
    (line[..end].trim(), &value[end..])
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Who is named around a place: beside the phone, else in front, else at the very end. Nobody is called like a street.
fn receiver_of(before: &mut Vec<String>, beside: &mut Vec<String>, after: &mut Vec<String>) -> Option<String> {
    let in_front = |word: &str| (is_name(word, 5) || is_latin_name(word)) && !is_street(word);
    let behind = |word: &str| is_name(word, 4) && !is_street(word);
    // The first word behind a place belongs to the street.
    let first = |words: &[String]| usize::from(words.first().is_some_and(|word| word != PHONE));
    let from = first(after);
    let last = after.iter().rposition(|word| word != PHONE).filter(|at| *at >= from.max(1));
    None.or_else(|| take(before, near(before, 0, in_front)))
        .or_else(|| take(beside, near(beside, 0, in_front)))
        .or_else(|| take(before, before.iter().position(|word| in_front(word))))
        .or_else(|| take(after, near(after, from, behind)))
        .or_else(|| take(after, last.filter(|at| behind(&after[*at]))))
        .or_else(|| take(beside, beside.iter().position(|word| in_front(word))))
        .or_else(|| take(before, near(before, 0, |word| is_name(word, 3))))
        .or_else(|| take(before, before.iter().position(|word| is_name(word, 3))))
}

/// Who is named where there is no place.
fn lone_receiver(words: &mut Vec<String>) -> Option<String> {
    let named = |word: &str| is_name(word, 4) && !is_street(word);
    take(words, near(words, 0, named)).or_else(|| take(words, words.iter().position(|word| named(word))))
}

fn take(words: &mut Vec<String>, at: Option<usize>) -> Option<String> {
    at.map(|at| words.remove(at))
}

/// The first such word that stands beside the phone, from there on.
fn near(words: &[String], from: usize, is: impl Fn(&str) -> bool) -> Option<usize> {
    let phone = words.iter().position(|word| word == PHONE)?;
    [phone.checked_sub(1), Some(phone + 1)]
        .into_iter()
        .flatten()
        .find(|at| *at >= from && words.get(*at).is_some_and(|word| is(word)))
}

fn is_name(word: &str, most: usize) -> bool {
    // Platforms write the extension behind the name too: 张三[1234].
    let code = word.strip_suffix(']').and_then(|word| word.split_once('['));
    let word = code.filter(|(_, code)| code.bytes().all(|b| b.is_ascii_digit())).map_or(word, |(name, _)| name);
    let chinese = word.chars().all(|c| ('\u{4e00}'..='\u{9fa5}').contains(&c) || c == '·');
    (2..=most).contains(&word.chars().count()) && chinese
}

fn is_latin_name(word: &str) -> bool {
    (2..=25).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a word is more like a part of an address than like a name. People are called 张家口 too.
fn is_street(word: &str) -> bool {
    let ends = word.ends_with(|c| "路街道号楼室层栋座村镇弄巷园苑区旁边里口".contains(c))
        || ["单元", "大厦", "广场", "门面", "店铺", "公司", "酒店", "饭店", "学校", "医院", "公寓", "宿舍"]
            .iter()
            .any(|end| word.ends_with(end));
    ends && matches!(Place::parse(word), Err(Unread::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_address_is_read_and_nothing_in_it_is_guessed() {
        for (text, expected) in [
            (
                "陈建国 13900000002 江苏省苏州市姑苏区平江路66号 花间堂旁",
                ["陈建国", "13900000002", "江苏省", "苏州市", "姑苏区", "平江路66号 花间堂旁"],
            ),
            (
                "收货人：张三，手机号码：138 0013 8000，所在地区：浙江省杭州市西湖区，详细地址：文三路12号",
                ["张三", "13800138000", "浙江省", "杭州市", "西湖区", "文三路12号"],
            ),
            (
                "上海市浦东新区世纪大道100号 李四 +86 13900000002",
                ["李四", "13900000002", "上海市", "上海市", "浦东新区", "世纪大道100号"],
            ),
            (
                "杭州市西湖区文三路 1 号 0571-88001234 钱七",
                ["钱七", "0571-88001234", "浙江省", "杭州市", "西湖区", "文三路 1 号"],
            ),
            (
                "北京朝阳区望京街道1号院\n王五\n13900000002",
                ["王五", "13900000002", "北京市", "北京市", "朝阳区", "望京街道1号院"],
            ),
            (
                "浙江省义乌市稠城街道1号 赵六 １３９００００００２２",
                ["赵六", "13900000022", "浙江省", "金华市", "义乌市", "稠城街道1号"],
            ),
            (
                "陈建国 1390000002 江苏省苏州市姑苏区平江路66号",
                ["陈建国", "1390000002", "江苏省", "苏州市", "姑苏区", "平江路66号"],
            ),
            (
                "Tom 13900000002 四川省成都市武侯区天府大道 1 号",
                ["Tom", "13900000002", "四川省", "成都市", "武侯区", "天府大道 1 号"],
            ),
            // A receiver, a shop and a street may have the name of a city.
            (
                "李长春 13800138000 浙江省杭州市西湖区文三路1号",
                ["李长春", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "北京同仁堂(西湖店) 13800138000 浙江省杭州市西湖区延安路",
                ["", "13800138000", "浙江省", "杭州市", "西湖区", "延安路 北京同仁堂(西湖店)"],
            ),
            (
                "公司：广州某某公司 张三 13800138000 浙江省杭州市西湖区文三路1号",
                ["张三", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号 广州某某公司"],
            ),
            ("湖南长沙县星沙镇 13800138000 长沙", ["长沙", "13800138000", "湖南省", "长沙市", "长沙县", "星沙镇"]),
            (
                "浙江省杭州市西湖区文三路1号 张家口 13800138000",
                ["张家口", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "慈溪市浒山街道天津路3号，李四，13800138000",
                ["李四", "13800138000", "浙江省", "宁波市", "慈溪市", "浒山街道天津路3号"],
            ),
            ("西湖区北京路5号 13800138000 李四", ["李四", "13800138000", "", "", "", "西湖区北京路5号"]),
            // Either somebody, or where he lives.
            ("长春 13800138000 文三路1号", ["", "13800138000", "", "", "", "长春 文三路1号"]),
            ("张三 13800138000 长春 文三路1号", ["张三", "13800138000", "吉林省", "长春市", "", "文三路1号"]),
            // Two places.
            (
                "张三 13800138000 浙江省杭州市西湖区 江苏省南京市鼓楼区",
                ["张三", "13800138000", "", "", "", "浙江省杭州市西湖区 江苏省南京市鼓楼区"],
            ),
            // Labels decide, whatever stands beside them.
            (
                "收货人:李长春 手机:13800138000 地址:浙江省杭州市西湖区文三路1号",
                ["李长春", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "寄件人：王五 13900139000 江苏省南京市鼓楼区1号\n收件人：张三\n电话：13800138000\n地址：浙江省杭州市西湖区文三路1号",
                ["张三", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "江苏省南京市鼓楼区某店\n【收货人】张三\n【手机】13800138000\n【所在地区】浙江省杭州市\n【详细地址】西湖区文三路1号",
                ["张三", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号 江苏省南京市鼓楼区某店"],
            ),
            (
                "省：浙江省 市：杭州市 区：西湖区 街道：文三路1号 姓名：张三 电话13800138000",
                ["张三", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "张三[1234] 18466000000-1234 浙江省杭州市西湖区文三路1号[1234]",
                ["张三[1234]", "18466000000-1234", "浙江省", "杭州市", "西湖区", "文三路1号[1234]"],
            ),
            // A label without a colon.
            (
                "收货人李四\n联系电话13800138000\n浙江省杭州市西湖区文三路1号",
                ["李四", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "收件人欧阳明月，手机13800138000，地址：浙江省杭州市西湖区文三路1号",
                ["欧阳明月", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            (
                "收货人信息\n李四 13800138000\n浙江省杭州市西湖区文三路1号",
                ["李四", "13800138000", "浙江省", "杭州市", "西湖区", "文三路1号 收货人信息"],
            ),
            (
                "李四 18466000000（分机1234） 浙江省杭州市西湖区文三路1号",
                ["李四", "18466000000-1234", "浙江省", "杭州市", "西湖区", "文三路1号"],
            ),
            // An old address beside the new one.
            (
                "李四 13800138000 上海浦东世纪大道1号（原：浙江杭州西湖区文三路1号）",
                ["李四", "13800138000", "", "", "", "上海浦东世纪大道1号(原:浙江杭州西湖区文三路1号)"],
            ),
            ("一段没有地址的话", ["", "", "", "", "", "一段没有地址的话"]),
            ("要两斤苹果 王五 13900000002", ["王五", "13900000002", "", "", "", "要两斤苹果"]),
            ("", ["", "", "", "", "", ""]),
        ] {
            let read = read(text).unwrap();
            let found = [&read.receiver, &read.phone, &read.province, &read.city, &read.district, &read.detail];
            assert_eq!(found.map(String::as_str), expected, "{text}");
        }
        let read = read_one("收件人: 王小明 电话: 13800138000 地址: 江苏省南京市鼓楼区中山北路 邮编: 210003");
        assert_eq!((read.detail.as_str(), read.postcode.as_str()), ("中山北路", "210003"));
    }

    #[test]
    fn of_two_whole_addresses_none_is_chosen() {
        for (text, district) in [
            ("浙江省杭州市西湖区文三路1号（老地址：浙江省杭州市拱墅区湖墅路2号） 李四 13800138000", ""),
            ("李四 13800138000 杭州市西湖区文三路1号（旧地址：上海市浦东新区世纪大道1号）", ""),
            ("李四 13800138000 杭州市西湖区文三路1号 原地址：上海市浦东新区世纪大道1号", ""),
            ("李四 13800138000 杭州市西湖区文三路1号，别发公司地址：杭州拱墅区湖墅路2号", ""),
            ("李四 13800138000 公司：北京市朝阳区建国路88号；家：北京市海淀区中关村大街1号", ""),
            // The same place twice, and a name that is no address.
            ("李四 13800138000 地址：杭州市西湖区文三路1号 公司：杭州市西湖区某某公司", "西湖区"),
            ("李四 13800138000 收货地址：杭州市西湖区文三路1号 公司：北京某某公司", "西湖区"),
            ("寄件人地址：上海市浦东新区世纪大道1号 收件人：李四 13800138000 地址：杭州市西湖区文三路1号", "西湖区"),
        ] {
            assert_eq!(read(text).unwrap().district, district, "{text}");
        }
    }

    #[test]
    fn a_phone_of_somebody_else_is_never_the_receivers() {
        let home = "浙江省杭州市西湖区文三路1号";
        for (text, phone) in [
            ("李四 13800138000 {}（菜鸟驿站电话：13900139000）", "13800138000"),
            ("（菜鸟驿站 13900139000） 李四 13800138000 {}", "13800138000"),
            ("菜鸟驿站 13900139000 李四 13800138000 {}", "13800138000"),
            ("13900139000（驿站的） 李四 13800138000 {}", "13800138000"),
            ("电话：13900139000（驿站） 李四 13800138000 {}", "13800138000"),
            ("李四 13800138000 {}（电话：13900139000 菜鸟驿站）", "13800138000"),
            ("李四 13800138000 {}【丰巢柜热线 4008001234】", "13800138000"),
            ("店铺电话：0571-88001234\n李四 13800138000 {}", "13800138000"),
            ("备用电话：13900139000，李四，13800138000，{}", "13800138000"),
            ("公司：某某公司 13900139000\n李四 13800138000 {}", "13800138000"),
            ("门卫 电话：13900139000\n李四 13800138000 {}", "13800138000"),
            ("旧手机：13900139000 新手机：13800138000 李四 {}", "13800138000"),
            ("（楼下张姐电话：13900139000） 李四 13800138000 {}", "13800138000"),
            ("下单人：王五 电话：13900139000\n收货人：李四 电话：13800138000\n地址：{}", "13800138000"),
            ("电话：13900139000\n收货人电话：13800138000\n收货人：李四 地址：{}", "13800138000"),
            ("收货人：李四 13800138000 地址：{}（电话：13900139000）", "13800138000"),
            ("收货人：李四\n手机：13800138000\n地址：{} 王五 13900139000", "13800138000"),
            // Nobody else's stands there.
            ("李四（13800138000）{}", "13800138000"),
            ("李四 {}（电话：13800138000）", "13800138000"),
            ("{}（李四 13800138000）", "13800138000"),
            ("李四电话：13800138000 {}", "13800138000"),
            ("收快递电话：13800138000 李四 {}", "13800138000"),
            ("{}菜鸟驿站 13800138000 李四", "13800138000"),
            ("{}某某公司电话：13800138000 李四", "13800138000"),
            ("李四 手机：13800138000 座机电话：0571-88001234 {}", "13800138000"),
            ("张三 13800138000 13900139000 {}", "13800138000"),
            ("张三 13800138000 {} 电话：13800138000", "13800138000"),
            ("李四 1380013800 {}（驿站电话：13900139000）", "1380013800"),
            ("公司：某某公司 电话：13800138000 地址：{}", "13800138000"),
            ("李四 13800138000（不在就放驿站） {}", "13800138000"),
            // No number of the receiver's, or either of two.
            ("李四 {}（菜鸟驿站电话：13900139000）", ""),
            ("李四 {}，驿站电话：13900139000", ""),
            ("李四 13800138000 {} 电话：13900139000", ""),
            ("{}（李四 13800138000）（王五 13900139000）", ""),
        ] {
            let text = text.replace("{}", home);
            let read = read(&text).unwrap();
            assert_eq!(read.phone, phone, "{text}");
            assert_eq!(read.district, "西湖区", "{text}");
            // What was not taken is not lost.
            let kept = phones::all(&text).all(|one| one.number == phone || read.detail.contains(&one.number));
            assert!(kept || text.contains("下单人"), "{text}: {}", read.detail);
        }
        let beside = read("（菜鸟驿站 13900139000） 李四 13800138000 浙江省杭州市西湖区文三路1号").unwrap();
        assert_eq!(beside.receiver, "李四");
        let around = read("李四 13800138000 浙江省杭州市西湖区文三路1号（菜鸟驿站电话：13900139000）").unwrap();
        assert_eq!(around.detail, "文三路1号(菜鸟驿站电话:13900139000)");
    }

    #[test]
    fn two_people_are_not_read_as_one() {
        for (text, two) in [
            ("张三 13800138000 浙江省杭州市西湖区文三路1号\n李四 13900139000 浙江省杭州市西湖区文二路2号", true),
            ("1、张三 13800138000 杭州市西湖区文三路1号 2、李四 13900139000 上海市浦东新区世纪大道1号", true),
            ("1. 张三 13800138000 杭州市西湖区文三路1号；2. 李四 13900139000 杭州市西湖区文二路2号", true),
            ("张三13800138000浙江杭州西湖区文三路1号；李四13900139000浙江杭州西湖区文二路2号", true),
            // One number for when the other does not answer, one person twice, and who sends it.
            ("张三 13800138000 浙江省杭州市西湖区文三路1号\n备用电话 13900139000", false),
            ("张三 13800138000 13900139000 浙江省杭州市西湖区文三路1号", false),
            ("张三 13800138000 浙江省杭州市西湖区文三路1号\n张三 13800138000 浙江省杭州市西湖区文三路1号", false),
            (
                "寄件人：王五 13900139000 江苏省南京市鼓楼区1号\n收件人：张三 13800138000 浙江省杭州市西湖区文三路1号",
                false,
            ),
            ("收货人：张三\n电话：13800138000\n地址：浙江省杭州市西湖区文三路1.2号", false),
        ] {
            assert_eq!(read(text).is_err(), two, "{text}");
        }
    }
}
