//! Lists that are read once for each of something.

use renmen_plugin::{Failure, Page, clock};
use serde_json::{Value, json};

use super::next::next_page;
use super::{Most, Reading, Step, ask, held, items_of};
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
        for _ in 0..LISTS_MAX {
            let mut waiting = match at.parents.take() {
                Some(waiting) if !waiting.is_empty() => waiting,
                known => match self.parents(parents, known.is_some(), &mut at, max)? {
                    Some(waiting) => waiting,
                    None => return Ok(Step::over(None)),
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
            let (parents_page, within) =
                (at.parents_page.clone(), At { parents: None, parents_page: None, ..at.clone() });
            let step = self.step(read, cursor, within, Some(&parent), Most { records: max, left }, page)?;
            if step.next.is_none() {
                waiting.remove(0);
            }
            at = At { parents: Some(waiting), parents_page, ..step.next.unwrap_or_default() };
        }
        Ok(Step { next: Some(at), keep: None, restarted: false })
    }

    /// The next parents; none when there are no more.
    fn parents(&self, parents: &Parents, begun: bool, at: &mut At, max: u32) -> Result<Option<Vec<Value>>, Failure> {
        match parents {
            _ if begun && at.parents_page.is_none() => Ok(None),
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
            Parents::Days { back_ms, step_ms } => {
                let now_ms = clock::now_ms();
                // From midnight on, so that the spans are those of the last run.
                let day_ms = 86_400_000;
                let begin = (now_ms - back_ms).div_euclid(day_ms) * day_ms;
                let spans = (begin..=now_ms).step_by(usize::try_from((*step_ms).max(1)).unwrap_or(usize::MAX));
                Ok(Some(spans.map(|from| json!({ "from": from, "to": from + step_ms - 1 })).collect()))
            }
            Parents::Stream { read, keep } => {
                let within = At { page: at.parents_page.take(), ..At::default() };
                let size = read.size(max.min(200));
                let scope = self.scope(read, &within, size);
                let response = ask(&read.ask, &read.paging, &within, &scope)?.send()?;
                let root = match read.judge.judge(&response, &read.wanted) {
                    Verdict::Good(root) => root,
                    Verdict::Gone | Verdict::Empty => Node::Null,
                    Verdict::Restart => return Err(Failure::upstream_changed("a list of parents cannot start over")),
                    Verdict::Fail(failure) => return Err(failure),
                };
                let items = items_of(read, &root)?;
                at.parents_page = next_page(read, &response, &root, &within, items.len(), size)?;
                let kept = |item: &Node<'_>| -> Value {
                    let value = |pointer: &Pointer| Some((pointer.text().to_owned(), pointer.filled(item)?.value()));
                    Value::Object(keep.iter().filter_map(value).collect())
                };
                Ok(Some(items.iter().filter(|item| read.when.holds(item, &scope)).map(kept).collect()))
            }
        }
    }
}
