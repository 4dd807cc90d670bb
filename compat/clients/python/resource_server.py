"""Verifies each token of a plan with PyJWT, with the keys that the issuer's metadata names."""

import json
import sys
import urllib.request

import jwt

METADATA = "/.well-known/oauth-authorization-server"
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]


def main() -> None:
    plan = json.load(sys.stdin)
    with urllib.request.urlopen(plan["issuer"] + METADATA) as answer:
        keys = jwt.PyJWKClient(json.load(answer)["jwks_uri"])
    for token in plan["tokens"]:
        try:
            outcome = {"subject": _claims(plan, keys, token["token"])["sub"]}
        except jwt.PyJWTError as refusal:
            outcome = {"error": str(refusal)}
        print(json.dumps({"name": token["name"], **outcome}), flush=True)


def _claims(plan: dict, keys: jwt.PyJWKClient, token: str) -> dict:
    if jwt.get_unverified_header(token)["typ"] != plan["type"]:
        raise jwt.InvalidTokenError("another kind of token")
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=ALGORITHMS,
        audience=plan["audience"],
        issuer=plan["issuer"],
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]},
    )


if __name__ == "__main__":
    main()
