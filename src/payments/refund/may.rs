//! What somebody may do with a refund: what it allows as it stands, by role. Pages ask `may`, and their acts `must`.

use super::elsewhere;
use crate::error::{Code, Error, Result};
use crate::money::Fen;
use crate::refunds::{CLOSED, Options, Origin, Refund, RefundState};
use crate::settings::Settings;
use crate::staff::Role;

/// One of the things that are done with a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Decide,
    Withdraw,
    Retry,
    Stop,
    Query,
    Settle,
}

impl Deed {
    fn is_in(self, options: &Options) -> bool {
        match self {
            Deed::Decide => options.decide,
            Deed::Withdraw => options.withdraw,
            Deed::Retry => options.retry,
            Deed::Stop => options.stop,
            Deed::Query => options.query,
            Deed::Settle => options.settle,
        }
    }
}

/// Who wants to do something with a refund, and what is known beside it.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub role: Role,
    pub settings: &'a Settings,
    /// WeChat cannot be asked about this refund.
    pub unasked: bool,
}

/// Whether somebody may give this much back alone.
pub fn may_agree(role: Role, settings: &Settings, amount: Fen) -> bool {
    role >= Role::Manager || (role == Role::Clerk && settings.clerk_refund_limit().is_some_and(|limit| amount <= limit))
}

/// Errors: somebody else has to agree to so much.
pub fn must_agree(role: Role, settings: &Settings, amount: Fen) -> Result<()> {
    match may_agree(role, settings, amount) {
        true => Ok(()),
        false => Err(Error::from(Code::OrderState).says("这个金额要经理或店主同意")),
    }
}

/// What somebody may do with a refund now.
pub fn may(asker: &Asker<'_>, refund: &Refund) -> Options {
    let stands = if asker.unasked { refund.options_unasked() } else { refund.options() };
    let (clerk, manager) = (asker.role >= Role::Clerk, asker.role >= Role::Manager);
    Options {
        decide: stands.decide && may_agree(asker.role, asker.settings, refund.amount),
        // A buyer's wish is agreed to or refused, so that the buyer hears of it.
        withdraw: stands.withdraw && clerk && refund.origin == Origin::Staff,
        retry: stands.retry && manager,
        stop: stands.stop && manager,
        query: stands.query && clerk,
        settle: stands.settle && manager,
    }
}

/// Errors: that may not be done, and why.
pub fn must(asker: &Asker<'_>, refund: &Refund, deed: Deed) -> Result<()> {
    if deed.is_in(&may(asker, refund)) {
        return Ok(());
    }
    let says = |words: &str| Err(Error::from(Code::OrderState).says(words));
    match deed {
        Deed::Decide if refund.options().decide => says("这个金额要经理或店主来决定"),
        Deed::Withdraw if refund.origin != Origin::Staff => says("买家的申请请同意或拒绝，不能撤回"),
        Deed::Retry if refund.state == RefundState::Failed && refund.problem_code == CLOSED => {
            says("微信已关闭这个退款单号，不能再用它重试。请停止这一笔，再新建一笔退款")
        }
        _ => Err(elsewhere(refund)),
    }
}
