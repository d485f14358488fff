//! The questions about one application, and about what the market pays.

mod case;
mod explanation;
mod market;
mod pay;

use crate::engine::Asking;
use crate::{AnalysisError, Answer, QuestionName};

/// Answers one of them.
pub(crate) async fn answer(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    match asking.ask.question {
        QuestionName::Pay => pay::pay(asking).await,
        QuestionName::Level => pay::level(asking).await,
        QuestionName::Market => market::market(asking).await,
        QuestionName::Explanation => explanation::explanation(asking).await,
        _ => Err(AnalysisError::Fault("a question about many records was asked of one".into())),
    }
}
