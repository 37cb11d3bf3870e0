//! Subscribe messages: the templates that a mini-program has chosen at WeChat, and one message in one of them.
//! Source: 小程序订阅消息.

use serde_json::{Map, Value, json};

use super::mini_program::MiniProgram;
use super::{Exchange, GatewayError, Wechat};

/// A template as WeChat lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub id: String,
    pub title: String,
    /// Each by its key (`thing1`) and what the template calls it (`商品名称`).
    pub fields: Vec<(String, String)>,
}

/// A template that the shop uses, with what stands in each of its fields; kept as `ID thing1=goods amount2=amount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub id: String,
    pub fields: Vec<(String, String)>,
}

impl Chosen {
    /// `None` for what this is not the form of.
    pub fn read(text: &str) -> Option<Chosen> {
        let mut words = text.split_whitespace();
        let id = words.next().filter(|id| {
            (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        })?;
        let field = |word: &str| {
            let (key, what) = word.split_once('=')?;
            let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            let fine = is_key(key) && !what.is_empty() && plain(what);
            fine.then(|| (key.to_owned(), what.to_owned()))
        };
        let fields: Option<Vec<_>> = words.map(field).collect();
        Some(Chosen { id: id.to_owned(), fields: fields.filter(|fields| !fields.is_empty())? })
    }

    pub fn written(&self) -> String {
        let fields = self.fields.iter().map(|(key, what)| format!(" {key}={what}"));
        std::iter::once(self.id.clone()).chain(fields).collect()
    }
}

/// `thing1`: a kind of field and its number.
fn is_key(key: &str) -> bool {
    let kind = kind_of(key);
    !kind.is_empty() && kind.len() < key.len() && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn kind_of(key: &str) -> &str {
    key.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// A value as WeChat takes it in a field of this key: too long or of other characters, it refuses the whole message.
pub fn fit(key: &str, value: &str) -> String {
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = |most: usize| match value.chars().count() {
        n if n > most => value.chars().take(most - 1).chain(['…']).collect(),
        _ => value.clone(),
    };
    let ascii = |most: usize| value.chars().filter(|c| c.is_ascii_graphic()).take(most).collect::<String>();
    let fitted = match kind_of(key) {
        "thing" => cut(20),
        "name" => cut(10),
        "character_string" | "letter" | "number" => ascii(32),
        "phone_number" => ascii(17),
        "phrase" => value.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).take(5).collect(),
        _ => value.clone(),
    };
    // An empty value is refused as well.
    if fitted.is_empty() { "—".to_owned() } else { fitted }
}

/// One message to one buyer.
#[derive(Clone, Debug)]
pub struct Message {
    pub openid: String,
    pub template_id: String,
    /// The page of the mini-program that it opens.
    pub page: String,
    pub data: Vec<(String, String)>,
}

impl Message {
    fn body(&self) -> Value {
        let data: Map<String, Value> =
            self.data.iter().map(|(key, value)| (key.clone(), json!({ "value": fit(key, value) }))).collect();
        json!({
            "touser": self.openid, "template_id": self.template_id, "page": self.page, "lang": "zh_CN", "data": data,
        })
    }
}

/// The buyer has not allowed it, or takes no more: nothing that could be mended here.
pub const NOT_ALLOWED: &str = "43101";

impl Wechat {
    /// The templates that stand in the mini-program's own list.
    pub async fn templates(&self, app: &MiniProgram) -> Exchange<Vec<Template>> {
        let exchange = self.ask_api(app, ("templates", "/wxaapi/newtmpl/gettemplate"), &Value::Null).await;
        exchange.and_then(|answer| {
            let all = answer["data"].as_array();
            let all = all.ok_or_else(|| GatewayError::Unreachable("回答里没有模板列表".into()))?;
            Ok(all.iter().filter_map(read_template).collect())
        })
    }

    /// Refused with `NOT_ALLOWED` by a buyer who does not want it.
    pub async fn tell_buyer(&self, app: &MiniProgram, message: &Message) -> Exchange<()> {
        let call = ("subscribe_send", "/cgi-bin/message/subscribe/send");
        self.ask_api(app, call, &message.body()).await.map(|_| ())
    }
}

fn read_template(listed: &Value) -> Option<Template> {
    let text = |name: &str| listed[name].as_str().unwrap_or_default().trim().to_owned();
    let field = |line: &str| {
        let (label, rest) = line.split_once("{{")?;
        let key = rest.split_once(".DATA}}")?.0.trim();
        is_key(key).then(|| (key.to_owned(), label.trim().trim_end_matches([':', '：']).trim().to_owned()))
    };
    let fields: Vec<_> = text("content").lines().filter_map(field).collect();
    let id = text("priTmplId");
    (!id.is_empty() && !fields.is_empty()).then(|| Template { id, title: text("title"), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_back_as_written_and_nothing_else_is_one() {
        let written = "aZ09_-aZ09_-aZ09 thing1=goods character_string2=order_no";
        assert_eq!(Chosen::read(written).unwrap().written(), written);
        for bad in [
            "",
            "short thing1=goods",
            "aZ09_-aZ09",
            "aZ09_-aZ09 thing=goods",
            "aZ09_-aZ09 1=goods",
            "aZ09_-aZ09 thing1=",
            "aZ09_-aZ09 thing1=Goods",
            "aZ09_-aZ09 thing1",
            "aZ09<>aZ09 thing1=goods",
        ] {
            assert_eq!(Chosen::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_value_is_brought_into_the_form_of_its_field() {
        for (key, value, fitted) in [
            ("thing1", "苹果 ×2", "苹果 ×2"),
            ("thing1", &"果".repeat(21), &format!("{}…", "果".repeat(19))),
            ("thing1", "一\n二", "一 二"),
            ("thing1", "", "—"),
            ("character_string2", "20261008ABC", "20261008ABC"),
            ("character_string2", "圆通 YT1", "YT1"),
            ("phrase3", "已发货，请查收", "已发货请查"),
            ("amount4", "¥88.00", "¥88.00"),
        ] {
            assert_eq!(fit(key, value), fitted, "{key} {value}");
        }
    }

    #[test]
    fn a_template_is_read_as_wechat_lists_it() {
        let listed = json!({
            "priTmplId": "9Aw5ZV1j9xdWTFEkqCpZ7mIBbSC34khK55OtzUPl0rU", "title": "订单发货提醒",
            "content": "订单编号:{{character_string1.DATA}}\n商品名称：{{thing2.DATA}}\n", "type": 2,
        });
        let template = read_template(&listed).unwrap();
        let fields: Vec<_> = template.fields.iter().map(|(key, label)| (key.as_str(), label.as_str())).collect();
        assert_eq!(fields, [("character_string1", "订单编号"), ("thing2", "商品名称")]);
        assert_eq!(read_template(&json!({ "priTmplId": "x", "content": "没有字段" })), None);
    }
}
