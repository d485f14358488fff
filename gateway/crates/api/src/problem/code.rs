//! The table of problem codes. A code is a promise to clients: it never changes its meaning, and its status never
//! changes. Texts may be improved.

use axum::http::StatusCode;

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemCode {
    /// A parameter's value is not of its kind.
    InvalidParameter,
    /// A parameter that this operation does not have.
    UnknownParameter,
    /// A cursor that this gateway did not give out.
    InvalidCursor,
    /// A position that the change feed does not have.
    CursorGone,
    /// A body that is not the JSON that the operation takes.
    InvalidBody,
    /// No API key, or one that is not (or no longer) valid.
    Unauthorized,
    /// The key is valid, its role may not do this.
    Forbidden,
    /// The tenant is in another database, which other gateways serve.
    TenantElsewhere,
    /// No such thing for this tenant.
    NotFound,
    /// No such path.
    UnknownPath,
    /// The path is right, the method is not.
    MethodNotAllowed,
    /// A run of this stream is live.
    RunUnderWay,
    /// It is there, but its present state does not allow what was asked for.
    Refused,
    /// What was to be defined has defects; the detail names each.
    InvalidDefinition,
    /// A value of the right form that does not fit the record that it is for.
    InvalidValue,
    /// A record that its schema refuses, or that refers to nothing; `errors` has each defect with its place.
    InvalidRecord,
    /// The record changed since the client read it.
    RevisionChanged,
    /// `If-Match` is missing.
    RevisionRequired,
    /// An `Idempotency-Key` that came with another request before.
    IdempotencyKeyReused,
    /// The request's body is too large.
    BodyTooLarge,
    /// The path with its query is too long.
    UriTooLong,
    /// Too many long polls and event streams are open.
    TooManyStreams,
    /// More questions than a limit allows.
    TooManyAsks,
    /// Too many requests at once.
    Overloaded,
    /// The store does not answer.
    StoreUnavailable,
    /// The engine, or what it needs, does not answer.
    EngineUnavailable,
    /// It took longer than the deadline.
    DeadlineExceeded,
    /// A delivery that is not proved to be the vendor's.
    BadSignature,
    /// A packed body where none is unpacked.
    UnsupportedEncoding,
    /// Too many deliveries of one connection in a second.
    TooManyDeliveries,
    /// The request is not one that HTTP allows.
    BadRequest,
    /// A fault of the gateway; the log knows more under the request's id.
    Internal,
}

/// One line of the table.
struct Entry {
    name: &'static str,
    status: StatusCode,
    en: &'static str,
    zh: &'static str,
}

const fn entry(name: &'static str, status: StatusCode, en: &'static str, zh: &'static str) -> Entry {
    Entry { name, status, en, zh }
}

impl ProblemCode {
    /// Every code, in the table's order.
    pub const ALL: [Self; 32] = [
        Self::InvalidParameter,
        Self::UnknownParameter,
        Self::InvalidCursor,
        Self::CursorGone,
        Self::InvalidBody,
        Self::Unauthorized,
        Self::Forbidden,
        Self::TenantElsewhere,
        Self::NotFound,
        Self::UnknownPath,
        Self::MethodNotAllowed,
        Self::RunUnderWay,
        Self::Refused,
        Self::InvalidDefinition,
        Self::InvalidValue,
        Self::InvalidRecord,
        Self::RevisionChanged,
        Self::RevisionRequired,
        Self::IdempotencyKeyReused,
        Self::BodyTooLarge,
        Self::UriTooLong,
        Self::TooManyStreams,
        Self::TooManyAsks,
        Self::Overloaded,
        Self::StoreUnavailable,
        Self::EngineUnavailable,
        Self::DeadlineExceeded,
        Self::BadSignature,
        Self::UnsupportedEncoding,
        Self::TooManyDeliveries,
        Self::BadRequest,
        Self::Internal,
    ];

