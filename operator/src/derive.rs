//! Secrets that every region arrives at without talking: HKDF-SHA256 (RFC 5869) from the installation's root key.
//!
//! ```text
//! root key ─ extract, salt "kyb.dev/v1" ─ expand, info = purpose and names, each with its length ─► 32 bytes
//! ```
//!
//! The names are written with their lengths, so that no two lists of names give the same info.

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;

/// The least length of a root key in bytes.
pub const ROOT_KEY_BYTES: usize = 32;
/// Changes only if the derivation itself does: every derived secret changes with it.
const SALT: &[u8] = b"kyb.dev/v1";
/// Bits of a key id: 80, so that two keys of an installation never meet.
const KEY_ID_BYTES: usize = 10;
/// RFC 4648 base32 in lower case: what a key id may hold.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// The part of a key that tells its environment; derived keys are for use.
const KEY_ENVIRONMENT: &str = "live";

/// The installation's root key. Debug shows nothing of it.
#[derive(Clone)]
pub struct RootKey(Hkdf<Sha256>);

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file can't be read.
    #[error(
        "can't read the root key from {file}; mount the Secret that holds it there (32 random bytes or more), \
         or name another file with --root-key-file"
    )]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Too short.
    #[error(
        "the root key has {bytes} bytes, but needs at least {ROOT_KEY_BYTES}; make one with `openssl rand 32`"
    )]
    TooShort {
        /// How many there are.
        bytes: usize,
    },
}

/// An API key and its public part.
#[derive(Clone, PartialEq, Eq)]
pub struct DerivedKey {
    /// The public part, 16 characters.
    pub id: String,
    /// The whole key. Goes into the tenant's Secret and nowhere else.
    pub text: String,
}

impl RootKey {
    /// Reads the key's bytes as they are.
    pub fn read(file: &Path) -> Result<Self, RootKeyError> {
        let bytes = std::fs::read(file)
            .map_err(|source| RootKeyError::Unreadable { file: file.display().to_string(), source })?;
        Self::new(&bytes)
    }

    /// A root key of these bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, RootKeyError> {
        if bytes.len() < ROOT_KEY_BYTES {
            return Err(RootKeyError::TooShort { bytes: bytes.len() });
        }
        Ok(Self(Hkdf::new(Some(SALT), bytes)))
    }

    /// The API key `name` of a tenant, in its `generation`.
    pub fn api_key(&self, tenant: &str, name: &str, generation: i64) -> DerivedKey {
        let generation = generation.to_string();
        let id = base32(&self.expand::<KEY_ID_BYTES>(&["api-key-id", tenant, name, &generation]));
        let secret = self.expand::<32>(&["api-key", tenant, name, &generation]);
        let text = format!("kyb_{KEY_ENVIRONMENT}_{id}_{}", URL_SAFE_NO_PAD.encode(secret));
        DerivedKey { id, text }
    }

    /// The password of `role` in the development database of a region.
    pub fn database_password(&self, namespace: &str, region: &str, role: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.expand::<32>(&["database-password", namespace, region, role]))
    }

    fn expand<const BYTES: usize>(&self, info: &[&str]) -> [u8; BYTES] {
        let mut framed = Vec::new();
        for part in info {
            framed.extend_from_slice(&(part.len() as u64).to_be_bytes());
            framed.extend_from_slice(part.as_bytes());
        }
        let mut bytes = [0; BYTES];
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA256 gives up to 255 × 32 bytes; none of ours is longer than 32"
        )]
        self.0.expand(&framed, &mut bytes).expect("at most 255 × 32 bytes");
        bytes
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Five bits a character; `bytes` is a multiple of five bytes long.
fn base32(bytes: &[u8]) -> String {
    let five = |chunk: &[u8]| chunk.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let digit = |number: u64, place: u32| char::from(BASE32[(number >> (35 - 5 * place) & 31) as usize]);
    bytes.chunks_exact(5).flat_map(|chunk| (0..8).map(move |place| digit(five(chunk), place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> RootKey {
        RootKey::new(&[7; 32]).unwrap()
    }

    #[test]
    fn two_regions_arrive_at_the_same_key_and_every_part_of_its_name_counts() {
        let key = root().api_key("acme", "default", 1);
        assert_eq!(key, root().api_key("acme", "default", 1));
        let others = [
            root().api_key("acme", "default", 2),
            root().api_key("acme", "other", 1),
            root().api_key("acmed", "efault", 1),
            RootKey::new(&[8; 32]).unwrap().api_key("acme", "default", 1),
        ];
        for other in others {
            assert!(other.id != key.id && other.text != key.text, "{other:?}");
        }
    }

    #[test]
    fn a_derived_key_is_one_that_the_gateway_reads() {
        let key = root().api_key("acme", "default", 1);
        let read = kyb_settings::ApiKey::parse(&key.text).unwrap();
        assert_eq!((read.id().as_str(), key.id.len()), (key.id.as_str(), 16));
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        assert_eq!((base32(b"fooba"), base32(b"\0\0\0\0\0")), ("mzxw6ytb".to_owned(), "aaaaaaaa".to_owned()));
    }

    #[test]
    fn a_key_that_is_too_short_is_refused_and_none_is_shown() {
        let refused = RootKey::new(&[1; 31]).unwrap_err();
        assert!(refused.to_string().contains("31 bytes"), "{refused}");
        let key = root().api_key("acme", "default", 1);
        let shown = format!("{:?} {key:?}", root());
        assert!(!shown.contains(key.text.rsplit_once('_').unwrap().1), "{shown}");
    }
}
