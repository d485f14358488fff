//! What a broker's error codes mean for a record.

/// What can be done about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Another broker leads the partition by now: ask who does.
    Stale,
    /// It may go better later.
    Later,
    /// The broker wants less.
    Slower,
    /// It does not take this record.
    Refused,
    /// It does not take a batch of this size; its records may be small enough.
    TooLarge,
    /// The login is not known, or may not do this.
    Auth,
    /// The topic does not exist, or its name is not a valid one.
    Topic,
}

/// A code's name and meaning; one that is not known may pass.
pub(super) fn meaning(code: i16) -> (&'static str, Meaning) {
    match code {
        2 => ("CORRUPT_MESSAGE", Meaning::Later),
        3 => ("UNKNOWN_TOPIC_OR_PARTITION", Meaning::Topic),
        5 => ("LEADER_NOT_AVAILABLE", Meaning::Stale),
        6 => ("NOT_LEADER_OR_FOLLOWER", Meaning::Stale),
        7 => ("REQUEST_TIMED_OUT", Meaning::Later),
        10 => ("MESSAGE_TOO_LARGE", Meaning::TooLarge),
        13 => ("NETWORK_EXCEPTION", Meaning::Later),
        17 => ("INVALID_TOPIC_EXCEPTION", Meaning::Topic),
        18 => ("RECORD_LIST_TOO_LARGE", Meaning::TooLarge),
        19 => ("NOT_ENOUGH_REPLICAS", Meaning::Later),
        20 => ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", Meaning::Later),
        29 => ("TOPIC_AUTHORIZATION_FAILED", Meaning::Auth),
        31 => ("CLUSTER_AUTHORIZATION_FAILED", Meaning::Auth),
        32 => ("INVALID_TIMESTAMP", Meaning::Refused),
        33 => ("UNSUPPORTED_SASL_MECHANISM", Meaning::Auth),
        34 => ("ILLEGAL_SASL_STATE", Meaning::Auth),
        43 => ("UNSUPPORTED_FOR_MESSAGE_FORMAT", Meaning::Refused),
        44 => ("POLICY_VIOLATION", Meaning::Refused),
        56 => ("KAFKA_STORAGE_ERROR", Meaning::Stale),
        58 => ("SASL_AUTHENTICATION_FAILED", Meaning::Auth),
        74 => ("FENCED_LEADER_EPOCH", Meaning::Stale),
        87 => ("INVALID_RECORD", Meaning::Refused),
        89 => ("THROTTLING_QUOTA_EXCEEDED", Meaning::Slower),
        _ => ("an error that is not known here", Meaning::Later),
    }
}
