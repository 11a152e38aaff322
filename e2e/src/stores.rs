//! Stores that tests open.

use std::sync::Arc;

use commands::{BusOptions, CommandBus, facts::SystemClock, personal::Vault};
use domain::{
    ids::{RegionId, StoreId},
    store::{Profile, Store, StoreCommand},
};
use sqlx::PgPool;
use store::{AppendOptions, Log, LogId};

use crate::{MASTER_KEY, orders::execute_on};

/// What is known of a store in Bangkok that a test needs nothing special of.
pub fn profile(name: &str) -> Profile {
    Profile {
        name: name.into(),
        region: RegionId::new("BKK-CENTRAL").unwrap(),
        zone: "BKK".into(),
        opening: None,
        hours: None,
        cod_limit: None,
        auto_release: true,
    }
}

/// Opens a store.
pub async fn open(bus: &CommandBus, id: &str, profile: Profile) {
    let id = StoreId::new(id).unwrap();
    execute_on::<Store>(bus, id, StoreCommand::Open { profile })
        .await
        .unwrap();
}

/// Has a store take no more orders.
pub async fn close(bus: &CommandBus, id: &str) {
    let id = StoreId::new(id).unwrap();
    let reason = "closed for the test".to_owned();
    execute_on::<Store>(bus, id, StoreCommand::Deactivate { reason })
        .await
        .unwrap();
}

/// Opens stores in a database that only a pool leads to, as another process would.
pub async fn open_in(pool: &PgPool, stores: impl IntoIterator<Item = (&str, Profile)>) {
    let log = Log::open(pool.clone(), LogId::DEFAULT, AppendOptions::default())
        .await
        .unwrap();
    let vault = Vault::new(log.clone(), &MASTER_KEY).unwrap();
    let bus = CommandBus::new(
        log.clone(),
        vault,
        Arc::new(SystemClock),
        BusOptions::default(),
    );
    for (id, profile) in stores {
        open(&bus, id, profile).await;
    }
    log.close().await;
}
