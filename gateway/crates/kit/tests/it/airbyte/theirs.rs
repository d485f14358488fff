//! Airbyte's own runtime at the made-up vendor: a Python with the package `airbyte-cdk` reads the manifest from a socket behind which the vendor stands.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{ours, path, vendor};

/// What answers: origin, method, path, query, body, and whether the request has the made-up token.
pub(crate) type Answers = dyn Fn(&str, &Asked<'_>) -> vendor::Answer + Send + Sync;

/// What is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a Value,
    pub(crate) authorized: bool,
}

/// A vendor behind a socket: its address, and what was asked of it.
pub(crate) fn listen(answers: Arc<Answers>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, at) = (Arc::clone(&asked), origin.clone());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (log, at, answers) = (Arc::clone(&log), at.clone(), Arc::clone(&answers));
            std::thread::spawn(move || serve(connection, &at, &log, &*answers));
        }
    });
    (origin, asked)
}

/// What each stream asked for and brought, with the version that did it.
pub(crate) fn read(python: &Path, manifest: &str) -> Value {
    let (origin, asked) = listen(Arc::new(|origin: &str, asked: &Asked<'_>| match asked.authorized {
        true => vendor::answer(origin, asked.method, asked.path, asked.query, asked.body),
        false => vendor::Answer { status: 401, headers: Vec::new(), body: json!({ "error": "no such token" }) },
    }));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("manifest.yaml");
    let here = manifest.replace("https://{{ config['account'] }}.acme.example", &origin);
    assert_ne!(here, manifest, "the manifest has another address");
    std::fs::write(&file, here).unwrap();
    let (mut told, mut streams) = (json!({}), serde_json::Map::new());
    for (stream, state) in [
        ("jobs", None),
        ("candidates", None),
        ("candidates", Some("again")),
        ("applications", None),
        ("people", None),
        ("departments", None),
        ("teams", None),
    ] {
        asked.lock().unwrap().clear();
        let known = state.map(|_| streams["candidates"]["state"].clone()).unwrap_or_default();
        told = python_reads(python, &file, stream, &known, None).unwrap();
        let requests = asked.lock().unwrap().clone();
        let name = state.map_or_else(|| stream.to_owned(), |_| format!("{stream} again"));
        let read = json!({ "requests": requests, "records": told["records"], "state": told["state"] });
        streams.insert(name, read);
    }
    json!({ "airbyte_cdk": told["version"], "streams": streams })
}

/// Reads a stream; of a manifest of a real vendor from another address.
pub(crate) fn python_reads(
    python: &Path,
    manifest: &Path,
    stream: &str,
    state: &Value,
    origin: Option<&str>,
) -> Result<Value, String> {
    let config = json!({
        "account": "made-up", "start_date": "2024-01-01T00:00:00Z", "regions": ["north", "south"],
        "credentials": { "kind": "Token", "token": "made-up-token" },
    });
    let mut command = Command::new(python);
    command.args([path("read.py").as_os_str(), manifest.as_os_str(), stream.as_ref(), state.to_string().as_ref()]);
    command.envs(origin.map(|origin| ("ORIGIN", origin)));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    // Its messages stand on standard output, too, where the document is the last line.
    let last = output.stdout.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap_or_default();
    match output.status.success() {
        true => serde_json::from_slice(last).map_err(|error| format!("{error}: {told}")),
        false => Err(told.lines().last().unwrap_or("airbyte-cdk failed").to_owned()),
    }
}

/// Answers the requests of one connection.
fn serve(connection: TcpStream, origin: &str, log: &Mutex<Vec<Value>>, answers: &Answers) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut writer = connection;
    while let Some((method, target, authorized, body)) = request(&mut reader) {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let asked = Asked { method: &method, path, query, body: &body, authorized };
        let answer = answers(origin, &asked);
        log.lock().unwrap().push(ours::request(&method, &target, &body));
        let body = answer.body.to_string();
        let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "HTTP/1.1 {} .\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n",
            answer.status,
            body.len()
        );
        if writer.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

type Request = (String, String, bool, Value);

fn request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut authorized) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => authorized = value.trim() == "Bearer made-up-token",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, target, authorized, serde_json::from_slice(&body).unwrap_or_default()))
}
