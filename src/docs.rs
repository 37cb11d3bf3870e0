//! The contract in two forms: OpenAPI for programs, a page for people.

use rocket::http::ContentType;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use crate::assets;
use crate::error::Code;
use crate::shop::Shop;

/// Hand-kept; a test holds it against the routes and against real answers.
pub const OPENAPI: &str = include_str!("openapi.json");

pub fn routes() -> Vec<Route> {
    routes![openapi, page]
}

#[get("/v1/openapi.json")]
fn openapi() -> (ContentType, &'static str) {
    (ContentType::JSON, OPENAPI)
}

/// Every operation, in the order of the document: that of a purchase.
#[get("/docs")]
fn page(shop: &State<Shop>) -> Template {
    let document: Value = serde_json::from_str(OPENAPI).unwrap_or_default();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            // Links name it too, before it comes.
            let place = OPENAPI.rfind(&operation["operationId"].to_string());
            let shown = json!({
                "method": method.to_uppercase(), "path": format!("/api/v1{path}"), "summary": operation["summary"],
                "description": operation["description"], "auth": operation["security"].is_array(),
                "program": operation["security"][0]["program"].is_array(),
                "key": operation["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["$ref"] == "#/components/parameters/IdempotencyKey")),
                "tag": operation["tags"][0], "example": (!example.is_null()).then(|| format!("{example:#}")),
            });
            operations.push((place, shown));
        }
    }
    operations.sort_by_key(|(place, _)| *place);
    let operations: Vec<Value> = operations.into_iter().map(|(_, shown)| shown).collect();
    let codes: Vec<Value> = Code::ALL
        .iter()
        .map(|code| json!({ "word": code.word(), "status": code.status().code, "text": code.text() }))
        .collect();
    assets::page("api/docs.html", context! { operations, codes, demo: shop.demo.is_some() })
}
