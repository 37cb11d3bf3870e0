//! Categories: a tree of two levels, in the order in which buyers see it.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use super::category_options;
use crate::assets;
use crate::catalogue::Category;
use crate::catalogue::lists::{self, Listing, Shelf};
use crate::catalogue::rules;
use crate::catalogue::store::{self, Place};
use crate::console::{back_undoable, frame, query_string};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::CategoryId;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![page, add, change, shift, ask_delete, delete]
}

const HERE: &str = "/admin/categories";

#[get("/categories")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let all = shop.read(|conn| Ok(store::categories(conn)?)).await?;
    let shown = |category: &Category| {
        json!({
            "id": category.id, "name": category.name, "parent": category.parent_id, "visible": category.visible, "n": category.own_count,
            "empty": category.own_count == 0 && !all.iter().any(|c| c.parent_id == Some(category.id)),
            "leaf": !all.iter().any(|c| c.parent_id == Some(category.id)),
        })
    };
    let tree: Vec<Value> = all
        .iter()
        .filter(|category| category.parent_id.is_none())
        .map(|top| {
            let below: Vec<Value> = all.iter().filter(|c| c.parent_id == Some(top.id)).map(shown).collect();
            json!({ "top": shown(top), "below": below })
        })
        .collect();
    let context = context! {
        frame: frame(shop, &staff.0, "products", flash).await?,
        section: "categories", may_edit: staff.0.role >= Role::Manager, tree, all: category_options(&all),
    };
    Ok(assets::page("console/categories.html", context))
}

fn checked(name: &str) -> Result<String> {
    rules::category(name).map_err(|problem| Error::field("name", problem))
}

/// What was done, and the form that takes it back; empty where nothing does.
struct Done {
    what: String,
    undo: String,
}

impl From<String> for Done {
    fn from(what: String) -> Done {
        Done { what, undo: String::new() }
    }
}

/// Changes something and writes down what.
async fn act(
    shop: &Shop,
    staff: Manager,
    write: impl Fn(&Tx, &[Category]) -> Result<Done> + Send + 'static,
) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let done = write(tx, &store::categories(tx)?)?;
        audit(tx, &staff.0, &done.what)?;
        Ok(done)
    };
    back_undoable(HERE, shop.write(write).await.map(|done| (done.what, done.undo)))
}

fn known(all: &[Category], id: CategoryId) -> Result<&Category> {
    all.iter().find(|c| c.id == id).ok_or_else(|| Code::NotFound.into())
}

#[derive(FromForm)]
struct New {
    name: String,
    #[field(default = String::new())]
    parent: String,
}

#[post("/categories", data = "<form>")]
async fn add(shop: &State<Shop>, staff: Manager, form: Form<New>) -> Flash<Redirect> {
    let New { name, parent } = form.into_inner();
    let write = move |tx: &Tx, all: &[Category]| {
        let name = checked(&name)?;
        let parent: Option<CategoryId> = parent.parse().ok();
        if let Some(parent) = parent
            && known(all, parent)?.parent_id.is_some()
        {
            return Err(Error::field("parent", "分类最多两级"));
        }
        if all.iter().any(|c| c.parent_id == parent && c.name == name) {
            return Err(Error::field("name", format!("已经有分类「{name}」")));
        }
        store::category_named(tx, parent, &name)?;
        store::raise_version(tx)?;
        Ok(format!("新建分类「{name}」").into())
    };
    act(shop, staff, write).await
}

#[derive(FromForm)]
struct Change {
    name: String,
    #[field(default = false)]
    visible: bool,
}

