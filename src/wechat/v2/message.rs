//! WeChat's messages: one flat XML list of fields, read strictly, so that what was signed is what is used.

use std::collections::BTreeMap;
use std::fmt;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::stored_enum::stored_enum;

/// The largest message that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const MAX_FIELDS: usize = 200;
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 32 * 1024;

/// A flat message: every field once, whether we know its name or not.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Message(BTreeMap<String, String>);

stored_enum! {
    /// Why a text is no message: a constant ASCII word for the answer and the transaction log, and what it means.
    pub enum NotAMessage {
        TooLarge "BODY_TOO_LARGE" "消息太长",
        NotUtf8 "NOT_UTF8" "不是 UTF-8 文本",
        Doctype "DOCTYPE_REFUSED" "XML 里有 DOCTYPE，不接受",
        ProcessingInstruction "INSTRUCTION_REFUSED" "XML 里有处理指令，不接受",
        UnknownEntity "ENTITY_REFUSED" "XML 里有不认识的实体，不接受",
        DuplicateField "DUPLICATE_FIELD" "同一项出现了两次",
        Nested "NESTED_FIELD" "一项里面又有别的项",
        Attribute "ATTRIBUTE_REFUSED" "XML 里有属性，不接受",
        StrayText "STRAY_TEXT" "不是微信的消息：项与项之间有多余的文字",
        ForbiddenCharacter "FORBIDDEN_CHARACTER" "含有 XML 不允许的字符",
        BadName "BAD_FIELD_NAME" "有一项的名字不合规矩",
        TooManyFields "TOO_MANY_FIELDS" "消息里的项太多",
        ValueTooLong "VALUE_TOO_LONG" "有一项的值太长",
        WrongRoot "WRONG_ROOT" "最外层不是微信的那一个",
        Malformed "MALFORMED_XML" "不是完整的 XML",
    }
}

impl Message {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value, unless absent or empty: WeChat leaves fields out in both ways.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub fn without(&self, name: &str) -> Message {
        let mut fields = self.0.clone();
        fields.remove(name);
        Message(fields)
    }

    /// Fields in byte order of their names, which is the order they are signed in.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Reads `<xml>…</xml>` as sent by WeChat.
    pub fn read(bytes: &[u8]) -> Result<Message, NotAMessage> {
        Message::read_root(bytes, "xml")
    }

    /// Reads a message whose root element has another name (a decrypted refund notice has `root`).
    pub fn read_root(bytes: &[u8], root: &str) -> Result<Message, NotAMessage> {
        if bytes.len() > MAX_BYTES {
            return Err(NotAMessage::TooLarge);
        }
        let text = str::from_utf8(bytes).map_err(|_| NotAMessage::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.chars().any(|c| !allowed(c)) {
            return Err(NotAMessage::ForbiddenCharacter);
        }
        read_fields(text, root)
    }

    /// Every value in CDATA, whatever it holds.
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<xml>");
        for (name, value) in &self.0 {
            // A reader takes a bare carriage return for the end of a line, and the signature would no longer fit.
            let value = value.replace("]]>", "]]]]><![CDATA[>").replace('\r', "]]>&#13;<![CDATA[");
            xml.push_str(&format!("<{name}><![CDATA[{value}]]></{name}>"));
        }
        xml.push_str("</xml>");
        xml
    }
}

