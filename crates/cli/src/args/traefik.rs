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
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || {
                value
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| format!("`{name}` needs a value; see `carnet up --help`"))
            };
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

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
