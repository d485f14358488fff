//! A gateway in small: places, a clock, a vendor at its own pace, and forgers that send again as soon as they are answered.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;

/// How long the connector looks at one delivery, in steps of the clock.
const LOOK: u64 = 1;
const STEP: Duration = Duration::from_millis(1);
const PLACES: usize = 4;

#[derive(Default, Debug)]
struct Served {
    sent: u64,
    taken_in: u64,
    turned_away: u64,
    longest_wait: u64,
}

struct Delivery {
    sender: u32,
    genuine: bool,
    since: u64,
}

struct World {
    turnstile: Turnstile<u32>,
    start: Instant,
    step: u64,
    /// By the number under which they wait.
    waiting: BTreeMap<u64, Delivery>,
    /// By the step at which they are looked at.
    inside: BTreeMap<u64, Vec<Delivery>>,
    vendor: Served,
    forged: Served,
    /// Forgers that may send again.
    ready: Vec<u32>,
}

impl World {
    fn new() -> Self {
        Self {
            turnstile: Turnstile::new(PLACES),
            start: Instant::now(),
            step: 0,
            waiting: BTreeMap::new(),
            inside: BTreeMap::new(),
            vendor: Served::default(),
            forged: Served::default(),
            ready: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        self.start + STEP * u32::try_from(self.step).unwrap()
    }

    /// Sends one; `forger` is the one that may send again when it is turned away.
    fn send(&mut self, sender: u32, genuine: bool) -> bool {
        let delivery = Delivery { sender, genuine, since: self.step };
        let arrival = self.turnstile.arrive(sender, self.now());
        let served = if genuine { &mut self.vendor } else { &mut self.forged };
        served.sent += 1;
        match arrival {
            Arrival::Enter => self.inside.entry(self.step + LOOK).or_default().push(delivery),
            Arrival::Wait(number) => {
                self.waiting.insert(number, delivery);
            }
            Arrival::TurnedAway => {
                served.turned_away += 1;
                return false;
            }
        }
        true
    }

    /// One step of the clock: what was looked at goes, and the next come in.
    fn pass(&mut self) {
        self.step += 1;
        for delivery in self.inside.remove(&self.step).unwrap_or_default() {
            let served = if delivery.genuine { &mut self.vendor } else { &mut self.forged };
            served.taken_in += u64::from(delivery.genuine);
            if !delivery.genuine {
                self.ready.push(delivery.sender);
            }
            if let Some(number) = self.turnstile.leave(delivery.sender, Some(delivery.genuine), self.now()) {
                let called = self.waiting.remove(&number).unwrap();
                let served = if called.genuine { &mut self.vendor } else { &mut self.forged };
                served.longest_wait = served.longest_wait.max(self.step - called.since);
                self.inside.entry(self.step + LOOK).or_default().push(called);
            }
        }
        assert!(self.turnstile.running <= PLACES);
        assert_eq!(self.turnstile.running, self.inside.values().map(Vec::len).sum::<usize>());
        assert!(self.turnstile.running == PLACES || self.waiting.is_empty(), "a place is free while some wait");
    }
}

const VENDOR: u32 = 0;

/// A vendor that sends every fifth step while `sockets` forgers send too, for twenty seconds.
fn flood(sockets: u32, sender_of: impl Fn(u32, u64) -> u32) -> World {
    let mut world = World::new();
    world.ready = (0..sockets).collect();
    // Which socket a forger's sender belongs to.
    let mut socket_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for _ in 0..20_000 {
        if world.step.is_multiple_of(5) {
            world.send(VENDOR, true);
        }
        for sender in std::mem::take(&mut world.ready) {
            let socket = if world.step == 0 { sender } else { socket_of.get_mut(&sender).unwrap().pop().unwrap() };
            let sender = sender_of(socket, world.step);
            socket_of.entry(sender).or_default().push(socket);
            if !world.send(sender, false) {
                // It was answered at once and is here again.
                world.ready.push(sender);
            }
        }
        world.pass();
    }
    world
}

fn assert_the_vendor_is_served(world: &World, patience: u64) {
    assert_eq!(world.vendor.turned_away, 0, "{:?}", world.vendor);
    assert!(world.vendor.sent - world.vendor.taken_in <= 1 + patience / 5, "{:?}", world.vendor);
    assert!(world.vendor.longest_wait <= patience, "{:?}", world.vendor);
    assert_eq!(world.forged.taken_in, 0);
}

#[test]
fn forgers_at_addresses_of_their_own_are_turned_away_and_the_vendor_hardly_waits() {
    for sockets in [4, 64, 500] {
        let world = flood(sockets, |socket, _| 1 + socket);
        assert_the_vendor_is_served(&world, 5);
        let looked_at = world.forged.sent - world.forged.turned_away;
        // Before they are known as failing, six each; after that five a second each, and all together the places allow.
        assert!(looked_at <= u64::from(sockets) * (7 + 5 * 21), "{looked_at} of {:?}", world.forged);
        assert!(world.forged.turned_away > world.forged.sent / 2, "{:?}", world.forged);
    }
}

#[test]
fn forgers_behind_one_address_have_one_senders_tries() {
    let world = flood(200, |_, _| 1);
    assert_the_vendor_is_served(&world, 5);
    let looked_at = world.forged.sent - world.forged.turned_away;
    assert!(looked_at <= 200 + 7 + 5 * 21, "{looked_at}");
}

#[test]
fn forgers_that_change_their_address_each_time_wait_behind_a_vendor_that_was_proved() {
    let world = flood(200, |socket, step| 1 + socket + 1_000 * u32::try_from(step + 1).unwrap());
    assert_the_vendor_is_served(&world, 5);
    assert!(world.turnstile.senders.len() <= REMEMBERED_MAX + 200 + PLACES, "{}", world.turnstile.senders.len());
}

#[test]
fn a_vendor_at_the_forgers_own_address_takes_its_turn_with_them() {
    for sockets in [4, 64] {
        let world = flood(sockets, |_, _| VENDOR);
        // Not blocked and not preferred: as long as all of them take, once.
        assert_the_vendor_is_served(&world, u64::from(sockets) / PLACES as u64 + 3);
    }
}

#[test]
fn a_vendor_that_failed_like_a_forger_is_heard_when_its_key_is_right() {
    let mut world = World::new();
    let mut tries = 0;
    for step in 0..3_000 {
        if step % 20 == 0 {
            let genuine = step >= 2_000;
            tries += u64::from(genuine && world.vendor.taken_in == 0);
            world.send(VENDOR, genuine);
        }
        world.pass();
    }
    assert!(world.forged.turned_away > 0, "{:?}", world.forged);
    assert!(world.vendor.taken_in >= 25 && tries <= 15, "{tries} tries, {:?}", world.vendor);
}

#[test]
fn what_is_known_of_a_sender_fades() {
    let mut turnstile = Turnstile::new(1);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let attempt = |turnstile: &mut Turnstile<u32>, now, proved| match turnstile.arrive(7, now) {
        Arrival::Enter => {
            turnstile.leave(7, Some(proved), now);
            true
        }
        _ => false,
    };
    assert_eq!((0..50).filter(|_| attempt(&mut turnstile, start, false)).count(), 11, "six to be known, five tries");
    assert_eq!((0..50).filter(|_| attempt(&mut turnstile, at(1), false)).count(), 5);
    assert_eq!((0..50).filter(|_| attempt(&mut turnstile, at(600), false)).count(), 10, "forgotten but for a trace");
    assert!(attempt(&mut turnstile, at(601), true));
    assert_eq!((0..50).filter(|_| attempt(&mut turnstile, at(1_200), false)).count(), 50, "proved lately");
    assert_eq!((0..50).filter(|_| attempt(&mut turnstile, at(1_201), false)).count(), 5, "and no more");
}

/// Random comings and goings against the one rule that the waiting ones rely on: every number is called once, or went away.
#[test]
fn nobody_waits_for_ever_and_no_place_is_lost() {
    for seed in 1..=200_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = |most: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % most
        };
        let mut turnstile = Turnstile::new(3);
        let (start, mut clock) = (Instant::now(), 0);
        let (mut inside, mut waiting): (Vec<u32>, Vec<(u64, u32)>) = (Vec::new(), Vec::new());
        let settle = |turnstile: &mut Turnstile<u32>,
                      inside: &mut Vec<u32>,
                      waiting: &mut Vec<(u64, u32)>,
                      sender,
                      proved,
                      now| {
            if let Some(number) = turnstile.leave(sender, proved, now) {
                let at = waiting.iter().position(|(waits, _)| *waits == number);
                let (_, sender) =
                    waiting.swap_remove(at.unwrap_or_else(|| panic!("seed {seed}: {number} does not wait")));
                inside.push(sender);
            }
        };
        for _ in 0..500 {
            clock += below(300);
            let now = start + Duration::from_millis(clock);
            match below(5) {
                0..=2 => {
                    let sender = u32::try_from(below(6)).unwrap();
                    match turnstile.arrive(sender, now) {
                        Arrival::Enter => inside.push(sender),
                        Arrival::Wait(number) => waiting.push((number, sender)),
                        Arrival::TurnedAway => {}
                    }
                }
                3 if !inside.is_empty() => {
                    let sender = inside.swap_remove(usize::try_from(below(inside.len() as u64)).unwrap());
                    let proved = [Some(true), Some(false), None][usize::try_from(below(3)).unwrap()];
                    settle(&mut turnstile, &mut inside, &mut waiting, sender, proved, now);
                }
                4 if !waiting.is_empty() => {
                    let (number, sender) = waiting.swap_remove(usize::try_from(below(waiting.len() as u64)).unwrap());
                    turnstile.go_away(sender, number);
                }
                _ => {}
            }
            assert!(inside.len() == 3 || waiting.is_empty(), "seed {seed}");
            assert!(inside.len() <= 3, "seed {seed}");
        }
        let now = start + Duration::from_millis(clock);
        while let Some(sender) = inside.pop() {
            settle(&mut turnstile, &mut inside, &mut waiting, sender, Some(true), now);
        }
        assert!(waiting.is_empty() && turnstile.running == 0, "seed {seed}");
    }
}
