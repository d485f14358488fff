//! Kingdee Cloud Galaxy's WebAPI: signed requests, rows of cells, errors with status 200, vouchers that accountants audit.
//!
//! Everything is `POST /k3cloud/<service>.common.kdsvc`. Both signatures are checked, each with a computation of its own; what is wrong with
//! them is answered as Galaxy does, with "the session is lost". Filters and orders are read as far as programs write them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// The app, the data centre and the user that it takes.
pub const APP_ID: &str = "209527_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
pub const APP_SECRET: &str = "appsecret-0123456789abcdef";
pub const ACCT_ID: &str = "acct01";
pub const USER: &str = "demo";

/// The pad of the vendor's SDKs.
const PAD: &[u8] = b"0054f397c6234378b09ca7d3e5debce7";
/// Rows of one answer at most.
const LIMIT_MAX: u64 = 2_000;

/// A tenant of Galaxy.
#[derive(Debug, Default)]
pub struct Galaxy {
    /// Rows by form: fields by name.
    pub forms: Vec<(&'static str, Vec<Map<String, Value>>)>,
    /// Accounts, account books and voucher groups that there are.
    pub known: BTreeSet<String>,
    /// Vouchers as they were kept.
    pub vouchers: Vec<Value>,
    /// `FDocumentStatus` of each voucher: `Z` a draft, `A` saved, `B` submitted, `C` audited, `D` opened again.
    pub states: Vec<&'static str>,
    /// `MsgCode` of the next answers.
    pub faults: Vec<u32>,
    /// The next drafts are kept, and their answers lost.
    pub lose: u32,
    /// Requests that passed the door.
    pub requests: u64,
    /// Nonces that were seen.
    pub nonces: BTreeSet<String>,
}

/// Shared with tests.
pub type Tenant = Arc<Mutex<Galaxy>>;

/// A tenant with so many employees.
#[must_use]
pub fn tenant(employees: usize) -> Tenant {
    let row = |pairs: &[(&str, Value)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let org = |id: u64, name: &str, forbidden: &str| {
        row(&[
            ("FOrgID", json!(id)),
            ("FNumber", json!(id.to_string())),
            ("FName", json!(name)),
            ("FForbidStatus", json!(forbidden)),
        ])
    };
    let department = |id: u64, name: &str, parent: u64| {
        row(&[
            ("FDEPTID", json!(id)),
            ("FNumber", json!(format!("BM{id:06}"))),
            ("FName", json!(name)),
            ("FParentID", json!(parent)),
            ("FUseOrgId", json!(100_601)),
            ("FForbidStatus", json!("A")),
        ])
    };
    let post = |id: u64, name: &str| {
        row(&[
            ("FPOSTID", json!(id)),
            ("FNumber", json!(format!("GW{id:06}"))),
            ("FName", json!(name)),
            ("FDept", json!(101)),
            ("FForbidStatus", json!("A")),
        ])
    };
    let forms = vec![
        (
            "ORG_Organizations",
            vec![org(1, "示例集团", "A"), org(100_601, "示例制造有限公司", "A"), org(9, "已停用", "B")],
        ),
        ("BD_Department", vec![department(101, "生产部", 0), department(102, "装配车间", 101)]),
        ("HR_ORG_HRPOST", vec![post(201, "装配工"), post(202, "质检员")]),
        ("BD_Empinfo", (0..employees).map(|number| employee(number, number as u64 / 3)).collect()),
    ];
    let known = ["001", "PRE001", "6602.01", "2211.01", "2221.05", "HLTX01_SYS"].map(str::to_owned).into();
    Arc::new(Mutex::new(Galaxy { forms, known, ..Galaxy::default() }))
}

/// Galaxy writes local times without a zone.
fn local(tick: u64) -> String {
    let at = jiff::Timestamp::from_second(1_762_133_400 + tick as i64 + 8 * 3_600).unwrap();
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn employee(number: usize, tick: u64) -> Map<String, Value> {
    let row = json!({
        "FID": 300_001 + number, "FNumber": format!("E{number:05}"), "FName": format!("员工{number}"), "FStaffNumber": format!("S{number:05}"),
        "FMobile": format!("199{number:08}"), "FEmail": format!("e{number}@example.test"), "FUseOrgId": 100_601, "FPostDept": 102,
        "FJoinDate": "2021-03-01T00:00:00", "FForbidStatus": "A", "FModifyDate": local(tick),
    });
    row.as_object().unwrap().clone()
}

impl Galaxy {
    /// The rows of a form.
    pub fn form(&mut self, name: &str) -> &mut Vec<Map<String, Value>> {
        &mut self.forms.iter_mut().find(|(known, _)| *known == name).unwrap().1
    }

    /// Changes an employee, later than all others.
    pub fn touch(&mut self, number: usize, field: &str, value: Value) {
        let rows = self.form("BD_Empinfo");
        let tick = rows.len() as u64;
        rows[number].insert(field.to_owned(), value);
        rows[number].insert("FModifyDate".to_owned(), json!(local(tick)));
    }
}

/// The simulator's routes.
pub fn router(tenant: Tenant) -> Router {
    Router::new().route("/k3cloud/{service}", post(answer)).with_state(tenant)
}

async fn answer(
    State(tenant): State<Tenant>,
    Path(service): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let Some(service) = service.strip_suffix(".common.kdsvc") else { return StatusCode::NOT_FOUND.into_response() };
    let method = service.rsplit('.').next().unwrap_or_default();
    let rows = method == "ExecuteBillQuery";
    match is_signed(&headers, uri.path()) {
        Ok(nonce) => drop(tenant.lock().unwrap().nonces.insert(nonce)),
        Err(Door::DataCentre) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, "Fail to verify thirty passport").into_response();
        }
        Err(Door::Signature) => return failure(rows, 1, "会话信息已丢失，请重新登录"),
    }
    let mut galaxy = tenant.lock().unwrap();
    galaxy.requests += 1;
    if let Some(code) = galaxy.faults.pop() {
        return failure(rows, code, "故障");
    }
    let Ok(body) = serde_json::from_str::<Value>(&body) else { return text("response_error: not JSON") };
    match method {
        "ExecuteBillQuery" | "BillQuery" => query(&galaxy, &body["data"], method == "BillQuery"),
        "Draft" => keep(&mut galaxy, &body, "Z"),
        "Save" => keep(&mut galaxy, &body, "A"),
        "Submit" => step(&mut galaxy, &body, &["A", "D"], "B"),
        "Audit" => step(&mut galaxy, &body, &["B"], "C"),
        "UnAudit" => step(&mut galaxy, &body, &["C"], "D"),
        _ => text("response_error: no such service"),
    }
}

enum Door {
    Signature,
    DataCentre,
}

/// Is the request of the app and its user, by both signatures? Gives the nonce.
fn is_signed(headers: &HeaderMap, path: &str) -> Result<String, Door> {
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let data =
        STANDARD.decode(of("x-kd-appdata")).ok().and_then(|data| String::from_utf8(data).ok()).unwrap_or_default();
    let parts: Vec<&str> = data.split(',').collect();
    let [acct, user, "2052", _org] = parts.as_slice() else { return Err(Door::Signature) };
    if *acct != ACCT_ID {
        return Err(Door::DataCentre);
    }
    let (client, coded) = APP_ID.split_once('_').unwrap();
    let (nonce, time) = (of("x-api-nonce"), of("x-api-timestamp"));
    let key: Vec<u8> = STANDARD_NO_PAD.decode(coded).unwrap().iter().zip(PAD).map(|(one, two)| one ^ two).collect();
    let asked = format!("POST\n{}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{time}\n", path.replace('/', "%2F"));
    let right = *user == USER
        && of("x-kd-appkey") == APP_ID
        && of("x-api-clientid") == client
        && of("x-api-auth-version") == "2.0"
        && of("x-api-signheaders") == "x-api-timestamp,x-api-nonce"
        && time.parse::<i64>().is_ok()
        && !nonce.is_empty()
        && of("x-api-signature") == signature(STANDARD.encode(key).as_bytes(), &asked)
        && of("x-kd-signature") == signature(APP_SECRET.as_bytes(), &format!("{APP_ID}{data}"));
    if right { Ok(nonce) } else { Err(Door::Signature) }
}

/// Base64 of hexadecimal digits, as the vendor writes them.
fn signature(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(hex::encode(mac.finalize().into_bytes()))
}

fn text(text: &str) -> Response {
    text.to_owned().into_response()
}

fn status(code: u32, message: &str) -> Value {
    let errors = json!([{ "FieldName": null, "Message": message, "DIndex": 0 }]);
    let status = json!({ "ErrorCode": 500, "IsSuccess": false, "Errors": errors, "SuccessEntitys": [], "SuccessMessages": [], "MsgCode": code });
    json!({ "Result": { "ResponseStatus": status } })
}

/// Rows tell of an error in their only cell.
fn failure(rows: bool, code: u32, message: &str) -> Response {
    let status = status(code, message);
    axum::Json(if rows { json!([[status]]) } else { status }).into_response()
}

/// A voucher as a query tells it.
fn voucher_row(at: usize, voucher: &Value, state: &str) -> Map<String, Value> {
    let mut row =
        Map::from_iter([("FVOUCHERID".to_owned(), json!(100_001 + at)), ("FDocumentStatus".to_owned(), json!(state))]);
    for name in ["FBillNo", "FYEAR", "FPERIOD", "FDate"] {
        row.insert(name.to_owned(), voucher[name].clone());
    }
    row
}

/// Rows of cells in the order of the keys; objects where the rows are asked for by name.
fn query(galaxy: &Galaxy, asked: &Value, by_name: bool) -> Response {
    let form = asked["FormId"].as_str().unwrap_or_default();
    let vouchers: Vec<Map<String, Value>>;
    let rows = match galaxy.forms.iter().find(|(name, _)| *name == form) {
        Some((_, rows)) => rows,
        None if form == "GL_VOUCHER" => {
            let kept = galaxy.vouchers.iter().zip(&galaxy.states).enumerate();
            vouchers = kept.map(|(at, (voucher, state))| voucher_row(at, voucher, state)).collect();
            &vouchers
        }
        None => return failure(true, 4, "业务对象不存在"),
    };
    let (limit, start) = (asked["Limit"].as_u64().unwrap_or(LIMIT_MAX), asked["StartRow"].as_u64().unwrap_or(0));
    if limit > LIMIT_MAX {
        return failure(true, 4, "Limit 超过 2000");
    }
    let keys: Vec<&str> = asked["FieldKeys"].as_str().unwrap_or_default().split(',').collect();
    if keys.iter().any(|key| rows.first().is_some_and(|row| !row.contains_key(*key))) {
        return failure(true, 4, "字段不存在");
    }
    let Some(mut found) = filtered(rows, asked["FilterString"].as_str().unwrap_or_default()) else {
        return failure(true, 4, "过滤条件错误");
    };
    for order in asked["OrderString"].as_str().unwrap_or_default().split(',').rev() {
        let field = order.split_whitespace().next().unwrap_or_default();
        found.sort_by_key(|row| sort_key(&row[field]));
    }
    // The last row that counts, not the size of a page.
    let last = asked["TopRowCount"].as_u64().filter(|last| *last > 0).unwrap_or(u64::MAX);
    let page = found.iter().take(usize::try_from(last).unwrap_or(usize::MAX)).skip(start as usize).take(limit as usize);
    let told = page.map(|row| match by_name {
        true => keys.iter().map(|key| ((*key).to_owned(), row[*key].clone())).collect::<Value>(),
        false => keys.iter().map(|key| row[*key].clone()).collect::<Value>(),
    });
    axum::Json(told.collect::<Value>()).into_response()
}

fn sort_key(value: &Value) -> (u64, String) {
    (value.as_u64().unwrap_or_default(), value.as_str().unwrap_or_default().to_owned())
}

/// `A = 'x' AND B >= 'y'`; none for what cannot be read.
fn filtered<'r>(rows: &'r [Map<String, Value>], filter: &str) -> Option<Vec<&'r Map<String, Value>>> {
    let mut found: Vec<_> = rows.iter().collect();
    for part in filter.split(" AND ").map(str::trim).filter(|part| !part.is_empty()) {
        let mut words = part.splitn(3, ' ');
        let (field, compare, value) = (words.next()?, words.next()?, words.next()?);
        let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
        if value.contains('\'') || rows.first().is_some_and(|row| !row.contains_key(field)) {
            return None;
        }
        let text = |row: &Map<String, Value>| row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned);
        match compare {
            "=" => found.retain(|row| text(row) == value),
            ">=" => found.retain(|row| text(row).as_str() >= value),
            _ => return None,
        }
    }
    Some(found)
}

