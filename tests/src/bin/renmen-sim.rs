//! Starts every simulator on free loopback ports, says where in a ready file, and serves until it is stopped.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use renmen_tests::{dingtalk, feishu, files, interview_vendor};
use serde_json::json;
use tokio::net::TcpListener;

/// Simulated DingTalk, Feishu, interview vendor and file drop on loopback.
#[derive(Parser)]
struct Options {
    /// Written when everything listens: a JSON object of addresses.
    #[arg(long)]
    ready_file: PathBuf,
    /// Where the payroll and performance files are dropped.
    #[arg(long)]
    dir: PathBuf,
    /// People in the simulated company.
    #[arg(long, default_value_t = 120)]
    people: usize,
    /// Candidates at the simulated interview vendor, and in the simulated Hire.
    #[arg(long, default_value_t = 60)]
    candidates: usize,
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

    let dingtalk = serve(dingtalk::router(dingtalk::company(options.people))).await?;
    let feishu = serve(feishu::router(feishu::tenant(options.people, options.candidates))).await?;
    let interview = serve(interview_vendor::router(interview_vendor::vendor(options.candidates))).await?;
    let served = serve(files::router(options.dir.clone())).await?;
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
    });
    let draft = options.ready_file.with_extension("draft");
    std::fs::write(&draft, serde_json::to_vec_pretty(&ready)?)?;
    std::fs::rename(&draft, &options.ready_file)?;

    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(options.max_seconds)) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

async fn serve(router: axum::Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}
