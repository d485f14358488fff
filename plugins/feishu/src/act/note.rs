//! A note on a candidate (备注). The vendor has no key for a repeated one, so a note of the same words on the same application
//! is taken for the one that is to be written.

use renmen_plugin::{Failure, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::done;
use crate::Config;
use crate::api::{all, get, hire, write};

/// The vendor's largest page of notes.
const SIZE_MAX: u32 = 200;
/// Pages of notes that one candidate may have.
const PAGES_MAX: usize = 20;

/// The action's input, as the manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    application_id: String,
    content: String,
    /// For the hiring team alone.
    #[serde(default)]
    private: bool,
}

#[derive(Debug, Deserialize)]
struct Note {
    id: String,
    application_id: Option<String>,
    content: Option<String>,
}

#[derive(Serialize)]
struct NewNote<'a> {
    talent_id: &'a str,
    application_id: &'a str,
    content: &'a str,
    /// 1 private, 2 public.
    privacy: i64,
}

pub(super) fn add(config: &Config, input: &Input) -> Result<Receipt, Failure> {
    let talent_id = hire::found(config, &input.application_id)?.talent_id;
    let known: Vec<Note> = all(PAGES_MAX, |token| {
        get(config, "/open-apis/hire/v1/notes")
            .query("talent_id", &talent_id)
            .query("page_size", SIZE_MAX)
            .query_some("page_token", token)
    })?;
    let same = |note: &&Note| {
        note.application_id.as_deref() == Some(input.application_id.as_str())
            && note.content.as_deref() == Some(input.content.as_str())
    };
    if let Some(note) = known.iter().find(same) {
        return Ok(done(&note.id, [("note_id", json!(note.id)), ("outcome", json!("unchanged"))]));
    }
    #[derive(Deserialize)]
    struct Made {
        note: Note,
    }
    let new = NewNote {
        talent_id: &talent_id,
        application_id: &input.application_id,
        content: &input.content,
        privacy: if input.private { 1 } else { 2 },
    };
    let made: Made = write(config, "POST", "/open-apis/hire/v1/notes", &[], &new)?;
    Ok(done(&made.note.id, [("note_id", json!(made.note.id)), ("outcome", json!("created"))]))
}
