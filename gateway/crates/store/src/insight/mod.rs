//! Rows that questions of insight are asked over: which there are.

pub use crate::model::insight::{
    Answer, Application, Ask, Batch, Employment, Group, GroupsAsk, Interview, InterviewResult, Metric, Need, Offer,
    Person, Read, Review, Rows, RowsMade, Score, Step, Subject, UNKNOWN,
};
