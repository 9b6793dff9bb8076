-- Batches: many subjects in one request, worked off in slices. What is asked and answered stands in `batches` and
-- `batch_items`; each answer is a screening like any other, in kyb.screenings.
CREATE TABLE kyb.batches (
    tenant_id    text COLLATE "C" NOT NULL,
    id           uuid NOT NULL,
    context      text,
    -- What is done with every subject. Another kind is another value here and another column of answers in the items.
    kind         text NOT NULL CHECK (kind IN ('screening')),
    -- How, as JSON.
    options      text NOT NULL,
    total        integer NOT NULL CHECK (total BETWEEN 1 AND 10000),
    no_hit       integer NOT NULL DEFAULT 0,
    in_review    integer NOT NULL DEFAULT 0,
    errors       integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    started_at   timestamptz,
    completed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK (no_hit + in_review + errors <= total),
    -- Nobody is left out: a batch ends with an answer for every subject, or it does not end.
    CHECK (completed_at IS NULL OR no_hit + in_review + errors = total)
);

-- A subject, until it is answered; then its answer: a screening, or why there is none (JSON).
CREATE TABLE kyb.batch_items (
    tenant_id    text COLLATE "C" NOT NULL,
    batch_id     uuid NOT NULL,
    -- Place in the request, from 0.
    position     integer NOT NULL,
    subject      text,
    screening_id uuid,
    error        text,
    PRIMARY KEY (tenant_id, batch_id, position),
    CHECK (num_nonnulls(subject, screening_id, error) = 1)
);

-- The queue of slices: items from `first` to `last`. Like kyb.jobs it is not under row-level security, and so holds ids
-- and times only. A slice that is done has no row.
CREATE TABLE kyb.batch_slices (
    tenant_id  text COLLATE "C" NOT NULL,
    batch_id   uuid NOT NULL,
    first      integer NOT NULL,
    last       integer NOT NULL,
    attempt    smallint NOT NULL DEFAULT 0,
    status     text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'taken')),
    due_at     timestamptz NOT NULL DEFAULT now(),
    lease      uuid,
    PRIMARY KEY (tenant_id, batch_id, first),
    CHECK ((status = 'taken') = (lease IS NOT NULL))
);
CREATE INDEX batch_slices_by_time ON kyb.batch_slices (due_at);

-- The fence of 0008, the tombstone and the deletion of 0015.
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['batches', 'batch_items'] LOOP
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

