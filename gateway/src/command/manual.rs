//! `renmen completions` and `renmen man`: what the command line says of itself, for shells and for `man`.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use renmen_schema::text;

use crate::cli::Cli;
use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// The name of the program.
const NAME: &str = "renmen";

/// The completion script of a shell.
pub(crate) fn completions(out: Output, shell: Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), NAME, &mut script);
    out.text(&String::from_utf8(script)?);
    Ok(Outcome::Done)
}

/// The page of the program, or into a folder one page for each command.
pub(crate) fn man(out: Output, dir: Option<&Path>) -> anyhow::Result<Outcome> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command()).render(&mut page)?;
        out.text(&String::from_utf8(page)?);
        return Ok(Outcome::Done);
    };
    if !dir.is_dir() {
        return Err(Usage(text!("{} is not a folder: make it first", "{} 不是目录：请先创建", dir.display())).into());
    }
    clap_mangen::generate_to(command(), dir).map_err(|error| {
        anyhow::anyhow!(text!(
            "the pages cannot be written to {}: {error}",
            "无法把手册写入 {}：{error}",
            dir.display()
        ))
    })?;
    out.say(text!(
        "written to {}: read them with `man {}/{NAME}.1`",
        "已写入 {}：请用 `man {}/{NAME}.1` 阅读",
        dir.display(),
        dir.display()
    ));
    Ok(Outcome::Done)
}

/// The command line without what is not for people: generators list hidden commands too.
fn command() -> Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|one| !one.is_hide_set()).cloned().collect::<Vec<_>>();
    let about = whole.get_long_about().or(whole.get_about()).cloned().unwrap_or_default();
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(whole.get_about().cloned().unwrap_or_default())
        .long_about(about)
        .args(whole.get_arguments().cloned().collect::<Vec<_>>())
        .subcommands(shown)
}
