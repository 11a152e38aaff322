//! `ledger serve`: everything wired, until a signal.

mod running;

use std::sync::Arc;
use std::time::Duration;

use api_graphql::auth::{AuthConfig, Authenticator, RegionStores, TokenRequest};
use api_graphql::backend::Live;
use api_graphql::health::{LedgerParts, Lifecycle};
use api_graphql::limits::Limits;
use api_graphql::operations::{AllowList, SharedOperations};
use api_graphql::{ApiState, FeedState, LogEvents, ServeOptions, Tls};
use commands::CommandBus;
use commands::process::{ProcessOptions, Processes};
use commands::stores::{self, StoreDirectory};
use domain::actor::Role;
use domain::ids::{RegionId, StoreId};
use observability::exporter;
use projections::cache::{self, BackEnd, Cache, Touched};
use projections::changes::Changes;
use projections::{Model, Nodes, ReadDb, Runner};
use secrecy::ExposeSecret;
use store::Log;
use store::wake::Wake;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use self::running::Running;
use super::Context;
use crate::config::{CacheBackEnd, Config};
use crate::database::{self, Database};
use crate::embedded::{ServerState, plain};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Style};
use crate::seals::{SealKey, Sealing};
use crate::{demo, notify, operations};

/// How often the log is looked at when its news do not come through.
const POLL: Duration = Duration::from_millis(500);
/// How often the stores of the regions are read again.
const STORES_REFRESH: Duration = Duration::from_secs(10);
/// A read model further behind than this makes `/readyz` say so.
const LAG_LIMIT: Duration = Duration::from_secs(10);
/// Between the 503 of `/readyz` and the closing of the door.
const NOTICE: Duration = Duration::from_millis(500);
/// What a stop needs beside the requests in work: the log's writer, the read models, the database.
const CLOSING: Duration = Duration::from_secs(5);
/// How often the log's writer is looked at.
const WRITER_LOOK: Duration = Duration::from_secs(1);
/// How long the token lives that a start prints.
const FIRST_TOKEN: Duration = Duration::from_secs(12 * 60 * 60);

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let config = &context.loaded.config;
    // Before anything slow: a certificate that is none, or a port in use, is known at once.
    let tls = tls(config)?;
    let listener = bind("listen", config.listen).await?;
    let operations = match config.ops_listen {
        Some(address) => Some(bind("ops_listen", address).await?),
        None => None,
    };
    let stop = stop_signal()?;
    // Before anything measures: what is recorded without a recorder is lost.
    exporter::install().map_err(|error| Failure::new(Exit::Failed, error))?;
    let database = Database::open_alone(config).await?;
    let doors = Doors {
        public: listener,
        tls,
        operations,
    };
    let served = serve(&context, &database, doors, stop).await;
    let closed = database.close().await;
    served?;
    closed?;
    Ok(Exit::Done)
}

async fn serve(
    context: &Context,
    database: &Database,
    doors: Doors,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let config = &context.loaded.config;
    let allowed = operations::allowed(config)?;
    database.bring_up_to_date(config).await?;
    let mut running = Running::over(database.log(config).await?);
    let served = work(context, database, doors, stop, allowed, &mut running).await;
    running.stop(served.is_err()).await;
    served
}

