//! 小铺: a shop for WeChat mini-programs in one executable. The modules stand in reading order.

pub mod cli;
pub mod console;
pub mod docs;
pub mod miniprogram;
pub mod operations;
pub mod stage;
pub mod worker;

pub mod aftersale;
pub mod backups;
pub mod baskets;
pub mod drafts;
pub mod invoices;
pub mod outbox;
pub mod packing;
pub mod payments;
pub mod places;
pub mod posters;
pub mod programs;
pub mod reconcile;

pub mod customers;
pub mod exceptions;
pub mod freight;
pub mod jobs;
pub mod ledger;
pub mod orders;
pub mod parcels;
pub mod photos;
pub mod promotions;
pub mod refunds;
pub mod returns;
pub mod shipping;

pub mod buyers;
pub mod catalogue;
pub mod staff;

pub mod door;
pub mod message_log;

pub mod error;
pub mod settings;
pub mod shop;

pub mod db;
pub mod simulator;
pub mod wechat;

pub mod assets;
pub mod clock;
pub mod ids;
pub mod memory;
pub mod money;
pub mod nonce;
pub mod say;
pub mod secrets;
pub mod shown;
pub mod sockets;
pub mod stored_enum;
pub mod tables;
pub mod typed;

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::shield::Shield;
use rocket::{Build, Rocket, Route};

use shop::Shop;

/// The whole shop: every URL prefix, who answers it, and who dresses its errors.
pub fn rocket(shop: Shop, figment: Figment) -> Rocket<Build> {
    let demo = shop.demo.is_some();
    let rocket = rocket::custom(assets::with_template_dir(figment))
        .manage(catalogue::cache::Cache::default())
        .manage(buyers::logins::Logins::default())
        .manage(catalogue::sellers::Sellers::default())
        .manage(orders::margin::Margins::default())
        .manage(door::limits::Limits::default())
        .manage(posters::Turn::default())
        .manage(door::traffic::Traffic::default())
        .attach(Shield::new())
        .attach(sockets::backlog::Backlog)
        .attach(sockets::patience::Patience::default())
        .attach(door::Headers { script: &assets::EARLY.source })
        .attach(console::origin::OriginCheck)
        .attach(console::Stay)
        .attach(assets::templates())
        .attach(assets::Pages)
        .attach(AdHoc::on_liftoff("worker", |rocket| {
            let shop = rocket.state::<Shop>().cloned();
            let shutdown = rocket.shutdown();
            Box::pin(async move {
                if let Some(shop) = shop {
                    tokio::spawn(worker::run(shop, shutdown));
                }
            })
        }))
        .mount("/api/v1", buyers::api::routes())
        .mount("/api/v1", first(catalogue::api::routes()))
        .mount("/api/v1", orders::api::routes())
        .mount("/api/v1", promotions::api::routes())
        .mount("/api/v1", drafts::api::routes())
        .mount("/api/v1", baskets::api::routes())
        .mount("/api/v1", posters::api::routes())
        .mount("/api/v1", invoices::api::routes())
        .mount("/api/v1", first(payments::api::routes()))
        .mount("/api/v1", payments::refund::api::routes())
        .mount("/api/v1", aftersale::api::routes())
        .mount("/api/v1", photos::api::routes())
        .mount("/api/v1", programs::api::routes())
        .mount("/api", docs::routes())
        .mount("/wechat", first(payments::notify::routes()))
        .mount("/wechat", payments::notify_v3::routes())
        .mount("/wechat", payments::messages::routes())
        .mount("/admin", console::routes())
        .mount("/", catalogue::media::routes())
        .mount("/", assets::routes())
        .mount("/", operations::routes())
        .register("/", door::page_catchers())
        .register("/api", door::api_catchers())
        .register("/wechat", door::wechat_catchers())
        .register("/admin", console::catchers());
    let rocket = if demo { rocket.mount("/", stage::routes()) } else { rocket.mount("/", console::front_door()) };
    rocket.manage(shop)
}

/// Routes that are tried before all others: Rocket goes through them one by one, and these are asked for most.
fn first(mut routes: Vec<Route>) -> Vec<Route> {
    routes.iter_mut().for_each(|route| route.rank -= 100);
    routes
}
