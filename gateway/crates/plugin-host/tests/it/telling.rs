//! What a connector logs reaches the operator clean: no secret, no control character, no more than allowed.

use crate::harness::{Bench, CANARY};
use crate::spans::Heard;

#[tokio::test]
async fn logged_lines_are_cut_escaped_and_without_secrets() {
    let heard = Heard::default();
    let _listening = heard.listen();
    let bench = Bench::new().await;
    bench.pull("log_long", |limits| limits.log_line_bytes_max = 100).await.unwrap();
    bench.pull("secret_in_log", |_| ()).await.err().unwrap();
    let lines = heard.lines();
    let long = lines.iter().find(|line| line.contains("yyy")).unwrap();
    assert!(long.contains("\\u{1b}[2J") && long.contains("(65540 bytes in all)") && long.len() < 300, "{long}");
    assert!(lines.iter().any(|line| line.contains("the secret is")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains(CANARY)), "{lines:?}");
}
