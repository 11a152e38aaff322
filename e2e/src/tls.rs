//! Certificates of a test's own, and clients that trust them.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A certificate for 127.0.0.1 that vouches for itself, and its key: two PEM files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one under a directory.
    pub fn make(directory: &Path, name: &str) -> Self {
        Self::make_for(directory, name, 2)
    }

    /// The same for so many days.
    pub fn make_for(directory: &Path, name: &str, days: u32) -> Self {
        let made = Self {
            cert: directory.join(format!("{name}.crt")),
            key: directory.join(format!("{name}.key")),
        };
        let output = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-nodes",
                "-days",
                &days.to_string(),
            ])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", &format!("/CN={name}")])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&made.key)
            .arg("-out")
            .arg(&made.cert)
            .output()
            .expect("openssl runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        made
    }

    /// Puts another pair in the place of this one, each file in one step.
    pub fn replace_by(&self, other: &Self) {
        for (from, to) in [(&other.cert, &self.cert), (&other.key, &self.key)] {
            let beside = to.with_extension("new");
            std::fs::copy(from, &beside).unwrap();
            std::fs::rename(&beside, to).unwrap();
        }
    }

    /// The variables of a ledger that shows it.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [
            ("LEDGER_TLS_CERT", self.cert.display().to_string()),
            ("LEDGER_TLS_KEY", self.key.display().to_string()),
        ]
    }

    /// A client that trusts it alone, and offers these protocols.
    pub fn trust(&self, protocols: &[&str]) -> Trust {
        self.trust_in(protocols, rustls::ALL_VERSIONS)
    }

    /// The same, by these versions of TLS.
    pub fn trust_in(
        &self,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Trust {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(&self.cert).unwrap())
            .unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let offered = protocols.iter().map(|name| name.as_bytes().to_vec());
        config.alpn_protocols = offered.collect();
        Trust(TlsConnector::from(Arc::new(config)))
    }
}

/// What a client trusts and offers.
#[derive(Clone)]
pub struct Trust(TlsConnector);

impl Trust {
    /// The client's side of the handshake.
    ///
    /// # Errors
    /// The server shows another certificate, or nothing is in common.
    pub async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        self.0.connect(name, stream).await
    }
}
