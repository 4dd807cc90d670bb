"""Gets a token with Authlib for each client of a plan."""

import json
import sys

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import import_key


def main() -> None:
    plan = json.load(sys.stdin)
    for client in plan["clients"]:
        try:
            outcome = {"token": _token(plan, client)}
        except OAuthError as refused:
            outcome = {"error": refused.error}
        print(json.dumps({"name": client["name"], **outcome}), flush=True)


def _token(plan: dict, client: dict) -> str:
    session = OAuth2Session(
        client["id"],
        client.get("secret") or import_key(client["key"]),
        token_endpoint_auth_method=client["method"],
        scope=plan["scope"],
    )
    if client["method"] == "private_key_jwt":
        method = PrivateKeyJWT(plan["token_url"], alg=client["key"]["alg"])
        session.register_client_auth_method(method)
    answer = session.fetch_token(
        plan["token_url"], grant_type="client_credentials", audience=plan["audience"]
    )
    return answer["access_token"]


if __name__ == "__main__":
    main()
