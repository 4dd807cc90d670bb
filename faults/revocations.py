"""What our authorization server revokes is refused, or fetched anew, by the gateway that follows it."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from authserver import Authserver, sqlite_dsn
from stage import Stage, wait_until
from tokens import Room, Service, judged, names, visit

ROUNDS = {"short": 2, "long": 10}
# A stream that broke is there again within this time.
RECONNECT_S = 6


def play(stage: Stage) -> dict[str, float]:
    """Deletes clients, revokes tokens, and both again after the server died and came back."""
    rounds = ROUNDS[stage.form]
    clients = names("client", 3 * rounds + 1)
    dsn = sqlite_dsn(stage.folder / "db.sqlite")
    with Authserver(stage.carnet, stage.folder, dsn) as server, Service() as service:
        server.migrate()
        server.start()
        for client in clients:
            server.create(client, client_secret="secret", token_endpoint_auth_method="client_secret_post")
        stream = f"revocations: {{url: 'http://127.0.0.1:{server.admin}/admin/revocations'}}"
        with Room(stage, server.public, service.port, stream, path="/oauth2/token") as room:
            lost = sum(visit(room.port, client).status != 200 for client in clients)
            play_one = _Played(server, service, room)
            deleted = [play_one.deleted(client) for client in clients[:rounds]]
            revoked = [play_one.revoked(client) for client in clients[rounds : 2 * rounds]]
            server.kill()
            lost += sum(visit(room.port, client).status != 200 for client in clients[rounds:])
            server.start()
            time.sleep(RECONNECT_S)
            after = [play_one.deleted(client) for client in clients[2 * rounds : 3 * rounds]]
            lost += visit(room.port, clients[-1]).status != 200
            return {
                "deleted_refused_max_s": max(deleted),
                "revoked_renewed_max_s": max(revoked),
                "refused_after_restart_max_s": max(after),
                "lost": lost,
                **judged(room, service),
            }


class _Played:
    """What is done to one client, and how long it takes to be seen."""

    def __init__(self, server: Authserver, service: Service, room: Room) -> None:
        self.server, self.service, self.room = server, service, room

    def deleted(self, client: str) -> float:
        """Until it is refused."""
        self.server.ask_admin("DELETE", f"/admin/clients/{client}")
        return wait_until(lambda: visit(self.room.port, client).status == 401)

    def revoked(self, client: str) -> float:
        """Until the service sees another token."""
        before = self.service.last[client]
        form = urlencode({"client_id": client, "client_secret": "secret", "token": before}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        port = self.server.public
        answer = self.server.caller.call(port, "POST", "/oauth2/revoke", form, headers)
        if answer.status != 200:
            raise SystemExit(f"faults: a token was not revoked: {answer.body!r}")

        def is_another() -> bool:
            return visit(self.room.port, client).status == 200 and self.service.last[client] != before

        return wait_until(is_another)
