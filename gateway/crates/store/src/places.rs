//! How the places of a connection (`parallel_max`) are divided between the gateways that send to its vendor. Pure: the rows and the clock
//! come from the caller.
//!
//! What holds: what gateways that live may have under way together is never more than there are places. Who wants less than its part
//! leaves the rest to the others; where there are fewer places than gateways, they go round.

/// A gateway that has a place keeps it for so long while others wait for one. Microseconds.
const TURN_US: i64 = 1_000_000;

/// A gateway that shares in the places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sharer {
    pub(crate) gateway: String,
    /// The most that it may have under way.
    pub(crate) held: i64,
    /// What it would have under way.
    pub(crate) wanted: i64,
    /// When it had none before; 0: it never had any.
    pub(crate) turn_us: i64,
}

/// What one gateway gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Divided {
    /// It may begin a request while it has fewer under way.
    pub(crate) may_use: i64,
    /// More is wanted than there is.
    pub(crate) contended: bool,
}

/// Divides `most` places at a moment; `others` are those that live.
pub(crate) fn divide(most: i64, own: &Sharer, others: &[Sharer], now_us: i64) -> Divided {
    let free = (most - others.iter().map(|other| other.held).sum::<i64>()).max(0);
    let wants = |sharer: &Sharer| sharer.wanted.clamp(0, most);
    let wanted = wants(own) + others.iter().map(wants).sum::<i64>();
    if wanted <= most {
        // One that is alone need not ask for each place.
        let part = if others.is_empty() && own.wanted > 0 { most } else { wants(own) };
        return Divided { may_use: part.min(free), contended: false };
    }
    let mut line: Vec<&Sharer> = others.iter().chain([own]).filter(|sharer| sharer.wanted > 0).collect();
    line.sort_by_key(|sharer| {
        let is_its_turn = sharer.held > 0 && now_us.saturating_sub(sharer.turn_us) < TURN_US;
        (!is_its_turn, sharer.turn_us, &sharer.gateway)
    });
    let mut parts = vec![0; line.len()];
    let mut left = most;
    while left > 0 && parts.iter().zip(&line).any(|(part, sharer)| *part < wants(sharer)) {
        for (part, sharer) in parts.iter_mut().zip(&line) {
            if left > 0 && *part < wants(sharer) {
                (*part, left) = (*part + 1, left - 1);
            }
        }
    }
    let own_at = line.iter().position(|sharer| sharer.gateway == own.gateway);
    Divided { may_use: own_at.map_or(0, |at| parts[at]).min(free), contended: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharer(gateway: &str, held: i64, wanted: i64, turn_us: i64) -> Sharer {
        Sharer { gateway: gateway.to_owned(), held, wanted, turn_us }
    }

    #[test]
    fn one_alone_has_all_and_two_that_want_more_have_half_each() {
        let now = 10 * TURN_US;
        let may_use = |own: &Sharer, others: &[Sharer]| divide(8, own, others, now).may_use;
        assert_eq!(may_use(&sharer("a", 0, 1, 0), &[]), 8);
        assert_eq!(may_use(&sharer("a", 8, 0, 0), &[]), 0, "one that wants none holds none");
        let (greedy, other) = (sharer("a", 8, 20, 1), sharer("b", 0, 20, 0));
        assert_eq!(divide(8, &other, std::slice::from_ref(&greedy), now), Divided { may_use: 0, contended: true });
        assert_eq!(divide(8, &greedy, std::slice::from_ref(&other), now), Divided { may_use: 4, contended: true });
        assert_eq!(may_use(&other, &[sharer("a", 4, 20, 1)]), 4);
        let modest = sharer("b", 1, 1, 0);
        assert_eq!(may_use(&greedy, std::slice::from_ref(&modest)), 7, "what one leaves the other has");
    }

    #[test]
    fn a_single_place_goes_round() {
        let (began, later) = (5 * TURN_US, 6 * TURN_US);
        let (has, waits) = (sharer("a", 1, 3, began), sharer("b", 0, 1, TURN_US));
        assert_eq!(divide(1, &has, std::slice::from_ref(&waits), later - 1).may_use, 1, "its turn is not over");
        assert_eq!(divide(1, &has, std::slice::from_ref(&waits), later).may_use, 0);
        assert_eq!(divide(1, &waits, &[sharer("a", 1, 3, began)], later).may_use, 0, "not before it is given back");
        assert_eq!(divide(1, &waits, &[sharer("a", 0, 3, began)], later).may_use, 1);
    }

    #[test]
    fn no_division_gives_out_more_than_there_is() {
        for seed in 0..20_000_i64 {
            let mixed = |n: i64| n.wrapping_mul(1_442_695_040_888_963_407);
            let at = |n: i64| (seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(mixed(n)) >> 33).abs();
            let most = 1 + at(1) % 9;
            let mut left = most;
            let sharers: Vec<Sharer> = (0..1 + at(2) % 5)
                .map(|n| {
                    let held = at(10 + n) % (left + 1);
                    left -= held;
                    sharer(&n.to_string(), held, at(20 + n) % 12, at(30 + n) % (3 * TURN_US))
                })
                .collect();
            for (n, own) in sharers.iter().enumerate() {
                let others: Vec<_> =
                    sharers.iter().enumerate().filter(|(at, _)| *at != n).map(|(_, one)| one.clone()).collect();
                let divided = divide(most, own, &others, 3 * TURN_US);
                let held: i64 = others.iter().map(|other| other.held).sum();
                assert!(divided.may_use + held <= most, "{own:?} beside {others:?} of {most}: {divided:?}");
                assert!(divided.may_use <= own.wanted || others.is_empty());
            }
        }
    }
}
