--
-- attach_inventory(): views over tables that exist already, and guards on these
--

CREATE FUNCTION vmnet_internal.attached_comments(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT r.name, r.said, vmnet_internal.attached_table(inventory, r.name)::text AS their_table
		FROM (VALUES ('networks', 'network'), ('instances', 'instance'), ('nics', 'NIC')) r (name, said)
	LOOP
		IF part.their_table IS NOT NULL THEN
			EXECUTE format('COMMENT ON VIEW %I.%I IS %L', inventory, 'attached_' || part.name,
				format('How the rows of %s read: one per %s, removed ones too
The guards judge a row as it reads here. The other views of the inventory stand on this one.', part.their_table, part.said));
		END IF;
		EXECUTE format('COMMENT ON VIEW %I.%I IS %L', inventory, 'all_' || part.name,
			format('Every %s, removed ones too: the live ones are in %s
%s', part.said, part.name, coalesce(format('Read from table %s.', part.their_table), 'Made from the ids that NICs have.')));
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_comments(text) IS
'Part of attach_inventory(): comments on the views that read the attached tables';

-- Everything that stands on the three relations, as in any other inventory;
-- keys that are no bigint have their own type in the tables of history.
CREATE FUNCTION vmnet_internal.attached_rest(inventory text, mode text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nics regclass := format('%I.all_nics', inventory);
	key_types jsonb := jsonb_build_object(
		'nic', vmnet_internal.attached_column_type(nics, 'id')::text,
		'network', vmnet_internal.attached_column_type(nics, 'network_id')::text,
		'instance', vmnet_internal.attached_column_type(nics, 'instance_id')::text);
BEGIN
	PERFORM vmnet_internal.attached_empty_views(inventory, key_types);
	PERFORM vmnet_internal.attached_comments(inventory);
	PERFORM vmnet_internal.build_inventory(inventory, 'attached', NULL, mode, ARRAY['tables', 'keys', 'views', 'triggers'], key_types);
	PERFORM vmnet_internal.comment_inventory(inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_rest(text, text) IS
'Part of attach_inventory(): the live views, the tables of history and their guards';

CREATE FUNCTION vmnet_internal.attached_violations(inventory text)
RETURNS TABLE (rule text, nics bigint, message text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT f.rule, count(*), format('%%s: %%s%%s', f.what, array_to_string((array_agg(f.id::text ORDER BY f.id))[1:5], ', '),
			CASE WHEN count(*) > 5 THEN format(' and %%s more', count(*) - 5) ELSE '' END)
		FROM (
			SELECT 'nic_parent_active' AS rule, 'held NICs on a removed network' AS what, n.id
			FROM %1$I.all_nics n JOIN %1$I.all_networks w ON w.id = n.network_id WHERE n.removed IS NULL AND w.removed IS NOT NULL
			UNION ALL
			SELECT 'nic_parent_active', 'held NICs of a removed instance', n.id
			FROM %1$I.all_nics n JOIN %1$I.all_instances i ON i.id = n.instance_id WHERE n.removed IS NULL AND i.removed IS NOT NULL
			UNION ALL
			SELECT 'nic_parent_active', 'held NICs on a network that does not exist', n.id
			FROM %1$I.all_nics n WHERE n.removed IS NULL AND NOT EXISTS (SELECT FROM %1$I.all_networks w WHERE w.id = n.network_id)
				AND EXISTS (SELECT FROM %1$I.attached_nics k WHERE k.id = n.id AND k.network_key IS NOT NULL)
			UNION ALL
			SELECT 'nic_parent_active', 'held NICs of an instance that does not exist', n.id
			FROM %1$I.all_nics n WHERE n.removed IS NULL AND NOT EXISTS (SELECT FROM %1$I.all_instances i WHERE i.id = n.instance_id)
				AND EXISTS (SELECT FROM %1$I.attached_nics k WHERE k.id = n.id AND k.instance_key IS NOT NULL)) f
		GROUP BY f.rule, f.what
		ORDER BY f.rule, f.what$q$, inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_violations(text) IS
'Part of attach_inventory(): what already violates the rules, one row for each way, with up to five NICs';

-- One inventory, one owner: who owns everything in it.  That is the owner of the
-- tables, if all have the same and the caller has his rights.  Else it is the
-- caller, and there can be no guards: a guard works as the owner of its table.
CREATE FUNCTION vmnet_internal.attached_owner(inventory text, nics regclass, networks regclass, instances regclass, mode text)
RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owners name[] := ARRAY(SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner)
		FROM pg_catalog.pg_class c
		WHERE c.oid IN (nics, networks, instances));
	wanted name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid = nics);
BEGIN
	IF cardinality(owners) = 1 AND pg_catalog.pg_has_role(current_user, wanted, 'USAGE') THEN
		RETURN wanted;
	ELSIF mode = 'read_only' THEN
		RETURN current_user;
	END IF;
	IF NOT pg_catalog.pg_has_role(current_user, wanted, 'USAGE') THEN
		wanted := current_user;
	END IF;
	RAISE EXCEPTION USING
		ERRCODE = 'insufficient_privilege',
		CONSTRAINT = 'inventory_owner',
		SCHEMA = inventory,
		MESSAGE = format('inventory "%s" cannot have guards: its tables do not all belong to one role whose rights this role has',
			inventory),
		DETAIL = (SELECT string_agg(format('Table %s belongs to role "%s".', t.rel, pg_catalog.pg_get_userbyid(c.relowner)), E'\n'
			ORDER BY t.ord)
			FROM unnest(ARRAY[nics, networks, instances]) WITH ORDINALITY t (rel, ord) JOIN pg_catalog.pg_class c ON c.oid = t.rel),
		HINT = (SELECT string_agg(format('ALTER TABLE %s OWNER TO %I;', t.rel, wanted), ' ' ORDER BY t.ord)
			FROM unnest(ARRAY[nics, networks, instances]) WITH ORDINALITY t (rel, ord) JOIN pg_catalog.pg_class c ON c.oid = t.rel
			WHERE pg_catalog.pg_get_userbyid(c.relowner) <> wanted) || ' Mode read_only needs none of this.';
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_owner(text, regclass, regclass, regclass, text) IS
'Part of attach_inventory(): the role that everything in it belongs to; 42501 with constraint inventory_owner where guards are wanted and '
'the tables are not of one role whose rights the caller has';

CREATE FUNCTION vmnet_internal.attach_inventory(
	name text,
	nics regclass,
	networks regclass DEFAULT NULL,
	instances regclass DEFAULT NULL,
	columns jsonb DEFAULT '{}',
	mode text DEFAULT 'warn')
RETURNS TABLE (finding text, rule text, message text, statement text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	owner name;
BEGIN
	PERFORM vmnet_internal.attached_refuse(coalesce($1, 'NULL'), vmnet_internal.attached_problems($2, $3, $4, $5, $6)
		|| CASE WHEN $1 IS NULL OR octet_length($1) NOT BETWEEN 1 AND 63 THEN ARRAY['the name of an inventory must have 1 to 63 bytes']
			ELSE '{}' END);
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = format('schema "%s" exists already', $1),
			DETAIL = 'An attached inventory gets a schema of its own. Nothing was touched.',
			HINT = 'Choose another name; vmnet.detach_inventory() takes an attached inventory away.';
	END IF;
	owner := vmnet_internal.attached_owner($1, $2, $3, $4, $6);
	IF $6 = 'enforce' AND owner = current_user THEN
		PERFORM vmnet_internal.attached_refuse_hidden($1, $2, $3, $4);
	END IF;

	-- the caller makes the schema, its owner all that is in it
	EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', $1, owner);
	RETURN QUERY SELECT a.* FROM vmnet_internal.attach_as_owner($1, $2, $3, $4, $5, $6) a;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attach_inventory(text, regclass, regclass, regclass, jsonb, text) IS
'Body of vmnet.attach_inventory(), run as the caller';

CREATE FUNCTION vmnet.attach_inventory(
	name text,
	nics regclass,
	networks regclass DEFAULT NULL,
	instances regclass DEFAULT NULL,
	columns jsonb DEFAULT '{}',
	mode text DEFAULT 'warn')
RETURNS TABLE (finding text, rule text, message text, statement text)
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.attach_inventory(text, regclass, regclass, regclass, jsonb, text) IS
'Makes an inventory over tables that exist already: views in a new schema of that name, and guards as triggers on the tables
Their columns, types and data stay as they are. columns maps canonical names to theirs, by table: {"nics": {"network_id": "net_id", '
'"removed": "deleted_at"}}; a name that is the same need not be said, null leaves a column out, and what is lacking reads as NULL '
'(needed: id of each table, network_id and instance_id of nics). removed may be {"column": ..., "removed_when": ..., "time": ...}: '
'not_null (a time, the default), not_infinity (a time), true (a flag, the default of boolean; a text like Y), false (a flag of what is '
'there), not_zero (a number, the default); without a time it is -infinity. "states" of nics maps their states to the canonical ones: '
'{"up": "Reserved"}. "key" of networks or instances names the column that NICs refer to, where no foreign key says. Times without a zone '
'are UTC. networks or instances NULL: made from the NICs.
mode: warn (the default: guards give warnings), enforce (errors), read_only (no guards). Needs CREATE on the database. Schema and views '
'belong to the owner of the tables, if they have one owner and the caller has his rights; guards need that. Else they belong to the '
'caller, who can have mode read_only.
Rows: what already violates the rules (violation), what may be meant otherwise (removed_unmapped, column_unread, id_not_unique, '
'rows_hidden, history_not_kept), and the indexes that the views want (index_found, index_missing). Errors: 22023 with all that is in the '
'way, 42P06 where the schema exists, 23514 for enforce while there are violations, 42501 with constraint attached_rows_hidden for enforce '
'where row-level policies may hide some, 42501 with constraint inventory_owner for guards on tables of several owners, or of one whose '
'rights the caller has not.';

-- Runs as the owner of the schema.
CREATE FUNCTION vmnet_internal.attached_build(name text, nics regclass, networks regclass, instances regclass, columns jsonb, mode text)
RETURNS TABLE (finding text, rule text, message text, statement text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	live text;
	violations bigint;
BEGIN
	PERFORM vmnet_internal.attached_refuse($1, (SELECT array_agg(n.message) FROM vmnet_internal.attached_notes($2, $3, $4, $5) n
		WHERE n.finding = 'id_not_unique' AND $6 <> 'read_only'));
	IF $6 = 'enforce' THEN
		PERFORM vmnet_internal.attached_refuse_hidden($1, $2, $3, $4);
	END IF;

	EXECUTE format('COMMENT ON SCHEMA %I IS %L', $1, format('Inventory over table %s (vmnet_ext)
networks, instances and nics are what is live; all_networks, all_instances and all_nics have the rest too.', $2));
	live := (SELECT b.live FROM vmnet_internal.attached_base_views($1, $2, $3, $4, $5) b);
	PERFORM vmnet_internal.attached_rest($1, $6);

	-- first the guards, which wait for writers; then what is found is all there is
	IF $6 <> 'read_only' THEN
		PERFORM vmnet_internal.attached_triggers($1, true);
	END IF;
	SELECT sum(v.nics) INTO violations FROM vmnet_internal.attached_violations($1) v;
	IF $6 = 'enforce' AND violations > 0 THEN
		PERFORM vmnet_internal.attached_refuse_enforce($1);
	END IF;

	RETURN QUERY SELECT 'violation', v.rule, v.message, NULL::text FROM vmnet_internal.attached_violations($1) v;
	RETURN QUERY SELECT n.finding, NULL::text, n.message, NULL::text FROM vmnet_internal.attached_notes($2, $3, $4, $5) n;
	RETURN QUERY SELECT 'history_not_kept', NULL::text, format('ids of type %s: history, as-of and the functions, which take bigint, are '
		'not for this inventory; its views are', k.type), NULL::text
	FROM (SELECT string_agg(DISTINCT t.type, ', ') AS type FROM unnest(ARRAY['id', 'network_id', 'instance_id']) c (name),
		format_type(vmnet_internal.attached_column_type(format('%I.all_nics', $1)::regclass, c.name), NULL) t (type)
			WHERE t.type <> 'bigint') k
	WHERE k.type IS NOT NULL;
	IF (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = $2) IN ('r', 'p', 'm') THEN
		RETURN QUERY SELECT CASE WHEN i.usable THEN 'index_found' ELSE 'index_missing' END, NULL::text,
			format(CASE WHEN i.usable THEN 'EXPLAIN shows that an index finds the NICs of %s; this one would serve best'
				ELSE 'EXPLAIN shows no index by which the NICs of %s are found: each look reads the whole table' END, p.said), i.statement
		FROM (VALUES ('network', 'a network'), ('instance', 'an instance')) p (parent, said),
			vmnet_internal.attached_index($1, live, p.parent) i;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_build(text, regclass, regclass, regclass, jsonb, text) IS
'Part of attach_inventory(): makes what is in the schema, and the guards; the rows are those of attach_inventory()';

CREATE FUNCTION vmnet_internal.attach_as_owner(name text, nics regclass, networks regclass, instances regclass, columns jsonb, mode text)
RETURNS TABLE (finding text, rule text, message text, statement text)
AS 'MODULE_PATHNAME', 'attach_as_owner'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.attach_as_owner(text, regclass, regclass, regclass, jsonb, text) IS
'Part of attach_inventory(): attached_build() as the owner of the schema, if the caller has his rights';

CREATE FUNCTION vmnet_internal.attached_refuse_enforce(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'check_violation',
		CONSTRAINT = 'attached_violations',
		SCHEMA = inventory,
		MESSAGE = format('inventory "%s" cannot enforce its rules: its tables violate them already', inventory),
		DETAIL = (SELECT string_agg(v.message, E'\n' ORDER BY v.message) FROM vmnet_internal.attached_violations(inventory) v),
		HINT = format('Mend these, or take mode warn first and then say: SELECT vmnet.set_inventory_mode(%L, ''enforce'', '
			'force => true);', inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_refuse_enforce(text) IS
'Part of attach_inventory(): the error where rules cannot be enforced yet';
