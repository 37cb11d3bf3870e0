//! SQL of the rules that must always hold, and of the slices in which they are asked.

use rusqlite::{Connection, OptionalExtension, Result};

use super::rule::Question::{Breaking, Compare, Difference, Gather};
use super::rule::{Over, Rule};
use super::stock::Stock;
use crate::payments::store::{holding_for_nothing_sql, miscounted_sql, stranded_sql};

/// The table that a question goes through, and what numbers its rows; none where it is asked once.
fn rows_of(over: Over) -> Option<(&'static str, &'static str)> {
    Some(match over {
        Over::Once | Over::Gathered => return None,
        Over::Products => ("products", "id"),
        Over::Skus => ("skus", "id"),
        Over::Orders => ("orders", "id"),
        Over::OrderLines => ("order_lines", "id"),
        Over::OrderEvents => ("order_events", "id"),
        Over::Attempts => ("attempts", "id"),
        Over::Refunds => ("refunds", "id"),
        Over::Returns => ("returns", "id"),
        Over::Ledger => ("ledger", "id"),
        Over::MoneyDays => ("money_days", "rowid"),
        Over::Buyers => ("buyers", "id"),
        Over::PaymentCoupons => ("payment_coupons", "rowid"),
        Over::Promotions => ("promotions", "id"),
        Over::Coupons => ("coupons", "id"),
        Over::StockMoves => ("stock_moves", "id"),
    })
}

/// The number of the last row, if there is any; 0 where nothing is gone through.
pub fn last(conn: &Connection, over: Over) -> Result<Option<i64>> {
    let Some((table, id)) = rows_of(over) else { return Ok(Some(0)) };
    conn.prepare_cached(&format!("select max({id}) from {table}"))?.query_row([], |row| row.get(0))
}

/// The number of the row that is so many after this one, if there are more than that before `last`.
pub fn end_of_slice(conn: &Connection, over: Over, after: i64, rows: i64, last: i64) -> Result<i64> {
    let Some((table, id)) = rows_of(over) else { return Ok(last) };
    let sql = format!("select {id} from {table} where {id} > ?1 and {id} < ?3 order by {id} limit 1 offset ?2 - 1");
    let end = conn.prepare_cached(&sql)?.query_row([after, rows, last], |row| row.get(0)).optional()?;
    Ok(end.unwrap_or(last))
}

/// What a question of the rows with `after < id <= up_to` comes to.
pub fn answer(conn: &Connection, sql: &str, after: i64, up_to: i64) -> Result<i64> {
    let mut asked = conn.prepare_cached(sql)?;
    match asked.parameter_count() {
        0 => asked.query_row([], |row| row.get(0)),
        _ => asked.query_row([after, up_to], |row| row.get(0)),
    }
}

