//! Who is trusted, and what certificates that are presented are worth.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_records::{Certificate, Presented};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

/// How many certificates of a host are looked at. Local choice: chains have three or four.
const CHAIN: usize = 10;
/// The end of the year 9999, the last that a certificate can name, for those that never end.
const LAST: u64 = 253_402_300_798;

/// The authorities, and how TLS is spoken.
#[derive(Debug)]
pub(crate) struct Trust {
    roots: Vec<TrustAnchor<'static>>,
    /// For HTTPS: the certificate has to be valid.
    pub(super) strict: Arc<ClientConfig>,
    /// For SMTP: whatever certificate is presented is looked at.
    pub(super) curious: Arc<ClientConfig>,
    now: u64,
}

impl Trust {
    /// The authorities of the system, and of these files.
    pub(super) fn new(files: &[PathBuf], now: u64) -> Result<Trust, Trouble> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for path in files {
            let name = path.to_string_lossy();
            let text = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
            let certificates: Result<Vec<CertificateDer<'static>>, _> =
                CertificateDer::pem_slice_iter(&text).collect();
            let certificates = certificates.unwrap_or_default();
            let (added, _) = store.add_parsable_certificates(certificates);
            if added == 0 {
                return Err(Trouble::input(name, "no certificate in PEM that can be read"));
            }
        }
        if store.is_empty() {
            return Err(Trouble::Usage(
                "--network: no authority is trusted: install the certificates of the system \
                 (ca-certificates), or name a file with --network-ca"
                    .into(),
            ));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| Trouble::Usage(format!("TLS: {error}")))
        };
        let roots = store.roots.clone();
        let strict = builder()?.with_root_certificates(store).with_no_client_auth();
        let curious = Arc::new(Curious { provider: Arc::clone(&provider) });
        let curious =
            builder()?.dangerous().with_custom_certificate_verifier(curious).with_no_client_auth();
        Ok(Trust { roots, strict: Arc::new(strict), curious: Arc::new(curious), now })
    }

    /// What the certificates of a host are worth.
    pub(super) fn judge(&self, chain: &[CertificateDer<'_>]) -> Presented {
        let chain = chain.get(..CHAIN).unwrap_or(chain);
        let mut presented = Presented {
            certificates: chain.iter().filter_map(certificate).collect(),
            ..Presented::default()
        };
        let Some((own, above)) = chain.split_first() else {
            presented.fault = Some("there is none".to_owned());
            return presented;
        };
        let own = match EndEntityCert::try_from(own) {
            Ok(own) => own,
            Err(error) => {
                presented.fault = Some(words(&error));
                return presented;
            }
        };
        presented.names = own.valid_dns_names().map(ToOwned::to_owned).collect();
        let verify = |time: u64| {
            own.verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &self.roots,
                above,
                at(time),
                KeyUsage::server_auth(),
                None,
                None,
            )
            .map(|_| ())
        };
        presented.fault = verify(self.now).err().map(|error| words(&error));
        presented.ends = match verify(LAST) {
            Err(webpki::Error::CertExpired { not_after, .. }) => Some(not_after.as_secs()),
            _ => None,
        };
        presented
    }
}

pub(super) fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// A certificate as TLSA records see it.
fn certificate(der: &CertificateDer<'_>) -> Option<Certificate> {
    let key = EndEntityCert::try_from(der).ok()?.subject_public_key_info();
    Some(Certificate { whole: der.to_vec(), key: key.to_vec() })
}

/// What is wrong with a certificate.
pub(super) fn words(error: &webpki::Error) -> String {
    match error {
        webpki::Error::CertExpired { .. } => "it has ended".to_owned(),
        webpki::Error::CertNotValidYet { .. } => "it is not valid yet".to_owned(),
        webpki::Error::UnknownIssuer => "it leads to no authority that is trusted".to_owned(),
        webpki::Error::InvalidSignatureForPublicKey => {
            "its signature is not that of its authority".to_owned()
        }
        webpki::Error::CaUsedAsEndEntity => "it is that of an authority".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What TLS says of the certificate of a host, if that is what it is about.
pub(super) fn refused(error: &Error) -> Option<String> {
    let Error::InvalidCertificate(error) = error else { return None };
    Some(match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has ended".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::UnknownIssuer => "it leads to no authority that is trusted".to_owned(),
        CertificateError::BadSignature => "its signature is not that of its authority".to_owned(),
        other => other.to_string(),
    })
}

/// Takes every certificate, to look at it; nothing is sent to such a host but greetings.
#[derive(Debug)]
struct Curious {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Curious {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // Whether the host has the key of its certificate does count.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
