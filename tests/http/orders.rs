//! The list of orders: filters, marks, views, spreadsheets and slips.

use calamine::{Reader, Xlsx};
use serde_json::json;
use xiaopu::catalogue::Delivery;
use xiaopu::error::Error;
use xiaopu::orders::search::{Filter, store as search};
use xiaopu::simulator::Paying;
use xiaopu::staff::Role;

use crate::support::*;

/// WeChat is asked about an order where its page offers that, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_asked_about_an_order_where_its_page_offers_that() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, clerk) = (w.buyer("alice").await, w.staff("clerk", Role::Clerk).await);
    let (unpaid, paid) = (Placed::of(alice.buy(sku, 1).await), w.paid(&alice, sku, 1).await);
    let closed = Placed::of(alice.buy(sku, 1).await);
    alice.post(&format!("/orders/{}/cancel", closed.no), None).await.ok();
    let sent = super::returns::shipped(&w, &clerk, &alice, sku, 1).await;
    let (till, owner) = (Placed::of(alice.buy(sku, 1).await), w.staff("owner", Role::Owner).await);
    owner.post(&format!("/admin/orders/{}/offline", till.no), &[("reason", "现金")]).await;
    for (placed, offered, words) in [
        (&unpaid, true, "微信回答：还没有付款"),
        (&paid, true, "微信回答：已支付 ¥10.00"),
        (&closed, true, "微信回答："),
        (&sent, false, "」，不用再查单"),
        (&till, false, "不是用微信收的"),
    ] {
        let here = format!("/admin/orders/{}", placed.no);
        assert_eq!(clerk.page(&here).await.contains(&format!("{here}/query")), offered, "{words}");
        let asked = format!(
            "select count(*) from messages m join orders o on o.id = m.order_id
              where m.kind = 'orderquery' and o.order_no = '{}'",
            placed.no
        );
        let before = w.count(asked.clone()).await;
        clerk.post(&format!("{here}/query"), &[]).await;
        let said = clerk.said(&here).await;
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(w.count(asked).await > before, offered, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_finds_its_orders_and_no_others() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("梨子", 1000, 99).await);
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let old = w.paid(&alice, apple, 1).await;
    w.advance(25 * 60 * MINUTE);
    let mut form = order(pear, 1);
    form["remark"] = json!("请写生日快乐");
    let young = Placed::of(alice.prepay(&w.key(), form).await);
    clerk.post("/admin/orders/bulk", &[("order", &young.no), ("flag", "red")]).await;
    assert!(clerk.said("/admin/orders").await.contains("1 单已标记红旗"));
    clerk.post("/admin/print/done", &[("order", &old.no)]).await;
    let today = "2026-10-09";
    let transaction = w.transaction(&old);
    let lower = young.no.to_lowercase();
    for (query, finds_old, finds_young) in [
        ("", true, true),
        ("tab=to_ship", true, false),
        ("tab=part_shipped", false, false),
        ("q=%E8%8B%B9%E6%9E%9C", true, false),
        ("q=%E6%9E%9C", true, false),
        ("q=%E6%9E%9C%E8%8B%B9", false, false),
        ("q=%E5%B0%8F%E6%A0%B7", true, true),
        ("q=%E5%B0%8F%E6%A0%B7+%E6%A2%A8", false, true),
        ("q=1234", true, true),
        ("q=0000+1234", true, true),
        ("q=9999-1234", false, false),
        ("q=0013", false, false),
        ("q=13800001234", true, true),
        ("q=%22", false, false),
        ("q=%22+OR+%22", false, false),
        ("q=*", false, false),
        (&format!("q={transaction}"), true, false),
        (&format!("q={}", &transaction[transaction.len() - 4..]), true, false),
        (&format!("q={}", &transaction[transaction.len() - 6..]), true, false),
        (&format!("q={}", &transaction[transaction.len() - 8..]), true, false),
        (&format!("q={}", old.out_trade_no), true, false),
        (&format!("q={lower}"), false, true),
        (&format!("q={}", &young.no[..8]), false, true),
        ("q=%E8%8B%B9%E6%9E%9C&tab=to_ship", true, false),
        ("q=%E8%8B%B9%E6%9E%9C&tab=completed", false, false),
        ("q=%E6%A2%A8&region=%E6%9D%AD%E5%B7%9E", false, true),
        (&format!("q={}", &old.no[12..]), true, false),
        (&format!("q={}-{}", &old.no[..8], &old.no[8..]), true, false),
        (&format!("q={}", &young.no[13..]), false, true),
        ("q=%E8%A5%BF%E6%B9%96%E5%8C%BA", true, true),
        ("product=%E6%A2%A8", false, true),
        ("region=%E6%9D%AD%E5%B7%9E", true, true),
        ("region=%E6%B7%B1%E5%9C%B3", false, false),
        ("region=%E6%B5%99%E6%B1%9F+%E6%9D%AD%E5%B7%9E", true, true),
        ("region=%E6%9D%AD%E5%B7%9E%E8%A5%BF%E6%B9%96%E5%8C%BA", true, true),
        ("region=%E6%9D%AD%E5%B7%9E%E6%BB%A8%E6%B1%9F%E5%8C%BA", false, false),
        // A list, a group, and what is no place.
        ("region=%E4%B8%8A%E6%B5%B7%E3%80%81%E6%9D%AD%E5%B7%9E", true, true),
        ("region=%E6%B1%9F%E6%B5%99%E6%B2%AA", true, true),
        ("region=%E6%B8%AF%E6%BE%B3%E5%8F%B0", false, false),
        ("region=%E9%94%A1%E7%9B%9F", false, false),
        ("flag=red", false, true),
        ("flag=blue", false, false),
        ("remark=true", false, true),
        ("late=true", true, false),
        ("unprinted=true", false, false),
        ("days=today", false, true),
        ("days=yesterday", true, false),
        ("days=7", true, true),
        (&format!("from={today}"), false, true),
        ("to=2026-10-08", true, false),
        (&format!("from={today}&to={today}&flag=red&remark=true"), false, true),
        // Days that stand the wrong way round, and words that are none.
        (&format!("from={today}&to=2026-10-09&q=+&product=+"), false, true),
        (&format!("from=2026-10-10&to={today}"), false, true),
        (&format!("from={today}&to=2026-10-08"), true, true),
    ] {
        for path in [format!("/admin/orders?{query}"), format!("/admin/orders?{query}&view=table")] {
            let page = clerk.page(&path).await;
            assert_eq!((page.contains(&old.no), page.contains(&young.no)), (finds_old, finds_young), "{path}");
        }
        let csv = clerk.page(&format!("/admin/orders/export.csv?{query}")).await;
        assert_eq!((csv.contains(&old.no), csv.contains(&young.no)), (finds_old, finds_young), "csv {query}");
    }
    let page = clerk.page(&format!("/admin/orders?from={today}&to=2026-10-08&q=+")).await;
    assert!(
        page.contains("从 2026-10-08") && page.contains(&format!("到 {today}")) && !page.contains("找："),
        "{page}"
    );
    // A view is a filter under a name, and one's own.
    let view = [("name", "生日"), ("query", "flag=red&remark=true")];
    clerk.post("/admin/orders/views", &view).await;
    assert!(clerk.page("/admin/orders").await.contains("flag=red&amp;remark=true"));
    let other = w.staff("other", Role::Owner).await;
    assert!(!other.page("/admin/orders").await.contains("生日</a>"));
}

