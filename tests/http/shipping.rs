//! Shipping: part by part, taken back, by table and by scanner.

use reqwest::multipart::{Form, Part};
use serde_json::json;
use xiaopu::db::Tx;
use xiaopu::ids::SkuId;
use xiaopu::staff::Role;
use xiaopu::tables;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_leaves_in_two_parcels_and_one_is_taken_back() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let placed = w.paid(&alice, sku, 3).await;
    let line = alice.order(&placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let page = format!("/admin/orders/{}", placed.no);
    let ship = async |number: &str, pieces: &str| {
        let form = [("tracking_no", number), ("pieces[0].id", line.as_str()), ("pieces[0].quantity", pieces)];
        packer.post(&format!("{page}/ship"), &form).await;
        packer.said(&page).await
    };
    for (pieces, problem) in [("0", "件数"), ("4", "还有 3 件没有发"), ("-1", "还有 3 件没有发")] {
        assert!(ship("SF1234567890123", pieces).await.contains(problem), "{pieces}");
    }
    assert!(ship("123456", "1").await.contains("认不出是哪家快递"));
    assert_eq!(w.stock(sku).await, (9, 3));

    assert!(ship("SF1234567890123", "2").await.contains("部分发货 顺丰速运 SF1234567890123"));
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["status"], &order["statusText"]), (&json!("to_ship"), &json!("部分发货")));
    assert_eq!(order["shipments"][0]["lines"], json!([{ "lineId": line, "quantity": 2 }]));
    assert_eq!(w.stock(sku).await, (7, 1));
    assert!(packer.page("/admin/orders?tab=part_shipped").await.contains(&placed.no));
    // The same form once more is the same parcel.
    assert!(ship("SF1234567890123", "1").await.contains("已经是这笔订单的包裹"));
    assert_eq!(w.stock(sku).await, (7, 1));
    w.must_hold().await;

    assert!(ship("75312345678901", "1").await.contains("已发货 中通快递 75312345678901"));
    assert_eq!(alice.status(&placed.no).await, "shipped");
    assert_eq!(w.stock(sku).await, (6, 0));

    let parcels = alice.order(&placed.no).await["shipments"].clone();
    let id = parcels[1]["id"].as_str().unwrap();
    packer.post(&format!("{page}/shipments/{id}/number"), &[("tracking_no", "773123456789012")]).await;
    assert_eq!(alice.order(&placed.no).await["shipments"][1]["company"], "STO");
    // Whoever takes back what he has just sent does not take back what a colleague has put right since.
    packer.post(&format!("{page}/shipments/{id}/undo"), &[("was", "中通快递 75312345678901")]).await;
    assert!(packer.said(&page).await.contains("单号后来改成了 申通快递 773123456789012，没有撤销"));
    assert_eq!(alice.status(&placed.no).await, "shipped");
    assert!(packer.page(&page).await.contains("name=\"was\" value=\"申通快递 773123456789012\""));
    packer.post(&format!("{page}/shipments/{id}/undo"), &[]).await;
    assert!(packer.said(&page).await.contains("已撤销发货 申通快递 773123456789012"));
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert_eq!(w.stock(sku).await, (7, 1));
    w.must_hold().await;
    packer.post(&format!("{page}/shipments/{id}/undo"), &[]).await;
    assert!(packer.said(&page).await.contains("已经撤销"), "twice is once");

    w.advance(30 * MINUTE);
    let first = parcels[0]["id"].as_str().unwrap();
    packer.post(&format!("{page}/shipments/{first}/undo"), &[]).await;
    assert!(packer.said(&page).await.contains("超过 30 分钟"));
    // Received by itself ten days after the *last* parcel.
    w.advance(5 * DAY);
    ship("JDVA12345678901", "1").await;
    w.advance(6 * DAY);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "shipped");
    w.advance(4 * DAY + MINUTE);
    w.wait("the end", || async { alice.status(&placed.no).await == "completed" }).await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_whose_goods_were_paid_back_stays_sent() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 1).await;
    let page = format!("/admin/orders/{}", placed.no);
    manager.ship(&page).await;
    assert!(manager.page(&page).await.contains("撤销发货</button>"));
    alice.ask_refund(&placed.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    assert!(!manager.page(&page).await.contains("撤销发货</button>"));
    let id = alice.order(&placed.no).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    manager.post(&format!("{page}/shipments/{id}/undo"), &[]).await;
    assert!(manager.said(&page).await.contains("发货之后有退款"));
    assert_eq!((alice.status(&placed.no).await.as_str(), w.stock(sku).await), ("shipped", (8, 0)));
    w.must_hold().await;
}

/// Brings a table in and answers with the address of its page.
pub async fn bring(w: &World, staff: &Console<'_>, form: Form) -> String {
    let request = w.http().post(w.at("/admin/shipping")).header("Cookie", &staff.cookie).multipart(form);
    request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
}

pub fn pasted(text: &str) -> Form {
    Form::new().text("text", text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_a_table_has_its_verdict() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut paid = Vec::new();
    for pieces in [2, 1, 1, 1, 1] {
        paid.push(w.paid(&alice, sku, pieces).await.no);
    }
    let unpaid = Placed::of(alice.buy(sku, 1).await).no;
    let refunding = w.paid(&alice, sku, 1).await.no;
    alice.ask_refund(&refunding, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    packer.post(&format!("/admin/orders/{}/ship", paid[3]), &[("tracking_no", "SF0000000000003")]).await;
    let [a, b, c, shipped, e] = [&paid[0], &paid[1], &paid[2], &paid[3], &paid[4]];
    let text = format!(
        "订单号\t快递公司\t快递单号\n{a}\t顺丰\tSF0000000000001\n{b}\t\tSF0000000000001\n{c}\t申通\t7.73E+14\n\
         {shipped}\t顺丰\tSF0000000000009\n{unpaid}\t顺丰\tSF0000000000005\n{refunding}\t顺丰\tSF0000000000006\n\
         20200101ABCDEFGHJK\t顺丰\tSF0000000000007\nIOU\t顺丰\tSF0000000000008\n{a}\t顺丰\tSF0000000000011\n{e}\t飞毛腿\tSF0000000000012"
    );
    let batch = bring(&w, &packer, pasted(&text)).await;
    let page = packer.page(&batch).await;
    for (order, words) in [
        (a, "可发货"),
        (b, "单号与第 2 行相同"),
        (c, "科学计数"),
        (shipped, "已用 顺丰速运 SF0000000000003 发货"),
        (&unpaid, "订单是「待付款」"),
        (&refunding, "有退款正在处理"),
        (&"20200101ABCDEFGHJK".to_owned(), "没有这笔订单"),
        // Letters that stand in no number, so that it is found in its own row alone.
        (&"IOU".to_owned(), "订单号不对"),
        (e, "不认识快递公司「飞毛腿」"),
    ] {
        let row = page.split("<tr>").find(|row| row.contains(order.as_str())).unwrap();
        assert!(row.contains(words), "{order}: {row}");
    }
    assert!(page.contains("第 2 行已经有这笔订单"));
    assert_eq!(alice.status(a).await, "to_ship", "looking ships nothing");

    packer.post(&format!("{batch}/run"), &[]).await;
    assert!(packer.said(&batch).await.contains("已执行 2 行"));
    assert_eq!(alice.order(a).await["shipments"][0]["trackingNo"], "SF0000000000001");
    for (order, status) in
        [(a, "shipped"), (b, "to_ship"), (c, "to_ship"), (&unpaid, "pending_payment"), (e, "to_ship")]
    {
        assert_eq!(alice.status(order).await, status, "{order}");
    }
    let (_, problems) = packer.get(&format!("{batch}/problems.csv")).await;
    assert!(problems.starts_with('\u{feff}') && problems.contains(c.as_str()) && !problems.contains("SF0000000000011"));
    // What was allowed beyond the plain case.
    packer.post(&format!("{batch}/allow"), &[("renumber", "true"), ("merge", "true")]).await;
    packer.post(&format!("{batch}/run"), &[]).await;
    assert!(packer.said(&batch).await.contains("已执行 2 行"));
    assert_eq!(alice.order(b).await["shipments"][0]["trackingNo"], "SF0000000000001");
    assert_eq!(alice.order(shipped).await["shipments"][0]["trackingNo"], "SF0000000000009");
    // Two numbers for one parcel that has left, or one beside its own: neither takes the place of the other.
    for numbers in [["SF0000000000021", "SF0000000000022"], ["SF0000000000009", "SF0000000000023"]] {
        let rows = numbers.map(|number| format!("{shipped}\t顺丰\t{number}")).join("\n");
        let batch = bring(&w, &packer, pasted(&format!("订单号\t快递公司\t快递单号\n{rows}"))).await;
        packer.post(&format!("{batch}/allow"), &[("renumber", "true")]).await;
        assert!(packer.page(&batch).await.contains("这笔订单在表里有几个单号"));
        packer.post(&format!("{batch}/run"), &[]).await;
        assert_eq!(alice.order(shipped).await["shipments"][0]["trackingNo"], "SF0000000000009");
    }
    // The same table once more ships nothing twice.
    let again = bring(&w, &packer, pasted(&format!("{a} SF0000000000001"))).await;
    assert!(packer.page(&again).await.contains("不会重复"));
    packer.post(&format!("{again}/run"), &[]).await;
    assert_eq!(alice.order(a).await["shipments"].as_array().unwrap().len(), 2, "as the table had it");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_come_twice_and_orders_sent_in_part_are_told() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut paid = Vec::new();
    for pieces in [1, 1, 1, 3] {
        paid.push(w.paid(&alice, sku, pieces).await.no);
    }
    let [a, b, c, three] = [&paid[0], &paid[1], &paid[2], &paid[3]];
    let head = "订单号\t件数\t快递公司\t快递单号\n";
    let shown = async |batch: &str| packer.page(batch).await;
    let parcels = async |order: &String| alice.order(order).await["shipments"].as_array().unwrap().len();

    // A table with a row for each kind of goods has its parcel twice.
    let goods = format!("{head}{a}\t\t顺丰\tSF0000000000031\n{a}\t\t顺丰\tSF0000000000031");
    let batch = bring(&w, &packer, pasted(&goods)).await;
    assert!(shown(&batch).await.contains("与第 2 行重复"));
    packer.post(&format!("{batch}/run"), &[]).await;
    assert_eq!(parcels(a).await, 1);

    // Another order's number, from another table and in the same cell.
    let used = bring(&w, &packer, pasted(&format!("{head}{b}\t\t顺丰\tSF0000000000031"))).await;
    assert!(shown(&used).await.contains(&format!("单号已用于订单 {a}")));
    packer.post(&format!("{used}/run"), &[]).await;
    assert_eq!(alice.status(b).await, "to_ship");
    let both = bring(&w, &packer, pasted(&format!("{head}{b}、{c}\t\t顺丰\tSF0000000000032"))).await;
    assert!(shown(&both).await.contains("单号与第 2 行相同"));
    packer.post(&format!("{both}/allow"), &[("merge", "true")]).await;
    packer.post(&format!("{both}/run"), &[]).await;
    for order in [b, c] {
        assert_eq!(alice.order(order).await["shipments"][0]["trackingNo"], "SF0000000000032");
    }

    let in_part = "其中 1 笔订单按“件数”只发一部分";
    let whole = format!("{head}{three}\t1\t顺丰\tSF0000000000033\n{three}\t2\t顺丰\tSF0000000000034");
    assert!(!shown(&bring(&w, &packer, pasted(&whole)).await).await.contains("只发一部分"));
    let part = bring(&w, &packer, pasted(&format!("{head}{three}\t1\t顺丰\tSF0000000000033"))).await;
    let form = [("order_no", three.as_str()), ("company", "顺丰"), ("tracking_no", "SF0000000000033"), ("pieces", "1")];
    packer.post(&format!("{part}/rows/0"), &form).await;
    assert!(shown(&part).await.contains(in_part));
    packer.post(&format!("{part}/run"), &[]).await;
    assert_eq!((alice.status(three).await.as_str(), parcels(three).await), ("to_ship", 1));
    // A parcel that goes with another is taken back before it.
    let d = w.paid(&alice, sku, 2).await.no;
    let two = format!("{head}{d}\t\t顺丰\tSF0000000000041\n{d}\t\t顺丰\tSF0000000000042");
    let two = bring(&w, &packer, pasted(&two)).await;
    packer.post(&format!("{two}/run"), &[]).await;
    assert_eq!(parcels(&d).await, 2);
    packer.post(&format!("{two}/undo"), &[]).await;
    assert!(packer.said(&two).await.contains("已撤销 2 个包裹"));
    assert_eq!((alice.status(&d).await.as_str(), parcels(&d).await), ("to_ship", 0));
    // As a list of orders has it, all pieces: what is left of them goes.
    let rest = bring(&w, &packer, pasted(&format!("{head}{three}\t3\t顺丰\tSF0000000000034"))).await;
    packer.post(&format!("{rest}/run"), &[]).await;
    assert_eq!((alice.status(three).await.as_str(), parcels(three).await), ("shipped", 2));
    w.must_hold().await;
}

/// One number for several receivers leaves only where somebody has said so of each row: what is ticked for a pair of one
/// receiver is no yes for strangers, within a table and with what has left before.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_share_a_parcel_only_where_each_was_agreed_to() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for buyer in [&alice, &alice, &alice, &bob, &bob, &alice] {
        no.push(w.paid(buyer, sku, 1).await.no);
    }
    let his = [no[3].clone(), no[4].clone()];
    let readdress = move |tx: &Tx| {
        let sql = "update orders set address = json_set(address, '$.receiver', '李四', '$.city', '宁波市') where order_no in (?1, ?2)";
        Ok(tx.execute(sql, [&his[0], &his[1]])?)
    };
    assert_eq!(w.shop.write(readdress).await.unwrap(), 2);
    let rows = [(0, 1), (1, 1), (2, 2), (3, 2)].map(|(n, number)| format!("{}\t顺丰\tSF000000000010{number}", no[n]));
    let batch = bring(&w, &packer, pasted(&format!("订单号\t快递公司\t快递单号\n{}", rows.join("\n")))).await;
    let strange = "（收货人或地址不同）：请核对是哪一单的";
    let verdicts = async |batch: &str| {
        let page = packer.page(batch).await;
        let row = |no: &String| page.split("<tr>").find(|row| row.contains(no.as_str())).unwrap().to_owned();
        no.iter().take(4).map(row).map(|row| (row.contains("可发货"), row.contains(strange))).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&batch).await, [(true, false), (false, false), (false, true), (false, true)]);
    assert!(packer.page(&batch).await.contains("单号与第 2 行相同（收货人和地址相同）"));
    packer.post(&format!("{batch}/allow"), &[("merge", "true")]).await;
    assert_eq!(verdicts(&batch).await, [(true, false), (true, false), (false, true), (false, true)]);
    packer.post(&format!("{batch}/run"), &[]).await;
    assert!(packer.said(&batch).await.contains("已执行 2 行"));
    for (n, status) in [(0, "shipped"), (1, "shipped"), (2, "to_ship")] {
        assert_eq!(alice.status(&no[n]).await, status, "{n}");
    }
    // A yes to one row is none to the other; another number is another question.
    let save = async |batch: &str, at: usize, order: &str, number: &str| {
        let form = [("order_no", order), ("company", "顺丰"), ("tracking_no", number), ("pieces", "")];
        packer.post(&format!("{batch}/rows/{at}"), &form).await;
    };
    save(&batch, 3, &no[3], "SF0000000000102").await;
    assert_eq!(verdicts(&batch).await[2..], [(false, true), (true, false)]);
    save(&batch, 3, &no[3], "SF0000000000101").await;
    save(&batch, 3, &no[3], "SF0000000000102").await;
    assert_eq!(verdicts(&batch).await[2..], [(false, true), (false, true)], "mended back is asked again");
    save(&batch, 2, &no[2], "SF0000000000102").await;
    save(&batch, 3, &no[3], "SF0000000000102").await;
    packer.post(&format!("{batch}/run"), &[]).await;
    assert!(packer.said(&batch).await.contains("已执行 2 行"));
    assert_eq!(bob.order(&no[3]).await["shipments"][0]["trackingNo"], "SF0000000000102");

    // The same of what has left before, for a row that ships and for one that gets another number.
    for (n, ticks) in [(4, &[("merge", "true")][..]), (3, &[("merge", "true"), ("renumber", "true")])] {
        let (order, number) = (&no[n], "SF0000000000101");
        let batch = bring(&w, &packer, pasted(&format!("{order} 顺丰 {number}"))).await;
        packer.post(&format!("{batch}/allow"), ticks).await;
        let page = packer.page(&batch).await;
        assert!(page.contains("（收货人或地址不同）；真是装在一个包裹里的"), "{n}: {page}");
        packer.post(&format!("{batch}/run"), &[]).await;
        assert!(packer.said(&batch).await.contains("已执行 0 行"), "{n}");
        save(&batch, 0, order, number).await;
        packer.post(&format!("{batch}/run"), &[]).await;
        assert_eq!(bob.order(order).await["shipments"][0]["trackingNo"], number, "{n}");
    }
    // What was asked while something else stood in the way was not agreed to by mending that.
    let refunding = &no[5];
    alice.ask_refund(refunding, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    let batch = bring(&w, &packer, pasted(&format!("{refunding} 顺丰 SF0000000000102"))).await;
    packer.post(&format!("{batch}/allow"), &[("merge", "true")]).await;
    save(&batch, 0, refunding, "SF0000000000102").await;
    let kept = w.count("select count(*) from shipping_batches where rows like '%agreed%' and id = (select max(id) from shipping_batches)").await;
    assert_eq!(kept, 0);
    w.must_hold().await;
}

