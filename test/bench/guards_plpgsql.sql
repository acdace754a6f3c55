-- The guards of a NIC table as a good programmer would write them in PL/pgSQL:
-- what nic_prepare() and nic_guard() do, for the inventory bench_plpgsql.

CREATE FUNCTION bench_plpgsql.nic_prepare() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		NEW.state_changed := now();
		IF NEW.default_nic IS NULL THEN
			PERFORM FROM bench_plpgsql.all_networks WHERE id = NEW.network_id FOR KEY SHARE;
			PERFORM FROM bench_plpgsql.all_instances WHERE id = NEW.instance_id FOR NO KEY UPDATE;
			NEW.default_nic := NOT EXISTS (
				SELECT FROM bench_plpgsql.all_nics WHERE instance_id = NEW.instance_id AND active);
		END IF;
	ELSIF NEW.state <> OLD.state THEN
		NEW.state_changed := now();
	ELSE
		NEW.state_changed := OLD.state_changed;
	END IF;
	RETURN NEW;
END
$$;

CREATE FUNCTION bench_plpgsql.nic_guard() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
	parent_removed timestamptz;
BEGIN
	IF TG_OP = 'INSERT' THEN
		IF NEW.state NOT IN ('Allocated', 'Reserved') THEN
			RAISE check_violation USING CONSTRAINT = 'nic_initial_state',
				MESSAGE = format('a new NIC cannot start in state "%s"', NEW.state);
		END IF;
		SELECT removed INTO parent_removed
		FROM bench_plpgsql.all_networks WHERE id = NEW.network_id FOR KEY SHARE;
		IF parent_removed IS NOT NULL THEN
			RAISE foreign_key_violation USING CONSTRAINT = 'nic_parent_active',
				MESSAGE = format('network %s has been removed', NEW.network_id);
		END IF;
		IF NEW.instance_id IS NOT NULL THEN
			SELECT removed INTO parent_removed
			FROM bench_plpgsql.all_instances WHERE id = NEW.instance_id FOR KEY SHARE;
			IF parent_removed IS NOT NULL THEN
				RAISE foreign_key_violation USING CONSTRAINT = 'nic_parent_active',
					MESSAGE = format('instance %s has been removed', NEW.instance_id);
			END IF;
		END IF;
		RETURN NULL;
	END IF;

	IF (NEW.id, NEW.network_id, NEW.instance_id, NEW.created)
		IS DISTINCT FROM (OLD.id, OLD.network_id, OLD.instance_id, OLD.created) THEN
		RAISE check_violation USING CONSTRAINT = 'nic_identity_immutable',
			MESSAGE = format('NIC %s keeps its identity', OLD.id);
	END IF;
	IF OLD.removed IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
		RAISE check_violation USING CONSTRAINT = 'nic_removed_once',
			MESSAGE = format('NIC %s has been removed', OLD.id);
	END IF;
	IF NEW.state <> OLD.state AND NOT (
		NEW.state = 'Deallocating' AND OLD.state <> 'Deallocating'
		OR CASE WHEN OLD.strategy = 'Start' THEN
			(OLD.state, NEW.state) IN (('Allocated', 'Reserving'), ('Reserving', 'Allocated'),
				('Reserving', 'Reserved'), ('Reserved', 'Releasing'),
				('Releasing', 'Allocated'), ('Releasing', 'Reserved'))
		ELSE (OLD.state, NEW.state) IN (('Allocated', 'Reserved'), ('Reserved', 'Allocated'))
		END) THEN
		RAISE check_violation USING CONSTRAINT = 'nic_state_transition',
			MESSAGE = format('NIC %s cannot move from state "%s" to "%s"', OLD.id, OLD.state, NEW.state);
	END IF;
	IF OLD.state <> 'Allocated' AND NEW.strategy <> OLD.strategy THEN
		RAISE check_violation USING CONSTRAINT = 'nic_strategy_immutable',
			MESSAGE = format('the strategy of NIC %s cannot change', OLD.id);
	END IF;
	RETURN NULL;
END
$$;

CREATE TRIGGER nic_prepare BEFORE INSERT OR UPDATE ON bench_plpgsql.all_nics
FOR EACH ROW EXECUTE FUNCTION bench_plpgsql.nic_prepare();
CREATE TRIGGER nic_guard AFTER INSERT OR UPDATE ON bench_plpgsql.all_nics
FOR EACH ROW EXECUTE FUNCTION bench_plpgsql.nic_guard();
