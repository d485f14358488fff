//! Approvals that this gateway started, and how they ended: for what no event told. Form by form, every instance of the
//! last days is looked into; those without our reference are somebody else's and are left alone.

use renmen_plugin::http::send_all;
use renmen_plugin::page::Origin;
use renmen_plugin::schema::entity::ProcessNode;
use renmen_plugin::{Failure, Page, Pull, Unfit, clock};
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
    let found = api::find_instances(config, &find)?;
    let page = read(config, found.list.iter().map(String::as_str))?;
    match found.next()? {
        Some(token) if token != place.token => place.token = token,
        Some(_) => return Err(Failure::upstream_changed("the list of approvals goes on where it was")),
        None => (place.process, place.token) = (place.process + 1, 0),
    }
    if place.process >= config.approval_processes.len() {
        return Ok(page);
    }
    Ok(page.more(serde_json::to_string(&place)?))
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
        let (response, instance) = api::instance_of(answer?)?;
        let Some(instance) = instance else { continue };
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
