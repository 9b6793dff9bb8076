//! `kyb-lab`: real Kubernetes regions on this machine.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use kyb_lab::{
    Binaries, Lab, LabName, REGIONS, RegionStatus, Tool,
    images::{Product, build_product},
};

/// Starts, shows, breaks and removes Kubernetes regions on this machine, each with its own control plane and real pods.
#[derive(Debug, Parser)]
#[command(name = "kyb-lab", version)]
struct Arguments {
    /// Which lab: several can run side by side.
    #[arg(long, global = true, default_value = "kyb", env = "KYB_LAB")]
    lab: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make what is missing of the first regions, and wait until they are ready. Can be repeated, also after it was killed.
    Up {
        /// How many: us-east-1, us-west-2, eu-west-1.
        #[arg(long, default_value_t = 1)]
        regions: usize,
    },
    /// Remove everything of the lab, whatever state it is in.
    Down,
    /// Say what each region is doing.
    Status,
    /// Print the path of a region's kubeconfig.
    Kubeconfig {
        /// Such as us-east-1.
        region: String,
    },
    /// Print the address of a region's node, for NodePorts.
    Address {
        /// Such as us-east-1.
        region: String,
    },
    /// Run kubectl in a region, even if it is cut off.
    Kubectl {
        /// Such as us-east-1.
        region: String,
        /// What kubectl is to do.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a program in a region's network, where Services and pods answer.
    Inside {
        /// Such as us-east-1.
        region: String,
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<String>,
    },
    /// Load archives of images into every region, and print those that were new.
    Load {
        /// Made by `kyb-lab images` or `docker save`.
        #[arg(required = true)]
        archives: Vec<PathBuf>,
    },
    /// Build images of this project's programs, PostgreSQL and Redis, and print the paths of their archives.
    Images(ImagesArguments),
    /// Cut a region off from everything, or from another region.
    Cut {
        /// Such as us-east-1.
        region: String,
        /// Only from this one; this machine still reaches both.
        #[arg(long)]
        from: Option<String>,
    },
    /// Undo every cut of a region.
    Mend {
        /// Such as us-east-1.
        region: String,
    },
    /// Build a program, unless it is there, and print its path.
    Tool {
        /// Which one.
        name: ToolName,
    },
    /// Give claims of a region their folders; runs until killed.
    #[command(hide = true)]
    Provision {
        #[arg(long)]
        kubeconfig: PathBuf,
        #[arg(long)]
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct ImagesArguments {
    /// The folder with the static programs.
    #[arg(long)]
    programs: PathBuf,
    /// The folder for the archives.
    #[arg(long)]
    output: PathBuf,
    /// The folder with the Dockerfiles.
    #[arg(long, default_value = "images")]
    dockerfiles: PathBuf,
    /// What the images' names begin with.
    #[arg(long, default_value = "docker.io/kyb")]
    repository: String,
    /// The tag of the images.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    tag: String,
    /// Only these: kyb-gateway, kyb-worker, kyb-operator, kyb-postgres, kyb-redis.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ToolName {
    Kubectl,
    Helm,
    Coredns,
    MetricsServer,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(Arguments::parse())).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kyb-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let lab = Lab::new(LabName::new(&arguments.lab)?);
    match arguments.command {
        Command::Up { regions } => up(&lab, &arguments.lab, regions).await?,
        Command::Down => lab.down().await?,
        Command::Status => return status(&lab).await,
        Command::Kubeconfig { region } => println!("{}", lab.kubeconfig(&region)?.display()),
        Command::Address { region } => println!("{}", lab.address(&region)?),
        Command::Kubectl { region, arguments } => return Err(kubectl(&lab, &region, &arguments)?),
        Command::Inside { region, program } => return Err(inside(&lab, &region, &program)?),
        Command::Load { archives } => load(&lab, &archives).await?,
        Command::Images(images) => build_images(images)?,
        Command::Cut { region, from } => lab.cut(&region, from.as_deref()).await?,
        Command::Mend { region } => lab.mend(&region).await?,
        Command::Tool { name } => println!("{}", tool(name)?.display()),
        Command::Provision { kubeconfig, folder } => kyb_lab::region::provision(&kubeconfig, &folder).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn up(lab: &Lab, name: &str, regions: usize) -> anyhow::Result<()> {
    lab.up(regions, &std::env::current_exe()?).await?;
    for region in &REGIONS[..regions] {
        println!(
            "export KUBECONFIG={} # {region}, NodePorts on {}",
            lab.kubeconfig(region)?.display(),
            lab.address(region)?
        );
    }
    let option = if name == "kyb" { String::new() } else { format!("--lab {name} ") };
    println!("# kyb-lab {option}status, kyb-lab {option}down");
    Ok(())
}

async fn status(lab: &Lab) -> anyhow::Result<ExitCode> {
    let regions = lab.status().await?;
    if regions.is_empty() {
        println!("no region is up: kyb-lab up");
        return Ok(ExitCode::FAILURE);
    }
    regions.iter().for_each(print_status);
    let well = |region: &RegionStatus| region.connected && region.stopped.is_empty() && region.node.is_ok();
    Ok(if regions.iter().all(well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_status(region: &RegionStatus) {
    let node = region
        .node
        .as_ref()
        .map_or_else(|why| format!("node not ready: {why}"), |()| "node ready".to_owned());
    let ready = region.pods - region.waiting_pods.len();
    let cable = if region.connected { "" } else { ", CUT OFF" };
    println!("{:<10} {}{cable}, {node}, {ready} of {} pods ready", region.name, region.address, region.pods);
    println!("{:<10} {}", "", region.kubeconfig.display());
    if !region.stopped.is_empty() {
        println!("{:<10} not running: {}; start them again: kyb-lab up", "", region.stopped.join(", "));
    }
    for pod in &region.waiting_pods {
        println!("{:<10} not ready: {pod}", "");
    }
}

/// Becomes kubectl; returns only if that fails.
fn kubectl(lab: &Lab, region: &str, arguments: &[String]) -> anyhow::Result<anyhow::Error> {
    let path = Binaries::ensure()?.path("kubectl");
    let mut command = lab.inside(region, &path.display().to_string())?;
    command.arg(format!("--kubeconfig={}", lab.kubeconfig(region)?.display())).args(arguments);
    Ok(command.exec().into())
}

/// Becomes the program; returns only if that fails.
fn inside(lab: &Lab, region: &str, program: &[String]) -> anyhow::Result<anyhow::Error> {
    let (program, arguments) = program.split_first().context("no program was named")?;
    Ok(lab.inside(region, program)?.args(arguments).exec().into())
}

async fn load(lab: &Lab, archives: &[PathBuf]) -> anyhow::Result<()> {
    for archive in archives {
        if lab.load(archive).await? {
            println!("{}", archive.display());
        }
    }
    Ok(())
}

fn build_images(arguments: ImagesArguments) -> anyhow::Result<()> {
    let product = Product {
        dockerfiles: arguments.dockerfiles,
        programs: arguments.programs,
        output: arguments.output,
        repository: arguments.repository,
        version: arguments.tag,
        only: arguments.only,
    };
    for image in build_product(&product)? {
        eprintln!("kyb-lab: {} is in {}", image.name, image.archive.display());
        println!("{}", image.archive.display());
    }
    Ok(())
}

fn tool(name: ToolName) -> anyhow::Result<PathBuf> {
    Ok(match name {
        ToolName::Kubectl => Binaries::ensure()?.path("kubectl"),
        ToolName::Helm => Tool::Helm.ensure()?,
        ToolName::Coredns => Tool::CoreDns.ensure()?,
        ToolName::MetricsServer => Tool::MetricsServer.ensure()?,
    })
}
