//! Why the engine did not do what was asked, grouped by what the caller can do about it. A failing vendor is not an
//! error of the engine: such a run ends with a [`crate::RunFailure`] in its report.

use std::fmt;

use renmen_schema::id::{ConnectionName, RunId, StreamName};
use renmen_schema::{Text, text};
use renmen_store::StoreError;

/// What the engine refuses or cannot do. Texts contain neither secrets nor personal data.
#[derive(Debug)]
pub enum SyncError {
    /// No such connection for this tenant.
    UnknownConnection(ConnectionName),
    /// The connection's plugin has no such stream.
    UnknownStream {
        /// Which connection.
        connection: ConnectionName,
        /// What was asked for.
        stream: StreamName,
        /// What there is, for people.
        known: String,
    },
    /// The stream is switched off in the configuration.
    Disabled {
        /// Which connection.
        connection: ConnectionName,
        /// Which stream.
        stream: StreamName,
    },
    /// Nothing that the stream carries is granted.
    NotGranted {
        /// Which connection.
        connection: ConnectionName,
        /// Which stream.
        stream: StreamName,
        /// What it carries, for people.
        entities: String,
    },
    /// A run of this stream is live, here or in another gateway.
    Running {
        /// Its number, when this process runs it.
        run: Option<RunId>,
    },
    /// No quarantined record has this number.
    UnknownQuarantine(i64),
    /// A schedule, zone or limit that cannot work.
    BadOption(Text),
    /// The store refused or is away.
    Store(StoreError),
    /// Something that should not happen: a task of the run panicked.
    Fault(String),
}

impl SyncError {
    /// May the same work succeed later without anybody's doing?
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Running { .. }
                | Self::Store(
                    StoreError::Busy(_)
                        | StoreError::Unavailable(_)
                        | StoreError::Fenced(_)
                        | StoreError::Configuration(_)
                )
        )
    }
}

impl SyncError {
    fn text(&self) -> Text {
        match self {
            Self::UnknownConnection(name) => text!(
                "unknown connection `{name}`: see the names under [connections]",
                "未知的连接 `{name}`：请查看 [connections] 下的名称"
            ),
            Self::UnknownStream { connection, stream, known } => text!(
                "connection `{connection}` has no stream `{stream}`: it has {known}",
                "连接 `{connection}` 没有数据流 `{stream}`：可用的为 {known}"
            ),
            Self::Disabled { connection, stream } => text!(
                "stream `{stream}` of connection `{connection}` is switched off: set `enabled = true` to run it",
                "连接 `{connection}` 的数据流 `{stream}` 已停用：如需运行，请设置 `enabled = true`"
            ),
            Self::NotGranted { connection, stream, entities } => text!(
                "stream `{stream}` of connection `{connection}` is off: it carries {entities}, and `grant.entities` names none \
                 of it; add what it may write",
                "连接 `{connection}` 的数据流 `{stream}` 未运行：它写入 {entities}，而 `grant.entities` 中一个也没有；请加上允许写入的实体"
            ),
            Self::Running { .. } => text!("a run of this stream is under way", "该数据流正在运行"),
            Self::UnknownQuarantine(id) => text!("quarantined record {id} not found", "隔离区中没有记录 {id}"),
            Self::BadOption(why) => why.clone(),
            Self::Store(error) => Text::rendered(|| error.to_string()),
            Self::Fault(why) => text!("internal fault: {why}", "内部错误：{why}"),
        }
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for SyncError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // It is shown as it is, so its own cause is the next.
            Self::Store(error) => error.source(),
            _ => None,
        }
    }
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
