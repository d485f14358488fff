//! What Hire keeps of hiring elsewhere, our own AI interviews among it. It is listed by candidate alone: every talent is asked
//! for external applications, and each of those for what hangs on it. A targeted read asks for interviews by their ids.

use renmen_plugin::http::{Response, send_all};
use renmen_plugin::schema::entity::{Application, Assessment, Interview};
use renmen_plugin::{Failure, Item, Page, Pull, Unfit};
use serde::Deserialize;

use super::size;
use crate::api::external::{
    BackgroundCheck, ExternalApplication, ExternalInterview, SIZE_MAX, applications_of, hanging_on, interviews_by_id,
};
use crate::api::{accept, ask, data, get, listing};
use crate::part::{Unread, is_of_one_alone};
use crate::{Config, map};

/// Talents of one page: each costs a request, and two more for each of its external applications.
const TALENTS_MAX: u32 = 20;
/// Records that one talent may bring.
const RECORDS_EACH: u32 = 50;
/// Further pages of one list, of 20 records each.
const PAGES_MAX: usize = 20;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        for ids in pull.only.chunks(SIZE_MAX as usize) {
            interviews(&mut page, &ask(interviews_by_id(config, ids))?)?;
        }
        return Ok(page);
    }
    let request = get(config, "/open-apis/hire/v1/talents")
        .query("page_size", size(pull.max_records, RECORDS_EACH, TALENTS_MAX))
        // By when they came in: the order does not move under a walk.
        .query("sort_by", 4)
        .query("query_option", "ignore_empty_error")
        .query_some("page_token", pull.cursor.as_deref());
    let response = ask(request)?;
    let listed = listing(&response)?;
    if listed.has_items {
        talents(config, &mut page, &data::<Ids>(&response)?)?;
    }
    let page = page.everything();
    Ok(match listed.next {
        Some(next) => page.more(next),
        None => page,
    })
}

#[derive(Deserialize)]
struct Ids {
    items: Vec<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

fn talents(config: &Config, page: &mut Page, talents: &Ids) -> Result<(), Failure> {
    let mut found: Vec<String> = Vec::new();
    let ids: Vec<&str> = talents.items.iter().map(|talent| talent.id.as_str()).collect();
    every_page(
        page,
        "external applications of talent",
        &ids,
        |id, token| applications_of(config, id, token),
        |page, _, response| {
            page.map_items::<Application, ExternalApplication>(response, "/data/items", |application, item| {
                item.is_about(application.id.as_str());
                found.push(application.id.clone());
                // Ours only carry interviews, whose application is the one in Hire itself.
                if application.resume_source.as_deref() == Some(config.source.as_str()) {
                    return Ok(());
                }
                item.push(application.id.clone(), None, &map::external_application(&application, config)?)
            })?;
            Ok(())
        },
    )?;
    found.sort_unstable();
    found.dedup();
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    every_page(
        page,
        "interviews of external application",
        &found,
        |id, token| hanging_on(config, "external_interviews", id, token),
        |page, _, response| interviews(page, response),
    )?;
    every_page(
        page,
        "background checks of external application",
        &found,
        |id, token| hanging_on(config, "external_background_checks", id, token),
        |page, id, response| {
            page.map_items::<Assessment, BackgroundCheck>(response, "/data/items", |check, item| {
                item.is_about(check.id.as_str());
                item.push(check.id.clone(), check.date, &map::background_check(id, &check)?)
            })?;
            Ok(())
        },
    )
}

/// Asks for a list of each id, all at once, and goes on with those that have a further page. A list that cannot be read is told;
/// what it gave before stays.
fn every_page(
    page: &mut Page,
    what: &'static str,
    ids: &[&str],
    to: impl Fn(&str, Option<&str>) -> renmen_plugin::http::Request,
    mut take: impl FnMut(&mut Page, &str, &Response) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut unread = Unread::new(what, is_of_one_alone);
    let mut open: Vec<(&str, Option<String>)> = ids.iter().map(|&id| (id, None)).collect();
    for _ in 0..PAGES_MAX {
        let answers = send_all(open.iter().map(|(id, token)| to(id, token.as_deref())).collect());
        let mut further = Vec::new();
        for ((id, _), answer) in std::mem::take(&mut open).into_iter().zip(answers) {
            let read = answer.and_then(accept).and_then(|response| {
                let listed = listing(&response)?;
                if listed.has_items {
                    take(page, id, &response)?;
                }
                Ok(listed.next)
            });
            further.extend(unread.or_told(id, read)?.flatten().map(|token| (id, Some(token))));
        }
        open = further;
        if open.is_empty() {
            break;
        }
    }
    for (id, _) in open {
        let message = format!("a candidate's external records go on after {PAGES_MAX} pages");
        unread.or_told::<()>(id, Err(Failure::upstream_changed(message)))?;
    }
    unread.tell(page);
    Ok(())
}

fn interviews(page: &mut Page, response: &Response) -> Result<(), Failure> {
    if !listing(response)?.has_items {
        return Ok(());
    }
    page.map_items::<Interview, ExternalInterview>(response, "/data/items", |interview, item| {
        item.is_about(interview.id.as_str());
        push(&interview, item)
    })?;
    Ok(())
}

fn push(interview: &ExternalInterview, item: &mut Item<'_>) -> Result<(), Unfit> {
    item.push(interview.id.clone(), None, &map::external_interview(interview)?)?;
    for (index, assessment) in interview.interview_assessments.iter().enumerate() {
        let id = assessment.id.clone().unwrap_or_else(|| format!("{}/{index}", interview.id));
        item.push(id.clone(), None, &map::external_result(interview, assessment)?)?;
        for (id, score) in map::external_scores(interview, &id, assessment)? {
            item.push(id, None, &score)?;
        }
    }
    Ok(())
}
