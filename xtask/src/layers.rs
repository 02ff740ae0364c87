//! The layers: which crate may depend on which, as a table, and the check that it is so.
//!
//! A new edge is a change of design and is made here first. The rows stand in layer order, each naming
//! only rows above it, so that the table cannot hold a cycle.
//!
//! Tests may reach further than the code they test: a dev-dependency may be any crate of a row above,
//! and never one of a row below, for that one may depend on the crate itself.

use std::fs;

use crate::run::{Failure, Result};
use crate::workspace::{Package, Workspace};

/// What every package of ours is named, before the name of its folder.
const PREFIX: &str = "strata-";

/// A crate, by its folder in `crates/`, and the crates it may depend on.
struct Layer {
    folder: &'static str,
    beneath: &'static [&'static str],
}

/// The table of allowed edges.
const LAYERS: &[Layer] = &[
    Layer {
        folder: "coding",
        beneath: &[],
    },
    Layer {
        folder: "arena",
        beneath: &[],
    },
    Layer {
        folder: "checksum",
        beneath: &[],
    },
    Layer {
        folder: "dbformat",
        beneath: &["coding"],
    },
    Layer {
        folder: "skiplist",
        beneath: &["coding", "arena"],
    },
    Layer {
        folder: "memtable",
        beneath: &["arena", "dbformat", "skiplist"],
    },
    Layer {
        folder: "write-batch",
        beneath: &["coding", "dbformat", "memtable"],
    },
    Layer {
        folder: "wal",
        beneath: &["coding", "checksum"],
    },
    Layer {
        folder: "files",
        beneath: &["wal"],
    },
    Layer {
        folder: "manifest",
        beneath: &["coding", "dbformat", "wal", "files"],
    },
    Layer {
        folder: "block",
        beneath: &["coding", "checksum"],
    },
    Layer {
        folder: "table",
        beneath: &["coding", "checksum", "dbformat", "block"],
    },
    Layer {
        folder: "write-buffer",
        beneath: &[
            "arena",
            "dbformat",
            "memtable",
            "write-batch",
            "wal",
            "files",
            "table",
        ],
    },
    Layer {
        folder: "recognise",
        beneath: &[
            "coding",
            "checksum",
            "write-batch",
            "wal",
            "files",
            "manifest",
        ],
    },
    Layer {
        folder: "database",
        beneath: &[
            "coding",
            "dbformat",
            "memtable",
            "write-batch",
            "wal",
            "files",
            "manifest",
            "table",
            "write-buffer",
            "recognise",
        ],
    },
    Layer {
        folder: "rebuild",
        beneath: &["dbformat", "wal", "files", "manifest", "table", "database"],
    },
    Layer {
        folder: "cli",
        beneath: &[
            "coding",
            "arena",
            "checksum",
            "dbformat",
            "skiplist",
            "memtable",
            "write-batch",
            "wal",
            "files",
            "manifest",
            "block",
            "table",
            "write-buffer",
            "recognise",
            "database",
            "rebuild",
        ],
    },
];

/// The packages outside `crates/`, and whether they may depend on crates of ours.
///
/// The checks must build when a crate does not, so xtask uses none of them.
const TOOLS: &[(&str, bool)] = &[("xtask", false), ("benches", true)];

/// `cargo xtask layers`: name every edge and every crate that the table does not allow.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    let violations = violations(&workspace.packages, &crate_folders(&workspace)?);
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        println!(
            "{} packages, every edge as the table of layers has it",
            workspace.packages.len()
        );
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} of the layers' rules are broken",
        violations.len()
    )))
}