/// What is wrong with a voucher: `MsgCode` and a message.
fn wrong(galaxy: &Galaxy, model: &Value) -> Option<(u32, &'static str)> {
    let number = |value: &Value| value["FNumber"].as_str().unwrap_or_default().to_owned();
    let lines = model["FEntity"].as_array().cloned().unwrap_or_default();
    let mut codes = vec![number(&model["FAccountBookID"]), number(&model["FVOUCHERGROUPID"])];
    for line in &lines {
        codes.extend(["FACCOUNTID", "FCURRENCYID", "FEXCHANGERATETYPE"].map(|field| number(&line[field])));
    }
    if let Some(code) = codes.iter().find(|code| !galaxy.known.contains(*code)) {
        return Some(if code.is_empty() { (9, "必录") } else { (10, "不存在") });
    }
    let amount = |line: &Value, field: &str| line[field].as_f64().map(|amount| (amount * 100.0).round() as i64);
    let sides: Option<Vec<(i64, i64)>> =
        lines.iter().map(|line| Some((amount(line, "FDEBIT")?, amount(line, "FCREDIT")?))).collect();
    let balanced = sides.is_some_and(|sides| {
        sides.iter().all(|(debit, credit)| (*debit == 0) != (*credit == 0))
            && sides.iter().map(|(debit, credit)| debit - credit).sum::<i64>() == 0
    });
    let dated = model["FDate"].as_str().is_some_and(|day| day.len() == 10);
    (lines.len() < 2 || !balanced || !dated).then_some((11, "借贷不平"))
}

