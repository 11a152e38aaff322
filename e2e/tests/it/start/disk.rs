//! A disk that is full or read-only, on a small file system of its own.

use std::{fs::File, io::Write, path::PathBuf, process::Command};

use e2e::{Program, ProgramOptions};
use tempfile::TempDir;

use super::{ENVIRONMENT, data, directory, is_root, path, refused, serve, with};

/// A mounted `tmpfs`, gone when dropped.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
    _directory: TempDir,
}

impl SmallDisk {
    /// Only root can mount where the test itself sees it.
    pub(crate) fn mount_if_root(megabytes: u32) -> Option<Self> {
        is_root().then(|| Self::mount(megabytes))
    }

    fn mount(megabytes: u32) -> Self {
        let directory = directory();
        let path = path(&directory, "disk");
        std::fs::create_dir(&path).unwrap();
        let options = format!("size={megabytes}m,mode=0755");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path));
        Self {
            path,
            _directory: directory,
        }
    }

    fn read_only(&self) {
        run(Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(&self.path));
    }

    /// Writes a file that leaves no space, then gives so many megabytes back.
    pub(crate) fn fill_but(&self, megabytes: u64) -> PathBuf {
        let path = self.path.join("ballast");
        let mut file = File::create(&path).unwrap();
        let block = [0; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length - megabytes * 1024 * 1024).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Without root: the same on a `tmpfs` in a user namespace of the command's own, where we stay ourselves.
fn on_own_disk(mount_options: &str) -> (TempDir, Command) {
    let directory = directory();
    let disk = path(&directory, "disk");
    std::fs::create_dir(&disk).unwrap();
    let script =
        r#"mount -t tmpfs -o "$1" tmpfs "$2" || exit 99; exec "$3" serve --listen 127.0.0.1:0"#;
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-current-user",
        "--keep-caps",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
    ]);
    command.arg(mount_options).arg(&disk).arg(e2e::binary());
    with(&mut command, &[data(&disk)]);
    (directory, command)
}

#[test]
fn a_disk_too_small_for_a_new_database() {
    let words = ["is full", "MB free, 256 MB needed", "--data-dir"];
    if is_root() {
        let disk = SmallDisk::mount(100);
        refused(&mut serve(&disk.path), ENVIRONMENT, &words);
    } else {
        let (_directory, mut command) = on_own_disk("size=100m");
        refused(&mut command, ENVIRONMENT, &words);
    }
}

#[test]
fn a_read_only_disk() {
    let words = ["cannot be written (read-only file system)", "--data-dir"];
    if is_root() {
        let disk = SmallDisk::mount(10);
        disk.read_only();
        for data_dir in [disk.path.clone(), disk.path.join("data")] {
            refused(&mut serve(&data_dir), ENVIRONMENT, &words);
        }
    } else {
        let (_directory, mut command) = on_own_disk("size=10m,ro");
        refused(&mut command, ENVIRONMENT, &words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_became_full_between_two_starts() {
    if !is_root() {
        // The check is the one of the first start, which a smaller disk proves.
        let (_directory, mut command) = on_own_disk("size=30m");
        refused(&mut command, ENVIRONMENT, &["is full", "--data-dir"]);
        return;
    }
    let disk = SmallDisk::mount(600);
    let data_dir = disk.path.join("data");
    std::fs::create_dir(&data_dir).unwrap();
    let mut program = Program::start(ProgramOptions::embedded(&data_dir)).await;
    assert!(program.stop().await.success());
    let ballast = disk.fill_but(10);
    refused(
        &mut serve(&data_dir),
        ENVIRONMENT,
        &["is full", "MB free, 48 MB needed", "--data-dir"],
    );
    std::fs::remove_file(ballast).unwrap();
    let mut program = Program::start(ProgramOptions::embedded(&data_dir)).await;
    assert!(program.stop().await.success());
}
