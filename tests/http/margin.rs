//! What is earned on goods: cost held with the order, taken back with the goods, and never guessed.

use calamine::{Data, Reader, Xlsx};
use reqwest::multipart::Form;
use xiaopu::staff::Role;

use crate::support::*;

fn form(version: &str, price: &str, on_hand: &str, cost: Option<&str>) -> Form {
    let form = Form::new()
        .text("name", "苹果")
        .text("version", version.to_owned())
        .text("on_shelf", "true")
        .text("skus[0].specs", "")
        .text("skus[0].price", price.to_owned())
        .text("skus[0].on_hand", on_hand.to_owned())
        .text("skus[0].was", on_hand.to_owned())
        .text("skus[0].enabled", "true")
        .text("skus[0].known", "true");
    match cost {
        Some(cost) => form.text("skus[0].cost", cost.to_owned()),
        None => form,
    }
}

async fn save(w: &World, staff: &Console<'_>, form: Form) -> (u16, String) {
    let request = w.http().post(w.at("/admin/products/1")).header("Cookie", &staff.cookie).multipart(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What the first page says was earned, and beside it.
async fn earned(staff: &Console<'_>) -> (Option<String>, Option<String>) {
    let home = staff.page("/admin").await;
    let after = |mark: &str| home.split(mark).nth(1).map(|rest| rest.split('<').next().unwrap().trim().to_owned());
    (after("<dt>毛利</dt><dd>"), after("<p class=\"s soft\">有 "))
}

/// The sheet 毛利 of the month: each row's figures.
async fn sheet(w: &World, manager: &Console<'_>) -> Vec<Vec<f64>> {
    let request = w.http().get(w.at("/admin/money/2026-10/report.xlsx")).header("Cookie", &manager.cookie);
    let bytes = request.send().await.unwrap().bytes().await.unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
    let rows = book.worksheet_range("毛利").unwrap();
    let number = |cell: &Data| if let Data::Float(n) = cell { Some(*n) } else { None };
    rows.rows().skip(1).map(|row| row.iter().filter_map(number).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_is_typed_once_kept_with_the_order_and_told_to_nobody_outside() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.paid(&alice, sku, 2).await;
    assert_eq!(earned(&manager).await, (None, Some("2 件（收入 ¥20.00）没有填成本，没有算进毛利；在".into())));
    let (status, page) = save(&w, &manager, form("1", "10", "9", Some("六块"))).await;
    assert!(status == 422 && page.contains("value=\"六块\"") && page.contains("成本请填金额"), "{page}");
    assert_eq!(save(&w, &manager, form("1", "10", "9", Some("6.50"))).await.0, 303);
    assert!(manager.page("/admin/products/1").await.contains("name=\"skus[0].cost\" value=\"6.50\""));
    assert_eq!(w.count("select count(*) from audit_log where what like '%成本 6.50%'").await, 1);
    w.paid(&alice, sku, 3).await;
    // 30.00 − 19.50; what was sold before has no cost, whatever it is now.
    let said = earned(&manager).await;
    assert_eq!(said, (Some("¥10.50".into()), Some("2 件（收入 ¥20.00）没有填成本，没有算进毛利；在".into())));
    // A form that does not say leaves it; an empty field takes it away. Neither touches what was ordered.
    assert_eq!(save(&w, &manager, form("2", "10", "9", None)).await.0, 303);
    assert_eq!(w.count("select cost_fen from skus where id = 1").await, 650);
    assert_eq!(save(&w, &manager, form("3", "10", "9", Some(""))).await.0, 303);
    assert_eq!(w.count("select count(*) from skus where cost_fen is null").await, 1);
    assert_eq!(earned(&manager).await.0.as_deref(), Some("¥10.50"));
    for path in ["/products/1", "/products", "/home"] {
        assert!(!w.get(path).await.ok().to_string().to_lowercase().contains("cost"), "{path}");
    }
    let packer = w.staff("packer", Role::Packer).await;
    assert_eq!(earned(&packer).await, (None, None));
}

/// Sold at 10.00, 6.00 each; three pieces in an order that has left, or not.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_back_takes_its_cost_with_it_and_what_is_gone_does_not() {
    for (what, ships, pieces, yuan, restock, earned_fen, cost_fen) in [
        ("money alone", false, "0", "5.00", false, 700, 1800),
        ("a piece that has not left", false, "1", "10.00", false, 800, 1200),
        ("all of it, before it left", false, "3", "30.00", false, 0, 0),
        ("a piece that came back", true, "1", "10.00", true, 800, 1200),
        ("a piece that the buyer keeps", true, "1", "10.00", false, 200, 1800),
    ] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 9).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        assert_eq!(save(&w, &manager, form("1", "10", "9", Some("6"))).await.0, 303);
        let placed = w.paid(&alice, sku, 3).await;
        if ships {
            let parcel = [("company", "SF"), ("tracking_no", "SF1234567890123")];
            manager.post(&format!("/admin/orders/{}/ship", placed.no), &parcel).await;
        }
        // An order that is never paid has neither sold nor given back anything.
        let unpaid = Placed::of(alice.buy(sku, 1).await);
        alice.post(&format!("/orders/{}/cancel", unpaid.no), None).await.ok();
        manager.give_back(&alice, &placed, (pieces, yuan, restock)).await;
        w.advance(10 * MINUTE);
        w.run_jobs().await;
        let rows = sheet(&w, &manager).await;
        let sum = rows.last().unwrap();
        let fen = |yuan: f64| (yuan * 100.0).round() as i64;
        assert_eq!((fen(sum[3]), fen(sum[2])), (earned_fen, cost_fen), "{what}: {rows:?}");
        assert_eq!(fen(sum[1]) - fen(sum[2]), earned_fen, "{what}");
        w.must_hold().await;
    }
}

/// Freight is nobody's margin, and what was off the price is.
#[tokio::test(flavor = "multi_thread")]
async fn a_margin_is_of_what_was_really_paid_for_the_goods() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    assert_eq!(save(&w, &manager, form("1", "10", "9", Some("6"))).await.0, 303);
    let placed = Placed::of(alice.buy(sku, 2).await);
    // 28.00 with freight; agreed on 25.00 for goods and freight: the goods came to 17.00.
    let price = [("total", "25.00"), ("freight", "8"), ("reason", "老客户")];
    let (status, _) = manager.post(&format!("/admin/orders/{}/price", placed.no), &price).await;
    assert_eq!(status, 303);
    let owner = w.staff("owner", Role::Owner).await;
    owner.post(&format!("/admin/orders/{}/offline", placed.no), &[("reason", "到店付了现金")]).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert_eq!(earned(&manager).await.0.as_deref(), Some("¥5.00"), "{}", alice.order(&placed.no).await);
}

/// A piece that was sent once more has cost what the first one did, and brought nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_once_more_costs_again() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    assert_eq!(save(&w, &manager, form("1", "10", "9", Some("2"))).await.0, 303);
    let placed = w.paid(&alice, sku, 2).await;
    manager.ship(&format!("/admin/orders/{}", placed.no)).await;
    assert_eq!(earned(&manager).await.0.as_deref(), Some("¥16.00"));
    let line = alice.order(&placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let lost = [
        ("pieces[0].id", line.as_str()),
        ("pieces[0].quantity", "1"),
        ("reason", "快递丢件"),
        ("tracking_no", "SF2222222222222"),
    ];
    manager.post(&format!("/admin/orders/{}/resend", placed.no), &lost).await;
    assert_eq!(earned(&manager).await.0.as_deref(), Some("¥14.00"));
    w.must_hold().await;
}
