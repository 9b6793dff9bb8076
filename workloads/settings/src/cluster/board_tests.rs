use kyb_domain::tenant::Role;

use super::*;
use crate::files::KeyFile;

const HASH: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn tenant(id: &str, keys: &[&str], more: &str) -> String {
    let keys: Vec<String> =
        keys.iter().map(|key| format!("{{id: {key}, role: Guest, hash: '{HASH}'}}")).collect();
    format!(
        "id: {id}\ndisplay_name: {id}\nrate_limit: {{requests_per_minute: 60, burst: 5}}\napi_keys: [{}]\n{more}",
        keys.join(", ")
    )
}

fn platform(lists: &[&str]) -> String {
    let list = |id: &&str| format!("{{id: {id}, format: un-xml, source: {{directory: un}}}}");
    format!("lists: [{}]\n", lists.iter().map(list).collect::<Vec<_>>().join(", "))
}

/// A ConfigMap named after its only file.
fn map(file: &str, resource_version: u64, text: &str) -> SeenMap {
    let name = format!("kyb-settings-{}", file.trim_end_matches(".yaml"));
    SeenMap { name, resource_version, files: BTreeMap::from([(file.to_owned(), text.to_owned())]) }
}

fn acme(resource_version: u64, keys: &[&str]) -> SeenMap {
    map("tenant-acme.yaml", resource_version, &tenant("acme", keys, ""))
}

fn beta(resource_version: u64, keys: &[&str]) -> SeenMap {
    map("tenant-beta.yaml", resource_version, &tenant("beta", keys, ""))
}

/// Platform, acme and beta, as of resource versions 1 to 3.
fn board() -> Board {
    let mut board = Board::new("/");
    for map in [map("platform.yaml", 1, &platform(&["un"])), acme(2, &["acme1"]), beta(3, &["beta1"])] {
        board.listed(map);
    }
    board.end_listing();
    board
}

/// Which of these keys somebody holds, as `tenant:key`.
fn held_keys(snapshot: &Snapshot, ids: &[&str]) -> Vec<String> {
    let key = |id: &&str| KeyFile {
        id: (*id).try_into().unwrap(),
        role: Role::Guest,
        hash: HASH.to_owned().try_into().unwrap(),
        expires_at: None,
        contexts: None,
    };
    let holder = |id: &&str| snapshot.callers.holder(&key(id)).map(|tenant| format!("{}:{id}", tenant.id));
    ids.iter().filter_map(holder).collect()
}

fn refused(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.refused.iter().map(|refusal| refusal.file.as_str()).collect()
}

#[test]
fn what_was_listed_comes_into_use_with_its_highest_resource_version() {
    let snapshot = board().build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1", "beta1"]), ["acme:acme1", "beta:beta1"]);
    assert_eq!((snapshot.resource_version, refused(&snapshot)), (Some(3), vec![]));
}

/// Whether acme keeps its key while its newest file is bad, and beta's change comes into use nevertheless.
fn one_bad_file_stalls_nobody(keeps_the_last_good: bool) -> bool {
    let mut board = board();
    board.keeps_the_last_good = keeps_the_last_good;
    board.build().unwrap();
    board.applied(map("tenant-acme.yaml", 4, "id: acme\ndisplay_name: ["));
    board.applied(beta(5, &["beta2"]));
    let snapshot = board.build().unwrap();
    assert_eq!((snapshot.resource_version, refused(&snapshot)), (Some(5), vec!["tenant-acme.yaml"]));
    held_keys(&snapshot, &["acme1", "beta1", "beta2"]) == ["acme:acme1", "beta:beta2"]
}

#[test]
fn a_bad_file_stays_as_it_last_was_and_all_others_go_on() {
    assert!(one_bad_file_stalls_nobody(true));
}

#[test]
fn without_the_last_good_version_a_bad_file_locks_its_tenant_out() {
    assert!(!one_bad_file_stalls_nobody(false));
}

