//! Logs on standard error: for people or as JSON, in colour only where a terminal shows it. What to log is checked when it is typed:
//! a mistyped level would otherwise be taken for the name of a module, and nothing would be logged at all.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Is each line of standard error a JSON object?
static JSON: AtomicBool = AtomicBool::new(false);

/// Are logs JSON? Then nothing else may go to standard error.
pub(crate) fn are_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Logs from here on.
pub(crate) fn start(filter: &str, format: LogFormat) {
    JSON.store(format == LogFormat::Json, Ordering::Relaxed);
    // The command line refused what this would not take.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_coloured(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref()))
        // What would be said about it is said on standard error, which is what cannot be written.
        .log_internal_errors(false);
    match format {
        LogFormat::Json => logs.json().init(),
        LogFormat::Text => logs.compact().init(),
    }
}

/// https://no-color.org: any value but an empty one switches colour off.
fn is_coloured(is_terminal: bool, no_color: Option<&std::ffi::OsStr>) -> bool {
    is_terminal && no_color.is_none_or(std::ffi::OsStr::is_empty)
}

/// A filter such as `info,renmen_sync=debug`, without the spaces that people put after commas.
pub(crate) fn check_filter(text: &str) -> Result<String, String> {
    let wrong = |what: &str| {
        format!(
            "{what}; write a level (off, error, warn, info, debug, trace), or levels by module: `info,renmen_sync=debug`"
        )
    };
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    for directive in &directives {
        let is_bare = !directive.contains(['=', '[', ']', '{', '}']);
        if is_bare && directive.parse::<LevelFilter>().is_err() {
            return Err(wrong(&format!("`{directive}` is not a level")));
        }
    }
    let filter = directives.join(",");
    EnvFilter::try_new(&filter).map_err(|error| wrong(&error.to_string()))?;
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{check_filter, is_coloured};

    #[test]
    fn a_mistyped_level_is_refused_and_a_filter_by_module_is_not() {
        for good in ["warn", "INFO", "off", "info,renmen_sync=debug", "renmen_egress=trace", "info, h2=off", ""] {
            assert_eq!(check_filter(good), Ok(good.replace(' ', "")), "{good}");
        }
        for bad in ["inof", "wran", "verbose", "info,debgu", "info,renmen_sync=debgu", "renmen_sync"] {
            let told = check_filter(bad);
            assert!(
                told.as_ref().is_err_and(|why| why.contains("renmen_sync=debug") && why.contains("error, warn")),
                "{bad}: {told:?}"
            );
        }
    }

    #[test]
    fn there_is_no_colour_where_no_terminal_is_and_none_where_it_is_not_wanted() {
        let cases = [
            (true, None, true),
            (true, Some(""), true),
            (true, Some("1"), false),
            (false, None, false),
            (false, Some(""), false),
        ];
        for (terminal, no_color, expected) in cases {
            assert_eq!(is_coloured(terminal, no_color.map(OsStr::new)), expected, "{terminal} {no_color:?}");
        }
    }
}
