//! What the shells of these tests know besides the programs: words that wait for what happens, and
//! never for time to pass.

use crate::terminals::Terminals;

const WORDS: &str = r#"
mkdir bin; carnet link bin > links.txt; export PATH="$PWD/bin:$PATH"
# status CURL_ARGUMENTS: the status of the answer, whose body is body.txt then.
status() { curl -sS -o body.txt -w '%{http_code}\n' "$@"; }
# becomes STATUS CURL_ARGUMENTS: asks until the answer has the status.
becomes() {
  local wanted=$1 got end=$((SECONDS + 30)); shift
  until got=$(status "$@" 2> /dev/null); [ "$got" = "$wanted" ]; do
    [ "$SECONDS" -lt "$end" ] || { echo "$* answers $got"; return; }
  done
}
# says FILE TEXT: waits until a line of the file, present or future, has the text.
says() { timeout 30 grep -qm1 -e "$2" <(tail -n +1 -F "$1" 2> /dev/null) || echo "$1 does not say: $2"; }
# register SECRET FLAGS: the id of a new client of the server at 4445.
register() {
  local secret=$1; shift
  hydra create client --endpoint http://127.0.0.1:4445 --grant-type client_credentials \
    --audience https://traefik.io --secret "$secret" --format json "$@" | jq -r .client_id
}
# bearer: the token that whoami saw.
bearer() { sed -n 's/^Authorization: Bearer \([^\r]*\).*/\1/p' body.txt; }
"#;

/// A shell that knows these words.
pub(crate) fn shell() -> Terminals {
    let mut shell = Terminals::open();
    quietly(&mut shell, WORDS);
    shell
}

/// Types a command that has nothing to say.
pub(crate) fn quietly(shell: &mut Terminals, command: &str) {
    assert_eq!(said(shell, command), "", "{command}");
}

/// Types a command and gives what it said.
pub(crate) fn said(shell: &mut Terminals, command: &str) -> String {
    shell.enter(command).join("\n")
}
