//! Bars while streams are pulled: one line a run, on standard error, only where a person looks.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use renmen_schema::id::RunId;
use renmen_sync::{Progress, ProgressEvent};

use crate::output::thousands;

/// One bar for each live run.
pub(crate) struct Bars {
    all: MultiProgress,
    live: Mutex<HashMap<RunId, ProgressBar>>,
    shown: bool,
}

impl Bars {
    pub(crate) fn new(json: bool) -> Self {
        let shown = !json && std::io::stderr().is_terminal();
        Self { all: MultiProgress::new(), live: Mutex::default(), shown }
    }

    fn bar(&self, name: String) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner} {prefix:36} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        self.all.add(ProgressBar::new_spinner().with_style(style).with_prefix(name))
    }
}

impl Progress for Bars {
    fn event(&self, event: &ProgressEvent<'_>) {
        if !self.shown {
            return;
        }
        let Ok(mut live) = self.live.lock() else { return };
        match event {
            ProgressEvent::Began { key, run, resumed } => {
                let bar = self.bar(format!("{}/{}", key.connection, key.stream));
                bar.set_message(if *resumed { "goes on" } else { "begins" });
                live.insert(*run, bar);
            }
            ProgressEvent::Committed { run, pages, records, .. } => {
                if let Some(bar) = live.get(run) {
                    bar.set_message(format!("{} pages, {} records", thousands(*pages), thousands(*records)));
                    bar.tick();
                }
            }
            ProgressEvent::Ended { report } => {
                if let Some(bar) = live.remove(&report.run) {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
