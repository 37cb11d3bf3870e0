//! Numbers as people paste, scan and read them out, and carriers as they call them.

use calamine::{Reader, Xlsx};
use reqwest::Method;
use serde_json::json;
use xiaopu::catalogue::Delivery;
use xiaopu::simulator::Fault;
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_whatever_is_pasted_of_it() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let other = w.paid(&alice, sku, 1).await;
    let mut form = order(sku, 1);
    form["address"] = json!({
        "receiver": "欧阳测试", "phone": "+86 139-1111-2222", "province": "北京市", "city": "北京市", "district": "朝阳区",
        "detail": "测试路1号",
    });
    let placed = Placed::of(alice.prepay(&w.key(), form).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    clerk.post(&format!("/admin/orders/{}/ship", placed.no), &[("tracking_no", "JDVA12345678901-1-1-")]).await;
    assert_eq!(alice.order(&placed.no).await["shipments"][0]["trackingNo"], "JDVA12345678901");
    let (no, transaction) = (&placed.no, w.transaction(&placed));
    for typed in [
        no.clone(),
        format!("订单号：{no}"),
        no[12..].to_lowercase(),
        no[13..].to_owned(),
        placed.out_trade_no.clone(),
        format!("`{transaction}"),
        format!("'{transaction}\t"),
        "13911112222".to_owned(),
        "139 1111 2222".to_owned(),
        "+86 139-1111-2222".to_owned(),
        "电话：１３９１１１１２２２２".to_owned(),
        "11112222".to_owned(),
        "欧阳测试 +86 139-1111-2222".to_owned(),
        "欧阳测试(13911112222)，北京市朝阳区测试路1号".to_owned(),
        "2222".to_owned(),
        "139****2222".to_owned(),
        "朝阳区".to_owned(),
        "北京市朝阳区".to_owned(),
        "欧阳".to_owned(),
        "JDVA12345678901".to_owned(),
        "jdva12345678901-1-1-".to_owned(),
        "运单号：JDVA12345678901".to_owned(),
    ] {
        let address = reqwest::Url::parse_with_params("http://x/admin/orders", [("q", &typed)]).unwrap();
        let page = clerk.page(&format!("{}?{}", address.path(), address.query().unwrap())).await;
        assert_eq!((page.contains(no.as_str()), page.contains(&other.no)), (true, false), "{typed}");
    }
}

