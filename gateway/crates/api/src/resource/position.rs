//! A position in the change feed, with the epoch of the store in which it was handed out: `42.9f3e77a1`.

use std::fmt;

use renmen_schema::id::TenantId;

use crate::guard::within;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// What may stand before the epoch, in digits.
const SEQ_DIGITS_MAX: usize = 18;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) seq: i64,
    /// None: a number alone, as an event's `sequence` is.
    pub(crate) epoch: Option<u32>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seq)?;
        self.epoch.map_or(Ok(()), |epoch| write!(f, ".{epoch:08x}"))
    }
}

impl Position {
    /// Reads one that was handed out.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (seq, epoch) = text.split_once('.').map_or((text, None), |(seq, epoch)| (seq, Some(epoch)));
        let digits = (1..=SEQ_DIGITS_MAX).contains(&seq.len()) && seq.bytes().all(|b| b.is_ascii_digit());
        let hex = |epoch: &str| epoch.len() == 8 && epoch.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let epoch = match epoch {
            None => None,
            Some(epoch) if hex(epoch) => Some(u32::from_str_radix(epoch, 16).ok()?),
            Some(_) => return None,
        };
        Some(Self { seq: seq.parse().ok().filter(|_| digits)?, epoch })
    }
}

/// Reads a position that we gave out and that the tenant's feed still has.
pub(crate) async fn known(state: &AppState, tenant: &TenantId, text: &str) -> Result<i64, Problem> {
    let position = Position::read(text).ok_or_else(|| {
        Problem::new(ProblemCode::InvalidCursor).detail(
            "use a `cursor` or `next_cursor` of this feed, or `latest`",
            "请使用本变更流返回的 `cursor` 或 `next_cursor`，或 `latest`",
        )
    })?;
    let held = state.store.holds_position(tenant, position.seq, position.epoch);
    if within(state.options.deadline, held).await? {
        return Ok(position.seq);
    }
    Err(Problem::new(ProblemCode::CursorGone).detail(
        "the feed does not have this position: the gateway's database was restored from an earlier state, or it is another one. What \
         you hold may be newer than what the gateway holds: read the lists again, then follow the feed from a `next_cursor` taken \
         before",
        "变更流中没有该位置：网关的数据库已恢复到较早的状态，或已换成另一个数据库。您持有的数据可能比网关更新：请先取得 `next_cursor`，重新读取列表，再从该位置继续",
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_is_read_again_and_a_number_alone_too() {
        let position = Position { seq: 42, epoch: Some(0x9f_3e77) };
        assert_eq!(position.to_string(), "42.009f3e77");
        assert_eq!(Position::read("42.009f3e77"), Some(position));
        assert_eq!(Position::read("000000000000000042"), Some(Position { seq: 42, epoch: None }));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            ".",
            "1.",
            ".00000001",
            "1.0000001",
            "1.00000001x",
            "1.0000000G",
            "-1",
            "+1",
            "1 ",
            "1234567890123456789",
        ] {
            assert_eq!(Position::read(text), None, "{text}");
        }
    }
}