/// What a row says of its receiver, of its goods and of other orders is held against the order that it names.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_contradicts_its_order_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let pear = w.product("雪花梨", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let packer = w.staff("packer", Role::Packer).await;
    let (a, b) = (w.paid(&alice, sku, 1).await.no, w.paid(&bob, pear, 1).await.no);
    let (a_no, b_no) = (a.clone(), b.clone());
    let readdress = move |tx: &Tx| {
        let sql = "update orders set address = json_set(address, '$.receiver', ?2, '$.phone', ?3, '$.province', ?4, '$.city', ?5, '$.district', ?6) where order_no = ?1";
        tx.execute(sql, [&a_no, "张小红", "13900000014", "江苏省", "南京市", "鼓楼区"])?;
        tx.execute(sql, [&b_no, "李四", "13711112222", "浙江省", "宁波市", "海曙区"])?;
        Ok(tx.execute(
            "update order_lines set spec_text = '6 寸' where order_id = (select id from orders where order_no = ?1)",
            [&a_no],
        )?)
    };
    assert_eq!(w.shop.write(readdress).await.unwrap(), 1);
    let ready = async |text: &str| {
        let to = bring(&w, &packer, pasted(text)).await;
        let page = packer.page(&to).await;
        (page.contains("<b class=\"ok\">1</b> 行可执行"), page)
    };
    for (head, said, words) in [
        ("收件人\t手机", "李四\t13711112222", "「手机」尾号 2222，订单是尾号 0014"),
        ("收件人\t手机", "张小红\t13711112222", "尾号 2222"),
        ("收件人\t手机", "张小红\t13900000014", ""),
        ("收件人\t序号", "张小红 13711112222\t1", "「收件人」尾号 2222"),
        ("收件人\t序号", "张小红 137****2222\t1", "「收件人」尾号 2222"),
        ("收件人\t序号", "张小红 13900000014\t1", ""),
        ("收件人\t手机", "张小红女士\t+86 139-0000-0014", ""),
        ("收件人\t手机", "他人\t13900000014", ""),
        ("收件人手机\t收件人电话", "139****0014\t", ""),
        ("收件人手机\t收件人电话", "139****2222\t", "尾号 2222"),
        ("收件人手机\t收件人电话", "137****0014\t", "手机号不一样"),
        ("收件人手机\t收件人电话", "13711112222-1234\t", ""),
        ("收件人手机\t收件人电话", "0571-88888888\t13900000014", ""),
        ("收件人手机\t收件人电话", "***********\t", ""),
        ("寄件人\t寄件人手机", "李四\t13711112222", ""),
        ("买家昵称\t下单人手机", "李四\t13711112222", ""),
        ("收货人\t地址", "李*\t", "「收货人」是 李*，订单是 张*"),
        ("收货人\t地址", "张*\t", ""),
        ("收货人\t地址", "张*红\t", ""),
        ("收货人\t地址", "张*明\t", "「收货人」是 *明，订单是 *红"),
        ("收货人\t地址", "**\t", ""),
        (
            "收货人\t地址",
            "张小红\t浙江省宁波市海曙区一路1号",
            "「地址」是浙江省宁波市海曙区，订单寄到江苏省南京市鼓楼区",
        ),
        ("收货人\t地址", "张小红\t南京鼓楼区一路1号", ""),
        ("收货人\t地址", "\t一路1号", ""),
        ("商品名称\t规格", "雪花梨\t", "“雪花梨”"),
        ("商品名称\t规格", "苹果\t8 寸", "规格是“8 寸”"),
        ("商品名称\t规格", "苹果\t6寸", ""),
        ("商品名称\t规格", "苹果\t尺寸:6 寸", ""),
        ("商品名称\t规格", "苹果\t默认", ""),
        ("商品名称\t规格", "自家的叫法\t大号", ""),
        ("商品\t件数", "雪花梨 ×1\t1", "“雪花梨 ×1”"),
        ("商品\t件数", "苹果 6 寸 ×1\t1", ""),
        ("商品名称\t数量", "苹果\t0", "这一行像是不用发"),
        ("商品\t件数", "苹果 6 寸 ×1；雪花梨 ×1\t1", "“苹果 6 寸 ×1；雪花梨 ×1”"),
        ("商品\t件数", "苹果 ×1\t1", ""),
        ("收件信息\t序号", "李雷 13933334444 上海市浦东新区世纪大道1号\t1", "尾号 4444"),
        ("收货人信息\t序号", "李雷 139****4444\t1", "尾号 4444"),
        ("收货信息\t序号", "上海市浦东新区世纪大道1号\t1", "「收货信息」是上海市浦东新区"),
        ("收件信息\t序号", "张小红 13900000014 江苏省南京市鼓楼区演示路1号\t1", ""),
        ("收件信息\t序号", "张小红 139-0000-0014 南京市\t1", ""),
        ("收件地址\t序号", "江苏省南京市玄武区演示路1号\t1", "「收件地址」是江苏省南京市玄武区"),
        ("收件地址\t序号", "江苏省南京市鼓楼区中山路9号\t1", ""),
        ("收件地址\t序号", "南京市鼓楼区演示路一号\t1", ""),
        ("收件地址\t序号", "南京市鼓楼区****\t1", ""),
        ("目的地\t序号", "上海\t1", "「目的地」是上海市"),
        ("目的城市\t序号", "宁波市\t1", "「目的城市」是浙江省宁波市"),
        ("收货区域\t序号", "四川省成都市\t1", "「收货区域」是四川省成都市"),
        ("目的地\t序号", "南京\t1", ""),
        ("目的地\t序号", "南京市玄武区\t1", ""),
        ("省\t市\t区", "江苏省\t南京市\t玄武区", "「省市区」是江苏省南京市玄武区"),
        ("省\t市\t区", "江苏省\t南京市\t鼓楼区", ""),
        ("手机尾号\t序号", "4444\t1", "尾号 4444"),
        ("手机后四位\t序号", "0014\t1", ""),
        ("客户姓名\t客户电话", "李雷\t13933334444", "尾号 4444"),
        ("收件人手机\t客户电话", "13900000014\t13933334444", ""),
        ("收\t序号", "李雷\t1", "「收」是 李*"),
        ("托寄物\t序号", "雪花梨\t1", "「托寄物」是“雪花梨”"),
        ("发货内容\t序号", "雪花梨 2 箱\t1", "「发货内容」是“雪花梨 2 箱”"),
        ("货品\t序号", "雪花梨\t1", "“雪花梨”"),
        ("商品信息\t序号", "苹果 6寸\t1", ""),
        ("托寄物\t序号", "水果\t1", ""),
        ("商品金额\t序号", "雪花梨\t1", ""),
    ] {
        let (fine, page) =
            ready(&format!("订单号\t{head}\t快递单号\t快递公司\n{a}\t{said}\tSF1234567890123\t顺丰")).await;
        assert_eq!(fine, words.is_empty(), "{head} {said}: {page}");
        assert!(page.contains(words), "{head} {said}: {page}");
    }
    // A street of nobody's here tells nothing; that of another order of the table does.
    let second = w.paid(&alice, sku, 1).await.no;
    let moved = second.clone();
    let move_it = move |tx: &Tx| {
        let to = "'$.province', '江苏省', '$.city', '南京市', '$.district', '鼓楼区', '$.detail', '中山路 9 号'";
        Ok(tx.execute(&format!("update orders set address = json_set(address, {to}) where order_no = ?1"), [&moved])?)
    };
    assert_eq!(w.shop.write(move_it).await.unwrap(), 1);
    for (streets, asked) in [
        (["演示路1号", "中山路9号"], false),
        (["演示路1号3幢", "中山路9号2楼"], false),
        (["邮政路12号", "人民路8号"], false),
        (["中山路9号", "演示路1号"], true),
    ] {
        let line =
            |no: &str, street: &str, n: u64| format!("{no}\t江苏省南京市鼓楼区{street}\tSF123456789012{n}\t顺丰");
        let lines = [line(&a, streets[0], 3), line(&second, streets[1], 4)].join("\n");
        let table = format!("订单号\t收件地址\t快递单号\t快递公司\n{lines}");
        let page = packer.page(&bring(&w, &packer, pasted(&table)).await).await;
        let fine = if asked { 0 } else { 2 };
        assert!(page.contains(&format!("<b class=\"ok\">{fine}</b> 行可执行")), "{streets:?}: {page}");
        assert_eq!(page.contains("「收件地址」是另一笔订单的地址"), asked, "{streets:?}: {page}");
    }
    // A carrier whose name is of letters of two kinds is known whole.
    for company in ["中国邮政EMS", "跨越速运", "安能物流", "中国邮政"] {
        let (fine, page) = ready(&format!("{a}\t{company}\tX89537574640")).await;
        assert!(fine, "{company}: {page}");
    }
    // No column is called after it, and what it is called stands in its cell.
    for said in [a.clone(), format!("订单{a}"), format!("订单号：{a}"), format!("小程序订单 {a}")] {
        let (fine, page) = ready(&format!("收件人\t备注\t快递单号\n张小红\t{said}\tSF1234567890123")).await;
        assert!(fine, "{said}: {page}");
    }
    // Whose it is, in the order's own cell.
    for (cell, words) in [
        (format!("{a}(李雷)"), "「订单号」是 李*，订单是 张*"),
        (format!("{a}（王小明女士）"), "「订单号」是 王*"),
        (format!("{a}(张小红)"), ""),
        (format!("{a}（张女士）"), ""),
        (format!("{a}（小程序）"), ""),
        (format!("{a}（周一单）"), ""),
        (format!("{a}（江苏）"), ""),
        (format!("订单号：{a}"), ""),
        (format!("{a} 王小样 13812340001"), "「订单号」尾号 0001，订单是尾号 0014"),
        (format!("王小样 13812340001 {a}"), "尾号 0001"),
        (format!("{a} 张小红 13900000014"), ""),
        (format!("{a} 张小红13900000014"), ""),
        (format!("{a} 王小样"), "「订单号」是 王*"),
        (format!("{a} 王*"), "「订单号」是 王*，订单是 张*"),
        (format!("{a}-王**"), "「订单号」是 王*"),
        (format!("{a}(王先生)"), "「订单号」是 王*"),
        (format!("{a} *小样"), "「订单号」是"),
        (format!("{a} 138****0001"), "尾号 0001"),
        (format!("{a} 138＊＊＊＊0001"), "尾号 0001"),
        (format!("{a} 尾号0001"), "尾号 0001"),
        (format!("{a}（8899）"), "尾号 8899"),
        (format!("{a} 张* 139****0014"), ""),
        (format!("{a} 张**"), ""),
        (format!("{a} *小红"), ""),
        (format!("{a}（0014）"), ""),
        (format!("{a}（1130）"), ""),
        (format!("{a} 加急"), ""),
        (format!("*{a}"), ""),
    ] {
        let (fine, page) = ready(&format!("订单号\t快递单号\t快递公司\n{cell}\tSF1234567890123\t顺丰")).await;
        assert_eq!((fine, page.contains(words)), (words.is_empty(), true), "{cell}: {page}");
    }
    // In a cell of its own beside it, under no title.
    for (said, words) in [
        ("王小样 13812340001", "「没有列名的格」尾号 0001"),
        ("王小样", "王*"),
        ("138****0001", "尾号 0001"),
        ("张小红", ""),
        ("139****0014", ""),
        ("张*", ""),
    ] {
        let text = format!("订单号\t\t快递单号\t快递公司\n{a}\t{said}\tSF1234567890123\t顺丰");
        let (fine, page) = ready(&text).await;
        assert_eq!((fine, page.contains(words)), (words.is_empty(), true), "{said}: {page}");
    }
    // Another order of this shop beside it; another program's number says nothing.
    for (column, said, fine) in [
        ("原始单号", b.as_str(), false),
        ("关联订单号", b.as_str(), false),
        ("原始单号", a.as_str(), true),
        ("原始单号", "JY20261129", true),
    ] {
        let table = format!("订单号\t{column}\t快递单号\t快递公司\n{a}\t{said}\tSF1234567890123\t顺丰");
        assert_eq!(ready(&table).await.0, fine, "{column} {said}");
    }
    // The shop's own phone in every row is nobody's of them; and one look settles it.
    let rows = [(&a, 1), (&b, 2)].map(|(no, n)| format!("{no}\t13300000000\tSF000000000000{n}\t顺丰"));
    let to = bring(&w, &packer, pasted(&format!("订单号\t电话\t快递单号\t快递公司\n{}", rows.join("\n")))).await;
    assert!(packer.page(&to).await.contains("<b class=\"ok\">2</b> 行可执行"));
    // One of the receivers' in every row is another matter.
    let rows = [(&a, 1), (&b, 2)].map(|(no, n)| format!("{no}\t李四\t137****2222\tSF000000000000{n}\t顺丰"));
    let to =
        bring(&w, &packer, pasted(&format!("订单号\t收件人\t手机\t快递单号\t快递公司\n{}", rows.join("\n")))).await;
    let page = packer.page(&to).await;
    assert!(page.contains("<b class=\"ok\">1</b> 行可执行") && page.contains("尾号 2222，订单是尾号 0014"), "{page}");
    let crossed = [(&a, "13711112222", 1), (&b, "13900000014", 2)];
    let rows = crossed.map(|(no, phone, n)| format!("{no}\t{phone}\tSF000000000000{n}\t顺丰"));
    let to = bring(&w, &packer, pasted(&format!("订单号\t电话\t快递单号\t快递公司\n{}", rows.join("\n")))).await;
    let page = packer.page(&to).await;
    assert!(page.contains("<b class=\"ok\">0</b> 行可执行") && !page.contains("13711112222"), "{page}");
    let form = [("order_no", a.as_str()), ("company", "顺丰"), ("tracking_no", "SF0000000000001"), ("pieces", "")];
    packer.post(&format!("{to}/rows/0"), &form).await;
    packer.post(&format!("{to}/run"), &[]).await;
    assert_eq!((alice.status(&a).await.as_str(), bob.status(&b).await.as_str()), ("shipped", "to_ship"));
    let kept = w.count("select count(*) from shipping_batches where rows like '%13711112222%'").await;
    assert_eq!(kept, 0, "what a table says of people is not kept");
}

/// Goods are held against the order whatever the title above them, with all that stands there: each of a list, what was
/// chosen, how many.
#[tokio::test(flavor = "multi_thread")]
async fn goods_are_held_against_their_order_under_whatever_title() {
    let w = World::new().await;
    let sized = |size: &str| vec![("尺寸".to_owned(), size.to_owned())];
    let (cake, small) = w.product_with("草莓奶油蛋糕", 1000, 99, |_, sku| sku.specs = sized("6 寸")).await;
    let more = move |tx: &xiaopu::db::Tx| {
        let price = xiaopu::money::Fen::new(2000).unwrap();
        let draft = xiaopu::catalogue::store::SkuDraft {
            specs: sized("8 寸"),
            sku_code: None,
            price,
            market_price: None,
            limit_per_order: None,
            delivery: xiaopu::catalogue::Delivery::Express,
            weight: 0,
            enabled: true,
        };
        Ok(xiaopu::catalogue::store::put_sku(tx, cake, &draft)?)
    };
    w.shop.write(more).await.unwrap();
    let bread = w.product("法式乡村面包", 1000, 99).await;
    w.product("黄油曲奇", 1000, 99).await;
    w.product("蛋糕", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let one = w.paid(&alice, small, 2).await.no;
    let items = json!([{ "skuId": small, "quantity": 1 }, { "skuId": bread, "quantity": 1 }]);
    let two = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    w.pay(&two, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&two.no).await == "to_ship" }).await;
    for (of_one, goods) in [
        (true, "草莓奶油蛋糕 6 寸 ×2"),
        (true, "草莓奶油蛋糕"),
        (true, "草莓奶油蛋糕 ×2"),
        (true, "草莓奶油蛋糕 尺寸:6寸 x2"),
        (true, "【草莓奶油蛋糕】6寸*2"),
        (true, "6寸草莓奶油蛋糕 2个"),
        (true, "草莓奶油蛋糕（6寸）+贺卡"),
        (true, "草莓奶油蛋糕 6寸 共2件"),
        (true, "草莓奶油蛋糕6寸*1，草莓奶油蛋糕6寸*1"),
        (true, "2×草莓奶油蛋糕"),
        (true, "草莓奶油蛋糕（含黄油曲奇碎）"),
        (true, "草莓奶油蛋糕（内含黄油曲奇）"),
        (true, "草莓奶油蛋糕 不要黄油曲奇"),
        (true, "草莓奶油蛋糕黄油曲奇味"),
        (true, "生日礼物"),
        (false, "草莓奶油蛋糕 6 寸 ×1；法式乡村面包 ×1"),
        (false, "法式乡村面包 ×1；草莓奶油蛋糕 6 寸 ×1"),
        (false, "草莓奶油蛋糕6寸*1，法式乡村面包*1"),
        (false, "草莓奶油蛋糕 6寸，送法式乡村面包"),
        (false, "草莓奶油蛋糕（送法式乡村面包）"),
        (false, "草莓奶油蛋糕法式乡村面包"),
        (false, "草莓奶油蛋糕6寸 1件 法式乡村面包 1件"),
        (false, "草莓奶油蛋糕等2件商品"),
        (false, "草莓奶油蛋糕 6寸+面包"),
        (false, "1.草莓奶油蛋糕 6 寸 ×1 2.法式乡村面包 ×1"),
        (false, "草莓奶油蛋糕 6 寸 × 1 / 法式乡村面包 × 1"),
    ] {
        for title in
            ["商品", "商品信息", "托寄物", "货品", "宝贝", "内件品名", "产品信息", "订单内容", "内容", "明细", "发货单"]
        {
            // What stands under a title of nobody's and is none of the shop's goods stands out.
            if goods == "生日礼物" && ["内容", "明细", "发货单"].contains(&title) {
                continue;
            }
            let no = if of_one { &one } else { &two.no };
            let table = format!("订单号\t{title}\t快递单号\t快递公司\n{no}\t{goods}\tSF1234567890123\t顺丰");
            let page = packer.page(&bring(&w, &packer, pasted(&table)).await).await;
            assert!(page.contains("<b class=\"ok\">1</b> 行可执行"), "{title} {goods}: {page}");
        }
    }
    for (of_one, goods) in [
        (true, "草莓奶油蛋糕 8 寸 ×1；法式乡村面包 ×1"),
        (true, "草莓奶油蛋糕 6 寸 ×2；黄油曲奇 ×1"),
        (true, "草莓奶油蛋糕 6 寸 ×2，黄油曲奇 ×1"),
        (true, "草莓奶油蛋糕 6寸+黄油曲奇"),
        (true, "草莓奶油蛋糕 8 寸 ×2"),
        (true, "草莓奶油蛋糕 8寸 x2"),
        (true, "8寸草莓奶油蛋糕"),
        (true, "草莓奶油蛋糕 6 寸 ×5"),
        (true, "草莓奶油蛋糕 6寸*5"),
        (true, "草莓奶油蛋糕 6 寸 ×1"),
        (true, "法式乡村面包"),
        (true, "蛋糕 ×2"),
        (true, "草莓奶油蛋糕 6寸，送黄油曲奇"),
        (true, "草莓奶油蛋糕6寸（送黄油曲奇）"),
        (true, "草莓奶油蛋糕6寸，赠品：黄油曲奇"),
        (true, "草莓奶油蛋糕6寸黄油曲奇"),
        (true, "草莓奶油蛋糕黄油曲奇"),
        (true, "草莓奶油蛋糕 2件黄油曲奇 1件"),
        (true, "草莓奶油蛋糕、黄油曲奇一盒"),
        (true, "黄油曲奇小样，草莓奶油蛋糕"),
        (true, "草莓奶油蛋糕+黄油曲奇试吃"),
        (true, "草莓奶油蛋糕 6寸 5件"),
        (true, "草莓奶油蛋糕 6寸（5件）"),
        (true, "5件草莓奶油蛋糕"),
        (true, "5×草莓奶油蛋糕"),
        (true, "草莓奶油蛋糕 数量：5"),
        (true, "草莓奶油蛋糕6寸*2，草莓奶油蛋糕6寸*1"),
        (false, "草莓奶油蛋糕、法式乡村面包、黄油曲奇"),
        (false, "草莓奶油蛋糕 8 寸 ×1；法式乡村面包 ×1"),
        (false, "草莓奶油蛋糕8寸*1，法式乡村面包*1"),
        (false, "法式乡村面包 ×2"),
        (false, "草莓奶油蛋糕 8 寸 × 1 / 法式乡村面包 × 1"),
        (true, "1.草莓奶油蛋糕 6 寸 ×2 2.法式乡村面包 ×1"),
    ] {
        for title in
            ["商品", "商品信息", "商品明细", "托寄物", "宝贝", "商品简称", "产品信息", "内容", "明细", "礼包里"]
        {
            let no = if of_one { &one } else { &two.no };
            let table = format!("订单号\t{title}\t快递单号\t快递公司\n{no}\t{goods}\tSF1234567890123\t顺丰");
            let page = packer.page(&bring(&w, &packer, pasted(&table)).await).await;
            assert!(page.contains("<b class=\"ok\">0</b> 行可执行"), "{title} {goods}: {page}");
            assert!(page.contains(&format!("表里「{title}」是“{goods}”")), "{title} {goods}: {page}");
        }
    }
    // The rows of one order say together what leaves; and one row may be of two orders.
    let parcels = format!(
        "订单号\t商品\t快递单号\t快递公司\n{one}\t草莓奶油蛋糕 6 寸 ×1\tSF0000000000001\t顺丰\n{one}\t草莓奶油蛋糕 6 寸 ×1\tSF0000000000002\t顺丰"
    );
    let both = format!(
        "订单号\t商品\t快递单号\t快递公司\n{one}、{}\t草莓奶油蛋糕 6 寸 ×3；法式乡村面包 ×1\tSF0000000000003\t顺丰",
        two.no
    );
    for text in [parcels, both] {
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert!(!page.contains("表里「商品」是"), "{text}: {page}");
    }
}

