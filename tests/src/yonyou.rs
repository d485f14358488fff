//! Yonyou YonBIP's open platform: a signed request for a token, calls that answer with status 200 and a code, lists by page, a tree of
//! departments, vouchers that know their `businessId` again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The application that it takes.
pub const APP_KEY: &str = "41832a3d2df94989b500da6a22268747";
pub const APP_SECRET: &str = "8ceb1efa-2c7b-4a43-9d2d-1f7c2b9f0e11";
/// The organisation, the attendance scheme and the maker of vouchers that there are.
pub const ORG: &str = "2677750465876480";
pub const SCHEME: &str = "baafe1f39bed43c9bd9fee91a5d37a67";
pub const MAKER: &str = "accountant@example.test";

/// A week in milliseconds: the longest span of a report.
const WEEK_MS: i64 = 7 * 86_400_000;
/// How far the time of a signature may be off.
const SIGNED_MS: i64 = 10 * 60_000;

/// A tenant of YonBIP.
#[derive(Debug, Default)]
pub struct Yonbip {
    pub departments: Vec<Value>,
    pub positions: Vec<Value>,
    pub staff: Vec<Value>,
    pub candidates: Vec<Value>,
    /// Pay files by month: `2025-11`.
    pub pay_files: BTreeMap<String, Vec<Value>>,
    /// Slips by pay file.
    pub slips: BTreeMap<String, Vec<Value>>,
    pub attendance: Vec<Value>,
    /// Vouchers as they were saved.
    pub vouchers: Vec<Value>,
    /// Accounts that there are.
    pub accounts: BTreeSet<String>,
    /// The answers to the next vouchers are lost.
    pub lose: u32,
    /// Codes of the next answers.
    pub faults: Vec<&'static str>,
    /// The token that is taken now, and how many were given.
    token: Option<String>,
    pub tokens: u32,
    /// Calls that were answered.
    pub requests: u64,
}

/// Shared with tests.
pub type Tenant = Arc<Mutex<Yonbip>>;

/// A tenant with so many people.
#[must_use]
pub fn tenant(people: usize) -> Tenant {
    let department = |id: &str, parent: &str, children: Value| {
        json!({ "id": id, "code": id, "name": format!("部门{id}"), "parent": parent, "parentorgid": ORG, "principal": null, "enable": 1,
                "dr": "0", "pubts": local(0), "children": children })
    };
    let leaf = department("d3", "d2", json!([]));
    let tree = department("d1", ORG, json!([department("d2", "d1", json!([leaf]))]));
    let mut yonbip = Yonbip {
        departments: vec![tree, department("d4", ORG, json!([]))],
        positions: (0..3).map(position).collect(),
        staff: (0..people).map(|number| person(number, number as i64 / 3)).collect(),
        accounts: ["6602.01", "2211.01", "2221.05"].map(str::to_owned).into(),
        ..Yonbip::default()
    };
    yonbip.candidates = (0..2)
        .map(|number| {
            json!({ "id": format!("c{number}"), "code": format!("C{number}"), "name": format!("候选{number}"),
                              "mobile": format!("198{number:08}"), "orgId": ORG, "deptId": "d3", "pubts": local(0) })
        })
        .collect();
    Arc::new(Mutex::new(yonbip))
}

