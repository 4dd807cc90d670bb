"""Gets a token with requests-oauthlib for each client of a plan."""

import json
import sys

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session


def main() -> None:
    plan = json.load(sys.stdin)
    for client in plan["clients"]:
        try:
            outcome = {"token": _token(plan, client)}
        except OAuth2Error as refused:
            outcome = {"error": refused.error}
        print(json.dumps({"name": client["name"], **outcome}), flush=True)


def _token(plan: dict, client: dict) -> str:
    session = OAuth2Session(client=BackendApplicationClient(client["id"], scope=[plan["scope"]]))
    if client["method"] == "client_secret_basic":
        credentials = {"auth": HTTPBasicAuth(client["id"], client["secret"])}
    else:
        credentials = {"include_client_id": True, "client_secret": client["secret"]}
    answer = session.fetch_token(plan["token_url"], audience=plan["audience"], **credentials)
    return answer["access_token"]


if __name__ == "__main__":
    main()
