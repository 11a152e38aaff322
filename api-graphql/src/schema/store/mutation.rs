//! Opening and changing stores: each field is one command.

use async_graphql::{Context, Error, Object};

use super::{
    Store,
    input::{ChangeStoreInput, DeactivateStoreInput, OpenStoreInput, StoreCommandInput},
};
use crate::schema::command::{payload, run};

payload! {
    /// The answer to a command on a store: the store and the receipt, or the problems.
    StorePayload {
        /// The store right after the command, from the write side; null when there are problems.
        store: Store
    }
}

/// The commands.
#[derive(Default)]
pub struct StoreMutation;

#[Object]
impl StoreMutation {
    /// Opens a new store: it takes orders at once, from its opening day on.
    async fn open_store(
        &self,
        ctx: &Context<'_>,
        input: OpenStoreInput,
    ) -> Result<StorePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Replaces what is known of a store.
    async fn change_store(
        &self,
        ctx: &Context<'_>,
        input: ChangeStoreInput,
    ) -> Result<StorePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Lets a store take orders again.
    async fn activate_store(
        &self,
        ctx: &Context<'_>,
        input: StoreCommandInput,
    ) -> Result<StorePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Lets a store take no more orders; those it has go on.
    async fn deactivate_store(
        &self,
        ctx: &Context<'_>,
        input: DeactivateStoreInput,
    ) -> Result<StorePayload, Error> {
        run(ctx, input.into()).await
    }
}
