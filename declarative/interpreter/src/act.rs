//! Actions: one request, after a look whether it was done already, and a receipt of what came back.

use std::borrow::Cow;

use renmen_plugin::http::Response;
use renmen_plugin::{Action, Failure, FailureKind, Receipt};
use serde_json::{Map, Value};

use crate::answer::{Node, Wanted};
use crate::ask::Ask;
use crate::condition::Condition;
use crate::faults::Faults;
use crate::language::{ActionOf, BeforeOf, Document};
use crate::pointer::Pointer;
use crate::template::Scope;
use crate::verdict::{Judge, Verdict};

const ROOTS: &[&str] = &["config", "input", "key", "now"];

/// An action as it is carried out.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    ask: Ask,
    before: Option<Before>,
    reference: Option<Pointer>,
    detail: Vec<(String, Pointer)>,
    confirmed: Option<Condition>,
    judge: Judge,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
struct Before {
    ask: Ask,
    items: Option<Pointer>,
    when: Condition,
    reference: Option<Pointer>,
    wanted: Wanted,
}

impl Act {
    /// Reads an action's table.
    pub(crate) fn of(action: &ActionOf, document: &Document, faults: &mut Faults) -> Self {
        let judge = Judge::of(&document.api, &mut Faults::default());
        let detail = faults.within("detail", |faults| {
            let each = |(name, pointer): (&String, &String)| (name.clone(), faults.take(name, Pointer::parse(pointer)));
            action.detail.iter().map(each).collect::<Vec<_>>()
        });
        let reference = faults.take_some("reference", action.reference.as_ref(), Pointer::parse);
        let confirmed = action.confirmed.as_ref().map(|lines| faults.take("confirmed", Condition::parse(lines)));
        let mut wanted = Wanted::default();
        judge.want(&mut wanted);
        reference.iter().chain(detail.iter().map(|(_, at)| at)).for_each(|pointer| pointer.want(&mut wanted).all());
        confirmed.iter().for_each(|condition| condition.want(&mut wanted));
        Self {
            ask: faults.within("request", |faults| Ask::of(&action.request, &document.api, ROOTS, faults)),
            before: action
                .before
                .as_ref()
                .map(|before| faults.within("before", |faults| Before::of(before, document, &judge, faults))),
            reference,
            detail,
            confirmed,
            judge,
            wanted,
        }
    }

    /// Does it pass on the key by which the vendor knows a repeated attempt?
    #[cfg(feature = "author")]
    pub(crate) fn names_key(&self) -> bool {
        self.ask.names("key")
    }

    /// Does it look before it writes?
    #[cfg(feature = "author")]
    pub(crate) fn looks_first(&self) -> bool {
        self.before.is_some()
    }

    /// Does it.
    pub(crate) fn push(&self, action: &Action, config: &Value) -> Result<Receipt, Failure> {
        let input: Value = action.input()?;
        let mut scope = Scope::default();
        scope.set("config", config.clone());
        scope.set("input", input);
        scope.set("key", action.idempotency_key.as_str());
        scope.set_time("now", renmen_plugin::clock::now_ms(), None);
        if let Some(done) = self.before.as_ref().map(|before| before.find(&self.judge, &scope)).transpose()?.flatten() {
            return Ok(done);
        }
        let response = self.ask.request(&scope)?.send()?;
        match empty_or(&response, |response| self.judge.judge(response, &self.wanted)) {
            Verdict::Good(root) => Ok(self.receipt(&root, &scope)),
            Verdict::Empty => Ok(self.receipt(&Node::Null, &scope)),
            Verdict::Gone => Err(Failure::upstream_changed("the vendor does not have what the action is about")),
            Verdict::Restart => Err(Failure::upstream_changed("an action cannot start over")),
            // The same input again would be refused again, or done twice by a vendor that did it after all.
            Verdict::Refused(failure) => Err(Failure { kind: FailureKind::InvalidInput, ..failure }),
            Verdict::Fail(failure) => Err(failure),
        }
    }

    fn receipt(&self, root: &Node<'_>, scope: &Scope) -> Receipt {
        let scalar = |pointer: &Pointer| pointer.filled(root).and_then(Node::scalar).map(Cow::into_owned);
        let detail = self.detail.iter().filter_map(|(name, at)| Some((name.clone(), at.filled(root)?.value())));
        Receipt {
            reference: self.reference.as_ref().and_then(scalar),
            detail: detail.collect::<Map<_, _>>(),
            confirmed: self.confirmed.as_ref().is_none_or(|condition| condition.holds(root, scope)),
        }
    }
}

/// A write is often answered with nothing at all.
fn empty_or<'r>(response: &'r Response, judge: impl FnOnce(&'r Response) -> Verdict<'r>) -> Verdict<'r> {
    let good = (200..300).contains(&response.status());
    if good && response.body().is_empty() { Verdict::Good(Node::Null) } else { judge(response) }
}

impl Before {
    fn of(before: &BeforeOf, document: &Document, judge: &Judge, faults: &mut Faults) -> Self {
        let items = faults.take_some("items", before.items.as_ref(), Pointer::parse);
        let when = faults.take("when", Condition::parse(&before.when));
        if when.is_empty() {
            faults.within("when", |faults| faults.add("nothing tells the item that is there already"));
        }
        let reference = faults.take_some("reference", before.reference.as_ref(), Pointer::parse);
        let mut wanted = Wanted::default();
        judge.want(&mut wanted);
        let item = match &items {
            Some(items) => items.want(&mut wanted).item(),
            None => &mut wanted,
        };
        when.want(item);
        reference.iter().for_each(|pointer| pointer.want(item).all());
        Self {
            ask: faults.within("request", |faults| Ask::of(&before.request, &document.api, ROOTS, faults)),
            items,
            when,
            reference,
            wanted,
        }
    }

    /// The receipt of what was done already.
    fn find(&self, judge: &Judge, scope: &Scope) -> Result<Option<Receipt>, Failure> {
        let response = self.ask.request(scope)?.send()?;
        let root = match judge.judge(&response, &self.wanted) {
            Verdict::Good(root) => root,
            Verdict::Gone | Verdict::Empty => return Ok(None),
            Verdict::Restart => return Err(Failure::upstream_changed("an action cannot start over")),
            Verdict::Fail(failure) | Verdict::Refused(failure) => return Err(failure),
        };
        let found = match &self.items {
            None => Some(&root).filter(|root| self.when.holds(root, scope)),
            Some(items) => match items.find(&root) {
                Some(Node::List(list)) => list.iter().find(|item| self.when.holds(item, scope)),
                Some(Node::Null) | None => None,
                Some(other) => {
                    let (place, kind) = (items.text(), other.kind());
                    return Err(Failure::upstream_changed(format!("{kind} at {place} of the answer; expected a list")));
                }
            },
        };
        Ok(found.map(|item| {
            let reference = self.reference.as_ref().and_then(|at| at.filled(item)).and_then(Node::scalar);
            Receipt { reference: reference.map(Cow::into_owned), detail: Map::new(), confirmed: true }
        }))
    }
}
