//! The imported connector at the made-up vendor: what it asks for, and what it makes of the answers.

use renmen_declarative::author;
use renmen_declarative::language::Document;
use renmen_plugin::http::Response;
use renmen_plugin::testing::Host;
use renmen_plugin::{Envelope, Pull};
use renmen_schema::manifest::Manifest;
use serde_json::{Value, json};

use super::theirs::Asked;
use super::vendor;

/// The address of the vendor.
pub(crate) const ORIGIN: &str = "http://127.0.0.1:4041";

/// A run of a stream.
pub(crate) struct Run {
    /// What was asked for, as [`request`] writes it.
    pub(crate) requests: Vec<Value>,
    pub(crate) records: Vec<Envelope>,
    pub(crate) next: Option<String>,
}

/// The connector of some files.
pub(crate) fn document(plugin: &str, mapping: &str) -> Document {
    let manifest = Manifest::parse(plugin).unwrap();
    serde_json::from_slice(&author::read(mapping, Some(&manifest)).unwrap().embedded).unwrap()
}

/// The configuration; without secrets.
pub(crate) fn config() -> Value {
    json!({
        "base_url": format!("{ORIGIN}/v1"), "account": "made-up", "start_date": "2024-01-01T00:00:00Z",
        "regions": ["north", "south"],
    })
}

/// A request as both sides are compared by: the upper end of a window is the time of the run.
pub(crate) fn request(method: &str, target: &str, body: &Value) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut query = vendor::parameters(query);
    query.iter_mut().filter(|(name, _)| name == "updated_to").for_each(|(_, value)| *value = "now".to_owned());
    query.sort();
    json!({ "method": method, "path": path, "query": query, "body": body })
}

/// Pulls a stream to its end.
pub(crate) fn run(document: &Document, stream: &str, cursor: Option<&str>) -> Run {
    let answers = |asked: &Asked<'_>| vendor::answer(ORIGIN, asked.method, asked.path, asked.query, asked.body);
    run_at(document, &config(), stream, cursor, &answers).unwrap_or_else(|why| panic!("{stream}: {why}"))
}

/// Pulls a stream to its end. Each request that is not known yet is answered, and the run begins again.
pub(crate) fn run_at(
    document: &Document,
    config: &Value,
    stream: &str,
    cursor: Option<&str>,
    answers: &dyn Fn(&Asked<'_>) -> vendor::Answer,
) -> Result<Run, String> {
    let mut known: Vec<(String, String, Value)> = Vec::new();
    for _ in 0..300 {
        let mut host = Host::new();
        for (method, url, body) in &known {
            let target = url.strip_prefix(ORIGIN).ok_or_else(|| format!("{url} is another address"))?;
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let answer = answers(&Asked { method, path, query, body, authorized: true });
            let response = Response::from_parts(answer.status, answer.headers, answer.body.to_string().into_bytes());
            host = host.answer_with(method, url, response);
        }
        match pages(&host, document, config, stream, cursor.map(str::to_owned)) {
            Ok((records, next)) => {
                let asked = |(method, url, body): &(String, String, Value)| request(method, &url[ORIGIN.len()..], body);
                return Ok(Run { requests: known.iter().map(asked).collect(), records, next });
            }
            Err(failure) => {
                let asked = host.requests();
                let Some((method, url)) = asked.last().and_then(|asked| asked.split_once(' ')) else {
                    return Err(failure);
                };
                let body = host.request_body(asked.len() - 1).and_then(|body| serde_json::from_slice(&body).ok());
                let new = (method.to_owned(), url.to_owned(), body.unwrap_or_default());
                if known.contains(&new) {
                    return Err(failure);
                }
                known.push(new);
            }
        }
    }
    Err("no end after 300 requests".to_owned())
}

type Read = (Vec<Envelope>, Option<String>);

fn pages(
    host: &Host,
    document: &Document,
    config: &Value,
    stream: &str,
    mut cursor: Option<String>,
) -> Result<Read, String> {
    let mut records = Vec::new();
    loop {
        let pull = Pull { stream: stream.to_owned(), cursor, max_records: 1000, ..Pull::default() };
        let page =
            host.run(|| renmen_declarative::pull(document, config, &pull)).map_err(|failure| failure.to_string())?;
        if let Some(reject) = page.rejects.first() {
            return Err(format!("set aside: {}", reject.reason));
        }
        records.extend(page.records);
        if !page.has_more {
            return Ok((records, page.next));
        }
        cursor = page.next;
    }
}
