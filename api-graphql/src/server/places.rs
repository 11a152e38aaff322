//! How many connections each address has open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use observability::names;

use crate::{
    context::Peer,
    rate::{Address, Rates},
};

/// The open connections of a listener, by address: there are no more entries than it has connections and WebSockets.
#[derive(Debug)]
pub(super) struct Places {
    /// Of one address; 0 is no limit.
    limit: usize,
    /// Who is not counted.
    rates: Rates,
    open: Mutex<HashMap<Address, usize>>,
}

/// The place of one connection. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Place(Option<(Arc<Places>, Address)>);

impl Place {
    /// Of a connection that is not counted.
    pub(super) const UNCOUNTED: Self = Self(None);
}

impl Places {
    /// None is taken yet.
    pub(super) fn new(limit: usize, rates: Rates) -> Arc<Self> {
        Arc::new(Self {
            limit,
            rates,
            open: Mutex::default(),
        })
    }

    /// A place for one more connection; `None`, and counted, where its address has as many as it may.
    pub(super) fn take(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let address = Address::of_peer(peer);
        let is_counted = self.limit > 0
            && self.rates.counts(address)
            && !self.rates.trusted_proxies.hold_peer(peer);
        if !is_counted {
            return Some(Place::UNCOUNTED);
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.entry(address).or_default();
        if *own >= self.limit {
            metrics::counter!(names::API_CONNECTIONS_CLOSED_TOTAL, "reason" => "address")
                .increment(1);
            tracing::debug!(address = %peer.0.ip(), "as many connections are open as one address may have");
            return None;
        }
        *own += 1;
        Some(Place(Some((Arc::clone(self), address))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, address)) = &self.0 else {
            return;
        };
        let mut open = places.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(address) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(limit: usize, trusted: &str) -> Arc<Places> {
        let rates = Rates {
            trusted_proxies: trusted.parse().unwrap(),
            ..Rates::default()
        };
        Places::new(limit, rates)
    }

    fn peer(text: &str) -> Peer {
        Peer(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_places_and_nobody_else_is_held_up() {
        let places = places(2, "10.0.0.0/8");
        let held = [peer("203.0.113.7:1"), peer("203.0.113.7:2")].map(|one| places.take(one));
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(peer("203.0.113.7:3")).is_none());
        assert!(places.take(peer("[::ffff:203.0.113.7]:3")).is_none());
        assert!(places.take(peer("203.0.113.8:1")).is_some());
        // All of a provider's customer is one.
        let network = [peer("[2001:db8:1:2::1]:1"), peer("[2001:db8:1:2::2]:1")];
        let of_network = network.map(|one| places.take(one));
        assert!(of_network.iter().all(Option::is_some));
        assert!(places.take(peer("[2001:db8:1:2:3::4]:1")).is_none());
        assert!(places.take(peer("[2001:db8:1:3::1]:1")).is_some());
        drop(held);
        drop(of_network);
        assert!(places.take(peer("203.0.113.7:3")).is_some());
        assert!(
            places.open.lock().unwrap().is_empty(),
            "nothing is kept of closed connections"
        );
    }

    #[test]
    fn proxies_and_this_machine_are_not_counted_nor_anybody_without_a_limit() {
        let places = places(1, "10.0.0.0/8");
        for uncounted in [
            "10.1.2.3:1",
            "[::ffff:10.0.0.1]:1",
            "127.0.0.1:1",
            "[::1]:1",
        ] {
            let held: Vec<_> = (0..3).map(|_| places.take(peer(uncounted))).collect();
            assert!(held.iter().all(Option::is_some), "{uncounted}");
        }
        let unlimited = self::places(0, "");
        let held: Vec<_> = (0..3)
            .map(|_| unlimited.take(peer("203.0.113.7:1")))
            .collect();
        assert!(held.iter().all(Option::is_some));
        let local = Places::new(
            1,
            Rates {
                loopback: true,
                ..Rates::default()
            },
        );
        let first = local.take(peer("127.0.0.1:1"));
        assert!(first.is_some() && local.take(peer("127.0.0.1:2")).is_none());
    }
}
