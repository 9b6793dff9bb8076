//! Settings for the throw-away platform: those of a folder, or one development tenant made up here.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use kyb_domain::{
    list::ListVersion,
    tenant::{KeyId, Role, TenantId},
};
use kyb_settings::{
    ApiKey, KeyHash, RateLimit, Settings, SettingsError, Snapshot,
    files::{KeyFile, ListFile, PlatformFile, SourceFile, TenantFile, VerificationFile},
    period::Period,
};

use super::example_list;
use crate::{exit::Unusable, lists};

/// The development tenant, and the id of its key.
const TENANT: &str = "demo";

/// What to run with.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// A folder of settings.
    Settings(PathBuf),
    /// A development tenant and these folders of lists.
    Lists(Vec<PathBuf>),
    /// A development tenant and the example list of this program.
    ExampleList,
}

/// What was made up for development.
pub(crate) struct Development {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// Its only key.
    pub(crate) key: ApiKey,
    /// Where its lists lie.
    pub(crate) folders: Vec<PathBuf>,
    /// Which they are.
    pub(crate) versions: Vec<ListVersion>,
    /// Whether it is the example list, which must not be mistaken for a real one.
    pub(crate) is_example: bool,
}

/// Settings, ready to be used within a runtime.
pub(crate) struct Configuration {
    source: Source,
    /// What was made up, if anything.
    pub(crate) development: Option<Development>,
}

enum Source {
    Folder(PathBuf),
    Snapshot(Box<Snapshot>),
}

impl Configuration {
    /// Reads what is wanted, before anything is started for it; `None` for the example list, which needs a folder first.
    /// Blocks.
    pub(crate) fn read(wanted: Wanted) -> anyhow::Result<Option<Self>> {
        match wanted {
            Wanted::ExampleList => Ok(None),
            Wanted::Lists(folders) => Self::develop(folders, false).map(Some),
            Wanted::Settings(folder) => {
                Snapshot::read(&folder).map_err(|error| refused(&folder, error))?;
                Ok(Some(Self { source: Source::Folder(folder), development: None }))
            }
        }
    }

    /// The example list, laid into `scratch`. Blocks.
    pub(crate) fn example(scratch: &Path) -> anyhow::Result<Self> {
        Self::develop(vec![example_list::lay_into(scratch)?], true)
    }

    fn develop(folders: Vec<PathBuf>, is_example: bool) -> anyhow::Result<Self> {
        let lists = folders.iter().map(|folder| lists_of(folder)).collect::<Result<Vec<_>, _>>()?.concat();
        let (files, versions): (Vec<ListFile>, _) = lists.into_iter().unzip();
        let tenant = TenantId::try_from(TENANT)?;
        let key = ApiKey::generate("dev", &KeyId::try_from(TENANT)?);
        let tenants = [tenant_file(&tenant, &key)?];
        let platform = PlatformFile { lists: files, ..PlatformFile::default() };
        let snapshot = Snapshot::of(&platform, &tenants, Path::new(".")).map_err(|error| {
            Unusable::new("the lists can't be used together", "give each list once").because(error)
        })?;
        let development = Development { tenant, key, folders, versions, is_example };
        Ok(Self { source: Source::Snapshot(Box::new(snapshot)), development: Some(development) })
    }

    /// The settings. Must be called within a runtime.
    pub(crate) fn settings(self) -> anyhow::Result<(Settings, Option<Development>)> {
        let settings = match self.source {
            Source::Snapshot(snapshot) => Settings::fixed(*snapshot),
            Source::Folder(folder) => Settings::watch(&folder, Duration::from_millis(500))
                .map_err(|error| refused(&folder, error))?,
        };
        Ok((settings, self.development))
    }
}

fn refused(folder: &Path, error: SettingsError) -> Unusable {
    let problem = format!("the settings in `{}` are refused", folder.display());
    let remedy = "give a folder with platform.yaml and one tenant-<id>.yaml for each tenant";
    Unusable::new(problem, remedy).because(error)
}

fn tenant_file(tenant: &TenantId, key: &ApiKey) -> anyhow::Result<TenantFile> {
    let key = KeyFile {
        id: key.id().clone(),
        role: Role::SystemAdmin,
        hash: KeyHash::of(key.reveal()),
        expires_at: None,
        contexts: None,
    };
    Ok(TenantFile {
        id: tenant.clone(),
        display_name: "Development".try_into()?,
        contexts: vec![],
        rate_limit: RateLimit { requests_per_minute: 60_000, burst: 1_000 },
        api_keys: vec![key],
        erase: false,
        verification: VerificationFile::default(),
        lists: None,
        threshold: None,
    })
}

/// Every list of a folder and its direct sub-folders, each with the very folder it lies in: there the worker looks for it.
fn lists_of(folder: &Path) -> anyhow::Result<Vec<(ListFile, ListVersion)>> {
    let folder = std::path::absolute(folder)?;
    let found = lists::read_folder(&folder)?;
    let mut places = vec![folder.clone()];
    places.extend(
        std::fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()),
    );
    let lists = found.into_iter().filter_map(|parsed| {
        let version = parsed.watchlist.version;
        let holds =
            |place: &&PathBuf| kyb_lists::directory::files(place, &version.list, version.format).is_ok();
        let source =
            SourceFile { directory: Some(places.iter().find(holds)?.clone()), ..SourceFile::default() };
        let (refresh, max_age) = (Period::from_secs(3_600), Period::from_secs(86_400));
        Some((
            ListFile {
                id: version.list.clone(),
                format: version.format,
                source,
                refresh,
                max_age,
                accept_shrink: None,
            },
            version,
        ))
    });
    Ok(lists.collect())
}
