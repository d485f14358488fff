//! The command line among other programs: pipes that close, narrow terminals, logs that do not go to a terminal.

use std::io::Read as _;
use std::process::Stdio;

use crate::harness::{Home, said};
use crate::staff::staff;

/// Starts a command, reads the first byte that it says and closes the pipe.
fn closed_after_one_byte(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = home.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0]).unwrap();
    drop(out);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code(), told)
}

#[test]
fn a_reader_that_has_seen_enough_ends_nothing_with_a_panic() {
    let home = Home::new("");
    for arguments in [
        &["schema"][..],
        &["schema", "employee"],
        &["schema", "employee", "--fields", "--json"],
        &["limits"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let (code, told) = closed_after_one_byte(&home, arguments);
        assert_eq!((code, told.as_str()), (Some(0), ""), "{arguments:?}");
    }
    // Nothing was read at all, and the pipe is closed before the first line.
    let mut child = home.command(&["schema", "employee"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn output_that_cannot_be_written_is_a_failure_that_is_told() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let home = Home::new("");
    let output = home.command(&["schema", "employee"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("standard output cannot be written"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_fit_the_width_that_columns_says_and_wide_shows_all() {
    let (_source, home) = staff(3).await;
    let home = home.env("COLUMNS", "72");
    assert!(home.run(&["sync", "--dev"]).await.status.success());
    let narrow = said(&home.run(&["runs", "--dev"]).await);
    assert!(narrow.lines().all(|line| line.chars().count() <= 72 || line.starts_with("left out")), "{narrow}");
    assert!(narrow.contains("left out to fit the terminal: ") && !narrow.contains("unchanged ┆"), "{narrow}");
    let wide = said(&home.run(&["runs", "--dev", "--wide"]).await);
    assert!(wide.contains("unchanged") && wide.contains("findings") && !wide.contains("left out"), "{wide}");
    // A pipe has no edge.
    let (_source, piped) = staff(3).await;
    let piped = said(&piped.run(&["sync", "--dev"]).await);
    assert!(piped.contains("quarantined") && piped.contains("pages") && !piped.contains("left out"), "{piped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_have_no_colour_in_a_file_and_are_json_when_asked() {
    let (_source, home) = staff(3).await;
    let text = home.run(&["sync", "--dev", "--log", "info"]).await;
    let logs = String::from_utf8_lossy(&text.stderr).into_owned();
    assert!(logs.contains("INFO") && !logs.contains('\u{1b}'), "{logs}");
    let json = home.run(&["sync", "--dev", "--log", "info", "--log-format", "json"]).await;
    let lines: Vec<&str> = std::str::from_utf8(&json.stderr).unwrap().lines().collect();
    assert!(!lines.is_empty());
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string(), "{line}");
    }
    assert!(said(&json).contains('│'), "tables stay tables: {}", said(&json));
    let mistyped = home.env("RENMEN_LOG", "inof").run(&["runs", "--dev"]).await;
    assert_eq!(mistyped.status.code(), Some(2));
    assert!(said(&mistyped).contains("`inof` is not a level"), "{}", said(&mistyped));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_progress_is_plain_lines() {
    let (_source, home) = staff(2_500).await;
    // A directory of its own for compiled plugins: those of all tests would have it already.
    let cache = home.path().join("cache").display().to_string();
    let synced = home.run(&["sync", "--dev", "--cache-dir", &cache]).await;
    let told = String::from_utf8_lossy(&synced.stderr).into_owned();
    assert!(told.contains("compiling plugin `"), "{told}");
    assert!(told.contains("staff/employees: complete, 3 pages, 2,500 records"), "{told}");
    let again = home.run(&["sync", "--dev", "--cache-dir", &cache]).await;
    assert!(!said(&again).contains("compiling"), "its code is kept: {}", said(&again));
    let silent = home.run(&["sync", "--dev", "--json", "--cache-dir", &cache]).await;
    assert_eq!(String::from_utf8_lossy(&silent.stderr), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_and_man_know_every_command() {
    let home = Home::new("");
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&home.run(&["completions", shell]).await);
        for word in ["renmen", "quarantine", "pull-first", "log-format"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("compile-plugin"), "{shell} offers what is not for people");
    }
    assert!(said(&home.run(&["man"]).await).contains(".TH renmen 1"));
    let missing = home.run(&["man", "--dir", "pages"]).await;
    assert_eq!(missing.status.code(), Some(2));
    std::fs::create_dir(home.path().join("pages")).unwrap();
    assert!(home.run(&["man", "--dir", "pages"]).await.status.success());
    for page in ["renmen.1", "renmen-sync.1", "renmen-quarantine-retry.1"] {
        assert!(home.path().join("pages").join(page).exists(), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_of_an_entity_are_a_table_with_type_and_class() {
    let home = Home::new("");
    let table = said(&home.run(&["schema", "performance_review", "--fields"]).await);
    let line = table.lines().find(|line| line.contains("/rating/value ")).unwrap();
    assert!(line.contains("Decimal (string)") && line.contains("PERSONAL"), "{line}");
    let fields = home.json(&["schema", "employees", "--fields"]).await;
    let address = fields.as_array().unwrap().iter().find(|field| field["pointer"] == "/person/emails/*/address");
    assert_eq!(address.unwrap()["sensitivity"], "PERSONAL");
    assert_eq!(home.run(&["schema", "--fields"]).await.status.code(), Some(2), "of which entity?");
}

#[test]
fn a_terminal_in_chinese_is_answered_in_chinese_and_programs_and_logs_are_not() {
    let broken = "[gateway]\nlisen = \"127.0.0.1:7300\"\n";
    let told = |locale: &str, arguments: &[&str]| {
        said(&Home::new(broken).env("LC_ALL", locale).command(arguments).output().unwrap())
    };
    let chinese = told("zh_CN.UTF-8", &["check"]);
    assert!(chinese.contains("错误：") && chinese.contains("未知的配置项 `lisen`；是否想写 `listen`？"), "{chinese}");
    for english in [told("C", &["check"]), told("de_DE.UTF-8", &["check"])] {
        assert!(
            english.contains("error: ") && english.contains("unknown key `lisen`; did you mean `listen`?"),
            "{english}"
        );
    }
    let usage = told("zh_CN.UTF-8", &["schema", "nothing"]);
    assert!(usage.contains("没有实体 `nothing`"), "{usage}");
    let heads = told("zh_CN.UTF-8", &["schema"]);
    assert!(heads.contains("实体") && heads.contains("读取位置"), "{heads}");
    let document = told("zh_CN.UTF-8", &["schema", "employee", "--fields", "--json"]);
    assert!(document.contains("\"sensitivity\""), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_answers_a_command_in_the_language_of_its_terminal() {
    let (_source, home) = staff(3).await;
    let home = home.env("LC_ALL", "zh_CN.UTF-8");
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    gateway.greeting().await;
    let refused = said(&home.run(&["deliveries", "replay", "999", "--dev"]).await);
    assert!(refused.contains("错误：") && refused.contains("当前租户没有这个流程或投递"), "{refused}");
}
