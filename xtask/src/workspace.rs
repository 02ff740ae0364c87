//! What Cargo says about this workspace: its root, its target directory, its packages and their edges.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{Failure, Result, cargo, output};

/// The answer of `cargo metadata`, as far as the tasks need it.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Where Cargo builds.
    pub(crate) target: PathBuf,
    /// Our own packages, by name.
    pub(crate) packages: Vec<Package>,
}

/// One of our packages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder relative to the root, with forward slashes: `crates/arena`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// An edge from a package to another, ours or not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks use it.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Ask Cargo.
    pub(crate) fn load() -> Result<Self> {
        let mut command = cargo();
        command
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .current_dir(root());
        let metadata = output(&mut command)?;
        let metadata: Value = serde_json::from_str(&metadata)
            .map_err(|error| Failure::while_doing("cargo metadata", error))?;
        Self::from_metadata(&metadata)
            .ok_or_else(|| Failure::new("cargo metadata answers in an unknown form"))
    }

    /// Read the answer of `cargo metadata`; `None` if something expected is not in it.
    pub(crate) fn from_metadata(metadata: &Value) -> Option<Self> {
        let root = PathBuf::from(metadata["workspace_root"].as_str()?);
        let packages = metadata["packages"]
            .as_array()?
            .iter()
            .map(|package| Package::from_metadata(package, &root));
        Some(Self {
            target: PathBuf::from(metadata["target_directory"].as_str()?),
            packages: packages.collect::<Option<_>>()?,
            root,
        })
    }

    /// The package of that name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    fn from_metadata(package: &Value, root: &Path) -> Option<Self> {
        let folder = Path::new(package["manifest_path"].as_str()?)
            .parent()?
            .strip_prefix(root)
            .ok()?;
        let dependencies = package["dependencies"]
            .as_array()?
            .iter()
            .map(|dependency| {
                Some(Dependency {
                    name: dependency["name"].as_str()?.to_owned(),
                    dev: dependency["kind"].as_str() == Some("dev"),
                })
            });
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            folder: folder.to_str()?.replace('\\', "/"),
            dependencies: dependencies.collect::<Option<_>>()?,
        })
    }
}

/// The folder of the root manifest: the one above ours.
pub(crate) fn root() -> PathBuf {
    let ours =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&ours)
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_has_a_package_for_this_program() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(workspace.package("xtask").unwrap().folder, "xtask");
        assert!(workspace.root.join("Cargo.lock").exists());
    }

    #[test]
    fn an_answer_in_another_form_is_refused() {
        assert!(Workspace::from_metadata(&serde_json::json!({ "packages": [] })).is_none());
    }
}
