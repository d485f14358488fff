//! Headers of requests that carry one value: a header that is sent twice has none that can be trusted.

use axum::http::HeaderMap;

use crate::problem::Problem;

/// The one value of a header; none when it was not sent.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<Result<&'h str, ()>> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    Some(if all.next().is_some() { Err(()) } else { first.to_str().map_err(|_| ()) })
}

/// `Idempotency-Key`, where the client gave one: at most so many visible ASCII characters.
///
/// # Errors
/// One that is empty, longer, of other characters, or sent twice.
pub(crate) fn idempotency_key(headers: &HeaderMap, chars_max: usize) -> Result<Option<String>, Problem> {
    let Some(given) = single(headers, "idempotency-key") else { return Ok(None) };
    let fits = |text: &&str| (1..=chars_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    given.ok().filter(fits).map(|text| Some(text.to_owned())).ok_or_else(|| {
        Problem::parameter(
            "Idempotency-Key",
            &format!("1 to {chars_max} visible ASCII characters, given once"),
            &format!(" 1 到 {chars_max} 个可见 ASCII 字符，且只出现一次"),
        )
    })
}
