//! Keys of other programs: made once and shown once, known by their hash, and asked for with every request.

use rocket::Request;
use rocket::request::{FromRequest, Outcome};

use super::{Key, Right, store};
use crate::buyers::bearer;
use crate::clock::{DAY, Day, MINUTE};
use crate::db::Tx;
use crate::door::client_ip;
use crate::door::limits::Limits;
use crate::error::{self, Code, Error, Result};
use crate::ids::ApiKeyId;
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::staff::{self, Staff};
use crate::typed::Length;

/// What every key begins with: whoever finds one knows what it opens.
const BEGINS: &str = "xp_";
const MOST: usize = 20;
/// What a key is called.
pub const NAME: Length = Length::between(1, 20);
/// How long a key may be good, in days.
pub const DAYS: [i64; 4] = [30, 90, 180, 365];

/// A program that has shown a key which is in force.
pub struct Program {
    pub key: ApiKeyId,
    pub name: String,
    pub ip: String,
    rights: Vec<Right>,
    read_at: i64,
}

impl Program {
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    pub fn must(&self, right: Right) -> Result<()> {
        let words = || format!("这个密钥没有「{}」的权限，请店主在后台另建一个", right.text());
        if self.may(right) { Ok(()) } else { Err(Error::from(Code::Forbidden).says(words())) }
    }

    /// How it stands in timelines and logs.
    pub fn called(&self) -> String {
        format!("接口 {}", self.name)
    }

    /// Reading whom parcels go to is written down, once a day.
    pub async fn note_reading(&self, shop: &Shop) -> Result<()> {
        if !self.may(Right::Addresses) || Day::of(self.read_at) == Day::of(shop.now()) {
            return Ok(());
        }
        let (id, who, ip) = (self.key, self.called(), self.ip.clone());
        let write = move |tx: &Tx| {
            store::set_read(tx, id)?;
            Ok(staff::store::insert_audit(tx, None, &who, &ip, "读取订单的完整收货信息（每天记一次）")?)
        };
        shop.write(write).await
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Program {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Program, ()> {
        match identify(request).await {
            Ok(program) => Outcome::Success(program),
            Err(error) => Outcome::Error((error::leave(request, error), ())),
        }
    }
}

async fn identify(request: &Request<'_>) -> Result<Program> {
    let shop = request.rocket().state::<Shop>().ok_or(Code::Internal)?;
    let unknown =
        || Error::from(Code::Unauthenticated).says("密钥不对、已到期或已停用，请店主在后台 设置 → 接口 里新建");
    let token = bearer(request).filter(|token| token.starts_with(BEGINS)).ok_or_else(unknown)?;
    let (hash, now, ip) = (token_hash(token), shop.now(), client_ip(request));
    let found = shop.read(move |conn| Ok(store::key(conn, &hash)?)).await?;
    let key = found.filter(|key| key.is_good(now)).ok_or_else(unknown)?;
    if let Some(limits) = request.rocket().state::<Limits>() {
        limits.program(key.id.0)?;
    }
    // Written down at most once a minute: reading must not cost a commit.
    if key.used_at.is_none_or(|at| now - at >= MINUTE) {
        let (id, ip) = (key.id, ip.clone());
        shop.write(move |tx| Ok(store::set_used(tx, id, &ip)?)).await?;
    }
    Ok(Program { key: key.id, name: key.name, ip, rights: key.rights, read_at: key.read_at })
}

/// What the owner asks for.
pub struct Wanted {
    pub name: String,
    pub rights: Vec<Right>,
    pub days: i64,
}

/// Makes a key; answers with it, the only time that it is seen.
pub async fn make(shop: &Shop, owner: &Staff, wanted: Wanted) -> Result<String> {
    let name = wanted.name.trim().to_owned();
    if !NAME.fits_line(&name) {
        return Err(Error::field("name", format!("名称应为 {NAME}，例如 ERP")));
    }
    if wanted.rights.is_empty() {
        return Err(Error::field("rights", "请至少选一项权限"));
    }
    if !DAYS.contains(&wanted.days) {
        return Err(Error::field("days", "请选择有效期"));
    }
    let (token, now, owner) = (format!("{BEGINS}{}", shop.nonces.token()), shop.now(), owner.clone());
    let key = Key {
        id: ApiKeyId(0),
        name,
        tail: token[token.len() - 4..].to_owned(),
        rights: wanted.rights,
        made_by: owner.name.clone(),
        created_at: now,
        ends_at: now + wanted.days * DAY,
        used_at: None,
        used_ip: String::new(),
        read_at: 0,
        ended_at: None,
    };
    let hash = token_hash(&token);
    let write = move |tx: &Tx| {
        if store::keys(tx)?.iter().filter(|key| key.is_good(now)).count() >= MOST {
            return Err(Error::field("name", format!("最多 {MOST} 个密钥，请先停用不用的")));
        }
        if !store::insert_key(tx, &key, &hash)? {
            return Err(Error::field("name", format!("「{}」这个名称用过了，请换一个", key.name)));
        }
        let rights = key.rights.iter().map(|right| right.text()).collect::<Vec<_>>().join("、");
        Ok(staff::login::audit(tx, &owner, &format!("新建接口密钥「{}」：{rights}", key.name))?)
    };
    shop.write(write).await?;
    Ok(token)
}

/// Ends a key at once.
pub async fn end(shop: &Shop, owner: Staff, id: ApiKeyId) -> Result<()> {
    let write = move |tx: &Tx| {
        let gone = || Error::from(Code::NotFound).says("这个密钥已经停用了");
        let name = store::end_key(tx, id)?.ok_or_else(gone)?;
        Ok(staff::login::audit(tx, &owner, &format!("停用接口密钥「{name}」"))?)
    };
    shop.write(write).await
}
