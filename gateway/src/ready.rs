//! The ready file, which tells the program that started the gateway that it is serving.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use renmen_schema::text;
use serde_json::Value;

/// Writes it whole or not at all, because a program that waits for it reads it at once. It may hold a key, so only its
/// owner can read it.
pub(crate) fn write(file: &Path, greeting: &Value) -> anyhow::Result<()> {
    let draft = file.with_extension("draft");
    let cannot = || text!("cannot write the ready file {}", "无法写入就绪文件 {}", file.display());
    if draft.exists() {
        fs::remove_file(&draft).with_context(cannot)?;
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).with_context(cannot)?;
    made.write_all(greeting.to_string().as_bytes()).with_context(cannot)?;
    fs::rename(&draft, file).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    #[test]
    fn it_is_read_by_its_owner_alone_and_takes_the_place_of_an_older_one() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ready.json");
        for url in ["http://127.0.0.1:1", "http://127.0.0.1:2"] {
            super::write(&file, &json!({ "url": url }))?;
            assert_eq!(std::fs::read_to_string(&file)?, json!({ "url": url }).to_string());
        }
        assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        assert!(super::write(&folder.path().join("no/ready.json"), &json!({})).is_err());
        Ok(())
    }
}
