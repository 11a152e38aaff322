//! TLS of the listener: one certificate and its key from files, taken up again when the files change.

mod end;
mod files;
mod handshake;

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use observability::names;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio_rustls::TlsAcceptor;

pub use files::TlsError;
use files::{Content, Files};
pub use handshake::TLS_ONLY;

/// How often the files are looked at: a renewed certificate counts for new connections after this at the latest.
const RENEWAL_LOOK: Duration = Duration::from_secs(2);
/// Sessions that are remembered, so that a client who comes back needs a shorter handshake.
const MAX_SESSIONS: usize = 1_024;
/// What is spoken inside, the best first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS 1.3 and 1.2 with a certificate from files. Clones share it.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: Files,
    /// What the files held when they were first read.
    first: Content,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// What is shown to whoever connects, whatever name they ask for.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl Tls {
    /// Reads a certificate with its chain, the server's own first, and its private key: PEM files.
    ///
    /// # Errors
    /// [`TlsError`] says which file is wrong and what to do.
    pub fn open(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files {
            cert: cert.to_owned(),
            key: key.to_owned(),
        };
        let first = files.read()?;
        let current = Arc::new(Current(RwLock::new(Arc::new(files.pair(&first)?))));
        // By name: with several providers compiled in, rustls would refuse to choose.
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Provider)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        config.session_storage = ServerSessionMemoryCache::new(MAX_SESSIONS);
        Ok(Self(Arc::new(Shared {
            files,
            first,
            current,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })))
    }

    /// When the certificate that is shown ends, in seconds since 1970; `None` where it does not say so in a way we know.
    /// Those of its chain are not looked at: clients find other ways round a link of it that has ended.
    pub fn ends_at(&self) -> Option<i64> {
        let current = self.0.current.0.read();
        let current = current.unwrap_or_else(PoisonError::into_inner);
        end::of(current.end_entity_cert().ok()?)
    }

    /// Shows when the certificate ends.
    fn tell_end(&self) {
        if let Some(end) = self.ends_at() {
            // Exact in a float: seconds stay below 2^53 beyond any year a certificate can name.
            #[allow(clippy::cast_precision_loss)]
            metrics::gauge!(names::API_TLS_CERTIFICATE_END_SECONDS).set(end as f64);
        }
    }

    /// Looks at the files for as long as it is polled: a good new pair is shown from the next connection on; with a
    /// bad one the pair in use stays, and the log says why, once for each change.
    pub(crate) async fn follow(self) {
        // `None` while they cannot be read.
        let mut seen = Some(self.0.first.digest());
        self.tell_end();
        loop {
            tokio::time::sleep(RENEWAL_LOOK).await;
            let tls = self.clone();
            // An error means that the program ends.
            let Ok((now, taken)) = tokio::task::spawn_blocking(move || tls.look(seen)).await else {
                return;
            };
            match taken {
                Some(Ok(())) => {
                    self.tell_end();
                    tracing::info!("a renewed certificate is in use");
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "the certificate in use stays: the new one cannot be used");
                }
                None => {}
            }
            seen = now;
        }
    }

    /// What the files hold now, and what came of it where that is something else than `seen`.
    fn look(&self, seen: Option<[u8; 32]>) -> (Option<[u8; 32]>, Option<Result<(), TlsError>>) {
        let content = match self.0.files.read() {
            Ok(content) => content,
            Err(error) => return (None, seen.map(|_| Err(error))),
        };
        let now = Some(content.digest());
        if now == seen {
            return (now, None);
        }
        let taken = self.0.files.pair(&content).map(|pair| {
            let mut current = (self.0.current.0.write()).unwrap_or_else(PoisonError::into_inner);
            *current = Arc::new(pair);
        });
        (now, Some(taken))
    }
}
