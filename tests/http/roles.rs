//! Every route of the console, tried by everybody who may not: none is left out, and none opens.

use reqwest::Method;
use xiaopu::staff::Role;

use crate::support::*;

/// What opens without a login.
const OPEN: &[&str] = &[
    "GET /foreign",
    "GET /invite/<token>",
    "POST /invite/<token>",
    "POST /login",
    "GET /login?<next>",
    "GET /setup/<token>",
    "POST /setup/<token>",
];

/// Every other route, under the least role that opens it. A new one has to be entered here before the tests pass.
const ROUTES: &[(Role, &[&str])] = &[
    (
        Role::Packer,
        &[
            "GET /?<span..>",
            "GET /account",
            "POST /account/lists",
            "POST /account/password",
            "POST /account/sessions/<id>/end",
            "GET /account/totp",
            "POST /account/totp",
            "GET /account/totp.svg?<sealed>",
            "POST /account/totp/off",
            "GET /events?<since>",
            "POST /logout",
            "GET /orders/<no>?<show>&<came..>",
            "POST /orders/<no>/memo",
            "POST /orders/<no>/note",
            "POST /orders/<no>/pickup-ready",
            "GET /pickup",
            "POST /pickup",
            "POST /pickup/hand-over",
            "GET /orders/<no>/preview?<came..>",
            "GET /orders/<no>/reveal",
            "POST /orders/<no>/reveal",
            "POST /orders/<no>/ship",
            "POST /orders/<no>/shipments/<id>/number",
            "POST /orders/<no>/shipments/<id>/undo",
            "GET /orders/bulk",
            "POST /orders/bulk",
            "POST /undo",
            "GET /orders/export.csv?<query..>",
            "GET /orders/export.xlsx?<query..>",
            "POST /orders/views",
            "POST /orders/views/<id>/delete",
            "GET /orders?<query..>",
            "POST /print/done",
            "GET /print/bars/<no>",
            "GET /print/picking?<wanted..>",
            "GET /print/qr/<no>",
            "GET /print/slips?<wanted..>",
            "GET /pulse?<since>",
            "GET /shipping",
            "GET /shipping/carriers",
            "POST /shipping/carriers",
            "POST /shipping",
            "GET /shipping/batches/<id>",
            "POST /shipping/batches/<id>/agree",
            "POST /shipping/batches/<id>/allow",
            "GET /shipping/batches/<id>/problems.csv",
            "POST /shipping/batches/<id>/rows/<at>",
            "POST /shipping/batches/<id>/run",
            "POST /shipping/batches/<id>/undo",
            "GET /shipping/list.xlsx",
            "POST /shipping/scan",
            "GET /shipping/scan?<order>&<code>&<find>",
        ],
    ),
    (
        Role::Clerk,
        &[
            "GET /categories",
            "GET /customers?<query..>",
            "GET /customers/<id>?<before>",
            "POST /customers/<id>/note",
            "GET /customers/<id>/reveal",
            "POST /customers/<id>/reveal",
            "POST /customers/<id>/tags",
            "GET /products/held",
            "GET /diagnostics",
            "GET /exceptions",
            "GET /insights?<days>",
            "GET /jobs?<tab>",
            "GET /notices?<tab>&<before>",
            "GET /money/<day>",
            "GET /money?<month>",
            "GET /orders/<no>/cancel",
            "POST /orders/<no>/cancel",
            "POST /orders/<no>/address",
            "GET /orders/<no>/price",
            "POST /orders/<no>/price",
            "POST /orders/<no>/query",
            "GET /orders/<no>/refund",
            "POST /orders/<no>/refund",
            "GET /products/<id>",
            "GET /products/<id>/share",
            "GET /products/<id>/code",
            "GET /products/<id>/poster",
            "GET /products/<id>/poster.svg",
            "GET /products/<id>/stock?<before>",
            "GET /products?<query..>",
            "GET /drafts",
            "POST /drafts",
            "GET /drafts/<id>",
            "POST /drafts/<id>/withdraw",
            "GET /drafts/new",
            "GET /freight",
            "GET /freight/<id>",
            "GET /promotions?<phase>",
            "GET /promotions/<id>",
            "POST /orders/<no>/resend",
            "POST /orders/<no>/resends/<id>/number",
            "GET /photos/<id>?<size>",
            "GET /returns?<tab>&<before>",
            "GET /returns/<id>",
            "POST /returns/<id>/agree",
            "GET /returns/<id>/pay-instead",
            "POST /returns/<id>/pay-instead",
            "GET /returns/<id>/receive",
            "POST /returns/<id>/receive",
            "POST /returns/<id>/reject",
            "POST /returns/<id>/send",
            "GET /invoices?<state>&<before>",
            "GET /refunds/<number>",
            "GET /refunds/<number>/approve",
            "POST /refunds/<number>/approve",
            "POST /refunds/<number>/query",
            "POST /refunds/<number>/reject",
            "POST /refunds/<number>/withdraw",
            "GET /refunds?<tab>&<before>",
            "GET /transactions/<id>",
            "GET /transactions?<query..>",
        ],
    ),
    (
        Role::Manager,
        &[
            "POST /orders/<no>/unpaid",
            "GET /freight/new",
            "POST /freight",
            "POST /freight/<id>",
            "POST /freight/<id>/delete",
            "GET /showcase",
            "POST /showcase",
            "POST /categories",
            "POST /customers/<id>/block",
            "POST /customers/<id>/unblock",
            "POST /customers/<id>/coupon",
            "POST /customers/export.xlsx",
            "POST /categories/<id>",
            "GET /categories/<id>/delete",
            "POST /categories/<id>/delete",
            "POST /categories/<id>/move",
            "POST /exceptions/<id>/ask",
            "POST /exceptions/<id>/link",
            "GET /exceptions/<id>/refund",
            "POST /exceptions/<id>/refund",
            "POST /exceptions/<id>/resolve",
            "POST /exceptions/<id>/restore",
            "POST /exceptions/<id>/stop",
            "POST /jobs/<id>/run",
            "POST /money/<day>/match",
            "POST /money/<day>/looked",
            "GET /money/<month>/report.xlsx",
            "POST /products",
            "POST /products/<id>",
            "POST /products/<id>/shelf",
            "POST /products/<id>/stock",
            "POST /products/<id>/restore",
            "GET /products/<id>/quick",
            "POST /products/<id>/quick",
            "POST /products/<id>/cell",
            "POST /products/pictures",
            "GET /products/bulk",
            "POST /products/bulk",
            "GET /products/samples/clear",
            "POST /products/samples/clear",
            "GET /products/export.csv",
            "GET /products/export.xlsx",
            "GET /products/import",
            "POST /products/import",
            "GET /products/import/template.xlsx",
            "GET /products/imports/<id>?<all>",
            "POST /products/imports/<id>/run",
            "GET /products/new?<copy>",
            "GET /promotions/new?<kind>&<given>",
            "POST /promotions",
            "POST /promotions/<id>",
            "POST /promotions/<id>/give",
            "POST /promotions/<id>/resume",
            "POST /promotions/<id>/stop",
            "POST /invoices/<id>/issue",
            "POST /invoices/<id>/refuse",
            "POST /invoices/export.xlsx",
            "POST /refunds/<number>/other-means",
            "POST /refunds/<number>/retry",
            "POST /refunds/<number>/stop",
        ],
    ),
    (
        Role::Owner,
        &[
            "GET /audit/export.csv?<who>&<q>",
            "GET /audit?<who>&<q>&<before>",
            "GET /backups",
            "POST /backups",
            "POST /backups/<id>/carry",
            "GET /backups/<id>/restore",
            "POST /backups/<id>/restore",
            "GET /customers/<id>/erase",
            "POST /customers/<id>/erase",
            "GET /orders/<no>/offline",
            "POST /orders/<no>/offline",
            "GET /settings?<at>",
            "POST /settings",
            "POST /settings/logo",
            "POST /diagnostics/bundle",
            "GET /programs?<typed..>",
            "POST /programs/keys",
            "POST /programs/keys/<id>/end",
            "POST /programs/hooks",
            "POST /programs/hooks/<id>/remove",
            "POST /programs/hooks/<id>/switch?<on>",
            "POST /programs/hooks/<id>/test",
            "POST /programs/hooks/<id>/secret",
            "POST /programs/deliveries/<id>/again",
            "GET /notices/templates?<fetched>",
            "POST /notices/templates",
            "POST /settings/certificate?<step>",
            "POST /settings/test/<what>?<step>",
            "GET /miniprogram",
            "GET /miniprogram/zip?<address>",
            "GET /welcome/<step>",
            "POST /welcome/<step>",
            "GET /staff",
            "POST /staff/<id>/disable",
            "POST /staff/<id>/enable",
            "POST /staff/<id>/log-out",
            "POST /staff/<id>/reset-totp",
            "POST /staff/<id>/role",
            "POST /staff/invite",
            "POST /staff/withdraw",
        ],
    ),
];