/// Goods stand where they stand: under another's title, or in each other's columns.
#[tokio::test(flavor = "multi_thread")]
async fn goods_are_found_where_columns_are_exchanged() {
    let w = World::new().await;
    let sized =
        |size: &str, layers: &str| vec![("尺寸".to_owned(), size.to_owned()), ("层数".to_owned(), layers.to_owned())];
    let (id, cake) = w.product_with("草莓奶油蛋糕", 1000, 99, |_, sku| sku.specs = sized("6 寸", "1")).await;
    let larger = move |tx: &Tx| {
        let draft = xiaopu::catalogue::store::SkuDraft {
            specs: sized("8 寸", "2"),
            sku_code: None,
            price: xiaopu::money::Fen::new(2000).unwrap(),
            market_price: None,
            limit_per_order: None,
            delivery: xiaopu::catalogue::Delivery::Express,
            weight: 0,
            enabled: true,
        };
        Ok(xiaopu::catalogue::store::put_sku(tx, id, &draft)?)
    };
    w.shop.write(larger).await.unwrap();
    let (_, biscuit) = w.product_with("黄油曲奇", 1000, 99, |_, _| {}).await;
    let code = move |tx: &Tx| {
        tx.execute("update skus set sku_code = 'CK-6', barcode = '6901234567892' where id = ?1", [cake])?;
        Ok(tx.execute("update skus set sku_code = 'HY9', barcode = '6912345678904' where id = ?1", [biscuit])?)
    };
    w.shop.write(code).await.unwrap();
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let no = w.paid(&alice, cake, 1).await.no;
    for (head, said, fine) in [
        ("商品名称\t商家编码", "CK-6\t草莓奶油蛋糕", true),
        ("商品名称\t商家编码", "HY9\t黄油曲奇", false),
        ("商品名称\t商家编码", "自家叫法\t黄油曲奇", false),
        ("商品名称\t商家编码", "HY9\t自家编码", false),
        ("商品名称\t商家编码", "草莓奶油蛋糕\tCK-6", true),
        ("商品名称\t商家编码", "草莓奶油蛋糕\t自家编码", true),
        ("商品名称\t商家编码", "黄油曲奇\tCK-6", false),
        ("商品名称\t商家编码", "自家叫法\tCK-6", true),
        ("商品名称\t商家编码", "\tCK-6*1", true),
        ("商品名称\t商家编码", "\tCK-6，HY9", false),
        ("商品名称\t商品条码", "\t6912345678904", false),
        ("商品名称\t商品条码", "\t6901234567892", true),
        ("商品名称\t规格", "6 寸\t草莓奶油蛋糕", true),
        ("商品名称\t规格", "大盒\t黄油曲奇", false),
        ("商品信息\t规格编码", "HY9\t黄油曲奇", false),
        ("备用\t序号", "黄油曲奇\t1", false),
        ("赠品\t序号", "黄油曲奇\t1", false),
        ("店铺\t品牌", "黄油曲奇\t黄油曲奇", true),
        ("买家昵称\t发件人", "黄油曲奇\t黄油曲奇", true),
        ("类目\t序号", "黄油曲奇系列\t1", true),
        ("明细\t序号", "HY9*1\t1", false),
        ("明细\t序号", "CK-6*1\t1", true),
        ("内容\t序号", "CK-6*1；HY9*1\t1", false),
        ("物品\t序号", "6912345678904\t1", false),
        ("备注1\t序号", "黄油曲奇 x1\t1", false),
        ("备注1\t序号", "草莓奶油蛋糕 6 寸\t1", true),
        ("卖家备注\t序号", "HY9\t1", false),
        ("\t序号", "黄油曲奇 ×1\t1", false),
        ("\t序号", "草莓奶油蛋糕 ×1\t1", true),
        ("尺寸\t序号", "8 寸\t1", false),
        ("尺寸\t序号", "6 寸\t1", true),
        ("大小\t商品名称", "8寸\t草莓奶油蛋糕", false),
        ("大小\t商品名称", "6寸\t草莓奶油蛋糕", true),
        ("商品名称\t规格", "8 寸\t草莓奶油蛋糕", false),
        ("商品名称\t规格", "草莓奶油蛋糕（自提）\t8寸", false),
        ("层数\t序号", "2\t1", false),
        ("层数\t序号", "1\t1", true),
        ("数量\t序号", "2\t1", true),
        ("商品信息\t序号", "草莓奶油蛋糕\t2", true),
    ] {
        let table = format!("订单号\t{head}\t快递单号\t快递公司\n{no}\t{said}\tSF1234567890123\t顺丰");
        let page = packer.page(&bring(&w, &packer, pasted(&table)).await).await;
        assert_eq!(page.contains("<b class=\"ok\">1</b> 行可执行"), fine, "{head} {said}: {page}");
    }
    let kept = w.count("select count(*) from shipping_batches where rows like '%\"店铺\"%'").await;
    assert_eq!(kept, 0, "of columns that name no goods nothing is kept");
}

