//! The shop agrees and says where the goods are to go, or says no.

use super::{WORDS, go, standing, tell, words};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::ids::ReturnId;
use crate::orders::Who;
use crate::returns::{ReturnState, store};
use crate::settings::Settings;
use crate::typed::{Length, clean};

pub const ADDRESS: Length = Length::between(6, 200);

/// 同意: the buyer is told where to send the goods, and may be told something besides.
pub fn agree(tx: &Tx, id: ReturnId, address: &str, said: &str, who: &Who, settings: &Settings) -> Result<()> {
    let case = standing(tx, id, |may| may.agree)?;
    let (address, said) = (clean(address), said.trim());
    if !ADDRESS.fits(&address) {
        return Err(Error::field("address", format!("请写退货地址（收件人、电话、地址），{ADDRESS}")));
    }
    if !said.is_empty() && !WORDS.fits_lines(said) {
        return Err(Error::field("words", format!("给买家的话{WORDS}")));
    }
    store::set_answer(tx, id, said, &address)?;
    go(tx, &case, ReturnState::Agreed, who, said, settings)?;
    tell(tx, &case, settings)
}

/// 拒绝, with words for the buyer: the wish, or what has come.
pub fn reject(tx: &Tx, id: ReturnId, said: &str, who: &Who, settings: &Settings) -> Result<()> {
    let case = standing(tx, id, |may| may.reject)?;
    let said = words("words", said)?;
    store::set_answer(tx, id, &said, &case.address)?;
    go(tx, &case, ReturnState::Rejected, who, &said, settings)?;
    tell(tx, &case, settings)
}
