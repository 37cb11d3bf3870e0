//! 首页陈列: what the mini-program's home shows first, arranged by the shop.

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::http::Status;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::catalogue::media::{Picture, thumb};
use crate::catalogue::showcase::{self, Banner, LONGEST_WORD, Leads, MOST_BANNERS, MOST_PINNED, MOST_WORDS, Showcase};
use crate::catalogue::store;
use crate::console::{Frame, form_mark, framed, message, must_be_of_now, upload, waiting};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::ids::{ImageHash, ProductId};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Manager, Staff};
use crate::typed::clean;

pub fn routes() -> Vec<Route> {
    routes![page, save]
}

const HERE: &str = "/admin/showcase";
/// Names that are offered while somebody types.
const OFFERED: i64 = 500;

/// The form as it was typed: a banner's picture and what it leads to stand in the same place of two lists.
#[derive(Clone, Default)]
struct Filled {
    banners: Vec<(ImageHash, String)>,
    pinned: Vec<String>,
    words: String,
}

impl Filled {
    fn of(conn: &Connection) -> Result<Filled> {
        let kept = showcase::read(conn)?;
        let categories = store::categories(conn)?;
        let leads = |leads: Leads| -> Result<String> {
            Ok(match leads {
                Leads::Nowhere => String::new(),
                Leads::Product(id) => showcase::name_of(conn, id)?.unwrap_or_default(),
                Leads::Category(id) => categories.iter().find(|c| c.id == id).map_or(String::new(), |c| c.name.clone()),
            })
        };
        Ok(Filled {
            banners: kept.banners.into_iter().map(|b| Ok((b.image, leads(b.leads)?))).collect::<Result<_>>()?,
            pinned: kept
                .pinned
                .into_iter()
                .filter_map(|id| showcase::name_of(conn, id).transpose())
                .collect::<rusqlite::Result<_>>()?,
            words: kept.hot_words.join(" "),
        })
    }

    /// A mark of all of it.
    fn mark(&self) -> String {
        form_mark(&(&self.banners, &self.pinned, &self.words))
    }

    /// What the form means. Errors: what it names and the shop has not, in the order of the page.
    fn read(&self, conn: &Connection) -> Result<Showcase> {
        let product = |name: &str| -> Result<Option<ProductId>> { Ok(store::product_named(conn, name)?) };
        let mut banners = Vec::new();
        let categories = store::categories(conn)?;
        for (n, (image, leads)) in (1..).zip(&self.banners) {
            let name = clean(leads);
            let category = || categories.iter().find(|c| c.name == name).map(|c| Leads::Category(c.id));
            let leads = match product(&name)?.map(Leads::Product).or_else(category) {
                Some(found) => found,
                None if name.is_empty() => Leads::Nowhere,
                None => return Err(Error::field("link", format!("第 {n} 张轮播图：没有叫「{name}」的商品或分类"))),
            };
            banners.push(Banner { image: image.clone(), leads });
        }
        if banners.len() > MOST_BANNERS {
            return Err(Error::field("files", format!("轮播图最多 {MOST_BANNERS} 张，请去掉几张")));
        }
        let mut pinned = Vec::new();
        for name in self.pinned.iter().map(|name| clean(name)).filter(|name| !name.is_empty()) {
            let id = product(&name)?.ok_or_else(|| Error::field("pinned", format!("没有叫「{name}」的商品")))?;
            if !pinned.contains(&id) {
                pinned.push(id);
            }
        }
        let mut hot_words: Vec<String> = Vec::new();
        for word in self.words.split(|c: char| c.is_whitespace() || "、，,;；".contains(c)).map(clean) {
            if word.chars().count() > LONGEST_WORD {
                return Err(Error::field("words", format!("热搜词「{word}」太长，最多 {LONGEST_WORD} 个字")));
            }
            if !word.is_empty() && !hot_words.contains(&word) {
                hot_words.push(word);
            }
        }
        if pinned.len() > MOST_PINNED || hot_words.len() > MOST_WORDS {
            return Err(Error::field("words", format!("推荐商品最多 {MOST_PINNED} 个，热搜词最多 {MOST_WORDS} 个")));
        }
        Ok(Showcase { banners, pinned, hot_words })
    }
}

#[get("/showcase")]
async fn page(shop: &State<Shop>, staff: Manager, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let filled = shop.read(Filled::of).await?;
    shown(shop, &staff.0, flash, filled, None).await
}

#[derive(Serialize)]
struct ShowcasePage {
    frame: Frame,
    section: &'static str,
    /// Names that are offered while somebody types.
    products: Vec<String>,
    categories: Vec<String>,
    pinned: Vec<PinnedShown>,
    problem: Option<String>,
    /// A mark of what stands there now.
    seen: String,
    banners: Vec<BannerShown>,
    words: String,
    most_banners: usize,
    most_words: usize,
}

#[derive(Serialize)]
struct PinnedShown {
    /// As it was typed; empty where there is room for another.
    name: String,
    /// The address of its picture.
    cover: Option<String>,
}

#[derive(Serialize)]
struct BannerShown {
    hash: ImageHash,
    url: String,
    /// The name of what it leads to.
    leads: String,
}

