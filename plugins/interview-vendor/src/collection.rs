//! The protocol's collections: which there are, and how an object of each becomes a record, whichever door it came through.

use renmen_plugin::http::Response;
use renmen_plugin::paging::Token;
use renmen_plugin::schema::Entity;
use renmen_plugin::schema::entity::{Application, Candidate, Interview, InterviewOrder};
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Unfit};
use serde::de::DeserializeOwned;

use crate::vendor::Object;
use crate::{Config, map};

/// Is an object to be taken? Gets its `modified_at`, the same in milliseconds, and its id.
pub(crate) type Wanted<'a> = &'a mut dyn FnMut(&str, i64, &str) -> bool;

/// Every collection.
pub(crate) const NAMES: [&str; 10] = [
    "candidates",
    "applications",
    "orders",
    "interviews",
    "answers",
    "dimension_scores",
    "environment_events",
    "process_nodes",
    "results",
    "adjustments",
];

/// Adds the objects of the list at `pointer` to the page. Returns the cursor that comes with the list; `None` for a
/// collection that is not known.
pub(crate) fn take(
    config: &Config,
    page: &mut Page,
    (collection, pointer): (&str, &str),
    response: &Response,
    wanted: Wanted<'_>,
) -> Option<Result<Token, Failure>> {
    Some(match collection {
        "candidates" => list(page, response, pointer, wanted, |from| {
            let candidate = map::candidate(from)?;
            Ok(Candidate { external_ids: config.given(candidate.external_ids), ..candidate })
        }),
        "applications" => list(page, response, pointer, wanted, |from| {
            let application = map::application(from)?;
            Ok(Application { external_ids: config.given(application.external_ids), ..application })
        }),
        "orders" => list(page, response, pointer, wanted, |from| {
            let order = map::order(from)?;
            Ok(InterviewOrder { application: config.application(order.application), ..order })
        }),
        "interviews" => list(page, response, pointer, wanted, |from| {
            let interview = map::interview(from)?;
            Ok(Interview { application: config.application(interview.application), ..interview })
        }),
        "answers" => list(page, response, pointer, wanted, map::answer),
        "dimension_scores" => list(page, response, pointer, wanted, map::dimension_score),
        "environment_events" => list(page, response, pointer, wanted, map::environment_event),
        "process_nodes" => list(page, response, pointer, wanted, |from| {
            let mut node = map::process_node(from)?;
            node.subject.application = node.subject.application.map(|named| config.application(named));
            Ok(node)
        }),
        "results" => list(page, response, pointer, wanted, map::result),
        "adjustments" => list(page, response, pointer, wanted, map::adjustment),
        _ => return None,
    })
}

fn list<T, E>(
    page: &mut Page,
    response: &Response,
    pointer: &str,
    wanted: Wanted<'_>,
    map: impl Fn(&T) -> Result<E, Unfit>,
) -> Result<Token, Failure>
where
    T: DeserializeOwned,
    E: Entity,
{
    let rest = page.map_items::<E, Object<T>>(response, pointer, |object, item| {
        item.is_about(object.id.as_str());
        let modified = Instant::parse(&object.modified_at).map_err(|e| Unfit::field("modified_at", e))?;
        let at_ms = modified.epoch_ms();
        // Twice when a page is read item by item: asking again changes nothing.
        if !wanted(&object.modified_at, at_ms, &object.id) {
            return Ok(());
        }
        if object.deleted {
            item.push_deleted::<E>(object.id, Some(at_ms));
            return Ok(());
        }
        let body = object.body.ok_or_else(|| Unfit::new("the object has no members other than its id"))?;
        item.push(object.id, Some(at_ms), &map(&body)?)
    })?;
    rest.get("/next_cursor")
}
