-- What the application wants an opaque token to say besides: a JSON object.
ALTER TABLE token ADD COLUMN ext TEXT NOT NULL DEFAULT '{}';
