//! How much a caller may ask for in a minute: requests and cost points by credential, requests by address.
//!
//! A credential is the subject and role of a token: a second token of the same person does not double what they may
//! ask for. Which class it belongs to follows from the role; `load` is a claim that whoever signs tokens gives. What is
//! refused here was not begun.

mod address;
mod bucket;
mod visit;

use std::{sync::Arc, time::Duration};

use domain::actor::Role;
use moka::{policy::EvictionPolicy, sync::Cache};
use observability::names;
use tokio::time::Instant;

pub(crate) use address::Address;
pub use address::Networks;
pub(crate) use bucket::Level;
pub(crate) use visit::{Refused, Visit, counted};

use bucket::{Bucket, WINDOW};

use crate::auth::Caller;

/// Credentials, and addresses, whose use is remembered at once. Beyond it those are forgotten that have been away for
/// longest: it takes as many others between two requests of a caller to give it more than its quota.
pub const MAX_RATE_KEYS: u64 = 20_000;
/// After this long all is full again and there is nothing to remember.
const FORGET_AFTER: Duration = Duration::from_secs(2 * 60);
/// What a bad credential costs its address, in requests: with 12,000 requests a minute, 400 guesses.
const BAD_CREDENTIAL: u64 = 30;

/// Whose quotas count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// People: stores, regions, customer service, auditors.
    User,
    /// Systems: sales channels, Slick, the partner platform, Grab.
    Partner,
    /// Operations and administration.
    Operations,
    /// Load tests: tokens whose claim `rate_class` says so.
    Load,
}

impl Class {
    /// The class of a role.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::StoreStaff
            | Role::StoreManager
            | Role::RegionalCoordinator
            | Role::CustomerService
            | Role::Auditor => Self::User,
            Role::Channel | Role::Slick | Role::Pmp | Role::Grab => Self::Partner,
            Role::Ops | Role::Admin | Role::System => Self::Operations,
        }
    }

    /// Its name: in settings, metrics and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Partner => "partner",
            Self::Operations => "operations",
            Self::Load => "load",
        }
    }
}

/// A minute's quota of each class; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// People.
    pub user: u32,
    /// Systems.
    pub partner: u32,
    /// Operations and administration.
    pub operations: u32,
    /// Load tests.
    pub load: u32,
}

impl Quotas {
    /// The quota of a class; `None` where there is none.
    fn of(&self, class: Class) -> Option<u64> {
        let quota = match class {
            Class::User => self.user,
            Class::Partner => self.partner,
            Class::Operations => self.operations,
            Class::Load => self.load,
        };
        (quota > 0).then(|| u64::from(quota))
    }
}

/// The quotas of a minute; [`Rates::default`] holds the figures we stand by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Requests of a credential.
    pub requests: Quotas,
    /// Cost points of a credential's GraphQL operations.
    pub points: Quotas,
    /// Requests from an address, whoever sends them; 0 is no quota.
    pub address: u32,
    /// Whether this very machine is counted as an address, too: its requests and its connections.
    pub loopback: bool,
    /// Proxies whose `X-Forwarded-For` is believed, and whose connections are not counted: they are everybody's.
    pub trusted_proxies: Networks,
}

impl Rates {
    /// Whether an address is counted at all.
    pub(crate) fn counts(&self, address: Address) -> bool {
        self.loopback || !address.is_loopback()
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            requests: Quotas {
                user: 1_000,
                partner: 6_000,
                operations: 6_000,
                load: 1_000_000,
            },
            points: Quotas {
                user: 600_000,
                partner: 3_000_000,
                operations: 3_000_000,
                load: 1_000_000_000,
            },
            // Twice what any one system may send: several may come from one address.
            address: 12_000,
            loopback: false,
            trusted_proxies: Networks::default(),
        }
    }
}

/// Which quota is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    Requests,
    Points,
    Address,
}

impl Quota {
    /// Its name in headers and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Points => "points",
            Self::Address => "address",
        }
    }
}