/// The names of the folders in `crates/`.
fn crate_folders(workspace: &Workspace) -> Result<Vec<String>> {
    let path = workspace.root.join("crates");
    let fault = |error| Failure::while_doing(path.display(), error);
    let mut folders = Vec::new();
    for entry in fs::read_dir(&path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_type().map_err(fault)?.is_dir() {
            folders.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    folders.sort();
    Ok(folders)
}

/// One sentence for each rule broken.
fn violations(packages: &[Package], folders: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders {
        if layer(folder).is_none() {
            found.push(format!(
                "crates/{folder} is not in the table of layers, in xtask/src/layers.rs"
            ));
        } else if !packages
            .iter()
            .any(|package| package.folder == format!("crates/{folder}"))
        {
            found.push(format!("crates/{folder} holds no package"));
        }
    }
    for layer in LAYERS {
        if !folders.iter().any(|folder| folder == layer.folder) {
            found.push(format!(
                "the table of layers has {0}, and there is no crates/{0}",
                layer.folder
            ));
        }
    }
    for package in packages {
        check_name(package, &mut found);
        check_edges(package, packages, &mut found);
    }
    found
}

/// A package is named after its folder.
fn check_name(package: &Package, found: &mut Vec<String>) {
    let Package { name, folder, .. } = package;
    match folder.strip_prefix("crates/") {
        Some(layer) if *name != format!("{PREFIX}{layer}") => {
            found.push(format!(
                "{folder} is named {name}, and would be {PREFIX}{layer} after its folder"
            ));
        }
        None if !TOOLS.iter().any(|(tool, _)| tool == folder && tool == name) => {
            found.push(format!(
                "{folder} holds the package {name}, which is neither a crate nor a known tool"
            ));
        }
        _ => {}
    }
}

/// Every edge from this package to another of ours is in the table.
fn check_edges(package: &Package, packages: &[Package], found: &mut Vec<String>) {
    for dependency in &package.dependencies {
        if !packages.iter().any(|other| other.name == dependency.name) {
            continue;
        }
        let allowed = if dependency.dev {
            allowed_for_tests(package)
        } else {
            allowed(package)
        };
        let known = dependency
            .name
            .strip_prefix(PREFIX)
            .is_some_and(|other| allowed.contains(&other));
        if !known {
            let (edge, who) = if dependency.dev {
                ("dev-depends", "tests of it")
            } else {
                ("depends", "it")
            };
            found.push(format!(
                "{} {edge} on {}; {who} may depend on {}",
                package.name,
                dependency.name,
                if allowed.is_empty() {
                    "no crate of ours".to_owned()
                } else {
                    allowed.join(", ")
                },
            ));
        }
    }
}

/// What the package may depend on: its row of the table.
fn allowed(package: &Package) -> Vec<&'static str> {
    match package.folder.strip_prefix("crates/") {
        Some(folder) => layer(folder).map_or_else(Vec::new, |(_, layer)| layer.beneath.to_vec()),
        None if TOOLS.contains(&(package.name.as_str(), true)) => {
            LAYERS.iter().map(|layer| layer.folder).collect()
        }
        None => Vec::new(),
    }
}

/// What the tests of the package may depend on: every row above its own.
fn allowed_for_tests(package: &Package) -> Vec<&'static str> {
    match package.folder.strip_prefix("crates/").and_then(layer) {
        Some((row, _)) => LAYERS[..row].iter().map(|layer| layer.folder).collect(),
        None => allowed(package),
    }
}

