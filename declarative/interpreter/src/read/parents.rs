//! Lists that are read once for each of something.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use renmen_plugin::{Failure, Page, clock};
use serde_json::{Value, json};

use super::items::Items;
use super::next::{finish_children, next_page};
use super::{Most, Reading, Step, ask, held};
use crate::answer::Node;
use crate::cursor::{At, Cursor};
use crate::plan::{Parents, Read};
use crate::pointer::Pointer;
use crate::template::Scope;
use crate::verdict::Verdict;

/// Lists of parents' items that one call reads.
const LISTS_MAX: usize = 20;

impl Reading<'_> {
    /// The lists of parents' items.
    pub(super) fn children(
        &self,
        read: &Read,
        parents: &Parents,
        cursor: &Cursor,
        max: u32,
        page: &mut Page,
    ) -> Result<Step, Failure> {
        let mut at = cursor.at.clone();
        if at.until_ms.is_none() && read.ask.names("until") {
            at.until_ms = Some(clock::now_ms());
        }
        for _ in 0..LISTS_MAX {
            let mut waiting = match at.parents.take() {
                Some(waiting) if !waiting.is_empty() => waiting,
                known => match self.parents(parents, known.is_some(), &mut at, max)? {
                    Some(waiting) => waiting,
                    None => return Ok(Step::over(finish_children(read, cursor, &at)?)),
                },
            };
            let Some(parent) = waiting.first().cloned() else {
                at.parents = Some(waiting);
                continue;
            };
            let left = max.saturating_sub(u32::try_from(held(page)).unwrap_or(u32::MAX));
            if left == 0 {
                at.parents = Some(waiting);
                break;
            }
            let (parents_page, above) = (at.parents_page.take(), at.above.take());
            let within = at.clone();
            let step = self.step(read, cursor, within, Some(&parent), Most { records: max, left }, page)?;
            let then = match step.next {
                Some(then) => then,
                None => {
                    waiting.remove(0);
                    // What a list by time knows goes on to the next parent.
                    At { state: step.keep.or(at.state), until_ms: at.until_ms, ..At::default() }
                }
            };
            at = At { parents: Some(waiting), parents_page, above, ..then };
        }
        Ok(Step { next: Some(at), keep: None, restarted: false })
    }

    /// The next parents; none when there are no more.
    fn parents(&self, parents: &Parents, begun: bool, at: &mut At, max: u32) -> Result<Option<Vec<Value>>, Failure> {
        match parents {
            _ if begun && at.parents_page.is_none() && at.above.is_none() => Ok(None),
            Parents::List(template) => {
                let mut scope = Scope::default();
                scope.set("config", self.config.clone());
                let list = template.value(&scope).map_err(Failure::bad_config)?.unwrap_or_default();
                match list {
                    Value::Null => Ok(Some(Vec::new())),
                    Value::Array(values) => Ok(Some(values)),
                    one => Ok(Some(vec![one])),
                }
            }
            Parents::Days { back_ms, step_ms } => Ok(Some(spans_of_days(*back_ms, *step_ms))),
            Parents::Months(count) => spans_of_months(*count).map(Some),
            Parents::Stream { read, keep } => match &read.parents {
                None => {
                    let within = At { page: at.parents_page.take(), ..At::default() };
                    let (found, next) = self.listed_parents(read, keep, &within, None, max)?;
                    at.parents_page = next;
                    Ok(Some(found))
                }
                Some(upper) => self.parents_below((read, keep), upper, at, max),
            },
        }
    }

    /// The next parents of a list that has parents itself.
    fn parents_below(
        &self,
        (read, keep): (&Read, &[Pointer]),
        upper: &Parents,
        at: &mut At,
        max: u32,
    ) -> Result<Option<Vec<Value>>, Failure> {
        let mut above = at.above.take().map(|above| *above).unwrap_or_default();
        let mut waiting = match above.parents.take() {
            Some(waiting) if !waiting.is_empty() => waiting,
            known => match self.parents(upper, known.is_some(), &mut above, max)? {
                Some(waiting) => waiting,
                None => return Ok(None),
            },
        };
        let mut found = Vec::new();
        if let Some(grandparent) = waiting.first().cloned() {
            let within = At { page: above.page.take(), ..At::default() };
            let (listed, next) = self.listed_parents(read, keep, &within, Some(grandparent), max)?;
            found = listed;
            match next {
                Some(next) => above.page = Some(next),
                None => drop(waiting.remove(0)),
            }
        }
        above.parents = Some(waiting);
        at.above = Some(Box::new(above));
        Ok(Some(found))
    }

    /// One answer of a list of parents, and where it goes on.
    fn listed_parents(
        &self,
        read: &Read,
        keep: &[Pointer],
        within: &At,
        parent: Option<Value>,
        max: u32,
    ) -> Result<(Vec<Value>, Option<String>), Failure> {
        let size = read.size(max.min(200));
        let mut scope = self.scope(read, within, size);
        scope.set_some("parent", parent);
        let response = ask(&read.ask, &read.paging, within, &scope)?.send()?;
        let root = match read.judge.judge(&response, &read.wanted) {
            Verdict::Good(root) => root,
            Verdict::Gone | Verdict::Empty => return Ok((Vec::new(), None)),
            Verdict::Restart => return Err(Failure::upstream_changed("a list of parents cannot start over")),
            Verdict::Fail(failure) | Verdict::Refused(failure) => return Err(failure),
        };
        let items = Items::of(read, &root)?;
        let next = next_page(read, &response, &root, within, items.listed(), size)?;
        let kept = |item: &Node<'_>| -> Value {
            let value = |pointer: &Pointer| Some((pointer.text().to_owned(), pointer.filled(item)?.value()));
            Value::Object(keep.iter().filter_map(value).collect())
        };
        let each = (0..items.len()).map(|index| items.at(index));
        Ok((each.filter(|item| read.when.holds(item, &scope)).map(kept).collect(), next))
    }
}

/// From midnight on, so that the spans are those of the last run.
fn spans_of_days(back_ms: i64, step_ms: i64) -> Vec<Value> {
    const DAY_MS: i64 = 86_400_000;
    let now_ms = clock::now_ms();
    let begin = (now_ms - back_ms).div_euclid(DAY_MS) * DAY_MS;
    let spans = (begin..=now_ms).step_by(usize::try_from(step_ms.max(1)).unwrap_or(usize::MAX));
    spans.map(|from| json!({ "from": from, "to": from + step_ms - 1 })).collect()
}

/// The last months in UTC, oldest first, each from its first day to the last moment of its last.
fn spans_of_months(count: u32) -> Result<Vec<Value>, Failure> {
    let strange = |_| Failure::internal("the gateway's clock shows a time that no calendar has");
    let now = Timestamp::from_millisecond(clock::now_ms()).map_err(strange)?.to_zoned(TimeZone::UTC);
    let first = now.date().first_of_month();
    let begins = |back: i64| -> Result<i64, Failure> {
        let day = first.checked_sub(Span::new().try_months(back).map_err(strange)?).map_err(strange)?;
        Ok(day.to_zoned(TimeZone::UTC).map_err(strange)?.timestamp().as_millisecond())
    };
    let each = (0..i64::from(count)).rev();
    each.map(|back| Ok(json!({ "from": begins(back)?, "to": begins(back - 1)? - 1 }))).collect()
}
