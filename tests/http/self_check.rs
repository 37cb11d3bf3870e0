//! The self-check: short reads while the shop sells, and no fault slips between two of them.

use rusqlite::Connection;
use xiaopu::payments::invariants::rule::{Over, Question};
use xiaopu::payments::invariants::{Check, store};
use xiaopu::staff::Role;

use crate::support::*;

/// Slices of a row each.
const ROW_BY_ROW: i64 = 1 << 20;

/// Each rule, and what somebody would have to do to the last rows for it not to hold.
const FAULTS: &[(&str, &str)] = &[
    ("库存不为负，占用不超过在库", "update skus set reserved = on_hand + 1 where id = (select max(id) from skus)"),
    ("库存等于库存流水之和", "update skus set on_hand = on_hand + 1 where id = (select max(id) from skus)"),
    ("库存等于库存流水之和", "update stock_moves set on_hand_delta = 7 where id = (select max(id) from stock_moves)"),
    ("占用等于未发货订单行之和", "update skus set reserved = reserved + 1 where id = (select max(id) from skus)"),
    (
        "占用等于未发货订单行之和",
        "update order_lines set released_quantity = released_quantity + 1
          where order_id = (select max(id) from orders where holds_stock = 1)",
    ),
    (
        "发货、退款不超过购买数量",
        "update order_lines set refunded_quantity = quantity + 1 where id = (select max(id) from order_lines)",
    ),
    (
        "已发件数等于没有撤销的包裹之和",
        "update order_lines set shipped_quantity = shipped_quantity + 1 where id = (select max(id) from order_lines)",
    ),
    ("退款不超过实付", "update orders set refunded_fen = paid_fen + 1 where id = (select max(id) from orders)"),
    (
        "每笔付款：本店要退的不超过付款，微信已退的也不超过付款",
        "update refunds set amount_fen = payment_fen + 1 where id = (select max(id) from refunds)",
    ),
    (
        "订单已退金额等于已完成的退款之和",
        "update orders set refunded_fen = refunded_fen + 1 where id = (select max(id) from orders)",
    ),
    (
        "订单行已退件数等于已完成的退款之和",
        "update order_lines set refunded_quantity = refunded_quantity + 1 where id = (select max(id) from order_lines)",
    ),
    (
        "每笔已完成的退款恰在资金流水里一次",
        "update refunds set refund_id = 'another' where id = (select max(id) from refunds)",
    ),
    (
        "资金流水里的每笔退款都是已完成的退款",
        "insert into ledger (kind, wechat_id, amount_fen, moved_at, day, at) values ('refund', 'nobody', -1, 0, '20261009', 0)",
    ),
    (
        "每日汇总等于当日资金流水之和",
        "update money_days set fee_fen = fee_fen + 1 where rowid = (select max(rowid) from money_days)",
    ),
    ("每小时收款之和等于每日汇总", "update money_hours set received_fen = received_fen + 1"),
    ("冻结金额等于各笔待结算付款的订单所余", "update frozen set fen = fen + 1"),
    (
        "每笔付款的代金券与资金流水一致，买家、出券方、商户各付的不超过付款",
        "update ledger set borne_fen = 1 where id = (select max(id) from ledger where kind = 'payment')",
    ),
    (
        "每笔付款的代金券与资金流水一致，买家、出券方、商户各付的不超过付款",
        "insert into payment_coupons values ('nobody', 1, 0, '[]')",
    ),
    (
        "每笔付款：退款支出不超过到账，全部退完时两头都退完",
        "update ledger set borne_fen = -1 where id = (select max(id) from ledger where kind = 'refund')",
    ),
    (
        "全部资金流水之和等于各订单实付减退款，加上不属于订单的款项",
        "update orders set paid_fen = paid_fen + 1 where id = (select max(id) from orders)",
    ),
    (
        "顾客的单数和累计付款等于其付过款的订单之和",
        "update customers set spent_fen = spent_fen + 1 where buyer_id = (select max(buyer_id) from customers)",
    ),
    (
        "顾客的单数和累计付款等于其付过款的订单之和",
        "delete from customers where buyer_id = (select max(buyer_id) from customers)",
    ),
    (
        "退换的件数不超过已发的件数",
        "update return_lines set quantity = 99 where return_id = (select max(return_id) from return_lines)",
    ),
    (
        "换货、补发的每件恰在库存流水里一次",
        "insert into resend_lines (resend_id, line_id, sku_id, quantity) select max(r.id), max(l.id), 1, 1 from resends r, order_lines l",
    ),
    (
        "换货、补发的每件恰在库存流水里一次",
        "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, line_id, at)
         select 1, 'ship', -1, 0, max(id), 0 from order_lines",
    ),
    (
        "换货时入库的每件恰在库存流水里一次",
        "update return_lines set restocked = 1 where return_id = (select max(return_id) from return_lines)",
    ),
    (
        "换出的规格退回入库的件数不超过换出、补发的件数",
        "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, line_id, note, at)
         select (select max(id) from skus where id <> l.sku_id), 'return', 1, 0, l.id, '', 0
           from order_lines l order by l.id desc limit 1",
    ),
    (
        "完成的退货都有退款，完成的换货有新包裹或退款",
        "update returns set state = 'done', ended_at = 1, due_at = null, refund_id = null
          where id = (select max(id) from returns)",
    ),
    ("退换货计数与退换货一致", "update return_counts set n = n + 1 where state = 'requested'"),
    ("退款计数与退款一致", "update refund_counts set n = n + 1 where state = 'succeeded'"),
    (
        "待发货、已发货、已完成的订单都已付足",
        "update orders set paid_fen = total_fen - 1 where id = (select max(id) from orders where status = 'to_ship')",
    ),
    (
        "已关闭且没有可付支付单的订单不占库存",
        "update attempts set state = 'closed' where state = 'closing';
         update orders set holds_stock = 1 where id = (select max(id) from orders where status = 'closed')",
    ),
    (
        "待付款、待发货的订单占着库存",
        "update orders set holds_stock = 0 where id = (select max(id) from orders where status = 'to_ship')",
    ),
    ("等着的订单、支付单、退款和退换货都有待办任务", "update jobs set state = 'done' where kind = 'expire'"),
    (
        "等着的订单、支付单、退款和退换货都有待办任务",
        "delete from jobs where kind = 'expire' and subject = 1; update attempts set state = 'closing' where order_id = 1",
    ),
    (
        "一笔微信交易只付一张支付单",
        "drop index attempts_transaction;
         update attempts set transaction_id = (select min(transaction_id) from attempts), state = 'paid'
          where id = (select max(id) from attempts)",
    ),
    (
        "每单的资金流水之和等于实付减退款",
        "update ledger set order_id = 1 where id = (select max(id) from ledger where order_id > 1)",
    ),
    (
        "每张已付支付单都在资金流水里",
        "update attempts set transaction_id = 'nobody' where id = (select max(id) from attempts where state = 'paid')",
    ),
    ("时间线与订单状态一致", "update orders set status = 'completed' where id = (select max(id) from orders)"),
    (
        "每次状态变化恰有一条时间线",
        "update order_events set from_status = 'completed' where id = (select max(id) from order_events where to_status is not null)",
    ),
    ("订单计数与订单一致", "update order_counts set n = n + 1 where status = 'to_ship'"),
    ("每日订单数与订单一致", "update order_days set placed = placed + 1"),
    (
        "优惠分摊到行的和等于优惠明细的和，且不超过商品金额",
        "update order_lines set discount_fen = discount_fen + 1 where id = (select max(id) from order_lines)",
    ),
    (
        "在订单里的优惠券都是那张订单下单时用的，且订单没有关闭完",
        "insert into coupons (promotion_id, buyer_id, given_at, order_id) select 1, 1, 0, max(id) from orders",
    ),
    (
        "用了优惠券的有效订单都占着那张券",
        "insert into coupons (promotion_id, buyer_id, given_at) values (1, 1, 0);
         insert into order_discounts select max(o.id), 9, 1, (select max(id) from coupons), '', '', 0, 0 from orders o",
    ),
    ("每种优惠券的已发数量等于券数，每人不超过限领", "update promotions set issued = issued + 1"),
    (
        "每种优惠券的已发数量等于券数，每人不超过限领",
        "insert into coupons (promotion_id, buyer_id, given_at) values (1, 1, 0), (1, 1, 0);
         update promotions set issued = (select count(*) from coupons)",
    ),
    ("每张订单都能搜到", "delete from order_words where rowid = (select max(id) from orders)"),
    (
        "列表里的每个商品与商品和规格一致",
        "update shelf set available = available + 1 where product_id = (select max(product_id) from shelf)",
    ),
    ("列表里的每个商品与商品和规格一致", "delete from shelf where product_id = (select max(product_id) from shelf)"),
    ("各分类的商品数与商品一致", "update shelf_counts set products = products + 1 where products > 0"),
    (
        "每个商品都能搜到",
        "insert into product_words (product_words, rowid, text)
           select 'delete', id, text from product_texts where id = (select max(id) from products)",
    ),
];

