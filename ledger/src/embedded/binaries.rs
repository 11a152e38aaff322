//! Finds PostgreSQL's server programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;

/// Where Debian's packages put each major version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// The oldest major version with everything the ledger uses.
pub const OLDEST_MAJOR: u32 = 14;

/// One installed set of server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The directory with `initdb` and `postgres`.
    pub dir: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
}

impl Binaries {
    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Finds the programs: `configured` alone where given, else the highest version that Debian
    /// installed, else what `pg_config` or PATH name. `wanted` is the version that made the data
    /// directory; an installed set of that version beats a higher one.
    ///
    /// # Errors
    /// When none is found, or none of the wanted version.
    pub fn find(configured: Option<&Path>, wanted: Option<u32>) -> Result<Self, EmbeddedError> {
        let candidates = match configured {
            Some(dir) => vec![dir.to_owned()],
            None => search(),
        };
        let mut usable = Vec::new();
        for dir in candidates.iter().filter(|dir| has_programs(dir)) {
            match version_of(&dir.join("postgres")) {
                Ok(major) => usable.push(Self {
                    major,
                    dir: dir.clone(),
                }),
                Err(error) if configured.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        usable.retain(|found| found.major >= OLDEST_MAJOR);
        usable.sort_by_key(|found| std::cmp::Reverse(found.major));
        if usable.is_empty() {
            let searched = match configured {
                Some(dir) => format!("looked in postgres_bin_dir = {}", dir.display()),
                None => format!("looked in {DEBIAN_ROOT}/*/bin, pg_config and PATH"),
            };
            return Err(EmbeddedError::BinariesMissing { searched });
        }
        let Some(wanted) = wanted else {
            return Ok(usable.swap_remove(0));
        };
        let mut majors: Vec<String> = usable.iter().map(|found| found.major.to_string()).collect();
        majors.dedup();
        usable
            .into_iter()
            .find(|found| found.major == wanted)
            .ok_or_else(|| EmbeddedError::VersionMismatch {
                path: PathBuf::new(),
                data: wanted.to_string(),
                found: majors.join(", "),
            })
    }
}

fn has_programs(dir: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|name| dir.join(name).is_file())
}

/// Every directory worth a look, each once.
fn search() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Ok(versions) = std::fs::read_dir(DEBIAN_ROOT) {
        found.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        let said = String::from_utf8_lossy(&output.stdout);
        found.push(PathBuf::from(said.trim()));
    }
    if let Some(path) = std::env::var_os("PATH") {
        found.extend(std::env::split_paths(&path));
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|dir| {
        let real = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        dir.is_absolute() && seen.insert(real)
    });
    found
}

fn version_of(program: &Path) -> Result<u32, EmbeddedError> {
    let unknown = |detail: String| EmbeddedError::UnknownVersion {
        program: program.to_owned(),
        detail,
    };
    let output = Command::new(program)
        .arg("--version")
        .env_clear()
        .output()
        .map_err(|error| unknown(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    parse_version(&said).ok_or_else(|| unknown(format!("it said {said:?}")))
}

/// `postgres (PostgreSQL) 15.18 (Debian ...)` gives 15, `17beta1` gives 17.
fn parse_version(said: &str) -> Option<u32> {
    let number = said.split_once("(PostgreSQL) ")?.1;
    let digits = number
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(parse_version("mysqld 8"), None);
    }

    #[test]
    fn an_empty_directory_has_no_programs() {
        let empty = tempfile::tempdir().unwrap();
        let error = Binaries::find(Some(empty.path()), None).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("apt-get install postgresql)") && said.contains("postgres_bin_dir"),
            "{said}"
        );
    }

    #[test]
    fn finds_the_installed_server_and_refuses_another_version() {
        let found = Binaries::find(None, None).unwrap();
        assert!(found.major >= OLDEST_MAJOR);
        assert_eq!(Binaries::find(None, Some(found.major)).unwrap(), found);
        assert!(matches!(
            Binaries::find(None, Some(9)),
            Err(EmbeddedError::VersionMismatch { .. })
        ));
    }
}