/// Each with the questions that count the rows that break it. A `+` keeps SQLite from going through all rows of a kind
/// for each slice.
pub const RULES: &[Rule] = &[
    Rule {
        name: "库存不为负，占用不超过在库",
        questions: &[(
            Over::Skus,
            Breaking("select count(*) from skus where id > ?1 and id <= ?2 and (reserved < 0 or on_hand < reserved)"),
        )],
    },
    Rule {
        name: "库存等于库存流水之和",
        questions: &[(Over::StockMoves, Gather(Stock::moves)), (Over::Gathered, Compare(Stock::unlike_moves))],
    },
    Rule {
        name: "占用等于未发货订单行之和",
        questions: &[(Over::Orders, Gather(Stock::holding)), (Over::Gathered, Compare(Stock::unlike_held))],
    },
    Rule {
        name: "发货、退款不超过购买数量",
        questions: &[(
            Over::OrderLines,
            Breaking(
                "select count(*) from order_lines
                  where id > ?1 and id <= ?2 and (shipped_quantity > quantity or refunded_quantity > quantity)",
            ),
        )],
    },
    Rule {
        name: "已发件数等于没有撤销的包裹之和",
        questions: &[(
            Over::OrderLines,
            Breaking(
                "select count(*) from order_lines l
                  where id > ?1 and id <= ?2
                    and shipped_quantity <> (select coalesce(sum(p.quantity), 0)
                                               from shipment_lines p join shipments s on s.id = p.shipment_id
                                              where p.line_id = l.id and s.state = 'shipped')",
            ),
        )],
    },
    Rule {
        name: "退款不超过实付",
        questions: &[(
            Over::Orders,
            Breaking("select count(*) from orders where id > ?1 and id <= ?2 and refunded_fen > paid_fen"),
        )],
    },
    Rule {
        name: "每笔付款：本店要退的不超过付款，微信已退的也不超过付款",
        // All refunds of a payment are looked at with its first.
        questions: &[(
            Over::Refunds,
            Breaking(
                "select count(*) from refunds f
                  where id > ?1 and id <= ?2 and transaction_id is not null
                    and not exists (select 1 from refunds e where e.transaction_id = f.transaction_id and e.id < f.id)
                    and exists (select 1 from refunds r
                                 where r.transaction_id = f.transaction_id
                                 group by r.transaction_id
                                having sum(iif(origin <> 'console' and (inside = 1 or state <> 'succeeded')
                                                 and state in ('approved', 'processing', 'succeeded', 'abnormal'), amount_fen, 0))
                                         > min(payment_fen)
                                    or sum(iif(exists (select 1 from ledger l
                                                        where l.kind = 'refund' and l.wechat_id = r.refund_id), amount_fen, 0))
                                         > min(payment_fen))",
            ),
        )],
    },
    Rule {
        name: "订单已退金额等于已完成的退款之和",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders o
                  where id > ?1 and id <= ?2
                    and refunded_fen <> (select coalesce(sum(amount_fen), 0) from refunds r
                                          where r.order_id = o.id and r.inside = 1 and r.state = 'succeeded')",
            ),
        )],
    },
    Rule {
        name: "订单行已退件数等于已完成的退款之和",
        questions: &[(
            Over::OrderLines,
            Breaking(
                "select count(*) from order_lines l
                  where id > ?1 and id <= ?2
                    and refunded_quantity <> (select coalesce(sum(p.quantity), 0)
                                                from refund_lines p join refunds r on r.id = p.refund_id
                                               where p.line_id = l.id and r.state = 'succeeded')",
            ),
        )],
    },
    Rule {
        name: "每笔已完成的退款恰在资金流水里一次",
        questions: &[(
            Over::Refunds,
            Breaking(
                "select count(*) from refunds r
                  where id > ?1 and id <= ?2 and state = 'succeeded'
                    and -amount_fen is not (select sum(amount_fen) from ledger l
                                             where (l.kind = 'refund' and l.wechat_id = r.refund_id)
                                                or (l.kind = 'offline' and l.wechat_id = r.out_refund_no))",
            ),
        )],
    },
    Rule {
        name: "资金流水里的每笔退款都是已完成的退款",
        questions: &[(
            Over::Ledger,
            Breaking(
                "select count(*) from ledger l
                  where id > ?1 and id <= ?2 and +kind = 'refund'
                    and not exists (select 1 from refunds r where r.refund_id = l.wechat_id and r.state = 'succeeded')",
            ),
        )],
    },
    Rule {
        name: "每日汇总等于当日资金流水之和",
        questions: &[(
            Over::MoneyDays,
            Breaking(
                "select count(*) from (
                   select 1 from money_days d left join ledger l on l.day = d.day
                    where d.rowid > ?1 and d.rowid <= ?2
                    group by d.rowid
                   having d.received_fen <> coalesce(sum(l.amount_fen) filter (where l.kind = 'payment'), 0)
                       or d.refunded_fen <> -coalesce(sum(l.amount_fen) filter (where l.kind = 'refund'), 0)
                       or d.fee_fen <> -coalesce(sum(l.amount_fen) filter (where l.kind = 'fee'), 0)
                       or d.offline_fen <> coalesce(sum(l.amount_fen) filter (where l.kind = 'offline'), 0)
                       or d.received_borne_fen <> coalesce(sum(l.borne_fen) filter (where l.kind = 'payment'), 0)
                       or d.refunded_borne_fen <> -coalesce(sum(l.borne_fen) filter (where l.kind = 'refund'), 0))",
            ),
        )],
    },
    Rule {
        name: "每小时收款之和等于每日汇总",
        questions: &[(
            Over::Once,
            Breaking(
                "select count(*)
                   from (select strftime('%Y%m%d', hour * 3600 + 8 * 3600, 'unixepoch') as day, sum(received_fen) as fen
                           from money_hours group by 1) h
                   full join money_days d on d.day = h.day
                  where coalesce(h.fen, 0) <> coalesce(d.received_fen, 0)",
            ),
        )],
    },
    Rule {
        name: "冻结金额等于各笔待结算付款的订单所余",
        questions: &[(
            Over::Once,
            Breaking(
                "select fen <> (select coalesce(sum(o.paid_fen - o.refunded_fen), 0)
                                  from settlements s
                                 cross join ledger l on l.kind = 'payment' and l.wechat_id = s.transaction_id
                                 cross join orders o on o.id = l.order_id
                                 where s.settled_at is null and s.estimated_at is not null)
                   from frozen",
            ),
        )],
    },
    Rule {
        name: "每笔付款的代金券与资金流水一致，买家、出券方、商户各付的不超过付款",
        questions: &[
            (
                Over::Ledger,
                Breaking(
                    "select count(*) from ledger l left join payment_coupons c on c.transaction_id = l.wechat_id
                      where l.id > ?1 and l.id <= ?2 and +l.kind = 'payment' and l.borne_fen <> coalesce(c.borne_fen, 0)",
                ),
            ),
            (
                Over::PaymentCoupons,
                Breaking(
                    "select count(*) from payment_coupons c
                      where rowid > ?1 and rowid <= ?2
                        and not exists (select 1 from ledger l
                                         where l.kind = 'payment' and l.wechat_id = c.transaction_id
                                           and c.funded_fen + c.borne_fen <= l.amount_fen)",
                ),
            ),
        ],
    },
    Rule {
        name: "每笔付款：退款支出不超过到账，全部退完时两头都退完",
        questions: &[(
            Over::Refunds,
            Breaking(
                "select count(*) from refunds f
                   cross join ledger p on p.kind = 'payment' and p.wechat_id = f.transaction_id
                  where f.id > ?1 and f.id <= ?2
                    and not exists (select 1 from refunds e where e.transaction_id = f.transaction_id and e.id < f.id)
                    and exists (select 1 from refunds r join ledger l on l.kind = 'refund' and l.wechat_id = r.refund_id
                                 where r.transaction_id = f.transaction_id
                                 group by r.transaction_id
                                having -sum(l.borne_fen) > p.borne_fen
                                    or sum(l.borne_fen) - sum(l.amount_fen) > p.amount_fen - p.borne_fen
                                    or (-sum(l.amount_fen) = p.amount_fen and -sum(l.borne_fen) <> p.borne_fen))",
            ),
        )],
    },
    Rule {
        name: "全部资金流水之和等于各订单实付减退款，加上不属于订单的款项",
        questions: &[(
            Over::Orders,
            Difference(
                "select (select coalesce(sum(amount_fen), 0) from ledger
                          where order_id > ?1 and order_id <= ?2 and kind <> 'fee')
                        - (select coalesce(sum(paid_fen - refunded_fen), 0) from orders where id > ?1 and id <= ?2)",
            ),
        )],
    },
    Rule {
        name: "顾客的单数和累计付款等于其付过款的订单之和",
        questions: &[(
            Over::Buyers,
            Breaking(
                "select count(*) from buyers b left join customers c on c.buyer_id = b.id
                  where b.id > ?1 and b.id <= ?2
                    and (coalesce(c.orders, 0), coalesce(c.spent_fen, 0))
                        <> (select count(*), coalesce(sum(paid_fen - refunded_fen), 0) from orders o
                             where o.buyer_id = b.id and paid_fen > 0)",
            ),
        )],
    },
    Rule {
        name: "退换的件数不超过已发的件数",
        questions: &[(
            Over::Returns,
            Breaking(
                "select count(*) from return_lines p
                   join order_lines l on l.id = p.line_id join returns r on r.id = p.return_id
                  where p.return_id > ?1 and p.return_id <= ?2 and (p.quantity > l.quantity or l.order_id <> r.order_id)",
            ),
        )],
    },
    Rule {
        name: "换货、补发的每件恰在库存流水里一次",
        questions: &[
            (
                Over::Orders,
                Breaking(
                    "select count(*) from (select p.line_id, p.sku_id, sum(p.quantity) as n
                                             from resends s join resend_lines p on p.resend_id = s.id
                                            where s.order_id > ?1 and s.order_id <= ?2 group by p.line_id, p.sku_id) sent
                      where n is not (select -sum(on_hand_delta) from stock_moves m
                                       where m.line_id = sent.line_id and m.sku_id = sent.sku_id
                                         and m.reason = 'ship' and m.reserved_delta = 0)",
                ),
            ),
            // And moves for which nothing was sent; those of one line and SKU are one.
            (
                Over::StockMoves,
                Breaking(
                    "select count(*) from stock_moves m
                      where id > ?1 and id <= ?2 and reason = 'ship' and reserved_delta = 0
                        and not exists (select 1 from order_lines l join resends s on s.order_id = l.order_id
                                          join resend_lines p on p.resend_id = s.id
                                         where l.id = m.line_id and p.line_id = m.line_id and p.sku_id = m.sku_id)
                        and not exists (select 1 from stock_moves e
                                         where e.line_id = m.line_id and e.sku_id = m.sku_id and e.id < m.id
                                           and e.reason = 'ship' and e.reserved_delta = 0)",
                ),
            ),
        ],
    },
    Rule {
        name: "换货时入库的每件恰在库存流水里一次",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from (select p.line_id, sum(p.quantity) as n
                                         from returns r join return_lines p on p.return_id = r.id
                                        where r.order_id > ?1 and r.order_id <= ?2 and p.restocked = 1
                                        group by p.line_id) back
                  where n > (select coalesce(sum(on_hand_delta), 0) from stock_moves m
                              where m.line_id = back.line_id and m.reason = 'return')",
            ),
        )],
    },
    Rule {
        name: "换出的规格退回入库的件数不超过换出、补发的件数",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from (select l.order_id, m.line_id, m.sku_id, sum(m.on_hand_delta) as n
                                         from order_lines l join stock_moves m on m.line_id = l.id
                                        where l.order_id > ?1 and l.order_id <= ?2
                                          and m.reason = 'return' and m.sku_id <> l.sku_id
                                        group by m.line_id, m.sku_id) back
                  where n > (select coalesce(sum(p.quantity), 0) from resends s join resend_lines p on p.resend_id = s.id
                              where s.order_id = back.order_id and p.line_id = back.line_id and p.sku_id = back.sku_id)",
            ),
        )],
    },
    Rule {
        name: "完成的退货都有退款，完成的换货有新包裹或退款",
        questions: &[(
            Over::Returns,
            Breaking(
                "select count(*) from returns r
                  where id > ?1 and id <= ?2 and state = 'done' and refund_id is null
                    and not exists (select 1 from resends s where s.return_id = r.id)",
            ),
        )],
    },
    Rule {
        name: "退换货计数与退换货一致",
        questions: &[(Over::Once, Breaking(miscounted_sql!("return_counts", "returns", "state")))],
    },
    Rule {
        name: "退款计数与退款一致",
        questions: &[(Over::Once, Breaking(miscounted_sql!("refund_counts", "refunds", "state")))],
    },
    Rule {
        name: "待发货、已发货、已完成的订单都已付足",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders
                  where id > ?1 and id <= ?2 and status in ('to_ship', 'shipped', 'completed') and paid_fen < total_fen",
            ),
        )],
    },
    Rule {
        name: "已关闭且没有可付支付单的订单不占库存",
        questions: &[(Over::Once, Breaking(concat!("select count(*) from (", holding_for_nothing_sql!(), ")")))],
    },
    Rule {
        name: "待付款、待发货的订单占着库存",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders
                  where id > ?1 and id <= ?2 and status in ('pending_payment', 'to_ship') and holds_stock = 0",
            ),
        )],
    },
    Rule {
        name: "等着的订单、支付单、退款和退换货都有待办任务",
        questions: &[(Over::Once, Breaking(concat!("select count(*) from (", stranded_sql!(), ")")))],
    },
    Rule {
        name: "一笔微信交易只付一张支付单",
        questions: &[(
            Over::Attempts,
            Breaking(
                "select count(*) from attempts a
                  where id > ?1 and id <= ?2
                    and exists (select 1 from attempts b where b.transaction_id = a.transaction_id and b.id > a.id)
                    and not exists (select 1 from attempts b where b.transaction_id = a.transaction_id and b.id < a.id)",
            ),
        )],
    },
    Rule {
        name: "每单的资金流水之和等于实付减退款",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders o
                  where id > ?1 and id <= ?2
                    and paid_fen - refunded_fen
                        <> (select coalesce(sum(amount_fen), 0) from ledger l where l.order_id = o.id and l.kind <> 'fee')",
            ),
        )],
    },
    Rule {
        name: "每张已付支付单都在资金流水里",
        questions: &[(
            Over::Attempts,
            Breaking(
                "select count(*) from attempts a
                  where id > ?1 and id <= ?2 and state = 'paid'
                    and not exists (select 1 from ledger l where l.kind = 'payment' and l.wechat_id = a.transaction_id)",
            ),
        )],
    },
    Rule {
        name: "时间线与订单状态一致",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders o
                  where id > ?1 and id <= ?2
                    and status is not (select to_status from order_events e
                                        where e.order_id = o.id and to_status is not null order by id desc limit 1)",
            ),
        )],
    },
    Rule {
        name: "每次状态变化恰有一条时间线",
        questions: &[(
            Over::OrderEvents,
            Breaking(
                "select count(*) from order_events e
                  where id > ?1 and id <= ?2 and to_status is not null
                    and from_status is not (select to_status from order_events p
                                             where p.order_id = e.order_id and p.id < e.id and p.to_status is not null
                                             order by p.id desc limit 1)",
            ),
        )],
    },
    Rule {
        name: "订单计数与订单一致",
        questions: &[(Over::Once, Breaking(miscounted_sql!("order_counts", "orders", "status")))],
    },
    Rule {
        name: "每日订单数与订单一致",
        questions: &[(
            Over::Once,
            Breaking(
                "select ((select count(*) from orders) <> (select coalesce(sum(placed), 0) from order_days))
                      + ((select count(*) from orders where paid_at is not null) <> (select coalesce(sum(paid), 0) from order_days))",
            ),
        )],
    },
    Rule {
        name: "优惠分摊到行的和等于优惠明细的和，且不超过商品金额",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders o
                  where id > ?1 and id <= ?2
                    and (select coalesce(sum(discount_fen), 0) from order_lines l where l.order_id = o.id)
                        <> (select coalesce(sum(goods_fen), 0) from order_discounts d where d.order_id = o.id)",
            ),
        )],
    },
    Rule {
        name: "在订单里的优惠券都是那张订单下单时用的，且订单没有关闭完",
        questions: &[(
            Over::Coupons,
            Breaking(
                "select count(*) from coupons c join orders o on o.id = c.order_id
                  where c.id > ?1 and c.id <= ?2
                    and ((o.status = 'closed' and o.holds_stock = 0)
                         or not exists (select 1 from order_discounts d where d.order_id = o.id and d.coupon_id = c.id))",
            ),
        )],
    },
    Rule {
        name: "用了优惠券的有效订单都占着那张券",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from order_discounts d
                   join orders o on o.id = d.order_id join coupons c on c.id = d.coupon_id
                  where d.order_id > ?1 and d.order_id <= ?2
                    and (o.status <> 'closed' or o.holds_stock = 1) and c.order_id is not o.id",
            ),
        )],
    },
    Rule {
        name: "每种优惠券的已发数量等于券数，每人不超过限领",
        questions: &[
            (
                Over::Promotions,
                Breaking(
                    "select count(*) from promotions p
                      where id > ?1 and id <= ?2
                        and issued <> (select count(*) from coupons c where c.promotion_id = p.id)",
                ),
            ),
            // All that a buyer has of one kind are looked at with the first.
            (
                Over::Coupons,
                Breaking(
                    "select count(*) from coupons c join promotions p on p.id = c.promotion_id
                      where c.id > ?1 and c.id <= ?2
                        and (select count(*) from coupons d
                              where d.promotion_id = c.promotion_id and d.buyer_id = c.buyer_id) > p.per_buyer
                        and not exists (select 1 from coupons e
                                         where e.promotion_id = c.promotion_id and e.buyer_id = c.buyer_id and e.id < c.id)",
                ),
            ),
        ],
    },
    Rule {
        name: "每张订单都能搜到",
        questions: &[(
            Over::Orders,
            Breaking(
                "select count(*) from orders o
                  where id > ?1 and id <= ?2 and not exists (select 1 from order_words_docsize w where w.id = o.id)",
            ),
        )],
    },
    Rule {
        name: "列表里的每个商品与商品和规格一致",
        questions: &[(
            Over::Products,
            Breaking(
                "select count(*) from products p left join shelf l on l.product_id = p.id
                  where p.id > ?1 and p.id <= ?2
                    and (l.side, l.category_id, l.price_fen, l.sold_count, l.choices, l.available, l.least, l.in_stock) is not
                        (select iif(p.deleted_at is not null, 'bin', iif(p.on_shelf = 1 and count(*) > 0, 'on', 'off')),
                                p.category_id, p.price_fen, p.sold_count, count(*), coalesce(sum(on_hand - reserved), 0),
                                min(on_hand - reserved) filter (where on_hand > reserved),
                                coalesce(sum(on_hand - reserved), 0) > 0
                           from skus s where s.product_id = p.id and s.enabled = 1)",
            ),
        )],
    },
    Rule {
        name: "各分类的商品数与商品一致",
        questions: &[(
            Over::Once,
            Breaking(
                "select count(*)
                   from (select category_id, side, in_stock, count(*) as n from shelf group by 1, 2, 3) l
                   full join (select * from shelf_counts where products <> 0) c
                     on c.category_id = coalesce(l.category_id, 0) and c.side = l.side and c.in_stock = l.in_stock
                  where l.n is not c.products",
            ),
        )],
    },
    Rule {
        name: "每个商品都能搜到",
        questions: &[(
            Over::Products,
            Breaking(
                r#"select count(*) from products p
                    where id > ?1 and id <= ?2
                      and not exists (select 1 from product_words w
                                       where w.rowid = p.id
                                         and w.product_words match '"' || replace(lower(substr(p.name || char(10, 10), 1, 3)), '"', '""') || '"')"#,
            ),
        )],
    },
];
