-- The fence: every table with a tenant shows and takes only the rows of the transaction's tenant. FORCE binds the owner
-- too. Only a superuser and a role with BYPASSRLS pass; the programs refuse to run as one (src/role_check.rs).
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY[
        'businesses', 'business_words', 'business_tax_ids', 'verifications', 'checks', 'decisions', 'screenings',
        'audit_events', 'idempotency_keys', 'api_usage'
    ] LOOP
        EXECUTE format('ALTER TABLE kyb.%I ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('ALTER TABLE kyb.%I FORCE ROW LEVEL SECURITY', relation);
        EXECUTE format(
            'CREATE POLICY rows_of_the_tenant ON kyb.%I '
            'USING (tenant_id = kyb.current_tenant()) WITH CHECK (tenant_id = kyb.current_tenant())', relation);
    END LOOP;
END $$;