/// Names only: a message may hold a signature or a person.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, V: Into<String>, const K: usize> From<[(N, V); K]> for Message {
    fn from(fields: [(N, V); K]) -> Message {
        Message(fields.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

impl FromIterator<(String, String)> for Message {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Message {
        Message(fields.into_iter().collect())
    }
}

/// Where the reader stands: before the root, between fields, inside one, or behind the root.
enum Place {
    Before,
    Between,
    Inside(String, String),
    Behind,
}

fn read_fields(text: &str, root: &str) -> Result<Message, NotAMessage> {
    use NotAMessage::*;
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut fields = BTreeMap::new();
    let mut place = Place::Before;
    let mut first = true;
    loop {
        let event = reader.read_event().map_err(|_| Malformed)?;
        match (event, &mut place) {
            (Event::Eof, Place::Behind) => return Ok(Message(fields)),
            (Event::DocType(_), _) => return Err(Doctype),
            (Event::PI(_), _) => return Err(ProcessingInstruction),
            (Event::Decl(decl), Place::Before) if first => match decl.encoding() {
                None => {}
                Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => {}
                Some(_) => return Err(NotUtf8),
            },
            (Event::Comment(_), _) => {}
            (Event::Start(tag), Place::Before) => {
                plain_tag(&tag)?;
                if tag.name().as_ref() != root {
                    return Err(WrongRoot);
                }
                place = Place::Between;
            }
            (Event::Start(tag), Place::Between) => {
                place = Place::Inside(new_field(&tag, &fields)?, String::new());
            }
            (Event::Empty(tag), Place::Between) => {
                fields.insert(new_field(&tag, &fields)?, String::new());
            }
            (Event::Start(_) | Event::Empty(_), Place::Inside(..)) => return Err(Nested),
            (Event::End(_), Place::Inside(name, value)) => {
                fields.insert(std::mem::take(name), std::mem::take(value));
                place = Place::Between;
            }
            (Event::End(_), Place::Between) => place = Place::Behind,
            (Event::Text(text), Place::Inside(_, value)) => {
                if text.contains("]]>") {
                    return Err(Malformed);
                }
                value.push_str(&text.xml10_content());
                fits(value)?;
            }
            (Event::CData(text), Place::Inside(_, value)) => {
                value.push_str(&text.xml10_content());
                fits(value)?;
            }
            (Event::GeneralRef(entity), Place::Inside(_, value)) => {
                value.push(resolve(&entity)?);
                fits(value)?;
            }
            // White space between fields; anything else there would be read by one parser and not by another.
            (Event::Text(text), _) => {
                if !text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
                    return Err(StrayText);
                }
            }
            (Event::CData(_) | Event::GeneralRef(_), _) => return Err(StrayText),
            _ => return Err(Malformed),
        }
        first = false;
    }
}

fn new_field(tag: &quick_xml::events::BytesStart<'_>, seen: &BTreeMap<String, String>) -> Result<String, NotAMessage> {
    plain_tag(tag)?;
    let name = tag.name().as_ref().to_owned();
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !letters || name.len() > MAX_NAME {
        return Err(NotAMessage::BadName);
    }
    if seen.contains_key(&name) {
        return Err(NotAMessage::DuplicateField);
    }
    if seen.len() >= MAX_FIELDS {
        return Err(NotAMessage::TooManyFields);
    }
    Ok(name)
}

fn plain_tag(tag: &quick_xml::events::BytesStart<'_>) -> Result<(), NotAMessage> {
    if tag.attributes_raw().trim().is_empty() { Ok(()) } else { Err(NotAMessage::Attribute) }
}

fn fits(value: &str) -> Result<(), NotAMessage> {
    if value.len() > MAX_VALUE { Err(NotAMessage::ValueTooLong) } else { Ok(()) }
}

fn resolve(entity: &quick_xml::events::BytesRef<'_>) -> Result<char, NotAMessage> {
    let c = match &**entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => entity.resolve_char_ref().ok().flatten().ok_or(NotAMessage::UnknownEntity)?,
    };
    if allowed(c) { Ok(c) } else { Err(NotAMessage::ForbiddenCharacter) }
}

