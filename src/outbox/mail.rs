//! Letters to the staff, by the shop's own mailbox.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::Tls;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::Unsent;
use crate::settings::{Settings, addresses, mail_server};
use crate::shop::Shop;

/// The whole conversation with the server.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends one letter, as the settings stand.
pub async fn send(shop: &Shop, subject: &str, text: &str) -> Result<(), Unsent> {
    let settings = shop.settings();
    let letter =
        letter(&settings, subject, text).ok_or_else(|| Unsent::Never("邮箱地址不对，请在设置里核对".to_owned()))?;
    let server = server(&settings)?;
    match tokio::time::timeout(TIMEOUT, server.send(letter)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(e)) if e.is_permanent() => {
            Err(Unsent::Never(format!("发信服务器没有接受：{e}。请核对发信邮箱和授权码")))
        }
        Ok(Err(e)) => Err(Unsent::Later(format!("发信服务器：{e}"))),
        Err(_) => Err(Unsent::Later("发信服务器没有回答".to_owned())),
    }
}

fn letter(settings: &Settings, subject: &str, text: &str) -> Option<Message> {
    let from = settings.get("shop.mail_user")?.parse().ok()?;
    let name = settings.shop_name().to_owned();
    let mut letter = Message::builder().from(Mailbox::new(Some(name), from)).subject(subject);
    for to in addresses(settings.get("shop.mail_to").unwrap_or_default()) {
        letter = letter.to(Mailbox::new(None, to.parse().ok()?));
    }
    letter.header(ContentType::TEXT_PLAIN).body(text.to_owned()).ok()
}

fn server(settings: &Settings) -> Result<AsyncSmtpTransport<Tokio1Executor>, Unsent> {
    let value = |name: &str| settings.get(name).unwrap_or_default();
    let (host, port) = mail_server(value("shop.mail_server")).map_err(|why| Unsent::Never(why.to_owned()))?;
    let unknown = |e: lettre::transport::smtp::Error| Unsent::Later(format!("无法建立安全连接：{e}"));
    let builder = match (host, port) {
        // A mail server on this machine, which hands letters on by its own ways.
        ("127.0.0.1" | "localhost", _) => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).tls(Tls::None),
        (_, 465) => AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(unknown)?,
        _ => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host).map_err(unknown)?,
    };
    let who = Credentials::new(value("shop.mail_user").to_owned(), value("shop.mail_password").to_owned());
    Ok(builder.port(port).credentials(who).timeout(Some(TIMEOUT)).build())
}