/// A row that names some of its order's goods never takes the others along unseen.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_table_leaves_out_of_an_order_is_asked_about() {
    let w = World::new().await;
    let (cake, bread) = (w.product("草莓奶油蛋糕", 1000, 99).await, w.product("法式乡村面包", 1000, 99).await);
    let tea = w.product("蜂蜜柚子茶", 1000, 99).await;
    // What is paid on top, in some shops.
    w.product("1", 100, 99).await;
    let code = move |tx: &Tx| Ok(tx.execute("update skus set sku_code = 'BR1' where id = ?1", [bread])?);
    w.shop.write(code).await.unwrap();
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let order = async |goods: &[(SkuId, i64)]| {
        let items: Vec<_> = goods.iter().map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).collect();
        let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        placed.no
    };
    let no = order(&[(cake, 1), (bread, 1)]).await;
    let (n1, n2) = ("SF1234567890123", "SF1234567890124");
    for (head, rows, words) in [
        (
            "商品名称",
            vec![format!("草莓奶油蛋糕\t{n1}")],
            "表里只写了 草莓奶油蛋糕 ×1，这笔订单还有 法式乡村面包 ×1 没写",
        ),
        ("商品信息", vec![format!("法式乡村面包*1\t{n1}")], "还有 草莓奶油蛋糕 ×1 没写"),
        ("托寄物", vec![format!("草莓奶油蛋糕+贺卡\t{n1}")], "还有 法式乡村面包 ×1 没写"),
        ("内容", vec![format!("草莓奶油蛋糕\t{n1}")], "还有 法式乡村面包 ×1 没写"),
        ("商家编码", vec![format!("BR1\t{n1}")], "还有 草莓奶油蛋糕 ×1 没写"),
        ("商品名称\t数量", vec![format!("草莓奶油蛋糕\t1\t{n1}")], "还有 法式乡村面包 ×1 没写"),
        ("商品名称\t数量", vec![format!("自家叫法\t1\t{n1}")], "表里这笔订单只有 1 件，没发的有 2 件"),
        ("商品名称\t数量", vec![format!("草莓奶油蛋糕\t2\t{n1}")], "表里写了 草莓奶油蛋糕 ×2，订单是"),
        (
            "商品名称\t数量",
            vec![format!("草莓奶油蛋糕\t1\t{n1}"), format!("法式乡村面包\t0\t{n1}")],
            "有一行的数量是 0",
        ),
        (
            "商品名称\t数量",
            vec![format!("草莓奶油蛋糕\t1\t{n1}"), format!("法式乡村面包\t缺货\t{n1}")],
            "数量“缺货”认不出",
        ),
        (
            "商品名称\t数量",
            vec![format!("草莓奶油蛋糕\t2\t{n1}"), format!("法式乡村面包\t0\t{n1}")],
            "有一行的数量是 0",
        ),
        ("商家编码", vec![format!("BR1*2\t{n1}")], "表里的商品编码是“BR1*2”，订单是"),
        ("商家编码\t数量", vec![format!("BR1\t2\t{n1}")], "表里写了 法式乡村面包 ×2，订单是"),
        (
            "商品名称\t数量",
            vec![format!("草莓奶油蛋糕\t3\t{n1}")],
            "表里写了 草莓奶油蛋糕 ×3，订单是 草莓奶油蛋糕 ×1；",
        ),
        ("商品名称\t数量", vec![format!("自家叫法\tx2\t{n1}")], ""),
        ("商品名称\t数量", vec![format!("自家叫法\t两件\t{n1}")], ""),
        ("商品名称\t数量", vec![format!("自家叫法\tx1\t{n1}")], "表里这笔订单只有 1 件，没发的有 2 件"),
        ("商品名称\t数量", vec![format!("自家叫法\t1-2\t{n1}")], "数量“1-2”认不出是几件"),
        ("商品名称\t数量", vec![format!("自家叫法\t2（件）\t{n1}")], ""),
        (
            "商品名称\t数量",
            vec![
                format!("草莓奶油蛋糕\t1\t{n1}"),
                format!("法式乡村面包\t1\t{n1}"),
                format!("【赠品】法式乡村面包\t1\t{n1}"),
            ],
            "",
        ),
        ("数量", vec![format!("2箱(10件)\t{n1}")], "数量“2箱(10件)”认不出是几件"),
        ("数量", vec![format!("2\t{n1}"), format!("1\t{n2}")], "一共写了 3 件，没发的只有 2 件"),
        ("数量", vec![format!("2\t{n1}"), format!("2\t{n2}")], ""),
        (
            "商品名称\t数量",
            vec![format!("草莓奶油蛋糕\t2\t{n1}"), format!("法式乡村面包\t1\t{n2}")],
            "表里写了 草莓奶油蛋糕 ×2，订单是",
        ),
        ("商品名称\t件数", vec![format!("法式乡村面包\t1\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕；法式乡村面包\t{n1}")], ""),
        ("商品名称", vec![format!("自家叫法\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕等\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕+其他\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕+面包\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕*1+乡村面包*1\t{n1}")], ""),
        (
            "商品名称",
            vec![format!("草莓奶油蛋糕+全麦吐司\t{n1}")],
            "“全麦吐司”认不出是哪一样，这笔订单还有 法式乡村面包 ×1",
        ),
        ("托寄物", vec![format!("草莓奶油蛋糕*1，吐司*1\t{n1}")], "认不出是哪一样，这笔订单还有 法式乡村面包 ×1"),
        ("商品名称", vec![format!("草莓奶油蛋糕、欧式面包\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕、乡下菜\t{n1}")], "认不出是哪一样"),
        ("商品名称", vec![format!("草莓奶油蛋糕+蛋糕\t{n1}")], "还有 法式乡村面包 ×1 没写"),
        ("商品名称\t托寄物", vec![format!("草莓奶油蛋糕\t食品\t{n1}")], "还有 法式乡村面包 ×1 没写"),
        ("商品名称\t托寄物", vec![format!("草莓奶油蛋糕+法式乡村面包\t食品\t{n1}")], ""),
        ("明细", vec![format!("BR1*1\t{n1}")], "还有 草莓奶油蛋糕 ×1 没写"),
        ("明细", vec![format!("BR1+草莓奶油蛋糕\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕\t{n1}"), format!("自家叫法\t{n2}")], ""),
        ("数量", vec![format!("1\t{n1}")], ""),
        ("序号", vec![format!("1\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕\t{n1}"), format!("法式乡村面包\t{n1}")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕\t{n1}"), format!("法式乡村面包\t")], "还有 法式乡村面包 ×1 没写"),
        ("商品名称\t数量", vec![format!("草莓奶油蛋糕\t1\t{n1}"), format!("法式乡村面包\t1\t{n2}")], ""),
        ("商品名称\t数量", vec![format!("草莓奶油蛋糕\t1\t{n1}"), format!("法式乡村面包\t1\t")], ""),
        ("商品名称", vec![format!("草莓奶油蛋糕\t{n1}"), format!("法式乡村面包\t{n2}")], ""),
    ] {
        let rows: Vec<String> = rows.iter().map(|row| format!("{no}\t{row}\t顺丰")).collect();
        let table = format!("订单号\t{head}\t快递单号\t快递公司\n{}", rows.join("\n"));
        let page = packer.page(&bring(&w, &packer, pasted(&table)).await).await;
        let asked = [
            "没写，现在会整单一起发",
            "件，现在会整单一起发",
            "分不出哪件在哪个包裹，商品会",
            "是不是错行了",
            "现在会整单一起发",
        ];
        let asked = asked.iter().any(|words| page.contains(words));
        assert_eq!((asked, page.contains(words)), (!words.is_empty(), true), "{table}: {page}");
    }
    // Pieces say that these leave alone; a yes, that all do.
    let three = order(&[(cake, 1), (bread, 2), (tea, 1)]).await;
    let goods = [(&no, "法式乡村面包", 0), (&three, "法式乡村面包 ×2；蜂蜜柚子茶 ×1", 1)];
    let rows = goods.map(|(no, goods, n)| format!("{no}\t{goods}\tSF000000000000{n}\t顺丰")).join("\n");
    let batch = bring(&w, &packer, pasted(&format!("订单号\t商品\t快递单号\t快递公司\n{rows}"))).await;
    let save = async |at: usize, no: &str, pieces: &str| {
        let number = format!("SF000000000000{at}");
        let form = [("order_no", no), ("company", "顺丰"), ("tracking_no", &number), ("pieces", pieces)];
        packer.post(&format!("{batch}/rows/{at}"), &form).await;
    };
    save(0, &no, "1").await;
    save(1, &three, "3").await;
    let page = packer.page(&batch).await;
    for words in ["这个包裹：法式乡村面包 ×1；还剩 1 件", "这个包裹：法式乡村面包 ×2、蜂蜜柚子茶 ×1；还剩 1 件"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    packer.post(&format!("{batch}/run"), &[]).await;
    let sent = "select coalesce(sum(shipped_quantity), 0) from order_lines where name = '草莓奶油蛋糕'";
    assert_eq!((w.count(sent).await, w.count("select sum(shipped_quantity) from order_lines").await), (0, 4));
    let whole = order(&[(cake, 1), (bread, 1)]).await;
    let table = format!("订单号\t商品\t快递单号\t快递公司\n{whole}\t草莓奶油蛋糕\tSF9999999999991\t顺丰");
    let batch = bring(&w, &packer, pasted(&table)).await;
    let form = [("order_no", whole.as_str()), ("company", "顺丰"), ("tracking_no", "SF9999999999991"), ("pieces", "")];
    packer.post(&format!("{batch}/rows/0"), &form).await;
    packer.post(&format!("{batch}/run"), &[]).await;
    assert_eq!(alice.status(&whole).await, "shipped");
    w.must_hold().await;
}

/// Couriers count parcels under 件数, whatever else stands in their tables; whoever means pieces says so once. Beside goods of
/// the order, and where the pieces come to all that is left, it counts those.
#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_may_be_parcels_are_asked_about() {
    let w = World::new().await;
    let (_, sku) = w
        .product_with("苹果", 1000, 99, |_, sku| {
            (sku.sku_code, sku.specs) = (Some("AP-1".into()), vec![("大小".into(), "大果".into())]);
        })
        .await;
    let pear = w.product("雪花梨", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for pieces in [3, 1, 2, 5] {
        no.push(w.paid(&alice, sku, pieces).await.no);
    }
    let items = json!([{ "skuId": sku, "quantity": 2 }, { "skuId": pear, "quantity": 1 }]);
    let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    no.push(placed.no);
    let brought = std::cell::Cell::new(100);
    let table = async |head: &str, rows: &[(&str, &str)]| {
        brought.set(brought.get() + 1);
        let order = |at: &str| at.parse::<usize>().ok().map_or_else(|| at.to_owned(), |at| no[at].clone());
        let row =
            |(n, (at, said)): (usize, &(&str, &str))| format!("{}\t7531234{}{n:04}\t{said}", order(at), brought.get());
        let rows: Vec<String> = rows.iter().enumerate().map(row).collect();
        bring(&w, &packer, pasted(&format!("订单号\t运单号\t{head}\n{}", rows.join("\n")))).await
    };
    let words = "像是包裹数；整单发请清空件数";
    for (head, rows, asked) in [
        ("件数", &[("0", "1"), ("1", "1"), ("2", "1")][..], 2),
        // Another shop's row, two rows, one, and one that counts two parcels.
        ("件数", &[("ERP123456", "1"), ("0", "1"), ("1", "1"), ("2", "1")], 2),
        ("件数", &[("0", "1"), ("3", "1")], 2),
        ("件数", &[("3", "1")], 1),
        ("件数", &[("0", "1"), ("1", "1"), ("3", "2"), ("2", "1")], 3),
        // An order of two parcels, of which the pieces do or do not come to all that it has.
        ("件数", &[("3", "1"), ("3", "1"), ("1", "1")], 2),
        ("件数", &[("2", "1"), ("2", "1")], 0),
        ("件数", &[("3", "2"), ("3", "3")], 0),
        ("件数", &[("3", "3"), ("3", "")], 0),
        ("件数", &[("0", "3"), ("1", "1"), ("2", "2")], 0),
        ("发货件数", &[("0", "1")], 1),
        ("Pieces", &[("0", "1")], 1),
        ("件数（必填）", &[("0", "1")], 1),
        // What it says besides names none of the order's goods.
        ("品名\t件数", &[("3", "日用品\t1")], 1),
        ("品名\t件数", &[("4", "日用品\t1")], 1),
        ("产品名称\t件数", &[("3", "京东标快\t1")], 1),
        ("货品名称\t件数", &[("3", "文件\t1"), ("0", "文件\t1")], 2),
        ("数量\t件数", &[("3", "5\t1")], 1),
        ("商品名称\t数量\t件数", &[("3", "苹果\t5\t1")], 1),
        ("商品名称\t数量\t件数", &[("3", "苹果\t5\t5")], 0),
        ("商品名称\t数量\t件数", &[("4", "苹果\t2\t2"), ("4", "雪花梨\t1\t1")], 0),
        ("品名\t件数", &[("3", "其他\t1")], 1),
        ("品名\t件数", &[("3", "日用品等\t1")], 1),
        ("备注\t件数", &[("3", "放门口\t1")], 1),
        // Less than the order has of the goods beside it, by whatever they are known by.
        ("品名\t件数", &[("3", "苹果\t1")], 1),
        ("物品名称\t件数", &[("3", "苹果\t1")], 1),
        ("商家编码\t件数", &[("3", "AP-1\t1")], 1),
        ("规格\t件数", &[("3", "大果\t1")], 1),
        ("商品\t件数", &[("3", "苹果 大果 ×5\t2")], 1),
        ("商品名称\t件数", &[("4", "苹果\t1")], 1),
        ("商品名称\t件数", &[("3", "苹果\t2"), ("3", "苹果\t1")], 2),
        // All that it has of them.
        ("商品名称\t件数", &[("4", "雪花梨\t1")], 0),
        ("货物名称\t件数", &[("4", "苹果\t2")], 0),
        ("商品名称\t件数", &[("3", "苹果\t2"), ("3", "苹果\t3")], 0),
        ("商品\t件数", &[("3", "苹果 大果 ×5\t5")], 0),
        // What only goods have.
        ("数量", &[("3", "1")], 0),
        ("实发数量", &[("3", "1")], 0),
        ("本次发货件数", &[("3", "1")], 0),
        ("商品件数", &[("3", "5")], 0),
        // Words for a parcel, beside goods too.
        ("件数", &[("3", "1箱")], 1),
        ("件数", &[("3", "1包")], 1),
        ("件数", &[("3", "1票")], 1),
        ("件数", &[("3", "1单")], 1),
        ("件数", &[("3", "一袋")], 1),
        ("件数", &[("3", "1件货")], 1),
        ("品名\t件数", &[("3", "苹果\t1箱")], 1),
        ("品名\t件数", &[("3", "苹果\t1件")], 1),
        ("件数", &[("1", "1箱")], 0),
        ("件数", &[("1", "2箱")], 0),
        ("件数", &[("2", "1箱"), ("2", "1箱")], 0),
    ] {
        let page = packer.page(&table(head, rows).await).await;
        // Twice more where one answer does for them all.
        let right = asked + if asked > 1 { 2 } else { 0 };
        assert_eq!(page.matches(words).count(), right, "{head} {rows:?}: {page}");
        let known = rows.iter().filter(|(at, _)| at.parse::<usize>().is_ok()).count();
        if !head.contains("数量") {
            let fine = format!("<b class=\"ok\">{}</b> 行可执行", known - asked);
            assert!(page.contains(&fine), "{head} {rows:?}: {page}");
        }
    }
    let number = |at: usize| format!("7531234{}{at:04}", brought.get());
    // Of all of them at once: they count parcels, or pieces.
    let status = async |at: usize| alice.status(&no[at]).await;
    let batch = table("件数", &[("ERP123456", "1"), ("0", "1"), ("3", "1"), ("1", "1")]).await;
    let asked = "「件数」比没发的少，像是包裹数；整单发请清空件数，不清空只发这几件";
    packer.post(&format!("{batch}/agree"), &[("words", asked), ("whole", "true")]).await;
    assert!(packer.page(&batch).await.contains("<b class=\"ok\">3</b> 行可执行"));
    packer.post(&format!("{batch}/run"), &[]).await;
    assert_eq!([status(0).await, status(1).await, status(3).await], ["shipped"; 3]);
    let batch = table("件数", &[("2", "1"), ("4", "2")]).await;
    let form = [("order_no", no[4].as_str()), ("company", ""), ("tracking_no", &number(1)), ("pieces", "")];
    packer.post(&format!("{batch}/rows/1"), &form).await;
    packer.post(&format!("{batch}/agree"), &[("words", asked)]).await;
    packer.post(&format!("{batch}/run"), &[]).await;
    assert_eq!([status(2).await, status(4).await], ["to_ship", "shipped"]);
    assert_eq!(alice.order(&no[2]).await["shipments"].as_array().unwrap().len(), 1);
    // A row that is given to another order is asked about that one.
    let other = w.paid(&alice, sku, 4).await.no;
    let batch = table("件数", &[("2", "1")]).await;
    let form = [("order_no", other.as_str()), ("company", ""), ("tracking_no", &number(0)), ("pieces", "1")];
    packer.post(&format!("{batch}/rows/0"), &form).await;
    assert_eq!(packer.page(&batch).await.matches(words).count(), 1);
    w.must_hold().await;
}

/// What is written into the cells of goods and receivers counts as in a remark, and a buyer may have ordered to two places.
#[tokio::test(flavor = "multi_thread")]
async fn a_note_within_a_cell_that_is_known_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("罗口中筒袜", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let no = w.paid(&alice, sku, 5).await.no;
    let to = address();
    let (receiver, phone) = (to["receiver"].as_str().unwrap(), to["phone"].as_str().unwrap());
    let own = format!("{}{}", to["province"].as_str().unwrap(), to["city"].as_str().unwrap());
    for (head, said, asked) in [
        ("商品\t件数", "罗口中筒袜 ×5（已退款）\t5".to_owned(), true),
        ("商品名称", "[退款成功]罗口中筒袜*5".into(), true),
        ("宝贝信息", "罗口中筒袜（缺货）".into(), true),
        ("商品名称\t规格", "罗口中筒袜\t缺货".into(), true),
        ("收货人", format!("{receiver}（先不发）"), true),
        ("收货地址", format!("{own}某路1号（先不发）"), true),
        ("省\t市", "缺货\t".into(), true),
        ("发货方式", "先不发".into(), true),
        ("预计发货", "缺货".into(), true),
        ("订单状态", "部分发货".into(), true),
        ("发货方式", "拆单".into(), true),
        ("发货方式", "分批".into(), true),
        // One of the two was changed, and the other is of before.
        ("商品\t件数", "罗口中筒袜 ×3\t5".into(), true),
        ("商品\t件数", "罗口中筒袜 ×5 改成 ×3\t5".into(), true),
        ("商品\t件数", "罗口中筒袜 x3\t5".into(), true),
        ("商品\t件数", "罗口中筒袜 改为3双\t5".into(), true),
        ("收货人", format!("{receiver}/李四"), true),
        ("收货人", format!("{receiver}、韩梅梅"), true),
        ("收货人\t手机\t收货地址", format!("{receiver}\t{phone}\t西藏自治区拉萨市城关区某路1号"), true),
        ("商品\t件数", "罗口中筒袜 ×5\t5".into(), false),
        ("商品\t件数", "罗口中筒袜\t5".into(), false),
        ("商品\t本次发货件数", "罗口中筒袜 ×5\t2".into(), false),
        ("发货方式", "不拆单".into(), false),
        ("收货人", format!("{receiver}/公司"), false),
        ("收货人", format!("{receiver}/{phone}"), false),
        ("快递公司", "顺丰速运（杭州）".into(), false),
        ("快递公司", "【菜鸟】顺丰速运".into(), false),
        ("快递公司", "顺丰速运-标准快递".into(), false),
        ("宝贝信息", "【退货包运费】罗口中筒袜 5双装".into(), false),
        ("收货人\t手机", format!("{receiver}\t{phone}"), false),
        ("收货人\t手机\t收货地址", format!("{receiver}\t{phone}\t{own}某路1号"), false),
        ("发货方式", "快递".into(), false),
        ("发票", "不要".into(), false),
        ("预计发货", "12月3日".into(), false),
    ] {
        let text = format!("订单号\t快递单号\t{head}\n{no}\tSF1234567890123\t{said}");
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert_eq!(!page.contains("<b class=\"ok\">1</b> 行可执行"), asked, "{head} {said}: {page}");
    }
    w.must_hold().await;
}

/// What shops bring in every day is asked about nothing: what couriers give back, lists of other programs, chats; and what stands there
/// against a row is asked about in the same tables.
#[tokio::test(flavor = "multi_thread")]
async fn plain_right_tables_ask_nothing() {
    let w = World::new().await;
    let socks = w.product("罗口中筒袜", 1000, 999).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for pieces in [5, 1, 3, 2, 1, 1] {
        no.push(w.paid(&alice, socks, pieces).await.no);
    }
    let to = address();
    let of = |part: &str| to[part].as_str().unwrap().to_owned();
    let place = format!("{}{}{}{}", of("province"), of("city"), of("district"), of("detail"));
    let brought = std::cell::Cell::new(100);
    // The first so many orders, each with what its row says behind its number.
    let table = async |head: &str, said: &[&str]| {
        brought.set(brought.get() + 1);
        let filled =
            |said: &str| said.replace("{to}", &of("receiver")).replace("{at}", &place).replace("{tel}", &of("phone"));
        let row =
            |(n, said): (usize, &&str)| format!("{}\t7531234{}{:04}\t{}", no[n], brought.get(), n + 1, filled(said));
        let rows: Vec<String> = said.iter().enumerate().map(row).collect();
        let page = packer.page(&bring(&w, &packer, pasted(&format!("{head}\n{}", rows.join("\n")))).await).await;
        (page.contains(&format!("<b class=\"ok\">{}</b> 行可执行", said.len())), page)
    };
    for (head, said, right) in [
        // What a courier gives back.
        ("运单号\t件数\t重量\t品名\t收件人\t地址", &["1\t1.2\t日用品\t{to}\t{at}"; 3][..], true),
        ("运单号\t件数\t重量\t品名\t收件人\t地址", &["1\t1.2\t罗口中筒袜\t{to}\t{at}"; 3], true),
        ("运单号\t件数\t实际重量\t商品名称\t收件人", &["1\t1.2\t袜子\t{to}"; 3], true),
        ("快递单号\t件数\t运费\t品名", &["1\t3.5\t服装"; 3], true),
        ("运单号\t件数\t重量\t品名", &["2\t1.2\t罗口中筒袜", "1\t1\t罗口中筒袜", "3\t1\t罗口中筒袜"], false),
        ("快递单号\t件数\t重量\t商品名称", &["1\t1.2\t罗口中筒袜"], false),
        ("运单号\t件数\t重量\t商品名称\t规格", &["1\t1.2\t罗口中筒袜\t均码"], false),
        // Columns of few rows that nobody knows.
        ("快递单号\t面单类型", &["电子面单"; 2], true),
        ("快递单号\t快递类型", &["标准快递"], true),
        ("快递单号\t产品类型", &["标准快递"], true),
        ("快递单号\t标签", &["老顾客", "新客"], true),
        ("快递单号\t旗帜", &["红旗"], true),
        ("快递单号\t波次", &["早班一波"], true),
        ("快递单号\t包材", &["3号纸箱"], true),
        ("快递单号\t品类", &["服饰"; 3], true),
        ("快递单号\t客户类型", &["零售"], true),
        ("快递单号\t面单类型", &["作废面单"], false),
        ("快递单号\t标签", &["缺码"], false),
        ("快递单号\t旗帜", &["先放着"], false),
        ("快递单号\t产品类型", &["顺丰标快"], false),
        ("快递单号\t订单状态", &["已截停"], false),
        ("快递单号\t审核意见", &["存疑"], false),
        ("快递单号\t注", &["x"], false),
        ("快递单号\t订单状态", &["没有申请退款"], true),
        ("快递单号\t订单状态", &["已申请退款"], false),
        // Titles of goods, as shops praise and promise; and what a packer writes behind them.
        ("快递单号\t商品名称\t数量", &["【断码清仓】罗口中筒袜\t5"], true),
        ("快递单号\t商品名称\t数量", &["【缺货补发】罗口中筒袜\t5", "【缺货补发】罗口中筒袜\t1"], true),
        ("快递单号\t商品名称\t数量", &["【退款秒到】罗口中筒袜\t5"], true),
        ("快递单号\t商品名称\t数量", &["【7天退换】罗口中筒袜(断码特价)\t5"], true),
        ("快递单号\t商品名称\t数量", &["罗口中筒袜（缺货）\t5"], false),
        ("快递单号\t商品名称\t数量", &["罗口中筒袜（缺货补发）\t5"], false),
    ] {
        let (fine, page) = table(&format!("订单号\t{head}"), said).await;
        assert_eq!(fine, right, "{head} {said:?}: {page}");
    }
    // What other programs put beside every order of theirs.
    for (head, words) in [
        ("订单状态", "等待卖家发货 待发货 买家已付款 已付款 已审核 未发货 正常 已打单 无退款 没有申请退款"),
        ("退款状态", "无 无退款 未退款 没有退款 正常 - 未申请退款 无退款申请"),
        ("售后状态", "无 无售后 正常"),
        (
            "备注",
            "放门口 请尽快发货 加急 不要放门口 放驿站 谢谢 周末送 不要打电话 生日礼物 已核对 老客户 送小样 要新鲜的",
        ),
        ("买家留言", "麻烦包装好一点 送人的 请用结实的箱子 坏了包退吗 多送一双 缺斤少两退款"),
        ("发货方式", "快递 普通快递 物流 快递发货 自己联系物流 不拆单"),
        ("配送方式", "快递 快递配送 送货上门 标快"),
        ("预计发货", "2026-12-01 12月1日 今天 48小时内 当日发"),
        ("发票", "不要 不需要 无 电子发票 个人"),
        ("发货类型", "全部发货 整单发货 正常发货"),
        ("是否缺货", "否 不缺货"),
        ("是否退款", "否"),
        ("面单类型", "电子面单 菜鸟面单"),
        ("买家昵称", "小红 退堂鼓选手 不退不换"),
        ("收货人", "{to} {to}[1234] {to}先生 {to}（收） {to}(家)"),
        ("收货地址", "{at} {at}（放门卫） {at}[1234] {at}(蜂巢) {at}（不要放驿站） {at}，310000"),
        (
            "商品名称",
            "罗口中筒袜 【退货包运费】罗口中筒袜 【断码清仓】罗口中筒袜 【缺货必赔】罗口中筒袜 【漏发补寄】罗口中筒袜 罗口中筒袜(断码特价)",
        ),
        ("仓库", "主仓 杭州仓 1号仓"),
        ("快递公司", "中通 中通快递（杭州） 【菜鸟】中通快递 中通快递-标准快递 ZTO"),
        ("客户类型", "零售 新客户"),
    ] {
        for word in words.split(' ') {
            let (fine, page) = table(&format!("订单编号\t物流单号\t{head}"), &[word; 6]).await;
            assert!(fine, "{head} {word}: {page}");
        }
    }
    // How a chat closes.
    let chat = async |foot: &str| {
        brought.set(brought.get() + 1);
        let row = |n: usize| format!("{} 中通 7531234{}{n:04}", no[n], brought.get());
        let text = format!("{}\n{}\n{foot}", row(0), row(1));
        packer.page(&bring(&w, &packer, pasted(&text)).await).await
    };
    let signed = format!("{} 中通 75312349990001 {}收 到付", no[4], of("receiver"));
    let page = packer.page(&bring(&w, &packer, pasted(&signed)).await).await;
    assert!(page.contains("<b class=\"ok\">1</b> 行可执行"), "{page}");
    for (foot, ready) in [("都发出去了", 2), ("全都寄出去了", 2), ("明天不发货", 2), ("都先别发", 0), ("先别发", 1)]
    {
        let page = chat(foot).await;
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{foot}: {page}");
    }
    w.must_hold().await;
}

/// A list of before a refund has what was given back, and so may the parcel.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_before_a_refund_is_asked_about() {
    let w = World::new().await;
    let (sock, rice) = (w.product("罗口袜", 1000, 99).await, w.product("大米", 1000, 99).await);
    let alice = w.buyer("alice").await;
    let (owner, packer) = (w.staff("owner", Role::Owner).await, w.staff("packer", Role::Packer).await);
    let buy = async |items: serde_json::Value| {
        let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        placed
    };
    let socks = buy(json!([{ "skuId": sock, "quantity": 3 }])).await;
    let both = buy(json!([{ "skuId": rice, "quantity": 1 }, { "skuId": sock, "quantity": 2 }])).await;
    let whole = buy(json!([{ "skuId": sock, "quantity": 3 }])).await;
    for placed in [&socks, &both] {
        owner.give_back(&alice, placed, ("1", "10.00", true)).await;
    }
    let words = "后来退款了，表里还是退款前的";
    for (placed, head, said, asked) in [
        (&socks, "商品\t件数", "罗口袜 ×3\t3", true),
        (&socks, "商品", "罗口袜 ×3", true),
        (&socks, "商品名称\t数量", "罗口袜\t3", true),
        (&socks, "件数", "3", true),
        (&socks, "商品\t件数", "罗口袜 ×2\t2", false),
        (&socks, "商品名称", "罗口袜", false),
        (&socks, "商品名称\t数量", "罗口袜\t2", false),
        (&socks, "备注", "", false),
        (&both, "商品名称\t数量", "大米\t1", true),
        (&both, "商品", "大米 ×1；罗口袜 ×2", true),
        (&both, "件数", "3", true),
        (&both, "商品", "罗口袜 ×2", false),
        (&both, "件数", "2", false),
        (&whole, "商品\t件数", "罗口袜 ×3\t3", false),
    ] {
        let text = format!("订单号\t快递单号\t{head}\n{}\tSF1234567890123\t{said}", placed.no);
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert_eq!(page.contains(words), asked, "{head} {said}: {page}");
    }
    // It says itself that what was given back stays.
    for (sent, asked) in [("0", false), ("1", true)] {
        let row = |said: &str| format!("{}\tSF1234567890123\t{said}", both.no);
        let rows = [row("罗口袜\t2\t2"), row(&format!("大米\t1\t{sent}"))].join("\n");
        let text = format!("订单号\t快递单号\t商品名称\t数量\t实发数量\n{rows}");
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert_eq!(page.contains(words), asked, "{sent}: {page}");
        assert_eq!(page.contains("<b class=\"ok\">1</b> 行可执行"), !asked, "{sent}: {page}");
    }
    w.must_hold().await;
}

/// All goods of an order in one cell, however they are parted, beside the pieces of all of them.
#[tokio::test(flavor = "multi_thread")]
async fn several_goods_in_a_cell_are_none_of_them_alone() {
    let w = World::new().await;
    let (shirt, sock, bag) =
        (w.product("圆领 T 恤", 1000, 99).await, w.product("中筒袜", 1000, 99).await, w.product("袋", 1000, 99).await);
    w.shop
        .write(|tx| Ok(tx.execute("update skus set specs = '[[\"颜色\",\"白色\"]]' where product_id = 1", [])?))
        .await
        .unwrap();
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let items =
        json!([{ "skuId": shirt, "quantity": 2 }, { "skuId": sock, "quantity": 3 }, { "skuId": bag, "quantity": 1 }]);
    let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    for (head, said, right) in [
        ("商品\t件数", "圆领 T 恤 白色×2、中筒袜×3、袋×1\t6", true),
        ("商品名称\t件数", "圆领 T 恤 白色*2+中筒袜*3+袋*1\t6", true),
        ("宝贝标题\t件数", "圆领 T 恤 白色x2，中筒袜x3，袋x1\t6", true),
        ("货品名称\t件数", "圆领 T 恤 白色×2；中筒袜×3；袋×1\t6", true),
        ("商品\t数量", "圆领 T 恤 白色×2、中筒袜×3、袋×1\t6", true),
        ("商品\t件数", "圆领 T 恤 白色×2、中筒袜×3\t6", false),
        ("商品\t件数", "圆领 T 恤 白色×2、中筒袜×3、袋×1\t5", false),
        ("商品\t件数", "圆领 T 恤 白色×2、中筒袜×3、袋×1\t7", false),
    ] {
        let text = format!("订单号\t快递单号\t{head}\n{}\tSF1234567890123\t{said}", placed.no);
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert_eq!(page.contains("<b class=\"ok\">1</b> 行可执行"), right, "{head} {said}: {page}");
        assert!(!page.contains("「圆领 T 恤」写了"), "{head} {said}: {page}");
    }
    w.must_hold().await;
}

/// Whatever a column says of how much left: a row of none of it stays, and one that says nothing beside others is asked about.
#[tokio::test(flavor = "multi_thread")]
async fn goods_of_which_a_row_sends_none_stay() {
    let w = World::new().await;
    let (cup, bowl) = (w.product("杯子", 1000, 99).await, w.product("汤碗", 1000, 99).await);
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let order = async || {
        let items = json!([{ "skuId": cup, "quantity": 1 }, { "skuId": bowl, "quantity": 1 }]);
        let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        placed.no
    };
    let (no, part) = (order().await, "还剩 1 件");
    for (head, first, second, words) in [
        ("实发数量", "汤碗\t1", "杯子\t0", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("实发数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("出库数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("配货数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("拣货数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("发货数", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("实发", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("实际数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("出库数", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("出货数", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("发货量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("发件数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("本次出库", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("扫描数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("验货数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("应发数量", "杯子\t1", "汤碗\t0", "有一行的数量是 0，像是不发"),
        ("可发数量", "杯子\t1", "汤碗\t0", "有一行的数量是 0，像是不发"),
        ("可发数量", "杯子\t1", "汤碗\t缺货", "数量“缺货”认不出是几件"),
        ("可发数量", "杯子\t1", "汤碗\t-", "数量“-”认不出是几件"),
        ("实拣数量", "杯子\t0", "汤碗\t1", "这个包裹：汤碗 ×1；还剩 1 件"),
        ("实发数量", "甲\t0", "乙\t1", "认不出「乙」"),
        ("实发数量", "\t0", "\t1", "有一行的件数是 0，认不出是哪一样不发"),
        ("实发数量", "杯子\t0", "汤碗\t0", ""),
        ("实发数量", "杯子\t1", "汤碗\t1", ""),
        ("实发数量", "杯子\t", "汤碗\t1", "同一个包裹有的行没写件数"),
        ("实发数量", "杯子\t1", "汤碗\t", "同一个包裹有的行没写件数"),
        ("件数", "杯子\t-", "汤碗\t1", "同一个包裹有的行没写件数"),
        ("件数", "杯子\t2", "汤碗\t", ""),
        ("数量", "杯子\t1", "汤碗\t无", "数量“无”认不出是几件"),
        ("数量", "杯子\t1", "汤碗\t-", "数量“-”认不出是几件"),
        ("数量", "杯子\t1", "汤碗\t", "有一行没写数量"),
        ("数量", "杯子\t2", "汤碗\t", ""),
        ("数量", "杯子\t-", "汤碗\t-", ""),
        ("数量", "杯子\t", "汤碗\t", ""),
        ("数量", "杯子\t1（件）", "汤碗\t+1", ""),
        ("数量", "杯子\t数量：1", "汤碗\tx1", ""),
        ("数量\t已发货数量", "杯子\t1\t1", "汤碗\t1\t0", "「已发货数量」写的是 0，像是没有发"),
        ("数量\t已发货数量", "杯子\t1\t0", "汤碗\t1\t0", ""),
        ("数量\t已发货数量", "杯子\t1\t1", "汤碗\t1\t1", ""),
        ("数量\t已发件数", "杯子\t1\t1", "汤碗\t1\t0", "「已发件数」写的是 0"),
        ("数量\t已出库数量", "杯子\t1\t1", "汤碗\t1\t0", "「已出库数量」写的是 0"),
        ("数量\t未发货数量", "杯子\t1\t1", "汤碗\t1\t0", ""),
    ] {
        let rows = [first, second].map(|row| format!("{no}\tSF1234567890123\t{row}")).join("\n");
        let page = packer
            .page(&bring(&w, &packer, pasted(&format!("订单号\t快递单号\t商品名称\t{head}\n{rows}"))).await)
            .await;
        let whole = page.contains("<b class=\"ok\">1</b> 行可执行") && !page.contains(part);
        assert_eq!((whole, page.contains(words)), (words.is_empty(), true), "{head} {first} {second}: {page}");
    }
    let batch = bring(
        &w,
        &packer,
        pasted(&format!(
            "订单号\t快递单号\t商品名称\t实发数量\n{no}\tSF1234567890123\t杯子\t0\n{no}\tSF1234567890123\t汤碗\t1"
        )),
    )
    .await;
    packer.post(&format!("{batch}/run"), &[]).await;
    let left = "select name from order_lines where shipped_quantity = 0";
    let left: String = w.shop.read(move |conn| Ok(conn.query_row(left, [], |row| row.get(0))?)).await.unwrap();
    assert_eq!((left.as_str(), alice.status(&no).await.as_str()), ("杯子", "to_ship"));
    w.must_hold().await;
}

/// Rows of one parcel of which one number cannot be read: the first row's number is not the parcel's.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_pieces_that_cannot_be_read_asks_its_parcel() {
    let w = World::new().await;
    let (rice, sock) = (w.product("五常大米", 1000, 99).await, w.product("罗口中筒袜", 1000, 99).await);
    let bag = w.product("帆布购物袋", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let items = [(rice, 2), (sock, 4), (bag, 1)].map(|(sku, n)| json!({ "skuId": sku, "quantity": n }));
    let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let (n1, n2) = ("75312345678901", "75312345678902");
    let bags_first =
        |said: &'static str| vec![("帆布购物袋", "1", n1), ("罗口中筒袜", "4", n1), ("五常大米", said, n1)];
    let socks_first =
        |said: &'static str| vec![("罗口中筒袜", "4", n1), ("五常大米", said, n1), ("帆布购物袋", "1", n1)];
    let unread = "认不出是几件：请在那一行写数字，不发的写 0";
    for head in ["发货数量", "实发数量", "出库数量", "本次发货数量", "发货件数", "件数"] {
        for (rows, ready, words) in [
            (bags_first("缺货"), 0, unread),
            (socks_first("x2"), 1, ""),
            (socks_first("2袋"), 1, ""),
            (bags_first("先发2"), 0, unread),
            (bags_first("×"), 0, unread),
            (bags_first("√"), 0, unread),
            (bags_first("#N/A"), 1, "还剩 2 件"),
            (vec![("五常大米", "缺货", n1), ("帆布购物袋", "1", n1), ("罗口中筒袜", "4", n1)], 0, unread),
            (
                vec![("帆布购物袋", "1", n1), ("罗口中筒袜", "4", n2), ("五常大米", "缺货", n2)],
                1,
                "这个包裹：帆布购物袋 ×1；还剩 6 件",
            ),
            (bags_first("0"), 1, "这个包裹：罗口中筒袜 ×4、帆布购物袋 ×1；还剩 2 件"),
            (bags_first("2"), 1, ""),
        ] {
            let table = rows.iter().map(|(goods, n, number)| format!("{}\t{goods}\t{n}\t{number}", placed.no));
            let table = format!("订单号\t商品名称\t{head}\t快递单号\n{}", table.collect::<Vec<_>>().join("\n"));
            let page = packer.page(&bring(&w, &packer, pasted(&table)).await).await;
            let fine = page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行"));
            assert_eq!((fine, page.contains(words)), (true, true), "{table}: {page}");
            assert!(!page.contains("这个包裹 "), "{table}: {page}");
        }
    }
    w.must_hold().await;
}

/// What is chosen of goods is compared under whatever title, in one column or in several; what cannot be told apart is asked about.
#[tokio::test(flavor = "multi_thread")]
async fn specifications_are_compared_under_whatever_title() {
    let w = World::new().await;
    let specs = |size: &str| vec![("颜色".to_owned(), "白色".to_owned()), ("尺码".to_owned(), size.to_owned())];
    let (shirt, small) = w.product_with("纯棉T恤", 1000, 99, |_, sku| sku.specs = specs("S")).await;
    let others = ["M", "L"].map(specs);
    let more = move |tx: &Tx| {
        let price = xiaopu::money::Fen::new(1000).unwrap();
        let put = |specs: Vec<(String, String)>| {
            let draft = xiaopu::catalogue::store::SkuDraft {
                specs,
                sku_code: None,
                price,
                market_price: None,
                limit_per_order: None,
                delivery: xiaopu::catalogue::Delivery::Express,
                weight: 0,
                enabled: true,
            };
            let id = xiaopu::catalogue::store::put_sku(tx, shirt, &draft)?;
            xiaopu::catalogue::stock::adjust(tx, id, 99, None, "test")?;
            Ok::<_, xiaopu::error::Error>(id)
        };
        others.clone().map(put).into_iter().next().unwrap()
    };
    let medium = w.shop.write(more).await.unwrap();
    let bag = w.product("帆布购物袋", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let order = async |goods: &[(SkuId, i64)]| {
        let items: Vec<_> = goods.iter().map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).collect();
        let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        placed.no
    };
    let (two, three) = (order(&[(small, 1), (medium, 1)]).await, order(&[(small, 2), (medium, 3), (bag, 4)]).await);
    let number = "75312345678901";
    let page = async |no: &str, head: &str, rows: &[&str]| {
        let row = |row: &&str| {
            let (said, n) = row.rsplit_once(' ').unwrap();
            let number = if n.ends_with('-') { "" } else { number };
            format!("{no}\t{number}\t{said}\t{}", n.trim_end_matches('-'))
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        let text = format!("订单号\t快递单号\t商品名称\t{head}\t数量\n{}", rows.join("\n"));
        (packer.page(&bring(&w, &packer, pasted(&text)).await).await, text)
    };
    let ready = "<b class=\"ok\">1</b> 行可执行";
    for head in
        "规格 规格型号 颜色分类 款式 颜色/尺码 颜色尺码 规格属性 产品规格 型号 SKU 商品型号 款式尺码 尺码 颜色\t尺码 尺码\t颜色"
            .split(' ')
    {
        let of = |size: &str| match head {
            "颜色\t尺码" => format!("白色\t{size}"),
            "尺码\t颜色" => format!("{size}\t白色"),
            "尺码" => size.to_owned(),
            _ => format!("白色 {size}"),
        };
        let row = |size: &str, n: &str| format!("纯棉T恤\t{} {n}", of(size));
        let none = if head.contains('\t') { "\t" } else { "" };
        let bags = format!("帆布购物袋\t{none} 4");
        for (no, rows, right) in [
            (&two, vec![row("S", "1"), row("M", "1")], true),
            (&two, vec![row("S", "2")], false),
            (&two, vec![row("L", "1"), row("M", "1")], false),
            (&three, vec![row("S", "2"), row("M", "3"), bags.clone()], true),
        ] {
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let (page, text) = page(no, head, &rows).await;
            assert_eq!(page.contains(ready) && !page.contains("还剩"), right, "{text}: {page}");
        }
        // A row that has no number yet.
        let rows = [row("S", "2"), row("M", "3-"), bags];
        let (page, text) = page(&three, head, &rows.each_ref().map(String::as_str)).await;
        assert!(page.contains("这个包裹：纯棉T恤 白色 / S ×2、帆布购物袋 ×4；还剩 3 件"), "{text}: {page}");
    }
    // What others call their models says nothing; and without it nobody knows which of them waits.
    let (own, text) = page(&two, "型号", &["纯棉T恤\tTX-2031 1", "纯棉T恤\tTX-2032 1"]).await;
    assert!(own.contains(ready), "{text}: {own}");
    let rows = ["纯棉T恤\t 2", "帆布购物袋\t 4", "纯棉T恤\t 3-"];
    let (several, text) = page(&three, "型号", &rows).await;
    assert!(several.contains("分不出是哪一种") && !several.contains(ready), "{text}: {several}");
    w.must_hold().await;
}

/// A row or a line of an order that denies it, and is no parcel itself, is asked of the rows that would leave.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_row_says_of_an_order_is_asked_of_its_parcel() {
    let w = World::new().await;
    let (shirt, sock) = (w.product("纯棉T恤", 1000, 99).await, w.product("罗口中筒袜", 1000, 99).await);
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let items = json!([{ "skuId": shirt, "quantity": 1 }, { "skuId": sock, "quantity": 2 }]);
    let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let (a, b) = (placed.no, w.paid(&alice, sock, 2).await.no);
    let (na, nb) = ("75312345678901", "YT8812345678901");
    let mut cases = Vec::new();
    for said in ["客户取消了，先别发", "取消了", "先别发", "缺货", "客户退款，不发", "单号错了", "只发1件"]
    {
        cases.push((format!("{a} 中通 {na}\n{b} 圆通 {nb}\n{a} {said}"), 1));
        cases.push((format!("{a} {said}\n{b} 圆通 {nb}\n{a} 中通 {na}"), 1));
    }
    for said in ["取消", "先不发", "缺货", "单号作废", "改地址", "等通知"] {
        let head = "订单号\t快递公司\t快递单号\t备注";
        cases.push((format!("{head}\n{a}\t中通\t{na}\t\n{b}\t圆通\t{nb}\t\n{a}\t\t\t{said}"), 1));
    }
    let head = "订单号\t快递公司\t快递单号";
    let rows = format!("{a}\t中通\t{na}\n{b}\t圆通\t{nb}");
    cases.extend([
        (format!("{head}\t状态\n{a}\t中通\t{na}\t\n{b}\t圆通\t{nb}\t\n{a}\t\t\t已取消"), 1),
        (format!("{head}\n{rows}\n{a} 先别发\t\t"), 1),
        (format!("{head}\n{rows}\n注：{a} 这单先不要发\t\t"), 1),
        (format!("注：{a} 这单先不要发\t\t\n{head}\n{rows}"), 1),
        (format!("{a} 中通 {na}\n以上作废\n{b} 圆通 {nb}"), 1),
        (format!("{b} 圆通 {nb}\n{a} 中通 {na}\n↑这个先别发"), 1),
        (format!("{a} 纯棉T恤 中通 {na}\n{a} 罗口中筒袜 缺货\n{b} 圆通 {nb}"), 1),
        // In the same parcel.
        (format!("{head}\t备注\n{a}\t中通\t{na}\t\n{a}\t中通\t{na}\t缺货\n{b}\t圆通\t{nb}\t"), 1),
        // Another row for it, which says nothing against it, and one of another order.
        (format!("{a} 中通 {na}\n{b} 圆通 {nb}\n辛苦了"), 2),
        (format!("{head}\t备注\n{a}\t中通\t{na}\t\n{a}\t\t\t\n{b}\t圆通\t{nb}\t"), 2),
        (format!("{head}\n{rows}\n20261008ABCDEFGHJK 先别发\t\t"), 2),
    ]);
    for (text, ready) in cases {
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{text}: {page}");
    }
    w.must_hold().await;
}

/// Whatever a table calls a number of pieces, less than the order has is asked about, and more of an order's goods below its first are
/// read with it.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_pieces_are_read_under_whatever_title() {
    let w = World::new().await;
    let (bag, sock) = (w.product("帆布购物袋", 1000, 99).await, w.product("罗口中筒袜", 1000, 99).await);
    let rice = w.product("五常大米", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let five = w.paid(&alice, sock, 5).await.no;
    let items = [(rice, 2), (sock, 4), (bag, 1)].map(|(sku, n)| json!({ "skuId": sku, "quantity": n }));
    let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let no = placed.no;
    let number = "75312345678901";
    let whole = async |text: &str| {
        let page = packer.page(&bring(&w, &packer, pasted(text)).await).await;
        (page.contains("<b class=\"ok\">1</b> 行可执行") && !page.replace("还剩 0 件", "").contains("还剩"), page)
    };
    for head in
        "订单数量 销售数量 订货数量 采购数量 宝贝总数量 购买件数 个数 份数 件 数目 双数 总件数 总数 总数量 数量合计 本单数量 \
         装箱数量 包裹内数量 配货数 出库件数 需发数量 内件数量 托寄物数量 数量pcs 数量（pcs）"
            .split_ascii_whitespace()
    {
        for (n, right) in [("2", false), ("5", true)] {
            let text = format!("订单号\t商品名称\t{head}\t快递单号\n{five}\t罗口中筒袜\t{n}\t{number}");
            let (whole, page) = whole(&text).await;
            assert_eq!(whole, right, "{text}: {page}");
        }
    }
    let below = |head: &str, rows: [&str; 3]| {
        format!(
            "订单号\t快递公司\t快递单号\t商品名称\t{head}\n{no}\t中通\t{number}\t帆布购物袋\t{}\n\t\t\t罗口中筒袜\t{}\n\t\t\t五常大米\t{}",
            rows[0], rows[1], rows[2]
        )
    };
    for head in ["发货数量", "件数", "数量", "订单数量"] {
        for (rows, right) in
            [(["1", "4", "2"], true), (["1", "3", "2"], false), (["1", "4", "0"], false), (["1", "4", "缺货"], false)]
        {
            let (whole, page) = whole(&below(head, rows)).await;
            assert_eq!(whole, right, "{head} {rows:?}: {page}");
        }
    }
    // Rows that name no goods.
    for (rows, right) in [(["1", "4"], false), (["3", "4"], true), (["7", "7"], true)] {
        let rows = rows.map(|n| format!("{no}\t{n}\t{number}")).join("\n");
        let (whole, page) = whole(&format!("订单号\t数量\t快递单号\n{rows}")).await;
        assert_eq!(whole, right, "{rows}: {page}");
    }
    w.must_hold().await;
}

/// A remark that wants another service than its row has is asked about, in however many rows there is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_remark_that_wants_less_or_another_way_is_asked_about_in_a_full_column() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for _ in 0..6 {
        no.push(w.paid(&alice, sku, 2).await.no);
    }
    let ready = async |said: &str| {
        let of =
            |n: usize| if n == 3 { said } else { ["放门口", "轻放", "送贺卡", "", "谢谢", "周末送"][n] };
        let row = |(n, no): (usize, &String)| format!("{no}\t中通\t7531234567{n:04}\t{}", of(n));
        let rows = no.iter().enumerate().map(row).collect::<Vec<_>>().join("\n");
        let to = bring(&w, &packer, pasted(&format!("订单号\t快递公司\t快递单号\t备注\n{rows}"))).await;
        packer.page(&to).await
    };
    for said in [
        "少发一件",
        "只要一个",
        "先发一半",
        "未付清",
        "和王小明的一起",
        "换个口味",
        "要顺丰",
        "发德邦",
        "别发中通",
        "赠品没到",
        "不要中通快递",
        "中通到不了",
        "分两次",
        "分两次发，谢谢",
        "先发一件",
        "缺货",
        "缺一件",
        "先发苹果",
        "拆两个包裹",
    ] {
        let page = ready(said).await;
        assert!(page.contains("<b class=\"ok\">5</b> 行可执行") && page.contains(said), "{said}: {page}");
    }
    for said in [
        "发中通",
        "要中通快递",
        "不要顺丰",
        "放中通驿站",
        "不要辣",
        "没有电梯",
        "麻烦尽快发货",
        "送礼不放小票",
        "过年送人的",
    ] {
        assert!(ready(said).await.contains("<b class=\"ok\">6</b> 行可执行"), "{said}");
    }
    // The same where every row has a general one, under whatever title.
    for title in ["备注", "买家留言", "发货要求", "注意", "交代"] {
        for said in ["要中通，少发一件", "要中通 分两次", "先发一件", "等补货"] {
            let row = |(n, no): (usize, &String)| {
                format!("{no}\t中通\t7531234567{n:04}\t{}", if n == 3 { said } else { "要中通" })
            };
            let rows = no.iter().enumerate().map(row).collect::<Vec<_>>().join("\n");
            let to = bring(&w, &packer, pasted(&format!("订单号\t快递公司\t快递单号\t{title}\n{rows}"))).await;
            let page = packer.page(&to).await;
            assert!(page.contains("<b class=\"ok\">5</b> 行可执行"), "{title} {said}: {page}");
        }
    }
}

/// Mending one cell of a row ends what was asked of that cell; all else that the row says is still asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_stays_asked_about_all_that_it_says() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (a, b) = (w.paid(&alice, sku, 1).await.no, w.paid(&alice, sku, 1).await.no);
    for (no, name, phone) in [(&a, "张小红", "13900000014"), (&b, "李四", "13711112222")] {
        let (no, name, phone) = (no.clone(), name.to_owned(), phone.to_owned());
        let readdress = move |tx: &Tx| {
            let sql =
                "update orders set address = json_set(address, '$.receiver', ?2, '$.phone', ?3) where order_no = ?1";
            Ok(tx.execute(sql, [&no, &name, &phone])?)
        };
        assert_eq!(w.shop.write(readdress).await.unwrap(), 1);
    }
    let (a, b, cut) = (a.as_str(), b.as_str(), &a[..17]);
    // What stands there, what is asked, and each save with what is asked after it.
    type Saved<'t> = ([&'t str; 3], &'t [&'t str]);
    type Case<'t> = (&'t str, [&'t str; 4], &'t [&'t str], &'t [Saved<'t>]);
    let number = "75312345678901";
    let cases: &[Case<'_>] = &[
        (
            "物流公司\t订单状态",
            [a, "圆通", number, "中通\t已取消"],
            &["「物流公司」是中通快递", "「订单状态」写的是“已取消”"],
            &[([a, "中通", number], &["“已取消”"]), ([a, "中通", number], &[])],
        ),
        (
            "物流公司\t订单状态",
            [a, "中通", number, "圆通\t已取消"],
            &["「物流公司」是圆通速递", "“已取消”"],
            &[([a, "中通", number], &["“已取消”"]), ([a, "中通", "75312345678902"], &["“已取消”"])],
        ),
        (
            "备注\t订单状态\t收件人\t手机",
            [a, "中通", number, "换货，请核对\t已作废\t李四\t13711112222"],
            &["“换货，请核对”", "“已作废”", "尾号 2222，订单是尾号 0014"],
            &[([a, "中通", number], &[])],
        ),
        (
            "备注\t收件人\t手机",
            [b, "中通", "7.53E+13", "\t张小红\t13900000014"],
            &["科学计数", "尾号 0014，订单是尾号 2222"],
            &[([b, "中通", number], &["尾号 0014，订单是尾号 2222"]), ([a, "中通", number], &[])],
        ),
        ("面单状态", [a, "中通", "7.53E+13", "已回收"], &["科学计数"], &[([a, "中通", number], &["“已回收”"])]),
        (
            "面单状态\t收件人\t手机",
            [cut, "中通", number, "已回收\t张小红\t13900000014"],
            &["订单号不对", "“已回收”"],
            &[([b, "中通", number], &["“已回收”", "尾号 0014，订单是尾号 2222"]), ([a, "中通", number], &["“已回收”"])],
        ),
        (
            "订单状态\t收件人",
            [a, "中通", "", "已取消\t李四"],
            &["没有填快递单号"],
            &[([a, "中通", number], &["“已取消”", "「收件人」是 李*，订单是 张*"])],
        ),
    ];
    for (head, [order, company, written, beside], asked, saves) in cases {
        let text = format!("订单号\t快递公司\t快递单号\t{head}\n{order}\t{company}\t{written}\t{beside}");
        let to = bring(&w, &packer, pasted(&text)).await;
        let page = packer.page(&to).await;
        for words in *asked {
            assert!(page.contains(words), "{text}: {words}: {page}");
        }
        assert!(page.contains("<b class=\"ok\">0</b> 行可执行"), "{text}");
        for ([order, company, number], asked) in *saves {
            let form = [("order_no", *order), ("company", *company), ("tracking_no", *number), ("pieces", "")];
            packer.post(&format!("{to}/rows/0"), &form).await;
            let page = packer.page(&to).await;
            for words in *asked {
                assert!(page.contains(words), "{text} → {order} {company} {number}: {words}: {page}");
            }
            assert_eq!(page.contains("<b class=\"ok\">1</b> 行可执行"), asked.is_empty(), "{text} → {number}: {page}");
        }
    }
    let kept = w.count("select count(*) from shipping_batches where rows like '%13711112222%' or rows like '%13900000014%' or rows like '%张小红%'").await;
    assert_eq!(kept, 0, "of people no more is kept than is shown");
}

/// One piece lies in one parcel: where a table or a chat has more numbers for an order than it has pieces left, the later
/// one mostly puts the earlier right.
#[tokio::test(flavor = "multi_thread")]
async fn more_numbers_than_pieces_are_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (one, two) = (w.paid(&alice, sku, 1).await.no, w.paid(&alice, sku, 2).await.no);
    let numbers = ["75312345670901", "75312345670902", "75312345670903"];
    let ready = |page: &str, n: usize| page.contains(&format!("<b class=\"ok\">{n}</b> 行可执行"));
    for (order, n, head, tail, fine) in [
        (&one, 2, "", "", 0),
        (&one, 2, "", "以这个为准", 0),
        (&one, 2, "订单号\t快递公司\t快递单号\n", "", 0),
        (&one, 1, "", "", 1),
        (&two, 2, "", "", 2),
        (&two, 3, "订单号\t快递公司\t快递单号\n", "", 0),
    ] {
        let blank = if head.is_empty() { " " } else { "\t" };
        let line = |at: usize| [order.as_str(), "中通", numbers[at]].join(blank);
        let rows = (0..n).map(line).collect::<Vec<_>>().join("\n");
        let to = bring(&w, &packer, pasted(&format!("{head}{rows} {tail}"))).await;
        let page = packer.page(&to).await;
        assert!(ready(&page, fine), "{rows} {tail}: {page}");
        assert_eq!(page.contains(&format!("表里却有 {n} 个单号")), fine == 0, "{rows}: {page}");
    }
    let rows = [0, 1].map(|at| format!("{one}\t中通\t{}", numbers[at])).join("\n");
    let to = bring(&w, &packer, pasted(&format!("订单号\t快递公司\t快递单号\n{rows}"))).await;
    let page = packer.page(&to).await;
    assert!(page.contains("（第 2 行 75312345670901、第 3 行 75312345670902）"), "{page}");
    let save = async |at: usize, number: &str| {
        let form = [("order_no", one.as_str()), ("company", "中通"), ("tracking_no", number), ("pieces", "")];
        packer.post(&format!("{to}/rows/{at}"), &form).await;
        packer.page(&to).await
    };
    // The one that stays goes without a word more; a box beside the first goes where both were agreed to.
    assert!(ready(&save(0, "").await, 1));
    assert!(ready(&save(0, numbers[0]).await, 0));
    assert!(ready(&save(0, numbers[0]).await, 1));
    assert!(ready(&save(1, numbers[1]).await, 2));
    packer.post(&format!("{to}/run"), &[]).await;
    assert_eq!(alice.order(&one).await["shipments"].as_array().unwrap().len(), 2);
    w.must_hold().await;
}

/// One number is one carrier's; and a parcel whose number somebody has put right since is no longer this table's to take back.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_under_two_carriers_is_asked_about_and_a_corrected_one_is_left_alone() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (one, two) = (w.paid(&alice, sku, 2).await.no, w.paid(&alice, sku, 2).await.no);
    let table = |rows: &[(&str, &str, &str)]| {
        let rows: Vec<String> = rows.iter().map(|(no, company, number)| format!("{no}\t{company}\t{number}")).collect();
        pasted(&format!("订单号\t快递公司\t快递单号\n{}", rows.join("\n")))
    };
    for (other, ready) in [("韵达", 0), ("中通", 1), ("", 1)] {
        let to =
            bring(&w, &packer, table(&[(&one, "中通", "631234567890123"), (&one, other, "631234567890123")])).await;
        let page = packer.page(&to).await;
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{other}: {page}");
        assert_eq!(page.contains("第 2 行是同一个单号，快递公司是中通快递"), ready == 0, "{other}: {page}");
    }
    // Two orders of one receiver under one number: a tick for the table, or a yes to the row.
    let three = w.paid(&alice, sku, 1).await.no;
    let four = w.paid(&alice, sku, 1).await.no;
    let rows = [(three.as_str(), "中通", "75312345670003"), (four.as_str(), "中通", "75312345670003")];
    let to = bring(&w, &packer, table(&rows)).await;
    assert!(packer.page(&to).await.contains("<b class=\"ok\">1</b> 行可执行"));
    let form = [("order_no", &*four), ("company", "中通"), ("tracking_no", "75312345670003"), ("pieces", "")];
    packer.post(&format!("{to}/rows/1"), &form).await;
    assert!(packer.page(&to).await.contains("<b class=\"ok\">2</b> 行可执行"));
    packer.post(&format!("{to}/run"), &[]).await;
    assert_eq!((alice.status(&three).await.as_str(), alice.status(&four).await.as_str()), ("shipped", "shipped"));
    let rows = [(one.as_str(), "中通", "75312345670001"), (two.as_str(), "中通", "75312345670002")];
    let to = bring(&w, &packer, table(&rows)).await;
    packer.post(&format!("{to}/run"), &[]).await;
    let parcel = alice.order(&one).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    let number = format!("/admin/orders/{one}/shipments/{parcel}/number");
    packer.post(&number, &[("tracking_no", "75312345670009")]).await;
    packer.post(&format!("{to}/undo"), &[]).await;
    assert!(packer.said(&to).await.contains("单号后来改成了 中通快递 75312345670009，没有撤销"));
    assert_eq!((alice.status(&one).await.as_str(), alice.status(&two).await.as_str()), ("shipped", "to_ship"));
    w.must_hold().await;
}

/// An order that was paid before the shop stopped sending to where it goes is asked about.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_to_where_the_shop_does_not_send_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let no = w.paid(&alice, sku, 1).await.no;
    for (regions, fine, words) in [
        ("", true, ""),
        ("新疆:不发货", true, ""),
        ("浙江:不发货;新疆:25", false, "寄到浙江省杭州市西湖区，店里写着那里不发货"),
        ("浙江:不发货;杭州:0", true, ""),
    ] {
        let form = [("group", "freight"), ("shop-local_area", ""), ("shop-freight_regions", regions)];
        owner.post("/admin/settings", &form).await;
        let table = format!("订单号\t快递公司\t快递单号\n{no}\t中通\t75312345670001");
        let page = owner.page(&bring(&w, &owner, pasted(&table)).await).await;
        assert_eq!(page.contains("<b class=\"ok\">1</b> 行可执行"), fine, "{regions}: {page}");
        assert!(page.contains(words), "{regions}: {page}");
    }
}

/// The shop's own tables as they were given out, with a number in each row; what is asked of their first row and of all.
async fn filled_in(w: &World, staff: &Console<'_>, path: &str) -> (String, usize) {
    let bytes = w.http().get(w.at(path)).header("Cookie", &staff.cookie).send().await.unwrap().bytes().await.unwrap();
    let wanted = xiaopu::tables::Wanted {
        columns: &[&["订单号"], &["快递单号"]],
        needed: &[&[0]],
        closer: &[],
        figures: &[],
        alike: |_| None,
    };
    let table = xiaopu::tables::read(&bytes, &wanted).unwrap();
    let titles: Vec<String> = table.rows[0].titles().map(str::to_owned).collect();
    let line = |(n, row): (usize, &xiaopu::tables::Row)| -> Vec<String> {
        let cells = row.cells().map(|(title, cell)| match title {
            "快递单号" => format!("75312345670{n:03}"),
            "快递公司" => "中通".to_owned(),
            _ => cell.shown().to_owned(),
        });
        let mut cells: Vec<String> = cells.collect();
        cells.resize(titles.len(), String::new());
        let at = |title: &str| titles.iter().position(|known| known == title).unwrap();
        (cells[at("快递单号")], cells[at("快递公司")]) = (format!("75312345670{n:03}"), "中通".to_owned());
        cells
    };
    let rows: Vec<Vec<String>> = table.rows.iter().enumerate().map(line).collect();
    let head: Vec<&str> = titles.iter().map(String::as_str).collect();
    let file = Part::bytes(xiaopu::tables::xlsx(&head, &[], &rows).unwrap()).file_name("a.xlsx");
    (bring(w, staff, Form::new().part("file", file)).await, rows.len())
}

/// What stands out beside a row is asked about, whatever it says, unless the shop itself has it of the order.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_out_beside_a_row_is_shown_and_asked_about() {
    let w = World::new().await;
    let (cake, muffin) = (w.product("草莓蛋糕", 1000, 99).await, w.product("蓝莓杯子", 1000, 99).await);
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let mut no = Vec::new();
    for _ in 0..6 {
        no.push(w.paid(&alice, cake, 1).await.no);
    }
    let items = json!([{ "skuId": cake, "quantity": 2 }, { "skuId": muffin, "quantity": 1 }]);
    let form = json!({ "items": items, "address": address(), "remark": "请放门卫室，谢谢" });
    let two = Placed::of(alice.prepay(&w.key(), form).await);
    w.pay(&two, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&two.no).await == "to_ship" }).await;
    let mended = |tx: &Tx| {
        tx.execute("update order_lines set spec_text = '6 寸' where name = '草莓蛋糕'", [])?;
        Ok(tx.execute("update orders set memo = '老客户，送贺卡'", [])?)
    };
    assert_eq!(w.shop.write(mended).await.unwrap(), 7);
    let ready = |page: &str, n: usize| page.contains(&format!("<b class=\"ok\">{n}</b> 行可执行"));
    for path in ["/admin/shipping/list.xlsx", "/admin/orders/export.xlsx?tab=to_ship"] {
        let (to, n) = filled_in(&w, &clerk, path).await;
        let page = clerk.page(&to).await;
        assert!(n == 7 && ready(&page, n), "{path}: {page}");
        assert_eq!(page.contains("「商家备注」写的是“老客户，送贺卡”"), path.contains("export"), "{path}: {page}");
    }
    let number = |n: usize| format!("7531234567{n:04}");
    let brought = async |head: &str, said: &[&str]| {
        let row = |(n, said): (usize, &&str)| format!("{}\t中通\t{}\t{said}", no[n], number(n));
        let rows = said.iter().enumerate().map(row).collect::<Vec<_>>().join("\n");
        bring(&w, &clerk, pasted(&format!("订单号\t快递公司\t快递单号\t{head}\n{rows}"))).await
    };
    for (head, said, fine) in [
        ("备注", &["明天发"][..], 0),
        ("备注", &["老客户送贺卡"], 1),
        ("注", &["x"], 0),
        ("电子面单", &["已取消"], 0),
        ("", &["作废"], 0),
        ("是否发货", &["否"], 0),
        ("isDeleted", &["1"], 0),
        ("业务类型", &["标快"], 1),
        ("状态", &["已揽收"], 1),
        ("最新轨迹", &["【杭州】已揽收 11-29 18:00 快递员小李", "【宁波】到达转运中心，下一站杭州"], 2),
        ("最新轨迹", &["【杭州】已揽收 11-29 18:00", "【宁波】派件不成功，地址不详"], 1),
        ("备注", &["", "", "", "", "", "加急"], 5),
        ("备注", &["", "", "", "", "", "送贺卡"], 6),
        ("备注", &["甲", "乙", "丙", "明天发", "丁", "戊"], 5),
        ("备注", &["", "", "", "YT8812345678901", "", ""], 5),
        ("备注", &["甲", "乙", "丙", "丁", "", ""], 6),
        ("订单状态", &["待发货", "待发货", "待发货", "待发货", "已打印", "已截停"], 5),
    ] {
        let page = clerk.page(&brought(head, said).await).await;
        assert!(ready(&page, fine), "{head} {said:?}: {page}");
    }
    assert!(clerk.page(&brought("备注", &["甲", "乙", "丙", "丁", "", ""]).await).await.contains("「备注」写的是“丙”"));
    let page = clerk.page(&brought("备注", &["打 13711112222"]).await).await;
    assert!(page.contains("“打 137****2222”") && !page.contains("13711112222"), "{page}");

    // A file and a text beside it: which of them is meant nobody knows; and one in which nothing is.
    let form = |bytes: &'static [u8], text: &str| {
        Form::new().text("text", text.to_owned()).part("file", Part::bytes(bytes).file_name("a.csv"))
    };
    let both = form("订单号,快递单号\n1,75312345678901\n".as_bytes(), "x");
    let table = Part::bytes("订单号,快递单号\n1,75312345678901\n".as_bytes()).file_name("a.csv");
    let other = Part::bytes("订单号,快递单号\n2,75312345678902\n".as_bytes()).file_name("b.csv");
    let two = Form::new().text("text", "").part("file", table).part("file", other);
    let before = w.count("select count(*) from shipping_batches").await;
    for (form, told) in [
        (both, "请只留一样"),
        (form(b"", ""), "文件是空的"),
        (form(b"", "x"), "请只留一样"),
        (two, "这次来了 2 个，一个也没有用"),
    ] {
        let request = w.http().post(w.at("/admin/shipping")).header("Cookie", &clerk.cookie).multipart(form);
        let answer = request.send().await.unwrap();
        let cookies = format!("{}; {}", clerk.cookie, cookie(&answer, "_flash=").unwrap_or_default());
        let page = w.http().get(w.at("/admin/shipping")).header("Cookie", cookies).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(told), "{told}: {page}");
    }
    assert_eq!(w.count("select count(*) from shipping_batches").await, before);

    // One yes for all rows that say the same, and for no other.
    let to = brought("备注", &["加急", "加急", "自提", ""]).await;
    let page = clerk.page(&to).await;
    assert!(ready(&page, 1) && page.contains("这 2 行照样发"), "{page}");
    clerk.post(&format!("{to}/agree"), &[("words", "「备注」写的是“加急”")]).await;
    let page = clerk.page(&to).await;
    assert!(ready(&page, 3) && page.contains("“自提”，像是先不发，或要改：请核对"), "{page}");
    let form = [("order_no", no[0].as_str()), ("company", "中通"), ("tracking_no", "75312345679999"), ("pieces", "")];
    clerk.post(&format!("{to}/rows/0"), &form).await;
    assert!(ready(&clerk.page(&to).await, 2), "the yes was to another number");
    clerk.post(&format!("{to}/run"), &[]).await;
    assert_eq!(alice.status(&no[1]).await, "shipped");
    w.must_hold().await;
}