/// Buyers and couriers say how a parcel's number ends, of one that was sent once more as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_the_end_of_its_parcels_number() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let (sent, other) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
    for (order, number) in [(&sent, "SF5952655100008"), (&other, "YT8899001122334")] {
        clerk.post(&format!("/admin/orders/{}/ship", order.no), &[("tracking_no", number)]).await;
    }
    let line = alice.order(&sent.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let again = [
        ("pieces[0].id", line.as_str()),
        ("pieces[0].quantity", "1"),
        ("reason", "快递丢件"),
        ("tracking_no", "75312345678955"),
    ];
    assert_eq!(clerk.post(&format!("/admin/orders/{}/resend", sent.no), &again).await.0, 303);
    for (typed, finds) in [
        ("0008", (true, false)),
        ("100008", (true, false)),
        ("55100008", (true, false)),
        ("SF5952655100008", (true, false)),
        ("8955", (true, false)),
        ("678955", (true, false)),
        ("75312345678955", (true, false)),
        ("2334", (false, true)),
        ("8899001122334", (false, true)),
        ("100009", (false, false)),
        ("1234", (true, true)),
    ] {
        let page = clerk.page(&format!("/admin/orders?q={typed}")).await;
        assert_eq!((page.contains(&sent.no), page.contains(&other.no)), finds, "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_holds_the_list_and_runs_nothing() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let mut form = order(sku, 2);
    form["remark"] = json!("=HYPERLINK(\"http://evil\")");
    let placed = Placed::of(alice.prepay(&w.key(), form).await);
    let csv = clerk.page("/admin/orders/export.csv").await;
    assert!(csv.starts_with('\u{feff}') && csv.contains("'=HYPERLINK"), "{csv}");
    let answer = w.http().get(w.at("/admin/orders/export.xlsx")).header("Cookie", &clerk.cookie).send().await.unwrap();
    let bytes = answer.bytes().await.unwrap().to_vec();
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let row: Vec<String> = sheet.rows().nth(1).unwrap().iter().map(|cell| cell.to_string()).collect();
    assert_eq!(row[0], placed.no);
    assert!(row[4].contains("苹果") && row[4].ends_with("×2"));
    assert_eq!(row[12], address()["phone"], "whole, for the parcel's label");
    assert!(
        w.count("select count(*) from audit_log where what like '导出 1 单%'").await == 2,
        "who took addresses is known"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_and_picking_lists_say_what_to_pack() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("梨子", 1000, 99).await);
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (one, two) = (w.paid(&alice, apple, 2).await, w.paid(&alice, pear, 3).await);
    let three = w.paid(&alice, apple, 4).await;
    let chosen = format!("order={}&order={}&order={}", one.no, two.no, three.no);
    let slips = packer.page(&format!("/admin/print/slips?{chosen}&paper=58")).await;
    assert_eq!(slips.matches("class=\"slip\"").count(), 3);
    assert!(slips.contains("paper-58") && !slips.contains(address()["phone"].as_str().unwrap()), "phones stay masked");
    assert!(packer.page(&format!("/admin/print/qr/{}", one.no)).await.contains("<svg"));
    let picking = packer.page(&format!("/admin/print/picking?{chosen}")).await;
    assert!(picking.contains("<b>×6</b>") && picking.contains("<b>×3</b>") && picking.contains("3 单，9 件"));
    packer.post("/admin/print/done", &[("order", &one.no), ("order", &two.no)]).await;
    assert!(packer.said("/admin/orders").await.contains("2 单已标记为打印过"));
    let unprinted = packer.page("/admin/orders?unprinted=true").await;
    assert!(unprinted.contains(&three.no) && !unprinted.contains(&one.no));
    assert!(packer.page(&format!("/admin/print/slips?order={}", one.no)).await.contains("已打印 1 次"));
    // Whoever packs sees no sums, on the page or beside the list.
    for path in ["", "/preview"] {
        let page = packer.page(&format!("/admin/orders/{}{path}", one.no)).await;
        assert!(page.contains("苹果") && !page.contains('¥'), "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_order_goes_is_put_right_before_it_leaves() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let placed = w.paid(&alice, sku, 1).await;
    let page = format!("/admin/orders/{}", placed.no);
    let form = [
        ("receiver", "李新"),
        ("phone", "13900001111"),
        ("province", "江苏省"),
        ("city", "苏州市"),
        ("district", "姑苏区"),
        ("detail", "平江路 9 号"),
    ];
    let mut bad = form;
    bad[1].1 = "12";
    clerk.post(&format!("{page}/address"), &bad).await;
    assert!(clerk.said(&page).await.contains("flash error"));
    assert_eq!(alice.order(&placed.no).await["address"]["receiver"], address()["receiver"]);
    clerk.post(&format!("{page}/address"), &form).await;
    assert_eq!(alice.order(&placed.no).await["address"]["detail"], "平江路 9 号");
    clerk.post(&format!("{page}/note"), &[("text", "买家来电")]).await;
    let shown = clerk.page(&page).await;
    for (typed, found) in [("%E6%9D%8E%E6%96%B0", true), ("1111", true), ("%E5%B0%8F%E6%A0%B7", false)] {
        let list = clerk.page(&format!("/admin/orders?q={typed}")).await;
        assert_eq!(list.contains(&placed.no), found, "found by where it goes now: {typed}");
    }
    assert!(shown.contains("→ 李* 139****1111 江苏省苏州市姑苏区") && shown.contains("内部备注：买家来电"));
    assert!(!shown.contains("平江路"), "nobody's home is in the log");
    // A city without districts is written as a buyer writes it, and a number as his phone does.
    let mut plain = form;
    (plain[1].1, plain[2].1, plain[3].1, plain[4].1) = ("１３９００００１１１１", "广东省", "东莞市", "");
    let revealed = clerk.page_of(&format!("{page}/reveal"), &[]).await;
    let field = |name: &str| {
        let field = revealed.split(&format!("<input name=\"{name}\"")).nth(1).expect("a field");
        field.split('>').next().unwrap_or_default().to_owned()
    };
    assert!(field("receiver").contains(" required") && !field("district").contains(" required"), "{revealed}");
    clerk.post(&format!("{page}/address"), &plain).await;
    let to = &alice.order(&placed.no).await["address"];
    assert_eq!((&to["phone"], &to["district"]), (&json!("13900001111"), &json!("")));
    clerk.ship(&page).await;
    clerk.post(&format!("{page}/address"), &form).await;
    assert!(clerk.said(&page).await.contains("不能改收货信息"));
}

/// Two who correct one address: the form that was made before the other was saved says so, with both, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_not_put_back_by_a_form_that_is_older() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (one, other) = (w.staff("one", Role::Clerk).await, w.staff("other", Role::Clerk).await);
    let placed = w.paid(&alice, sku, 1).await;
    let page = format!("/admin/orders/{}", placed.no);
    let made_of = async |staff: &Console<'_>| {
        let text = staff.page_of(&format!("{page}/reveal"), &[]).await;
        let (_, rest) = text.split_once("name=\"of\" value=\"").unwrap_or_else(|| panic!("{text}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let (first, second) = (made_of(&one).await, made_of(&other).await);
    let form = |detail: &'static str, of: &str| {
        [
            ("receiver", "李新".to_owned()),
            ("phone", "13900001111".to_owned()),
            ("province", "江苏省".to_owned()),
            ("city", "苏州市".to_owned()),
            ("district", "姑苏区".to_owned()),
            ("detail", detail.to_owned()),
            ("of", of.to_owned()),
        ]
    };
    let put = async |staff: &Console<'_>, form: [(&'static str, String); 7]| {
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        staff.post(&format!("{page}/address"), &form).await;
        staff.said(&page).await
    };
    assert!(put(&one, form("平江路 9 号", &first)).await.contains("收货信息已改"));
    let said = put(&other, form("观前街 1 号", &second)).await;
    assert!(said.contains("刚才已经有人") && said.contains("平江路 9 号") && said.contains("观前街 1 号"), "{said}");
    assert_eq!(alice.order(&placed.no).await["address"]["detail"], "平江路 9 号");
    // Whoever wants the same as is there has it; with the page as it is now the other is saved.
    assert!(put(&other, form("平江路 9 号", &second)).await.contains("收货信息已改"));
    let now = made_of(&other).await;
    assert!(put(&other, form("观前街 1 号", &now)).await.contains("收货信息已改"));
    assert_eq!(alice.order(&placed.no).await["address"]["detail"], "观前街 1 号");
}

/// Also where the clock was set back between two orders.
#[tokio::test(flavor = "multi_thread")]
async fn turning_the_pages_of_a_span_of_time_loses_no_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let mut placed = vec![Placed::of(alice.buy(sku, 1).await).no];
    w.advance(-MINUTE);
    placed.push(Placed::of(alice.buy(sku, 1).await).no);
    let filter = Filter { placed: (Some(START - DAY), None), ..Filter::default() };
    let (mut found, mut before) = (Vec::new(), None);
    for _ in 0..3 {
        let filter = filter.clone();
        let read = move |conn: &rusqlite::Connection| Ok::<_, Error>(search::list(conn, &filter, before, 1)?);
        let page = w.shop.db.read(read).await.unwrap();
        before = page.last().map(|order| order.id.0).or(before);
        found.extend(page.into_iter().map(|order| order.order_no.to_string()));
    }
    assert_eq!(found, placed, "the latest first, each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_says_what_is_to_be_packed_now_and_nothing_else() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("梨子", 500, 99).await);
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let owner = w.staff("owner", Role::Owner).await;
    let slip = async |no: &str| packer.page(&format!("/admin/print/slips?order={no}")).await;
    let both = || {
        let mut both = order(apple, 3);
        both["items"] = json!([{ "skuId": apple, "quantity": 3 }, { "skuId": pear, "quantity": 1 }]);
        both
    };
    // Nobody has paid yet.
    let placed = Placed::of(alice.prepay(&w.key(), both()).await);
    let page = slip(&placed.no).await;
    assert!(page.contains("还没有付款，不要发货") && !page.contains("苹果"), "{page}");
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let page = slip(&placed.no).await;
    assert!(page.contains("×3") && page.contains("梨子") && !page.contains("class=\"state\""), "{page}");
    // One apple and the pear go back before they were sent.
    let refund = format!("/admin/orders/{}/refund", placed.no);
    let form = [
        ("reason", "不想要了"),
        ("lines[0].id", "1"),
        ("lines[0].quantity", "1"),
        ("lines[1].id", "2"),
        ("lines[1].quantity", "1"),
        ("confirmed", "true"),
    ];
    owner.post(&refund, &form).await;
    let waits = packer.page("/admin/orders/export.csv").await;
    assert!(waits.contains(",退款中"), "a label is not made of it unseen: {waits}");
    w.wait("the refund", || async {
        w.run_jobs().await;
        w.advance(xiaopu::clock::MINUTE);
        alice.order(&placed.no).await["refundedFen"].as_i64() > Some(0)
    })
    .await;
    let page = slip(&placed.no).await;
    assert!(page.contains("×2") && !page.contains("×3") && !page.contains("梨子"), "{page}");
    assert!(page.contains("部分退款"), "the paper says how the order stands: {page}");
    let picking = packer.page(&format!("/admin/print/picking?order={}", placed.no)).await;
    assert!(picking.contains("<b>×2</b>") && picking.contains("1 单，2 件") && !picking.contains("梨子"), "{picking}");
    assert!(picking.contains(&placed.no[12..]) && !picking.contains(&format!(">{}", placed.no)), "tails alone");
    let desk = packer.page(&format!("/admin/shipping/scan?order={}", placed.no)).await;
    assert!(desk.contains(">×2</b>") && !desk.contains("梨子"), "{desk}");
    let waiting = packer.page("/admin/shipping/scan").await;
    assert!(waiting.contains("苹果 ×2<") && !waiting.contains("×3") && !waiting.contains("梨子"), "{waiting}");
    let table = packer.page("/admin/orders/export.csv").await;
    assert!(table.contains(",苹果 ×2,2,") && table.contains(",部分退款") && !table.contains("梨子"), "{table}");
    let books = owner.page("/admin/orders/export.csv").await;
    assert!(books.contains("苹果 ×3；梨子 ×1,4,"), "what was bought: {books}");
    // All of it has left.
    let shipped = [("company", "SF"), ("tracking_no", "SF1234567890123")];
    packer.post(&format!("/admin/orders/{}/ship", placed.no), &shipped).await;
    let page = slip(&placed.no).await;
    assert!(page.contains("已经发货，没有要再发的商品") && !page.contains("×2"), "{page}");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_has_what_was_chosen_and_remembers_it() {
    let w = World::new().await;
    let (_, sku) = w.product_with("苹果", 1000, 99, |_, sku| sku.sku_code = Some("P-001".into())).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let (one, two) = (w.paid(&alice, sku, 2).await, w.paid(&alice, sku, 3).await);
    packer.post(&format!("/admin/orders/{}/memo", one.no), &[("memo", "送贺卡")]).await;
    let orders = format!("order={}&order={}", one.no, two.no);
    let get = async |query: &str, sent: &str| {
        let request = w.http().get(w.at(&format!("/admin/print/slips?{orders}{query}")));
        let answer = request.header("Cookie", format!("{}; {sent}", packer.cookie)).send().await.unwrap();
        let kept = cookie(&answer, "xiaopu_paper").unwrap_or_default();
        (answer.text().await.unwrap(), kept)
    };
    let (page, _) = get("", "").await;
    assert!(page.contains("paper-a4"), "{page}");
    // At the head for whoever packs, and over the goods for each sheet that they take.
    let paper = page.split_once("<main").map_or(&*page, |(_, paper)| paper);
    let shown = paper.matches(&format!(">{}<", one.no)).count();
    assert_eq!((paper.matches("第 1 / 2 张").count(), shown), (1, 2), "{paper}");
    let extras = ["P-001", "¥10.00", "class=\"tick\"", "送贺卡"];
    assert!(extras.iter().all(|extra| !page.contains(extra)), "{page}");
    let all = "&paper=58&chosen=true&extra=code&extra=price&extra=tick&extra=bars&extra=memo";
    let (page, kept) = get(all, "").await;
    assert!(page.contains("paper-58") && !page.contains("第 1 / 2 张"), "{page}");
    assert!(extras.iter().all(|extra| page.contains(extra)), "{page}");
    // Bars so fine that no scanner reads them are left out, and that is said.
    assert!(!page.contains("/admin/print/bars/") && page.contains("条形码印不清楚"), "{page}");
    for paper in ["80", "100", "a4"] {
        let (page, _) = get(&format!("&paper={paper}&chosen=true&extra=bars"), "").await;
        assert!(page.contains("/admin/print/bars/") && !page.contains("条形码印不清楚"), "{paper}: {page}");
    }
    let (page, _) = get("", &kept).await;
    assert!(page.contains("paper-58") && page.contains("P-001"), "this device prints so: {kept}");
    let (page, kept) = get("&paper=80&chosen=true", &kept).await;
    assert!(page.contains("paper-80") && !page.contains("P-001"), "{kept}");
    assert!(packer.page(&format!("/admin/print/bars/{}", one.no)).await.contains("<path d=\"M10 0h2"));
    // As many modules of two dots each as its number takes, eight dots to a millimetre.
    let bars = packer.page(&format!("/admin/print/bars/{}", one.no)).await;
    let read = |before: &str, after: &str| -> f64 {
        bars.split(before).nth(1).and_then(|rest| rest.split(after).next()).unwrap().parse().unwrap()
    };
    assert_eq!(read("width=\"", "mm"), read("viewBox=\"0 0 ", " ") / 4.0, "{bars}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_bears_the_shops_own_picture_where_there_is_one() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let (owner, packer) = (w.staff("owner", Role::Owner).await, w.staff("packer", Role::Packer).await);
    let no = w.paid(&alice, sku, 1).await.no;
    let slip = async |query: &str| packer.page(&format!("/admin/print/slips?order={no}{query}")).await;
    let send = async |form: reqwest::multipart::Form| {
        let request = w.http().post(w.at("/admin/settings/logo")).header("Cookie", &owner.cookie).multipart(form);
        let flash = cookie(&request.send().await.unwrap(), "_flash=").unwrap_or_default();
        let page = w.http().get(w.at("/admin/settings")).header("Cookie", format!("{}; {flash}", owner.cookie));
        page.send().await.unwrap().text().await.unwrap()
    };
    let file = |bytes: Vec<u8>| {
        let part = reqwest::multipart::Part::bytes(bytes).file_name("logo.png");
        reqwest::multipart::Form::new().part("image", part)
    };
    assert!(!slip("").await.contains("店标"), "nothing to choose");
    assert!(send(file(b"BM....".to_vec())).await.contains("BMP"));
    let two =
        file(b"BM....".to_vec()).part("image", reqwest::multipart::Part::bytes(b"BM".to_vec()).file_name("b.bmp"));
    assert!(send(two).await.contains("这次来了 2 个，一个也没有用"));
    assert!(send(file(Vec::new())).await.contains("请先选一张图片"));
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(40, 20).write_to(&mut png, image::ImageFormat::Png).unwrap();
    assert!(send(file(png.into_inner())).await.contains("店标已保存"));
    let page = slip("").await;
    let at = page.split("class=\"logo\" src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(w.http().get(w.at(at)).send().await.unwrap().headers()["content-type"], "image/jpeg");
    assert!(!slip("&chosen=true&extra=number").await.contains("class=\"logo\""), "it was not chosen");
    let log = owner.page("/admin/audit").await;
    assert!(log.contains("设置「店标」：（空） → 一张图片"), "not its hash: {log}");
    assert!(send(reqwest::multipart::Form::new().text("remove", "true")).await.contains("店标已去掉"));
    assert!(!slip("&chosen=true&extra=logo").await.contains("class=\"logo\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_brings_the_goods_reads_where_to_on_the_slip_and_it_is_written_down() {
    let w = World::new().await;
    let (_, cake) = w.product_with("蛋糕", 1000, 9, |_, sku| sku.delivery = Delivery::Local).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let placed = w.paid(&alice, cake, 1).await;
    let (phone, detail) = (address()["phone"].as_str().unwrap().to_owned(), address()["detail"].clone());
    let logged = "select count(*) from audit_log where what like '打印同城配送的发货单 1 单，含收货信息%'";
    let slip = async || packer.page(&format!("/admin/print/slips?order={}", placed.no)).await;
    let page = slip().await;
    assert!(page.contains(&phone) && page.contains(detail.as_str().unwrap()) && page.contains("同城配送"), "{page}");
    assert_eq!(w.count(logged).await, 1);
    packer.post(&format!("/admin/orders/{}/ship", placed.no), &[]).await;
    assert!(!slip().await.contains(&phone), "nobody needs it any more");
    assert_eq!(w.count(logged).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packer_exports_what_waits_to_be_shipped_and_no_buyers_data() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let (unpaid, paid) = (Placed::of(alice.buy(sku, 1).await), w.paid(&alice, sku, 2).await);
    let (phone, detail) = (address()["phone"].as_str().unwrap().to_owned(), address()["detail"].clone());
    // What a buyer writes may say it all once more.
    let (no, words) = (paid.no.clone(), format!("打 13755556666 或 {phone}，{}", detail.as_str().unwrap()));
    w.shop
        .write(move |tx| Ok(tx.execute("update orders set remark = ?2 where order_no = ?1", [&no, &words])?))
        .await
        .unwrap();
    let order_page = format!("/admin/orders/{}", paid.no);
    for page in ["/admin/orders?tab=to_ship", &order_page, &format!("/admin/shipping/scan?order={}", paid.no)] {
        let html = packer.page(page).await;
        assert!(html.contains("打 137****6666") && !html.contains("13755556666") && !html.contains(&phone), "{page}");
    }
    for path in ["/admin/orders/export.csv", "/admin/orders/export.csv?tab=pending_payment"] {
        let csv = packer.page(path).await;
        assert!(csv.contains(&paid.no) && !csv.contains(&unpaid.no), "{path}: {csv}");
        assert!(!csv.contains(&phone) && !csv.contains(detail.as_str().unwrap()) && csv.contains("****"), "{csv}");
        for of_money in ["金额", "实付", "已退", "运费", "20.00", "微信交易号"] {
            assert!(!csv.contains(of_money), "{of_money} in {csv}");
        }
        assert!(csv.contains("商家备注,快递公司,快递单号"), "{csv}");
    }
    let list = w.http().get(w.at("/admin/shipping/list.xlsx")).header("Cookie", &packer.cookie).send().await.unwrap();
    let wanted = xiaopu::tables::Wanted {
        columns: &[&["订单号"], &["收货人"]],
        needed: &[&[0]],
        closer: &[],
        figures: &[],
        alike: |_| None,
    };
    let list = xiaopu::tables::read(&list.bytes().await.unwrap(), &wanted).unwrap();
    let cells: Vec<String> =
        list.rows.iter().flat_map(|row| row.cells().map(|(_, cell)| cell.shown().to_owned())).collect();
    assert!(cells.contains(&paid.no) && !cells.contains(&unpaid.no), "{cells:?}");
    let receiver = address()["receiver"].as_str().unwrap().to_owned();
    assert!(!cells.iter().any(|cell| cell.contains(&phone) || *cell == receiver), "{cells:?}");
    let says = ["导出这 2 单", "含收货信息", "导出待发货的订单", "收货信息已隐去"];
    for (staff, expected) in [(&packer, [false, false, true, true]), (&clerk, [true, true, false, false])] {
        let list = staff.page("/admin/orders").await;
        assert_eq!(says.map(|words| list.contains(words)), expected, "{list}");
    }
    let csv = clerk.page("/admin/orders/export.csv").await;
    assert!(csv.contains(&unpaid.no) && csv.contains(&phone) && csv.contains(detail.as_str().unwrap()));
    assert!(csv.contains("实付") && csv.contains("20.00") && csv.contains("微信交易号"), "{csv}");
    // The books have what was bought, and beside it what is still to go.
    let manager = w.staff("manager", Role::Manager).await;
    manager.give_back(&alice, &paid, ("1", "10.00", false)).await;
    let csv = manager.page("/admin/orders/export.csv?tab=to_ship").await;
    assert!(csv.contains("苹果 ×2,2,") && csv.trim_end().ends_with("苹果 ×1,1,部分退款"), "{csv}");
    let csv = manager.page("/admin/orders/export.csv?tab=pending_payment").await;
    assert!(csv.contains("苹果 ×1,1,") && csv.trim_end().ends_with(",,0,"), "{csv}");
    assert_eq!(w.count("select count(*) from audit_log where what like '导出 1 单，收货信息已隐去'").await, 2);
    assert_eq!(w.count("select count(*) from audit_log where what like '导出 2 单，含收货信息'").await, 1);
    let matrix = w.staff("owner", Role::Owner).await.page("/admin/staff").await;
    assert!(matrix.contains("导出全部订单和完整收货信息"), "the right stands in the matrix");
}

/// A page is read in a few statements for all of its orders, and says of each what its own page says.
#[tokio::test(flavor = "multi_thread")]
async fn a_buyers_list_says_of_each_order_what_its_own_page_says() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("雪梨", 500, 99).await);
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    alice.buy(apple, 1).await.ok();
    let shipped = w.paid(&alice, apple, 2).await;
    let (first, second) = (("tracking_no", "SF1234567890123"), ("tracking_no", "SF1234567890124"));
    manager.post(&format!("/admin/orders/{}/ship", shipped.no), &[("company", "SF"), first]).await;
    let two = json!({
        "items": [{ "skuId": apple, "quantity": 1 }, { "skuId": pear, "quantity": 3 }], "address": address(),
    });
    let placed = Placed::of(alice.prepay(&w.key(), two).await);
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    manager.post(&format!("/admin/orders/{}/ship", placed.no), &[("company", "SF"), second]).await;
    let line = alice.order(&shipped.no).await["lines"][0]["id"].clone();
    let part = json!({ "lines": [{ "lineId": line, "quantity": 1 }], "reason": "不想要了", "description": "" });
    alice.ask_refund(&shipped.no, &w.key(), part).await.ok();
    for _ in 0..2 {
        let closed = Placed::of(alice.buy(pear, 1).await);
        alice.post(&format!("/orders/{}/cancel", closed.no), None).await.ok();
    }
    w.paid(&w.buyer("bob").await, apple, 1).await;
    let listed = alice.get("/orders").await.ok()["items"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 5);
    for one in listed {
        assert_eq!(alice.order(one["orderNo"].as_str().unwrap()).await, one);
    }
}
