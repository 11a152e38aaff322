//! `ledger token`.

use api_graphql::auth::{AuthError, LocalKeys, TokenRequest, issue_token};
use domain::actor::Role;
use domain::ids::{RegionId, StoreId};
use serde_json::json;

use super::{Context, serve};
use crate::cli::{self, RoleName};
use crate::exit::{Exit, Failure};

pub(super) fn run(token: cli::Token, context: &Context) -> Result<Exit, Failure> {
    let config = &context.loaded.config;
    let directory = config.token_keys().ok_or_else(|| {
        Failure::new(
            Exit::Config,
            "tokens come from the identity provider of auth.jwks_url",
        )
        .hint("set auth.local_keys_dir to make tokens with keys of our own")
    })?;
    let stores = token
        .stores
        .iter()
        .map(|s| StoreId::new(s.clone()))
        .collect::<Result<_, _>>();
    let region = token.region.clone().map(RegionId::new).transpose();
    let request = TokenRequest {
        subject: token.subject.clone(),
        role: role(token.role),
        stores: stores.map_err(|error| Failure::new(Exit::Usage, format!("--store: {error}")))?,
        region: region.map_err(|error| Failure::new(Exit::Usage, format!("--region: {error}")))?,
        scope: None,
        load_test: token.load_test,
        lifetime: token.ttl.0,
    };
    let keys = LocalKeys::load_or_create(&directory)
        .map_err(|error| Failure::new(Exit::Environment, error))?;
    let text = issue_token(&keys, &serve::auth_config(config), &request).map_err(refused)?;
    let output = context.output;
    if output.is_json() {
        output.json(&json!({ "token": text }))?;
    } else {
        output.line(&text)?;
    }
    Ok(Exit::Done)
}

fn refused(error: AuthError) -> Failure {
    match error {
        AuthError::Claims(_) => {
            Failure::new(Exit::Usage, error).hint("see --subject, --store and --region")
        }
        _ => Failure::new(Exit::Failed, error),
    }
}

const fn role(name: RoleName) -> Role {
    match name {
        RoleName::StoreStaff => Role::StoreStaff,
        RoleName::StoreManager => Role::StoreManager,
        RoleName::RegionalCoordinator => Role::RegionalCoordinator,
        RoleName::CustomerService => Role::CustomerService,
        RoleName::Ops => Role::Ops,
        RoleName::Admin => Role::Admin,
        RoleName::Auditor => Role::Auditor,
        RoleName::Channel => Role::Channel,
        RoleName::Slick => Role::Slick,
        RoleName::Pmp => Role::Pmp,
        RoleName::Grab => Role::Grab,
    }
}