/// A path that this route answers.
fn path(uri: &str) -> String {
    let filled = uri.split('/').map(|part| match part.split('?').next().unwrap() {
        "<no>" => "20261008ABCDEFGHJK".to_owned(),
        "<day>" => "2026-10-08".into(),
        "<month>" => "2026-10".into(),
        part if part.starts_with('<') => "1".into(),
        part => part.to_owned(),
    });
    format!("/admin{}", filled.collect::<Vec<_>>().join("/"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_and_no_action_opens_without_its_role() {
    let w = World::new().await;
    let mut staff = Vec::new();
    for role in Role::ALL {
        staff.push((*role, w.staff(role.word(), *role).await));
    }
    let call = async |method: &Method, path: &str, cookie: &str, origin: &str| {
        let request = w.http().request(method.clone(), w.at(path)).header("Cookie", cookie).header("Origin", origin);
        let answer = request.send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), to)
    };
    let here = w.at("").trim_end_matches('/').to_owned();
    let (mut seen, mut missing) = (0, Vec::new());
    for route in xiaopu::console::routes() {
        let name = format!("{} {}", route.method, route.uri);
        let method: Method = route.method.as_str().parse().unwrap();
        let path = path(&route.uri.to_string());
        // Nothing is changed by looking, and nothing from another site.
        assert!(["GET", "POST"].contains(&method.as_str()), "{name}");
        if method == Method::POST {
            let owner = &staff.last().unwrap().1.cookie;
            assert_eq!(call(&method, &path, owner, "https://evil.example").await.0, 403, "{name} from elsewhere");
        }
        if OPEN.contains(&name.as_str()) {
            continue;
        }
        let least = ROUTES.iter().find(|(_, routes)| routes.contains(&name.as_str()));
        let Some((least, _)) = least else {
            missing.push(name);
            continue;
        };
        seen += 1;
        let (status, to) = call(&method, &path, "", &here).await;
        assert!(status == 303 && to.starts_with("/admin/login"), "{name} to a stranger: {status} {to}");
        for (role, console) in &staff {
            let may = role >= least;
            // What may be done is tried elsewhere; here it is enough that a page is not refused.
            if may && method == Method::POST {
                continue;
            }
            let (status, to) = call(&method, &path, &console.cookie, &here).await;
            let refused = status == 403 || to.starts_with("/admin/login");
            assert_eq!(refused, !may, "{name} to {}: {status}", role.text());
        }
    }
    assert!(missing.is_empty(), "without a role in this table: {missing:#?}");
    assert_eq!(seen, ROUTES.iter().map(|(_, routes)| routes.len()).sum::<usize>(), "a route of the table is gone");
}
