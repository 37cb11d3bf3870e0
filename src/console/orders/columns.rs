//! The columns of the table of orders.

use crate::console::columns::{Column, Ways};
use crate::orders::search::Sort;
use crate::staff::{Role, Staff};
use crate::words::words;

words! {
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

    /// `waiting`: the list is of orders that wait to be shipped.
    pub fn ways(self, waiting: bool) -> Option<Ways<Sort>> {
        match self {
            OrderColumn::Placed => Some(Ways { first: Sort::Newest, other: Sort::Oldest, rises: false }),
            OrderColumn::Total => Some(Ways { first: Sort::Dearest, other: Sort::Cheapest, rises: false }),
            OrderColumn::Waited if waiting => {
                Some(Ways { first: Sort::LongestWaiting, other: Sort::ShortestWaiting, rises: false })
            }
            _ => None,
        }
    }
}
