//! Odoo 17 to 19: its models by JSON-RPC (`/jsonrpc`) and by JSON-2 (`/json/2/MODEL/METHOD`).
//!
//! Quirks it plays: errors of JSON-RPC come with status 200; what is empty is `false`; times are UTC without saying so and are printed cut to
//! seconds, while they are compared to the microsecond; archived rows are hidden unless `active_test` is false; a deleted row leaves no
//! trace; a model that is not installed and a field that is not there are refused in words of their own.

mod made_up;
mod search;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::office::{Ask, Told, Vendor};
pub use made_up::{crm, hr, whole};

/// The API key that the simulator takes. A canary: it must turn up nowhere.
pub const KEY: &str = "canary-odoo-key-5be2c1";
/// The database.
pub const DB: &str = "company";
/// The user of the key.
pub const UID: i64 = 2;

/// A database.
#[derive(Debug, Default)]
pub struct Odoo {
    /// Rows of each model. `_us` are the microseconds of `write_date`, which are shown to none.
    pub models: BTreeMap<String, Vec<Value>>,
    /// Models that the user may not read.
    pub denied: Vec<String>,
    next_id: i64,
}

/// What Odoo raises.
#[derive(Debug)]
struct Raised {
    name: &'static str,
    message: String,
    status: u16,
}

impl Raised {
    fn new(name: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { name, message: message.into(), status }
    }

    fn value(message: impl Into<String>) -> Self {
        Self::new("builtins.ValueError", 500, message)
    }

    fn body(&self) -> Value {
        let debug = "Traceback (most recent call last):\n  File \"/opt/odoo/http.py\", line 1";
        json!({ "name": self.name, "message": self.message, "arguments": [self.message], "context": {}, "debug": debug })
    }
}

