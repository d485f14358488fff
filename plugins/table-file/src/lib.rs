//! CSV and XLSX exports as payroll and performance people send them, dropped in a watched directory or fetched from a
//! URL, parsed inside the sandbox.
//!
//! The way of a row: [`files`] says which files there are, `pull` takes the next of them and goes on where one cannot be read, [`sheet`] turns its bytes into rows of cells, `renmen_vocabulary`
//! reads one cell as what the mapping declares, [`map`] puts the values at their canonical pointers, and [`cursor`] remembers the files
//! that are done by name and hash.
//!
//! Nothing is guessed: a column has a declared meaning, money a declared currency, a range a declared unit. What does not
//! fit goes to quarantine with the name of its cell, and the rest of the file goes on.

pub mod config;
pub mod cursor;
pub mod files;
pub mod map;
mod pull;
pub mod sheet;

use renmen_plugin::{Failure, Finding, Page, Pull, Source, export_source};

use config::Config;

/// The connector.
pub struct TableFile;

impl Source for TableFile {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        let stream = config.streams.get(&pull.stream).ok_or_else(|| {
            Failure::bad_config(format!("config.streams has no `{}`: declare its files and columns there", pull.stream))
        })?;
        let progress = cursor::Progress::resume(pull.cursor.as_deref())?;
        let (mut listing, whole) = files::list(&config, stream)?;
        if stream.snapshot {
            // The newest file alone says what there is; an older one would bring back what is gone.
            listing.drain(..listing.len().saturating_sub(1));
        }
        pull::Reading { config: &config, stream, pull: &pull, listing: &listing }.page(progress, whole)
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        for (name, stream) in &config.streams {
            findings.push(match files::list(&config, stream) {
                Err(failure) => Finding::bad(name, failure.message),
                Ok((listing, _)) if listing.is_empty() => {
                    Finding::bad(name, format!("no file fits `{}`: drop one, or correct `files`", stream.files))
                }
                Ok((listing, _)) => Finding::good(name, format!("{} file(s) fit `{}`", listing.len(), stream.files)),
            });
        }
        Ok(findings)
    }
}

export_source!(TableFile);
