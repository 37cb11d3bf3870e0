//! Simulated subscribe messages: the templates of the mini-program, and who allowed how many messages.
//! Source: newtmpl/gettemplate, message/subscribe/send.

use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use serde_json::{Value, json};

use super::Simulator;
use super::register::{Answer, Refused, opened, serve};

pub fn routes() -> Vec<Route> {
    routes![get_template, send]
}

/// Title, template, and the fields as the real list has them.
const TEMPLATES: [(&str, &str, &str); 4] = [
    (
        "订单发货提醒",
        "SimShippedTemplateIdOf43CharactersInAll0001",
        "订单编号:{{character_string1.DATA}}\n商品名称:{{thing2.DATA}}\n快递公司:{{thing3.DATA}}\n快递单号:{{character_string4.DATA}}\n",
    ),
    (
        "退款成功通知",
        "SimRefundedTemplateIdOf43CharactersInAll002",
        "订单编号:{{character_string1.DATA}}\n退款金额:{{amount2.DATA}}\n退款时间:{{time3.DATA}}\n",
    ),
    (
        "订单待付款提醒",
        "SimUnpaidTemplateIdOf43CharactersInAll00003",
        "订单编号:{{character_string1.DATA}}\n商品名称:{{thing2.DATA}}\n待付金额:{{amount3.DATA}}\n截止时间:{{time4.DATA}}\n",
    ),
    (
        "取货提醒",
        "SimPickupTemplateIdOf43CharactersInAll00004",
        "订单编号:{{character_string1.DATA}}\n商品名称:{{thing2.DATA}}\n取货状态:{{phrase3.DATA}}\n",
    ),
];

/// Which values a template takes, by the beginning of a key; in characters. Source: subscribe message, values.
const VALUES: [(&str, usize); 11] = [
    ("thing", 20),
    ("number", 32),
    ("letter", 32),
    ("symbol", 5),
    ("character_string", 32),
    ("time", 32),
    ("date", 32),
    ("amount", 12),
    ("phone_number", 17),
    ("name", 20),
    ("phrase", 5),
];

#[get("/wxaapi/newtmpl/gettemplate?<access_token>")]
async fn get_template(sim: &State<Simulator>, access_token: &str) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        let listed = TEMPLATES.iter().map(|(title, id, content)| {
            json!({ "priTmplId": id, "title": title, "content": content, "example": "", "type": 2 })
        });
        Ok(json!({ "errcode": 0, "errmsg": "ok", "data": listed.collect::<Vec<_>>() }))
    };
    serve(sim, "templates", work).await
}

#[post("/cgi-bin/message/subscribe/send?<access_token>", data = "<body>")]
async fn send(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let template = TEMPLATES.iter().find(|(_, id, _)| *id == text("template_id"));
        let (_, _, content) = template.ok_or((40037, "invalid template_id"))?;
        check(content, &body["data"])?;
        let mut state = sim.lock();
        if !state.kept.openids.contains_key(text("touser")) {
            return Err((40003, "invalid openid"));
        }
        if state.asks_first {
            let allowed = state.allowed.entry((text("touser").to_owned(), text("template_id").to_owned())).or_default();
            *allowed = allowed.checked_sub(1).ok_or((43101, "user refuse to accept the msg"))?;
        }
        state.kept.messages.push(body.0.clone());
        state.changed = true;
        Ok(json!({ "errcode": 0, "errmsg": "ok", "msgid": state.kept.messages.len() }))
    };
    serve(sim, "subscribe_send", work).await
}

/// Each field of the template and no other, each in its form.
fn check(content: &str, data: &Value) -> Result<(), Refused> {
    let keys: Vec<&str> = content.split("{{").skip(1).filter_map(|rest| rest.split(".DATA").next()).collect();
    let given = data.as_object().ok_or((47003, "argument invalid! data is empty"))?;
    if given.len() != keys.len() {
        return Err((47003, "argument invalid! other fields"));
    }
    for key in keys {
        let value = given.get(key).and_then(|field| field["value"].as_str()).unwrap_or_default();
        let kind = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let most = VALUES.iter().find(|(name, _)| *name == kind).map_or(0, |(_, most)| *most);
        let fits = (1..=most).contains(&value.chars().count()) && !value.chars().any(char::is_control);
        if !fits || (kind == "character_string" && !value.is_ascii()) {
            return Err((47003, "argument invalid! data of a field"));
        }
    }
    Ok(())
}

impl Simulator {
    /// From now on nobody is told what he has not allowed. Else everybody has allowed everything.
    pub fn ask_before_messages(&self) {
        self.lock().asks_first = true;
    }

    /// This user has tapped 允许 in the question about a template: good for one message.
    pub fn allow_message(&self, user: &str, template_id: &str) {
        let openid = self.openid(user);
        *self.lock().allowed.entry((openid, template_id.to_owned())).or_default() += 1;
    }

    /// What buyers were told, as it was sent.
    pub fn told(&self) -> Vec<Value> {
        self.lock().kept.messages.clone()
    }
}
