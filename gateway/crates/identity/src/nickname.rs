//! Usual short forms of given names. One that is not here is in the operator's list, or counts as another name.

/// Short forms with the name that they stand for; a short form of two names (Alex) is not one of either.
const SHORT: [(&str, &[&str]); 48] = [
    ("abigail", &["abby", "gail"]),
    ("alexandra", &["sandra", "lexi"]),
    ("andrew", &["andy", "drew"]),
    ("anthony", &["tony"]),
    ("barbara", &["barb", "babs"]),
    ("benjamin", &["ben", "benny"]),
    ("catherine", &["cathy", "kate", "katie", "kathy"]),
    ("charles", &["charlie", "chuck"]),
    ("christine", &["chrissy", "tina"]),
    ("christopher", &["kit", "topher"]),
    ("daniel", &["dan", "danny"]),
    ("david", &["dave", "davy"]),
    ("deborah", &["deb", "debbie"]),
    ("edward", &["ed", "eddie", "ted"]),
    ("elizabeth", &["liz", "beth", "betty", "lizzie", "eliza"]),
    ("frederick", &["fred", "freddy"]),
    ("gregory", &["greg"]),
    ("henry", &["harry", "hank"]),
    ("isabella", &["bella", "izzy"]),
    ("jacob", &["jake"]),
    ("james", &["jim", "jimmy", "jamie"]),
    ("jennifer", &["jen", "jenny"]),
    ("john", &["jack", "johnny"]),
    ("jonathan", &["jon"]),
    ("joseph", &["joe", "joey"]),
    ("joshua", &["josh"]),
    ("kenneth", &["ken", "kenny"]),
    ("lawrence", &["larry"]),
    ("margaret", &["maggie", "peggy", "meg"]),
    ("matthew", &["matt"]),
    ("michael", &["mike", "mick", "mickey"]),
    ("nathaniel", &["nate", "nat"]),
    ("nicholas", &["nick"]),
    ("patricia", &["patty", "trish"]),
    ("peter", &["pete"]),
    ("philip", &["phil"]),
    ("rebecca", &["becky", "becca"]),
    ("richard", &["dick", "rick", "rich"]),
    ("robert", &["bob", "bobby", "rob", "robbie"]),
    ("ronald", &["ron"]),
    ("stephen", &["steve"]),
    ("susan", &["sue", "susie"]),
    ("theodore", &["theo"]),
    ("thomas", &["tom", "tommy"]),
    ("timothy", &["tim"]),
    ("victoria", &["vicky", "tori"]),
    ("william", &["bill", "billy", "will", "willy"]),
    ("zachary", &["zach", "zack"]),
];

/// The name that a short form stands for.
pub(crate) fn full(short: &str) -> Option<&'static str> {
    SHORT.iter().find(|(_, forms)| forms.contains(&short)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_form_is_of_one_name_only() {
        let mut all: Vec<&str> = SHORT.iter().flat_map(|(name, forms)| forms.iter().chain([name])).copied().collect();
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), before);
        assert_eq!((full("bob"), full("robert")), (Some("robert"), None));
    }
}
