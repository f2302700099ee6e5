//! How the connection to a history's server is secured: `sslmode` and `sslrootcert` of its URL.
//!
//! The modes are libpq's. `prefer` and `allow` are not among them: they go on in plain text, silently, where there is no TLS.

use std::path::Path;
use std::sync::Arc;

use lockbench_reports::format::printable;
use postgres::config::{Host, SslMode};
use postgres::{Config, NoTls};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, input};

/// The password is taken from here where the URL has none: a command line can be seen by every user of the machine.
const PASSWORD: &str = "PGPASSWORD";

/// A server, and how it is spoken to.
#[derive(Debug)]
pub(super) struct Server {
    config: Config,
    security: Security,
}

/// What a connection promises.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Security {
    /// Nothing: `disable`.
    Plain,
    /// Nobody on the way can read it, unless the server is another than it seems: `require`.
    Encrypted,
    /// The server is also the one that the URL names, by a certificate of these authorities; the machine's own if none is given:
    /// `verify-full`.
    Verified { authorities: Option<String> },
}

impl Server {
    /// Reads a URL. Where it states no `sslmode`, a connection that leaves the machine has to be verified.
    pub(super) fn at(url: &str) -> Result<Self, Error> {
        Self::with_password(url, std::env::var(PASSWORD).ok())
    }

    fn with_password(url: &str, password: Option<String>) -> Result<Self, Error> {
        let (rest, mode, authorities) = taken_out(url)?;
        let mut config: Config = rest.parse().map_err(|e: postgres::Error| {
            use std::error::Error as _;
            let why = e.source().map_or_else(|| e.to_string(), ToString::to_string);
            Error::usage(format!("the URL of the history's server cannot be read: {}", printable(&why)))
        })?;
        let on_this_machine = stays_here(&config);
        let security = match (mode.as_deref(), authorities) {
            (Some("disable"), None) => Security::Plain,
            (None, None) if on_this_machine => Security::Plain,
            (Some("require"), None) => Security::Encrypted,
            (Some("verify-full") | None, authorities) => Security::Verified { authorities },
            (Some("disable" | "require"), Some(_)) => {
                return Err(Error::usage(
                    "sslrootcert is what a server is verified by: it goes with sslmode=verify-full",
                ));
            }
            (Some(other), _) => {
                return Err(Error::usage(format!(
                    "sslmode is disable, require or verify-full, not `{}`: nothing here falls back to plain text",
                    other.escape_debug()
                )));
            }
        };
        let on_a_socket = config.get_hosts().iter().any(|host| matches!(host, Host::Unix(_)));
        if on_a_socket && security != Security::Plain {
            return Err(Error::usage("a socket of this machine takes no TLS: leave out sslmode"));
        }
        let plain = security == Security::Plain;
        config.ssl_mode(if plain { SslMode::Disable } else { SslMode::Require });
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password);
        }
        Ok(Self { config, security })
    }

    /// Connects. What went wrong is told by `said`, with what may be done about it where TLS was the reason.
    pub(super) fn connect(
        &self,
        said: impl Fn(&postgres::Error) -> Error,
    ) -> Result<postgres::Client, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match &self.security {
            Security::Plain => return self.config.connect(NoTls).map_err(|e| said(&e)),
            Security::Encrypted => Arc::new(AnyServer(provider.clone())),
            Security::Verified { authorities } => {
                let roots = Arc::new(trusted(authorities.as_deref())?);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
                verifier.map_err(|e| Error::History(format!("no server can be verified here: {e}")))?
            }
        };
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::History(format!("no TLS can be spoken here: {e}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        self.config.connect(MakeRustlsConnect::new(tls)).map_err(|e| match e.to_string() {
            // The only errors of the crate that are about TLS say so in their first words.
            text if text.starts_with("error performing TLS handshake") => {
                Error::History(format!("{}{}", said(&e), self.advice()))
            }
            _ => said(&e),
        })
    }

    fn advice(&self) -> &'static str {
        match self.security {
            Security::Plain => "",
            Security::Encrypted => "; sslmode=require goes on with TLS or not at all",
            Security::Verified { .. } => {
                "; sslmode=verify-full wants TLS and a certificate for the URL's host by an authority that sslrootcert=FILE or \
                 this machine trusts (sslmode=disable does without)"
            }
        }
    }
}

/// The URL without the two parameters, and their values.
fn taken_out(url: &str) -> Result<(String, Option<String>, Option<String>), Error> {
    // A password may hold a question mark.
    let after_password = url.find('@').unwrap_or(0);
    let Some(query) = url[after_password..].find('?').map(|at| after_password + at) else {
        return Ok((url.to_owned(), None, None));
    };
    let (mut mode, mut authorities, mut others) = (None, None, Vec::new());
    for pair in url[query + 1..].split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match name {
            "sslmode" => &mut mode,
            "sslrootcert" => &mut authorities,
            _ => {
                others.push(pair);
                continue;
            }
        };
        if place.replace(decoded(value)?).is_some() {
            return Err(Error::usage(format!("the URL of the history's server states {name} twice")));
        }
    }
    let rest = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Ok((format!("{}{rest}", &url[..query]), mode, authorities))
}

