-- What every running gateway and worker says of itself now and then, so that one of them can report for all of them. Names
-- of pods, versions, files and counts: nothing of a tenant's data, so not under row-level security.
--
-- UNLOGGED: it costs no log and is not copied to standbys; after a crash or a promotion it is empty, and two seconds later
-- it is filled again.
CREATE UNLOGGED TABLE kyb.workload_heartbeats (
    pod              text COLLATE "C" PRIMARY KEY CHECK (octet_length(pod) BETWEEN 1 AND 253),
    component        text NOT NULL CHECK (component IN ('gateway', 'worker')),
    version          text NOT NULL,
    -- The highest resource version among the settings; NULL where there are none yet, or they do not come from a cluster.
    resource_version bigint,
    -- [{file, problem}]: files whose newest version is not in use.
    refused          jsonb NOT NULL,
    -- [{class, hits, all}]: look-ups of the last minutes.
    caches           jsonb NOT NULL,
    seen_at          timestamptz NOT NULL
);

-- A pod that said nothing for this long is gone.
CREATE FUNCTION kyb.heartbeat_holds() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '1 minute';

-- Notes a heartbeat, with the database's own time, and removes those of pods that are gone. SKIP LOCKED: two pods that
-- sweep at once must not wait for each other.
CREATE FUNCTION kyb.beat(
    p_pod text, p_component text, p_version text, p_resource_version bigint, p_refused jsonb, p_caches jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kyb.workload_heartbeats (pod, component, version, resource_version, refused, caches, seen_at)
    VALUES (p_pod, p_component, p_version, p_resource_version, p_refused, p_caches, clock_timestamp())
    ON CONFLICT (pod) DO UPDATE
    SET (component, version, resource_version, refused, caches, seen_at) = (excluded.component, excluded.version,
        excluded.resource_version, excluded.refused, excluded.caches, excluded.seen_at);
    DELETE FROM kyb.workload_heartbeats WHERE pod IN (
        SELECT h.pod FROM kyb.workload_heartbeats h
        WHERE h.seen_at < clock_timestamp() - kyb.heartbeat_holds() FOR UPDATE SKIP LOCKED
    );
END $$;

-- Those that hold, by pod.
CREATE FUNCTION kyb.heartbeats() RETURNS SETOF kyb.workload_heartbeats
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM kyb.workload_heartbeats h
    WHERE h.seen_at >= clock_timestamp() - kyb.heartbeat_holds() ORDER BY h.pod;
END;

REVOKE EXECUTE ON FUNCTION kyb.heartbeat_holds(), kyb.beat(text, text, text, bigint, jsonb, jsonb), kyb.heartbeats()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kyb.heartbeat_holds(), kyb.beat(text, text, text, bigint, jsonb, jsonb), kyb.heartbeats()
    TO kyb_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON kyb.workload_heartbeats TO kyb_runtime;
GRANT SELECT ON kyb.workload_heartbeats TO kyb_reader;
