-- Watchlists: the same for every tenant, so not under row-level security.
CREATE TABLE kyb.list_versions (
    list         text NOT NULL,
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    format       text NOT NULL,
    published    date NOT NULL,
    published_by text NOT NULL,
    entries      bigint NOT NULL,
    activated_at timestamptz NOT NULL,
    PRIMARY KEY (list, sha256)
);

-- One row a list. That at most one version is active, and that it exists, follows from the shape.
CREATE TABLE kyb.lists (
    list          text PRIMARY KEY,
    active_sha256 text,
    checked_at    timestamptz,
    last_error    text,
    validators    jsonb,
    FOREIGN KEY (list, active_sha256) REFERENCES kyb.list_versions
);

-- The publisher's files, compressed (zstd) by the program; EXTERNAL: not compressed again.
CREATE TABLE kyb.list_files (
    list    text NOT NULL,
    sha256  text NOT NULL,
    name    text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (list, sha256, name),
    FOREIGN KEY (list, sha256) REFERENCES kyb.list_versions
);
ALTER TABLE kyb.list_files ALTER COLUMN content SET STORAGE EXTERNAL;

-- Grows with every change of a list's row. A row and not a sequence: a reader must not see the new number before the
-- change that it stands for, and a sequence moves before the commit.
CREATE TABLE kyb.list_revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL
);
INSERT INTO kyb.list_revision (revision) VALUES (0);

CREATE FUNCTION kyb.count_list_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE kyb.list_revision SET revision = revision + 1;
    PERFORM pg_notify('kyb_lists', '');
    RETURN NULL;
END $$;
CREATE TRIGGER count_change AFTER INSERT OR UPDATE OR DELETE ON kyb.lists
    FOR EACH STATEMENT EXECUTE FUNCTION kyb.count_list_change();

-- Stores a version with its files and makes it the active one. The row of the list is written first, so two activations
-- of one list follow each other. The files of the newest five versions stay.
CREATE FUNCTION kyb.activate_list(
    p_version kyb.list_versions, p_names text[], p_contents bytea[], p_validators jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kyb.lists (list) VALUES (p_version.list) ON CONFLICT DO NOTHING;
    PERFORM FROM kyb.lists WHERE list = p_version.list FOR UPDATE;
    INSERT INTO kyb.list_versions SELECT p_version.*
    ON CONFLICT (list, sha256) DO UPDATE SET activated_at = excluded.activated_at;
    INSERT INTO kyb.list_files (list, sha256, name, content)
    SELECT p_version.list, p_version.sha256, f.name, f.content FROM unnest(p_names, p_contents) AS f (name, content)
    ON CONFLICT DO NOTHING;
    UPDATE kyb.lists
    SET active_sha256 = p_version.sha256, checked_at = p_version.activated_at, last_error = NULL,
        validators = p_validators
    WHERE list = p_version.list;
    DELETE FROM kyb.list_files f WHERE f.list = p_version.list AND f.sha256 NOT IN (
        SELECT v.sha256 FROM kyb.list_versions v WHERE v.list = p_version.list
        ORDER BY v.activated_at DESC, v.sha256 = p_version.sha256 DESC LIMIT 5
    );
END $$;
