//! Staff for the owner: who there is, who may what, and who is shut out.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::customers::EXPORTS_CUSTOMERS;
use crate::assets;
use crate::clock;
use crate::console::orders::list::EXPORTS_BUYERS;
use crate::console::{Choice, Frame, back, choices, framed, refused, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::StaffId;
use crate::shop::Shop;
use crate::staff::login::{self, INVITATION_DAYS, audit};
use crate::staff::store::{self, Invitation, Member};
use crate::staff::{Owner, Role};

pub fn routes() -> Vec<Route> {
    routes![page, invite, withdraw, set_role, disable, enable, log_out, reset_totp]
}

const HERE: &str = "/admin/staff";

/// What each role may, as the guards of the pages have it.
const MATRIX: &[(&str, Role)] = &[
    ("看订单、打印、发货、撤销发货", Role::Packer),
    ("显示完整收货信息（会记录）", Role::Packer),
    ("导出待发货的订单（收货信息隐去，会记录）", Role::Packer),
    ("导出全部订单和完整收货信息（会记录）", EXPORTS_BUYERS),
    ("看顾客、写顾客备注和标签、显示完整资料（会记录）", Role::Clerk),
    ("停止顾客下单、导出顾客资料（会记录）", EXPORTS_CUSTOMERS),
    ("改价、代客下单、取消未付款的订单、写退款", Role::Clerk),
    ("看交易流水、后台任务、诊断", Role::Clerk),
    ("同意退款（店员另有单笔上限）", Role::Manager),
    ("处理资金异常、对账、月报", Role::Manager),
    ("商品、价格、库存、分类、优惠和发券", Role::Manager),
    ("登记线下收款", Role::Owner),
    ("设置、微信密钥、证书", Role::Owner),
    ("按要求删除买家资料", Role::Owner),
    ("员工、操作日志、备份、接口密钥和推送", Role::Owner),
];

/// Who works here, and who may what.
#[derive(Serialize)]
struct StaffPage {
    frame: Frame,
    tab: &'static str,
    /// For somebody who was invited just now, shown this once.
    link: Option<String>,
    roles: Vec<Choice<Role>>,
    people: Vec<MemberShown>,
    invitations: Vec<InvitationShown>,
    matrix: Vec<RightShown>,
    invitation_days: i64,
}

#[derive(Serialize)]
struct MemberShown {
    id: StaffId,
    name: String,
    role: Role,
    totp: bool,
    last: Option<String>,
    /// How long ago.
    seen: Option<String>,
    disabled: Option<String>,
    me: bool,
}

impl MemberShown {
    fn of(member: &Member, me: StaffId, now: i64) -> MemberShown {
        MemberShown {
            id: member.staff.id,
            name: member.staff.name.clone(),
            role: member.staff.role,
            totp: member.has_totp,
            last: member.last_login_at.map(clock::shown),
            seen: member.seen_at.filter(|at| *at > 0).map(|at| clock::span(now - at)),
            disabled: member.disabled_at.map(clock::shown),
            me: member.staff.id == me,
        }
    }
}

#[derive(Serialize)]
struct InvitationShown {
    name: String,
    role: &'static str,
    until: String,
}

impl From<&Invitation> for InvitationShown {
    fn from(invitation: &Invitation) -> InvitationShown {
        InvitationShown {
            name: invitation.name.clone(),
            role: invitation.role.text(),
            until: clock::shown(invitation.expires_at),
        }
    }
}

/// What may be done, and whether each role may.
#[derive(Serialize)]
struct RightShown {
    what: &'static str,
    may: Vec<bool>,
}

fn matrix() -> Vec<RightShown> {
    let row = |(what, least): &(&'static str, Role)| RightShown {
        what,
        may: Role::ALL.iter().map(|role| role >= least).collect(),
    };
    MATRIX.iter().map(row).collect()
}

#[get("/staff")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    render(shop, &owner, flash, None).await
}

async fn render(shop: &Shop, owner: &Owner, flash: Option<FlashMessage<'_>>, link: Option<String>) -> Result<Template> {
    let now = shop.now();
    let read =
        move |conn: &rusqlite::Connection| Ok((store::all(conn)?, store::invitations(conn, now)?, waiting(conn)?));
    let (people, invitations, waits) = shop.read(read).await?;
    let page = StaffPage {
        frame: framed(shop, &owner.0, "system", flash, waits),
        tab: "staff",
        link,
        roles: choices(Role::ALL, Role::text),
        people: people.iter().map(|member| MemberShown::of(member, owner.0.id, now)).collect(),
        invitations: invitations.iter().map(InvitationShown::from).collect(),
        matrix: matrix(),
        invitation_days: INVITATION_DAYS,
    };
    Ok(assets::page("console/staff.html", page))
}

#[derive(FromForm)]
struct Invite {
    name: String,
    role: String,
}

/// Shows the link once: the page is the answer itself, so that no address and no cookie carries it.
#[post("/staff/invite", data = "<form>")]
async fn invite(
    shop: &State<Shop>,
    owner: Owner,
    form: Form<Invite>,
) -> Result<std::result::Result<Template, Flash<Redirect>>> {
    let made = async {
        let role = form.role.parse().map_err(|()| Error::field("role", "请选择角色"))?;
        login::invite(shop, &owner.0, &form.name, role).await
    };
    match made.await {
        Ok(token) => {
            let base = shop.settings().get("shop.public_url").unwrap_or_default().trim_end_matches('/').to_owned();
            Ok(Ok(render(shop, &owner, None, Some(format!("{base}/admin/invite/{token}"))).await?))
        }
        Err(e) => Ok(Err(refused(HERE, e.under("account", "name")))),
    }
}

