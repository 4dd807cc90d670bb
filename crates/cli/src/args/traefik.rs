//! Lines with flags of Traefik in them: any case, any depth (`--entryPoints.WEB.address=:80`).
//! They are kept as typed; `carnet_config::install::read_flags` knows their meaning.

use std::path::PathBuf;

use clap::Args;

/// The flags of `up` that are not Traefik's.
pub(super) const UP: &str = "\
Flags of its own:
  -f, --filename <FILE_OR_DIR>
          Manifests to run; may be repeated, - is standard input, a directory is read by name.
          Edits are live in under a second
      --endpoint <NAMESPACE/SERVICE:PORT=HOST:PORT>
          Where a Service is that nothing here backs; may be repeated
      --free-ports
          Take free ports also where 4444 and 4445 are taken

It listens at --entrypoints.web.address=127.0.0.1:8000 unless told otherwise.";

/// The flags of `gateway` that are not Traefik's.
pub(super) const GATEWAY: &str = "\
Its configuration is that of --configFile, else of the first carnet.yaml, .yml or .toml, or else
traefik.yaml, .yml or .toml, in /etc/traefik, $XDG_CONFIG_HOME, $HOME/.config or here; or else
that of flags, or of variables such as TRAEFIK_ENTRYPOINTS_WEB_ADDRESS. To begin with:

  carnet gateway --entryPoints.web.address=127.0.0.1:8000 --providers.file.filename=routes.yml

Flags of its own:
      --upgrade-socket <PATH>
          A Unix socket over which a newer process takes over the listening sockets: start it with
          the same path beside the running one, which then finishes its requests and ends";

/// The flags of `healthcheck` that are not Traefik's.
pub(super) const HEALTHCHECK: &str = "\
Flags of its own:
      --ready
          Whether it should get traffic (/readyz), in place of whether it lives (/ping)

It reads the configuration that the gateway reads, to know where to ask.";

/// Arguments of a command all of whose flags are Traefik's.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TraefikFlags {
    /// Flags of Traefik's static configuration, whatever their case, such as
    /// --entrypoints.web.address=:80.
    #[arg(
        value_name = "FLAGS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) flags: Vec<String>,
}

/// What `up` was told: its own flags, taken out of those of the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Up {
    /// `-f`: files and directories of manifests in the order given; `-` is standard input.
    pub(crate) files: Vec<PathBuf>,
    /// `--endpoint`: where a Service is that nothing here backs, as `NS/NAME:PORT=HOST:PORT`.
    pub(crate) endpoints: Vec<String>,
    /// `--free-ports`: whether 4444 and 4445 may be replaced by free ports.
    pub(crate) free_ports: bool,
    /// The gateway's flags, as typed.
    pub(crate) flags: Vec<String>,
}

impl Up {
    /// Takes out what is `up`'s own.
    ///
    /// # Errors
    /// When a flag of `up` lacks its value: a sentence.
    pub(crate) fn read(typed: TraefikFlags) -> Result<Self, String> {
        let mut up = Self::default();
        let mut arguments = typed.flags.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, inline) = parts(&argument);
            let mut value = || value(name, inline, &mut arguments, "up");
            match name {
                "-f" | "--filename" => up.files.push(value()?.into()),
                "--endpoint" => up.endpoints.push(value()?),
                "--free-ports" => up.free_ports = true,
                _ => up.flags.push(argument),
            }
        }
        Ok(up)
    }
}

/// What `gateway` was told: its own flags, taken out of Traefik's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gateway {
    /// `--upgrade-socket`: over which a newer process takes over.
    pub(crate) upgrade_socket: Option<PathBuf>,
    /// Traefik's flags, as typed.
    pub(crate) flags: Vec<String>,
}

impl Gateway {
    /// Takes out what is `gateway`'s own.
    ///
    /// # Errors
    /// When a flag of `gateway` lacks its value: a sentence.
    pub(crate) fn read(typed: TraefikFlags) -> Result<Self, String> {
        let mut gateway = Self::default();
        let mut arguments = typed.flags.into_iter();
        while let Some(argument) = arguments.next() {
            match parts(&argument) {
                (name @ "--upgrade-socket", inline) => {
                    let path = value(name, inline, &mut arguments, "gateway")?;
                    gateway.upgrade_socket = Some(path.into());
                }
                _ => gateway.flags.push(argument),
            }
        }
        Ok(gateway)
    }
}

/// Name and value of `--name=value`.
fn parts(argument: &str) -> (&str, Option<&str>) {
    match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    }
}

/// The value of a flag: behind its `=`, or the next argument.
fn value(
    name: &str,
    inline: Option<&str>,
    arguments: &mut impl Iterator<Item = String>,
    command: &str,
) -> Result<String, String> {
    let value = inline.map(str::to_owned).or_else(|| arguments.next());
    value.ok_or_else(|| format!("`{name}` needs a value; see `carnet {command} --help`"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_upgrade_socket_is_the_gateways_own() {
        let read = |line: &str| {
            Gateway::read(TraefikFlags {
                flags: line.split(' ').map(str::to_owned).collect(),
            })
        };
        for line in [
            "--ping --upgrade-socket a.sock",
            "--upgrade-socket=a.sock --ping",
        ] {
            let gateway = read(line).unwrap();
            assert_eq!(gateway.upgrade_socket, Some("a.sock".into()));
            assert_eq!(gateway.flags, ["--ping"]);
        }
        let error = read("--ping --upgrade-socket").unwrap_err();
        assert!(error.contains("carnet gateway --help"), "{error}");
    }

    fn up(line: &str) -> Result<Up, String> {
        Up::read(TraefikFlags {
            flags: line.split(' ').map(str::to_owned).collect(),
        })
    }

    #[test]
    fn flags_of_up_and_of_the_gateway_may_be_mixed() {
        let up = up(
            "-f a.yaml --entryPoints.web.address=:80 --filename=dir -f - --accessLog \
                     --endpoint default/db:80=10.0.0.1:80 --free-ports --ping",
        )
        .unwrap();
        assert_eq!(up.files, ["a.yaml", "dir", "-"].map(PathBuf::from));
        assert_eq!(up.endpoints, ["default/db:80=10.0.0.1:80"]);
        assert!(up.free_ports);
        assert_eq!(
            up.flags,
            ["--entryPoints.web.address=:80", "--accessLog", "--ping"]
        );
    }

    #[test]
    fn a_flag_without_its_value_is_a_sentence() {
        assert!(up("--ping -f").unwrap_err().contains("`-f` needs a value"));
    }
}