/// Starts everything over the log, and answers until told to stop. What was started is in `running`, however it ends.
async fn work(
    context: &Context,
    database: &Database,
    doors: Doors,
    stop: watch::Receiver<bool>,
    allowed: Option<AllowList>,
    running: &mut Running,
) -> Result<(), Failure> {
    let config = &context.loaded.config;
    let log = running.log.clone();
    let vault = database.vault(config, &log).await?;
    if config.demo {
        demo::load(&log, &vault)
            .await
            .map_err(|error| Failure::new(Exit::Failed, error))?;
    }
    let bus = database::bus(config, &log, &vault);
    stores::adopt(&bus)
        .await
        .map_err(|error| Failure::new(Exit::Database, error))?;
    let wake = Wake::listen(log.pool().clone(), log.log_id(), POLL);
    running.processes = config
        .processes
        .then(|| Processes::spawn(&bus, &wake, ProcessOptions::default()));
    let runner = Runner::spawn(&Model::ALL, log.clone(), wake.clone());
    let runner = running.runner.insert(runner);
    running.sealing = sealing(config, &log)?;
    let stores = bus.stores().clone();
    stores.refresh().await.map_err(database::failure)?;
    running.refreshing = Some(tokio::spawn(refresh(stores.clone())));
    let authenticator = authenticator(config, stores)?;
    let read = read_side(config, database).await?;
    let authenticated = authenticator.clone();
    let state = state(config, read, &bus, runner, &wake, authenticated, allowed).await?;
    // The API alone waits for news from now on; without it the listening ends.
    drop(wake);
    greet(
        context,
        &authenticator,
        doors.public.local_addr().map_err(failed)?,
    )?;
    notify::ready();

    let options = serve_options(config, &state);
    let ended = ended(
        stop,
        database.started().map(|server| server.state()),
        log.clone(),
    );
    let (told, reason) = watch::channel(None);
    let watching = tokio::spawn(async move {
        told.send_replace(Some(ended.await));
        told.closed().await;
    });
    let mut asked = reason.clone();
    let until = async move {
        // An error means that the watcher is gone: stop as well.
        let _ = asked.wait_for(Option::is_some).await;
        notify::stopping();
    };
    let served = answer(state, doors, options, until).await;
    let end = reason.borrow().clone();
    watching.abort();
    served.map_err(failed)?;
    match end {
        Some(Ended::DatabaseLost(why)) => Err(Failure::new(Exit::Database, why)),
        Some(Ended::WriterLost) => Err(Failure::new(
            Exit::Failed,
            "the task that writes the log was ended by a fault of the program",
        )
        .hint("start the ledger again; nothing acknowledged is lost")),
        _ => Ok(()),
    }
}

/// What seals the head of the log, where there is a key for it.
fn sealing(config: &Config, log: &Log) -> Result<Option<Sealing>, Failure> {
    let Some(file) = config.seal_key() else {
        tracing::info!("the log is not sealed: seals.key_file is not set");
        return Ok(None);
    };
    let key = SealKey::load_or_make(&file).map_err(|error| Failure::new(Exit::Config, error))?;
    Ok(Some(Sealing::start(log, key, config.seals.every.0)))
}

/// Where requests come in.
struct Doors {
    public: TcpListener,
    /// What encrypts the public one.
    tls: Option<Tls>,
    /// Health and metrics, where they have a door of their own: it stays plain.
    operations: Option<TcpListener>,
}

/// The certificate, where one is set.
fn tls(config: &Config) -> Result<Option<Tls>, Failure> {
    let Some((cert, key)) = config.tls_files() else {
        return Ok(None);
    };
    Tls::open(cert, key)
        .map(Some)
        .map_err(|error| Failure::new(Exit::Config, error))
}

/// Answers requests until told to stop and the last one is answered.
async fn answer(
    state: ApiState,
    doors: Doors,
    options: ServeOptions,
    until: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (over, mut public_over) = watch::channel(false);
    let public = async {
        let router = api_graphql::router(state.clone());
        let options = ServeOptions {
            tls: doors.tls,
            ..options.clone()
        };
        let served = api_graphql::serve(doors.public, router, options, until).await;
        over.send_replace(true);
        served
    };
    // Health and metrics are answered until the last request is: the drain is what one wants to watch.
    let private = async {
        let Some(listener) = doors.operations else {
            return Ok(());
        };
        let router = api_graphql::operations_router(&state);
        let options = ServeOptions {
            notice: Duration::ZERO,
            drain: NOTICE,
            ..options.clone()
        };
        let over = async move {
            // An error means that the public side is gone.
            let _ = public_over.wait_for(|over| *over).await;
        };
        api_graphql::serve(listener, router, options, over).await
    };
    let (public, private) = tokio::join!(public, private);
    public.and(private)
}

/// What queries are read through, once it is known that they can be.
async fn read_side(config: &Config, database: &Database) -> Result<ReadDb, Failure> {
    let pools = database.reading_pools(config);
    Database::check_readers(&pools).await?;
    Ok(ReadDb::new(pools))
}

