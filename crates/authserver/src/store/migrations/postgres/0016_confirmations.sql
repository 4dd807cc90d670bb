-- By what tokens are bound to whoever may show them: the claim cnf, a JSON object (RFC 7800).
ALTER TABLE token ADD COLUMN confirmation TEXT NOT NULL DEFAULT '{}';
ALTER TABLE refresh_token ADD COLUMN confirmation TEXT NOT NULL DEFAULT '{}';
