//! A Redis server of a test's own.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// The longest the server may take to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(20);

/// `redis-server` on a free port of the loopback interface, killed when dropped. It keeps nothing on the disk.
pub struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// Where the server is that the test program's ledgers share; it ends with the program.
    pub fn shared() -> String {
        static SHARED: OnceLock<(Redis, Child)> = OnceLock::new();
        let (redis, _) = SHARED.get_or_init(|| {
            let redis = Self::start();
            let watchdog = watchdog(redis.child.id());
            (redis, watchdog)
        });
        redis.url()
    }

    /// Starts it and waits until it listens.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        Self {
            child: run(port),
            port,
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Gives it a command.
    pub fn run(&self, command: &[&str]) {
        let said = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "-e"])
            .args(command)
            .output()
            .expect("redis-cli is installed: run scripts/bootstrap tests");
        assert!(said.status.success(), "{command:?}: {said:?}");
    }

    /// Kills it: nothing listens there any more.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, empty, at the same place.
    pub fn restart(&mut self) {
        self.kill();
        self.child = run(self.port);
    }
}

/// Ends the server when this process is gone, however it ends.
fn watchdog(server: u32) -> Child {
    Command::new("sh")
        .args([
            "-c",
            r#"read -r _; kill -KILL "$1""#,
            "sh",
            &server.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh runs")
}

fn run(port: u16) -> Child {
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed: run scripts/bootstrap tests");
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            started.elapsed() < START_LIMIT,
            "redis-server does not listen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
