//! A pasted address, read: `陈建国 13900000002 江苏省苏州市姑苏区平江路66号`. What is not found stays empty; nothing is guessed.

use super::addresses::Address;
use super::doors::{are_two, begins_elsewhere, end_of_address, is_address, is_door};
use super::labels::{Cut, LABELS, Part, Role, split};
use super::names::{is_latin_name, is_name, is_nobody, is_street, name_in, receives};
use super::phones::{self, Phone};
use super::whose::{Whose, about};
use crate::places::{Named, Place, Written, written};
use crate::typed::bare;

/// Where the phone number stood: the receiver is often beside it, and no place's name goes on behind it.
const PHONE: &str = "\u{1}";

/// What was read of a text.
pub struct Read {
    /// Parts that were not found are empty.
    pub address: Address,
    /// A sentence where the place is left open because there are two.
    pub doubt: Option<&'static str>,
}

/// Reads what was pasted. `Err` is a sentence: there are two people in it.
pub fn read(text: &str) -> Result<Read, &'static str> {
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

fn read_one(text: &str) -> Read {
    const TWO: &str = "粘贴的内容里不止一个地址，认不出寄到哪一个：请填省市区，详细地址里只留要寄到的";
    const TWO_DISTRICTS: &str = "粘贴的内容里写了两个区县，认不出寄到哪一个：请填省市区，再核对详细地址";
    let parts = Parts::of(text);
    let read = match (written(&parts.labelled), written(&parts.free)) {
        (labelled, free) if parts.two || parts.name_others(&labelled, &free) => (Written::Doubtful, &parts.free),
        (Written::Nothing, free) => (free, &parts.labelled),
        (labelled, _) => (labelled, &parts.free),
    };
    let mut doubt = (read.0 == Written::Doubtful).then_some(TWO);
    // Labels decide; where they name no place, what stands beside them does.
    let (mut before, mut after, place) = match read.0 {
        Written::Found(named) if begins_elsewhere(&named.place, &named.after) => {
            doubt = Some(TWO_DISTRICTS);
            (words(&parts.as_it_stood), Vec::new(), None)
        }
        Written::Found(named) => (words(&named.before), words(&named.after), Some(named)),
        // Which of two is old, stands in front of it there.
        Written::Doubtful => (words(&parts.as_it_stood), Vec::new(), None),
        Written::Nothing => (words(&parts.free), words(&parts.labelled), None),
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
    if doubt.is_none() {
        detail.extend(parts.other);
    }
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
    let (phone, postcode) = (parts.phone, parts.postcode);
    Read { address: Address { receiver, phone, province, city, district, detail: detail.join(" "), postcode }, doubt }
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
    /// All of it but for whom it goes to, in its own order and with what addresses are called there.
    as_it_stood: String,
    /// There are two addresses, and nothing tells which is meant.
    two: bool,
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
        for Cut { label, role, at, title, value } in split(&text) {
            match label {
                Some((_, Part::Sender)) => sender = true,
                Some((label, part)) if part == Part::Receiver || label.starts_with('收') => sender = false,
                _ => {}
            }
            if sender {
                continue;
            }
            let mut title = match label {
                Some((_, Part::Where)) => format!("{title}{}", &value[..value.len() - value.trim_start().len()]),
                Some((_, Part::Phone)) if role == Role::New => title.to_owned(),
                Some((_, Part::Other)) => format!("{title}{}", first_word(value)),
                _ => " ".to_owned(),
            };
            let mut add = |of, text: &str| {
                let title = std::mem::replace(&mut title, "\n".to_owned());
                pieces.push(Piece { of, role, title, text: text.to_owned() });
            };
            match label {
                None | Some((_, Part::Sender)) => add(Of::Nothing, value),
                Some((label, Part::Phone)) => {
                    let his = named || label.starts_with('收');
                    let whose = match Whose::labelled(&text, at) {
                        _ if role == Role::New => Whose::New,
                        Whose::Free if his => Whose::Receivers,
                        Whose::Free => Whose::Said,
                        anothers => anothers,
                    };
                    add(Of::Phone(whose), value);
                }
                Some((label, Part::Where)) => {
                    parts.sure |= label != "地址" && role != Role::Old;
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
                    let word = first_word(value);
                    let behind = &value.trim_start()[word.len()..];
                    parts.other.extend(Some(word.to_owned()).filter(|word| !word.is_empty()));
                    let (line, rest) = behind.split_once('\n').unwrap_or((behind, ""));
                    add(Of::Other, line);
                    add(Of::Nothing, rest);
                }
            }
        }
        if let Some((piece, phone)) = receivers_phone(&pieces) {
            let is_rival =
                |piece: &Piece, other: &Phone| other.number != phone.number && piece.whose(other) < Whose::Others;
            let has_rival = |piece: &Piece| phones::all(&piece.text).any(|other| is_rival(piece, &other));
            let is_new = pieces[piece].whose(&phone) == Whose::New;
            let replaces = is_new && pieces.iter().any(has_rival);
            let Piece { title, text, .. } = &pieces[piece];
            let (before, behind) = (&text[..phone.at.start], &text[phone.at.end..]);
            // Beside the number that it replaces, the new one stays with its name.
            pieces[piece].text = match replaces {
                true => format!("{title}{before}{} {PHONE} {behind}", &text[phone.at.clone()]),
                false => format!("{} {PHONE} {behind}", Whose::without_new(before)),
            };
            parts.phone = phone.number;
        }
        leave_old(&mut pieces);
        let of = |is: fn(Of) -> bool, end: char| -> String {
            pieces.iter().filter(|piece| is(piece.of)).flat_map(|piece| piece.text.chars().chain([end])).collect()
        };
        let labelled = of(|of| of == Of::Where, ' ');
        let free = of(|of| !matches!(of, Of::Where | Of::Phone(_)), '\n') + &of(|of| matches!(of, Of::Phone(_)), '\n');
        let parted = |text: &str| text.replace([',', '，', ';', '；', '|', '。', '、', '/'], " ");
        (parts.labelled, parts.free) = (parted(&labelled), parted(&free));
        let as_it_stood: String = pieces.iter().flat_map(|piece| [piece.title.as_str(), &piece.text]).collect();
        parts.two = is_one_beside(&pieces) || are_two(&as_it_stood);
        parts.as_it_stood = parted(&as_it_stood);
        parts
    }
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    &text[..text.find([' ', '\n', ',', '，', ';', '；']).unwrap_or(text.len())]
}

