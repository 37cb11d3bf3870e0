//! Tables of products: out, in, and looked at before they change anything.

use std::collections::BTreeSet;

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use crate::assets;
use crate::catalogue::import::{
    self, Again, Column, Done, FILLED, NUMBERS, Plan, Ran, Verdict, WANTED, Waiting, store as imports,
};
use crate::catalogue::{media, store};
use crate::clock::{self, Day};
use crate::console::{Download, back, download, frame, upload, workbook};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ImportId;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Manager, Staff};
use crate::tables;

/// So many rows of one verdict are listed one by one: a page of thousands is slow to make and to look at. The others are
/// ticked together, and listed when somebody asks.
const LISTED: usize = 300;
/// So many when somebody asks for all of them: more is looked at in a spreadsheet.
const MOST_LISTED: usize = 5_000;
/// Rows that change nothing are counted, and a few are shown.
const SAME_LISTED: usize = 20;

pub fn routes() -> Vec<Route> {
    routes![export, export_csv, template, page, bring, check, run]
}

/// Every product in the columns that an import reads, so that a table can go out, be edited and come back.
async fn all(shop: &Shop) -> Result<Vec<Vec<String>>> {
    let read = |conn: &rusqlite::Connection| {
        let categories = store::categories(conn)?;
        let mut rows = Vec::new();
        for id in store::all_ids(conn)? {
            if let Some(product) = store::product(conn, id)? {
                let on_sale = product.skus.iter().filter(|sku| sku.enabled);
                rows.extend(on_sale.map(|sku| import::row(&product, sku, &categories)));
            }
        }
        Ok(rows)
    };
    shop.read_slowly(read).await
}

#[get("/products/export.xlsx", rank = 1)]
async fn export(shop: &State<Shop>, _staff: Manager) -> Result<Download> {
    let name = format!("商品-{}.xlsx", Day::of(shop.now()).shown());
    workbook(&name, &import::titles(), &NUMBERS, all(shop).await?).await
}

#[get("/products/export.csv", rank = 1)]
async fn export_csv(shop: &State<Shop>, _staff: Manager) -> Result<Download> {
    let bytes = tables::csv(&import::titles(), &NUMBERS, &all(shop).await?);
    Ok(download(ContentType::CSV, &format!("商品-{}.csv", Day::of(shop.now()).shown()), bytes))
}

/// An empty table with two rows that show how it is filled in.
#[get("/products/import/template.xlsx")]
async fn template(_staff: Manager) -> Result<Download> {
    let row = |spec: &str, code: &str, stock: &str| {
        let product =
            ["示例T恤（导入前删掉这两行）", "纯棉", "服装/上衣", spec, code, "59.90", "89.00", stock, "", "否"];
        [product.as_slice(), &["", "250", "30.00"]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let rows = vec![row("颜色:红;尺码:L", "TS-RED-L", "20"), row("颜色:蓝;尺码:L", "TS-BLUE-L", "20")];
    workbook("商品导入模板.xlsx", &import::titles()[..FILLED], &NUMBERS, rows).await
}

#[get("/products/import", rank = 1)]
async fn page(shop: &State<Shop>, staff: Manager, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    form(shop, &staff.0, flash, Vec::new()).await
}

async fn form(shop: &Shop, staff: &Staff, flash: Option<FlashMessage<'_>>, problems: Vec<String>) -> Result<Template> {
    let context = context! {
        frame: frame(shop, staff, "products", flash).await?,
        section: "import", problems, columns: &import::titles()[..FILLED], empty_it: import::EMPTY_IT,
        most_rows: format!("{} 万", tables::MOST_ROWS / 10_000), most_mib: tables::MOST_BYTES / 1024 / 1024,
    };
    Ok(assets::page("console/products_import.html", context))
}

#[derive(FromForm)]
struct Bring<'r> {
    file: TempFile<'r>,
}

/// Reads a table and keeps it; nothing of the catalogue is changed before somebody has looked at it.
#[post("/products/import", data = "<form_data>")]
async fn bring(
    shop: &State<Shop>,
    staff: Manager,
    form_data: Form<Bring<'_>>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let read = |bytes: &[u8]| {
        let table = tables::read(bytes, &WANTED).map_err(|problem| vec![problem.to_string()])?;
        import::plan(&table, None)
    };
    let plan = match upload::heavily(shop, &form_data.file, read).await? {
        Ok(plan) => plan,
        Err(problems) => return Ok(Err(form(shop, &staff.0, None, problems).await?)),
    };
    let id = keep(shop, &staff.0, plan).await?;
    stamp(shop, id).await?;
    Ok(Ok(Flash::success(Redirect::to(check_at(id)), "还没有改动任何商品：请先核对，再导入")))
}

