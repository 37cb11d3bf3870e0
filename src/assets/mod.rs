//! Templates and static files: from disk while developing, inside the binary when released.

mod carried;
mod serve;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rocket::figment::Figment;
use rocket_dyn_templates::Template;
use rocket_dyn_templates::minijinja::value::{Object, Value};
use rocket_dyn_templates::minijinja::{self, AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use carried::TEMPLATES;
pub use carried::{MINIPROGRAM, STATIC};
pub use serve::{Pages, routes};

/// The one template that Rocket's engine knows: a page that was made already.
const PAGE: &str = "page.html";

pub fn templates() -> impl rocket::fairing::Fairing {
    Template::custom(|engines| {
        let made = engines.minijinja.add_template(PAGE, "{{ page|safe }}");
        made.unwrap_or_else(|e| log::error!("{PAGE}: {e}"));
    })
}

/// Every template, by the path of its file. Each is compiled when it is first asked for: compiled, they take ten times as
/// much memory, and nobody looks at all of them.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    prepare(&mut env);
    env
});

fn prepare(env: &mut Environment<'static>) {
    // Without this line embedded templates are not escaped at all: the engine's own callback knows only disk files.
    env.set_auto_escape_callback(minijinja::default_auto_escape_callback);
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_formatter(shown);
    env.set_loader(|name| {
        let text = TEMPLATES.file(name).map(carried::File::text).transpose();
        let text = text.map_err(|e| minijinja::Error::new(ErrorKind::SyntaxError, e.to_string()))?;
        Ok(text.map(|text| sent(&text)))
    });
    env.add_function("icon", icon);
    env.add_function("asset", asset);
    env.add_function("early", || Value::from_safe_string(EARLY.element.clone()));
}

/// The one script that stands in the pages themselves: it hears what is typed before any file could come.
pub struct Early {
    element: String,
    /// By which the pages' policy knows it: `'sha256-…'`.
    pub source: String,
}

pub static EARLY: LazyLock<Early> = LazyLock::new(|| {
    let text = STATIC.file("early.js").and_then(|file| file.text().ok()).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let script = lines.collect::<Vec<_>>().join("\n");
    let source = format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(&script)));
    Early { element: format!("<script>{script}</script>"), source }
});

/// The address of a static file, under which browsers may keep it for good: with another content it has another.
fn asset(name: &str) -> String {
    static KNOWN: LazyLock<Mutex<BTreeMap<String, String>>> = LazyLock::new(Mutex::default);
    let address = || {
        let tag = STATIC.file(name).map(|file| file.tag());
        tag.map_or_else(|| format!("/static/{name}"), |tag| format!("/static/{name}?v={tag:016x}"))
    };
    // While developing a file changes under the program.
    if cfg!(debug_assertions) {
        return address();
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(address).clone()
}

/// A value in a page: nothing for none, and text as it is but for what HTML would take for its own. The engine writes
/// each slash as six characters besides, and a page of orders is full of addresses.
fn shown(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        _ if value.is_none() => Ok(()),
        Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => {
            escape(out, text).map_err(|e| minijinja::Error::new(ErrorKind::WriteFailure, e.to_string()))
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// A slash too where it would end an element, should somebody ever forget the quotes.
fn escape(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let word = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#x27;",
            b'/' if text[..at].ends_with('<') => "&#x2f;",
            _ => continue,
        };
        out.write_str(&text[from..at])?;
        out.write_str(word)?;
        from = at + 1;
    }
    out.write_str(&text[from..])
}

/// The tags that no word can stand beside: the end of a line after one of them says nothing.
const APART: [&str; 52] = [
    "tr", "/tr", "td", "/td", "th", "/th", "thead", "/thead", "tbody", "/tbody", "table", "/table", "select",
    "/select", "/option", "dl", "/dl", "dt", "/dt", "dd", "/dd", "/li", "/ol", "/ul", "div", "/div", "p", "/p", "h1",
    "/h1", "h2", "/h2", "h3", "/h3", "section", "/section", "article", "/article", "header", "/header", "nav", "/nav",
    "form", "/form", "figure", "/figure", "details", "/details", "/summary", "main", "/main", "/html",
];

/// Whether a line, without the tags of the engine at its end, ends in such a tag.
fn ends_apart(line: &str) -> bool {
    let mut line = line;
    while let Some((before, _)) = line.strip_suffix("%}").and_then(|line| line.rsplit_once("{%")) {
        line = before.trim_end();
    }
    let last = line.strip_suffix('>').and_then(|line| line.rsplit_once('<'));
    last.and_then(|(_, tag)| tag.split_whitespace().next()).is_some_and(|name| APART.contains(&name))
}

/// A template as it is sent: what makes it readable, one element a line and tags in lines of their own, costs no byte of
/// the page but the end of a line that parts words.
fn sent(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    for line in template.lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(line);
        let alone = line.starts_with("{%") && line.ends_with("%}") && line.matches("{%").count() == 1;
        if !alone && !ends_apart(line) {
            text.push('\n');
        }
    }
    text
}