/// A quota is spent; nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) quota: Quota,
    /// Of a minute.
    pub(crate) limit: u64,
    /// Until there is enough of it.
    pub(crate) wait: Duration,
}

impl Spent {
    /// Counts it and makes it.
    fn told(quota: Quota, class: &'static str, limit: u64, wait: Duration) -> Self {
        let labels = [("limit", quota.as_str()), ("class", class)];
        metrics::counter!(names::API_RATE_LIMITED_TOTAL, &labels).increment(1);
        Self { quota, limit, wait }
    }

    /// Whole seconds, so that coming back then is not too early.
    pub(crate) fn retry_after(&self) -> u64 {
        seconds(self.wait).max(1)
    }

    /// Why, for the caller.
    pub(crate) fn detail(&self) -> String {
        let (limit, wait) = (self.limit, self.retry_after());
        let whose = match self.quota {
            Quota::Requests => format!("the {limit} requests a minute of this credential"),
            Quota::Points => format!("the {limit} cost points a minute of this credential"),
            Quota::Address => format!("the {limit} requests a minute of this address"),
        };
        format!("{whose} are spent, and nothing was done; come back in {wait} s")
    }
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// What one credential has used.
#[derive(Debug, Default)]
struct Account {
    requests: Bucket,
    points: Bucket,
}

/// Counts what callers use.
#[derive(Debug)]
pub(crate) struct Limiter {
    started: Instant,
    rates: Rates,
    accounts: Cache<(Class, Role, String), Arc<Account>>,
    addresses: Cache<Address, Arc<Bucket>>,
}

impl Limiter {
    /// Nobody has used anything yet.
    pub(crate) fn new(rates: Rates) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            rates,
            accounts: bounded(),
            addresses: bounded(),
        })
    }

    /// Nanoseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// What a caller may still ask for.
    fn credit(self: &Arc<Self>, caller: &Caller) -> Credit {
        let actor = &caller.actor;
        let key = (caller.class, actor.role, actor.id.clone());
        Credit {
            account: self.accounts.get_with(key, Arc::default),
            class: caller.class,
            limiter: Arc::clone(self),
        }
    }

    /// The quota of an address, where it is counted.
    fn address_limit(&self, address: Address) -> Option<u64> {
        let counts = self.rates.address > 0 && self.rates.counts(address);
        counts.then(|| u64::from(self.rates.address))
    }

    /// Takes one request of an address.
    fn arrives(&self, address: Address) -> Result<(), Spent> {
        let Some(limit) = self.address_limit(address) else {
            return Ok(());
        };
        let bucket = self.addresses.get_with(address, Arc::default);
        let taken = bucket.take(limit, 1, self.now());
        taken.map_err(|wait| Spent::told(Quota::Address, "none", limit, wait))
    }

    /// Makes a bad credential dear.
    fn guessed(&self, address: Address) {
        if let Some(limit) = self.address_limit(address) {
            let bucket = self.addresses.get_with(address, Arc::default);
            bucket.drain(limit, BAD_CREDENTIAL, self.now());
        }
    }
}

fn bounded<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(MAX_RATE_KEYS)
        // By use alone: a newcomer is counted however often others were seen.
        .eviction_policy(EvictionPolicy::lru())
        .time_to_idle(FORGET_AFTER)
        .build()
}

/// What one credential may still ask for.
#[derive(Debug, Clone)]
pub(crate) struct Credit {
    account: Arc<Account>,
    class: Class,
    limiter: Arc<Limiter>,
}

impl Credit {
    /// Takes one request.
    ///
    /// # Errors
    /// None is left.
    pub(crate) fn request(&self) -> Result<(), Spent> {
        self.take(Quota::Requests, &self.account.requests, 1)
    }

