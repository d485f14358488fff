//! How far pulled streams are, on standard error: a line that moves where a person looks, and plain lines, one every few seconds and
//! one at the end, where standard error goes to a file, a journal or a build server. With `--json` nothing.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use renmen_schema::id::RunId;
use renmen_schema::{Text, shown, text};
use renmen_store::StreamKey;
use renmen_sync::{Progress, ProgressEvent, RunReport};

use crate::logs;
use crate::output::{self, counted, thousands};

/// Between two plain lines of one run.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Between two movements of a line on a terminal.
const TICK: Duration = Duration::from_millis(200);

/// A rate of a shorter time says nothing.
const RATE_AFTER: Duration = Duration::from_secs(1);

/// Shows the progress of each live run.
pub(crate) struct SyncProgress {
    bars: MultiProgress,
    live: Mutex<HashMap<RunId, LiveRun>>,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Progress bars, redrawn in place.
    Bars,
    /// Plain lines.
    Lines,
    /// No progress is shown.
    Silent,
}

struct LiveRun {
    name: String,
    began: Instant,
    resumed: bool,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl SyncProgress {
    pub(crate) fn new(json: bool) -> Self {
        let style = match (json, std::io::stderr().is_terminal()) {
            (true, _) => Style::Silent,
            (_, true) => Style::Bars,
            _ => Style::Lines,
        };
        Self { bars: MultiProgress::new(), live: Mutex::default(), style }
    }

    fn begin(&self, key: &StreamKey, resumed: bool) -> LiveRun {
        let name = format!("{}/{}", key.connection, key.stream);
        let began = Instant::now();
        let bar = (self.style == Style::Bars).then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix:36} {elapsed:>4}  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = self.bars.add(ProgressBar::new_spinner().with_style(style).with_prefix(name.clone()));
            bar.set_message(output::language().show(|| match resumed {
                true => text!("goes on", "继续").to_string(),
                false => text!("begins", "开始").to_string(),
            }));
            bar.enable_steady_tick(TICK);
            bar
        });
        LiveRun { name, began, resumed, bar, last_line: began }
    }
}

impl Progress for SyncProgress {
    fn event(&self, event: &ProgressEvent<'_>) {
        if self.style == Style::Silent {
            return;
        }
        let Ok(mut live) = self.live.lock() else { return };
        match event {
            ProgressEvent::Began { key, run, resumed } => {
                live.insert(*run, self.begin(key, *resumed));
            }
            ProgressEvent::Committed { run, pages, records, listed, total, .. } => {
                let Some(run) = live.get_mut(run) else { return };
                let elapsed = run.began.elapsed();
                // A run that goes on has listed a part before, which is not counted here.
                let total = total.filter(|_| !run.resumed).map(|total| (*listed, total));
                let figures = output::language().show(|| figures(*pages, *records, elapsed, total));
                match &run.bar {
                    Some(bar) => bar.set_message(figures),
                    None if run.last_line.elapsed() >= LINE_EVERY => {
                        run.last_line = Instant::now();
                        line(&text!("{}: {figures}, {} so far", "{}：{figures}，已用 {}", run.name, seconds(elapsed)));
                    }
                    None => {}
                }
            }
            ProgressEvent::Ended { report } => match live.remove(&report.run) {
                Some(LiveRun { bar: Some(bar), .. }) => bar.finish_and_clear(),
                Some(LiveRun { name, began, .. }) => line(&end_line(&name, report, began.elapsed())),
                None => {}
            },
        }
    }
}

/// One line on standard error for the person who waits; where logs are JSON, a log line, so that every line there is
/// JSON.
pub(crate) fn line(text: &Text) {
    if logs::are_json() {
        tracing::info!("{text}");
        return;
    }
    // Progress that cannot be shown is not a reason to stop.
    let _ = writeln!(std::io::stderr(), "{}", shown::lines(text.in_language(output::language())));
}

/// `12 pages, 3,400 records, 340/s, 17% of 20,000, about 49 s left`. `total` is how many were listed, and of how many.
fn figures(pages: u64, records: u64, elapsed: Duration, total: Option<(u64, u64)>) -> String {
    let comma = text!(", ", "，");
    let mut text = format!("{}{comma}{}", counted(pages, "page", "页"), counted(records, "record", "条记录"));
    let rate = (elapsed >= RATE_AFTER).then(|| records as f64 / elapsed.as_secs_f64());
    if let Some(rate) = rate {
        text.push_str(&text!(", {}/s", "，每秒 {} 条", thousands(rate.round() as u64)).to_string());
    }
    let Some((listed, total)) = total.filter(|(_, total)| *total > 0) else { return text };
    let percent = (listed.min(total) * 100) / total;
    text.push_str(&text!(", {percent}% of {}", "，{} 条的 {percent}%", thousands(total)).to_string());
    if rate.is_some() && listed > 0 && listed < total {
        let left = elapsed.as_secs_f64() / listed as f64 * (total - listed) as f64;
        text.push_str(&text!(", about {} left", "，约剩 {}", seconds(Duration::from_secs_f64(left))).to_string());
    }
    text
}

fn end_line(name: &str, report: &RunReport, elapsed: Duration) -> Text {
    let figures = Text::rendered(|| figures(report.pages, report.records, elapsed, None));
    let took = seconds(elapsed);
    match &report.failure {
        None => text!("{name}: complete, {figures}, {took}", "{name}：完成，{figures}，用时 {took}"),
        Some(failure) => text!(
            "{name}: stopped after {figures}, {took}: {}",
            "{name}：在 {figures}、{took} 后停止：{}",
            failure.line()
        ),
    }
}

/// `9 s`, `3 min 20 s`, `2 h 5 min`.
fn seconds(time: Duration) -> Text {
    let seconds = time.as_secs();
    match seconds {
        0..=99 => text!("{seconds} s", "{seconds} 秒"),
        100..=7_199 => text!("{} min {} s", "{} 分 {} 秒", seconds / 60, seconds % 60),
        _ => text!("{} h {} min", "{} 小时 {} 分", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_a_rate_and_where_the_total_is_known_an_estimate() {
        let after = Duration::from_secs(10);
        assert_eq!(figures(1, 1, Duration::from_millis(100), None), "1 page, 1 record");
        assert_eq!(figures(12, 3_400, after, None), "12 pages, 3,400 records, 340/s");
        assert_eq!(
            figures(12, 3_400, after, Some((3_400, 20_000))),
            "12 pages, 3,400 records, 340/s, 17% of 20,000, about 48 s left"
        );
        // A vendor that counts wrongly gives no estimate below nothing, and one that counts nothing none at all.
        assert_eq!(figures(2, 50, after, Some((50, 40))), "2 pages, 50 records, 5/s, 100% of 40");
        assert_eq!(figures(1, 0, after, Some((0, 0))), "1 page, 0 records, 0/s");
        assert_eq!(figures(1, 0, after, Some((0, 9))), "1 page, 0 records, 0/s, 0% of 9");
    }

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let told = [0, 99, 200, 7_500].map(|s| seconds(Duration::from_secs(s)));
        assert_eq!(told.each_ref().map(Text::english), ["0 s", "99 s", "3 min 20 s", "2 h 5 min"]);
    }
}
