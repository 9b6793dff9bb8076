//! What tells two versions of a list apart.

use sha2::{Digest, Sha256};

use crate::SourceFile;

/// SHA-256 over the files in the order of their lower-case names, as 64 hexadecimal digits. Before each name and each
/// content stands its length as eight bytes, so no two different sets of files run together into the same bytes.
pub(crate) fn fingerprint(files: &[SourceFile]) -> String {
    let mut named: Vec<(String, &[u8])> =
        files.iter().map(|file| (file.name.to_ascii_lowercase(), file.bytes.as_slice())).collect();
    named.sort();
    let mut hash = Sha256::new();
    for (name, bytes) in named {
        for part in [name.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &str) -> SourceFile {
        SourceFile { name: name.into(), bytes: bytes.as_bytes().to_vec() }
    }

    #[test]
    fn the_order_and_case_of_names_do_not_matter() {
        let one = [file("a.csv", "1"), file("b.csv", "2")];
        let other = [file("B.CSV", "2"), file("a.csv", "1")];
        assert_eq!(fingerprint(&one), fingerprint(&other));
        assert_eq!(fingerprint(&one).len(), 64);
    }

    #[test]
    fn bytes_moved_from_one_file_to_the_next_are_noticed() {
        let one = [file("a", "12"), file("b", "3")];
        let other = [file("a", "1"), file("b", "23")];
        assert_ne!(fingerprint(&one), fingerprint(&other));
        assert_ne!(fingerprint(&[file("ab", "c")]), fingerprint(&[file("a", "bc")]));
    }
}
