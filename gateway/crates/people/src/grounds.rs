//! Grounds and obstacles as the store keeps them. Grounds carry the names and weights of their rules, so that a link is explained by the rules
//! that made it, also while others are taking their place.

use renmen_identity::{Agreement, ClaimKind, Grounds, Key, MemberId, NameMatch, Obstacle, Rule, Rules};

/// The form that is written.
const FORM: u8 = 1;

const NAMES: [NameMatch; 5] =
    [NameMatch::Unknown, NameMatch::Different, NameMatch::Partly, NameMatch::Near, NameMatch::Same];
const CLAIMS: [ClaimKind; 4] =
    [ClaimKind::StaffNumber, ClaimKind::NationalId, ClaimKind::BirthDate, ClaimKind::OneEach];

/// Grounds with the rules that they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptGrounds {
    pub(crate) grounds: Grounds,
    /// Number, weight and name.
    rules: Vec<(u8, u16, String)>,
}

impl KeptGrounds {
    /// The rules of today, with those that the grounds name as they were then.
    pub(crate) fn rules_then(&self, today: &Rules) -> Rules {
        let mut then = today.clone();
        for (number, weight, name) in &self.rules {
            let number = usize::from(*number);
            let Some(first) = today.rules.first() else { break };
            while then.rules.len() <= number {
                then.rules.push(first.clone());
            }
            let Rule { name: known, weight: weighs, .. } = &mut then.rules[number];
            known.clone_from(name);
            *weighs = *weight;
        }
        then
    }
}

/// As bytes.
pub(crate) fn encode(rules: &Rules, grounds: &Grounds) -> Vec<u8> {
    let mut bytes = vec![FORM];
    match grounds {
        Grounds::Decision(seq) => {
            bytes.push(1);
            bytes.extend(seq.to_le_bytes());
        }
        Grounds::Rules(Agreement { score, names, keys }) => {
            bytes.push(0);
            bytes.extend(score.to_le_bytes());
            bytes.push(NAMES.iter().position(|known| known == names).unwrap_or(0) as u8);
            for key in keys {
                let rule = &rules.rules[usize::from(key.rule)];
                let name = &rule.name.as_bytes()[..rule.name.len().min(usize::from(u8::MAX))];
                bytes.push(key.rule);
                bytes.extend(rule.weight.to_le_bytes());
                bytes.extend(key.digest.to_le_bytes());
                bytes.push(name.len() as u8);
                bytes.extend(name);
            }
        }
    }
    bytes
}

/// Reads them back; none for what was not written so.
pub(crate) fn decode(bytes: &[u8]) -> Option<KeptGrounds> {
    let mut rest = Rest(bytes);
    if rest.byte()? != FORM {
        return None;
    }
    if rest.byte()? == 1 {
        let grounds = Grounds::Decision(rest.long()?);
        return rest.0.is_empty().then_some(KeptGrounds { grounds, rules: Vec::new() });
    }
    let score = i32::from_le_bytes(rest.take()?);
    let names = *NAMES.get(usize::from(rest.byte()?))?;
    let (mut keys, mut rules) = (Vec::new(), Vec::new());
    while !rest.0.is_empty() {
        let (rule, weight, digest) = (rest.byte()?, u16::from_le_bytes(rest.take()?), rest.long()?);
        let name = rest.text()?;
        keys.push(Key { rule, digest });
        rules.push((rule, weight, name));
    }
    Some(KeptGrounds { grounds: Grounds::Rules(Agreement { score, names, keys: keys.into() }), rules })
}

/// As bytes.
pub(crate) fn encode_obstacle(obstacle: &Obstacle) -> Vec<u8> {
    let (kind, numbers) = match obstacle {
        Obstacle::Claim(claim, a, b) => {
            let claim = CLAIMS.iter().position(|known| known == claim).unwrap_or(0) as u64;
            (0, vec![claim, a.0, b.0])
        }
        Obstacle::Never(seq) => (1, vec![*seq]),
        Obstacle::Chain => (2, Vec::new()),
        Obstacle::Overruled(seq) => (3, vec![*seq]),
    };
    std::iter::once(kind).chain(numbers.into_iter().flat_map(u64::to_le_bytes)).collect()
}

/// Reads it back; none for what was not written so.
pub(crate) fn decode_obstacle(bytes: &[u8]) -> Option<Obstacle> {
    let mut rest = Rest(bytes);
    let obstacle = match rest.byte()? {
        0 => {
            let claim = *CLAIMS.get(usize::try_from(rest.long()?).ok()?)?;
            Obstacle::Claim(claim, MemberId(rest.long()?), MemberId(rest.long()?))
        }
        1 => Obstacle::Never(rest.long()?),
        2 => Obstacle::Chain,
        3 => Obstacle::Overruled(rest.long()?),
        _ => return None,
    };
    rest.0.is_empty().then_some(obstacle)
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn grounds_are_read_back_with_the_rules_of_their_time() {
        let rules = Rules::default();
        let keys = [Key { rule: 1, digest: 7 }, Key { rule: 4, digest: u64::MAX }];
        let grounds = Grounds::Rules(Agreement { score: -20, names: NameMatch::Near, keys: keys.into() });
        let kept = decode(&encode(&rules, &grounds)).unwrap();
        assert_eq!(kept.grounds, grounds);
        let mut others = Rules { rules: Vec::new(), ..Rules::default() };
        others.rules.push(Rule { name: "mine".to_owned(), weight: 5, ..rules.rules[0].clone() });
        let then = kept.rules_then(&others);
        assert_eq!((then.rules[1].name.as_str(), then.rules[4].weight), ("staff_number", 60));
        let decision = Grounds::Decision(9);
        assert_eq!(decode(&encode(&rules, &decision)).unwrap().grounds, decision);
    }

    #[test]
    fn obstacles_are_read_back_and_what_is_cut_is_refused() {
        for obstacle in [
            Obstacle::Claim(ClaimKind::BirthDate, MemberId(3), MemberId(4)),
            Obstacle::Never(5),
            Obstacle::Chain,
            Obstacle::Overruled(6),
        ] {
            let bytes = encode_obstacle(&obstacle);
            assert_eq!(decode_obstacle(&bytes), Some(obstacle));
            assert_eq!(decode_obstacle(&bytes[..bytes.len() - 1]), None);
        }
        let bytes = encode(&Rules::default(), &Grounds::Decision(9));
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None);
        }
    }
}
