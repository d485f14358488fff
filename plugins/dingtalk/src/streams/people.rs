//! People on the job, some at a time: attendance and leave are asked for by person, and a wrong id is answered like a person
//! about whom there is nothing. So they are taken from the roster as it is now.

use renmen_plugin::Failure;

use crate::Config;
use crate::api::{ATTENDANCE_PEOPLE_MAX, OnJob, OnJobIds, old};

/// Some people, and where the list goes on.
pub(super) struct People {
    pub(super) ids: Vec<String>,
    pub(super) next: Option<i64>,
}

/// At most `most` people, from `offset` on.
pub(super) fn on_job(config: &Config, offset: i64, most: u32) -> Result<People, Failure> {
    let asked = OnJob { status_list: "2,3,5,-1", offset, size: most.clamp(1, ATTENDANCE_PEOPLE_MAX) };
    let found: OnJobIds = old(config, "/topapi/smartwork/hrm/employee/queryonjob", &asked)?;
    let next = found.next_cursor.number()?;
    if next.is_some_and(|next| next <= offset) {
        return Err(Failure::upstream_changed("the list of people on the job goes on where it was"));
    }
    Ok(People { ids: found.data_list, next })
}