/// Whoever packs hears it at the slip, and sees it in every list that the order stands in: not when the label is on the parcel.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_paid_back_is_said_before_it_is_packed() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let bench = "/admin/shipping/scan";
    let (asked, fine) = (w.paid(&alice, sku, 1).await.no, w.paid(&alice, sku, 1).await.no);
    let path = format!("/orders/{asked}/refunds");
    let wish = json!({ "reason": "不想要了" });
    w.call(Method::POST, &path, Some(&alice.token), Some(&w.key()), Some(wish)).await.ok();
    for (no, held) in [(&asked, true), (&fine, false)] {
        for code in [no.as_str(), &no[12..]] {
            let (_, to) = packer.post(bench, &[("code", code)]).await;
            assert_eq!(to, format!("{bench}?order={no}"), "{code}");
            let page = packer.said(&to).await;
            let said =
                (page.contains("flash error"), page.contains("先别打包：有退款正在处理"), page.contains(">退款中<"));
            assert_eq!(said, (held, held, held), "{code}: {page}");
            assert!(page.contains("同一买家还有 1 单待发"), "{page}");
        }
    }
    assert_eq!(packer.page(bench).await.matches(">退款中<").count(), 1);
    assert_eq!(packer.page("/admin").await.matches(">退款中<").count(), 1);
    for view in ["true", "false"] {
        packer.post("/admin/account/lists", &[("order_table", view), ("back", "/admin/orders")]).await;
        let list = packer.page("/admin/orders?tab=to_ship").await;
        let row = |no: &str| {
            list.split("name=\"order\"").find(|row| row.contains(&format!("value=\"{no}\""))).unwrap().to_owned()
        };
        let says = |no: &str| (row(no).contains(">退款中<"), row(no).contains(">看退款<"), row(no).contains(">发货<"));
        assert_eq!((says(&asked), says(&fine)), ((true, true, false), (false, false, true)), "table {view}: {list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scan_desk_asks_once_who_carries_a_kind_of_number() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let bench = "/admin/shipping/scan";
    let mut orders = Vec::new();
    for _ in 0..7 {
        orders.push(w.paid(&alice, sku, 1).await.no);
    }
    let company = async |no: &str| alice.order(no).await["shipments"][0]["companyText"].as_str().map(str::to_owned);
    // Nobody's: asked for, with the number kept; a book is no parcel at all.
    for (code, words) in [("880012345678", "认不出是哪家快递"), ("9787302511625", "书刊"), ("MMM={'k1':'7'}", "二维码")]
    {
        let (_, to) = packer.post(bench, &[("order", &orders[0]), ("code", code)]).await;
        assert_eq!(to.contains("code=880012345678"), code == "880012345678", "{to}");
        assert!(packer.said(&to).await.contains(words), "{code}");
    }
    assert_eq!(alice.status(&orders[0]).await, "to_ship");
    packer.post(bench, &[("order", &orders[0]), ("code", "880012345678"), ("company", "安能物流")]).await;
    assert_eq!(company(&orders[0]).await.as_deref(), Some("安能物流"));
    packer.post(bench, &[("order", &orders[1]), ("code", "880012345679")]).await;
    assert_eq!(company(&orders[1]).await.as_deref(), Some("安能物流"), "it was said of the last one");
    let batch = pasted(&packer, &w, &format!("{}\t880012345680", orders[6])).await;
    assert!(packer.page(&batch).await.contains("没写公司：这样的单号上次选的是安能物流"));
    // A number that only looks like somebody's is shown with the suggestion.
    let (_, to) = packer.post(bench, &[("order", &orders[2]), ("code", "74312345678901")]).await;
    let page = packer.said(&to).await;
    assert!(page.contains("像是中通快递") && page.contains("value=\"74312345678901\""), "{to}");
    packer.post(bench, &[("order", &orders[2]), ("code", "74312345678901"), ("company", "中通快递")]).await;
    packer.post(bench, &[("order", &orders[3]), ("code", "74312345678902")]).await;
    assert_eq!(company(&orders[3]).await.as_deref(), Some("中通快递"));
    // A label's picture; and a service that WeChat's list has not, under its own name.
    let picture = "MMM={'k1':'755W','k4':'T4','k5':'SF1234567890123','k6':''}";
    let form = [("order", &*orders[4]), ("code", picture), ("company", "其他：飞毛腿"), ("as_written", "true")];
    packer.post(bench, &form).await;
    assert_eq!(company(&orders[4]).await.as_deref(), Some("飞毛腿"));
    // One wrong choice is not to send the next, whose number is surely theirs; and it is not remembered.
    let form = [("order", &*orders[5]), ("code", "75312345678901"), ("company", "圆通速递"), ("as_written", "true")];
    packer.post(bench, &form).await;
    assert_eq!(company(&orders[5]).await.as_deref(), Some("圆通速递"), "what a person says is done");
    packer.post(bench, &[("order", &orders[6]), ("code", "75312345678902")]).await;
    assert_eq!(company(&orders[6]).await.as_deref(), Some("中通快递"));
    let parcel = &alice.order(&orders[4]).await["shipments"][0];
    assert_eq!((&parcel["company"], &parcel["trackingNo"]), (&json!("OTHER"), &json!("SF1234567890123")));
}

/// The same of lines that somebody wrote in a chat, and of a column with another number in the number's place.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_takes_something_back_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let no = w.paid(&alice, sku, 1).await.no;
    for (text, ready, said) in [
        (format!("{no} 中通 75312345678901 作废"), 0, "这一行写着“作废”"),
        (format!("{no} 退款了 圆通 YT8812345678901"), 0, "这一行写着“退款"),
        (format!("{no} 中通 75312345678901\n更正：{no} 中通 75312345678907"), 0, "有一行写着是更正"),
        (format!("{no}已发中通75312345678901"), 1, "75312345678901"),
        (format!("{no}发圆通YT8812345678901，谢谢"), 1, "YT8812345678901"),
        (
            format!("订单号\t快递公司\t快递单号\t更换后单号\n{no}\t中通\t75312345678901\t75312345678907"),
            0,
            "「更换后单号」是 75312345678907",
        ),
        (format!("订单号\t快递公司\t快递单号\t新单号\n{no}\t中通\t75312345678901\t"), 1, "75312345678901"),
    ] {
        let page = packer.page(&pasted(&packer, &w, &text).await).await;
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{text}: {page}");
        assert!(page.contains(said), "{text}: {page}");
    }
}

