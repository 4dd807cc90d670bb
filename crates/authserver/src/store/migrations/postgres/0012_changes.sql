-- Servers that share this database keep some of it in memory. They listen at the channel `carnet`
-- and hear which table changed, for a client with its id where that fits into a notification.
CREATE FUNCTION carnet_tell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject TEXT;
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        subject := coalesce(NEW.id, OLD.id);
        IF octet_length(subject) < 7000 THEN
            PERFORM pg_notify('carnet', TG_TABLE_NAME || ':' || subject);
            RETURN NULL;
        END IF;
    END IF;
    PERFORM pg_notify('carnet', TG_TABLE_NAME);
    RETURN NULL;
END
$$;

CREATE TRIGGER client_changed AFTER INSERT OR UPDATE OR DELETE ON client
    FOR EACH ROW EXECUTE FUNCTION carnet_tell();
CREATE TRIGGER key_changed AFTER INSERT OR UPDATE OR DELETE ON key
    FOR EACH STATEMENT EXECUTE FUNCTION carnet_tell();
CREATE TRIGGER revocation_changed AFTER INSERT OR UPDATE ON revocation
    FOR EACH STATEMENT EXECUTE FUNCTION carnet_tell();
