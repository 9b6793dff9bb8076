//! Every pod template of every revision, as kept in `snapshots/`: what is kept there runs somewhere, and an operator that renders
//! anything else would replace those pods unasked. And all other children, which may change where that is meant.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use super::{tests::children, *};
use crate::{controllers::region::templates::Templates, testing::are_as_kept};

/// Set to anything, it has snapshots written that are not there yet; those that are there stay.
const WRITE: &str = "KYB_SNAPSHOTS_WRITE";

fn folder() -> &'static Path {
    Path::new("src/controllers/region/build/snapshots")
}

/// By the name of the spec, then by the workload.
type Rendered = BTreeMap<String, BTreeMap<String, Value>>;

fn specs() -> BTreeMap<String, Value> {
    let specs = fs::read_to_string(folder().join("regions.yaml")).unwrap();
    serde_yaml::from_str(&specs).unwrap()
}

fn render(templates: Templates) -> Rendered {
    specs().into_iter().map(|(name, spec)| (name, pods(&spec, templates))).collect()
}

fn pods(spec: &Value, templates: Templates) -> BTreeMap<String, Value> {
    let template = |child: &Child| child.body().pointer("/spec/template").cloned();
    let built = children_of(spec, templates);
    built.iter().filter_map(|child| Some((child.key().to_string(), template(child)?))).collect()
}

fn children_of(spec: &Value, templates: Templates) -> Vec<Child> {
    let object = json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "RegionDeployment",
        "metadata": {"name": "region", "namespace": "kyb-region", "uid": "uid-1"},
        "spec": spec,
    });
    let region = ValidRegion::of(&serde_json::from_value(object).unwrap(), templates);
    children(&region, Migration::Succeeded)
}

#[test]
fn no_revision_renders_other_pods_than_it_did() {
    for templates in Templates::ALL {
        let file = folder().join(format!("revision-{}.yaml", templates.number()));
        let rendered = render(templates);
        if std::env::var_os(WRITE).is_some() && !file.exists() {
            fs::write(&file, serde_yaml::to_string(&rendered).unwrap()).unwrap();
        }
        let kept =
            fs::read_to_string(&file).unwrap_or_else(|_| panic!("set {WRITE} to write {}", file.display()));
        let kept: Rendered = serde_yaml::from_str(&kept).unwrap();
        for (name, pods) in &rendered {
            assert_eq!(
                kept.get(name),
                Some(pods),
                "{name}: running pods of revision {} would be replaced; make it a new revision",
                templates.number()
            );
        }
        assert_eq!(kept.len(), rendered.len());
    }
}

#[test]
fn each_revision_renders_other_pods_than_the_one_before() {
    for pair in Templates::ALL.windows(2) {
        assert_ne!(render(pair[0]), render(pair[1]), "{pair:?}");
    }
}

#[test]
fn what_a_region_is_made_of_changes_only_where_it_is_meant() {
    let rendered = specs().into_iter().map(|(name, spec)| (name, children_of(&spec, Templates::NEWEST)));
    are_as_kept(rendered.collect(), &folder().join("children.yaml"));
}
