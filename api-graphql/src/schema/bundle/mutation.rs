//! Defining bundles: each field is one command.

use async_graphql::{Context, Error, Object};

use super::{
    Bundle,
    input::{BundleCommandInput, DefineBundleInput, RetireBundleInput, ReviseBundleInput},
};
use crate::schema::command::{payload, run};

payload! {
    /// The answer to a command on a bundle: the bundle and the receipt, or the problems.
    BundlePayload {
        /// The bundle right after the command, from the write side; null when there are problems.
        bundle: Bundle
    }
}

/// The commands.
#[derive(Default)]
pub struct BundleMutation;

#[Object]
impl BundleMutation {
    /// Defines a new bundle: it is offered at once, inside its schedule.
    async fn define_bundle(
        &self,
        ctx: &Context<'_>,
        input: DefineBundleInput,
    ) -> Result<BundlePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Replaces a bundle's definition by the next version; orders keep the one they were sold under.
    async fn revise_bundle(
        &self,
        ctx: &Context<'_>,
        input: ReviseBundleInput,
    ) -> Result<BundlePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Offers a bundle again.
    async fn activate_bundle(
        &self,
        ctx: &Context<'_>,
        input: BundleCommandInput,
    ) -> Result<BundlePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Offers a bundle no more.
    async fn retire_bundle(
        &self,
        ctx: &Context<'_>,
        input: RetireBundleInput,
    ) -> Result<BundlePayload, Error> {
        run(ctx, input.into()).await
    }
}