async fn state(
    config: &Config,
    read: ReadDb,
    bus: &CommandBus,
    runner: &Runner,
    wake: &Wake,
    authenticator: Arc<Authenticator>,
    allowed: Option<AllowList>,
) -> Result<ApiState, Failure> {
    let log = bus.log();
    let figures = exporter::install().map_err(|error| Failure::new(Exit::Failed, error))?;
    let (cache, touched) = cache(config, log).await?;
    let nodes = Nodes::with_replicas(
        read.clone(),
        runner.freshness(read.clone()),
        log.log_id(),
        Database::replica_pools(config)?,
        config.replica_max_lag.0,
    );
    let live = Live {
        bus: bus.clone(),
        nodes: nodes.clone(),
        log: log.clone(),
        changes: Changes::follow(log, wake.clone(), touched)
            .await
            .map_err(database::failure)?,
        cache: cache.clone(),
    };
    Ok(ApiState {
        backend: live.shared(),
        authenticator,
        parts: Arc::new(LedgerParts {
            log: log.clone(),
            nodes,
            lag_limit: LAG_LIMIT,
        }),
        lifecycle: Lifecycle::default(),
        render_metrics: Arc::new(move || figures.render()),
        limits: limits(config),
        rates: config.rates()?,
        persisted: Some(Arc::new(SharedOperations::new(cache))),
        allowed: allowed.map(Arc::new),
        introspection: config.introspection_enabled(),
        graphiql: config.graphiql_enabled(),
        operations: config.ops_listen.is_none(),
        feed: Some(FeedState {
            events: Arc::new(LogEvents {
                log: log.clone(),
                wake: wake.clone(),
            }),
            environment: config.environment.clone(),
        }),
    })
}

/// Where answers are kept, and what must be told of changes so that none is too old.
async fn cache(config: &Config, log: &Log) -> Result<(Cache, Option<Touched>), Failure> {
    let bytes = config.cache.bytes.0;
    let touched = Touched::default();
    let made = match (config.cache.back_end, &config.cache.redis_url) {
        (CacheBackEnd::None, _) => return Ok((Cache::default(), None)),
        (CacheBackEnd::Redis, Some(url)) => {
            let secret = database::master_key(config)?;
            let ledger = cache::identity(log, &config.environment).await;
            let ledger = ledger.map_err(|error| Failure::new(Exit::Database, error))?;
            let redis = BackEnd::Redis {
                bytes,
                url: url.expose_secret(),
                secret: secret.expose_secret(),
                ledger: &ledger,
            };
            Cache::new(&redis, touched.clone())
        }
        _ => Cache::new(&BackEnd::Memory { bytes }, touched.clone()),
    };
    let cache = made.map_err(|error| Failure::new(Exit::Config, error))?;
    Ok((cache, Some(touched)))
}

fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        body_bytes: usize::try_from(limits.body_bytes.0).unwrap_or(usize::MAX),
        in_flight: limits.in_flight,
        connections: limits.connections,
        connections_per_address: limits.connections_per_address,
        request_timeout: limits.request_timeout.0,
        header_timeout: limits.header_timeout.0,
        cost: limits.cost,
    }
}

fn serve_options(config: &Config, state: &ApiState) -> ServeOptions {
    let grace = config.shutdown_grace.0;
    ServeOptions {
        limits: state.limits,
        rates: state.rates.clone(),
        tls: None,
        lifecycle: state.lifecycle.clone(),
        notice: NOTICE.min(grace),
        drain: grace.saturating_sub(NOTICE).saturating_sub(CLOSING),
    }
}

/// The authenticator's settings, shared with `ledger token`.
pub(super) fn auth_config(config: &Config) -> AuthConfig {
    AuthConfig {
        local_keys: config.token_keys(),
        jwks_url: config.auth.jwks_url.clone(),
        issuer: config.auth.issuer.clone(),
        audience: config.auth.audience.clone(),
    }
}