/// The characters of XML 1.0.
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::NotAMessage::*;
    use super::*;

    #[test]
    fn every_spelling_of_the_same_message_reads_the_same() {
        let expected = Message::from([("a", "x<&>y"), ("b", "")]);
        for xml in [
            "<xml><a><![CDATA[x<&>y]]></a><b></b></xml>",
            "<xml>\n  <a>x&lt;&amp;&gt;y</a>\r\n  <b/>\n</xml>\n",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><xml><a>x&#60;&#x26;>y</a><b><![CDATA[]]></b></xml>",
            "\u{feff}<xml><b/><a><![CDATA[x<]]>&amp;<![CDATA[>y]]></a></xml>",
            "<!-- hi --><xml><a>x&lt;<!-- inside -->&amp;&gt;y</a><b/></xml><!-- bye -->",
        ] {
            assert_eq!(Message::read(xml.as_bytes()), Ok(expected.clone()), "{xml}");
        }
    }

    #[test]
    fn a_value_keeps_its_white_space_and_emoji() {
        let read = Message::read("<xml><a>  x\r\n </a><b>&#127827;</b></xml>".as_bytes()).unwrap();
        assert_eq!((read.get("a"), read.get("b")), (Some("  x\n "), Some("🍓")));
    }

    #[test]
    fn a_message_with_one_thing_wrong_is_refused() {
        let many = format!("<xml>{}</xml>", (0..=MAX_FIELDS).map(|i| format!("<f{i}/>")).collect::<String>());
        let long = format!("<xml><a>{}</a></xml>", "x".repeat(MAX_VALUE + 1));
        let huge = " ".repeat(MAX_BYTES + 1);
        let long_name = format!("<xml><{0}/></xml>", "n".repeat(MAX_NAME + 1));
        for (xml, why) in [
            ("", Malformed),
            ("<xml>", Malformed),
            ("<xml><a>1</b></xml>", Malformed),
            ("<xml><a>1</a>", Malformed),
            ("{\"a\":1}", StrayText),
            ("<root><a>1</a></root>", WrongRoot),
            ("<xml/>", Malformed),
            ("<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>", Doctype),
            ("<!DOCTYPE xml><xml><a>1</a></xml>", Doctype),
            ("<xml><a>&e;</a></xml>", UnknownEntity),
            ("<xml><a>&nbsp;</a></xml>", UnknownEntity),
            ("<xml><a>a & b</a></xml>", Malformed),
            ("<xml><?php 1 ?><a>1</a></xml>", ProcessingInstruction),
            ("<xml><a>1</a><a>2</a></xml>", DuplicateField),
            ("<xml><a>1</a><a/></xml>", DuplicateField),
            ("<xml><a><b>1</b></a></xml>", Nested),
            ("<xml><a><b/></a></xml>", Nested),
            ("<xml sign=\"1\"><a>1</a></xml>", Attribute),
            ("<xml><a x=\"1\">1</a></xml>", Attribute),
            ("<xml>text<a>1</a></xml>", StrayText),
            ("<xml><a>1</a></xml>tail", StrayText),
            ("<xml><a>1</a><![CDATA[x]]></xml>", StrayText),
            ("<xml><a>1</a></xml><xml><a>2</a></xml>", Malformed),
            ("<xml><a>1]]>2</a></xml>", Malformed),
            ("<xml><a>\u{1}</a></xml>", ForbiddenCharacter),
            ("<xml><a>&#1;</a></xml>", ForbiddenCharacter),
            ("<xml><a>&#0;</a></xml>", UnknownEntity),
            ("<xml><a-b>1</a-b></xml>", BadName),
            ("<xml><价>1</价></xml>", BadName),
            (&long_name, BadName),
            ("<?xml version=\"1.0\" encoding=\"GBK\"?><xml><a>1</a></xml>", NotUtf8),
            ("<xml><?xml version=\"1.0\"?><a>1</a></xml>", Malformed),
            (&many, TooManyFields),
            (&long, ValueTooLong),
            (&huge, TooLarge),
        ] {
            let start: String = xml.chars().take(60).collect();
            assert_eq!(Message::read(xml.as_bytes()).unwrap_err(), why, "{start}");
        }
        assert_eq!(Message::read(b"<xml><a>\xff</a></xml>").unwrap_err(), NotUtf8);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(fields in prop::collection::btree_map("[a-z_0-9]{1,12}", "[\\x20-\\x7e一-龥🍓\n\r]{0,40}", 0..12)) {
            let message: Message = fields.into_iter().collect();
            prop_assert_eq!(Message::read(message.to_xml().as_bytes()), Ok(message));
        }

        #[test]
        fn no_input_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Message::read(&bytes);
        }
    }
}
