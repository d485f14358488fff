//! The score card as JUnit, which every build server shows.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::card::{CheckVerdict, ScoreCard};

impl ScoreCard {
    /// As JUnit XML: a suite for each stream, a case for each check.
    #[must_use]
    pub fn junit(&self) -> String {
        let mut report = Report::new(format!("{} {}", self.plugin, self.version));
        let fixtures = Some(("fixtures", &self.fixtures)).filter(|(_, checks)| !checks.is_empty());
        let streams = self.streams.iter().map(|stream| (stream.stream.as_str(), &stream.checks));
        for (name, checks) in fixtures.into_iter().chain(streams) {
            let mut suite = TestSuite::new(name);
            for check in checks {
                let mut status = match &check.verdict {
                    CheckVerdict::Passed => TestCaseStatus::success(),
                    CheckVerdict::Skipped { .. } => TestCaseStatus::skipped(),
                    CheckVerdict::Failed { .. } => TestCaseStatus::non_success(NonSuccessKind::Failure),
                };
                match &check.verdict {
                    CheckVerdict::Passed => {}
                    CheckVerdict::Skipped { why } => drop(status.set_message(why)),
                    CheckVerdict::Failed { seen, change } => {
                        status
                            .set_message(seen)
                            .set_type(check.id)
                            .set_description(format!("{}\nchange: {change}", check.proves));
                    }
                }
                let mut case = TestCase::new(check.id, status);
                case.set_classname(format!("{}.{name}", self.plugin));
                suite.add_test_case(case);
            }
            report.add_test_suite(suite);
        }
        report.to_string().unwrap_or_default()
    }
}