/// A shop in which something of everything has happened.
async fn shop() -> World {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("雪梨", 700, 99).await);
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let owner = w.staff("owner", Role::Owner).await;
    let promotion =
        [("name", "新客"), ("kind", "reduce"), ("given", "link"), ("over", "50"), ("off", "1"), ("days", "7")];
    owner.post("/admin/promotions", &promotion).await;
    for sku in [apple, pear] {
        w.paid(&alice, sku, 2).await;
    }
    let given_back = w.paid(&bob, apple, 1).await;
    owner.give_back(&bob, &given_back, ("1", "10", true)).await;
    let cancelled = Placed::of(alice.buy(apple, 1).await);
    alice.post(&format!("/orders/{}/cancel", cancelled.no), None).await;
    w.paid(&bob, pear, 3).await;
    Placed::of(bob.buy(pear, 1).await);
    w
}

/// What is wrong, asked row by row.
fn broken(conn: &Connection) -> Vec<&'static str> {
    let mut check = Check::in_parts(ROW_BY_ROW);
    while check.ask(conn).unwrap() {}
    check.broken().iter().map(|broken| broken.rule).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_the_last_row_breaks_its_rule() {
    let w = shop().await;
    let conn = Connection::open(w.shop.db.path()).unwrap();
    conn.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on; begin").unwrap();
    let mut triggers = conn.prepare("select name from sqlite_schema where type = 'trigger'").unwrap();
    let names: Vec<String> = triggers.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    names.iter().for_each(|name| conn.execute_batch(&format!("drop trigger {name}")).unwrap());
    // What no door of this shop has come to yet.
    conn.execute_batch(
        "insert or ignore into promotions (id, kind, given, name, tiers, scope, starts_at, code, created_at)
         values (1, 'reduce', 'link', '新客', '[[5000,100]]', 'all', 0, 'code', 0);
         insert into returns (id, order_id, kind, state, reason, due_at, created_at)
         select 1, id, 'return', 'agreed', '', 1, 0 from orders where status = 'to_ship' limit 1;
         insert into return_lines select 1, l.id, 1, null, 0 from order_lines l, returns r where l.order_id = r.order_id;
         insert into resends (id, order_id, reason, sent_by, sent_at) select 1, order_id, 'lost', 'owner', 0 from returns;
         insert into jobs (kind, subject, state, run_at, created_at, updated_at) values ('return', 1, 'waiting', 0, 0, 0);
         update return_counts set n = (select count(*) from returns r where r.state = return_counts.state)",
    )
    .unwrap();
    assert_eq!(broken(&conn), [""; 0]);
    for (rule, fault) in FAULTS {
        conn.execute_batch(&format!("savepoint fault; {fault}")).unwrap_or_else(|e| panic!("{rule}: {e}\n{fault}"));
        let found = broken(&conn);
        assert!(found.contains(rule), "{rule}: {found:?}\n{fault}");
        conn.execute_batch("rollback to fault; release fault").unwrap();
    }
    let untried: Vec<_> =
        store::RULES.iter().filter(|rule| FAULTS.iter().all(|(name, _)| *name != rule.name)).collect();
    assert!(untried.is_empty(), "{:?}", untried.iter().map(|rule| rule.name).collect::<Vec<_>>());
}