impl Odoo {
    /// A row, to be changed; its `write_date` moves on to another second.
    pub fn write(&mut self, model: &str, id: i64, changes: &Value, at: &str) {
        let row = self.models.get_mut(model).unwrap().iter_mut().find(|row| row["id"] == id).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            row[name] = value.clone();
        }
        (row["write_date"], row["_us"]) = (json!(at), json!(400_000));
    }

    /// Deletes a row.
    pub fn unlink(&mut self, model: &str, id: i64) {
        self.models.get_mut(model).unwrap().retain(|row| row["id"] != id);
    }

    fn fresh_id(&mut self) -> i64 {
        self.next_id += 1;
        9000 + self.next_id
    }

    fn call(&mut self, model: &str, method: &str, ids: &[i64], given: &Map<String, Value>) -> Result<Value, Raised> {
        if !self.models.contains_key(model) {
            return Err(Raised::new("odoo.exceptions.UserError", 404, format!("Object {model} doesn't exist")));
        }
        if self.denied.iter().any(|denied| denied == model) {
            let message = format!("You are not allowed to access '{model}' records.");
            return Err(Raised::new("odoo.exceptions.AccessError", 403, message));
        }
        match method {
            "search_read" => search::search_read(&self.models[model], model, given),
            "message_post" => self.post(model, ids, given),
            "activity_schedule" => self.schedule(model, ids, given),
            other => {
                Err(Raised::new("builtins.AttributeError", 404, format!("the method '{model}.{other}' does not exist")))
            }
        }
    }

    fn existing(&self, model: &str, ids: &[i64]) -> Result<i64, Raised> {
        match ids {
            [id] if self.models[model].iter().any(|row| row["id"] == *id) => Ok(*id),
            _ => Err(Raised::new("odoo.exceptions.MissingError", 404, "Record does not exist or has been deleted.")),
        }
    }

    fn post(&mut self, model: &str, ids: &[i64], given: &Map<String, Value>) -> Result<Value, Raised> {
        const KNOWN: [&str; 4] = ["body", "message_type", "subtype_xmlid", "message_id"];
        let of = self.existing(model, ids)?;
        if let Some(stranger) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(Raised::value(format!("Those values are not supported when posting or notifying: {stranger}")));
        }
        let id = self.fresh_id();
        let mut row = json!({ "id": id, "model": model, "res_id": of, "_us": 0, "write_date": "2026-03-01 00:00:00" });
        for name in KNOWN {
            row[name] = given.get(name).cloned().unwrap_or(json!(false));
        }
        // What is posted is a text, and becomes a paragraph.
        row["body"] = json!(format!("<p>{}</p>", given.get("body").and_then(Value::as_str).unwrap_or_default()));
        self.models.entry("mail.message".to_owned()).or_default().push(row);
        Ok(json!([id]))
    }

    fn schedule(&mut self, model: &str, ids: &[i64], given: &Map<String, Value>) -> Result<Value, Raised> {
        const KNOWN: [&str; 5] = ["act_type_xmlid", "summary", "note", "date_deadline", "user_id"];
        let of = self.existing(model, ids)?;
        if let Some(stranger) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(Raised::value(format!("Invalid field '{stranger}' on model 'mail.activity'")));
        }
        if given.get("user_id").is_some_and(|user| user.as_i64().is_none_or(|user| user > 100)) {
            return Err(Raised::new("odoo.exceptions.ValidationError", 422, "The assigned user does not exist."));
        }
        let id = self.fresh_id();
        let mut row =
            json!({ "id": id, "res_model": model, "res_id": of, "_us": 0, "write_date": "2026-03-01 00:00:00" });
        for name in KNOWN {
            row[name] = given.get(name).cloned().unwrap_or(json!(false));
        }
        self.models.entry("mail.activity".to_owned()).or_default().push(row);
        Ok(json!([id]))
    }

    fn json_rpc(&mut self, body: &Value) -> Value {
        let params = &body["params"];
        let args = params["args"].as_array().cloned().unwrap_or_default();
        let result = match args.as_slice() {
            _ if params["service"] != "object" || params["method"] != "execute_kw" => {
                Err(Raised::new("builtins.KeyError", 500, "service"))
            }
            [db, ..] if *db != DB => {
                Err(Raised::new("psycopg2.OperationalError", 500, format!("FATAL: database {db} does not exist")))
            }
            [_, uid, key, ..] if *uid != UID || *key != KEY => {
                Err(Raised::new("odoo.exceptions.AccessDenied", 403, "Access Denied"))
            }
            [_, _, _, model, method, positional, rest @ ..] => {
                let mut named = rest.first().and_then(Value::as_object).cloned().unwrap_or_default();
                let (model, method) = (model.as_str().unwrap_or_default(), method.as_str().unwrap_or_default());
                let mut ids = Vec::new();
                if method == "search_read" {
                    named.insert("domain".to_owned(), positional[0].clone());
                } else {
                    ids = positional[0].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
                }
                self.call(model, method, &ids, &named).map(|result| as_rpc(method, result))
            }
            _ => Err(Raised::new("builtins.TypeError", 500, "execute_kw() missing arguments")),
        };
        match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": body["id"], "result": result }),
            Err(raised) => {
                let error = json!({ "code": 200, "message": "Odoo Server Error", "data": raised.body() });
                json!({ "jsonrpc": "2.0", "id": body["id"], "error": error })
            }
        }
    }

    fn json_2(&mut self, model: &str, method: &str, body: &Value) -> Told {
        let mut named = body.as_object().cloned().unwrap_or_default();
        let ids = named.remove("ids").unwrap_or_default();
        let ids: Vec<i64> = ids.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        match self.call(model, method, &ids, &named) {
            Ok(result) => Told::good(result),
            Err(raised) => Told::of(raised.status, raised.body()),
        }
    }
}

/// What a method gives is written as its decorator says: an id for a message, and the name of the set for everything else.
fn as_rpc(method: &str, result: Value) -> Value {
    match (method, result) {
        ("message_post", Value::Array(ids)) => ids[0].clone(),
        ("activity_schedule", Value::Array(ids)) => json!(format!("mail.activity({},)", ids[0])),
        (_, result) => result,
    }
}

impl Vendor for Odoo {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        let bearer = ask.headers.get("authorization").and_then(|value| value.strip_prefix("bearer "));
        match ask.path.starts_with("/json/2/") && bearer != Some(KEY) {
            true => {
                let raised = Raised::new("werkzeug.exceptions.Unauthorized", 401, "Invalid apikey");
                Err(Told::of(401, raised.body()))
            }
            false => Ok(()),
        }
    }

    /// Odoo has no limit of its own; the proxy in front of it has.
    fn busy(&self) -> Told {
        Told::of(429, json!("Too Many Requests")).header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        match (ask.method.as_str(), ask.path.as_str(), ask.below("/json/2").as_slice()) {
            ("POST", "/jsonrpc", _) => Told::good(self.json_rpc(&ask.body)),
            ("POST", _, [model, method]) => self.json_2(model, method, &ask.body),
            _ => Told::of(404, json!({ "name": "werkzeug.exceptions.NotFound", "message": "404: Not Found" })),
        }
    }
}
