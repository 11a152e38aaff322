//! What a token says, and whom that makes the caller.

use domain::{
    actor::{Actor, Role, StoreScope},
    ids::{RegionId, StoreId},
};
use serde::{Deserialize, Serialize};

use super::AuthError;
use crate::rate::Class;

/// The most stores one token may name.
pub const MAX_STORES_IN_TOKEN: usize = 200;
/// The longest subject, in characters: it is written into every event.
pub const MAX_SUBJECT_CHARS: usize = 100;

/// The claims of an access token. Claims we do not know are ignored, as RFC 7519 asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) role: Role,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) stores: Option<Vec<StoreId>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) region: Option<RegionId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) scope: Option<String>,
    /// Only `load`: every other class follows from the role.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) rate_class: Option<String>,
    pub(crate) exp: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) nbf: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) aud: Option<serde_json::Value>,
}

/// Says which stores a region has: the token of a regional coordinator names only the region.
pub trait RegionStores: Send + Sync {
    /// The region's stores; empty when nobody knows the region.
    fn stores_of(&self, region: &RegionId) -> Vec<StoreId>;
}

/// What the token's `scope` claim still allows, within what the role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes {
    /// Queries: `orders:read`, `orders:write` or `admin`.
    pub read: bool,
    /// Mutations: `orders:write` or `admin`.
    pub write: bool,
    /// The event feed: `events:read` or `admin`. Reading orders one by one does not imply it.
    pub events: bool,
}

impl Scopes {
    /// No `scope` claim: the role alone decides.
    pub const ALL: Self = Self {
        read: true,
        write: true,
        events: true,
    };

    fn parse(claim: Option<&str>) -> Self {
        let Some(claim) = claim else { return Self::ALL };
        let has = |name: &str| claim.split(' ').any(|word| word == name);
        let admin = has("admin");
        let write = admin || has("orders:write");
        Self {
            read: write || has("orders:read"),
            write,
            events: admin || has("events:read"),
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who acts, written into every event.
    pub actor: Actor,
    /// What the token allows.
    pub scopes: Scopes,
    /// Whose quotas count.
    pub class: Class,
}

/// Whether the role acts for one store or one region, so that a token without either claim is a mistake.
const fn needs_stores(role: Role) -> bool {
    matches!(
        role,
        Role::StoreStaff | Role::StoreManager | Role::RegionalCoordinator
    )
}

/// What claims must say whatever the stores and regions are: asked of a token that is made and of one that comes.
///
/// # Errors
/// When the claims make no caller: no subject, no store for a role of a store, the ledger's own role.
pub(crate) fn check(claims: &Claims) -> Result<(), AuthError> {
    if domain::ids::check_text(&claims.sub, MAX_SUBJECT_CHARS).is_err() {
        return Err(AuthError::Claims(
            "`sub` must be 1 to 100 printable characters",
        ));
    }
    if claims.role == Role::System {
        return Err(AuthError::Claims(
            "the role `system` is the ledger's own; no token carries it",
        ));
    }
    if claims
        .rate_class
        .as_deref()
        .is_some_and(|class| class != Class::Load.as_str())
    {
        return Err(AuthError::Claims(
            "`rate_class` may only be `load`; otherwise it follows from the role",
        ));
    }
    match &claims.stores {
        Some(stores) if stores.is_empty() => Err(AuthError::Claims("`stores` must not be empty")),
        Some(stores) if stores.len() > MAX_STORES_IN_TOKEN => {
            Err(AuthError::Claims("`stores` must name at most 200 stores"))
        }
        None if claims.region.is_none() && needs_stores(claims.role) => Err(AuthError::Claims(
            "a token of this role must name its `stores` or its `region`",
        )),
        _ => Ok(()),
    }
}

/// Turns verified claims into a caller.
///
/// # Errors
/// As [`check`], and for an unknown region.
pub(crate) fn caller(claims: Claims, regions: &dyn RegionStores) -> Result<Caller, AuthError> {
    check(&claims)?;
    let subject = claims.sub;
    let stores = match (claims.stores, claims.region) {
        (Some(stores), _) => StoreScope::Only(stores),
        (None, Some(region)) => match regions.stores_of(&region) {
            stores if stores.is_empty() => {
                return Err(AuthError::Claims("`region` names no region with stores"));
            }
            stores => StoreScope::Only(stores),
        },
        (None, None) => StoreScope::All,
    };
    let scopes = Scopes::parse(claims.scope.as_deref());
    let class = match claims.rate_class {
        Some(_) => Class::Load,
        None => Class::of(claims.role),
    };
    Ok(Caller {
        actor: Actor {
            id: subject,
            role: claims.role,
            stores,
        },
        scopes,
        class,
    })
}