/// Not by the clock: a question touches the rows of its slice, what their indexes lead to, and no table as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn no_question_of_a_slice_goes_through_a_whole_table() {
    let w = World::new().await;
    let conn = Connection::open(w.shop.db.path()).unwrap();
    let tables = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
    let mut tables = conn.prepare(tables).unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    for rule in store::RULES {
        for (over, question) in rule.questions {
            assert!(over.slice() <= 50_000, "{over:?}");
            let (Question::Breaking(sql) | Question::Difference(sql)) = question else { continue };
            let mut plan = conn.prepare(&format!("explain query plan {sql}")).unwrap();
            let bounds = rusqlite::params_from_iter(vec![0; plan.parameter_count()]);
            let lines: Vec<String> =
                plan.query_map(bounds, |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
            let whole = |line: &&String| {
                let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
                scanned.is_some_and(|name| {
                    let alias = |table: &String| table == name || sql.contains(&format!("{table} {name}\n"));
                    tables.iter().any(|table| alias(table) || sql.contains(&format!(" {table} {name} ")))
                })
            };
            // A row of an index of words that is named by its number is no scan, though it is called one.
            let found = lines.iter().filter(|line| !line.contains(" VIRTUAL TABLE INDEX 0:=")).find(whole);
            // A row for each state, category, hour or day, and indexes that hold what is open.
            let few =
                ["c", "d", "order_days", "money_hours", "frozen", "shelf_counts"].map(|table| format!("SCAN {table}"));
            let may = |line: &String| few.contains(line) || line.contains(" INDEX ");
            let may = *over == Over::Once && found.is_none_or(may);
            assert!(found.is_none() || may, "{}: {found:?}", rule.name);
            assert!(*over == Over::Once || sql.contains("?1") && sql.contains("?2"), "{}", rule.name);
            // A slice is found by its number alone: by a kind or a state, each would go through all rows of it.
            let by_kind = lines.iter().find(|line| line.ends_with("(kind=?)") || line.ends_with("(state=?)"));
            assert!(*over == Over::Once || by_kind.is_none(), "{}: {by_kind:?}", rule.name);
        }
    }
}