#[test]
fn a_file_that_is_good_again_is_not_refused_any_more() {
    let mut board = board();
    let before = board.build().unwrap();
    board.applied(map("tenant-acme.yaml", 4, "x"));
    assert_eq!(refused(&board.build().unwrap()), ["tenant-acme.yaml"]);
    board.applied(acme(5, &["acme1"]));
    let after = board.build().unwrap();
    assert_eq!(refused(&after), [""; 0]);
    assert_eq!((after.version, after.resource_version), (before.version, Some(5)));
}

#[test]
fn only_what_changed_is_read_again() {
    let mut board = board();
    let before = board.build().unwrap();
    board.applied(beta(4, &["beta2"]));
    board.applied(acme(5, &["acme1"])); // touched, but the same text
    let after = board.build().unwrap();
    let (acme, beta) = ("acme".parse().unwrap(), "beta".parse().unwrap());
    assert!(Arc::ptr_eq(&before.tenants[&acme], &after.tenants[&acme]));
    assert!(!Arc::ptr_eq(&before.tenants[&beta], &after.tenants[&beta]));
}

#[test]
fn a_map_that_was_only_touched_moves_the_resource_version_and_nothing_else() {
    let mut board = board();
    let before = board.build().unwrap();
    board.applied(acme(9, &["acme1"]));
    assert!(board.is_dirty());
    let after = board.build().unwrap();
    assert_eq!((before.version, after.resource_version), (after.version, Some(9)));
}

#[test]
fn nobody_takes_a_key_away_from_the_tenant_that_has_it() {
    let mut board = board();
    board.build().unwrap();
    board.applied(acme(4, &["acme2", "beta1"])); // beta's
    let snapshot = board.build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1", "acme2", "beta1"]), ["acme:acme1", "beta:beta1"]);
    assert_eq!(refused(&snapshot), ["tenant-acme.yaml"]);
    assert!(snapshot.refused[0].problem.contains("`beta1` is also a key of tenant-beta.yaml"));
}

#[test]
fn a_key_may_move_from_one_tenant_to_another_in_one_go() {
    for (from, to) in [("acme", "beta"), ("beta", "acme")] {
        let mut board = board();
        board.build().unwrap();
        let key = format!("{from}1");
        board.applied(map(&format!("tenant-{from}.yaml"), 4, &tenant(from, &[], "")));
        board.applied(map(&format!("tenant-{to}.yaml"), 5, &tenant(to, &[&key], "")));
        let snapshot = board.build().unwrap();
        assert_eq!(held_keys(&snapshot, &["acme1", "beta1"]), [format!("{to}:{key}")]);
        assert_eq!(refused(&snapshot), [""; 0]);
    }
}

#[test]
fn who_is_set_back_gets_its_keys_back_from_those_that_took_them() {
    let mut board = board();
    board.listed(map("platform.yaml", 1, &platform(&["un"])));
    for (id, keys) in [("acme", ["acme1"]), ("mid", ["mid1"]), ("zeta", ["zeta1"])] {
        board.listed(map(&format!("tenant-{id}.yaml"), 2, &tenant(id, &keys, "")));
    }
    board.end_listing();
    board.build().unwrap();
    // zeta gives its key to acme but wants mid's, which mid keeps: so zeta is set back, and then acme, too.
    board.applied(acme(3, &["acme1", "zeta1"]));
    board.applied(map("tenant-zeta.yaml", 4, &tenant("zeta", &["mid1"], "")));
    let snapshot = board.build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1", "mid1", "zeta1"]), ["acme:acme1", "mid:mid1", "zeta:zeta1"]);
    assert_eq!(refused(&snapshot), ["tenant-acme.yaml", "tenant-zeta.yaml"]);
}

#[test]
fn a_tenant_of_which_no_good_version_was_ever_seen_is_refused_alone() {
    let mut board = board();
    board.applied(map("tenant-new.yaml", 4, &tenant("new", &["new1"], "lists: [ofac]\n")));
    let snapshot = board.build().unwrap();
    assert_eq!(snapshot.tenants.len(), 2);
    assert!(snapshot.refused[0].problem.contains("`ofac` is not among the lists"), "{:?}", snapshot.refused);
}

