#![allow(clippy::unwrap_used)]
use super::*;

fn owner(group: &str, member: &str) -> Owner {
    Owner { group: group.to_owned(), member: member.to_owned() }
}

/// As many single places as there are, up to `most`.
fn takes(pool: &Arc<Pool>, group: &str, member: &str, most: usize) -> Vec<Permit> {
    (0..most).map_while(|_| pool.take(owner(group, member), 1)).collect()
}

fn kept(places: &[Permit]) -> usize {
    places.iter().filter(|place| !place.is_lost()).count()
}

#[test]
fn who_is_alone_may_use_every_place_and_not_one_more() {
    let pool = Pool::new(64);
    let alpha = takes(&pool, "alpha", "k", 100);
    assert_eq!((alpha.len(), kept(&alpha)), (64, 64));
    drop(alpha);
    assert_eq!(takes(&pool, "alpha", "k", 100).len(), 64, "places come back");
}

#[test]
fn a_newcomer_takes_over_until_both_hold_the_same() {
    let pool = Pool::new(64);
    let alpha = takes(&pool, "alpha", "k", 64);
    let beta = takes(&pool, "beta", "k", 64);
    assert_eq!((kept(&alpha), beta.len(), kept(&beta)), (32, 32, 32));
    assert!(pool.take(owner("alpha", "k"), 1).is_none(), "who holds as much as anybody waits");
    let gamma = takes(&pool, "gamma", "k", 64);
    assert_eq!(gamma.len(), 21, "a third");
    assert_eq!(kept(&alpha) + kept(&beta) + kept(&gamma), 64);
    assert!(kept(&alpha).abs_diff(kept(&beta)) <= 1);
}

#[test]
fn groups_whose_members_have_no_names_share_too() {
    let pool = Pool::new(2);
    let alpha = takes(&pool, "alpha", "", 2);
    let beta = takes(&pool, "beta", "", 2);
    assert_eq!((kept(&alpha), kept(&beta)), (1, 1));
}

#[test]
fn the_oldest_place_of_the_greediest_key_makes_way() {
    let pool = Pool::new(8);
    let modest = takes(&pool, "alpha", "modest", 2);
    let greedy = takes(&pool, "alpha", "greedy", 6);
    let beta = takes(&pool, "beta", "k", 1);
    assert_eq!((kept(&modest), kept(&beta)), (2, 1));
    assert!(greedy[0].is_lost() && kept(&greedy) == 5);
    // Within a tenant its keys share in the same way.
    let more = takes(&pool, "alpha", "modest", 1);
    assert_eq!((kept(&more), kept(&greedy)), (1, 4));
    assert!(pool.take(owner("alpha", "greedy"), 1).is_none());
}

#[test]
fn a_small_delivery_grows_at_the_cost_of_the_largest_and_never_of_itself() {
    let pool = Pool::new(100);
    let large: Vec<_> = (0..4)
        .map(|n| {
            let place = pool.take(owner("people", &n.to_string()), 0).unwrap();
            assert!(place.grow(25), "{n}");
            place
        })
        .collect();
    let small = pool.take(owner("people", "vendor"), 1).unwrap();
    assert!(small.grow(9));
    assert_eq!(kept(&large), 3);
    assert!(!large.iter().find(|place| !place.is_lost()).unwrap().grow(30), "no one holds more than that");
    let lost = large.iter().find(|place| place.is_lost()).unwrap();
    assert!(!lost.grow(1), "what was taken over is over");
    drop(large);
    assert!(small.grow(90) && !small.grow(1), "to the last unit");
}

/// Random takes and drops of four tenants with three keys each, against what must hold at every step.
#[test]
fn however_they_come_and_go_nobody_modest_is_kept_out() {
    for seed in 0..200_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = |most: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % most
        };
        let max = 3 + below(20);
        let pool = Pool::new(max);
        let mut held: Vec<(Owner, Permit)> = Vec::new();
        for _ in 0..300 {
            if below(3) == 0 && !held.is_empty() {
                let at = usize::try_from(below(held.len() as u64)).unwrap();
                held.swap_remove(at);
                continue;
            }
            // The first tenant asks as often as the others together.
            let group = below(6).saturating_sub(2).to_string();
            let asked = owner(&group, &below(3).to_string());
            let count = |held: &[(Owner, Permit)], group: &str| held.iter().filter(|(by, _)| by.group == group).count();
            let (mine, most) = (count(&held, &group), (0..4).map(|n| count(&held, &n.to_string())).max().unwrap());
            match pool.take(asked.clone(), 1) {
                Some(place) => held.push((asked, place)),
                None => assert!(most <= mine + 1, "seed {seed}: {mine} held, another holds {most}"),
            }
            held.retain(|(_, place)| !place.is_lost());
            let used: u64 = pool.state.lock().held.values().map(|held| held.units).sum();
            assert_eq!(used, pool.state.lock().used, "seed {seed}");
            assert_eq!(used, held.len() as u64, "seed {seed}");
            assert!(used <= max, "seed {seed}");
        }
    }
}
