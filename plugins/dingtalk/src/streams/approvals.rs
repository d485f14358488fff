//! Approvals that this gateway started, and how they ended: for cases that no event reported. Form by form, every
//! instance of the last days is checked; those without our reference are not ours and are ignored.

use renmen_plugin::http::send_all;
use renmen_plugin::page::Origin;
use renmen_plugin::schema::entity::ProcessNode;
use renmen_plugin::{Failure, FailureKind, Page, PageFinding, Pull, Unfit, clock};
use serde::{Deserialize, Serialize};

use crate::Config;
use crate::api::{self, FindInstances, INSTANCES_MAX, Instance};
use crate::map::{self, Reference};

const DAY_MS: i64 = 86_400_000;

/// Where a run is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Which of `approval_processes`.
    process: usize,
    /// Where the vendor's list goes on.
    token: i64,
    /// Since when; fixed for a run, so that the pages of a list belong together.
    since_ms: i64,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return read(config, pull.only.iter().map(|id| instance_id(id)));
    }
    let mut place = match pull.cursor.as_deref() {
        None => Place { process: 0, token: 0, since_ms: clock::now_ms() - i64::from(config.approval_days) * DAY_MS },
        Some(text) => {
            serde_json::from_str(text).map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?
        }
    };
    let Some(process_code) = config.approval_processes.get(place.process) else { return Ok(Page::new()) };
    let find = FindInstances {
        process_code,
        start_time: place.since_ms,
        next_token: place.token,
        // Each instance gives two records.
        max_results: (pull.max_records / 2).clamp(1, INSTANCES_MAX),
        user_ids: Vec::new(),
    };
    let (page, next) = match listed(config, &find) {
        // The next form may be in order.
        Err(failure) if is_of_one_alone(&failure) => {
            let findings = vec![PageFinding::failed(format!("approvals of the form {process_code}"), &failure)];
            (Page { findings, ..Page::new() }, None)
        }
        listed => listed?,
    };
    (place.process, place.token) = next.map_or((place.process + 1, 0), |token| (place.process, token));
    if place.process >= config.approval_processes.len() {
        return Ok(page);
    }
    Ok(page.more(serde_json::to_string(&place)?))
}

/// Does a failure say nothing of the other forms and approvals? Permission, token and pace are the app's.
fn is_of_one_alone(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::UpstreamChanged | FailureKind::BadConfig)
}

/// A page of one form's approvals, and where its list goes on.
fn listed(config: &Config, find: &FindInstances<'_>) -> Result<(Page, Option<i64>), Failure> {
    let found = api::find_instances(config, find)?;
    let next = found.next()?;
    if next == Some(find.next_token) {
        return Err(Failure::upstream_changed("the list of approvals goes on where it was"));
    }
    Ok((read(config, found.list.iter().map(String::as_str))?, next))
}

/// A record is named after its instance: `3f2a…:started`.
fn instance_id(external_id: &str) -> &str {
    external_id.split_once(':').map_or(external_id, |(instance, _)| instance)
}

fn read<'a>(config: &Config, ids: impl Iterator<Item = &'a str>) -> Result<Page, Failure> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut page = Page::new();
    for (id, answer) in ids.iter().zip(send_all(ids.iter().map(|id| api::instance_request(config, id)).collect())) {
        let (response, instance) = match answer.and_then(api::instance_of) {
            Ok((response, Some(instance))) => (response, instance),
            Ok((_, None)) => continue,
            Err(failure) if is_of_one_alone(&failure) => {
                page.findings.push(PageFinding::failed(format!("approval {id}"), &failure));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let field = config.reference_field()?;
        let Some(about) = instance.field(field).and_then(Reference::read) else { continue };
        let origin = Origin { exchange: response.exchange(), pointer: "/result" };
        let start = page.records.len();
        if let Err(unfit) = steps(&mut page, origin, id, &instance, &about) {
            page.records.truncate(start);
            page.reject::<ProcessNode>(origin, Some((*id).to_owned()), unfit.reason, response.body());
        }
    }
    Ok(page)
}

fn steps(page: &mut Page, origin: Origin<'_>, id: &str, from: &Instance, about: &Reference) -> Result<(), Unfit> {
    page.push(origin, format!("{id}:started"), None, &map::approval_started(from, about)?)?;
    if let Some(ended) = map::approval_ended(from, about)? {
        page.push(origin, format!("{id}:ended"), None, &ended)?;
    }
    Ok(())
}