fn check_at(id: ImportId) -> String {
    format!("/admin/products/imports/{id}")
}

async fn keep(shop: &Shop, staff: &Staff, plan: Plan) -> Result<ImportId> {
    let who = staff.name.clone();
    let write = move |tx: &Tx| {
        for picture in &plan.pictures {
            picture.store(tx)?;
        }
        Ok(imports::insert(tx, &who, &plan.notes, &plan.rows)?)
    };
    shop.write_large(write).await
}

/// Notes what the page of a table is about to show.
async fn stamp(shop: &Shop, id: ImportId) -> Result<()> {
    let read = move |conn: &rusqlite::Connection| {
        let kept = imports::by_id(conn, id)?.ok_or(Code::NotFound)?;
        Ok(import::waiting(conn, &kept.rows, |_| false)?.1)
    };
    let shown = shop.read_slowly(read).await?;
    shop.write(move |tx| Ok(imports::set_shown(tx, id, &shown)?)).await
}

#[get("/products/imports/<id>?<all>", rank = 1)]
async fn check(
    shop: &State<Shop>,
    staff: Manager,
    flash: Option<FlashMessage<'_>>,
    id: ImportId,
    all: Option<bool>,
) -> Result<Template> {
    let most = if all == Some(true) { MOST_LISTED } else { LISTED };
    let read = move |conn: &rusqlite::Connection| {
        let kept = imports::by_id(conn, id)?.ok_or(Code::NotFound)?;
        let again = import::again(conn, Some(id), &kept.rows)?;
        let added: BTreeSet<usize> = again.iter().flat_map(|again| again.rows.iter().copied()).collect();
        // Said of are those that are listed.
        let mut said = [0_usize; Verdict::ALL.len()];
        let keep = |one: &Waiting| {
            let n = &mut said[one.verdict as usize];
            *n += 1;
            *n <= most || one.doubtful || added.contains(&one.at) || kept.shown.differs(one.at, one.mark)
        };
        let (rows, now) = import::waiting(conn, &kept.rows, keep)?;
        Ok((rows, now, again, added, kept))
    };
    let (rows, now, again, added, kept) = shop.read_slowly(read).await?;
    let moved = |one: &Waiting| kept.shown.differs(one.at, one.mark);
    let asked = |one: &Waiting| one.doubtful || added.contains(&one.at);
    let group = |verdict: Verdict, most: usize| {
        let rows: Vec<&Waiting> = rows.iter().filter(|one| one.verdict == verdict).collect();
        shown(&rows, most, &moved, &asked, &kept.rows)
    };
    let on_shelf = |row: &import::Row| row.said(Column::OnShelf).is_some();
    let done: Vec<_> = kept.rows.iter().filter_map(|row| Some((&row.line, row.done.as_ref()?))).collect();
    let context = context! {
        frame: frame(shop, &staff.0, "products", flash).await?,
        section: "import",
        id, who: &kept.who, at: clock::shown(kept.at), n: kept.rows.len(), notes: &kept.notes,
        ran: kept.ran_at.map(clock::shown), done_count: done.len(), done: &done[..done.len().min(most)],
        again: again.map(|Again { ran_at, rows }| {
            let lines: Vec<&str> = rows.iter().take(SAME_LISTED).map(|at| kept.rows[*at].line.as_str()).collect();
            json!({ "at": clock::shown(ran_at), "n": rows.len(), "lines": lines })
        }),
        refused: group(Verdict::Refused, most),
        changed: group(Verdict::Changed, most),
        added: group(Verdict::New, most),
        same: group(Verdict::Same, if most > LISTED { most } else { SAME_LISTED }),
        unshelved: rows.iter().filter(|one| one.new_goods && !on_shelf(&kept.rows[one.at])).count(),
        moved: rows.iter().filter(|one| moved(one)).count(), seen: now.page(),
    };
    Ok(assets::page("console/products_check.html", context))
}

