//! The images that every region runs itself.

use std::{path::Path, process::Command};

use super::{
    Image,
    pack::{FORMAT, copy, pack},
};
use crate::{
    build::Tool,
    cache,
    error::{LabError, Result},
    files,
};

/// Holds the namespaces of a pod. It only waits: containerd kills it.
pub(crate) const PAUSE: &str = "docker.io/lab/pause:1";

/// A shell, `nc`, `nslookup`, `httpd` and the like, for looking into a region from a pod.
const TOOLS: &str = "docker.io/lab/tools:1";

/// Debian's static busybox.
const BUSYBOX: &str = "/bin/busybox";

const PAUSE_DOCKERFILE: &str = r#"FROM scratch
COPY busybox /busybox
USER 65535:65535
ENTRYPOINT ["/busybox", "sleep", "infinity"]
"#;

const TOOLS_DOCKERFILE: &str = r#"FROM scratch
COPY bin /bin
ENV PATH=/bin
USER 65535:65535
CMD ["/bin/sh"]
"#;

/// What every region needs before anything else.
#[derive(Debug, Clone)]
pub(crate) struct AddonImages {
    pub(crate) pause: Image,
    pub(crate) tools: Image,
    pub(crate) coredns: Image,
    pub(crate) metrics_server: Image,
}

impl AddonImages {
    /// Takes them from the cache, or builds them. Blocks: about four minutes on two cores the first time.
    pub(crate) fn ensure() -> Result<Self> {
        Ok(Self {
            pause: kept(PAUSE, PAUSE_DOCKERFILE, "busybox", |context| {
                copy(Path::new(BUSYBOX), context, "busybox").map(|_| ())
            })?,
            tools: kept(TOOLS, TOOLS_DOCKERFILE, "busybox", fill_with_tools)?,
            coredns: tool(Tool::CoreDns)?,
            metrics_server: tool(Tool::MetricsServer)?,
        })
    }

    pub(crate) fn all(&self) -> [&Image; 4] {
        [&self.pause, &self.tools, &self.coredns, &self.metrics_server]
    }
}

fn tool(tool: Tool) -> Result<Image> {
    let binary = tool.ensure()?;
    let (program, version) = tool.name_and_version();
    let name = format!("docker.io/lab/{program}:{version}");
    let dockerfile =
        format!("FROM scratch\nCOPY {program} /{program}\nUSER 65532:65532\nENTRYPOINT [\"/{program}\"]\n");
    kept(&name, &dockerfile, version, |context| copy(&binary, context, program).map(|_| ()))
}

/// An image in the cache, made from a Dockerfile and the files that `fill` puts beside it.
fn kept(
    name: &str,
    dockerfile: &str,
    version: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<Image> {
    let last = name.rsplit('/').next().unwrap_or(name).replace(':', "-");
    let folder = cache::folder(
        &format!("image-{last}"),
        &format!("the image {name}"),
        &[name, dockerfile, version, FORMAT],
        |folder| {
            let context =
                tempfile::tempdir().map_err(LabError::file("make a folder in", std::env::temp_dir()))?;
            fill(context.path())?;
            let path = context.path().join("Dockerfile");
            files::write(&path, dockerfile, false)?;
            let image = pack(name, &path, context.path(), folder)?;
            let place = folder.join("image.tar");
            std::fs::rename(&image.archive, &place).map_err(LabError::file("rename to", &place))
        },
    )?;
    Ok(Image { name: name.to_owned(), archive: folder.join("image.tar") })
}

/// Crashes in Debian 12's static busybox, whatever it is asked for.
const BROKEN: &str = "wget";

/// busybox under all the names that it answers to.
fn fill_with_tools(context: &Path) -> Result<()> {
    let bin = context.join("bin");
    files::make_folder(&bin)?;
    copy(Path::new(BUSYBOX), &bin, "busybox")?;
    let spawn = |source| LabError::Spawn {
        doing: "list busybox' tools".into(),
        command: format!("{BUSYBOX} --list"),
        source,
    };
    let said = Command::new(BUSYBOX).arg("--list").output().map_err(spawn)?;
    for name in
        String::from_utf8_lossy(&said.stdout).lines().filter(|name| !["busybox", BROKEN].contains(name))
    {
        let link = bin.join(name);
        std::os::unix::fs::symlink("busybox", &link).map_err(LabError::file("make the link", link))?;
    }
    Ok(())
}
