-- Who may do what. `kyb_runtime` and `kyb_reader` are made beforehand by whoever may create roles (docs/data-store.md);
-- the programs' logins are these roles or members of them. Neither owns anything.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA kyb FROM PUBLIC;
GRANT USAGE ON SCHEMA kyb TO kyb_runtime, kyb_reader;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    kyb.businesses, kyb.business_words, kyb.business_tax_ids, kyb.idempotency_keys, kyb.jobs TO kyb_runtime;
GRANT SELECT, INSERT, UPDATE ON
    kyb.verifications, kyb.screenings, kyb.api_usage, kyb.lists, kyb.list_versions TO kyb_runtime;
-- Nothing that was checked, decided or audited can be changed.
GRANT SELECT, INSERT ON kyb.checks, kyb.decisions, kyb.audit_events TO kyb_runtime;
GRANT SELECT, INSERT, DELETE ON kyb.list_files TO kyb_runtime;
GRANT SELECT, UPDATE ON kyb.list_revision TO kyb_runtime;
GRANT SELECT ON kyb.migrations TO kyb_runtime;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kyb TO kyb_runtime;

-- Reports. A reader sets `kyb.tenant` itself and sees that tenant's rows. Answers kept for idempotency keys and the
-- publishers' files are of no use to it.
GRANT SELECT ON
    kyb.businesses, kyb.business_words, kyb.business_tax_ids, kyb.verifications, kyb.checks, kyb.decisions,
    kyb.screenings, kyb.audit_events, kyb.api_usage, kyb.jobs, kyb.lists, kyb.list_versions, kyb.list_revision,
    kyb.migrations TO kyb_reader;
GRANT EXECUTE ON FUNCTION kyb.current_tenant() TO kyb_reader;