/// The first rows of a verdict one by one, before all those that have become others and those that somebody is asked about,
/// which are never ticked unseen; and which the others are.
fn shown(
    rows: &[&Waiting],
    most: usize,
    moved: &dyn Fn(&Waiting) -> bool,
    asked: &dyn Fn(&Waiting) -> bool,
    table: &[import::Row],
) -> Value {
    let (mut listed, mut others): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|one| moved(one) || asked(one));
    others.extend(listed.split_off(listed.len().min(MOST_LISTED)));
    others.sort_by_key(|one| one.at);
    let rest = others.split_off(most.saturating_sub(listed.len()).min(others.len()));
    listed.append(&mut others);
    let change = |change: &import::Change| json!({ "what": change.what, "was": change.was, "is": change.is });
    let row = |one: &Waiting| {
        let judged = one.judged.as_ref()?;
        let changes: Vec<Value> = judged.changes.iter().map(change).collect();
        let pictures: Vec<String> = judged.pictures.iter().map(media::thumb).collect();
        Some(json!({
            "at": one.at, "line": judged.line, "name": judged.name, "spec": judged.spec, "note": judged.note,
            "doubt": judged.doubt, "beside": judged.beside, "left": judged.left, "pictures": pictures, "changes": changes, "moved": moved(one), "asked": asked(one),
        }))
    };
    let line = |one: &Waiting| &table[one.at].line;
    let ends = rest.first().zip(rest.last()).map(|(first, last)| [line(first), line(last)]);
    let places: Vec<usize> = rest.iter().filter(|one| !asked(one)).map(|one| one.at).collect();
    json!({
        "n": rows.len(), "rows": listed.into_iter().filter_map(row).collect::<Vec<_>>(), "more": rest.len(),
        "ends": ends, "rest": spans(&places),
    })
}

/// Ascending numbers as `3-5,9`.
fn spans(places: &[usize]) -> String {
    let runs = places.chunk_by(|one, next| one + 1 == *next);
    let run = |run: &[usize]| match run {
        [first, .., last] => format!("{first}-{last}"),
        alone => alone.iter().map(usize::to_string).collect(),
    };
    runs.map(run).collect::<Vec<_>>().join(",")
}

#[derive(FromForm)]
struct Ticks {
    row: Vec<usize>,
    /// Rows that were not listed, as `spans` writes them.
    rest: Vec<String>,
    /// The mark of the page on which they were ticked.
    seen: Option<String>,
}

impl Ticks {
    fn rows(&self) -> BTreeSet<usize> {
        let run = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let last = last.parse::<usize>().ok()?.min(tables::MOST_ROWS);
            Some(first.parse::<usize>().ok()?..=last)
        };
        let rest = self.rest.iter().flat_map(|spans| spans.split(',')).filter_map(run).flatten();
        self.row.iter().copied().chain(rest).collect()
    }
}

/// Carries out the rows that were ticked, in one transaction, if each is still what the page has shown.
#[post("/products/imports/<id>/run", data = "<ticks>")]
async fn run(shop: &State<Shop>, staff: Manager, id: ImportId, ticks: Form<Ticks>) -> Flash<Redirect> {
    back(check_at(id), carry_out(shop, staff.0, id, ticks.into_inner()).await)
}

async fn carry_out(shop: &Shop, staff: Staff, id: ImportId, ticks: Ticks) -> Result<String> {
    let ticked = ticks.rows();
    if ticked.is_empty() {
        return Err(Error::field("row", "没有勾选任何一行"));
    }
    let read = move |conn: &rusqlite::Connection| {
        let kept = imports::by_id(conn, id)?.ok_or(Code::NotFound)?;
        let (mut rows, now) = import::waiting(conn, &kept.rows, |_| false)?;
        rows.retain(|one| ticked.contains(&one.at));
        Ok((rows, now, kept))
    };
    let (mut rows, now, kept) = shop.read_slowly(read).await?;
    if rows.is_empty() {
        return Err(Error::field("row", "勾选的行都已经导入过了"));
    }
    if let Err(next) = kept.shown.agreed(now, ticks.seen.as_deref(), rows.iter().map(|one| one.at)) {
        let why = Error::from(Code::OrderState).says(next.why());
        shop.write(move |tx| Ok(imports::set_shown(tx, id, &next)?)).await?;
        return Err(why);
    }
    rows.retain(|one| matches!(one.verdict, Verdict::New | Verdict::Changed));
    if rows.is_empty() {
        return Err(Error::field("row", "勾选的行没有要改的：和店里一样"));
    }
    let by = staff.clone();
    let noted = move |tx: &Tx, done: &Done| Ok(audit(tx, &by, &format!("商品表 {id}：{}", in_words(done)))?);
    let Ran { done, stopped } = import::run(shop, &kept, rows, staff.id, noted).await?;
    // Unless it ended early: what is left then is shown against what was seen.
    match stopped {
        None => stamp(shop, id).await?,
        Some(why) if done.skus == 0 => return Err(why),
        Some(why) => return Err(Error::from(why.code).says(format!("{}。{}", in_words(&done), why.message()))),
    }
    Ok(in_words(&done))
}

fn in_words(done: &Done) -> String {
    format!("已导入 {} 个商品（新增 {}）、{} 个规格", done.products, done.added, done.skus)
}
