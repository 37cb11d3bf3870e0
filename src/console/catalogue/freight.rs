//! Freight templates for staff: listed with what they say, written, and taken away when nothing goes by them.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use crate::assets;
use crate::console::money::insights::TILES;
use crate::console::{Frame, back, form_mark, framed, must_be_of_now, waiting, wrong_fields};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::freight::rules::{Filled, FilledRow, MOST_ROWS};
use crate::freight::{By, Template as Freight, store};
use crate::ids::FreightId;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};

pub fn routes() -> Vec<Route> {
    routes![list, blank, page, create, change, remove]
}

const HERE: &str = "/admin/freight";
/// Rows for regions that a form has to spare.
const SPARE: usize = 2;

#[derive(Serialize)]
struct FreightsPage {
    frame: Frame,
    section: &'static str,
    templates: Vec<FreightShown>,
    may_edit: bool,
    owner: bool,
    /// What the settings say for goods without a template, and for regions.
    own: String,
    regions: String,
}

#[derive(Serialize)]
struct FreightShown {
    id: FreightId,
    name: String,
    by: &'static str,
    text: String,
    products: i64,
    /// SKUs that go by weight and have none.
    weightless: i64,
}

#[get("/freight")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read = |conn: &Connection| {
        let all = store::all(conn)?;
        let shown = all.iter().map(|template| Ok(shown(template, store::used(conn, template.id)?)));
        Ok((shown.collect::<Result<Vec<_>>>()?, waiting(conn)?))
    };
    let (templates, waits) = shop.read(read).await?;
    let settings = shop.settings();
    let page = FreightsPage {
        frame: framed(shop, &staff.0, "products", flash, waits),
        section: "freight",
        templates,
        may_edit: staff.0.role >= Role::Manager,
        owner: staff.0.role == Role::Owner,
        own: settings.freight_text(),
        regions: settings.regions.freight_text(),
    };
    Ok(assets::page("console/freights.html", page))
}

fn shown(template: &Freight, (products, weightless): (i64, i64)) -> FreightShown {
    let terms = &template.terms;
    FreightShown {
        id: template.id,
        name: terms.name.clone(),
        by: terms.by.text(),
        text: terms.text(),
        products,
        weightless: if terms.by == By::Weight { weightless } else { 0 },
    }
}

#[derive(FromForm, Clone, Default)]
struct FreightForm {
    #[field(default = String::new())]
    name: String,
    #[field(default = String::from("piece"))]
    by: String,
    rows: Vec<RowForm>,
    elsewhere: RowForm,
    /// A mark of what its page had shown.
    #[field(default = String::new())]
    seen: String,
}

#[derive(FromForm, Clone, Default)]
struct RowForm {
    #[field(default = String::new())]
    regions: String,
    #[field(default = false)]
    not_sent: bool,
    #[field(default = String::new())]
    first: String,
    #[field(default = String::new())]
    first_fee: String,
    #[field(default = String::new())]
    more: String,
    #[field(default = String::new())]
    more_fee: String,
    #[field(default = String::new())]
    free_from: String,
    #[field(default = false)]
    always: bool,
}

impl From<RowForm> for FilledRow {
    fn from(row: RowForm) -> FilledRow {
        let RowForm { regions, not_sent, first, first_fee, more, more_fee, free_from, always } = row;
        FilledRow { regions, not_sent, first, first_fee, more, more_fee, free_from, always }
    }
}

impl From<FreightForm> for Filled {
    fn from(form: FreightForm) -> Filled {
        let rows = form.rows.into_iter().map(FilledRow::from).collect();
        Filled { name: form.name, by: form.by, rows, elsewhere: form.elsewhere.into() }
    }
}

#[derive(Serialize)]
struct FreightPage {
    frame: Frame,
    section: &'static str,
    id: Option<FreightId>,
    /// What is wrong with fields, and what is wrong besides.
    problems: Vec<String>,
    other: Option<String>,
    /// The names of the fields that are wrong.
    wrong: Option<String>,
    seen: Option<String>,
    name: String,
    by: String,
    rows: Vec<FilledRow>,
    elsewhere: FilledRow,
    kinds: Vec<(&'static str, &'static str)>,
    /// The provinces, each where its tile stands on the map.
    tiles: &'static [(&'static str, i64, i64)],
    /// Products that go by it.
    used: i64,
    may_edit: bool,
}

fn kinds() -> Vec<(&'static str, &'static str)> {
    By::ALL.iter().map(|by| (by.word(), by.text())).collect()
}

async fn form(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    id: Option<FreightId>,
    filled: &Filled,
    wrong: Option<&Error>,
) -> Result<Template> {
    let spare = MOST_ROWS.saturating_sub(filled.rows.len()).min(SPARE);
    let rows = filled.rows.iter().cloned().chain(std::iter::repeat_n(FilledRow::default(), spare)).collect();
    let problems = wrong.into_iter().flat_map(|e| e.fields.values().filter_map(Value::as_str)).map(str::to_owned);
    let other = wrong.filter(|e| e.fields.is_empty()).map(Error::message);
    let read = move |conn: &Connection| {
        let (used, seen) = match id {
            Some(id) => (store::used(conn, id)?.0, store::by_id(conn, id)?.as_ref().map(marked)),
            None => (0, None),
        };
        Ok((used, seen, waiting(conn)?))
    };
    let (used, seen, waits) = shop.read(read).await?;
    let page = FreightPage {
        frame: framed(shop, staff, "products", flash, waits),
        section: "freight",
        id,
        problems: problems.collect(),
        other,
        wrong: wrong.map(wrong_fields),
        seen,
        name: filled.name.clone(),
        by: filled.by.clone(),
        rows,
        elsewhere: filled.elsewhere.clone(),
        kinds: kinds(),
        tiles: &TILES,
        used,
        may_edit: staff.role >= Role::Manager,
    };
    Ok(assets::page("console/freight.html", page))
}