fn authenticator(config: &Config, stores: StoreDirectory) -> Result<Arc<Authenticator>, Failure> {
    let authenticator = Authenticator::open(auth_config(config), Arc::new(Regions(stores)))
        .map_err(|error| Failure::new(Exit::Config, error))?;
    Ok(Arc::new(authenticator))
}

/// Reads the stores of the regions again and again; never ends.
async fn refresh(stores: StoreDirectory) {
    loop {
        tokio::time::sleep(STORES_REFRESH).await;
        if let Err(error) = stores.refresh().await {
            tracing::warn!(%error, "the stores of the regions could not be read again");
        }
    }
}

struct Regions(StoreDirectory);

impl RegionStores for Regions {
    fn stores_of(&self, region: &RegionId) -> Vec<StoreId> {
        self.0.in_region(region)
    }
}

/// Why the program ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Asked,
    DatabaseLost(String),
    WriterLost,
}

async fn ended(
    mut stop: watch::Receiver<bool>,
    server: Option<watch::Receiver<ServerState>>,
    log: Log,
) -> Ended {
    let writer_lost = async {
        while log.is_writing() {
            tokio::time::sleep(WRITER_LOOK).await;
        }
    };
    let lost = async {
        match server {
            Some(mut state) => {
                let failed = |state: &ServerState| matches!(state, ServerState::Failed(_));
                match state.wait_for(failed).await.as_deref() {
                    Ok(ServerState::Failed(why)) => why.clone(),
                    _ => "the private database's supervisor ended".to_owned(),
                }
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Ended::Asked,
        why = lost => Ended::DatabaseLost(why),
        () = writer_lost => Ended::WriterLost,
    }
}

/// Turns true at the first SIGTERM or Ctrl-C; a second one ends the program at once.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.send_replace(true) {
                tracing::warn!("a second signal: ending at once");
                std::process::exit(Exit::Failed.code().into());
            }
        }
    });
    Ok(stopped)
}

async fn bind(key: &str, address: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("another program listens there; stop it, or set {key} to another port")
            }
            std::io::ErrorKind::PermissionDenied => {
                format!("ports below 1024 need more rights; set {key} to a higher one")
            }
            _ => format!("set {key} to an address of this machine"),
        };
        Failure::new(
            Exit::Environment,
            format!("cannot listen on {address}: {}", plain(&error)),
        )
        .hint(hint)
    })
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(Exit::Failed, error)
}

/// What a person needs to begin. The token is shown to people and in demos only: it must not end in a log.
fn greet(
    context: &Context,
    authenticator: &Authenticator,
    address: std::net::SocketAddr,
) -> Result<(), Failure> {
    let config = &context.loaded.config;
    let output: Output = context.output;
    if output.is_json() || !(config.demo || output.is_terminal()) {
        return Ok(());
    }
    let request = TokenRequest {
        subject: "first-token".to_owned(),
        role: Role::Admin,
        stores: Vec::new(),
        region: None,
        scope: None,
        load_test: false,
        lifetime: FIRST_TOKEN,
    };
    let bold = |text: &str| output.styled(Style::Bold, text);
    let url = format!("{}://{address}", config.scheme());
    output.line(format!("\n{}  {url}", bold("Order Ledger is ready.")))?;
    let Ok(token) = authenticator.issue(&request) else {
        return Ok(());
    };
    let curl = format!(
        "curl -s {url}/graphql -H 'content-type: application/json' -H \"authorization: Bearer $TOKEN\" \\\n     -d"
    );
    output.line(format!("\n{} (admin, 12 hours)\n{token}", bold("Token")))?;
    output.line(format!("\n{}", bold("Try")))?;
    if config.graphiql_enabled() {
        output.line(format!(
            "  1. Open {url}/graphiql, paste the token under Headers, place an order and walk it to delivered."
        ))?;
    }
    output.line(format!(
        "  2. TOKEN=<the token>; {curl} '{{\"query\":\"{{ storeBoard {{ storeId status count }} }}\"}}'"
    ))?;
    let program = std::env::current_exe();
    let program = program.map_or_else(|_| "ledger".to_owned(), |path| path.display().to_string());
    output.line(format!("  3. {program} doctor\n\nCtrl-C stops everything."))
}