/// Takes an old address out where another one is called new, and there is none besides.
fn leave_old(pieces: &mut [Piece]) {
    let of = |role: Role| pieces.iter().filter(move |piece| piece.role == role && is_address(&piece.text));
    let only_new = of(Role::New).count() == 1 && of(Role::Beside).next().is_none();
    let others = |piece: &Piece| piece.role == Role::Plain && is_door(&piece.text);
    if !only_new || pieces.iter().any(others) {
        return;
    }
    for piece in pieces.iter_mut().filter(|piece| piece.of == Of::Where && piece.role == Role::Old) {
        piece.text = piece.text[end_of_address(&piece.text)..].to_owned();
        piece.title = " ".to_owned();
        piece.role = Role::Plain;
    }
}

/// Whether an address is old, or beside another one.
fn is_one_beside(pieces: &[Piece]) -> bool {
    let has = |role: Role| pieces.iter().any(|piece| piece.role == role && is_address(&piece.text));
    let another = || pieces.iter().any(|piece| piece.role != Role::Beside && is_door(&piece.text));
    has(Role::Old) || has(Role::Beside) && another()
}

/// A piece of the text, by the label that it stands behind.
struct Piece {
    of: Of,
    role: Role,
    /// What stands in front of it, as far as an address is called so.
    title: String,
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
            Whose::New => *whose == Whose::New,
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

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Who is named around a place: beside the phone, else in front, else at the very end. Nobody is called like a street.
fn receiver_of(before: &mut Vec<String>, beside: &mut Vec<String>, after: &mut Vec<String>) -> Option<String> {
    let in_front = |word: &str| (is_name(word, 5) || is_latin_name(word)) && !is_street(word) && !is_nobody(word);
    let behind = |word: &str| is_name(word, 4) && !is_street(word) && !is_nobody(word);
    let least = |word: &str| is_name(word, 3) && !is_nobody(word);
    // The first word behind a place belongs to the street.
    let first = |words: &[String]| usize::from(words.first().is_some_and(|word| word != PHONE));
    let from = first(after);
    let last = after.iter().rposition(|word| word != PHONE).filter(|at| *at >= from.max(1));
    None.or_else(|| who_receives(before))
        .or_else(|| who_receives(after))
        .or_else(|| who_receives(beside))
        .or_else(|| take(before, near(before, 0, in_front)))
        .or_else(|| take(beside, near(beside, 0, in_front)))
        .or_else(|| take(before, before.iter().position(|word| in_front(word))))
        .or_else(|| take(after, near(after, from, behind)))
        .or_else(|| take(after, last.filter(|at| behind(&after[*at]))))
        .or_else(|| take(beside, beside.iter().position(|word| in_front(word))))
        .or_else(|| take(before, near(before, 0, least)))
        .or_else(|| take(before, before.iter().position(|word| least(word))))
}

/// Who is named where there is no place.
fn lone_receiver(words: &mut Vec<String>) -> Option<String> {
    let named = |word: &str| is_name(word, 4) && !is_street(word) && !is_nobody(word);
    who_receives(words)
        .or_else(|| take(words, near(words, 0, named)))
        .or_else(|| take(words, words.iter().position(|word| named(word))))
}

/// Who is said to receive it: `李四收`, `李四 收`.
fn who_receives(words: &mut Vec<String>) -> Option<String> {
    let alone = words.iter().rposition(|word| ["收", "亲收", "(收)"].contains(&word.as_str()));
    if let Some(at) = alone.filter(|at| *at > 0 && is_name(&words[at - 1], 4) && !is_street(&words[at - 1])) {
        words.remove(at);
        return Some(words.remove(at - 1));
    }
    let at = words.iter().position(|word| receives(word).is_some())?;
    receives(&words.remove(at)).map(str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom it goes to, and where.
    fn address(text: &str) -> Address {
        read(text).unwrap().address
    }

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
            let read = address(text);
            let found = [&read.receiver, &read.phone, &read.province, &read.city, &read.district, &read.detail];
            assert_eq!(found.map(String::as_str), expected, "{text}");
        }
        let read = address("收件人: 王小明 电话: 13800138000 地址: 江苏省南京市鼓楼区中山北路 邮编: 210003");
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
            assert_eq!(address(text).district, district, "{text}");
        }
    }

    #[test]
    fn of_two_addresses_in_one_district_none_is_chosen_unless_one_is_called_new() {
        let (here, other) = ("上海市浦东新区世纪大道1号", "上海市浦东新区张杨路2号");
        // Both stay as they stood, with what they are called.
        for (text, detail) in [
            ("李四 13800138000 {} 旧地址：{o}", "{} 旧地址:{o}"),
            ("李四 13800138000 {} 旧地址{o}", "{} 旧地址{o}"),
            ("李四 13800138000 {}旧地址：{o}", "{}旧地址:{o}"),
            ("李四 13800138000 {}旧地址{o}", "{}旧地址{o}"),
            ("李四 13800138000 {}（原：{o}）", "{}(原:{o})"),
            ("李四 13800138000 {}，备用地址：{o}", "{} 备用地址:{o}"),
            ("收货地址：{} 以前的地址：{o} 李四 13800138000", "收货地址:{} 以前的地址:{o}"),
            ("退货地址：{o} 收货地址：{} 李四 13800138000", "退货地址:{o} 收货地址:{}"),
            ("地址：{o}\n新地址：{}\n李四 13800138000", "地址:{o} 新地址:{}"),
            ("李四 13800138000 家：{} 公司：{o}", "家:{} 公司:{o}"),
            ("李四 13800138000 {o}搬到{}", "{o}搬到{}"),
            ("李四 13800138000 {} {o}", "{} {o}"),
            ("李四 13800138000 旧地址：{o}", "旧地址:{o}"),
            // Where only one of them says in which district.
            ("李四 13800138000 {} 旧地址：张杨路2号", "{} 旧地址:张杨路2号"),
            ("李四 13800138000 {} 以前住张杨路2号", "{} 以前住张杨路2号"),
            ("李四 13800138000 {o}改成世纪大道1号", "{o}改成世纪大道1号"),
            ("李四 13800138000 {} 张杨路2号", "{} 张杨路2号"),
            ("李四 13800138000 {}，之前的地址阳光小区5栋302不要了", "{} 之前的地址阳光小区5栋302不要了"),
            (
                "李四 13800138000 上海浦东世纪大道1号 旧地址 上海浦东张杨路2号",
                "上海浦东世纪大道1号 旧地址 上海浦东张杨路2号",
            ),
        ] {
            let [text, detail] = [text, detail].map(|words| words.replace("{}", here).replace("{o}", other));
            let Read { address, doubt } = read(&text).unwrap();
            assert_eq!((address.receiver.as_str(), address.phone.as_str()), ("李四", "13800138000"), "{text}");
            assert_eq!((address.district.as_str(), address.detail), ("", detail), "{text}");
            assert!(doubt.is_some_and(|words| words.contains("不止一个地址")), "{text}");
        }
        for (text, detail) in [
            ("李四 13800138000 旧地址：{o} 新地址：{}", "世纪大道1号"),
            ("李四 13800138000 新地址：{}，旧地址：{o}", "世纪大道1号"),
            ("旧：{o}\n新：{}\n李四 13800138000", "世纪大道1号"),
            ("原收货地址：{o} 李四 13800138000 现地址：{}", "世纪大道1号"),
            ("李四 13800138000 上海市浦东新区 旧地址：张杨路2号 新地址：世纪大道1号", "世纪大道1号"),
            // One address, once or twice, and what stands beside it.
            ("李四 13800138000 新地址{}", "世纪大道1号"),
            ("李四 13800138000 {} 地址：{}", "世纪大道1号 上海市浦东新区世纪大道1号"),
            ("李四 13800138000 所在地区：上海市浦东新区 详细地址：浦东新区世纪大道1号", "浦东新区世纪大道1号"),
            ("李四 13800138000 {} 浦东新区世纪大道1号3幢", "世纪大道1号 浦东新区世纪大道1号3幢"),
            ("李四 13800138000 地址：{} 公司：上海市浦东新区某某公司", "世纪大道1号 上海市浦东新区某某公司"),
            ("李四 13800138000 {}与张杨路2号交叉口", "世纪大道1号与张杨路2号交叉口"),
            ("李四 13800138000 上海市浦东新区新桥路100弄2号301室", "新桥路100弄2号301室"),
            ("李四 13800138000 公司地址：{}", "世纪大道1号"),
            ("李四 13800138000 备用地址：{}", "世纪大道1号"),
        ] {
            let text = text.replace("{}", here).replace("{o}", other);
            let Read { address, doubt } = read(&text).unwrap();
            assert_eq!((address.receiver.as_str(), address.phone.as_str()), ("李四", "13800138000"), "{text}");
            assert_eq!((address.district.as_str(), address.detail.as_str()), ("浦东新区", detail), "{text}");
            assert_eq!(doubt, None, "{text}");
        }
    }

    #[test]
    fn of_two_districts_none_is_chosen() {
        for (text, district) in [
            ("所在地区：浙江省杭州市西湖区\n详细地址：余杭区文一西路969号\n李四 13800138000", ""),
            ("李四 13800138000 江苏省南京市玄武区 鼓楼区中山路1号", ""),
            ("李四 13800138000 广东省广州市天河区 南山区科技园1号", ""),
            ("李四 13800138000 浙江省杭州市西湖区余杭塘路1号", "西湖区"),
            ("李四 13800138000 江苏省南京市玄武区鼓楼街1号", "玄武区"),
            ("李四 13800138000 山西省晋城市泽州县 城区中心小学", "泽州县"),
            ("李四 13800138000 浙江省金华市义乌市 东阳市场路1号", "义乌市"),
            ("李四 13800138000 江苏省苏州市吴中区 工业园区星湖街1号", "吴中区"),
            ("李四 13800138000 杭州市西湖区西湖大道1号西湖区政府3楼", "西湖区"),
        ] {
            let Read { address, doubt } = read(text).unwrap();
            assert_eq!((address.district.as_str(), doubt.is_some()), (district, district.is_empty()), "{text}");
        }
    }

    #[test]
    fn what_an_address_is_for_is_nobodys_name() {
        for kind in ["退货", "仓库", "户籍", "默认", "身份证", "送货", "公司", "现", "家庭"] {
            let read = address(&format!("{kind}地址：上海市浦东新区张杨路2号 13800138000"));
            assert_eq!((read.receiver.as_str(), read.detail.as_str()), ("", "张杨路2号"), "{kind}");
        }
        assert_eq!(address("李四地址：上海市浦东新区张杨路2号 13800138000").receiver, "李四");
        for text in
            ["李四收 13800138000 {}", "{} 13800138000 李四 收", "李四（收）13800138000 {}", "{} 李四亲收 13800138000"]
        {
            assert_eq!(address(&text.replace("{}", "上海市浦东新区张杨路2号")).receiver, "李四", "{text}");
        }
    }

    #[test]
    fn a_new_phone_takes_the_place_of_an_old_one() {
        let home = "浙江省杭州市西湖区文三路1号";
        for (text, phone, detail) in [
            ("李四 旧号13900139000 新号13800138000 {}", "13800138000", "旧号13900139000"),
            ("李四 13900139000 新号13800138000 {}", "13800138000", "13900139000 新号13800138000"),
            ("李四 13900139000换号了13800138000 {}", "13800138000", "13900139000换号了"),
            ("李四 13900139000改成13800138000 {}", "13800138000", "13900139000改成"),
            ("李四 以前的号13900139000 现在13800138000 {}", "13800138000", "以前的号13900139000"),
            ("李四 13900139000这个号停用 13800138000 {}", "13800138000", "13900139000这个号停用"),
            ("李四 13900139000（已停用）13800138000 {}", "13800138000", "13900139000(已停用)"),
            ("李四 13900139000 是旧号，13800138000 {}", "13800138000", "13900139000 是旧号"),
            ("李四 13900139000不用了 13800138000 {}", "13800138000", "13900139000不用了"),
            ("李四 新电话：13800138000 旧电话：13900139000 {}", "13800138000", "旧电话:13900139000"),
            ("李四 电话：13900139000 新电话：13800138000 {}", "13800138000", "13900139000 新电话:13800138000"),
            ("原号码：13900139000 现号码：13800138000 李四 {}", "13800138000", "原号码:13900139000"),
            ("李四 13800138000 不用打电话放门口 {}", "13800138000", "不用打电话放门口"),
            ("李建新 13800138000 备用 王新 13900139000 {}", "13800138000", "备用 王新 13900139000"),
        ] {
            let read = address(&text.replace("{}", home));
            assert_eq!(
                (read.phone.as_str(), read.detail.as_str()),
                (phone, format!("文三路1号 {detail}").as_str()),
                "{text}"
            );
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
            ("13900139000是我同事的 李四 13800138000 {}", "13800138000"),
            ("13900139000 是我同事的 李四 13800138000 {}", "13800138000"),
            ("13900139000我同事 李四 13800138000 {}", "13800138000"),
            ("{}小区物业13900139000 李四13800138000", "13800138000"),
            ("{} 李四收 13800138000 代收人王五13900139000", "13800138000"),
            ("财务联系人：13900139000 李四 13800138000 {}", "13800138000"),
            ("李四 13800138000 {} 财务联系人：13900139000", "13800138000"),
            ("紧急联系人：王五 13900139000 李四 13800138000 {}", "13800138000"),
            ("联系不上打13900139000 李四 13800138000 {}", "13800138000"),
            ("李四 13800138000打不通就打13900139000 {}", "13800138000"),
            ("转王五13900139000 李四 13800138000 {}", "13800138000"),
            ("李四 {} 微信：13900139000 电话：13800138000", "13800138000"),
            ("李四 {} QQ号13900139000，手机13800138000", "13800138000"),
            // Nobody else's stands there.
            ("联系人：13800138000 李四 {}", "13800138000"),
            ("{} 菜鸟驿站代收 李四 13800138000", "13800138000"),
            ("李四 {} 微信同号13800138000", "13800138000"),
            ("朋友李四13800138000 {}", "13800138000"),
            ("李四 13800138000 已付款 {}", "13800138000"),
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
            ("{} 李四收 代收人王五13900139000", ""),
            ("{} 李四收 代收人 王五 13900139000", ""),
            ("李四 13800138000 {} 电话：13900139000", ""),
            ("{}（李四 13800138000）（王五 13900139000）", ""),
        ] {
            let text = text.replace("{}", home);
            let read = address(&text);
            assert_eq!(read.phone, phone, "{text}");
            assert_eq!(read.district, "西湖区", "{text}");
            assert!(["李四", "张三", "朋友李四", ""].contains(&read.receiver.as_str()), "{text}: {}", read.receiver);
            // What was not taken is not lost.
            let kept = phones::all(&text).all(|one| one.number == phone || read.detail.contains(&one.number));
            assert!(kept || text.contains("下单人"), "{text}: {}", read.detail);
        }
        let beside = address("（菜鸟驿站 13900139000） 李四 13800138000 浙江省杭州市西湖区文三路1号");
        assert_eq!(beside.receiver, "李四");
        let around = address("李四 13800138000 浙江省杭州市西湖区文三路1号（菜鸟驿站电话：13900139000）");
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