/// A typed line is held against its order as a row of a table is.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_typed_line_says_is_held_against_its_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    w.product("雪花梨", 1000, 99).await;
    w.product("圆领 T 恤", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for _ in 0..6 {
        no.push(w.paid(&alice, sku, 1).await.no);
    }
    let readdress = |tx: &Tx| {
        Ok(tx.execute(
            "update orders set address = json_set(address, '$.receiver', '张小红', '$.phone', '13900000014')",
            [],
        )?)
    };
    assert_eq!(w.shop.write(readdress).await.unwrap(), 6);
    let ready = |page: &str, n: usize| page.contains(&format!("<b class=\"ok\">{n}</b> 行可执行"));
    let a = no[0].as_str();
    for (text, words) in [
        (format!("{a} 张小红 13900000014 中通 75312345670001"), ""),
        (format!("订单 {a} 已发 中通 单号 75312345670001 谢谢"), ""),
        (format!("{a} 苹果 中通 75312345670001"), ""),
        (format!("{a} 李四 13711112222 中通 75312345670001"), "尾号 2222，订单是尾号 0014"),
        (format!("{a} 139****0014 中通 75312345670001"), ""),
        (format!("{a}（0014） 中通 75312345670001"), ""),
        (format!("{a} 139****2222 中通 75312345670001"), "尾号 2222，订单是尾号 0014"),
        (format!("{a} 137-1111-2222 中通 75312345670001"), "尾号 2222"),
        (format!("{a} 尾号2222 中通 75312345670001"), "尾号 2222"),
        (format!("{a}（2222） 中通 75312345670001"), "尾号 2222"),
        (format!("{a} 中通 75312345670001 送贺卡，放门口"), ""),
        (format!("{a} 中通 75312345670001 一件"), ""),
        (format!("小王 2026/11/29 10:01:02\n{a} 中通 75312345670001\n辛苦了"), ""),
        (format!("{a} 中通 75312345670001 已补发"), "“已补发”"),
        (format!("{a} 李四 中通 75312345670001"), "「这一行」写的是“李四”"),
        (
            format!("订单号：{a}\n收件人：李四 13711112222\n快递：中通\n单号：75312345670001"),
            "尾号 2222，订单是尾号 0014",
        ),
        (format!("订单号：{a}\n收件人：李四\n快递：中通\n单号：75312345670001"), "「收件人」是 李*，订单是 张*"),
        (format!("订单号：{a}\n收件人：张小红 13900000014\n快递：中通\n单号：75312345670001"), ""),
        // Cells of one's own sheet: what is of the order passes, and what nobody knows is asked about.
        (format!("{a}\t张小红\t浙江省杭州市西湖区演示路1号\t中通\t75312345670001"), ""),
        (
            format!("{a}\t张小红\t江苏省南京市鼓楼区演示路1号\t中通\t75312345670001"),
            "「这一行」写的是“江苏省南京市鼓楼区",
        ),
        (format!("{a}\t中通\t75312345670001\t已退款"), "已退款"),
        (format!("{a}\t中通\t75312345670001\t缺货"), "缺货"),
        (format!("{a}\t中通\t75312345670001\t取消"), "取消"),
        (format!("{a}\t中通\t75312345670001\t已关闭"), "“已关闭”"),
        (format!("{a}\t中通\t75312345670001\t异常"), "“异常”"),
        (format!("{a}\t中通\t75312345670001\t李四四"), "“李四四”"),
        (format!("{a}\t中通\t75312345670001\t雪花梨"), "“雪花梨”"),
        (format!("{a}\t中通\t75312345670001\t只发1件"), "“只发"),
        (format!("{a}\t中通\t75312345670001\t缺1件"), "“缺"),
        (format!("{a}\t中通\t75312345670001\t还有一包"), "“还有"),
        (format!("{a}\t中通\t75312345670001\t缺雪花梨"), "“缺雪花梨”"),
        (format!("{a}\t中通\t75312345670001\t圆领 T 恤"), "“圆领”"),
        (format!("{a}\t中通\t75312345670001\t送给李四"), "“送给李四”"),
        (format!("{a}\t中通\t75312345670001\t寄到上海"), "“寄到上海”"),
        (format!("{a} 中通 75312345670001 客户不要"), "“客户不要”"),
        (format!("{a} 中通 75312345670001 先放着"), "“先放着”"),
        (format!("{a} 中通 75312345670001 退回件"), "退回"),
        (format!("{a} 中通 75312345670001 hold"), "“hold”"),
    ] {
        let page = packer.page(&bring(&w, &packer, pasted(&text)).await).await;
        assert!(ready(&page, usize::from(words.is_empty())) && page.contains(words), "{text}: {page}");
    }
    // Nicknames in all lines of a long list say nothing; one line that says more does.
    let lines = |more: &dyn Fn(usize) -> &'static str| {
        let line = |(n, no): (usize, &String)| format!("{no} 中通 7531234567{n:04} {}", more(n));
        no.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    };
    let nicknames = lines(&|n| ["小鱼", "阿花", "大熊", "木木", "小鱼", "阿强"][n]);
    assert!(ready(&packer.page(&bring(&w, &packer, pasted(&nicknames)).await).await, 6));
    for stops in ["删掉", "不要了", "废", "拦下来", "明天发"] {
        let one = lines(&|n| if n == 3 { stops } else { "小鱼" });
        assert!(ready(&packer.page(&bring(&w, &packer, pasted(&one)).await).await, 5), "{stops}");
    }
    // Who receives another order of the table is named, and what voids it, whatever else stands there.
    let name = no[1].clone();
    let rename = move |tx: &Tx| {
        let sql = "update orders set address = json_set(address, '$.receiver', '小鱼') where order_no = ?1";
        Ok(tx.execute(sql, [&name])?)
    };
    assert_eq!(w.shop.write(rename).await.unwrap(), 1);
    let slipped = lines(&|n| ["阿花", "小鱼", "小鱼", "木木", "大熊", "已关闭"][n]);
    assert!(ready(&packer.page(&bring(&w, &packer, pasted(&slipped)).await).await, 4));
    // Goods that have a cell to themselves, however many rows have them.
    let sheet = |goods: &str| {
        let line = |(n, no): (usize, &String)| format!("{no}\t甲乙\t{goods}\t1\t中通\t7531234568{n:04}");
        no.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    };
    for (goods, fine) in [
        ("苹果", 6),
        ("苹果 ×1", 6),
        ("苹果味道", 6),
        ("雪花梨", 0),
        ("雪花梨 ×1", 0),
        ("圆领 T 恤", 0),
        ("苹果\t雪花梨", 0),
        ("苹果、雪花梨", 0),
    ] {
        let page = packer.page(&bring(&w, &packer, pasted(&sheet(goods))).await).await;
        assert!(ready(&page, fine), "{goods}: {page}");
    }
    for odd in ["称重四斤", "只发1件", "送给李四"] {
        let odd = lines(&|n| if n == 3 { odd } else { "" });
        assert!(ready(&packer.page(&bring(&w, &packer, pasted(&odd)).await).await, 5));
    }
    let one = lines(&|n| if n == 3 { "等通知" } else { "" });
    assert!(ready(&packer.page(&bring(&w, &packer, pasted(&one)).await).await, 5));
}

