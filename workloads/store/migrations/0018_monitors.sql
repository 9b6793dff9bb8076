-- Monitors: subjects that are kept and compared with every new version of a list. What comes of a comparison is a screening
-- like any other, in kyb.screenings, and an alert; where nothing comes of it, nothing is stored but that it was made.
CREATE TABLE kyb.monitors (
    tenant_id    text COLLATE "C" NOT NULL,
    id           uuid NOT NULL,
    context      text,
    -- Whom, as JSON; not kept once the monitor was ended.
    subject      text,
    -- How, as JSON.
    options      text NOT NULL,
    -- The last screening that was recorded for it, and what of it is worth an alert when it changes, as JSON.
    screening_id uuid NOT NULL,
    status       text NOT NULL,
    outcome      text NOT NULL,
    -- The versions of the lists and the algorithm that it was last compared with, as JSON.
    compared     text NOT NULL,
    created_at   timestamptz NOT NULL,
    checked_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((ended_at IS NULL) = (subject IS NOT NULL))
);

-- Every alert, for good: it is never changed.
CREATE TABLE kyb.monitor_alerts (
    tenant_id  text COLLATE "C" NOT NULL,
    id         uuid NOT NULL,
    monitor_id uuid NOT NULL,
    context    text,
    document   text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX monitor_alerts_of ON kyb.monitor_alerts (tenant_id, monitor_id, id);

-- The queue: a row for every monitor that was not ended. Like kyb.jobs it is not under row-level security, and so holds ids
-- and times only, and a digest of public lists' versions.
CREATE TABLE kyb.monitor_watches (
    tenant_id  text COLLATE "C" NOT NULL,
    monitor_id uuid NOT NULL,
    -- Digest of what it was last compared with. Who has another than the lists of today is due.
    seen       text COLLATE "C" NOT NULL,
    -- When it is to be searched in the whole lists, changed or not.
    whole_at   timestamptz NOT NULL,
    -- Not to be taken before: the end of a lease, or of a pause.
    due_at     timestamptz NOT NULL DEFAULT now(),
    lease      uuid,
    PRIMARY KEY (tenant_id, monitor_id)
);
CREATE INDEX monitor_watches_by_digest ON kyb.monitor_watches (seen, tenant_id);
CREATE INDEX monitor_watches_by_time ON kyb.monitor_watches (whole_at);
CREATE INDEX monitor_watches_taken ON kyb.monitor_watches (lease) WHERE lease IS NOT NULL;

-- The fence of 0008, the tombstone and the deletion of 0015.
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['monitors', 'monitor_alerts'] LOOP
        EXECUTE format('ALTER TABLE kyb.%I ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('ALTER TABLE kyb.%I FORCE ROW LEVEL SECURITY', relation);
        EXECUTE format(
            'CREATE POLICY rows_of_the_tenant ON kyb.%I '
            'USING (tenant_id = kyb.current_tenant()) WITH CHECK (tenant_id = kyb.current_tenant())', relation);
        EXECUTE format(
            'CREATE TRIGGER refuse_erased BEFORE INSERT ON kyb.%I FOR EACH STATEMENT '
            'EXECUTE FUNCTION kyb.refuse_erased()', relation);
        EXECUTE format(
            'CREATE POLICY deleted_only_of_the_erased ON kyb.%I AS RESTRICTIVE FOR DELETE '
            'USING (EXISTS (SELECT FROM kyb.tenant_erasures e WHERE e.tenant = tenant_id))', relation);
    END LOOP;
END $$;

-- These tables go with their tenant, the queue first, as in 0017.
DO $$
DECLARE
    before text := pg_get_functiondef('kyb.erase_tenant(text, integer)'::regprocedure);
    after text := replace(before, '''jobs'', ', '''jobs'', ''monitor_watches'', ''monitor_alerts'', ''monitors'', ');
BEGIN
    IF after = before THEN
        RAISE EXCEPTION 'kyb.erase_tenant does not name its tables as expected';
    END IF;
    EXECUTE after;
END $$;

-- Stores a monitor with its first screening.
CREATE FUNCTION kyb.create_monitor(
    p_tenant text, p_id uuid, p_context text, p_subject text, p_options text, p_outcome text, p_compared text, p_seen text,
    p_whole_at timestamptz, p_created_at timestamptz, p_screening uuid, p_status text, p_document text, p_lists text[],
    p_screened_at timestamptz, p_audit kyb.audit_entry, p_key kyb.idempotency
) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    result := kyb.claim_key(p_tenant, p_key, p_id);
    IF result.outcome <> 'done' THEN
        RETURN result;
    END IF;
    INSERT INTO kyb.screenings (tenant_id, id, status, document, list_versions, created_at)
    VALUES (p_tenant, p_screening, p_status, p_document, p_lists, p_screened_at);
    INSERT INTO kyb.monitors (tenant_id, id, context, subject, options, screening_id, status, outcome, compared, created_at,
        checked_at)
    VALUES (p_tenant, p_id, p_context, p_subject, p_options, p_screening, p_status, p_outcome, p_compared, p_created_at,
        p_created_at);
    INSERT INTO kyb.monitor_watches (tenant_id, monitor_id, seen, whole_at) VALUES (p_tenant, p_id, p_seen, p_whole_at);
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN result;
END $$;

-- Newest first (ids are UUIDv7); with `p_id` that one only, with `p_context` those of that context.
CREATE FUNCTION kyb.list_monitors(p_tenant text, p_id uuid, p_context text, p_after uuid, p_most integer)
RETURNS SETOF kyb.monitors
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.monitors m
    WHERE (p_id IS NULL OR m.id = p_id) AND (p_context IS NULL OR m.context = p_context)
      AND (p_after IS NULL OR m.id < p_after)
    ORDER BY m.id DESC LIMIT p_most;
END $$;

-- The same of alerts; with `p_monitor` those of that monitor.
CREATE FUNCTION kyb.list_alerts(p_tenant text, p_monitor uuid, p_context text, p_after uuid, p_most integer)
RETURNS TABLE (alert text)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT a.document FROM kyb.monitor_alerts a
    WHERE (p_monitor IS NULL OR a.monitor_id = p_monitor) AND (p_context IS NULL OR a.context = p_context)
      AND (p_after IS NULL OR a.id < p_after)
    ORDER BY a.id DESC LIMIT p_most;
END $$;

-- Ends a monitor; the monitor as it is then, no row where there is none. Nothing happens to one that was ended before. The
-- queue first, as everywhere: a worker that holds it stores nothing for it any more.
CREATE FUNCTION kyb.end_monitor(p_tenant text, p_id uuid, p_at timestamptz, p_audit kyb.audit_entry)
RETURNS SETOF kyb.monitors
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    DELETE FROM kyb.monitor_watches w WHERE w.tenant_id = p_tenant AND w.monitor_id = p_id;
    UPDATE kyb.monitors m SET ended_at = p_at, subject = NULL WHERE m.id = p_id AND m.ended_at IS NULL;
    IF FOUND THEN
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END IF;
    RETURN QUERY SELECT * FROM kyb.monitors m WHERE m.id = p_id;
END $$;

-- Takes up to so many monitors that were compared with something else than `p_seen`, or are to be searched whole: all of one
-- tenant and compared with the same. None where `p_lists` in the versions `p_shas` (NULL: no version) are not the
-- active ones: whoever asks has not loaded the newest, and would compare monitors with what they are past.
CREATE FUNCTION kyb.take_monitors(
    p_seen text, p_lists text[], p_shas text[], p_lease uuid, p_lease_for interval, p_most integer
) RETURNS TABLE (
    tenant text, monitor uuid, whole boolean, subject text, options text, outcome text, screening uuid, compared text
)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    whose text;
    known text;
BEGIN
    IF EXISTS (
        SELECT FROM unnest(p_lists, p_shas) AS u (list, sha) LEFT JOIN kyb.lists l ON l.list = u.list
        WHERE l.active_sha256 IS DISTINCT FROM u.sha
    ) THEN
        RETURN;
    END IF;
    -- Before and after the digest: two ranges of an index, where `<>` would read it all.
    SELECT d.tenant_id, d.seen INTO whose, known FROM (
        (SELECT w.tenant_id, w.seen FROM kyb.monitor_watches w WHERE w.seen < p_seen AND w.due_at <= moment ORDER BY w.seen LIMIT 1)
        UNION ALL
        (SELECT w.tenant_id, w.seen FROM kyb.monitor_watches w WHERE w.seen > p_seen AND w.due_at <= moment ORDER BY w.seen LIMIT 1)
        UNION ALL
        (SELECT w.tenant_id, w.seen FROM kyb.monitor_watches w WHERE w.whole_at <= moment AND w.due_at <= moment ORDER BY w.whole_at LIMIT 1)
    ) AS d LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE kyb.monitor_watches w SET lease = p_lease, due_at = moment + p_lease_for
    FROM (
        SELECT i.monitor_id FROM kyb.monitor_watches i
        WHERE i.seen = known AND i.tenant_id = whose AND i.due_at <= moment AND (known <> p_seen OR i.whole_at <= moment)
        LIMIT p_most FOR UPDATE SKIP LOCKED
    ) AS picked
    WHERE w.tenant_id = whose AND w.monitor_id = picked.monitor_id;
    PERFORM set_config('kyb.tenant', whose, true);
    RETURN QUERY SELECT whose, m.id, w.whole_at <= moment, m.subject, m.options, m.outcome, m.screening_id, m.compared
    FROM kyb.monitor_watches w JOIN kyb.monitors m ON m.tenant_id = w.tenant_id AND m.id = w.monitor_id
    WHERE w.lease = p_lease AND m.ended_at IS NULL;
END $$;

-- Stores what came of monitors that were taken, and gives them back; how many. Those whose lease is not ours any more, or
-- that were ended meanwhile, are left alone: nothing of them is stored. `p_screenings` and what follows it is NULL where the
-- outcome is the same, `p_whole_ats` where the whole lists were not searched.
CREATE FUNCTION kyb.finish_monitors(
    p_tenant text, p_lease uuid, p_seen text, p_compared text, p_at timestamptz, p_ids uuid[], p_whole_ats timestamptz[],
    p_screenings uuid[], p_statuses text[], p_documents text[], p_lists text[], p_outcomes text[], p_alerts uuid[],
    p_alert_documents text[], p_details text[], p_audit kyb.audit_entry
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    ours uuid[];
    told record;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    WITH given_back AS (
        UPDATE kyb.monitor_watches w
        SET seen = p_seen, whole_at = coalesce(f.whole_at, w.whole_at), due_at = clock_timestamp(), lease = NULL
        FROM unnest(p_ids, p_whole_ats) AS f (id, whole_at)
        WHERE w.tenant_id = p_tenant AND w.monitor_id = f.id AND w.lease = p_lease
        RETURNING w.monitor_id
    )
    SELECT coalesce(array_agg(g.monitor_id), '{}') INTO ours FROM given_back g;
    IF cardinality(ours) = 0 THEN
        RETURN 0;
    END IF;
    UPDATE kyb.monitors m
    SET checked_at = p_at, compared = p_compared, screening_id = coalesce(f.screening, m.screening_id),
        status = coalesce(f.status, m.status), outcome = coalesce(f.outcome, m.outcome)
    FROM unnest(p_ids, p_screenings, p_statuses, p_outcomes) AS f (id, screening, status, outcome)
    WHERE m.id = f.id AND m.id = ANY (ours);
    INSERT INTO kyb.screenings (tenant_id, id, status, document, list_versions, created_at)
    SELECT p_tenant, f.screening, f.status, f.document, string_to_array(f.lists, ' '), p_at
    FROM unnest(p_ids, p_screenings, p_statuses, p_documents, p_lists) AS f (id, screening, status, document, lists)
    WHERE f.screening IS NOT NULL AND f.id = ANY (ours);
    INSERT INTO kyb.monitor_alerts (tenant_id, id, monitor_id, context, document, created_at)
    SELECT p_tenant, f.alert, m.id, m.context, f.document, p_at
    FROM unnest(p_ids, p_alerts, p_alert_documents) AS f (id, alert, document) JOIN kyb.monitors m ON m.id = f.id
    WHERE f.alert IS NOT NULL AND f.id = ANY (ours);
    FOR told IN
        SELECT f.id, f.detail FROM unnest(p_ids, p_details) AS f (id, detail)
        WHERE f.detail IS NOT NULL AND f.id = ANY (ours)
    LOOP
        p_audit.object := 'mon_' || told.id;
        p_audit.detail := told.detail;
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END LOOP;
    RETURN cardinality(ours);
END $$;

-- Gives monitors back to be taken again after a pause; nothing where the lease was lost.
CREATE FUNCTION kyb.return_monitors(p_tenant text, p_lease uuid, p_pause interval) RETURNS void
LANGUAGE sql AS $$
    UPDATE kyb.monitor_watches w SET lease = NULL, due_at = clock_timestamp() + p_pause
    WHERE w.tenant_id = p_tenant AND w.lease = p_lease;
$$;

DO $$
DECLARE
    added text;
BEGIN
    FOREACH added IN ARRAY ARRAY[
        'create_monitor(text, uuid, text, text, text, text, text, text, timestamptz, timestamptz, uuid, text, text, text[], '
            'timestamptz, kyb.audit_entry, kyb.idempotency)',
        'list_monitors(text, uuid, text, uuid, integer)', 'list_alerts(text, uuid, text, uuid, integer)',
        'end_monitor(text, uuid, timestamptz, kyb.audit_entry)',
        'take_monitors(text, text[], text[], uuid, interval, integer)',
        'finish_monitors(text, uuid, text, text, timestamptz, uuid[], timestamptz[], uuid[], text[], text[], text[], text[], '
            'uuid[], text[], text[], kyb.audit_entry)',
        'return_monitors(text, uuid, interval)'
    ] LOOP
        EXECUTE 'REVOKE EXECUTE ON FUNCTION kyb.' || added || ' FROM PUBLIC';
        EXECUTE 'GRANT EXECUTE ON FUNCTION kyb.' || added || ' TO kyb_runtime';
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON kyb.monitors, kyb.monitor_watches TO kyb_runtime;
GRANT SELECT, INSERT, DELETE ON kyb.monitor_alerts TO kyb_runtime;
GRANT SELECT ON kyb.monitors, kyb.monitor_alerts, kyb.monitor_watches TO kyb_reader;
