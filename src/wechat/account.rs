//! Who we are at WeChat Pay, in the version of its API that an attempt was made in.

use serde::Deserialize;

use super::{v2, v3};
use crate::words::words;

words! {
    /// A version of WeChat Pay's API.
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Api {
        #[default]
        V2 "v2" "API v2",
        V3 "v3" "API v3",
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
