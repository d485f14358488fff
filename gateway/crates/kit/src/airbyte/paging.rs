//! A paginator as `paging` of `mapping.toml`, with the place of token and size in the request.

use serde_json::{Value, json};

use super::jinja::{Expr, Piece, parse, path, pointer};
use super::left::Lefts;
use super::request::Request;
use super::yaml::Node;

/// How a list goes on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Paging {
    /// `paging` of mapping.toml; none for one answer.
    pub(super) by: Option<Value>,
    pub(super) size_max: Option<u64>,
}

/// Does the paginator ask for the next page by its whole address? Then it takes no parameter along.
pub(super) fn follows_addresses(paginator: Option<&Node>) -> bool {
    let option = paginator.and_then(|paginator| paginator.get("page_token_option"));
    option.is_some_and(|option| option.component() == "RequestPath" || option.word("inject_into") == Some("path"))
}

impl Paging {
    pub(super) fn of(paginator: Option<&Node>, request: &mut Request, left: &mut Lefts) -> Self {
        let Some(paginator) = paginator.filter(|paginator| paginator.component() != "NoPagination") else {
            return Self::default();
        };
        if paginator.component() != "DefaultPaginator" {
            return unknown(paginator, "a paginator of another kind", request, left);
        }
        let Some(strategy) = paginator.get("pagination_strategy") else { return Self::default() };
        let mut paging = Self { by: None, size_max: size(strategy, left) };
        let first = strategy.truth("inject_on_first_request") == Some(true);
        let place = match strategy.component() {
            "CursorPagination" => {
                let follows = follows_addresses(Some(paginator));
                let Some(by) = cursor(strategy, follows, left) else {
                    request.blocked.push("the next page's token has no counterpart".to_owned());
                    return paging;
                };
                paging.by = Some(by);
                "{page/token}"
            }
            "PageIncrement" => {
                let start = strategy.get("start_from_page").and_then(|page| page.json().as_u64()).unwrap_or(0);
                paging.by = Some(json!({ "by": "number", "first": start }));
                if !first {
                    let why = format!("the first page is asked for without a number there, and with {start} here");
                    left.add(strategy, "inject_on_first_request", why);
                }
                "{page/number}"
            }
            "OffsetIncrement" => {
                paging.by = Some(json!({ "by": "offset" }));
                "{page/offset}"
            }
            other => return unknown(strategy, &format!("the strategy {other}"), request, left),
        };
        if let Some(option) = paginator.get("page_token_option").filter(|_| !follows_addresses(Some(paginator))) {
            request.inject(option, place, left);
        }
        match paginator.get("page_size_option") {
            Some(option) if paging.size_max.is_some() => request.inject(option, "{page/size}", left),
            Some(option) => left.add(option, "page_size_option", "without a constant page size; it is not sent"),
            None if strategy.component() == "CursorPagination" => paging.size_max = None,
            // Until an empty page: one that holds a single item may be followed by another.
            None if paging.size_max.is_none() => paging.size_max = Some(1),
            None => {}
        }
        paging
    }
}

fn unknown(node: &Node, what: &str, request: &mut Request, left: &mut Lefts) -> Paging {
    left.add(node, node.component(), format!("{what} has no counterpart"));
    request.blocked.push(what.to_owned());
    Paging::default()
}

fn size(strategy: &Node, left: &mut Lefts) -> Option<u64> {
    let size = strategy.get("page_size")?;
    let found = size.scalar().and_then(|text| text.parse().ok()).filter(|size| *size > 0);
    if found.is_none() {
        left.add(size, "page_size", "not a constant number; write `size_max` by hand");
    }
    found
}

/// A next page by what the answer says.
fn cursor(strategy: &Node, follows: bool, left: &mut Lefts) -> Option<Value> {
    let value = strategy.get("cursor_value")?;
    let expr = single(value.text()?);
    let Some((root, members, _)) = expr.as_ref().and_then(path) else {
        left.add(value, "cursor_value", "an expression that is not one place in the answer");
        return None;
    };
    let next = match (root, members.as_slice()) {
        ("headers", [link, rel, url]) if link.eq_ignore_ascii_case("link") && rel == "next" && url == "url" => {
            return Some(json!({ "by": "link" }));
        }
        ("response", members) if !members.is_empty() => pointer(members),
        (other, _) => {
            left.add(
                value,
                "cursor_value",
                format!("`{other}`: only the answer's body and its header Link are looked at"),
            );
            return None;
        }
    };
    let mut by = json!({ "by": if follows { "url" } else { "token" }, "next": next });
    if let Some(stop) = strategy.get("stop_condition") {
        match more(stop.text().unwrap_or_default(), &next) {
            Stop::Implied => {}
            Stop::More(more) if !follows => by["more"] = more.into(),
            _ => left.add(stop, "stop_condition", "the list ends where nothing leads on"),
        }
    }
    Some(by)
}

fn single(text: &str) -> Option<Expr> {
    let pieces: Vec<Piece> = parse(text)
        .ok()?
        .into_iter()
        .filter(|piece| !matches!(piece, Piece::Text(text) if text.trim().is_empty()))
        .collect();
    match pieces.as_slice() {
        [Piece::Expr(expr)] => Some(expr.clone()),
        _ => None,
    }
}

/// What a stop condition says.
enum Stop {
    /// Nothing leads on: that is the end without being said.
    Implied,
    /// It stands here whether there is more.
    More(String),
    Unknown,
}

