//! (a) The same aggregate on plain cqrs-es + postgres-es, as their documentation sets them up.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use commands::aggregate::{Ask, Driven};
use domain::order::Order;
use postgres_es::{PostgresCqrs, postgres_cqrs};
use uuid::Uuid;

use crate::{
    lives,
    measure::{Sample, closed_loop},
    server::Server,
};

/// Runs the row.
pub(crate) async fn run(server: &Server, callers: usize, time: Duration) -> Result<Sample> {
    let cqrs: Arc<PostgresCqrs<Driven<Order>>> = Arc::new(postgres_cqrs(
        server.plain.clone(),
        Vec::new(),
        lives::facts().into(),
    ));
    closed_loop("cqrs-es + postgres-es", callers, time, |_, mut caller| {
        let cqrs = cqrs.clone();
        async move {
            while caller.goes_on() {
                let id = Uuid::now_v7().to_string();
                for step in 0..lives::STEPS {
                    let ask = Ask {
                        command: lives::command(step),
                        actor: lives::actor(),
                    };
                    let done = caller
                        .time(async { Ok(cqrs.execute(&id, ask).await?) })
                        .await;
                    if done.is_none() || !caller.goes_on() {
                        break;
                    }
                }
            }
            Ok(caller)
        }
    })
    .await
}
