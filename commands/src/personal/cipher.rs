//! AES-256-GCM and HKDF over `ring`, in the few shapes the vault needs.

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
    rand::{SecureRandom, SystemRandom},
};
use store::PhoneHash;

use super::VaultError;

const KEY_LEN: usize = 32;
const WRAP_INFO: &[u8] = b"order-ledger/subject-key-wrap/v1";
const FINGERPRINT_INFO: &[u8] = b"order-ledger/command-fingerprint/v1";

const PHONE_INFO: &[u8] = b"order-ledger/phone-index/v1";

/// A subject's key.
pub(super) struct Key {
    raw: [u8; KEY_LEN],
    aead: LessSafeKey,
}

impl Key {
    pub(super) fn generate() -> Result<Self, VaultError> {
        let mut raw = [0; KEY_LEN];
        SystemRandom::new()
            .fill(&mut raw)
            .map_err(|_| VaultError::Crypto)?;
        Self::from_raw(raw)
    }

    fn from_raw(raw: [u8; KEY_LEN]) -> Result<Self, VaultError> {
        let unbound = UnboundKey::new(&AES_256_GCM, &raw).map_err(|_| VaultError::Crypto)?;
        Ok(Self {
            raw,
            aead: LessSafeKey::new(unbound),
        })
    }

    /// Nonce and ciphertext; `context` is authenticated, not encrypted.
    pub(super) fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| VaultError::Crypto)?;
        let mut data = plain.to_vec();
        self.aead
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut data,
            )
            .map_err(|_| VaultError::Crypto)?;
        let mut sealed = nonce.to_vec();
        sealed.append(&mut data);
        Ok(sealed)
    }

    /// The plain text, or `None` when key, context or data are not the ones sealed.
    pub(super) fn open(&self, sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        let (nonce, data) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut data = data.to_vec();
        let plain = self
            .aead
            .open_in_place(nonce, Aad::from(context), &mut data)
            .ok()?;
        Some(plain.to_vec())
    }
}

/// The keys derived from the master key.
pub(super) struct MasterKeys {
    wrap: Key,
    fingerprint: hmac::Key,
    phone: hmac::Key,
}

impl MasterKeys {
    pub(super) fn derive(master: &[u8]) -> Result<Self, VaultError> {
        if master.len() != KEY_LEN {
            return Err(VaultError::BadMasterKey);
        }
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(master);
        Ok(Self {
            wrap: Key::from_raw(expand(&secret, WRAP_INFO)?)?,
            fingerprint: hmac::Key::new(hmac::HMAC_SHA256, &expand(&secret, FINGERPRINT_INFO)?),
            phone: hmac::Key::new(hmac::HMAC_SHA256, &expand(&secret, PHONE_INFO)?),
        })
    }

    pub(super) fn fingerprint(&self, content: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.fingerprint, content).as_ref());
        hash
    }

    /// The first half of the number's HMAC-SHA-256: 128 bits are enough for no two numbers to meet, and the index is
    /// half as large.
    pub(super) fn phone(&self, number: &str) -> PhoneHash {
        let mut hash = PhoneHash([0; 16]);
        let whole = hmac::sign(&self.phone, number.as_bytes());
        for (to, from) in hash.0.iter_mut().zip(whole.as_ref()) {
            *to = *from;
        }
        hash
    }

    pub(super) fn wrap(&self, key: &Key, subject: &str) -> Result<Vec<u8>, VaultError> {
        self.wrap.seal(&key.raw, subject.as_bytes())
    }

    pub(super) fn unwrap(&self, wrapped: &[u8], subject: &str) -> Option<Key> {
        let raw = self.wrap.open(wrapped, subject.as_bytes())?;
        Key::from_raw(raw.try_into().ok()?).ok()
    }
}

fn expand(secret: &hkdf::Prk, info: &[u8]) -> Result<[u8; KEY_LEN], VaultError> {
    let mut key = [0; KEY_LEN];
    secret
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| VaultError::Crypto)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_opens_only_under_its_master_and_subject() {
        let master = MasterKeys::derive(&[7; 32]).unwrap();
        let key = Key::generate().unwrap();
        let wrapped = master.wrap(&key, "customer:1").unwrap();
        assert_eq!(master.unwrap(&wrapped, "customer:1").unwrap().raw, key.raw);
        assert!(master.unwrap(&wrapped, "customer:2").is_none());
        assert!(
            MasterKeys::derive(&[8; 32])
                .unwrap()
                .unwrap(&wrapped, "customer:1")
                .is_none()
        );
        assert!(MasterKeys::derive(&[8; 31]).is_err());
    }

    #[test]
    fn a_sealed_text_opens_whole_or_not_at_all() {
        let key = Key::generate().unwrap();
        let sealed = key.seal("สมชาย".as_bytes(), b"s").unwrap();
        assert_eq!(key.open(&sealed, b"s").unwrap(), "สมชาย".as_bytes());
        for i in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            assert!(key.open(&bad, b"s").is_none(), "flipped byte {i}");
            assert!(key.open(&sealed[..i], b"s").is_none(), "cut at {i}");
        }
        assert_ne!(
            key.seal(b"x", b"s").unwrap(),
            key.seal(b"x", b"s").unwrap(),
            "nonces repeat"
        );
    }

    #[test]
    fn fingerprints_differ_by_content_and_by_master() {
        let one = MasterKeys::derive(&[1; 32]).unwrap();
        let two = MasterKeys::derive(&[2; 32]).unwrap();
        assert_eq!(one.fingerprint(b"a"), one.fingerprint(b"a"));
        assert_ne!(one.fingerprint(b"a"), one.fingerprint(b"b"));
        assert_ne!(one.fingerprint(b"a"), two.fingerprint(b"a"));
    }

    #[test]
    fn a_phones_hash_is_its_own_kind_of_hash() {
        let one = MasterKeys::derive(&[1; 32]).unwrap();
        let two = MasterKeys::derive(&[2; 32]).unwrap();
        let number = "+66812345678";
        assert_eq!(one.phone(number), one.phone(number));
        assert_ne!(one.phone(number), one.phone("+66812345679"));
        assert_ne!(one.phone(number), two.phone(number));
        assert_ne!(
            one.phone(number).0,
            one.fingerprint(number.as_bytes())[..16]
        );
        assert_eq!(format!("{:?}", one.phone(number)), "PhoneHash(..)");
    }
}
