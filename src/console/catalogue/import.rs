//! Tables of products: out, in, and looked at before they change anything.

use std::collections::BTreeSet;

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::catalogue::import::{
    self, Again, Column, Done, FILLED, NUMBERS, Plan, Ran, Verdict, WANTED, Waiting, store as imports,
};
use crate::catalogue::{media, store};
use crate::clock::{self, Day};
use crate::console::{Download, Frame, back, download, frame, framed, message, upload, waiting, workbook};
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
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let categories = store::categories(conn)?;
        let mut rows = Vec::new();
        for id in store::all_ids(conn)? {
            if let Some(product) = store::product(conn, id)? {
                let on_sale = product.skus.iter().filter(|sku| sku.enabled);
                rows.extend(on_sale.map(|sku| import::row(&product, sku, &categories, now)));
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

#[derive(Serialize)]
struct ImportPage {
    frame: Frame,
    section: &'static str,
    /// Why a table could not be taken in.
    problems: Vec<String>,
    columns: Vec<&'static str>,
    /// What a cell says that is to be empty.
    empty_it: &'static str,
    /// In ten thousands.
    most_rows: String,
    most_mib: usize,
}

async fn form(shop: &Shop, staff: &Staff, flash: Option<FlashMessage<'_>>, problems: Vec<String>) -> Result<Template> {
    let page = ImportPage {
        frame: frame(shop, staff, "products", flash).await?,
        section: "import",
        problems,
        columns: import::titles()[..FILLED].to_vec(),
        empty_it: import::EMPTY_IT,
        most_rows: format!("{} 万", tables::MOST_ROWS / 10_000),
        most_mib: tables::MOST_MIB,
    };
    Ok(assets::page("console/products_import.html", page))
}

#[derive(FromForm)]
struct Bring<'r> {
    file: Vec<TempFile<'r>>,
}

/// Reads a table and keeps it; nothing of the catalogue is changed before somebody has looked at it.
#[post("/products/import", data = "<form_data>")]
async fn bring(
    shop: &State<Shop>,
    staff: Manager,
    form_data: Form<Bring<'_>>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let today = Day::of(shop.now());
    let read = move |bytes: &[u8]| {
        let table = tables::read(bytes, &WANTED).map_err(|problem| vec![problem.to_string()])?;
        let mut plan = import::plan(&table, None)?;
        import::ask_about_days(&table, &mut plan.rows, today);
        Ok(plan)
    };
    let chosen = upload::only(&form_data.file, "file");
    let file = match chosen.and_then(|file| file.ok_or_else(|| Error::field("file", "请先选一个表格文件"))) {
        Ok(file) => file,
        Err(e) => return Ok(Err(form(shop, &staff.0, None, vec![message(&e)]).await?)),
    };
    let plan = match upload::heavily(shop, file, read).await? {
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

/// A table that waits, with the verdict on its rows.
#[derive(Serialize)]
struct CheckPage {
    frame: Frame,
    section: &'static str,
    id: ImportId,
    who: String,
    at: String,
    n: usize,
    notes: Vec<String>,
    ran: Option<String>,
    done_count: usize,
    /// The first of those that were carried out: where they stand, and what became of them.
    done: Vec<(String, String)>,
    again: Option<AgainShown>,
    before: Option<BeforeShown>,
    refused: Group,
    changed: Group,
    added: Group,
    same: Group,
    /// New ones that say nothing of the shelf.
    unshelved: usize,
    /// So many rows have become other ones since they were shown.
    moved: usize,
    /// A mark of all that is shown.
    seen: String,
}

/// Rows that another table has carried out already.
#[derive(Serialize)]
struct AgainShown {
    at: String,
    n: usize,
    lines: Vec<String>,
}

/// Rows of which this very table has carried out something before, and when it did last.
#[derive(Serialize)]
struct BeforeShown {
    at: String,
    n: usize,
}

/// Rows of one verdict: the first one by one, and which the others are.
#[derive(Serialize)]
struct Group {
    n: usize,
    rows: Vec<RowShown>,
    more: usize,
    ends: Option<[String; 2]>,
    /// Their places, as `spans` writes them.
    rest: String,
}

#[derive(Serialize)]
struct RowShown {
    at: usize,
    line: String,
    name: String,
    spec: String,
    note: String,
    doubt: String,
    /// What somebody should say yes to because of another row, and what was changed in the shop meanwhile and stays.
    beside: String,
    left: String,
    pictures: Vec<String>,
    changes: Vec<ChangeShown>,
    moved: bool,
    asked: bool,
}

#[derive(Serialize)]
struct ChangeShown {
    what: &'static str,
    was: String,
    is: String,
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
        Ok((rows, now, again, added, kept, waiting(conn)?))
    };
    let (rows, now, again, added, kept, waits) = shop.read_slowly(read).await?;
    let moved = |one: &Waiting| kept.shown.differs(one.at, one.mark);
    let asked = |one: &Waiting| one.doubtful || added.contains(&one.at);
    let group = |verdict: Verdict, most: usize| {
        let rows: Vec<&Waiting> = rows.iter().filter(|one| one.verdict == verdict).collect();
        shown(&rows, most, &moved, &asked, &kept.rows)
    };
    let on_shelf = |row: &import::Row| row.said(Column::OnShelf).is_some();
    let done: Vec<_> = kept.rows.iter().filter_map(|row| Some((row.line.clone(), row.done.clone()?))).collect();
    let again = again.map(|Again { ran_at, rows }| AgainShown {
        at: clock::shown(ran_at),
        n: rows.len(),
        lines: rows.iter().take(SAME_LISTED).map(|at| kept.rows[*at].line.clone()).collect(),
    });
    let before: Vec<i64> = rows.iter().filter_map(|one| one.before).collect();
    let before = before.iter().max().map(|at| BeforeShown { at: clock::shown(*at), n: before.len() });
    let page = CheckPage {
        frame: framed(shop, &staff.0, "products", flash, waits),
        section: "import",
        id,
        who: kept.who.clone(),
        at: clock::shown(kept.at),
        n: kept.rows.len(),
        notes: kept.notes.clone(),
        ran: kept.ran_at.map(clock::shown),
        done_count: done.len(),
        done: done.into_iter().take(most).collect(),
        again,
        before,
        refused: group(Verdict::Refused, most),
        changed: group(Verdict::Changed, most),
        added: group(Verdict::New, most),
        same: group(Verdict::Same, if most > LISTED { most } else { SAME_LISTED }),
        unshelved: rows.iter().filter(|one| one.new_goods && !on_shelf(&kept.rows[one.at])).count(),
        moved: rows.iter().filter(|one| moved(one)).count(),
        seen: now.page(),
    };
    Ok(assets::page("console/products_check.html", page))
}

/// The first rows of a verdict one by one, before all those that have become others and those that somebody is asked about,
/// which are never ticked unseen; and which the others are.
fn shown(
    rows: &[&Waiting],
    most: usize,
    moved: &dyn Fn(&Waiting) -> bool,
    asked: &dyn Fn(&Waiting) -> bool,
    table: &[import::Row],
) -> Group {
    let (mut listed, mut others): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|one| moved(one) || asked(one));
    others.extend(listed.split_off(listed.len().min(MOST_LISTED)));
    others.sort_by_key(|one| one.at);
    let rest = others.split_off(most.saturating_sub(listed.len()).min(others.len()));
    listed.append(&mut others);
    let change =
        |change: &import::Change| ChangeShown { what: change.what, was: change.was.clone(), is: change.is.clone() };
    let row = |one: &Waiting| {
        let judged = one.judged.as_ref()?;
        Some(RowShown {
            at: one.at,
            line: judged.line.clone(),
            name: judged.name.clone(),
            spec: judged.spec.clone(),
            note: judged.note.clone(),
            doubt: judged.doubt.clone(),
            beside: judged.beside.clone(),
            left: judged.left.clone(),
            pictures: judged.pictures.iter().map(media::thumb).collect(),
            changes: judged.changes.iter().map(change).collect(),
            moved: moved(one),
            asked: asked(one),
        })
    };
    let line = |one: &Waiting| table[one.at].line.clone();
    let ends = rest.first().zip(rest.last()).map(|(first, last)| [line(first), line(last)]);
    let places: Vec<usize> = rest.iter().filter(|one| !asked(one)).map(|one| one.at).collect();
    Group {
        n: rows.len(),
        rows: listed.into_iter().filter_map(row).collect(),
        more: rest.len(),
        ends,
        rest: spans(&places),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    fn group(n: usize) -> Group {
        let change = |was: &str| ChangeShown { what: "售价", was: was.into(), is: "19.90".into() };
        let row = |full: bool| RowShown {
            at: 0,
            line: "第 2 行".into(),
            name: "草莓蛋糕".into(),
            spec: "6 寸".into(),
            note: if full { "售价请填金额".into() } else { String::new() },
            doubt: if full { "差得很远".into() } else { String::new() },
            beside: if full { "规格名改成“尺寸”".into() } else { String::new() },
            left: if full { "图片不动".into() } else { String::new() },
            pictures: if full { vec!["/media/a.jpg".into()] } else { Vec::new() },
            changes: vec![change(""), change("20.00")],
            moved: full,
            asked: full,
        };
        let ends = Some(["第 3 行".to_owned(), "第 9 行".to_owned()]);
        Group { n, rows: (0..n.min(2)).map(|n| row(n > 0)).collect(), more: n, ends, rest: "2-8".into() }
    }

    #[test]
    fn pages_of_a_table_ask_for_nothing_that_they_are_not_given() {
        for full in [true, false] {
            let page = ImportPage {
                frame: Frame::sample(Role::Manager),
                section: "import",
                problems: if full { vec!["没有认出品名".into()] } else { Vec::new() },
                columns: import::titles()[..FILLED].to_vec(),
                empty_it: import::EMPTY_IT,
                most_rows: "10 万".into(),
                most_mib: 30,
            };
            let html = assets::strictly("console/products_import.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("没有认出品名"), html.contains("最多 10 万")), (full, true));
            let n = if full { 9 } else { 0 };
            let again = AgainShown { at: "13:15".into(), n: 3, lines: vec!["第 2 行".into()] };
            let page = CheckPage {
                frame: Frame::sample(Role::Manager),
                section: "import",
                id: ImportId(1),
                who: "小王".into(),
                at: "2026-10-08 13:15:40".into(),
                n: 36,
                notes: vec!["“备注”没有读".into()],
                ran: full.then(|| "2026-10-08 13:20:40".into()),
                done_count: n,
                done: vec![("第 1 行".into(), "已改".into())],
                again: full.then_some(again),
                before: full.then(|| BeforeShown { at: "13:16".into(), n: 2 }),
                refused: group(n),
                changed: group(n),
                added: group(n),
                same: group(n),
                unshelved: n,
                moved: n,
                seen: "ab".into(),
            };
            let html = assets::strictly("console/products_check.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("导入勾选的行"), html.contains("已经导入过")), (full, full));
        }
    }
}
