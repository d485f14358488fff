//! SAP Business One's Service Layer: sessions, and journal entries.
//!
//! Quirks it plays: a session is a cookie that comes from the answer of the login; the vendor's codes are negative numbers as texts; an entry that
//! does not balance, an account that is not there and a period that is locked are refused with the same status.

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor};

/// The company's database.
pub const COMPANY: &str = "SBO_MADE_UP";
/// The user.
pub const USER: &str = "payroll";
/// Its password. A canary: it must turn up nowhere.
pub const PASSWORD: &str = "canary-b1-password-2f19";
/// What sessions begin with. A canary: it must turn up nowhere.
pub const SESSION: &str = "canary-b1-session-";

/// A company.
#[derive(Debug)]
pub struct Company {
    pub accounts: Vec<String>,
    /// Cost centres: their codes.
    pub centers: Vec<String>,
    pub entries: Vec<Value>,
    /// Entries up to this day are refused.
    pub locked_until: String,
    pub sessions: u32,
}

impl Company {
    /// The secret of its user, as a slot takes it.
    #[must_use]
    pub fn user() -> String {
        json!({ "company_db": COMPANY, "user": USER, "password": PASSWORD }).to_string()
    }

    /// The accounts that the example deployment posts payroll to.
    #[must_use]
    pub fn of_the_example() -> Self {
        Self::with_accounts(&["6602.01", "6602.05", "2211.05", "2221.01", "2241.01"])
    }

    /// A company that has these accounts too.
    #[must_use]
    pub fn with_accounts(accounts: &[&str]) -> Self {
        let mut company = Self::default();
        company.accounts.extend(accounts.iter().map(|account| (*account).to_owned()));
        company
    }
}

impl Default for Company {
    fn default() -> Self {
        let accounts = ["_SYS00000000010", "_SYS00000000020", "6602.01", "2211.01"].map(str::to_owned).to_vec();
        let centers = ["CC10", "CC20", "CC30"].map(str::to_owned).to_vec();
        Self { accounts, centers, entries: Vec::new(), locked_until: "2025-01-01".to_owned(), sessions: 0 }
    }
}

fn refused(code: i64, message: &str) -> Told {
    Told::of(
        400,
        json!({ "error": { "code": code.to_string(), "details": [{ "code": "", "message": "" }], "message": message } }),
    )
}

impl Company {
    fn login(&mut self, body: &Value) -> Told {
        if body["CompanyDB"] != COMPANY || body["UserName"] != USER || body["Password"] != PASSWORD {
            return Told::of(
                401,
                json!({ "error": { "code": "-304", "message": "Fail to get DB Credentials from SLD" } }),
            );
        }
        self.sessions += 1;
        Told::good(
            json!({ "SessionId": format!("{SESSION}{}", self.sessions), "Version": "1000290", "SessionTimeout": 30 }),
        )
    }

    /// A page is as large as the header says, and 20 rows without it.
    fn list_centers(&self, ask: &Ask) -> Told {
        let size = ask.headers.get("prefer").and_then(|text| text.strip_prefix("odata.maxpagesize=")?.parse().ok());
        let skip = ask.query.get("$skip").and_then(|text| text.parse().ok()).unwrap_or(0);
        let row = |code: &String| json!({ "CenterCode": code, "CenterName": format!("Center {code}"), "InWhichDimension": 1 });
        let page: Vec<Value> = self.centers.iter().skip(skip).take(size.unwrap_or(20)).map(row).collect();
        Told::good(json!({ "value": page }))
    }

    fn find(&self, ask: &Ask) -> Told {
        let filter = ask.query.get("$filter").map_or("", String::as_str);
        let Some(wanted) = filter.strip_prefix("Reference2 eq '").and_then(|rest| rest.strip_suffix('\'')) else {
            return refused(-1000, "Query string error: Invalid filter condition.");
        };
        let pick = |entry: &Value| json!({ "JdtNum": entry["JdtNum"], "Number": entry["Number"], "Reference2": entry["Reference2"] });
        let found: Vec<Value> = self.entries.iter().filter(|entry| entry["Reference2"] == wanted).map(pick).collect();
        Told::good(json!({ "value": found }))
    }

    fn post(&mut self, body: &Value) -> Told {
        const KNOWN: [&str; 8] = [
            "ReferenceDate",
            "DueDate",
            "TaxDate",
            "Memo",
            "Reference",
            "Reference2",
            "TransactionCode",
            "JournalEntryLines",
        ];
        if let Some(stranger) =
            body.as_object().and_then(|body| body.keys().find(|name| !KNOWN.contains(&name.as_str())))
        {
            return refused(-1000, &format!("Property '{stranger}' of 'JournalEntry' is invalid"));
        }
        if body["Memo"].as_str().is_some_and(|memo| memo.chars().count() > 50) {
            return refused(-1004, "Value too long in property 'Memo' of 'JournalEntry'");
        }
        if body["ReferenceDate"].as_str() <= Some(self.locked_until.as_str()) {
            return refused(-10, "The posting period is locked");
        }
        let empty = Vec::new();
        let lines = body["JournalEntryLines"].as_array().unwrap_or(&empty);
        let (mut debit, mut credit) = (0, 0);
        for line in lines {
            if !self.accounts.iter().any(|account| line["AccountCode"] == account.as_str()) {
                return refused(-5002, "Invalid account code");
            }
            let cents = |name: &str| line[name].as_f64().map(|amount| (amount * 100.0).round() as i64);
            let (Some(one), Some(other)) = (cents("Debit"), cents("Credit")) else {
                return refused(-1000, "Debit and Credit are numbers");
            };
            (debit, credit) = (debit + one, credit + other);
        }
        if lines.len() < 2 || debit != credit {
            return refused(-5002, "Unbalanced Transaction");
        }
        let number = 100 + self.entries.len();
        let mut entry = body.clone();
        (entry["JdtNum"], entry["Number"]) = (json!(number), json!(number + 7000));
        self.entries.push(entry.clone());
        Told::of(201, entry)
    }
}

impl Vendor for Company {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        let cookie =
            ask.headers.get("cookie").and_then(|value| value.strip_prefix("B1SESSION=")?.strip_prefix(SESSION));
        let good = cookie.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number <= self.sessions);
        match good || ask.path == "/b1s/v2/Login" {
            true => Ok(()),
            false => Err(Told::of(
                401,
                json!({ "error": { "code": "301", "message": "Invalid session or session already timeout." } }),
            )),
        }
    }

    fn busy(&self) -> Told {
        Told::of(503, json!({ "error": { "code": "-1", "message": "Service Unavailable" } })).header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        match (ask.method.as_str(), ask.path.as_str()) {
            ("POST", "/b1s/v2/Login") => self.login(&ask.body),
            ("GET", "/b1s/v2/ProfitCenters") => self.list_centers(ask),
            ("GET", "/b1s/v2/JournalEntries") => self.find(ask),
            ("POST", "/b1s/v2/JournalEntries") => self.post(&ask.body),
            _ => Told::of(404, json!({ "error": { "code": "-1", "message": "Unrecognized resource path." } })),
        }
    }
}
