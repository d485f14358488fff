//! `renmen plugin misbehave`: a source that is bad on demand, for an author's own use.

use std::path::{Path, PathBuf};

use clap::Args;
use renmen_kit::conformance::Description;
use renmen_misbehave::{FAULTS, Plan, Planned, Source, generated, serve};
use renmen_schema::{Text, text};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// What to serve, and with which faults.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// `generated` (staff of a paged JSON API), a folder with a conformance.toml or with *.http.json fixtures, or a server on
    /// this machine (`http://127.0.0.1:4040`).
    #[arg(long, default_value = "generated")]
    source: String,
    /// `NAME`, `NAME@3` (the third data request) or `NAME@3x2` (the third and fourth); several with commas.
    #[arg(long, value_delimiter = ',')]
    fault: Vec<String>,
    /// Port; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Seed that decides which row, member and byte a fault affects.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of rows of a generated or described source.
    #[arg(long, default_value_t = 100)]
    rows: usize,
    /// List the faults by name and exit.
    #[arg(long)]
    list: bool,
}

/// Runs the command.
pub(crate) async fn run(out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    if ask.list {
        list(out)?;
        return Ok(Outcome::Done);
    }
    let faults = ask.fault.iter().map(|text| Planned::parse(text));
    let faults = faults.collect::<Result<Vec<_>, _>>().map_err(|error| Usage(Text::rendered(|| error.to_string())))?;
    let source = source(ask)?;
    if let (Some(planned), false) =
        (faults.iter().find(|p| p.fault.facts().modelled), matches!(source, Source::Model(_)))
    {
        let name = planned.fault.facts().name;
        return Err(Usage(text!(
            "`{name}` needs a source whose rows are known: `generated`, or a folder with a conformance.toml",
            "`{name}` 需要行数已知的来源：`generated`，或含 conformance.toml 的目录"
        ))
        .into());
    }
    let server = serve(source, Plan::of(faults, ask.seed), ask.port).await?;
    if out.json {
        out.document(&json!({ "url": server.url() }))?;
    } else {
        out.say(text!("{} (until it is stopped)", "{}（直到停止）", server.url()));
    }
    let cancel = CancellationToken::new();
    let _stop = crate::signals::cancel_on_interrupt(&cancel);
    tokio::select! {
        () = server.run() => {}
        () = cancel.cancelled() => {}
    }
    Ok(Outcome::Done)
}

fn source(ask: &Ask) -> anyhow::Result<Source> {
    let wrong = |error: &dyn std::fmt::Display| anyhow::Error::from(Usage(Text::rendered(|| error.to_string())));
    if ask.source == "generated" {
        return Ok(Source::Model(Box::new(generated(ask.rows))));
    }
    if ask.source.contains("://") {
        return Source::live(&ask.source).map_err(|error| wrong(&error));
    }
    let folder = PathBuf::from(&ask.source);
    let described = if folder.is_file() { folder.clone() } else { folder.join("conformance.toml") };
    if described.is_file() {
        let model =
            Description::read(&described).and_then(|found| found.model(ask.rows)).map_err(|error| wrong(&error))?;
        return Ok(Source::Model(Box::new(model)));
    }
    Source::folder(Path::new(&ask.source)).map_err(|error| wrong(&error))
}

fn list(out: Output) -> anyhow::Result<()> {
    let row = |facts: &renmen_misbehave::FaultFacts| {
        let when = match (facts.first, facts.count) {
            (first, u64::MAX) => format!("from request {first}"),
            (first, _) => format!("request {first}"),
        };
        vec![
            facts.name.to_owned(),
            facts.what.to_owned(),
            when,
            if facts.modelled { "model" } else { "any" }.to_owned(),
        ]
    };
    let document: Vec<_> = FAULTS
        .iter()
        .map(|facts| json!({ "name": facts.name, "what": facts.what, "modelled": facts.modelled }))
        .collect();
    out.table(&["fault", "what the source does", "hits", "source"], FAULTS.iter().map(row), &document)
}