#[derive(FromForm)]
struct Name {
    name: String,
}

#[post("/staff/withdraw", data = "<form>")]
async fn withdraw(shop: &State<Shop>, owner: Owner, form: Form<Name>) -> Flash<Redirect> {
    let name = form.into_inner().name;
    let write = move |tx: &Tx| {
        store::delete_invitation(tx, &name)?;
        Ok(audit(tx, &owner.0, &format!("撤回给 {name} 的邀请"))?)
    };
    back(HERE, shop.write(write).await.map(|()| "邀请已撤回"))
}

/// Changes a member in one transaction, and leaves at least one owner who can get in.
async fn change(
    shop: &Shop,
    owner: Owner,
    id: StaffId,
    act: impl Fn(&Tx, &Member) -> Result<String> + Send + 'static,
) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let member = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let what = act(tx, &member)?;
        let able = |m: &Member| m.staff.role == Role::Owner && m.disabled_at.is_none();
        if !store::all(tx)?.iter().any(able) {
            return Err(Error::field("role", "至少要有一个能登录的店主"));
        }
        audit(tx, &owner.0, &what)?;
        Ok(what)
    };
    back(HERE, shop.write(write).await)
}

#[derive(FromForm)]
struct NewRole {
    role: String,
}

#[post("/staff/<id>/role", data = "<form>")]
async fn set_role(shop: &State<Shop>, owner: Owner, id: StaffId, form: Form<NewRole>) -> Flash<Redirect> {
    let role = form.role.parse::<Role>();
    let act = move |tx: &Tx, member: &Member| {
        let role = role.map_err(|()| Error::field("role", "请选择角色"))?;
        store::set_role(tx, member.staff.id, role)?;
        Ok(format!("{} 的角色：{} → {}", member.staff.name, member.staff.role.text(), role.text()))
    };
    change(shop, owner, id, act).await
}

#[post("/staff/<id>/disable")]
async fn disable(shop: &State<Shop>, owner: Owner, id: StaffId) -> Flash<Redirect> {
    let act = |tx: &Tx, member: &Member| {
        store::set_disabled(tx, member.staff.id, Some(tx.now()))?;
        store::delete_sessions(tx, member.staff.id, None)?;
        Ok(format!("停用账号 {}", member.staff.name))
    };
    change(shop, owner, id, act).await
}

#[post("/staff/<id>/enable")]
async fn enable(shop: &State<Shop>, owner: Owner, id: StaffId) -> Flash<Redirect> {
    let act = |tx: &Tx, member: &Member| {
        store::set_disabled(tx, member.staff.id, None)?;
        Ok(format!("恢复账号 {}", member.staff.name))
    };
    change(shop, owner, id, act).await
}

#[post("/staff/<id>/log-out")]
async fn log_out(shop: &State<Shop>, owner: Owner, id: StaffId) -> Flash<Redirect> {
    let act = |tx: &Tx, member: &Member| {
        let n = store::delete_sessions(tx, member.staff.id, None)?;
        Ok(format!("让 {} 的 {n} 处登录下线", member.staff.name))
    };
    change(shop, owner, id, act).await
}

#[post("/staff/<id>/reset-totp")]
async fn reset_totp(shop: &State<Shop>, owner: Owner, id: StaffId) -> Flash<Redirect> {
    let act = |tx: &Tx, member: &Member| {
        store::set_totp(tx, member.staff.id, None)?;
        Ok(format!("关闭 {} 的两步验证", member.staff.name))
    };
    change(shop, owner, id, act).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Staff;

    #[test]
    fn the_page_of_staff_asks_for_nothing_that_it_is_not_given() {
        let member = |id: i64, role: Role, off: bool| Member {
            staff: Staff::sample(id, role),
            last_login_at: (!off).then_some(1),
            seen_at: (!off).then_some(1),
            has_totp: !off,
            disabled_at: off.then_some(1),
        };
        let people = [member(1, Role::Owner, false), member(2, Role::Packer, true), member(3, Role::Clerk, false)];
        let invitation =
            InvitationShown { name: "小周".into(), role: Role::Packer.text(), until: "10-11 13:00".into() };
        let page = StaffPage {
            frame: Frame::sample(Role::Owner),
            tab: "staff",
            link: Some("https://shop.example/admin/invite/abc".into()),
            roles: choices(Role::ALL, Role::text),
            people: people.iter().map(|one| MemberShown::of(one, StaffId(1), 2)).collect(),
            invitations: vec![invitation],
            matrix: matrix(),
            invitation_days: INVITATION_DAYS,
        };
        let html = assets::strictly("console/staff.html", page).unwrap_or_else(|e| panic!("{e:#}"));
        assert!(html.contains("小周") && html.contains("已停用") && html.contains("登记线下收款"));
        // Oneself is not shut out by accident.
        assert!(!html.contains("/admin/staff/1/disable") && html.contains("/admin/staff/3/disable"));
    }
}
