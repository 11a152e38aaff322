//! What is done to the processes.

use sqlx::{Connection, PgConnection};

use super::ledger::{Ledger, postmaster, signal};

/// The append's connection: its last statement is the append, whether it runs or waits.
const WRITER: &str = "select pid from pg_stat_activity \
                      where query like '%ledger_append(%' and pid <> pg_backend_pid() limit 1";
/// Any connection of the ledger.
const ANY: &str = "select pid from pg_stat_activity where application_name = 'ledger' \
                   and backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1";

/// One way to disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `kill -9` of the ledger; its PostgreSQL lives on.
    Ledger,
    /// `kill -9` of the ledger and of its PostgreSQL.
    Both,
    /// `kill -9` of PostgreSQL's main process.
    Postmaster,
    /// `kill -9` of one connection's process: PostgreSQL throws all others out and recovers.
    Backend,
    /// The writer's connection is cut.
    Writer,
}

impl Fault {
    /// The ledger and PostgreSQL by turns.
    pub(super) const fn of_round(round: usize) -> Self {
        match round % 8 {
            0 | 2 | 6 => Self::Ledger,
            4 => Self::Both,
            1 | 5 => Self::Postmaster,
            3 => Self::Writer,
            _ => Self::Backend,
        }
    }

    /// Whether the ledger has to be started again.
    pub(super) const fn ends_ledger(self) -> bool {
        matches!(self, Self::Ledger | Self::Both)
    }

    /// Whether PostgreSQL's main process is another one afterwards.
    pub(super) const fn ends_postgres(self) -> bool {
        matches!(self, Self::Both | Self::Postmaster)
    }

    pub(super) async fn strike(self, ledger: &mut Ledger) {
        match self {
            Self::Ledger => ledger.program.kill(),
            Self::Both => {
                kill_postmaster(ledger);
                ledger.program.kill();
            }
            Self::Postmaster => kill_postmaster(ledger),
            Self::Backend => {
                let mut connection = ledger.superuser().await;
                if let Some(pid) = pid(&mut connection, ANY).await {
                    signal("KILL", pid);
                }
            }
            Self::Writer => {
                let mut connection = ledger.superuser().await;
                let pid = pid(&mut connection, WRITER)
                    .await
                    .expect("the writer is connected");
                let cut = sqlx::query("select pg_terminate_backend($1)")
                    .bind(i32::try_from(pid).unwrap());
                cut.execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

fn kill_postmaster(ledger: &Ledger) {
    signal(
        "KILL",
        postmaster(&ledger.data_dir).expect("PostgreSQL runs"),
    );
}

async fn pid(connection: &mut PgConnection, query: &str) -> Option<u32> {
    let pid: Option<i32> = sqlx::query_scalar(query)
        .fetch_optional(connection)
        .await
        .unwrap();
    pid.map(|pid| u32::try_from(pid).unwrap())
}