-- These tables go with their tenant, the queue first. The function is changed where it names the tables, whatever other
-- tables migrations before this one have added there.
DO $$
DECLARE
    before text := pg_get_functiondef('kyb.erase_tenant(text, integer)'::regprocedure);
    after text := replace(before, '''jobs'', ', '''jobs'', ''batch_slices'', ''batch_items'', ''batches'', ');
BEGIN
    IF after = before THEN
        RAISE EXCEPTION 'kyb.erase_tenant does not name its tables as expected';
    END IF;
    EXECUTE after;
END $$;

-- Stores a batch and queues its slices. Items that can't be used come with an error instead of a subject.
CREATE FUNCTION kyb.create_batch(
    p_tenant text, p_id uuid, p_context text, p_kind text, p_options text, p_subjects text[], p_errors text[],
    p_slice integer, p_created_at timestamptz, p_audit kyb.audit_entry, p_key kyb.idempotency
) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
    total integer := cardinality(p_subjects);
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    result := kyb.claim_key(p_tenant, p_key, p_id);
    IF result.outcome <> 'done' THEN
        RETURN result;
    END IF;
    INSERT INTO kyb.batches (tenant_id, id, context, kind, options, total, errors, created_at)
    VALUES (p_tenant, p_id, p_context, p_kind, p_options, total,
        (SELECT count(e) FROM unnest(p_errors) AS u (e)), p_created_at);
    INSERT INTO kyb.batch_items (tenant_id, batch_id, position, subject, error)
    SELECT p_tenant, p_id, i.place - 1, i.subject, i.error
    FROM unnest(p_subjects, p_errors) WITH ORDINALITY AS i (subject, error, place);
    INSERT INTO kyb.batch_slices (tenant_id, batch_id, first, last)
    SELECT p_tenant, p_id, s.first, least(s.first + p_slice, total) - 1
    FROM generate_series(0, total - 1, p_slice) AS s (first);
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN result;
END $$;

CREATE FUNCTION kyb.batch(p_tenant text, p_id uuid) RETURNS SETOF kyb.batches
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.batches b WHERE b.id = p_id;
END $$;

-- Answers in the order of the request, after a position (-1 for the first).
CREATE FUNCTION kyb.batch_results(p_tenant text, p_id uuid, p_after integer, p_most integer)
RETURNS TABLE (item integer, screening text, error text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT i.position, s.document, i.error FROM kyb.batch_items i
    LEFT JOIN kyb.screenings s ON s.tenant_id = i.tenant_id AND s.id = i.screening_id
    WHERE i.batch_id = p_id AND i.position > p_after ORDER BY i.position LIMIT p_most;
END $$;

-- Takes the slice that has been due longest, with those of its subjects that have no answer yet. The tenant is set only
-- after the slice is known.
CREATE FUNCTION kyb.take_slice(p_lease uuid, p_lease_for interval)
RETURNS TABLE (tenant text, batch uuid, first_item integer, attempts smallint, options text, positions integer[], subjects text[])
LANGUAGE plpgsql AS $$
DECLARE
    slice kyb.batch_slices;
BEGIN
    SELECT * INTO slice FROM kyb.batch_slices s WHERE s.due_at <= clock_timestamp()
    ORDER BY s.due_at, s.batch_id, s.first LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('kyb.tenant', slice.tenant_id, true);
    UPDATE kyb.batch_slices s
    SET attempt = s.attempt + 1, status = 'taken', lease = p_lease, due_at = clock_timestamp() + p_lease_for
    WHERE s.tenant_id = slice.tenant_id AND s.batch_id = slice.batch_id AND s.first = slice.first;
    UPDATE kyb.batches b SET started_at = clock_timestamp() WHERE b.id = slice.batch_id AND b.started_at IS NULL;
    RETURN QUERY SELECT slice.tenant_id, slice.batch_id, slice.first, (slice.attempt + 1)::smallint, b.options,
        coalesce(array_agg(i.position ORDER BY i.position) FILTER (WHERE i.position IS NOT NULL), '{}'),
        coalesce(array_agg(i.subject ORDER BY i.position) FILTER (WHERE i.position IS NOT NULL), '{}')
    FROM kyb.batches b
    LEFT JOIN kyb.batch_items i ON i.tenant_id = b.tenant_id AND i.batch_id = b.id AND i.subject IS NOT NULL
        AND i.position BETWEEN slice.first AND slice.last
    WHERE b.id = slice.batch_id
    GROUP BY b.options;
END $$;

-- Stores the answers of a slice and ends it; the batch too, where it was the last one. False, and nothing done, where the
-- lease is not ours any more: so an answer is stored once, whoever else worked on it. The slice first, then the batch, in
-- whose row two last slices meet: the second sees that the first is gone.
CREATE FUNCTION kyb.finish_slice(
    p_tenant text, p_batch uuid, p_first integer, p_lease uuid, p_positions integer[], p_ids uuid[], p_statuses text[],
    p_documents text[], p_lists text[], p_errors text[], p_at timestamptz, p_audit kyb.audit_entry
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    batch kyb.batches;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    DELETE FROM kyb.batch_slices s
    WHERE s.tenant_id = p_tenant AND s.batch_id = p_batch AND s.first = p_first AND s.lease = p_lease;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO kyb.screenings (tenant_id, id, status, document, list_versions, created_at)
    SELECT p_tenant, a.id, a.status, a.document, string_to_array(a.lists, ' '), p_at
    FROM unnest(p_ids, p_statuses, p_documents, p_lists) AS a (id, status, document, lists) WHERE a.id IS NOT NULL;
    UPDATE kyb.batch_items i SET subject = NULL, screening_id = a.id, error = a.error
    FROM unnest(p_positions, p_ids, p_errors) AS a (place, id, error)
    WHERE i.batch_id = p_batch AND i.position = a.place;
    UPDATE kyb.batches b
    SET no_hit = b.no_hit + c.no_hit, in_review = b.in_review + c.in_review, errors = b.errors + c.errors
    FROM (
        SELECT count(*) FILTER (WHERE s = 'no_hit') AS no_hit, count(*) FILTER (WHERE s = 'in_review') AS in_review,
            count(*) FILTER (WHERE s = 'error') AS errors
        FROM unnest(p_statuses) AS u (s)
    ) AS c
    WHERE b.id = p_batch RETURNING b.* INTO batch;
    IF NOT EXISTS (SELECT FROM kyb.batch_slices s WHERE s.tenant_id = p_tenant AND s.batch_id = p_batch) THEN
        UPDATE kyb.batches b SET completed_at = p_at WHERE b.id = p_batch;
        p_audit.detail := format('{"total":%s,"no_hit":%s,"in_review":%s,"errors":%s}',
            batch.total, batch.no_hit, batch.in_review, batch.errors);
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END IF;
    RETURN true;
END $$;

-- Gives a slice back to be tried again after a pause; nothing where the lease was lost.
CREATE FUNCTION kyb.return_slice(p_tenant text, p_batch uuid, p_first integer, p_lease uuid, p_pause interval) RETURNS void
LANGUAGE sql AS $$
    UPDATE kyb.batch_slices s SET status = 'waiting', lease = NULL, due_at = clock_timestamp() + p_pause
    WHERE s.tenant_id = p_tenant AND s.batch_id = p_batch AND s.first = p_first AND s.lease = p_lease;
$$;

REVOKE EXECUTE ON FUNCTION
    kyb.create_batch(text, uuid, text, text, text, text[], text[], integer, timestamptz, kyb.audit_entry, kyb.idempotency),
    kyb.batch(text, uuid), kyb.batch_results(text, uuid, integer, integer), kyb.take_slice(uuid, interval),
    kyb.finish_slice(text, uuid, integer, uuid, integer[], uuid[], text[], text[], text[], text[], timestamptz, kyb.audit_entry),
    kyb.return_slice(text, uuid, integer, uuid, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    kyb.create_batch(text, uuid, text, text, text, text[], text[], integer, timestamptz, kyb.audit_entry, kyb.idempotency),
    kyb.batch(text, uuid), kyb.batch_results(text, uuid, integer, integer), kyb.take_slice(uuid, interval),
    kyb.finish_slice(text, uuid, integer, uuid, integer[], uuid[], text[], text[], text[], text[], timestamptz, kyb.audit_entry),
    kyb.return_slice(text, uuid, integer, uuid, interval) TO kyb_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON kyb.batches, kyb.batch_items, kyb.batch_slices TO kyb_runtime;
GRANT SELECT ON kyb.batches, kyb.batch_items, kyb.batch_slices TO kyb_reader;
