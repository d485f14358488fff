//! The `Link` header of RFC 8288.

use crate::http::Response;

/// The target of `rel="next"`, as it stands: absolute with every vendor seen so far. Hand it on as the cursor; the
/// gateway checks it against the grant like any other URL.
#[must_use]
pub fn link_next(response: &Response) -> Option<String> {
    let mut left = response.header("link")?;
    while let Some(start) = left.find('<') {
        let end = start + left[start..].find('>')?;
        let target = &left[start + 1..end];
        left = &left[end + 1..];
        // Parameters go on to the comma that begins the next link; a comma inside quotes would be followed by no `<`.
        let parameters =
            &left[..left.find(",").filter(|&at| left[at + 1..].trim_start().starts_with('<')).unwrap_or(left.len())];
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split(' ').any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.trim().to_owned()).filter(|target| !target.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(header: &str) -> Option<String> {
        link_next(&Response::from_parts(200, vec![("Link".into(), header.into())], Vec::new()))
    }

    #[test]
    fn the_next_relation_is_found_wherever_it_stands() {
        let header =
            r#"<https://a.example/?page=1>; rel="prev", <https://a.example/?page=3,4>; title="x"; rel="last next""#;
        assert_eq!(next(header).as_deref(), Some("https://a.example/?page=3,4"));
        assert_eq!(next("<https://a.example/2>;rel=next").as_deref(), Some("https://a.example/2"));
    }

    #[test]
    fn the_last_page_has_no_next() {
        assert_eq!(next(r#"<https://a.example/?page=1>; rel="prev""#), None);
        assert_eq!(next("nonsense"), None);
        assert_eq!(next("<unclosed; rel=next"), None);
        assert_eq!(next("<>; rel=next"), None, "an empty target would be the first page again");
    }
}