/// Puts `%2F` and the like back.
fn decoded(value: &str) -> Result<String, Error> {
    let refused =
        || Error::usage("the URL of the history's server has a % without two hexadecimal digits behind it");
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else { return Err(refused()) };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| refused())
}

/// Whether no host of the URL can be another machine.
fn stays_here(config: &Config) -> bool {
    let host = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    };
    config.get_hosts().iter().all(host) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

/// The authorities of a file, or the machine's own.
fn trusted(file: Option<&str>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(path) => {
            let text = input::read(Path::new(path), input::WRITTEN_BY_HAND)
                .map_err(|e| Error::file("read the certificates in", path, e))?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let damaged = |why: String| {
                    Error::usage(format!(
                        "sslrootcert {} holds a damaged certificate: {why}",
                        printable(path)
                    ))
                };
                let certificate = certificate.map_err(|e| damaged(e.to_string()))?;
                roots.add(certificate).map_err(|e| damaged(e.to_string()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        let what = file.map_or_else(
            || "this machine trusts no authority".to_owned(),
            |path| format!("sslrootcert {} holds no certificate in PEM form", printable(path)),
        );
        return Err(Error::usage(format!(
            "{what}: give sslrootcert=FILE with the authority of the server's certificate"
        )));
    }
    Ok(roots)
}

/// Takes any server for the right one, as libpq's `require` does, and still checks that it has the key of its certificate.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn security(url: &str) -> Result<Security, String> {
        Server::at(url).map(|server| server.security).map_err(|e| e.to_string())
    }

    #[test]
    fn what_leaves_the_machine_is_verified_unless_the_url_says_otherwise() {
        let verified =
            |authorities: Option<&str>| Security::Verified { authorities: authorities.map(Into::into) };
        for (url, expected) in [
            ("postgres://me@localhost/db", Security::Plain),
            ("postgres://me@127.0.0.1:5433/db", Security::Plain),
            ("postgres://me@%2Frun%2Fpostgresql/db", Security::Plain),
            ("postgres://me@db.example/db", verified(None)),
            ("postgres://me@db.example/db?sslmode=disable", Security::Plain),
            ("postgres://me:a?b@db.example/db?connect_timeout=3&sslmode=require", Security::Encrypted),
            ("postgres://me@localhost/db?sslrootcert=%2Fetc%2Fca.pem", verified(Some("/etc/ca.pem"))),
            ("postgres://me@db.example/db?sslmode=verify-full&sslrootcert=/a%20b", verified(Some("/a b"))),
        ] {
            assert_eq!(security(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn the_password_comes_from_the_url_or_else_from_the_environment() {
        for (url, expected) in
            [("postgres://me@localhost/db", "kept"), ("postgres://me:told@localhost/db", "told")]
        {
            let server = Server::with_password(url, Some("kept".into())).unwrap();
            assert_eq!(server.config.get_password(), Some(expected.as_bytes()));
        }
    }

    #[test]
    fn modes_that_may_fall_back_silently_are_refused() {
        for mode in ["prefer", "allow", "Require", ""] {
            let said = security(&format!("postgres://me@db.example/db?sslmode={mode}")).unwrap_err();
            assert!(said.starts_with("sslmode is disable, require or verify-full"), "{mode}: {said}");
        }
        for (rest, says) in [
            ("db.example/db?sslmode=require&sslrootcert=/ca", "goes with sslmode=verify-full"),
            ("db.example/db?sslmode=require&sslmode=disable", "states sslmode twice"),
            ("db.example/db?sslrootcert=%2", "a % without two hexadecimal digits"),
            ("%2Frun/db?sslmode=require", "a socket of this machine takes no TLS"),
            ("db.example/db?nonsense=1", "cannot be read"),
        ] {
            let said = security(&format!("postgres://me:secret@{rest}")).unwrap_err();
            assert!(said.contains(says) && !said.contains("secret"), "{rest}: {said}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_refused_in_a_sentence() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert!(trusted(Some(path)).unwrap_err().to_string().contains("holds no certificate in PEM form"));
        std::fs::write(path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(trusted(Some(path)).unwrap_err().to_string().contains("a damaged certificate"));
        assert!(
            trusted(Some("/nowhere/ca.pem"))
                .unwrap_err()
                .to_string()
                .contains("cannot read the certificates in /nowhere")
        );
    }
}
