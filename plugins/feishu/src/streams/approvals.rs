//! Approvals that carry a reference of ours, and how they ended: for cases that no event reported. The vendor lists approvals of at
//! most ten hours at once, so a run goes form by form through the last days; those without our reference are not ours.

use renmen_plugin::http::send_all;
use renmen_plugin::page::Origin;
use renmen_plugin::schema::entity::ProcessNode;
use renmen_plugin::{Failure, Page, PageFinding, Pull, Unfit, clock, locate};
use serde::{Deserialize, Serialize};

use crate::Config;
use crate::api::approval::{self, INSTANCES_MAX, Instance, PERIOD_MS};
use crate::map::{self, Reference};
use crate::part::is_refused_alone;

const DAY_MS: i64 = 86_400_000;

/// Where a run is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Which of `approval_forms`.
    form: usize,
    /// From when approvals are asked for. Milliseconds.
    from_ms: i64,
    /// When the run began: the same for all of its pages.
    began_ms: i64,
    /// Where the list of this period goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return read(config, pull.only.iter().map(|id| instance_code(id)));
    }
    let began = |now_ms: i64| now_ms - i64::from(config.approval_days.max(1)) * DAY_MS;
    let mut place = match pull.cursor.as_deref() {
        None => {
            let now_ms = clock::now_ms();
            Place { form: 0, from_ms: began(now_ms), began_ms: now_ms, page: None }
        }
        Some(text) => {
            locate::parse(text.as_bytes()).map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?
        }
    };
    let Some(form) = config.approval_forms.get(place.form) else { return Ok(Page::new()) };
    let to_ms = place.from_ms.saturating_add(PERIOD_MS).min(place.began_ms);
    // Each approval gives two records.
    let size = (pull.max_records / 2).clamp(1, INSTANCES_MAX);
    let (page, next) = match listed(config, form, (place.from_ms, to_ms), size, place.page.as_deref()) {
        // The next form may be in order.
        Err(failure) if failure.kind == renmen_plugin::FailureKind::BadConfig => {
            place.from_ms = place.began_ms;
            let findings = vec![PageFinding::failed(format!("approvals of the form {form}"), &failure)];
            (Page { findings, ..Page::new() }, None)
        }
        listed => listed?,
    };
    place.page = next;
    if place.page.is_none() {
        place.from_ms = place.from_ms.saturating_add(PERIOD_MS);
    }
    if place.from_ms >= place.began_ms {
        (place.form, place.from_ms) = (place.form + 1, began(place.began_ms));
    }
    if place.form >= config.approval_forms.len() {
        return Ok(page);
    }
    Ok(page.more(serde_json::to_string(&place)?))
}

fn listed(
    config: &Config,
    form: &str,
    period: (i64, i64),
    size: u32,
    token: Option<&str>,
) -> Result<(Page, Option<String>), Failure> {
    let found = approval::find(config, form, period, size, token)?;
    let codes = found.instance_code_list.clone().unwrap_or_default();
    let next = found.next()?;
    Ok((read(config, codes.iter().map(String::as_str))?, next))
}

/// A record is named after its approval: `81D3…:started`.
fn instance_code(external_id: &str) -> &str {
    external_id.split_once(':').map_or(external_id, |(code, _)| code)
}

fn read<'a>(config: &Config, codes: impl Iterator<Item = &'a str>) -> Result<Page, Failure> {
    let mut codes: Vec<&str> = codes.filter(|code| approval::is_code(code)).collect();
    codes.sort_unstable();
    codes.dedup();
    let field = config.reference_field()?;
    let mut page = Page::new();
    let requests = codes.iter().map(|code| approval::instance_request(config, code)).collect();
    for (code, answer) in codes.iter().zip(send_all(requests)) {
        let (response, instance) = match answer.and_then(approval::instance_of) {
            Ok((response, Some(instance))) => (response, instance),
            Ok((_, None)) => continue,
            Err(failure) if is_refused_alone(&failure) => {
                page.findings.push(PageFinding::failed(format!("approval {code}"), &failure));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let Some(about) = instance.field(field).and_then(|text| Reference::read(&text)) else { continue };
        let origin = Origin { exchange: response.exchange(), pointer: "/data" };
        let start = page.records.len();
        if let Err(unfit) = steps(&mut page, origin, code, &instance, &about) {
            page.records.truncate(start);
            page.reject::<ProcessNode>(origin, Some((*code).to_owned()), unfit.reason, response.body());
        }
    }
    Ok(page)
}

fn steps(page: &mut Page, origin: Origin<'_>, code: &str, from: &Instance, about: &Reference) -> Result<(), Unfit> {
    page.push(origin, format!("{code}:started"), None, &map::approval_started(from, about)?)?;
    if let Some(ended) = map::approval_ended(from, about)? {
        page.push(origin, format!("{code}:ended"), None, &ended)?;
    }
    Ok(())
}
