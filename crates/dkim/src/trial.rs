//! Trying the key records of a name on a signature (RFC 6376 6.1.2).

use std::sync::Arc;

use mailproof_dns::{Name, Response, Txt};

use crate::crypto::VerifyingKey;
use crate::keys::KeyCache;
use crate::limits::Limits;
use crate::outcome::{Cause, KeyFacts};
use crate::record::{KeyError, KeyErrorKind, KeyRecord, KeyType};
use crate::signature::{Algorithm, Identity, SealSignature};

/// What of a signature decides whether a key may be used for it.
pub(crate) struct Trial<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) domain: &'a Name,
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) limits: &'a Limits,
    pub(crate) cache: &'a dyn KeyCache,
}

/// What trying found.
pub(crate) struct Tried<T> {
    pub(crate) cause: Cause,
    pub(crate) key: Option<KeyFacts>,
    /// What comparing found, where it came to that.
    pub(crate) detail: Option<T>,
}

impl SealSignature {
    /// Whether this is a signature over data with this SHA-256 digest, by the key records of
    /// `response`, the one for [`SealSignature::key_name`].
    pub fn verify(
        &self,
        digest: &[u8; 32],
        response: &Response,
        limits: &Limits,
        cache: &dyn KeyCache,
    ) -> (Cause, Option<KeyFacts>) {
        let trial = Trial {
            algorithm: self.algorithm,
            domain: &self.domain,
            identity: None,
            limits,
            cache,
        };
        let tried = trial.run(response, |key| match key.verify(digest, &self.signature) {
            true => (Cause::Verified, ()),
            false => (Cause::SignatureMismatch, ()),
        });
        (tried.cause, tried.key)
    }
}

impl Trial<'_> {
    /// Lets `compare` judge with the keys that may be used.
    ///
    /// RFC 6376 6.1.2 step 4: "If the query for the public key returns multiple key records, the
    /// Verifier can choose one of the key records or may cycle through the key records, performing
    /// the remainder of these steps on each record at the discretion of the implementer."
    ///
    /// Disputed. OpenDKIM takes the first, dkimpy fails, go-msgauth tries each; we pass over what is
    /// no key record and try the first two that are, because wildcard and stray text records stand
    /// beside keys. Case: key-two-records-second-right.
    pub(crate) fn run<T>(
        &self,
        response: &Response,
        mut compare: impl FnMut(&VerifyingKey) -> (Cause, T),
    ) -> Tried<T> {
        let mut tried =
            Tried { cause: Cause::NoKey { name_exists: true }, key: None, detail: None };
        match response {
            Response::Records(_) => {}
            Response::NoData => return tried,
            Response::NxDomain => {
                tried.cause = Cause::NoKey { name_exists: false };
                return tried;
            }
            Response::Failure(failure) => {
                tried.cause = Cause::KeyUnavailable(*failure);
                return tried;
            }
        }
        let mut count = 0;
        let mut first_error = None;
        for txt in response.texts().take(self.limits.texts_read) {
            let record = match self.read_key(txt) {
                Ok(record) => record,
                Err(cause) => {
                    first_error.get_or_insert(cause);
                    continue;
                }
            };
            let Ok(record) = record.as_ref() else { continue };
            let (cause, detail) = match self.usable_key(record) {
                Ok(key) => {
                    let (cause, detail) = compare(key);
                    (cause, Some(detail))
                }
                Err(cause) => (cause, None),
            };
            count += 1;
            let verified = cause == Cause::Verified;
            if count == 1 || verified {
                let key = Some(KeyFacts {
                    key_type: record.key_type,
                    bits: record.public_key.as_ref().map_or(0, VerifyingKey::bits),
                    testing: record.testing,
                });
                tried = Tried { cause, key, detail };
            }
            if verified || count == self.limits.keys_tried {
                return tried;
            }
        }
        if let (0, Some(cause)) = (count, first_error) {
            tried.cause = cause;
        }
        tried
    }

    fn read_key(&self, txt: &Txt) -> Result<Arc<Result<KeyRecord, KeyError>>, Cause> {
        let text = txt.joined();
        let most = self.limits.key_record_octets;
        if text.len() > most {
            return Err(Cause::KeyRecordTooLong { octets: text.len(), most });
        }
        let record = self.cache.key_record(text);
        let error = match record.as_ref() {
            Ok(_) => return Ok(record),
            Err(error) => error,
        };
        match error.kind {
            // An Ed25519 key without k= reads as a broken RSA key; what is wrong is the type.
            KeyErrorKind::KeyForm { key_type, .. } if !self.fits(key_type) => {
                Err(Cause::KeyTypeMismatch { key: key_type, algorithm: self.algorithm })
            }
            _ => Err(Cause::Key { record: text.to_vec(), error: error.clone() }),
        }
    }

    /// RFC 6376 6.1.2 steps 5 to 8 and RFC 8301 3.2: the key, if it may be used for the signature.
    fn usable_key<'r>(&self, record: &'r KeyRecord) -> Result<&'r VerifyingKey, Cause> {
        // Step 7: "If the public-key data (the "p=" tag) is empty, then this key has been revoked".
        let Some(key) = &record.public_key else { return Err(Cause::KeyRevoked) };
        // 3.6.1 s=: "Verifiers for a given service type MUST ignore this record if the appropriate
        // type is not listed."
        if !record.serves_email {
            return Err(Cause::KeyNotForEmail);
        }
        // Step 6: "If the "h=" tag exists in the public-key record and the hash algorithm implied by
        // the "a=" tag in the DKIM-Signature header field is not included".
        if !record.accepts_sha256 {
            return Err(Cause::KeyHashNotAllowed);
        }
        // Step 8: "If the public-key data is not suitable for use with the algorithm and key types
        // defined by the "a=" and "k=" tags".
        if !self.fits(record.key_type) {
            return Err(Cause::KeyTypeMismatch { key: record.key_type, algorithm: self.algorithm });
        }
        // 3.6.1 t=s: "Any DKIM-Signature header fields using the "i=" tag MUST have the same domain
        // value on the right-hand side of the "@" in the "i=" tag and the value of the "d=" tag."
        if let Some(identity) = self.identity
            && record.strict
            && identity.domain != *self.domain
        {
            return Err(Cause::StrictDomainMismatch {
                identity: identity.domain.clone(),
                domain: self.domain.clone(),
            });
        }
        let bits = key.bits();
        if record.key_type == KeyType::Rsa && bits < self.limits.rsa_bits_least {
            return Err(Cause::KeyTooSmall { bits, least: self.limits.rsa_bits_least });
        }
        if record.key_type == KeyType::Rsa && bits > self.limits.rsa_bits_most {
            return Err(Cause::KeyTooLarge { bits, most: self.limits.rsa_bits_most });
        }
        Ok(key)
    }

    fn fits(&self, key_type: KeyType) -> bool {
        match self.algorithm {
            Algorithm::RsaSha256 => key_type == KeyType::Rsa,
            Algorithm::Ed25519Sha256 => key_type == KeyType::Ed25519,
        }
    }
}