/// A void row ships nothing until somebody has looked; numbers of other parcels beside the parcel's are no parcels.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_its_own_table_calls_void_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let no = w.paid(&alice, sku, 1).await.no;
    for (column, said, void) in [
        ("订单状态", "已取消", true),
        ("面单状态", "已回收", true),
        ("打印状态", "打印失败", true),
        ("售后状态", "退款成功", true),
        ("状态", "已作废", true),
        ("状态", "已关闭", true),
        ("是否作废", "是", true),
        ("是否取消", "Y", true),
        ("回收", "已回收", true),
        ("备注", "作废，重打", true),
        ("运单状态", "终止揽收", true),
        ("运单类型", "逆向", true),
        ("是否作废", "否", false),
        ("备注", "老客户", false),
        ("买家备注", "不要发错，退款了找你", false),
        ("取消时间", "", false),
        ("售后状态", "已关闭", false),
        ("售后状态", "退款取消", false),
        ("订单状态", "等待卖家发货", false),
        ("面单状态", "未回收", false),
        ("子运单号", "SF1234567890199", false),
        ("返程运单号", "SF1234567890199", false),
        ("是否作废", "是", true),
        ("是否作废", "否", false),
        ("是否取消", "1", true),
        ("是否取消", "0", false),
        ("回收", "已回收", true),
        ("回收", "未回收", false),
        ("取消时间", "11-29", true),
        ("退款金额", "5.00", true),
        ("退款金额", "0.00", false),
        ("异常原因", "无", false),
        ("异常原因", "地址不详", true),
        ("是否有效", "否", true),
        ("是否有效", "是", false),
        ("运单状态", "终止揽收", true),
        ("运单类型", "逆向", true),
        ("运单类型", "正向", false),
        ("订单状态", "已退货", true),
        ("订单状态", "拦截中", true),
        ("订单状态", "挂起", true),
        ("订单状态", "锁定", true),
        ("订单状态", "异常", true),
        ("订单状态", "缺货", true),
        ("订单状态", "待付款", true),
        ("订单状态", "交易成功", false),
        ("订单状态", "无异常", false),
        ("订单状态", "已解除拦截", false),
        ("order status", "Cancelled", true),
        ("order status", "not cancelled", false),
        ("售后状态", "退款中", true),
        ("售后状态", "等待卖家同意", true),
        ("售后状态", "售后处理中", true),
        ("售后状态", "无售后", false),
        ("退款状态", "未申请", false),
        ("物流状态", "已退回", true),
        ("物流状态", "拒收", true),
        ("物流状态", "运输中", false),
        ("同步状态", "异常", false),
        ("退回单号", "773123456789012", true),
        ("商品状态", "已退款", true),
        ("商品状态", "已发货", false),
        ("付款状态", "未付款", true),
        ("备注", "作废，重打", true),
        ("卖家备注", "客户取消不要发", true),
        ("卖家备注", "暂缓发货", true),
        ("卖家备注", "不要发顺丰，不要发票", false),
        ("卖家备注", "7天无理由退货，坏果包退款", false),
        ("买家留言", "坏了退款吗", false),
        ("买家留言", "不要了，取消订单", true),
        ("买家留言", "取消赠品", false),
    ] {
        let table = format!("订单号\t{column}\t运单号\t快递公司\n{no}\t{said}\tSF1234567890123\t顺丰");
        let to = pasted(&packer, &w, &table).await;
        let page = packer.page(&to).await;
        // In a table of one row a remark stands out, whatever it says.
        let remark = column.contains("备注") || column.contains("留言");
        let ready = if void || remark { 0 } else { 1 };
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{column} {said}: {page}");
        let asked = format!("「{column}」写的是“{said}”，单号可能作废了");
        assert_eq!(page.contains(&asked), void, "{column} {said}");
        assert_eq!(page.contains(&format!("「{column}」写的是“{said}”")), void || remark, "{column} {said}");
        if said == "已作废" {
            packer.post(&format!("{to}/run"), &[]).await;
            assert_eq!(alice.status(&no).await, "to_ship");
            let form =
                [("order_no", no.as_str()), ("company", "顺丰"), ("tracking_no", "SF1234567890123"), ("pieces", "")];
            packer.post(&format!("{to}/rows/0"), &form).await;
            let page = packer.page(&to).await;
            assert!(page.contains("<b class=\"ok\">1</b> 行可执行"), "{page}");
        }
    }
}