/// Beijing time without a zone.
fn local(tick: i64) -> String {
    let at = jiff::Timestamp::from_second(1_762_133_400 + tick + 8 * 3_600).unwrap();
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn position(number: usize) -> Value {
    json!({ "id": format!("p{number}"), "code": format!("P{number}"), "name": { "zh_CN": format!("岗位{number}"), "en_US": "" }, "org_id": ORG,
            "dept_id": "d3", "job_id": null, "enable": 1, "dr": 0, "pubts": local(0) })
}

fn person(number: usize, tick: i64) -> Value {
    json!({ "id": format!("s{number}"), "code": format!("S{number:05}"), "name": format!("员工{number}"), "mobile": format!("199{number:08}"),
            "email": format!("s{number}@example.test"), "birthdate": "1990-05-06 00:00:00", "enable": 1, "pubts": local(tick),
            "mainJobList": [{ "org_id": ORG, "dept_id": "d3", "post_id": "p0", "director": null }] })
}

impl Yonbip {
    /// Changes a person, later than all others.
    pub fn touch(&mut self, number: usize, field: &str, value: Value) {
        let tick = self.staff.len() as i64;
        self.staff[number][field] = value;
        self.staff[number]["pubts"] = json!(local(tick));
    }

    /// Adds a pay file of a month with slips of these people.
    pub fn pay(&mut self, month: &str, people: usize) {
        let id = format!("f-{month}");
        let slip = |number: usize| {
            json!({ "id": format!("{id}-{number}"), "cyear": &month[..4], "cperiod": &month[5..], "staffid": format!("s{number}"),
                    "amtPayable": 12000.5, "amtReality": 10000.25, "amtDeduct": 2000.25, "amtDeductTax": 100 })
        };
        self.slips.insert(id.clone(), (0..people).map(slip).collect());
        let file = json!({ "id": id, "busiOrg": ORG, "code": id, "schemeName": "月薪", "payPeriodName": month, "payNums": people,
                           "totals": 12000.5 * people as f64 });
        self.pay_files.entry(month.to_owned()).or_default().push(file);
    }

    /// Takes back the token that is out.
    pub fn forget_token(&mut self) {
        self.token = None;
    }
}

/// The simulator's routes: the gateway under `/gateway`, tokens under `/iuap-api-auth`.
pub fn router(tenant: Tenant) -> Router {
    Router::new()
        .route("/iuap-api-auth/open-auth/selfAppAuth/getAccessToken", get(token))
        .route("/gateway/{*call}", any(call))
        .with_state(tenant)
}

fn answer(code: &str, message: &str, data: &Value) -> Response {
    // Some pages write the code as a number.
    let code = if message == "操作成功" && data["recordList"].is_array() { json!(200) } else { json!(code) };
    Json(json!({ "code": code, "message": message, "data": data })).into_response()
}

fn good(data: &Value) -> Response {
    answer("200", "操作成功", data)
}

fn bad(code: &str, message: &str) -> Response {
    answer(code, message, &Value::Null)
}

/// Names and values of the parameters in the order of the names.
fn signature(parameters: &BTreeMap<String, String>) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    for (name, value) in parameters {
        mac.update(format!("{name}{value}").as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

async fn token(State(tenant): State<Tenant>, Query(mut asked): Query<BTreeMap<String, String>>) -> Response {
    let signed = asked.remove("signature").unwrap_or_default();
    let time = asked.get("timestamp").and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
    let now = jiff::Timestamp::now().as_millisecond();
    if asked.get("appKey").map(String::as_str) != Some(APP_KEY) || asked.len() != 2 {
        return bad("50000", "应用不存在");
    }
    if (now - time).abs() > SIGNED_MS || signed != signature(&asked) {
        return bad("50000", "签名错误");
    }
    let mut yonbip = tenant.lock().unwrap();
    yonbip.tokens += 1;
    let token = format!("canary-yonbip-token-{}", yonbip.tokens);
    yonbip.token = Some(token.clone());
    answer("00000", "成功！", &json!({ "access_token": token, "expire": 7200 }))
}

type Asked = BTreeMap<String, String>;

async fn call(
    State(tenant): State<Tenant>,
    Path(call): Path<String>,
    Query(asked): Query<Asked>,
    method: Method,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut yonbip = tenant.lock().unwrap();
    // The query by what programs report, the header by the vendor's SDK.
    let header = headers.get("access_token").and_then(|token| token.to_str().ok());
    if asked.get("access_token").map(String::as_str).or(header) != yonbip.token.as_deref() || yonbip.token.is_none() {
        return bad("310036", "非法token");
    }
    yonbip.requests += 1;
    if let Some(code) = yonbip.faults.pop() {
        return bad(code, "故障");
    }
    let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap_or_default() };
    match (method.as_str(), call.as_str()) {
        ("POST", "yonbip/digitalModel/admindept/tree") => {
            match (body["externalData"]["parentorgid"].as_str(), &body["externalData"]["enable"]) {
                (Some(ORG), Value::Array(_)) => good(&json!(yonbip.departments)),
                _ => bad("999", "所属组织不存在"),
            }
        }
        ("POST", "yonbip/digitalModel/position/listForIntegration") => {
            let kept = |row: &&Value| body["drList"].as_array().is_none_or(|list| list.contains(&row["dr"]));
            listed(yonbip.positions.iter().filter(kept), &body)
        }
        ("POST", "yonbip/digitalModel/staff/listForApi") => listed(yonbip.staff.iter(), &body),
        ("POST", "yonbip/hrcloud/hrcandidate/list") => listed(yonbip.candidates.iter(), &body),
        ("GET", "yonbip/hrcloud/payfile/queryPayfileDataByPayPeriod") => {
            match yonbip.pay_files.get(asked.get("payPeriods").map_or("", String::as_str)).map(Vec::as_slice) {
                None => bad("500", "未找到对应的薪资发放单"),
                Some([one]) => good(one),
                Some(several) => good(&json!(several)),
            }
        }
        ("POST", "yonbip/hrcloud/payfile/queryPayslipsByPayFileIdsMDD") => {
            let ids = body["ids"].as_str().unwrap_or_default().split(',');
            let slips: Vec<&Value> = ids.filter_map(|id| yonbip.slips.get(id)).flatten().collect();
            answer("200", "查询成功", &json!(slips))
        }
        ("GET", "yonbip/hrcloud/time/report/open-api/report/attendExternal/getAttendDayRpt") => days(&yonbip, &asked),
        ("POST", "yonbip/fi/ficloud/openapi/voucher/addVoucher") => voucher(&mut yonbip, &body),
        _ => (StatusCode::NOT_FOUND, "no such call").into_response(),
    }
}

/// A page of what changed after a time.
fn listed<'r>(rows: impl Iterator<Item = &'r Value>, asked: &Value) -> Response {
    let (index, size) = (asked["pageIndex"].as_u64(), asked["pageSize"].as_u64());
    let (Some(index @ 1..), Some(size @ 1..=500)) = (index, size) else { return bad("999", "分页参数错误") };
    let since = asked["pubts"].as_str().unwrap_or_default();
    let found: Vec<&Value> = rows.filter(|row| row["pubts"].as_str().unwrap_or_default() > since).collect();
    let pages = found.len().div_ceil(size as usize);
    let page: Vec<&Value> =
        found.iter().skip((index as usize - 1) * size as usize).take(size as usize).copied().collect();
    good(
        &json!({ "pageIndex": index, "pageSize": size, "pageCount": pages.to_string(), "recordCount": found.len(), "recordList": page }),
    )
}

fn days(yonbip: &Yonbip, asked: &Asked) -> Response {
    let number = |name: &str| asked.get(name).and_then(|text| text.parse::<i64>().ok());
    let (Some(from), Some(to), Some(page @ 1..), Some(size @ 1..=100)) =
        (number("beginDate"), number("endDate"), number("pageNum"), number("pageSize"))
    else {
        return bad("999", "参数错误");
    };
    if asked.get("schemeId").map(String::as_str) != Some(SCHEME) {
        return bad("999", "假勤方案不存在");
    }
    if to - from > WEEK_MS {
        return bad("401", "查询时间间隔最多1周");
    }
    let within = |row: &&Value| row["calendar"].as_i64().is_some_and(|at| (from..=to).contains(&at));
    let found: Vec<&Value> = yonbip.attendance.iter().filter(within).collect();
    let rows: Vec<&Value> =
        found.iter().skip((page - 1) as usize * size as usize).take(size as usize).copied().collect();
    let pages = found.len().div_ceil(size as usize);
    good(
        &json!({ "data": { "content": rows, "totalPages": pages, "totalElements": found.len(), "last": page as usize >= pages }, "columns": "" }),
    )
}

/// Saves a voucher; the same `businessId` again gives the one that there is.
fn voucher(yonbip: &mut Yonbip, asked: &Value) -> Response {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = asked["bodies"].as_array().cloned().unwrap_or_default();
    let known = yonbip
        .vouchers
        .iter()
        .position(|one| !asked["businessId"].is_null() && one["businessId"] == asked["businessId"]);
    let cents = |value: &Value| value.as_f64().map(|amount| (amount * 100.0).round() as i64);
    let side = |line: &Value| match (cents(&line["debitOriginal"]), cents(&line["creditOriginal"])) {
        (Some(debit), None) if line["debitOrg"] == line["debitOriginal"] => Some(debit),
        (None, Some(credit)) if line["creditOrg"] == line["creditOriginal"] => Some(-credit),
        _ => None,
    };
    let sides: Option<Vec<i64>> = lines.iter().map(side).collect();
    let refused = if text(&asked["accbookCode"]).is_empty() || text(&asked["voucherTypeCode"]).is_empty() {
        Some("账簿或凭证类型不能为空")
    } else if text(&asked["makerEmail"]) != MAKER {
        Some("制单人不存在")
    } else if lines
        .iter()
        .any(|line| text(&line["description"]).is_empty() || !yonbip.accounts.contains(&text(&line["accsubjectCode"])))
    {
        Some("科目不存在或摘要为空")
    } else if lines.len() < 2 || sides.is_none_or(|sides| sides.iter().sum::<i64>() != 0) {
        Some("借贷不平")
    } else if text(&asked["period"]).len() != 7 || text(&asked["makeTime"]).len() != 10 {
        Some("期间错误")
    } else {
        None
    };
    if let Some(why) = refused {
        return bad("404", why);
    }
    let at = known.unwrap_or_else(|| {
        yonbip.vouchers.push(asked.clone());
        yonbip.vouchers.len() - 1
    });
    if yonbip.lose > 0 {
        yonbip.lose -= 1;
        return StatusCode::BAD_GATEWAY.into_response();
    }
    answer(
        "200",
        "OK",
        &json!({ "voucherId": format!("V-{:04}", at + 1), "voucherStatus": "01", "period": asked["period"], "billCode": at + 1 }),
    )
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// Made with the official SDK for Python: the same key, secret and time.
    #[test]
    fn a_signature_is_that_of_the_vendors_sdk() {
        let parameters = [("appKey", super::APP_KEY), ("timestamp", "1568098531823")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(signature(&parameters), "JIvM4ZBsmtnfWOxGFhFDqxgwMQw421fgejaMpzBOqMk=");
    }
}
