//! How many connections there are, in all and from one address, and which of them must make way.
//!
//! A connection that makes the gateway wait (for its next request, for the rest of a head or a body, for its peer to take an
//! answer) makes way for a new one, the one that does so for longest first. A connection that the gateway is at work for never
//! does. So half-sent requests cannot keep honest ones out, however many there are.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;

use super::seat::Seat;
use crate::limit::{Limit, Reached};
use crate::sender::{block, is_proxy};
use crate::state::ApiOptions;

/// One walk over all connections makes room for this share of them, so that a flood does not cause a walk each.
const MADE_AT_ONCE: usize = 64;

/// All connections.
pub(super) struct Seats {
    max: usize,
    per_address_max: usize,
    proxies: Vec<IpNet>,
    reached: Arc<Reached>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    taken: BTreeMap<u64, Taken>,
    of_address: HashMap<IpAddr, usize>,
}

struct Taken {
    seat: Arc<Seat>,
    /// None behind a proxy: then it says nothing of who is there.
    address: Option<IpAddr>,
}

/// A connection that counts until this is dropped.
pub(super) struct Occupied {
    seats: Arc<Seats>,
    id: u64,
    pub(super) seat: Arc<Seat>,
}

impl Seats {
    pub(super) fn new(options: &ApiOptions, reached: Arc<Reached>) -> Self {
        Self {
            max: options.connections_max,
            per_address_max: options.connections_per_address_max,
            proxies: options.proxies.clone(),
            reached,
            state: Mutex::new(State::default()),
        }
    }

    /// A place for a connection from there; none when all are at work.
    pub(super) fn take(self: &Arc<Self>, peer: SocketAddr) -> Option<Occupied> {
        let address = (!is_proxy(peer.ip(), &self.proxies)).then(|| block(peer.ip()));
        let mut state = self.state.lock();
        if let Some(address) = address {
            let full = state.of_address.get(&address).is_some_and(|count| *count >= self.per_address_max);
            if full {
                self.reached.note(Limit::ConnectionsPerAddress, None);
                if !state.make_room(|taken| taken.address == Some(address)) {
                    return None;
                }
            }
        }
        if state.taken.len() >= self.max {
            self.reached.note(Limit::Connections, None);
            if !state.make_room(|_| true) {
                return None;
            }
        }
        let (id, seat) = (state.next, Arc::new(Seat::new()));
        state.next += 1;
        state.taken.insert(id, Taken { seat: Arc::clone(&seat), address });
        if let Some(address) = address {
            *state.of_address.entry(address).or_default() += 1;
        }
        count(state.taken.len());
        Some(Occupied { seats: Arc::clone(self), id, seat })
    }

    /// Closes those that make the gateway wait for longest.
    pub(super) fn make_room(&self) {
        self.state.lock().make_room(|_| true);
    }

    /// Closes every connection.
    pub(super) fn clear(&self) {
        self.state.lock().taken.values().for_each(|taken| taken.seat.remove());
    }

    pub(super) fn reached(&self, limit: Limit) {
        self.reached.note(limit, None);
    }
}

impl State {
    /// Closes the connections that make the gateway wait for longest; false when no connection does.
    fn make_room(&mut self, counts: impl Fn(&Taken) -> bool) -> bool {
        let waiting = self.taken.iter().filter(|(_, taken)| counts(taken));
        let mut waiting: Vec<_> =
            waiting.filter_map(|(id, taken)| Some((taken.seat.makes_wait_since()?, *id))).collect();
        waiting.sort_unstable();
        let enough = (self.taken.len() / MADE_AT_ONCE).max(1);
        for (_, id) in waiting.iter().take(enough) {
            if let Some(taken) = self.give_back(*id) {
                taken.seat.remove();
            }
        }
        !waiting.is_empty()
    }

    fn give_back(&mut self, id: u64) -> Option<Taken> {
        let taken = self.taken.remove(&id)?;
        if let Some(address) = taken.address
            && let Some(count) = self.of_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&address);
            }
        }
        Some(taken)
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        let mut state = self.seats.state.lock();
        if state.give_back(self.id).is_some() {
            count(state.taken.len());
        }
    }
}

fn count(connections: usize) {
    metrics::gauge!("renmen_api_connections").set(connections as f64);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::poll_fn;
    use std::time::Duration;

    use axum::http::{HeaderMap, Version};

    use super::*;

    fn seats(max: usize, per_address_max: usize) -> Arc<Seats> {
        let options = ApiOptions {
            connections_max: max,
            connections_per_address_max: per_address_max,
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..ApiOptions::default()
        };
        Arc::new(Seats::new(&options, Arc::default()))
    }

    fn peer(text: &str) -> SocketAddr {
        format!("{text}:4000").parse().unwrap()
    }

    fn work(taken: &Occupied) {
        taken.seat.received(&mut b"GET / HTTP/1.1\r\n\r\n".to_vec());
        taken.seat.began(Version::HTTP_11, &HeaderMap::new(), Some(0));
    }

    async fn gone(taken: &Occupied) -> bool {
        poll_fn(|cx| std::task::Poll::Ready(taken.seat.poll_removed(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_waits_for_longest_makes_way_and_one_at_work_never_does() {
        let seats = seats(3, 99);
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(seats.take(peer("127.0.0.1")).unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        work(&held[0]);
        held.push(seats.take(peer("127.0.0.1")).unwrap());
        assert_eq!((gone(&held[0]).await, gone(&held[1]).await, gone(&held[2]).await), (false, true, false));
        work(&held[2]);
        work(&held[3]);
        assert!(seats.take(peer("127.0.0.1")).is_none(), "all are at work");
        held[3].seat.answer_over();
        assert!(seats.take(peer("127.0.0.1")).is_some());
        drop(held);
        assert!(seats.state.lock().taken.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_has_its_own_cap_and_takes_nobody_elses_place() {
        let seats = seats(99, 2);
        let others = [seats.take(peer("203.0.113.9")).unwrap(), seats.take(peer("[2001:db8:0:1::1]")).unwrap()];
        let held: Vec<_> = (0..3).map(|_| seats.take(peer("198.51.100.7")).unwrap()).collect();
        assert_eq!((gone(&held[0]).await, gone(&held[1]).await), (true, false));
        assert!(!gone(&others[0]).await);
        held.iter().skip(1).for_each(work);
        assert!(seats.take(peer("198.51.100.7")).is_none());
        assert!(seats.take(peer("203.0.113.9")).is_some());
        // Who has one IPv6 address has the whole /64.
        let block: Vec<_> = (2..4).map(|n| seats.take(peer(&format!("[2001:db8:0:1::{n}]"))).unwrap()).collect();
        assert!(gone(&others[1]).await);
        drop(block);
        drop(held);
        assert_eq!(seats.state.lock().of_address.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_proxy_only_the_cap_in_all_counts() {
        let seats = seats(5, 1);
        for proxy in ["127.0.0.1", "10.1.2.3", "[::1]", "[::ffff:127.0.0.1]"] {
            let held: Vec<_> = (0..5).map(|_| seats.take(peer(proxy)).unwrap()).collect();
            for taken in &held {
                assert!(!gone(taken).await, "{proxy}");
            }
        }
    }
}