    fn entry(self) -> Entry {
        use StatusCode as S;
        match self {
            Self::InvalidParameter => entry("invalid_parameter", S::BAD_REQUEST, "Invalid parameter", "参数的值不正确"),
            Self::UnknownParameter => {
                entry("unknown_parameter", S::BAD_REQUEST, "Unknown query parameter", "未知的查询参数")
            }
            Self::InvalidBody => entry("invalid_body", S::BAD_REQUEST, "Invalid request body", "请求体无法使用"),
            Self::InvalidCursor => entry("invalid_cursor", S::BAD_REQUEST, "Invalid cursor", "游标无法使用"),
            Self::CursorGone => {
                entry("cursor_gone", S::GONE, "The feed does not have this position", "变更流中没有该位置")
            }
            Self::Unauthorized => {
                entry("unauthorized", S::UNAUTHORIZED, "A valid API key is required", "需要有效的 API 密钥")
            }
            Self::Forbidden => {
                entry("forbidden", S::FORBIDDEN, "Not allowed for this role", "密钥的角色无权执行此操作")
            }
            Self::TenantElsewhere => entry(
                "tenant_elsewhere",
                S::MISDIRECTED_REQUEST,
                "Another gateway serves this tenant",
                "该租户由另一网关提供服务",
            ),
            Self::NotFound => entry("not_found", S::NOT_FOUND, "Not found", "找不到该对象"),
            Self::UnknownPath => entry("unknown_path", S::NOT_FOUND, "Unknown path", "路径不存在"),
            Self::MethodNotAllowed => {
                entry("method_not_allowed", S::METHOD_NOT_ALLOWED, "Method not allowed", "该路径不支持此方法")
            }
            Self::RunUnderWay => {
                entry("run_under_way", S::CONFLICT, "A run of this stream is already in progress", "该数据流正在运行")
            }
            Self::Refused => entry("refused", S::CONFLICT, "Not possible in the current state", "当前状态下无法执行"),
            Self::InvalidDefinition => {
                entry("invalid_definition", S::UNPROCESSABLE_ENTITY, "Invalid definition", "定义无法使用")
            }
            Self::InvalidValue => entry("invalid_value", S::UNPROCESSABLE_ENTITY, "Invalid value", "值不适用于该记录"),
            Self::InvalidRecord => entry("invalid_record", S::UNPROCESSABLE_ENTITY, "Invalid record", "记录无效"),
            Self::RevisionChanged => {
                entry("revision_changed", S::PRECONDITION_FAILED, "The record has changed", "记录已被更改")
            }
            Self::RevisionRequired => {
                entry("revision_required", S::PRECONDITION_REQUIRED, "If-Match is required", "缺少 If-Match")
            }
            Self::IdempotencyKeyReused => entry(
                "idempotency_key_reused",
                S::UNPROCESSABLE_ENTITY,
                "Idempotency key already used",
                "幂等键已用于其他请求",
            ),
            Self::BodyTooLarge => entry("body_too_large", S::PAYLOAD_TOO_LARGE, "Request body too large", "请求体过大"),
            Self::UriTooLong => entry("uri_too_long", S::URI_TOO_LONG, "URI too long", "路径与查询过长"),
            Self::TooManyStreams => {
                entry("too_many_streams", S::TOO_MANY_REQUESTS, "Too many open streams", "打开的长轮询与事件流过多")
            }
            Self::TooManyAsks => entry("too_many_asks", S::TOO_MANY_REQUESTS, "Rate limit exceeded", "询问过于频繁"),
            Self::Overloaded => {
                entry("overloaded", S::SERVICE_UNAVAILABLE, "Too many concurrent requests", "同时处理的请求过多")
            }
            Self::StoreUnavailable => {
                entry("store_unavailable", S::SERVICE_UNAVAILABLE, "Store unavailable", "存储暂时不可用")
            }
            Self::EngineUnavailable => {
                entry("engine_unavailable", S::SERVICE_UNAVAILABLE, "Engine unavailable", "同步引擎暂时不可用")
            }
            Self::DeadlineExceeded => {
                entry("deadline_exceeded", S::SERVICE_UNAVAILABLE, "Request timed out", "处理超时")
            }
            Self::BadSignature => {
                entry("bad_signature", S::UNAUTHORIZED, "Signature verification failed", "回调签名校验失败")
            }
            Self::UnsupportedEncoding => entry(
                "unsupported_encoding",
                S::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported content encoding",
                "不支持压缩的请求体",
            ),
            Self::TooManyDeliveries => {
                entry("too_many_deliveries", S::TOO_MANY_REQUESTS, "Delivery rate limit exceeded", "每秒回调过多")
            }
            Self::BadRequest => entry("bad_request", S::BAD_REQUEST, "Bad request", "无法读取该请求"),
            Self::Internal => entry("internal", S::INTERNAL_SERVER_ERROR, "Internal error", "网关内部错误"),
        }
    }

    /// The stable code: `invalid_parameter`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The HTTP status that always goes with it.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.entry().status
    }

    /// One line for people: English, Chinese.
    pub(crate) fn titles(self) -> (&'static str, &'static str) {
        let entry = self.entry();
        (entry.en, entry.zh)
    }

    /// Seconds after which to try again, for what passes by itself.
    pub(crate) fn retry_after_s(self) -> Option<u32> {
        match self {
            Self::Overloaded | Self::DeadlineExceeded | Self::TooManyDeliveries => Some(1),
            Self::StoreUnavailable | Self::EngineUnavailable => Some(2),
            Self::TooManyStreams => Some(5),
            Self::TooManyAsks => Some(60),
            _ => None,
        }
    }

    /// The code for an answer that a layer below us gave with nothing but a status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownPath,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::URI_TOO_LONG => Self::UriTooLong,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_name_and_an_error_status() {
        let names: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ProblemCode::ALL.len());
        assert!(ProblemCode::ALL.iter().all(|code| code.status().as_u16() >= 400));
    }

    #[test]
    fn what_answers_503_or_429_says_when_to_come_back_and_nothing_else_does() {
        for code in ProblemCode::ALL {
            let passes = matches!(code.status().as_u16(), 429 | 503);
            assert_eq!(code.retry_after_s().is_some(), passes, "{}", code.name());
        }
    }
}
