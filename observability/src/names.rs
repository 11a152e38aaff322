//! The names of every metric, with unit and meaning.
//!
//! Durations are histograms in seconds, sizes are counts or bytes, as the name's ending says.

// ---- store -------------------------------------------------------------------------------------

/// Histogram: commands that went to the database in one append call.
pub const APPEND_BATCH_COMMANDS: &str = "ledger_append_batch_commands";

/// Histogram: seconds from handing a command to the log until its answer (queue, call, commit).
pub const APPEND_SECONDS: &str = "ledger_append_seconds";

/// Histogram: seconds one append call took, round trip and commit included.
pub const APPEND_CALL_SECONDS: &str = "ledger_append_call_seconds";

/// Histogram: seconds an append call waited in the database for the head of the log. High values
/// mean that another process, or an open transaction, holds it.
pub const HEAD_LOCK_WAIT_SECONDS: &str = "ledger_head_lock_wait_seconds";

/// Counter: commands answered by the log, by label `outcome` (`appended`, `replayed`, `conflict`,
/// `reused`, `claimed`, `key_exists`, `invalid`, `unavailable`, `unknown`, `overloaded`).
pub const APPEND_COMMANDS_TOTAL: &str = "ledger_append_commands_total";

/// Counter: append calls sent again because the connection was lost while they were under way.
pub const APPEND_RESENT_TOTAL: &str = "ledger_append_resent_total";

/// Gauge: commands that wait for the writer.
pub const APPEND_QUEUE_COMMANDS: &str = "ledger_append_queue_commands";

/// Gauge: open connections of the pool, by label `state` (`idle`, `used`).
pub const POOL_CONNECTIONS: &str = "ledger_pool_connections";

/// Counter: times the listener for new events lost its connection and readers fell back to
/// polling.
pub const WAKE_LOST_TOTAL: &str = "ledger_wake_lost_total";

/// Counter: seals of the chain's head that this process made.
pub const SEALS_TOTAL: &str = "ledger_seals_total";

/// Gauge: the position of the last seal that this process made.
pub const SEALED_POSITION: &str = "ledger_sealed_position";

// ---- projections -------------------------------------------------------------------------------
// All carry the label `projection`.

/// Gauge: events in the log that the read model has not applied.
pub const PROJECTION_LAG_EVENTS: &str = "ledger_projection_lag_events";

/// Gauge: seconds for which the oldest event that the read model has not applied has been in the
/// log; 0 when there is none.
pub const PROJECTION_LAG_SECONDS: &str = "ledger_projection_lag_seconds";

/// Gauge: 1 when the read model stands still at an event it cannot apply.
pub const PROJECTION_FAILED: &str = "ledger_projection_failed";

/// Histogram: seconds from a page's first lock to its commit.
pub const PROJECTION_APPLY_SECONDS: &str = "ledger_projection_apply_seconds";

/// Histogram: events of one applied page.
pub const PROJECTION_BATCH_EVENTS: &str = "ledger_projection_batch_events";

/// Counter: events applied.
pub const PROJECTION_EVENTS_TOTAL: &str = "ledger_projection_events_total";

/// Counter: pages tried again after an error that may pass.
pub const PROJECTION_RETRIES_TOTAL: &str = "ledger_projection_retries_total";

// ---- cache -------------------------------------------------------------------------------------

/// Counter: reads that may be answered from the cache, by labels `read` (which) and `outcome` (`hit`, `shared`: found in
/// Redis, `read`: from the database, `bypassed`: what changed is not known well enough).
pub const CACHE_READS_TOTAL: &str = "ledger_cache_reads_total";

/// Gauge: bytes of kept answers, as they are written.
pub const CACHE_BYTES: &str = "ledger_cache_bytes";

/// Counter: requests of the shared cache that failed, by label `reason` (`unreachable`, `forged`: somebody else wrote
/// there).
pub const CACHE_SHARED_FAILURES_TOTAL: &str = "ledger_cache_shared_failures_total";

// ---- replicas ----------------------------------------------------------------------------------

/// Counter: fields of queries, by labels `node` (`primary`, `replica-1` ..) and `reason`. A replica is read
/// because it is `close`; the primary because it is the `only_node`, or of how the replica stands (a state
/// of [`REPLICA_STATE`]), because the replica was `stale` for what was demanded, or once `again` after a
/// failure there (such a field counts for both nodes).
pub const READS_TOTAL: &str = "ledger_reads_total";

/// Gauge: 1 for the state that a replica is in, by labels `node` and `state` (`ready`, `unknown`, `lagging`,
/// `unreachable`, `no_primary`, `promoted`, `foreign`). `promoted` and `foreign` need an operator.
pub const REPLICA_STATE: &str = "ledger_replica_state";

/// Gauge: seconds for which the primary has been where the replica, label `node`, is not yet; 0 when idle.
pub const REPLICA_LAG_SECONDS: &str = "ledger_replica_lag_seconds";

/// Gauge: events that the replica, label `node`, does not show yet.
pub const REPLICA_LAG_EVENTS: &str = "ledger_replica_lag_events";

// ---- commands ----------------------------------------------------------------------------------

/// Histogram: seconds from a command's arrival at the bus to its answer, by labels `command` and
/// `outcome` (`done`, `already_applied`, `replayed`, or why it was not carried out).
pub const COMMAND_SECONDS: &str = "ledger_command_seconds";

/// Histogram: seconds that a step of an order's workflow took before its events went to the log, by label
/// `step` (`validate`, `enrich`, `calculate`, `allocate`, `pay`, `release`).
pub const STEP_SECONDS: &str = "ledger_step_seconds";

/// Counter: decisions overtaken by another command on the same entity.
pub const COMMAND_CONFLICTS: &str = "ledger_command_conflicts_total";