#[get("/freight/new")]
async fn blank(shop: &State<Shop>, staff: Manager) -> Result<Template> {
    let filled = Filled { by: By::Piece.word().to_owned(), ..Filled::default() };
    form(shop, &staff.0, None, None, &filled, None).await
}

#[get("/freight/<id>", rank = 2)]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: FreightId) -> Result<Template> {
    let template = shop.read(move |conn| Ok(store::by_id(conn, id)?)).await?.ok_or(Code::NotFound)?;
    form(shop, &staff.0, flash, Some(id), &Filled::of(&template.terms), None).await
}

/// Where it went, or the form as it was typed.
type Next = std::result::Result<Flash<Redirect>, Result<Template>>;

#[post("/freight", data = "<filled>")]
async fn create(shop: &State<Shop>, staff: Manager, filled: Form<FreightForm>) -> Next {
    put(shop, &staff.0, None, filled.into_inner()).await
}

#[post("/freight/<id>", data = "<filled>")]
async fn change(shop: &State<Shop>, staff: Manager, id: FreightId, filled: Form<FreightForm>) -> Next {
    put(shop, &staff.0, Some(id), filled.into_inner()).await
}

async fn put(shop: &Shop, staff: &Staff, id: Option<FreightId>, typed: FreightForm) -> Next {
    let (seen, filled) = (typed.seen.clone(), Filled::from(typed));
    match save(shop, staff, id, &filled, seen).await {
        Ok(_) => Ok(back(HERE, Ok("运费模板已保存；没有下单的按新的算，已经下的单不变"))),
        Err(e) => Err(form(shop, staff, None, id, &filled, Some(&e)).await),
    }
}

/// A mark of a template as its form shows it.
fn marked(template: &Freight) -> String {
    let Filled { name, by, rows, elsewhere } = Filled::of(&template.terms);
    form_mark(&(name, by, rows, elsewhere))
}

async fn save(shop: &Shop, staff: &Staff, id: Option<FreightId>, filled: &Filled, seen: String) -> Result<FreightId> {
    let (terms, staff) = (filled.check()?, staff.clone());
    let write = move |tx: &Tx| {
        if let Some(id) = id {
            must_be_of_now(&seen, &marked(&store::by_id(tx, id)?.ok_or(Code::NotFound)?))?;
        }
        if store::named(tx, &terms.name)?.is_some_and(|other| Some(other) != id) {
            return Err(Error::field("name", format!("已经有模板叫「{}」，请换一个名称", terms.name)));
        }
        audit(tx, &staff, &format!("运费模板「{}」：{}", terms.name, terms.text()))?;
        Ok(store::put(tx, id, &terms)?)
    };
    shop.write(write).await
}

#[post("/freight/<id>/delete")]
async fn remove(shop: &State<Shop>, staff: Manager, id: FreightId) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let template = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let (products, _) = store::used(tx, id)?;
        if products > 0 {
            let words = format!("还有 {products} 个商品用它（回收站里的也算），请先给它们换一个");
            return Err(Error::from(Code::OrderState).says(words));
        }
        store::remove(tx, id)?;
        audit(tx, &staff.0, &format!("删除运费模板「{}」", template.terms.name))?;
        Ok("已删除")
    };
    back(HERE, shop.write(write).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_freight_ask_for_nothing_that_they_are_not_given() {
        let frame = || Frame::sample(Role::Owner);
        for full in [true, false] {
            let template = FreightShown {
                id: FreightId(1),
                name: "重货".into(),
                by: By::Weight.text(),
                text: "首重 1 公斤 8 元".into(),
                products: 3,
                weightless: 2,
            };
            let page = FreightsPage {
                frame: frame(),
                section: "freight",
                templates: if full { vec![template] } else { Vec::new() },
                may_edit: full,
                owner: full,
                own: "每单 8 元".into(),
                regions: String::new(),
            };
            let html = assets::strictly("console/freights.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("没有填重量"), html.contains("还没有模板")), (full, !full));
            let page = FreightPage {
                frame: frame(),
                section: "freight",
                id: full.then_some(FreightId(1)),
                problems: vec!["运费请填金额".into()],
                other: None,
                wrong: full.then(|| "name".into()),
                seen: full.then(|| "ab".into()),
                name: "重货".into(),
                by: "weight".into(),
                rows: vec![FilledRow::default(); 2],
                elsewhere: FilledRow::default(),
                kinds: kinds(),
                tiles: &TILES,
                used: 0,
                may_edit: true,
            };
            let html = assets::strictly("console/freight.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("确认删除"), html.contains("运费请填金额")), (full, true));
        }
    }
}
