//! Good samples of everything that comes from outside, to be spoilt.

use std::io::Cursor;

use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};

use super::entries::merchant;

pub fn of(entry: &str) -> Vec<Vec<u8>> {
    match entry {
        "xml" | "notice" => vec![notice(), b"<xml><a><![CDATA[x]]></a><b>&lt;&#20013;</b></xml>".to_vec()],
        "refund_notice" => vec![refund_notice()],
        "bill" => vec![bill()],
        "csv" => vec![goods().into_bytes(), "订单号,快递公司,单号\n20261008AAAAAAAAAA,顺丰,SF1234567890123\n".into()],
        "xlsx" => vec![
            workbook(),
            include_bytes!("../files/tables/wps.xlsx").to_vec(),
            include_bytes!("../files/tables/xlsxwriter_pictures.xlsx").to_vec(),
        ],
        "xls" => vec![
            include_bytes!("../files/tables/xlwt.xls").to_vec(),
            include_bytes!("../files/tables/libreoffice_around.xls").to_vec(),
            include_bytes!("../files/tables/libreoffice_formats.xls").to_vec(),
            include_bytes!("../files/tables/libreoffice_pictures.xls").to_vec(),
        ],
        "ods" => vec![
            include_bytes!("../files/tables/odfpy.ods").to_vec(),
            include_bytes!("../files/tables/libreoffice_around.ods").to_vec(),
        ],
        "pasted" => vec![b"20261008AAAAAAAAAA\tSF1234567890123\n20261008AAAAAAAAAB JDVA1234567890\n".to_vec()],
        "picture" => pictures(),
        "places" => {
            ["新疆 西藏:25；乌鲁木齐：30元;港澳台:不发货", "浙江省杭州市西湖区、滨江区，上海市/上海市/浦东新区"]
                .map(Into::into)
                .to_vec()
        }
        "json" => vec![order(), address()],
        "text" => vec![b"azoxOjI".to_vec(), b"12.34".to_vec(), "１２".into(), b"-0.01".to_vec(), b"20".to_vec()],
        "label" => vec![
            "MMM={'k1':'755W','k5':'SF1234567890123','k6':''}".into(),
            "快递单号：JDVA12345678901-1-1-".into(),
            b"https://example.com/w?no=SF1234567890123".to_vec(),
            "中通快递股份有限公司(ZTO)".into(),
            b"20261008AAAAAAAAAA01".to_vec(),
        ],
        "export" => {
            ["=1+1\n-10℃ 冰袋\n'引号\n00123\n1E+05\n３-４\n〇", "#N/A\nErr:502\n合计\n_x0041_\n=DISPIMG(\"a\",1)\nTRUE"]
                .map(Into::into)
                .to_vec()
        }
        "cell" => ["颜色:红,尺码：L/款式:甲", "￥１，２９９．００元", "59.699999999999996", "1,000件", "12 pcs"]
            .map(Into::into)
            .to_vec(),
        _ => panic!("no samples of {entry}"),
    }
}

fn notice() -> Vec<u8> {
    let mut message = Message::from([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx0000000000000000"),
        ("mch_id", "1900000109"),
        ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
        ("openid", "o0000000000000000000000000001"),
        ("trade_type", "JSAPI"),
        ("bank_type", "CMB_CREDIT"),
        ("total_fee", "8800"),
        ("cash_fee", "8800"),
        ("fee_type", "CNY"),
        ("transaction_id", "4200000000202610080000000001"),
        ("out_trade_no", "20261008AAAAAAAAAA01"),
        ("time_end", "20261008131540"),
    ]);
    message.set("sign", sign::sign(&message, SignType::Md5, &merchant().key));
    message.to_xml().into_bytes()
}

fn refund_notice() -> Vec<u8> {
    let hint =
        b"<root><out_refund_no>20261008AAAAAAAAAAR01</out_refund_no><refund_status>SUCCESS</refund_status></root>";
    let sealed = sign::seal_req_info(hint, &merchant().key);
    Message::from([
        ("return_code", "SUCCESS"),
        ("appid", "wx0000000000000000"),
        ("mch_id", "1900000109"),
        ("nonce_str", "x"),
        ("req_info", sealed.as_str()),
    ])
    .to_xml()
    .into_bytes()
}

fn bill() -> Vec<u8> {
    "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n\
     `2026-10-08 13:15:40,`wx0000000000000000,`1900000109,`0,`,`4200000000202610080000000001,`20261008AAAAAAAAAA01,`o1,`JSAPI,`SUCCESS,`CMB_CREDIT,`CNY,`88.00,`0.00,`0,`0,`0.00,`0.00,`,`,`苹果, 梨,`,`0.53000,`0.60%,`88.00,`0.00,`\r\n\
     总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
     `1,`88.00,`0.00,`0.00,`0.53000,`88.00,`0.00\r\n"
        .into()
}

fn goods() -> String {
    "商品名称,副标题,分类,规格,商家编码,售价(元),划线价(元),库存,图片,上架\n苹果,脆甜,水果/仁果,颜色:红;尺码:L,A-1,12.50,15,100,,是\n苹果,,,颜色:绿;尺码:L,A-2,13,,5,,是\n".into()
}

fn workbook() -> Vec<u8> {
    let rows: Vec<Vec<String>> =
        goods().lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let head: Vec<String> = goods().lines().next().unwrap_or_default().split(',').map(str::to_owned).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    xiaopu::tables::xlsx(&head, &[], &rows).expect("a workbook can be written")
}

fn pictures() -> Vec<Vec<u8>> {
    let picture = image::DynamicImage::new_rgba8(9, 7);
    let profiled: [&[u8]; 6] = [
        include_bytes!("../files/pictures/p3.png"),
        include_bytes!("../files/pictures/p3.webp"),
        include_bytes!("../files/pictures/gray.jpg"),
        include_bytes!("../files/pictures/ycck_inks.jpg"),
        include_bytes!("../files/pictures/turned_late.png"),
        include_bytes!("../files/pictures/moving.gif"),
    ];
    [image::ImageFormat::Png, image::ImageFormat::Jpeg, image::ImageFormat::WebP]
        .into_iter()
        .map(|format| {
            let mut bytes = Cursor::new(Vec::new());
            let picture = if format == image::ImageFormat::Jpeg { picture.to_rgb8().into() } else { picture.clone() };
            image::DynamicImage::write_to(&picture, &mut bytes, format).expect("a picture can be written");
            bytes.into_inner()
        })
        .chain(profiled.map(<[u8]>::to_vec))
        .collect()
}

fn order() -> Vec<u8> {
    br#"{"items":[{"skuId":"1","quantity":2}],"addressId":null,"delivery":"express"}"#.to_vec()
}

fn address() -> Vec<u8> {
    r#"{"receiver":"王小样","phone":"13800001234","province":"浙江省","city":"杭州市","district":"西湖区","detail":"演示路 1 号","postcode":"310000"}"#.into()
}