async fn shown(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    filled: Filled,
    problem: Option<String>,
) -> Result<Template> {
    let read = |conn: &Connection| {
        let categories = store::categories(conn)?.into_iter().map(|category| category.name);
        let seen = Filled::of(conn)?.mark();
        Ok((showcase::names(conn, OFFERED)?, categories.collect::<Vec<_>>(), seen, waiting(conn)?))
    };
    let (products, categories, seen, waits) = shop.read(read).await?;
    let mut pinned = filled.pinned;
    pinned.resize(MOST_PINNED.max(pinned.len()), String::new());
    let cover = |name: &String| products.iter().find(|(known, _)| known == name).and_then(|(_, cover)| cover.as_ref());
    let pinned = pinned.into_iter().map(|name| PinnedShown { cover: cover(&name).map(thumb), name });
    let banner = |(hash, leads): (ImageHash, String)| BannerShown { url: hash.url(), hash, leads };
    let page = ShowcasePage {
        frame: framed(shop, staff, "products", flash, waits),
        section: "showcase",
        pinned: pinned.collect(),
        products: products.into_iter().map(|(name, _)| name).collect(),
        categories,
        problem,
        seen,
        banners: filled.banners.into_iter().map(banner).collect(),
        words: filled.words,
        most_banners: MOST_BANNERS,
        most_words: MOST_WORDS,
    };
    Ok(assets::page("console/showcase.html", page))
}

#[derive(FromForm)]
struct Typed<'r> {
    #[field(default = Vec::new())]
    image: Vec<String>,
    #[field(default = Vec::new())]
    link: Vec<String>,
    /// Hashes of the banners that go.
    #[field(default = Vec::new())]
    gone: Vec<String>,
    #[field(default = Vec::new())]
    files: Vec<TempFile<'r>>,
    #[field(default = Vec::new())]
    pinned: Vec<String>,
    #[field(default = String::new())]
    words: String,
    /// A mark of what the page had shown.
    #[field(default = String::new())]
    seen: String,
}

type Saved = std::result::Result<Flash<Redirect>, (Status, Template)>;

/// Saves, or shows the form again as it was typed. Pictures that came along are kept first, so that a mistake costs none.
#[post("/showcase", data = "<form>")]
async fn save(shop: &State<Shop>, staff: Manager, form: Form<Typed<'_>>) -> Result<Saved> {
    let Typed { image, link, gone, files, pinned, words: hot, seen } = form.into_inner();
    let mut links = link.into_iter();
    let stay = image.into_iter().map(|hash| (hash, links.next().unwrap_or_default()));
    let stay = stay.filter(|(hash, _)| !gone.contains(hash));
    let mut banners: Vec<_> = stay.filter_map(|(hash, leads)| Some((hash.parse().ok()?, leads))).collect();
    let mut problem = None;
    for file in files.iter().filter(|file| file.len() > 0) {
        match upload::heavily(shop, file, Picture::read).await.and_then(|read| read) {
            Ok(picture) => {
                banners.push((picture.hash.clone(), String::new()));
                shop.write(move |tx| Ok(picture.store(tx)?)).await?;
            }
            Err(e) => problem = Some(e),
        }
    }
    let filled = Filled { banners, pinned, words: hot };
    let saved = match problem {
        Some(problem) => Err(problem),
        None => {
            let (filled, staff) = (filled.clone(), staff.0.clone());
            let write = move |tx: &Tx| {
                must_be_of_now(&seen, &Filled::of(tx)?.mark())?;
                showcase::put(tx, &filled.read(tx)?)?;
                Ok(audit(tx, &staff, "调整首页陈列")?)
            };
            shop.write(write).await
        }
    };
    Ok(match saved {
        Ok(()) => Ok(Flash::success(Redirect::to(HERE), "首页陈列已保存，买家打开小程序就能看到")),
        Err(e) => Err((e.code.status(), shown(shop, &staff.0, None, filled, Some(message(&e))).await?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_page_of_the_showcase_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let hash: ImageHash = "ab".repeat(32).parse().unwrap();
            let pinned =
                |name: &str, cover: Option<&str>| PinnedShown { name: name.into(), cover: cover.map(Into::into) };
            let banner = BannerShown { url: hash.url(), hash, leads: "蛋糕".into() };
            let page = ShowcasePage {
                frame: Frame::sample(Role::Manager),
                section: "showcase",
                products: vec!["草莓蛋糕".into()],
                categories: vec!["蛋糕".into()],
                pinned: vec![pinned("草莓蛋糕", Some("/media/1.jpg")), pinned("", None)],
                problem: full.then(|| "没有这个商品".into()),
                seen: "ab".into(),
                banners: if full { vec![banner] } else { Vec::new() },
                words: "草莓".into(),
                most_banners: MOST_BANNERS,
                most_words: MOST_WORDS,
            };
            let html = assets::strictly("console/showcase.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("没有这个商品"), html.contains("第 1 张轮播图")), (full, full));
            assert_eq!(
                (html.matches("src=\"/media/1.jpg\"").count(), html.matches("<i class=\"s40 none\">").count()),
                (1, 1)
            );
        }
    }
}
