//! Which address a request is counted for, and which proxies are believed about it.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName};

use crate::context::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Bits of an IPv6 address that one customer of a provider is given (RFC 6177): all of them are one caller.
const IPV6_BITS: u32 = 64;

/// A caller's address: an IPv4 address, or the network of an IPv6 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Address(IpAddr);

impl Address {
    /// The address that a request is counted for: the connection's, or what trusted proxies say.
    pub(crate) fn of(peer: Option<&Peer>, headers: &HeaderMap, trusted: &Networks) -> Option<Self> {
        let mut address = peer?.0.ip().to_canonical();
        let lines = headers.get_all(&FORWARDED_FOR).iter();
        let text: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        // Each proxy writes behind what it was told: from the end on as long as who wrote it is believed. What cannot
        // be read ends it, and counts for the proxy that passed it on.
        let mut said = text.iter().rev().flat_map(|line| line.rsplit(','));
        while trusted.hold(address) {
            let Some(next) = said.next().and_then(read) else {
                break;
            };
            address = next;
        }
        Some(Self(network(address, IPV6_BITS)))
    }

    /// The address that a connection comes from.
    pub(crate) fn of_peer(peer: Peer) -> Self {
        Self(network(peer.0.ip().to_canonical(), IPV6_BITS))
    }

    /// Whether it is this very machine.
    pub(crate) fn is_loopback(self) -> bool {
        match self.0 {
            IpAddr::V4(v4) => v4.is_loopback(),
            // `::1` was cut to its network.
            IpAddr::V6(v6) => v6.is_unspecified(),
        }
    }
}

/// An entry of the header: an address, with or without a port.
fn read(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let address = entry.parse::<IpAddr>().ok();
    let address = address.or_else(|| entry.parse::<SocketAddr>().ok().map(|with| with.ip()));
    address.map(|address| address.to_canonical())
}

/// The network of an IPv6 address; an IPv4 address as it is.
fn network(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & mask(bits, 128)).into()),
    }
}

/// A mask of the first `bits` of `width`.
fn mask(bits: u32, width: u32) -> u128 {
    let all = u128::MAX >> (128 - width);
    all & !all.checked_shr(bits).unwrap_or(0)
}

/// Networks, written `10.0.0.0/8, 192.0.2.7, 2001:db8::/32`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u32)>);

/// The most networks of a list.
const MAX_NETWORKS: usize = 100;

impl Networks {
    /// Whether a connection comes from one of them.
    pub(crate) fn hold_peer(&self, peer: Peer) -> bool {
        self.hold(peer.0.ip().to_canonical())
    }

    /// Whether one of them holds an address.
    fn hold(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|(network, bits)| match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => {
                    let mask = mask(*bits, 32);
                    u128::from(u32::from(*network)) & mask == u128::from(u32::from(address)) & mask
                }
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    let mask = mask(*bits, 128);
                    u128::from(*network) & mask == u128::from(address) & mask
                }
                _ => false,
            })
    }
}

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|e| !e.is_empty());
        let networks: Result<Vec<_>, _> = entries.map(one).collect();
        match networks? {
            networks if networks.len() > MAX_NETWORKS => {
                Err(format!("at most {MAX_NETWORKS} networks are possible"))
            }
            networks => Ok(Self(networks)),
        }
    }
}

impl std::fmt::Display for Networks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (network, bits)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{network}/{bits}")?;
        }
        Ok(())
    }
}

fn one(entry: &str) -> Result<(IpAddr, u32), String> {
    let wrong = || {
        format!("networks such as \"10.0.0.0/8, 192.0.2.7\" are expected, and {entry:?} is none")
    };
    let (address, bits) = match entry.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (entry, None),
    };
    let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.trim().parse().map_err(|_| wrong())?,
        None => width,
    };
    if bits > width {
        return Err(wrong());
    }
    Ok((address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = Peer(SocketAddr::new(peer.parse().unwrap(), 4711));
        let address = Address::of(Some(&peer), &headers, &trusted.parse().unwrap());
        address.unwrap().0.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, forwarded, trusted, expected) in [
            // Nobody is trusted: the header is what anybody wrote into it.
            ("203.0.113.9", &["198.51.100.1"][..], "", "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "10.0.0.0/8", "198.51.100.1"),
            // What the caller wrote stands before what the proxy added.
            (
                "10.0.0.1",
                &["1.1.1.1, 198.51.100.1"],
                "10.0.0.0/8",
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.1, 10.2.3.4"],
                "10.0.0.0/8",
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1:4711"],
                "10.0.0.1",
                "198.51.100.1",
            ),
            ("10.0.0.2", &["198.51.100.1"], "10.0.0.1", "10.0.0.2"),
            // Nothing more is said, or nothing that can be read.
            ("10.0.0.1", &[], "10.0.0.0/8", "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.7"], "10.0.0.0/8", "10.0.0.7"),
            (
                "10.0.0.1",
                &["198.51.100.1, unknown"],
                "10.0.0.0/8",
                "10.0.0.1",
            ),
            (
                "::ffff:10.0.0.1",
                &["[2001:db8:1:2:3::4]:99"],
                "10.0.0.0/8",
                "2001:db8:1:2::",
            ),
            ("fd00::1", &["198.51.100.1"], "fd00::/8", "198.51.100.1"),
            ("2001:db8:1:2:3::4", &[], "", "2001:db8:1:2::"),
        ] {
            assert_eq!(
                of(peer, forwarded, trusted),
                expected,
                "{peer} {forwarded:?} {trusted}"
            );
        }
        assert_eq!(
            Address::of(None, &HeaderMap::new(), &Networks::default()),
            None
        );
        let local = |peer: &str| Address(network(peer.parse().unwrap(), IPV6_BITS)).is_loopback();
        assert!(local("127.0.0.1") && local("::1") && !local("10.0.0.1") && !local("2001:db8::1"));
    }

    #[test]
    fn networks_are_read_and_written() {
        let read = |text: &str| text.parse::<Networks>();
        assert_eq!(
            read(" 10.0.0.0/8 ,192.0.2.7,").unwrap().to_string(),
            "10.0.0.0/8, 192.0.2.7/32"
        );
        assert_eq!(read("").unwrap(), Networks::default());
        assert!(
            read("0.0.0.0/0")
                .unwrap()
                .hold("198.51.100.1".parse().unwrap())
        );
        for wrong in ["10.0.0.0/33", "x", "10.0.0.0/x", "10.0.0/8", "::/129", "/8"] {
            assert!(read(wrong).unwrap_err().contains("10.0.0.0/8"), "{wrong}");
        }
        assert!(read(&"10.0.0.1,".repeat(101)).is_err());
    }
}
