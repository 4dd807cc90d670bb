"""Logs people in with Authlib, for each client of a plan."""

import secrets

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from browse import browse, play
from joserfc import jwt
from joserfc.jwk import KeySet


def _log_in(plan: dict, client: dict, outcome: dict) -> None:
    where = f"{plan['issuer']}/.well-known/openid-configuration"
    metadata = requests.get(where, timeout=20).json()
    session = OAuth2Session(
        client["id"],
        client.get("secret"),
        token_endpoint_auth_method=client["method"],
        scope=" ".join(plan["scopes"]),
        redirect_uri=plan["redirect_uri"],
        code_challenge_method="S256",
    )
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    begin, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    end = browse(begin)
    redeem = {"authorization_response": end, "state": state, "code_verifier": verifier}
    tokens = session.fetch_token(metadata["token_endpoint"], **redeem)
    outcome["subject"] = _verified(metadata, client, tokens, nonce)
    outcome["userinfo"] = session.get(metadata["userinfo_endpoint"]).json()["sub"]
    fresh = session.refresh_token(
        metadata["token_endpoint"], refresh_token=tokens["refresh_token"]
    )
    outcome["refreshed"] = fresh["access_token"]
    leave = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": plan["post_logout_redirect_uri"],
        "state": state,
    }
    address = requests.Request("GET", metadata["end_session_endpoint"], params=leave).prepare().url
    outcome["left"] = browse(address)
    try:
        session.fetch_token(metadata["token_endpoint"], **redeem)
    except OAuthError as refused:
        outcome["again"] = refused.error


def _verified(metadata: dict, client: dict, tokens: dict, nonce: str) -> str:
    """Whom the id token names, if everything about it is right."""
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=20).json())
    token = jwt.decode(tokens["id_token"], keys)
    claims = CodeIDToken(
        token.claims,
        token.header,
        {"iss": {"value": metadata["issuer"]}, "aud": {"value": client["id"]}},
        {"nonce": nonce, "client_id": client["id"], "access_token": tokens["access_token"]},
    )
    claims.validate()
    return claims["sub"]


if __name__ == "__main__":
    play(_log_in)
