//! Questions of a library: what an interview can ask, and which versions of a position's profile each is for.

use std::collections::BTreeSet;

use super::{Competency, PositionProfile};
use crate::check::Walk;
use crate::code::{AnswerKind, Modality};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Localized, Ref};

entity! {
    /// A question or a scenario of a library. An answer names it by its external id; a text that changes is another revision of
    /// the same question.
    pub struct LibraryQuestion {
        /// The question's text.
        pub text: Localized,
        /// What kind of answer it asks for.
        pub kind: Coded<AnswerKind>,
        /// In which library, where there are several.
        pub library: Option<String>,
        /// The situation that is told before the question.
        pub scenario: Option<Localized>,
        /// What the candidate chooses from, where the kind is CHOICE.
        pub options: Vec<QuestionOption>,
        /// What it is meant to show.
        pub competencies: Vec<Ref<Competency>>,
        /// What of an answer gives evidence of it.
        pub evidence: Vec<Coded<Modality>>,
        /// The versions of position profiles that it is for: each version is a record. None: it can be asked for any position.
        pub profiles: Vec<Ref<PositionProfile>>,
        /// Seconds to prepare.
        pub prep_s: Option<u32>,
        /// Seconds to answer.
        pub max_s: Option<u32>,
        /// False: it is not asked any more.
        pub active: bool,
    }
    rules question_rules
}

fn question_rules(question: &LibraryQuestion, walk: &mut Walk<'_>) {
    let choice = question.kind.code == AnswerKind::Choice;
    if choice && question.options.len() < 2 {
        let found =
            text!("{} options; CHOICE needs at least two", "{} 个选项；CHOICE 至少需要两个", question.options.len());
        walk.defect_in("options", "missing_field", found);
    }
    if !choice && !question.options.is_empty() {
        walk.defect_in(
            "options",
            "contradiction",
            text!("options of a question whose kind is not CHOICE; leave them out", "题型不是 CHOICE 却有选项；请省略"),
        );
    }
    if question.kind.code == AnswerKind::Scenario && question.scenario.is_none() {
        walk.defect_in(
            "scenario",
            "missing_field",
            text!("nothing; SCENARIO needs the situation", "缺少内容；SCENARIO 需要情境"),
        );
    }
    let codes: BTreeSet<&str> = question.options.iter().map(|option| option.code.as_str()).collect();
    if codes.len() < question.options.len() {
        walk.defect_in(
            "options",
            "duplicate_code",
            text!("two options with one code; give each a code of its own", "两个选项的代码相同；请使用不同的代码"),
        );
    }
    if question.max_s == Some(0) {
        walk.defect_in(
            "max_s",
            "bad_value",
            text!("no time to answer; leave it out where there is no limit", "作答时间为零；没有限制时请省略"),
        );
    }
}

shape! {
    /// One of the choices of a question.
    pub struct QuestionOption {
        /// What an answer names it by.
        pub code: String,
        /// What the candidate reads.
        pub text: Localized,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{LibraryQuestion, QuestionOption};
    use crate::check::Walk;
    use crate::code::AnswerKind;
    use crate::types::{Coded, Localized};

    fn of(kind: AnswerKind) -> LibraryQuestion {
        LibraryQuestion::new(Localized::und("Why?"), Coded::new(kind), true)
    }

    fn option(code: &str) -> QuestionOption {
        QuestionOption::new(code.into(), Localized::und(code))
    }

    fn paths(question: &LibraryQuestion) -> Vec<String> {
        Walk::over(question).into_iter().map(|defect| defect.path).collect()
    }

    #[test]
    fn a_choice_has_options_and_nothing_else_has_r17() {
        assert_eq!(paths(&of(AnswerKind::Choice)), ["/options"]);
        let one = LibraryQuestion { options: vec![option("a")], ..of(AnswerKind::Choice) };
        assert_eq!(paths(&one), ["/options"]);
        let two = LibraryQuestion { options: vec![option("a"), option("b")], ..of(AnswerKind::Choice) };
        assert!(paths(&two).is_empty());
        let twice = LibraryQuestion { options: vec![option("a"), option("a")], ..of(AnswerKind::Choice) };
        assert_eq!(paths(&twice), ["/options"]);
        let open = LibraryQuestion { options: vec![option("a"), option("b")], ..of(AnswerKind::Open) };
        assert_eq!(paths(&open), ["/options"]);
        assert!(paths(&of(AnswerKind::Open)).is_empty());
    }

    #[test]
    fn a_scenario_tells_its_situation_and_a_limit_leaves_time() {
        assert_eq!(paths(&of(AnswerKind::Scenario)), ["/scenario"]);
        let told = LibraryQuestion { scenario: Some(Localized::und("A customer waits.")), ..of(AnswerKind::Scenario) };
        assert!(paths(&told).is_empty());
        assert_eq!(paths(&LibraryQuestion { max_s: Some(0), ..of(AnswerKind::Open) }), ["/max_s"]);
        assert!(paths(&LibraryQuestion { max_s: Some(1), prep_s: Some(0), ..of(AnswerKind::Open) }).is_empty());
    }
}
