//! Deliveries of a vendor, through the real binary and a real plugin: who is let in, what is kept, what a storm leaves.

mod door;
mod outsiders;
mod storm;
pub(crate) mod vendor;

use std::net::TcpListener;

use serde_json::Value;

use crate::harness::{Home, Running, plugin};
use vendor::{SECRET, Sent};

/// A gateway that takes the events of the made-up vendor in.
struct Gateway {
    home: Home,
    running: Running,
    url: String,
    key: String,
    listen: String,
    client: reqwest::Client,
}

impl Gateway {
    /// `limits`: the connection's, as TOML.
    async fn start(vendor_url: &str, limits: &str) -> Self {
        Self::made(vendor_url, limits, None, SECRET).await
    }

    /// The same, where the operator pasted this as the secret.
    async fn start_with_secret(secret: &str) -> Self {
        Self::made("http://127.0.0.1:9", "", None, secret).await
    }

    /// The same, where the system lets it open no more than so many files.
    async fn start_with_files(vendor_url: &str, limits: &str, files: u32) -> Self {
        Self::made(vendor_url, limits, Some(files), SECRET).await
    }

    async fn made(vendor_url: &str, limits: &str, files: Option<u32>, secret: &str) -> Self {
        let config = format!(
            r#"
[connections.events]
plugin = "{}"
config = {{ base_url = "{vendor_url}" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.events = {{ env = "EVENTS_SECRET" }}
limits = {{ {limits} }}
"#,
            plugin("signed-events").display()
        );
        let home = Home::new(&config).env("EVENTS_SECRET", secret);
        // A gateway that is started again must be found where it was.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let (running, url, key) = serve(&home, &listen, files).await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { home, running, url, key, listen, client: reqwest::Client::new() }
    }

    /// As the system does it when there is no memory left.
    async fn kill_and_start(&mut self) {
        self.running.0.kill().unwrap();
        self.running.0.wait().unwrap();
        (self.running, self.url, self.key) = serve(&self.home, &self.listen, None).await;
    }

    async fn deliver(&self, sent: &Sent) -> reqwest::Response {
        sent.request(&self.client, &self.url).send().await.unwrap()
    }

    async fn api(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Every delivery that was taken in.
    async fn inbox(&self) -> Vec<Value> {
        let (mut rows, mut before) = (Vec::new(), String::new());
        loop {
            let page = self.api(&format!("/v1/inbox?limit=1000{before}")).await;
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_before"].as_i64() {
                Some(next) => before = format!("&before={next}"),
                None => return rows,
            }
        }
    }
}

async fn serve(home: &Home, listen: &str, files: Option<u32>) -> (Running, String, String) {
    let arguments = ["serve", "--dev", "--json", "--listen", listen];
    let mut running = match files {
        Some(files) => home.spawn_with_files(files, &arguments),
        None => home.spawn(&arguments),
    };
    let document = running.document().await;
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    (running, text("url"), text("key"))
}
