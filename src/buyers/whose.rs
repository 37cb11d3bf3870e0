//! Whose a phone number in a pasted text is, told by the words around it.

use super::phones::{self, Phone};
use crate::typed::{holds, holds_one_of};

/// Whose a number is, the one that is meant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// The receiver's since another one is no longer: 新号, 换成.
    New,
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

/// Where there is a phone of its own, though something goes to the receiver.
const PLACES: &str = "驿站 丰巢 快递 自提 超市 商店 店铺 门店 公司 单位 物业 门卫 保安 前台 传达室";
/// Who has to do with it and does not receive it, whatever else is said of him.
const HELPERS: &str = "代收 客服 卖家 商家 厂家 财务 司机 骑手 配送 送货 寄件 发件 发货 下单 订购 订货 购买人 付款 代付 推荐 介绍 \
    备用 备选 紧急 其他 转交 转给 联系不 打不通 不通 没人接 不接";
/// Whoever may be the receiver himself where nobody else is.
const KIN: &str = "老板 掌柜 店主 店长 团长 家人 家属 妈妈 爸爸 父亲 母亲 老公 老婆 爱人 儿子 女儿 朋友 同事 同学 邻居 房东 室友 \
    我妈 我爸 我姐 我哥 我弟 我妹";
/// What is said of a number that is no longer anybody's.
const STOPPED: [&str; 11] = ["以前", "之前", "从前", "原来", "原先", "过去", "曾用", "作废", "停用", "停机", "空号"];
/// What people call programs in which something like a phone number names them.
const MESSENGERS: [&str; 6] = ["微信", "QQ", "qq", "旺旺", "支付宝", "抖音"];

/// What a phone is called.
const CALLED: [&str; 9] = ["号码", "电话", "手机", "联系方式", "联系人", "座机", "固话", "热线", "号"];

const OPENING: [char; 4] = ['(', '（', '[', '【'];
const CLOSING: [char; 4] = [')', '）', ']', '】'];
/// Signs that stand between the words about one thing and those about another.
pub const PARTING: [char; 11] = ['\n', ',', '，', ';', '；', '。', '|', ')', '）', ']', '】'];

/// So many signs beside a number tell whose it is; in more there is an address.
const A_FEW: usize = 8;

impl Whose {
    /// Whose the numbers are that stand behind a label of phones.
    pub fn labelled(text: &str, label: usize) -> Whose {
        let bracket = bracket(text, label);
        let around = bracket.unwrap_or_else(|| clause(&text[..label]));
        let words = about(around);
        let joined = bracket.is_some() || text[..label].ends_with(char::is_alphanumeric);
        let last = about(last_word(around));
        match is_of_another(&words) || joined && is_of_another(&last) {
            _ if joined && is_new(&last) => Whose::New,
            // What stands behind a label of its own is no word about the phone: 公司：某某公司 电话：.
            true if joined || !around.contains([':', '：']) => Whose::Others,
            _ if joined && !words.is_empty() => Whose::Aside,
            _ => Whose::Free,
        }
    }

    /// Whose a number is, by what stands around it.
    pub fn beside(text: &str, phone: &Phone) -> Whose {
        let bracket = bracket(text, phone.at.start);
        let clause = bracket.unwrap_or_else(|| clause(&text[..phone.at.start]));
        let behind = behind(text, phone);
        let (words, last, two) = (about(clause), about(last_word(clause)), about(last_two_words(clause)));
        let of_a_helper = is_of_a_helper(&words) || is_of_a_helper(&last) || begins_with_helper(&two);
        let another = of_a_helper || is_of_another(&words) || is_of_another(&last);
        match () {
            () if is_of_another(&behind) => Whose::Others,
            () if is_new(&behind) || is_new(&last) && !another => Whose::New,
            () if bracket.is_some() && is_of_another(&words) || is_old(&last) => Whose::Others,
            () if of_a_helper || another && is_called(clause) => Whose::Others,
            () if another && clause.ends_with(char::is_alphanumeric) && ends_with_one_of(&last, KIN) => Whose::Others,
            () if another || bracket.is_some() && !words.is_empty() => Whose::Aside,
            () if ends_with_one_of(&last, PLACES) || holds(&last, &MESSENGERS) && !last.contains('同') => Whose::Aside,
            () => Whose::Free,
        }
    }

    /// What stands in front of a number, without the word that calls it new.
    pub fn without_new(before: &str) -> &str {
        let word = last_word(clause(before));
        let kept = before.trim_end_matches([' ', ':', '：']).strip_suffix(word.trim_end_matches([':', '：']));
        let apart = |kept: &&str| !kept.ends_with(|c: char| c.is_ascii_digit());
        kept.filter(apart).filter(|_| is_new(&about(word))).unwrap_or(before)
    }

