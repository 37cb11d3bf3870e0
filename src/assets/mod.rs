//! Templates and static files: from disk while developing, inside the binary when released.

mod carried;
mod serve;

use rocket::figment::Figment;
use rocket_dyn_templates::Template;
use rocket_dyn_templates::minijinja::{self, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use carried::TEMPLATES;
pub use carried::{MINIPROGRAM, STATIC};
pub use serve::routes;

/// The one template that the engine knows from the start: it takes the place of whatever it is told.
const PAGE: &str = "page.html";

/// Every template, by the path of its file. Each is compiled when it is first asked for: compiled, they take ten times as
/// much memory, and nobody looks at all of them.
pub fn templates() -> impl rocket::fairing::Fairing {
    Template::try_custom(|engines| Ok(prepare(&mut engines.minijinja)?))
}

fn prepare(env: &mut Environment<'static>) -> Result<(), minijinja::Error> {
    // Without this line embedded templates are not escaped at all: the engine's own callback knows only disk files.
    env.set_auto_escape_callback(minijinja::default_auto_escape_callback);
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_formatter(
        |out, state, value| {
            if value.is_none() { Ok(()) } else { minijinja::escape_formatter(out, state, value) }
        },
    );
    env.set_loader(|name| {
        let text = TEMPLATES.file(name).map(carried::File::text);
        text.transpose().map_err(|e| minijinja::Error::new(ErrorKind::SyntaxError, e.to_string()))
    });
    env.add_function("icon", icon);
    env.add_template(PAGE, "{% extends template %}")
}

/// A line icon of the sprite, by its name there; it is decoration, the words beside it say what it means.
fn icon(name: &str, class: Option<&str>) -> minijinja::Value {
    let class = class.unwrap_or_default();
    let gap = if class.is_empty() { "" } else { " " };
    minijinja::Value::from_safe_string(format!(
        "<svg class=\"i{gap}{class}\" aria-hidden=\"true\"><use href=\"/static/icons.svg#{name}\"/></svg>"
    ))
}

/// A page made of a template, by the path of its file, and what it is to show.
pub fn page(template: &str, context: impl Serialize) -> Template {
    #[derive(Serialize)]
    struct Page<'a, C> {
        template: &'a str,
        #[serde(flatten)]
        context: C,
    }
    Template::render(PAGE, Page { template, context })
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
    prepare(&mut env)?;
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.get_template(template)?.render(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        let mut env = Environment::new();
        prepare(&mut env).unwrap();
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