/// A line icon of the sprite, by its name there; it is decoration, the words beside it say what it means.
fn icon(name: &str, class: Option<&str>) -> Value {
    let class = class.unwrap_or_default();
    let gap = if class.is_empty() { "" } else { " " };
    Value::from_safe_string(format!(
        "<svg class=\"i{gap}{class}\" aria-hidden=\"true\"><use href=\"/static/icons.svg#{name}\"/></svg>"
    ))
}

/// Numbers that templates ask for by name, `frame.most.memo`: looked up one by one, for no page shows all of them.
#[derive(Clone, Copy, Debug)]
pub struct Numbers(pub fn(&str) -> Option<usize>);

impl Object for Numbers {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        (self.0)(name.as_str()?).map(Value::from)
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from_object(*self).serialize(serializer)
    }
}

/// A page made of a template, by the path of its file, and what it is to show. It is made here and not by Rocket's engine,
/// which would first write all of it into values of its own, a quarter of what a page of orders costs.
pub fn page(template: &str, context: impl Serialize) -> Template {
    #[derive(Serialize)]
    struct Made {
        page: String,
    }
    match ENGINE.get_template(template).and_then(|known| known.render(context)) {
        Ok(page) => Template::render(PAGE, Made { page }),
        Err(e) => {
            log::error!("{template}: {e:#}");
            // Which Rocket does not know either, and answers so.
            Template::render("", ())
        }
    }
}

/// The engine insists on a path that exists. A file is one without templates in it; a folder is watched for changes.
pub fn with_template_dir(figment: Figment) -> Figment {
    let debug = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    if cfg!(debug_assertions) && std::path::Path::new(debug).is_dir() {
        return figment.merge(("template_dir", debug));
    }
    match std::env::current_exe() {
        Ok(exe) => figment.merge(("template_dir", exe)),
        Err(_) => figment,
    }
}

