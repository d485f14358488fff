//! JSON Pointers (RFC 6901): how a member's name stands in one, and back. The one place that knows the escapes.

/// A member's name as a segment of a pointer: `~` and `/` escaped.
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The member's name that a segment stands for.
#[must_use]
pub fn unescape(segment: &str) -> String {
    // In this order: `~01` is `~1`, and not `/`.
    segment.replace("~1", "/").replace("~0", "~")
}

/// The names that a pointer leads through. What stands before its first `/` is left out.
#[must_use]
pub fn names(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(unescape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_from_its_segment_whatever_is_in_it() {
        for name in ["", "plain", "a/b", "m~n", "~1", "~01", "/~/", "\u{4eba}"] {
            assert_eq!(unescape(&escape(name)), name);
            assert_eq!(names(&format!("/data/{}", escape(name))), ["data", name]);
        }
        assert_eq!(names(""), Vec::<String>::new());
    }
}