#[test]
fn a_list_that_the_platform_drops_does_not_lock_out_who_wants_it() {
    let mut board = board();
    board.applied(map("tenant-acme.yaml", 4, &tenant("acme", &["acme1"], "lists: [un]\n")));
    board.build().unwrap();
    board.applied(map("platform.yaml", 5, &platform(&[])));
    let snapshot = board.build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1"]), ["acme:acme1"]);
    assert_eq!((snapshot.platform.lists.len(), refused(&snapshot)), (0, vec!["tenant-acme.yaml"]));
}

#[test]
fn a_bad_platform_stays_as_it_was_and_tenants_go_on() {
    let mut board = board();
    board.build().unwrap();
    board.applied(map("platform.yaml", 4, "lists: 1"));
    board.applied(acme(5, &["acme2"]));
    let snapshot = board.build().unwrap();
    assert_eq!((snapshot.platform.lists.len(), refused(&snapshot)), (1, vec!["platform.yaml"]));
    assert_eq!(held_keys(&snapshot, &["acme2"]), ["acme:acme2"]);
}

#[test]
fn an_emptied_namespace_is_refused_as_a_whole() {
    let mut board = board();
    board.build().unwrap();
    board.begin_listing();
    board.end_listing();
    assert_eq!(board.build().unwrap_err(), parsed::platform_missing());
}

#[test]
fn a_deleted_map_takes_its_tenant_with_it() {
    let mut board = board();
    board.build().unwrap();
    board.deleted("kyb-settings-tenant-acme", 8);
    let snapshot = board.build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1", "beta1"]), ["beta:beta1"]);
    assert_eq!(snapshot.resource_version, Some(8));
}

#[test]
fn a_listing_shows_only_when_it_is_whole_and_forgets_what_it_does_not_name() {
    let mut board = board();
    board.build().unwrap();
    board.begin_listing();
    board.listed(map("platform.yaml", 1, &platform(&["un"])));
    assert_eq!(board.build().unwrap().tenants.len(), 2, "a listing under way does not show");
    board.listed(beta(3, &["beta1"]));
    board.end_listing();
    let snapshot = board.build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1", "beta1"]), ["beta:beta1"]);
}

#[test]
fn a_file_in_two_maps_is_refused_until_one_lets_go() {
    let mut board = board();
    board.build().unwrap();
    let copy = SeenMap { name: "copy".to_owned(), ..acme(4, &["acme2"]) };
    board.applied(copy);
    let snapshot = board.build().unwrap();
    assert_eq!(held_keys(&snapshot, &["acme1", "acme2"]), ["acme:acme1"]);
    assert!(snapshot.refused[0].problem.contains("`copy` and `kyb-settings-tenant-acme`"));
    board.deleted("kyb-settings-tenant-acme", 5);
    let snapshot = board.build().unwrap();
    assert_eq!(
        (held_keys(&snapshot, &["acme1", "acme2"]), refused(&snapshot)),
        (vec!["acme:acme2".to_owned()], vec![])
    );
}

#[test]
fn a_tenant_to_be_erased_is_nobodys_tenant() {
    let mut board = board();
    board.build().unwrap();
    board.applied(map("tenant-acme.yaml", 4, &tenant("acme", &[], "erase: true\n")));
    let snapshot = board.build().unwrap();
    let acme = "acme".parse().unwrap();
    assert!(snapshot.erasures.contains(&acme) && !snapshot.tenants.contains_key(&acme));
    assert_eq!(held_keys(&snapshot, &["acme1", "beta1"]), ["beta:beta1"]);
    board.applied(map("tenant-acme.yaml", 5, &tenant("acme", &["acme1"], "erase: true\n")));
    assert!(board.build().unwrap().refused[0].problem.contains("has no keys"));
}
