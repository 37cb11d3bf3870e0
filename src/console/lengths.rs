//! How long what staff type may be. A rule stands with what it is a rule of, and here where it is a page's own; the templates
//! ask for it by name, so that no field stops short of what is taken.

use crate::aftersale::{self, decide};
use crate::assets::Numbers;
use crate::buyers::{addresses, api::PASTED};
use crate::catalogue::rules;
use crate::customers;
use crate::ids;
use crate::payments::{prepay, refund};
use crate::programs::{self, keys};
use crate::typed::Length;
use crate::{freight, invoices, promotions, staff};

/// What of the shop's own stands beside an order.
pub const MEMO: Length = Length::up_to(500);
/// What is written into an order's timeline for colleagues alone: buyers never see it.
pub const NOTE: Length = Length::between(1, 500);
/// Why a price is changed, or why money came in another way.
pub const PRICE_REASON: Length = Length::between(2, 60);
/// What a buyer is told about money that goes back.
pub const REFUND_WORDS: Length = Length::between(2, 100);
/// How money that fits nowhere was dealt with.
pub const RESOLUTION: Length = Length::between(2, 200);
/// Why a stock is changed.
pub const STOCK_NOTE: Length = Length::up_to(100);
/// What a filter of the orders' list is kept as.
pub const VIEW_NAME: Length = Length::between(1, 20);

/// What no rule measures, for it is read, looked for or scanned: room for that and all that is pasted around it.
const BARCODE: Length = Length::up_to(60);
const COMPANY: Length = Length::up_to(40);
const COMPANY_OF_A_ROW: Length = Length::up_to(60);
const GOODS: Length = Length::up_to(120);
const LOOKED_FOR: Length = Length::up_to(60);
const ORDER_OF_A_ROW: Length = Length::up_to(200);
const PICKUP_CODE: Length = Length::up_to(200);
const PIECES: Length = Length::up_to(10);
const TAGS: Length = Length::up_to(160);
const TRACKING_NO: Length = Length::up_to(400);

/// What templates know as `frame.most`.
pub const MOST: Numbers = Numbers(|field| length(field).map(Length::most));
/// What they know as `frame.least`.
pub const LEAST: Numbers = Numbers(|field| length(field).map(Length::least));

fn length(field: &str) -> Option<Length> {
    Some(match field {
        "account" => staff::login::NAME,
        "address_pasted" => PASTED,
        "barcode" => BARCODE,
        "category" => rules::CATEGORY,
        "city" => addresses::CITY,
        "company" => COMPANY,
        "company_of_a_row" => COMPANY_OF_A_ROW,
        "customer_note" => customers::NOTE,
        "customer_tags" => TAGS,
        "detail" => addresses::DETAIL,
        "district" => addresses::DISTRICT,
        "freight_name" => freight::rules::NAME,
        "freight_regions" => freight::rules::REGIONS,
        "goods" => GOODS,
        "hook_url" => programs::URL,
        "invoice_answer" => invoices::ANSWER,
        "invoice_link" => invoices::LINK,
        "invoice_number" => invoices::NUMBER,
        "key_name" => keys::NAME,
        "looked_for" => LOOKED_FOR,
        "memo" => MEMO,
        "note" => NOTE,
        "order_no" => ids::ORDER_NO,
        "order_of_a_row" => ORDER_OF_A_ROW,
        "phone" => addresses::PHONE,
        "pickup_code" => PICKUP_CODE,
        "pieces" => PIECES,
        "price_reason" => PRICE_REASON,
        "product_detail" => rules::DETAIL,
        "product_name" => rules::NAME,
        "promotion_code" => promotions::rules::CODE,
        "promotion_name" => promotions::rules::NAME,
        "province" => addresses::PROVINCE,
        "purchase_limit" => rules::PURCHASE_LIMIT_DIGITS,
        "receiver" => addresses::RECEIVER,
        "refund_description" => refund::DESCRIPTION,
        "refund_words" => REFUND_WORDS,
        "remark" => prepay::REMARK,
        "resolution" => RESOLUTION,
        "return_address" => decide::ADDRESS,
        "return_words" => aftersale::WORDS,
        "sku_code" => rules::CODE,
        "stock_note" => STOCK_NOTE,
        "subtitle" => rules::SUBTITLE,
        "tracking_no" => TRACKING_NO,
        "view_name" => VIEW_NAME,
        _ => return None,
    })
}
