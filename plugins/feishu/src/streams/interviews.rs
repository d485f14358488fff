//! Interviews with what was concluded. The vendor can be asked by when an interview begins and not by when it changed, so each
//! run reads those that began lately or will begin, and a full run all of them.

use renmen_plugin::http::Response;
use renmen_plugin::schema::entity::{DimensionScore, Interview};
use renmen_plugin::{Failure, Page, Pull, clock, locate};
use serde::{Deserialize, Serialize};

use super::{each, size};
use crate::api::{accept, ask, get, hire, listing};
use crate::part::{Unread, is_of_one_alone};
use crate::{Config, map};

/// The vendor's largest page is 100; each interview brings the records of its interviewers and their points.
const SIZE_MAX: u32 = 50;
/// Records that an interview may bring: three interviewers with a dozen points each.
const RECORDS_EACH: u32 = 40;
/// Interviewers' forms asked for at once.
const FORMS_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;

/// The cursor: absent before the first run, and without a page between runs. Where a run could not read everything the next one begins
/// where it did.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    /// This run reads interviews that begin from here on. Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// Something of this run could not be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unread: bool,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        let to = |id: &str| list(config).query("page_size", 1).query("interview_id", id);
        for (_, answer) in each(&pull.only, to) {
            add(config, &mut page, &accept(answer?)?)?;
        }
        return Ok(page);
    }
    let window = resume(config, pull.cursor.as_deref())?;
    let from_ms = window.from_ms.unwrap_or(1);
    let request = list(config)
        .query("page_size", size(pull.max_records, RECORDS_EACH, SIZE_MAX))
        .query("start_time", from_ms)
        .query_some("page_token", window.page.as_deref());
    let next = add(config, &mut page, &ask(request)?)?;
    let unread = window.unread || !page.findings.is_empty();
    Ok(match next {
        Some(_) => page.more(serde_json::to_string(&Window { from_ms: Some(from_ms), page: next, unread })?),
        None if unread => page.done(serde_json::to_string(&Window { from_ms: Some(from_ms), ..Window::default() })?),
        None => page.done(serde_json::to_string(&Window::default())?),
    })
}

fn resume(config: &Config, cursor: Option<&str>) -> Result<Window, Failure> {
    // One of the four conditions must be given, and a time must be above 0: 1 is "all of them".
    let Some(text) = cursor else { return Ok(Window { from_ms: Some(1), ..Window::default() }) };
    let window: Window = locate::parse(text.as_bytes())
        .map_err(|fault| Failure::invalid_input(format!("the cursor is not of this stream: {fault}")))?;
    if window.page.is_some() || window.from_ms.is_some() {
        return Ok(window);
    }
    let from_ms = clock::now_ms() - i64::from(config.interview_lookback_days) * DAY_MS;
    Ok(Window { from_ms: Some(from_ms.max(1)), ..Window::default() })
}

fn list(config: &Config) -> renmen_plugin::http::Request {
    get(config, "/open-apis/hire/v1/interviews").query(hire::USER_IDS.0, hire::USER_IDS.1)
}

fn add(config: &Config, page: &mut Page, response: &Response) -> Result<Option<String>, Failure> {
    let listing = listing(response)?;
    if !listing.has_items {
        return Ok(listing.next);
    }
    // The interview of each form that was handed in.
    let mut forms: Vec<(String, String)> = Vec::new();
    page.map_items::<Interview, hire::Interview>(response, "/data/items", |interview, item| {
        item.is_about(interview.id.as_str());
        item.push(interview.id.clone(), interview.biz_modify_time, &map::interview(&interview)?)?;
        for record in &interview.interview_record_list {
            if let Some(result) = map::interview_result(&interview.id, record)? {
                item.push(record.id.clone(), record.feedback_submit_time, &result)?;
                forms.push((record.id.clone(), interview.id.clone()));
            }
        }
        Ok(())
    })?;
    // A page with a bad item is read twice, and names its forms twice.
    forms.sort_unstable();
    forms.dedup();
    let mut unread = Unread::new("points of interview form", is_of_one_alone);
    for some in forms.chunks(FORMS_MAX) {
        let start = page.records.len();
        let read = points(config, page, some);
        let first = some.first().map_or("", |(form, _)| form.as_str());
        if unread.or_told(first, read)?.is_none() {
            page.records.truncate(start);
        }
    }
    unread.tell(page);
    Ok(listing.next)
}

/// The points of these forms. The answer does not say which interview a form is of.
fn points(config: &Config, page: &mut Page, forms: &[(String, String)]) -> Result<(), Failure> {
    let mut request = get(config, "/open-apis/hire/v2/interview_records").query(hire::USER_IDS.0, hire::USER_IDS.1);
    for (form, _) in forms {
        request = request.query("ids", form);
    }
    let response = ask(request)?;
    if !listing(&response)?.has_items {
        return Ok(());
    }
    page.map_items::<DimensionScore, hire::Evaluation>(&response, "/data/items", |form, item| {
        item.is_about(form.id.as_str());
        let Some((_, interview)) = forms.iter().find(|(id, _)| *id == form.id) else { return Ok(()) };
        for (id, score) in map::dimension_scores(interview, &form)? {
            item.push(id, None, &score)?;
        }
        Ok(())
    })?;
    Ok(())
}
