//! Who we are at WeChat Pay, in the version of its API that an attempt was made in.

use serde::Deserialize;

use super::{v2, v3};
use crate::clock::MINUTE;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// A version of WeChat Pay's API.
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Api {
        #[default]
        V2 "v2" "API v2",
        V3 "v3" "API v3",
    }
}

/// What the two versions do differently, for whoever need not know which is which.
impl Api {
    /// Its query of a payment's refunds lists those that were made in WeChat's console, too.
    pub fn lists_refunds(self) -> bool {
        self == Api::V2
    }

    /// It gives money back, and hands out the flow of funds, to whoever shows a client certificate.
    pub fn needs_certificate(self) -> bool {
        self == Api::V2
    }

    /// So long after it was made it lets an order be closed; with v3 that is advice. Source: close order, API v2.
    pub fn closable_after(self) -> i64 {
        match self {
            Api::V2 => 5 * MINUTE,
            Api::V3 => 0,
        }
    }

    /// Its notices may say that an attempt of this version was paid. WeChat tells of what API v3 made by v3 alone, and signs it
    /// with a key that nobody else has; that of v2 is known to whatever else the merchant uses.
    pub fn tells_of(self, made_by: Api) -> bool {
        !(self == Api::V2 && made_by == Api::V3)
    }

    /// Where new attempts are made by this version, money of which only somebody with the key of v2 has told is asked about before
    /// it may do anything. A shop by v2 has no other key: it pays orders at once, and asking about the rest would guard nothing.
    pub fn asks_first(self) -> bool {
        self != Api::V2
    }
}

/// The merchant with the credentials of one version.
#[derive(Clone, Debug, PartialEq)]
pub enum Account {
    V2(v2::Merchant),
    V3(v3::Merchant),
}

impl Account {
    pub fn api(&self) -> Api {
        match self {
            Account::V2(_) => Api::V2,
            Account::V3(_) => Api::V3,
        }
    }

    pub fn app_id(&self) -> &str {
        match self {
            Account::V2(merchant) => &merchant.app_id,
            Account::V3(merchant) => &merchant.app_id,
        }
    }

    /// The same merchant under another app: a payment is followed to its end under the one it was made for.
    pub fn under(mut self, app_id: &str) -> Account {
        match &mut self {
            Account::V2(merchant) => app_id.clone_into(&mut merchant.app_id),
            Account::V3(merchant) => app_id.clone_into(&mut merchant.app_id),
        }
        self
    }

    /// The same, believing nothing but what is in force: to try out what was entered last.
    pub fn in_force(self) -> Account {
        match self {
            Account::V2(merchant) => Account::V2(merchant),
            Account::V3(merchant) => Account::V3(merchant.in_force()),
        }
    }

    pub fn mch_id(&self) -> &str {
        match self {
            Account::V2(merchant) => &merchant.mch_id,
            Account::V3(merchant) => &merchant.mch_id,
        }
    }
}
