//! Mark certificates: the certificate of a logo and what is in it.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use mailproof_records::{Mark, Refusal};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::trust::{at, words};

/// How many certificates there are. Local choice: chains have three or four.
const CHAIN: usize = 10;
/// The last second that a certificate can name.
const LAST: u64 = 253_402_300_798;
/// id-kp-BrandIndicatorforMessageIdentification, 1.3.6.1.5.5.7.3.31.
const PURPOSE: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 31];
/// id-pe-logotype, 1.3.6.1.5.5.7.1.12 (RFC 9399), with its tag and length.
const LOGOTYPE: [u8; 10] = [6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 12];
/// What stands before the logo (RFC 9399 4.3, RFC 2397).
const DATA: &[u8] = b"data:image/svg+xml;base64,";

/// Reads the certificates of a logo, its own first.
pub(super) fn read(pem: &[u8], most: usize, now: u64) -> Result<Mark, Refusal> {
    let protocol = |reason: &str| Refusal::Protocol(reason.to_owned());
    let chain: Result<Vec<CertificateDer<'_>>, _> =
        CertificateDer::pem_slice_iter(pem).take(CHAIN).collect();
    let chain = chain.map_err(|_| protocol("no certificates in PEM"))?;
    let Some((own, above)) = chain.split_first() else {
        return Err(protocol("no certificates in PEM"));
    };
    let certificate =
        EndEntityCert::try_from(own).map_err(|error| Refusal::Protocol(words(&error)))?;
    // Authorities for marks are in no list of the system: the last certificate is taken for one.
    let anchor = anchor_from_trusted_cert(above.last().unwrap_or(own));
    let anchors: Vec<_> = anchor.into_iter().collect();
    let verify = |time: u64| {
        certificate
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &anchors,
                above,
                at(time),
                KeyUsage::required(&PURPOSE),
                None,
                None,
            )
            .map(|_| ())
    };
    let fault = match verify(now) {
        // Each has a finding of its own.
        Ok(()) | Err(Error::CertExpired { .. } | Error::CertNotValidYet { .. }) => None,
        Err(Error::RequiredEkuNotFoundContext(_)) => None,
        Err(error) => Some(words(&error)),
    };
    Ok(Mark {
        names: certificate.valid_dns_names().map(ToOwned::to_owned).collect(),
        begins: match verify(0) {
            Err(Error::CertNotValidYet { not_before, .. }) => Some(not_before.as_secs()),
            _ => None,
        },
        ends: match verify(LAST) {
            Err(Error::CertExpired { not_after, .. }) => Some(not_after.as_secs()),
            _ => None,
        },
        is_for_marks: own.windows(PURPOSE.len()).any(|part| part == PURPOSE),
        logo: logo(own, most),
        fault,
    })
}

/// The logo in a certificate.
fn logo(der: &[u8], most: usize) -> Option<Vec<u8>> {
    let find =
        |octets: &[u8], wanted: &[u8]| octets.windows(wanted.len()).position(|part| part == wanted);
    let extension = der.get(find(der, &LOGOTYPE)?..)?;
    let start = find(extension, DATA)?;
    let length = length_before(extension.get(..start)?)?;
    let uri = extension.get(start..start + length)?;
    let data = STANDARD.decode(uri.get(DATA.len()..)?).ok()?;
    Some(uncompressed(&data, most).unwrap_or(data))
}

/// The length that the head of an IA5String says (X.690 8.1.3), which ends here.
fn length_before(octets: &[u8]) -> Option<usize> {
    let number = |octets: &[u8]| octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
    match octets {
        [.., 0x16, 0x83, a, b, c] => Some(number(&[*a, *b, *c])),
        [.., 0x16, 0x82, a, b] => Some(number(&[*a, *b])),
        [.., 0x16, 0x81, length] => Some(usize::from(*length)),
        [.., 0x16, length] if *length < 0x80 => Some(usize::from(*length)),
        _ => None,
    }
}

/// What is compressed by gzip, if it is and has no more octets than this.
pub(super) fn uncompressed(octets: &[u8], most: usize) -> Option<Vec<u8>> {
    if !octets.starts_with(&[0x1f, 0x8b]) {
        return None;
    }
    let most = u64::try_from(most).ok()?;
    let mut content = Vec::new();
    GzDecoder::new(octets).take(most).read_to_end(&mut content).ok()?;
    Some(content)
}
