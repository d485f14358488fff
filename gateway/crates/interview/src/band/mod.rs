//! Is what a candidate expects within the pay band? Answered from the gateway's own records, because it is asked in the
//! middle of an interview.
//!
//! The vendor names its interview or its order and an amount; the job, its band and the candidate are the gateway's to
//! find. It learns "in", "out" or why the gateway cannot say. However often it asks, it learns no more of a band's end
//! than between which two amounts of a fixed grid the end lies; and how often one interview, one candidate and one band
//! may be asked about is limited.
//!
//! Reading order: `about` finds what a question is about; `index` holds the bands and `grid` what can be told of them;
//! `limit` counts, `past` counts what was asked before; `desk` answers; `work` keeps the desk up to date and writes
//! every question down.

mod about;
mod desk;
mod grid;
mod index;
mod limit;
mod past;
mod work;

pub use about::Asked;
pub use desk::{BandAsk, BandDesk, BandOptions};
pub use index::{BandAnswer, BandIndex, JobFacts, JobId, Unknown, Verdict};
pub use work::BandWork;
