-- SQLite counts the commits of others by itself; PostgreSQL has triggers for this step.
SELECT 1;
