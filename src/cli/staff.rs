//! `xiaopu staff`: accounts of the console, from the command line of the server.

use clap::Subcommand;

use super::{Outcome, ask_secret, open_shop};
use crate::clock;
use crate::db::Tx;
use crate::error::{Code, Error};
use crate::nonce::Nonces;
use crate::say::tell;
use crate::staff::{Role, login, password, store};

#[derive(Subcommand)]
pub enum Staff {
    /// 新建账号
    Add {
        name: String,
        /// owner 店主 | manager 经理 | clerk 店员 | packer 打包员
        #[arg(long)]
        role: String,
        /// 从标准输入读密码；不写则生成一个并显示
        #[arg(long)]
        password_stdin: bool,
    },
    /// 重设密码，并让这个账号的所有登录失效
    ResetPassword {
        name: String,
        /// 从标准输入读密码；不写则生成一个并显示
        #[arg(long)]
        password_stdin: bool,
    },
    /// 关闭一个账号的两步验证（手机丢了的时候）
    ResetTotp { name: String },
    /// 列出账号
    List,
}

impl Staff {
    pub async fn run(self) -> Outcome {
        let shop = open_shop().await?;
        match self {
            Staff::Add { name, role, password_stdin } => {
                let role: Role = role.parse().map_err(|()| "角色只能是 owner、manager、clerk 或 packer")?;
                let name = login::check_name(&name).map_err(|e| e.message())?;
                let (given, generated) = obtain(&name, password_stdin)?;
                let hash = password::hash(given.clone()).await.map_err(|e| e.message())?;
                let account = name.clone();
                let write = move |tx: &Tx| {
                    if store::by_name(tx, &account)?.is_some() {
                        return Err(Error::field("account", format!("账号 {account} 已经存在")));
                    }
                    let id = store::insert(tx, &account, role, &hash)?;
                    Ok(store::insert_audit(
                        tx,
                        Some(id),
                        "命令行",
                        "",
                        &format!("新建账号 {account}（{}）", role.text()),
                    )?)
                };
                shop.write(write).await.map_err(|e| e.message())?;
                tell!("✓ 已建立账号 {name}（{}）", role.text());
                show(&given, generated);
            }
            Staff::ResetPassword { name, password_stdin } => {
                let (given, generated) = obtain(&name, password_stdin)?;
                let hash = password::hash(given.clone()).await.map_err(|e| e.message())?;
                let account = name.clone();
                let write = move |tx: &Tx| {
                    if !store::set_password(tx, &account, &hash)? {
                        return Err(unknown(&account));
                    }
                    Ok(store::insert_audit(tx, None, "命令行", "", &format!("重设 {account} 的密码"))?)
                };
                shop.write(write).await.map_err(|e| e.message())?;
                tell!("✓ 已重设 {name} 的密码，该账号的所有登录已失效");
                show(&given, generated);
            }
            Staff::ResetTotp { name } => {
                let account = name.clone();
                let write = move |tx: &Tx| {
                    let known = store::by_name(tx, &account)?.ok_or_else(|| unknown(&account))?;
                    store::set_totp(tx, known.staff.id, None)?;
                    let what = format!("关闭 {account} 的两步验证");
                    Ok(store::insert_audit(tx, None, "命令行", "", &what)?)
                };
                shop.write(write).await.map_err(|e| e.message())?;
                tell!("✓ 已关闭 {name} 的两步验证");
            }
            Staff::List => {
                let everybody = shop.read(|conn| Ok(store::all(conn)?)).await.map_err(|e| e.message())?;
                if everybody.is_empty() {
                    tell!("还没有账号。新建：xiaopu staff add 名字 --role owner");
                }
                for member in everybody {
                    let last = member
                        .last_login_at
                        .map_or("从未登录".into(), |at| format!("上次登录 {}", clock::shown(at)));
                    let shut = if member.disabled_at.is_some() { "\t已停用" } else { "" };
                    tell!("{}\t{}\t{last}{shut}", member.staff.name, member.staff.role.text());
                }
            }
        }
        Ok(())
    }
}

fn unknown(account: &str) -> Error {
    Error::from(Code::NotFound).says(format!("没有账号 {account}，可用 xiaopu staff list 查看"))
}

/// The password from standard input, or a made one; true when made.
fn obtain(name: &str, from_stdin: bool) -> Result<(String, bool), String> {
    if !from_stdin {
        return Ok((Nonces::Random.token()[..16].to_owned(), true));
    }
    let given = ask_secret("密码")?;
    password::check(&given, name).map_err(|e| e.message())?;
    Ok((given, false))
}

fn show(password: &str, generated: bool) {
    if generated {
        tell!("  密码 {password}\n  （只显示这一次）");
    }
}
