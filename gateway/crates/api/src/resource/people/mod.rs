//! People and organisational units across all connections: the records that are one, what each of them says, why they are one, and what
//! people decide about that. Both are asked in the same way: `/v1/people` and `/v1/units`.

pub(crate) mod decide;
pub(crate) mod lists;
pub(crate) mod one;
mod view;

pub use decide::IdentityDecided;
pub use view::{IdentityConflict, IdentityDecision, IdentityDetail, IdentityField, IdentityProposal, IdentityView};

use renmen_people::{PeopleError, Subject};

use crate::problem::{Problem, ProblemCode};

/// The two collections, with who is in them.
pub(crate) const COLLECTIONS: [(&str, Subject); 2] = [("people", Subject::Person), ("units", Subject::Unit)];

/// The collection of a person or a unit.
fn collection(subject: Subject) -> &'static str {
    match subject {
        Subject::Person => COLLECTIONS[0].0,
        Subject::Unit => COLLECTIONS[1].0,
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Store(error) => error.into(),
            PeopleError::NotFound => Self::not_found("record of a person or a unit", "人员或组织单元的记录"),
            PeopleError::BadInput(why) => Self::new(ProblemCode::InvalidValue).because(why),
            PeopleError::Refused(why) => Self::new(ProblemCode::Refused).because(why),
        }
    }
}
