-- The queue. It alone is not under row-level security: a worker takes the next job of any tenant. So it holds ids and
-- times only; what is to be verified is read under the tenant's setting, in the same statement.
CREATE TABLE kyb.jobs (
    tenant_id       text COLLATE "C" NOT NULL,
    verification_id uuid NOT NULL,
    -- How often it was taken.
    attempt         smallint NOT NULL DEFAULT 0,
    status          text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'taken')),
    -- When it may be taken: at once or after a pause while waiting, at the end of the lease while taken.
    due_at          timestamptz NOT NULL DEFAULT now(),
    lease           uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, verification_id),
    CHECK ((status = 'taken') = (lease IS NOT NULL))
);
CREATE INDEX jobs_by_time ON kyb.jobs (due_at);
CREATE INDEX jobs_by_status_and_time ON kyb.jobs (status, due_at);

-- API usage by tenant, hour and endpoint.
CREATE TABLE kyb.api_usage (
    tenant_id text COLLATE "C" NOT NULL,
    hour      timestamptz NOT NULL,
    endpoint  text NOT NULL,
    requests  bigint NOT NULL,
    errors    bigint NOT NULL,
    PRIMARY KEY (tenant_id, hour, endpoint)
);
