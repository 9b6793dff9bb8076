//! Files to objects.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::Deserialize as _;
use serde_json::Value;

/// Why files can't be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file can't be read.
    #[error("can't read {file}")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A document is no YAML.
    #[error("{file}, document {document}: no YAML: {why}")]
    NoYaml {
        /// The file.
        file: String,
        /// Which document of it, from 1.
        document: usize,
        /// What the parser said.
        why: String,
    },
    /// A document is no object.
    #[error("{file}, document {document}: an object needs apiVersion, kind and metadata.name")]
    NoObject {
        /// The file.
        file: String,
        /// Which document of it, from 1.
        document: usize,
    },
    /// An object does not fit its kind.
    #[error("{object}: {why}")]
    Misfit {
        /// Kind and name.
        object: String,
        /// What is wrong.
        why: String,
    },
    /// There is nothing of ours in the files.
    #[error("the files hold no KybTenant, RegionDeployment, CachePolicy or Namespace")]
    Nothing,
}

/// Kinds that the operator goes by, in the order in which they are taken in.
const KINDS: [(&str, &str); 4] = [
    ("v1", "Namespace"),
    ("kyb.dev/v1alpha1", "CachePolicy"),
    ("kyb.dev/v1alpha1", "RegionDeployment"),
    ("kyb.dev/v1alpha1", "KybTenant"),
];

/// What the files hold.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// Objects that the operator goes by, namespaces first.
    pub(super) ours: Vec<Value>,
    /// What else there is.
    pub(super) others: Vec<String>,
}

impl Manifests {
    /// Reads files, folders (their files ending in .yaml, .yml or .json, by name) and `-`.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, ManifestError> {
        let mut found = Self::default();
        for path in paths {
            for (file, text) in texts(path)? {
                found.take(&file, &text)?;
            }
        }
        if found.ours.is_empty() {
            return Err(ManifestError::Nothing);
        }
        found.ours.sort_by_key(|object| KINDS.iter().position(|(_, kind)| object["kind"] == **kind));
        Ok(found)
    }

    fn take(&mut self, file: &str, text: &str) -> Result<(), ManifestError> {
        for (document, part) in serde_yaml::Deserializer::from_str(text).enumerate() {
            let document = document + 1;
            let object = Value::deserialize(part).map_err(|why| ManifestError::NoYaml {
                file: file.to_owned(),
                document,
                why: why.to_string(),
            })?;
            match object {
                Value::Null => (),
                list if list["kind"] == "List" => {
                    for item in list["items"].as_array().into_iter().flatten() {
                        self.add(file, document, item.clone())?;
                    }
                }
                object => self.add(file, document, object)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &str, document: usize, object: Value) -> Result<(), ManifestError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (Some(version), Some(kind), Some(name)) =
            (text("/apiVersion"), text("/kind"), text("/metadata/name"))
        else {
            return Err(ManifestError::NoObject { file: file.to_owned(), document });
        };
        if KINDS.contains(&(version, kind)) {
            self.ours.push(object);
        } else {
            self.others.push(format!("{kind} {name} ({version})"));
        }
        Ok(())
    }
}

/// Each file's name and text.
fn texts(path: &Path) -> Result<Vec<(String, String)>, ManifestError> {
    let unreadable =
        |path: &Path, source| ManifestError::Unreadable { file: path.display().to_string(), source };
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|why| unreadable(Path::new("standard input"), why))?;
        return Ok(vec![("standard input".to_owned(), text)]);
    }
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in path.read_dir().map_err(|why| unreadable(path, why))? {
            let file = entry.map_err(|why| unreadable(path, why))?.path();
            if file
                .extension()
                .is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
            {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let text = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).map_err(|why| unreadable(&file, why))?;
        Ok((file.display().to_string(), text))
    };
    files.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<Manifests, ManifestError> {
        let mut manifests = Manifests::default();
        manifests.take("file", text).map(|()| manifests)
    }

    #[test]
    fn documents_lists_and_other_kinds_are_told_apart() {
        let found = taken(
            "---\napiVersion: kyb.dev/v1alpha1\nkind: KybTenant\nmetadata: {name: one}\n---\n---\n\
             {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Namespace, metadata: {name: two}}, \
             {apiVersion: v1, kind: Service, metadata: {name: three}}]}\n",
        );
        let found = found.unwrap();
        let names: Vec<_> = found.ours.iter().map(|object| object["metadata"]["name"].clone()).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(found.others, ["Service three (v1)"]);
    }

    #[test]
    fn what_is_no_object_is_named_with_its_place() {
        let error = taken("apiVersion: v1\nkind: Namespace\nmetadata: {}\n").unwrap_err();
        assert_eq!(error.to_string(), "file, document 1: an object needs apiVersion, kind and metadata.name");
        let error = taken("a: 1\n---\n{b: ]").unwrap_err();
        assert!(matches!(error, ManifestError::NoObject { document: 1, .. }), "{error}");
        let error = taken("{b: ]").unwrap_err();
        assert!(error.to_string().starts_with("file, document 1: no YAML: "), "{error}");
    }

    #[test]
    fn files_come_by_name_and_objects_in_the_order_in_which_they_depend_on_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let ours = |kind: &str, name: &str| {
            format!("{{apiVersion: kyb.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}}}")
        };
        write("a.yaml", &ours("CachePolicy", "policy"));
        write("b.json", &ours("KybTenant", "second").replace("apiVersion", "\"apiVersion\""));
        write("c.yml", &ours("KybTenant", "third"));
        write("d.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: place}}");
        write("e.txt", "no YAML: {");
        let found = Manifests::read(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found.ours.iter().map(|object| object["metadata"]["name"].clone()).collect();
        assert_eq!(names.first().unwrap(), "place", "{names:?}");
        let place = |name: &str| names.iter().position(|one| one == name).unwrap();
        assert!(place("second") < place("third"), "{names:?}");
        assert_eq!(names.len(), 4);
        let kinds: Vec<_> = found.ours.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        let ranks: Vec<_> = kinds.iter().map(|kind| KINDS.iter().position(|(_, one)| one == kind)).collect();
        assert!(ranks.is_sorted(), "{kinds:?}");

        let file = folder.path().join("c.yml");
        assert_eq!(Manifests::read(std::slice::from_ref(&file)).unwrap().ours.len(), 1, "one file alone");
        std::fs::write(&file, "{apiVersion: v1, kind: Service, metadata: {name: one}}").unwrap();
        assert!(matches!(Manifests::read(&[file]), Err(ManifestError::Nothing)));
        let missing = Manifests::read(&[folder.path().join("missing.yaml")]).unwrap_err();
        assert!(missing.to_string().contains("missing.yaml"), "{missing}");
    }
}
