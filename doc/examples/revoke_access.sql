-- database: managed
CREATE ROLE portal;
SELECT vmnet.grant_access('cloud', 'portal', 'operator');
SELECT vmnet.revoke_access('cloud', 'portal', 'operator');
SELECT has_schema_privilege('portal', 'cloud', 'USAGE') AS usage;
