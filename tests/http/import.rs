//! Importing products: all or nothing, from both kinds of table.

use rust_xlsxwriter::Workbook;
use xiaopu::catalogue::import::{self, Agreed, Stopped, Verdict, WANTED};
use xiaopu::staff::Role;
use xiaopu::tables;

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
            let table = tables::open(&path, &WANTED).map_err(String::from)?;
            let plan = import::plan(&table, Some(&folder)).map_err(|problems| problems.join("\n"))?;
            import::apply(&shop, plan, "命令行", Agreed::default()).await.map_err(String::from)
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
    let plan = import::plan(&tables::open(&good, &WANTED).unwrap(), Some(folder.path())).ok().unwrap();
    assert_eq!(import::apply(&w.shop, plan, "命令行", Agreed::default()).await.unwrap().skus, 1);
    let item = &w.get("/products").await.ok()["items"][0];
    assert_eq!((&item["name"], &item["priceFen"]), (&"苹果".into(), &1990.into()));
    // A tiny file that claims a rectangle no memory holds.
    let bomb = save("bomb.xlsx", &|sheet| {
        sheet.write_string(0, 0, "商品名称").unwrap();
        sheet.write_string(1_048_575, 16_383, "x").unwrap();
    });
    assert!(tables::open(&bomb, &WANTED).err().unwrap().to_string().contains("超出"));
    std::fs::write(folder.path().join("no.xlsx"), b"not a spreadsheet").unwrap();
    assert!(import::plan(&tables::open(&folder.path().join("no.xlsx"), &WANTED).unwrap_or_default(), None).is_err());
    assert!(tables::open(&folder.path().join("missing.csv"), &WANTED).is_err());
    assert!(tables::open(&folder.path().join("photo.png"), &WANTED).is_err());
}

