//! Invoices (发票): asked for by buyers, written out by staff elsewhere, and noted here. The sum is always the order's own.

pub mod api;
pub mod store;
mod tax;

pub use tax::tax_no;

use crate::error::{Error, Result};
use crate::ids::{InvoiceId, OrderId, OrderNo};
use crate::money::Fen;
use crate::stored_enum::stored_enum;
use crate::typed::{Length, bare, clean};

stored_enum! {
    pub enum TitleKind {
        Personal "personal" "个人",
        Company "company" "企业",
    }
}

stored_enum! {
    pub enum InvoiceState {
        Asked "asked" "等店家开票",
        Issued "issued" "已开票",
        Refused "refused" "没有开",
    }
}

impl InvoiceState {
    /// What staff call it.
    pub fn staff_text(self) -> &'static str {
        match self {
            InvoiceState::Asked => "待开票",
            InvoiceState::Issued => "已开票",
            InvoiceState::Refused => "已拒绝",
        }
    }
}

/// Whom an invoice is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    pub kind: TitleKind,
    pub title: String,
    /// Empty for a person.
    pub tax_no: String,
    pub email: String,
}

#[derive(Clone, Debug)]
pub struct Invoice {
    pub id: InvoiceId,
    pub order: OrderId,
    pub order_no: OrderNo,
    pub title: Title,
    pub state: InvoiceState,
    /// What the order has brought, less what went back: now.
    pub due: Fen,
    /// What it was written out for.
    pub issued: Option<Fen>,
    pub number: String,
    pub link: String,
    pub answer: String,
    pub asked_at: i64,
    pub decided_at: Option<i64>,
}

/// What staff may do with an invoice as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub issue: bool,
    pub refuse: bool,
}

impl Invoice {
    /// Pages and actions ask this one function.
    pub fn options(&self) -> Options {
        let asked = self.state == InvoiceState::Asked;
        Options { issue: self.due > Fen::ZERO && (asked || self.outdated().is_some()), refuse: asked }
    }

    /// What an invoice that was written out says too much or too little since, in words; nothing while it is right.
    pub fn outdated(&self) -> Option<String> {
        let issued = self.issued.filter(|issued| *issued != self.due)?;
        Some(match self.due {
            Fen::ZERO => format!("开票 ¥{issued} 之后订单全额退款，这张发票要冲红"),
            due => format!("开票 ¥{issued} 之后金额变成 ¥{due}，这张发票要冲红重开"),
        })
    }
}

const TITLE: Length = Length::between(2, 100);
const EMAIL: Length = Length::up_to(100);
pub const NUMBER: Length = Length::between(1, 40);
pub const LINK: Length = Length::up_to(500);
pub const ANSWER: Length = Length::between(2, 200);

impl Title {
    /// As a buyer typed it. Errors: `ValidationFailed`, naming the field.
    pub fn read(kind: &str, title: &str, number: &str, email: &str) -> Result<Title> {
        let kind: TitleKind = kind
            .parse()
            .map_err(|()| Error::field("titleKind", "抬头类型只能是 personal（个人）或 company（企业）"))?;
        let title = clean(title);
        if !TITLE.fits_line(&title) {
            return Err(Error::field("title", format!("发票抬头应为{TITLE}")));
        }
        let number = match (kind, bare(number)) {
            (TitleKind::Personal, number) if number.is_empty() => number,
            (TitleKind::Personal, _) => return Err(Error::field("taxNo", "个人抬头不填税号；要写税号请选企业")),
            (TitleKind::Company, number) => tax_no(&number).map_err(|problem| Error::field("taxNo", problem))?,
        };
        let email = bare(email);
        let reachable = email.parse::<lettre::Address>().is_ok_and(|address| address.domain().contains('.'));
        if !(email.is_empty() || reachable && EMAIL.fits(&email)) {
            return Err(Error::field("email", "邮箱格式不对，例如 name@example.com"));
        }
        Ok(Title { kind, title, tax_no: number, email })
    }
}

/// What staff note of an invoice that they wrote out. Errors: `ValidationFailed`.
pub fn read_issued(number: &str, link: &str) -> Result<(String, String)> {
    let (number, link) = (bare(number), bare(link));
    if !NUMBER.fits_line(&number) {
        return Err(Error::field("number", format!("发票号码应为{NUMBER}")));
    }
    if !(link.is_empty() || link.starts_with("https://") && LINK.fits(&link) && !link.contains(' ')) {
        return Err(Error::field("link", "发票文件的地址应以 https:// 开头，也可以留空"));
    }
    Ok((number, link))
}

/// Why staff write none, as the buyer is told. Errors: `ValidationFailed`.
pub fn read_answer(answer: &str) -> Result<String> {
    let answer = clean(answer);
    if ANSWER.fits_line(&answer) {
        Ok(answer)
    } else {
        Err(Error::field("answer", format!("请写明原因（{ANSWER}），买家看得到")))
    }
}