fn more(text: &str, next: &str) -> Stop {
    let at = |expr: &Expr| {
        path(expr)
            .filter(|(root, members, _)| *root == "response" && !members.is_empty())
            .map(|(_, members, _)| pointer(&members))
    };
    let of = |found: Option<String>| match found {
        Some(found) if found == next || next.starts_with(&format!("{found}/")) => Stop::Implied,
        Some(found) => Stop::More(found),
        None => Stop::Unknown,
    };
    match single(text) {
        Some(Expr::Not(of_what)) => of(at(&of_what)),
        Some(Expr::Is(of_what, test)) if test == "false" => of(at(&of_what)),
        Some(Expr::Is(of_what, test)) if test == "none" && at(&of_what).as_deref() == Some(next) => Stop::Implied,
        Some(Expr::Both("==", left, right)) => match *right {
            Expr::Bool(false) => of(at(&left)),
            Expr::None => {
                if at(&left).as_deref() == Some(next) {
                    Stop::Implied
                } else {
                    Stop::Unknown
                }
            }
            Expr::Text(text) if text.is_empty() && at(&left).as_deref() == Some(next) => Stop::Implied,
            _ => Stop::Unknown,
        },
        // The member that the next page's address stands in.
        Some(Expr::Both("not in", name, holder)) => match (*name, path(&holder)) {
            (Expr::Text(name), Some(("response", mut members, _))) => {
                members.push(name);
                of(Some(pointer(&members)))
            }
            _ => Stop::Unknown,
        },
        _ => Stop::Unknown,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::yaml::read;
    use super::*;

    fn paging(strategy: &str, options: &str) -> (Paging, Request, usize) {
        let text = format!("{{ type: DefaultPaginator, pagination_strategy: {strategy}, {options} }}");
        let (mut request, mut left) = (Request::default(), Lefts::default());
        let paging = Paging::of(Some(&read(&text).unwrap()), &mut request, &mut left);
        (paging, request, left.sorted().len())
    }

    const TOKEN: &str = "page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: p }, page_size_option: { inject_into: request_parameter, field_name: n }";
    const ADDRESS: &str = "page_token_option: { type: RequestPath }";

    #[test]
    fn each_strategy_becomes_paging() {
        for (strategy, options, by, size) in [
            (
                "{ type: CursorPagination, page_size: 50, cursor_value: \"{{ response['next'] }}\", stop_condition: \"{{ response['hasNext'] is false }}\" }",
                TOKEN,
                json!({ "by": "token", "next": "/next", "more": "/hasNext" }),
                Some(50),
            ),
            (
                "{ type: CursorPagination, page_size: 50, cursor_value: '{{ response.get(\"links\", {}).get(\"next\", {}) }}', stop_condition: '{{ not response.get(\"links\", {}).get(\"next\", {}) }}' }",
                ADDRESS,
                json!({ "by": "url", "next": "/links/next" }),
                None,
            ),
            (
                "{ type: CursorPagination, cursor_value: \"{{ headers['link']['next']['url'] }}\", stop_condition: \"{{ 'next' not in headers['link'] }}\" }",
                ADDRESS,
                json!({ "by": "link" }),
                None,
            ),
            (
                "{ type: CursorPagination, cursor_value: '{{ response.paging.next }}', stop_condition: \"{{ 'next' not in response['paging'] }}\" }",
                ADDRESS,
                json!({ "by": "url", "next": "/paging/next" }),
                None,
            ),
            (
                "{ type: PageIncrement, page_size: 20, start_from_page: 1, inject_on_first_request: true }",
                TOKEN,
                json!({ "by": "number", "first": 1 }),
                Some(20),
            ),
            ("{ type: OffsetIncrement, page_size: 20 }", TOKEN, json!({ "by": "offset" }), Some(20)),
        ] {
            let (paging, request, left) = paging(strategy, options);
            assert_eq!((paging.by.unwrap(), paging.size_max), (by.clone(), size), "{strategy}");
            assert_eq!((request.blocked.len(), left), (0, 0), "{strategy}");
            assert_eq!(request.query.contains_key("p"), options == TOKEN, "{strategy}");
            assert_eq!(request.query.contains_key("n"), options == TOKEN && size.is_some(), "{strategy}");
        }
    }

    #[test]
    fn what_differs_or_has_no_counterpart_is_told() {
        let (first, _, left) = paging("{ type: PageIncrement, page_size: 20 }", TOKEN);
        assert_eq!((first.by.unwrap()["first"].clone(), left), (json!(0), 1));
        let (endless, ..) = paging(
            "{ type: PageIncrement, inject_on_first_request: true }",
            "page_token_option: { inject_into: request_parameter, field_name: p }",
        );
        assert_eq!(endless.size_max, Some(1));
        for strategy in [
            "{ type: CursorPagination, cursor_value: \"{{ last_record['id'] }}\" }",
            "{ type: CursorPagination, cursor_value: '{{ response.a + 1 }}' }",
            "{ type: CustomPaginationStrategy, class_name: a.b }",
        ] {
            let (_, request, left) = paging(strategy, TOKEN);
            assert_eq!((request.blocked.len(), left), (1, 1), "{strategy}");
        }
        let stop = "{ type: CursorPagination, page_size: 5, cursor_value: '{{ response.next }}', stop_condition: \"{{ response.next == 'null' }}\" }";
        assert_eq!(paging(stop, TOKEN).2, 1);
    }
}