    /// Takes the points of an operation.
    ///
    /// # Errors
    /// As many are not left.
    pub(crate) fn points(&self, cost: usize) -> Result<(), Spent> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        self.take(Quota::Points, &self.account.points, cost)
    }

    fn take(&self, quota: Quota, bucket: &Bucket, amount: u64) -> Result<(), Spent> {
        let Some(limit) = self.limit(quota) else {
            return Ok(());
        };
        let taken = bucket.take(limit, amount, self.limiter.now());
        taken.map_err(|wait| Spent::told(quota, self.class.as_str(), limit, wait))
    }

    fn limit(&self, quota: Quota) -> Option<u64> {
        match quota {
            Quota::Requests => self.limiter.rates.requests.of(self.class),
            Quota::Points => self.limiter.rates.points.of(self.class),
            Quota::Address => None,
        }
    }

    /// Its class.
    pub(crate) const fn class(&self) -> Class {
        self.class
    }

    /// The requests left; `None` without a quota.
    pub(crate) fn requests_left(&self) -> Option<Level> {
        let limit = self.limit(Quota::Requests)?;
        Some(self.account.requests.level(limit, self.limiter.now()))
    }

    /// The points left; `None` without a quota.
    pub(crate) fn points_left(&self) -> Option<Level> {
        let limit = self.limit(Quota::Points)?;
        Some(self.account.points.level(limit, self.limiter.now()))
    }
}

impl Level {
    /// Whole seconds until it is full again.
    pub(crate) fn reset_seconds(&self) -> u64 {
        seconds(self.reset)
    }

    /// What comes back in a second.
    pub(crate) const fn restore_rate(&self) -> u64 {
        self.limit / WINDOW.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use domain::actor::{Actor, StoreScope};

    use super::*;
    use crate::auth::Scopes;

    fn caller(subject: &str, role: Role) -> Caller {
        let actor = Actor {
            id: subject.to_owned(),
            role,
            stores: StoreScope::All,
        };
        Caller {
            actor,
            scopes: Scopes::ALL,
            class: Class::of(role),
        }
    }

    #[test]
    fn a_flood_of_subjects_and_addresses_is_forgotten() {
        let limiter = Limiter::new(Rates::default());
        let steady = caller("steady", Role::Auditor);
        for n in 0..3 * MAX_RATE_KEYS {
            let _ = limiter
                .credit(&caller(&format!("s{n}"), Role::Auditor))
                .request();
            let address = std::net::IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
            let peer = crate::context::Peer((address, 1).into());
            let none = axum::http::HeaderMap::new();
            let address = Address::of(Some(&peer), &none, &Networks::default()).unwrap();
            let _ = limiter.arrives(address);
            if n % 100 == 0 {
                limiter.credit(&steady).request().unwrap();
            }
        }
        limiter.accounts.run_pending_tasks();
        limiter.addresses.run_pending_tasks();
        assert!(limiter.accounts.entry_count() <= MAX_RATE_KEYS);
        assert!(limiter.addresses.entry_count() <= MAX_RATE_KEYS);
        // Whoever is there all the time is remembered through it.
        let used = 3 * MAX_RATE_KEYS / 100;
        let left = limiter.credit(&steady).requests_left().unwrap().remaining;
        assert!(left <= 1_000 - used + 200, "{left}");
    }

    #[test]
    fn a_role_has_the_quota_of_its_class_and_its_own_account() {
        let limiter = Limiter::new(Rates::default());
        for role in Role::ALL {
            let credit = limiter.credit(&caller("x", *role));
            let limit = credit.requests_left().unwrap().limit;
            assert!(limit >= 1_000 && credit.points_left().unwrap().limit >= 600_000);
            assert_eq!(credit.requests_left().unwrap().remaining, limit, "{role:?}");
            credit.request().unwrap();
        }
        let rates = Rates {
            points: Quotas {
                user: 0,
                ..Rates::default().points
            },
            ..Rates::default()
        };
        let free = Limiter::new(rates).credit(&caller("x", Role::StoreStaff));
        assert!(free.points(usize::MAX).is_ok() && free.points_left().is_none());
    }
}