/// Imports text all or nothing, as from the command line. `Err` names the bad rows.
async fn import(w: &World, text: &str) -> Result<import::Done, String> {
    let table = tables::read(text.as_bytes(), &WANTED).map_err(String::from)?;
    let plan = import::plan(&table, Some(std::path::Path::new("/nonexistent"))).map_err(|p| p.join("\n"))?;
    let agreed = Agreed { again: true, doubts: true };
    import::apply(&w.shop, plan, "命令行", agreed).await.map_err(String::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_row_is_named_by_its_line() {
    let w = World::new().await;
    let head = "name,specs,price,stock,sku_code,on_shelf,images\n";
    for (row, what) in [
        (",,1,1,,,", "没有填商品名称"),
        ("A,,1.999,1,,,", "超过两位小数"),
        ("A,,1.9.9,1,,,", "售价"),
        ("A,,1,5万,,,", "库存「5万」"),
        ("A,,1,5k,,,", "库存「5k」"),
        ("A,,-1,1,,,", "售价"),
        ("A,,\"19,9\",1,,,", "售价"),
        ("A,,1,-1,,,", "库存"),
        ("A,,1,1.5,,,", "库存"),
        ("A,,1,,,,", "新商品要填库存"),
        ("A,,,1,,,", "新商品要填售价"),
        ("A,,清空,1,,,", "售价"),
        ("A,颜色:红;L,1,1,,,", "规格"),
        ("A,同上,1,1,,,", "规格写的是「同上」"),
        ("A,,1,1,同上,,", "商家编码写的是「同上」：请写出要填的内容"),
        ("A,,1,1,（待定）,,", "请写出要填的内容"),
        ("A,,1,1,?,,", "请写出要填的内容"),
        ("A,颜色:红;颜色:蓝,1,1,,,", "写了两次"),
        ("A,,1,1,,也许,", "上架"),
        ("A,,1,1,#N/A,,", "E2 是公式错误 #N/A"),
        ("A,,1,1,7.73E+14,,", "后几位已经丢了"),
        ("A,,1,1,,,missing.jpg", "找不到图片"),
        ("A,,1,1,,,../../etc/passwd", "放在表格旁边"),
        ("A,,1,1,X,,\nB,,1,1,X,,", "第 3 行：商家编码 X 与 第 2 行重复"),
        ("A,,1,1,,,\nA,,1,1,,,", "第 3 行"),
        ("A,颜色:红,1,1,,,\nA,尺码:L,1,1,,,", "规格名称要一致"),
        // Thousands that nobody quoted: what stands where is anybody's guess.
        ("A,,1,299.00,5,X,,b.jpg", "这一行比表头多一格（最后是「b.jpg」）"),
        ("B,,1,5,,,\nA,,1,299.00,5,X,,", "第 3 行：这一行比表头多一格（最后是「X」）"),
        ("A,颜色:红;尺码:L,1,1,,,\nA,\"尺码:L,颜色:红\",1,1,,,", "第 3 行"),
    ] {
        let problems = import(&w, &format!("{head}{row}\n")).await.unwrap_err();
        assert!(problems.contains(what) && problems.contains("行："), "{row}: {problems}");
    }
    let nameless = import(&w, "标牌,SKU,price,qty\n甲,A1,1,1\n").await.unwrap_err();
    assert!(nameless.contains("缺少列「商品名称」，商家编码 A1 也不是已有商品的"), "{nameless}");
    let missing = import(&w, "商品名称,颜色\nA,红\nB,红\n").await.unwrap_err();
    assert_eq!(missing.lines().count(), 1, "one cause, one sentence: {missing}");
    assert!(missing.contains("第 2 行、第 3 行") && missing.contains("缺少列「售价(元)」"), "{missing}");
    assert!(import(&w, "").await.is_err());
    let full = "name,subtitle,category,specs,sku_code,price,market_price,stock,on_shelf\n";
    let long = "长".repeat(101);
    for (rows, what) in [
        (format!("{},,,,,1,,1,\n", "名".repeat(61)), "1 到 60 个字"),
        (format!("A,{long},,,,1,,1,\n"), "最多 100 个字"),
        ("A,,甲/乙/丙,,,1,,1,\n".to_owned(), "分类最多两级"),
        (format!("A,,{},,,1,,1,\n", "类".repeat(21)), "分类名应为 1 到 20 个字"),
        (format!("A,,,,{},1,,1,\n", "c".repeat(41)), "商家编码最多 40 个字"),
        ("A,,,,,1,abc,1,\n".to_owned(), "划线价请填金额，例如 29.90：「abc」不是金额"),
        ("A,,,,,1,,10000001,\n".to_owned(), "库存「10000001」"),
        ("A,,,一:1;二:2;三:3;四:4,,1,,1,\n".to_owned(), "最多 3 种"),
        ("A,甲,,色:红,,1,,1,\nA,乙,,色:蓝,,1,,1,\n".to_owned(), "「A」的副标题与 第 2 行不同"),
        ("A,,甲,色:红,,1,,1,\nA,,乙,色:蓝,,1,,1,\n".to_owned(), "「A」的分类与 第 2 行不同"),
        ("A,,,色:红,,1,,1,是\nA,,,色:蓝,,1,,1,否\n".to_owned(), "「A」的上架与 第 2 行不同"),
    ] {
        let problems = import(&w, &format!("{full}{rows}")).await.unwrap_err();
        assert!(problems.contains(what), "{rows}: {problems}");
    }
    assert_eq!(w.count("select count(*) from products").await, 0);
    // What the shop has already: another product's code, one in the bin, a specification that is there.
    import(&w, &format!("{full}A,,,色:红,CA,1,,1,\nA,,,色:蓝,CB,1,,1,\nB,,,,CC,1,,1,\n")).await.unwrap();
    let bin = "update products set deleted_at = 1, on_shelf = 0 where name = 'B'";
    w.shop.db.write(move |tx| Ok::<_, xiaopu::error::Error>(tx.execute(bin, [])?)).await.unwrap();
    for (rows, what) in [
        ("Z,,,,CA,1,,1,\n", "商家编码 CA 已被其他商品使用（「A」）；改名请在商品页"),
        ("Z,,,,CC,1,,1,\n", "商家编码 CC 是回收站里「B」的"),
        ("A,,,色:蓝,CA,1,,1,\n", "「A」已经有规格「色:蓝」"),
        ("A,,,,CA,1,,1,\nA,,,色:红,,2,,1,\n", "这个规格在 第 2 行已经有了"),
        ("A,,,款:大,,1,,1,\n", "规格名称要一致"),
    ] {
        let problems = import(&w, &format!("{full}{rows}")).await.unwrap_err();
        assert!(problems.contains(what), "{rows}: {problems}");
    }
    // Rows of one product that say the same of it, and one that says more.
    let told = "C,好,甲,色:红,,1,,1,否\nC,好,甲,色:蓝,,1,,1,否\nC,,甲,色:绿,,1,,1,\n";
    assert_eq!(import(&w, &format!("{full}{told}")).await.unwrap().skus, 3);
    assert_eq!(w.count("select count(*) from products where name = 'C' and subtitle = '好' and on_shelf = 0").await, 1);
    assert_eq!(w.count("select count(*) from categories where name = '甲'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_changes_what_it_has_and_nothing_else() {
    let w = World::new().await;
    import(
        &w,
        "商品名称,副标题,分类,规格,商家编码,售价,划线价,库存,上架\n杯子,好看,家居,颜色:红;尺码:L,C1,19.9,29.9,10,否\n",
    )
    .await
    .unwrap();
    let now = "select p.subtitle || '|' || p.on_shelf || '|' || coalesce(s.sku_code, '') || '|' || s.price_fen || '|'
                      || coalesce(s.market_price_fen, '') || '|' || s.on_hand || '|' || s.specs
                      || coalesce('|' || s.barcode, '') || iif(s.weight_g, '|' || s.weight_g || 'g', '')
                      || coalesce('|' || s.cost_fen, '')
                 from skus s join products p on p.id = s.product_id";
    let as_it_is = async || {
        w.shop
            .db
            .read(|conn| Ok::<_, xiaopu::error::Error>(conn.query_row(now, [], |row| row.get::<_, String>(0))?))
            .await
            .unwrap()
    };
    let red = r#"[["颜色","红"],["尺码","L"]]"#;
    for (table, is) in [
        ("品名,单价\n杯子,18.5\n", format!("好看|0|C1|1850|2990|10|{red}")),
        ("商家编码,数量\nC1,12件\n", format!("好看|0|C1|1850|2990|12|{red}")),
        ("商品名称,规格,售价,库存\n杯子,\"尺码:L,颜色:红\",18.5,12\n", format!("好看|0|C1|1850|2990|12|{red}")),
        ("商品名称,规格,售价\n杯子,颜色：红；尺码：ｌ,18.5\n", format!("好看|0|C1|1850|2990|12|{red}")),
        ("商品名称,副标题,划线价,上架\n杯子,,,\n", format!("好看|0|C1|1850|2990|12|{red}")),
        ("商品名称,副标题,划线价,上架\n杯子,清空,清空,是\n", format!("|1|C1|1850||12|{red}")),
        ("商品名称,商家编码,库存,导出时库存\n杯子,C1,15,20\n", format!("|1|C1|1850||7|{red}")),
        ("商品名称,规格,商家编码\n杯子,颜色:红;尺码:L,C2\n", format!("|1|C2|1850||7|{red}")),
        (
            "商家编码,商品条码,重量(克),成本\nC2,6901234567892,250克,9.9\n",
            format!("|1|C2|1850||7|{red}|6901234567892|250g|990"),
        ),
        ("商家编码,条码,重量(克),成本(元)\nC2,,,\n", format!("|1|C2|1850||7|{red}|6901234567892|250g|990")),
        ("商家编码,条码,重量(克),成本(元)\nC2,清空,清空,清空\n", format!("|1|C2|1850||7|{red}")),
        // What is printed on the goods takes the place of no code of the shop's own.
        ("商品名称,规格,条码\n杯子,颜色:红;尺码:L,6901234567892\n", format!("|1|C2|1850||7|{red}|6901234567892")),
    ] {
        import(&w, table).await.unwrap();
        assert_eq!(as_it_is().await, is, "{table}");
    }
    for price in ["￥１８．５０", "18.500000000000004", "18.5 元"] {
        let same = import(&w, &format!("商品名称,售价,库存\n杯子,{price},7.0件\n")).await.unwrap();
        assert_eq!((same.same, same.skus), (1, 0), "{price}");
    }
    let unclear = "商品名称,规格,售价,库存\n杯子,颜色:蓝;尺码:L,1,1\n";
    import(&w, unclear).await.unwrap();
    assert!(import(&w, "商品名称,售价\n杯子,2\n").await.unwrap_err().contains("有 2 个规格"));
    w.must_hold().await;
}

/// What a page would not tick by itself is not done at a word that nobody has said.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_table_asks_is_asked_on_the_command_line_too() {
    let w = World::new().await;
    import(&w, "商品名称,商家编码,售价,库存\n茶,S9,5,7\n").await.unwrap();
    let apply = async |text: &str, agreed: Agreed| {
        let plan = import::plan(&tables::read(text.as_bytes(), &WANTED).unwrap(), None).ok().unwrap();
        import::apply(&w.shop, plan, "命令行", agreed).await
    };
    let stock = "select on_hand from skus where sku_code = 'S9'";
    let table = "商家编码,库存,导出时库存\nS9,9,7\n";
    assert_eq!(apply(table, Agreed::default()).await.unwrap().skus, 1);
    // The same file, and the same difference in other words.
    for again in [table, "商品名称,库存,导出时库存\n茶,9.0,7\n"] {
        let Err(Stopped::Again(words)) = apply(again, Agreed { doubts: true, ..Agreed::default() }).await else {
            panic!("{again}")
        };
        assert!(words.contains("有 1 行的库存差额") && words.contains("第 2 行"), "{words}");
        assert_eq!(w.count(stock).await, 9);
    }
    assert_eq!(apply(table, Agreed { again: true, ..Agreed::default() }).await.unwrap().skus, 1);
    assert_eq!(w.count(stock).await, 11);
    // The console knows of it, and the command line of the console's.
    let manager = w.staff("manager", Role::Manager).await;
    let page = brought(&w, &manager, table).await;
    assert!(page.contains("有 1 行的库存差额") && ticks(&page) == 0, "{page}");
    let Err(Stopped::Doubts(doubts)) = apply("商品名称,售价,库存\n茶,0,\n水,1,1\n", Agreed::default()).await
    else {
        panic!("goods that cost nothing")
    };
    assert!(doubts.len() == 1 && doubts[0].contains("第 2 行：「茶」售价是 0 元"), "{doubts:?}");
    assert_eq!(w.count("select count(*) from products").await, 1, "all or nothing");
    w.must_hold().await;
}

/// The page on which a table is looked at.
async fn brought(w: &World, manager: &Console<'_>, text: &str) -> String {
    brought_file(w, manager, text.as_bytes().to_vec()).await
}

async fn brought_file(w: &World, manager: &Console<'_>, bytes: Vec<u8>) -> String {
    let part = reqwest::multipart::Part::bytes(bytes).file_name("a");
    let request = w.http().post(w.at("/admin/products/import")).header("Cookie", &manager.cookie);
    let answer = request.multipart(reqwest::multipart::Form::new().part("file", part)).send().await.unwrap();
    let at = answer.headers()["Location"].to_str().unwrap().to_owned();
    manager.page(&at).await
}

/// How many rows of a page are ticked.
fn ticks(page: &str) -> usize {
    let boxes = page.split("name=\"row\" value=\"").skip(1);
    boxes.filter(|cut| cut.split_once('"').is_some_and(|(_, behind)| behind.starts_with(" checked"))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stock_for_several_specifications_is_asked_about() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let format = rust_xlsxwriter::Format::new();
    for (column, title) in (0..).zip(["商品名称", "规格", "售价", "库存"]) {
        sheet.write_string(0, column, title).unwrap();
    }
    for (line, spec) in (1..).zip(["颜色:红", "颜色:蓝", "颜色:绿", "颜色:白"]) {
        sheet.write_string(line, 1, spec).unwrap();
    }
    sheet.merge_range(1, 0, 4, 0, "杯子", &format).unwrap();
    sheet.merge_range(1, 2, 4, 2, "", &format).unwrap();
    sheet.write_number(1, 2, 9).unwrap();
    sheet.merge_range(1, 3, 3, 3, "", &format).unwrap();
    sheet.write_number(1, 3, 30).unwrap();
    sheet.write_number(4, 3, 5).unwrap();
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let bytes = book.save_to_buffer().unwrap();
    let page = brought_file(&w, &manager, bytes.clone()).await;
    let ticked = |at: usize| page.contains(&format!("name=\"row\" value=\"{at}\" checked"));
    assert_eq!([0, 1, 2, 3].map(ticked), [false, false, false, true], "{page}");
    assert_eq!(page.matches("库存 30 是一格合并了第 2–4 行写的").count(), 3, "{page}");
    let plan = import::plan(&tables::read(&bytes, &WANTED).unwrap(), None).ok().unwrap();
    assert!(matches!(
        import::apply(&w.shop, plan, "命令行", Agreed::default()).await,
        Err(Stopped::Doubts(doubts)) if doubts.len() == 3
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_found_by_what_is_printed_on_them_and_no_two_share_it_unasked() {
    let w = World::new().await;
    let all = "商品名称,商家编码,条码,售价,库存\n茶,T1,6901234567892,5,7\n水,W1,,2,3\n酒,6909999999993,,9,1\n";
    import(&w, all).await.unwrap();
    let price = async |name: &str| {
        let price = "select s.price_fen from skus s join products p on p.id = s.product_id where p.name = ";
        w.count(&format!("{price}'{name}'")).await
    };
    // A list of prices by barcode; some shops write that as the code of their own.
    for barcode in ["6901234567892", "６９０１２３４５６７８９２", "6901234567892.0"] {
        let done = import(&w, &format!("条码,售价\n{barcode},{}\n", barcode.len())).await.unwrap();
        assert_eq!((done.skus, done.added), (1, 0), "{barcode}");
        assert_eq!(price("茶").await, 100 * barcode.len() as i64, "{barcode}");
    }
    import(&w, "条码,售价\n6909999999993,8\n").await.unwrap();
    assert_eq!(price("酒").await, 800);
    assert_eq!(w.count("select count(*) from skus where barcode is not null").await, 1);
    assert_eq!(w.count("select count(*) from skus where sku_code in ('T1', 'W1', '6909999999993')").await, 3);
    for (table, what) in [
        ("条码,售价\n6900000000000,8\n", "变成了科学计数"),
        ("商品名称,条码\n水,6900000000000\n", "条码「6900000000000」像是被表格软件变成了科学计数"),
        ("商品名称,商家编码\n水,690123000000000\n", "商家编码「690123000000000」像是被"),
        ("条码,售价\n6930000000017,8\n", "条码 6930000000017 也不是已有商品的"),
        ("条码,售价\n6901234567892,8\n6901234567892,9\n", "第 3 行"),
    ] {
        let problem = import(&w, table).await.unwrap_err();
        assert!(problem.contains(what), "{table}: {problem}");
    }
    // What a program that reckons made of a code.
    import(&w, "商家编码,售价\nT1,5\n").await.unwrap();
    import(&w, "商品名称,商家编码,售价,库存\n醋,1001,5,7\n").await.unwrap();
    import(&w, "商家编码,条码,售价\n1001.0,69000000011.0,6\n").await.unwrap();
    let vinegar = "select count(*) from skus where sku_code = '1001' and barcode = '69000000011' and price_fen = 600";
    assert_eq!(w.count(vinegar).await, 1);
    // A barcode of other goods, their code, and one that two rows give.
    let manager = w.staff("manager", Role::Manager).await;
    for (rows, whose) in [
        ("水,6901234567892\n", "条码 6901234567892 已经是「茶」的"),
        ("水,6909999999993\n", "条码 6909999999993 已经是「酒」的"),
        ("酒,6909999999993\n", ""),
        ("水,6930000000017\n", ""),
    ] {
        let page = brought(&w, &manager, &format!("商品名称,条码\n{rows}")).await;
        assert_eq!(page.contains("扫码时分不清"), !whose.is_empty(), "{rows}: {page}");
        assert!(page.contains(whose) && (ticks(&page) == 1) == whose.is_empty(), "{rows}: {page}");
    }
    let page = brought(&w, &manager, "商品名称,条码\n水,6930000000017\n酒,6930000000017\n").await;
    assert!(page.contains("条码 6930000000017 已经是 第 2 行写的") && ticks(&page) == 1, "{page}");
    // The second alone is another matter than the second beside the first.
    let seen = seen_on(&page);
    let run = page.split("action=\"").find(|at| at.starts_with("/admin/products/imports/")).unwrap();
    manager.post(run.split('"').next().unwrap(), &[("seen", &seen), ("row", "1")]).await;
    let wine = "select count(*) from skus where barcode = '6930000000017' and sku_code = '6909999999993'";
    assert_eq!(w.count(wine).await, 1);
    import(&w, "商家编码,条码\nW1,6901234567892\n").await.unwrap();
    assert!(import(&w, "条码,售价\n6901234567892,8\n").await.unwrap_err().contains("有 2 个规格在用"));
    w.must_hold().await;
}

/// What the shop has changed since a table was exported is not taken back by cells that nobody has touched.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_export_takes_nothing_back() {
    let w = World::new().await;
    let before = "商品名称,副标题,商家编码,售价,划线价,库存,上架,条码,重量(克),成本\n\
                  茶,香,T1,18,29,9,是,6901234567892,250,3\n水,,W1,2,,5,是,,,\n酒,,,9,,1,是,,,\n";
    import(&w, before).await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let export = manager.page("/admin/products/export.csv").await;
    import(&w, "商品名称,副标题,售价,划线价,上架,条码,重量(克),成本\n茶,更香,77.7,清空,否,6909999999993,300,4\n")
        .await
        .unwrap();
    let tea = "select p.subtitle || s.price_fen || coalesce(s.market_price_fen, '') || p.on_shelf || s.barcode || s.weight_g
                      || s.cost_fen || '/' || s.on_hand from skus s join products p on p.id = s.product_id where p.name = '茶'";
    let as_it_is = async || {
        let read = |conn: &rusqlite::Connection| {
            Ok::<_, xiaopu::error::Error>(conn.query_row(tea, [], |r| r.get::<_, String>(0))?)
        };
        w.shop.db.read(read).await.unwrap()
    };
    assert_eq!(as_it_is().await, "更香777006909999999993300400/9");
    // As it went out, and with another stock.
    assert_eq!(import(&w, &export).await.unwrap().skus, 0);
    let edited = |from: &str, to: &str| {
        let line = export.lines().find(|line| line.contains("茶,")).unwrap();
        let (before, after) = (line, line.replacen(from, to, 1));
        assert_ne!(before, after, "{line}");
        export.replace(before, &after)
    };
    let page = brought(&w, &manager, &edited(",9,", ",12,")).await;
    let left = "导出后在后台改过、表里没有动的，不改回去：副标题 更香，售价(元) 77.70，划线价(元) （空），条码 6909999999993，重量(克) 300，成本(元) 4.00，上架 否";
    assert!(page.contains(left) && ticks(&page) == 1, "{page}");
    assert_eq!(import(&w, &edited(",9,", ",12,")).await.unwrap().skus, 1);
    assert_eq!(as_it_is().await, "更香777006909999999993300400/12");
    // Changed here and there.
    let page = brought(&w, &manager, &edited("18.00", "20.00")).await;
    assert!(page.contains("导出后在后台改成了 售价(元) 77.70：真要照表里改的请打勾") && ticks(&page) == 0, "{page}");
    // Changed in the table alone.
    let page = brought(&w, &manager, &export.replace("W1,2.00", "W1,3.00")).await;
    assert!(page.contains("<b>3.00</b>") && ticks(&page) == 1, "{page}");
    // Its words were copied into another row, which says them anew.
    let line = export.lines().find(|line| line.contains("茶,")).unwrap();
    let copied = format!(
        "{}\n{}\n",
        export.lines().next().unwrap(),
        line.replace("茶,香,", "水,香,").replace("T1", "W1").replace("6901234567892", "")
    );
    assert!(brought(&w, &manager, &copied).await.contains("<b>18.00</b>"));
    // Goods that are called otherwise now are not made anew.
    w.shop.write(|tx| Ok(tx.execute("update products set name = '老酒' where name = '酒'", [])?)).await.unwrap();
    let page = brought(&w, &manager, &export).await;
    assert!(page.contains("导出时有这个规格，现在没有了") && ticks(&page) == 0, "{page}");
    // From an export that had no prints yet.
    for (table, asked) in [
        ("商品名称,售价,库存,导出时库存\n酒,9,1,1\n", true),
        ("商品名称,规格,售价,库存,导出时库存\n茶,包装:大,9,1,1\n", false),
        ("商品名称,售价,库存\n酒,9,1\n", false),
    ] {
        let page = brought(&w, &manager, table).await;
        assert_eq!(page.contains("导出时有这个规格，现在没有了"), asked, "{table}: {page}");
    }
    w.must_hold().await;
}

/// An export is worked in, brought, corrected in a few cells, and brought again: what it has done is not done twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_corrected_and_brought_again_adds_only_what_is_new_in_it() {
    let w = World::new().await;
    import(&w, "商品名称,商家编码,售价,库存\n茶,T1,18,10\n水,W1,2,10\n酒,J1,9,10\n盐,Y1,3,10\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let export = manager.page("/admin/products/export.csv").await;
    let edited = |table: &str, code: &str, cells: &[(&str, &str)]| -> String {
        let row = |line: &str| match line.contains(&format!(",{code},")) {
            true => cells.iter().fold(line.to_owned(), |line, (from, to)| line.replacen(from, to, 1)),
            false => line.to_owned(),
        };
        table.lines().map(row).collect::<Vec<_>>().join("\n")
    };
    let apply = async |table: &str| {
        let plan = import::plan(&tables::read(table.as_bytes(), &WANTED).unwrap(), None).ok().unwrap();
        import::apply(&w.shop, plan, "命令行", Agreed::default()).await
    };
    let stock = async || {
        let read = |conn: &rusqlite::Connection| {
            let sql = "select group_concat(s) from (select on_hand || '@' || price_fen as s from skus order by id)";
            Ok::<_, xiaopu::error::Error>(conn.query_row(sql, [], |r| r.get::<_, String>(0))?)
        };
        w.shop.db.read(read).await.unwrap()
    };
    let first = [("T1", ",10,"), ("W1", ",10,"), ("J1", ",10,")]
        .iter()
        .fold(export.clone(), |table, (code, from)| edited(&table, code, &[(from, ",15,"), (",18.00,", ",20.00,")]));
    assert_eq!(apply(&first).await.unwrap().skus, 3);
    assert_eq!(stock().await, "15@2000,15@200,15@900,10@300");
    // Five of the wine are sold meanwhile.
    w.shop.write(|tx| Ok(tx.execute("update skus set on_hand = 10 where sku_code = 'J1'", [])?)).await.unwrap();
    let page = brought(&w, &manager, &first).await;
    assert!(page.contains("这张导出的表") && !page.contains("已经导入过：") && !page.contains("checkbox"), "{page}");
    // One figure is corrected, another price, and what was not touched before is now.
    let second = edited(&edited(&first, "T1", &[(",15,", ",17,"), (",20.00,", ",21.00,")]), "Y1", &[(",10,", ",9,")]);
    let page = brought(&w, &manager, &second).await;
    assert_eq!((ticks(&page), page.matches("name=\"row\"").count()), (2, 2), "{page}");
    assert!(page.contains("库存上次导入写的是 15，这次是 17：只加 2 件"), "{page}");
    assert!(page.contains("其中 3 行已经改到店里") && page.contains("<b>21.00</b>"), "{page}");
    assert!(page.contains("库存 15 上次已经导入，不再加减"), "{page}");
    let done = apply(&second).await.unwrap();
    assert_eq!((done.skus, done.same), (2, 2));
    assert_eq!(stock().await, "17@2100,15@200,10@900,9@300");
    // What somebody has changed in the shop since then stays, though the table says what it had said.
    w.shop.write(|tx| Ok(tx.execute("update skus set price_fen = 2500 where sku_code = 'T1'", [])?)).await.unwrap();
    let page = brought(&w, &manager, &second).await;
    assert!(page.contains("不改回去：售价(元) 25.00") && ticks(&page) == 0, "{page}");
    // A copy of the export in which somebody else has changed something else takes nothing back.
    let copy = edited(&export, "W1", &[(",2.00,", ",2.50,")]);
    let page = brought(&w, &manager, &copy).await;
    assert!(page.contains("库存上次导入写的是 15，这次又是导出时的 10：不改回去") && ticks(&page) == 1, "{page}");
    apply(&copy).await.unwrap();
    assert_eq!(stock().await, "17@2500,15@250,10@900,9@300");
    // What is exported later says so: nobody is asked, though it begins and ends with the same figures.
    w.advance(2 * 60_000);
    w.shop.write(|tx| Ok(tx.execute("update skus set on_hand = 10 where sku_code = 'W1'", [])?)).await.unwrap();
    let later = edited(&manager.page("/admin/products/export.csv").await, "W1", &[(",10,", ",15,")]);
    let page = brought(&w, &manager, &later).await;
    assert!(!page.contains("导入过") && ticks(&page) == 1, "{page}");
    apply(&later).await.unwrap();
    assert_eq!(stock().await, "17@2500,15@250,10@900,9@300");
}

/// The last two columns were left out of a sorting, so that what was so at the export stands beside other goods.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_was_sorted_in_part_is_asked_about() {
    let w = World::new().await;
    import(&w, "商品名称,商家编码,售价,库存\n茶,T1,18,298\n水,W1,2,57\n酒,J1,9,0\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let export = manager.page("/admin/products/export.csv").await;
    let mut lines: Vec<Vec<&str>> = export.lines().map(|line| line.split(',').collect()).collect();
    let ends: Vec<Vec<&str>> = lines.iter_mut().map(|cells| cells.split_off(13)).collect();
    lines[1..].reverse();
    let sorted: Vec<String> =
        lines.iter().zip(&ends).map(|(cells, end)| [cells.clone(), end.clone()].concat().join(",")).collect();
    let page = brought(&w, &manager, &sorted.join("\n")).await;
    assert!(!page.contains("name=\"row\""), "nothing was changed: {page}");
    let touched = sorted.join("\n").replace(",298,", ",300,");
    let page = brought(&w, &manager, &touched).await;
    assert!(page.contains("导出时的样子写的是别的商品") && page.contains("<b>300</b>") && ticks(&page) == 0, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_spreadsheet_makes_of_a_code_and_what_is_no_list_of_goods_is_asked_about() {
    let w = World::new().await;
    let before = "商品名称,商家编码,售价,库存\n长码货,123456789012345678,10,5\n短码货,00123,10,5\n幂码货,1E5,10,5\n衣服,C1,99,5\n";
    import(&w, before).await.unwrap();
    import(&w, "商品名称,规格,售价,库存\n裙子,色:大红,90,5\n裙子,色:小白,90,5\n").await.unwrap();
    import(&w, "商品名称,分类,售价,库存\n糕,烘焙,9,5\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    for (table, told) in [
        ("商品名称,商家编码,售价\n短码货,123,11\n", "像是表格软件改掉的"),
        ("商品名称,商家编码,售价\n幂码货,100000,11\n", "像是表格软件改掉的"),
        ("商品名称,商家编码,售价\n长码货,123456789012346000,11\n", "像是表格软件改掉的"),
        ("日期,品名,数量,单价,金额\n2026-11-01,衣服,1,99,99\n", "像是进货单、销售单"),
        ("品名,数量,单价,供应商\n衣服,2,45,甲厂\n", "像是进货单、销售单"),
        ("品名,数量,单价,金额（元）\n衣服,2,45,90\n", "像是进货单、销售单"),
        ("品名,数量,单价,销售时间\n衣服,2,45,11-29\n", "像是进货单、销售单"),
        ("品名,数量,单价,amount\n衣服,2,45,90\n", "像是进货单、销售单"),
        ("11月销售明细\n品名,数量,单价\n衣服,2,45\n", "表里有“11月销售明细”"),
        ("单位：美元\n商品名称,售价\n衣服,50\n", "表里上面写着“单位：美元”"),
        ("批发价目表\n商品名称,售价\n衣服,50\n", "表里上面写着“批发价目表”"),
        ("商品名称,售价\n衣服,50\n以上价格单位为美元\n", "价格是人民币的请打勾"),
        ("商品名称,售价,库存\n以下缺货,,\n围巾,9,3\n", "表里上面写着“以下缺货”"),
        ("商品名称\t商家编码\t售价\t\n\t\t批发\t零售\n衣服\tC1\t50\t99\n", "“售价”下面一行写着“批发”"),
        ("商品名称,商家编码,售价\n短码货,0123,11\n", "像是表格软件改掉的"),
        ("商品名称,商家编码,售价\n长码货,123456789012345680,11\n", "像是表格软件改掉的"),
        ("商品名称,售价,库存\n例如：苹果,9,30\n", "像是模板里的示例"),
        ("商品名称,规格,售价,总库存\n伞,颜色:红,9,30\n伞,颜色:蓝,9,30\n", "像是整个商品的"),
        ("商品名称,售价,库存\nnan,9,30\n", "像是没有填"),
        ("商品名称,售价,库存\n（示例）梨,9,30\n", "像是模板里的示例"),
        ("商品名称,商家编码\n短码货,0\n", "像是表格软件改掉的"),
        ("商品名称,售价,库存\n苹果\u{fffd},9,30\n", "是乱码"),
        ("商品名称,售价,库存\n???,9,30\n", "是乱码"),
        ("商品名称,售价\n衣服,9900\n", "差十倍以上"),
        ("商品名称,售价\n衣服,0.99\n", "差十倍以上"),
        ("商品名称,售价\n衣服,95\n衣服,79\n", "写得不一样"),
        ("商品名称,规格,售价,库存,上架\n伞,颜色:红,9,3,是\n伞,颜色:蓝,9,3,否\n", "请改成一样的"),
        // Columns that stand in each other's place.
        ("商品名称,售价,库存\n衣服,5,99\n", "店里的售价是 99.00、库存是 5：售价和库存两列是不是写反了"),
        ("商品名称,售价,库存\n衣服,7,120\n", "两列是不是写反了"),
        ("商品名称,售价,库存\n衣服,9,99\n", "两列是不是写反了"),
        ("商品名称,售价,成本\n衣服,45,99\n", "成本 99.00 比售价 45.00 高"),
        ("商品名称,售价,库存,成本价\n伞,45,9,99\n", "成本 99.00 比售价 45.00 高"),
        ("商品名称,分类,售价,库存\n伞,\"夏装,新品\",9,3\n", "像是几个分类"),
        // One specification in two rows.
        ("商品名称,规格,售价,库存\n伞,颜色:红;尺码:L,9,3\n伞,尺码:L;颜色:红,8,3\n", "哪一行对"),
        ("商品名称,规格,售价,库存\n伞,颜色：红，尺码：L,9,3\n伞,颜色:红;尺码:L,9,4\n", "哪一行对"),
        ("商品名称,商家编码,售价\n衣服,,88\n,C1,77\n", "哪一行对"),
        // A point that slipped beside the goods' other specifications.
        ("商品名称,规格,售价,库存\n伞,颜色:红,99,3\n伞,颜色:蓝,9900,3\n", "差十倍以上"),
        ("商品名称,规格,售价,库存\n伞,颜色:红,99,3\n伞,颜色:蓝,0.99,3\n", "差十倍以上"),
        // What templates write, and what nobody has filled in.
        ("商品名称,售价,库存\nExample,9,3\n", "像是模板里的示例"),
        ("商品名称,售价,库存\n必填,9,3\n", "请打勾"),
        ("商品名称,售价,库存\n选填,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n不超过60字,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n最多 60 个字,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n1-60字,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n(空白),9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n待定,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n0,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n【】,9,3\n", "像是没有填"),
        ("商品名称,售价,库存\n？,9,3\n", "是乱码"),
        (
            "商品名称,商家编码,售价,库存\nC1,衣服,99,5\n",
            "名称「C1」是店里「衣服」的商家编码：名称和商家编码两列是不是写反了",
        ),
        ("商品名称,商家编码,售价,库存\nSKU-01,衣服,99,5\n", "商家编码写的是店里的商品「衣服」"),
        ("商品名称,商家编码,售价,库存\nA-01,新款围巾,9,5\nA-02,新款手套,9,5\n", "名称和商家编码两列是不是写反了"),
        ("商品名称,规格,售价,库存\n颜色:红,衣服,99,5\n", "名称「颜色:红」像是规格"),
        ("商品名称,规格,售价,库存\n大红,裙子,9,3\n", "名称「大红」是它的规格：名称和规格两列是不是写反了"),
        // What was read in the wrong alphabet.
        ("商品名称,售价,库存\nÆ»¹û,9,3\n", "像是乱码（多半是「苹果」）"),
        ("商品名称,售价,库存\nè‹¹æžœ,9,3\n", "像是乱码（多半是「苹果」）"),
        ("商品名称,售价,库存\n鑻规灉,9,3\n", "像是乱码（多半是「苹果」）"),
        // What is sold no more does not go on sale as new.
        ("商品名称,售价,库存,备注\n伞,9,3,\"已停售，勿上架\"\n", "“备注”写的是“已停售，勿上架”：勾上会直接上架"),
        ("商品名称,售价,库存,说明\n伞,9,3,停产\n", "勾上会直接上架"),
        ("商品名称,售价,库存,下架时间\n伞,9,3,2020-01-01 10:00\n", "表里写着“下架时间”2020-01-01 10:00"),
        ("商品名称,售价,库存,备注\n伞,9,3,待上架\n", "勾上会直接上架"),
        ("商品名称,售价,库存,备注\n伞,9,3,先别上\n", "勾上会直接上架"),
        ("商品名称,售价,库存,备注\n伞,9,3,缺货\n", "勾上会直接上架"),
        ("商品名称,售价,库存,上架时间\n伞,9,3,2088-01-01\n", "“上架时间”写的是 2088-01-01，还没到"),
        ("商品名称,售价,库存,开售日期\n伞,9,3,2088年1月1日\n", "还没到：勾上会直接上架"),
        ("商品名称,售价,库存,停售日期\n伞,9,3,2020/1/1\n", "已经过了：勾上会直接上架"),
        ("商品名称,售价,库存,有效期至\n伞,9,3,20200101\n", "已经过了：勾上会直接上架"),
        ("商品名称,售价,库存,is_on_sale\n伞,9,3,0\n", "“is_on_sale”写的是“0”：勾上会直接上架"),
        ("商品名称,售价,库存,可售\n伞,9,3,否\n", "勾上会直接上架"),
        ("商品名称,售价,库存,隐藏\n伞,9,3,是\n", "勾上会直接上架"),
        ("商品名称,售价,库存,禁用\n伞,9,3,1\n", "勾上会直接上架"),
        ("商品名称,售价,库存,deleted\n伞,9,3,1\n", "勾上会直接上架"),
        // What a row says against itself, of goods that are known, too.
        ("商品名称,售价,备注\n衣服,95,停产\n", "“备注”写的是“停产”：照这一行导入的请打勾"),
        ("商品名称,售价,备注\n衣服,95,先不改\n", "照这一行导入的请打勾"),
        ("商品名称,售价,是否调价\n衣服,95,否\n", "照这一行导入的请打勾"),
        ("商品名称,售价,库存\n衣服,95,120\n以上价格未定，先不要改,,\n", "表下面写着“以上价格未定，先不要改”"),
        ("商品名称,售价,库存\n雨衣（停产）,9,3\n", "“雨衣（停产）”像是不卖的：勾上会新建并上架"),
        ("商品名称,规格,售价,库存\n伞,颜色:红（缺货）,9,3\n", "像是不卖的：照这一行导入的请打勾"),
        ("商品名称,分类,售价,库存\n衣服,停产,95,120\n", "像是不卖的"),
        // More columns that stand in each other's place, and a choice in the name.
        ("商品名称,分类,售价,库存\n烘焙,新糕,9,3\n", "名称「烘焙」是店里的分类，分类「新糕」却没有"),
        ("商品名称,分类,售价,库存\n点心,衣服,9,3\n", "分类写的是店里的商品「衣服」"),
        ("商品名称,商家编码,条码,售价,库存\n伞,6901234567892,XH-1,9,3\n", "商家编码 6901234567892 像是条码"),
        ("商品名称,售价,库存\n\"一款有机好茶，采自高山，口感醇厚\",9,3\n", "像是一段介绍"),
        ("商品名称,售价,库存\n裙子 大红,9,3\n", "像是店里「裙子」的规格「大红」"),
        ("商品名称,售价,库存\n裙子（小白）,9,3\n", "像是店里「裙子」的规格「小白」"),
        ("商品名称,系列,价格,库存,商家编码\n微店衣,红 L,9,3,X1\n微店衣,红 M,9,3,X2\n", "没有规格把它们分开"),
    ] {
        let page = brought(&w, &manager, table).await;
        assert!(page.contains(told) && ticks(&page) == 0, "{table}: {page}");
    }
    for table in [
        "商品名称,商家编码,售价\n短码货,00124,11\n",
        "商品名称,数量,单价\n衣服,2,45\n",
        "商品名称,数量,单价,上架时间\n衣服,2,45,11-29\n",
        "秋季价目表\n商品名称,售价\n衣服,50\n",
        "商品名称,售价,库存\n衣服,95,120\n",
        "商品名称,售价,库存\n衣服,45,4\n",
        "商品名称,售价,库存,成本\n衣服,100,6,99\n",
        "商品名称,规格,售价,库存\n伞,颜色:红,99,3\n伞,颜色:蓝,109,3\n伞,颜色:绿,29,3\n",
        "商品名称,规格,售价,库存\n伞,颜色:红;尺码:L,9,3\n伞,尺码:L;颜色:红,9,3\n",
        "商品名称,分类,售价,库存\n字帖 60 字,水果、蔬菜,9,3\n",
        "商品名称,商家编码,售价,库存\n7 号电池,10-20,9,3\n",
        "商品名称,规格,售价,库存\n伞,颜色:红,9,30\n伞,颜色:蓝,9,30\n",
        "商品名称,商家编码,售价,库存\niPhone 15 手机壳,IP15-壳,9,3\n",
        "商品名称,规格,售价,库存\n奶茶,口味:裙子,9,3\n",
        "商品名称,售价,库存\nCafé Crème,9,3\n",
        "商品名称,售价,库存,备注\n伞,9,3,热销\n",
        "商品名称,售价,库存,备注\n伞,9,3,未停产\n",
        "商品名称,售价,库存,上架,下架时间\n伞,9,3,是,2020-01-01\n",
        "商品名称,售价,库存,下架时间\n伞,9,3,2099-12-31\n",
        "商品名称,售价,库存,上架,备注\n伞,9,3,否,已停售\n",
        "商品名称,售价,库存,备注\n伞,9,3,从不断货\n",
        "商品名称,售价,库存,上架时间\n伞,9,3,2020-01-01\n",
        "商品名称,售价,库存,停售日期\n伞,9,3,2088-01-01\n",
        "商品名称,售价,库存,上架,上架时间\n伞,9,3,是,2088-01-01\n",
        "商品名称,售价,库存,可售,隐藏,deleted\n伞,9,3,是,否,0\n",
        "商品名称,分类,售价,库存\n烘焙,烘焙,9,3\n",
        "商品名称,分类,售价,库存\n伞,新类,9,3\n",
        "商品名称,商家编码,条码,售价,库存\n伞,XH-1,6901234567892,9,3\n",
        "商品名称,商家编码,条码,售价,库存\n伞,6901234567892,6901234567892,9,3\n",
        "商品名称,售价,库存\n裙子架,9,3\n",
        "商品名称,售价,库存\n\"伞，晴雨两用\",9,3\n",
        // No other price, as tills write it.
        "商品名称,售价,划线价\n衣服,95,0\n",
        "商品名称,售价,库存,划线价\n伞,9,3,0.00\n",
    ] {
        let page = brought(&w, &manager, table).await;
        assert!(ticks(&page) > 0 && !page.contains("请打勾"), "{table}: {page}");
    }
}

/// What an export said before it said what the stock was: the same, and a print of all that.
fn without_stock(said: &str) -> String {
    const LETTERS: &[u8; 24] = b"abcdfghijkmnopqrstuvwxyz";
    let kept = &said[..said.len() - 9];
    let (mut mark, mut print) = (xiaopu::shown::mark([kept]), String::new());
    for _ in 0..3 {
        print.push(char::from(LETTERS[(mark % 24) as usize]));
        mark /= 24;
    }
    format!("{kept}{print}")
}

/// What becomes of a cell, by its column, for the headings too; `None` where its column is cut off.
type Keep<'k> = &'k dyn Fn(usize, &str, bool) -> Option<String>;

/// An export of which a column is lost that says what the stock was then: what has been sold since does not come back.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_without_its_former_stock_brings_nothing_back_unasked() {
    let w = World::new().await;
    import(&w, "商品名称,商家编码,售价,库存\n茶,T1,18,52\n水,W1,2,30\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let export = manager.page("/admin/products/export.csv").await;
    let sku = xiaopu::ids::SkuId(w.count("select id from skus where sku_code = 'T1'").await);
    let buyer = w.buyer("alice").await;
    let sold = w.paid(&buyer, sku, 2).await.no;
    manager.post(&format!("/admin/orders/{sold}/ship"), &[("tracking_no", "SF1234567890123")]).await;
    assert_eq!(w.stock(sku).await, (50, 0));
    let cut = |export: &str, keep: Keep<'_>| {
        let line = |(n, line): (usize, &str)| {
            let cells = line.split(',').enumerate().filter_map(|(at, cell)| keep(at, cell, n == 0));
            cells.collect::<Vec<_>>().join(",")
        };
        export.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
    };
    let column = |to: &'static str| {
        move |at: usize, cell: &str, head: bool| Some(if at == 13 && !head { to.to_owned() } else { cell.to_owned() })
    };
    let renamed = |at: usize, cell: &str, head: bool| {
        Some(if at == 13 && head { "原库存".to_owned() } else { cell.to_owned() })
    };
    let cut_off = |at: usize, cell: &str, _: bool| (at != 13).then(|| cell.to_owned());
    let lost: [Keep<'_>; 5] = [&cut_off, &column(""), &renamed, &column("0"), &column("7")];
    for keep in lost {
        let table = cut(&export, keep);
        assert!(!brought(&w, &manager, &table).await.contains("name=\"row\""), "nothing was changed: {table}");
    }
    // Eight more than at the export, whatever the column says of it.
    let more = export.replace(",52,,", ",60,,");
    let page = brought(&w, &manager, &cut(&more, &cut_off)).await;
    assert!(page.contains("<b>58</b>") && ticks(&page) == 1, "{page}");
    for beside in ["0", "60", "50"] {
        let page = brought(&w, &manager, &cut(&more, &column(beside))).await;
        let told = format!("“导出时库存”写的是 {beside}，导出时其实是 52：库存从 52 算起，勾上会改成 58");
        assert!(page.contains(&told) && ticks(&page) == 0, "{page}");
    }
    // An export of before does not say it twice.
    let older = |at: usize, cell: &str, head: bool| match at {
        14 if !head => Some(without_stock(cell)),
        _ => Some(cell.to_owned()),
    };
    let older = cut(&export, &older);
    assert!(!brought(&w, &manager, &older).await.contains("name=\"row\""), "{older}");
    for keep in [&cut_off as Keep<'_>, &column(""), &renamed] {
        let page = brought(&w, &manager, &cut(&older, keep)).await;
        assert!(page.contains("“导出时库存”却没有了") && ticks(&page) == 0, "{page}");
    }
    // Without both of the last columns it is a count of any day: asked of what was sold since it was counted.
    let undated = |at: usize, cell: &str, _: bool| (at < 13).then(|| cell.to_owned());
    let table = cut(&export, &undated).replace(",30,,", ",40,,");
    let page = brought(&w, &manager, &table).await;
    assert!(page.contains("却没有最后两列：不知道导出后卖了多少（盘点以来卖了 2 件）"), "{page}");
    assert_eq!(ticks(&page), 1, "of the water none was sold: {page}");
    let prices = cut(&export, &|at, cell, _| (at < 13 && at != 7).then(|| cell.to_owned())).replace("18.00", "19.00");
    let page = brought(&w, &manager, &prices).await;
    assert!(ticks(&page) == 1 && !page.contains("最后两列"), "no stock, no question: {page}");
    w.must_hold().await;
}

/// Of one specification that is far from the others the others are not asked about, and those of the shop count, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_far_from_the_goods_other_specifications_is_asked_about() {
    let w = World::new().await;
    import(&w, "商品名称,规格,售价,库存\n衫,颜色:红,99,5\n衫,颜色:蓝,109,5\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    for (rows, ticked) in [
        ("衫,颜色:绿,9900,3", 0),
        ("衫,颜色:绿,0.99,3", 0),
        ("衫,颜色:绿,989,3", 1),
        ("衫,颜色:绿,12,3", 1),
        ("伞,颜色:红,99,3\n伞,颜色:蓝,99,3\n伞,颜色:绿,9900,3", 2),
        ("伞,颜色:红,0.99,3\n伞,颜色:蓝,99,3\n伞,颜色:绿,99,3", 2),
        ("伞,颜色:红,5,3\n伞,颜色:蓝,40,3\n伞,颜色:绿,300,3", 3),
        // What is known of goods is not asked about for a change of something else.
        ("衫,颜色:红,99,6\n衫,颜色:绿,9900,3", 1),
    ] {
        let page = brought(&w, &manager, &format!("商品名称,规格,售价,库存\n{rows}\n")).await;
        assert_eq!(ticks(&page), ticked, "{rows}: {page}");
    }
}

/// An empty state among others may mean anything; new goods go on sale only where nothing speaks against it.
#[tokio::test(flavor = "multi_thread")]
async fn new_goods_without_a_state_among_others_are_asked_about() {
    let w = World::new().await;
    import(&w, "商品名称,售价,库存,上架\n茶,9,5,否\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    for (title, rows, ticked) in [
        ("状态", "伞,9,3,停用\n帽,9,3,", 1),
        ("在售", "伞,9,3,是\n鞋,9,3,是\n帽,9,3,", 2),
        ("缺货", "伞,9,0,是\n帽,9,3,", 1),
        ("上架", "伞,9,3,是\n鞋,9,3,\n帽,9,3,", 3),
        ("上架", "伞,9,3,\n帽,9,3,", 2),
        // Said once for all of its goods, and of goods that are known.
        ("商品状态", "伞,9,3,在售\n茶,8,3,", 2),
        ("缺货", "伞,9,3,否\n帽,9,3,否", 2),
    ] {
        let page = brought(&w, &manager, &format!("商品名称,售价,库存,{title}\n{rows}\n")).await;
        assert_eq!(ticks(&page), ticked, "{title}: {rows}: {page}");
        assert_eq!(page.contains("别的行写了是否上架"), ticked < rows.lines().count(), "{title}: {page}");
    }
    let one = "商品名称,规格,售价,库存,状态\n伞,色:红,9,3,出售中\n伞,色:蓝,9,3,\n";
    assert_eq!(ticks(&brought(&w, &manager, one).await), 2);
    assert!(import(&w, "商品名称,售价,库存,缺货\n伞,9,3,是\n").await.unwrap_err().contains("已售罄"));
}

/// The last digit of goods' barcodes checks the others: what is copied wrongly is said, and what somebody made up is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_barcode_that_does_not_check_is_said() {
    let w = World::new().await;
    import(&w, "商品名称,售价,库存\n书,18,10\n水,2,10\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let page = brought(&w, &manager, "商品名称,条码\n书,978-7-302-51162-5\n水,6901234567893\n").await;
    assert!(page.contains("<b>9787302511625</b>") && ticks(&page) == 2, "{page}");
    assert_eq!(page.matches("校验位").count(), 1, "{page}");
    import(&w, "商品名称,条码\n书,978-7-302-51162-5\n水,6901234567893\n").await.unwrap();
    import(&w, "条码,售价\nISBN 978-7-302-51162-5,20\n").await.unwrap();
    assert_eq!(w.count("select price_fen from skus where barcode = '9787302511625'").await, 2_000);
    assert!(!brought(&w, &manager, "商品名称,条码,售价\n水,6901234567893,3\n").await.contains("校验位"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_sale_stays_so_unless_somebody_says_otherwise() {
    let w = World::new().await;
    import(&w, "商品名称,规格,商家编码,售价,库存\n衫,颜色:红,A1,9,5\n衫,颜色:蓝,A2,9,5\n").await.unwrap();
    w.shop.write(|tx| Ok(tx.execute("update skus set enabled = 0 where sku_code = 'A1'", [])?)).await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let page = brought(&w, &manager, "商家编码,售价\nA1,8\n").await;
    assert!(ticks(&page) == 1 && !page.contains("在售"), "{page}");
    import(&w, "商家编码,售价\nA1,8\n").await.unwrap();
    assert_eq!(w.count("select count(*) from skus where enabled = 0 and price_fen = 800").await, 1);
    let page = brought(&w, &manager, "商品名称,规格,售价,库存\n衫,颜色:红,8,5\n").await;
    assert!(ticks(&page) == 0 && page.contains("打勾就重新在售"), "{page}");
    import(&w, "商品名称,规格,售价,库存\n衫,颜色:红,8,5\n").await.unwrap();
    assert_eq!(w.count("select count(*) from skus where enabled = 1").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_is_not_kept_and_goods_are_not_made_twice() {
    let w = World::new().await;
    let head = "商品名称,副标题,分类,商家编码,划线价,条码,售价,库存,图片\n";
    for nothing in ["NaN", "null", "无", "-", "—", "/", "N/A"] {
        let row = format!("杯{nothing},{nothing},{nothing},{nothing},{nothing},{nothing},5,1,{nothing}\n");
        // One that is an error of a spreadsheet is one here.
        let name = row.replacen(&format!("杯{nothing}"), &format!("杯{}", nothing.len()), 1);
        let done = import(&w, &format!("{head}{name}")).await;
        assert!(done.is_ok() || nothing == "N/A", "{nothing}: {done:?}");
    }
    assert_eq!(w.count("select count(*) from skus where sku_code is not null").await, 0);
    assert_eq!(w.count("select count(*) from categories").await, 0);
    // Pictures on the web are left out, and said.
    let manager = w.staff("manager", Role::Manager).await;
    let page = brought(&w, &manager, "商品名称,售价,库存,主图\n碗,5,1,https://example.com/a.jpg\n盘,5,1,a.jpg\n").await;
    assert!(ticks(&page) == 2 && page.contains("有 2 行的图片是网址或文件名，没有导入"), "{page}");
    // The same name in other signs.
    import(&w, "商品名称,售价,库存\nT恤(男),5,1\n").await.unwrap();
    for name in ["T恤（男）", "Ｔ恤(男)", "t 恤【男】"] {
        let page = brought(&w, &manager, &format!("商品名称,售价,库存\n{name},5,1\n")).await;
        assert!(ticks(&page) == 0 && page.contains("店里有「T恤(男)」"), "{name}: {page}");
    }
    let page = brought(&w, &manager, "商品名称,售价,库存\nT恤(女),5,1\n").await;
    assert_eq!(ticks(&page), 1, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_shop_tells_what_is_on_sale() {
    let w = World::new().await;
    let on_sale = async || w.count("select count(*) from products where on_shelf = 1").await;
    for (title, state, on) in [
        ("商品状态", "已下架", false),
        ("宝贝状态", "仓库中", false),
        ("状态", "出售中", true),
        ("上下架状态", "定时上架", false),
        ("商品状态", "已售罄", true),
        ("Status", "draft", false),
        ("是否下架", "是", false),
        ("是否在售", "在售", true),
        ("在售", "否", false),
        ("停售", "是", false),
        ("是否停用", "是", false),
        ("是否启用", "否", false),
        ("状态", "启用", true),
    ] {
        let name = format!("{title}{state}");
        let before = on_sale().await;
        import(&w, &format!("商品名称,售价,库存,{title}\n{name},5,0,{state}\n")).await.unwrap();
        assert_eq!(on_sale().await - before, i64::from(on), "{name}");
    }
    // What nobody understands is put nowhere, and what contradicts itself neither.
    for (title, rows, what) in [
        ("商品状态", "杯,5,1,正常", "上架「正常」不知道是上架还是下架"),
        ("状态", "杯,5,1,出售中\n碗,5,1,待定", "第 3 行：上架「待定」"),
        ("商品状态", "杯,5,3,已售罄", "上架写的是「已售罄」，库存却有 3 件"),
        ("商品状态", "杯,5,1,出售中\n杯,5,1,仓库中", "第 3 行"),
    ] {
        let problem = import(&w, &format!("商品名称,售价,库存,{title}\n{rows}\n")).await.unwrap_err();
        assert!(problem.contains(what), "{rows}: {problem}");
    }
    // Of goods that are known, a state is a change like any other.
    import(&w, "商品名称,商品状态\n状态出售中,仓库中\n").await.unwrap();
    assert_eq!(w.count("select on_shelf from products where name = '状态出售中'").await, 0);
    // A program that ends each line with a comma moves nothing.
    assert_eq!(import(&w, "name,price,stock\n钟,1,5,\n表,1,5,\n").await.unwrap().skus, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_specification_that_is_told_by_its_values_is_known_by_them() {
    let w = World::new().await;
    let head = "商品名称,规格,商家编码,售价,库存\n";
    import(
        &w,
        &format!("{head}衫,颜色:红;尺码:L,A1,9,5\n衫,颜色:红;尺码:M,A2,9,5\n米,净含量:1kg,B1,9,5\n碗,,C1,9,5\n"),
    )
    .await
    .unwrap();
    let specs = async || {
        let all = "select group_concat(p.name || s.specs || s.price_fen, ' ') from skus s join products p on p.id = s.product_id";
        w.shop
            .db
            .read(move |conn| Ok::<_, xiaopu::error::Error>(conn.query_row(all, [], |row| row.get::<_, String>(0))?))
            .await
            .unwrap()
    };
    for table in [
        "商品名称,规格名称,售价\n衫,\"红,L\",7\n衫,红 M,7\n米,1KG,7\n碗,白,7\n",
        "商家编码,规格名称,售价\nA1,L红,7\n",
        "货品名称,颜色及规格,零售价\n衫,红;L,7\n衫,红;M,7\n",
    ] {
        let done = import(&w, table).await;
        match table.contains("L红") {
            true => assert!(done.unwrap_err().contains("请照店里的样子写全")),
            false => assert_eq!(done.unwrap().added, 0, "{table}"),
        }
    }
    let right = [
        r#"衫[["颜色","红"],["尺码","L"]]700"#,
        r#"衫[["颜色","红"],["尺码","M"]]700"#,
        r#"米[["净含量","1kg"]]700"#,
        "碗[]700",
    ];
    assert_eq!(specs().await.split(' ').collect::<Vec<_>>(), right);
    // New goods get a name for it that a shop would give.
    assert_eq!(
        import(&w, "货品名称,规格名称,零售价,可用库存\n茶,50g/罐,9,5\n茶,100g/罐,19,5\n盘,默认规格,9,5\n")
            .await
            .unwrap()
            .skus,
        3
    );
    assert_eq!(w.count(r#"select count(*) from skus where specs = '[["规格","50g/罐"]]'"#).await, 1);
    w.must_hold().await;
}

/// Goods without a choice have one price: a word for another kind of them does not change it unasked.
#[tokio::test(flavor = "multi_thread")]
async fn a_specification_for_goods_that_have_none_is_asked_about() {
    let w = World::new().await;
    let all = "商品名称,分类,商家编码,条码,售价,库存\n糕,点心,,,36,57\n茶 500g,,,,18,9\n酒,,J1,6901234567892,9,5\n";
    import(&w, all).await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let asked = "在店里没有规格，表里写的是“";
    for spec in ["大份", "加大", "两盒装", "6 寸", "XL", "红色", "1盒", "大份，两盒"] {
        for (table, what) in [
            (format!("商品名称,规格,售价,库存\n糕,\"{spec}\",46,10\n"), "一行"),
            (format!("商品名称,规格,售价\n糕,\"{spec}\",46\n"), "售价"),
            (format!("商品名称,规格,库存\n糕,\"{spec}\",10\n"), "库存"),
            (format!("商品名称,规格,分类\n糕,\"{spec}\",面点\n"), "分类"),
            (format!("商品名称,规格名称,售价\n糕,\"{spec}\",46\n"), "规格名称"),
            (format!("商品名称,颜色,售价\n糕,\"{spec}\",46\n"), "颜色"),
            (format!("商品名称,规格值1,售价\n糕,\"{spec}\",46\n"), "规格值1"),
        ] {
            let page = brought(&w, &manager, &table).await;
            assert!(page.contains(asked) && ticks(&page) == 0, "{spec} {what}: {page}");
            assert!(page.contains("先在商品页给现在这一种写上规格"), "{page}");
        }
        let page = brought(&w, &manager, &format!("商品名称,规格,售价,库存\n糕,\"{spec}\",36,57\n")).await;
        assert!(!page.contains("name=\"row\""), "nothing is changed: {page}");
    }
    for (name, spec) in [
        ("糕", "均码"),
        ("糕", "默认"),
        ("糕", "无"),
        ("糕", ""),
        ("糕", "件"),
        ("糕", "1件"),
        ("糕", "标准款"),
        ("糕", "Free"),
        ("茶 500g", "500g"),
        ("茶 500g", "500 G"),
    ] {
        let page = brought(&w, &manager, &format!("商品名称,规格,售价\n{name},{spec},30\n")).await;
        assert!(!page.contains(asked) && ticks(&page) == 1, "{name} {spec}: {page}");
    }
    for spec in ["规格:大份", "颜色:红;尺码:L"] {
        let page = brought(&w, &manager, &format!("商品名称,规格,售价,库存\n糕,{spec},46,10\n")).await;
        assert!(page.contains("「糕」现在没有规格，这一行写的是") && ticks(&page) == 0, "{spec}: {page}");
    }
    // Its code tells which goods are meant.
    for table in ["商家编码,规格,售价\nJ1,大瓶,8\n", "条码,规格,售价\n6901234567892,大瓶,8\n"] {
        let page = brought(&w, &manager, table).await;
        assert!(page.contains("表里的“大瓶”没有写进去") && ticks(&page) == 1, "{table}: {page}");
    }
    // In an export that is all that was changed.
    let export = manager.page("/admin/products/export.csv").await;
    let edited = export.replace("糕,,点心,,", "糕,,点心,大份,");
    assert_ne!(edited, export);
    let page = brought(&w, &manager, &edited).await;
    assert!(page.contains("表里的“大份”没有写进去") && !page.contains("name=\"row\""), "{page}");
    let page = brought(&w, &manager, &edited.replace("36.00", "46.00")).await;
    assert!(page.contains(asked) && ticks(&page) == 0, "{page}");
    w.must_hold().await;
}

/// What differs from a value of the shop's by what people write or leave out is that value, or asked about.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_shop_has_in_other_signs_becomes_no_second_one() {
    let w = World::new().await;
    let cake = "商品名称,规格,售价,库存\n蛋糕,尺寸:6 寸,88,40\n蛋糕,尺寸:8 寸,128,40\n";
    let shirt = "衫,颜色:白色;尺码:S,80,9\n衫,颜色:白色;尺码:M,80,9\n衫,颜色:黑色;尺码:M,80,9\n";
    import(&w, &format!("{cake}{shirt}")).await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let head = "商品名称,规格,售价,库存\n";
    let columns = "商品名称,颜色,尺码,售价,库存\n";
    let check = async |table: &str| {
        let plan = import::plan(&tables::read(table.as_bytes(), &WANTED).unwrap(), None).ok().unwrap();
        let judged = w.shop.db.read(move |conn| import::judge(conn, &plan.rows)).await.unwrap().remove(0);
        match judged.verdict {
            _ if judged.doubt.contains("是一样的，请照店里的写") => "asked",
            Verdict::New if !judged.is_doubtful() => "new",
            Verdict::Changed if !judged.is_doubtful() => "changed",
            _ => panic!("{table}: {judged:?}"),
        }
    };
    let before = "select count(*) from skus";
    for (rows, expected) in [
        ("蛋糕,尺寸:6寸,90,60", "changed"),
        ("蛋糕,尺寸:6  寸,90,60", "changed"),
        ("蛋糕,尺 寸:６ 寸,90,60", "changed"),
        ("蛋糕,6寸,90,60", "changed"),
        ("衫,颜色:白 色;尺码:S,90,60", "changed"),
        ("衫,尺码:ｓ;颜色:白色,90,60", "changed"),
        ("蛋糕,尺寸:6英寸,90,60", "asked"),
        ("蛋糕,尺寸:6,90,60", "asked"),
        ("蛋糕,尺寸:6 寸款,90,60", "asked"),
        ("衫,颜色:白;尺码:S,90,60", "asked"),
        ("衫,颜色:白色;尺码:S码,90,60", "asked"),
        ("衫,颜色:白色;尺码:S 码,90,60", "asked"),
        ("衫,颜色:白 色;尺码:XL,90,60", "asked"),
        ("衫,颜色:白;尺码:XL,90,60", "asked"),
        ("蛋糕,尺寸:10 寸,190,60", "new"),
        ("蛋糕,尺寸:1 6寸,190,60", "new"),
        ("衫,颜色:米白;尺码:S,90,60", "new"),
        ("衫,颜色:黑色;尺码:S,90,60", "new"),
        ("衫,颜色:白色;尺码:XL,90,60", "new"),
    ] {
        assert_eq!(check(&format!("{head}{rows}\n")).await, expected, "{rows}");
    }
    for (row, expected) in [
        ("衫,白 色,M,90,60", "changed"),
        ("衫,白色,Ｍ,90,60", "changed"),
        ("衫,白色,M码,90,60", "asked"),
        ("衫,白,M,90,60", "asked"),
        ("衫,白色,L,90,60", "new"),
    ] {
        assert_eq!(check(&format!("{columns}{row}\n")).await, expected, "{row}");
    }
    // Of new goods the later of two rows.
    for (rows, asked) in [
        ("伞,颜色:红,9,3\n伞,颜色:红色,9,3\n", 1),
        ("伞,颜色:红 色,9,3\n伞,颜色:红色,9,3\n", 1),
        ("伞,尺码:36,9,3\n伞,尺码:36码,9,3\n伞,尺码:37,9,3\n", 1),
        ("蛋糕,尺寸:12 寸,190,3\n蛋糕,尺寸:12寸,190,3\n", 1),
        ("伞,颜色:红,9,3\n伞,颜色:蓝,9,3\n", 0),
        ("伞,颜色:红;尺码:S,9,3\n伞,颜色:红;尺码:M,9,3\n", 0),
        ("伞,尺码:S,9,3\n碗,尺码:S码,9,3\n", 0),
    ] {
        let page = brought(&w, &manager, &format!("{head}{rows}")).await;
        let told = page.matches("是一样的，请写成一样").count();
        assert_eq!((told, ticks(&page)), (asked, rows.lines().count() - asked), "{rows}: {page}");
    }
    // What is off sale is in nobody's way, and a code tells which is called otherwise now.
    let off = "update skus set enabled = 0 where specs like '%8 寸%'";
    w.shop.write(move |tx| Ok(tx.execute(off, [])?)).await.unwrap();
    assert_eq!(check(&format!("{head}蛋糕,尺寸:8英寸,128,6\n")).await, "new");
    w.shop.write(|tx| Ok(tx.execute("update skus set sku_code = 'K' || id", [])?)).await.unwrap();
    let renamed = "商家编码,规格\nK1,尺寸:6寸\n";
    let page = brought(&w, &manager, renamed).await;
    assert!(ticks(&page) == 1 && !page.contains("是一样的"), "{page}");
    let count = w.count(before).await;
    import(&w, &format!("{head}蛋糕,尺寸:6寸,90,60\n衫,颜色:白 色;尺码:Ｓ,70,6\n")).await.unwrap();
    assert_eq!(w.count(before).await, count);
    w.must_hold().await;
}

/// A row says in its last column which goods it was exported as: called otherwise, it does not put them on sale once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_an_export_that_is_called_otherwise_is_asked_about() {
    let w = World::new().await;
    let all =
        "商品名称,副标题,规格,商家编码,售价,库存\n糕,,,,36,57\n茶,香,包装:罐,,18,9\n茶,香,包装:袋,,12,9\n酒,,,J1,9,5\n";
    import(&w, all).await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    let export = manager.page("/admin/products/export.csv").await;
    let line = |name: &str| export.lines().find(|line| line.contains(name)).unwrap().trim_start_matches('\u{feff}');
    let table = |lines: &[String]| format!("{}\n{}\n", export.lines().next().unwrap(), lines.join("\n"));
    let edited = |of: &str, from: &str, to: &str| {
        let (before, after) = (line(of), line(of).replacen(from, to, 1));
        assert_ne!(before, after);
        after
    };
    for (rows, asked) in [
        (vec![edited("糕,", "糕,", "糕（新款）,")], "导出时这一行是「糕」：改名请在商品页"),
        (vec![edited("糕,", "糕,", "饼,"), line("糕,").to_owned()], "导出时这一行是「糕」：改名请在商品页"),
        (vec![edited("包装:罐", "包装:罐", "包装:礼盒")], "导出时这一行规格是「包装:罐」：改规格请在商品页"),
        (vec![edited("包装:罐", "茶,", "红茶,")], "导出时这一行是「茶」：改名请在商品页"),
        // Its name stood still while the others were sorted.
        (vec![edited("包装:罐", "茶,", "糕,")], "现在没有规格"),
        (
            vec![edited("包装:罐", "包装:罐", "包装:盒"), line("糕,").replacen("糕,,,,", "茶,,,包装:条,", 1)],
            "导出时这一行是「糕」：改名请在商品页，只排了几列的请重新排；真要给「茶」另加一个规格的请打勾",
        ),
        (vec![edited("J1", "酒,", "老酒,")], "改名请在商品页"),
        (vec![edited("J1", "酒,", "老酒,").replace("J1", "J2")], "导出时这一行是「酒」：改名请在商品页"),
    ] {
        let page = brought(&w, &manager, &table(&rows)).await;
        assert!(page.contains(asked) && ticks(&page) == 0, "{rows:?}: {page}");
    }
    // A blank is no other specification, and what was sold since stays sold.
    let page =
        brought(&w, &manager, &table(&[edited("包装:罐", "包装:罐", "包 装:罐").replace("18.00", "20.00")])).await;
    assert!(ticks(&page) == 1 && page.contains("<b>20.00</b>"), "{page}");
    // New rows are new where they say nothing of an export.
    let own = "饼,,,,,5.00,,3,,是,,,,,".to_owned();
    let page = brought(&w, &manager, &table(&[own, edited("糕,", "36.00", "38.00")])).await;
    assert!(ticks(&page) == 2 && !page.contains("请打勾"), "{page}");
    // What was renamed in the shop since then, and once more in the table.
    w.shop.write(|tx| Ok(tx.execute("update products set name = '老糕' where name = '糕'", [])?)).await.unwrap();
    let page = brought(&w, &manager, &table(&[edited("糕,", "糕,", "饼,")])).await;
    assert!(page.contains("导出时的样子写的是别的商品，或者改了名") && ticks(&page) == 0, "{page}");
    // From an export that had no prints yet.
    for (row, asked) in [("茶,包装:礼盒,9,1,1", true), ("茶,包装:礼盒,9,1,", false)] {
        let page = brought(&w, &manager, &format!("商品名称,规格,售价,库存,导出时库存\n{row}\n")).await;
        assert_eq!(page.contains("导出时有这个规格，现在没有了"), asked, "{row}: {page}");
    }
    w.must_hold().await;
}

/// A number of pieces that somebody is not sure of, or that are not there, is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_stock_with_more_words_than_a_unit_is_refused() {
    let w = World::new().await;
    import(&w, "商品名称,售价,库存\n糕,36,53\n").await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    for (stock, read) in [
        ("50", true),
        ("50件", true),
        ("50 盒", true),
        ("50 pcs", true),
        ("50 缺货", false),
        ("50左右", false),
        ("约50", false),
        ("50多件", false),
        ("50以上", false),
        ("50件左右", false),
        ("50预售", false),
        ("50(冻结)", false),
        ("50 sold", false),
    ] {
        let page = brought(&w, &manager, &format!("商品名称,库存\n糕,{stock}\n")).await;
        assert_eq!((ticks(&page), page.contains("不是 0 或正整数")), (usize::from(read), !read), "{stock}: {page}");
    }
}

/// Others count what can be sold, without what orders wait for: that lies there besides.
#[tokio::test(flavor = "multi_thread")]
async fn a_stock_of_what_can_be_sold_is_without_what_orders_have_reserved() {
    let w = World::new().await;
    let cup = w.product("杯", 1900, 10).await;
    w.product("碗", 900, 10).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, cup, 3).await;
    let stock = async || {
        let sql = "select group_concat(on_hand || '/' || reserved, ' ') from (select on_hand, reserved from skus order by id)";
        w.shop.read(move |conn| Ok(conn.query_row(sql, [], |row| row.get::<_, String>(0))?)).await.unwrap()
    };
    assert_eq!(stock().await, "10/3 10/0");
    for (head, row, is) in [
        ("可售库存", "7", "10/3 7/0"),
        ("可用库存", "6", "9/3 6/0"),
        ("可用数量", "7", "10/3 7/0"),
        ("库存,可售库存", "10,8", "10/3 10/0"),
        ("库存", "8", "8/3 8/0"),
        ("实际库存,占用,可销库存", "10,3,7", "10/3 7/0"),
        ("可售库存", "0", "3/3 0/0"),
        ("现货库存", "10", "10/3 10/0"),
    ] {
        import(&w, &format!("商品名称,{head}\n杯,{row}\n碗,{row}\n")).await.unwrap();
        assert_eq!(stock().await, is, "{head} {row}");
    }
    w.must_hold().await;
}
