//! Every bound of the API, in one place. What is beyond a bound is refused with its name, never cut short.

use std::time::Duration;

/// The bounds that an operator may change; [`Limits::default`] holds the figures we stand by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Request body, in bytes.
    pub body_bytes: usize,
    /// Requests in work at once; the next is told to come back. A command waits about 3 ms for its batch, so 512
    /// in work are far more than the log can take in that time.
    pub in_flight: usize,
    /// Open connections at once.
    pub connections: usize,
    /// Open connections of one address, WebSockets included; 0 is no limit.
    pub connections_per_address: usize,
    /// From the first byte of the body to the answer.
    pub request_timeout: Duration,
    /// From the connection's acceptance, or the last answer, to the end of the headers.
    pub header_timeout: Duration,
    /// Cost points of one operation: a page of 100 full orders with their lines costs about 10,000.
    pub cost: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            in_flight: 512,
            connections: 2048,
            // Sixteen addresses are needed to take every place, and an office behind one has enough.
            connections_per_address: 128,
            request_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            cost: 20_000,
        }
    }
}

/// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
pub const MAX_DISCARDED_BYTES: usize = 16 * 1024 * 1024;
/// The same of what is sent without TLS where TLS is spoken.
pub const MAX_DISCARDED_PLAIN_BYTES: u64 = 64 * 1024;
/// From an accepted connection to the end of its TLS handshake.
pub const TLS_HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Line and headers of one request, in bytes, by either version of HTTP; beyond it the answer is 431.
pub const MAX_HEAD_BYTES: u32 = 64 * 1024;
/// Headers of one request by HTTP/1.1.
pub const MAX_HEADERS: usize = 100;
/// Streams a client may have open on one HTTP/2 connection.
pub const MAX_STREAMS: u32 = 128;
/// How long an HTTP/2 peer may take to answer a ping, which it gets every `header_timeout`.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client may take nothing of what it is answered; then its connection is closed.
pub const SEND_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of an answer by HTTP/2 that are handed on at once; what its client must take within [`SEND_LIMIT`].
pub const MAX_PIECE_BYTES: usize = 16 * 1024;
/// Lexical tokens of a document. An inline order of 20 full lines has about 2,500.
pub const MAX_TOKENS: usize = 10_000;
/// Brackets open at once in a document: parsing recurses on them.
pub const MAX_NESTING: usize = 40;
/// Field levels of an operation.
pub const MAX_DEPTH: usize = 12;
/// Field levels below `__schema` and `__type`: GraphiQL's own query has 14.
pub const MAX_INTROSPECTION_DEPTH: usize = 18;
/// About how many fields introspection may answer: GraphiQL's own query is estimated at half of it.
pub const MAX_DESCRIBED: usize = 1_000_000;
/// Fragments spread within fragments.
pub const MAX_FRAGMENT_DEPTH: usize = 16;
/// Selected fields, fragments spread out. Bounds the work of everything that walks the document.
pub const MAX_FIELDS: usize = 2_000;
/// Aliases of an operation, fragments spread out.
pub const MAX_ALIASES: usize = 50;
/// Directives of an operation, fragments spread out.
pub const MAX_DIRECTIVES: usize = 50;
/// Top-level fields of a mutation: each one is a command of its own.
pub const MAX_MUTATIONS: usize = 10;
/// Errors reported for one request.
pub const MAX_ERRORS: usize = 20;
/// The most items one page of a list may have.
pub const MAX_PAGE: i64 = 100;
/// Nodes that are read for at once; one page more may join them. The database's own bound is 1,000.
pub const MAX_BATCH: usize = 900;
/// Items of a page when nobody says.
pub const DEFAULT_PAGE: i64 = 25;
/// Fields that may differ between two states of an order: one of 200 lines has about 10,000.
pub const MAX_CHANGES: usize = 20_000;
/// Refusals of one request, or of one subscription, that are remembered so as to be audited once.
pub const MAX_REFUSALS: usize = 2_000;
/// How long a read may wait for its `minPosition`, in milliseconds.
pub const MAX_FRESH_WAIT_MS: i64 = 1_000;
/// How long a read waits for its `minPosition` when nobody says, in milliseconds.
pub const DEFAULT_FRESH_WAIT_MS: i64 = 100;
/// What a client that is turned away shall wait, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// WebSockets open at once, those included whose client has not said yet who it is.
pub const MAX_LIVE_SOCKETS: usize = 512;
/// Operations in work at once on one WebSocket.
pub const MAX_LIVE_OPERATIONS: usize = 50;
/// Answers of a WebSocket's operations that wait for the client to take them.
pub const MAX_LIVE_ANSWERS: usize = 16;
/// How long a WebSocket may be open before its client says who it is.
pub const LIVE_INIT_LIMIT: Duration = Duration::from_secs(10);
/// How often an idle stream of answers shows that it lives.
pub const LIVE_HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may take to take an answer; then its WebSocket is closed.
pub const LIVE_SEND_LIMIT: Duration = Duration::from_secs(30);
/// How long a subscription waits for a read model before it asks again.
pub const LIVE_LOOK: Duration = Duration::from_secs(5);
/// The least time between two answers of one watched board.
pub const LIVE_BOARD_PAUSE: Duration = Duration::from_millis(200);

/// Events of a page of the feed when nobody says.
pub const DEFAULT_FEED_EVENTS: i64 = 100;
/// The most events one page of the feed may have.
pub const MAX_FEED_EVENTS: i64 = 500;
/// Events of the log that one page looks at: a filter that fits few of them answers fewer and a cursor that moved.
pub const MAX_FEED_WINDOW: i64 = 10_000;
/// Bytes of events on one page; the event that goes beyond them is left to the next page, unless it is the first.
pub const MAX_FEED_BYTES: usize = 4 * 1024 * 1024;
/// How long a read of the feed may wait for news, in seconds.
pub const MAX_FEED_WAIT_SECONDS: u64 = 30;
/// Event types that one read of the feed may name: more than there are.
pub const MAX_FEED_TYPES: usize = 100;
/// Reads of the feed in work at once; those that only wait for news are not among them.
pub const MAX_FEED_REQUESTS: usize = 256;
/// Reads of the seals that are with the database at once: auditors do not queue behind the feed.
pub const MAX_SEAL_READS: usize = 2;
/// Reads of the feed that are with the database at once: commands need its connections more.
pub const MAX_FEED_READS: usize = 4;
/// Streams of the feed open at once; as many reads of it may wait for news.
pub const MAX_FEED_STREAMS: usize = 256;
/// Streams of the feed that one token may have open at once; as many of its reads may wait for news.
pub const MAX_FEED_STREAMS_PER_TOKEN: usize = 8;
/// How often an idle stream shows that it lives.
pub const FEED_HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a reader of a stream may take to make room for the next page; then the stream ends.
pub const FEED_SEND_LIMIT: Duration = Duration::from_secs(30);
/// How often the log is looked at when news of it do not come through.
pub const FEED_LOOK: Duration = Duration::from_secs(5);
/// What a client with too many streams shall wait, in seconds.
pub const FEED_RETRY_AFTER_SECONDS: u64 = 5;
