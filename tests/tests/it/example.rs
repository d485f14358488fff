//! The repository's own connectors.toml as a test runs it: every vendor that it names is a simulator of the test, or an
//! address at which nothing listens.

use std::time::Duration;

use renmen_tests::deployment::{Offices, secrets, with_books as switched_on};
use renmen_tests::story::Ledger;
use renmen_tests::{dingtalk, feishu, files, interview_vendor, odoo, office, salesforce, sms};
use serde_json::json;

use crate::harness::{Home, plugin, serve};

/// Nothing listens there: what is sent to a vendor that a test does without goes nowhere.
const NOBODY: &str = "http://127.0.0.1:9";

/// The deployment with the payroll department's files in its inbox, and with no vendor yet.
pub async fn example() -> Home {
    let plugins = plugin("dingtalk").parent().unwrap().display().to_string();
    let home = Home::new(include_str!("../../../connectors.toml"));
    let inbox = home.path().join("inbox");
    std::fs::create_dir(&inbox).unwrap();
    files::write_demo_files(&inbox).unwrap();
    // A file that was written this very moment may still be growing: it is listed half a second later.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let dingtalk_app = json!({ "client_id": dingtalk::APP_KEY, "client_secret": dingtalk::APP_SECRET }).to_string();
    let feishu_app = json!({ "app_id": feishu::APP_ID, "app_secret": feishu::APP_SECRET }).to_string();
    home.env("RENMEN_PLUGINS", &plugins)
        .env("INBOX", &inbox.display().to_string())
        .env("DINGTALK_URL", NOBODY)
        .env("DINGTALK_OLD_URL", NOBODY)
        .env("DINGTALK_APP", &dingtalk_app)
        .env("FEISHU_URL", NOBODY)
        .env("FEISHU_APP", &feishu_app)
        .env("FEISHU_ENCRYPT_KEY", feishu::ENCRYPT_KEY)
        .env("INTERVIEW_URL", NOBODY)
        .env("INTERVIEW_KEY", interview_vendor::API_KEY)
        .env("INTERVIEW_WEBHOOK_SECRET", interview_vendor::WEBHOOK_SECRET)
        .env("SMS_URL", NOBODY)
        .env("SMS_KEY", sms::API_KEY)
}

/// With a DingTalk, whose first member is the recruiter.
pub async fn with_dingtalk(home: Home, company: &dingtalk::Company) -> Home {
    let url = serve(dingtalk::router(company.clone())).await;
    let recruiter = company.lock().unwrap().users[0].userid.clone();
    home.env("DINGTALK_URL", &url).env("DINGTALK_OLD_URL", &url).env("DINGTALK_RECRUITER", &recruiter)
}

/// With a Feishu.
pub async fn with_feishu(home: Home, tenant: &feishu::Tenant) -> Home {
    let url = serve(feishu::router(tenant.clone())).await;
    home.env("FEISHU_URL", &url)
}

/// With an interview vendor, and the connection whose ids of applications it knows.
pub async fn with_interviews(home: Home, vendor: &interview_vendor::Vendor, applications: &str) -> Home {
    let url = serve(interview_vendor::router(vendor.clone())).await;
    home.env("INTERVIEW_URL", &format!("{url}/v1")).env("INTERVIEW_APPLICATIONS", applications)
}

/// With a provider of text messages.
pub async fn with_texts(home: Home, provider: &sms::Provider) -> Home {
    let url = serve(sms::router(provider.clone())).await;
    home.env("SMS_URL", &url)
}

/// With ERP, CRM and finance, which the deployment has off.
pub async fn with_books(home: Home, ledger: &Ledger) -> Home {
    let erp = serve(office::router(office::open(odoo::whole(20, 40)))).await;
    let crm = serve(office::router(office::open(salesforce::Org::of(40)))).await;
    let ledger = serve(office::router(ledger.clone())).await;
    let path = home.path().join("connectors.toml");
    let offices = Offices { odoo: &erp, salesforce: &crm, ledger: &ledger };
    home.configure(&switched_on(&std::fs::read_to_string(path).unwrap(), &offices).unwrap());
    secrets().iter().fold(home, |home, (variable, secret)| home.env(variable, secret))
}
