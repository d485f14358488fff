//! How our own records in Hire are recognized. Hire never returns an external record's `external_id`, so an AI
//! interview's assessment carries a dimension of text that names the application and the interview it is about.

use crate::api::external::{ExternalAssessment, ExternalDimension};

/// Title of the dimension; people see it in Hire.
const TITLE: &str = "系统编号";
/// Title of the dimension that holds the score as a whole.
pub(crate) const OVERALL: &str = "综合得分";
/// `assessment_type` of a dimension with points.
pub(crate) const POINTS: i64 = 1;
/// `assessment_type` of a dimension with text.
pub(crate) const TEXT: i64 = 3;

/// What an assessment of ours is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The application in Hire.
    pub(crate) application_id: String,
    /// The interview, by the id that its order gave.
    pub(crate) interview_id: String,
}

impl Marker {
    pub(crate) fn dimension(&self) -> ExternalDimension {
        ExternalDimension {
            assessment_type: Some(TEXT),
            title: Some(TITLE.to_owned()),
            content: Some(format!("renmen/{}/{}", self.application_id, self.interview_id)),
            ..ExternalDimension::default()
        }
    }

    /// The marker of an assessment, if it is ours.
    pub(crate) fn of(assessment: &ExternalAssessment) -> Option<Self> {
        assessment.assessment_dimension_list.iter().find_map(|dimension| {
            if dimension.title.as_deref() != Some(TITLE) {
                return None;
            }
            let (application_id, interview_id) =
                dimension.content.as_deref()?.strip_prefix("renmen/")?.split_once('/')?;
            (!application_id.is_empty() && !interview_id.is_empty())
                .then(|| Self { application_id: application_id.to_owned(), interview_id: interview_id.to_owned() })
        })
    }

    /// Is this the marker's own dimension, which is not a score?
    pub(crate) fn is_in(dimension: &ExternalDimension) -> bool {
        dimension.title.as_deref() == Some(TITLE)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn with(content: &str) -> ExternalAssessment {
        let dimension = ExternalDimension {
            title: Some(TITLE.into()),
            content: Some(content.into()),
            ..ExternalDimension::default()
        };
        ExternalAssessment { assessment_dimension_list: vec![dimension], ..ExternalAssessment::default() }
    }

    #[test]
    fn what_was_marked_is_known_again_and_nothing_else_is() {
        let marker = Marker { application_id: "69498".into(), interview_id: "iv/1".into() };
        let assessment = ExternalAssessment {
            assessment_dimension_list: vec![ExternalDimension::default(), marker.dimension()],
            ..ExternalAssessment::default()
        };
        assert_eq!(Marker::of(&assessment), Some(marker));
        for other in ["", "renmen/", "renmen//", "renmen/a/", "someone/1/2"] {
            assert_eq!(Marker::of(&with(other)), None, "{other}");
        }
    }
}
