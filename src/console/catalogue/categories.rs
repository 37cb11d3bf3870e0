//! Categories: a tree of two levels, in the order in which buyers see it.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use super::{CategoryOption, category_options};
use crate::assets;
use crate::catalogue::Category;
use crate::catalogue::lists::{self, Listing, Shelf};
use crate::catalogue::media::thumb;
use crate::catalogue::rules;
use crate::catalogue::store::{self, Place};
use crate::console::{Frame, back_undoable, framed, query_string, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::CategoryId;
use crate::promotions::{self, Phase, Promotion, Scope};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![page, add, change, shift, ask_delete, delete]
}

const HERE: &str = "/admin/categories";

#[derive(Serialize)]
struct CategoriesPage {
    frame: Frame,
    section: &'static str,
    may_edit: bool,
    tree: Vec<Branch>,
}

/// A category of the upper level, with those below it.
#[derive(Serialize)]
struct Branch {
    top: CategoryShown,
    below: Vec<CategoryShown>,
}

#[derive(Serialize)]
struct CategoryShown {
    id: CategoryId,
    name: String,
    parent: Option<CategoryId>,
    visible: bool,
    /// Products of its own.
    n: i64,
    /// None stands below it.
    leaf: bool,
    /// Some of its goods.
    pictures: Vec<String>,
}

/// So many goods of a category are shown.
const PICTURED: i64 = 5;

fn tree(conn: &Connection, all: &[Category]) -> Result<Vec<Branch>> {
    let below = |id: CategoryId| all.iter().filter(move |category| category.parent_id == Some(id));
    let shown = |category: &Category| {
        Ok(CategoryShown {
            id: category.id,
            name: category.name.clone(),
            parent: category.parent_id,
            visible: category.visible,
            n: category.own_count,
            leaf: below(category.id).next().is_none(),
            pictures: store::covers(conn, category.id, PICTURED)?.iter().map(thumb).collect(),
        })
    };
    let tops = all.iter().filter(|category| category.parent_id.is_none());
    let branch =
        |top: &Category| Ok(Branch { top: shown(top)?, below: below(top.id).map(shown).collect::<Result<_>>()? });
    tops.map(branch).collect()
}

#[get("/categories")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read = |conn: &Connection| Ok((tree(conn, &store::categories(conn)?)?, waiting(conn)?));
    let (tree, waits) = shop.read(read).await?;
    let page = CategoriesPage {
        frame: framed(shop, &staff.0, "products", flash, waits),
        section: "categories",
        may_edit: staff.0.role >= Role::Manager,
        tree,
    };
    Ok(assets::page("console/categories.html", page))
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
    /// What the page has shown of it: what somebody else has changed since is not taken back.
    was: Option<String>,
    #[field(default = false)]
    was_visible: bool,
}

impl Change {
    /// What is to be, of how it is: only what was changed on the page.
    fn of(&self, now: &Category) -> Result<(String, bool)> {
        let name = checked(&self.name)?;
        let Some(was) = &self.was else { return Ok((name, self.visible)) };
        let visible = if self.visible == self.was_visible { now.visible } else { self.visible };
        match () {
            () if name == *was => Ok((now.name.clone(), visible)),
            () if now.name != *was && now.name != name => {
                Err(Error::field("name", format!("「{was}」刚被改成了「{}」：请再看一遍", now.name)))
            }
            () => Ok((name, visible)),
        }
    }
}

