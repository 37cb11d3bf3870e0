//! What receivers are called in a pasted text, and what nobody is.

use crate::places::{Place, Unread};

/// Whether a name stands right behind a label, and not what goes on as another word: 收货人信息.
pub fn begins_with_name(rest: &str) -> bool {
    let word = rest.split(|c: char| c.is_whitespace() || ",，;；".contains(c)).next().unwrap_or_default();
    is_name(word, 4) && !["信息", "资料", "手机", "电话", "地址", "姓名", "名称"].iter().any(|end| word.ends_with(end))
}

/// Who is named at the start of a text, and what stands behind the name.
pub fn name_in(value: &str) -> (&str, &str) {
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
    let end = line[..end].find(|c: char| c.is_ascii_digit()).unwrap_or(end);
    (line[..end].trim(), &value[end..])
}

/// Who receives it, where that is said behind the name: 李四收.
pub fn receives(word: &str) -> Option<&str> {
    let name = ["亲收", "收", "(收)", "（收）"].iter().find_map(|said| word.strip_suffix(said))?;
    let verb = name.ends_with(['代', '签', '查', '请', '接', '验', '转', '本', '不', '能', '要', '的', '间']);
    (is_name(name, 4) && !verb && !is_street(name) && !is_nobody(name)).then_some(name)
}

/// Whether words are about people and addresses, and nobody is called so.
pub fn is_nobody(word: &str) -> bool {
    const WORDS: &str = "物业 门卫 保安 前台 传达室 驿站 丰巢 财务 客服 代收 备用 旧号 新号 老号 地址 电话 手机 号码 收货 收件 退货 仓库 户籍         默认 身份证 账单 注册 发票 搬家 搬家了 换号 换号了";
    word.starts_with('收')
        || word.starts_with(['是', '转']) && word.chars().count() > 3
        || word.contains(['的', '我', '你', '您', '他', '她', '请', '这', '那'])
        || WORDS.split_ascii_whitespace().any(|known| known == word)
}

pub fn is_name(word: &str, most: usize) -> bool {
    // Platforms write the extension behind the name too: 张三[1234].
    let code = word.strip_suffix(']').and_then(|word| word.split_once('['));
    let word = code.filter(|(_, code)| code.bytes().all(|b| b.is_ascii_digit())).map_or(word, |(name, _)| name);
    let chinese = word.chars().all(|c| ('\u{4e00}'..='\u{9fa5}').contains(&c) || c == '·');
    (2..=most).contains(&word.chars().count()) && chinese
}

pub fn is_latin_name(word: &str) -> bool {
    (2..=25).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a word is more like a part of an address than like a name. People are called 张家口 too.
pub fn is_street(word: &str) -> bool {
    let ends = word.ends_with(|c| "路街道号楼室层栋座村镇弄巷园苑区旁边里口".contains(c))
        || ["单元", "大厦", "广场", "门面", "店铺", "公司", "酒店", "饭店", "学校", "医院", "公寓", "宿舍"]
            .iter()
            .any(|end| word.ends_with(end));
    ends && matches!(Place::parse(word), Err(Unread::Unknown))
}