/// The row of the table for a folder in `crates/`.
fn layer(folder: &str) -> Option<(usize, &'static Layer)> {
    LAYERS
        .iter()
        .enumerate()
        .find(|(_, layer)| layer.folder == folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The violations in a workspace of all crates of the table without edges, but for these packages.
    fn violations_with(changed: &[(&str, &str, Value)]) -> Vec<String> {
        let mut packages: Vec<Value> = Vec::new();
        let mut folders: Vec<String> = LAYERS.iter().map(|layer| layer.folder.to_owned()).collect();
        for folder in &folders {
            let manifest = format!("/x/crates/{folder}/Cargo.toml");
            packages.push(json!({ "name": format!("strata-{folder}"), "manifest_path": manifest, "dependencies": [] }));
        }
        for (name, folder, dependencies) in changed {
            let manifest = format!("/x/{folder}/Cargo.toml");
            packages.retain(|package| package["manifest_path"] != manifest.as_str());
            packages.push(
                json!({ "name": name, "manifest_path": manifest, "dependencies": dependencies }),
            );
            folders.extend(folder.strip_prefix("crates/").map(str::to_owned));
        }
        folders.sort();
        folders.dedup();
        let metadata = json!({ "workspace_root": "/x", "target_directory": "/x/target", "packages": packages });
        violations(
            &Workspace::from_metadata(&metadata).unwrap().packages,
            &folders,
        )
    }

    #[test]
    fn every_row_names_only_rows_above_it() {
        for (row, layer) in LAYERS.iter().enumerate() {
            for beneath in layer.beneath {
                assert!(
                    LAYERS[..row].iter().any(|above| above.folder == *beneath),
                    "{} -> {beneath}",
                    layer.folder
                );
            }
        }
    }

    #[test]
    fn the_edges_of_the_table_are_allowed() {
        let dependencies = json!([
            { "name": "strata-arena", "kind": null },
            { "name": "parking_lot", "kind": null },
            { "name": "strata-skiplist", "kind": "build" },
        ]);
        assert_eq!(
            violations_with(&[("strata-memtable", "crates/memtable", dependencies)]),
            [""; 0]
        );
    }

    #[test]
    fn a_forbidden_edge_is_found_and_what_is_allowed_is_said() {
        let dependencies = json!([{ "name": "strata-memtable", "kind": null }]);
        assert_eq!(
            violations_with(&[("strata-table", "crates/table", dependencies)]),
            [
                "strata-table depends on strata-memtable; it may depend on coding, checksum, dbformat, block"
            ],
        );
    }

    #[test]
    fn a_build_dependency_counts_as_one() {
        let dependencies = json!([{ "name": "strata-coding", "kind": "build" }]);
        assert_eq!(
            violations_with(&[("strata-arena", "crates/arena", dependencies)]),
            ["strata-arena depends on strata-coding; it may depend on no crate of ours"],
        );
    }

    #[test]
    fn tests_may_reach_every_row_above_and_none_below() {
        let above = json!([{ "name": "strata-memtable", "kind": "dev" }]);
        assert_eq!(
            violations_with(&[("strata-table", "crates/table", above)]),
            [""; 0]
        );
        let below = json!([{ "name": "strata-skiplist", "kind": "dev" }]);
        assert_eq!(
            violations_with(&[("strata-arena", "crates/arena", below)]),
            ["strata-arena dev-depends on strata-skiplist; tests of it may depend on coding"],
        );
    }

    #[test]
    fn no_crate_may_depend_on_a_tool() {
        let dependencies = json!([{ "name": "benches", "kind": null }]);
        let found = violations_with(&[
            ("benches", "benches", json!([])),
            ("strata-wal", "crates/wal", dependencies),
        ]);
        assert_eq!(
            found,
            ["strata-wal depends on benches; it may depend on coding, checksum"]
        );
    }

    #[test]
    fn the_benchmarks_may_depend_on_all_and_this_program_on_none() {
        let dependencies = json!([{ "name": "strata-cli", "kind": null }]);
        let found = violations_with(&[
            ("benches", "benches", dependencies.clone()),
            ("xtask", "xtask", dependencies),
        ]);
        assert_eq!(
            found,
            ["xtask depends on strata-cli; it may depend on no crate of ours"]
        );
    }

    #[test]
    fn a_folder_that_the_table_does_not_have_is_found() {
        assert_eq!(
            violations_with(&[("strata-cache", "crates/cache", json!([]))]),
            ["crates/cache is not in the table of layers, in xtask/src/layers.rs"],
        );
    }

    #[test]
    fn a_crate_that_is_missing_is_found() {
        let folders: Vec<String> = LAYERS[1..]
            .iter()
            .map(|layer| layer.folder.to_owned())
            .collect();
        let found = violations(&[], &folders);
        assert!(
            found.contains(
                &"the table of layers has coding, and there is no crates/coding".to_owned()
            )
        );
        assert!(found.contains(&"crates/arena holds no package".to_owned()));
    }

    #[test]
    fn a_package_that_is_not_named_after_its_folder_is_found() {
        assert_eq!(
            violations_with(&[
                ("wal", "crates/wal", json!([])),
                ("scripts", "scripts", json!([]))
            ]),
            [
                "crates/wal is named wal, and would be strata-wal after its folder",
                "scripts holds the package scripts, which is neither a crate nor a known tool",
            ],
        );
    }
}
