//! A path into records, as a rule of the file names it: it must lead somewhere, or the rule would silently hold nothing
//! back.

use renmen_schema::check_place_in_any;
use renmen_schema::text;

use crate::section::Node;

/// A JSON Pointer with `*` for any item, into records of any entity.
pub(crate) fn read_field(node: &Node<'_>) -> Option<String> {
    let pointer = |text: &str| match text.strip_prefix('/') {
        Some(path) if !path.is_empty() => Ok(text.to_owned()),
        _ => Err(text!("is not a field", "不是字段")),
    };
    let text = node.parsed(
        pointer,
        text!("write a JSON Pointer such as \"/person/gender\"", "请写 JSON Pointer，例如 \"/person/gender\""),
    )?;
    let path: Vec<String> = renmen_schema::pointer::names(&text);
    match check_place_in_any(&path) {
        Ok(()) => Some(text),
        Err(no) => {
            node.problem(no.message, no.help);
            None
        }
    }
}
