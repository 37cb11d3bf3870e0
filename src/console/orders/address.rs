//! Where an order goes, put right before it leaves, and notes of staff to each other on its timeline.

use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, post, routes};
use sha2::{Digest, Sha256};

use super::{find, here};
use crate::buyers::addresses::{Address, AddressForm};
use crate::console::back;
use crate::console::lengths::NOTE;
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::money::Fen;
use crate::orders::freight::{carried, freights};
use crate::orders::{OrderStatus, Topic, Who, moves, store};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Staff};

pub fn routes() -> Vec<Route> {
    routes![set_address, note]
}

#[derive(FromForm)]
struct Where {
    receiver: String,
    phone: String,
    province: String,
    city: String,
    district: String,
    detail: String,
    /// The region is none that anybody knows, and is to be kept.
    #[field(default = false)]
    as_written: bool,
    /// Which address the form was made of; empty where that was not said.
    #[field(default = String::new())]
    of: String,
}

#[post("/orders/<no>/address", data = "<form>")]
async fn set_address(shop: &State<Shop>, staff: Clerk, no: &str, form: Form<Where>) -> Flash<Redirect> {
    back(here(no), put(shop, staff.0, no, &form).await)
}

const CHANGED: &str = "收货信息已改";

/// Answers with what staff should know about it.
async fn put(shop: &Shop, staff: Staff, no: &str, form: &Where) -> Result<String> {
    // By the same constructor as a buyer's own address.
    let typed = [&form.receiver, &form.phone, &form.province, &form.city, &form.district, &form.detail];
    let read = AddressForm::of(typed.map(|part| Some(part.clone())));
    let (address, order, of) = (read.check("")?, find(shop, no).await?, form.of.clone());
    let as_written = form.as_written;
    let settings = shop.settings();
    let write = move |tx: &Tx| {
        let order = store::by_id(tx, order.id)?.ok_or(Code::NotFound)?;
        let (delivery, freight, waits) = (order.delivery, order.freight, order.status == OrderStatus::PendingPayment);
        let readdress = order.options().readdress;
        let before = order.address.filter(|_| readdress);
        let before =
            before.ok_or_else(|| Error::from(Code::OrderState).says("订单已发出或不用快递，不能改收货信息"))?;
        if !of.is_empty() && of != mark(&before) && before != address {
            let words = format!(
                "刚才已经有人把收货信息改成「{}」。您填的是「{}」，还没有保存；要用您填的请再改一次",
                whole(&before),
                whole(&address)
            );
            return Err(Error::from(Code::OrderState).says(words));
        }
        // The slip that was printed of it is still right.
        if before == address {
            let by_others = !of.is_empty() && of != mark(&before);
            return Ok(if by_others { CHANGED } else { "收货信息没有变" }.to_owned());
        }
        // What came of the buyer's own phone is his to say.
        if !as_written && before.region() != address.region() {
            address.must_be_a_region()?;
            address.must_name_its_district(Some(&before))?;
        }
        moves::readdress(tx, order.id, &address)?;
        // The log is read by many: it shows what changed, and not where somebody lives.
        let what = format!("{READDRESSED}：{} → {}", masked(&before), masked(&address));
        store::note(tx, order.id, &Who::staff(&staff.name), Topic::Goods, &what)?;
        audit(tx, &staff, &format!("{} {what}", order.order_no))?;
        let goods: Vec<_> = store::lines(tx, order.id)?.iter().map(|l| (l.sku_id, l.quantity, l.amount())).collect();
        let goods = carried(tx, &goods)?;
        let usual = |to: &Address| freights(tx, &goods, delivery, &settings, to.place().as_ref());
        let (Some(now), Some(then)) = (usual(&address)?, usual(&before)?) else { return Ok(CHANGED.to_owned()) };
        // What the old address would have cost says nothing where nothing goes.
        let before = if then.not_sent { freight } else { then.sum };
        Ok(match now.sum.minus(before).filter(|more| *more > Fen::ZERO) {
            _ if now.not_sent => {
                format!("{CHANGED}。注意：设置里写着不送到这个地区，确实要送就不用管，否则请改回去，或者退款")
            }
            Some(more) => {
                let next = if waits {
                    "要多收请用「改价」"
                } else {
                    "已付的不会变，要补收请和买家商量"
                };
                format!(
                    "{CHANGED}。注意：按设置，寄到这里的运费比原来的地址多 ¥{more}，这一单收的运费仍是 ¥{freight}；{next}"
                )
            }
            None if address.place().is_none() => format!("{CHANGED}。注意：认不出这是哪个地区，请核对省市区"),
            None => CHANGED.to_owned(),
        })
    };
    shop.write(write).await
}

/// How its line on the timeline begins.
pub(super) const READDRESSED: &str = "改收货信息";

/// Whether a form was made of this address, without saying it.
pub(super) fn mark(a: &Address) -> String {
    hex::encode(&Sha256::digest(whole(a))[..8])
}

fn whole(a: &Address) -> String {
    format!("{} {} {}", a.receiver, a.phone, a.one_line())
}

fn masked(a: &Address) -> String {
    format!("{} {} {}", a.masked_receiver(), a.masked_phone(), a.region())
}

#[derive(FromForm)]
struct Note {
    text: String,
}

#[post("/orders/<no>/note", data = "<form>")]
async fn note(shop: &State<Shop>, staff: Staff, no: &str, form: Form<Note>) -> Flash<Redirect> {
    let done = async {
        let text = form.text.trim().to_owned();
        if !NOTE.fits(&text) {
            return Err(Error::field("text", format!("内部备注应为 {NOTE}")));
        }
        let order = find(shop, no).await?;
        let write = move |tx: &Tx| {
            let what = format!("内部备注：{text}");
            Ok(store::note(tx, order.id, &Who::staff(&staff.name), Topic::Order, &what)?)
        };
        shop.write(write).await
    };
    back(here(no), done.await.map(|()| "已记在时间线上"))
}