/// What a template makes of a page when nothing that it asks for may be missing, not even in a condition.
#[cfg(test)]
pub fn strictly(template: &str, page: impl Serialize) -> Result<String, minijinja::Error> {
    let mut env = Environment::new();
    prepare(&mut env);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.get_template(template)?.render(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_stays_text() {
        let mut env = Environment::new();
        prepare(&mut env);
        env.add_template("t.html", "<p title=\"{{ a }}\">{{ a }}{{ none }}{{ 3 }}{{ icon('x') }}</p>").unwrap();
        let html =
            env.get_template("t.html").unwrap().render(minijinja::context! { a => "</p>/a?b&c=\"'梨", none => () });
        let a = "&lt;&#x2f;p&gt;/a?b&amp;c=&quot;&#x27;梨";
        assert!(html.unwrap().starts_with(&format!("<p title=\"{a}\">{a}3<svg")));
    }

    #[test]
    fn lines_of_a_template_cost_a_page_no_more_than_their_end() {
        for (template, expected) in [
            (
                "<ul>\n  {% for a in list %}\n  <li>{{ a }}</li>\n\n  {% endfor %}\n</ul>",
                "<ul>\n{% for a in list %}<li>{{ a }}</li>{% endfor %}</ul>",
            ),
            ("{% if b %}x{% endif %}\ny", "{% if b %}x{% endif %}\ny\n"),
            ("{% if b %}<p>x</p>{% endif %}\n<a>y</a>\nz", "{% if b %}<p>x</p>{% endif %}<a>y</a>\nz\n"),
        ] {
            assert_eq!(sent(template), expected);
        }
    }

    /// Where a text would be sent with the end of a line inside, between its words or beside what is filled in.
    fn broken_texts(sent: &str) -> Vec<&str> {
        let (mut broken, mut at, mut in_text, mut ended) = (Vec::new(), 0, false, None);
        let end = |from: usize, mark: &str| sent[from..].find(mark).map_or(sent.len(), |n| from + n + mark.len());
        while let Some(next) = sent[at..].chars().next() {
            let rest = &sent[at..];
            let (to, text) = match next {
                _ if rest.starts_with("{%") || rest.starts_with("{#") => {
                    let to = end(at, if rest.starts_with("{%") { "%}" } else { "#}" });
                    ended = ended.filter(|_| !rest[2..].starts_with('-'));
                    let word = rest[2..].trim_start_matches('-').split_whitespace().next();
                    if word.is_some_and(|word| ["block", "endblock", "macro", "endmacro", "include"].contains(&word)) {
                        (in_text, ended) = (false, None);
                    }
                    at = to;
                    continue;
                }
                _ if rest.starts_with("{{") => {
                    let name = rest[2..].trim_start_matches('-').trim_start();
                    ended = ended.filter(|_| !rest[2..].starts_with('-'));
                    // What a macro makes has elements of its own.
                    let call = name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with('(');
                    (end(at, "}}"), !call)
                }
                '<' => {
                    let (mut to, mut quoted) = (at + 1, false);
                    while to < sent.len() && (quoted || sent.as_bytes()[to] != b'>') {
                        match &sent[to..] {
                            inner if inner.starts_with("{%") => to = end(to, "%}"),
                            inner if inner.starts_with("{{") => to = end(to, "}}"),
                            inner => {
                                quoted ^= inner.starts_with('"');
                                to += inner.chars().next().map_or(1, char::len_utf8);
                            }
                        }
                    }
                    (to + 1, false)
                }
                _ if next.is_whitespace() => {
                    ended = ended.or((next == '\n').then_some(at));
                    at += next.len_utf8();
                    continue;
                }
                _ => (at + next.len_utf8(), true),
            };
            if let Some(line) = ended.filter(|_| in_text && text) {
                let begins = sent[..line].char_indices().rev().nth(30).map_or(0, |(n, _)| n);
                broken.push(&sent[begins..to]);
            }
            (at, in_text, ended) = (to, text, None);
        }
        broken
    }

    #[test]
    fn the_end_of_a_line_parts_elements_and_no_sentence() {
        for (template, expected) in [
            ("<p>售罄\n{{ n }}</p>", 1),
            ("<p>{{ n }}\n件</p>", 1),
            ("<p>有\n{% if n > 3 %}很多{% endif %}</p>", 1),
            ("<p>有\n{%- if n > 3 %}很多{% endif %}</p>", 0),
            ("<p>有 {{ n }}\n<b title=\"a > b\">件</b>\n</p>\n<p>好</p>", 0),
            ("{% block a %}好{% endblock %}\n{% block b %}好{% endblock %}", 0),
        ] {
            assert_eq!(broken_texts(&sent(template)).len(), expected, "{template}");
        }
        for name in TEMPLATES.paths() {
            let text = sent(&TEMPLATES.file(&name).unwrap().text().unwrap());
            assert_eq!(
                broken_texts(&text),
                Vec::<&str>::new(),
                "{name}: whoever reads the page as text finds it there"
            );
        }
    }

    #[test]
    fn every_template_compiles() {
        let mut env = Environment::new();
        prepare(&mut env);
        assert!(TEMPLATES.paths().len() > 50);
        for name in TEMPLATES.paths() {
            env.get_template(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    #[test]
    fn every_icon_that_a_page_asks_for_is_in_the_sprite() {
        let sprite = STATIC.file("icons.svg").unwrap().text().unwrap();
        let mut asked = 0;
        for name in TEMPLATES.paths() {
            let text = TEMPLATES.file(&name).unwrap().text().unwrap();
            for icon in text.split("icon(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(sprite.contains(&format!("id=\"{icon}\"")), "{name}: {icon}");
                asked += 1;
            }
        }
        assert!(asked > 10);
    }
}