/// Keeps a voucher in a state, a new one or that of its `FVOUCHERID`; refuses what Galaxy refuses.
fn keep(galaxy: &mut Galaxy, asked: &Value, state: &'static str) -> Response {
    if asked["formid"] != "GL_VOUCHER" {
        return failure(false, 4, "业务对象不存在");
    }
    let model = &asked["data"]["Model"];
    if let Some((code, message)) = wrong(galaxy, model) {
        return failure(false, code, message);
    }
    if asked["data"]["ValidateRepeatJson"] == true && galaxy.vouchers.contains(model) {
        return failure(false, 11, "重复提交");
    }
    let at = match model["FVOUCHERID"].as_u64().unwrap_or(0) {
        0 => galaxy.vouchers.len(),
        id => usize::try_from(id).unwrap().wrapping_sub(100_001),
    };
    match galaxy.states.get(at) {
        None if at == galaxy.vouchers.len() => {
            galaxy.vouchers.push(model.clone());
            galaxy.states.push(state);
        }
        None => return failure(false, 10, "不存在"),
        Some(&("B" | "C")) => return failure(false, 12, "单据状态不允许修改"),
        Some(_) => (galaxy.vouchers[at], galaxy.states[at]) = (model.clone(), state),
    }
    if galaxy.lose > 0 {
        galaxy.lose -= 1;
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let (id, bill) = (100_001 + at, &model["FBillNo"]);
    let status = done(&[json!({ "Id": id, "Number": bill, "DIndex": 0 })]);
    axum::Json(json!({ "Result": { "ResponseStatus": status, "Id": id, "Number": bill, "NeedReturnData": [{}] } }))
        .into_response()
}

fn done(entities: &[Value]) -> Value {
    json!({ "IsSuccess": true, "Errors": [], "SuccessEntitys": entities, "SuccessMessages": [], "MsgCode": 0 })
}

/// Moves vouchers on that are named by `Numbers` or `Ids`: all of them, or none where one is in another state.
fn step(galaxy: &mut Galaxy, asked: &Value, from: &[&str], to: &'static str) -> Response {
    if asked["formid"] != "GL_VOUCHER" {
        return failure(false, 4, "业务对象不存在");
    }
    let numbers = asked["data"]["Numbers"].as_array().cloned().unwrap_or_default();
    let ids: Vec<&str> = asked["data"]["Ids"].as_str().unwrap_or_default().split(',').collect();
    let is_named = |at: usize, voucher: &Value| {
        numbers.contains(&voucher["FBillNo"]) || ids.contains(&(100_001 + at).to_string().as_str())
    };
    let named: Vec<usize> = (0..galaxy.vouchers.len()).filter(|at| is_named(*at, &galaxy.vouchers[*at])).collect();
    if named.is_empty() {
        return failure(false, 10, "不存在");
    }
    if named.iter().any(|at| !from.contains(&galaxy.states[*at])) {
        return failure(false, 12, "单据状态不允许此操作");
    }
    let mut entities = Vec::new();
    for (index, at) in named.into_iter().enumerate() {
        galaxy.states[at] = to;
        entities.push(json!({ "Id": 100_001 + at, "Number": galaxy.vouchers[at]["FBillNo"], "DIndex": index }));
    }
    axum::Json(json!({ "Result": { "ResponseStatus": done(&entities) } })).into_response()
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// Made with the official SDK for Python: the same app, data centre and user.
    #[test]
    fn signatures_are_those_of_the_vendors_sdk() {
        let path = "%2Fk3cloud%2FKingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc";
        let asked = format!("POST\n{path}\n\nx-api-nonce:1700000000\nx-api-timestamp:1700000000\n");
        assert_eq!(
            signature(b"MDE3N2I2PzBrPzg4OD45N3IhK3B1InIk", &asked),
            "N2M1YmZlZTUyZjc5YTRjMzU0MjkxMWVjODQ0YWEwZjQ0NzQyNWZjZjcwNGFhNzg0MzMxOGI5ZmI4YjNlMzUxOA=="
        );
        let login = format!("{}acct01,demo,2052,0", super::APP_ID);
        assert_eq!(
            signature(super::APP_SECRET.as_bytes(), &login),
            "MDkxOTc5ZDViMzlkMjdhMzdmOTE5MWUzNjE5MGJhODRjM2YzNzgzZWI3MTcxOWZmMDE2ZjdiYThmYmQ0ZmVmMg=="
        );
    }
}
