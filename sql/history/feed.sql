--
-- The feed: entries of history since a cursor
--

CREATE FUNCTION vmnet_internal.resolve_inventory(inventory name DEFAULT NULL)
RETURNS name
AS 'MODULE_PATHNAME', 'resolve_inventory'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet_internal.resolve_inventory(name) IS
'Name of the inventory that an argument names; NULL means the setting vmnet.inventory
Error: 22023 if there is no such inventory.';

CREATE FUNCTION vmnet_internal.feed_moment(OUT snapshot pg_snapshot, OUT next_transaction_id xid8)
RETURNS record
AS 'MODULE_PATHNAME', 'feed_moment'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet_internal.feed_moment() IS
'Part of nic_changes_since(): the snapshot of the caller, also on a standby, and the next transaction id';

-- A moment is a snapshot s, the next transaction id x, and the highest visible
-- seq q.  An entry is known at a moment if its transaction is visible in the
-- snapshot and its seq is not above q: after a crash the server assigns ids again
-- that are committed in the snapshot, but it does not assign numbers again.
-- Transactions from x on number their entries above q; so an entry below q with
-- such an id was not written by this server (it was restored, for example).  By x
-- and q of the first moment, x0 and q0, such entries are known from then on, since
-- the server assigns those ids itself later.

