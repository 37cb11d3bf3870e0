//! Coupons on their way: fetched or given, taken by an order together with its stock, and come back with it.

use rusqlite::Result as Sql;

use super::{Coupon, CouponRef, Discount, Given, Phase, Promotion, store};
use crate::db::{DbError, Tx};
use crate::error::{Code, Error, Result};
use crate::ids::{BuyerId, CouponId, OrderId, PromotionId};

/// A buyer fetches a coupon by its code.
pub fn fetch(tx: &Tx, code: &str, buyer: BuyerId) -> Result<CouponId> {
    let code = typed_code(code);
    let promotion = store::by_code(tx, &code)?.ok_or_else(|| gone("没有这个优惠码，请核对后重试"))?;
    give(tx, &promotion, buyer)
}

/// A code as it is kept, however it was typed.
pub fn typed_code(code: &str) -> String {
    crate::typed::bare(code).to_ascii_uppercase()
}

/// Puts one more coupon into a buyer's hand.
pub fn give(tx: &Tx, promotion: &Promotion, buyer: BuyerId) -> Result<CouponId> {
    if let Some(words) = refused(tx, promotion, buyer, tx.now())? {
        return Err(gone(words));
    }
    if !store::count_issued(tx, promotion.id)? {
        return Err(gone("优惠券已经领完了"));
    }
    Ok(store::insert_coupon(tx, promotion.id, buyer, promotion.terms.coupon_ends(tx.now()), None)?)
}

/// Why this buyer can have none of these now.
pub fn refused(
    tx: &rusqlite::Connection,
    promotion: &Promotion,
    buyer: BuyerId,
    now: i64,
) -> Sql<Option<&'static str>> {
    let words = match promotion.phase(now) {
        Phase::Ended => Some("优惠券的领取已经结束"),
        // Given to somebody, it may lie in the hand until it is good; fetched by everybody, it begins with the day.
        Phase::Waiting if promotion.terms.given == Given::Link => Some("优惠券还没有开始领取"),
        _ if promotion.is_exhausted() => Some("优惠券已经领完了"),
        _ if store::had(tx, promotion.id, buyer)? >= promotion.terms.per_buyer => {
            Some("您已经领过了，去「我的优惠券」看看")
        }
        _ => None,
    };
    Ok(words)
}

fn gone(words: &str) -> Error {
    Error::from(Code::CouponUnavailable).says(words)
}

/// What somebody who is a new customer has for the first order, without anybody having given it.
pub fn firsts(conn: &rusqlite::Connection, buyer: BuyerId, now: i64) -> Sql<Vec<Coupon>> {
    let mut found = Vec::new();
    for promotion in store::running(conn, Given::FirstOrder, now)? {
        if !promotion.is_exhausted() && store::had(conn, promotion.id, buyer)? == 0 {
            let (is, ends_at) = (CouponRef::First(promotion.id), promotion.terms.coupon_ends(now));
            found.push(Coupon { is, buyer, promotion, ends_at, order_no: None, held: false, returning: false });
        }
    }
    Ok(found)
}

/// Writes down why an order is cheaper, and takes its coupon. The quote was made in this transaction.
pub fn take(tx: &Tx, order: OrderId, buyer: BuyerId, discounts: &[Discount]) -> Sql<(), DbError> {
    for (n, discount) in discounts.iter().enumerate() {
        let coupon = discount.coupon.map(|coupon| take_coupon(tx, coupon, order, buyer)).transpose()?;
        store::put_discount(tx, order, n, discount, coupon)?;
    }
    Ok(())
}

fn take_coupon(tx: &Tx, coupon: CouponRef, order: OrderId, buyer: BuyerId) -> Sql<CouponId, DbError> {
    match coupon {
        CouponRef::Given(id) => take_free(tx, id, order).map(|()| id),
        CouponRef::First(id) => {
            DbError::unless(store::count_issued(tx, id)?, "a coupon that was just found left cannot be given")?;
            Ok(store::insert_coupon(tx, id, buyer, first_ends(tx, id)?, Some(order))?)
        }
    }
}

/// One that was found free in this transaction.
fn take_free(tx: &Tx, id: CouponId, order: OrderId) -> Sql<(), DbError> {
    DbError::unless(store::take(tx, id, order)?, "a coupon that was just found free cannot be taken")
}

fn first_ends(tx: &Tx, id: PromotionId) -> Sql<Option<i64>> {
    Ok(store::by_id(tx, id)?.and_then(|promotion| promotion.terms.coupon_ends(tx.now())))
}

/// Whether a closed order could have its coupon again: nobody else has it meanwhile.
pub fn can_take_again(tx: &Tx, order: OrderId) -> Sql<bool> {
    Ok(store::placed_with(tx, order)?.is_none_or(|(_, taken)| taken.is_none_or(|by| by == order)))
}

/// A closed order is taken up again, its coupon with it.
pub fn take_again(tx: &Tx, order: OrderId) -> Sql<(), DbError> {
    match store::placed_with(tx, order)? {
        Some((coupon, None)) => take_free(tx, coupon, order),
        _ => Ok(()),
    }
}
