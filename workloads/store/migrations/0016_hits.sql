-- What people decided about matches, and which of these decisions hold for later screenings.

-- Every decision, in the order in which they were made about the matches of a screening; the last one about a match counts.
-- `revision` counts them for the screening as a whole, so two decisions made on the same state of it can be told.
CREATE TABLE kyb.match_decisions (
    tenant_id      text COLLATE "C" NOT NULL,
    screening_id   uuid NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    id             uuid NOT NULL,
    list           text NOT NULL,
    entry_id       text NOT NULL,
    status         text NOT NULL CHECK (status IN ('pending', 'confirmed', 'false_positive')),
    reason         text NOT NULL,
    actor_kind     text NOT NULL,
    actor_id       text NOT NULL,
    decided_at     timestamptz NOT NULL,
    suppression_id uuid,
    PRIMARY KEY (tenant_id, screening_id, revision),
    CHECK (suppression_id IS NULL OR status = 'false_positive')
);

-- A suppression is known by hashes of what was decided about, so it says nothing about another subject or another version
-- of the entry. Zeros stand for a subject that was erased: no subject has them.
CREATE TABLE kyb.suppressions (
    tenant_id           text COLLATE "C" NOT NULL,
    id                  uuid NOT NULL,
    screening_id        uuid NOT NULL,
    list                text NOT NULL,
    entry_id            text NOT NULL,
    subject_fingerprint bytea NOT NULL CHECK (octet_length(subject_fingerprint) = 32),
    entry_fingerprint   bytea NOT NULL CHECK (octet_length(entry_fingerprint) = 32),
    reason              text NOT NULL,
    actor_kind          text NOT NULL,
    actor_id            text NOT NULL,
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz,
    withdrawn_at        timestamptz,
    withdrawn_kind      text,
    withdrawn_id        text,
    withdrawn_reason    text,
    PRIMARY KEY (tenant_id, id),
    CHECK (num_nulls(withdrawn_at, withdrawn_kind, withdrawn_id, withdrawn_reason) IN (0, 4))
);
-- What a screening asks for, and at most one that was not withdrawn for a subject and an entry.
CREATE UNIQUE INDEX suppressions_in_force ON kyb.suppressions (tenant_id, subject_fingerprint, list, entry_id)
    WHERE withdrawn_at IS NULL;
-- For erasure.
CREATE INDEX suppressions_of ON kyb.suppressions (tenant_id, screening_id);

DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['match_decisions', 'suppressions'] LOOP
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
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON kyb.%I TO kyb_runtime', relation);
        EXECUTE format('GRANT SELECT ON kyb.%I TO kyb_reader', relation);
    END LOOP;
END $$;
-- Of what was decided, only people's words can be blanked, and a suppression can be ended.
GRANT UPDATE (reason) ON kyb.match_decisions TO kyb_runtime;
GRANT UPDATE (
    reason, subject_fingerprint, withdrawn_at, withdrawn_kind, withdrawn_id, withdrawn_reason
) ON kyb.suppressions TO kyb_runtime;

-- What those grants leave open: a reason can become `erased` and nothing else, and a suppression that ended stays so.
CREATE FUNCTION kyb.keep_decision() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reason IS DISTINCT FROM OLD.reason AND NEW.reason <> 'erased' THEN
        RAISE EXCEPTION 'what was decided can not be changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_decision BEFORE UPDATE ON kyb.match_decisions
    FOR EACH ROW EXECUTE FUNCTION kyb.keep_decision();