/// Counter: snapshots that disagreed with their events and were deleted. Must stay 0.
pub const SNAPSHOT_MISMATCHES: &str = "ledger_snapshot_mismatches_total";

// ---- processes ---------------------------------------------------------------------------------
// What the ledger does by itself. All but the workflow's and the day end's carry the label `process`.

/// Gauge: events in the log that the process is not done with.
pub const PROCESS_LAG_EVENTS: &str = "ledger_process_lag_events";

/// Gauge: seconds for which the oldest event that the process is not done with has been in the log;
/// 0 when there is none. Up to a second when all is well.
pub const PROCESS_LAG_SECONDS: &str = "ledger_process_lag_seconds";

/// Gauge: 1 when the process stands still at an event it cannot take in.
pub const PROCESS_FAILED: &str = "ledger_process_failed";

/// Counter: events read.
pub const PROCESS_EVENTS_TOTAL: &str = "ledger_process_events_total";

/// Counter: pages tried again after an error that may pass.
pub const PROCESS_RETRIES_TOTAL: &str = "ledger_process_retries_total";

/// Counter: commands given, by labels `command` and `outcome` (as for [`COMMAND_SECONDS`]).
pub const PROCESS_COMMANDS_TOTAL: &str = "ledger_process_commands_total";

/// Histogram: seconds from an order's arrival in the log to its release by the workflow.
pub const WORKFLOW_SECONDS: &str = "ledger_workflow_seconds";

/// Histogram: seconds that one step of the workflow took, by label `step` (`allocate`, `pay`,
/// `release`).
pub const WORKFLOW_STEP_SECONDS: &str = "ledger_workflow_step_seconds";

/// Counter: runs of an order, by label `outcome` (`released`, `awaits_release`, `back_ordered`,
/// `cancelled`, `refused`, `unknown`, `fault`). `unknown` and `fault` are defects.
pub const WORKFLOW_ORDERS_TOTAL: &str = "ledger_workflow_orders_total";

/// Counter: timers that fired, by labels `kind` (`approval`, `stuck`, `collection`) and `outcome`
/// (`done`, `nothing_to_do`, `refused`, `fault`).
pub const TIMERS_FIRED_TOTAL: &str = "ledger_timers_fired_total";

/// Histogram: seconds by which a timer fired late, by label `kind`.
pub const TIMER_LATE_SECONDS: &str = "ledger_timer_late_seconds";

/// Histogram: seconds that one round of the day end took: up to 200 remittances told what is
/// expected of them.
pub const DAY_END_SECONDS: &str = "ledger_day_end_seconds";

/// Counter: items that remittances were told of.
pub const DAY_END_ITEMS_TOTAL: &str = "ledger_day_end_items_total";

/// Counter: orders whose cash a closed remittance settled, by label `outcome` (`done`, `refused`,
/// `fault`).
pub const CASH_SETTLED_TOTAL: &str = "ledger_cash_settled_total";

// ---- api ---------------------------------------------------------------------------------------

/// Histogram: seconds from the end of a request's headers to its answer, by labels `operation` (the
/// top-level field, `several`, `introspection`, `unknown` or `none`) and `status` (the HTTP code).
pub const API_REQUEST_SECONDS: &str = "ledger_api_request_seconds";

/// Gauge: GraphQL requests in work.
pub const API_IN_FLIGHT: &str = "ledger_api_in_flight";

/// Gauge: open streams of the event feed.
pub const API_FEED_STREAMS: &str = "ledger_api_feed_streams";

/// Gauge: reads of the event feed that may wait for news.
pub const API_FEED_WAITING: &str = "ledger_api_feed_waiting";

/// Gauge: clients that subscribe over GraphQL.
pub const API_LIVE_STREAMS: &str = "ledger_api_live_streams";

/// Gauge: open connections, those included whose TLS handshake is under way.
pub const API_CONNECTIONS: &str = "ledger_api_connections";

/// Counter: connections accepted. What requests are by this is how well clients keep theirs open.
pub const API_CONNECTIONS_TOTAL: &str = "ledger_api_connections_total";

/// Counter: connections that the ledger closed, by label `reason` (`address`: at once, since as many of their address were
/// open as may be; `unread`: their client took nothing of an answer for 30 s).
pub const API_CONNECTIONS_CLOSED_TOTAL: &str = "ledger_api_connections_closed_total";

/// Counter: connections that ended before their TLS handshake did, by label `reason` (`plain`: no TLS was spoken, `slow`,
/// `closed`: the peer was gone, `failed`: no common version, or the certificate is not trusted).
pub const API_TLS_REFUSED_TOTAL: &str = "ledger_api_tls_refused_total";

/// Gauge: when the certificate that is shown ends, in seconds since 1970. Without TLS there is none.
pub const API_TLS_CERTIFICATE_END_SECONDS: &str = "ledger_api_tls_certificate_end_seconds";

/// Counter: requests turned away before they ran, by label `reason` (a code of the answer).
pub const API_REJECTED_TOTAL: &str = "ledger_api_rejected_total";

/// Counter: operations named by their hash, by label `outcome` (`hit`, `miss`, `stored`, `mismatch`, `not_allowed`, and
/// `foreign`: a store gave a text that is not its hash's, which must stay 0).
pub const API_PERSISTED_TOTAL: &str = "ledger_api_persisted_total";

/// Counter: requests and operations turned away because a quota of a minute was spent, by labels `limit` (`requests`,
/// `points`, `address`) and `class` (`user`, `partner`, `operations`, `load`; `none` for an address).
pub const API_RATE_LIMITED_TOTAL: &str = "ledger_api_rate_limited_total";

/// Counter: requests that panicked and were answered with 500. Anything but zero is a defect.
pub const API_PANICS_TOTAL: &str = "ledger_api_panics_total";
