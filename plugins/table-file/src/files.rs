//! Which files there are, and their bytes.

use renmen_plugin::Failure;
use renmen_plugin::http::{Request, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config::{AsOf, Config, DayFrom, Stream};
use crate::map::day_of_name;

/// One file of the drop directory, or the one at the URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct File {
    /// Its name without a path.
    pub name: String,
    /// Of its bytes, in hex.
    pub sha256: String,
    /// When it was last written: the newest is the last one read.
    #[serde(default)]
    pub modified_ms: i64,
}

/// The stream's files, oldest first (by the date in their names where that decides), and the response that already holds the file where there is only one.
///
/// # Errors
/// The gateway's own, and more files than the limit.
pub fn list(config: &Config, stream: &Stream) -> Result<(Vec<File>, Option<Response>), Failure> {
    if let Some(url) = &config.url {
        let response = Request::get(url).send()?.ok()?;
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let file = File { name, sha256: sha256(response.body()), modified_ms: 0 };
        return Ok((vec![file], Some(response)));
    }
    let mut files: Vec<File> = Request::get("drop:///").send()?.ok()?.json()?;
    files.retain(|file| !is_passing(&file.name) && fits(&stream.files, &file.name));
    if files.len() > config.limits.files_max {
        return Err(Failure::bad_config(format!(
            "{} files fit `{}`, more than limits.files_max = {}: move the old ones away",
            files.len(),
            stream.files,
            config.limits.files_max
        )));
    }
    let by_name = matches!(stream.as_of, Some(AsOf::From { from: DayFrom::Name }));
    let day = |file: &File| by_name.then(|| day_of_name(&file.name)).flatten();
    files.sort_by(|a, b| (day(a), a.modified_ms, &a.name).cmp(&(day(b), b.modified_ms, &b.name)));
    Ok((files, None))
}

/// A file's bytes, which are those that the listing named.
///
/// # Errors
/// The gateway's own; a file that was replaced since it was listed is tried again.
pub fn read(file: &File, whole: Option<Response>) -> Result<Response, Failure> {
    if let Some(response) = whole {
        return Ok(response);
    }
    let mut url = String::from("drop:///");
    for byte in file.name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push_str(&hex::encode_upper([byte]));
        }
    }
    let response = Request::get(url).send()?.ok()?;
    if sha256(response.body()) != file.sha256 {
        return Err(Failure::upstream_unavailable("the file was replaced while it was being read; it is tried again"));
    }
    Ok(response)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Files that are not meant to be read: lock files of open documents, hidden files, and those that are still being
/// written under another name.
#[must_use]
pub fn is_passing(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with('.')
        || name.starts_with("~$")
        || [".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart"]
            .iter()
            .any(|end| lower.ends_with(end))
}

/// `*` stands for any text, `?` for one character; case matters.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*' {
            p += 1;
            n += 1;
        } else if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}