CREATE FUNCTION kyb.keep_suppression() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    erased CONSTANT bytea := decode(repeat('00', 32), 'hex');
BEGIN
    IF NEW.reason IS DISTINCT FROM OLD.reason AND NEW.reason <> 'erased'
        OR NEW.subject_fingerprint <> OLD.subject_fingerprint AND NEW.subject_fingerprint <> erased
        OR OLD.withdrawn_at IS NOT NULL
            AND (NEW.withdrawn_at, NEW.withdrawn_kind, NEW.withdrawn_id)
                IS DISTINCT FROM (OLD.withdrawn_at, OLD.withdrawn_kind, OLD.withdrawn_id)
        OR OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_reason IS DISTINCT FROM OLD.withdrawn_reason
            AND NEW.withdrawn_reason IS DISTINCT FROM 'erased' THEN
        RAISE EXCEPTION 'a suppression can only be ended' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_suppression BEFORE UPDATE ON kyb.suppressions
    FOR EACH ROW EXECUTE FUNCTION kyb.keep_suppression();

CREATE TYPE kyb.match_decision AS (
    id          uuid,
    list        text,
    entry_id    text,
    status      text,
    reason      text,
    decided_at  timestamptz
);

CREATE TYPE kyb.new_suppression AS (
    id                uuid,
    entry_fingerprint bytea,
    expires_at        timestamptz
);

