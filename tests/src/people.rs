//! Made-up people: the same number always gives the same person.

/// One made-up person.
pub struct Person {
    /// Family name first, as Chinese systems keep it.
    pub name: String,
    /// Pinyin, for mail addresses.
    pub latin: String,
    /// In a range that no operator assigns.
    pub mobile: String,
}

const FAMILY: [(&str, &str); 8] = [
    ("赵", "zhao"),
    ("钱", "qian"),
    ("孙", "sun"),
    ("李", "li"),
    ("周", "zhou"),
    ("吴", "wu"),
    ("郑", "zheng"),
    ("欧阳", "ouyang"),
];
const GIVEN: [(&str, &str); 9] = [
    ("晓明", "xiaoming"),
    ("静", "jing"),
    ("建国", "jianguo"),
    ("丽华", "lihua"),
    ("伟", "wei"),
    ("思远", "siyuan"),
    ("雨桐", "yutong"),
    ("浩然", "haoran"),
    ("敏", "min"),
];

/// The `n`-th person.
#[must_use]
pub fn person(n: usize) -> Person {
    let family = FAMILY[n % FAMILY.len()];
    let given = GIVEN[(n / FAMILY.len() + n) % GIVEN.len()];
    Person {
        name: format!("{}{}", family.0, given.0),
        latin: format!("{}.{}{n}", given.1, family.1),
        mobile: format!("1990000{:04}", n % 10_000),
    }
}