-- Returns the present moment of an inventory.
CREATE FUNCTION vmnet_internal.feed_now(inventory text, OUT s pg_snapshot, OUT x xid8, OUT q bigint)
RETURNS record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT m.snapshot, m.next_transaction_id INTO s, x FROM vmnet_internal.feed_moment() m;
	EXECUTE format('SELECT h.seq FROM %I.nic_history h
		WHERE h.transaction_id IS DISTINCT FROM pg_current_xact_id_if_assigned()::text::bigint
		ORDER BY h.seq DESC LIMIT 1', inventory)
	INTO q;
	q := coalesce(q, 0);
END
$$;
COMMENT ON FUNCTION vmnet_internal.feed_now(text) IS
'Part of nic_changes_since(): the present moment';

-- A cursor is "1/floor/px/pq/q/x0/q0/s" if all entries known at the moment (s, q)
-- have been read.  "/q2/x2/s2/after" is appended while the entries of a later
-- moment are read, up to seq "after".  All entries up to seq floor have been read.
-- (px, pq) gives the next floor: once all transactions below px have ended, all
-- entries up to pq have been read.
CREATE FUNCTION vmnet_internal.feed_cursor(floor bigint, px xid8, pq bigint, q bigint, x xid8, s pg_snapshot, x0 xid8, q0 bigint)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT concat_ws('/', '1', CASE WHEN ended THEN pq ELSE floor END,
	CASE WHEN ended THEN x ELSE px END, CASE WHEN ended THEN q ELSE pq END, q, x0, q0, s)
FROM (SELECT pg_snapshot_xmin(s) >= px AS ended) e
$$;
COMMENT ON FUNCTION vmnet_internal.feed_cursor(bigint, xid8, bigint, bigint, xid8, pg_snapshot, xid8, bigint) IS
'Part of nic_changes_since(): the cursor after a moment';

CREATE FUNCTION vmnet_internal.parse_feed_cursor(cursor text)
RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[];
BEGIN
	IF cursor IS NULL THEN
		-- before the first entry; x0 is 0 until there is a first moment
		RETURN ARRAY['1', '0', '3', '0', '0', '0', '0', '3:3:'];
	END IF;
	IF cursor ~
		'^1(/\d{1,19}){6}/\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?((/\d{1,19}){2}/\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?/\d{1,19})?$'
		THEN
		parts := string_to_array(cursor, '/');
		BEGIN
			PERFORM parts[2]::bigint, parts[4]::bigint, parts[5]::bigint, parts[7]::bigint, parts[8]::pg_snapshot,
				parts[9]::bigint, parts[11]::pg_snapshot, parts[12]::bigint;
			RETURN parts;
		EXCEPTION WHEN data_exception THEN
			NULL;
		END;
	END IF;
	RAISE EXCEPTION USING
		ERRCODE = 'invalid_parameter_value',
		MESSAGE = 'invalid cursor of the change feed',
		DETAIL = format('It is "%s".', left(cursor, 200)),
		HINT = 'Give next_cursor of the last row that was read, unchanged; NULL begins with the first entry, '
			'and vmnet.nic_changes_cursor() with the changes after now.';
END
$$;
COMMENT ON FUNCTION vmnet_internal.parse_feed_cursor(text) IS
'Part of nic_changes_since(): the parts of a cursor
Error: 22023 for an invalid cursor.';

-- Returns the inventory of a call; raises an error if it keeps no history, since
-- an empty result would mean that there were no changes.
CREATE FUNCTION vmnet_internal.feed_target(wanted name)
RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory name := vmnet_internal.resolve_inventory(wanted);
	why record;
BEGIN
	SELECT k.detail, k.hint INTO why FROM vmnet_internal.history_kept(inventory) k WHERE NOT k.kept;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" keeps no history of NICs', inventory),
			DETAIL = why.detail, HINT = why.hint;
	END IF;
	PERFORM vmnet_internal.refuse_shell_table(to_regclass(format('%I.nic_history', inventory)),
		format('read the changes of inventory "%s"', inventory));
	RETURN inventory;
END
$$;
COMMENT ON FUNCTION vmnet_internal.feed_target(name) IS
'Part of nic_changes_since(): the inventory of a call; 22023 if it keeps no history';

-- Tells whether an inventory keeps a history of NICs, and if not, why.
CREATE FUNCTION vmnet_internal.history_kept(inventory text, OUT kept boolean, OUT detail text, OUT hint text)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record;
	keys record;
BEGIN
	SELECT l.kind, l.source, l.mode INTO info FROM vmnet_internal.inventory_facts(inventory) l;
	IF info.kind = 'live' THEN
		detail := 'It is a live inventory: it shows the present rows of another system.';
		hint := format('A mirror keeps a history from its first import on: CALL vmnet.import_cloudstack(%L, %L);', info.source,
			left(inventory || '_mirror', 63));
	ELSIF info.kind = 'attached' THEN
		SELECT o.* INTO keys FROM vmnet_internal.attached_other_keys(inventory) o;
		IF keys.view IS NOT NULL THEN
			detail := format('The ids of its view "%s" are of type %s; history has bigint ones.', keys.view, keys.type);
			hint := 'Its views show the present rows.';
		ELSIF vmnet_internal.attached_lacks(inventory) @> '{nics.state,nics.removed}' THEN
			detail := 'Its NICs have neither a column "state" nor a column "removed", so there is no change to record.';
			hint := 'If the table has such a column under another name, detach it and attach it again with that in "columns".';
		ELSIF info.mode = 'read_only' THEN
			detail := 'Its mode is read_only: it has no guards, which would write the history.';
			hint := format('SELECT vmnet.set_inventory_mode(%L, ''warn'');', inventory);
		END IF;
	END IF;
	kept := detail IS NULL;
END
$$;
COMMENT ON FUNCTION vmnet_internal.history_kept(text) IS
'Part of nic_changes_since() and create_report(): whether an inventory keeps a history of NICs, and if not, why';

CREATE FUNCTION vmnet_internal.nic_changes_cursor(inventory name)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m record;
BEGIN
	SELECT f.* INTO m FROM vmnet_internal.feed_now(vmnet_internal.feed_target(inventory)) f;
	RETURN vmnet_internal.feed_cursor(0, m.x, m.q, m.q, m.x, m.s, m.x, m.q);
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_changes_cursor(name) IS
'Body of vmnet.nic_changes_cursor(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_changes_cursor(inventory name DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE COST 100;
COMMENT ON FUNCTION vmnet.nic_changes_cursor(name) IS
'Cursor from which nic_changes_since() returns the changes that are committed after now
Get it before you list the present rows: changes made in between are then returned, not lost. Error: 22023 for an unknown inventory.';

-- Returns the part of a batch that is known at a moment, after seq "after".
CREATE FUNCTION vmnet_internal.feed_batch(inventory text, parts text[],
	q bigint, x xid8, s pg_snapshot, after bigint, max_rows int)
RETURNS TABLE (next_cursor text, seq bigint, nic_id bigint, network_id bigint,
	instance_id bigint, from_state text, to_state text, event text, removed timestamptz,
	at timestamptz, transaction_id bigint, session_username text, actor text, reason text,
	application_name text, from_network_id bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first boolean := parts[6] = '0';
	x0 xid8 := CASE WHEN first THEN x ELSE parts[6]::xid8 END;
	q0 bigint := CASE WHEN first THEN q ELSE parts[7]::bigint END;
BEGIN
	-- One row more than requested, which tells whether a row is the last one.
	RETURN QUERY EXECUTE format($q$
		SELECT CASE WHEN lead(h.seq) OVER (ORDER BY h.seq) IS NULL THEN $9
				ELSE concat_ws('/', $10, $5, $6, $7, h.seq) END,
			h.seq, h.nic_id, h.network_id, h.instance_id, h.from_state, h.to_state, h.event,
			h.removed, h.at, h.transaction_id, h.session_username, h.actor, h.reason,
			h.application_name, h.from_network_id
		FROM (SELECT h.* FROM %I.nic_history h
			WHERE h.seq > $1
				AND NOT (h.seq <= $4 AND (h.transaction_id < $14 OR pg_visible_in_snapshot(h.transaction_id::text::xid8, $2))
					OR h.seq <= $11 AND h.transaction_id >= $3)
				AND (h.seq <= $5 AND (h.transaction_id < $15 OR pg_visible_in_snapshot(h.transaction_id::text::xid8, $7))
					OR h.seq <= $13 AND h.transaction_id >= $12)
				AND h.transaction_id IS DISTINCT FROM pg_current_xact_id_if_assigned()::text::bigint
			ORDER BY h.seq
			LIMIT $8::bigint + 1) h
		ORDER BY h.seq
		LIMIT $8$q$, inventory)
	USING greatest(parts[2]::bigint, after), parts[8]::pg_snapshot, parts[6]::bigint, parts[5]::bigint,
		q, x, s, max_rows,
		vmnet_internal.feed_cursor(parts[2]::bigint, parts[3]::xid8, parts[4]::bigint, q, x, s, x0, q0),
		array_to_string(parts[1:8], '/'), parts[7]::bigint, x0::text::bigint, q0,
		-- every transaction before the oldest that was running is visible
		pg_snapshot_xmin(parts[8]::pg_snapshot)::text::bigint, pg_snapshot_xmin(s)::text::bigint;
END
$$;
COMMENT ON FUNCTION vmnet_internal.feed_batch(text, text[], bigint, xid8, pg_snapshot, bigint, int) IS
'Part of nic_changes_since(): the entries that are known at one moment and were not at another';

CREATE FUNCTION vmnet_internal.nic_changes_since(cursor text, max_rows int, inventory name)
RETURNS TABLE (next_cursor text, seq bigint, nic_id bigint, network_id bigint,
	instance_id bigint, from_state text, to_state text, event text, removed timestamptz,
	at timestamptz, transaction_id bigint, session_username text, actor text, reason text,
	application_name text, from_network_id bigint)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema text := vmnet_internal.feed_target(inventory);
	parts text[] := vmnet_internal.parse_feed_cursor(cursor);
	m record;
BEGIN
	IF max_rows < 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'max_rows must not be negative',
			DETAIL = format('It is %s.', max_rows),
			HINT = 'Leave it out for 1000, or give NULL for all rows.';
	END IF;

	-- the rest of a batch
	IF array_length(parts, 1) > 8 THEN
		RETURN QUERY SELECT b.* FROM vmnet_internal.feed_batch(schema, parts,
			parts[9]::bigint, parts[10]::xid8, parts[11]::pg_snapshot, parts[12]::bigint, max_rows) b;
		IF FOUND THEN
			RETURN;
		END IF;
		parts := vmnet_internal.parse_feed_cursor(vmnet_internal.feed_cursor(parts[2]::bigint, parts[3]::xid8,
			parts[4]::bigint, parts[9]::bigint, parts[10]::xid8, parts[11]::pg_snapshot,
			CASE WHEN parts[6] = '0' THEN parts[10] ELSE parts[6] END::xid8,
			CASE WHEN parts[6] = '0' THEN parts[9] ELSE parts[7] END::bigint));
	END IF;

	SELECT f.* INTO m FROM vmnet_internal.feed_now(schema) f;
	RETURN QUERY SELECT b.* FROM vmnet_internal.feed_batch(schema, parts, m.q, m.x, m.s, 0, max_rows) b;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_changes_since(text, int, name) IS
'Body of vmnet.nic_changes_since(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_changes_since(cursor text DEFAULT NULL, max_rows int DEFAULT 1000, inventory name DEFAULT NULL)
RETURNS TABLE (next_cursor text, seq bigint, nic_id bigint, network_id bigint,
	instance_id bigint, from_state text, to_state text, event text, removed timestamptz,
	at timestamptz, transaction_id bigint, session_username text, actor text, reason text,
	application_name text, from_network_id bigint)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE ROWS 1000 COST 100;
COMMENT ON FUNCTION vmnet.nic_changes_since(text, int, name) IS
'Entries of nic_history that have been committed since a cursor was given, in the order of seq
next_cursor of a row continues after that row: keep that of the last row you have processed; if there is no row, keep your cursor. '
'cursor NULL begins with the first entry; vmnet.nic_changes_cursor() returns a cursor that begins now. max_rows: the largest number of '
'rows; NULL: no limit. Each entry is returned exactly once, also if transactions commit late or in another order than that of seq. '
'Changes of the calling transaction are returned after it has ended.
A cursor is valid for one inventory of one server and its standbys. History contains neither creations nor purges. '
'Errors: 22023 for an invalid cursor, a negative max_rows, an unknown inventory, and one that keeps no history: a live one, and an '
'attached one whose mode is read_only, whose keys are not of type bigint, or whose NICs have neither a state nor a time of removal.';
