//! (b) Our command bus, in process.

use std::time::Duration;

use anyhow::Result;
use commands::{Request, Target};
use domain::{
    ids::{CommandId, OrderId},
    order::Order,
};
use uuid::Uuid;

use crate::{
    lives,
    measure::{Sample, closed_loop},
    server::Server,
};

/// Runs the row.
pub(crate) async fn run(server: &Server, callers: usize, time: Duration) -> Result<Sample> {
    closed_loop("command bus", callers, time, |_, mut caller| {
        let bus = server.bus.clone();
        async move {
            while caller.goes_on() {
                let mut target = Target::<OrderId>::New;
                for step in 0..lives::STEPS {
                    let request = Request::<Order> {
                        command_id: CommandId(Uuid::now_v7()),
                        actor: lives::actor(),
                        expected_version: None,
                        target,
                        command: lives::command(step),
                        correlation_id: Uuid::now_v7(),
                        causation_id: None,
                        traceparent: None,
                    };
                    match caller.time(async { Ok(bus.execute(request).await?) }).await {
                        Some(outcome) if caller.goes_on() => {
                            target = Target::Entity(outcome.receipt.id)
                        }
                        _ => break,
                    }
                }
            }
            Ok(caller)
        }
    })
    .await
}
