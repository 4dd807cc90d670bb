//! A PostgreSQL of the test's own: a cluster in a temporary folder, on the loopback and on a socket,
//! which ends with the test process, whatever becomes of it.

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What to do where there is none.
const MISSING: &str = "no PostgreSQL is installed: `apt-get install postgresql`, or put `initdb` and `postgres` into PATH";

/// The server lives as long as somebody holds the other end of its guard's standard input, and its
/// folder too, unless a word was said there.
const GUARD: &str = r#"
    "$@" </dev/null &
    read -r word
    kill -QUIT $!
    wait $!
    [ -n "$word" ] || rm -rf "$0"
"#;

/// A cluster: user `carnet` with password `secret` over the loopback, no password over the socket.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    guard: Child,
    databases: AtomicU32,
}

impl Cluster {
    /// The cluster that all tests of a process share, each with databases of its own.
    ///
    /// # Errors
    /// When it cannot be started: a sentence that says what to install.
    pub fn shared() -> io::Result<&'static Self> {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(&[]).map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|sentence| io::Error::other(sentence.clone()))
    }

    /// A cluster for one test that treats it badly, with settings such as `max_connections=5`.
    ///
    /// # Errors
    /// As [`Self::shared`].
    pub fn start(settings: &[&str]) -> io::Result<Self> {
        let programs = programs()?;
        let folder = new_folder()?;
        let data = folder.join("data");
        let password = folder.join("password");
        fs::write(&password, "secret\n")?;
        let mut initdb = unprivileged(&folder, &programs.join("initdb"))?;
        initdb.arg("-D").arg(&data).arg("--pwfile").arg(&password);
        initdb.args(["-U", "carnet", "--no-sync", "--no-instructions"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--auth-local=trust"]);
        done(initdb.arg("--auth-host=scram-sha-256").output()?)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let guard = serve(&programs, &folder, port, settings)?;
        let cluster = Self {
            programs,
            folder,
            port,
            guard,
            databases: AtomicU32::new(0),
        };
        cluster.wait()?;
        Ok(cluster)
    }

    /// Makes an empty database and gives its address, over the loopback.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn database(&self) -> io::Result<String> {
        let n = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{n}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.address(&name))
    }

    /// The address of a database.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://carnet:secret@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    /// The port on the loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements as the owner; gives what they print, unaligned.
    ///
    /// # Errors
    /// When one of them fails.
    pub fn sql(&self, database: &str, statements: &str) -> io::Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-U", "carnet", "-d", database, "-c", statements]);
        psql.arg("-h")
            .arg(&self.folder)
            .arg("-p")
            .arg(self.port.to_string());
        let printed = done(psql.output()?)?;
        Ok(String::from_utf8_lossy(&printed).trim().to_owned())
    }

    /// Ends the server at once, as a crash does.
    ///
    /// # Errors
    /// When there is none.
    pub fn crash(&mut self) -> io::Result<()> {
        if let Some(mut stdin) = self.guard.stdin.take() {
            stdin.write_all(b"keep the folder\n")?;
        }
        self.guard.wait().map(drop)
    }

    /// Starts a server again that has crashed, on its port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn revive(&mut self) -> io::Result<()> {
        self.guard = serve(&self.programs, &self.folder, self.port, &[])?;
        self.wait()
    }

    /// Stops the server and all its processes where they stand; connections stay open.
    ///
    /// # Errors
    /// When they cannot be found.
    pub fn pause(&self) -> io::Result<()> {
        self.signal("STOP")
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When its processes cannot be found.
    pub fn resume(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        let pid = file.lines().next().unwrap_or_default();
        let children = Command::new("pgrep").args(["-P", pid]).output()?;
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        let mut kill = Command::new("kill");
        kill.arg(format!("-{signal}")).arg(pid);
        // A child that has just ended is no failure.
        kill.args(children.split_whitespace()).output().map(drop)
    }

    /// Waits until the server answers.
    fn wait(&self) -> io::Result<()> {
        let mut ready = Command::new(self.programs.join("pg_isready"));
        ready
            .arg("-h")
            .arg(&self.folder)
            .arg("-p")
            .arg(self.port.to_string());
        for _ in 0..100 {
            if ready.output()?.status.success() {
                return Ok(());
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(io::Error::other(format!(
            "PostgreSQL does not start: {log}"
        )))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A server that was paused could not end.
        let _ = self.resume();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Where the programs are: in a folder of PATH, or in the distribution's of the newest version.
fn programs() -> io::Result<PathBuf> {
    let found = Command::new("sh")
        .args(["-c", "command -v initdb"])
        .output()?;
    let found = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    // What lies in PATH may only lead to where the other programs are.
    let found = found.canonicalize().unwrap_or(found);
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    folders.extend(found.parent().map(Path::to_owned));
    folders
        .into_iter()
        .rfind(|folder| {
            let needed = ["initdb", "postgres", "psql", "pg_isready"];
            needed.iter().all(|program| folder.join(program).exists())
        })
        .ok_or_else(|| io::Error::other(MISSING))
}

/// A folder that the server's user owns; short, since the path of a socket must be.
fn new_folder() -> io::Result<PathBuf> {
    let made = Command::new("mktemp")
        .args(["-d", "/tmp/carnet-pg.XXXXXX"])
        .output()?;
    let folder = PathBuf::from(String::from_utf8_lossy(&done(made)?).trim());
    if is_root(&folder)? {
        let mut chown = Command::new("chown");
        done(chown.arg("postgres").arg(&folder).output()?)?;
    }
    Ok(folder)
}

/// Whose a file is that we make tells who we are.
fn is_root(folder: &Path) -> io::Result<bool> {
    let probe = folder.join(".who");
    fs::write(&probe, "")?;
    let owner = fs::metadata(&probe)?.uid();
    fs::remove_file(&probe)?;
    Ok(owner == 0)
}

/// A program as a user that PostgreSQL accepts: it refuses root.
fn unprivileged(folder: &Path, program: &Path) -> io::Result<Command> {
    if !is_root(folder)? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command.current_dir(folder);
    Ok(command)
}

fn serve(programs: &Path, folder: &Path, port: u16, settings: &[&str]) -> io::Result<Child> {
    let log = fs::File::create(folder.join("log"))?;
    let mut guard = unprivileged(folder, Path::new("sh"))?;
    guard
        .args(["-c", GUARD])
        .arg(folder)
        .arg(programs.join("postgres"));
    guard
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder);
    guard.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    // What a crash of the server takes with it is tested, not what a crash of the machine would.
    for setting in ["fsync=off", "max_connections=200", "shared_buffers=32MB"] {
        guard.args(["-c", setting]);
    }
    for setting in settings {
        guard.args(["-c", setting]);
    }
    guard
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// What a program printed, or what it complained about.
fn done(output: Output) -> io::Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}
