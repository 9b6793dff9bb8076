//! API keys: `kyb_<env>_<key id>_<secret>`, the secret being 32 random bytes in URL-safe base64 without padding (43
//! characters). Settings hold SHA-256 of the whole key; since the secret has 256 random bits, the hash is no secret and
//! needs no salt or slow hash.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kyb_domain::tenant::KeyId;
use rand::{RngCore, TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// 32 bytes in base64 without padding.
const SECRET_CHARACTERS: usize = 43;

/// A whole API key. Debug shows the id only.
pub struct ApiKey {
    id: KeyId,
    text: String,
}

impl ApiKey {
    /// A new key with a random secret of the operating system, for environment `env` (`live`, `test`, `dev`; 2 to 8
    /// letters a-z). Any other `env` becomes `dev`, so that no key is ever made that would not be read back. Panics where
    /// the operating system has no random numbers to give: a guessable key would be worse.
    pub fn generate(env: &str, id: &KeyId) -> Self {
        let mut secret = [0; 32];
        OsRng.unwrap_err().fill_bytes(&mut secret);
        let env = if is_environment(env) { env } else { "dev" };
        Self { id: id.clone(), text: format!("kyb_{env}_{id}_{}", URL_SAFE_NO_PAD.encode(secret)) }
    }

    /// Reads a key that somebody brings along.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let id = split(text).and_then(|id| KeyId::try_from(id).ok()).ok_or(KeyError::Malformed)?;
        Ok(Self { id, text: text.to_owned() })
    }

    /// Its public part.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The key as the caller sends it. Show it once, never log it.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What settings hold: `sha256:` and 64 hexadecimal digits.
    pub fn hash(&self) -> String {
        KeyHash::of(&self.text).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The id within a key, if the text has the form of one. From the left, since the secret may contain `_` itself.
pub(crate) fn split(key: &str) -> Option<&str> {
    let (env, rest) = key.strip_prefix("kyb_")?.split_once('_')?;
    let (id, secret) = rest.split_once('_')?;
    let of_secret = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let of_id = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let well_formed = is_environment(env)
        && (4..=32).contains(&id.len())
        && id.bytes().all(of_id)
        && secret.len() == SECRET_CHARACTERS
        && secret.bytes().all(of_secret);
    well_formed.then_some(id)
}

fn is_environment(env: &str) -> bool {
    (2..=8).contains(&env.len()) && env.bytes().all(|b| b.is_ascii_lowercase())
}

/// SHA-256 of a whole key, written as `sha256:` and 64 lower-case hexadecimal digits. Debug does not show it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyHash([u8; 32]);

/// Not the form of a key's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's hash must be `sha256:` and 64 hexadecimal digits; never write the key itself")]
pub struct BadHash;

impl KeyHash {
    /// The hash of `key`.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// A hash that belongs to no key, to compare with where there is nothing to compare with.
    pub(crate) const NOBODY: Self = Self([0; 32]);

    /// Whether both are the same, in a time that does not tell where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl TryFrom<String> for KeyHash {
    type Error = BadHash;
    fn try_from(text: String) -> Result<Self, BadHash> {
        let mut bytes = [0; 32];
        let digits = text.strip_prefix("sha256:").ok_or(BadHash)?;
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| BadHash)?;
        Ok(Self(bytes))
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> String {
        format!("sha256:{}", hex::encode(hash.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:…")
    }
}

/// Why a key was not accepted. The caller is told no difference between an unknown key and a wrong secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form of a key.
    #[error("the key does not have the form `kyb_<env>_<key id>_<secret>`")]
    Malformed,
    /// Unknown, wrong secret, expired or revoked.
    #[error("the key is unknown, expired or revoked")]
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::generate("live", &KeyId::try_from("k1ab").unwrap())
    }

    #[test]
    fn a_new_key_is_read_back_and_no_two_are_alike() {
        for _ in 0..200 {
            let key = key();
            assert_eq!(ApiKey::parse(key.reveal()).unwrap().id().as_str(), "k1ab", "{}", key.reveal());
        }
        assert_ne!(key().reveal(), key().reveal());
    }

    #[test]
    fn a_secret_may_contain_the_separator() {
        let text = format!("kyb_live_k1ab_{}", "_".repeat(43));
        assert_eq!(split(&text), Some("k1ab"));
    }

    #[test]
    fn what_is_not_quite_a_key_is_none() {
        let good = key().reveal().to_owned();
        let bad = [
            String::new(),
            "kyb_".into(),
            good.replace("kyb_", "KYB_"),
            good.replace("live", "Live"),
            good.replace("live", "l"),
            good.replace("k1ab", "k1"),
            good.replace("k1ab", "K1AB"),
            good.replace("k1ab", "k-ab"),
            format!("{good}x"),
            format!(" {good}"),
            good[..good.len() - 1].to_owned(),
            format!("{}=", &good[..good.len() - 1]),
            format!("{}é", &good[..good.len() - 2]),
        ];
        for text in bad {
            assert_eq!(ApiKey::parse(&text).unwrap_err(), KeyError::Malformed, "{text}");
        }
    }

    #[test]
    fn an_impossible_environment_becomes_dev() {
        for env in ["", "x", "PROD", "with_underscore", "toolongenv"] {
            let key = ApiKey::generate(env, &KeyId::try_from("k1ab").unwrap());
            assert!(key.reveal().starts_with("kyb_dev_k1ab_"), "{env}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = key();
        assert_eq!(format!("{key:?}"), "ApiKey { id: KeyId(\"k1ab\"), .. }");
        assert_eq!(format!("{:?}", KeyHash::of(key.reveal())), "sha256:…");
    }

    #[test]
    fn a_hash_survives_text_and_refuses_a_key() {
        let hash = key().hash();
        assert_eq!(String::from(KeyHash::try_from(hash.clone()).unwrap()), hash);
        for bad in ["", "sha256:", "sha256:00", &hash[1..], &format!("{hash}0"), key().reveal()] {
            assert!(KeyHash::try_from(bad.to_owned()).is_err());
        }
    }
}
