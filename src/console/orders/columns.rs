//! The columns of the table of orders.

use crate::console::columns::{Column, Ways};
use crate::orders::search::Sort;
use crate::staff::{Role, Staff};
use crate::stored_enum::stored_enum;

stored_enum! {
    pub enum OrderColumn {
        No "no" "订单号",
        Placed "placed" "下单",
        Paid "paid" "付款",
        Receiver "receiver" "收货人",
        Region "region" "地区",
        Words "words" "留言 · 备注",
        Pieces "pieces" "件数",
        Freight "freight" "运费",
        Total "total" "应付",
        State "state" "状态",
        Waited "waited" "等了多久",
        Tracking "tracking" "快递单号",
    }
}

impl Column for OrderColumn {
    const ALL: &'static [OrderColumn] = OrderColumn::ALL;

    fn word(self) -> &'static str {
        self.word()
    }

    fn text(self) -> &'static str {
        self.text()
    }

    fn is_number(self) -> bool {
        matches!(self, OrderColumn::Pieces | OrderColumn::Freight | OrderColumn::Total)
    }

    fn is_usual(self) -> bool {
        use OrderColumn::{Freight, Paid, Pieces, Tracking};
        !matches!(self, Paid | Pieces | Freight | Tracking)
    }
}

impl OrderColumn {
    /// Packers see what to do, not what it earns.
    pub fn is_seen_by(self, staff: &Staff) -> bool {
        staff.role > Role::Packer || !matches!(self, OrderColumn::Freight | OrderColumn::Total)
    }

    /// Names, places and words have no order that anybody would look for: they are searched for and filtered by.
    /// `waiting`: the list is of orders that wait to be shipped; `alike`: all of them are in one state.
    pub fn ways(self, waiting: bool, alike: bool) -> Option<Ways<Sort>> {
        let (first, other, rises) = match self {
            // A number begins with its day, and what follows is chance.
            OrderColumn::No | OrderColumn::Placed => (Sort::Newest, Sort::Oldest, false),
            OrderColumn::Paid => (Sort::LastPaid, Sort::FirstPaid, false),
            OrderColumn::Pieces => (Sort::MostPieces, Sort::FewestPieces, false),
            OrderColumn::Freight => (Sort::MostFreight, Sort::LeastFreight, false),
            OrderColumn::Total => (Sort::Dearest, Sort::Cheapest, false),
            OrderColumn::State if !alike => (Sort::FirstState, Sort::LastState, true),
            OrderColumn::Waited if waiting => (Sort::LongestWaiting, Sort::ShortestWaiting, false),
            _ => return None,
        };
        Some(Ways { first, other, rises })
    }
}
