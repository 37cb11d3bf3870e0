//! Importing products: all or nothing, from both kinds of table.

use rust_xlsxwriter::Workbook;
use xiaopu::catalogue::import;
use xiaopu::sheet::Table;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_imported_whole_or_not_at_all() {
    let w = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let import = |name: &'static str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let (shop, folder) = (w.shop.clone(), folder.path().to_owned());
        async move {
            let table = Table::open(&path)?;
            let plan = import::plan(&table, &folder).map_err(|problems| problems.join("\n"))?;
            import::apply(&shop, plan).await
        }
    };
    let good =
        "商品名称,分类,规格,商家编码,售价(元),库存\nT恤,服装/上衣,颜色:红,A1,59.9,5\nT恤,服装/上衣,颜色:蓝,A2,69.9,3\n";
    let done = import("good.csv", good.into()).await.unwrap();
    assert_eq!((done.products, done.skus, done.added), (1, 2, 1));
    let product = &w.get("/products").await.ok()["items"][0];
    assert_eq!((&product["priceFen"], &product["maxPriceFen"]), (&5990.into(), &6990.into()));
    // One bad row, at the very end: nothing of the table is taken.
    let bad = format!("{}帽子,,,,19,2\n鞋,,,,abc,2\n", good.replace("59.9", "1"));
    let problem = import("bad.csv", bad.into()).await.unwrap_err();
    assert!(problem.contains("第 5 行") && problem.contains("售价"), "{problem}");
    assert_eq!(w.get("/products").await.ok()["items"][0]["priceFen"], 5990);
    // A code that another product has is found by the database, and undoes everything.
    let taken = "name,sku_code,price,stock\n帽子,,19,2\n鞋,A1,29,2\n";
    assert!(import("taken.csv", taken.into()).await.unwrap_err().contains("A1"));
    assert_eq!(w.get("/products").await.ok()["items"].as_array().unwrap().len(), 1);
    // GB18030, as spreadsheets save it; and once more, changing what is known.
    let (gb, _, _) = encoding_rs::GB18030.encode("商品名称,售价(元),库存\n草莓蛋糕,88,3\n");
    assert_eq!(import("gb.csv", gb.into_owned()).await.unwrap().added, 1);
    assert_eq!(import("good.csv", good.replace("59.9", "49.9").into()).await.unwrap().added, 0);
    assert_eq!(w.get("/products?q=T").await.ok()["items"][0]["priceFen"], 4990);
    // Stock below what orders hold is refused.
    let alice = w.buyer("alice").await;
    alice.buy("1".parse().unwrap(), 4).await.ok();
    let less = good.replace(",59.9,5", ",59.9,3");
    assert!(import("less.csv", less.into()).await.unwrap_err().contains("占用"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_is_read_cell_by_cell() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, fill: &dyn Fn(&mut rust_xlsxwriter::Worksheet)| {
        let mut book = Workbook::new();
        fill(book.add_worksheet());
        let path = folder.path().join(name);
        book.save(&path).unwrap();
        path
    };
    let good = save("good.xlsx", &|sheet| {
        for (i, title) in ["商品名称", "售价(元)", "库存", "上架"].iter().enumerate() {
            sheet.write_string(0, i as u16, *title).unwrap();
        }
        sheet.write_string(1, 0, "苹果").unwrap();
        sheet.write_number(1, 1, 19.9).unwrap();
        sheet.write_number(1, 2, 12).unwrap();
        sheet.write_boolean(1, 3, true).unwrap();
    });
    let w = World::new().await;
    let plan = import::plan(&Table::open(&good).unwrap(), folder.path()).ok().unwrap();
    assert_eq!(import::apply(&w.shop, plan).await.unwrap().skus, 1);
    let item = &w.get("/products").await.ok()["items"][0];
    assert_eq!((&item["name"], &item["priceFen"]), (&"苹果".into(), &1990.into()));
    // A tiny file that claims a rectangle no memory holds.
    let bomb = save("bomb.xlsx", &|sheet| {
        sheet.write_string(0, 0, "商品名称").unwrap();
        sheet.write_string(1_048_575, 16_383, "x").unwrap();
    });
    assert!(Table::open(&bomb).err().unwrap().contains("超出"));
    std::fs::write(folder.path().join("no.xlsx"), b"not a spreadsheet").unwrap();
    assert!(Table::open(&folder.path().join("no.xlsx")).is_err());
    assert!(Table::open(&folder.path().join("missing.csv")).is_err());
    assert!(Table::open(&folder.path().join("photo.png")).is_err());
}
