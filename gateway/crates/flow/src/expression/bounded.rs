//! What keeps an expression from running on. CEL has no loops but those over lists and maps; they may stand in each other,
//! so each turn of each of them counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, operators};
use cel::{Context, DeclarationError, ExecutionError, Value as CelValue};
use renmen_schema::text;
use renmen_schema::types::Localized;

use super::EvaluationFault;
use crate::links::{self, LinkMaker};

/// How much one evaluation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpressionLimits {
    /// Turns of loops, those in each other counted one by one.
    pub steps_max: u64,
    /// Time, looked at on each turn.
    pub time_max: Duration,
}

impl Default for ExpressionLimits {
    fn default() -> Self {
        Self { steps_max: 10_000, time_max: Duration::from_millis(100) }
    }
}

/// Cannot be written in an expression.
const STEP: &str = "@step";

/// What one evaluation has taken so far.
pub(super) struct Steps {
    limits: ExpressionLimits,
    begun: Instant,
    taken: AtomicU64,
    spent: AtomicBool,
}

impl Steps {
    pub(super) fn new(limits: &ExpressionLimits, begun: Instant) -> Self {
        Self { limits: *limits, begun, taken: AtomicU64::new(0), spent: AtomicBool::new(false) }
    }

    fn take(&self) -> bool {
        let over = self.taken.fetch_add(1, Ordering::Relaxed) >= self.limits.steps_max
            || self.begun.elapsed() > self.limits.time_max;
        if over {
            self.spent.store(true, Ordering::Relaxed);
        }
        !over
    }

    /// The fault to report when it went over its limits, regardless of the error that this caused.
    pub(super) fn spent(&self) -> Option<EvaluationFault> {
        let ExpressionLimits { steps_max, time_max } = self.limits;
        self.spent.load(Ordering::Relaxed).then(|| EvaluationFault {
            absent: false,
            message: text!(
                "its loops take more than {steps_max} turns or {} ms: make it simpler",
                "循环超过 {steps_max} 次或 {} 毫秒：请简化",
                time_max.as_millis()
            ),
        })
    }
}

/// The functions that are not CEL's own.
pub(super) fn add_functions(
    context: &mut Context<'_, '_>,
    steps: &Arc<Steps>,
    links: Option<&LinkMaker>,
) -> Result<(), DeclarationError> {
    let steps = Arc::clone(steps);
    context.add_function(STEP, move || {
        if steps.take() { Ok(true) } else { Err(ExecutionError::function_error("loop", "too many turns")) }
    })?;
    context.add_function("ms", |text: Arc<String>| {
        let read = text.parse::<jiff::Timestamp>();
        read.map(jiff::Timestamp::as_millisecond).map_err(|_| ExecutionError::function_error("ms", "no time"))
    })?;
    let links = links.cloned();
    context.add_function(links::FUNCTION, move |person: Arc<String>| {
        let none = || ExecutionError::function_error(links::FUNCTION, "no link");
        links.as_ref().and_then(|links| links.link(&person)).map(Arc::new).ok_or_else(none)
    })?;
    context.add_function("text", |texts: CelValue, language: Arc<String>| {
        let none = || ExecutionError::function_error("text", "no text by language");
        let texts = texts.json().ok().and_then(|json| serde_json::from_value::<Localized>(json).ok());
        let best = texts.as_ref().and_then(|texts| texts.best(&language));
        best.map(|text| Arc::new(text.to_owned())).ok_or_else(none)
    })
}

/// The tree with a step in the condition of each of its loops.
pub(super) fn with_steps(mut tree: IdedExpr) -> IdedExpr {
    let expr = &mut tree.expr;
    match expr {
        Expr::Call(call) => {
            if let Some(target) = call.target.take() {
                call.target = Some(Box::new(with_steps(*target)));
            }
            all(&mut call.args);
        }
        Expr::Comprehension(parts) => {
            for part in [
                &mut parts.iter_range,
                &mut parts.accu_init,
                &mut parts.loop_cond,
                &mut parts.loop_step,
                &mut parts.result,
            ] {
                replace(part);
            }
            let condition = std::mem::take(&mut parts.loop_cond);
            let id = condition.id;
            let step = CallExpr { func_name: STEP.to_owned(), target: None, args: Vec::new() };
            let both = CallExpr {
                func_name: operators::LOGICAL_AND.to_owned(),
                target: None,
                args: vec![IdedExpr { id, expr: Expr::Call(step) }, condition],
            };
            parts.loop_cond = IdedExpr { id, expr: Expr::Call(both) };
        }
        Expr::List(list) => all(&mut list.elements),
        Expr::Select(select) => replace(&mut select.operand),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    replace(&mut entry.key);
                    replace(&mut entry.value);
                }
            }
        }
        Expr::Struct(fields) => {
            for entry in &mut fields.entries {
                if let EntryExpr::StructField(field) = &mut entry.expr {
                    replace(&mut field.value);
                }
            }
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
    }
    tree
}

fn all(trees: &mut [IdedExpr]) {
    trees.iter_mut().for_each(replace);
}

fn replace(tree: &mut IdedExpr) {
    *tree = with_steps(std::mem::take(tree));
}