-- Ends the suppressions in force for a subject and an entry, whatever version of it, each with an event of its own.
CREATE FUNCTION kyb.end_suppressions(
    p_tenant text, p_subject bytea, p_list text, p_entry text, p_reason text, p_at timestamptz, p_audit kyb.audit_entry
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    ended uuid;
BEGIN
    FOR ended IN
        UPDATE kyb.suppressions s
        SET withdrawn_at = p_at, withdrawn_kind = p_audit.actor_kind, withdrawn_id = p_audit.actor_id,
            withdrawn_reason = p_reason
        WHERE s.subject_fingerprint = p_subject AND s.list = p_list AND s.entry_id = p_entry AND s.withdrawn_at IS NULL
        RETURNING s.id
    LOOP
        PERFORM kyb.append_audit(p_tenant, ROW (p_audit.actor_kind, p_audit.actor_id, 'suppression.withdrawn',
            'sup_' || ended, p_audit.request_id, '{"by":"decision"}')::kyb.audit_entry);
    END LOOP;
END $$;

-- Notes a decision about a match. `missing`: there is no such screening, or it was erased. KYB03: the screening is at none
-- of the revisions that the caller expects (NULL: any).
--
-- Whatever is decided but a plain false positive ends the suppressions in force for the subject and the entry: a match
-- that was confirmed or opened again must not be silent anywhere else.
--
-- Decisions of one tenant follow each other (1802068325 is the class of these locks), so that two decisions about one subject
-- and entry leave what the later one says.
CREATE FUNCTION kyb.decide_match(
    p_tenant text, p_screening uuid, p_expected bigint[], p_subject bytea, p_decision kyb.match_decision,
    p_suppression kyb.new_suppression, p_audit kyb.audit_entry, p_key kyb.idempotency
) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
    verification uuid;
    current bigint;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    PERFORM pg_advisory_xact_lock(1802068325, hashtext(p_tenant));
    SELECT s.verification_id INTO verification FROM kyb.screenings s WHERE s.id = p_screening;
    IF NOT FOUND THEN
        RETURN ROW ('missing', NULL, NULL, NULL)::kyb.write_result;
    END IF;
    IF verification IS NOT NULL THEN
        -- An erasure waits for this decision and blanks it, or is seen here.
        PERFORM FROM kyb.verifications v WHERE v.id = verification AND v.erased_at IS NULL FOR SHARE;
        IF NOT FOUND THEN
            RETURN ROW ('missing', NULL, NULL, NULL)::kyb.write_result;
        END IF;
    END IF;
    result := kyb.claim_key(p_tenant, p_key, coalesce(verification, p_screening));
    IF result.outcome <> 'done' THEN
        RETURN result;
    END IF;
    SELECT coalesce(max(d.revision), 0) INTO current FROM kyb.match_decisions d WHERE d.screening_id = p_screening;
    IF current <> ALL (p_expected) THEN
        RAISE EXCEPTION 'the screening is at revision %', current USING ERRCODE = 'KYB03';
    END IF;
    IF p_decision.status <> 'false_positive' OR p_suppression.id IS NOT NULL THEN
        PERFORM kyb.end_suppressions(p_tenant, p_subject, p_decision.list, p_decision.entry_id,
            'decided anew: ' || p_decision.status, p_decision.decided_at, p_audit);
    END IF;
    INSERT INTO kyb.match_decisions (tenant_id, screening_id, revision, id, list, entry_id, status, reason, actor_kind,
        actor_id, decided_at, suppression_id)
    VALUES (p_tenant, p_screening, current + 1, p_decision.id, p_decision.list, p_decision.entry_id, p_decision.status,
        p_decision.reason, p_audit.actor_kind, p_audit.actor_id, p_decision.decided_at, p_suppression.id);
    IF p_suppression.id IS NOT NULL THEN
        INSERT INTO kyb.suppressions (tenant_id, id, screening_id, list, entry_id, subject_fingerprint, entry_fingerprint,
            reason, actor_kind, actor_id, created_at, expires_at)
        VALUES (p_tenant, p_suppression.id, p_screening, p_decision.list, p_decision.entry_id, p_subject,
            p_suppression.entry_fingerprint, p_decision.reason, p_audit.actor_kind, p_audit.actor_id,
            p_decision.decided_at, p_suppression.expires_at);
    END IF;
    PERFORM kyb.append_audit(p_tenant, p_audit);
    IF p_suppression.id IS NOT NULL THEN
        PERFORM kyb.append_audit(p_tenant, ROW (p_audit.actor_kind, p_audit.actor_id, 'suppression.created',
            'sup_' || p_suppression.id, p_audit.request_id, p_audit.detail)::kyb.audit_entry);
    END IF;
    RETURN result;
END $$;

CREATE FUNCTION kyb.match_decisions_of(p_tenant text, p_screening uuid) RETURNS SETOF kyb.match_decisions
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.match_decisions d WHERE d.screening_id = p_screening ORDER BY d.revision;
END $$;

-- What was not withdrawn and has not expired, for these subjects.
CREATE FUNCTION kyb.suppressions_for(p_tenant text, p_subjects bytea[], p_now timestamptz) RETURNS SETOF kyb.suppressions
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.suppressions s
    WHERE s.subject_fingerprint = ANY (p_subjects) AND s.withdrawn_at IS NULL
      AND (s.expires_at IS NULL OR s.expires_at > p_now);
END $$;

-- Newest first (ids are UUIDv7); with `p_id` that one only.
CREATE FUNCTION kyb.list_suppressions(p_tenant text, p_id uuid, p_after uuid, p_most integer)
RETURNS SETOF kyb.suppressions
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.suppressions s
    WHERE (p_id IS NULL OR s.id = p_id) AND (p_after IS NULL OR s.id < p_after)
    ORDER BY s.id DESC LIMIT p_most;
END $$;

-- The suppression as it is then; no row where there is none. Nothing happens to one that was withdrawn before.
CREATE FUNCTION kyb.withdraw_suppression(
    p_tenant text, p_id uuid, p_reason text, p_at timestamptz, p_audit kyb.audit_entry
) RETURNS SETOF kyb.suppressions
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    PERFORM pg_advisory_xact_lock(1802068325, hashtext(p_tenant));
    UPDATE kyb.suppressions s
    SET withdrawn_at = p_at, withdrawn_kind = p_audit.actor_kind, withdrawn_id = p_audit.actor_id,
        withdrawn_reason = p_reason
    WHERE s.id = p_id AND s.withdrawn_at IS NULL;
    IF FOUND THEN
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END IF;
    RETURN QUERY SELECT * FROM kyb.suppressions s WHERE s.id = p_id;
END $$;

-- As in 0011, and with what was decided about the screenings of these verifications: people's words are blanked, and
-- suppressions end, since whom they were about is not known any more.
CREATE OR REPLACE FUNCTION kyb.blank_documents(p_tenant text, p_ids uuid[], p_statuses text[], p_documents text[])
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    DELETE FROM kyb.jobs j WHERE j.tenant_id = p_tenant AND j.verification_id = ANY (p_ids);
    -- A verification that was finished since it was read is left for the next round.
    UPDATE kyb.verifications v SET document = d.document, status = d.status, erased_at = now()
    FROM unnest(p_ids, p_statuses, p_documents) AS d (id, status, document)
    WHERE v.id = d.id AND (v.status = d.status OR d.status = 'cancelled' AND v.status IN ('pending', 'running'));
    PERFORM kyb.blank_answers(p_ids);
    PERFORM kyb.blank_decisions(ARRAY(SELECT s.id FROM kyb.screenings s WHERE s.verification_id = ANY (p_ids)));
END $$;

CREATE FUNCTION kyb.blank_decisions(p_screenings uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE kyb.match_decisions d SET reason = 'erased' WHERE d.screening_id = ANY (p_screenings);
    UPDATE kyb.suppressions s
    SET reason = 'erased', subject_fingerprint = decode(repeat('00', 32), 'hex'),
        withdrawn_at = coalesce(s.withdrawn_at, now()),
        withdrawn_kind = coalesce(s.withdrawn_kind, 'system'),
        withdrawn_id = coalesce(s.withdrawn_id, 'erasure'),
        withdrawn_reason = 'erased'
    WHERE s.screening_id = ANY (p_screenings);
END $$;

-- For blanking: the screenings of a verification.
CREATE INDEX screenings_of ON kyb.screenings (tenant_id, verification_id) WHERE verification_id IS NOT NULL;

-- As in 0015, with the tables from here.
CREATE OR REPLACE FUNCTION kyb.erase_tenant(p_tenant text, p_most integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    relation text;
    deleted bigint;
    all_deleted bigint := 0;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    PERFORM FROM kyb.tenant_erasures e WHERE e.tenant = p_tenant FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the erasure of tenant % was not requested', p_tenant USING ERRCODE = 'KYB02';
    END IF;
    FOREACH relation IN ARRAY ARRAY[
        'jobs', 'idempotency_keys', 'api_usage', 'suppressions', 'match_decisions', 'checks', 'decisions', 'screenings',
        'verifications', 'business_words', 'business_tax_ids', 'businesses'
    ] LOOP
        EXECUTE format(
            'DELETE FROM kyb.%1$I WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM kyb.%1$I t WHERE t.tenant_id = $1 LIMIT $2))',
            relation) USING p_tenant, p_most;
        GET DIAGNOSTICS deleted = ROW_COUNT;
        all_deleted := all_deleted + deleted;
        EXIT WHEN deleted >= p_most; -- there may be more of these, and they go first
    END LOOP;
    UPDATE kyb.tenant_erasures e
    SET rows = e.rows + all_deleted,
        finished_at = CASE WHEN all_deleted = 0 THEN coalesce(e.finished_at, clock_timestamp()) ELSE e.finished_at END
    WHERE e.tenant = p_tenant;
    RETURN all_deleted;
END $$;

DO $$
DECLARE
    added text;
BEGIN
    FOREACH added IN ARRAY ARRAY[
        'keep_decision()', 'keep_suppression()',
        'end_suppressions(text, bytea, text, text, text, timestamptz, kyb.audit_entry)',
        'decide_match(text, uuid, bigint[], bytea, kyb.match_decision, kyb.new_suppression, kyb.audit_entry, kyb.idempotency)',
        'match_decisions_of(text, uuid)', 'suppressions_for(text, bytea[], timestamptz)',
        'list_suppressions(text, uuid, uuid, integer)',
        'withdraw_suppression(text, uuid, text, timestamptz, kyb.audit_entry)', 'blank_decisions(uuid[])'
    ] LOOP
        EXECUTE 'REVOKE EXECUTE ON FUNCTION kyb.' || added || ' FROM PUBLIC';
        EXECUTE 'GRANT EXECUTE ON FUNCTION kyb.' || added || ' TO kyb_runtime';
    END LOOP;
END $$;
