//! Starts every simulator on free loopback ports, says where in a ready file, and serves until it is stopped. Given a gateway, it
//! plays the story of one application on it.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use renmen_tests::deployment::{self, Offices};
use renmen_tests::sap_business_one::Company;
use renmen_tests::story::{self, Gateway, Stage};
use renmen_tests::{dingtalk, feishu, files, front, interview_vendor, odoo, office, salesforce, sms};
use serde_json::json;
use tokio::net::TcpListener;

/// Cases in the CRM, and deals in the ERP.
const CASES: usize = 40;

/// Simulated DingTalk, Feishu, interview vendor, ERP, CRM, ledger and file drop on loopback.
#[derive(Parser)]
struct Options {
    /// Written when everything listens: a JSON object of addresses.
    #[arg(long)]
    ready_file: PathBuf,
    /// The example deployment.
    #[arg(long)]
    deployment: PathBuf,
    /// Written before the ready file: the same deployment with ERP, CRM and finance on.
    #[arg(long)]
    deployment_on: PathBuf,
    /// Where the payroll and performance files are dropped.
    #[arg(long)]
    dir: PathBuf,
    /// People in the simulated company.
    #[arg(long, default_value_t = 120)]
    people: usize,
    /// Candidates in the simulated Hire; two of three of them were ordered an AI interview already.
    #[arg(long, default_value_t = 60)]
    candidates: usize,
    /// Plays the story of one application on the gateway that this file names, as `renmen serve --ready-file` writes it. Given more
    /// than once, the gateways are asked in turn, through one address.
    #[arg(long, requires = "story_file")]
    gateway_file: Vec<PathBuf>,
    /// Written when the story ended: a JSON object with `error` when it did not go as it should.
    #[arg(long)]
    story_file: Option<PathBuf>,
    /// The story pauses after so many lines, until --pause-file is removed.
    #[arg(long, requires = "pause_file", default_value_t = 0)]
    pause_after: usize,
    /// Written when the story pauses.
    #[arg(long)]
    pause_file: Option<PathBuf>,
    /// It stops by itself after this many seconds.
    #[arg(long, default_value_t = 86_400)]
    max_seconds: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.dir).context("the drop directory")?;
    files::write_demo_files(&options.dir).context("the dropped files")?;
    // A gateway does not list a file that may still be growing: ready means that these are at rest.
    tokio::time::sleep(Duration::from_millis(700)).await;

    let company = dingtalk::company(options.people);
    let recruiter = company.lock().unwrap().users[0].userid.clone();
    let stage = Stage {
        company,
        hire: feishu::tenant(options.people, options.candidates),
        vendor: interview_vendor::vendor_for(options.candidates * 2 / 3, feishu::application_id, |n| {
            feishu::candidate_person(n, options.people, options.candidates)
        }),
        phones: sms::Provider::default(),
        ledger: office::open(Company::of_the_example()),
    };
    let dingtalk = serve(dingtalk::router(stage.company.clone())).await?;
    let feishu = serve(feishu::router(stage.hire.clone())).await?;
    let interview = serve(interview_vendor::router(stage.vendor.clone())).await?;
    let texts = serve(sms::router(stage.phones.clone())).await?;
    let served = serve(files::router(options.dir.clone())).await?;
    let erp = serve(office::router(office::open(odoo::whole(options.people, CASES)))).await?;
    let crm = serve(office::router(office::open(salesforce::Org::of(CASES)))).await?;
    let ledger = serve(office::router(stage.ledger.clone())).await?;
    let text = std::fs::read_to_string(&options.deployment).context("the example deployment")?;
    let offices = Offices { odoo: &erp, salesforce: &crm, ledger: &ledger };
    std::fs::write(&options.deployment_on, deployment::with_books(&text, &offices)?)?;
    let ready = json!({
        "dingtalk_url": dingtalk,
        "dingtalk_old_url": dingtalk,
        "feishu_url": feishu,
        "feishu_app": json!({ "app_id": feishu::APP_ID, "app_secret": feishu::APP_SECRET }).to_string(),
        "feishu_encrypt_key": feishu::ENCRYPT_KEY,
        "interview_url": format!("{interview}/v1"),
        "files_url": served,
        "inbox": options.dir,
        "dingtalk_app": json!({ "client_id": dingtalk::APP_KEY, "client_secret": dingtalk::APP_SECRET }).to_string(),
        "interview_key": interview_vendor::API_KEY,
        "interview_webhook_secret": interview_vendor::WEBHOOK_SECRET,
        "recruiter": recruiter,
        "sms_url": texts,
        "sms_key": sms::API_KEY,
        "secrets": deployment::secrets().into_iter().collect::<BTreeMap<_, _>>(),
    });
    put(&options.ready_file, &ready)?;

    let story = async {
        if let (false, Some(ended)) = (options.gateway_file.is_empty(), &options.story_file) {
            let error = tell(&stage, &options).await.err().map(|error| format!("{error:#}"));
            put(ended, &json!({ "error": error })).unwrap();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = story => {}
        () = tokio::time::sleep(Duration::from_secs(options.max_seconds)) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// Plays the story as soon as all gateways are there, and prints it as it goes.
async fn tell(stage: &Stage, options: &Options) -> anyhow::Result<()> {
    let mut gateways = Vec::new();
    for file in &options.gateway_file {
        gateways.push(gateway_of(file).await?);
    }
    let addresses = gateways.iter().map(|one| one.url.trim_start_matches("http://").to_owned()).collect();
    let mut gateway = gateways.swap_remove(0);
    if !gateways.is_empty() {
        gateway.url = front::serve(addresses).await?;
    }
    println!("\nthe story of one application:");
    let mut lines = 0;
    let told = |line: &str| {
        println!("  - {line}");
        lines += 1;
        if lines == options.pause_after {
            pause(options.pause_file.as_deref());
        }
    };
    let end = story::play(stage, &gateway, told).await?;
    println!("\nits timeline (GET {}):", end.timeline);
    for step in &end.steps {
        println!("  {}", story::line(step));
    }
    Ok(())
}

/// What a gateway says in its ready file, once that is there.
async fn gateway_of(file: &Path) -> anyhow::Result<Gateway> {
    loop {
        match std::fs::read_to_string(file) {
            Ok(text) => return serde_json::from_str(&text).context("the gateway's ready file"),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Asks for something to be done meanwhile, and waits until it is.
fn pause(file: Option<&Path>) {
    let Some(file) = file else { return };
    put(file, &json!({})).unwrap();
    tokio::task::block_in_place(|| {
        while file.exists() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
}

/// Whole or not at all: who waits for a file reads it at once.
fn put(file: &Path, value: &serde_json::Value) -> anyhow::Result<()> {
    let draft = file.with_extension("draft");
    std::fs::write(&draft, serde_json::to_vec_pretty(value)?)?;
    std::fs::rename(&draft, file)?;
    Ok(())
}

async fn serve(router: axum::Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}