#[post("/categories/<id>", data = "<form>")]
async fn change(shop: &State<Shop>, staff: Manager, id: CategoryId, form: Form<Change>) -> Flash<Redirect> {
    let change = form.into_inner();
    let write = move |tx: &Tx, all: &[Category]| {
        let before = known(all, id)?;
        let (name, visible) = change.of(before)?;
        if all.iter().any(|c| c.id != id && c.parent_id == before.parent_id && c.name == name) {
            return Err(Error::field("name", format!("已经有分类「{name}」")));
        }
        store::rename_category(tx, id, &name)?;
        store::show_category(tx, id, visible)?;
        let shown = (visible != before.visible).then(|| if visible { "改为显示" } else { "改为隐藏" }.to_owned());
        let renamed = (name != before.name).then(|| format!("改名为「{name}」"));
        let done: Vec<String> = [renamed, shown].into_iter().flatten().collect();
        let truth = |yes: bool| if yes { "true" } else { "false" };
        let was = [
            ("name", before.name.as_str()),
            ("visible", truth(before.visible)),
            ("was", name.as_str()),
            ("was_visible", truth(visible)),
        ];
        Ok(Done {
            what: format!("分类「{}」{}", before.name, if done.is_empty() { "没有变".into() } else { done.join("，") }),
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
    /// The category that it is put under; empty for the upper level.
    under: Option<String>,
}

#[post("/categories/<id>/move", data = "<form>")]
async fn shift(shop: &State<Shop>, staff: Manager, id: CategoryId, form: Form<Shift>) -> Flash<Redirect> {
    if let Some(under) = form.under.clone() {
        return act(shop, staff, move |tx: &Tx, all: &[Category]| put_under(tx, all, id, under.parse().ok())).await;
    }
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

/// A category that has none below it may be put under one of the upper level.
fn put_under(tx: &Tx, all: &[Category], id: CategoryId, under: Option<CategoryId>) -> Result<Done> {
    let here = known(all, id)?;
    let parent = under.map(|parent| known(all, parent)).transpose()?;
    if parent.is_some_and(|parent| parent.id == id || parent.parent_id.is_some()) {
        return Err(Error::field("under", "分类最多两级"));
    }
    if parent.is_some() && all.iter().any(|c| c.parent_id == Some(id)) {
        return Err(Error::field("under", format!("「{}」下面还有小类，先把它们移出来", here.name)));
    }
    if all.iter().any(|c| c.id != id && c.parent_id == under && c.name == here.name) {
        return Err(Error::field("under", format!("那里已经有分类「{}」", here.name)));
    }
    store::put_category(tx, id, under)?;
    let place = parent.map_or("最上层".to_owned(), |parent| format!("「{}」下面", parent.name));
    let was = here.parent_id.map(|parent| parent.to_string()).unwrap_or_default();
    Ok(Done { what: format!("分类「{}」移到{place}", here.name), undo: format!("{HERE}/{id}/move?under={was}") })
}

#[derive(Serialize)]
struct DeletePage {
    frame: Frame,
    id: CategoryId,
    name: String,
    /// Products of its own, and the names of the first ones.
    n: i64,
    goods: Vec<String>,
    below: Vec<String>,
    /// What its goods are cheaper by, as long as they are in it.
    promotions: Vec<String>,
    /// Where its products may go.
    others: Vec<CategoryOption>,
}

/// The names of the promotions on goods of these categories that have not ended.
pub(super) fn promotions_on(conn: &Connection, gone: &[CategoryId], now: i64) -> Result<Vec<String>> {
    let on_them = |promotion: &Promotion| {
        let Promotion { terms, .. } = promotion;
        let any = gone.iter().any(|id| terms.subjects.contains(&id.0));
        terms.scope == Scope::Categories && any && promotion.phase(now) != Phase::Ended
    };
    Ok(promotions::store::all(conn)?.into_iter().filter(on_them).map(|promotion| promotion.terms.name).collect())
}

/// Before a category goes: what would move, and where to.
#[get("/categories/<id>/delete")]
async fn ask_delete(shop: &State<Shop>, staff: Manager, id: CategoryId) -> Result<Template> {
    const SHOWN: i64 = 5;
    let listing = Listing { category: Some(id), shelf: Shelf::On, limit: SHOWN, ..Listing::default() };
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let promotions = promotions_on(conn, &[id], now)?;
        Ok((store::categories(conn)?, lists::store::list(conn, &listing)?, promotions, waiting(conn)?))
    };
    let (all, goods, promotions, waits) = shop.read(read).await?;
    let gone = known(&all, id)?;
    let others: Vec<Category> = all.iter().filter(|c| c.id != id).cloned().collect();
    let page = DeletePage {
        frame: framed(shop, &staff.0, "products", None, waits),
        id,
        name: gone.name.clone(),
        n: gone.own_count,
        goods: goods.iter().map(|item| item.name.clone()).collect(),
        below: all.iter().filter(|c| c.parent_id == Some(id)).map(|c| c.name.clone()).collect(),
        promotions,
        others: category_options(&others),
    };
    Ok(assets::page("console/category_delete.html", page))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_categories_ask_for_nothing_that_they_are_not_given() {
        let frame = || Frame::sample(Role::Manager);
        let shown = |id: i64, visible: bool| CategoryShown {
            id: CategoryId(id),
            name: "蛋糕".into(),
            parent: (id > 1).then_some(CategoryId(1)),
            visible,
            n: 2,
            leaf: id > 1,
            pictures: if visible { vec!["/media/1.jpg".into()] } else { Vec::new() },
        };
        for full in [true, false] {
            let branch = Branch { top: shown(1, true), below: vec![shown(2, false)] };
            let other = Branch { top: shown(3, true), below: Vec::new() };
            let tree = if full { vec![branch, other] } else { Vec::new() };
            let page = CategoriesPage { frame: frame(), section: "categories", may_edit: full, tree };
            let html = assets::strictly("console/categories.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("/admin/categories/2/delete"), html.contains("还没有分类")), (full, !full));
            let option = CategoryOption { id: CategoryId(3), name: "面包".into(), n: 0 };
            let page = DeletePage {
                frame: frame(),
                id: CategoryId(2),
                name: "蛋糕".into(),
                n: i64::from(full) * 9,
                goods: vec!["草莓蛋糕".into()],
                below: Vec::new(),
                promotions: if full { vec!["糕点九折".into()] } else { Vec::new() },
                others: vec![option],
            };
            let html = assets::strictly("console/category_delete.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("草莓蛋糕"), html.contains("里面没有商品")), (full, !full));
        }
    }
}