/// A column that was sorted by itself gives each number to another's service, and what another program numbers is no
/// parcel's: what was written counts once somebody has looked.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_not_of_the_service_written_is_asked_about() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (crossed, own, fine) =
        (w.paid(&alice, sku, 2).await.no, w.paid(&alice, sku, 1).await.no, w.paid(&alice, sku, 1).await.no);
    let table = format!(
        "订单号\t快递公司\t快递单号\t本包裹件数\n{crossed}\t圆通\tSF1234567890123\t1\n{fine}\t中通快递-菜鸟\t75312345678901\t\n\
         {own}\t中通\tPC202611290001\t\n"
    );
    let to = pasted(&packer, &w, &table).await;
    let page = packer.page(&to).await;
    assert!(page.contains("<b class=\"ok\">1</b> 行可执行"), "{page}");
    assert!(page.contains("写的是圆通速递，单号却像是顺丰速运的：请核对"), "{page}");
    assert!(page.contains("写的是中通快递，单号不像它家的：请核对"), "{page}");
    let form =
        [("order_no", crossed.as_str()), ("company", "圆通"), ("tracking_no", "SF1234567890123"), ("pieces", "1")];
    packer.post(&format!("{to}/rows/0"), &form).await;
    let page = packer.page(&to).await;
    assert!(page.contains("这个包裹 1 件，还剩 1 件") && page.contains("<b class=\"ok\">2</b> 行可执行"), "{page}");
    packer.post(&format!("{to}/run"), &[]).await;
    assert_eq!(alice.order(&crossed).await["shipments"][0]["companyText"], "圆通速递");
    assert_eq!(alice.order(&fine).await["shipments"][0]["companyText"], "中通快递");
    assert_eq!(alice.status(&own).await, "to_ship");
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_asked_which_carriers_it_knows() {
    let w = World::new().await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let page = "/admin/shipping";
    assert!(clerk.page(page).await.contains("1506 家"));
    let asked = async || w.count("select count(*) from messages where kind = 'delivery_list'").await;
    w.wait("the job of the first start", || async { asked().await == 1 }).await;
    w.wechat.fault("delivery_list", Fault::ErrCode("48001".into(), "api unauthorized".into()));
    for outcome in ["48001", "微信的列表有 1506 家"] {
        clerk.post("/admin/shipping/carriers", &[]).await;
        assert!(clerk.page(page).await.contains(outcome), "{outcome}");
    }
    assert_eq!(asked().await, 3);
    assert_eq!(w.count("select count(*) from carriers").await, 0, "it is the list that came along");
}

