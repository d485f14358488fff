//! Which addresses may be connected to. Owns the table; it is asked for every address of every name, after resolving.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What clouds give their machines credentials and configuration on. A range that the operator opens for something else never
/// opens one of these: only the address itself does.
const METADATA: [IpAddr; 15] = [
    // AWS, Azure, Google, Oracle, OpenStack and most others.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    // AWS: credentials of ECS tasks and of EKS pods.
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    // Tencent, Scaleway.
    IpAddr::V4(Ipv4Addr::new(169, 254, 0, 23)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 42, 42)),
    // Alibaba, Volcengine.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(100, 96, 0, 96)),
    // Oracle (classic), Azure's wire server.
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // The same over IPv6: AWS twice, Google, Oracle, OpenStack, Scaleway.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// The metadata addresses that these exceptions open: those that stand there by themselves.
#[must_use]
pub fn metadata_addresses(allowed: &[IpNet]) -> Vec<IpAddr> {
    METADATA.into_iter().filter(|address| refusal(*address, allowed).is_none()).collect()
}

/// The range of an address that is refused unless the operator opens it, such as `loopback`; `None` for a public one.
#[must_use]
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    refusal(address, &[])
}

/// Why an address is refused; `None` when it may be used. Ranges of `allowed` are the operator's exceptions.
pub(crate) fn refusal(address: IpAddr, allowed: &[IpNet]) -> Option<&'static str> {
    // What an address stands for is what the operator means, and what will be reached: judge the inner one.
    let inner = match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    if METADATA.contains(&inner) {
        let alone = |net: &IpNet| net.prefix_len() == net.max_prefix_len() && [address, inner].contains(&net.addr());
        return if allowed.iter().any(alone) { None } else { Some("cloud metadata") };
    }
    if allowed.iter().any(|net| net.contains(&address) || net.contains(&inner)) {
        return None;
    }
    match inner {
        IpAddr::V4(v4) => refusal_v4(v4),
        IpAddr::V6(v6) => refusal_v6(v6),
    }
}

/// IANA's special-purpose registry.
fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (0, ..) => Some("unspecified"),
        (127, ..) => Some("loopback"),
        (10, ..) | (172, 16..=31, ..) | (192, 168, ..) => Some("private"),
        (169, 254, ..) => Some("link-local"),
        (100, 64..=127, ..) => Some("carrier-grade NAT"),
        (192, 0, 0, _) => Some("protocol assignments"),
        (192, 0, 2, _) | (198, 51, 100, _) | (203, 0, 113, _) => Some("documentation"),
        (192, 88, 99, _) => Some("6to4 relay"),
        (198, 18..=19, ..) => Some("benchmarking"),
        (224..=239, ..) => Some("multicast"),
        (240..=255, ..) => Some("reserved"),
        _ => None,
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    let s = address.segments();
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        [0xfc00..=0xfdff, ..] => Some("unique local"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfec0..=0xfeff, ..] => Some("site-local"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("documentation"),
        [0x0100, 0, 0, 0, ..] => Some("discard only"),
        // Teredo hides an IPv4 address behind a relay of the sender's choice; the rest of 2001::/23 holds no hosts
        // either.
        [0x2001, 0..=0x01ff, ..] => Some("protocol assignments"),
        // NAT64 of this network: what is behind it cannot be known.
        [0x0064, 0xff9b, 1, ..] => Some("local NAT64"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("not globally reachable"),
    }
}

/// The IPv4 address inside a mapped, compatible, NAT64 or 6to4 one.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match s {
        // `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(text: &str) -> Option<&'static str> {
        refusal(text.parse().unwrap(), &[])
    }

    #[test]
    fn no_special_address_may_be_reached_f13() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.8",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.88.99.1",
            "::",
            "::1",
            "fc00::1",
            "fdff::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001::1",
            "100::1",
            "64:ff9b:1::1",
            "4000::1",
        ] {
            assert!(refused(address).is_some(), "{address}");
        }
    }

    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself_f13() {
        for address in [
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::1",
            "2002:c0a8:101::",
        ] {
            assert!(refused(address).is_some(), "{address}");
        }
        assert_eq!(refused("::ffff:8.8.8.8"), None);
        assert_eq!(refused("64:ff9b::808:808"), None);
    }

    #[test]
    fn public_addresses_may_be_reached() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "2606:4700::1111",
            "223.5.5.5",
        ] {
            assert_eq!(refused(address), None, "{address}");
        }
    }

    #[test]
    fn the_operators_ranges_are_exceptions_for_themselves_alone() {
        let allowed = ["127.0.0.0/8".parse().unwrap(), "fd12::/16".parse().unwrap()];
        let with = |text: &str| refusal(text.parse().unwrap(), &allowed);
        assert_eq!(with("127.0.0.1"), None);
        assert_eq!(with("::ffff:127.0.0.1"), None);
        assert_eq!(with("fd12::5"), None);
        assert!(with("10.0.0.1").is_some());
        assert!(with("::1").is_some());
    }

    #[test]
    fn an_open_range_never_opens_the_metadata_of_a_cloud_that_lies_in_it() {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse::<IpNet>().unwrap()).collect::<Vec<_>>();
        let wide = nets(&["0.0.0.0/0", "::/0", "169.254.0.0/16", "100.64.0.0/10", "169.254.169.254/31", "fd00::/8"]);
        for address in METADATA {
            assert_eq!(refusal(address, &wide), Some("cloud metadata"), "{address}");
            assert_eq!(refusal(address, &[]), Some("cloud metadata"), "{address}");
            let alone = IpNet::from(address);
            assert_eq!(refusal(address, &[alone]), None, "{address}");
            assert_eq!(metadata_addresses(&[alone]), [address]);
            let other = METADATA.into_iter().find(|other| *other != address).unwrap();
            assert!(refusal(other, &[alone]).is_some(), "{address} opens itself alone");
        }
        assert!(metadata_addresses(&wide).is_empty());
        // However it is written.
        for form in ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"] {
            let form: IpAddr = form.parse().unwrap();
            assert_eq!(refusal(form, &wide), Some("cloud metadata"), "{form}");
            assert_eq!(refusal(form, &[IpNet::from(METADATA[0])]), None, "{form} is that address");
        }
        // Its neighbours in an open range are open.
        for neighbour in ["169.254.169.253", "169.254.169.255", "100.100.100.199", "fd00:ec2::253", "192.0.0.193"] {
            assert_eq!(refusal(neighbour.parse().unwrap(), &wide), None, "{neighbour}");
        }
    }
}
