//! Images without a registry: ordinary Dockerfiles, built with buildah into archives that containerd and Docker load.
//!
//! | module | what |
//! |---|---|
//! | `pack` | one Dockerfile and its files to one archive |
//! | `addons` | what regions run themselves, kept in the cache |
//! | `product` | this project's programs, PostgreSQL and Redis |

mod addons;
mod pack;
mod product;

use std::path::PathBuf;

pub(crate) use addons::{AddonImages, PAUSE};
pub use product::{Product, build_product};

/// An image in an archive (`oci-archive`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its full name, registry and tag included: containerd knows no short ones.
    pub name: String,
    /// The file.
    pub archive: PathBuf,
}