/// Pastes a table and answers with the address of its page.
async fn pasted(packer: &Console<'_>, w: &World, text: &str) -> String {
    let form = reqwest::multipart::Form::new().text("text", text.to_owned());
    let request = w.http().post(w.at("/admin/shipping")).header("Cookie", &packer.cookie).multipart(form);
    request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_own_lists_come_back_filled_in() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let (filled, empty) = (w.paid(&alice, sku, 2).await, w.paid(&alice, sku, 1).await);
    for path in ["/admin/orders/export.xlsx?tab=to_ship", "/admin/shipping/list.xlsx"] {
        let request = w.http().get(w.at(path)).header("Cookie", &manager.cookie);
        let bytes = request.send().await.unwrap().bytes().await.unwrap();
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
        let sheet = book.worksheet_range_at(0).unwrap().unwrap();
        let mut sheet = sheet.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>());
        let head = sheet.next().unwrap();
        let at = |title: &str| head.iter().position(|known| known == title).unwrap();
        let mut rows: Vec<Vec<String>> = sheet.collect();
        for row in &mut rows {
            if row[at("订单号")] == filled.no {
                (row[at("快递公司")], row[at("快递单号")]) = ("申通".into(), "773123456789012".into());
            }
        }
        let titles: Vec<&str> = head.iter().map(String::as_str).collect();
        let part =
            reqwest::multipart::Part::bytes(xiaopu::tables::xlsx(&titles, &[], &rows).unwrap()).file_name("订单.xlsx");
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = w.http().post(w.at("/admin/shipping")).header("Cookie", &manager.cookie).multipart(form);
        let batch = request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
        let page = manager.page(&batch).await;
        let row = |no: &str| page.split("<tr>").find(|row| row.contains(no)).unwrap().to_owned();
        assert!(row(&filled.no).contains("可发货") && row(&filled.no).contains("申通快递 773123456789012"), "{path}");
        assert!(row(&empty.no).contains("没填") && !row(&empty.no).contains("class=\"bad\""), "{path}");
        assert!(page.contains("快递单号 ←"), "{path}");
    }
    // What may have to stay is not sent out of a list.
    alice.ask_refund(&empty.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    let request = w.http().get(w.at("/admin/shipping/list.xlsx")).header("Cookie", &manager.cookie);
    let bytes = request.send().await.unwrap().bytes().await.unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let cells: Vec<String> = sheet.rows().flatten().map(ToString::to_string).collect();
    assert!(cells.contains(&filled.no) && !cells.contains(&empty.no), "{cells:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_can_leave_in_several_parcels_of_one_table() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let shipments = async |no: &str| {
        let order = alice.order(no).await;
        let parcels = order["shipments"].as_array().unwrap().iter();
        parcels
            .map(|s| (s["trackingNo"].as_str().unwrap().to_owned(), s["lines"][0]["quantity"].as_i64()))
            .collect::<Vec<_>>()
    };
    let (counted, plain, single) =
        (w.paid(&alice, sku, 5).await.no, w.paid(&alice, sku, 3).await.no, w.paid(&alice, sku, 1).await.no);
    let batch = pasted(
        &packer,
        &w,
        &format!(
            "订单号\t快递公司\t快递单号\t件数\n{counted}\t申通\t773123456789001\t2\n{counted}\t申通\t773123456789002\t3\n\
             {plain}\t申通\t773123456789003\t\n{plain}\t申通\t773123456789004\t\n{single}\t申通\t773123456789005\t2\n\
             {single}\t申通\t773123456789006\t一"
        ),
    )
    .await;
    let page = packer.page(&batch).await;
    assert!(page.contains("第 2 行已经有这笔订单") || page.contains("还剩 3 件"));
    assert!(page.contains("件数 2 超过还没发的 1 件") && page.contains("件数「一」不是整数"));
    packer.post(&format!("{batch}/run"), &[]).await;
    let parcel = |n: i64, pieces: Option<i64>| (format!("77312345678900{n}"), pieces);
    assert_eq!(shipments(&counted).await, [parcel(1, Some(2)), parcel(2, Some(3))]);
    assert_eq!(shipments(&plain).await, [parcel(3, Some(3)), parcel(4, None)]);
    assert_eq!(alice.status(&plain).await, "shipped");
    assert_eq!(shipments(&single).await, []);
    w.must_hold().await;
    // What has no number of pieces takes the rest, wherever it stands.
    let rest = w.paid(&alice, sku, 5).await.no;
    let text =
        format!("订单号\t快递公司\t快递单号\t件数\n{rest}\t申通\t773123456789007\t\n{rest}\t申通\t773123456789008\t3");
    let uncounted = pasted(&packer, &w, &text).await;
    assert!(packer.page(&uncounted).await.contains("<b class=\"ok\">2</b> 行可执行"));
    packer.post(&format!("{uncounted}/run"), &[]).await;
    assert_eq!(shipments(&rest).await, [parcel(8, Some(3)), parcel(7, Some(2))]);
    // A row of the list was copied for a second parcel, with all pieces in both: neither is taken for the right one.
    let copied = w.paid(&alice, sku, 3).await.no;
    for (pieces, ready) in [(["3", "3"], 0), (["2", "2"], 0), (["", "3"], 2), (["1", "2"], 2), (["4", "1"], 1)] {
        let rows = pieces.iter().zip(["773123456789011", "773123456789012"]);
        let rows: Vec<_> = rows.map(|(n, number)| format!("{copied}\t申通\t{number}\t{n}")).collect();
        let text = format!("订单号\t快递公司\t快递单号\t件数\n{}", rows.join("\n"));
        let page = packer.page(&pasted(&packer, &w, &text).await).await;
        assert!(page.contains(&format!("<b class=\"ok\">{ready}</b> 行可执行")), "{pieces:?}: {page}");
        let asked = page.matches("合起来不超过 3 件；或都空着").count();
        assert_eq!(asked, if ready == 0 { 2 } else { 0 }, "{pieces:?}: {page}");
    }
    // Mended on the page, judged anew, and carried out.
    let form =
        [("order_no", single.as_str()), ("company", "申通"), ("tracking_no", "773123456789005"), ("pieces", "1")];
    packer.post(&format!("{batch}/rows/4"), &form).await;
    packer.post(&format!("{batch}/run"), &[]).await;
    assert_eq!(shipments(&single).await, [parcel(5, Some(1))]);
    // The whole of it comes back within half an hour.
    packer.post(&format!("{batch}/undo"), &[]).await;
    assert!(packer.said(&batch).await.contains("已撤销 5 个包裹"));
    for no in [&counted, &plain, &single] {
        assert_eq!((alice.status(no).await.as_str(), shipments(no).await), ("to_ship", vec![]), "{no}");
    }
    w.must_hold().await;
    packer.post(&format!("{batch}/run"), &[]).await;
    w.advance(31 * MINUTE);
    packer.post(&format!("{batch}/undo"), &[]).await;
    assert!(packer.said(&batch).await.contains("超过 30 分钟"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_a_row_for_each_kind_of_goods_says_what_lies_in_which_parcel() {
    let w = World::new().await;
    let (_, cup) = w.product_with("杯", 1000, 99, |_, sku| sku.sku_code = Some("CUP-1".into())).await;
    let (_, bowl) = w.product_with("碗", 500, 99, |_, sku| sku.specs = vec![("口径".into(), "大 L".into())]).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let placed = async || {
        let mut form = order(cup, 2);
        form["items"] = json!([{ "skuId": cup, "quantity": 2 }, { "skuId": bowl, "quantity": 1 }]);
        let placed = Placed::of(alice.prepay(&w.key(), form).await);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        placed.no
    };
    let parcels = async |no: &str| {
        let order = alice.order(no).await;
        let name = |line: &serde_json::Value| {
            let of = order["lines"].as_array().unwrap().iter().find(|l| l["id"] == line["lineId"]).unwrap();
            format!("{}×{}", of["name"].as_str().unwrap(), line["quantity"])
        };
        let parcel = |s: &serde_json::Value| {
            let lines: Vec<String> = s["lines"].as_array().unwrap().iter().map(name).collect();
            format!("{} {}", &s["trackingNo"].as_str().unwrap()[14..], lines.join("+"))
        };
        let parcels: Vec<String> = order["shipments"].as_array().unwrap().iter().map(parcel).collect();
        format!("{} {}", order["status"].as_str().unwrap(), parcels.join("，"))
    };
    let head = "订单号\t商品名称\t商家编码\t数量\t快递公司\t快递单号";
    let counted = "订单号\t商品名称\t商家编码\t件数\t快递公司\t快递单号";
    let cases = [
        // In whichever order they stand, by code and by name.
        (
            head,
            ["碗\t\t1\t申通\t1", "茶杯\tcup-1\t2\t申通\t2"],
            "shipped 1 碗×1，2 杯×2",
            "这个包裹：碗 大 L ×1；还剩 2 件",
        ),
        // What has no number yet stays.
        (head, ["碗\t\t1\t申通\t3", "杯\t\t2\t\t"], "to_ship 3 碗×1", "其中 1 笔订单按商品行只发一部分"),
        (head, ["杯\t\t2\t\t", "碗\t\t1\t申通\t4"], "to_ship 4 碗×1", "没填"),
        // One parcel.
        (head, ["杯\t\t2\t申通\t5", "碗\t\t1\t申通\t5"], "shipped 5 杯×2+碗×1", "与第 2 行重复"),
        // Nobody knows which goods, and all leave.
        (
            head,
            ["甲\t\t1\t申通\t6", "乙\t\t2\t申通\t7"],
            "shipped 6 杯×1，7 杯×1+碗×1",
            "认不出「甲」，按订单的顺序分：这个包裹：杯 ×1；还剩 2 件",
        ),
        (
            head,
            ["\tERP9\t1\t申通\t6", "\tERP8\t2\t申通\t7"],
            "shipped 6 杯×1，7 杯×1+碗×1",
            "认不出「ERP9」，按订单的顺序分",
        ),
        (
            counted,
            ["甲\t\t1\t申通\t6", "乙\t\t2\t申通\t7"],
            "shipped 6 杯×1，7 杯×1+碗×1",
            "认不出「甲」，按订单的顺序分",
        ),
        // Goods that are known go by what they are, whatever the others are.
        (head, ["碗\t\t1\t申通\t6", "乙\t\t2\t申通\t7"], "shipped 6 碗×1，7 杯×2", "这个包裹：碗 大 L ×1；还剩"),
        (head, ["乙\t\t2\t申通\t6", "碗\t\t1\t申通\t7"], "shipped 7 碗×1，6 杯×2", "这个包裹：碗 大 L ×1；还剩"),
        (head, ["乙\t\t1\t申通\t6", "杯\t\t2\t申通\t7"], "shipped 7 杯×2，6 碗×1", "这个包裹：杯 ×2；还剩 1 件"),
        // Nobody knows which goods stay.
        (head, ["甲\t\t1\t申通\t8", "乙\t\t2\t\t"], "to_ship ", "认不出这一行是哪些商品"),
        // Pieces that are counted are those of the goods beside them.
        (
            counted,
            ["碗\t\t1\t申通\t1", "杯\t\t2\t申通\t2"],
            "shipped 1 碗×1，2 杯×2",
            "这个包裹：碗 大 L ×1；还剩 2 件",
        ),
        (counted, ["杯\t\t2\t申通\t3", "碗\t\t1\t申通\t3"], "shipped 3 杯×2+碗×1", "与第 2 行重复"),
        (counted, ["甲\t\t2\t申通\t4", "乙\t\t1\t申通\t4"], "shipped 4 杯×2+碗×1", "认不出「甲」：没发的 3 件一起发"),
        (counted, ["碗\t\t1\t申通\t5", "杯\t\t\t\t"], "to_ship 5 碗×1", "只发一部分"),
        // A gift, or goods that somebody calls otherwise, beside what is known.
        (head, ["赠品：贴纸\t\t1\t申通\t6", "碗\t\t1\t申通\t7"], "to_ship 7 碗×1", "认不出这一行是哪些商品"),
        (head, ["碗\t\t1\t申通\t6", "杯\t\t1\t申通\t7"], "to_ship 6 碗×1，7 杯×1", "这个包裹：杯 ×1；还剩 1 件"),
        (head, ["碗\t\t0\t申通\t6", "杯\t\t2\t申通\t7"], "to_ship 7 杯×2", "认不出这一行是哪些商品"),
        (
            counted,
            ["碗\t\t1\t申通\t6", "赠品：贴纸\t\t1\t申通\t6"],
            "to_ship 6 碗×1",
            "认不出「赠品：贴纸」，没有算进来；这个包裹：碗 大 L ×1；还剩 2 件",
        ),
        // More than the order has, and goods that it does not have.
        (counted, ["杯\t\t3\t申通\t6", "碗\t\t\t\t"], "to_ship ", "「杯」写了 3 件，没发的只有 2 件"),
        (counted, ["丙\t\t1\t申通\t7", "杯\t\t2\t申通\t8"], "to_ship 8 杯×2", "认不出「丙」"),
        (counted, ["丙\t\t1\t申通\t7", "\t\t\t\t"], "to_ship ", "像是包裹数"),
        // Name and specification in one cell, and one that stands in a longer word.
        (counted, ["碗 口径:大 L\t\t1\t申通\t7", "杯\t\t\t\t"], "to_ship 7 碗×1", "这个包裹：碗 大 L ×1"),
        (counted, ["碗 口径:大 XL\t\t1\t申通\t7", "杯\t\t\t\t"], "to_ship ", "认不出「碗 口径:大 XL」"),
        // The pieces of the whole order, beside each of its goods.
        (counted, ["杯\t\t3\t申通\t9", "碗\t\t3\t申通\t9"], "shipped 9 杯×2+碗×1", "与第 2 行重复"),
        // Numbers that are not those of the order are asked about.
        (head, ["碗\t\t7\t申通\t9", "杯\t\t2\t申通\t0"], "to_ship ", "表里写了 碗 大 L ×7，订单是"),
        (head, ["甲\t\t7\t申通\t9", "乙\t\t2\t申通\t0"], "to_ship ", "一共写了 9 件，没发的只有 3 件"),
        (head, ["甲\t\t3\t申通\t9", "乙\t\t3\t申通\t0"], "shipped 9 杯×2+碗×1，0 ", "商品都记在那一个包裹里"),
    ];
    for (case, (head, rows, is, said)) in (10..).zip(cases) {
        let no = placed().await;
        let number = |row: &str| match row.rsplit_once('\t').unwrap() {
            (before, "") => format!("{before}\t"),
            (before, n) => format!("{before}\t7731234567{case}00{n}"),
        };
        let text = format!("{head}\n{no}\t{}\n{no}\t{}", number(rows[0]), number(rows[1]));
        let batch = pasted(&packer, &w, &text).await;
        let page = packer.page(&batch).await;
        assert!(page.contains(said), "{rows:?}: {page}");
        packer.post(&format!("{batch}/run"), &[]).await;
        assert_eq!(parcels(&no).await, is, "{rows:?}");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_own_numbers_are_no_parcels() {
    let w = World::new().await;
    let (_, sku) = w.product_with("苹果", 1000, 99, |_, sku| sku.sku_code = Some("apple-2026".into())).await;
    w.shop.write(move |tx| Ok(xiaopu::catalogue::store::set_barcode(tx, sku, Some("6901234567892"))?)).await.unwrap();
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let placed = w.paid(&alice, sku, 1).await;
    let (no, transaction) = (&placed.no, w.transaction(&placed));
    for (number, words) in [
        (transaction.as_str(), "微信交易号"),
        (no, "订单号"),
        (&placed.out_trade_no, "订单号"),
        ("13800001234", "收货电话"),
        ("8613800001234", "收货电话"),
        ("6901234567892", "商品条码"),
        ("APPLE-2026", "商品条码"),
        ("9787302511625", "书刊"),
        ("SF1234567890123 SF1234567890124", "2 个单号"),
        (&no[10..], "订单号"),
        (&no[..12], "订单号"),
        (MCH_ID, "商户号"),
        ("11010519491231002X", "身份证号"),
        ("6938112345679", "商品条码"),
        ("057188888888", "座机号码"),
        ("75312300000000", "科学计数"),
        // Somebody else's, and what is no number at all.
        ("13987654321", "手机号"),
        ("12.5", "6 到 32 位"),
    ] {
        let batch = pasted(&packer, &w, &format!("订单号\t快递公司\t快递单号\n{no}\t顺丰\t{number}")).await;
        let page = packer.page(&batch).await;
        assert!(
            page.contains("有问题") && page.contains(words) && page.contains("<b class=\"ok\">0</b> 行可执行"),
            "{number}"
        );
        // With scanner in hand the goods lie beside their label.
        let scan = [("order", no.as_str()), ("code", number), ("company", "SF")];
        packer.post("/admin/shipping/scan", &scan).await;
        assert_eq!(alice.status(no).await, "to_ship", "{number}");
    }
    // By WeChat's number, and by the number that WeChat was given.
    for written in [&transaction, &placed.out_trade_no] {
        let batch = pasted(&packer, &w, &format!("微信交易号\t运单号\n{written}\tSF1234567890123")).await;
        assert!(packer.page(&batch).await.contains("<b class=\"ok\">1</b> 行可执行"), "{written}");
    }
    for unknown in ["飞毛腿", "王小明"] {
        let batch = pasted(&packer, &w, &format!("{no} {unknown} SF1234567890123")).await;
        let page = packer.page(&batch).await;
        assert!(
            page.contains(&format!("不认识快递公司「{unknown}」")) && page.contains("<b class=\"ok\">0</b> 行可执行"),
            "{unknown}"
        );
    }
    let batch = pasted(&packer, &w, &format!("{no}\t顺丰冷运\tSF1234567890123\n随便写的一行")).await;
    let page = packer.page(&batch).await;
    assert!(page.contains("不认识快递公司「顺丰冷运」") && !page.contains("/admin/orders/随便写的一行"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_without_a_parcel_is_not_sent_by_a_parcels_number() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("shop-local_freight", "5"), ("shop-local_area", "浙江省杭州市西湖区")]).await;
    let (_, cake) = w.product_with("蛋糕", 1000, 9, |_, sku| sku.delivery = Delivery::Local).await;
    let no = w.paid(&alice, cake, 1).await.no;
    let bench = format!("/admin/shipping/scan?order={no}");
    for (code, by_hand) in [("SF1234567890123", "false"), (no.as_str(), "false")] {
        packer.post("/admin/shipping/scan", &[("order", &no), ("code", code), ("by_hand", by_hand)]).await;
        assert_eq!(alice.status(&no).await, "to_ship", "{code}");
    }
    packer.post("/admin/shipping/scan", &[("order", &no), ("code", "SF1234567890123")]).await;
    assert!(packer.said(&bench).await.contains("没有快递单号：送出后按“已送出”"));
    let page = packer.page(&bench).await;
    assert!(page.contains("第 2 步：送出") && page.contains("已送出，不用快递单号"));
    packer.post("/admin/shipping/scan", &[("code", &no)]).await;
    let said = packer.said(&bench).await;
    assert!(said.contains("送出后按“已送出”") && !said.contains("扫快递面单"), "{said}");
    packer.post("/admin/shipping/scan", &[("order", &no), ("code", &no), ("by_hand", "true")]).await;
    assert_eq!(alice.status(&no).await, "shipped");
    let express = w.paid(&alice, w.product("苹果", 1000, 9).await, 1).await.no;
    packer.post("/admin/shipping/scan", &[("order", &express), ("code", &express), ("by_hand", "true")]).await;
    assert_eq!(alice.status(&express).await, "to_ship", "a parcel needs its number");
}