#[post("/categories/<id>", data = "<form>")]
async fn change(shop: &State<Shop>, staff: Manager, id: CategoryId, form: Form<Change>) -> Flash<Redirect> {
    let Change { name, visible } = form.into_inner();
    let write = move |tx: &Tx, all: &[Category]| {
        let (name, before) = (checked(&name)?, known(all, id)?);
        if all.iter().any(|c| c.id != id && c.parent_id == before.parent_id && c.name == name) {
            return Err(Error::field("name", format!("已经有分类「{name}」")));
        }
        store::rename_category(tx, id, &name)?;
        store::show_category(tx, id, visible)?;
        let shown = if visible { "显示" } else { "隐藏" };
        let was = [("name", before.name.as_str()), ("visible", if before.visible { "true" } else { "" })];
        Ok(Done {
            what: format!("分类「{}」→「{name}」，{shown}", before.name),
            undo: format!("{HERE}/{id}?{}", query_string(&was)),
        })
    };
    act(shop, staff, write).await
}

#[derive(FromForm)]
struct Shift {
    up: Option<bool>,
    /// How many of those beside it stand before it: where it was dropped.
    after: Option<usize>,
}

#[post("/categories/<id>/move", data = "<form>")]
async fn shift(shop: &State<Shop>, staff: Manager, id: CategoryId, form: Form<Shift>) -> Flash<Redirect> {
    let (place, where_to) = match (form.after, form.up) {
        (Some(n), _) => (Place::After(n), format!("移到第 {} 位", n.saturating_add(1))),
        (None, Some(true)) => (Place::Up, "上移".to_owned()),
        (None, _) => (Place::Down, "下移".to_owned()),
    };
    let write = move |tx: &Tx, all: &[Category]| {
        let here = known(all, id)?;
        let stood = all.iter().filter(|c| c.parent_id == here.parent_id).take_while(|c| c.id != id).count();
        store::move_category(tx, id, place)?;
        Ok(Done {
            what: format!("分类「{}」{where_to}", here.name), undo: format!("{HERE}/{id}/move?after={stood}")
        })
    };
    act(shop, staff, write).await
}

/// Before a category goes: what would move, and where to.
#[get("/categories/<id>/delete")]
async fn ask_delete(shop: &State<Shop>, staff: Manager, id: CategoryId) -> Result<Template> {
    const SHOWN: i64 = 5;
    let listing = Listing { category: Some(id), shelf: Shelf::On, limit: SHOWN, ..Listing::default() };
    let read = move |conn: &rusqlite::Connection| Ok((store::categories(conn)?, lists::store::list(conn, &listing)?));
    let (all, goods) = shop.read(read).await?;
    let gone = known(&all, id)?;
    let others: Vec<Category> = all.iter().filter(|c| c.id != id).cloned().collect();
    let context = context! {
        frame: frame(shop, &staff.0, "products", None).await?,
        id, name: &gone.name, n: gone.own_count,
        below: all.iter().filter(|c| c.parent_id == Some(id)).map(|c| c.name.as_str()).collect::<Vec<_>>(),
        goods: goods.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(),
        others: category_options(&others),
    };
    Ok(assets::page("console/category_delete.html", context))
}

#[derive(FromForm)]
struct Delete {
    /// Where its products go; empty is no category, which only an empty one may.
    #[field(default = String::new())]
    to: String,
}

#[post("/categories/<id>/delete", data = "<form>")]
async fn delete(shop: &State<Shop>, staff: Manager, id: CategoryId, form: Form<Delete>) -> Flash<Redirect> {
    let to = form.into_inner().to.parse::<CategoryId>().ok().filter(|to| *to != id);
    let write = move |tx: &Tx, all: &[Category]| {
        let gone = known(all, id)?;
        if all.iter().any(|c| c.parent_id == Some(id)) {
            return Err(Error::field("id", format!("「{}」下面还有小类，请先处理它们", gone.name)));
        }
        if gone.own_count > 0 && to.is_none() {
            return Err(Error::field(
                "to",
                format!("「{}」里还有 {} 个商品，请选择移到哪里", gone.name, gone.own_count),
            ));
        }
        let moved = to.map(|to| known(all, to)).transpose()?;
        store::delete_category(tx, id, to)?;
        let moved = moved.map_or(String::new(), |to| format!("，{} 个商品移到「{}」", gone.own_count, to.name));
        Ok(format!("删除分类「{}」{moved}", gone.name).into())
    };
    act(shop, staff, write).await
}
