//! A connector of declarative/connectors against its simulator, through the real gateway: what tests of several vendors share.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, Running, plugin, said};

/// A deployment with one connection, which has the connector's name.
pub struct Trial {
    pub home: Home,
    name: &'static str,
}

impl Trial {
    /// `config`: the connection's, as TOML. `slots`: slot to secret. Every stream is pulled by hand.
    pub fn new(name: &'static str, config: &str, slots: &[(&str, &str)], streams: &[&str]) -> Self {
        let streams: String =
            streams.iter().map(|stream| format!("streams.{stream} = {{ manual = true }}\n")).collect();
        let variable = |slot: &str| format!("TRIAL_{}", slot.to_uppercase());
        let named: String =
            slots.iter().map(|(slot, _)| format!("slots.{slot} = {{ env = \"{}\" }}\n", variable(slot))).collect();
        let text = format!(
            r#"
[connections.{name}]
plugin = "{}"
config = {config}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
{named}{streams}limits = {{ retries_max = 2, retry_wait_max = "3s", rate = {{ requests = 10000, per = "1s", burst = 1000 }} }}
"#,
            plugin(name).display()
        );
        let home = slots.iter().fold(Home::new(&text), |home, (slot, secret)| home.env(&variable(slot), secret));
        Self { home, name }
    }

    /// The same deployment with more in its configuration, and variables that it names.
    pub fn with(mut self, more: &str, variables: &[(&str, &str)]) -> Self {
        let text = std::fs::read_to_string(self.home.path().join("connectors.toml")).unwrap();
        self.home.configure(&format!("{text}{more}"));
        self.home = variables.iter().fold(self.home, |home, (name, value)| home.env(name, value));
        self
    }

    /// The same deployment, in which members of a slot's secret are not secret: a user's name may be the name of other things too.
    pub fn with_public(self, slot: &str, members: &[&str]) -> Self {
        let text = std::fs::read_to_string(self.home.path().join("connectors.toml")).unwrap();
        let line = format!("slots.{slot} = {{ env = \"TRIAL_{}\"", slot.to_uppercase());
        assert!(text.contains(&line), "{text}");
        self.home.configure(&text.replace(&line, &format!("{line}, public = {members:?}")));
        self
    }

    /// The same deployment with another secret in a slot.
    pub fn secret(mut self, slot: &str, secret: &str) -> Self {
        self.home = self.home.env(&format!("TRIAL_{}", slot.to_uppercase()), secret);
        self
    }

    /// One run of a stream, no matter how it ends.
    pub async fn pull(&self, stream: &str) -> Value {
        let output = self.home.run(&["sync", self.name, stream, "--dev", "--json"]).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        report[0].clone()
    }

    /// A run that must end well: how many records it created, updated and deleted.
    pub async fn counts(&self, stream: &str) -> [u64; 3] {
        let run = self.pull(stream).await;
        assert_eq!((&run["failure"], &run["quarantined"]), (&Value::Null, &json!(0)), "{stream}: {run}");
        ["created", "updated", "deleted"].map(|count| run[count].as_u64().unwrap())
    }

    /// The code of the failure that a run must end with.
    pub async fn failure(&self, stream: &str) -> String {
        let run = self.pull(stream).await;
        run["failure"]["code"].as_str().unwrap_or_else(|| panic!("{stream} did not fail: {run}")).to_owned()
    }

    /// The body of every live record of a collection, by external id.
    pub async fn bodies(&self, collection: &str) -> std::collections::BTreeMap<String, Value> {
        let records = self.home.json(&["records", collection, "--dev", "--limit", "100000"]).await;
        let pair = |record: &Value| (record["external_id"].as_str().unwrap().to_owned(), record["body"].clone());
        records.as_array().unwrap().iter().map(pair).collect()
    }

    /// A gateway that serves.
    pub async fn serve(&self) -> Serving {
        let mut running = self.home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
        let api = Api::of(&mut running).await;
        Serving { api, client: reqwest::Client::new(), name: self.name, _running: running }
    }

    /// None of these texts is in any file of the deployment.
    pub fn keeps(&self, secrets: &[&str]) {
        for (path, bytes) in self.home.every_byte() {
            for secret in secrets {
                let found = memchr::memmem::find(&bytes, secret.as_bytes()).is_some();
                assert!(!found, "{secret} in {}", path.display());
            }
        }
    }
}

/// A gateway that serves, and the vendor's way to it.
pub struct Serving {
    pub api: Api,
    client: reqwest::Client,
    name: &'static str,
    _running: Running,
}

impl Serving {
    /// Delivers an event; gives the status and the answer.
    pub async fn deliver(&self, headers: &[(&str, String)], body: &str) -> (u16, String) {
        self.deliver_to("", headers, body).await
    }

    /// The same to an address with a query (`?sign=…`).
    pub async fn deliver_to(&self, query: &str, headers: &[(&str, String)], body: &str) -> (u16, String) {
        let address = format!("{}{query}", self.api.hook(self.name));
        let request = self.client.post(address).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// How many deliveries were taken in.
    pub async fn inbox(&self) -> usize {
        self.api.get("/v1/inbox?limit=1000").await["data"].as_array().unwrap().len()
    }

    /// Waits until a live record has something at a pointer; gives its body.
    pub async fn until(&self, collection: &str, external_id: &str, pointer: &str, wanted: Value) -> Value {
        let path = format!("/v1/{collection}?external_id={external_id}");
        let is_so = |page: &Value| {
            let body = &page["data"][0]["body"];
            (body.pointer(pointer) == Some(&wanted)).then(|| body.clone())
        };
        self.api.until(&path, is_so).await
    }

    /// Waits until the record is gone.
    pub async fn until_gone(&self, collection: &str, external_id: &str) {
        let path = format!("/v1/{collection}?external_id={external_id}");
        let is_so = |page: &Value| page["data"].as_array().is_some_and(Vec::is_empty).then_some(());
        self.api.until(&path, is_so).await;
    }

    /// Has an action done for a record, under a key, and waits for its end: the delivery.
    pub async fn act(&self, collection: &str, external_id: &str, action: &str, input: Value, key: &str) -> Value {
        let found = self.api.get(&format!("/v1/{collection}?external_id={external_id}")).await;
        let record = found["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{collection} {external_id}: {found}"));
        let ask = json!({
            "record": record, "connection": self.name, "action": action, "input": input, "reason": "a test",
            "dry_run": false,
        });
        let (status, answer) = self.api.post_keyed("/v1/actions", &ask, key).await;
        assert!(status == 200 || status == 201, "{status}: {answer}");
        let id = answer["delivery"]["id"].as_i64().unwrap_or_else(|| panic!("{answer}"));
        let ended = |delivery: &Value| {
            let state = delivery["state"].as_str()?;
            (!matches!(state, "pending" | "in_flight" | "unconfirmed")).then(|| delivery.clone())
        };
        self.api.until(&format!("/v1/deliveries/{id}"), ended).await
    }
}
