--
-- Messages about changes (NOTIFY)
--

CREATE FUNCTION vmnet_internal.nic_notify()
RETURNS trigger
AS 'MODULE_PATHNAME', 'nic_notify'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.nic_notify() IS
'AFTER trigger on all_nics, for each statement, created by set_inventory_notify(): sends a message that names the changed NICs';

CREATE FUNCTION vmnet_internal.notify_triggers(inventory text, channel text, "on" boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT * FROM (VALUES
			('_nic_notify_insert', 'INSERT', 'NEW TABLE AS new_nics'),
			('_nic_notify_update', 'UPDATE', 'OLD TABLE AS old_nics NEW TABLE AS new_nics'),
			('_nic_notify_delete', 'DELETE', 'OLD TABLE AS old_nics')) v (name, event, tables)
	LOOP
		IF EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = format('%I.all_nics', inventory)::regclass AND g.tgname = t.name) THEN
			EXECUTE format('DROP TRIGGER %I ON %I.all_nics', t.name, inventory);
		END IF;
		IF "on" THEN
			EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I.all_nics REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION '
				'vmnet_internal.nic_notify(%L)',
				t.name, t.event, inventory, t.tables, channel);
			EXECUTE format('COMMENT ON TRIGGER %I ON %I.all_nics IS %L', t.name, inventory,
				format('Sends a message on channel %I that names the changed NICs; see vmnet.set_inventory_notify()', channel));
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.notify_triggers(text, text, boolean) IS
'Part of set_inventory_notify(): drops the triggers on all_nics, and creates them';

CREATE FUNCTION vmnet_internal.set_inventory_notify(inventory name, "on" boolean)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema text := vmnet_internal.resolve_inventory(inventory);
	channel text := 'vmnet_' || schema;
	kind text;
BEGIN
	IF "on" IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "on" of set_inventory_notify must not be null',
			DETAIL = 'The second argument is NULL.',
			HINT = format('SELECT vmnet.set_inventory_notify(%L, true);', schema);
	END IF;
	IF octet_length(channel) > 63 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the name of inventory "%s" is too long for a channel', schema),
			DETAIL = format('The channel would be "%s", of %s bytes; it can have 63.', channel, octet_length(channel)),
			HINT = 'Rename the schema to at most 57 bytes.';
	END IF;

	SELECT l.kind INTO kind FROM vmnet_internal.inventory_facts(schema) l;
	IF kind = 'attached' THEN
		PERFORM vmnet_internal.attached_notify(schema, channel, "on");
	ELSIF kind = 'live' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('cannot send messages about inventory "%s"', schema),
			DETAIL = 'It is a live inventory: its rows change in another system, which sends no messages.',
			HINT = 'A mirror sends messages when an import changes it; see vmnet.import_cloudstack().';
	ELSE
		PERFORM vmnet_internal.notify_triggers(schema, channel, "on");
	END IF;
	RETURN CASE WHEN "on" THEN channel END;
END
$$;
COMMENT ON FUNCTION vmnet_internal.set_inventory_notify(name, boolean) IS
'Body of vmnet.set_inventory_notify(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.set_inventory_notify(inventory name, "on" boolean)
RETURNS text
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.set_inventory_notify(name, boolean) IS
'Turns messages about changed NICs on or off; returns the channel to LISTEN to, vmnet_<inventory>, or NULL if it was turned off
If messages are off (the default), there is no trigger. If they are on, each statement that adds, removes, moves or purges NICs or '
'changes their state sends one message: {"event": "insert", "update" or "delete", "count": n, "nic_ids": [up to 100 ids]}, or "nic_ids": '
'null for more than 100. vmnet.nic_changes_since() returns the changes themselves. While messages are on, PREPARE TRANSACTION fails in '
'transactions that send one (a restriction of NOTIFY).
The messages of an attached inventory come from its table of NICs; ids that are not of type bigint are texts. Only the owner of the '
'inventory, and of that table, can run it. Errors: 22023 for an unknown inventory, one whose name has more than 57 bytes, or NULL, and '
'for a live '
'one or one over a view or a foreign table.';

-- Called by vmnet.nic_event(), since several events can lead from one state to
-- another.
CREATE FUNCTION vmnet_internal.set_next_nic_event(nic_id bigint, event text)
RETURNS void
AS 'MODULE_PATHNAME', 'set_next_nic_event'
LANGUAGE C STRICT COST 100;
COMMENT ON FUNCTION vmnet_internal.set_next_nic_event(bigint, text) IS
'Part of nic_event(): sets the event under which the next change of a NIC is recorded
It is valid until the next statement that changes a NIC ends, and ignored if it does not lead to the new state.';
