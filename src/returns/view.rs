//! Returns as the mini-program sees them.

use serde::Serialize;

use super::{FullReturn, Kind, Resend, ReturnState, Step};
use crate::clock::rfc3339;
use crate::ids::{LineId, RefundId, ResendId, ReturnId, SkuId};
use crate::parcels::Parcel;
use crate::photos::PhotoView;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnView {
    id: ReturnId,
    kind: Kind,
    kind_text: &'static str,
    state: ReturnState,
    state_text: &'static str,
    reason: String,
    description: String,
    /// What the shop said to it.
    answer: String,
    /// Where the goods are to be sent; empty until the shop has agreed.
    address: String,
    lines: Vec<LineView>,
    photos: Vec<PhotoView>,
    /// The parcel in which they come back.
    parcel: Option<ParcelView>,
    /// What it ended in: one of the order's refunds, or of its further parcels.
    refund_id: Option<RefundId>,
    resend_id: Option<ResendId>,
    /// When the time for the present step is over.
    due_at: Option<String>,
    steps: Vec<StepView>,
    created_at: String,
    ended_at: Option<String>,
    actions: Actions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    line_id: LineId,
    quantity: i64,
    sku_id: Option<SkuId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ParcelView {
    company: String,
    company_text: String,
    tracking_no: String,
}

impl From<&Parcel> for ParcelView {
    fn from(parcel: &Parcel) -> ParcelView {
        ParcelView {
            company: parcel.company.clone(),
            company_text: parcel.company_text().to_owned(),
            tracking_no: parcel.tracking_no.clone(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepView {
    at: String,
    by: String,
    state: ReturnState,
    state_text: &'static str,
    note: String,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> StepView {
        StepView {
            at: rfc3339(step.at),
            by: step.actor.clone(),
            state: step.state,
            state_text: step.state.buyer_text(),
            note: step.note.clone(),
        }
    }
}

/// What the buyer may do now.
#[derive(Serialize)]
struct Actions {
    cancel: bool,
    send: bool,
}

impl ReturnView {
    pub fn new(FullReturn { case, lines, photos, steps }: &FullReturn, resends: &[Resend]) -> ReturnView {
        let may = case.options();
        ReturnView {
            id: case.id,
            kind: case.kind,
            kind_text: case.kind.text(),
            state: case.state,
            state_text: case.state.buyer_text(),
            reason: case.reason.clone(),
            description: case.description.clone(),
            answer: case.answer.clone(),
            address: case.address.clone(),
            lines: lines
                .iter()
                .map(|line| LineView { line_id: line.line_id, quantity: line.quantity, sku_id: line.sku })
                .collect(),
            photos: photos.iter().map(PhotoView::from).collect(),
            parcel: case.parcel.as_ref().map(ParcelView::from),
            refund_id: case.refund,
            resend_id: resends.iter().find(|resend| resend.return_id == Some(case.id)).map(|resend| resend.id),
            due_at: case.due_at.map(rfc3339),
            steps: steps.iter().map(StepView::from).collect(),
            created_at: rfc3339(case.created_at),
            ended_at: case.ended_at.map(rfc3339),
            actions: Actions { cancel: may.cancel, send: may.send },
        }
    }
}

/// A parcel that was sent once more.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResendView {
    id: ResendId,
    return_id: Option<ReturnId>,
    reason: String,
    company: String,
    company_text: String,
    tracking_no: String,
    shipped_at: String,
    lines: Vec<ResendLineView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResendLineView {
    line_id: LineId,
    sku_id: SkuId,
    quantity: i64,
}

impl From<&Resend> for ResendView {
    fn from(resend: &Resend) -> ResendView {
        let lines = resend.lines.iter();
        ResendView {
            id: resend.id,
            return_id: resend.return_id,
            reason: resend.reason.clone(),
            company: resend.parcel.company.clone(),
            company_text: resend.parcel.company_text().to_owned(),
            tracking_no: resend.parcel.tracking_no.clone(),
            shipped_at: rfc3339(resend.sent_at),
            lines: lines
                .map(|(line_id, sku_id, quantity)| ResendLineView {
                    line_id: *line_id,
                    sku_id: *sku_id,
                    quantity: *quantity,
                })
                .collect(),
        }
    }
}
