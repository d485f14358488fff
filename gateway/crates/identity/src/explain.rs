//! A link in words: what agreed, by which rule, for how much.

use renmen_schema::{Text, text};

use crate::facts::Key;
use crate::name::NameMatch;
use crate::outcome::{Conflict, Grounds, Obstacle};
use crate::pair::Agreement;
use crate::rules::Rules;

/// One thing that two records have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The rule's name.
    pub rule: String,
    /// Its number, from 1.
    pub number: usize,
    /// What it adds.
    pub weight: u16,
    /// The value, as much of it as a person may see; none where the records cannot be read any more.
    pub value: Option<String>,
}

/// What two records have in common, a value each. `shown` has what a person may see of a value.
#[must_use]
pub fn evidence(rules: &Rules, agreement: &Agreement, shown: &dyn Fn(Key) -> Option<String>) -> Vec<Evidence> {
    let one = |key: &Key| {
        let rule = rules.at(key.rule);
        let number = usize::from(key.rule) + 1;
        Evidence { rule: rule.name.clone(), number, weight: rule.weight, value: shown(*key) }
    };
    agreement.keys.iter().map(one).collect()
}

/// Why two records are one, or would be, in a sentence.
#[must_use]
pub fn because(rules: &Rules, grounds: &Grounds, shown: &dyn Fn(Key) -> Option<String>) -> Text {
    match grounds {
        Grounds::Decision(number) => text!("a person decided so (decision {number})", "由人工决定（决定 {number}）"),
        Grounds::Rules(agreement) => {
            let parts: Vec<Text> =
                evidence(rules, agreement, shown).iter().map(part).chain(names(rules, agreement)).collect();
            let (score, enough) = (agreement.score, rules.link_at);
            Text::rendered(|| {
                let parts: Vec<String> = parts.iter().map(Text::to_string).collect();
                text!("{}: {score} of {enough}", "{}：{score}，关联需 {enough}", parts.join(", ")).to_string()
            })
        }
    }
}

fn part(evidence: &Evidence) -> Text {
    let Evidence { rule, number, weight, value } = evidence;
    match value {
        Some(value) => text!("{rule} {value} (rule {number}, {weight})", "{rule} {value}（规则 {number}，{weight}）"),
        None => text!("{rule} (rule {number}, {weight})", "{rule}（规则 {number}，{weight}）"),
    }
}

fn names(rules: &Rules, agreement: &Agreement) -> Option<Text> {
    let weights = rules.names;
    Some(match agreement.names {
        NameMatch::Unknown => return None,
        NameMatch::Different => text!("other names ({})", "姓名不同（{}）", weights.different),
        NameMatch::Partly => text!("partly the same name ({})", "姓名部分相同（{}）", weights.partly),
        NameMatch::Near => text!("a short form of the same name ({})", "同一姓名的简称（{}）", weights.near),
        NameMatch::Same => text!("the same name ({})", "姓名相同（{}）", weights.same),
    })
}

/// Why a link is held back, and what to do.
#[must_use]
pub fn held(conflict: &Conflict) -> Text {
    match conflict.obstacle {
        Obstacle::Claim(kind, ..) => {
            let differ = kind.text();
            text!(
                "one person does not have {differ}: correct the record that is wrong, or decide that they are the same",
                "同一个人不会有{differ}：请更正有误的记录，或决定二者为同一人"
            )
        }
        Obstacle::Never(number) => text!(
            "a person decided that they are never the same (decision {number}): withdraw the decision if it is wrong",
            "人工已决定二者绝非同一人（决定 {number}）：如有误请撤回该决定"
        ),
        Obstacle::Chain => text!(
            "with other links that are as strong it would make one of two people who cannot be: decide which of the records belong together",
            "连同其他同等强度的关联，会把不可能相同的两个人合为一人：请决定哪些记录属于同一人"
        ),
        Obstacle::Overruled(number) => text!(
            "decision {number} is overruled by a later one: withdraw one of the two",
            "决定 {number} 已被之后的决定推翻：请撤回其中之一"
        ),
    }
}
