use kyb_domain::tenant::TenantId;

use super::*;

const PLATFORM: &str = "lists: []\n";
const TENANT: &str = "id: acme
display_name: Acme
rate_limit: {requests_per_minute: 600, burst: 20}
api_keys:
  - {id: key1, role: Guest, hash: \"sha256:1111111111111111111111111111111111111111111111111111111111111111\"}
  - {id: key2, role: Guest, hash: \"sha256:2222222222222222222222222222222222222222222222222222222222222222\"}
";

struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        fixture.write("platform.yaml", PLATFORM);
        fixture.write("tenant-acme.yaml", TENANT);
        fixture
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn folder(&self) -> Folder {
        Folder::new(self.0.path())
    }
}

/// The next look that reads something, within as many looks as patience allows.
fn next_read(folder: &mut Folder) -> Option<Result<Snapshot, SettingsError>> {
    (0..=PATIENCE + 1).find_map(|_| match folder.look() {
        Look::Read(outcome) => Some(*outcome),
        Look::Unchanged | Look::Unsettled => None,
    })
}

/// How many keys every set of settings had that was read while a file was being written, line by line.
fn keys_seen_while_written(wait_for_calm: bool) -> Vec<usize> {
    let fixture = Fixture::new();
    let mut folder = fixture.folder();
    folder.wait_for_calm = wait_for_calm;
    folder.read().unwrap();
    let longer = format!("{TENANT}threshold: 0.9\n");
    let lines: Vec<&str> = longer.split_inclusive('\n').collect();
    let mut seen = Vec::new();
    for whole in 5..=lines.len() {
        fixture.write("tenant-acme.yaml", &lines[..whole].concat());
        if let Look::Read(outcome) = folder.look() {
            seen.extend(outcome.map(|snapshot| snapshot.callers.len()));
        }
    }
    seen.extend(next_read(&mut folder).map(|read| read.unwrap().callers.len()));
    seen
}

#[test]
fn a_half_written_file_is_never_read_as_a_shorter_one() {
    assert_eq!(keys_seen_while_written(true), [2]);
}

#[test]
fn without_waiting_for_calm_a_half_written_file_loses_a_key() {
    assert!(keys_seen_while_written(false).contains(&1));
}

#[test]
fn who_never_stops_writing_does_not_stop_settings_from_being_read() {
    let fixture = Fixture::new();
    let mut folder = fixture.folder();
    folder.read().unwrap();
    let reads = (1..=100).filter(|burst| {
        fixture.write("tenant-acme.yaml", &TENANT.replace("burst: 20", &format!("burst: {burst}")));
        matches!(folder.look(), Look::Read(outcome) if outcome.is_ok())
    });
    assert!(reads.count() >= 10);
}

#[test]
fn a_change_of_equal_length_within_the_same_instant_is_noticed() {
    let fixture = Fixture::new();
    let mut folder = fixture.folder();
    let before = folder.read().unwrap();
    fixture.write("tenant-acme.yaml", &TENANT.replace("key1", "key3"));
    // As if the file system's clock had not moved between the two writings.
    let now = folder.list().unwrap();
    folder.read.as_mut().unwrap().files.clone_from(&now.files);
    for (name, known) in &mut folder.known {
        known.stamp = now.files[name].unwrap();
    }
    let after = next_read(&mut folder).unwrap().unwrap();
    assert_ne!(before.version, after.version);
}

#[test]
fn what_is_old_and_unchanged_is_not_read_again() {
    let fixture = Fixture::new();
    let mut folder = fixture.folder();
    folder.read().unwrap();
    let read = folder.read.as_mut().unwrap();
    read.looked_at += 2 * TIME_STEP; // as if the files had been written two steps before
    assert!(matches!(folder.look(), Look::Unchanged));
}

#[test]
fn only_what_changed_is_read_again() {
    let fixture = Fixture::new();
    let mut folder = fixture.folder();
    let before = folder.read().unwrap();
    folder.known.values_mut().for_each(|known| known.young = false);
    fixture.write("tenant-other.yaml", &TENANT.replace("acme", "other").replace("id: key", "id: more"));
    let after = next_read(&mut folder).unwrap().unwrap();
    assert_eq!(after.tenants.len(), 2);
    let acme = TenantId::try_from("acme").unwrap();
    assert!(
        Arc::ptr_eq(&before.tenants[&acme], &after.tenants[&acme]),
        "the unchanged tenant is the same object"
    );
}

#[test]
fn the_version_names_the_content() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let version = one.folder().read().unwrap().version;
    assert_eq!(version, other.folder().read().unwrap().version);
    assert!(version.len() == 12 && version.bytes().all(|b| b.is_ascii_hexdigit()), "{version}");
    other.write("platform.yaml", "lists: [] # none\n");
    assert_ne!(version, other.folder().read().unwrap().version);
}