/// A number that has lost a part, or got one, shows beside the others of its carrier; and no row sends nought pieces.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_was_cut_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for _ in 0..5 {
        no.push(w.paid(&alice, sku, 2).await.no);
    }
    let bring_with = async |last: &str| {
        let numbers = ["75312345670901", "75312345670902", "75312345670903", "75312345670904", last];
        let rows = no.iter().zip(numbers).map(|(no, number)| format!("{no}\t中通\t{number}")).collect::<Vec<_>>();
        bring(&w, &packer, pasted(&format!("订单号\t快递公司\t快递单号\n{}", rows.join("\n")))).await
    };
    for (last, ready, words) in [
        ("7531234567", 4, "这个单号 10 位，同样开头的都是 14 位，像是少了几位"),
        ("753123456709055", 4, "像是多了几位"),
        ("75312345670905", 5, ""),
        ("881234567890", 5, ""),
    ] {
        let page = packer.page(&bring_with(last).await).await;
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{last}: {page}");
        assert!(page.contains(words), "{last}: {page}");
    }
    let to = bring_with("7531234567").await;
    let form = [("order_no", no[4].as_str()), ("company", "中通"), ("tracking_no", "7531234567"), ("pieces", "")];
    packer.post(&format!("{to}/rows/4"), &form).await;
    assert!(packer.page(&to).await.contains("<b class=\"ok\">5</b> 行可执行"));
    for (head, said, words) in [
        ("件数", "0", "件数写的是 0"),
        ("件数", "-1", "件数"),
        ("件数", "3", "件数 3 超过还没发的 2 件"),
        ("商品名称\t数量", "苹果\t5", "表里写了 5 件，没发的只有 2 件"),
        ("商品\t件数", "苹果 ×2\t2", ""),
    ] {
        let to = bring(
            &w,
            &packer,
            pasted(&format!("订单号\t{head}\t快递公司\t快递单号\n{}\t{said}\t中通\t75312345670901", no[0])),
        )
        .await;
        let page = packer.page(&to).await;
        assert!(page.contains(words) && !page.contains("认不出"), "{head} {said}: {page}");
        assert!(!page.contains("件数 0 超过") && !page.contains("件数 -1 超过"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_come_as_files_too() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let head = ["订单号", "快递公司", "快递单号"];
    for (n, name) in ["a.xlsx", "a.csv", "gbk.csv"].into_iter().enumerate() {
        let no = w.paid(&alice, sku, 1).await.no;
        let rows = [vec![no.clone(), "韵达".into(), format!("46312345678901{n}")]];
        let bytes = match name {
            "a.xlsx" => xiaopu::tables::xlsx(&head, &[], &rows).unwrap(),
            "a.csv" => tables::csv(&head, &[], &rows),
            _ => {
                encoding_rs::GB18030.encode(&format!("订单号,快递公司,快递单号\n{}", rows[0].join(","))).0.into_owned()
            }
        };
        let batch = bring(&w, &packer, Form::new().part("file", Part::bytes(bytes).file_name(name))).await;
        packer.post(&format!("{batch}/run"), &[]).await;
        assert_eq!(alice.order(&no).await["shipments"][0]["companyText"], "韵达速递", "{name}");
    }
    for (name, bytes) in [("a.png", vec![1, 2, 3]), ("a.xlsx", vec![0; 100]), ("a.csv", b"\n\n".to_vec())] {
        let part = Part::bytes(bytes).file_name(name);
        assert_eq!(bring(&w, &packer, Form::new().part("file", part)).await, "/admin/shipping", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_ships_order_after_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let no = w.paid(&alice, sku, 1).await.no;
    let bench = "/admin/shipping/scan";
    assert!(packer.page(bench).await.contains(&format!("?order={no}")));
    // With nothing left to pack, an order is nowhere among those that wait for it.
    let released =
        |n: i64| w.shop.write(move |tx| Ok(tx.execute("update order_lines set released_quantity = ?1", [n])?));
    released(1).await.unwrap();
    for page in [bench, "/admin/orders/export.csv"] {
        assert!(!packer.page(page).await.contains(&no), "{page}");
    }
    released(0).await.unwrap();
    packer.post(bench, &[("code", "SF1234567890123")]).await;
    assert!(packer.said(bench).await.contains("先扫发货单上的订单号"));
    let (_, opened) = packer.post(bench, &[("code", &no.to_lowercase())]).await;
    assert_eq!(opened, format!("{bench}?order={no}"));
    assert!(packer.page(&opened).await.contains("扫快递面单"));
    assert_eq!(packer.post(bench, &[("order", &no), ("code", "SF1234567890123")]).await.1, bench);
    assert!(packer.said(bench).await.contains("已发货 顺丰速运 SF1234567890123"));
    assert_eq!(alice.status(&no).await, "shipped");
    packer.post(bench, &[("code", &no)]).await;
    assert!(packer.said(bench).await.contains("已发货 顺丰速运 SF1234567890123，没有再发一次"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_is_told_what_it_has_read() {
    let w = World::new().await;
    let (tea, rice) = (w.product("茶", 1000, 99).await, w.product("大米", 1000, 99).await);
    let coded = move |tx: &Tx| {
        let sql =
            "update skus set barcode = iif(id = ?1, '6901234567892', null), sku_code = iif(id = ?2, 'RICE-5', null)";
        Ok(tx.execute(sql, rusqlite::params![tea, rice])?)
    };
    w.shop.write(coded).await.unwrap();
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (one, two) = (w.paid(&alice, tea, 1).await.no, w.paid(&alice, tea, 1).await.no);
    let bench = "/admin/shipping/scan";
    packer.post(bench, &[("order", &one), ("code", "SF1234567890123")]).await;
    for (order, code, words) in [
        // Where a slip is expected:
        ("", "SF1234567890123", format!("面单 SF1234567890123 已用于订单 {one}")),
        ("", "SF9999999999999", "请先扫发货单上的订单号，再扫快递面单".to_owned()),
        ("", "6901234567892", "是商品「茶」的条码".to_owned()),
        ("", "rice-5", "是商品「大米」的条码".to_owned()),
        ("", "王小明", "没有等着发的订单符合「王小明」".to_owned()),
        // Where a label is:
        (&two, "RICE-5", "这是商品「大米」的条码，不是快递单号".to_owned()),
        (&two, "6901234567892", "不是快递单号".to_owned()),
    ] {
        let (_, to) = packer.post(bench, &[("order", order), ("code", code)]).await;
        let said = packer.said(&to).await;
        assert!(said.contains(&words), "{code}: {said}");
    }
    // Whatever slip comes while another order's parcel lies here, that one is not forgotten.
    let three = w.paid(&alice, tea, 1).await.no;
    let (fetched, _) = super::pickup::bought(&w, &alice, super::pickup::cake(&w).await).await;
    for (open, code, words, left) in [
        (two.as_str(), three.as_str(), format!("换成了订单 {three}，上一单还没有发，现在扫快递面单"), true),
        (&two, &one, "没有再发一次。上一单还没有发".to_owned(), true),
        (&two, "20260101AAAAAAAAAA", "没有订单 20260101AAAAAAAAAA。上一单还没有发".to_owned(), true),
        (&two, &two, "现在扫快递面单".to_owned(), false),
        // What has left waits for nothing, and what is fetched for its buyer.
        (&fetched, &three, "现在扫快递面单".to_owned(), false),
        (&one, &three, "现在扫快递面单".to_owned(), false),
        ("", &one, "没有再发一次".to_owned(), false),
    ] {
        let (_, to) = packer.post(bench, &[("order", open), ("code", code)]).await;
        let said = packer.said(&to).await;
        assert!(said.contains(&words) && said.contains("上一单") == left, "{open} {code}: {said}");
    }
    assert_eq!(alice.status(&two).await, "to_ship");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_scanned_twice_does_not_send_the_next_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let mut no = Vec::new();
    for _ in 0..3 {
        no.push(w.paid(&alice, sku, 1).await.no);
    }
    let at = |n: usize| format!("/admin/orders/{}", no[n]);
    let ship = async |n: usize, more: &[(&str, &str)]| {
        packer.post(&format!("{}/ship", at(n)), &[&[("tracking_no", "SF1234567890123")], more].concat()).await
    };
    ship(0, &[("next", "true")]).await;
    // The page has gone on to the next order, of the same receiver, when the scanner reads the label once more.
    let (_, to) = ship(1, &[("next", "true")]).await;
    assert_eq!(to, at(1));
    let page = packer.said(&to).await;
    assert!(page.contains(&format!("刚用于订单 {}", no[0])) && page.contains("合并发货"), "{page}");
    assert_eq!(alice.status(&no[1]).await, "to_ship");
    let bench = "/admin/shipping/scan";
    let (_, to) = packer.post(bench, &[("order", &no[1]), ("code", "SF1234567890123")]).await;
    assert!(packer.said(&to).await.contains("像是同一张面单扫了两次"));
    let (action, fields) = way_on(&page).unwrap();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    packer.post(&action, &fields).await;
    assert_eq!(alice.status(&no[1]).await, "shipped", "who means it says so");
    // A minute later it is no scanner any more.
    w.advance(MINUTE);
    ship(2, &[]).await;
    assert_eq!(alice.status(&no[2]).await, "shipped");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ships_what_has_moved_on_keeps_the_number_and_learns_where_it_stands() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (sent, closed) = (w.paid(&alice, sku, 1).await.no, Placed::of(alice.buy(sku, 1).await).no);
    let ship = async |no: &str, number: &str| {
        let page = format!("/admin/orders/{no}");
        packer.post(&format!("{page}/ship"), &[("tracking_no", number)]).await;
        packer.said(&page).await
    };
    assert!(
        ship(&closed, "SF1234567890001")
            .await
            .contains("还没有付款，不能发货；刚填的 顺丰速运 SF1234567890001 没有用上")
    );
    ship(&sent, "SF1234567890123").await;
    let page = ship(&sent, "75312345678901").await;
    assert!(page.contains("已发货 顺丰速运 SF1234567890123，没有再发一次"), "{page}");
    assert!(page.contains("刚填的 中通快递 75312345678901 没有用上，要换成它请在“包裹”里改单号"), "{page}");
    assert!(ship(&sent, "SF1234567890123").await.contains("就是刚填的单号"));
    alice.post(&format!("/orders/{closed}/cancel"), None).await.ok();
    assert!(ship(&closed, "SF1234567890001").await.contains("不要发货；刚填的 顺丰速运 SF1234567890001"));
    w.must_hold().await;
}

/// What the button of the strip sends, and where to; nothing when it has none.
fn way_on(page: &str) -> Option<(String, Vec<(String, String)>)> {
    let strip = page.split("flash error").nth(1)?.split("</div>").next()?;
    let (form, fields) = strip.split_once("<form")?.1.split_once('>')?;
    let value = |text: &str, name: &str| {
        let value = text.split_once(&format!("{name}=\""))?.1.split('"').next()?;
        Some(value.replace("&#x2f;", "/").replace("&amp;", "&"))
    };
    let fields = fields.split("<input").filter_map(|field| Some((value(field, "name")?, value(field, "value")?)));
    Some((value(form, "action")?, fields.collect()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_of_another_order_is_asked_about_at_every_door() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let mut no = Vec::new();
    for _ in 0..5 {
        no.push(w.paid(&alice, sku, 2).await.no);
    }
    let at = |n: usize| format!("/admin/orders/{}", no[n]);
    let bench = "/admin/shipping/scan".to_owned();
    let label = "SF1234567890123";
    owner.post(&format!("{}/ship", at(0)), &[("tracking_no", label)]).await;
    w.advance(MINUTE);
    // To the same receiver it is one parcel, which is told.
    let bob = w.buyer("bob").await;
    let beside = w.paid(&bob, sku, 1).await.no;
    owner.post(&format!("/admin/orders/{beside}/ship"), &[("tracking_no", label)]).await;
    let said = owner.said(&format!("/admin/orders/{beside}")).await;
    assert!(said.contains("已发货") && said.contains(&format!("和订单 {} 装在一个包裹里", no[0])));
    // The others go to somebody else.
    let apart = no[0].clone();
    let readdress = move |tx: &Tx| {
        let sql = "update orders set address = json_set(address, '$.receiver', '李四') where buyer_id = (select buyer_id from orders where order_no = ?1) and order_no <> ?1";
        Ok(tx.execute(sql, [&apart])?)
    };
    assert_eq!(w.shop.write(readdress).await.unwrap(), 4);
    owner.post(&format!("{}/ship", at(4)), &[("tracking_no", "SF1234567890999")]).await;
    let parcel = alice.order(&no[4]).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    let line = alice.order(&no[4]).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let numbers = async |n: usize| {
        let order = alice.order(&no[n]).await;
        let of =
            |kind: &str| order[kind].as_array().into_iter().flatten().map(|sent| sent["trackingNo"].clone()).collect();
        let (shipments, resends): (Vec<_>, Vec<_>) = (of("shipments"), of("resends"));
        [shipments, resends].concat()
    };

    let pieces = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", "1")];
    let resend = [&[("tracking_no", label), ("reason", "快递丢件")][..], &pieces].concat();
    for (door, n, to, form, then) in [
        ("one order", 1, format!("{}/ship", at(1)), vec![("tracking_no", label), ("next", "true")], at(1)),
        (
            "beside the list",
            2,
            format!("{}/ship", at(2)),
            vec![("tracking_no", label), ("back", "/admin/orders")],
            "/admin/orders".into(),
        ),
        ("scanner", 3, bench.clone(), vec![("order", &no[3]), ("code", label)], format!("{bench}?order={}", no[3])),
        ("once more", 4, format!("{}/resend", at(4)), resend, at(4)),
        ("another number", 4, format!("{}/shipments/{parcel}/number", at(4)), vec![("tracking_no", label)], at(4)),
    ] {
        let before = numbers(n).await;
        assert_eq!(owner.post(&to, &form).await.1, then, "{door}");
        let page = owner.said(&then).await;
        assert!(page.contains("单号已用于订单 ") && page.contains("（收货人或地址不同）"), "{door}");
        assert_eq!(numbers(n).await, before, "{door}: nothing was sent");
        let (action, fields) = way_on(&page).unwrap_or_else(|| panic!("{door}: {page}"));
        assert_eq!(action, to, "{door}");
        for (name, value) in form {
            assert!(fields.contains(&(name.to_owned(), value.to_owned())), "{door}: {name}");
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        owner.post(&action, &fields).await;
        let after = numbers(n).await;
        assert!(after.contains(&json!(label)), "{door}: {after:?}");
    }
    // What is wrong in another way has no such button.
    owner.post(&format!("{}/ship", at(1)), &[("tracking_no", "123")]).await;
    assert_eq!(way_on(&owner.said(&at(1)).await), None);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_its_buyer_waits_for_is_named_where_an_order_leaves() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let packer = w.staff("packer", Role::Packer).await;
    let (one, two) = (w.paid(&alice, sku, 1).await.no, w.paid(&alice, sku, 1).await.no);
    let his = w.paid(&bob, sku, 1).await.no;
    let named = async |page: String| [&one, &two, &his].map(|no| page.contains(&format!("/admin/orders/{no}#ship")));
    for page in [format!("/admin/orders/{one}"), format!("/admin/orders/{one}/preview")] {
        assert_eq!(named(packer.page(&page).await).await, [false, true, false], "{page}");
    }
    // Five are named, and all are counted.
    let mut more = Vec::new();
    for _ in 0..6 {
        more.push(w.paid(&alice, sku, 1).await.no);
    }
    let page = packer.page(&format!("/admin/orders/{one}")).await;
    assert!(
        page.contains("同一买家还有 7 单待发") && !page.contains(&format!("/admin/orders/{}#ship", more[5])),
        "{page}"
    );
    for (n, no) in more.iter().enumerate() {
        packer.post(&format!("/admin/orders/{no}/ship"), &[("tracking_no", &format!("SF999999999999{n}"))]).await;
    }
    packer.post(&format!("/admin/orders/{two}/ship"), &[("tracking_no", "SF1234567890123")]).await;
    assert_eq!(named(packer.page(&format!("/admin/orders/{one}")).await).await, [false; 3]);
    // Where no order is found, the same words are looked for elsewhere by whoever may look there.
    let clerk = w.staff("clerk", Role::Clerk).await;
    for (staff, offered) in [(&packer, false), (&clerk, true)] {
        assert_eq!(staff.page("/admin/orders?q=梨").await.contains("在顾客里找"), offered);
    }
}

/// A number that the named service cannot have given out is asked about wherever one is typed; whoever has looked says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_not_its_carriers_is_asked_about_at_every_door() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let bench = "/admin/shipping/scan".to_owned();
    for (company, number, fits) in [
        ("中通", "SF1234567890123", false),
        ("中通", "YT8812345678901", false),
        ("圆通", "75312345678901", false),
        ("顺丰", "SF12345678901", false),
        ("极兔", "JT12345678901", false),
        ("中通", "PC202611290001", false),
        ("中通", "75312345678901", true),
        ("", "YT8812345678902", true),
        ("其他：飞毛腿", "100234", true),
    ] {
        let no = w.paid(&alice, sku, 1).await.no;
        let at = format!("/admin/orders/{no}");
        let form = |door: &str| match door {
            "scan" => (bench.clone(), vec![("order", no.as_str()), ("code", number), ("company", company)]),
            _ => (format!("{at}/ship"), vec![("company", company), ("tracking_no", number)]),
        };
        for door in ["page", "scan"] {
            let (to, fields) = form(door);
            let (_, then) = packer.post(&to, &fields).await;
            let page = packer.said(&then).await;
            let left = alice.status(&no).await == "shipped";
            assert_eq!(left, fits, "{door} {company} {number}: {page}");
            if fits {
                break;
            }
            assert!(page.contains("没写错，照这样用"), "{door} {company} {number}: {page}");
            let (action, fields) = way_on(&page).unwrap();
            assert_eq!(action, to);
            if door == "scan" {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                packer.post(&action, &fields).await;
                assert_eq!(alice.status(&no).await, "shipped", "{company} {number}");
            }
        }
    }
    // The same when a number is put right; and nobody takes back what a colleague has put right meanwhile.
    let no = w.paid(&alice, sku, 1).await.no;
    let at = format!("/admin/orders/{no}");
    packer.post(&format!("{at}/ship"), &[("tracking_no", "75312345678911")]).await;
    let parcel = alice.order(&no).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    let number = async || alice.order(&no).await["shipments"][0]["trackingNo"].clone();
    assert!(packer.page(&at).await.contains("name=\"was\" value=\"中通快递 75312345678911\""));
    let to = format!("{at}/shipments/{parcel}/number");
    let form = |was, company, number| [("was", was), ("company", company), ("tracking_no", number)];
    packer.post(&to, &form("中通快递 75312345678911", "中通快递", "SF1234567890123")).await;
    assert!(packer.said(&at).await.contains("单号却像是顺丰速运的"));
    assert_eq!(number().await, "75312345678911");
    packer.post(&to, &form("中通快递 75312345678911", "中通快递", "75312345678912")).await;
    packer.post(&to, &form("中通快递 75312345678911", "中通快递", "75312345678913")).await;
    assert!(packer.said(&at).await.contains("单号刚刚被改成了 中通快递 75312345678912"));
    assert_eq!(number().await, "75312345678912");
    // And where it goes out once more.
    let line = alice.order(&no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let clerk = w.staff("clerk", Role::Clerk).await;
    let lost = async |company, number| {
        let pieces = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", "1"), ("reason", "快递丢件")];
        let form = [&pieces[..], &[("company", company), ("tracking_no", number)]].concat();
        clerk.post(&format!("{at}/resend"), &form).await;
        (clerk.said(&at).await, alice.order(&no).await["resends"].as_array().map_or(0, Vec::len))
    };
    let (said, n) = lost("中通", "SF1234567890555").await;
    assert!(n == 0 && said.contains("单号却像是顺丰速运的"), "{said}");
    assert_eq!(lost("", "SF1234567890555").await.1, 1);
    w.must_hold().await;
}

/// What leaves is what somebody saw, to whom they saw: the page on which a label is scanned may be an hour old.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_it_was_shown_does_not_leave_unseen() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let seen = |page: &str| {
        let form = page.split_once("id=\"ship-form\"").map_or(page, |(_, form)| form);
        let value = form.split_once("name=\"seen\"").unwrap().1.split_once("value=\"").unwrap().1;
        value.split('"').next().unwrap().to_owned()
    };
    for door in ["page", "scan"] {
        for change in ["goods", "address", "none"] {
            let placed = w.paid(&alice, sku, 3).await;
            let at = format!("/admin/orders/{}", placed.no);
            let bench = format!("/admin/shipping/scan?order={}", placed.no);
            let page = owner.page(if door == "page" { &at } else { &bench }).await;
            let changed = placed.no.clone();
            match change {
                "goods" => owner.give_back(&alice, &placed, ("2", "20.00", true)).await,
                "address" => {
                    let sql = "update orders set address = json_set(address, '$.receiver', '李四') where order_no = ?1";
                    assert_eq!(w.shop.write(move |tx| Ok(tx.execute(sql, [&changed])?)).await.unwrap(), 1);
                }
                _ => {}
            }
            let send = async |page: &str| {
                let (seen, number) = (seen(page), "SF1234567890123");
                match door {
                    "page" => {
                        owner
                            .post(
                                &format!("{at}/ship"),
                                &[("tracking_no", number), ("seen", &*seen), ("merge", "true")],
                            )
                            .await
                    }
                    _ => {
                        let form = [("order", &*placed.no), ("code", number), ("seen", &*seen), ("merge", "true")];
                        owner.post("/admin/shipping/scan", &form).await
                    }
                }
            };
            let (_, then) = send(&page).await;
            let told = owner.said(&then).await;
            let status = alice.status(&placed.no).await;
            if change != "none" {
                assert_eq!(status, "to_ship", "{door} {change}: {told}");
                assert!(told.contains("要发的货或收货人刚刚变了"), "{door} {change}: {told}");
                send(&owner.page(&then).await).await;
            }
            assert_eq!(alice.status(&placed.no).await, "shipped", "{door} {change}");
        }
    }
    w.must_hold().await;
}

/// A slip that was printed before the address was changed is another's: the order counts as not printed, and the desk says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_moved_after_its_slip_was_printed_is_told_where_that_is_scanned() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let no = w.paid(&alice, sku, 1).await.no;
    let scan = async || {
        let (_, to) = owner.post("/admin/shipping/scan", &[("order", ""), ("code", &no)]).await;
        owner.said(&to).await
    };
    let printed = async || owner.post("/admin/print/done", &[("order", &no)]).await;
    printed().await;
    assert!(owner.page("/admin/orders?tab=to_ship").await.contains("已打印 1 次"));
    assert!(!scan().await.contains("收货信息改过"));
    let form = [
        ("receiver", "李四"),
        ("phone", "13711112222"),
        ("province", "上海市"),
        ("city", "上海市"),
        ("district", "浦东新区"),
        ("detail", "世纪大道 1 号"),
    ];
    owner.post(&format!("/admin/orders/{no}/address"), &form).await;
    assert!(owner.page("/admin/orders?tab=to_ship&unprinted=true").await.contains(&no));
    let page = scan().await;
    assert!(page.contains("收货信息改过") && page.contains("第 2 步"), "{page}");
    printed().await;
    assert!(!scan().await.contains("收货信息改过"));
    // Saved as it stands nothing has changed, and the slip is right.
    owner.post(&format!("/admin/orders/{no}/address"), &form).await;
    assert!(owner.said(&format!("/admin/orders/{no}")).await.contains("收货信息没有变"));
    assert!(!scan().await.contains("收货信息改过"));
}
