//! What is asked by itself, as health shows it: what was answered, and what is due and could not be.

use renmen_analysis::Standing;
use renmen_schema::Text;
use serde::Serialize;
use utoipa::ToSchema;

/// A time that is due may take a while to be answered.
const LATE_MS: i64 = 3_600_000;

/// A question that is asked by itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PlanHealth {
    /// The plan: its key under `[insight.plans]`, or the name of a default one.
    name: String,
    /// The question.
    question: &'static str,
    /// The day of the newest time that was answered; null before the first.
    #[schema(format = "date")]
    answered: Option<String>,
    /// The day of the time that is due and not answered yet.
    #[schema(format = "date")]
    due: Option<String>,
    /// Since when that could not be answered.
    #[serde(rename = "failing_since", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since_ms: Option<i64>,
    /// Why, and what to do.
    #[schema(value_type = Option<String>)]
    reason: Option<Text>,
}

impl From<Standing> for PlanHealth {
    fn from(standing: Standing) -> Self {
        Self {
            name: standing.name,
            question: standing.question.as_str(),
            answered: standing.answered,
            due: standing.due,
            failing_since_ms: standing.failing_since_ms,
            reason: standing.why,
        }
    }
}

impl PlanHealth {
    /// Does it need a look? What failed once is tried again.
    pub(crate) fn is_troubled(&self, now_ms: i64) -> bool {
        self.failing_since_ms.is_some_and(|since_ms| now_ms - since_ms > LATE_MS)
    }
}

#[cfg(test)]
mod tests {
    use renmen_analysis::QuestionName;

    use super::*;

    #[test]
    fn a_plan_that_fails_for_an_hour_needs_a_look() {
        let standing = |failing_since_ms| Standing {
            name: "alert".into(),
            question: QuestionName::Alert,
            answered: None,
            due: None,
            failing_since_ms,
            why: None,
        };
        assert!(!PlanHealth::from(standing(None)).is_troubled(i64::MAX));
        assert!(!PlanHealth::from(standing(Some(1_000))).is_troubled(1_000 + LATE_MS));
        assert!(PlanHealth::from(standing(Some(1_000))).is_troubled(1_001 + LATE_MS));
    }
}
