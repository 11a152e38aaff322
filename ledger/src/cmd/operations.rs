//! `ledger operations`: signs and checks the list of operations that alone may run.

use std::path::Path;

use serde_json::json;

use super::Context;
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::operations::{PublicKey, check, sign, signature_path, trusted};
use crate::seals::SealKey;

pub(super) fn run(action: &cli::Operations, context: &Context) -> Result<Exit, Failure> {
    match action {
        cli::Operations::Sign { file, key } => signed(file, key.as_deref(), context),
        cli::Operations::Check { file, public_key } => {
            checked(file, public_key.as_deref(), context)
        }
    }
}

fn signed(file: &Path, key: Option<&Path>, context: &Context) -> Result<Exit, Failure> {
    let config = &context.loaded.config;
    let of_the_ledger = config.seal_key();
    let key = key.or(of_the_ledger.as_deref()).ok_or_else(|| {
        Failure::new(Exit::Config, "there is no key to sign with")
            .hint("name a file with --key; it is made when missing")
    })?;
    let key = SealKey::load_or_make(key).map_err(|error| Failure::new(Exit::Config, error))?;
    let (count, signed) = sign(file, &key)?;
    let path = signature_path(file);
    let output = context.output;
    if output.is_json() {
        output.json(&json!({ "operations": count, "signatureFile": path, "signature": signed }))?;
    } else {
        output.line(format!(
            "signed {count} operations: {}\nkey {}; its public key, for operations.public_key where the ledger has \
             another:\n{}",
            path.display(),
            signed.key_id,
            signed.public_key
        ))?;
    }
    Ok(Exit::Done)
}

fn checked(file: &Path, public_key: Option<&str>, context: &Context) -> Result<Exit, Failure> {
    let key = match public_key {
        Some(key) => PublicKey::read(key).map_err(|why| Failure::new(Exit::Usage, why))?,
        None => trusted(&context.loaded.config)?,
    };
    let list = check(file, &key)?;
    let output = context.output;
    if output.is_json() {
        output.json(&json!({ "operations": list.len(), "publicKey": key.to_string() }))?;
    } else {
        output.line(format!("{} operations, signed with {key}", list.len()))?;
    }
    Ok(Exit::Done)
}
