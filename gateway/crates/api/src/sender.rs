//! Who sent a request, as far as that can be known: the address of the peer, or, where the peer is a proxy that is
//! named in `gateway.proxies`, the address that the proxy gives. No other word on an address counts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header in which proxies say for whom they ask.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who sent a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sender {
    /// The client with this address; of IPv6 the first 64 bits, because one machine has all addresses that begin with
    /// them.
    Address(IpAddr),
    /// The client at the other end of this connection: a program on this machine, or one behind a proxy that does not
    /// say for whom it asks. Its clients can only be told apart by their connections.
    Socket(SocketAddr),
    /// Nothing is known.
    Unknown,
}

impl Sender {
    /// The sender of a request.
    pub(crate) fn of_request(request: &Request, proxies: &[IpNet]) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        Self::of(peer, request.headers(), proxies)
    }

    /// The sender of a request with these headers from this peer.
    fn of(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let Some(peer) = peer else { return Self::Unknown };
        if !is_proxy(peer.ip(), proxies) {
            return Self::Address(block(peer.ip()));
        }
        let named = proxies.iter().any(|range| range.contains(&peer.ip().to_canonical()));
        match named.then(|| forwarded_for(headers, proxies)).flatten() {
            Some(address) => Self::Address(block(address)),
            None => Self::Socket(peer),
        }
    }

    /// To tell it from others.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Socket(socket) => format!("socket {socket}"),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// Does this address stand for others? This machine always may: the usual place of a proxy.
pub(crate) fn is_proxy(address: IpAddr, proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || proxies.iter().any(|range| range.contains(&address))
}

/// What counts as one address: the first 64 bits of an IPv6 address.
pub(crate) fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

/// The last address that is not a proxy's own: each proxy writes behind what it was told, and what stands in front of the
/// first that is believed may be made up.
fn forwarded_for(headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let values: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let said = values.iter().rev().flat_map(|value| value.rsplit(',')).map(|item| address_of(item.trim()));
    for address in said {
        // What is not an address ends the chain: what stands before it cannot be believed.
        let address = address?;
        if !proxies.iter().any(|range| range.contains(&address)) {
            return Some(address);
        }
    }
    None
}

/// An address, perhaps with a port.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(peer: &str, said: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|range| range.parse().unwrap()).collect();
        Sender::of(Some(peer.parse().unwrap()), &headers, &proxies).text()
    }

    #[test]
    fn a_peer_is_believed_for_its_own_address_alone() {
        assert_eq!(of("203.0.113.9:1", &[], &[]), "203.0.113.9");
        assert_eq!(of("203.0.113.9:1", &["198.51.100.7"], &[]), "203.0.113.9", "it may say what it wants");
        assert_eq!(of("203.0.113.9:1", &["198.51.100.7"], &["127.0.0.1/32"]), "203.0.113.9");
        assert_eq!(of("[2001:db8::5:6]:1", &[], &[]), "2001:db8::");
        assert_eq!(of("[::ffff:203.0.113.9]:1", &[], &[]), "203.0.113.9");
    }

    #[test]
    fn a_proxy_that_is_not_named_is_told_apart_by_its_connections() {
        assert_eq!(of("127.0.0.1:7", &["198.51.100.7"], &[]), "socket 127.0.0.1:7");
        assert_eq!(of("127.0.0.1:7", &["198.51.100.7"], &["10.0.0.0/8"]), "socket 127.0.0.1:7");
    }

    #[test]
    fn of_a_chain_the_last_address_that_is_not_a_proxys_counts() {
        let proxies = &["127.0.0.1/32", "10.0.0.0/8"][..];
        for (said, whose) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
            (&["6.6.6.6", "198.51.100.7,10.1.1.1"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db8::1]:4711"], "2001:db8::"),
            (&["[2001:db8::1]"], "2001:db8::"),
            (&["198.51.100.7, unknown"], "socket 127.0.0.1:7"),
            (&["10.1.1.1"], "socket 127.0.0.1:7"),
            (&[""], "socket 127.0.0.1:7"),
            (&[], "socket 127.0.0.1:7"),
        ] {
            assert_eq!(of("127.0.0.1:7", said, proxies), whose, "{said:?}");
        }
    }
}
