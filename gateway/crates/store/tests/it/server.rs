//! A PostgreSQL server of a test's own, for what cannot be done to the one that all share: TLS, crashes, a replica.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio_postgres::NoTls;

/// How often another port is tried when the one that was free a moment ago has been taken.
const PORTS_TRIED: u32 = 5;

/// Runs until it is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
}

impl Server {
    /// None, with a word on it, where the tests of this backend are left out or the server's programs are not installed.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let mut server = Self::place()?;
        let init = ["-U", "renmen", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"];
        server.run("initdb", &[&["-D", &server.data()], &init[..]].concat());
        let mut text =
            String::from("fsync = off\nfull_page_writes = off\nshared_buffers = 16MB\nmax_connections = 60\n");
        settings.iter().for_each(|setting| text.push_str(&format!("{setting}\n")));
        server.append("postgresql.conf", &text);
        server.up_on_a_free_port();
        Some(server)
    }

    /// A replica of another server, which streams until it is promoted.
    pub(crate) fn replica_of(primary: &Self) -> Self {
        let mut replica = Self::place().unwrap();
        let from = format!("host=127.0.0.1 port={} user=renmen", primary.port);
        replica.run(
            "pg_basebackup",
            &["-D", &replica.data(), "-d", &from, "-R", "-X", "stream", "-c", "fast", "--no-sync"],
        );
        replica.up_on_a_free_port();
        replica
    }

    fn place() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: RENMEN_TEST_POSTGRES names no server, or the programs of PostgreSQL are not installed");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("renmen-store-").tempdir().unwrap();
        if let Some((user, group)) = other_user() {
            std::os::unix::fs::chown(dir.path(), Some(user), Some(group)).unwrap();
        }
        Some(Self { programs, dir, port: free_port() })
    }

    pub(crate) fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    /// Starts it again where it was, and waits until it answers.
    pub(crate) fn up(&self) {
        if let Err(told) = self.start_server() {
            panic!("{told}");
        }
    }

    fn up_on_a_free_port(&mut self) {
        for _ in 1..PORTS_TRIED {
            match self.start_server() {
                Ok(()) => return,
                Err(told) if told.contains("Address already in use") => self.port = free_port(),
                Err(told) => panic!("{told}"),
            }
        }
        self.up();
    }

    fn start_server(&self) -> Result<(), String> {
        let options = format!("-p {} -h 127.0.0.1 -k {}", self.port, self.dir.path().display());
        let log = self.dir.path().join("log").display().to_string();
        self.try_run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "-t", "60", "start"])
    }

    /// As a crash would.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "promote"]);
    }

    /// Adds lines to one of its files; they count after a start or [`Server::reload`].
    pub(crate) fn append(&self, file: &str, text: &str) {
        use std::io::Write as _;
        let path = Path::new(&self.data()).join(file);
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Writes a file that only the server may read.
    pub(crate) fn write(&self, file: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = Path::new(&self.data()).join(file);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = other_user() {
            std::os::unix::fs::chown(&path, Some(user), Some(group)).unwrap();
        }
    }

    /// Runs SQL as its owner, over the socket file.
    pub(crate) async fn admin(&self, sql: &str) {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.dir.path()).port(self.port).user("renmen").dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://renmen@127.0.0.1:{}/postgres", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        if let Err(told) = self.try_run(program, arguments) {
            panic!("{told}");
        }
    }

    /// An error has what the program said, and the server's log.
    fn try_run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let output = self.command(program, arguments).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        let told = String::from_utf8_lossy(&output.stderr);
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        Err(format!("{program} {arguments:?}: {told}\n{log}"))
    }

    /// A program as the user that the server runs as.
    pub(crate) fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        use std::os::unix::process::CommandExt as _;
        // A path of its own is taken as it is.
        let mut command = Command::new(self.programs.join(program.as_ref()));
        command.args(arguments).current_dir(self.dir.path()).env("HOME", self.dir.path()).stdin(Stdio::null());
        // A server that a test starts outlives the command and must not hold its pipes open.
        command.stdout(Stdio::null());
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]).stderr(Stdio::null()).status();
    }
}

/// A disk of a few megabytes; none where this user may not mount one.
pub(crate) struct SmallDisk(TempDir);

impl SmallDisk {
    pub(crate) fn mount(server: &Server, megabytes: u32) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("renmen-disk-").tempdir().unwrap();
        let size = format!("size={megabytes}m,mode=0777");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("skipped: a small disk cannot be mounted here");
            return None;
        }
        // Its own folder, because the server wants to own what it puts its files into.
        let made =
            server.command("/bin/mkdir", &["-m", "0700", &dir.path().join("space").display().to_string()]).status();
        assert!(made.unwrap().success());
        Some(Self(dir))
    }

    /// A database on it; gives its URL.
    pub(crate) async fn database(&self, server: &Server) -> String {
        server.admin(&format!("CREATE TABLESPACE small LOCATION '{}/space'", self.path().display())).await;
        server.admin("CREATE DATABASE full_disk TABLESPACE small").await;
        format!("postgres://renmen@127.0.0.1:{}/full_disk", server.port)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where a program is that may be missing.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
    folders.into_iter().map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Where the server's programs are, if tests on PostgreSQL are wanted at all.
fn programs() -> Option<PathBuf> {
    std::env::var_os("RENMEN_TEST_POSTGRES")?;
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|at| at.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = versions.collect();
    all.sort();
    all.reverse();
    all.extend(std::env::split_paths(&path));
    all.into_iter().find(|dir| ["initdb", "pg_ctl", "pg_basebackup"].iter().all(|name| dir.join(name).is_file()))
}

/// The server refuses to run as root: root lends it the user of the distribution's package, or another one that owns nothing.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let packaged = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line[0] == "postgres");
    Some(packaged.map_or((65_534, 65_534), |line| (line[2].parse().unwrap(), line[3].parse().unwrap())))
}