    /// Whether a label of receivers is one of somebody else: 财务联系人.
    pub fn is_of_another(text: &str, label: usize) -> bool {
        let last = about(last_word(clause(&text[..label])));
        text[..label].ends_with(char::is_alphabetic) && is_of_another(&last)
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
    let Some(last) = phones::all(words).last() else { return words };
    let rest = &words[last.at.end..];
    // 13800138000停用 13900139000: the word is about the one in front of it.
    match rest.trim_start().split_once(' ') {
        Some((_, rest)) if !behind(words, &last).is_empty() => rest,
        _ => rest,
    }
}

fn last_word(clause: &str) -> &str {
    clause.split_whitespace().rfind(|word| word.contains(char::is_alphabetic)).unwrap_or_default()
}

fn last_two_words(clause: &str) -> &str {
    let before = clause.trim_end().strip_suffix(last_word(clause)).unwrap_or_default();
    let word = last_word(before);
    before.rfind(word).filter(|_| !word.is_empty()).map_or("", |at| &clause[at..])
}

/// The words about a number that stand behind it: in a bracket, or as a sentence of which it is the subject.
fn behind(text: &str, phone: &Phone) -> String {
    const STOPPED: [&str; 11] =
        ["停用", "停机", "停了", "作废", "空号", "不用了", "没用了", "换号", "换成", "改成", "改为"];
    let glued = &text[phone.at.end..];
    let rest = glued.trim_start_matches(' ');
    if let Some(inner) = rest.strip_prefix(OPENING) {
        return about(inner.split(CLOSING).next().unwrap_or_default());
    }
    let end = rest.find(|c: char| c.is_whitespace() || c.is_ascii_digit() || PARTING.contains(&c));
    let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
    let ends = after.trim_start_matches(' ').chars().next().is_none_or(|c| PARTING.contains(&c));
    let is_glued = glued == rest && !after.starts_with(|c: char| c.is_ascii_digit());
    let is_of_next = word.ends_with([':', '：']) || !ends && !is_glued;
    // 13900139000我同事
    let kin = |words: &str| glued == rest && words.chars().count() < 4 && ends_with_one_of(words, KIN);
    let word = word.trim_start_matches(['已', '经', '都', '早', '就']);
    let subject = ["这个号码", "这个号", "此号"].iter().find_map(|subject| word.strip_prefix(subject)).unwrap_or(word);
    let subject = subject.trim_start_matches(['已', '经', '都', '早', '就']);
    match ["这是", "是", "为"].iter().find_map(|verb| subject.strip_prefix(verb)) {
        Some(said) => about(said.trim_end_matches('的')),
        None if STOPPED.iter().any(|word| subject.starts_with(word)) => "停用".to_owned(),
        None if is_of_next => String::new(),
        None if ["旧", "老", "原", "备用"].contains(&about(subject).as_str()) => "停用".to_owned(),
        None if kin(subject.trim_end_matches('的')) => about(subject.trim_end_matches('的')),
        None => String::new(),
    }
}

/// The words of a piece of text, without numbers and what only says that they are phones.
pub fn about(text: &str) -> String {
    let words: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    CALLED.iter().fold(words, |words, called| words.replace(called, ""))
}

fn is_called(clause: &str) -> bool {
    CALLED.iter().any(|word| clause.trim_end_matches([':', '：', ' ']).ends_with(word))
}

fn are_few(words: &str) -> bool {
    words.chars().count() <= A_FEW
}

/// What he receives with is his, and where it may be left is no one.
fn are_his(words: &str) -> bool {
    words.contains(['收', '放', '存']) && !words.contains("代收")
}

/// Whether these few words name somebody else than the receiver, or a number of before.
fn is_of_another(words: &str) -> bool {
    let named = || {
        words.ends_with(['店', '厂', '柜'])
            || [PLACES, KIN].iter().any(|of| holds_one_of(words, of))
            || is_of_a_helper(words)
    };
    are_few(words) && !are_his(words) && (is_old(words) || words.starts_with(['另', '错']) || named())
}

fn is_of_a_helper(words: &str) -> bool {
    are_few(words) && !are_his(words) && (holds_one_of(words, HELPERS) || words.starts_with('转'))
}

/// Whether he is called so, and then by his name.
fn begins_with_helper(words: &str) -> bool {
    is_of_a_helper(words) && HELPERS.split_ascii_whitespace().any(|helper| words.starts_with(helper))
}

/// Whether words call a number one of before, whatever stands in front of them: 李四旧号.
fn is_old(words: &str) -> bool {
    let words = words.trim_end_matches('的');
    let few = are_few(words) && (words.starts_with('旧') || holds(words, &STOPPED));
    few || ["原", "老"].contains(&words) || words.ends_with('旧') || STOPPED.iter().any(|word| words.ends_with(word))
}

/// Whether words say that a number has taken another's place. Names end with 新 too.
fn is_new(words: &str) -> bool {
    const NEW: [&str; 11] = ["现在", "现用", "目前", "最新", "换了", "换成", "换到", "改用", "改成", "改为", "更换为"];
    let words = words.trim_end_matches(['的', '是']);
    let own = words.trim_start_matches(['我', '本', '人', '的']);
    ["新", "现", "换"].contains(&own) || NEW.iter().any(|word| words.ends_with(word))
}

fn ends_with_one_of(words: &str, ends: &str) -> bool {
    ends.split_ascii_whitespace().any(|end| words.ends_with(end))
}
