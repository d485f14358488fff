//! `renmen store`: the database as a whole.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use renmen_schema::text;
use renmen_store::{CopyProgress, StoreOptions, StorePassword, copy_store};

use crate::cli::{Common, StoreCommand};
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, thousands};
use crate::progress::line;

/// The word for the database of the configuration file.
const CONFIGURED: &str = "configured";
/// The variable from which every tool of PostgreSQL takes a password.
const PASSWORD: &str = "PGPASSWORD";
/// Between two lines about the same table.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &StoreCommand) -> anyhow::Result<Outcome> {
    let StoreCommand::Copy { from, to } = ask;
    let (from, to) = (database(common, from)?, database(common, to)?);
    let last_line = Mutex::new(Instant::now());
    let tell = |at: CopyProgress<'_>| {
        let Ok(mut last) = last_line.lock() else { return };
        if !out.json && at.rows < at.of && last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            show(at);
        }
    };
    let copied = copy_store(from, to, &tell).await?;
    let rows = copied.iter().map(|table| vec![table.name.clone(), thousands(table.rows), table.hash.clone()]);
    out.table(&["table", "rows", "hash"], rows, &copied)?;
    out.say(text!(
        "copied and compared: set store.url to the new database and start the gateway",
        "已复制并核对：请把 store.url 设为新数据库并启动网关"
    ));
    Ok(Outcome::Done)
}

fn show(at: CopyProgress<'_>) {
    let (table, rows, of) = (at.table, thousands(at.rows), thousands(at.of));
    line(&match at.verifying {
        false => text!("{table}: {rows} of {of} rows copied", "{table}：已复制 {rows} 行，共 {of} 行"),
        true => text!("{table}: {rows} of {of} rows compared", "{table}：已核对 {rows} 行，共 {of} 行"),
    });
}

/// The database that a word of the command line names.
fn database(common: &Common, name: &str) -> anyhow::Result<StoreOptions> {
    if name == CONFIGURED {
        return Deployment::load(common)?.store_options();
    }
    if holds_password(name) {
        // Not quoted: what stands on the command line is seen by every user of the machine already.
        return Err(Usage(text!(
            "a password on the command line is visible to every user of this machine: take it out and set the environment variable {PASSWORD}",
            "命令行中的密码对本机所有用户可见：请删除，并设置环境变量 {PASSWORD}"
        ))
        .into());
    }
    let password = std::env::var(PASSWORD).ok().filter(|password| !password.is_empty());
    Ok(StoreOptions { password: password.map(StorePassword::new), ..StoreOptions::at(name) })
}

fn holds_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let before_host = rest.split(['/', '?']).next().and_then(|authority| authority.rsplit_once('@'));
    before_host.is_some_and(|(user, _)| user.contains(':'))
        || rest.split(['?', '&']).any(|parameter| parameter.starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_on_the_command_line_is_found_wherever_it_stands() {
        for url in ["postgres://u:hush@h/d", "postgres://u:hush@a:1,b:2/d", "postgres://u@h/d?a=b&password=hush"] {
            assert!(holds_password(url), "{url}");
        }
        for url in ["postgres://u@h:5432/d", "postgres://h/d?a=b@c:d", "sqlite:a:b@c", "configured"] {
            assert!(!holds_password(url), "{url}");
        }
    }
}
