//! How the refund certificate stands: one rule, for whoever asks.

use super::Settings;
use crate::clock::{self, DAY};
use crate::wechat::certificate::Facts;

/// From this long before its end a certificate is warned about: a new one takes days to get.
const WARN_BEFORE: i64 = 60 * DAY;

/// The refund certificate beside what it must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    Missing,
    /// It cannot be read, and why.
    Unusable(&'a str),
    /// Of another merchant than the settings'.
    OtherMerchant(&'a Facts),
    Ended(&'a Facts),
    Ending(&'a Facts),
    Good(&'a Facts),
}

impl Settings {
    /// How the certificate stands at this moment towards this merchant number.
    pub fn certificate(&self, mch_id: Option<&str>, now: i64) -> Standing<'_> {
        match self.identity() {
            None => Standing::Missing,
            Some(Err(problem)) => Standing::Unusable(problem),
            Some(Ok(identity)) => of_facts(&identity.facts, mch_id, now),
        }
    }
}

fn of_facts<'a>(facts: &'a Facts, mch_id: Option<&str>, now: i64) -> Standing<'a> {
    match facts {
        facts if mch_id.is_some_and(|mch_id| mch_id != facts.mch_id) => Standing::OtherMerchant(facts),
        facts if facts.not_after <= now => Standing::Ended(facts),
        facts if facts.not_after - now < WARN_BEFORE => Standing::Ending(facts),
        facts => Standing::Good(facts),
    }
}

impl Standing<'_> {
    /// What is wrong with it, or soon will be, and what to do.
    pub fn problem(&self, now: i64) -> Option<String> {
        Some(match self {
            Standing::Good(_) => return None,
            Standing::Missing => "上传退款证书，才能原路退款".to_owned(),
            Standing::Unusable(problem) => format!("退款证书不能使用：{problem}"),
            Standing::OtherMerchant(facts) => {
                format!("退款证书是商户号 {} 的，和设置的商户号不同，请换上对应的证书", facts.mch_id)
            }
            Standing::Ended(facts) => {
                format!("退款证书已在 {} 过期，请在商户平台更换后重新上传", clock::shown(facts.not_after))
            }
            Standing::Ending(facts) => {
                let (left, until) = (clock::span(facts.not_after - now), clock::shown(facts.not_after));
                format!("退款证书还有 {left}到期（{until}），请在商户平台更换后重新上传")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_about_while_there_is_time() {
        let facts = Facts {
            mch_id: "1900000109".into(),
            name: String::new(),
            serial: String::new(),
            not_before: 0,
            not_after: 100 * DAY,
        };
        for (mch_id, now, expected) in [
            (None, 0, Standing::Good(&facts)),
            (Some("1900000109"), 40 * DAY, Standing::Good(&facts)),
            (Some("1900000109"), 40 * DAY + 1, Standing::Ending(&facts)),
            (Some("1900000109"), 100 * DAY, Standing::Ended(&facts)),
            (Some("1900000110"), 0, Standing::OtherMerchant(&facts)),
        ] {
            assert_eq!(of_facts(&facts, mch_id, now), expected, "{mch_id:?} {now}");
        }
    }
}
