//! `ledger forget`: a person's data is erased, their orders stay.

use std::io::{BufRead, Write};

use commands::personal::{Erasure, Subject};
use domain::actor::{Actor, Role, StoreScope};
use domain::ids::CustomerId;
use serde::Serialize;

use super::{Context, order};
use crate::cli;
use crate::database::{self, Database};
use crate::exit::{Exit, Failure};

/// The longest answer read from a person.
const MAX_ANSWER: u64 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    /// How many keys were destroyed.
    destroyed: usize,
    at: chrono::DateTime<chrono::Utc>,
}

pub(super) async fn run(forget: cli::Forget, context: Context) -> Result<Exit, Failure> {
    let database = Database::open(&context.loaded.config).await?;
    let erased = erase(&forget, &context, &database).await;
    let closed = database.close().await;
    let Some(erasure) = erased? else {
        context.output.note("nothing was erased");
        return Ok(Exit::Refused);
    };
    closed?;
    if erasure.destroyed.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            "nothing is kept of this person, or it was erased before",
        ));
    }
    if context.output.is_json() {
        context.output.json(&Told {
            destroyed: erasure.destroyed.len(),
            at: erasure.at,
        })?;
    } else {
        context.output.line(
            "erased: the key is destroyed. Running ledgers follow within a minute; backups that hold the key must go too",
        )?;
    }
    Ok(Exit::Done)
}

/// `None` when the person at the terminal thought better of it.
async fn erase(
    forget: &cli::Forget,
    context: &Context,
    database: &Database,
) -> Result<Option<Erasure>, Failure> {
    let config = &context.loaded.config;
    database.bring_up_to_date(config).await?;
    let log = database.log(config).await?;
    let erased = async {
        let subject = match (&forget.customer, &forget.order) {
            (Some(customer), _) => {
                let id = CustomerId::new(customer.trim());
                Subject::customer(&id.map_err(|error| Failure::new(Exit::Usage, error))?)
            }
            (None, Some(order)) => Subject::order(order::find(order, &log).await?),
            (None, None) => return Err(Failure::new(Exit::Usage, "name a customer or --order")),
        };
        if !forget.yes && !confirmed(forget)? {
            return Ok(None);
        }
        let vault = database.vault(config, &log).await?;
        let bus = database::bus(config, &log, &vault);
        // Whoever may use the database and its master key may do everything; the erasure's record says how.
        let actor = Actor {
            id: "forget".to_owned(),
            role: Role::Admin,
            stores: StoreScope::All,
        };
        let erasure = bus.forget(&subject, &actor).await;
        erasure
            .map(Some)
            .map_err(|error| Failure::new(Exit::Failed, error))
    }
    .await;
    log.close().await;
    erased
}

fn confirmed(forget: &cli::Forget) -> Result<bool, Failure> {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() {
        return Err(
            Failure::new(Exit::Usage, "this cannot be undone and nobody can be asked")
                .hint("give --yes to erase without being asked"),
        );
    }
    let whom = forget.customer.as_deref().or(forget.order.as_deref());
    let mut screen = std::io::stderr();
    let asked = write!(
        screen,
        "Erase the personal data of {} for good? Type yes: ",
        whom.unwrap_or_default()
    );
    let mut answer = String::new();
    asked
        .and_then(|()| screen.flush())
        .and_then(|()| {
            let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_ANSWER);
            input.read_line(&mut answer)
        })
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    Ok(answer.trim() == "yes")
}
