//! The labels in a pasted text: what people and other programs write in front of the parts of an address.

use super::doors::is_door;
use super::names::begins_with_name;
use super::whose::{PARTING, Whose};
use crate::places::{Named, Written, written};

/// What stands behind a label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
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
pub const LABELS: [(&str, Part); 57] = [
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
    ("居住地址", Part::Where),
    ("住址", Part::Where),
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

/// So many labels are ones without a colon too.
const ALONE: usize = 36;

/// What an address is called in front of its label, or alone: 旧地址, 新：.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Nothing but that it is one.
    #[default]
    Plain,
    /// That it has taken another's place.
    New,
    /// That it is no longer one, or that nothing is to go there.
    Old,
    /// That it is for something else as well: where nothing else is written, it is meant.
    Beside,
}

/// Words for these in front of 地址.
const TITLES: [(Role, &str); 4] = [
    (
        Role::Old,
        "旧 原 老 以前 之前 从前 原来 原先 上次 上回 过去 曾用 错误 作废 废弃 停用 不用 失效 不要寄 不要发 别寄 别发 勿寄 勿发 不寄 不发",
    ),
    (Role::New, "新 现 现在 目前 最新 改 改为 改成 改到 改寄 改寄到 换成 换到 搬到 搬去 更改为 变更为 这次 本次 正确"),
    (
        Role::Beside,
        "备用 备选 退货 换货 仓库 户籍 身份证 账单 注册 默认 发票 办公 公司 单位 学校 家庭 老家 家里 常用 临时 其他 另一个 第二 娘家 婆家",
    ),
    (Role::Plain, "的 送货 配送 寄送 寄往 邮寄 快递 通讯 联系 我的 本人 具体 完整 真实 准确 最终"),
];

/// A label, where it stands, and what stands behind it.
pub struct Cut<'t> {
    pub label: Option<(&'static str, Part)>,
    pub role: Role,
    pub at: usize,
    /// The label as it stands there.
    pub title: &'t str,
    pub value: &'t str,
}

/// A label that was found, and where it ends.
struct Label {
    label: (&'static str, Part),
    role: Role,
    end: usize,
}

/// A text cut at its labels.
pub fn split(text: &str) -> Vec<Cut<'_>> {
    let mut cuts = vec![Cut { label: None, role: Role::Plain, at: 0, title: "", value: text }];
    let (mut from, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let Some(Label { label, role, end }) = label_at(text, at) else {
            at += c.len_utf8();
            continue;
        };
        if let Some(before) = cuts.last_mut() {
            before.value = &text[from..at];
        }
        cuts.push(Cut { label: Some(label), role, at, title: &text[at..end], value: &text[end..] });
        (from, at) = (end, end);
    }
    cuts
}

/// The label that begins there, and where it ends: with a colon, in 【】, or as a word by itself.
fn label_at(text: &str, at: usize) -> Option<Label> {
    let here = &text[at..];
    let before = text[..at].chars().next_back();
    let begins = before.is_none_or(|c| !c.is_alphanumeric());
    let (open, inner) = here.strip_prefix(['【', '[']).map_or((false, here), |inner| (true, inner));
    // A title begins a word, or stands behind a house; in the middle of a name there is none.
    let titled = begins || before.is_some_and(|c| c.is_ascii_digit() || "号室楼栋幢层座户".contains(c));
    let (role, called) = if titled { title(inner) } else { (Role::Plain, inner) };
    let mut found: Vec<Label> = Vec::new();
    for (i, label) in LABELS.iter().enumerate() {
        let takes_title = label.1 == Part::Where || label.1 == Part::Phone && role == Role::New;
        let rest = if takes_title { called } else { inner }.strip_prefix(label.0);
        let Some(rest) = rest else { continue };
        let short = label.0.chars().count() == 1;
        let behind = rest.trim_start_matches(' ');
        let end = match behind.strip_prefix([':', '：']) {
            Some(value) if !open && (begins || !short) => Some(value),
            _ if open => behind.strip_prefix(['】', ']']).map(|value| value.trim_start_matches([':', '：'])),
            _ if begins && i < ALONE && rest.starts_with([' ', '\n']) => Some(rest),
            _ if begins && label.1 == Part::Phone && rest.starts_with(|c: char| c.is_ascii_digit()) => Some(rest),
            _ if begins && label.1 == Part::Receiver && begins_with_name(rest) => Some(rest),
            _ if label.1 == Part::Where && role != Role::Plain && begins_with_place(rest) => Some(rest),
            _ => None,
        };
        let role = if takes_title { role } else { Role::Plain };
        found.extend(end.map(|value| Label { label: *label, role, end: text.len() - value.len() }));
    }
    // 旧：, 新：, where no number of a phone goes on.
    let alone = called.trim_start_matches(' ').strip_prefix([':', '：']).filter(|_| called.len() < inner.len());
    let is_of_place = |value: &&str| !value.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '+');
    if let Some(value) = alone.filter(is_of_place).filter(|_| matches!(role, Role::Old | Role::New)) {
        found.push(Label { label: ("地址", Part::Where), role, end: text.len() - value.len() });
    }
    // Of somebody else's phone nothing is cut, nor of his name.
    found.retain(|found| match found.label.1 {
        Part::Phone => Whose::labelled(text, at) != Whose::Others,
        Part::Receiver => !Whose::is_of_another(text, at),
        _ => true,
    });
    found.into_iter().max_by_key(|found| found.label.0.len())
}

/// What an address that begins there is called, and what stands behind that.
fn title(text: &str) -> (Role, &str) {
    let (mut role, mut rest) = (Role::Plain, text);
    let word = |rest: &str| {
        let words =
            TITLES.iter().flat_map(|(role, words)| words.split_ascii_whitespace().map(move |word| (*role, word)));
        words.filter(|(_, word)| rest.starts_with(word)).max_by_key(|(_, word)| word.len())
    };
    while let Some((said, word)) = word(rest) {
        rest = &rest[word.len()..];
        role = match (role, said) {
            (Role::Old, _) | (_, Role::Old) => Role::Old,
            (Role::New, _) | (_, Role::New) => Role::New,
            (role, Role::Plain) => role,
            (_, said) => said,
        };
    }
    (role, rest)
}

/// Whether a place or a door is named right behind a label.
fn begins_with_place(rest: &str) -> bool {
    let word = rest.split(|c: char| c.is_whitespace() || PARTING.contains(&c)).next().unwrap_or_default();
    is_door(word) || matches!(written(word), Written::Found(Named { before, .. }) if before.is_empty())
}
