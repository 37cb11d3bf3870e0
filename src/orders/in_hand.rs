//! Which SKUs of a line its buyer has: what was bought, or what was sent in exchange for it; and what is still owed for it.

use super::{Full, Line};
use crate::catalogue::Sku;
use crate::ids::{LineId, ReturnId, SkuId};
use crate::returns::{CameBack, ReturnLine, ReturnState, With};

/// Pieces of some SKUs, each once.
pub type Goods = Vec<(SkuId, i64)>;

/// What a SKU of this line's product is called: the one that was bought as it was then, others as they are today.
pub fn spec_of(line: &Line, skus: &[Sku], id: SkuId) -> String {
    let today = skus.iter().find(|sku| sku.id == id && id != line.sku_id).map(Sku::spec_text);
    today.unwrap_or_else(|| line.spec_text.clone())
}

/// Which SKUs the pieces of a return are: as was seen when they came, before that as what was sent last.
pub fn had(full: &Full, id: ReturnId, line: &ReturnLine, of: &Line) -> Goods {
    let came = full.came_with(of.id, With::Return(id));
    if came.is_empty() { full.coming_back(of, line.quantity) } else { came }
}

/// What goes out for them unless staff say otherwise: what the buyer wished for, else the same again.
pub fn meant(line: &ReturnLine, of: &Line, had: &[(SkuId, i64)]) -> SkuId {
    line.sku.or(had.first().map(|(sku, _)| *sku)).unwrap_or(of.sku_id)
}

/// Pieces that go out for others which came back to be exchanged.
pub struct Owed<'a> {
    pub case: ReturnId,
    pub line: &'a Line,
    pub sku: SkuId,
    pub n: i64,
}

impl Full {
    /// What is to be packed for exchanges whose goods are here: it leaves with the exchange, not with the order. Where money
    /// went back for the goods nothing is owed for them.
    pub fn to_exchange(&self) -> Vec<Owed<'_>> {
        let waits = self.returns.iter().filter(|one| one.case.state == ReturnState::Received);
        let mut owed = Vec::new();
        for (case, line) in waits.flat_map(|one| one.lines.iter().map(move |line| (one.case.id, line))) {
            let paid_for = self.paid_for().into_iter().find(|(of, n)| of.id == line.line_id && line.quantity <= *n);
            if let Some((of, _)) = paid_for {
                owed.push(Owed { case, line: of, sku: meant(line, of, &had(self, case, line, of)), n: line.quantity });
            }
        }
        owed
    }

    /// What left for this line and did not come back; what was sent last stands last. Money that went back for goods
    /// that stayed takes nothing away.
    pub fn goods_of(&self, line: &Line) -> Goods {
        let mut goods = vec![(line.sku_id, line.shipped)];
        for sent in &self.resends {
            // What was lost is replaced by its like.
            let Some(case) = sent.return_id else { continue };
            let came = self.came_with(line.id, With::Return(case));
            for (_, sku, n) in sent.lines.iter().filter(|(of, ..)| *of == line.id) {
                if came.is_empty() {
                    // Exchanged before this was written down.
                    take_oldest(&mut goods, *n);
                }
                goods.push((*sku, *n));
            }
            came.iter().for_each(|(sku, n)| take(&mut goods, *sku, *n));
        }
        let exchanged = |came: &CameBack| {
            self.resends.iter().any(|sent| sent.return_id.is_some_and(|case| came.with == With::Return(case)))
        };
        let apart = self.came_back.iter().filter(|came| came.line_id == line.id && !exchanged(came));
        apart.filter(|came| self.is_kept(came)).for_each(|came| take(&mut goods, came.sku, came.quantity));
        joined(goods)
    }

    /// What these pieces of a line are, if nobody says: what was sent last, for that is what a buyer was sent instead.
    pub fn coming_back(&self, line: &Line, pieces: i64) -> Goods {
        let mut newest = self.goods_of(line);
        newest.reverse();
        cut(&newest, pieces, line.sku_id)
    }

    /// What came with a return, or with a refund of which no return was made.
    pub fn came_with(&self, line: LineId, with: With) -> Goods {
        let came = self.came_back.iter().filter(|came| came.line_id == line && came.with == with);
        came.map(|came| (came.sku, came.quantity)).collect()
    }

    /// The pieces of a line that came with this return are on the shelf again.
    pub fn restocked_with(&self, line: LineId, case: ReturnId) -> bool {
        let case = self.returns.iter().find(|full| full.case.id == case);
        case.is_some_and(|full| full.lines.iter().any(|one| one.line_id == line && one.restocked))
    }

    /// The shop has it: its money went back, or it is here. What was refused went back to its buyer.
    fn is_kept(&self, came: &CameBack) -> bool {
        let With::Return(id) = came.with else { return true };
        let case = self.returns.iter().find(|full| full.case.id == id);
        case.is_some_and(|full| {
            let refund = self.refunds.iter().find(|one| Some(one.refund.id) == full.case.refund);
            full.case.state == ReturnState::Received
                || refund.is_some_and(|one| one.refund.state.takes_money())
                || self.restocked_with(came.line_id, id)
        })
    }
}

/// So many pieces of these goods, the first first; what they do not come to is of the SKU that was bought.
pub fn cut(goods: &[(SkuId, i64)], pieces: i64, bought: SkuId) -> Goods {
    let mut left = pieces;
    let mut some = Goods::new();
    for (sku, n) in goods {
        let n = left.min(*n);
        left -= n;
        some.push((*sku, n));
    }
    some.push((bought, left));
    joined(some)
}

fn take_oldest(goods: &mut Goods, mut pieces: i64) {
    for (_, n) in goods.iter_mut() {
        let taken = pieces.min(*n);
        *n -= taken;
        pieces -= taken;
    }
}

fn take(goods: &mut Goods, sku: SkuId, mut pieces: i64) {
    for (_, n) in goods.iter_mut().rev().filter(|(of, _)| *of == sku) {
        let taken = pieces.min(*n);
        *n -= taken;
        pieces -= taken;
    }
}

/// Each SKU once, where it stood last; none of nothing.
fn joined(goods: Goods) -> Goods {
    let mut all = Goods::new();
    for (sku, n) in goods.into_iter().filter(|(_, n)| *n > 0) {
        let before = all.iter().position(|(of, _)| *of == sku).map_or(0, |at| all.remove(at).1);
        all.push((sku, before + n));
    }
    all
}
